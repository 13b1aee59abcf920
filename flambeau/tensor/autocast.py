"""Autocast: some functions compute in a narrow type, some in float32, while a mode is on.

In: `amp.autocast`'s settings. Out: `casting`, which `names` puts round the functions listed here;
functions that are not listed cost nothing.
"""
from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.dtype import promote_types
from .conversion import cast
from .tensor import Tensor

# PyTorch's lists for the CPU (docs: "CPU Op-Specific Behavior").
LOWER = frozenset({
    "conv1d", "conv2d", "conv3d", "bmm", "mm", "vecdot", "baddbmm", "addmm", "addbmm", "linear",
    "matmul", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "prelu",
    "scaled_dot_product_attention", "multi_head_attention_forward"})
FLOAT32 = frozenset({
    "avg_pool3d", "binary_cross_entropy", "grid_sample", "polar", "prod", "quantile", "nanquantile",
    "stft", "cdist", "trace", "view_as_complex", "cholesky", "cholesky_inverse", "cholesky_solve",
    "inverse", "lu_solve", "orgqr", "ormqr", "pinverse", "max_pool3d", "max_unpool2d",
    "max_unpool3d", "adaptive_avg_pool3d", "mse_loss", "cosine_embedding_loss", "nll_loss",
    "hinge_embedding_loss", "poisson_nll_loss", "smooth_l1_loss", "cross_entropy", "l1_loss",
    "huber_loss", "margin_ranking_loss", "soft_margin_loss", "triplet_margin_loss",
    "multi_margin_loss", "ctc_loss", "kl_div", "multilabel_margin_loss",
    "binary_cross_entropy_with_logits", "fft", "ifft", "fft2", "ifft2", "fftn", "ifftn", "rfft",
    "irfft", "rfft2", "irfft2", "rfftn", "irfftn", "hfft", "ihfft", "cond", "matrix_rank", "solve",
    "svdvals", "eigvals", "eigvalsh", "inv", "householder_product", "tensorinv", "tensorsolve",
    "qr", "eig", "eigh", "lstsq"})
WIDEST = frozenset({"stack", "cat", "index_copy"})
LISTED = LOWER | FLOAT32 | WIDEST


class State(threading.local):
    """`enabled`, the narrow type, and what programs ask for other devices."""

    enabled: bool = False
    dtype: DType = dt.bfloat16
    other_dtype: DType = dt.float16
    other_enabled: bool = False
    cache: bool = True
    nesting: int = 0


state = State()


def _eligible(x: Any) -> bool:
    return (isinstance(x, Tensor) and x.dtype.kind == "f" and x.dtype is not dt.float64
            and x._storage.device.type == "cpu")


def _converted(x: Any, kind: DType) -> Any:
    """An argument with every tensor that takes part cast to a type."""
    if isinstance(x, Tensor):
        return cast(x, kind) if x.dtype is not kind and _eligible(x) else x
    if type(x) in (list, tuple):
        return type(x)(_converted(i, kind) for i in x)
    return x


def _widest(args: Any, found: DType) -> DType:
    for x in args:
        if isinstance(x, (list, tuple)):
            found = _widest(x, found)
        elif _eligible(x):
            found = promote_types(found, x.dtype)
    return found


def casting(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """A listed function as it is under autocast; others come back unchanged."""
    if name not in LISTED:
        return fn

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not state.enabled:
            return fn(*args, **kwargs)
        if name in LOWER:
            kind = state.dtype
        elif name in FLOAT32:
            kind = dt.float32
        else:
            kind = _widest((*args, *kwargs.values()), state.dtype)
        args = tuple(_converted(a, kind) for a in args)
        kwargs = {k: v if k == "out" else _converted(v, kind) for k, v in kwargs.items()}
        before = state.enabled
        state.enabled = False
        try:
            return fn(*args, **kwargs)
        finally:
            state.enabled = before

    fn.__public__ = call  # type: ignore[attr-defined]
    return call


# ---------------------------------------------------------------- torch.*


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether operations on a device choose their own precision."""
    return state.enabled if device_type == "cpu" else state.other_enabled


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Switch autocast for a device."""
    if enabled is None:
        state.other_enabled = bool(device_type)
    elif device_type == "cpu":
        state.enabled = bool(enabled)
    else:
        state.other_enabled = bool(enabled)


def get_autocast_dtype(device_type: str) -> DType:
    """The lower precision of autocast on a device."""
    return state.dtype if device_type == "cpu" else state.other_dtype


def set_autocast_dtype(device_type: str, dtype: DType) -> None:
    """Choose the lower precision of autocast on a device."""
    if device_type == "cpu":
        state.dtype = dtype
    else:
        state.other_dtype = dtype


def is_autocast_cpu_enabled() -> bool:
    """is_autocast_enabled("cpu")."""
    return state.enabled


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """set_autocast_enabled("cpu", enabled)."""
    state.enabled = bool(enabled)


def get_autocast_cpu_dtype() -> DType:
    """get_autocast_dtype("cpu")."""
    return state.dtype


def set_autocast_cpu_dtype(dtype: DType) -> None:
    """set_autocast_dtype("cpu", dtype)."""
    state.dtype = dtype


def get_autocast_gpu_dtype() -> DType:
    """get_autocast_dtype("cuda")."""
    return state.other_dtype


def set_autocast_gpu_dtype(dtype: DType) -> None:
    """set_autocast_dtype("cuda", dtype)."""
    state.other_dtype = dtype


def is_autocast_cache_enabled() -> bool:
    """Whether casts of weights are kept: a setting that is only remembered."""
    return state.cache


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Remember whether casts of weights are to be kept."""
    state.cache = bool(enabled)


def clear_autocast_cache() -> None:
    """There is no cache: casts of one tensor in one program are one node already."""


def autocast_increment_nesting() -> int:
    """One autocast context more; their number."""
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting() -> int:
    """One autocast context less; their number."""
    state.nesting -= 1
    return state.nesting


__all__ = [
    "autocast_decrement_nesting", "autocast_increment_nesting", "clear_autocast_cache",
    "get_autocast_cpu_dtype", "get_autocast_dtype", "get_autocast_gpu_dtype",
    "is_autocast_cache_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled",
    "set_autocast_cache_enabled", "set_autocast_cpu_dtype", "set_autocast_cpu_enabled",
    "set_autocast_dtype", "set_autocast_enabled", "set_autocast_gpu_dtype",
]
