"""Matrix products agree with PyTorch in value, gradient and words of error."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
import torch.nn.functional as F  # noqa: E402, N812

from flambeau.ops import contraction as con  # noqa: E402
from flambeau.ops import einsum as ein  # noqa: E402
from flambeau.ops import products as prod  # noqa: E402

from .nodes import check, leaf, raises_alike  # noqa: E402

SHAPES = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
          ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((5, 2, 3), (1, 3, 4)), ((3,), (5, 3, 4)),
          ((5, 2, 3), (3,)), ((6, 1, 2, 3), (5, 3, 4)), ((2, 3), (5, 3, 4)), ((1, 2, 3), (1, 3, 4)),
          ((0, 3), (3, 4)), ((2, 0), (0, 4))]


@pytest.mark.parametrize("a,b", SHAPES)
def test_matmul(a, b):
    check(con.matmul, torch.matmul, leaf(*a), leaf(*b))


def test_matmul_is_one_node():
    from .nodes import node
    out = con.matmul(node(torch.ones(8, 2, 3)), node(torch.ones(3, 4)))
    assert out.op.name == "dot" and all(s.value is not None for s in out.src)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.bfloat16, torch.complex128])
def test_dtypes(dtype):
    a, b = torch.randn(4, 5).mul(3).to(dtype), torch.randn(5, 3).mul(3).to(dtype)
    check(con.mm, torch.mm, a, b, tol=2e-2 if dtype.itemsize == 2 else 1e-6)


def test_complex_gradient():
    check(con.mm, torch.mm, leaf(2, 3, dtype=torch.complex128), leaf(3, 4, dtype=torch.complex128))


PRODUCTS = [
    (con.mm, torch.mm, (2, 3), (3, 4)), (con.bmm, torch.bmm, (5, 2, 3), (5, 3, 4)),
    (con.mv, torch.mv, (2, 3), (3,)), (con.dot, torch.dot, (3,), (3,)),
    (con.outer, torch.outer, (3,), (4,)), (con.inner, torch.inner, (2, 3), (4, 5, 3)),
    (con.inner, torch.inner, (), (4,)), (prod.kron, torch.kron, (2, 3), (4, 2)),
    (prod.kron, torch.kron, (3,), (4, 2)), (con.vecdot, torch.linalg.vecdot, (2, 3), (3,)),
    (con.linear, F.linear, (2, 3), (4, 3)), (con.linear, F.linear, (3,), (4, 3)),
    (prod.linalg_cross, torch.linalg.cross, (2, 3), (1, 3)),
    (prod.cdist, torch.cdist, (4, 3), (5, 3)), (prod.cdist, torch.cdist, (2, 4, 3), (1, 5, 3)),
]


@pytest.mark.parametrize("ours,theirs,a,b", PRODUCTS)
def test_products(ours, theirs, a, b):
    check(ours, theirs, leaf(*a), leaf(*b))


def test_with_addend():
    a, b, v = leaf(2, 3), leaf(3, 4), leaf(4)
    check(con.addmm, torch.addmm, v, a, b, beta=0.5, alpha=2)
    check(con.addmm, torch.addmm, leaf(2, 1), a, b)
    check(con.addmv, torch.addmv, leaf(2), a, leaf(3), beta=3, alpha=0.5)
    check(con.addr, torch.addr, leaf(2, 3), leaf(2), leaf(3), alpha=2)
    check(con.addbmm, torch.addbmm, leaf(2, 4), leaf(5, 2, 3), leaf(5, 3, 4), beta=0.2)
    check(con.baddbmm, torch.baddbmm, leaf(2, 4), leaf(5, 2, 3), leaf(5, 3, 4), alpha=0.2)
    nan = torch.full((2, 4), float("nan"), dtype=torch.float64)
    check(con.addmm, torch.addmm, nan, a, b, beta=0)
    check(con.linear, F.linear, leaf(5, 2, 3), leaf(4, 3), v)
    check(con.bilinear, F.bilinear, leaf(5, 2, 3), leaf(5, 2, 4), leaf(6, 3, 4), leaf(6))
    check(prod.multi_dot, torch.linalg.multi_dot, [leaf(2, 3), leaf(3, 7), leaf(7, 1), leaf(1, 5)])
    check(prod.matrix_power, torch.matrix_power, leaf(2, 3, 3), 5)
    check(prod.matrix_power, torch.matrix_power, torch.randn(2, 3, 3), 0)


@pytest.mark.parametrize("p", [0.0, 1.0, 1.5, 2.0, 3.0, float("inf")])
def test_cdist(p):
    a = leaf(4, 3)
    check(prod.cdist, torch.cdist, a, leaf(5, 3), p=p, tol=1e-4)


EQUATIONS = [("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ii->i", (3, 3)),
             ("ii", (3, 3)), ("ij->ji", (2, 3)), ("i,j->ij", (2,), (3,)), ("ijk->k", (2, 3, 4)),
             ("...ij,...jk->...ik", (5, 2, 3), (3, 4)), ("b...,b->...", (2, 3, 4), (2,)),
             ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)), ("ij,ij->", (2, 3), (2, 3)),
             ("bij,bjk->bik", (1, 2, 3), (5, 3, 4)), ("iij,jk->ik", (3, 3, 2), (2, 4)),
             ("ab,cd->", (2, 3), (4, 5)), ("...i->i", (2, 3)), ("...,...", (2, 3), (3,)),
             ("i...,j->...", (2, 3), (4,)), ("z...,y...->...", (2, 3, 1), (2, 4))]


@pytest.mark.parametrize("equation,shapes", [(e, s) for e, *s in EQUATIONS])
def test_einsum(equation, shapes):
    check(ein.einsum, torch.einsum, equation, *[leaf(*s) for s in shapes])


def test_einsum_forms():
    check(ein.einsum, torch.einsum, leaf(2, 3), [0, 1], leaf(3, 4), [1, 2], [2, 0])
    check(ein.einsum, torch.einsum, leaf(2, 3), [0, 1], leaf(3, 4), [1, 2])
    check(ein.einsum, torch.einsum, leaf(2, 3), [..., 1], leaf(3, 4), [1, 2], [..., 2])
    check(ein.tensordot, torch.tensordot, leaf(2, 3, 4), leaf(3, 4, 5))
    check(ein.tensordot, torch.tensordot, leaf(2, 3, 4), leaf(4, 3), dims=([1, 2], [1, 0]))
    check(ein.tensordot, torch.tensordot, leaf(2, 3), leaf(4), dims=0)


z = torch.zeros
d = torch.float64
ERRORS = [
    (con.matmul, torch.matmul, z(2, 3), z(4, 5)), (con.matmul, torch.matmul, z(()), z(2)),
    (con.matmul, torch.matmul, z(2, 3), z(3, 4, dtype=d)), (con.matmul, torch.matmul, z(3), z(2)),
    (con.matmul, torch.matmul, z(3, 4), z(2)), (con.matmul, torch.matmul, z(2, 3, 4), z(2, 5, 4)),
    (con.matmul, torch.matmul, z(2, 3, 4), z(3, 4, 4)), (con.mm, torch.mm, z(2, 3, 4), z(3)),
    (con.matmul, torch.matmul, z(2, 3, 4), z(3)), (con.matmul, torch.matmul, z(3), z(2, 4, 5)),
    (con.matmul, torch.matmul, z(2, 3, 4), z(5, 4)), (con.bmm, torch.bmm, z(3, 4), z(2, 5, 4)),
    (con.bmm, torch.bmm, z(2, 3, 4), z(2, 4, 4, dtype=d)), (con.mv, torch.mv, z(2, 3), z(2)),
    (con.bmm, torch.bmm, z(2, 3, 4), z(2, 5, 4)), (con.mv, torch.mv, z(2), z(2)),
    (con.dot, torch.dot, z(3), z(2)), (con.dot, torch.dot, z(3), z(3, 3)),
    (con.dot, torch.dot, z(3), z(3, dtype=d)), (con.linear, F.linear, z(2, 3), z(4, 5)),
    (con.linear, F.linear, z(2, 3), z(4, 3), z(3)), (con.linear, F.linear, z(2, 5, 3), z(4, 5)),
    (con.linear, F.linear, z(2, 3), z(4, 3), z(4, dtype=d)),
    (con.outer, torch.outer, z(2, 2), z(2)),
    (con.addmm, torch.addmm, z(3), z(2, 3), z(3, 4)), (con.inner, torch.inner, z(2, 3), z(2, 4)),
    (con.baddbmm, torch.baddbmm, z(3), z(2, 3, 4), z(2, 4, 4)),
    (con.addmm, torch.addmm, z(3, dtype=d), z(2, 3), z(3, 3)),
    (ein.einsum, torch.einsum, "ij,jk", z(2, 3), z(4, 5)),
    (ein.einsum, torch.einsum, "ij->il", z(2, 3)), (ein.einsum, torch.einsum, "ij", z(2, 3, 3)),
    (ein.einsum, torch.einsum, "ij->iji", z(2, 3)), (ein.einsum, torch.einsum, "i,j", z(2)),
    (ein.tensordot, torch.tensordot, z(2, 3), z(4, 5), 1),
    (prod.cdist, torch.cdist, z(2, 3), z(2, 4)),
    (prod.cross, torch.cross, z(2, 2), z(2, 2)),
    (prod.linalg_cross, torch.linalg.cross, z(2), z(2)),
    (con.bilinear, F.bilinear, z(2, 3), z(2, 4), z(5, 3, 3)),
    (prod.matrix_power, torch.matrix_power, z(2, 3), 2),
    (con.mm, torch.mm, z(2, 2).bool(), z(2, 2).bool()),
]


@pytest.mark.parametrize("ours,theirs,args", [(o, t, a) for o, t, *a in ERRORS])
def test_errors(ours, theirs, args):
    got, want = raises_alike(ours, theirs, *args)
    assert got == want
