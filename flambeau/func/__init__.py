"""torch.func: functions of functions."""
from __future__ import annotations

from .._vmap_internals import vmap
from .derivatives import (
    grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp,
)
from .modules import (
    debug_unwrap, functional_call, functionalize, replace_all_batch_norm_modules_,
    stack_module_state,
)

__all__ = ["debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian",
           "jacfwd", "jacrev", "jvp", "linearize", "replace_all_batch_norm_modules_",
           "stack_module_state", "vjp", "vmap"]
