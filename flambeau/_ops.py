"""`torch.ops`: operators by namespace and name, and those that programs register.

In: functions registered by `torch.library`, and the functions of torch for `torch.ops.aten`.
Out: `torch.ops.aten.add.Tensor(a, b)`, `torch.ops.mylib.myop(x)`.
"""
from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from .tensor.names import PUBLIC
from .tensor.tensor import Tensor

REGISTERED: dict[str, dict[str, OpOverloadPacket]] = {}


class OpOverload:
    """One form of an operator, `torch.ops.aten.add.Tensor`."""

    def __init__(self, packet: OpOverloadPacket, name: str) -> None:
        self._packet = packet
        self._overloadname = name
        self.__name__ = f"{packet.__name__}.{name}"
        self.__module__ = packet.__module__

    @property
    def overloadpacket(self) -> OpOverloadPacket:
        return self._packet

    @property
    def namespace(self) -> str:
        return self._packet._namespace

    def name(self) -> str:
        suffix = "" if self._overloadname == "default" else f".{self._overloadname}"
        return self._packet._qualified_op_name + suffix

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._packet(*args, **kwargs)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='{self.namespace}.{self._packet.__name__}', " \
            f"overload='{self._overloadname}')>"


class OpOverloadPacket:
    """An operator with all its forms, `torch.ops.aten.add`."""

    def __init__(self, namespace: str, name: str, fn: Callable[..., Any]) -> None:
        self._namespace = namespace
        self.__name__ = name
        self.__module__ = f"torch.ops.{namespace}"
        self._qualified_op_name = f"{namespace}::{name}"
        self._fn = fn
        self._forms: dict[str, OpOverload] = {}

    def __getattr__(self, name: str) -> OpOverload:
        if name.startswith("__") or not name.isidentifier():
            raise AttributeError(name)
        return self._forms.setdefault(name, OpOverload(self, name))

    def overloads(self) -> list[str]:
        return sorted({"default", *self._forms})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._fn(*args, **kwargs)

    def __str__(self) -> str:
        return f"{self._namespace}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self._namespace}.{self.__name__}')>"


class _OpNamespace:
    """The operators of one library, `torch.ops.aten`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> OpOverloadPacket:
        if name.startswith("__"):
            raise AttributeError(name)
        known = REGISTERED.setdefault(self.name, {})
        if name not in known:
            fn = _aten(name) if self.name == "aten" else None
            if fn is None:
                raise AttributeError(f"'_OpNamespace' '{self.name}' object has no attribute "
                                     f"'{name}'")
            known[name] = OpOverloadPacket(self.name, name, fn)
        return known[name]

    def __dir__(self) -> list[str]:
        return sorted(REGISTERED.get(self.name, {}))


def _to_copy(x: Tensor, *, dtype: Any = None, device: Any = None, **_: Any) -> Tensor:
    return x.to(dtype=dtype or x.dtype, device=device, copy=True)


_ATEN: dict[str, Callable[..., Any]] = {
    "_to_copy": _to_copy, "_unsafe_view": lambda x, size: x.reshape(size),
    "alias": lambda x: x.view(x.shape), "sym_size": lambda x, dim: x.shape[dim],
    "_local_scalar_dense": lambda x: x.item(), "lift_fresh": lambda x: x,
    "_pin_memory": lambda x, device=None: x.pin_memory(),
}


# Operators that PyTorch keeps to itself; libraries have them as keys of tables.
_INTERNAL = frozenset({
    "_assert_scalar", "_assert_tensor_metadata", "_conj", "_embedding_bag", "_fft_c2c", "_fft_c2r",
    "_fft_r2c", "_grouped_mm", "_is_all_true", "_sparse_addmm", "_sparse_mm_reduce_impl",
    "_upsample_bilinear2d_aa", "convolution", "convolution_backward", "index", "slice",
    "sym_constrain_range_for_size", "view_as_real_copy", "native_dropout",
    "_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_flash_attention_for_cpu", "_log_softmax_backward_data",
    "native_layer_norm_backward", "native_group_norm_backward", "native_batch_norm_backward",
    "convolution_overrideable", "threshold_backward", "_unsafe_index", "upsample_bilinear2d",
    "upsample_nearest2d", "_native_batch_norm_legit", "max_pool2d_with_indices",
})


def _internal(name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"torch.ops.aten.{name}: flambeau does not split its functions "
                                  "into PyTorch's internal operators")

    return call


def _aten(name: str) -> Callable[..., Any] | None:
    """torch's function, nn.functional's, or Tensor's method of that name."""
    for place in ("torch", "nn.functional"):
        fn = PUBLIC[place].get(name)
        if fn is not None:
            return fn
    if name in _ATEN:
        return _ATEN[name]
    if name in _INTERNAL:
        return _internal(name)
    import importlib

    fn = getattr(importlib.import_module(__package__ or ""), name, None)
    fn = getattr(Tensor, name, None) if fn is None else fn
    return fn if callable(fn) else None


class _Ops:
    """torch.ops."""

    __name__ = "torch.ops"
    __file__ = "_ops.py"

    def __init__(self) -> None:
        self.loaded_libraries: set[str] = set()
        self._spaces: dict[str, _OpNamespace] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_spaces":
            raise AttributeError(name)
        inner = sys.modules.get(f"{__package__}.ops.{name}")
        if inner is not None:                   # `import flambeau.ops.table as t` asks here too
            return inner
        return self._spaces.setdefault(name, _OpNamespace(name))

    def import_module(self, module: str) -> None:
        """Import a module that registers operators."""
        import importlib

        importlib.import_module(module)

    def load_library(self, path: str | os.PathLike[str]) -> NoReturn:
        raise OSError(f"Could not load this library: {path} (flambeau cannot run extensions "
                      "compiled for PyTorch)")


class _Classes:
    """torch.classes: classes of compiled extensions; there are none."""

    __name__ = "torch.classes"
    loaded_libraries: frozenset[str] = frozenset()

    def __getattr__(self, name: str) -> _ClassNamespace:
        if name.startswith("__"):
            raise AttributeError(name)
        return _ClassNamespace(name)

    def load_library(self, path: str | os.PathLike[str]) -> NoReturn:
        ops.load_library(path)


class _ClassNamespace:
    """torch.classes.NAME."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, attr: str) -> NoReturn:
        if attr.startswith("__"):
            raise AttributeError(attr)
        raise RuntimeError(f"Tried to instantiate class '{self.name}.{attr}', but it does not "
                           "exist! Ensure that it is registered via torch::class_")


@contextlib.contextmanager
def dl_open_guard() -> Iterator[None]:
    yield


ops = _Ops()
classes = _Classes()

__all__ = ["OpOverload", "OpOverloadPacket", "classes", "dl_open_guard", "ops"]
