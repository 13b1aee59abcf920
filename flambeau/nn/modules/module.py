"""Module: the base class of every layer.

In: attributes that a subclass assigns. Out: an object that knows its parameters, buffers and
submodules by name, and runs `forward` when called. What Module does with them stands in the mixins:
`module_hooks` (functions around calls), `module_state` (saving and loading), `module_tree` (walks
and conversions).
"""
from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..base import Tensor, torch
from ..parameter import Buffer, Parameter
from .blame import say_module
from .module_hooks import (
    HookMethods,
    WrappedHook,
    buffer_registration_hooks,
    call_with_hooks,
    global_backward_hooks,
    global_backward_pre_hooks,
    global_forward_hooks,
    global_forward_pre_hooks,
    has_any_global_hook,
    module_registration_hooks,
    parameter_registration_hooks,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from .module_state import StateMethods, _IncompatibleKeys  # noqa: F401  (programs look here)
from .module_tree import TreeMethods

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

# The names by which libraries reach these in torch.nn.modules.module.
_has_any_global_hook = has_any_global_hook
_global_forward_hooks = global_forward_hooks
_global_forward_pre_hooks = global_forward_pre_hooks
_global_backward_hooks = global_backward_hooks
_global_backward_pre_hooks = global_backward_pre_hooks
_WrappedHook = WrappedHook
_EXTRA_STATE_KEY_SUFFIX = "_extra_state"

_ORDERED = ("_backward_pre_hooks", "_backward_hooks", "_is_full_backward_hook", "_forward_hooks",
            "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks",
            "_forward_pre_hooks_with_kwargs", "_state_dict_hooks", "_state_dict_pre_hooks",
            "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")


def _forward_unimplemented(self: Any, *input: Any) -> None:
    """Compute the result of a call; every subclass defines it."""
    raise NotImplementedError(
        f'Module [{type(self).__name__}] is missing the required "forward" function')


def typename(value: Any) -> str:
    """How PyTorch names a value's type in messages: 'torch.FloatTensor', 'int'."""
    return str(torch.typename(value))


class Module(HookMethods, StateMethods, TreeMethods):
    """Base class of all neural network modules.

    A subclass calls `super().__init__()` and then assigns Parameters, Modules and Buffers as
    attributes; each is kept in its own registry, so that `parameters()`, `state_dict()`, `to()`
    and the like find it.
    """

    dump_patches: bool = False
    _version: int = 1
    training: bool
    call_super_init: bool = False
    _compiled_call_impl: Callable[..., Any] | None = None
    T_destination = Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            name = f"{type(self).__name__}.__init__()"
            if kwargs:
                raise TypeError(f"{name} got an unexpected keyword argument '{next(iter(kwargs))}'")
            if args:
                raise TypeError(f"{name} takes 1 positional argument but {len(args) + 1} were "
                                "given")
        # Straight to object.__setattr__: our own looks into registries that are made here.
        assign = super().__setattr__
        assign("training", True)
        assign("_parameters", {})
        assign("_buffers", {})
        assign("_non_persistent_buffers_set", set())
        for key in _ORDERED:
            assign(key, None if key == "_is_full_backward_hook" else OrderedDict())
        assign("_modules", {})
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    forward: Callable[..., Any] = _forward_unimplemented

    # ------------------------------------------------------------ the call

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        if (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks
                or self._backward_pre_hooks or global_forward_hooks or global_forward_pre_hooks
                or global_backward_hooks or global_backward_pre_hooks):
            try:
                return call_with_hooks(self, args, kwargs)
            except Exception as error:
                say_module(error, self)
                raise
        return self.forward(*args, **kwargs)

    def _wrapped_call_impl(self, *args: Any, **kwargs: Any) -> Any:
        if self._compiled_call_impl is not None:
            return self._compiled_call_impl(*args, **kwargs)
        if (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks
                or self._backward_pre_hooks or global_forward_hooks or global_forward_pre_hooks
                or global_backward_hooks or global_backward_pre_hooks):
            return self._call_impl(*args, **kwargs)
        try:
            return self.forward(*args, **kwargs)
        except Exception as error:
            say_module(error, self)
            raise

    __call__: Callable[..., Any] = _wrapped_call_impl

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Run calls of this module through torch.compile from now on."""
        self._compiled_call_impl = torch.compile(self._call_impl, *args, **kwargs)

    # ------------------------------------------------------------ registration

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Hold a tensor that is state but no parameter; in `state_dict` if `persistent`."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not _is_tensor_like(tensor):
            raise TypeError(f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                            "(torch Tensor or None required)")
        for hook in buffer_registration_hooks.values():
            changed = hook(self, name, tensor)
            tensor = tensor if changed is None else changed
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Any) -> None:
        """Hold a Parameter (or None) under a name."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is None:
            self._parameters[name] = None
            return
        if not isinstance(param, Parameter):
            raise TypeError(f"cannot assign '{typename(param)}' object to parameter '{name}' "
                            "(torch.nn.Parameter or None required)")
        if param.grad_fn:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, "
                "compute the value in the forward() method.")
        for hook in parameter_registration_hooks.values():
            changed = hook(self, name, param)
            param = param if changed is None else changed
        self._parameters[name] = param

    def add_module(self, name: str, module: Any) -> None:
        """Hold a submodule (or None) under a name."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {typename(name)}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = self._run_module_hooks(name, module)

    def register_module(self, name: str, module: Any) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: Any, registry: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in registry:
            raise KeyError(f"attribute '{name}' already exists")

    def _run_module_hooks(self, name: str, module: Any) -> Any:
        for hook in module_registration_hooks.values():
            changed = hook(self, name, module)
            module = module if changed is None else changed
        return module

    # ------------------------------------------------------------ attributes

    def __getattr__(self, name: str) -> Any:
        # Reached only when the instance's own dict and the class have no such name.
        # Written out: every layer's forward comes here for its weight and bias.
        state = self.__dict__
        if "_parameters" in state:
            found = state["_parameters"]
            if name in found:
                return found[name]
        if "_buffers" in state:
            found = state["_buffers"]
            if name in found:
                return found[name]
        if "_modules" in state:
            found = state["_modules"]
            if name in found:
                return found[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        state = self.__dict__
        params = state.get("_parameters")
        if isinstance(value, Parameter):
            if params is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif params is not None and name in params:
            if value is not None:
                raise TypeError(f"cannot assign '{typename(value)}' as parameter '{name}' "
                                "(torch.nn.Parameter or None expected)")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            modules = state.get("_modules")
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_parameters", "_buffers")
            modules[name] = self._run_module_hooks(name, value)
        elif name in state.get("_modules", ()):
            if value is not None:
                raise TypeError(f"cannot assign '{typename(value)}' as child module '{name}' "
                                "(torch.nn.Module or None expected)")
            self._modules[name] = self._run_module_hooks(name, value)
        elif isinstance(value, Buffer) or name in state.get("_buffers", ()):
            self._set_buffer(name, value)
        else:
            super().__setattr__(name, value)

    def _forget(self, name: str, *registries: str) -> None:
        """Take `name` out of __dict__ and the given registries: it gets a new role."""
        self.__dict__.pop(name, None)
        for registry in registries:
            self.__dict__[registry].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _set_buffer(self, name: str, value: Any) -> None:
        if value is not None and not _is_tensor_like(value):
            raise TypeError(f"cannot assign '{typename(value)}' as buffer '{name}' "
                            "(torch.nn.Buffer, torch.Tensor or None expected)")
        if isinstance(value, Buffer):
            persistent = value.persistent
        else:
            persistent = name not in self._non_persistent_buffers_set
        # A subclass may have a register_buffer from the time before `persistent`.
        own = getattr(self.register_buffer, "__func__", None) is Module.register_buffer
        if own or "persistent" in inspect.signature(self.register_buffer).parameters:
            self.register_buffer(name, value, persistent)
        elif persistent:
            self.register_buffer(name, value)
        else:
            raise RuntimeError("Registering a non-persistent buffer on a Module subclass that "
                               "implements register_buffer() without the persistent argument is "
                               "not allowed.")

    def __delattr__(self, name: str) -> None:
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = dir(type(self)) + list(self.__dict__) + list(self._parameters)
        names += [*self._modules, *self._buffers]
        return sorted(name for name in names if not name[0].isdigit())

    # ------------------------------------------------------------ copying

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a pickled state; registries that an older version did not have become empty."""
        self.__dict__.update(state)
        for key in _ORDERED:
            if key not in self.__dict__:
                self.__dict__[key] = None if key == "_is_full_backward_hook" else OrderedDict()
        self.__dict__.setdefault("_non_persistent_buffers_set", set())

    def _replicate_for_data_parallel(self) -> Any:
        replica = self.__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        replica._is_replica = True
        return replica

    # ------------------------------------------------------------ printing

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What a subclass wants printed between the brackets."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        extra_lines = extra.split("\n") if extra else []
        lines = [f"({name}): {_indented(repr(module))}" for name, module in self._modules.items()]
        if len(extra_lines) == 1 and not lines:
            return f"{self._get_name()}({extra_lines[0]})"
        if not extra_lines and not lines:
            return f"{self._get_name()}()"
        return f"{self._get_name()}(\n  " + "\n  ".join(extra_lines + lines) + "\n)"


def _indented(text: str) -> str:
    """Every line but the first two spaces to the right."""
    return text.replace("\n", "\n  ")


def _addindent(text: str, count: int) -> str:
    """`text` with every line but the first moved right; containers of libraries use it."""
    return text.replace("\n", "\n" + " " * count)


def _is_tensor_like(value: Any) -> bool:
    return isinstance(value, Tensor) or hasattr(value, "__torch_function__")


