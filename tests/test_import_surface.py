"""Names that libraries on PyPI reach for: there, and honest about what they cannot do."""
from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import flambeau as torch

ROOT = Path(__file__).resolve().parent.parent
# By the library that was seen to need it.
NAMES = {
    "accelerate": ["utils.data.graph_settings.apply_random_seed", "utils.data._utils.HAS_NUMPY",
                   "utils.data._utils.signal_handling._set_worker_pids", "utils.data._DatasetKind",
                   "utils.data.datapipes.datapipe._IterDataPipeSerializationWrapper",
                   "utils.data.dataloader._sharding_worker_init_fn",
                   "utils.data._utils.worker.ManagerWatchdog", "utils.data.IterDataPipe"],
    "botorch": ["quasirandom.SobolEngine"],
    "captum": ["nn.parallel.scatter_gather.scatter"],
    "diffusers": ["Stream", "Event"],
    "kornia": ["_subclasses.fake_tensor.FakeTensor", "complex32"],
    "monai": ["serialization.DEFAULT_PROTOCOL", "_utils._get_device_index"],
    "opacus": ["distributed._tensor.experimental.implicit_replication"],
    "open_clip": ["TensorType"],
    "pyro": ["serialization.MAP_LOCATION", "_C._get_tracing_state"],
    "schedulefree": ["optim.optimizer.ParamsT"],
    "tensorboard": ["utils.tensorboard.SummaryWriter"],
}


@pytest.mark.parametrize("library", sorted(NAMES))
def test_names_are_there(library: str) -> None:
    for name in NAMES[library]:
        found = torch
        for i, part in enumerate(name.split(".")):
            if not hasattr(found, part):
                importlib.import_module(".".join(["flambeau", *name.split(".")[: i + 1]]))
            found = getattr(found, part)


def test_what_is_not_there_says_so() -> None:
    with pytest.raises(RuntimeError, match="no streams"):
        torch.Stream()
    with pytest.raises(NotImplementedError, match="meta"):
        importlib.import_module("flambeau._subclasses").FakeTensorMode()


def test_the_module_is_called_torch_where_it_stands_for_it() -> None:
    code = ("import flambeau.compat as c; c.as_torch(); import torch, torch.nn.functional; "
            "from torch import linalg; assert torch.__name__ == 'torch'; c.undo(); "
            "assert torch.__name__ == 'flambeau'")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_signatures_of_old() -> None:
    """A number before the tensors, as PyTorch 1.4 had it; optimizers on PyPI still write so."""
    x = torch.ones(3)
    a, b = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 2.0, 2.0])
    assert x.clone().addcmul_(0.5, a, b).tolist() == [2.0, 3.0, 4.0]
    assert x.clone().addcdiv_(2, a, b).tolist() == [2.0, 3.0, 4.0]
    assert x.clone().add_(-1, a).tolist() == [0.0, -1.0, -2.0]
    with pytest.raises(TypeError):
        x.addcmul(a, a, b)


def test_shapes_by_keyword() -> None:
    x = torch.arange(6.0).reshape(2, 3, 1)
    assert torch.squeeze(x, dim=2).shape == (2, 3)
    assert x.squeeze(dim=(0, 2)).shape == (2, 3)
    assert x.expand(size=(2, 3, 4)).shape == (2, 3, 4)
    assert x.view(size=(6,)).shape == (6,)
    assert x.to_dense() is x


def test_kl_of_classes_that_are_no_distributions() -> None:
    class Mine:
        """A base of another library, as Pyro's is."""

    kl = importlib.import_module("flambeau.distributions.kl")
    normal = torch.distributions.Normal
    before = dict(kl._KL_REGISTRY)
    try:
        kl.register_kl(normal, Mine)(lambda p, q: "found")
        assert kl.kl_divergence(normal(0.0, 1.0), Mine()) == "found"
    finally:
        kl._KL_REGISTRY.clear()
        kl._KL_REGISTRY.update(before)
        kl._KL_MEMOIZE.clear()
