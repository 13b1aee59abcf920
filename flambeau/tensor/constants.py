"""The singletons programs pass around: layouts and memory formats.

In: nothing. Out: `torch.strided`, `torch.contiguous_format`, ...
"""
from __future__ import annotations


class layout:  # noqa: N801 - PyTorch's name
    """How elements are stored; flambeau stores all tensors strided."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_find, (self.name,))


class memory_format:  # noqa: N801
    """The order of dims in memory."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_find, (self.name,))


def _find(name: str) -> object:
    return globals()[name]


strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csr = layout("sparse_csr")
sparse_csc = layout("sparse_csc")
sparse_bsr = layout("sparse_bsr")
sparse_bsc = layout("sparse_bsc")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
