"""Samples of reductions, statistics and running results."""
import math

import numpy as np

from .samples import B, C, F, P, S, Z

HOLES = np.array([[1.0, math.nan, 3.0, 2.0], [4.0, 5.0, 1.0, 4.0], [math.nan] * 4])
TIES = np.array([[3.0, 1.0, 3.0, 2.0], [0.0, 0.0, -1.0, 0.0]])
ZEROS = np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 1.0], [1.5, 2.0, -1.0]])

WHOLE = "sum mean prod amax amin max min var std logsumexp norm nansum median".split()

SAMPLES = [
    *[S(n, F(3, 4)) for n in WHOLE if n != "logsumexp"],
    *[S(n, F(2, 3, 4), 1) for n in WHOLE if n not in ("norm",)],
    *[S(n, F(2, 3, 4), -1, keepdim=True) for n in WHOLE if n not in ("norm", "var", "std")],
    *[S(n, F(2, 3, 4), (0, 2)) for n in ("sum", "mean", "amax", "amin", "var", "std", "logsumexp",
                                         "nansum")],
    *[S(n, C(2, 3)) for n in ("sum", "mean", "prod", "var", "std", "norm")],
    *[S(n, C(2, 3), 1) for n in ("sum", "mean", "prod", "cumsum", "cumprod", "logsumexp",
                                 "logcumsumexp")],
    S("linalg.vector_norm", C(2, 3), 3, 1), S("cov", C(2, 4)), S("corrcoef", C(2, 4)),
    S("diff", C(4)), S("dist", C(3), C(3)), S("renorm", C(2, 3), 2, 0, 1.0),
    S("torch.var_mean", C(2, 3), 1), S("torch.trapezoid", C(4)), S("any", C(3)),
    *[S(n, F()) for n in ("sum", "mean", "prod", "amax", "max", "median")],
    *[S(n, HOLES, 1, grad=False) for n in ("amax", "max", "min", "argmax", "median",
                                           "nansum", "nanmean", "cummax", "cummin", "logsumexp")],
    *[S(n, TIES) for n in ("amax", "amin", "max", "min", "median")],
    *[S(n, TIES, 1)
      for n in ("amax", "max", "min", "argmax", "argmin", "cummax", "cummin", "mode")],
    *[S(n, F(0)) for n in ("sum", "prod")], S("mean", F(0), grad=False), S("var", F(1), grad=False),
    *[S(n, F(2, 0), 1, grad=False) for n in ("sum", "prod", "mean", "logsumexp", "any", "all")],
    S("sum", Z(4, kind="int32")), S("sum", B(4)), S("prod", Z(4, kind="int8")),
    S("prod", ZEROS), S("prod", ZEROS, 1), S("cumprod", ZEROS, 1), S("cumprod", ZEROS, 0),
    S("any", Z(3, 4, low=0, high=2), 1), S("all", F(3, 4)), S("any", B(3), 0, keepdim=True),
    S("all", Z(3, kind="uint8")), S("count_nonzero", Z(3, 4, low=0, high=2)),
    S("count_nonzero", Z(3, 4, low=0, high=2), dim=1), S("argmax", F(3, 4)),
    S("argmin", F(3, 4), 0, keepdim=True), S("aminmax", F(3, 4), dim=1), S("aminmax", F(3, 4)),
    S("max", F(3, 4), F(4)), S("min", F(3, 4), F(4)), S("var", F(3, 4), correction=0),
    S("var", F(3, 4), 1, False), S("std", F(3, 4), [0], correction=2.0, keepdim=True),
    S("torch.var_mean", F(3, 4), 1), S("torch.std_mean", F(3, 4), (0, 1)),
    S("logsumexp", np.array([[-math.inf, -math.inf], [math.inf, 0.0], [1e30, 1e30]]), 1,
      grad=False),
    *[S("norm", F(3, 4), p, 1) for p in (0, 1, 2, 3, 1.5, math.inf, -math.inf)],
    S("norm", F(3, 4), "fro"), S("norm", np.zeros((2, 3)), 2, 1),
    S("linalg.vector_norm", F(2, 3, 4), 3, (0, 2), True), S("dist", F(3), F(3), 2),
    S("dist", F(3, 4), F(4), 1.0), S("renorm", F(3, 4), 2, 0, 1.0),
    S("cumsum", F(3, 4), 1), S("cumsum", Z(3, 4, kind="int32"), 0), S("cumsum", F(), 0),
    S("cumprod", F(3, 4), -1), S("cummax", F(3, 4), 1), S("cummin", F(3, 4), 0),
    S("logcumsumexp", F(3, 4, low=-50, high=50), 1), S("logcumsumexp", F(2, 3, 2), 1),
    S("diff", F(3, 5)), S("diff", F(3, 5), 2, 0), S("diff", F(4), prepend=F(2), append=F(1)),
    S("diff", B(5)), S("torch.trapezoid", F(3, 4)), S("torch.trapezoid", F(3, 4), F(4)),
    S("torch.trapezoid", F(3, 4), dx=0.5, dim=0),
    S("torch.cumulative_trapezoid", F(3, 4), F(3, 4), spoil=False),
    S("median", Z(7)), S("median", F(3, 5), 1), S("nanmedian", HOLES[:2], 1),
    S("kthvalue", F(3, 5), 2), S("kthvalue", F(3, 5), 3, 0, True), S("mode", Z(4, 9, high=0), 1),
    S("quantile", F(3, 5), 0.3), S("quantile", F(3, 5), 0.3, 1, True),
    S("quantile", F(3, 5), np.array([0.1, 0.9]), 0), S("nanquantile", HOLES, 0.4, 1, grad=False),
    *[S("quantile", F(5), 0.37, interpolation=m) for m in ("lower", "higher", "nearest",
                                                          "midpoint")],
    S("cov", F(3, 5)), S("cov", F(5)), S("cov", F(3, 5), correction=0, aweights=P(5)),
    S("cov", F(3, 5), fweights=Z(5, low=1, high=4)), S("corrcoef", F(3, 5)),
    S("equal", F(3), F(3), grad=False), S("allclose", F(3), F(3), grad=False),
]
