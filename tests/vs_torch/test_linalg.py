"""Linear algebra agrees with PyTorch in value and gradient (where vectors have a free sign: of
functions that do not see it)."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

from flambeau.ops import algebra as alg  # noqa: E402
from flambeau.ops import linalg as lin  # noqa: E402
from flambeau.ops import lu as factors  # noqa: E402
from flambeau.ops import matrix_norms as norms  # noqa: E402
from flambeau.ops import reflections  # noqa: E402

from .nodes import check, leaf  # noqa: E402


def regular(*shape):
    x = torch.randn(shape, dtype=torch.float64)
    return (x + 3 * torch.eye(shape[-1], dtype=torch.float64)).requires_grad_(True)


def symmetric(*shape):
    x = torch.randn(shape, dtype=torch.float64)
    return (x + x.mT).requires_grad_(True)


def positive(*shape):
    x = torch.randn(shape, dtype=torch.float64)
    return (x @ x.mT + torch.eye(shape[-1], dtype=torch.float64)).requires_grad_(True)


def each(fn, *parts):
    """The absolute values of a function's results."""
    return lambda *a, **k: [abs_(x) for i, x in enumerate(fn(*a, **k)) if not parts or i in parts]


def abs_(x):
    return x.abs() if isinstance(x, torch.Tensor) else alg.abs_(x)


L = torch.linalg
CASES = [
    (lin.inv, L.inv, [regular(2, 3, 3)], {}), (lin.det, L.det, [regular(2, 3, 3)], {}),
    (lin.slogdet, L.slogdet, [regular(2, 3, 3)], {}),
    (lin.logdet, torch.logdet, [positive(3, 3)], {}),
    (lin.solve, L.solve, [regular(2, 3, 3), leaf(2, 3, 4)], {}),
    (lin.solve, L.solve, [regular(2, 3, 3), leaf(2, 3)], {}),
    (lin.solve, L.solve, [regular(3, 3), leaf(2, 4, 3)], {"left": False}),
    (lin.solve_triangular, L.solve_triangular, [regular(3, 3), leaf(3, 4)], {"upper": True}),
    (lin.solve_triangular, L.solve_triangular, [regular(3, 3), leaf(4, 3)],
     {"upper": False, "left": False, "unitriangular": True}),
    (lin.cholesky_solve, torch.cholesky_solve, [leaf(3, 2), regular(3, 3)], {"upper": True}),
    (lin.cholesky_inverse, torch.cholesky_inverse, [regular(3, 3)], {}),
    (lin.linalg_cholesky, L.cholesky, [positive(2, 3, 3)], {}),
    (lin.linalg_cholesky, L.cholesky, [positive(3, 3)], {"upper": True}),
    (each(lin.eigh, 0), each(L.eigh, 0), [symmetric(2, 4, 4)], {}),
    (each(lin.eigh, 1), each(L.eigh, 1), [symmetric(4, 4)], {}),
    (lin.eigvalsh, L.eigvalsh, [symmetric(2, 4, 4)], {}),
    (each(lin.linalg_svd), each(L.svd), [leaf(2, 4, 3)], {"full_matrices": False}),
    (each(lin.linalg_svd), each(L.svd), [leaf(3, 4)], {"full_matrices": False}),
    (lin.svdvals, L.svdvals, [leaf(2, 4, 3)], {}), (lin.pinv, L.pinv, [leaf(4, 3)], {}),
    (lin.pinv, L.pinv, [leaf(2, 3, 4)], {}), (lin.matrix_rank, L.matrix_rank, [leaf(3, 4)], {}),
    (each(lin.linalg_qr), each(L.qr), [leaf(2, 4, 3)], {}),
    (each(lin.linalg_qr), each(L.qr), [leaf(3, 5)], {}),
    (factors.lu, L.lu, [leaf(2, 3, 3)], {}), (factors.lu, L.lu, [leaf(4, 3)], {}),
    (factors.lu, L.lu, [leaf(3, 5)], {}), (lin.matrix_exp, torch.matrix_exp, [leaf(2, 3, 3)], {}),
    (reflections.householder_product, L.householder_product, [leaf(4, 3), leaf(2)], {}),
    (norms.cond, L.cond, [regular(3, 3)], {}),
    (norms.cond, L.cond, [regular(3, 3).detach()], {"p": 1}),
    (norms.tensorinv, L.tensorinv, [leaf(4, 6, 8, 3)], {"ind": 2}),
    (norms.norm, L.norm, [leaf(3, 4)], {}), (norms.norm, L.norm, [leaf(3, 4)], {"ord": 1}),
]
CASES += [(norms.matrix_norm, L.matrix_norm, [leaf(2, 2, 0)], {"ord": o})
          for o in (1, 2, float("inf"), "nuc", "fro")]
CASES += [(norms.matrix_norm, L.matrix_norm, [leaf(2, 3, 4)], {"ord": o, "keepdim": k})
          for o in ("fro", "nuc", 1, -1, 2, -2, float("inf"), -float("inf")) for k in (True, False)]


@pytest.mark.parametrize("ours,theirs,args,kw", CASES)
def test_agrees(ours, theirs, args, kw):
    check(ours, theirs, *args, tol=1e-6, **kw)


def test_the_status_of_singular_matrices():
    """The *_ex functions tell by their status, matrix by matrix, and do not raise."""
    import flambeau

    hard = torch.eye(3)
    hard[2, 2] = 0
    both = torch.stack([2 * torch.eye(3), hard])
    for name in ("inv_ex", "cholesky_ex", "lu_factor_ex"):
        for a in (hard, both):
            want = getattr(torch.linalg, name)(a)
            got = getattr(flambeau.linalg, name)(flambeau.tensor(a.tolist()))
            assert got.info.tolist() == want.info.tolist(), name
            assert str(got.info.dtype) == "torch.int32"
    good = flambeau.linalg.inv_ex(flambeau.tensor(both.tolist()))
    assert good.inverse[0].tolist() == (torch.eye(3) / 2).tolist()
    assert good.inverse[1].isnan().all()
    for b in (torch.ones(3), torch.ones(3, 2)):
        want = torch.linalg.solve_ex(hard, b)
        got = flambeau.linalg.solve_ex(flambeau.tensor(hard.tolist()), flambeau.tensor(b.tolist()))
        assert got.info.item() == want.info.item() == 3 and got.result.isnan().any()
        assert tuple(got.result.shape) == tuple(want.result.shape)
    with pytest.raises(flambeau.linalg.LinAlgError, match="singular"):
        flambeau.linalg.inv_ex(flambeau.tensor(hard.tolist()), check_errors=True).inverse.tolist()


@pytest.mark.parametrize("name", ["svdvals", "svd", "eigvalsh", "pinv"])
def test_what_does_not_converge(name):
    """PyTorch's words, and a note with the line that recorded it."""
    import flambeau

    for shape in ((3, 3), (2, 3, 3)):
        with pytest.raises(RuntimeError) as want:
            getattr(torch.linalg, name)(torch.full(shape, float("nan")))
        with pytest.raises(flambeau.linalg.LinAlgError) as got:
            found = getattr(flambeau.linalg, name)(flambeau.full(shape, float("nan")))
            (found if name != "svd" else found.S).tolist()
        assert str(got.value) == str(want.value)
        assert any("test_linalg.py" in note for note in got.value.__notes__)
