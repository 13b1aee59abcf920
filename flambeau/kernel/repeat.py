"""What a repeated sequence of kernels computes anew for nothing: done once, before.

In: the kernels of a turn. Out: those that give the same in every turn, and the others. Called by
`graph/lower`.

    repeat 48: [pack w -> t, dot(h, t) -> h']    ->    pack w -> t;  repeat 48: [dot(h, t) -> h']
"""
from __future__ import annotations

from collections.abc import Sequence

from .loopnest import Accumulate, Buffer, Kernel, Store, overlap, statements


def hoist(kernels: Sequence[Kernel]) -> tuple[list[Kernel], list[Kernel]]:
    """(kernels to run once, kernels to repeat), both in order."""
    written = [_written(k) for k in kernels]
    once: set[int] = set()
    for i, kernel in enumerate(kernels):
        others = [b for j, places in enumerate(written) if j != i and j not in once for b in places]
        others += [b for j in once for b in written[j] if any(b2 is b for b2 in written[i])]
        if not any(b.step for b in kernel.buffers) and not any(
                overlap(a, b) for a in kernel.buffers for b in others):
            once.add(i)
    return ([k for i, k in enumerate(kernels) if i in once],
            [k for i, k in enumerate(kernels) if i not in once])


def _written(kernel: Kernel) -> list[Buffer]:
    found = {id(s.target): s.target for s in statements(kernel.body)
             if isinstance(s, (Store, Accumulate)) and isinstance(s.target, Buffer)}
    return list(found.values())
