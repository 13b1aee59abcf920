"""Manipulation functions of the standard: the same elements in other places.

In: arrays and axes. Out: arrays, views of their argument where that is possible.
"""
from __future__ import annotations


from typing import Any

from ..tensor.tensor import Tensor
from ._promotion import axes, need, normal, several, torch

Axes = int | tuple[int, ...] | None


def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """The arrays, each stretched to the shape that they have together."""
    return list(torch.broadcast_tensors(*arrays)) if arrays else []


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """The array stretched to a shape."""
    return torch.broadcast_to(need(x, "broadcast_to"), tuple(shape))


def concat(arrays: Any, /, *, axis: int | None = 0) -> Tensor:
    """Arrays one behind the other along an axis; flattened first for None."""
    parts = several(arrays)
    if axis is None:
        return torch.cat([x.reshape(-1) for x in parts])
    at = normal(axis, parts[0].ndim)
    for x in parts:
        if x.ndim != parts[0].ndim:
            raise ValueError(f"concat(): arrays of {parts[0].ndim} and {x.ndim} axes")
        if x.shape[:at] + x.shape[at + 1:] != parts[0].shape[:at] + parts[0].shape[at + 1:]:
            raise ValueError(f"concat(): shapes {tuple(parts[0].shape)} and {tuple(x.shape)} "
                             f"differ outside axis {at}")
    return torch.cat(parts, at)


def expand_dims(x: Tensor, /, *, axis: int = 0) -> Tensor:
    """A new axis of one element at position `axis` of the result."""
    return torch.unsqueeze(need(x, "expand_dims"), normal(axis, x.ndim + 1))


def flip(x: Tensor, /, *, axis: Axes = None) -> Tensor:
    """The order of elements reversed along some axes, or all."""
    return torch.flip(need(x, "flip"), axes(axis, x.ndim))


def moveaxis(x: Tensor, source: int | tuple[int, ...], destination: int | tuple[int, ...],
             /) -> Tensor:
    """Axes moved to other positions; the rest stay in order."""
    return torch.movedim(need(x, "moveaxis"), source, destination)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """The axes in another order."""
    return torch.permute(need(x, "permute_dims"), tuple(axes))


def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """Each element (or slice along an axis) several times in a row."""
    need(x, "repeat")
    if axis is None:
        x, at = x.reshape(-1), 0
    else:
        at = normal(axis, x.ndim)
    if isinstance(repeats, Tensor):
        # One number is for every element.
        counts = repeats.to(torch.int64)
        one = counts.ndim == 0 or counts.shape[0] == 1 != x.shape[at]
        return torch.repeat_interleave(x, int(counts) if one else counts, dim=at)
    return torch.repeat_interleave(x, repeats, dim=at)


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """The elements in another shape; ValueError for copy=False where no view has it."""
    need(x, "reshape")
    wanted = tuple(shape)
    if copy is False:
        try:
            return x.view(wanted)
        except RuntimeError as error:
            raise ValueError(f"reshape(): shape {tuple(x.shape)} cannot become {wanted} without a "
                             "copy") from error
    made = torch.reshape(x, wanted)
    return made.clone() if copy else made


def roll(x: Tensor, /, shift: int | tuple[int, ...], *, axis: Axes = None) -> Tensor:
    """Elements moved along axes; those that leave at one end come back at the other.

    A tuple of shifts needs as many axes; one shift goes for all of them.
    """
    need(x, "roll")
    if axis is None:
        if not isinstance(shift, int):
            raise ValueError("roll(): a tuple of shifts needs a tuple of axes")
        return torch.roll(x, shift)
    wanted = axis if isinstance(axis, tuple) else (axis,)
    shifts = shift if isinstance(shift, tuple) else (shift,) * len(wanted)
    if len(shifts) != len(wanted):
        raise ValueError(f"roll(): {len(shifts)} shifts for {len(wanted)} axes")
    if not wanted:
        return x.clone()
    return torch.roll(x, shifts, tuple(normal(a, x.ndim) for a in wanted))


def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """Without axes of one element; ValueError if an axis has another length."""
    at = axes(axis, need(x, "squeeze").ndim)
    for a in at:
        if x.shape[a] != 1:
            raise ValueError(f"squeeze(): axis {a} has {x.shape[a]} elements, not one")
    return x.reshape(tuple(n for a, n in enumerate(x.shape) if a not in at))


def stack(arrays: Any, /, *, axis: int = 0) -> Tensor:
    """Arrays of one shape along a new axis."""
    parts = several(arrays)
    for x in parts:
        if x.shape != parts[0].shape:
            raise ValueError(f"stack(): shapes {tuple(parts[0].shape)} and {tuple(x.shape)} differ")
    return torch.stack(parts, normal(axis, parts[0].ndim + 1))


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """Copies of the whole array side by side, `repetitions` of them along the last axes."""
    return torch.tile(need(x, "tile"), tuple(repetitions))


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along an axis."""
    return tuple(torch.unbind(need(x, "unstack"), normal(axis, x.ndim)))



__all__ = [
    "broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip", "moveaxis",
    "permute_dims", "repeat", "reshape", "roll", "squeeze", "stack", "tile", "unstack",
]
