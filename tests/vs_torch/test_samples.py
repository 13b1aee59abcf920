"""Every sample of tests/ops against PyTorch: values, dtypes, gradients."""
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from flambeau.ops.table import TABLE  # noqa: E402
from tests.ops.samples import all_samples  # noqa: E402

from .nodes import check  # noqa: E402

# Entries of this project that PyTorch does not have, or where the limit case is a choice.
SAMPLES = [s for s in all_samples() if not s.name.startswith("nn.functional._")]


def theirs(name):
    """PyTorch's function of an entry."""
    space, _, short = name.rpartition(".")
    if space in ("", "torch"):
        found = getattr(torch, short, None)
        return getattr(torch.Tensor, short) if found is None else found
    where = {"special": torch.special, "linalg": torch.linalg,
             "nn.functional": torch.nn.functional}[space]
    return getattr(where, short)


def tensors(value, grad):
    if isinstance(value, np.ndarray):
        t = torch.from_numpy(np.array(value))
        return t.requires_grad_() if grad and t.is_floating_point() else t
    if isinstance(value, (list, tuple)):
        return type(value)(tensors(v, grad) for v in value)
    return value


def arguments(args, kwargs, grad):
    return list(tensors(args, grad)), {k: tensors(v, grad) for k, v in kwargs.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_sample(sample):
    args, kwargs = sample.arguments()
    torch.manual_seed(0)
    wanted = theirs(sample.name)
    raw, named = arguments(args, kwargs, sample.grad)
    try:
        wanted(*raw, **named)
    except RuntimeError as error:                 # PyTorch differentiates by the input alone
        assert "not differentiable with respect to" in str(error)
        raw, named = arguments(args, kwargs, False)
        raw[0].requires_grad_()
    if sample.name in ("equal", "allclose"):
        assert TABLE[sample.name].fn is not None
        return
    check(TABLE[sample.name].fn, wanted, *raw, grad=sample.grad, tol=sample.tol, **named)
