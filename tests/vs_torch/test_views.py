"""Random programs of views, in-place writes and detach, run by PyTorch and by flambeau.

Both must agree in shapes, values, history flags, versions, gradients, second gradients and the
first line of every error. `python -m tests.vs_torch.test_views START COUNT SECONDS` runs more by
the NumPy meaning of the graph, and with a fourth argument `compiled` on machine code.
"""
from __future__ import annotations

import random
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import flambeau  # noqa: E402
from tests.interpreted import by_interpreter  # noqa: E402

ERRORS = (RuntimeError, IndexError, ValueError, TypeError)


@pytest.fixture
def interpreter() -> Any:
    with by_interpreter():
        yield


# ---------------------------------------------------------------- steps

UNARY: dict[str, Callable[..., Any]] = {
    "view": lambda M, t: t.view(-1), "reshape": lambda M, t: t.reshape(-1),
    "squeeze": lambda M, t: t.squeeze(), "detach": lambda M, t: t.detach(),
    "alias": lambda M, t: t[...], "exp": lambda M, t: (t * 0.1).exp(),
    "sigmoid": lambda M, t: t.sigmoid(), "clone": lambda M, t: t.clone(),
    "sigmoid_": lambda M, t: _quiet(t.sigmoid_()), "tanh_": lambda M, t: _quiet(t.tanh_()),
    "zero_": lambda M, t: _quiet(t.zero_()), "flat": lambda M, t: t.flatten(),
    "nograd_clone": lambda M, t: _no_grad(M, t.clone),
}
NUMBER: dict[str, Callable[..., Any]] = {
    "add": lambda M, t, c: t + c, "mul": lambda M, t, c: t * c,
    "add_": lambda M, t, c: _quiet(t.add_(c)), "mul_": lambda M, t, c: _quiet(t.mul_(c)),
    "fill_": lambda M, t, c: _quiet(t.fill_(c)),
    "setmask": lambda M, t, c: t.__setitem__(t.detach() > 0.3, c),
    "nograd_mul_": lambda M, t, c: _quiet(_no_grad(M, lambda: t.mul_(c))),
}
PAIR: dict[str, Callable[..., Any]] = {
    "mulT": lambda M, t, u: t * u, "mulT_": lambda M, t, u: _quiet(t.mul_(u)),
    "addT_": lambda M, t, u: _quiet(t.add_(u)), "copy_": lambda M, t, u: _quiet(t.copy_(u)),
    "where": lambda M, t, u: M.where(t > 0.1, t, u),
    "setall": lambda M, t, u: t.__setitem__(Ellipsis, u * 1),
}
# Those that need a dim: (M, t, d, i) with 0 <= i < extent of d.
DIM: dict[str, Callable[..., Any]] = {
    "select": lambda M, t, d, i: t.select(d, i),
    "slice": lambda M, t, d, i: t[(slice(None),) * d + (slice(i, None, 1 + i % 2),)],
    "transpose": lambda M, t, d, i: t.transpose(0, d),
    "unsqueeze": lambda M, t, d, i: t.unsqueeze(d),
    "expand": lambda M, t, d, i: t.expand((2, *t.shape)),
    "setitem": lambda M, t, d, i: t.__setitem__((slice(None),) * d + (i,), 0.5),
    "setidx": lambda M, t, d, i: t.__setitem__([i, 0], -0.5),
    "getidx": lambda M, t, d, i: t[[0, i]] if i < t.shape[0] else t[[0]],
    "narrow": lambda M, t, d, i: t.narrow(d, 0, i + 1),
    "sum": lambda M, t, d, i: t.sum(d), "unbind": lambda M, t, d, i: t.unbind(d)[i],
    "split": lambda M, t, d, i: t.split(1, d)[i],
    "nograd_view": lambda M, t, d, i: _no_grad(M, lambda: t.select(d, i)),
    "t": lambda M, t, d, i: t.t(), "t_": lambda M, t, d, i: _quiet(t.t_()),
    "diag": lambda M, t, d, i: t.diagonal(), "cat": lambda M, t, d, i: M.cat([t, t * 2], d),
    "squeeze_": lambda M, t, d, i: _quiet(t.squeeze_()),
    "unsqueeze_": lambda M, t, d, i: _quiet(t.unsqueeze_(d)),
    "as_strided": lambda M, t, d, i: t.as_strided((1 + i,), (1,)),
}
NAMES = sorted([*UNARY, *NUMBER, *PAIR, *DIM])


def _quiet(_: Any) -> None:
    return None


def _no_grad(M: Any, fn: Callable[[], Any]) -> Any:  # noqa: N803 - M is a module
    with M.no_grad():
        return fn()


def step(M: Any, tensors: list[Any], r: random.Random) -> tuple[Any, Callable[[], Any]]:  # noqa: N803
    """The next step: the random numbers drawn depend on nothing, the choice on shapes alone."""
    name = r.choice(NAMES)
    k, c, a, b = r.randrange(len(tensors)), r.choice([0.5, -1.5, 2.0]), r.random(), r.random()
    t = tensors[k]
    shape = tuple(t.shape)
    if name in ("fill_", "zero_") and t.numel() and 0 in t.stride():
        return ("nothing", k), lambda: t - 0.25     # PyTorch refuses this later, in backward
    if name in UNARY:
        return (name, k), lambda: UNARY[name](M, t)
    if name in NUMBER:
        return (name, k, c), lambda: NUMBER[name](M, t, c)
    if name in PAIR:
        same = [i for i, x in enumerate(tensors) if tuple(x.shape) == shape]
        other = same[int(a * len(same))]
        return (name, k, other), lambda: PAIR[name](M, t, tensors[other])
    if not shape or 0 in shape or len(shape) > 3:
        return ("nothing", k), lambda: t + 0.25
    if name in ("setidx", "as_strided") and t.numel() and 0 in t.stride():
        # Several elements in one place: PyTorch's results depend on the order it visits them in.
        return ("nothing", k), lambda: t - 0.25
    if name == "diag" and len(shape) < 2:
        return ("nothing", k), lambda: t + 0.5
    d = int(a * len(shape))
    i = int(b * shape[d])
    return (name, k, d, i), lambda: DIM[name](M, t, d, i)


