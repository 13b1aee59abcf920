"""Samples of softmax, activations, normalisation and losses."""
import math

import numpy as np

from .samples import F, Kind, P, S, U, Z

SMOOTH = "gelu silu mish softplus logsigmoid softsign tanhshrink".split()
PIECES = """relu relu6 hardtanh leaky_relu elu selu celu hardsigmoid hardswish hardshrink
    softshrink""".split()
PAIRS = """mse_loss l1_loss smooth_l1_loss huber_loss poisson_nll_loss kl_div soft_margin_loss
    binary_cross_entropy_with_logits multilabel_soft_margin_loss""".split()
LABELS = np.array([2, 0, -100, 3])
SIGNS = np.array([1.0, -1.0, 1.0, -1.0])
FAR = np.array([[1000.0, 0.0, -1000.0], [-math.inf, 0.0, 1.0]])


def fn(name: str) -> str:
    return "nn.functional." + name


SAMPLES = [
    *[S(n, F(3, 4), 1) for n in ("softmax", "log_softmax", fn("softmin"))],
    *[S(n, F(2, 3, 4), 0) for n in ("softmax", "log_softmax")],
    *[S(fn(n), F(2, 3), dim=1) for n in ("softmax", "log_softmax")],
    S(fn("softmax"), F(2, 3), 1, dtype=Kind("float32"), grad=False),
    *[S(n, FAR, 1, grad=False) for n in ("softmax", "log_softmax")], S("softmax", F(), 0),
    *[S(fn(n), F(3, 5, low=-4, high=4)) for n in SMOOTH + PIECES],
    *[S(fn(n), np.array([-math.inf, -200.0, -0.0, 0.0, 200.0, math.inf, math.nan]), grad=False)
      for n in SMOOTH + PIECES if n not in ("softsign", "tanhshrink", "gelu", "silu", "mish",
                                            "hardswish")],
    S(fn("gelu"), F(9, low=-5, high=5), approximate="tanh"), S(fn("celu"), F(5), 2.5),
    S(fn("elu"), F(5), 0.7), S(fn("leaky_relu"), F(5), 0.3), S(fn("hardtanh"), F(9), -0.3, 0.9),
    S(fn("threshold"), F(9), 0.4, -7.0), S(fn("softplus"), F(9), 3.0, 2.0),
    S(fn("hardshrink"), F(9), 1.0), S(fn("prelu"), F(2, 3, 4), F(3)), S(fn("prelu"), F(4), F(1)),
    S(fn("glu"), F(3, 4)), S(fn("glu"), F(3, 4, 2), 1),
    S(fn("layer_norm"), F(3, 4), (4,)), S(fn("layer_norm"), F(2, 3, 4), (3, 4), F(3, 4), F(3, 4)),
    S(fn("layer_norm"), F(3, 4), (4,), F(4)), S(fn("rms_norm"), F(3, 4), (4,), F(4)),
    S(fn("rms_norm"), F(3, 4), (4,), None, 0.1), S(fn("group_norm"), F(2, 6, 3), 3, F(6), F(6)),
    S(fn("group_norm"), F(2, 4), 2), S(fn("local_response_norm"), F(2, 5, 3), 3, 0.1, 0.75, 2.0),
    S(fn("local_response_norm"), F(1, 4, 2, 2), 2, 0.5),
    S(fn("normalize"), F(3, 4)), S(fn("normalize"), F(3, 4), 1.0, 0),
    S(fn("cosine_similarity"), F(3, 4), F(3, 4)), S(fn("cosine_similarity"), F(3, 4), F(4), -1),
    S(fn("pairwise_distance"), F(3, 4), F(3, 4)), S(fn("pairwise_distance"), F(3, 4), F(4), 1.0),
    *[S(fn(n), F(3, 4), U(3, 4), reduction=r, by=(0,) if n == "soft_margin_loss" else None,
        spoil=n != "multilabel_soft_margin_loss")
      for n in PAIRS for r in ("none", "mean", "sum")],
    S(fn("kl_div"), F(3, 4), F(3, 4), reduction="batchmean", log_target=True),
    S(fn("smooth_l1_loss"), F(9), F(9), beta=0.5), S(fn("huber_loss"), F(9), F(9), delta=0.4),
    S(fn("mse_loss"), F(3), F(3), weight=P(3)),
    S(fn("poisson_nll_loss"), P(4), P(4), False, True), S(fn("gaussian_nll_loss"), F(4), F(4), P(4),
                                                          full=True),
    S(fn("binary_cross_entropy"), U(4), U(4)), S(fn("binary_cross_entropy"), U(3, 4), U(3, 4), U(4),
                                                 reduction="sum", by=(0, 1)),
    S(fn("binary_cross_entropy_with_logits"), F(3, 4), U(3, 4), P(4), pos_weight=P(4), by=(0, 1)),
    *[S(fn("ctc_loss"), F(9, 2, 4, low=-3, high=-0.1),
        np.array([[1, 2, 2], [3, 1, 0]]), (9, 7), (3, 2), reduction=r, grad=False)
      for r in ("none", "mean", "sum")],
    S(fn("hinge_embedding_loss"), F(4), SIGNS),
    S(fn("margin_ranking_loss"), F(4), F(4), SIGNS, 0.3),
    *[S(fn(n), F(4, 5), LABELS, reduction=r) for n in ("nll_loss", "cross_entropy")
      for r in ("none", "mean", "sum")],
    *[S(fn(n), F(4, 5), LABELS, P(5), by=(0,)) for n in ("nll_loss", "cross_entropy")],
    *[S(fn(n), F(2, 3, 2, 2), Z(2, 2, 2, low=0, high=3)) for n in ("nll_loss", "cross_entropy")],
    *[S(fn(n), F(5), np.array(3)) for n in ("nll_loss", "cross_entropy")],
    S(fn("nll_loss"), F(4, 5), np.array([1, 2, 2, 0]), ignore_index=2),
    S(fn("cross_entropy"), F(4, 5), LABELS, P(5), label_smoothing=0.2, by=(0,)),
    S(fn("cross_entropy"), F(4, 5), LABELS, label_smoothing=0.2, reduction="none"),
    S(fn("cross_entropy"), F(4, 5), U(4, 5)), S(fn("cross_entropy"), F(4, 5), U(4, 5), P(5),
                                                label_smoothing=0.1, reduction="sum"),
    S(fn("multi_margin_loss"), F(4, 5), Z(4, low=0, high=5)),
    S(fn("multi_margin_loss"), F(4, 5), Z(4, low=0, high=5), 2, 0.5, P(5), reduction="none",
      by=(0,)),
    S(fn("multilabel_margin_loss"), F(2, 4), np.array([[3, 0, -1, 1], [1, -1, 2, 2]])),
    S(fn("cosine_embedding_loss"), F(4, 3), F(4, 3), SIGNS, 0.2),
    S(fn("triplet_margin_loss"), F(4, 3), F(4, 3), F(4, 3)),
    S(fn("_triplet_hinge"), F(4, 3), F(4, 3), F(4, 3),
      via=fn("triplet_margin_with_distance_loss")),
    S(fn("triplet_margin_loss"), F(4, 3), F(4, 3), F(4, 3), 0.5, 1.0, swap=True, reduction="none"),
]
