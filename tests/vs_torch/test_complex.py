"""Complex numbers agree with PyTorch: values, gradients, promotion, errors, text."""
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

import flambeau  # noqa: E402

rng = np.random.default_rng(0)


def plane(*shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


Z, W, R = plane(3, 4), plane(3, 4), rng.normal(size=(3, 4))
ZERO = Z.copy()
ZERO[0, 0] = 0
INFINITE = np.array([complex(x, y) for x in (0.0, 2.0, np.inf, -np.inf)
                     for y in (0.0, -1.0, np.inf, -np.inf) if np.isinf(x) or np.isinf(y)])
UNARY = """exp exp2 log log2 log10 log1p expm1 sqrt rsqrt reciprocal sin cos tan sinh cosh tanh asin
    acos atan asinh acosh atanh sigmoid abs angle sgn neg square real imag conj conj_physical
    view_as_real positive sum mean prod var std trace tril""".split()
BINARY = "add sub mul div pow".split()


def outcome(package, call, arrays):
    """The result and the gradients as arrays, or the error."""
    tensors = [package.tensor(a).requires_grad_() for a in arrays]
    try:
        out = call(package, *tensors)
        seed = np.random.default_rng(1).normal(size=(*out.shape, 2)) @ [1, 1j]
        seed = seed if out.dtype.is_complex else np.real(seed)
        grads = package.autograd.grad(out, tensors, package.tensor(seed).to(out.dtype))
    except Exception as error:                       # compared below
        return type(error).__name__, str(error)
    return [t.detach().resolve_conj().resolve_neg().numpy() for t in (out, *grads)]


def agree(call, *arrays):
    mine, theirs = (outcome(p, call, arrays) for p in (flambeau, torch))
    assert isinstance(theirs, tuple) == isinstance(mine, tuple), (mine, theirs)
    if isinstance(theirs, tuple):
        assert mine == theirs
        return
    for a, b in zip(mine, theirs):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    agree(lambda t, x: getattr(t, name)(x), Z)


@pytest.mark.parametrize("name", ["abs", "angle", "sgn", "prod", "square"])
def test_at_zero(name):
    agree(lambda t, x: getattr(t, name)(x), ZERO)


@pytest.mark.parametrize("name", """exp log sqrt rsqrt asin acos asinh acosh abs reciprocal
    log2 log10 isinf isnan isfinite""".split())
def test_infinite(name):
    mine = getattr(flambeau, name)(flambeau.tensor(INFINITE)).numpy()
    theirs = getattr(torch, name)(torch.tensor(INFINITE)).numpy()
    for part in ("real", "imag"):
        np.testing.assert_allclose(getattr(mine, part), getattr(theirs, part), rtol=1e-12)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("other", [W, R, plane(4), 2.5 + 1j, 2.5, 3, -2], ids=range(7))
def test_binary(name, other):
    if isinstance(other, np.ndarray):
        agree(lambda t, x, y: getattr(t, name)(x, y), Z, other)
        agree(lambda t, x, y: getattr(t, name)(y, x), W, np.abs(other))
    else:
        agree(lambda t, x: getattr(t, name)(x, other), Z)
        agree(lambda t, x: getattr(t, name)(x, other), np.abs(R))


@pytest.mark.parametrize("call,shapes", [
    (lambda t, x, y: x @ y, [(3, 4), (4, 5)]),
    (lambda t, x, y: t.bmm(x, y), [(2, 3, 4), (2, 4, 5)]),
    (lambda t, x, y: t.vdot(x, y), [(4,), (4,)]), (lambda t, x, y: t.dot(x, y), [(4,), (4,)]),
    (lambda t, x, y: t.einsum("ij,kj->ik", x, y), [(3, 4), (2, 4)]),
    (lambda t, c, x, y: t.addmm(c, x, y, alpha=2 + 1j, beta=1j), [(3, 5), (3, 4), (4, 5)]),
    (lambda t, x, y: t.nn.functional.conv2d(x, y, padding=1, stride=2),
     [(2, 3, 6, 6), (4, 3, 3, 3)]),
    (lambda t, x, y: t.nn.functional.conv_transpose1d(x, y, stride=2), [(2, 3, 6), (3, 4, 3)]),
    (lambda t, x: x.cumprod(0), [(3, 4)]), (lambda t, x: x.logcumsumexp(0), [(3, 4)]),
    (lambda t, x: x.mH @ x, [(3, 4)]), (lambda t, x: t.cov(x), [(3, 4)]),
    (lambda t, x: x[1:, ::2], [(3, 4)]), (lambda t, x: x.unfold(1, 2, 1), [(3, 4)]),
    (lambda t, x, y: t.cat([x, y]), [(3, 4), (2, 4)]), (lambda t, x: x.real * x.imag, [(3, 4)]),
    (lambda t, x, y: t.addcdiv(x, x, y, value=1j), [(3, 4), (3, 4)]),
    (lambda t, x, y: t.linalg.vector_norm(x - y, 3), [(3, 4), (3, 4)]),
    (lambda t, x: t.view_as_complex(x.abs()), [(3, 2)]),
    (lambda t, x: t.autograd.grad((x.exp() * x.conj()).abs().sum(), x, create_graph=True)[0],
     [(3, 4)]),
], ids=range(20))
def test_several(call, shapes):
    agree(call, *[plane(*s) for s in shapes])


def same(call):
    found = []
    for package in (flambeau, torch):
        try:
            out = call(package, package.tensor([1 + 2j, 0j, 3 - 1j]))
            out = out.tolist() if isinstance(out, package.Tensor) else out
        except Exception as error:                   # compared
            out = type(error).__name__, str(error)
        found.append(out)
    assert found[0] == found[1]


@pytest.mark.parametrize("name", """lt le gt ge maximum fmin floor_divide remainder fmod atan2 hypot
    copysign nextafter bitwise_and heaviside logical_and""".split())
def test_refusals_of_two(name):
    same(lambda t, x: getattr(t, name)(x, x))


@pytest.mark.parametrize("name", """max min amax argmax sort median mode floor ceil round trunc frac
    sign erf lgamma digamma nansum unique histc aminmax signbit deg2rad logit erfinv isposinf
    logical_not all any count_nonzero nonzero""".split())
def test_refusals_of_one(name):
    same(lambda t, x: getattr(t, name)(x))


@pytest.mark.parametrize("name", """relu gelu softplus elu leaky_relu hardtanh mish logsigmoid
    hardswish relu6 selu celu""".split())
def test_refusals_of_activations(name):
    same(lambda t, x: getattr(t.nn.functional, name)(x))


@pytest.mark.parametrize("call", [
    lambda t, x: repr(x), lambda t, x: repr(x.conj()), lambda t, x: repr(x.requires_grad_()),
    lambda t, x: repr(t.tensor([[1e10 + 1j, float("nan")], [0j, float("inf")]])),
    lambda t, x: str((t.ones(2, dtype=t.float64) * 1j).dtype), lambda t, x: x.abs(),
    lambda t, x: t.ones(3).mul_(1j), lambda t, x: t.ones(3).add_(x), lambda t, x: x.float(),
    lambda t, x: t.full((2,), 1j), lambda t, x: t.linspace(0, 1j, 3), lambda t, x: x.bool(),
    lambda t, x: t.ones(2).fill_(1j), lambda t, x: t.ones(2).imag, lambda t, x: t.real(t.ones(2)),
    lambda t, x: t.complex(t.ones(2), t.ones(2, dtype=t.float64)), lambda t, x: x.conj().numpy(),
    lambda t, x: t.polar(t.ones(2), t.tensor([0, 1])), lambda t, x: float(x[0]),
    lambda t, x: t.view_as_complex(t.ones(3)), lambda t, x: x.view(t.float32),
    lambda t, x: t.add(t.ones(3), t.ones(3), alpha=1j), lambda t, x: x.sum().backward(),
    lambda t, x: x.requires_grad_().sum().backward(), lambda t, x: x == 1 + 2j,
    lambda t, x: (x.conj().is_conj(), x.conj()[1:].is_conj(), x.conj().conj().is_conj()),
    lambda t, x: t.isreal(x), lambda t, x: x.abs_(), lambda t, x: x.H,
    lambda t, x: (x.real.stride(), x[1:].imag.storage_offset(), x.real._base is x),
], ids=range(30))
def test_behaviour(call):
    same(call)
