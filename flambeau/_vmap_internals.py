"""`vmap`: a function of one sample as a function of a batch.

In: a function, and which dim of each argument is the batch. Out: a function of batches. The
function is called once, with leaves that stand for a sample, and its graph is made one of the whole
batch (`ops/batching`). Where that cannot be (a value is looked at, a rule is missing) it is called
once a sample and the results are stacked; `FLAMBEAU_SHOW=cache` says why.
"""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .autograd.tape import named
from .core.config import config
from .core.errors import NotBatched
from .graph.node import Node, topological
from .graph.realize import recording_samples
from .ops import batching, known
from .tensor import functionalize as f
from .tensor.creation import as_tensor
from .tensor.dispatch import Call, finish
from .tensor.generator import default_generator
from .tensor.names import PUBLIC
from .tensor.tensor import Tensor
from .core.pytree import _broadcast_to_and_flatten, tree_flatten, tree_unflatten

RANDOM = ("vmap: called random operation while in randomness error mode. Please either use the "
          "'same' or 'different' randomness flags on vmap or perform the randomness operation out "
          "of vmap")


def vmap(func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error",
         *, chunk_size: int | None = None) -> Callable[..., Any]:
    """func over the dims `in_dims` (None: the same for all), results stacked at `out_dims`.

    randomness  "error": random numbers inside are refused; "different" or "same" for all samples
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError("Only allowed values for randomness are 'error', 'different', or "
                           f"'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        leaves, spec = tree_flatten(args)
        dims = _flat_dims(in_dims, args, leaves, spec, func)
        kw_leaves, kw_spec = tree_flatten(kwargs)
        size = _batch(leaves, dims, kw_leaves, func)
        dims += [0 if isinstance(x, Tensor) else None for x in kw_leaves]
        n = len(leaves)

        def one(row: list[Any], last: bool = True, mode: str = randomness) -> Any:
            return _one(func, tree_unflatten(row[:n], spec), tree_unflatten(row[n:], kw_spec),
                        mode, last)

        state = default_generator.engine.get_state()
        try:
            return _at_once(one, leaves + kw_leaves, dims, size, randomness, out_dims, func)
        except NotBatched as reason:
            default_generator.engine.set_state(state)
            if "cache" in config.show:
                print(f"flambeau: vmap calls {_name(func)} once for each of {size} samples: "
                      f"{reason}")
        columns = [_samples(x, d, size) for x, d in zip(leaves + kw_leaves, dims)]
        results = [one([c[i] for c in columns], i == size - 1) for i in range(size)]
        return _stacked(results, out_dims, func)

    return call


# ---------------------------------------------------------------- a batch at once


def _at_once(one: Callable[..., Any], leaves: list[Any], dims: list[Any], size: int,
             randomness: str, out_dims: Any, func: Any) -> Any:
    """One call with leaves that stand for every sample; its graph, made one of the batch."""
    if not size:
        raise NotBatched("there are none")
    taken = Call()
    batches: dict[int, Node] = {}
    kept: list[Tensor] = []
    row = [_stand_in(x, d, taken, batches, kept) for x, d in zip(leaves, dims)]
    before = default_generator.engine.get_state()
    result = _recorded(lambda: one(row, mode="same" if randomness == "different" else randomness),
                       batches)
    if randomness == "different" and (default_generator.engine.get_state() != before).any():
        raise NotBatched("each has random numbers of its own")
    if any(t._counter.version for t in kept):
        raise NotBatched("the function writes to its arguments")
    flat, spec = tree_flatten(result)
    wanted = _out_dims(out_dims, spec, func)
    found = [_result(x, d, func) for x, d in zip(flat, wanted)]
    if any(isinstance(x, Tensor) and f.requires_grad(x) for x in found):
        raise NotBatched("the function uses a tensor that requires grad and is no argument")
    places = [k for k, d in enumerate(wanted) if d is not None]
    nodes = batching.batched([f.read(found[k]) for k in places], batches, size)
    made = finish(tuple(nodes), taken, named("VmapBackward0"))
    for k, t in zip(places, made):
        found[k] = t.movedim(0, wanted[k])
    return tree_unflatten(found, spec)


def _recorded(call: Callable[[], Any], batches: dict[int, Node]) -> Any:
    """The call's result. If it cannot be for a batch, what it wrote is as it was before."""
    made: list[Any] = []
    f.writes.append(made)
    try:
        with recording_samples():
            result = call()
        for storage, old in made:
            if _depends(storage.value, batches) and not _depends(old, batches):
                raise NotBatched("the function writes to a tensor that is the same for all")
    except NotBatched:
        for storage, old in reversed(made):
            storage.value = old
        raise
    finally:
        f.writes.pop()
    if f.writes:
        f.writes[-1].extend(made)
    return result


def _depends(node: Node, batches: dict[int, Node]) -> bool:
    return any(id(n) in batches for n in topological([node]))


def _stand_in(x: Any, dim: int | None, taken: Call, batches: dict[int, Node],
              kept: list[Tensor]) -> Any:
    """What the function gets for an argument; `batches` learns what its node stands for."""
    if dim is None:
        if not isinstance(x, Tensor) or not f.requires_grad(x):
            return x
        node = taken.take(x)
    else:
        batch = taken.take(x.movedim(dim, 0) if dim else x)
        node = batching.sample(batch)
        if node.dtype.kind in "iu":
            node.facts = known.bounds(batch)
        batches[id(node)] = batch
    kept.append(f.wrap(node))
    return kept[-1]


