"""Every sample: the compiled program agrees with the interpreter, gradients with differences."""
import numpy as np
import pytest

from flambeau.graph.interpret import evaluate
from flambeau.graph.realize import realize
from flambeau.ops import derive
from flambeau.ops.algebra import cast

from .samples import Sample, all_samples, nodes, results

SAMPLES = all_samples()
STEP = 1e-6


def outputs(sample: Sample, args, kwargs):
    with np.errstate(all="ignore"):
        return list(results(sample.call(nodes(args), nodes(kwargs))))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_compiled_agrees_with_interpreter(sample):
    args, kwargs = sample.arguments()
    expected = evaluate(outputs(sample, args, kwargs))
    compiled = outputs(sample, args, kwargs)
    if not compiled:                              # a Python bool: the call has computed it
        return
    realize(compiled)
    for node, want in zip(compiled, expected):
        got = node.value.numpy(node.dtype.numpy, node.shape)
        tol = 2e-5 if node.dtype.itemsize < 8 else 1e-9
        np.testing.assert_allclose(got, want, rtol=tol, atol=tol)


def total(sample, args, kwargs, weights):
    """sum(w * out) over the float results, as a number."""
    outs = [o for o in outputs(sample, args, kwargs) if o.dtype.kind == "f"]
    return sum(float((w * v.astype(np.float64)).sum()) for w, v in zip(weights, evaluate(outs)))


def gradients(sample, args, kwargs, weights):
    """The gradients of `total` by the float arrays among the positional arguments, as nodes."""
    raw = nodes(args)
    outs = [o for o in results(sample.call(raw, nodes(kwargs))) if o.dtype.kind == "f"]
    wrt = [n for n, a in zip(raw, args) if isinstance(a, np.ndarray) and a.dtype == np.float64]
    sums = [None] * len(wrt)
    for out, w in zip(outs, weights):
        for i, d in enumerate(derive.reverse(out, cast(nodes(w), out.dtype), wrt)):
            if d is not None:
                sums[i] = d if sums[i] is None else sums[i] + d
    return wrt, sums


def weights_for(sample, args, kwargs, rng):
    return [np.asarray(rng.standard_normal(o.shape)) for o in outputs(sample, args, kwargs)
            if o.dtype.kind == "f"]


DIFFERENTIABLE = [s for s in SAMPLES if s.grad and s.name not in (
    "floor", "ceil", "trunc", "round", "sign", "remainder", "fmod")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sample", DIFFERENTIABLE, ids=str)
def test_gradient_is_the_limit_of_differences(sample):
    """Along a random direction per argument; at a tie or a kink the limit does not exist."""
    args, kwargs = sample.arguments()
    if any(isinstance(a, np.ndarray) and a.dtype == np.float64 and _has_ties(a) for a in args):
        pytest.skip("no limit at a tie")
    if not all(o.size for o in outputs(sample, args, kwargs)):
        pytest.skip("nothing to differentiate")
    rng = np.random.default_rng(5)
    weights = weights_for(sample, args, kwargs, rng)
    _, grads = gradients(sample, args, kwargs, weights)
    places = [i for i, a in enumerate(args)
              if isinstance(a, np.ndarray) and a.dtype == np.float64]
    for place, grad in zip(places, grads):
        if grad is None:
            continue
        way = np.asarray(rng.standard_normal(args[place].shape))
        low, high = list(args), list(args)
        low[place] = np.asarray(args[place] - STEP * way)
        high[place] = np.asarray(args[place] + STEP * way)
        slope = (total(sample, high, kwargs, weights) - total(sample, low, kwargs, weights))
        want = slope / (2 * STEP)
        got = float((evaluate([grad])[0] * way).sum())
        assert got == pytest.approx(want, rel=2e-4, abs=2e-5)


def _has_ties(a):
    return a.size > 1 and np.unique(a).size < a.size


SECOND = [s for s in DIFFERENTIABLE if s.name in (
    "exp", "tanh", "sigmoid", "mul", "div", "pow", "sqrt", "log", "softmax", "log_softmax", "var",
    "std", "mean", "logsumexp", "lgamma", "prod", "cumprod", "square", "hypot", "special.i0",
    "norm", "nn.functional.gelu", "nn.functional.silu", "nn.functional.softplus",
    "nn.functional.layer_norm", "nn.functional.rms_norm", "nn.functional.group_norm",
    "nn.functional.cross_entropy", "nn.functional.binary_cross_entropy_with_logits",
    "nn.functional.mse_loss", "nn.functional.cosine_similarity", "nn.functional.normalize")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sample", SECOND, ids=str)
def test_second_gradient_is_the_limit_of_differences(sample):
    args, kwargs = sample.arguments()
    if not isinstance(args[0], np.ndarray) or args[0].dtype != np.float64 or _has_ties(args[0]):
        pytest.skip("the first argument has no gradient")
    rng = np.random.default_rng(6)
    weights = weights_for(sample, args, kwargs, rng)
    way, along = (np.asarray(rng.standard_normal(args[0].shape)) for _ in range(2))
    wrt, grads = gradients(sample, args, kwargs, weights)
    if grads[0] is None:
        pytest.skip("no gradient")
    second = derive.reverse(grads[0], nodes(way), [wrt[0]])[0]
    got = 0.0 if second is None else float((evaluate([second])[0] * along).sum())
    values = []
    for sign in (1, -1):
        moved = [np.asarray(args[0] + sign * STEP * along), *args[1:]]
        values.append(float((evaluate([gradients(sample, moved, kwargs, weights)[1][0]])[0]
                             * way).sum()))
    assert got == pytest.approx((values[0] - values[1]) / (2 * STEP), rel=1e-3, abs=1e-4)


HALF = [s for s in SAMPLES if s.grad and s.name in (
    "softmax", "log_softmax", "mean", "sum", "nn.functional.gelu", "nn.functional.silu",
    "nn.functional.layer_norm", "nn.functional.cross_entropy", "var", "logsumexp", "norm")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
@pytest.mark.parametrize("sample", HALF, ids=str)
def test_halves_are_rounded_once(sample, kind):
    """The result is the float32 one, rounded."""
    import ml_dtypes
    half = np.dtype(np.float16) if kind == "float16" else np.dtype(ml_dtypes.bfloat16)
    args, kwargs = sample.arguments()
    if not any(isinstance(a, np.ndarray) and a.dtype == np.float64 for a in args):
        pytest.skip("no floats")
    small = [a.astype(half) if isinstance(a, np.ndarray) and a.dtype == np.float64 else a
             for a in args]
    wide = [a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype == half else a
            for a in small]
    outs = outputs(sample, small, kwargs)
    for node, got, want in zip(outs, evaluate(outs), evaluate(outputs(sample, wide, kwargs))):
        assert node.dtype.name == kind
        want = want.astype(half).astype(np.float32)
        step = 2.0 ** -9 if kind == "float16" else 2.0 ** -7
        np.testing.assert_allclose(got.astype(np.float32), want, rtol=step, atol=1e-3)
