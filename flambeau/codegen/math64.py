"""The functions of analysis for double, 1 to 4 units in the last place.

In: `Real`s of type double. Out: the same. Called by `math`, which also takes the rarer functions of
float from here. The polynomials are minimax fits (Remez) of the expressions that stand beside them.
"""
from __future__ import annotations

import math as scalar

from . import slow
from .emit import Val, constant
from .real import INF, NAN, Real

LOG2E = 1.4426950408889634
LN2 = 0.6931471805592082, 7.371002565167799e-13      # the first with 40 bits
LN2_NEAR = 0.6931471805599453, 2.3190468138462996e-17
LOG10 = 0.301029995663157, 8.241712586023572e-13     # log10(2), the first with 40 bits
MAGIC = 6755399441055744.0                           # 1.5 * 2^52
PI = scalar.pi

# (exp(r) - 1 - r) / r^2 on |r| <= ln(2)/2
EXP = (0.5, 0.16666666666666682, 0.041666666666666095, 0.008333333333317048,
       0.0013888888889115449, 0.0001984126989635006, 2.4801586926863266e-05,
       2.755723489590505e-06, 2.755758173101668e-07, 2.5112024890892824e-08,
       2.0826642916475355e-09)
# (expm1(r) - r - r^2/2) / r^3 on the same
EXPM1 = (0.16666666666666666, 0.04166666666666667, 0.008333333333333328, 0.0013888888888884362,
         0.00019841269841304197, 2.4801587322921436e-05, 2.7557319150228097e-06,
         2.755727735476014e-07, 2.5052166901727362e-08, 2.091303318808908e-09,
         1.605323000620474e-10)
# (log((1 + s) / (1 - s)) - 2 s) / s^3 in s^2, |s| <= 3 - 2 sqrt(2)
LOG = (0.666666666666674, 0.39999999999377983, 0.2857142875130177, 0.22222197587443834,
       0.18183618984057393, 0.15312569966683015, 0.14811539475516208)
# (sin(r) - r) / r^3 and (cos(r) - 1 + r^2/2) / r^4 in r^2, |r| <= pi/4
SIN = (-0.16666666666666666, 0.008333333333333323, -0.00019841269841254725,
       2.755731921402487e-06, -2.5052104871280375e-08, 1.6058361798172113e-10,
       -7.578471563328213e-13)
COS = (0.0416666666666666, -0.001388888888887407, 2.480158728944585e-05, -2.7557314341193805e-07,
       2.0875721680822194e-09, -1.1359561663604564e-11)
PIO2 = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)
# (atan(t) - t) / t^3 in t^2, |t| <= sqrt(2) - 1
ATAN = (-0.33333333333333326, 0.1999999999999745, -0.14285714285360657, 0.1111111108647181,
        -0.09090908082979104, 0.07692281367780938, -0.06666206237652166, 0.05876821093640813,
        -0.05217114044575756, 0.04498309467121421, -0.03335262563397236, 0.015071580252851356)


def nearest(x: Real, factor: float) -> tuple[Real, Val]:
    """round(x * factor) as a double, and bits whose lowest hold it as an integer."""
    t = x.fma(factor, MAGIC)
    return t - MAGIC, t.bits()


def power(like: Real, n: Val) -> Real:
    """2^n for an integer -1023 < n < 1024."""
    em = like.em
    biased = em.binary("add", n, constant(1023, "i64"))
    return like.of_bits(em.binary("shl", biased, constant(52, "i64")))


def scale(p: Real, bits: Val) -> Real:
    """p * 2^n with the right overflow and denormals; |n| < 2000."""
    em = p.em
    whole = em.binary("sub", bits, constant(0x4338000000000000, "i64"))
    # No 64-bit arithmetic shift before AVX-512: 1 << 20 keeps a logical one right.
    half = em.binary("lshr", em.binary("add", whole, constant(1 << 20, "i64")),
                     constant(1, "i64"))
    half = em.binary("sub", half, constant(1 << 19, "i64"))
    return p * power(p, half) * power(p, em.binary("sub", whole, half))


def _exp_parts(x: Real) -> tuple[Real, Val]:
    n, bits = nearest(x, LOG2E)
    r = n.fma(-LN2_NEAR[0], x)
    return n.fma(-LN2_NEAR[1], r), bits


