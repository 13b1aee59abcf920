"""The Python array API standard, version 2024.12, over `flambeau.Tensor`.

    xp = x.__array_namespace__()        # this module
    y = xp.sum(xp.square(x), axis=0)

Its functions take and return plain tensors, with the standard's names, signatures, promotion and
values where they differ from `torch.*`, which stays PyTorch's. A tensor's own operators and methods
are PyTorch's too. Mixed kinds and 0-d arrays promote in functions as the standard says.

_promotion     dtypes, and the one that the arguments of a function share
_dtypes        astype, can_cast, finfo, iinfo, isdtype, result_type
_creation      arange, asarray, ... zeros_like
_elementwise   abs ... trunc
_manipulation  broadcast_arrays ... unstack
_reductions    sum, mean, ..., cumulative_sum, all, any, diff
_searching     argmax, sort, unique_all, take, ...
linalg, fft    the extensions
_info          `__array_namespace_info__`
"""
from __future__ import annotations

import math as _math

from ..core import dtype as _dt
from . import fft as fft
from . import linalg as linalg
from ._creation import *
from ._dtypes import *
from ._elementwise import *
from ._info import __array_namespace_info__ as __array_namespace_info__
from ._manipulation import *
from ._reductions import *
from ._searching import *
from .linalg import matmul as matmul
from .linalg import matrix_transpose as matrix_transpose
from .linalg import tensordot as tensordot
from .linalg import vecdot as vecdot

__array_api_version__ = "2024.12"

e = _math.e
inf = _math.inf
nan = _math.nan
newaxis = None
pi = _math.pi

bool = _dt.bool_  # noqa: A001
int8, int16, int32, int64 = _dt.int8, _dt.int16, _dt.int32, _dt.int64
uint8, uint16, uint32, uint64 = _dt.uint8, _dt.uint16, _dt.uint32, _dt.uint64
float32, float64 = _dt.float32, _dt.float64
complex64, complex128 = _dt.complex64, _dt.complex128

__all__ = [name for name in dir() if not name.startswith("_") and name != "annotations"] + [
    "__array_api_version__", "__array_namespace_info__"]
