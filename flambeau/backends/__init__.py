"""torch.backends: libraries that PyTorch may use; flambeau uses none of them and says so."""
from __future__ import annotations

from . import (
    cpu, cuda, cudnn, mha, mkl, mkldnn, mps, nnpack, openmp, opt_einsum, quantized, xnnpack,
)

__all__ = ["cpu", "cuda", "cudnn", "mha", "mkl", "mkldnn", "mps", "nnpack", "openmp",
           "opt_einsum", "quantized", "xnnpack"]
