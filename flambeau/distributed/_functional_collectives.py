"""Collectives that give new tensors; in one process copies of what they get."""
from __future__ import annotations

from typing import Any

from ._absent import refused_classes
from .distributed_c10d import _get_default_group

AsyncCollectiveTensor: Any = refused_classes(
    "torch.distributed._functional_collectives", ["AsyncCollectiveTensor"])["AsyncCollectiveTensor"]


def _same(x: Any) -> Any:
    _get_default_group()
    return x.clone()


def wait_tensor(tensor: Any) -> Any:
    return tensor


def broadcast(self: Any, src: int, group: Any, tag: str = "") -> Any:
    return _same(self)


def all_reduce(self: Any, reduceOp: str, group: Any, tag: str = "") -> Any:  # noqa: N803
    return _same(self)


def all_gather_tensor(self: Any, gather_dim: int, group: Any, tag: str = "") -> Any:
    return _same(self)


all_gather_tensor_autograd = all_gather_tensor


def reduce_scatter_tensor(self: Any, reduceOp: str, scatter_dim: int,  # noqa: N803
                          group: Any, tag: str = "") -> Any:
    return _same(self)


reduce_scatter_tensor_autograd = reduce_scatter_tensor


def all_to_all_single(self: Any, output_split_sizes: Any, input_split_sizes: Any, group: Any,
                      tag: str = "") -> Any:
    return _same(self)


all_to_all_single_autograd = all_to_all_single


def permute_tensor(self: Any, src_dst: list[int], group: Any, tag: str = "") -> Any:
    return _same(self)


def all_reduce_coalesced(self: list[Any], reduceOp: str, group: Any,  # noqa: N803
                         tag: str = "") -> list[Any]:
    return [_same(x) for x in self]


__all__ = [
    "AsyncCollectiveTensor", "all_gather_tensor", "all_gather_tensor_autograd", "all_reduce",
    "all_reduce_coalesced", "all_to_all_single", "all_to_all_single_autograd", "broadcast",
    "permute_tensor", "reduce_scatter_tensor", "reduce_scatter_tensor_autograd", "wait_tensor",
]
