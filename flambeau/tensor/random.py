"""Random tensors. The numbers are drawn at the call, so the stream is spent in PyTorch's order.

In: sizes, tensors, generators. Out: tensors whose values are computed already.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.device import META, check_device, default_place
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.follow import drawn
from ..graph.primitive import spec
from ..runtime import sampling
from ..runtime.buffer import Buffer
from . import functionalize as f
from . import pinning
from .conversion import values
from .creation import (
    _in_order, _keep_order, _tensor_argument, chosen, finish, from_array, size_of,
)
from .generator import engine
from .inplace import overwrite
from .resizing import copy_into
from .tensor import Tensor, method

Array = np.ndarray[Any, Any]


def blank(shape: tuple[int, ...], kind: DType) -> Array:
    """Memory from the pool to draw into."""
    size = kind.itemsize
    for n in shape:
        size *= n
    return Buffer(size).numpy(kind.numpy, shape)


def _made(array: Array, kind: DType, out: Tensor | None, requires_grad: bool) -> Tensor:
    node = from_array(array, kind)
    if out is not None:
        copy_into(out, node)
        return out
    return finish(node, requires_grad)


def _sizes(size: tuple[Any, ...], named: Any, name: str) -> tuple[int, ...]:
    return size_of((named,) if named is not None else size, name)


def _meta(device: Any) -> bool:
    return (default_place() if device is None else check_device(device)) is META


def rand(*sizes: Any, size: Any = None, generator: Any = None, out: Any = None, dtype: Any = None,
         layout: Any = None, device: Any = None, requires_grad: bool = False,
         pin_memory: bool = False, names: Any = None) -> Tensor:
    """Uniform in [0, 1)."""
    shape, kind = _sizes(sizes, size, "rand"), chosen("rand", dtype, out)
    if _meta(device):
        return f.wrap(spec(shape, kind), META)
    gen = engine(generator)
    return _made(drawn(lambda: _uniform(shape, kind, gen)), kind, out, requires_grad)


def _uniform(shape: tuple[int, ...], kind: DType, gen: Any) -> Array:
    """Uniforms in [0, 1); complex ones have both parts there, the real one drawn first."""
    if kind.kind != "c":
        return gen.uniform(blank(shape, kind))
    parts = gen.uniform(np.empty((*shape, 2), kind.to_real().numpy))
    return parts.view(kind.numpy).reshape(shape)


def randn(*sizes: Any, size: Any = None, generator: Any = None, out: Any = None, dtype: Any = None,
          layout: Any = None, device: Any = None, requires_grad: bool = False,
          pin_memory: bool = False, names: Any = None) -> Tensor:
    """Standard normal."""
    shape, kind = _sizes(sizes, size, "randn"), chosen("randn", dtype, out)
    if _meta(device):
        return f.wrap(spec(shape, kind), META)
    gen = engine(generator)
    return _made(drawn(lambda: _normal(shape, kind, gen)), kind, out, requires_grad)


def _normal(shape: tuple[int, ...], kind: DType, gen: Any) -> Array:
    if kind.kind != "c":
        return gen.normal(blank(shape, kind))
    real = gen.normal(np.empty((*shape, 2), kind.to_real().numpy), 0.0, 0.5 ** 0.5)
    return np.ascontiguousarray(real).view(kind.numpy).reshape(shape)


def randint(*args: Any, low: Any = None, high: Any = None, size: Any = None, generator: Any = None,
            out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
            requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """Integers in [low, high)."""
    given = list(args)
    if size is None and given and isinstance(given[-1], (tuple, list)):
        size = given.pop()
    if size is None:
        raise TypeError("randint() received an invalid combination of arguments - missing size")
    bounds = [int(b) for b in given]
    if high is not None:
        bounds = [*bounds, int(high)] if low is None else [int(low), int(high)]
    elif low is not None:
        bounds = [int(low), *bounds]
    first, last = (0, bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
    if first >= last:
        raise RuntimeError("random_ expects 'from' to be less than 'to', but got from="
                           f"{first} >= to={last}")
    kind = dtype or (out.dtype if out is not None else dt.int64)
    gen, shape = engine(generator), size_of((tuple(size),), "randint")
    array = drawn(lambda: gen.integers(blank(shape, kind), first, last))
    return _made(array, kind, out, requires_grad)


def randperm(n: int, *, generator: Any = None, out: Any = None, dtype: Any = None,
             layout: Any = None, device: Any = None, requires_grad: bool = False,
             pin_memory: bool = False) -> Tensor:
    """0 .. n-1 in random order."""
    n = n.__index__()
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got{n}")
    kind = dtype or (out.dtype if out is not None else dt.int64)
    gen = engine(generator)
    array = drawn(lambda: gen.permutation(blank((n,), kind)))
    return _made(array, kind, out, requires_grad)


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, out: Any = None,
           dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
           pin_memory: bool = False) -> Tensor:
    """Normals of given means and standard deviations (numbers or tensors)."""
    gen = engine(generator)
    if size is not None:
        kind, whole = chosen("normal", dtype, out), size_of((tuple(size),), "normal")
        array = drawn(lambda: gen.normal(blank(whole, kind), float(mean), float(std)))
        return _made(array, kind, out, requires_grad)
    parts = [values(p) if isinstance(p, Tensor) else float(p) for p in (mean, std)]
    tensors = [p for p in (mean, std) if isinstance(p, Tensor)]
    if not tensors:
        raise TypeError("normal() received an invalid combination of arguments")
    kind = tensors[0].dtype
    shape = np.broadcast_shapes(*[t._shape for t in tensors])
    array = drawn(lambda: gen.normal(blank(shape, kind), *parts))
    return _made(array, kind, out, requires_grad)


def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None, out: Any = None) -> Tensor:
    """Ones with the probabilities of `input` (or p)."""
    _tensor_argument(input, "bernoulli")
    if input.dtype.kind != "f" and p is None:
        from ..core.errors import scalar_name
        raise RuntimeError(f"\"bernoulli_tensor_cpu_p_\" not implemented for "
                           f"'{scalar_name(input.dtype)}'")
    chances = values(input) if p is None else values(p) if isinstance(p, Tensor) else float(p)
    gen, shape, kind = engine(generator), input._shape, input.dtype
    array = drawn(lambda: gen.bernoulli(blank(shape, kind), chances))
    return _made(array, kind, out, False)


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *,
                generator: Any = None, out: Any = None) -> Tensor:
    """Categories drawn with the weights in each row."""
    _tensor_argument(input, "multinomial")
    if input.dtype.kind != "f":
        raise RuntimeError("multinomial only supports floating-point dtypes for input, got: "
                           f"{input.dtype.name.capitalize()}")
    gen, weights = engine(generator), np.ascontiguousarray(values(input))
    array = drawn(lambda: np.ascontiguousarray(
        sampling.multinomial(gen, weights, int(num_samples), replacement)))
    return _made(array, dt.int64, out, False)


def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """A draw from the Poisson distribution with each element as its rate."""
    gen, rates = engine(generator), np.ascontiguousarray(values(input))
    array = drawn(lambda: sampling.poisson(gen, rates))
    return finish(from_array(array.astype(input.dtype.numpy), input.dtype))


def binomial(count: Tensor, prob: Tensor, generator: Any = None) -> Tensor:
    """A draw from the binomial distribution for each count and probability."""
    gen = engine(generator)
    counts, chances = (np.ascontiguousarray(values(t)) for t in (count, prob))
    array = drawn(lambda: sampling.binomial(gen, counts, chances))
    return finish(from_array(array.astype(count.dtype.numpy), count.dtype))


def standard_gamma(input: Tensor, generator: Any = None) -> Tensor:
    """Gamma numbers of rate 1 (torch._standard_gamma, without its gradient)."""
    gen, shapes = engine(generator), np.ascontiguousarray(values(input))
    array = drawn(lambda: sampling.standard_gamma(gen, shapes))
    return finish(from_array(array.astype(input.dtype.numpy), input.dtype))


def sample_dirichlet(input: Tensor, generator: Any = None) -> Tensor:
    """Draws from Dirichlet distributions along the last dim."""
    gen, shapes = engine(generator), np.ascontiguousarray(values(input))
    array = drawn(lambda: sampling.dirichlet(gen, shapes))
    return finish(from_array(array.astype(input.dtype.numpy), input.dtype))


# ---------------------------------------------------------------- of a tensor's shape


def _like(made: Tensor, input: Tensor, memory_format: Any) -> Tensor:
    if memory_format is None or memory_format.name == "preserve_format":
        if input._layout is not None:
            _keep_order(made, input._layout)
        return made
    return _in_order(made, memory_format)


def rand_like(input: Tensor, *, generator: Any = None, dtype: Any = None, layout: Any = None,
              device: Any = None, requires_grad: bool = False, memory_format: Any = None,
              pin_memory: bool = False) -> Tensor:
    """Numbers from [0, 1), in the shape and type of the input."""
    _tensor_argument(input, "rand_like")
    place = input._storage.device if device is None else device
    made = rand(input._shape, dtype=dtype or input.dtype, device=place, generator=generator,
                requires_grad=requires_grad)
    return _like(made, input, memory_format)


def randn_like(input: Tensor, *, generator: Any = None, dtype: Any = None, layout: Any = None,
               device: Any = None, requires_grad: bool = False, memory_format: Any = None,
               pin_memory: bool = False) -> Tensor:
    """Normal numbers, in the shape and type of the input."""
    _tensor_argument(input, "randn_like")
    place = input._storage.device if device is None else device
    made = randn(input._shape, dtype=dtype or input.dtype, device=place, generator=generator,
                 requires_grad=requires_grad)
    return _like(made, input, memory_format)


def randint_like(input: Tensor, *args: Any, low: Any = None, high: Any = None,
                 generator: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
                 requires_grad: bool = False, memory_format: Any = None,
                 pin_memory: bool = False) -> Tensor:
    """Integers from [low, high), in the shape and type of the input."""
    _tensor_argument(input, "randint_like")
    bounds = [values(a).item() if isinstance(a, Tensor) else a for a in args]
    made = randint(*bounds, low=low, high=high, size=input._shape, generator=generator,
                   dtype=dtype or input.dtype, requires_grad=requires_grad)
    return _like(made, input, memory_format)


# ---------------------------------------------------------------- in place


def _fill(self: Tensor, draw: Any) -> Tensor:
    """Overwrite the tensor with what `draw` makes of a fresh array of its shape and type."""
    shape, kind = self._shape, self.dtype
    return overwrite(self, pinning.array_node(drawn(lambda: draw(blank(shape, kind))), kind))


@method
def uniform_(self: Tensor, *args: Any, generator: Any = None, **named: Any) -> Tensor:
    """Fill with numbers from [from, to)."""
    low = named.get("from", args[0] if args else 0.0)
    high = named.get("to", args[1] if len(args) > 1 else 1.0)
    gen, kind = engine(generator), self.dtype
    if kind.kind == "c":
        return _fill(self, lambda space: _uniform(space.shape, kind, gen))
    return _fill(self, lambda space: gen.uniform(space, float(low), float(high)))


@method
def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal numbers."""
    gen, kind = engine(generator), self.dtype
    if kind.kind == "c":
        return _fill(self, lambda space: _normal(space.shape, kind, gen) * std + mean)
    return _fill(self, lambda space: gen.normal(space, float(mean), float(std)))


