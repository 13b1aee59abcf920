"""torch.compiler: `compile` records a function's calls and replays them (see `replay`).

In: functions, modules, options. Out: functions and modules that do the same, in PyTorch's wrappers.
Backends, modes and options are accepted; flambeau's own compiler is the one that runs.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from . import _dynamo
from ._dynamo import eval_frame
from .autograd.grad_mode import Decorator
from .replay import replayed
from .tensor.tensor import Tensor

_MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs", "lite")
_backend = "inductor"


def compile(model: Any = None, *, fullgraph: bool = False, dynamic: bool | None = None,  # noqa: A001
            backend: Any = "inductor", mode: str | None = None,
            options: dict[str, Any] | None = None, disable: bool = False,
            **kwargs: Any) -> Any:
    """`torch.compile`: the model or function, in PyTorch's wrapper; a decorator without one."""
    if model is None:
        def decorate(fn: Any) -> Any:
            if fn is None:
                raise RuntimeError("Model can't be None")
            return compile(fn, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode,
                           options=options, disable=disable, **kwargs)

        return decorate
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified "
                           "at the same time.")
    if mode is not None and mode not in _MODES and backend == "inductor":
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    return model if disable else eval_frame.optimize(model)


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    return _dynamo.disable(fn)


def reset() -> None:
    _dynamo.reset()


def allow_in_graph(fn: Any) -> Any:
    return fn


def assume_constant_result(fn: Any) -> Any:
    return fn


def nested_compile_region(fn: Any = None, options: Any = None, **kwargs: Any) -> Any:
    return _dynamo.disable(fn)


def substitute_in_graph(original_fn: Any, *, can_constant_fold_through: bool = False,
                        skip_signature_check: bool = False, **kwargs: Any) -> Callable[..., Any]:
    """A decorator that gives the substitute back: nothing is traced."""
    return lambda fn: fn


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    return _dynamo.list_backends(exclude_tags)


def get_default_backend() -> Any:
    return _backend


def set_default_backend(backend: Any) -> None:
    """Noted; flambeau's own compiler runs."""
    global _backend
    _backend = backend


def cudagraph_mark_step_begin() -> None:
    """There are no CUDA graphs."""


def is_compiling() -> bool:
    """Whether a program is traced at this moment: never."""
    return False


def is_dynamo_compiling() -> bool:
    return False


def is_exporting() -> bool:
    return False


class set_stance(Decorator):  # noqa: N801
    """What compiled functions do from now on, or in a `with` block, or in a function:

    default               record and replay
    force_eager           run the function itself
    eager_on_recompile    replay what was recorded, else run the function itself
    fail_on_recompile     replay what was recorded, else a RuntimeError
    """

    def __init__(self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False,
                 force_backend: Any = None) -> None:
        if stance not in replayed.STANCES:
            raise RuntimeError(f"invalid torch.compile stance '{stance}'")
        self.stance = stance
        self.before = replayed.set_stance(stance)

    def __call__(self, fn: Any) -> Any:
        replayed.set_stance(self.before)
        return super().__call__(fn)

    def __enter__(self) -> None:
        replayed.set_stance(self.stance)

    def __exit__(self, *_: Any) -> None:
        replayed.set_stance(self.before)

    def clone(self) -> set_stance:
        return self.__class__(self.stance)


def set_enable_guard_collectives(enabled: bool) -> bool:
    return False


def wrap_numpy(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function that takes and gives tensors."""
    import functools

    import numpy as np

    from .core.pytree import tree_map
    from .tensor.creation import from_numpy

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = tree_map(lambda x: x.numpy() if isinstance(x, Tensor) else x,
                                (args, kwargs))
        return tree_map(lambda x: from_numpy(x) if isinstance(x, np.ndarray) else x,
                        fn(*args, **kwargs))

    return call


def save_cache_artifacts() -> None:
    """None: the disk cache needs no saving."""


def load_cache_artifacts(serialized_artifacts: bytes) -> None:
    """None: the disk cache needs no loading."""


def load_compiled_function(file: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError("flambeau cannot read functions that PyTorch compiled")


def _all_kept(guard_entries: list[Any]) -> list[bool]:
    """No guard is dropped: there are none."""
    return [True] * len(guard_entries)


keep_portable_guards_unsafe = keep_tensor_guards_unsafe = _all_kept
skip_all_guards_unsafe = skip_guard_on_all_nn_modules_unsafe = _all_kept
skip_guard_on_globals_unsafe = skip_guard_on_inbuilt_nn_modules_unsafe = _all_kept

__all__ = ["allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin",
           "disable", "get_default_backend", "is_compiling", "is_dynamo_compiling",
           "is_exporting", "keep_portable_guards_unsafe", "keep_tensor_guards_unsafe",
           "list_backends", "load_cache_artifacts", "load_compiled_function",
           "nested_compile_region", "reset", "save_cache_artifacts", "set_default_backend",
           "set_enable_guard_collectives", "set_stance", "skip_all_guards_unsafe",
           "skip_guard_on_all_nn_modules_unsafe", "skip_guard_on_globals_unsafe",
           "skip_guard_on_inbuilt_nn_modules_unsafe", "substitute_in_graph", "wrap_numpy"]
