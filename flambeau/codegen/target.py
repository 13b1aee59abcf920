"""What the machine that code is generated for can do.

In: llvmlite's description of the host. Out: a `Target`, read by everything in `codegen`.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import llvmlite.binding as llvm

from ..kernel.cost import Machine


@dataclass(frozen=True, slots=True)
class Target:
    """One processor: triple, name and feature text for LLVM, and what the emitter asks about."""

    triple: str
    cpu: str
    features: str
    enabled: frozenset[str]
    vector_bytes: int

    @property
    def x86(self) -> bool:
        return self.triple.split("-")[0] in ("x86_64", "amd64", "i686")

    @property
    def avx512(self) -> bool:
        """Masks of every element size, scalef and friends."""
        return self.enabled >= {"avx512f", "avx512bw", "avx512vl", "avx512dq"}

    @property
    def native_half(self) -> bool:
        """Conversions between float and half without a library call."""
        return not self.x86 or "f16c" in self.enabled or "avx512f" in self.enabled

    def masked(self, sizes: frozenset[int]) -> bool:
        """Whether masked loads and stores of elements of all these sizes are instructions."""
        if self.avx512:
            return True
        return "avx2" in self.enabled and sizes <= {4, 8}


@lru_cache(maxsize=1)
def host() -> Target:
    """The processor of this process."""
    triple = llvm.get_process_triple()
    features = llvm.get_host_cpu_features()
    enabled = frozenset(name for name, on in features.items() if on)
    return make(triple, llvm.get_host_cpu_name(), features.flatten(), enabled)


def make(triple: str, cpu: str, features: str, enabled: frozenset[str]) -> Target:
    """A target; 64-byte vectors where AVX-512 has all of its usual parts."""
    wide = enabled >= {"avx512f", "avx512bw", "avx512vl", "avx512dq"}
    x86 = triple.split("-", maxsplit=1)[0] in ("x86_64", "amd64", "i686")
    vector_bytes = 64 if wide else 32 if x86 and "avx2" in enabled else 16
    return Target(triple, cpu, features, enabled, vector_bytes)


def machine(target: Target) -> Machine:
    """What schedules of contractions need to know of a target."""
    arm = target.triple.split("-")[0] in ("aarch64", "arm64")
    registers = 32 if target.vector_bytes == 64 or arm else 16
    return Machine(target.vector_bytes, registers, masks=target.masked(frozenset((4, 8))))
