"""Promotion of tensors and numbers, dims, and how one-node composites are recorded."""
import numpy as np
import pytest

from flambeau.core import dtype as dt
from flambeau.graph.interpret import evaluate
from flambeau.ops import promotion as p
from flambeau.ops.table import TABLE

from .samples import leaf


def node(kind, *shape):
    return leaf(np.zeros(shape, kind.numpy))


@pytest.mark.parametrize("args, expected", [
    ((node(dt.int32, 3), 2), dt.int32), ((node(dt.int32, 3), 2.0), dt.float32),
    ((node(dt.bool_, 3), 2), dt.int64), ((node(dt.float16, 3), 2.5), dt.float16),
    ((node(dt.int8, 3), node(dt.int64)), dt.int8), ((node(dt.int8, 3), node(dt.float64)),
                                                    dt.float64),
    ((node(dt.float32, 3), node(dt.float64)), dt.float32), ((node(dt.uint8, 3), node(dt.int8, 1)),
                                                            dt.int16),
    ((node(dt.float16, 3), node(dt.bfloat16, 3)), dt.float32),
    ((node(dt.int64), 1.5), dt.float32), ((node(dt.bool_), True), dt.bool_),
    ((node(dt.uint16, 3), node(dt.int8, 3)), dt.int32), ((node(dt.uint32, 3), node(dt.int64, 3)),
                                                         dt.int64),
    ((node(dt.float32, 3), 1j), dt.complex64), ((node(dt.float64, 3), 1j), dt.complex128),
])
def test_result_type(args, expected):
    assert p.result_type(*args) is expected
    assert all(n.dtype is expected for n in p.promote(*args))


def test_numbers_wrap_round_in_narrow_integers():
    assert evaluate([p.number(300, dt.uint8), p.number(200, dt.int8)]) == [44, -56]


@pytest.mark.parametrize("dim, ndim, expected", [(-1, 3, 2), (0, 0, 0), (-1, 0, 0), (1, 2, 1)])
def test_wrap_dim(dim, ndim, expected):
    assert p.wrap_dim(dim, ndim) == expected


def test_wrong_dims():
    with pytest.raises(IndexError, match=r"expected to be in range of \[-2, 1\], but got 3"):
        p.wrap_dim(3, 2)
    with pytest.raises(IndexError, match=r"\[-1, 0\], but got 1"):
        p.wrap_dim(1, 0)
    with pytest.raises(RuntimeError, match="dim 0 appears multiple times in the list of dims"):
        p.wrap_dims((0, -2), 2)


def test_hot_functions_record_one_node():
    x = node(dt.float32, 4, 6)
    target = leaf(np.zeros(4, np.int64))
    w = node(dt.float32, 6)
    made = [
        TABLE["softmax"].fn(x, 1), TABLE["relu"].fn(x), TABLE["nn.functional.gelu"].fn(x),
        TABLE["mean"].fn(x, 1), TABLE["var"].fn(x), TABLE["logsumexp"].fn(x, 0),
        TABLE["nn.functional.layer_norm"].fn(x, (6,), w, w),
        TABLE["nn.functional.cross_entropy"].fn(x, target),
        TABLE["nn.functional.mse_loss"].fn(x, x), TABLE["sum"].fn(x, 1),
    ]
    for out in made:
        assert all(s.value is not None for s in out.src), out


BAD = [
    ("add", (node(dt.int32, 2), node(dt.int32, 2)), {"alpha": 1.5}, RuntimeError, "floating"),
    ("sub", (node(dt.bool_, 2), node(dt.bool_, 2)), {}, RuntimeError, "Subtraction"),
    ("add", (node(dt.float32, 2), node(dt.float32, 3)), {}, RuntimeError,
     r"size of tensor a \(2\) must match the size of tensor b \(3\) at non-singleton dimension 0"),
    ("mean", (node(dt.int64, 2),), {}, RuntimeError, "could not infer output dtype"),
    ("max", (node(dt.float32, 0),), {}, RuntimeError, "numel\\(\\) == 0"),
    ("max", (node(dt.float32, 2, 0), 1), {}, IndexError, "non-zero size"),
    ("clamp", (node(dt.float32, 2),), {}, RuntimeError, "At least one"),
    ("div", (node(dt.int32, 2), 0), {"rounding_mode": "floor"}, RuntimeError, "ZeroDivision"),
    ("div", (node(dt.int32, 2), 2), {"rounding_mode": "up"}, RuntimeError, "rounding_mode"),
    ("pow", (node(dt.int32, 2), -1), {}, RuntimeError, "negative integer powers"),
    ("bitwise_and", (node(dt.float32, 2), node(dt.float32, 2)), {}, RuntimeError,
     "not implemented for 'Float'"),
    ("torch.where", (node(dt.int64, 2), 1, 2), {}, RuntimeError, "boolean"),
    ("kthvalue", (node(dt.float32, 2), 3), {}, RuntimeError, "out of range"),
    ("nn.functional.cross_entropy", (node(dt.float32, 2, 3), leaf(np.array([0, 3]))), {},
     IndexError, "Target 3 is out of bounds"),
    ("nn.functional.layer_norm", (node(dt.float32, 2, 3), (4,)), {}, RuntimeError,
     "normalized_shape"),
    ("nn.functional.mse_loss", (node(dt.float32, 2), node(dt.float32, 2)), {"reduction": "x"},
     ValueError, "not a valid value for reduction"),
    ("atan2", (node(dt.float32, 2), 3), {}, TypeError, "must be Tensor, not int"),
]


@pytest.mark.parametrize("name, args, kwargs, error, words", BAD, ids=[b[0] for b in BAD])
def test_errors_at_the_call(name, args, kwargs, error, words):
    with pytest.raises(error, match=words):
        TABLE[name].fn(*args, **kwargs)
