"""Mistakes that people make are refused with PyTorch's type of exception and its words."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import flambeau

# The list of signatures that PyTorch adds is not ours.
BEGINNINGS = {
    "unknown_kw": "sum() received an invalid combination of arguments - got (Tensor, foo=int), "
    "but expected",
    "too_few": "add() received an invalid combination of arguments - got (Tensor), but expected",
}


def layer(t: Any) -> Any:
    return t.nn.Linear(4, 5)


MISTAKES: dict[str, Callable[[Any], Any]] = {
    "matmul": lambda t: t.ones(2, 3) @ t.ones(2, 3),
    "linear": lambda t: layer(t)(t.ones(2, 3)),
    "linear_dtype": lambda t: layer(t)(t.ones(2, 4, dtype=t.float64)),
    "linear_int": lambda t: layer(t)(t.ones(2, 4, dtype=t.int64)),
    "add_shapes": lambda t: t.ones(2, 3) + t.ones(4),
    "embedding_float": lambda t: t.nn.Embedding(3, 2)(t.ones(2)),
    "embedding_range": lambda t: t.nn.Embedding(3, 2)(t.tensor([5])).sum().item(),
    "ce_target_float": lambda t: t.nn.functional.cross_entropy(t.ones(2, 3), t.ones(2)),
    "ce_int_target32": lambda t: t.nn.functional.cross_entropy(
        t.ones(2, 3), t.ones(2, dtype=t.int32)
    ),
    "ce_range": lambda t: t.nn.functional.cross_entropy(t.ones(2, 3), t.tensor([0, 7])).item(),
    "ce_batch": lambda t: t.nn.functional.cross_entropy(t.ones(2, 3), t.tensor([0, 1, 2])),
    "nll_shape": lambda t: t.nn.functional.nll_loss(t.ones(3), t.tensor([0, 1])),
    "backward_nonscalar": lambda t: (t.ones(2, requires_grad=True) * 2).backward(),
    "backward_nograd": lambda t: t.ones(2).sum().backward(),
    "numpy_grad": lambda t: t.ones(2, requires_grad=True).numpy(),
    "grad_int": lambda t: t.ones(2, dtype=t.int64, requires_grad=True),
    "device_name": lambda t: t.ones(2, device="gpu"),
    "cuda": lambda t: t.ones(2).cuda(),
    "cuda_device": lambda t: t.ones(2, device="cuda"),
    "state_missing": lambda t: layer(t).load_state_dict({"weight": t.ones(5, 4)}),
    "state_unexpected": lambda t: layer(t).load_state_dict(
        {"weight": t.ones(5, 4), "bias": t.ones(5), "t.ones(2, 3)": t.ones(1)}
    ),
    "state_shape": lambda t: layer(t).load_state_dict({"weight": t.ones(4, 4), "bias": t.ones(5)}),
    "optim_empty": lambda t: t.optim.SGD([], lr=0.1),
    "optim_tensor": lambda t: t.optim.SGD(t.ones(2), lr=0.1),
    "optim_nonleaf": lambda t: t.optim.SGD([t.ones(2, requires_grad=True) * 2], lr=0.1),
    "optim_lr": lambda t: t.optim.Adam(layer(t).parameters(), lr=-1),
    "optim_notensor": lambda t: t.optim.Adam([1]),
    "collate_shapes": lambda t: list(t.utils.data.DataLoader([t.ones(2), t.ones(3)], batch_size=2)),
    "collate_type": lambda t: list(t.utils.data.DataLoader([object(), object()], batch_size=2)),
    "loader_batch": lambda t: t.utils.data.DataLoader([1], batch_size=0),
    "loader_shuffle_sampler": lambda t: t.utils.data.DataLoader(
        [1], shuffle=True, sampler=t.utils.data.SequentialSampler([1])
    ),
    "loader_workers": lambda t: t.utils.data.DataLoader([1], num_workers=-1),
    "view_size": lambda t: t.ones(6).view(4, 2),
    "view_strides": lambda t: t.ones(2, 3).t().view(6),
    "reshape": lambda t: t.ones(6).reshape(4, -1),
    "cat_shapes": lambda t: t.cat([t.ones(2, 3), t.ones(2, 4)]),
    "cat_empty": lambda t: t.cat([]),
    "stack_shapes": lambda t: t.stack([t.ones(2), t.ones(3)]),
    "index_range": lambda t: t.ones(3)[5],
    "index_dims": lambda t: t.ones(3)[0, 0],
    "index_type": lambda t: t.ones(3)["a"],
    "index_mask": lambda t: t.ones(3)[t.tensor([True, False])],
    "index_tensor_range": lambda t: t.ones(3)[t.tensor([4])].sum().item(),
    "index_float": lambda t: t.ones(3)[t.tensor([1.0])],
    "dim_range": lambda t: t.ones(2, 3).sum(5),
    "transpose_dim": lambda t: t.ones(2).transpose(0, 3),
    "squeeze_dim": lambda t: t.ones(2).squeeze(4),
    "conv_channels": lambda t: t.nn.Conv2d(3, 8, 3)(t.ones(1, 4, 8, 8)),
    "conv_small": lambda t: t.nn.Conv2d(3, 8, 9)(t.ones(1, 3, 4, 4)),
    "conv_dims": lambda t: t.nn.Conv2d(3, 8, 3)(t.ones(8, 8)),
    "bn_dims": lambda t: t.nn.BatchNorm2d(3)(t.ones(2, 3)),
    "bn_one": lambda t: t.nn.BatchNorm1d(3)(t.ones(1, 3)),
    "layernorm_shape": lambda t: t.nn.LayerNorm(4)(t.ones(2, 3)),
    "lstm_size": lambda t: t.nn.LSTM(4, 5)(t.ones(2, 1, 3)),
    "mha_dim": lambda t: t.nn.MultiheadAttention(10, 3),
    "dropout_p": lambda t: t.nn.Dropout(1.5),
    "groupnorm": lambda t: t.nn.GroupNorm(3, 4),
    "tensor_ragged": lambda t: t.tensor([[1, 2], [3]]),
    "tensor_none": lambda t: t.tensor([None]),
    "tensor_str": lambda t: t.tensor(["a"]),
    "item_many": lambda t: t.ones(2).item(),
    "bool_many": lambda t: bool(t.ones(2)),
    "int_many": lambda t: int(t.ones(2)),
    "iter0": lambda t: list(t.tensor(1)),
    "len0": lambda t: len(t.tensor(1)),
    "missing_attr": lambda t: t.ones(2).foo,
    "module_attr": lambda t: layer(t).foo,
    "sequential_index": lambda t: t.nn.Sequential(layer(t))[3],
    "softmax_arg": lambda t: t.softmax([1.0], 0),
    "add_none": lambda t: t.ones(2) + None,
    "add_str": lambda t: t.ones(2) + "a",
    "relu_none": lambda t: t.nn.functional.relu(None),
    "zeros_str": lambda t: t.zeros("a"),
    "zeros_neg": lambda t: t.zeros(-1),
    "randint_low": lambda t: t.randint(5, 2, (3,)),
    "arange_step": lambda t: t.arange(0, 5, -1),
    "mse_dtype_ok": lambda t: t.nn.functional.mse_loss(t.ones(2), t.ones(3, 4)),
    "bce_shape": lambda t: t.nn.functional.binary_cross_entropy(t.ones(2), t.ones(3)),
    "bcel_shape": lambda t: t.nn.functional.binary_cross_entropy_with_logits(t.ones(2), t.ones(3)),
    "gather_dtype": lambda t: t.ones(2, 3).gather(1, t.ones(2, 1)),
    "gather_range": lambda t: t.ones(2, 3).gather(1, t.tensor([[7], [0]])).sum().item(),
    "scatter_dtype": lambda t: t.zeros(3).scatter_(0, t.tensor([0]), t.ones(1, dtype=t.float64)),
    "bmm_dims": lambda t: t.bmm(t.ones(2, 3), t.ones(2, 3)),
    "bmm_batch": lambda t: t.bmm(t.ones(2, 3, 4), t.ones(3, 4, 5)),
    "mm_dtype": lambda t: t.ones(2, 2) @ t.ones(2, 2, dtype=t.float64),
    "mv": lambda t: t.mv(t.ones(2, 3), t.ones(2)),
    "dot": lambda t: t.dot(t.ones(2), t.ones(3)),
    "einsum": lambda t: t.einsum("ij,jk->ik", t.ones(2, 3), t.ones(4, 5)),
    "einsum_ops": lambda t: t.einsum("ij,jk->ik", t.ones(2, 3)),
    "expand": lambda t: t.ones(3).expand(2, 4),
    "repeat": lambda t: t.ones(2, 3).repeat(2),
    "permute": lambda t: t.ones(2, 3).permute(0),
    "split_size": lambda t: t.ones(5).split([2, 2]),
    "chunk0": lambda t: t.ones(5).chunk(0),
    "topk": lambda t: t.ones(3).topk(5),
    "argmax_empty": lambda t: t.ones(0).argmax(),
    "max_empty": lambda t: t.ones(0).max(),
    "inverse_singular": lambda t: t.linalg.inv(t.zeros(2, 2)),
    "cholesky_neg": lambda t: t.linalg.cholesky(-t.eye(2)),
    "load_missing": lambda t: t.load("/nonexistent.pt"),
    "manual_seed": lambda t: t.manual_seed("a"),
    "pad_len": lambda t: t.nn.functional.pad(t.ones(2), (1, 1, 1)),
    "interpolate": lambda t: t.nn.functional.interpolate(t.ones(1, 1, 4, 4)),
    "pool": lambda t: t.nn.functional.max_pool2d(t.ones(1, 1, 2, 2), 3),
    "one_hot": lambda t: t.nn.functional.one_hot(t.tensor([1.0])),
    "copy_shape": lambda t: t.ones(2).copy_(t.ones(3)),
    "where_type": lambda t: t.where(t.ones(2), 1.0, t.ones(2)),
    "masked_fill": lambda t: t.ones(2).masked_fill(t.ones(2), 0),
    "bit_float": lambda t: t.ones(2) & t.ones(2),
    "sub_bool": lambda t: t.tensor([True]) - t.tensor([True]),
    "neg_bool": lambda t: -t.tensor([True]),
    "mean_int": lambda t: t.tensor([1, 2]).mean(),
    "normal_std": lambda t: t.normal(0.0, -1.0, (2,)),
    "multinomial": lambda t: t.multinomial(t.zeros(3), 1),
    "from_numpy_list": lambda t: t.from_numpy([1]),
    "unknown_kw": lambda t: t.sum(t.ones(2), foo=1),
    "too_many": lambda t: t.relu(t.ones(2), 1, 2),
    "too_few": lambda t: t.add(t.ones(2)),
    "clamp_none": lambda t: t.ones(2).clamp(),
    "lr_sched": lambda t: t.optim.lr_scheduler.StepLR(layer(t), 1),
    "register_param": lambda t: layer(t).register_parameter("a.b", None),
    "register_buffer": lambda t: layer(t).register_buffer("q", 1),
    "moduledict": lambda t: t.nn.ModuleDict({"a": 1}),
    "modulelist": lambda t: t.nn.ModuleList([1]),
    "seq_arg": lambda t: t.nn.Sequential(1),
    "normal_dist": lambda t: t.distributions.Normal(0.0, -1.0),
    "cat_dist": lambda t: t.distributions.Categorical(t.tensor([-1.0, 2.0])),
    "dtype_bad": lambda t: t.ones(2, dtype="float32"),
    "to_bad": lambda t: t.ones(2).to("float32"),
}


def mistake(fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A case that takes more than an expression."""
    MISTAKES[fn.__name__] = fn
    return fn


