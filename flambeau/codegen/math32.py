"""exp, log, tanh, sin, erf and their kin for float, at most 2 units in the last place.

In: a `Real` of type float. Out: the same. Called by `math`; the rarer functions are computed in
double there. The polynomials are minimax fits (Remez) of the expressions that stand beside them.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from . import slow
from .emit import Val, constant
from .real import INF, NAN, Real

if TYPE_CHECKING:
    from .memory import Memory

LOG2E = 1.4426950408889634
LN2 = 0.693145751953125, 1.4286068203094172e-06      # the first with 16 bits
LN2_NEAR = 0.6931471824645996, -1.904654299957768e-09
MAGIC = 12582912.0                                   # 1.5 * 2^23: adding it rounds to an integer

# (exp(r) - 1 - r) / r^2 on |r| <= ln(2)/2
EXP = (0.49999993453445587, 0.16666520686842742, 0.04166838730783959, 0.008368710101364134,
       0.0013814617029330658)
# (expm1(r) - r) / r^2 on the same
EXPM1 = (0.5000000053022842, 0.166666669019665, 0.0416663271265325, 0.008333220145986116,
         0.00139431981884485, 0.0001996209403594752)
# (log(1 + f) - f + f^2/2) / f^3 on sqrt(1/2) <= 1 + f <= sqrt(2)
LOG = (0.3333333170850006, -0.2500082101497157, 0.20001226768566083, -0.16623357792345148,
       0.14201760240237596, -0.13160180884398584, 0.12761564318722618, -0.07634486217112436)
# (sin(r) - r) / r^3 and (cos(r) - 1 + r^2/2) / r^4 in r^2, |r| <= pi/4
SIN = (-0.16666666640710412, 0.008333329293910776, -0.00019839308555867017,
       2.718084999792954e-06)
COS = (0.041666646822978055, -0.0013887365012213656, 2.4438132447788623e-05)
PIO2 = (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15)
# -log(erfc(x)) / x on [0, 3.94], the first coefficient in two parts
ERF = (1.128379225730896, -5.412095305246112e-08, 0.6366193820442997, 0.10277782985442022,
       -0.019153062333680557, -0.00016039683606317904, 0.0016670259191865482,
       -0.0006328347124682514, 0.00011764030466012679, -9.256116227564854e-06)


def nearest(x: Real, factor: float) -> tuple[Real, Val]:
    """round(x * factor) as a float, and bits whose lowest hold it as an integer."""
    t = x.fma(factor, MAGIC)
    return t - MAGIC, t.bits()


def scale(p: Real, n: Real, bits: Val) -> Real:
    """p * 2^n with the right overflow and denormals; |n| <= 250."""
    em = p.em
    lanes = p.value.lanes
    if em.target.avx512 and lanes in (4, 8, 16):
        return Real(em, _scalef(em, p.value, n.value, lanes))
    if em.target.avx512 and lanes in (32, 64):
        pairs = zip(em.split(p.value, 16), em.split(n.value, 16))
        return Real(em, em.concat([_scalef(em, a, b, 16) for a, b in pairs]))
    whole = em.binary("sub", bits, constant(0x4B400000, "i32"))
    half = em.binary("ashr", whole, constant(1, "i32"))
    rest = em.binary("sub", whole, half)
    return p * power(p, half) * power(p, rest)


def _scalef(em: Memory, p: Val, n: Val, lanes: int) -> Val:
    vt = f"<{lanes} x float>"
    width = lanes * 32
    name = f"llvm.x86.avx512.mask.scalef.ps.{width}"
    mask = "i16" if lanes == 16 else "i8"
    more = ", i32 4" if lanes == 16 else ""
    em.declare(name, vt, (vt, vt, vt, mask) + (("i32",) if more else ()))
    text = (f"call {vt} @{name}({vt} {em.operand(p, lanes)}, {vt} {em.operand(n, lanes)}, "
            f"{vt} zeroinitializer, {mask} -1{more})")
    return em.emit(text, "float", lanes, max(p.level, n.level))


def power(like: Real, n: Val) -> Real:
    """2^n for an integer -127 < n < 128."""
    em = like.em
    biased = em.binary("add", n, constant(127, "i32"))
    return like.of_bits(em.binary("shl", biased, constant(23, "i32")))


def _exp_parts(x: Real) -> tuple[Real, Real, Val]:
    n, bits = nearest(x, LOG2E)
    r = n.fma(-LN2_NEAR[0], x)
    r = n.fma(-LN2_NEAR[1], r)
    return r, n, bits


def _exp_of(r: Real) -> Real:
    return r.fma(r.fma(r.poly(EXP), 1.0), 1.0)


def exp(x: Real) -> Real:
    """exp(x) in float32."""
    x = x.clamp(-104.0, 89.0)
    r, n, bits = _exp_parts(x)
    return scale(_exp_of(r), n, bits)


def exp2(x: Real) -> Real:
    """2**x in float32."""
    x = x.clamp(-151.0, 129.0)
    n, bits = nearest(x, 1.0)
    return scale(_exp_of((x - n) * 0.6931471805599453), n, bits)


def _expm1_near(x: Real) -> Real:
    """expm1 for -60 < x <= 89, but for the sign of zero."""
    r, _, bits = _exp_parts(x)
    e = (r * r).fma(r.poly(EXPM1), r)
    # Half of 2^n, which is still finite where the result is.
    em = x.em
    half = em.binary("shl", em.binary("add", bits, constant(126, "i32")), constant(23, "i32"))
    s = x.of_bits(half)
    y = e.fma(s, s - 0.5)
    return y + y


def expm1(x: Real) -> Real:
    """exp(x) - 1 in float32."""
    y = _expm1_near(x.clamp(-30.0, 89.0))
    return x.where(x.abs().is_("olt", 1e-10), y)


def sigmoid(x: Real) -> Real:
    """1 / (1 + exp(-x)) in float32."""
    return 1.0 / (exp(-x) + 1.0)


def tanh(x: Real) -> Real:
    """e / (e + 2) with e = expm1(2 |x|)."""
    e = _expm1_near(x.abs().at_most(10.0) * 2.0)
    return (e / (e + 2.0)).copysign(x)


def erf(x: Real) -> Real:
    """1 - exp(-w) with w = -log(erfc), which has no cancellation."""
    a = x.abs().at_most(3.94)
    w = a.fma(ERF[0], a * a.fma(a.poly(ERF[2:]), ERF[1]))
    return (-_expm1_near(-w)).copysign(x)


def _log_parts(x: Real) -> tuple[Real, Real]:
    """f and n with x = 2^n * (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), for x > 0."""
    em = x.em
    small = x.is_("olt", 1.1754943508222875e-38)
    x = (x * 8388608.0).where(small, x)
    bits = x.bits()
    e = em.binary("sub", bits, constant(0x3F3504F3, "i32"))
    e = em.binary("ashr", e, constant(23, "i32"))
    m = x.of_bits(em.binary("sub", bits, em.binary("shl", e, constant(23, "i32"))))
    n = Real(em, em.cast("sitofp", e, "float"))
    return m - 1.0, (n - 23.0).where(small, n)


def _log_tail(f: Real) -> Real:
    """log(1 + f) - f."""
    return (f * f) * f.fma(f.poly(LOG), -0.5)


def _log_ends(x: Real, y: Real) -> Real:
    y = x.where(x.is_("oeq", INF), y)
    y = y.lift(-INF).where(x.is_("oeq", 0.0), y)
    return y.lift(NAN).where(x.is_("ult", 0.0), y)


def log(x: Real) -> Real:
    """log(x) in float32."""
    f, n = _log_parts(x)
    y = n.fma(LN2[0], n.fma(LN2[1], _log_tail(f)) + f)
    return _log_ends(x, y)


def log2(x: Real) -> Real:
    """log2(x) in float32."""
    f, n = _log_parts(x)
    tail = _log_tail(f)
    # (f + tail) * log2(e), with log2(e) = 1 + 0.4426…
    y = n + (f + (tail + (f + tail) * 0.44269504088896344))
    return _log_ends(x, y)


def log10(x: Real) -> Real:
    """log10(x) in float32."""
    f, n = _log_parts(x)
    y = n.fma(0.301025390625, n.fma(4.605038981195214e-06, (_log_tail(f) + f) * 0.4342944819032518))
    return _log_ends(x, y)


def log1p(x: Real) -> Real:
    """log(1 + x) in float32."""
    u = x + 1.0
    back = u - 1.0
    lost = (1.0 - (u - back)) + (x - back)
    f, n = _log_parts(u)
    em = x.em
    whole = em.cast("fptosi", n.clamp(-126.0, 126.0).value, "i32")
    f = lost.fma(power(x, em.binary("sub", constant(0, "i32"), whole)), f)
    y = n.fma(LN2[0], n.fma(LN2[1], _log_tail(f)) + f)
    y = _log_ends(u, y)
    return x.where(x.abs().is_("olt", 1e-10), y)


def _circle(x: Real, name: str, turn: int) -> Real:
    n, bits = nearest(x, 0.6366197723675814)
    r = x
    for part in PIO2:
        r = n.fma(-part, r)
    z = r * r
    s = (z * r).fma(z.poly(SIN), r)
    c = (z * z).fma(z.poly(COS), z.fma(-0.5, 1.0))
    em = x.em
    if turn:
        bits = em.binary("add", bits, constant(turn, "i32"))
    odd = em.compare("icmp ne", em.binary("and", bits, constant(1, "i32")), constant(0, "i32"))
    y = c.where(odd, s)
    sign = em.binary("shl", em.binary("and", bits, constant(2, "i32")), constant(30, "i32"))
    y = y.of_bits(em.binary("xor", y.bits(), sign))
    if not turn:
        y = x.where(x.is_("oeq", 0.0), y)
    far = x.abs().is_("ogt", 1e5)
    return slow.patch(y, far, name, x)


def sin(x: Real) -> Real:
    """sin(x) in float32."""
    return _circle(x, "sin", 0)


def cos(x: Real) -> Real:
    """cos(x) in float32."""
    return _circle(x, "cos", 1)