def _result(x: Any, dim: int | None, func: Any) -> Any:
    """A result that is to be a batch, as a tensor of one sample."""
    if dim is None or isinstance(x, Tensor):
        return x
    if not isinstance(x, (int, float, bool)):
        raise ValueError(f"vmap({_name(func)}, ...): `{_name(func)}` must only return Tensors, got "
                         f"type {type(x)}. Did you mean to set out_dims= to None for output?")
    return as_tensor(x)


def _out_dims(out_dims: Any, spec: Any, func: Any) -> list[Any]:
    """The dim of the batch in each result."""
    if out_dims is None or isinstance(out_dims, int):
        return [out_dims] * spec.num_leaves
    wanted = tuple(out_dims) if isinstance(out_dims, list) else out_dims
    if spec.is_leaf() and isinstance(wanted, tuple) and len(wanted) == 1:
        wanted = wanted[0]
    found = _broadcast_to_and_flatten(wanted, spec, lambda x: x is None or isinstance(x, int))
    if found is None:
        raise ValueError(f"vmap({_name(func)}, ..., out_dims={out_dims})(<inputs>): out_dims "
                         "is not compatible with the structure of `outputs`.")
    return found


# ---------------------------------------------------------------- one sample after another


def _name(func: Any) -> str:
    return getattr(func, "__name__", repr(func))


def _flat_dims(in_dims: Any, args: tuple[Any, ...], leaves: list[Any], spec: Any, func: Any,
               ) -> list[Any]:
    """The batch dim of every leaf, not negative; None for what is not batched."""
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>): expected "
                         "`in_dims` to be int or a (potentially nested) tuple matching the "
                         f"structure of inputs, got: {type(in_dims)}.")
    if not leaves:
        raise ValueError(f"vmap({_name(func)})(<inputs>): got no inputs. Maybe you forgot to add "
                         "inputs, or you are trying to vmap over a function with no inputs. The "
                         "latter is unsupported.")
    wanted = tuple(in_dims) if isinstance(in_dims, list) else in_dims
    flat = _broadcast_to_and_flatten(wanted, spec, lambda x: x is None or isinstance(x, int))
    if flat is None:
        raise ValueError(f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>): in_dims is not "
                         "compatible with the structure of inputs.")
    dims: list[int | None] = []
    for x, d in zip(leaves, flat):
        if d is None:
            dims.append(None)
            continue
        if not isinstance(x, Tensor):
            raise ValueError(f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>): Got "
                             f"in_dim={d} for an input but the input is of type {type(x)}. We "
                             "cannot vmap over non-Tensor arguments, please use None as the "
                             "respective in_dim")
        rank = len(x._shape)
        if not -rank <= d < rank:
            raise ValueError(f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>): Got "
                             f"in_dim={d} for some input, but that input is a Tensor of "
                             f"dimensionality {rank} so expected in_dim to satisfy "
                             f"-{rank} <= in_dim < {rank}.")
        dims.append(d % rank)
    return dims


def _batch(leaves: list[Any], dims: list[Any], more: list[Any], func: Any) -> int:
    """The number of samples."""
    sizes = [x._shape[d] for x, d in zip(leaves, dims) if d is not None]
    sizes += [x._shape[0] for x in more if isinstance(x, Tensor)]
    if not sizes:
        raise ValueError("vmap: at least one of the inputs must be batched (in_dims all None)")
    if any(n != sizes[0] for n in sizes):
        raise ValueError("vmap: Expected all tensors to have the same size in the mapped "
                         f"dimension, got sizes {sizes} for the mapped dimension")
    return sizes[0]


def _samples(x: Any, dim: int | None, size: int) -> Any:
    """The i-th sample for every i."""
    if dim is None:
        return [x] * size
    return [x.select(dim, i) for i in range(size)]


def _one(func: Callable[..., Any], args: Any, kwargs: Any, randomness: str, last: bool,
         ) -> Any:
    """One call, its random numbers as the mode says."""
    if randomness == "different":
        return func(*args, **kwargs)
    engine = default_generator.engine
    before = engine.get_state()
    result = func(*args, **kwargs)
    moved = (engine.get_state() != before).any()
    if moved and randomness == "error":
        raise RuntimeError(RANDOM)
    if moved and randomness == "same" and not last:
        engine.set_state(before)
    return result


def _stacked(results: list[Any], out_dims: Any, func: Any) -> Any:
    """The samples' results as batches, at the dims asked for."""
    if not results:
        raise ValueError("vmap: the batch is empty; flambeau needs at least one sample")
    flat = [tree_flatten(r) for r in results]
    spec = flat[0][1]
    dims = _out_dims(out_dims, spec, func)
    stack = PUBLIC["torch"]["stack"]
    made = []
    for k, dim in enumerate(dims):
        column = [row[k] for row, _ in flat]
        column = [_result(c, dim, func) for c in column]
        made.append(column[0] if dim is None else stack(column, dim))
    return tree_unflatten(made, spec)
