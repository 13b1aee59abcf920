"""Collects the `torch.*` names from the packages; `__init__` re-exports them.

In: the packages. Out: this module's names, `SPACES` (namespaces made from the table) and `LAZY`
(submodules imported when first asked for) and `LATE` (functions in them).
"""
from __future__ import annotations

from typing import Any

from . import autograd
from .core import dtype as _dt
from .core.device import device
from .core.dtype import dtype, promote_types
from .core.absent import refusing_class as _refusing_class
from .core.errors import AcceleratorError, OutOfMemoryError
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .autograd.grad_mode import (
    enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad,
    set_grad_enabled,
)
from .runtime.threads import get_num_threads, set_num_threads
from .tensor import names as _names
from .tensor import override as _override
from .tensor.tensor import Tensor
from .tensor import attributes as _attributes  # noqa: F401  (puts methods on Tensor)
from .tensor import conversion as _conversion  # noqa: F401
from .tensor import indexing as _indexing  # noqa: F401
from .tensor import history as _history  # noqa: F401
from .tensor import questions as _questions
from .tensor.constructors import Variable as _Variable
from .tensor.constructors import legacy_type
from .tensor.constants import (
    channels_last, channels_last_3d, contiguous_format, layout, memory_format, preserve_format,
    sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided,
)
from .tensor.creation import (
    as_tensor, asarray, empty, empty_like, empty_permuted, empty_strided, from_numpy, frombuffer,
    full, full_like, get_default_dtype, is_tensor, numel, ones, ones_like, scalar_tensor,
    set_default_dtype, tensor, zeros, zeros_like,
)
from .tensor import elementary as _elementary
from .tensor.elementary import from_dlpack, to_dlpack
from .tensor.dropout import (
    alpha_dropout, dropout, feature_alpha_dropout, feature_dropout,
)
from .tensor.functions import *  # noqa: F403
from .tensor.generator import (
    Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state,
)
from .tensor.random import (
    bernoulli, binomial, multinomial, normal, poisson, rand, rand_like, randint, randint_like,
    randn, randn_like, randperm,
)
from ._vmap_internals import vmap
from .amp import GradScaler, autocast
from .tensor import rebuild as _rebuild  # noqa: F401  (makes tensors pickle)
from .tensor.sequences import arange, eye, linspace, logspace, tril_indices, triu_indices
from .tensor.sequences import range_ as range  # noqa: A004
from .tensor.autocast import *  # noqa: F403
from .tensor.size import Size
from .tensor.storages import TypedStorage, UntypedStorage, is_storage
from .tensor.storages import CLASSES as _storages
from .tensor.windows import (
    bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window,
)

_names.load()
_names.attach()
_override.attach()
_elementary.attach()
from ._foreach import FUNCTIONS as _foreach  # noqa: E402  (needs the table)
from ._ops import classes, ops  # noqa: E402,F401
from ._sym import *  # noqa: E402,F403
from ._sym import (  # noqa: E402,F401
    SymBool, SymFloat, SymInt, _assert, _assert_async, _check, _check_index, _check_is_size,
    _check_not_implemented, _check_tensor_all, _check_tensor_all_with, _check_type, _check_value,
    _check_with,
)
autograd.Variable = _Variable  # type: ignore[attr-defined]
_questions.install(_names.PUBLIC["torch"]["stack"])

from .tensor import conjugates as _conjugates  # noqa: E402,F401  (needs the table)
from .tensor import gradients as _gradients  # noqa: E402,F401  (needs the table)

