"""Calling a module with other parameters and buffers than its own."""
from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["functional_call"]


def _tied(module: Any, given: dict[str, Any]) -> dict[str, Any]:
    """`given` with every value also under the other names of the tensor it replaces."""
    names: dict[int, list[str]] = {}
    for name, tensor in [*module.named_parameters(remove_duplicate=False),
                         *module.named_buffers(remove_duplicate=False)]:
        names.setdefault(id(tensor), []).append(name)
    out = dict(given)
    for group in names.values():
        found = [name for name in group if name in given]
        if len({id(given[name]) for name in found}) > 1:
            raise ValueError(f"functional_call got multiple values for keys {sorted(found)}, "
                             "which are tied. Consider using tie_weights=False")
        for name in group if found else ():
            out[name] = given[found[0]]
    return out


def _check_names(module: Any, given: dict[str, Any]) -> None:
    own = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    own |= {name for name, _ in module.named_buffers(remove_duplicate=False)}
    errors = []
    unexpected = [name for name in given if name not in own]
    missing = [name for name in sorted(own) if name not in given]
    if unexpected:
        errors.append(f"Unexpected key(s): {', '.join(map(repr, unexpected))}.")
    if missing:
        errors.append(f"Missing key(s): {', '.join(map(repr, missing))}.")
    if errors:
        lines = "\n\t".join(errors)
        raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t{lines}")


def _swap(module: Any, name: str, value: Any) -> Any:
    """Put a tensor into the registry that holds `name`; returns what was there."""
    path, _, leaf = name.rpartition(".")
    owner = module.get_submodule(path)
    for registry in (owner._parameters, owner._buffers):
        if leaf in registry:
            old = registry[leaf]
            registry[leaf] = value
            return old
    if not hasattr(owner, leaf):
        raise AttributeError(f"{owner._get_name()} has no attribute `{leaf}`")
    old = getattr(owner, leaf)
    object.__setattr__(owner, leaf, value)
    return old


@contextmanager
def _reparametrize_module(module: Any, parameters_and_buffers: dict[str, Any],
                          tie_weights: bool = False, strict: bool = False,
                          stack_weights: bool = False) -> Iterator[None]:
    """Inside, the module has the given tensors; afterwards its own, and the dict what it had."""
    given = parameters_and_buffers
    if tie_weights:
        given = _tied(module, given)
    if strict:
        _check_names(module, given)
    own: dict[str, Any] = {}
    try:
        for name, value in given.items():
            own[name] = _swap(module, name, value)
        yield
    finally:
        for name in reversed(list(own)):
            changed = _swap(module, name, own[name])
            if name in parameters_and_buffers:  # a forward may have replaced a buffer
                parameters_and_buffers[name] = changed


def _functional_call(module: Any, parameters_and_buffers: dict[str, Any], args: Any = None,
                     kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True,
                     strict: bool = False) -> Any:
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def functional_call(module: Any, parameters_and_buffers: dict[str, Any], args: Any = None,
                    kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True,
                    strict: bool = False) -> Any:
    """The deprecated name of torch.func.functional_call."""
    warnings.warn("`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and "
                  "will be removed in a future version of PyTorch. Please use "
                  "`torch.func.functional_call` instead which is a drop-in replacement.",
                  FutureWarning, stacklevel=2)
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights,
                            strict=strict)
