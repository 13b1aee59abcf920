"""Settings of PyTorch's compiler: noted, and without effect here."""
from __future__ import annotations

from typing import Any

from ..core.patching import patcher

accumulated_cache_size_limit = 256
accumulated_recompile_limit = 256
allow_rnn = False
assume_static_by_default = True
automatic_dynamic_shapes = True
cache_size_limit = 8
capture_dynamic_output_shape_ops = False
capture_scalar_outputs = False
compiled_autograd = False
dynamic_shapes = True
enable_compiler_collectives = False
error_on_recompile = False
fail_on_recompile_limit_hit = False
force_parameter_static_shapes = True
guard_nn_modules = True
inline_inbuilt_nn_modules = True
log_level: Any = None
optimize_ddp: Any = True
recompile_limit = 8
skip_fwd_side_effects_in_bwd_under_checkpoint = False
specialize_float = False
specialize_int = False
suppress_errors = False
traceable_tensor_subclasses: set[Any] = set()
verbose = False

patch = patcher(globals())
