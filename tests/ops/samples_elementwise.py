"""Samples of the elementwise families."""
import math

import numpy as np

from .samples import B, C, F, P, S, U, Z

ANY = """neg abs sign square exp exp2 expm1 sin cos tan atan sinh cosh tanh asinh sigmoid erf erfc
    floor ceil trunc round frac sinc deg2rad rad2deg positive special.i0 special.i0e special.i1
    special.i1e special.ndtr special.log_ndtr special.erfcx nan_to_num""".split()
POSITIVE = (
    "log log2 log10 log1p sqrt rsqrt reciprocal lgamma digamma acosh special.entr".split()
)
INSIDE = "asin acos atanh erfinv logit special.ndtri".split()
BINARY = """add sub rsub mul div true_divide maximum minimum fmax fmin atan2 hypot logaddexp
    logaddexp2 copysign fmod remainder""".split()
# of complex numbers
PLANE = """neg abs square exp exp2 expm1 sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh
    sigmoid sqrt rsqrt log log2 log10 log1p reciprocal sinc positive""".split()
COMPARE = "eq ne lt le gt ge".split()
# PyTorch's own are good to 1e-6 only
BESSEL = """bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_i0 modified_bessel_i1
    modified_bessel_k0 modified_bessel_k1
    scaled_modified_bessel_k0 scaled_modified_bessel_k1 airy_ai spherical_bessel_j0""".split()
POLYNOMIALS = """chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v
    chebyshev_polynomial_w shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u
    shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w hermite_polynomial_h
    hermite_polynomial_he laguerre_polynomial_l legendre_polynomial_p""".split()

EDGES = np.array([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-30, 1e30, -2.5, 2.5, 0.5],
                 np.float32)