def _exp_of(r: Real) -> Real:
    return r.fma(r.fma(r.poly(EXP), 1.0), 1.0)


def exp(x: Real) -> Real:
    """exp(x) in float64."""
    r, bits = _exp_parts(x.clamp(-746.0, 710.0))
    return scale(_exp_of(r), bits)


def exp2(x: Real) -> Real:
    """2**x in float64."""
    x = x.clamp(-1076.0, 1025.0)
    n, bits = nearest(x, 1.0)
    return scale(_exp_of((x - n) * 0.6931471805599453), bits)


def expm1(x: Real) -> Real:
    """exp(x) - 1 in float64."""
    c = x.clamp(-40.0, 710.0)
    r, bits = _exp_parts(c)
    z = r * r
    e = z.fma(r.fma(r.poly(EXPM1), 0.5), r)
    em = x.em
    half = em.binary("add", bits, constant(1022, "i64"))
    s = x.of_bits(em.binary("shl", half, constant(52, "i64")))
    y = e.fma(s, s - 0.5)
    return x.where(x.abs().is_("olt", 1e-20), y + y)


def sigmoid(x: Real) -> Real:
    """1 / (1 + exp(-x)) in float64."""
    return 1.0 / (exp(-x) + 1.0)


def tanh(x: Real) -> Real:
    """tanh(x) in float64."""
    e = expm1(x.abs().at_most(22.0) * 2.0)
    return (e / (e + 2.0)).copysign(x)


def sinh(x: Real) -> Real:
    """sinh(x) in float64."""
    a = x.abs()
    e = expm1(a)
    near = (e + e / (e + 1.0)) * 0.5
    h = exp(a * 0.5)
    return ((h * 0.5) * h).where(a.is_("ogt", 700.0), near).copysign(x)


def cosh(x: Real) -> Real:
    """cosh(x) in float64."""
    a = x.abs()
    e = exp(a)
    h = exp(a * 0.5)
    return ((h * 0.5) * h).where(a.is_("ogt", 700.0), (e + 1.0 / e) * 0.5)


def _log_parts(x: Real) -> tuple[Real, Real]:
    """f and n with x = 2^n * (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), for x > 0."""
    em = x.em
    small = x.is_("olt", 2.2250738585072014e-308)
    x = (x * 4503599627370496.0).where(small, x)
    bits = x.bits()
    e = em.binary("sub", bits, constant(0x3FE6A09E667F3BCD, "i64"))
    e = em.binary("ashr", e, constant(52, "i64"))
    m = x.of_bits(em.binary("sub", bits, em.binary("shl", e, constant(52, "i64"))))
    # |e| < 2^12: through the magic number, for there may be no conversion from 64 bits.
    n = x.of_bits(em.binary("add", e, constant(0x4338000000000000, "i64"))) - MAGIC
    return m - 1.0, (n - 52.0).where(small, n)


def _log_tail(f: Real) -> Real:
    """log(1 + f) - f."""
    s = f / (f + 2.0)
    z = s * s
    half = f * f * 0.5
    return s * (half + z * z.poly(LOG)) - half


def _log_ends(x: Real, y: Real) -> Real:
    y = x.where(x.is_("oeq", INF), y)
    y = y.lift(-INF).where(x.is_("oeq", 0.0), y)
    return y.lift(NAN).where(x.is_("ult", 0.0), y)


def log(x: Real) -> Real:
    """log(x) in float64."""
    f, n = _log_parts(x)
    return _log_ends(x, n.fma(LN2[0], n.fma(LN2[1], _log_tail(f)) + f))


def log2(x: Real) -> Real:
    """log2(x) in float64."""
    f, n = _log_parts(x)
    tail = _log_tail(f)
    return _log_ends(x, n + (f + (tail + (f + tail) * 0.4426950408889634)))


def log10(x: Real) -> Real:
    """log10(x) in float64."""
    f, n = _log_parts(x)
    low = n.fma(LOG10[1], (_log_tail(f) + f) * 0.4342944819032518)
    return _log_ends(x, n.fma(LOG10[0], low))


