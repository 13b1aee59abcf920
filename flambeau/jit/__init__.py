"""torch.jit: programs here are always plain Python; scripting and tracing hand back what they get.

In: functions, classes, modules. Out: the same objects. flambeau compiles what a program computes in
any case (`graph/`), so there is nothing that TorchScript would add; only its archives cannot be
read or written.
"""
from __future__ import annotations

import contextlib
import typing
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from .._jit_internal import (
    Final, _overload, _overload_method, export, ignore, is_scripting, unused,
)
from ..futures import Future
from ..nn.modules.module import Module
from . import _recursive, annotations
from ._script import (
    CompilationUnit, RecursiveScriptClass, RecursiveScriptModule, ScriptFunction, ScriptModule,
    ScriptWarning,
)

Error = RuntimeError
_ARCHIVES = ("flambeau has no TorchScript archives: {} is not supported; keep the model's class in "
             "Python and use torch.save/torch.load with its state_dict()")

class Attribute(typing.NamedTuple):
    value: Any
    type: Any


class TracerWarning(Warning):
    """Never given: a trace here is the program itself."""

    @staticmethod
    def ignore_lib_warnings() -> None:
        """Nothing to ignore."""


class TracingCheckError(Exception):
    """Never raised: a trace here is the program itself."""


def script(obj: Any, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None,
           example_inputs: Any = None) -> Any:
    """The object itself: a function, a class, or a module."""
    return obj


def script_method(fn: Any) -> Any:
    return fn


def script_if_tracing(fn: Callable[..., Any]) -> Callable[..., Any]:
    return fn


_script_if_tracing = script_if_tracing


def interface(obj: Any) -> Any:
    return obj


def trace(func: Any, example_inputs: Any = None, optimize: Any = None, check_trace: bool = True,
          check_inputs: Any = None, check_tolerance: float = 1e-5, strict: bool = True,
          _force_outplace: bool = False, _module_class: Any = None, _compilation_unit: Any = None,
          example_kwarg_inputs: Any = None, _store_inputs: bool = True) -> Any:
    """`func` itself, after one call on the examples, as tracing would make."""
    if example_kwarg_inputs is not None:
        func(**example_kwarg_inputs)
    elif isinstance(example_inputs, dict):
        func(**example_inputs)
    elif example_inputs is not None:
        given = example_inputs if isinstance(example_inputs, (tuple, list)) else (example_inputs,)
        func(*given)
    return func


def trace_module(mod: Module, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Module:
    """`mod` itself, after a call of each method on its example."""
    if not isinstance(mod, Module):
        raise AttributeError("expected torch.nn.Module as the first argument")
    if not isinstance(inputs, dict):
        raise AttributeError("expected a dictionary of (method_name, input) pairs")
    for name, given in inputs.items():
        given = given if isinstance(given, tuple) else (given,)
        (mod if name == "forward" else getattr(mod, name))(*given)
    return mod


def is_tracing() -> bool:
    """Whether a trace is recorded: never."""
    return False


def freeze(mod: Module, preserved_attrs: Any = None, optimize_numerics: bool = True) -> Module:
    """`mod` itself; it must be in eval mode."""
    if mod.training:
        raise RuntimeError("Freezing is currently only implemented for modules in eval mode. "
                           "Please call .eval() on your module before freezing.")
    return mod


def optimize_for_inference(mod: Module, other_methods: Any = None) -> Module:
    return mod


def run_frozen_optimizations(mod: Module, optimize_numerics: bool = True,
                             preserved_methods: Any = None) -> None:
    """Nothing to do."""


def annotate(the_type: Any, the_value: Any) -> Any:
    """the_value."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:  # noqa: A001
    """isinstance that looks into lists, tuples, dicts and Optional."""
    return _is_a(obj, target_type)


def _is_a(obj: Any, kind: Any) -> bool:
    import builtins

    if builtins.isinstance(kind, tuple):
        return any(_is_a(obj, k) for k in kind)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return builtins.isinstance(obj, type(None) if kind is None else kind)
    if origin in (list, set, frozenset):
        return builtins.isinstance(obj, origin) and all(_is_a(x, parts[0]) for x in obj)
    if origin is dict:
        return builtins.isinstance(obj, dict) and all(
            _is_a(k, parts[0]) and _is_a(v, parts[1]) for k, v in obj.items())
    if origin is tuple:
        if not builtins.isinstance(obj, tuple):
            return False
        if len(parts) == 2 and parts[1] is Ellipsis:
            return all(_is_a(x, parts[0]) for x in obj)
        return len(obj) == len(parts) and all(_is_a(x, p) for x, p in zip(obj, parts))
    return any(_is_a(obj, p) for p in parts)


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
    """func(*args, **kwargs), computed now, as a future."""
    future: Future = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future: Future) -> Any:
    """The value of a future that `fork` gave."""
    return future.wait()


def save(m: Any, f: Any, _extra_files: Any = None) -> NoReturn:
    raise RuntimeError(_ARCHIVES.format("torch.jit.save"))


def load(f: Any, map_location: Any = None, _extra_files: Any = None,
         _restore_shapes: bool = False) -> NoReturn:
    raise RuntimeError(_ARCHIVES.format("torch.jit.load"))


@contextlib.contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    yield


@contextlib.contextmanager
def fuser(name: str) -> Iterator[None]:
    """Accepted; programs are always fused."""
    yield


@contextlib.contextmanager
def strict_fusion() -> Iterator[None]:
    yield


def set_fusion_strategy(strategy: Any) -> Any:
    """Accepted; gives back the strategy, as the one before."""
    return strategy


def enable_onednn_fusion(enabled: bool) -> None:
    """Accepted."""


def onednn_fusion_enabled() -> bool:
    return False


def last_executed_optimized_graph() -> NoReturn:
    raise RuntimeError("flambeau has no TorchScript graphs")


__all__ = [
    "Attribute", "CompilationUnit", "Error", "Final", "Future", "RecursiveScriptClass",
    "RecursiveScriptModule", "ScriptFunction", "ScriptModule", "ScriptWarning", "TracerWarning",
    "TracingCheckError", "_overload", "_overload_method", "_recursive", "annotate", "annotations",
    "enable_onednn_fusion", "export", "fork", "freeze", "fuser", "ignore", "interface",
    "is_scripting", "is_tracing", "isinstance", "load", "onednn_fusion_enabled",
    "optimize_for_inference", "optimized_execution", "run_frozen_optimizations", "save", "script",
    "script_if_tracing", "script_method", "set_fusion_strategy", "strict_fusion", "trace",
    "trace_module", "unused", "wait",
]
