"""Optimizer: parameters in groups, their state, and a step that updates them.

In: parameters with gradients. Out: the same parameters with new values, computed together at the
end of `step`. `RuleOptimizer` runs a rule for one parameter over all of them; the rules are the
other files of this package.
"""
from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any, TypeAlias

from ..autograd.profiler import record_function
from ..core.trace import at, caller
from ..core.watch import WATCHERS
from ..nn.base import Tensor, torch
from ..nn.hooks import RemovableHandle, register
from . import program

Hook = Callable[..., Any]
ParamsT: TypeAlias = Iterable[Any]               # tensors, groups, or pairs with names

_global_optimizer_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
_global_optimizer_post_hooks: OrderedDict[int, Hook] = OrderedDict()

_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks",
          "_optimizer_state_dict_pre_hooks", "_optimizer_state_dict_post_hooks",
          "_optimizer_load_state_dict_pre_hooks", "_optimizer_load_state_dict_post_hooks")


class _RequiredParameter:
    """Stands for an option that has no default."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _RequiredParameter()


def register_optimizer_step_pre_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` before the step of every optimizer."""
    return register(_global_optimizer_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` after the step of every optimizer."""
    return register(_global_optimizer_post_hooks, hook)


def _get_capturable_supported_devices(supports_xla: bool = True) -> list[str]:
    """Devices where a step can be recorded in a graph of the device: none is here."""
    return []


def _to_scalar(x: Any) -> Any:
    """A tensor of one element as one of no dims; a number as it is."""
    return x.squeeze() if isinstance(x, Tensor) and x.dim() != 0 else x


def hooked_step(func: Callable[..., Any]) -> Callable[..., Any]:
    """A class's `step` with the step hooks around it."""
    @functools.wraps(func)
    def step(*args: Any, **kwargs: Any) -> Any:
        self = args[0]
        if WATCHERS:
            with record_function(f"Optimizer.step#{type(self).__name__}.step"):
                return plain(*args, **kwargs)
        return plain(*args, **kwargs)

    def plain(*args: Any, **kwargs: Any) -> Any:
        self = args[0]
        if not (self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks
                or _global_optimizer_pre_hooks or _global_optimizer_post_hooks):
            return func(*args, **kwargs)
        for hook in chain(_global_optimizer_pre_hooks.values(),
                          self._optimizer_step_pre_hooks.values()):
            changed = hook(self, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(f"{func} must return None or a tuple of (new_args, new_kwargs), "
                                   f"but got {changed}.")
            args, kwargs = changed
        out = func(*args, **kwargs)
        for hook in chain(self._optimizer_step_post_hooks.values(),
                          _global_optimizer_post_hooks.values()):
            hook(self, args, kwargs)
        return out

    step.hooked = True  # type: ignore[attr-defined]
    return step


class Optimizer:
    """Base class of all optimizers.

    params    an iterable of tensors, of (name, tensor) pairs, or of dicts with "params" and options
    defaults  the options of groups that do not give their own
    """

    state: defaultdict[Any, Any]
    param_groups: list[dict[str, Any]]
    defaults: dict[str, Any]

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        for name in _HOOKS:
            setattr(self, name, OrderedDict())
        self._patch_step_function()
        if isinstance(params, Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of "
                            "Tensors or dicts, but got " + torch.typename(params))
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if len(groups) == 0:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _patch_step_function(self) -> None:
        cls = type(self)
        if not getattr(cls.step, "hooked", False):
            cls.step = hooked_step(cls.step)  # type: ignore[method-assign]

    # ------------------------------------------------------------ groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize more parameters, with options of their own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError("optimizer parameters need to be organized in ordered collections, but "
                            "the ordering of tensors in sets will change between runs. Please use "
                            "a list instead.")
        self._take_names(param_group, list(params))
        for param in param_group["params"]:
            if not isinstance(param, Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is "
                                + torch.typename(param))
            if not self.defaults.get("differentiable", None) and not (
                    param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError("parameter group didn't specify a value of required optimization "
                                 f"parameter {name}")
            param_group.setdefault(name, default)
        self._check_disjoint(param_group)
        self.param_groups.append(param_group)

    @staticmethod
    def _take_names(param_group: dict[str, Any], params: list[Any]) -> None:
        """Split (name, tensor) pairs into 'params' and 'param_names'."""
        names = [p[0] for p in params if isinstance(p, tuple)]
        param_group["params"] = [p[1] if isinstance(p, tuple) else p for p in params]
        if names:
            if len(names) != len(params):
                raise ValueError("all optimizer params should be with/without names. Some param "
                                 "names are missing")
            param_group["param_names"] = names

    def _check_disjoint(self, param_group: dict[str, Any]) -> None:
        ids = [id(p) for p in param_group["params"]]
        if len(ids) != len(set(ids)):
            warnings.warn("optimizer contains a parameter group with duplicate parameters; in "
                          "future, this will cause an error; see "
                          "github.com/pytorch/pytorch/issues/40967 for more information",
                          stacklevel=4)
        named = "param_names" in param_group
        for group in self.param_groups:
            if named != ("param_names" in group):
                words = "with names" if named else "without names"
                raise ValueError("all optimizer param groups should be with/without names. cannot "
                                 f"add param group {words} to the optimizer")
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        if not taken.isdisjoint(ids):
            raise ValueError("some parameters appear in more than one parameter group")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients of all parameters."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    if p.grad.grad_fn is not None:
                        p.grad.detach_()
                    else:
                        p.grad.requires_grad_(False)
                    p.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters; `closure` computes the loss again and returns it."""
        raise NotImplementedError

    # ------------------------------------------------------------ hooks

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before a step; it may return new ones."""
        return register(self._optimizer_step_pre_hooks, hook)  # type: ignore[attr-defined]

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after a step."""
        return register(self._optimizer_step_post_hooks, hook)  # type: ignore[attr-defined]

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict`."""
        return register(self._hooks("state_dict_pre"), hook, prepend=prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` after `state_dict`; it may return another."""
        return register(self._hooks("state_dict_post"), hook, prepend=prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook,
                                          prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before loading; it may return another."""
        return register(self._hooks("load_state_dict_pre"), hook, prepend=prepend)

    def register_load_state_dict_post_hook(self, hook: Hook,
                                           prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` after loading."""
        return register(self._hooks("load_state_dict_post"), hook, prepend=prepend)

    def _hooks(self, when: str) -> Any:
        return getattr(self, f"_optimizer_{when}_hooks")

    # ------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """{'state': by number of parameter, 'param_groups': options and parameter numbers}."""
        for hook in self._hooks("state_dict_pre").values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            for i, p in enumerate(group["params"], start):
                numbers.setdefault(id(p), i)
            packed = {k: v for k, v in group.items() if k != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
            start += len(packed["params"])
        state = {numbers[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._hooks("state_dict_post").values():
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state and options that `state_dict` gave."""
        state_dict = state_dict.copy()
        for hook in self._hooks("load_state_dict_pre").values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups = self.param_groups
        saved = deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved)):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the "
                             "size of optimizer's group")
        params = {number: (p, s) for g, s in zip(groups, saved)
                  for p, number in zip(g["params"], s["params"])}
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in params:
                param, group = params[key]
                state[param] = _cast(param, value, group)
            else:
                state[key] = value
        for group, new in zip(groups, saved):
            new["params"] = group["params"]
            if "param_names" in group and "param_names" not in new:
                new["param_names"] = group["param_names"]
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._hooks("load_state_dict_post").values():
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in _HOOKS:
            if name not in self.__dict__:
                setattr(self, name, OrderedDict())
        self._patch_step_function()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines.append(f"\nParameter Group {i}\n")
            lines += [f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params"]
        return f"{type(self).__name__} ({''.join(lines)})"


def _cast(param: Any, value: Any, group: dict[str, Any], key: Any = None) -> Any:
    """Loaded state in the dtype and on the device of its parameter; steps stay as they are."""
    if isinstance(value, Tensor):
        if key == "step":
            if group.get("capturable") or group.get("fused"):
                return value.to(dtype=torch.float32, device=param.device)
            return value
        if param.is_floating_point():
            return value.to(dtype=param.dtype, device=param.device)
        return value.to(device=param.device)
    if isinstance(value, dict):
        return {k: _cast(param, v, group, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return type(value)(_cast(param, v, group) for v in value)  # type: ignore[call-arg]
    return value


# ---------------------------------------------------------------- rules for one parameter


def check_at_least_zero(value: Any, what: str) -> None:
    """ValueError in PyTorch's words for a negative option."""
    if not value >= 0.0:
        raise ValueError(f"Invalid {what}: {value}")


def check_lr(lr: Any) -> None:
    """A learning rate is at least 0, and one element if it is a tensor."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_at_least_zero(lr, "learning rate")


def check_betas(betas: Any) -> None:
    """Both factors are in [0, 1)."""
    for i in (0, 1):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")


def new_step(value: float = 0.0) -> Any:
    """The count of steps as PyTorch keeps it: a float32 tensor without dims."""
    return torch.tensor(value, dtype=torch.float32)


class RuleOptimizer(Optimizer):
    """Updates parameters one by one by `_update`; all new values are computed together.

    options  defaults that groups loaded from an older version are given
    """

    _group_options: dict[str, Any] = {"maximize": False, "foreach": None, "differentiable": False,
                                      "capturable": False}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self._group_options.items():
                if name in self.defaults:
                    group.setdefault(name, value)
            for p in group["params"]:
                own = self.state.get(p)
                if own and "step" in own and not isinstance(own["step"], Tensor):
                    own["step"] = new_step(float(own["step"]))

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Fill the state of a parameter before its first update."""
        raise NotImplementedError

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Give one parameter and its state their new values, in place.

        `p`, `grad` and the state's tensors are real: complex ones come as views of their parts.
        """
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; returns the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.set_grad_enabled(bool(self.defaults.get("differentiable"))), at(caller()):
            for group in self.param_groups:
                self._step_group(group)
        if not self.defaults.get("differentiable"):
            program.run(self.param_groups, self.state)
        return loss

    def _step_group(self, group: dict[str, Any]) -> None:
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            self._check_grad(p, grad)
            state = self.state[p]
            if not state:
                self._init_state(p, group, state)
                program.settle(state)
            if group.get("maximize"):
                grad = -grad
            if p.is_complex():
                self._update_complex(p, grad, group, state)
            else:
                self._update(p, grad, group, state)

    def _check_grad(self, p: Any, grad: Any) -> None:
        if grad.is_sparse:
            raise RuntimeError(f"{type(self).__name__} does not support sparse gradients")

    def _update_complex(self, p: Any, grad: Any, group: dict[str, Any],
                        state: dict[str, Any]) -> None:
        """The rule on the real and imaginary parts."""
        parts = {k: torch.view_as_real(v) if isinstance(v, Tensor) and v.is_complex() else v
                 for k, v in state.items()}
        self._update(torch.view_as_real(p), torch.view_as_real(grad), group, parts)
        for key, value in parts.items():
            if key not in state:                # made by this update
                state[key] = torch.view_as_complex(value.contiguous())
            elif not isinstance(value, Tensor):
                state[key] = value


def decayed(p: Any, grad: Any, group: dict[str, Any]) -> Any:
    """The gradient with weight decay: grad + weight_decay * p."""
    weight_decay = group["weight_decay"]
    return grad if _is_zero(weight_decay) else grad.add(p, alpha=weight_decay)


def _is_zero(x: Any) -> bool:
    return not isinstance(x, Tensor) and x == 0


def advance(state: dict[str, Any]) -> float:
    """Count one more step; returns the count."""
    return program.advance(state["step"])