def log1p(x: Real) -> Real:
    """log(1 + x) in float64."""
    u = x + 1.0
    back = u - 1.0
    lost = (1.0 - (u - back)) + (x - back)
    f, n = _log_parts(u)
    em = x.em
    near = n.clamp(-1000.0, 1000.0) + MAGIC
    whole = em.binary("sub", constant(0x4338000000000000, "i64"), near.bits())
    f = lost.fma(power(x, whole), f)
    y = _log_ends(u, n.fma(LN2[0], n.fma(LN2[1], _log_tail(f)) + f))
    return x.where(x.abs().is_("olt", 1e-20), y)


def _circle(x: Real) -> tuple[Real, Real, Val]:
    """sin and cos of the angle less whole quarter turns, and the number of those."""
    n, bits = nearest(x, 0.6366197723675814)
    r = x
    for part in PIO2:
        r = n.fma(-part, r)
    z = r * r
    s = (z * r).fma(z.poly(SIN), r)
    half = z * 0.5
    whole = 1.0 - half
    c = whole + (((1.0 - whole) - half) + z * z * z.poly(COS))
    return s, c, bits


def _far(x: Real) -> Val:
    return x.abs().is_("ogt", 1e6)


def _sin(x: Real, name: str, turn: int) -> Real:
    em = x.em
    s, c, bits = _circle(x)
    if turn:
        bits = em.binary("add", bits, constant(turn, "i64"))
    odd = em.compare("icmp ne", em.binary("and", bits, constant(1, "i64")), constant(0, "i64"))
    y = c.where(odd, s)
    sign = em.binary("shl", em.binary("and", bits, constant(2, "i64")), constant(62, "i64"))
    y = y.of_bits(em.binary("xor", y.bits(), sign))
    if not turn:
        y = x.where(x.is_("oeq", 0.0), y)
    return slow.patch(y, _far(x), name, x)


def sin(x: Real) -> Real:
    """sin(x) in float64."""
    return _sin(x, "sin", 0)


def cos(x: Real) -> Real:
    """cos(x) in float64."""
    return _sin(x, "cos", 1)


def tan(x: Real) -> Real:
    """tan(x) in float64."""
    em = x.em
    s, c, bits = _circle(x)
    odd = em.compare("icmp ne", em.binary("and", bits, constant(1, "i64")), constant(0, "i64"))
    y = (-c).where(odd, s) / s.where(odd, c)
    y = x.where(x.is_("oeq", 0.0), y)
    return slow.patch(y, _far(x), "tan", x)


def _atan_of(a: Real) -> Real:
    """atan for a in [0, 1]: beyond tan(pi/8), atan(a) = pi/4 + atan((a - 1) / (a + 1))."""
    far = a.is_("ogt", 0.41421356237309503)
    t = ((a - 1.0) / (a + 1.0)).where(far, a)
    z = t * t
    y = (z * t).fma(z.poly(ATAN), t)
    return (y + 0.7853981633974483).where(far, y)


def atan(x: Real) -> Real:
    """atan(x) in float64."""
    a = x.abs()
    far = a.is_("ogt", 1.0)
    y = _atan_of((1.0 / a).where(far, a))
    y = (1.5707963267948966 - (y - 6.123233995736766e-17)).where(far, y)
    return y.copysign(x)


def atan2(y: Real, x: Real) -> Real:
    """The angle of (x, y) in float64."""
    a, b = y.abs(), x.abs()
    steep = a.is_("ogt", b)
    small = b.where(steep, a)
    large = a.where(steep, b)
    ratio = small / large
    ratio = ratio.lift(0.0).where(large.is_("oeq", 0.0), ratio)
    ratio = ratio.lift(1.0).where(small.is_("oeq", INF), ratio)
    r = _atan_of(ratio)
    r = (1.5707963267948966 - r).where(steep, r)
    em = x.em
    left = em.compare("icmp slt", x.bits(), constant(0, "i64"))
    r = (PI - (r - 1.2246467991473532e-16)).where(left, r).copysign(y)
    return (x + y).where(em.compare("fcmp uno", x.value, y.value), r)


def asin(x: Real) -> Real:
    """asin(x) in float64."""
    a = x.abs()
    return atan(a / ((1.0 - a) * (a + 1.0)).sqrt()).copysign(x)


def acos(x: Real) -> Real:
    """acos(x) in float64."""
    return atan(((1.0 - x) / (x + 1.0)).sqrt()) * 2.0


