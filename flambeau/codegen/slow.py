"""Calls of the C library's functions, lane by lane.

In: `Real`s and a name of math.h (the double version). Out: a `Real`. Called by `math*`.

`lanewise` is for functions that have no vector form here; `patch` for the few lanes that a vector
form does not serve (huge angles): a test and a branch that is hardly ever taken.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from .emit import Val, vector_type
from .external import PREFIX
from .real import Real

if TYPE_CHECKING:
    from .memory import Memory


def lanewise(name: str, *args: Real) -> Real:
    """The C function of each lane."""
    em = args[0].em
    lanes = max(1, *(a.value.lanes for a in args))
    level = max(a.value.level for a in args)
    type = args[0].value.type
    function = _function(em, name, type, lanes, len(args))
    vt, mt = vector_type(type, lanes), vector_type("i1", lanes)
    given = ", ".join(f"{vt} {em.operand(a.value, lanes)}" for a in args)
    on = "splat (i1 true)" if lanes > 1 else "true"
    zero = "zeroinitializer" if lanes > 1 else "0x0000000000000000"
    text = f"call {vt} @{function}({mt} {on}, {vt} {zero}, {given})"
    return Real(em, em.emit(text, type, lanes, level))


def patch(fast: Real, mask: Val, name: str, *args: Real) -> Real:
    """`fast`, but the C function's value in the lanes of `mask`."""
    em = fast.em
    v = fast.value
    scope = em.scopes[v.level]
    lanes, type = max(v.lanes, 1), v.type
    given = ", ".join(f"{vector_type(type, lanes)} {em.operand(a.value, lanes)}" for a in args)
    key = f"patch {name} {given}"
    found = scope.values.get(key)
    if found is not None:
        return Real(em, found)
    function = _function(em, name, type, lanes, len(args))
    vt, mt = vector_type(type, lanes), vector_type("i1", lanes)
    some = em.any(mask) if lanes > 1 else mask
    call, join, before = em.label("rare"), em.label("join"), scope.block
    mended, out = em.fresh(), em.fresh()
    scope.lines += [
        f"br i1 {some.name}, label %{call}, label %{join}",
        f"{call}:",
        f"{mended} = call {vt} @{function}({mt} {mask.name}, {vt} {v.name}, {given})",
        f"br label %{join}",
        f"{join}:",
        f"{out} = phi {vt} [{v.name}, %{before}], [{mended}, %{call}]",
    ]
    scope.block = join
    found = Val(out, type, lanes, v.level)
    scope.values[key] = found
    return Real(em, found)


def _function(em: Memory, name: str, type: str, lanes: int, count: int) -> str:
    """A function (mask, otherwise, args…) that loops over the lanes; returns its name."""
    full = f"lanes.{name}.v{lanes}{type}"
    if full in em.declarations:
        return full
    symbol = PREFIX + name
    em.externals.add(symbol)
    em.declare(symbol, "double", ("double",) * count)
    vt, mt = vector_type(type, lanes), vector_type("i1", lanes)
    params = ", ".join(f"{vt} %a{k}" for k in range(count))
    lines = [f"define internal {vt} @{full}({mt} %m, {vt} %y, {params}) noinline #0 {{", "entry:"]
    if lanes == 1:
        lines += _one(symbol, type, count, [f"%a{k}" for k in range(count)])
        lines += [f"%r1 = select i1 %m, {type} %r, {type} %y", f"ret {type} %r1", "}"]
    else:
        lines += ["br label %head", "head:",
                  "%k = phi i64 [0, %entry], [%k1, %next]",
                  f"%acc = phi {vt} [%y, %entry], [%acc2, %next]",
                  f"%on = extractelement {mt} %m, i64 %k",
                  "br i1 %on, label %do, label %next", "do:"]
        lines += [f"%x{k} = extractelement {vt} %a{k}, i64 %k" for k in range(count)]
        lines += _one(symbol, type, count, [f"%x{k}" for k in range(count)])
        lines += [f"%acc1 = insertelement {vt} %acc, {type} %r, i64 %k",
                  "br label %next", "next:",
                  f"%acc2 = phi {vt} [%acc, %head], [%acc1, %do]",
                  "%k1 = add i64 %k, 1",
                  f"%more = icmp ult i64 %k1, {lanes}",
                  "br i1 %more, label %head, label %exit", "exit:", f"ret {vt} %acc2", "}"]
    em.declarations[full] = "\n".join(lines)
    return full


def _one(symbol: str, type: str, count: int, args: list[str]) -> list[str]:
    """The call of one lane, into %r."""
    lines = []
    if type == "float":
        lines = [f"%d{k} = fpext float {a} to double" for k, a in enumerate(args)]
        args = [f"%d{k}" for k in range(count)]
    given = ", ".join(f"double {a}" for a in args)
    if type == "float":
        return [*lines, f"%rd = call double @{symbol}({given})", "%r = fptrunc double %rd to float"]
    return [f"%r = call double @{symbol}({given})"]
