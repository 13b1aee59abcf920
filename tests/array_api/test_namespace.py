"""The namespace, the methods of arrays, DLPack, and functions with several right answers."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau
import flambeau.array_api as xp

REAL = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
        "float64")


# ---------------------------------------------------------------- the namespace


def test_a_tensor_knows_its_namespace() -> None:
    x = flambeau.ones(2)
    assert x.__array_namespace__() is xp
    assert x.__array_namespace__(api_version="2024.12") is xp
    with pytest.raises(ValueError, match=r"1999\.12"):
        x.__array_namespace__(api_version="1999.12")
    assert xp.__array_api_version__ == "2024.12"


def test_constants() -> None:
    assert (xp.pi, xp.e, xp.inf, xp.newaxis) == (np.pi, np.e, np.inf, None)
    assert xp.nan != xp.nan


def test_info() -> None:
    info = xp.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert info.default_device() in info.devices()
    assert info.default_dtypes()["real floating"] is xp.float32
    assert info.default_dtypes(device="cpu")["integral"] is xp.int64
    assert len(info.dtypes()) == 13
    assert set(info.dtypes(kind=("bool", "real floating"))) == {"bool", "float32", "float64"}
    with pytest.raises(ValueError, match="kind"):
        info.dtypes(kind="float")


@pytest.mark.parametrize("dtype", REAL)
def test_defaults_are_those_of_the_framework(dtype: str) -> None:
    kind = getattr(xp, dtype)
    assert xp.zeros(2, dtype=kind).dtype is kind
    assert xp.asarray(1).dtype is xp.int64
    assert xp.asarray(1.0).dtype is xp.float32
    assert xp.asarray(1j).dtype is xp.complex64


# ---------------------------------------------------------------- what PyTorch does otherwise


def test_a_0d_array_promotes_like_any_other() -> None:
    x, one = xp.ones(3, dtype=xp.float32), xp.asarray(1.0, dtype=xp.float64)
    assert xp.add(x, one).dtype is xp.float64
    assert (x + one).dtype is xp.float32        # a tensor's operator is PyTorch's


def test_numbers_take_the_dtype_of_the_array() -> None:
    x = xp.ones(3, dtype=xp.int8)
    assert xp.add(x, 1).dtype is xp.int8
    assert xp.maximum(2.0, xp.ones(2)).dtype is xp.float32
    assert xp.multiply(xp.ones(2), 1j).dtype is xp.complex64
    with pytest.raises(TypeError):
        xp.add(1, 2)
    with pytest.raises(TypeError):
        xp.sin(1.0)


def test_unsigned_and_signed_integers_meet_in_operators_too() -> None:
    x, y = xp.asarray([200, 65535], dtype=xp.uint16), xp.asarray([-1, 1], dtype=xp.int8)
    assert (x + y).dtype is xp.int32
    assert (x + y).tolist() == [199, 65536]
    with pytest.raises(RuntimeError, match="not supported"):
        xp.add(xp.asarray([1], dtype=xp.uint64), y)


@pytest.mark.parametrize("call", [
    lambda x: xp.squeeze(x, 0), lambda x: xp.nonzero(x[0, 0]), lambda x: xp.cumulative_sum(x),
    lambda x: xp.take(x, xp.asarray([0])), lambda x: xp.reshape(x.mT, (6,), copy=False),
    lambda x: xp.concat([x, x[:, :1]]), lambda x: xp.stack([x, x[0]]),
    lambda x: xp.asarray([1], copy=False), lambda x: xp.asarray(x, dtype=xp.int8, copy=False),
    lambda x: xp.linalg.cross(x[:, :2], x[:, :2]), lambda x: xp.vecdot(x, x[:, :1]),
    lambda x: xp.isdtype(xp.int8, "float"), lambda x: xp.matmul(x[0, 0], x),
    lambda x: xp.searchsorted(x, x), lambda x: xp.arange(1, 2, 0),
])
def test_what_has_no_answer_is_a_value_error(call: object) -> None:
    with pytest.raises(ValueError):
        call(xp.ones((2, 3)))  # type: ignore[operator]


@pytest.mark.parametrize("call", [
    lambda x: xp.sum(x, axis=2), lambda x: xp.expand_dims(x, axis=3), lambda x: xp.sort(x, axis=-3),
    lambda x: xp.unstack(x, axis=2), lambda x: xp.argmax(x, axis=5), lambda x: xp.flip(x, axis=2),
])
def test_an_axis_out_of_range_is_an_index_error(call: object) -> None:
    with pytest.raises(IndexError):
        call(xp.ones((2, 3)))  # type: ignore[operator]


def test_casts_that_lose_a_part_are_refused() -> None:
    with pytest.raises(TypeError, match="real"):
        xp.astype(xp.asarray([1j]), xp.float32)
    x = xp.ones(3)
    assert xp.astype(x, xp.float32, copy=False) is x
    assert xp.astype(x, xp.float32) is not x


def test_copies() -> None:
    x = xp.zeros(3)
    assert xp.asarray(x) is x
    copied, shared = xp.asarray(x, copy=True), xp.reshape(x, (3, 1), copy=False)
    moved = xp.reshape(x, (3, 1), copy=True)
    x[0] = 1.0
    assert (copied[0], shared[0, 0], moved[0, 0]) == (0.0, 1.0, 0.0)
    buffer = bytearray(b"\1\2\3")
    assert xp.asarray(memoryview(buffer)).dtype is xp.uint8


def test_sequences_reach_the_ends_of_their_dtype() -> None:
    top = xp.finfo(xp.float64).max
    assert xp.linspace(-top, top, 3, dtype=xp.float64).tolist() == [-top, 0.0, top]
    high = 2**64 - 1
    assert xp.arange(high - 5, high, 2, dtype=xp.uint64).tolist() == [high - 5, high - 3, high - 1]
    assert xp.arange(high, 2**63, -(2**62), dtype=xp.uint64).tolist() == [high, high - 2**62]
    assert tuple(xp.arange(5, 1).shape) == (0,)


def test_a_mask_without_elements_selects_none() -> None:
    x = xp.ones((2, 3))
    assert tuple(x[xp.zeros((0,), dtype=xp.bool)].shape) == (0, 3)
    assert tuple(x[xp.zeros((2, 0), dtype=xp.bool)].shape) == (0,)
    with pytest.raises(IndexError):
        x[xp.zeros((1,), dtype=xp.bool)]


def test_reductions_without_enough_elements() -> None:
    one = xp.ones(1)
    assert xp.isnan(xp.std(one, correction=1))
    assert xp.isnan(xp.var(xp.asarray(1.0), correction=2))
    assert (xp.sum(xp.ones(0)), xp.prod(xp.ones(0))) == (0.0, 1.0)
    assert xp.isnan(xp.mean(xp.ones(0)))


def test_each_nan_is_distinct() -> None:
    x = xp.asarray([xp.nan, 1.0, xp.nan, 1.0, -0.0, 0.0])
    values, indices, inverse, counts = xp.unique_all(x)
    assert tuple(values.shape) == (4,)
    assert counts.tolist() == [2, 2, 1, 1]
    assert indices.tolist()[:2] == [4, 1]
    assert inverse.tolist()[1:] == [1, 3, 1, 0, 0]


# ---------------------------------------------------------------- several right answers


def close(a: flambeau.Tensor, b: flambeau.Tensor) -> bool:
    return flambeau.allclose(a, b, atol=1e-10)


@pytest.mark.parametrize("hermitian", [False, True])
def test_decompositions(hermitian: bool) -> None:
    rows = np.arange(24.0).reshape(2, 4, 3) ** 1.3
    x = xp.asarray(rows + 1j * rows[::-1] if hermitian else rows)
    for full in (True, False):
        u, s, vh = xp.linalg.svd(x, full_matrices=full)
        k = 3
        assert tuple(u.shape) == (2, 4, 4 if full else 3)
        assert close(u[..., :k] * s[:, None, :] @ vh, x)
    for mode in ("reduced", "complete"):
        found = xp.linalg.qr(x, mode=mode)
        assert found._fields == ("Q", "R")
        assert close(found.Q @ found.R, x)
    square = x.mH @ x
    found = xp.linalg.eigh(square)
    assert found._fields == ("eigenvalues", "eigenvectors")
    values, vectors = found
    assert values.dtype is xp.float64
    assert flambeau.allclose(vectors * values[:, None, :], square @ vectors, rtol=1e-9, atol=1e-7)


# ---------------------------------------------------------------- arrays of other libraries


@pytest.mark.parametrize("dtype", ["bool", *REAL, "complex64", "complex128"])
def test_dlpack(dtype: str) -> None:
    x = xp.asarray([0, 1, 1], dtype=getattr(xp, dtype))
    assert x.__dlpack_device__() == (1, 0)
    there = np.from_dlpack(x)
    assert there.dtype == dtype
    back = xp.from_dlpack(there)
    assert back.dtype is x.dtype
    copied = xp.from_dlpack(x, copy=True)
    x[0] = 1
    assert there[0] == 1
    assert back[0] == 1
    assert copied[0] == 0


def test_dlpack_refusals() -> None:
    x = xp.ones(2)
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError):
        flambeau.ones(2, requires_grad=True).__dlpack__()
    fixed = np.ones(2)
    fixed.flags.writeable = False
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        with pytest.raises(BufferError):
            xp.from_dlpack(fixed, copy=False)


def test_to_device() -> None:
    x = xp.ones(2)
    assert x.to_device("cpu") is x
    assert x.to_device(x.device, stream=None) is x
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=1)


def test_gradients_flow_through_the_namespace() -> None:
    x = flambeau.tensor([1.0, 2.0], requires_grad=True)
    xp.sum(xp.square(xp.concat([x, x]))).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4.0, 8.0]