def short(error: BaseException) -> str:
    """The first line; the many wordings of refused writes to views count as one."""
    text = str(error).split("\n")[0]
    if "view" in text and "modified inplace" in text:
        return "a view that may not be written was"
    if text.startswith("one of the variables needed"):
        return text.split("[")[0]
    return text[:160]


def flags(t: Any) -> Any:
    try:
        return (tuple(t.shape), t.requires_grad, t.is_leaf, t._version, t._is_view())
    except RuntimeError as error:
        return short(error)


def array(t: Any) -> Any:
    return None if t is None else np.array(t.detach().numpy())


def run(M: Any, seed: int, count: int) -> dict[str, Any]:  # noqa: N803
    """What module M makes of the program of this seed."""
    r = random.Random(seed)
    rng = np.random.default_rng(seed)
    a, b, c = (M.tensor(rng.standard_normal(s)) for s in ((2, 3), (3,), (2, 3)))
    a.requires_grad_()
    b.requires_grad_()
    tensors = [a, b, c, a.clone(), c.clone()]
    log = []
    for _ in range(count):
        info, fn = step(M, tensors, r)
        try:
            out = fn()
            log.append((info, "ok"))
        except ERRORS as error:
            log.append((info, short(error)))
            continue
        if out is not None and out.numel() <= 64:
            tensors.append(out)
    found = {"steps": log, "flags": [flags(t) for t in tensors],
             "values": [array(t) for t in tensors]}
    found.update(gradients(M, tensors, (a, b)))
    return found


def gradients(M: Any, tensors: list[Any], leaves: tuple[Any, ...]) -> dict[str, Any]:  # noqa: N803
    wanted = [x for x in leaves if x.is_leaf and x.requires_grad]
    outs = [t for t in tensors
            if isinstance(flags(t), tuple) and t.requires_grad and not t.is_leaf]
    if not outs or not wanted:
        return {}
    try:
        loss = sum((t * t * (0.1 * i + 0.1)).sum() for i, t in enumerate(outs))
        first = M.autograd.grad(loss, wanted, create_graph=True, allow_unused=True)
        found = {"first": [array(g) for g in first]}
        again = [(g * g).sum() for g in first if g is not None and g.requires_grad]
        if again:
            second = M.autograd.grad(sum(again), wanted, allow_unused=True)
            found["second"] = [array(g) for g in second]
        return found
    except ERRORS as error:
        return {"error": short(error)}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if a is None or b is None:              # PyTorch may leave out a gradient of zeros
            return not np.any(b if a is None else a)
        return a.shape == b.shape and np.allclose(a, b, 1e-6, 1e-8, equal_nan=True)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def difference(seed: int, count: int) -> str | None:
    """What differs first between the two, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = run(torch, seed, count), run(flambeau, seed, count)
    for key in ("steps", "flags", "values"):
        for i, (x, y) in enumerate(zip(theirs[key], ours[key])):
            if not same(x, y):
                return f"{key} {i}: torch {x}, flambeau {y}"
    if "error" in theirs and "error" in ours:   # which of two errors comes first may differ
        return None
    if theirs.get("error", "").startswith("unsupported operation"):
        return None                             # PyTorch's backward cannot fill a stretched tensor
    for key in ("error", "first", "second"):
        if not same(theirs.get(key), ours.get(key)) and not _all_zero(theirs, ours, key):
            return f"{key}: torch {theirs.get(key)}, flambeau {ours.get(key)}"
    return None


def _all_zero(theirs: Any, ours: Any, key: str) -> bool:
    if key == "error":
        return False
    return not any(np.any(g) for found in (theirs, ours) for g in found.get(key) or []
                   if g is not None)


@pytest.mark.parametrize("start", range(20_000, 20_300, 50))
def test_random_programs_on_compiled_code(start: int) -> None:
    test_random_programs(start, None)


@pytest.mark.parametrize("start", range(0, 600, 50))
def test_random_programs(start: int, interpreter: Any) -> None:
    for seed in range(start, start + 50):
        found = difference(seed, 3 + seed % 10)
        assert found is None, f"seed {seed}: {found}"


def main(start: int, count: int, seconds: float) -> None:
    bad: dict[str, list[str]] = {}
    began = time.perf_counter()
    done = 0
    for seed in range(start, start + count):
        done += 1
        try:
            found = difference(seed, 3 + seed % 10)
        except Exception as error:  # noqa: BLE001 - a crash is a finding
            where = error.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            line = where.tb_lineno if where is not None else 0
            file = where.tb_frame.f_code.co_filename.rsplit("/", 1)[-1] if where else ""
            found = f"crash {type(error).__name__}: {str(error)[:100]} ({file}:{line})"
        if found:
            key = found[:14] if not found.startswith("steps") else found.split("(")[2].split(",")[0]
            bad.setdefault(key, []).append(f"{seed}: {found[:420]}")
        if time.perf_counter() - began > seconds:
            break
    print(f"{done} programs, {sum(map(len, bad.values()))} differ")
    for key, found in sorted(bad.items(), key=lambda item: -len(item[1])):
        print(len(found), key, "|", found[0])


if __name__ == "__main__":
    with nullcontext() if "compiled" in sys.argv[4:] else by_interpreter():
        main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
