"""`torch.func` for modules: calls with other parameters, ensembles."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..nn.modules.batchnorm import _BatchNorm
from ..nn.utils.stateless import _functional_call
from ..tensor.names import PUBLIC


def functional_call(module: Any, parameter_and_buffer_dicts: Any, args: Any = None,
                    kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True,
                    strict: bool = False) -> Any:
    """module(*args, **kwargs) with the tensors of a dict (or of several) in place of its own."""
    given = parameter_and_buffer_dicts
    if not isinstance(given, dict):
        if not isinstance(given, Sequence) or not all(isinstance(d, dict) for d in given):
            raise ValueError("Expected parameter_and_buffer_dicts to be a dict, or a list/tuple "
                             f"of dicts, but got {type(given)}")
        keys = [k for d in given for k in d]
        repeated = {k for k in keys if keys.count(k) > 1}
        if repeated:
            raise ValueError(f"{sorted(repeated)} appeared in multiple dictionaries; behavior of "
                             "functional call is ambiguous")
        given = {k: v for d in given for k, v in d.items()}
    return _functional_call(module, given, args, kwargs, tie_weights=tie_weights, strict=strict)


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of models of one class, stacked along a new first dim."""
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same "
                           "training/eval mode.")
    if any(type(m) is not type(models[0]) for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    stack = PUBLIC["torch"]["stack"]
    found = []
    for kind in ("named_parameters", "named_buffers"):
        dicts = [dict(getattr(m, kind)()) for m in models]
        made = {}
        for name, first in dicts[0].items():
            if any(d[name].requires_grad != first.requires_grad for d in dicts):
                raise RuntimeError(f"Expected {name} to have the same requires_grad in all models")
            one = stack([d[name].detach() for d in dicts])
            made[name] = one.requires_grad_(first.requires_grad)
        found.append(made)
    return found[0], found[1]


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Let every batch norm of a module use the batch's statistics only."""
    for module in [root, *root.modules()]:
        if isinstance(module, _BatchNorm):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """The tensor itself: nothing wraps tensors here."""
    return tensor


def functionalize(func: Any, *, remove: str = "mutations") -> Any:
    """The function itself: recording removes mutations in any case."""
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError("functionalize(f, remove='mutations'): received invalid argument for "
                           f"remove={remove}.")
    return func
