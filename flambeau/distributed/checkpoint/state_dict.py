"""State dicts of models and optimizers: in one process their own."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class StateDictOptions:
    """What a state dict holds; in one process `strict` alone has a meaning."""

    full_state_dict: bool = False
    cpu_offload: bool = False
    ignore_frozen_params: bool = False
    keep_submodule_prefixes: bool = True
    strict: bool = True
    broadcast_from_rank0: bool = False
    flatten_optimizer_state_dict: bool = False
    dsd_fqn_modifiers: str = "_fqn_modifiers"


def get_model_state_dict(model: Any, *, submodules: Any = None,
                         options: StateDictOptions | None = None) -> dict[str, Any]:
    return model.state_dict()


def set_model_state_dict(model: Any, model_state_dict: dict[str, Any], *,
                         options: StateDictOptions | None = None) -> Any:
    return model.load_state_dict(model_state_dict, strict=(options or StateDictOptions()).strict)


def _one(optimizers: Any) -> Any:
    if isinstance(optimizers, (list, tuple)):
        if len(optimizers) != 1:
            raise RuntimeError("flambeau runs in one process: one optimizer at a time")
        return optimizers[0]
    return optimizers


def get_optimizer_state_dict(model: Any, optimizers: Any, *, submodules: Any = None,
                             options: StateDictOptions | None = None) -> dict[str, Any]:
    """The optimizer's state dict with parameters named, not numbered."""
    found = _one(optimizers).state_dict()
    return _rename(found, _names(model, _one(optimizers)))


def set_optimizer_state_dict(model: Any, optimizers: Any, optim_state_dict: dict[str, Any], *,
                             options: StateDictOptions | None = None) -> None:
    optimizer = _one(optimizers)
    back = {name: number for number, name in _names(model, optimizer).items()}
    optimizer.load_state_dict(_rename(optim_state_dict, back))


def _names(model: Any, optimizer: Any) -> dict[Any, Any]:
    by_id = {id(p): name for name, p in model.named_parameters()}
    order = [p for g in optimizer.param_groups for p in g["params"]]
    return {number: by_id[id(p)] for number, p in enumerate(order)}


def _rename(found: dict[str, Any], names: dict[Any, Any]) -> dict[str, Any]:
    return {"state": {names[k]: v for k, v in found["state"].items()},
            "param_groups": [{**g, "params": [names[p] for p in g["params"]]}
                             for g in found["param_groups"]]}


__all__ = ["StateDictOptions", "get_model_state_dict", "get_optimizer_state_dict",
           "set_model_state_dict", "set_optimizer_state_dict"]
