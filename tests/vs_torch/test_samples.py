"""Every sample of tests/ops against PyTorch: values, dtypes, gradients, other types, errors."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import flambeau  # noqa: E402
from flambeau.core.pytree import tree_flatten, tree_map, tree_unflatten  # noqa: E402
from tests.interpreted import by_interpreter  # noqa: E402
from tests.ops.samples import Draw, Sample, all_samples, flat, tensors  # noqa: E402

SAMPLES = [s for s in all_samples() if not s.name.startswith("_")]
FIRST = list({s.name: s for s in reversed(SAMPLES)}.values())
pytestmark = pytest.mark.filterwarnings("ignore")


# PyTorch has no gradient of these; ours are compared with differences.
REFUSALS = ("is not implemented", "does not support automatic differentiation",
            "modified by an inplace operation")


def kind_of(t: Any) -> str:
    return str(t.dtype).split(".")[1]


def values(t: Any) -> np.ndarray:
    t = t.detach().resolve_conj().resolve_neg().clone()
    return np.array(t.double().numpy() if kind_of(t) == "bfloat16" else t.numpy())


def alike(got: Any, want: Any, tol: float) -> None:
    assert kind_of(got) == kind_of(want)
    assert tuple(got.shape) == tuple(want.shape)
    np.testing.assert_allclose(values(got), values(want), rtol=tol, atol=tol)


def run(lib: Any, sample: Sample, grad: bool) -> tuple[list[Any], list[Any]]:
    """(results, gradients of sum(weights * results)), as a library has them."""
    leaves, spec = tree_flatten(sample.arguments())
    arrays = [i for i, x in enumerate(leaves) if isinstance(x, np.ndarray)]
    wanted = []
    for n, i in enumerate(arrays):
        tracked = grad and leaves[i].dtype.kind in "fc" and (sample.by is None or n in sample.by)
        leaves[i] = lib.from_numpy(leaves[i].copy())
        if tracked:
            wanted.append(leaves[i].requires_grad_())
    args, kwargs = tensors(lib, tree_unflatten(leaves, spec))
    outs = flat(lib, sample.call(lib, args, kwargs))
    live = [o for o in outs if o.requires_grad]
    if not wanted or not live:
        return outs, []
    rng = np.random.default_rng(3)
    starts = [lib.from_numpy(np.asarray(rng.standard_normal(tuple(o.shape)))).to(o.dtype)
              for o in live]
    return outs, list(lib.autograd.grad(live, wanted, starts, allow_unused=True))


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_sample(sample: Sample) -> None:
    """Values, dtypes, shapes and gradients."""
    grad = sample.grad and not sample.alone
    try:
        want, slopes = run(torch, sample, grad)
    except RuntimeError as error:
        if not any(words in str(error) for words in REFUSALS):
            raise
        grad = False
        want, slopes = run(torch, sample, grad)
    got, mine = run(flambeau, sample, grad)
    for a, b in zip(got, want, strict=True):
        alike(a, b, sample.tol)
    for a, b in zip(mine, slopes, strict=True):
        if a is None or b is None:
            assert all(g is None or not values(g).any() for g in (a, b))
        else:
            alike(a, b, sample.tol * 5)


# ---------------------------------------------------------------- types

KINDS = ("float32", "float16", "bfloat16", "complex64", "int64", "int32", "uint8", "bool")
LIMITS = {"float16": 2e-2, "bfloat16": 1e-1, "float32": 1e-3, "complex64": 1e-3}


def outcome(lib: Any, sample: Sample, args: Any, kwargs: Any) -> Any:
    """The results of a call, computed; or the exception."""
    try:
        outs = flat(lib, sample.call(lib, args, kwargs))
        for o in outs:
            values(o)
        return outs
    except Exception as error:  # noqa: BLE001 - whatever it raises is what is compared
        return error


ACCIDENTS = ("tuple index out of range", "to unpack", "object has no attribute", "Could this error "
             "message be improved", "unsupported operand", "not supported between instances")


def family(error: Exception) -> type:
    """What a program would catch it by; what broke by accident in PyTorch may break in any way."""
    if any(words in str(error) for words in ACCIDENTS):
        return Exception
    for kind in (TypeError, IndexError, ValueError, RuntimeError):
        if isinstance(error, kind):
            return kind
    return type(error)


def cast(lib: Any, value: Any, kind: str) -> Any:
    """Floats of the arguments in another type."""
    return tree_map(lambda t: t.to(getattr(lib, kind)) if isinstance(t, lib.Tensor)
                    and kind_of(t) in ("float64", "complex128") else t, value)


@pytest.mark.parametrize("sample", FIRST, ids=str)
def test_types(sample: Sample) -> None:
    """What PyTorch computes has its dtype here, and nearly its values."""
    for kind in KINDS:
        given = [cast(lib, tensors(lib, sample.arguments()), kind) for lib in (torch, flambeau)]
        want = outcome(torch, sample, *given[0])
        if isinstance(want, Exception):
            continue
        with by_interpreter():
            got = outcome(flambeau, sample, *given[1])
        assert not isinstance(got, Exception), (kind, got)
        for a, b in zip(got, want, strict=True):
            assert (kind, kind_of(a), tuple(a.shape)) == (kind, kind_of(b), tuple(b.shape))
            if kind in LIMITS and np.isfinite(values(b)).all():
                np.testing.assert_allclose(values(a), values(b), LIMITS[kind], LIMITS[kind], kind)


# ---------------------------------------------------------------- errors


def changes(sample: Sample) -> Iterator[tuple[str, Sample]]:
    """The sample with one argument spoilt."""
    for i, a in enumerate(sample.args):
        def given(other: Any, i: int = i) -> Sample:
            return Sample(sample.name, (*sample.args[:i], other, *sample.args[i + 1:]),
                          sample.kwargs, via=sample.via, before=sample.before, after=sample.after)

        if isinstance(a, Draw):
            yield f"{i}: a word", given("spoilt")
            yield f"{i}: one dim more", given(Draw((7, *a.shape), a.low, a.high, a.kind))
            yield f"{i}: sizes", given(Draw(tuple(n + 6 for n in a.shape), a.low, a.high, a.kind))
            yield f"{i}: no dims", given(Draw((), a.low, a.high, a.kind))
        elif type(a) is int:
            yield f"{i}: far", given(97)
            yield f"{i}: below", given(-97)
            yield f"{i}: a word", given("spoilt")
    yield "a keyword", Sample(sample.name, sample.args, {**sample.kwargs, "spoilt": 1},
                              via=sample.via, before=sample.before, after=sample.after)


@pytest.mark.parametrize("sample", [s for s in FIRST if s.spoil], ids=str)
def test_errors(sample: Sample) -> None:
    """A spoilt call is refused as PyTorch refuses it, or has a result of the same shape.

    Without dims, and with a word for a tensor, any exception will do.
    """
    wrong = []
    for what, spoilt in changes(sample):
        want = outcome(torch, spoilt, *tensors(torch, spoilt.arguments()))
        with by_interpreter():
            got = outcome(flambeau, spoilt, *tensors(flambeau, spoilt.arguments()))
        if isinstance(want, Exception):
            refusal = Exception if what.endswith(("a word", "no dims")) else family(want)
            if not isinstance(got, refusal):
                wrong.append((what, repr(want)[:150], repr(got)[:150]))
        elif isinstance(got, Exception):
            wrong.append((what, [tuple(t.shape) for t in want], repr(got)[:150]))
        elif [tuple(t.shape) for t in got] != [tuple(t.shape) for t in want]:
            wrong.append((what, [tuple(t.shape) for t in want], [tuple(t.shape) for t in got]))
    assert not wrong, "\n".join(map(str, wrong))
