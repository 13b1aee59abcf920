"""Collectives with derivatives; in one process they pass tensors on."""
from __future__ import annotations

from typing import Any

from ..distributed_c10d import ReduceOp, _get_default_group, group


def _one(items: Any) -> Any:
    _get_default_group()
    if len(items) != 1:
        raise ValueError(f"one tensor a process: 1, not {len(items)}")
    return items[0]


def broadcast(tensor: Any, src: int, group: Any = None) -> Any:
    return _one([tensor]).clone()


def gather(tensor: Any, dst: int = 0, group: Any = None) -> tuple[Any, ...]:
    return (_one([tensor]).clone(),)


def scatter(tensors: Any, src: int = 0, group: Any = None) -> Any:
    return _one(tensors).clone()


def reduce(tensor: Any, dst: int, op: Any = ReduceOp.SUM, group: Any = None) -> Any:
    return _one([tensor]).clone()


def reduce_scatter(output: Any, input_list: Any, op: Any = ReduceOp.SUM, group: Any = None) -> Any:
    return _one(input_list).clone()


def all_gather(tensor: Any, group: Any = None) -> tuple[Any, ...]:
    return (_one([tensor]).clone(),)


def all_to_all(output_tensor_list: Any, input_tensor_list: Any, group: Any = None) -> Any:
    return (_one(input_tensor_list).clone(),)


def all_to_all_single(output: Any, input: Any, output_split_sizes: Any = None,
                      input_split_sizes: Any = None, group: Any = None) -> Any:
    return _one([input]).clone()


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None) -> Any:
    return _one([tensor]).clone()


__all__ = ["ReduceOp", "all_gather", "all_reduce", "all_to_all", "all_to_all_single", "broadcast",
           "gather", "group", "reduce", "reduce_scatter", "scatter"]
