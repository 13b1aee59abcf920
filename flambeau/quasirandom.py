"""torch.quasirandom.SobolEngine: Sobol's sequence, which fills a cube more evenly than chance.

In: a dimension. Out: points (n, dimension) from 0 to 1. (Sobol, 1967; Joe and Kuo, "Constructing
Sobol sequences with better two-dimensional projections", 2008; scrambling: Matousek, 1998.) The
table of direction numbers is SciPy's, which must be installed.
"""
from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .nn.base import Tensor, torch

__all__ = ["SobolEngine"]

Array = np.ndarray[Any, Any]


@cache
def _table() -> tuple[Array, Array]:
    """Primitive polynomials and first direction numbers of 21,201 dimensions."""
    try:
        import scipy.stats
    except ImportError:
        raise ImportError("SobolEngine reads its table of direction numbers from SciPy, which is "
                          "not installed") from None
    path = Path(scipy.stats.__file__).parent / "_sobol_direction_numbers.npz"
    with np.load(path) as file:
        return file["poly"].astype(np.int64), file["vinit"].astype(np.int64)


def _directions(dimension: int, bits: int) -> Array:
    """(dimension, bits) direction numbers, the highest bit first."""
    polynomials, first = _table()
    found = np.ones((dimension, bits), np.int64)
    for d in range(1, dimension):
        polynomial = int(polynomials[d])
        degree = polynomial.bit_length() - 1
        found[d, :degree] = first[d, :degree]
        for j in range(degree, bits):
            value = int(found[d, j - degree])
            for k in range(degree):
                if polynomial >> (degree - 1 - k) & 1:
                    value ^= int(found[d, j - k - 1]) << (k + 1)
            found[d, j] = value
    return found << np.arange(bits - 1, -1, -1)


class SobolEngine:
    """Points of the scrambled or plain Sobol sequence.

    dimension  of the points
    scramble   turn them about by chance, which keeps them even
    seed       of that chance
    """

    MAXBIT = 30
    MAXDIM = 21201

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if not 1 <= dimension <= self.MAXDIM:
            raise ValueError("Supported range of dimensionality for SobolEngine is "
                             f"[1, {self.MAXDIM}]")
        self.dimension, self.scramble, self.seed = dimension, scramble, seed
        self.sobolstate = _directions(dimension, self.MAXBIT)
        self.shift = np.zeros(dimension, np.int64)
        if scramble:
            self._scramble()
        self.quasi = self.shift.copy()
        self.num_generated = 0

    def _scramble(self) -> None:
        """Multiply by a random lower triangle of bits, and move by random bits."""
        generator = torch.Generator()
        generator.seed() if self.seed is None else generator.manual_seed(self.seed)
        bits, size = self.MAXBIT, self.dimension
        places = 1 << np.arange(bits, dtype=np.int64)
        drawn = torch.randint(2, (size, bits), generator=generator).numpy()
        self.shift = (drawn * places).sum(1)
        lower = torch.randint(2, (size, bits, bits), generator=generator).numpy()
        triangle = np.tril(lower, -1) + np.eye(bits, dtype=np.int64)
        # Row r of the triangle makes the r-th highest bit of each direction number.
        high = places[::-1]
        each = (self.sobolstate[:, :, None] & high != 0).astype(np.int64)   # (size, number, bit)
        turned = np.einsum("drb,dnb->dnr", triangle, each) & 1
        self.sobolstate = (turned * high).sum(2)

    def draw(self, n: int = 1, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next n points (n, dimension)."""
        points = np.empty((n, self.dimension), np.int64)
        for i in range(n):
            points[i] = self.quasi
            self._advance()
        made = torch.from_numpy(points / 2.0**self.MAXBIT).to(dtype or torch.get_default_dtype())
        if out is None:
            return made
        return out.resize_(made.shape).copy_(made)

    def _advance(self) -> None:
        """One point on: the direction of the lowest zero of the count is added (Gray's code)."""
        lowest = (~self.num_generated & (self.num_generated + 1)).bit_length() - 1
        self.quasi = self.quasi ^ self.sobolstate[:, lowest]
        self.num_generated += 1

    def draw_base2(self, m: int, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next 2**m points, of which there must have been a power of two before."""
        total = self.num_generated + 2**m
        if total & (total - 1):
            raise ValueError("The balance properties of Sobol' points require n to be a power of "
                             f"2. {self.num_generated} points have been previously generated, "
                             f"then: n={self.num_generated}+2**{m}={total}.")
        return self.draw(2**m, out, dtype)

    def reset(self) -> SobolEngine:
        """Begin again."""
        self.quasi, self.num_generated = self.shift.copy(), 0
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Leave out n points."""
        for _ in range(n):
            self._advance()
        return self

    def __repr__(self) -> str:
        text = f"dimension={self.dimension}"
        if self.scramble:
            text += ", scramble=True"
        if self.seed is not None:
            text += f", seed={self.seed}"
        return f"{type(self).__name__}({text})"
