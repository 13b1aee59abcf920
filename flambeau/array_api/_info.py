"""What this namespace can do: the standard's inspection functions.

In: nothing. Out: `__array_namespace_info__()`.
"""
from __future__ import annotations

from typing import Any

from ..core import dtype as dt
from ..core.device import CPU
from ..core.dtype import dtype as DType  # noqa: N812
from ._promotion import BY_KIND, torch


class Info:
    """The answers of `__array_namespace_info__()`."""

    __slots__ = ()

    def capabilities(self) -> dict[str, Any]:
        """What the standard leaves open, and how it is here."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """The device that arrays are made on."""
        return torch.get_default_device()

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """The dtypes that a kind of number gets on its own."""
        real = torch.get_default_dtype()
        return {"real floating": real, "complex floating": real.to_complex(),
                "integral": dt.int64, "indexing": dt.int64}

    def devices(self) -> list[Any]:
        """The devices that compute."""
        return [CPU]

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, DType]:
        """The standard's dtypes by name: all, or those of a kind (a word or a tuple of them)."""
        if kind is None:
            kind = ("bool", "numeric")
        words = kind if isinstance(kind, tuple) else (kind,)
        for word in words:
            if word not in BY_KIND:
                raise ValueError(f"dtypes(): unknown kind {word!r}; the kinds are "
                                 f"{', '.join(BY_KIND)}")
        return {d.name: d for word in words for d in BY_KIND[word]}


def __array_namespace_info__() -> Info:
    """Capabilities, devices and dtypes of this namespace."""
    return Info()
