"""torch.utils.data.datapipes: the two bases, so that classes can be derived from them."""
from . import datapipe

__all__ = ["datapipe"]
