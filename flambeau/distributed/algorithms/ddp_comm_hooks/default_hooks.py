"""Hooks between processes: refused."""
from __future__ import annotations

from ..._absent import refused

_NAMES = ("allreduce_hook", "fp16_compress_hook", "bf16_compress_hook", "fp16_compress_wrapper",
          "bf16_compress_wrapper")
_REFUSED = refused(*_NAMES)
(allreduce_hook, fp16_compress_hook, bf16_compress_hook, fp16_compress_wrapper,
 bf16_compress_wrapper) = (_REFUSED[name] for name in _NAMES)

__all__ = ["allreduce_hook", "bf16_compress_hook", "bf16_compress_wrapper", "fp16_compress_hook",
           "fp16_compress_wrapper"]
