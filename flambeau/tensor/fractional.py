"""Fractional max pooling: the random steps are drawn here, at the call.

In: tensors and PyTorch's arguments. Out: tensors; `ops/fractional` does the arithmetic.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..ops.fractional import fractional_max_pool
from .dispatch import Call, finish
from .labels import of_name
from .random import rand
from .tensor import Tensor


def _sizes(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if hasattr(value, "__iter__") else (value,) * rank


def _extents(name: str, size: tuple[int, ...], rank: int, output_size: Any, output_ratio: Any,
             ) -> tuple[int, ...]:
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if output_size is not None:
        return _sizes(output_size, rank)
    ratios = _sizes(output_ratio, rank)
    return tuple(int(n * r) for n, r in zip(size, ratios))


_WORDS = {2: ("height", "width"), 3: ("time", "height", "width")}


def _pool(rank: int) -> Callable[..., tuple[Tensor, Tensor]]:
    name = f"fractional_max_pool{rank}d"

    def with_indices(input: Tensor, kernel_size: Any, output_size: Any = None,
                     output_ratio: Any = None, return_indices: bool = False,
                     _random_samples: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Maxima of windows of random places, and where in the input each stood."""
        if input.dim() not in (rank + 1, rank + 2):
            raise RuntimeError(f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got: "
                               f"{list(input.shape)}")
        size = tuple(input.shape[-rank:])
        kernel = _sizes(kernel_size, rank)
        out = _extents(name, size, rank, output_size, output_ratio)
        for n, k, m, word in zip(size, kernel, out, _WORDS[rank]):
            if m + k - 1 > n:
                raise RuntimeError(f"{name}(): pool {word} {k} too large relative to input {word} "
                                   f"{n}")
        batch = input if input.dim() == rank + 2 else input.unsqueeze(0)
        samples = _random_samples
        if samples is None:
            samples = rand(batch.shape[0], batch.shape[1], rank, dtype=input.dtype)
        expected = (batch.shape[0], batch.shape[1], rank)
        for d in range(3):
            if samples.shape[d] != expected[d]:
                raise RuntimeError(f"Expect _random_samples.size({d}) equals to {expected[d]}; got "
                                   f"{samples.shape[d]}.")
        call = Call()
        found = fractional_max_pool(call.take(batch), call.take(samples.detach()), kernel, out)
        values, places = finish(found, call, of_name(name))
        return (values, places) if batch is input else (values.squeeze(0), places.squeeze(0))

    with_indices.__name__ = with_indices.__qualname__ = name + "_with_indices"
    return with_indices


fractional_max_pool2d_with_indices = _pool(2)
fractional_max_pool3d_with_indices = _pool(3)


def fractional_max_pool2d(input: Tensor, kernel_size: Any, output_size: Any = None,
                          output_ratio: Any = None, return_indices: bool = False,
                          _random_samples: Tensor | None = None) -> Any:
    """The greatest of windows whose starts are random: (N, C, H, W) or (C, H, W)."""
    found = fractional_max_pool2d_with_indices(input, kernel_size, output_size, output_ratio,
                                               return_indices, _random_samples)
    return found if return_indices else found[0]


def fractional_max_pool3d(input: Tensor, kernel_size: Any, output_size: Any = None,
                          output_ratio: Any = None, return_indices: bool = False,
                          _random_samples: Tensor | None = None) -> Any:
    """The same of (N, C, T, H, W) or (C, T, H, W)."""
    found = fractional_max_pool3d_with_indices(input, kernel_size, output_size, output_ratio,
                                               return_indices, _random_samples)
    return found if return_indices else found[0]
