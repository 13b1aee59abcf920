"""torch.utils.model_zoo: an old name of `torch.hub.load_state_dict_from_url`."""
from __future__ import annotations

from typing import Any

from ..hub import download_url_to_file as _download_url_to_file
from ..hub import load_state_dict_from_url
from ..hub import load_state_dict_from_url as load_url

try:
    from tqdm import tqdm
except ImportError:                             # progress bars are optional in PyTorch too
    def tqdm(iterable: Any = (), *args: Any, **kwargs: Any) -> Any:
        """The items, without a bar."""
        return iterable

__all__ = ["_download_url_to_file", "load_state_dict_from_url", "load_url", "tqdm"]