def asinh(x: Real) -> Real:
    """asinh(x) in float64."""
    a = x.abs()
    z = a * a
    near = log1p(a + z / ((z + 1.0).sqrt() + 1.0))
    far = log(a) + 0.6931471805599453
    return far.where(a.is_("ogt", 1e8), near).copysign(x)


def acosh(x: Real) -> Real:
    """acosh(x) in float64."""
    t = x - 1.0
    near = log1p(t + t.sqrt() * (t + 2.0).sqrt())
    return (log(x) + 0.6931471805599453).where(x.is_("ogt", 1e8), near)


def atanh(x: Real) -> Real:
    """atanh(x) in float64."""
    a = x.abs()
    return (log1p((a + a) / (1.0 - a)) * 0.5).copysign(x)


def pow(x: Real, y: Real) -> Real:
    """exp(y log |x|) with C's special cases: exact enough for float, not for double."""
    em = x.em
    a = x.abs()
    r = exp(y * log(a))
    whole = y.is_("oeq", y.floor())
    half = y * 0.5
    odd = em.binary("and", whole, half.is_("one", half.floor()))
    # Doubles from 2^53 on are even integers; half of one is an integer too.
    negative = em.compare("icmp slt", x.bits(), constant(0, "i64"))
    r = (-r).where(em.binary("and", negative, odd), r)
    below = em.binary("and", x.is_("olt", 0.0), x.is_("ogt", -INF))
    inside = em.binary("and", below, y.is_("one", y.floor()))
    r = r.lift(NAN).where(inside, r)
    unit = em.binary("and", a.is_("oeq", 1.0), y.abs().is_("oeq", INF))
    unit = em.binary("or", em.binary("or", unit, y.is_("oeq", 0.0)), x.is_("oeq", 1.0))
    return r.lift(1.0).where(unit, r)


def erf(x: Real) -> Real:
    """erf(x) in float64."""
    return slow.lanewise("erf", x)


def erfc(x: Real) -> Real:
    """1 - erf(x) in float64."""
    return slow.lanewise("erfc", x)


def lgamma(x: Real) -> Real:
    """log(|gamma(x)|) in float64."""
    return slow.lanewise("lgamma", x)


# Giles, "Approximating the erfinv function" (2012), table of the single precision form.
ERFINV_NEAR = (1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.000218580870,
               -4.39150654e-06, -3.5233877e-06, 3.43273939e-07, 2.81022636e-08)
ERFINV_FAR = (2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773,
              -0.00367342844, 0.00134934322, 0.000100950558, -0.000200214257)


def erfinv(x: Real) -> Real:
    """Giles's start and two steps of Newton on erf, or on erfc where it is the accurate one."""
    w = -log((1.0 - x) * (x + 1.0))
    near = (w - 2.5).poly(ERFINV_NEAR)
    far = (w.sqrt() - 3.0).poly(ERFINV_FAR)
    y = x * near.where(w.is_("olt", 5.0), far)
    for _ in range(2):
        a, goal = y.abs(), x.abs()
        tail = (1.0 - goal) - erfc(a)
        off = tail.where(goal.is_("ogt", 0.5), erf(a) - goal)
        a = a - off * 0.886226925452758 * exp(a * a)
        y = a.copysign(x)
    y = x.lift(INF).copysign(x).where(x.abs().is_("oeq", 1.0), y)
    return x.where(x.is_("oeq", 0.0), y)


# B(2k) / 2k: the asymptotic series of digamma in 1/x^2.
DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)


def digamma(x: Real) -> Real:
    """Reflection below 0, upward recurrence to 10, then the asymptotic series."""
    reflect = x.is_("olt", 0.0)
    part = x - x.trunc()
    other = PI / tan(part * PI)
    y = (1.0 - x).where(reflect, x)
    total = y.lift(0.0)
    for _ in range(10):
        low = y.is_("olt", 10.0)
        total = (total - 1.0 / y).where(low, total)
        y = (y + 1.0).where(low, y)
    z = 1.0 / (y * y)
    r = log(y) - 0.5 / y - z * z.poly(DIGAMMA) + total
    r = (r - other).where(reflect, r)
    em = x.em
    pole = em.binary("and", reflect, part.is_("oeq", 0.0))
    r = r.lift(NAN).where(pole, r)
    return (-x.lift(INF).copysign(x)).where(x.is_("oeq", 0.0), r)
