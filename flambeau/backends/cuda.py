"""`torch.backends.cuda`: not there; settings can be set and read, and change nothing."""
from __future__ import annotations

from typing import Any

from ..core.absent import Inert, answer_all, refuse_all, refusing_class

_ABSENT = AssertionError("Torch not compiled with CUDA enabled")


def is_built() -> bool:
    return False


class cuBLASModule:  # noqa: N801 - PyTorch's name
    """Settings of matrix products."""

    def __init__(self) -> None:
        self.allow_tf32 = False
        self.allow_fp16_reduced_precision_reduction = True
        self.allow_bf16_reduced_precision_reduction = True
        self.allow_fp16_accumulation = False
        self.fp32_precision = "none"


matmul = cuBLASModule()
_enabled = {"flash": True, "math": True, "mem_efficient": True, "cudnn": True,
            "fp16_bf16_reduction_math": False}


def _setting(key: str) -> tuple[Any, Any]:
    def enable(enabled: bool) -> None:
        _enabled[key] = bool(enabled)

    return enable, lambda: _enabled[key]


enable_flash_sdp, flash_sdp_enabled = _setting("flash")
enable_math_sdp, math_sdp_enabled = _setting("math")
enable_mem_efficient_sdp, mem_efficient_sdp_enabled = _setting("mem_efficient")
enable_cudnn_sdp, cudnn_sdp_enabled = _setting("cudnn")
allow_fp16_bf16_reduction_math_sdp, fp16_bf16_reduction_math_sdp_allowed = _setting(
    "fp16_bf16_reduction_math")


class sdp_kernel(Inert):  # noqa: N801 - PyTorch's name
    """Accepted: there is one way to compute attention."""


globals().update({
    **answer_all(("is_flash_attention_available", "is_ck_sdpa_available",
                  "can_use_flash_attention", "can_use_efficient_attention",
                  "can_use_cudnn_attention"), lambda: False),
    **answer_all(("blas_workspace_size", "cublas_workspace_size", "cublaslt_workspace_size"),
                 lambda: 0),
    **refuse_all(("preferred_blas_library", "preferred_linalg_library",
                  "preferred_rocm_fa_library"), _ABSENT),
    **{name: refusing_class(name, __name__, _ABSENT) for name in (
        "SDPAParams", "cuFFTPlanCache", "cuFFTPlanCacheAttrContextProp", "cuFFTPlanCacheManager")},
})
