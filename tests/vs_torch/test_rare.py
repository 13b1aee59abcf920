"""Differences, histograms and LDL' agree with PyTorch."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

from flambeau.ops import (  # noqa: E402
    contraction, copies, differences, einsum, fractional, histograms, ldl, linalg, norms,
    reflections, splitting,
)

from .nodes import check, leaf, raises_alike  # noqa: E402

X = torch.randn(4, 5)
AT = torch.tensor([0.0, 1.0, 1.5, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("kw", [
    {}, {"spacing": 0.5}, {"dim": 1}, {"dim": (0, -1)}, {"spacing": [2.0, 3.0]},
    {"spacing": (AT, torch.arange(5.0, dtype=torch.float64) ** 2)}, {"spacing": (AT,), "dim": 0},
])
def test_gradient(kw, edge_order):
    check(differences.gradient, torch.gradient, leaf(4, 5), edge_order=edge_order, tol=1e-9, **kw)


def test_gradient_of_short_and_integer():
    check(differences.gradient, torch.gradient, leaf(2, 3))
    check(differences.gradient, torch.gradient, X.long())
    check(differences.gradient, torch.gradient, leaf(3, dtype=torch.complex128))


@pytest.mark.parametrize("kw", [
    {"dim": 3}, {"spacing": [1.0, 2.0], "dim": 0}, {"spacing": [torch.arange(4.0)]},
    {"edge_order": 3}, {"dim": (1, 1)},
    {"spacing": (torch.arange(4.0).reshape(2, 2), torch.arange(5.0))},
])
def test_gradient_errors(kw):
    mine, want = raises_alike(differences.gradient, torch.gradient, X, **kw)
    assert mine == want


V = torch.rand(50)
ONES = torch.ones(50)


@pytest.mark.parametrize("bins,kw", [
    (5, {}), (torch.tensor([0.0, 0.3, 1.0]), {}), (4, {"range": (0.0, 0.5)}),
    (7, {"weight": V * 3, "density": True}), (torch.tensor([0.2, 0.4, 0.9]), {"density": True}),
])
def test_histogram(bins, kw):
    check(histograms.histogram, torch.histogram, V, bins, **kw)


def test_histogram_of_equal_and_no_values():
    check(histograms.histogram, torch.histogram, torch.ones(3), 4)
    check(histograms.histogram, torch.histogram, torch.ones(0), 4)


M = torch.rand(30, 2)


@pytest.mark.parametrize("bins,kw", [
    (3, {}), ([3, 4], {"range": (0.0, 1.0, 0.2, 0.8)}),
    ([3, 4], {"weight": torch.rand(30), "density": True}),
    ([torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.0, 0.3, 0.9])], {}),
])
def test_histogramdd(bins, kw):
    check(histograms.histogramdd, torch.histogramdd, M, bins, **kw)
    check(histograms.histogramdd, torch.histogramdd, M.reshape(5, 6, 2), bins,
          **{k: v.reshape(5, 6) if k == "weight" else v for k, v in kw.items()})


@pytest.mark.parametrize("bins,kw", [
    (0, {}), (5, {"range": (1.0, 0.0)}), (5, {"weight": torch.ones(3)}), (5, {"range": (1.0,)}),
    (torch.tensor([0.0, 1.0]).double(), {}), (torch.tensor([[0.0, 1.0]]), {}),
    (torch.tensor([]), {}), (5, {"weight": ONES.double()}), (5, {"range": (0.0, float("inf"))}),
])
def test_histogram_errors(bins, kw):
    mine, want = raises_alike(histograms.histogram, torch.histogram, V, bins, **kw)
    assert mine == want


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("kind", [torch.float64, torch.complex128])
@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_ldl(n, kind, hermitian):
    for _ in range(5):
        a = torch.randn(3, n, n, dtype=kind)
        a = a + (a.mH if hermitian else a.mT)
        a.diagonal(dim1=-2, dim2=-1)[:] *= 0.1           # so that 2 x 2 blocks are needed
        check(ldl.ldl_factor_ex, torch.linalg.ldl_factor_ex, a, hermitian=hermitian, tol=1e-8)
        factors, pivots = torch.linalg.ldl_factor(a, hermitian=hermitian)
        b = torch.randn(3, n, 2, dtype=kind)
        check(ldl.ldl_solve, torch.linalg.ldl_solve, factors, pivots, b, hermitian=hermitian,
              tol=1e-7)


# ---------------------------------------------------------------- arguments and refusals

I = torch.ones(2, 2).long()
B = torch.ones(3, 2, 2).long()


@pytest.mark.parametrize("scale", [{"beta": 0.6}, {"beta": 1.7}, {"alpha": 0.6}])
def test_products_of_integers_cut_factors_off(scale):
    check(contraction.addmm, torch.addmm, I, I, I, **scale)
    check(contraction.addmv, torch.addmv, I[0], I, I[0], **scale)
    check(contraction.addbmm, torch.addbmm, I, B, B, **scale)
    check(contraction.baddbmm, torch.baddbmm, B, B, B, **scale)
    mine, want = raises_alike(contraction.addr, torch.addr, I, I[0], I[0], **scale)
    assert mine == want


def test_einsum_sums_integers_in_int64():
    check(einsum.einsum, torch.einsum, "...ik,...j->ij", torch.ones(1, 2, 3, dtype=torch.int32),
          torch.ones(3, dtype=torch.int32))


def test_hermitian_pinv_of_low_rank():
    a = torch.randn(5, 2, dtype=torch.float64)
    low = (a @ a.T).requires_grad_()
    check(linalg.pinv, torch.linalg.pinv, low, hermitian=True, tol=1e-6)


@pytest.mark.parametrize("a,tau,other", [
    (torch.zeros(5, 3), torch.zeros(3), torch.zeros(4, 5)),
    (torch.zeros(5), torch.zeros(3), torch.zeros(4, 5)),
    (torch.zeros(5, 3), torch.zeros(3).double(), torch.zeros(5, 5)),
    (torch.zeros(5, 3), torch.zeros(3), torch.zeros(5)),
    (torch.zeros(2, 5, 3), torch.zeros(3), torch.zeros(5, 5)),
])
def test_ormqr_errors(a, tau, other):
    mine, want = raises_alike(reflections.ormqr, torch.ormqr, a, tau, other)
    assert mine == want


# ---------------------------------------------------------------- fractional pooling


@pytest.mark.parametrize("rank,kernel,out", [(2, 2, (3, 4)), (2, (3, 2), 4), (2, 2, (1, 3)),
                                             (3, 2, (3, 2, 4))])
def test_fractional_max_pool(rank, kernel, out):
    x = leaf(2, 3, *(7, 8, 9)[:rank])
    samples = torch.rand(2, 3, rank, dtype=torch.float64)
    sizes = out if isinstance(out, tuple) else (out,) * rank
    kernels = kernel if isinstance(kernel, tuple) else (kernel,) * rank
    theirs = getattr(torch.nn.functional, f"fractional_max_pool{rank}d")
    check(lambda x, u: fractional.fractional_max_pool(x, u, kernels, sizes),
          lambda x, u: theirs(x, kernel, output_size=out, return_indices=True, _random_samples=u),
          x, samples)


# ---------------------------------------------------------------- other names of known functions


def test_other_names():
    x = leaf(3, 4)
    check(norms.frobenius_norm, torch.frobenius_norm, x, 1)
    check(norms.frobenius_norm, torch.frobenius_norm, x, (0, 1), True)
    check(norms.nuclear_norm, torch.nuclear_norm, x, tol=1e-6)
    check(norms.nuclear_norm, torch.nuclear_norm, x, (0, 1), True, tol=1e-6)
    check(splitting.split_with_sizes, torch.unsafe_split_with_sizes, x, [1, 3], 1)
    check(copies.alias_copy, torch.alias_copy, x)
