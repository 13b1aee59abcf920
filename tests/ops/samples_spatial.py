"""Samples of convolution, pooling, resampling, padding and batch statistics."""
from __future__ import annotations

import numpy as np

from .samples import C, F, P, S

SIZES = {1: (7,), 2: (5, 6), 3: (4, 3, 5)}
THETA = np.array([[[0.9, 0.1, 0.05], [-0.2, 0.8, 0.11]]])


def fn(name: str) -> str:
    return "nn.functional." + name


def convolutions(d: int) -> list[object]:
    """A convolution and its transpose over d dims: plain, with everything, grouped, complex."""
    size = SIZES[d]
    ones = (2,) * d
    conv, back = f"torch.conv{d}d", f"torch.conv_transpose{d}d"
    return [
        S(conv, F(2, 2, *size), F(3, 2, *ones)),
        S(conv, F(1, 2, *size), F(2, 2, *ones), F(2), 2, 1),
        S(conv, F(1, 4, *size), F(4, 2, *ones), F(4), 1, 0, 2, 2),
        S(conv, F(2, *size), F(3, 2, *ones), padding="same"),
        S(conv, C(1, 2, *size), C(2, 2, *ones), C(2)),
        S(back, F(2, 2, *size), F(2, 3, *ones)),
        S(back, F(1, 2, *size), F(2, 3, *ones), F(3), 2, 1, 1),
        S(back, F(1, 4, *size), F(4, 1, *ones), F(2), 1, 0, 0, 2, 2),
        S(back, C(1, 2, *size), C(2, 2, *ones)),
    ]


def pools(d: int) -> list[object]:
    """Pooling over d dims."""
    size = SIZES[d]
    most, mean = f"torch.max_pool{d}d", fn(f"avg_pool{d}d")
    pairs = fn(f"max_pool{d}d_with_indices")
    again = fn(f"adaptive_max_pool{d}d")
    return [
        S(most, F(2, 2, *size), 2), S(most, F(1, 2, *size), 2, 1, 1),
        S(most, F(2, *size), 3, 2, 1, 1,
                                                                     True),
        S(pairs, F(1, 2, *size), 2, 1), S(mean, F(2, 2, *size), 2),
        S(mean, F(1, 2, *size), 2, 1, 1),
        S(mean, F(2, *size), 3, 2, 1, True, False),
        S(fn(f"lp_pool{d}d"), P(1, 2, *size), 2.0, 2),
        S(fn(f"lp_pool{d}d"), P(1, 2, *size), 3, 2, 1),
        S(fn(f"adaptive_avg_pool{d}d"), F(1, 2, *size), 2), S(again, F(1, 2, *size), 2),
        S(fn(f"adaptive_avg_pool{d}d"), F(2, *size), 3), S(again + "_with_indices",
                                                        F(1, 2, *size), 3),
        S(fn(f"max_unpool{d}d"), F(1, 1, *ends(d)), corners(d), 2),
    ]


def ends(d: int) -> tuple[int, ...]:
    return (2,) * d


def corners(d: int) -> np.ndarray:
    """Indices into an area of 4 along each dim: one for each of the windows of 2."""
    steps = [np.arange(2) * 2 * 4 ** (d - 1 - k) for k in range(d)]
    return np.asarray(sum(np.meshgrid(*steps, indexing="ij")))[None, None]


MODES = [("nearest", (1, 2, 5)), ("nearest-exact", (1, 2, 5)), ("linear", (1, 2, 5)),
         ("bilinear", (1, 2, 3, 4)), ("bicubic", (1, 2, 3, 4)), ("area", (1, 2, 4, 5)),
         ("trilinear", (1, 1, 2, 3, 2))]
BATCH = "batch statistics"
STATS = {"running_mean": np.array([0.1, -0.2, 0.3]), "running_var": np.array([1.5, 0.5, 1.0])}

