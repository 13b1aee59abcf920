"""Arguments spread over devices and gathered again; flambeau has one device, so both are short."""
from __future__ import annotations

from typing import Any

__all__ = ["gather", "is_namedtuple", "scatter", "scatter_kwargs"]


def is_namedtuple(obj: Any) -> bool:
    """Whether an object is of a named tuple's class."""
    return isinstance(obj, tuple) and hasattr(obj, "_asdict") and hasattr(obj, "_fields")


def _one_device(target_gpus: Any, name: str) -> None:
    if len(target_gpus) > 1:
        raise RuntimeError(f"{name}: flambeau has one device, got {len(target_gpus)}")


def scatter(inputs: Any, target_gpus: Any, dim: int = 0) -> Any:
    """[inputs]: what each of the devices, of which there is one, gets."""
    _one_device(target_gpus, "scatter")
    return [inputs]


def scatter_kwargs(inputs: tuple[Any, ...], kwargs: dict[str, Any] | None, target_gpus: Any,
                   dim: int = 0) -> tuple[Any, Any]:
    """The arguments and keyword arguments of each device, as tuples."""
    _one_device(target_gpus, "scatter_kwargs")
    return (inputs,), (kwargs or {},)


def gather(outputs: Any, target_device: Any, dim: int = 0) -> Any:
    """The one device's output."""
    _one_device(outputs, "gather")
    return outputs[0]
