"""Resampling, sampling at points and patches agree with PyTorch."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
import torch.nn.functional as F  # noqa: E402, N812

from flambeau.ops import resampling as res  # noqa: E402
from flambeau.ops import sampling as sam  # noqa: E402

from .nodes import check, leaf, raises_alike  # noqa: E402

MODES = [(m, s) for m in ("nearest", "nearest-exact", "linear", "area") for s in [(2, 3, 7)]] + [
    (m, (2, 3, 5, 6)) for m in ("nearest", "nearest-exact", "bilinear", "bicubic", "area")] + [
    (m, (1, 2, 3, 4, 5)) for m in ("nearest", "trilinear", "area")]


@pytest.mark.parametrize("mode,shape", MODES)
@pytest.mark.parametrize("how", [{"size": 4}, {"scale_factor": 2}, {"scale_factor": 0.6},
                                 {"scale_factor": 1.7},
                                 {"scale_factor": 1.7, "recompute_scale_factor": True}])
def test_interpolate(mode, shape, how):
    check(res.interpolate, F.interpolate, leaf(*shape), mode=mode, **how)
    if mode.endswith(("linear", "cubic")):
        check(res.interpolate, F.interpolate, leaf(*shape), mode=mode, align_corners=True, **how)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(3, 4), (9, 11)])
def test_antialias(mode, size):
    check(res.interpolate, F.interpolate, leaf(2, 3, 6, 8), size, mode=mode, antialias=True)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("align", [True, False])
def test_grid_sample(mode, padding, align):
    grid = (torch.rand(2, 3, 4, 2, dtype=torch.float64) * 3 - 1.5).requires_grad_(True)
    check(sam.grid_sample, F.grid_sample, leaf(2, 3, 5, 6), grid, mode, padding, align)
    if mode != "bicubic":
        grid = (torch.rand(2, 3, 4, 2, 3, dtype=torch.float64) * 3 - 1.5).requires_grad_(True)
        check(sam.grid_sample, F.grid_sample, leaf(2, 3, 5, 6, 4), grid, mode, padding, align)


def test_affine_grid():
    for align in (True, False):
        check(sam.affine_grid, F.affine_grid, leaf(2, 2, 3), (2, 3, 4, 5), align)
        check(sam.affine_grid, F.affine_grid, leaf(2, 3, 4), (2, 3, 4, 1, 5), align)


def test_patches():
    check(sam.unfold, F.unfold, leaf(2, 3, 6, 7), 3)
    check(sam.unfold, F.unfold, leaf(3, 6, 7), (2, 3), dilation=2, padding=(1, 2), stride=(2, 1))
    check(sam.fold, F.fold, leaf(2, 12, 9), (4, 4), 2)
    x = F.unfold(torch.randn(2, 3, 6, 7, dtype=torch.float64), (2, 3), 2, (1, 2), (2, 1))
    check(sam.fold, F.fold, x.requires_grad_(True), (6, 7), (2, 3), 2, (1, 2), (2, 1))


z = torch.zeros


@pytest.mark.parametrize("args,kw", [
    ((z(1, 3, 8, 8),), {}), ((z(1, 3, 8, 8),), {"size": (1, 2, 3)}), ((z(3, 8),), {"size": 4}),
    ((z(1, 3, 8, 8),), {"size": 4, "scale_factor": 2}),
    ((z(1, 3, 8, 8),), {"size": 4, "mode": "foo"}),
    ((z(1, 3, 8),), {"size": 4, "mode": "bilinear"}),
    ((z(1, 3, 8),), {"size": 4, "align_corners": True}),
])
def test_interpolate_errors(args, kw):
    got, want = raises_alike(res.interpolate, F.interpolate, *args, **kw)
    assert got == want


@pytest.mark.parametrize("ours,theirs,args", [
    (sam.grid_sample, F.grid_sample, (z(1, 3, 8, 8), z(1, 2, 2, 3))),
    (sam.fold, F.fold, (z(1, 13, 9), (4, 4), 2)), (sam.fold, F.fold, (z(1, 12, 8), (4, 4), 2)),
    (sam.unfold, F.unfold, (z(1, 3, 8, 8), 9)),
])
def test_errors(ours, theirs, args):
    got, want = raises_alike(ours, theirs, *args)
    assert got == want
