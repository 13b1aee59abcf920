"""Long formulas as functions of their own, for kernels that use one many times.

In: an operation and values. Out: the value of a call. Called by `operations`.

A formula is a few dozen instructions. The first uses are written in place, where the compiler can
weave them into their surroundings; a chain of hundreds would take it seconds, so that the rest
call one internal function of vectors:

    %v7 = call <16 x float> @whole.sin.v16float(<16 x float> %v6)
"""
from __future__ import annotations

from collections.abc import Callable

from .emit import Val, vector_type
from .memory import Memory

IN_PLACE = 16
"""Uses of a formula that are written in place, for each type and number of lanes."""

Formula = Callable[..., Val]


def use(em: Memory, op: str, formula: Formula, args: list[Val]) -> Val:
    """`formula` of `args`, in place or by a call."""
    type = args[0].type
    lanes = max(1, *(a.lanes for a in args))
    uses = em.uses.setdefault(f"{op}.v{lanes}{type}", set())
    # Asked for again, a value is found where it was written.
    key = " ".join([a.name for a in args])
    if key in uses or len(uses) < IN_PLACE:
        uses.add(key)
        return formula(em, *args)
    name = f"whole.{op}.v{lanes}{type}"
    if name not in em.declarations:
        _define(em, name, formula, type, lanes, len(args))
    vt = vector_type(type, lanes)
    given = ", ".join([f"{vt} {em.operand(a, lanes)}" for a in args])
    return em.emit(f"call {vt} @{name}({given})", type, lanes, max(a.level for a in args))


def _define(em: Memory, name: str, formula: Formula, type: str, lanes: int, count: int) -> None:
    """Add the function to those that the kernel needs."""
    inner = Memory(em.target)
    out = formula(inner, *(Val(f"%a{k}", type, lanes, 0) for k in range(count)))
    vt = vector_type(type, lanes)
    params = ", ".join(f"{vt} %a{k}" for k in range(count))
    for needed, text in inner.declarations.items():
        em.declarations.setdefault(needed, text)
    em.externals |= inner.externals
    em.declarations[name] = "\n".join([
        f"define internal {vt} @{name}({params}) noinline #0 {{", "entry:", *inner.prologue,
        *inner.scopes[0].lines, f"ret {vt} {inner.operand(out, lanes)}", "}"])