SAMPLES = [
    *[S(n, F(3, 4)) for n in ANY],
    *[S(n, Z(5), grad=False) for n in ANY if n not in ("frac",)],
    *[S(n, EDGES, grad=False) for n in ANY if not n.startswith("special")],
    *[S(n, P(3, 4) if n != "acosh" else F(3, 4, low=1.2, high=3)) for n in POSITIVE],
    *[S(n, EDGES, grad=False) for n in POSITIVE],
    *[S(n, U(3, 4)) for n in INSIDE],
    *[S("special." + n, F(40, low=-20, high=25), grad=False, tol=3e-5) for n in BESSEL],
    *[S("special." + n, F(7), Z(7, low=-1, high=6), grad=False) for n in POLYNOMIALS],
    *[S(n, C(3, 4)) for n in PLANE],
    *[S(n, C(3, 4), C(4)) for n in ("add", "sub", "mul", "div", "pow", "rsub")],
    S("mul", C(3), F(3)), S("add", F(3), C(3), alpha=1 + 2j), S("pow", C(3), 2),
    S("pow", 2.0, C(3)),
    S("addcmul", C(3), C(3), C(3), value=1j), S("addcdiv", C(3), C(3), C(3)),
    S("lerp", C(3), C(3), C(3)), S("lerp", C(3), C(3), 0.3), S("torch.where", B(3), C(3), C(3)),
    S("masked_fill", C(3), B(3), 2j), S("eq", C(3), C(3), grad=False),
    *[S(n, F(3, 4), F(4)) for n in BINARY],
    *[S(n, F(2, 1, 3), P(4, 1)) for n in BINARY],
    *[S(n, EDGES[:, None], EDGES, grad=False) for n in BINARY],
    *[S(n, Z(3, 4, high=3), F(4), grad=False) for n in COMPARE],
    *[S(n, EDGES[:, None], EDGES, grad=False) for n in COMPARE],
    *[S(n, Z(4), 2.5, grad=False) for n in COMPARE],
    S("add", F(3), F(3), alpha=2.5), S("add", Z(3), 2), S("add", Z(3), 1.5, grad=False),
    S("add", B(3), B(3), grad=False), S("add", Z(3, kind="int32"), Z(3, kind="uint8", low=0)),
    S("sub", F(2, 3), F(3), alpha=-1), S("mul", F(3), 3), S("mul", Z(3), True),
    S("div", Z(4), Z(4, low=1), grad=False), S("div", F(4), 3.0),
    S("div", F(4), F(4), rounding_mode="floor"), S("div", F(4), F(4), rounding_mode="trunc"),
    S("div", Z(9), Z(9, low=1, high=4), rounding_mode="floor", grad=False),
    S("div", Z(9), Z(9, low=-4, high=0), rounding_mode="trunc", grad=False),
    S("floor_divide", EDGES[:, None], EDGES, grad=False), S("floor_divide", Z(5), 2, grad=False),
    S("remainder", Z(9), Z(9, low=-4, high=0)), S("fmod", Z(9), 3), S("remainder", 5, Z(4, low=1)),
    S("pow", P(4), F(4)), S("pow", F(4), 2), S("pow", F(4), 3), S("pow", P(4), 0.5),
    S("pow", P(4), -1), S("pow", P(4), -2), S("pow", P(4), -0.5), S("pow", F(4), 0),
    S("pow", P(4), 2.7), S("pow", F(4), 5), S("pow", 2.0, F(4)), S("pow", Z(4), 2, grad=False),
    S("pow", Z(4), Z(4, low=0, high=4), grad=False), S("pow", 2, Z(4, low=0), grad=False),
    S("pow", EDGES[:, None], EDGES, grad=False), S("float_power", Z(4, low=1), 1.5, grad=False),
    S("lerp", F(4), F(4), 0.3), S("lerp", F(4), F(4), F(4)), S("lerp", F(2, 4), F(4), 0.8),
    S("addcmul", F(3, 4), F(4), F(3, 1), value=1.5), S("addcdiv", F(3), F(3), P(3), value=-2),
    S("ldexp", F(4), Z(4, low=0)), S("xlogy", F(4), P(4)), S("special.xlog1py", F(4), P(4)),
    S("xlogy", np.array([0.0, 0.0, 1.0]), np.array([0.0, math.nan, 0.0]), grad=False),
    S("special.zeta", F(4, low=1.5, high=4), P(4), grad=False),
    S("polygamma", 1, P(4)), S("polygamma", 2, P(4)), S("polygamma", 1, F(4, low=-3.4, high=-3.1)),
    S("mvlgamma", F(4, low=2, high=5), 3), S("logit", F(4, low=-1), eps=0.2),
    S("special.gammainc", P(5), P(5), grad=False, tol=1e-5),
    S("special.gammaincc", P(5), F(5, low=0.1, high=9), grad=False, tol=1e-5),
    S("clamp", F(9), -0.5, 0.5), S("clamp", F(9), None, 0.5), S("clamp", F(9), 0.1),
    S("clamp", F(3, 4), F(4, high=0), F(3, 1, low=0)), S("clamp", Z(9), -2, 2),
    S("clamp", Z(9), 0.5, grad=False), S("clamp_min", F(9), 0.0), S("clamp_max", F(9), F(9)),
    S("torch.where", B(3, 4), F(3, 4), F(4)), S("torch.where", B(3), F(3), 2),
    S("torch.where", B(3), Z(3), 1.5,
                                                                    grad=False),
    S("masked_fill", F(3, 4), B(3, 4), 2.0), S("masked_fill", Z(3), B(3), 1),
    S("isclose", EDGES[:, None], EDGES, grad=False),
    S("isclose", EDGES[:, None], EDGES, equal_nan=True, rtol=0.5, grad=False),
    *[S(n, EDGES, grad=False) for n in ("isnan", "isinf", "isfinite", "isposinf", "isneginf",
                                        "signbit", "logical_not")],
    S("logical_and", F(4), Z(4, high=2), grad=False), S("logical_or", B(4), Z(4, high=2)),
    S("logical_xor", B(4), B(4)), S("heaviside", EDGES, EDGES, grad=False),
    S("nextafter", EDGES[:, None], EDGES, grad=False),
    S("nextafter", F(3), F(3), grad=False), S("float_power", P(3), F(3)),
    S("round", F(5), decimals=1, grad=False),
    S("round", F(5, low=-900, high=900), decimals=-2, grad=False),
    S("frexp", EDGES[:6], grad=False), S("frexp", F(7, low=-1e3, high=1e3), grad=False),
    *[S(n, Z(4, kind=k, low=0, high=9), Z(4, kind=k, low=0, high=9)) for k in ("int64", "uint8")
      for n in ("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm")],
    S("gcd", Z(8, low=-60, high=60), Z(8, low=-60, high=60)),
    S("bitwise_and", B(4), B(4)), S("bitwise_not", Z(4)), S("bitwise_not", B(4)),
    S("bitwise_left_shift", Z(5), Z(5, low=0, high=7)), S("bitwise_right_shift", Z(5), 1),
    S("bitwise_left_shift", Z(5, kind="int8"), 9), S("bitwise_right_shift", Z(5, kind="int8"), 9),
]
