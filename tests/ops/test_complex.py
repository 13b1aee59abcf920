"""Complex nodes: compiled as pairs of reals, or in NumPy where there is no rule."""
import numpy as np
import pytest

from flambeau.graph.interpret import evaluate
from flambeau.graph.realize import realize
from flambeau.ops import algebra as a
from flambeau.ops import derive
from flambeau.ops.table import TABLE

from .samples import leaf


def draw(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


UNARY = """exp sin tan sqrt log reciprocal square neg sigmoid tanh abs sgn angle real imag conj sum
    mean prod torch.view_as_real isnan logsumexp sinc""".split()


def call(name, *args):
    more = (0,) if name == "logsumexp" else ()
    return TABLE[name].fn(*args, *more)


@pytest.mark.parametrize("name", UNARY)
def test_compiled_agrees_with_interpreter(name):
    z = draw(3, 4)
    want = evaluate([call(name, leaf(z))])[0]
    node = call(name, leaf(z))
    realize([node])
    np.testing.assert_allclose(node.value.numpy(node.dtype.numpy, node.shape), want, rtol=1e-10)


def test_matrix_product_movement_and_writes():
    z, w = draw(3, 4), draw(4, 2, seed=1)
    product = a.dot(leaf(z), leaf(w), (0, 1), (1, 2), (0, 2))
    turned = a.flip(a.transpose(leaf(z), 0, 1), (0,))
    places = [leaf(np.array([0, 2])), leaf(np.array([1, 1]))]
    put = a.put(leaf(z), leaf(np.array([9j, 8.0])), places, (0, 1))
    realize([product, turned, put])
    expected = z.copy()
    expected[[0, 2], [1, 1]] = [9j, 8.0]
    for node, want in ((product, z @ w), (turned, z.T[::-1]), (put, expected)):
        np.testing.assert_allclose(node.value.numpy(node.dtype.numpy, node.shape), want)


@pytest.mark.parametrize("name", ["exp", "sin", "tanh", "log", "square", "abs", "reciprocal",
                                  "sqrt", "angle", "sgn", "prod", "sinc", "sigmoid"])
def test_gradient_is_the_limit_of_differences(name):
    """g conj(f') for a holomorphic f: d/d(re) + i d/d(im) of the sum of Re(conj(w) out)."""
    z = draw(2, 3)
    x = leaf(z)
    out = call(name, x)
    w = draw(*out.shape, seed=3)
    weight = a.cast(leaf(np.asarray(w)), out.dtype)
    got = evaluate([derive.reverse(out, weight, [x])[0]])[0]

    def total(at):
        value = evaluate([call(name, leaf(at))])[0]
        kept = w if out.dtype.kind == "c" else w.real
        return float((np.conj(kept) * value).sum().real)

    step = 1e-6
    for way in (draw(2, 3, seed=4), 1j * draw(2, 3, seed=5)):
        slope = (total(z + step * way) - total(z - step * way)) / (2 * step)
        assert (np.conj(got) * way).sum().real == pytest.approx(slope, rel=1e-5, abs=1e-7)
