"""Complex numbers against NumPy, the interpreter and finite differences; their views."""
import copy

import numpy as np
import pytest

import flambeau as torch
from flambeau.graph.interpret import evaluate
from flambeau.tensor.functionalize import read

rng = np.random.default_rng(0)
PLANE = rng.normal(size=60) * 3 + 1j * rng.normal(size=60) * 3
LIST = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-3, 1e30, -1e30, 20.0, -60.0]
EDGES = np.array([complex(x, y) for x in LIST for y in LIST])
NUMPY = {"exp": np.exp, "log": np.log, "log2": np.log2, "log10": np.log10, "sqrt": np.sqrt,
         "expm1": np.expm1, "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan,
         "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asin": np.arcsin, "acos": np.arccos,
         "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
         "reciprocal": lambda z: 1 / z, "abs": np.abs, "angle": np.angle, "neg": np.negative,
         "conj": np.conj, "square": np.square, "exp2": np.exp2}
HOLOMORPHIC = """exp exp2 log log2 log10 log1p expm1 sqrt rsqrt reciprocal sin cos tan sinh cosh
    tanh asin acos atan asinh acosh atanh sigmoid square neg""".split()
OTHERS = "abs angle real imag conj sgn".split()


def close(got, want, tol):
    """A small distance, or where the wanted number is infinite, parts that are alike."""
    with np.errstate(all="ignore"):
        near = np.abs(got - want) <= tol * (np.abs(want) + 1e-30)
        parts = np.isinf(want)
        for a, b in ((got.real, want.real), (got.imag, want.imag)):
            parts = parts & ((a == b) | (np.abs(a - b) <= tol * np.abs(b)))
    return np.all(near | parts | np.isnan(want))


@pytest.mark.parametrize("kind", ["complex64", "complex128"])
@pytest.mark.parametrize("name", NUMPY)
def test_function_agrees_with_numpy(name, kind):
    # The powers that only NumPy's own steps would reproduce beyond the range are left out.
    for z in (PLANE,) if name in ("square", "exp2") else (PLANE, EDGES):
        with np.errstate(all="ignore"):
            want = NUMPY[name](z.astype(kind).astype(np.complex128))
            want = want.astype(kind if want.dtype.kind == "c" else kind.replace("complex64", "f4")
                               .replace("complex128", "f8"))
        got = getattr(torch, name)(torch.tensor(z.astype(kind))).resolve_conj().numpy()
        assert got.dtype == want.dtype
        assert close(got, want, 2e-6 if kind == "complex64" else 3e-13), name


@pytest.mark.parametrize("name", ["sqrt", "log", "acos", "asin", "atanh", "acosh", "atan"])
def test_branch_cut_follows_the_sign_of_zero(name):
    for x in (-3.0, 3.0):
        for y in (0.0, -0.0):
            z = np.array([complex(x, y), complex(y, x)])
            got = getattr(torch, name)(torch.tensor(z)).numpy()
            assert close(got, NUMPY[name](z), 1e-14), (name, z)


@pytest.mark.parametrize("name", HOLOMORPHIC + OTHERS)
def test_gradient(name):
    z = torch.tensor(PLANE[:6], requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: getattr(torch, name)(x).clone(), (z,))


@pytest.mark.parametrize("f", [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b,
    lambda a, b: a ** b, lambda a, b: a.reshape(3, 2) @ b.reshape(2, 3),
    lambda a, b: torch.vdot(a, b), lambda a, b: torch.outer(a, b),
    lambda a, b: torch.nn.functional.conv1d(a.reshape(1, 1, 6), b.reshape(2, 1, 3)),
    lambda a, b: torch.complex(a.abs(), b.abs()), lambda a, b: torch.polar(a.abs(), b.angle()),
    lambda a, b: torch.view_as_complex(torch.view_as_real(a) * torch.view_as_real(b)),
    lambda a, b: a.cumprod(0) * b.cumsum(0), lambda a, b: a.prod() * b.sum(),
    lambda a, b: a.real * b, lambda a, b: torch.where(a.real > 0, a, b),
    lambda a, b: (a.logcumsumexp(0) - b.logsumexp(0)).abs(),
], ids=range(17))
def test_gradient_of_two(f):
    a = torch.tensor(PLANE[:6], requires_grad=True)
    b = torch.tensor(PLANE[6:12], requires_grad=True)
    assert torch.autograd.gradcheck(f, (a, b))


def test_second_derivative():
    z = torch.tensor(PLANE[:4], requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: (x.exp() * x.conj()).abs(), (z,))


