"""Every operation's other forms: arguments that are views, the in-place form, `out=`."""
from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.pytree import tree_flatten, tree_unflatten
from flambeau.ops.table import TABLE
from tests.interpreted import by_interpreter

from .samples import Sample, all_samples, flat, function, tensors

SAMPLES = all_samples()
BY_NAME: dict[str, list[Sample]] = {}
for _sample in SAMPLES:
    BY_NAME.setdefault(_sample.name, []).append(_sample)
pytestmark = pytest.mark.filterwarnings("ignore")


def strided(array: np.ndarray) -> torch.Tensor:
    """The array as every second element, from the second on, of one with its dims reversed."""
    base = np.ones(tuple(2 * n + 1 for n in reversed(array.shape)), array.dtype)
    base[(slice(1, None, 2),) * array.ndim] = array.T
    view = torch.tensor(base)[(slice(1, None, 2),) * array.ndim]
    return view.permute(*reversed(range(array.ndim))) if array.ndim else view


def same(got: Any, want: Any) -> None:
    assert got.dtype is want.dtype
    assert got.shape == want.shape
    single = got.dtype.is_floating_point and got.element_size() < 8
    tol = 2e-5 if single or got.dtype is torch.complex64 else 1e-9
    np.testing.assert_allclose(got.resolve_conj().numpy(), want.resolve_conj().numpy(), rtol=tol,
                               atol=tol)


# Their arguments say how memory is laid out, or name a contiguous result.
LAYOUTS = {"as_strided", "Tensor.view", "Tensor.view_as", "torch.as_strided_copy",
           "torch.view_copy", "torch.view_as_complex", "torch.view_as_complex_copy",
           "as_strided_scatter"}


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.name not in LAYOUTS], ids=str)
def test_arguments_that_are_views(sample: Sample) -> None:
    args, kwargs = sample.arguments()
    want = flat(torch, sample.call(torch, *tensors(torch, (args, kwargs))))
    got = flat(torch, sample.call(torch, *tensors(torch, (args, kwargs), strided)))
    assert len(got) == len(want)
    for a, b in zip(got, want):
        same(a, b)


# ---------------------------------------------------------------- batches


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.name not in LAYOUTS], ids=str)
def test_batch(sample: Sample) -> None:
    """`vmap` of the call, over its arguments and over them turned round, gives what each gives."""
    leaves, spec = tree_flatten(sample.arguments())
    places = [i for i, x in enumerate(leaves) if isinstance(x, np.ndarray) and x.ndim]
    if not places:
        return

    def call(*moved: Any) -> Any:
        given = list(leaves)
        for i, x in zip(places, moved):
            given[i] = x
        out = sample.call(torch, *tensors(torch, tree_unflatten(given, spec)))
        return tuple(flat(torch, out))

    pairs = [np.stack([leaves[i], np.flip(leaves[i])]) for i in places]
    with by_interpreter():
        try:
            want = [call(*[torch.tensor(p[k]) for p in pairs]) for k in (0, 1)]
            _ = [t.numpy(force=True) for row in want for t in row]
        except (RuntimeError, IndexError, ValueError):
            return                              # not of arguments turned round
        if [t.shape for t in want[0]] != [t.shape for t in want[1]] or not want[0]:
            return
        got = torch.vmap(call)(*[torch.tensor(p) for p in pairs])
        for t, *both in zip(got, *want):
            same(t, torch.stack([x.detach() for x in both]))


# ---------------------------------------------------------------- in-place

CHANGING = [n for n, e in TABLE.items() if e.inplace and e.view is None]


def rows(name: str) -> Iterator[tuple[Sample, Any, Any]]:
    """The samples of an entry, by whichever of its names, and their arguments."""
    for other in TABLE[name].names:
        for sample in BY_NAME.get(other, []):
            if sample.before is None and sample.after is None:
                yield sample, *sample.arguments()


@pytest.mark.parametrize("name", CHANGING)
def test_in_place(name: str) -> None:
    """`x.op_(...)` is what `x.op(...)` is, in a view of something larger that stays as it was; or
    it is refused, where the result has another shape or a type that x cannot take."""
    done = 0
    for sample, args, kwargs in rows(name):
        if not isinstance(args[0], np.ndarray):
            continue
        args, kwargs = tensors(torch, (args, kwargs))
        frame = torch.ones(tuple(n + 2 for n in args[0].shape), dtype=args[0].dtype)
        x = frame[(slice(1, -1),) * args[0].dim()]
        x.copy_(args[0])
        want = flat(torch, sample.call(torch, args, kwargs))[0]
        call = function(torch, name + "_")
        if want.shape != x.shape or not torch.can_cast(want.dtype, x.dtype):
            with pytest.raises(RuntimeError):
                call(x, *args[1:], **kwargs)
            continue
        torch.manual_seed(7)
        assert call(x, *args[1:], **kwargs) is x
        same(x, want.to(x.dtype))
        outside = torch.ones_like(frame, dtype=torch.bool)
        outside[(slice(1, -1),) * x.dim()] = False
        assert bool((frame[outside] == 1).all())
        done += 1
    assert done, f"no sample of {name} can be done in place"


# ---------------------------------------------------------------- out=

# Where PyTorch's functions take out=; those of nn.functional and the methods do not.
SPACES = ("", "torch", "linalg", "special", "fft")
INTO = [n for n, e in TABLE.items() if e.out and n.rpartition(".")[0] in SPACES]


@pytest.mark.parametrize("name", INTO)
def test_out(name: str) -> None:
    """Into tensors of the right size, of none, of another one, of a type that cannot hold it."""
    for sample, args, kwargs in rows(name):
        args, kwargs = tensors(torch, (args, kwargs))
        result = sample.call(torch, args, kwargs)
        want = flat(torch, result)
        if not want or sample.via or isinstance(result, list):
            continue
        call = function(torch, name)
        pack = tuple if isinstance(result, tuple) else next
        for shape in (lambda t: t.shape, lambda t: (0,)):
            outs = [torch.empty(shape(t), dtype=t.dtype) for t in want]
            got = flat(torch, call(*args, **kwargs, out=pack(iter(outs))))
            assert all(a is b for a, b in zip(got, outs, strict=True))
            for a, b in zip(got, want):
                same(a, b)
        wrong_size(call, args, kwargs, want, pack)
        wrong_type(call, args, kwargs, want, pack)
        return


def wrong_size(call: Any, args: Any, kwargs: Any, want: Any, pack: Any) -> None:
    outs = [torch.empty((3, *t.shape), dtype=t.dtype) for t in want]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        call(*args, **kwargs, out=pack(iter(outs)))
    assert any("An output with one or more elements was resized" in str(w.message) for w in seen)
    for a, b in zip(outs, want):
        same(a, b)


def wrong_type(call: Any, args: Any, kwargs: Any, want: Any, pack: Any) -> None:
    if want[0].dtype is torch.bool:
        return
    outs = [torch.empty(t.shape, dtype=torch.bool) for t in want]
    with pytest.raises(RuntimeError, match="can't be cast|Expected out tensor to have dtype"):
        call(*args, **kwargs, out=pack(iter(outs)))