LAZY: dict[str, str] = {name: name for name in (
    "nn", "optim", "utils", "special", "linalg", "fft", "functional", "distributions", "testing",
    "amp", "random", "cuda", "backends", "jit", "fx", "func", "types", "serialization",
    "multiprocessing", "distributed", "hub", "onnx", "profiler", "sparse", "version", "library",
    "compiler", "overrides", "cpu", "mps", "masked", "signal", "export", "futures", "package",
    "storage", "return_types", "torch_version", "quantization", "ao", "nested", "xpu",
    "accelerator", "monitor", "__config__", "__future__", "_C", "_utils", "_tensor",
    "_custom_ops", "_dynamo", "_jit_internal", "_ops", "_tensor_str", "compat", "_VF",
    "_lowrank", "quasirandom", "_subclasses",
    "debug",
)}
# Functions that are imported when first asked for, and where from.
LATE: dict[str, str] = {"load": "serialization", "save": "serialization", "as_torch": "compat",
                        "PyTorchFileReader": "_C", "PyTorchFileWriter": "_C",
                        "compile": "compiler", "explain": "debug",
                        "Future": "futures", "ScriptModule": "jit"}
LATE |= dict.fromkeys((
    "affine_grid_generator", "batch_norm", "binary_cross_entropy_with_logits", "cond", "conv_tbc",
    "ctc_loss", "gru", "gru_cell", "instance_norm", "is_distributed", "kl_div", "lstm", "lstm_cell",
    "poisson_nll_loss", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell", "rrelu", "rrelu_",
), "_VF") | dict.fromkeys(("lobpcg", "pca_lowrank", "svd_lowrank"), "_lowrank")
SPACES: dict[str, Any] = {"autograd": autograd}

bool = _dt.bool_  # noqa: A001
float = float32 = _dt.float32  # noqa: A001
double = float64 = _dt.float64
half = float16 = _dt.float16
bfloat16 = _dt.bfloat16
int = int32 = _dt.int32  # noqa: A001
long = int64 = _dt.int64
short = int16 = _dt.int16
int8 = _dt.int8
uint8 = _dt.uint8
uint16, uint32, uint64 = _dt.uint16, _dt.uint32, _dt.uint64
float8_e4m3fn, float8_e5m2, float8_e8m0fnu, float8_e4m3fnuz, float8_e5m2fnuz = (
    _dt.float8_e4m3fn, _dt.float8_e5m2, _dt.float8_e8m0fnu, _dt.float8_e4m3fnuz,
    _dt.float8_e5m2fnuz)
cfloat = complex64 = _dt.complex64
chalf = complex32 = _dt.complex32
cdouble = complex128 = _dt.complex128

for _kind, _name in ((_dt.float32, "Float"), (_dt.float64, "Double"), (_dt.float16, "Half"),
                     (_dt.bfloat16, "BFloat16"), (_dt.int64, "Long"), (_dt.int32, "Int"),
                     (_dt.int16, "Short"), (_dt.int8, "Char"), (_dt.uint8, "Byte"),
                     (_dt.bool_, "Bool")):
    globals()[f"{_name}Tensor"] = legacy_type(f"{_name}Tensor", _kind)

_NO_STREAMS = RuntimeError("flambeau runs on the CPU alone, which has no streams")
Stream = _refusing_class("Stream", "torch", _NO_STREAMS)
Event = _refusing_class("Event", "torch", _NO_STREAMS)
TensorType = _refusing_class("TensorType", "torch", RuntimeError("there is no TorchScript"))
DeviceObjType = _refusing_class("DeviceObjType", "torch", RuntimeError("there is no TorchScript"))
legacy_contiguous_format = contiguous_format

globals().update(_storages)
globals().update(_foreach)
for _name, _fn in _names.PUBLIC["torch"].items():
    globals().setdefault(_name, _fn)

from .tensor import printing as _printing  # noqa: E402
from .tensor.printing import set_printoptions  # noqa: E402

_PRIVATE = frozenset({"_assert", "_assert_async", *(n for n in globals() if n.startswith(
    ("_foreach_", "_check", "_amp_foreach_")))})
__all__ = [n for n in globals() if (not n.startswith("_") or n in _PRIVATE)
           and n not in ("annotations", "Any")]


def __getattr__(name: str) -> Any:
    """Layers look names up here; submodules are imported when first asked for."""
    if name in LAZY or name in LATE:
        import importlib
        found = importlib.import_module(f"{__package__}.{LAZY.get(name) or LATE[name]}")
        return found if name in LAZY else getattr(found, name)
    raise AttributeError(f"module 'torch' has no attribute '{name}'")