@method
def random_(self: Tensor, *args: Any, generator: Any = None, **named: Any) -> Tensor:
    """Fill with integers from [from, to), or from all that the type holds exactly."""
    low, high = named.get("from"), named.get("to")
    if len(args) == 1 and high is None:
        high = args[0]
    elif args:
        low, high = args[0], args[1]
    gen = engine(generator)
    return _fill(self, lambda space: gen.random_(space, low, high))


@method
def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with ones of probability p, zeros otherwise."""
    chance = values(p) if isinstance(p, Tensor) else float(p)
    gen = engine(generator)
    return _fill(self, lambda space: gen.bernoulli(space, chance))


@method
def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with numbers of the exponential distribution."""
    gen = engine(generator)
    return _fill(self, lambda space: sampling.exponential(gen, space, float(lambd)))


@method
def geometric_(self: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """Fill with numbers of the geometric distribution."""
    gen = engine(generator)
    return _fill(self, lambda space: sampling.geometric(gen, space, float(p)))


@method
def cauchy_(self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None,
            ) -> Tensor:
    """Fill with numbers of the Cauchy distribution."""
    gen = engine(generator)
    return _fill(self, lambda space: sampling.cauchy(gen, space, float(median), float(sigma)))


@method
def log_normal_(self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Any = None,
                ) -> Tensor:
    """Fill with numbers whose logarithms are normal."""
    gen = engine(generator)
    return _fill(self, lambda space: sampling.log_normal(gen, space, float(mean), float(std)))


@method
def _bernoulli_method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """torch.bernoulli of this tensor."""
    return bernoulli(self, *args, **kwargs)


@method
def _multinomial_method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """torch.multinomial of this tensor."""
    return multinomial(self, *args, **kwargs)


Tensor.bernoulli = Tensor._bernoulli_method  # type: ignore[attr-defined]
Tensor.multinomial = Tensor._multinomial_method  # type: ignore[attr-defined]
del Tensor._bernoulli_method, Tensor._multinomial_method  # type: ignore[attr-defined]