@mistake
def backward_twice(t):
    w = t.ones(2, requires_grad=True)
    y = (w * w).sum()
    y.backward()
    y.backward()


@mistake
def inplace_leaf(t):
    w = t.ones(2, requires_grad=True)
    w += 1


@mistake
def inplace_view_leaf(t):
    w = t.ones(2, requires_grad=True)
    w[0] = 1


@mistake
def inplace_saved(t):
    w = t.ones(2, requires_grad=True)
    y = w.exp()
    y.add_(1)
    y.sum().backward()


@mistake
def module_noforward(t):

    class M(t.nn.Module):
        pass

    M()(1)


@mistake
def module_noinit(t):

    class M(t.nn.Module):
        def __init__(self):
            self.a = t.nn.Linear(1, 1)

    M()


@mistake
def set_grad(t):
    w = t.ones(2, requires_grad=True)
    w.grad = t.ones(3)


@mistake
def nonleaf_flag(t):
    w = t.ones(2, requires_grad=True) * 2
    w.requires_grad = False


@mistake
def deepcopy_nonleaf(t):
    import copy

    copy.deepcopy(t.ones(2, requires_grad=True) * 2)


@mistake
def autograd_unused(t):
    a = t.ones(1, requires_grad=True)
    b = t.ones(1, requires_grad=True)
    t.autograd.grad((a * 2).sum(), b)


@mistake
def grad_shape(t):
    a = t.ones(2, requires_grad=True)
    (a * 2).backward(t.ones(3))


@mistake
def setitem_shape(t):
    a = t.ones(2, 3)
    a[0] = t.ones(2)


@mistake
def inplace_type(t):
    a = t.ones(2, dtype=t.int64)
    a += 0.5


@mistake
def inplace_shape(t):
    a = t.ones(2)
    a += t.ones(3, 2)


@mistake
def from_numpy_str(t):
    import numpy as np

    t.from_numpy(np.array(["a"]))


@mistake
def param_assign(t):
    layer(t).weight = t.ones(2)


def refusal(fn: Callable[[Any], Any], module: Any) -> tuple[type[BaseException], str]:
    with pytest.raises(Exception) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fn(module)
    return caught.type, str(caught.value)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_in_pytorchs_words(name: str) -> None:
    fn = MISTAKES[name]
    theirs, words = refusal(fn, torch)
    ours, said = refusal(fn, flambeau)
    assert ours.__name__.lstrip("_") == theirs.__name__.lstrip("_")
    beginning = BEGINNINGS.get(name)
    if beginning is not None:
        assert words.startswith(beginning) and said.startswith(beginning)
    else:
        assert said == words
