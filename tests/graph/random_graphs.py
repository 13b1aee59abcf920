"""Random graphs of primitives, to compare compiled programs with `graph.interpret`.

Run by hand for longer: python -m tests.graph.random_graphs FIRST COUNT [loops] [numbers]
`loops`: the loop nests by `kernel.interpret` instead of machine code; `numbers`: every number of a
graph (where slices begin) is an input of its program, as one is that was seen to vary.
"""
from __future__ import annotations

import ctypes
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from flambeau.core import dtype as dt
from flambeau.graph import interpret, primitive, program
from flambeau.graph import realize as realizing
from flambeau.graph.node import Node, text
from flambeau.graph.primitive import PRIMITIVES as P
from flambeau.graph.realize import realize
from flambeau.kernel.interpret import interpret as run_nest
from flambeau.kernel.loopnest import Kernel
from flambeau.runtime.buffer import Buffer

UNARY = "neg abs exp tanh sin sigmoid sqrt floor sign erf log1p".split()
BINARY = "add sub mul max min".split()
KINDS = (dt.float32, dt.float32, dt.float32, dt.float64, dt.int64, dt.bool_)


def leaf(rng: np.random.Generator, shape: tuple[int, ...], kind: dt.dtype) -> Node:
    if kind.kind == "f":
        array = rng.standard_normal(shape)
    elif kind.kind == "b":
        array = rng.integers(0, 2, shape)
    else:
        array = rng.integers(-5, 6, shape)
    node = Node(primitive.BUFFER, (), (), shape, kind)
    node.value = Buffer.from_numpy(np.array(array, kind.numpy, order="C"))
    return node


