"""The tensor-level tracer of PyTorch; there is none here."""
from __future__ import annotations

from typing import Any, NoReturn


def get_proxy_mode() -> None:
    """None: no such trace is running."""


def make_fx(f: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError("flambeau has no make_fx; torch.fx.symbolic_trace traces a program")
