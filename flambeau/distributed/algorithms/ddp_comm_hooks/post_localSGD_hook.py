"""A hook between processes: refused."""
from __future__ import annotations

from ..._absent import refused, refused_classes

PostLocalSGDState = refused_classes(__name__, ["PostLocalSGDState"])["PostLocalSGDState"]
post_localSGD_hook = refused("post_localSGD_hook")["post_localSGD_hook"]  # noqa: N816

__all__ = ["PostLocalSGDState", "post_localSGD_hook"]