SAMPLES = [
    *[row for d in (1, 2, 3) for row in convolutions(d) + pools(d)],
    S(fn("pad"), F(2, 3), (1, 2)), S(fn("pad"), F(2, 3), (1, -1, 0, 2), value=1.5),
    S(fn("pad"), C(2, 3), (1, 0)), S("torch.constant_pad_nd", F(2, 3), (1, 1, 2, 0), 2.0),
    *[S(fn("pad"), F(1, 2, 4), (2, 1), m) for m in ("reflect", "replicate", "circular")],
    *[S(fn("pad"), F(1, 1, 3, 4), (1, 2, 2, 1), m) for m in ("reflect", "replicate", "circular")],
    *[S(fn("interpolate"), F(*size), scale_factor=2, mode=m) for m, size in MODES],
    *[S(fn("interpolate"), F(*size), size=(3,) * (len(size) - 2), mode=m) for m, size in MODES],
    *[S(fn("interpolate"), F(*size), scale_factor=1.7, mode=m, align_corners=True)
      for m, size in MODES if m.endswith(("linear", "bic")) or m == "bicubic"],
    S(fn("interpolate"), F(1, 1, 6, 6), size=(3, 4), mode="bilinear", antialias=True),
    S(fn("upsample"), F(1, 2, 3), scale_factor=2),
    S(fn("upsample_nearest"), F(1, 2, 2, 3), scale_factor=2),
    S(fn("upsample_bilinear"), F(1, 2, 2, 3), scale_factor=2),
    *[S(fn("grid_sample"), F(1, 2, 3, 4), F(1, 2, 3, 2, low=-1.1, high=1.1), m, p, False)
      for m in ("bilinear", "bicubic") for p in ("zeros", "border")],
    S(fn("grid_sample"), F(1, 2, 3, 4), F(1, 2, 3, 2), "bilinear", "reflection", True),
    S(fn("grid_sample"), F(1, 2, 3, 4), F(1, 2, 3, 2), "nearest", "zeros", False),
    S(fn("grid_sample"), F(1, 1, 2, 3, 4), F(1, 2, 1, 3, 3, low=-1, high=1), align_corners=False,
      once="PyTorch has none for volumes"),
    S("torch.grid_sampler", F(1, 2, 3, 4), F(1, 2, 3, 2, low=-1, high=1), 0, 0, False,
      spoil=False),
    S(fn("affine_grid"), THETA, (1, 1, 2, 3), False),
    S(fn("affine_grid"), F(2, 3, 4), (2, 1, 2, 2, 2),
                                                       True),
    S(fn("unfold"), F(1, 2, 4, 5), 2), S(fn("unfold"), F(2, 1, 4, 5), (2, 3), 1, 1, 2),
    S(fn("fold"), F(1, 8, 6), (3, 4), 2), S(fn("fold"), F(1, 4, 6), (4, 6), 2, 1, 0, 2),
    # what batch normalisation does to its running values is in tests/vs_torch/test_nn
    S(fn("_batch_norm"), F(4, 3), None, None, P(3), F(3), True, via=fn("batch_norm")),
    S(fn("_batch_norm"), F(2, 3, 4), STATS["running_mean"], STATS["running_var"], P(3), F(3),
      by=(0, 3, 4), via=fn("batch_norm")),
    S(fn("_batch_norm_running"), F(2, 3, 2), STATS["running_mean"], STATS["running_var"],
      training=True, momentum=0.3, by=(0,), via=fn("batch_norm")),
    S(fn("_instance_norm"), F(2, 3, 4), None, None, P(3), F(3), via=fn("instance_norm")),
    S(fn("_instance_norm"), F(2, 3, 2, 2), STATS["running_mean"], STATS["running_var"],
      use_input_stats=False, by=(0,), via=fn("instance_norm")),
    S(fn("_instance_norm_running"), F(2, 3, 4), STATS["running_mean"], STATS["running_var"],
      by=(0,), via=fn("instance_norm")),
]