@pytest.mark.parametrize("f", [
    lambda x: x.prod(0), lambda x: x.prod(), lambda x: x.cumprod(1), lambda x: x.sum(1),
    lambda x: torch.cat([x, x.t()[:4, :3]], 1), lambda x: x.flip(0)[1:, ::2], lambda x: x @ x.mT,
    lambda x: x == x.conj(), lambda x: x.to(torch.complex64), lambda x: x.bool(),
    lambda x: torch.nn.functional.pad(x, (1, 1), value=2j), lambda x: x.unfold(1, 2, 2),
    lambda x: x.index_add(0, torch.tensor([0, 2]), x[:2]), lambda x: x.take(torch.tensor([5, 0])),
    lambda x: x.mean() + x.std(), lambda x: torch.as_strided(x, (2, 2), (5, 1), 1),
], ids=range(16))
def test_compiled_agrees_with_interpreter(f):
    x = torch.tensor(PLANE[:20].reshape(4, 5))
    out = f(x)
    want = evaluate([read(out)])[0]
    np.testing.assert_allclose(out.numpy().reshape(-1), want.reshape(-1), rtol=1e-12, atol=1e-12)


def test_parts_are_views():
    x = torch.tensor([1 + 2j, 3j, 3 - 1j])
    part = x.imag
    x.real.fill_(7)
    part.mul_(2)
    x.imag[0] = 9
    torch.view_as_real(x)[1].add_(1)
    assert x.tolist() == [7 + 9j, 8 + 7j, 7 - 2j]
    assert part.tolist() == [9, 7, -2]
    assert part.stride() == (2,) and part.storage_offset() == 1 and part._base is x
    x.real = torch.zeros(3)
    assert x.tolist() == [9j, 7j, -2j]


def test_pairs_viewed_as_complex():
    pairs = torch.zeros(2, 3, 2)
    z = torch.view_as_complex(pairs.transpose(0, 1))
    z[0, 1] = 5 + 6j
    z.imag[2] = 8
    assert pairs.tolist() == [[[0, 0], [0, 0], [0, 8]], [[5, 6], [0, 0], [0, 8]]]
    with pytest.raises(RuntimeError, match="last dimension with stride 1"):
        torch.view_as_complex(torch.ones(3, 4)[:, ::2])
    assert torch.ones(4).view(torch.complex64).tolist() == [1 + 1j, 1 + 1j]
    assert torch.tensor([1j, 2]).view(torch.float32).tolist() == [0, 1, 2, 0]


def test_numpy_shares_the_memory_of_a_part():
    x = torch.tensor([1 + 2j, 3j])
    part = x.imag.numpy()
    part[0] = -7
    assert x.tolist() == [1 - 7j, 3j]
    x.imag.mul_(2)
    assert part.tolist() == [-14, 6]
    assert copy.deepcopy(x.imag).tolist() == [-14, 6]


def test_gradient_through_a_write_to_a_part():
    w = torch.tensor([1 + 1j, 2 - 1j], requires_grad=True)
    z = w * 2
    z.imag.mul_(3)
    z[0].real.fill_(4)
    (z.abs() ** 2).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), [72j, 16 - 72j], rtol=1e-6)


def test_conjugate_is_marked():
    x = torch.tensor([1 + 2j])
    assert x.conj().is_conj() and x.conj()[0:].is_conj() and x[None].mH.is_conj()
    assert not x.conj().conj().is_conj() and not x.conj().resolve_conj().is_conj()
    assert not torch.ones(1).conj().is_conj() and not (x.conj() * 2).is_conj()
    with pytest.raises(RuntimeError, match="conjugate bit"):
        x.conj().numpy()
    assert x.conj().resolve_conj().numpy().tolist() == [1 - 2j]


@pytest.mark.parametrize("call", [
    lambda x: x < x, lambda x: torch.relu(x), lambda x: x.max(), lambda x: x.clamp(0, 1),
    lambda x: x.floor(), lambda x: x.median(), lambda x: torch.erf(x), lambda x: x % 2,
    lambda x: x.cummax(0), lambda x: torch.atan2(x, x), lambda x: torch.softmax(x, 0),
    lambda x: x.sign(), lambda x: x & x, lambda x: x.unique(),
], ids=range(14))
def test_no_order(call):
    with pytest.raises(NotImplementedError):
        call(torch.tensor([1 + 2j, 3]))


def test_numbers_and_promotion():
    assert torch.tensor(1j).dtype is torch.complex64
    assert (torch.ones(2, dtype=torch.float64) * 1j).dtype is torch.complex128
    assert (torch.ones(2, dtype=torch.int64) + 1j).dtype is torch.complex64
    assert torch.tensor(2 + 1j).item() == 2 + 1j and complex(torch.tensor(3j)) == 3j
    assert float(torch.tensor(2 + 0j)) == 2.0
    with pytest.raises(RuntimeError, match="type double without overflow"):
        float(torch.tensor(1j))
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.ones(2).mul_(1j)
    assert repr(torch.tensor([1 + 2j, -3.5j])) == "tensor([1.+2.0000j, -0.-3.5000j])"