class Maker:
    """Grows a graph by random steps; every step keeps extents small."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Node] = []
        for _ in range(self.pick.randint(1, 3)):
            self.nodes.append(leaf(self.rng, self.shape(), self.pick.choice(KINDS)))
        steps: list[Callable[[], Node | None]] = [
            self.unary, self.unary, self.binary, self.binary, self.binary, self.reduce,
            self.reduce, self.expand, self.reshape, self.permute, self.slice, self.pad, self.cat,
            self.take, self.put, self.scan, self.dot, self.strided, self.windows, self.where,
            self.cast, self.normalise, self.write]
        for _ in range(self.pick.randint(2, 14)):
            made = self.pick.choice(steps)()
            if made is not None and made.size <= 4000:
                self.nodes.append(made)

    def shape(self) -> tuple[int, ...]:
        extents = (1, 2, 3, 4, 5, 7, 8, 16, 17, 33)
        return tuple(self.pick.choice(extents) for _ in range(self.pick.randint(0, 3)))

    def any(self, kinds: str = "fib") -> Node | None:
        fits = [n for n in self.nodes if n.dtype.kind in kinds]
        return self.pick.choice(fits[-6:]) if fits else None

    def unary(self) -> Node | None:
        x = self.any("f")
        return x and P[self.pick.choice(UNARY)](x)

    def partner(self, x: Node) -> Node | None:
        fits = [n for n in self.nodes if n.dtype is x.dtype and _broadcasts(n.shape, x.shape)]
        if self.pick.random() < 0.3 or not fits:
            return primitive.const(self.pick.choice([0, 1, 2, 3]), x.dtype)
        return self.pick.choice(fits)

    def binary(self) -> Node | None:
        x = self.any("fi")
        if x is None:
            return None
        y = self.partner(x)
        return None if y is None else P[self.pick.choice(BINARY)](x, y)

    def where(self) -> Node | None:
        x = self.any("f")
        if x is None:
            return None
        y = self.partner(x)
        return None if y is None else P["where"](P["gt"](x, primitive.const(0, x.dtype)), x, y)

    def cast(self) -> Node | None:
        x = self.any()
        return x and P["cast"](x, dtype=self.pick.choice((dt.float32, dt.float64, dt.int64)))

    def dims(self, x: Node) -> tuple[int, ...]:
        return tuple(d for d in range(x.ndim) if self.pick.random() < 0.5)

    def reduce(self) -> Node | None:
        x = self.any("fi")
        if x is None or not x.size:
            return None
        out = P[self.pick.choice(["sum", "sum", "amax", "amin"])](x, dims=self.dims(x))
        return out

    def normalise(self) -> Node | None:
        """The shape of softmax and layer norm: several reductions over the same rows."""
        x = self.any("f")
        if x is None or not x.ndim:
            return None
        dims = self.dims(x) or (x.ndim - 1,)
        e = P["exp"](P["sub"](x, P["amax"](x, dims=dims)))
        return P["div"](e, P["sum"](e, dims=dims))

    def expand(self) -> Node | None:
        x = self.any()
        if x is None:
            return None
        shape = tuple(self.pick.choice((2, 3, 9)) if n == 1 else n for n in x.shape)
        if self.pick.random() < 0.3:
            shape = (self.pick.choice((2, 3)), *shape)
        return P["expand"](x, shape=shape)

    def reshape(self) -> Node | None:
        x = self.any()
        if x is None:
            return None
        left, shape = x.size, []
        while left > 1:
            factor = self.pick.choice([f for f in range(1, left + 1) if left % f == 0])
            shape.append(factor)
            left //= factor
            if len(shape) == 3:
                shape.append(left)
                break
        return P["reshape"](x, shape=tuple(shape))

    def permute(self) -> Node | None:
        x = self.any()
        return x and P["permute"](x, dims=tuple(self.pick.sample(range(x.ndim), x.ndim)))

    def slice(self) -> Node | None:
        x = self.any()
        if x is None:
            return None
        start, step, shape = [], [], []
        for n in x.shape:
            m = self.pick.randint(1, n)
            stride = self.pick.choice((1, 1, 2, -1))
            if (m - 1) * abs(stride) >= n:
                stride = 1
            low = self.pick.randint(0, n - 1 - (m - 1) * abs(stride))
            start.append(low if stride > 0 else low + (m - 1))
            step.append(stride)
            shape.append(m)
        return P["slice"](x, start=tuple(start), step=tuple(step), shape=tuple(shape))

    def pad(self) -> Node | None:
        x = self.any()
        if x is None:
            return None
        three = [tuple(self.pick.choice((0, 0, 1, 2)) for _ in x.shape) for _ in range(3)]
        return P["pad"](x, low=three[0], high=three[1], inner=three[2])

    def cat(self) -> Node | None:
        x = self.any()
        if x is None or not x.ndim:
            return None
        d = self.pick.randrange(x.ndim)
        fits = [n for n in self.nodes if n.ndim == x.ndim and n.dtype is x.dtype
                and n.shape[:d] == x.shape[:d] and n.shape[d + 1:] == x.shape[d + 1:]]
        return P["cat"](x, self.pick.choice(fits), x, dim=d)

    def index(self, extent: int, count: int) -> Node:
        node = leaf(self.rng, (count,), dt.int64)
        node.value = Buffer.from_numpy(self.rng.integers(0, extent, (count,)))
        return node

    def take(self) -> Node | None:
        x = self.any()
        if x is None or not x.ndim:
            return None
        d = self.pick.randrange(x.ndim)
        return P["take"](x, self.index(x.shape[d], self.pick.randint(1, 6)), dims=(d,))

    def put(self) -> Node | None:
        x = self.any("fi")
        if x is None or not x.ndim:
            return None
        d, count = self.pick.randrange(x.ndim), self.pick.randint(1, 6)
        rest = tuple(n for k, n in enumerate(x.shape) if k != d)
        value = leaf(self.rng, (count, *rest), x.dtype)
        return P["put"](x, value, self.index(x.shape[d], count), dims=(d,),
                        mode=self.pick.choice(("set", "add", "max")))

    def write(self) -> Node | None:
        x = self.any()
        if x is None or not x.ndim:
            return None
        n = x.shape[-1]
        m = self.pick.randint(1, n)
        value = leaf(self.rng, (m,), x.dtype)
        rows = x.size // n
        return P["write"](x, value, shape=(m,), stride=(1,),
                          offset=self.pick.randrange(rows) * n + self.pick.randint(0, n - m))

    def scan(self) -> Node | None:
        x = self.any("fi")
        if x is None or not x.ndim:
            return None
        return P["scan"](x, op=self.pick.choice(("add", "max")), dim=self.pick.randrange(x.ndim))

    def strided(self) -> Node | None:
        x = self.any()
        if x is None or x.size < 4:
            return None
        a, b = self.pick.randint(1, 2), self.pick.randint(1, 2)
        return P["as_strided"](x, shape=(2, 2), stride=(a, b), offset=self.pick.randint(
            0, x.size - 1 - a - b) if x.size > a + b + 1 else 0) if x.size > a + b else None

    def windows(self) -> Node | None:
        x = self.any("f")
        if x is None or not x.ndim:
            return None
        d = self.pick.randrange(x.ndim)
        size, step, dilation = (self.pick.randint(1, 3) for _ in range(3))
        if (size - 1) * dilation + 1 > x.shape[d]:
            return None
        u = P["unfold"](x, dim=d, size=size, step=step, dilation=dilation)
        if self.pick.random() < 0.5:
            return u
        return P["fold"](u, dim=d, n=x.shape[d], step=step, dilation=dilation)

    def dot(self) -> Node | None:
        x = self.any("f")
        if x is None or x.ndim < 1:
            return None
        k = self.pick.randrange(x.ndim)
        columns = self.pick.choice((1, 2, 5, 16, 20))
        batch = [d for d in range(x.ndim) if d != k and self.pick.random() < 0.3]
        shape = tuple(x.shape[d] for d in batch) + (columns, x.shape[k])
        w = leaf(self.rng, shape, x.dtype)
        labels = (*batch, 10, k)
        out = tuple(d for d in range(x.ndim) if d != k) + (10,)
        return P["dot"](x, w, a_dims=tuple(range(x.ndim)), b_dims=labels, out_dims=out,
                        dtype=x.dtype)


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(a), reversed(b)))


def check(seed: int) -> None:
    """Build, compute both ways, compare; AssertionError says the seed and the graph."""
    maker = Maker(seed)
    new = [n for n in maker.nodes if n.value is None]
    if not new:
        return
    roots = [new[-1], *maker.pick.sample(new, min(len(new), maker.pick.randint(0, 2)))]
    described = text(roots)
    expected = interpret.evaluate(roots)
    try:
        realize(roots)
    except Exception as error:
        message = f"seed {seed}: {type(error).__name__}: {error}\n{described}"
        raise AssertionError(message) from error
    for node, want in zip(roots, expected):
        got = node.value.numpy(node.dtype.numpy, node.shape)
        scale = _scale(want)
        if node.dtype.kind == "f":
            same = np.allclose(got, want, 2e-4, 2e-4 * scale, equal_nan=True)
        else:
            same = np.array_equal(got, want)
        assert same, f"seed {seed}: {node}\ngot {got}\nwant {want}\n{described}"


def _scale(x: np.ndarray) -> float:
    finite = np.abs(x[np.isfinite(x)]) if x.dtype.kind == "f" else np.zeros(0)
    return max(1.0, float(finite.max())) if finite.size else 1.0


class Nests:
    """Loop nests in place of the machine code made of them."""

    def __init__(self, name: str, kernels: list[Kernel]) -> None:
        self.kernels = kernels

    def run(self, slots: Any) -> None:
        for kernel in self.kernels:
            sizes: dict[int, int] = {}
            for b in kernel.buffers:
                end = b.offset + b.size * b.dtype.itemsize
                sizes[b.slot] = max(sizes.get(b.slot, 0), end)
            run_nest(kernel, {slot: _bytes(slots[slot], size) for slot, size in sizes.items()})


def _bytes(address: int, size: int) -> np.ndarray:
    if not size:
        return np.zeros(0, np.uint8)
    return np.frombuffer((ctypes.c_char * size).from_address(address), np.uint8)


class Varying(realizing.Family):
    """A family whose numbers are inputs from the start."""

    def __init__(self, values: list[Any], varies: list[bool]) -> None:
        super().__init__(values, [True] * len(varies))


@contextmanager
def by(loops: bool, numbers: bool) -> Iterator[None]:
    """How graphs are computed inside."""
    kept = program.compile_program, realizing.Family, dict(realizing._families)
    realizing._families.clear()
    try:
        if loops:
            program.compile_program = Nests             # type: ignore[assignment]
        if numbers:
            realizing.Family = Varying                  # type: ignore[misc]
        yield
    finally:
        program.compile_program, realizing.Family = kept[:2]     # type: ignore[misc]
        realizing._families.clear()
        realizing._families.update(kept[2])


def main(first: int, count: int) -> None:
    bad = 0
    for seed in range(first, first + count):
        try:
            check(seed)
        except AssertionError as error:
            bad += 1
            print(str(error)[:1500], flush=True)
            if bad > 5:
                break
    print(f"{count} graphs from seed {first}: {bad} mismatches")


if __name__ == "__main__":
    with by("loops" in sys.argv, "numbers" in sys.argv):
        main(int(sys.argv[1]), int(sys.argv[2]))


