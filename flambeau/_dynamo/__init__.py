"""torch._dynamo: what programs say to PyTorch's compiler.

Programs are recorded lazily and compiled in any case (`graph/realize`), and `torch.compile` replays
calls (`replay`); so most of these functions hand back what they get, and settings are noted.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from .. import replay
from . import config, eval_frame, exc
from .eval_frame import OptimizedModule, is_dynamo_supported


def _same(fn: Any = None, *args: Any, **kwargs: Any) -> Any:
    """The function itself; called without one, a decorator that gives it back."""
    return (lambda f: f) if fn is None else fn


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None,
            wrapping: bool = True) -> Any:
    return _same(fn)


def allow_in_graph(fn: Any) -> Any:
    return fn


def disallow_in_graph(fn: Any) -> Any:
    return fn


def forbid_in_graph(fn: Any) -> Any:
    return fn


def assume_constant_result(fn: Any) -> Any:
    return fn


def nonstrict_trace(traceable_fn: Any) -> Any:
    return traceable_fn


def run(fn: Any = None) -> Any:
    return _same(fn)


def skip(fn: Any = None) -> Any:
    return _same(fn)


def graph_break(msg: str = "") -> None:
    """Nothing to break."""


def mark_dynamic(t: Any, index: Any, **kwargs: Any) -> None:
    """Sizes are found out by themselves."""


def maybe_mark_dynamic(t: Any, index: Any) -> None:
    """Sizes are found out by themselves."""


def mark_static(t: Any, index: Any = None) -> None:
    """Sizes are found out by themselves."""


def mark_static_address(t: Any, guard: bool = True) -> None:
    """Addresses are inputs of every program."""


def decorate_unbacked(*args: Any, **kwargs: Any) -> None:
    """Sizes are numbers."""


def is_compiling() -> bool:
    """Whether a program is traced at this moment: never."""
    return False


def reset() -> None:
    """Forget what was recorded of compiled functions."""
    replay.reset()


def reset_code_caches() -> None:
    """Forget what was recorded of compiled functions."""
    replay.reset()


def list_backends(exclude_tags: Any = ()) -> list[str]:
    return ["inductor", "eager"]


def lookup_backend(compiler_fn: Any) -> Any:
    return compiler_fn


def register_backend(compiler_fn: Any = None, name: str | None = None, tags: Any = ()) -> Any:
    """Accepted; flambeau's own compiler is always the one."""
    return _same(compiler_fn)


def optimize(backend: Any = "inductor", **kwargs: Any) -> Callable[[Any], Any]:
    """torch.compile as a decorator."""
    return eval_frame.optimize


def export(f: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError("flambeau does not export graphs; torch.fx.symbolic_trace traces one")


def explain(f: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError("flambeau has no graph breaks to explain; flambeau.replay.explain "
                              "says which calls of a compiled function were not replayed, and why")


__all__ = ["OptimizedModule", "allow_in_graph", "assume_constant_result", "config", "disable",
           "disallow_in_graph", "eval_frame", "exc", "explain", "export", "forbid_in_graph",
           "graph_break", "is_compiling", "is_dynamo_supported", "list_backends",
           "lookup_backend", "mark_dynamic", "mark_static", "mark_static_address",
           "maybe_mark_dynamic", "nonstrict_trace", "optimize", "register_backend", "reset", "run"]
