"""torch.library: operators that programs define in Python.

In: schemas and functions. Out: `torch.ops.NAMESPACE.NAME`, which calls the function registered for
the CPU, with the gradient that was registered for it.
"""
from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from ._ops import REGISTERED, OpOverload, OpOverloadPacket
from .autograd.function import Function

_CPU = ("CPU", "CompositeImplicitAutograd", "CompositeExplicitAutograd", "Autograd", "AutogradCPU",
        "default", "cpu", "")


class _Definition:
    """What is known of an operator: a function for each kind of device, and its gradient."""

    def __init__(self, qualname: str) -> None:
        self.qualname = qualname
        self.impls: dict[str, Callable[..., Any]] = {}
        self.fake: Callable[..., Any] | None = None
        self.backward: Callable[..., Any] | None = None
        self.setup_context: Callable[..., Any] | None = None
        self.vmap: Callable[..., Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        fn = next((self.impls[k] for k in (*_CPU, "CUDA", "cuda", "Meta") if k in self.impls), None)
        if fn is None:
            raise NotImplementedError(f"Could not run '{self.qualname}' with arguments from the "
                                      "'CPU' backend: no kernel was registered for it")
        if self.backward is None:
            return fn(*args, **kwargs)
        return _with_gradient(self, fn, args, kwargs)


def _with_gradient(known: _Definition, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call as an autograd.Function with the registered backward."""
    class Registered(Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            output = fn(*inputs, **kwargs)
            if known.setup_context is not None:
                extra = {"keyword_only_inputs": kwargs} if kwargs else {}
                known.setup_context(ctx=ctx, inputs=inputs, output=output, **extra)
            return output

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            assert known.backward is not None
            return known.backward(ctx, *grads)

    Registered.__name__ = known.qualname.replace("::", "_")
    return Registered.apply(*args)


_definitions: dict[str, _Definition] = {}


def _define(qualname: str) -> _Definition:
    """The entry of an operator, and its place in torch.ops."""
    if "::" not in qualname:
        raise ValueError(f"Expected qualname to be of the form \"namespace::name\", got {qualname}")
    namespace, name = qualname.split("::")
    name = name.partition(".")[0]
    full = f"{namespace}::{name}"
    if full not in _definitions:
        _definitions[full] = _Definition(full)
        packet = OpOverloadPacket(namespace, name, _definitions[full])
        REGISTERED.setdefault(namespace, {})[name] = packet
    return _definitions[full]


def _name_of(op: Any) -> str:
    if isinstance(op, str):
        return op
    if isinstance(op, OpOverload):
        return op.name().partition(".")[0]
    if isinstance(op, OpOverloadPacket):
        return op._qualified_op_name
    if isinstance(op, CustomOpDef):
        return op._qualname
    raise ValueError(f"{op} is not an operator or the name of one")


def _known(op: Any) -> _Definition:
    name = _name_of(op)
    found = _definitions.get("::".join(p.partition(".")[0] for p in name.split("::")))
    if found is None:
        raise RuntimeError(f"operator {name} does not exist")
    return found


def _kinds(types: Any) -> tuple[str, ...]:
    return (types or "default",) if isinstance(types, str) or types is None else tuple(types)


class Library:
    """Operators of one namespace: `DEF` makes it, `IMPL` adds to it, `FRAGMENT` does both."""

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("IMPL", "DEF", "FRAGMENT"):
            raise ValueError("Unsupported library type: ", kind)
        if ns == "prim" or (ns == "aten" and kind == "DEF"):
            raise ValueError(ns, " is a reserved namespace. Please try creating a library with "
                                 "another name.")
        self.ns = ns
        self.kind = kind
        self.dispatch_key = dispatch_key
        self._op_defs: set[str] = set()
        self._op_impls: set[str] = set()

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """`lib.define("mul2(Tensor x) -> Tensor")`; the operator's name."""
        name = schema.split("(", maxsplit=1)[0].strip()
        _define(f"{self.ns}::{name}")
        self._op_defs.add(f"{self.ns}::{name}")
        return name

    def impl(self, op_name: Any, fn: Callable[..., Any], dispatch_key: str = "", *,
             with_keyset: bool = False, allow_override: bool = False) -> None:
        """Register what computes an operator."""
        if not callable(fn):
            raise TypeError("Input function is required to be a callable but found type "
                            f"{type(fn)}")
        name = _name_of(op_name) if not isinstance(op_name, str) else op_name
        name = name.split("::")[-1]
        _define(f"{self.ns}::{name}").impls[dispatch_key or self.dispatch_key] = fn
        self._op_impls.add(f"{self.ns}::{name}")

    def fallback(self, fn: Callable[..., Any], dispatch_key: str = "", *,
                 with_keyset: bool = False) -> None:
        """Accepted; no operator here lacks a kernel that a fallback could stand in for."""

    def _register_fake(self, op_name: str, fn: Callable[..., Any], _stacklevel: int = 1, *,
                       allow_override: bool = False) -> None:
        _define(f"{self.ns}::{op_name}").fake = fn

    def _destroy(self) -> None:
        for name in self._op_defs:
            _definitions.pop(name, None)
            REGISTERED.get(self.ns, {}).pop(name.split("::")[-1], None)


class CustomOpDef:
    """What `custom_op` makes of a function: callable, and a place to register more."""

    def __init__(self, namespace: str, name: str, schema: Any, fn: Callable[..., Any]) -> None:
        self._namespace = namespace
        self._name = name
        self._qualname = f"{namespace}::{name}"
        self._schema = schema
        self._init_fn = fn
        functools.update_wrapper(self, fn)

    @property
    def _opoverload(self) -> OpOverload:
        return REGISTERED[self._namespace][self._name].default

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _known(self)(*args, **kwargs)

    def register_kernel(self, device_types: Any, fn: Any = None, /) -> Any:
        return register_kernel(self, device_types, fn)

    def register_fake(self, fn: Callable[..., Any], /) -> Callable[..., Any]:
        return register_fake(self, fn)

    def register_autograd(self, backward: Callable[..., Any], /, *,
                          setup_context: Callable[..., Any] | None = None) -> None:
        register_autograd(self, backward, setup_context=setup_context)

    def register_vmap(self, func: Any = None) -> Any:
        return register_vmap(self, func)

    def register_torch_dispatch(self, torch_dispatch_class: Any, fn: Any = None, /) -> Any:
        return (lambda f: f) if fn is None else fn

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"


def custom_op(name: str, fn: Callable[..., Any] | None = None, /, *,
              mutates_args: str | Iterable[str], device_types: Any = None,
              schema: str | None = None, tags: Any = None) -> Any:
    """`@custom_op("mylib::sin", mutates_args=())`: the function as an operator."""
    def make(f: Callable[..., Any]) -> CustomOpDef:
        known = _define(name)
        for kind in _kinds(device_types):
            known.impls[kind] = f
        namespace, short = name.split("::")
        return CustomOpDef(namespace, short, schema, f)

    return make if fn is None else make(fn)


def triton_op(name: str, fn: Any = None, /, *, mutates_args: Any, schema: Any = None) -> Any:
    return custom_op(name, fn, mutates_args=mutates_args, schema=schema)


def wrap_triton(triton_kernel: Any, /) -> Any:
    return triton_kernel


def define(qualname: str, schema: Any, *, lib: Library | None = None, tags: Any = ()) -> Any:
    """Declare an operator, or decorate its function."""
    _define(qualname)
    if isinstance(schema, str):
        return None
    return lambda fn: (impl(qualname, "default", fn), fn)[1]


def impl(qualname: Any, types: Any = "default", func: Any = None, *,
         lib: Library | None = None) -> Any:
    """Register what computes an operator on some devices."""
    if isinstance(qualname, Library):           # the older form: impl(lib, name, dispatch_key)
        library, name, key = qualname, types, func or ""
        return lambda fn: (library.impl(name, fn, key), fn)[1]

    def register(fn: Callable[..., Any]) -> Callable[..., Any]:
        for kind in _kinds(types):
            _define(qualname).impls[kind] = fn
        return fn

    if func is None:
        return register
    register(func)
    return None


def register_kernel(op: Any, device_types: Any, func: Any = None, /, *,
                    lib: Library | None = None) -> Any:
    """Register what computes an operator on some devices."""
    def register(fn: Callable[..., Any]) -> Callable[..., Any]:
        for kind in _kinds(device_types):
            _known(op).impls[kind] = fn
        return fn

    return register if func is None else register(func)


def register_fake(op: Any, func: Any = None, /, *, lib: Library | None = None,
                  _stacklevel: int = 1, allow_override: bool = False) -> Any:
    """Register what says the shape of an operator's result."""
    def register(fn: Callable[..., Any]) -> Callable[..., Any]:
        _define(_name_of(op)).fake = fn
        return fn

    return register if func is None else register(func)


def impl_abstract(qualname: str, func: Any = None, *, lib: Library | None = None,
                  _stacklevel: int = 1) -> Any:
    return register_fake(qualname, func)


def register_autograd(op: Any, backward: Callable[..., Any], /, *,
                      setup_context: Callable[..., Any] | None = None,
                      lib: Library | None = None) -> None:
    """Register the gradient of an operator."""
    known = _known(op)
    known.backward, known.setup_context = backward, setup_context


def register_vmap(op: Any, func: Any = None, /, *, lib: Library | None = None) -> Any:
    """Register how an operator works on batches."""
    def register(fn: Callable[..., Any]) -> Callable[..., Any]:
        _known(op).vmap = fn
        return fn

    return register if func is None else register(func)


def register_autocast(op: Any, device_type: str, cast_inputs: Any, /, *,
                      lib: Library | None = None) -> None:
    """Accepted for operators that exist."""
    _known(op)


def register_torch_dispatch(op: Any, torch_dispatch_class: Any, func: Any = None, /, *,
                            lib: Library | None = None) -> Any:
    _known(op)
    return (lambda f: f) if func is None else func


def infer_schema(prototype_function: Callable[..., Any], /, *, mutates_args: Any = (),
                 op_name: str | None = None) -> str:
    """The schema of a function with annotations."""
    import inspect

    signature = inspect.signature(prototype_function)
    names = {"Tensor": "Tensor", "int": "SymInt", "float": "float", "bool": "bool", "str": "str"}

    def text(annotation: Any) -> str:
        name = annotation if isinstance(annotation, str) else \
            getattr(annotation, "__name__", str(annotation))
        return names.get(name.rpartition(".")[2], name)

    parts = [f"{text(p.annotation)} {p.name}" for p in signature.parameters.values()]
    return f"{op_name or ''}({', '.join(parts)}) -> {text(signature.return_annotation)}"


def get_ctx() -> Any:
    raise RuntimeError("torch.library.get_ctx() can only be called while a fake implementation "
                       "runs; flambeau runs none")


def opcheck(op: Any, args: Any, kwargs: Any = None, **options: Any) -> dict[str, str]:
    """Call the operator once; what PyTorch would test besides does not exist here."""
    (_known(op) if isinstance(op, CustomOpDef | str) else op)(*args, **(kwargs or {}))
    return {"test_schema": "SUCCESS"}


__all__ = ["CustomOpDef", "Library", "custom_op", "define", "get_ctx", "impl", "impl_abstract",
           "infer_schema", "opcheck", "register_autocast", "register_autograd", "register_fake",
           "register_kernel", "register_torch_dispatch", "register_vmap", "triton_op",
           "wrap_triton"]
