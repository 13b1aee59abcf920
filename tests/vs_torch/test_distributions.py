"""flambeau.distributions against torch.distributions: streams, densities, moments, slopes, KL."""
from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import flambeau

# PyTorch's Wishart warns of every good sample.
pytestmark = pytest.mark.filterwarnings("ignore:Singular sample detected")

MATRIX = [[2.0, 0.5], [0.5, 1.0]]
Make = Callable[[Any, Any], Any]

# How to make each distribution of module D with a tensor maker T, its parameters with gradients.
CASES: dict[str, Make] = {
    "Bernoulli": lambda D, T: D.Bernoulli(T([0.2, 0.5, 0.9])),
    "Bernoulli_logits": lambda D, T: D.Bernoulli(logits=T([-1.0, 0.5, 2.0])),
    "Beta": lambda D, T: D.Beta(T([0.5, 2.0, 30.0]), T([1.5, 3.0, 0.3])),
    "Beta_small": lambda D, T: D.Beta(T([0.3, 0.2]), T([0.4, 0.9])),
    "Binomial": lambda D, T: D.Binomial(5, T([0.2, 0.5, 0.9])),
    "Binomial_logits": lambda D, T: D.Binomial(40, logits=T([-1.0, 0.5, 0.0])),
    "Categorical": lambda D, T: D.Categorical(T([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]])),
    "Categorical_logits": lambda D, T: D.Categorical(logits=T([-1.0, 0.5, 0.0])),
    "Cauchy": lambda D, T: D.Cauchy(T([0.0, 1.0]), T([1.0, 2.0])),
    "Chi2": lambda D, T: D.Chi2(T([1.0, 5.0])),
    "ContinuousBernoulli": lambda D, T: D.ContinuousBernoulli(T([0.2, 0.5, 0.9])),
    "ContinuousBernoulli_logits": lambda D, T: D.ContinuousBernoulli(logits=T([-1.0, 0.001])),
    "Dirichlet": lambda D, T: D.Dirichlet(T([[0.5, 1.5, 3.0], [2.0, 9.0, 0.1]])),
    "Exponential": lambda D, T: D.Exponential(T([0.5, 3.0])),
    "FisherSnedecor": lambda D, T: D.FisherSnedecor(T([3.0, 1.0]), T([5.0, 3.0])),
    "Gamma": lambda D, T: D.Gamma(T([0.5, 3.0, 50.0]), T([1.0, 2.0, 0.1])),
    "GeneralizedPareto": lambda D, T: D.GeneralizedPareto(
        T([0.0, 1.0, 0.0]), T([1.0, 2.0, 1.0]), T([0.3, -0.5, 0.0])),
    "Geometric": lambda D, T: D.Geometric(T([0.2, 0.7])),
    "Geometric_logits": lambda D, T: D.Geometric(logits=T([-1.0, 0.5])),
    "Gumbel": lambda D, T: D.Gumbel(T([0.0, 1.0]), T([1.0, 2.0])),
    "HalfCauchy": lambda D, T: D.HalfCauchy(T([1.0, 2.0])),
    "HalfNormal": lambda D, T: D.HalfNormal(T([1.0, 2.0])),
    "Independent": lambda D, T: D.Independent(
        D.Normal(T([[0.0, 1.0], [2.0, 3.0]]), T([[1.0, 2.0], [0.5, 1.0]])), 1),
    "InverseGamma": lambda D, T: D.InverseGamma(T([0.5, 3.0]), T([1.0, 2.0])),
    "Kumaraswamy": lambda D, T: D.Kumaraswamy(T([0.5, 2.0]), T([1.5, 3.0])),
    "LKJCholesky": lambda D, T: D.LKJCholesky(3, T(1.5)),
    "LKJCholesky_batch": lambda D, T: D.LKJCholesky(2, T([0.5, 2.0])),
    "Laplace": lambda D, T: D.Laplace(T([0.0, 1.0]), T([1.0, 2.0])),
    "LogNormal": lambda D, T: D.LogNormal(T([0.0, 1.0]), T([1.0, 0.5])),
    "LogisticNormal": lambda D, T: D.LogisticNormal(T([0.0, 1.0]), T([1.0, 0.5])),
    "LowRank": lambda D, T: D.LowRankMultivariateNormal(
        T([0.0, 1.0]), T([[1.0], [0.5]]), T([1.0, 0.5])),
    "Mixture": lambda D, T: D.MixtureSameFamily(
        D.Categorical(T([0.3, 0.7])), D.Normal(T([0.0, 3.0]), T([1.0, 0.5]))),
    "Mixture_events": lambda D, T: D.MixtureSameFamily(
        D.Categorical(T([0.3, 0.7])), D.Independent(
            D.Normal(T([[0.0, 3.0], [1.0, 1.0]]), T([[1.0, 0.5], [1.0, 2.0]])), 1)),
    "Multinomial": lambda D, T: D.Multinomial(6, T([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]])),
    "MultivariateNormal": lambda D, T: D.MultivariateNormal(T([0.0, 1.0]), T(MATRIX)),
    "MultivariateNormal_precision": lambda D, T: D.MultivariateNormal(
        T([[0.0, 1.0], [2.0, 3.0]]), precision_matrix=T(MATRIX)),
    "MultivariateNormal_tril": lambda D, T: D.MultivariateNormal(
        T([0.0, 1.0]), scale_tril=T([[[2.0, 0.0], [0.5, 1.0]], [[1.0, 0.0], [-0.5, 2.0]]])),
    "NegativeBinomial": lambda D, T: D.NegativeBinomial(T([3.0, 1.5]), T([0.2, 0.6])),
    "Normal": lambda D, T: D.Normal(T([0.0, 1.0]), T([1.0, 2.0])),
    "OneHotCategorical": lambda D, T: D.OneHotCategorical(T([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]])),
    "OneHotStraightThrough": lambda D, T: D.OneHotCategoricalStraightThrough(T([0.2, 0.3, 0.5])),
    "Pareto": lambda D, T: D.Pareto(T([1.0, 2.0]), T([1.5, 3.0])),
    "Poisson": lambda D, T: D.Poisson(T([0.5, 3.0, 30.0])),
    "RelaxedBernoulli": lambda D, T: D.RelaxedBernoulli(T(0.7), T([0.2, 0.9])),
    "RelaxedOneHot": lambda D, T: D.RelaxedOneHotCategorical(T(0.7), T([0.2, 0.3, 0.5])),
    "StudentT": lambda D, T: D.StudentT(T([1.5, 5.0]), T([0.0, 1.0]), T([1.0, 2.0])),
    "Transformed": lambda D, T: D.TransformedDistribution(
        D.Normal(T([0.0, 1.0]), T([1.0, 2.0])),
        [D.AffineTransform(T(1.0), T(-2.0)), D.SigmoidTransform()]),
    "Uniform": lambda D, T: D.Uniform(T([0.0, 1.0]), T([1.0, 4.0])),
    "VonMises": lambda D, T: D.VonMises(T([0.0, 1.0]), T([1.0, 4.0])),
    "Weibull": lambda D, T: D.Weibull(T([1.0, 2.0]), T([1.5, 0.5])),
    "Wishart": lambda D, T: D.Wishart(T(4.0), T(MATRIX)),
}


def maker(module: Any, made: list[Any], track: bool = True,
          dtype: str = "float64") -> Callable[[Any], Any]:
    def make(values: Any) -> Any:
        t = module.tensor(values, dtype=getattr(module, dtype)).requires_grad_(track)
        made.append(t)
        return t
    return make


def both(name: str, track: bool = True) -> list[tuple[Any, Any, list[Any]]]:
    """(module, distribution, parameters) of PyTorch and of flambeau."""
    result = []
    for module in (torch, flambeau):
        made: list[Any] = []
        # PyTorch's own compares with float32 zeros, and fails on float64.
        dtype = "float32" if name == "GeneralizedPareto" else "float64"
        make = maker(module, made, track, dtype)
        result.append((module, CASES[name](module.distributions, make), made))
    return result


def array(x: Any) -> Any:
    return x.detach().numpy()


def close(mine: Any, theirs: Any, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    assert tuple(mine.shape) == tuple(theirs.shape)
    assert str(mine.dtype).split(".")[-1] == str(theirs.dtype).split(".")[-1]
    if theirs.dtype is torch.float32:
        rtol, atol = max(rtol, 1e-5), max(atol, 1e-6)
    np.testing.assert_allclose(array(mine), array(theirs), rtol=rtol, atol=atol)


def outcome(f: Callable[[], Any]) -> Any:
    """A result, or the kind of error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return f()
    except (NotImplementedError, ValueError, RuntimeError, AttributeError) as error:
        return type(error)


# PyTorch's I0 and I1 of the von Mises distribution are short polynomials.
ROUGH = {"VonMises": 1e-6}


def same(mine: Any, theirs: Any, rtol: float = 1e-9) -> None:
    if isinstance(theirs, type):
        assert mine is theirs
    else:
        close(mine, theirs, rtol)


def gradients(module: Any, value: Any, made: list[Any]) -> list[Any]:
    weights = module.arange(1, value.numel() + 1, dtype=value.dtype).reshape(value.shape)
    return list(module.autograd.grad((value * weights).sum(), made, allow_unused=True,
                                     retain_graph=True))


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_samples(name: str) -> None:
    (_, d, _), (_, e, _) = both(name)
    assert repr(e) == repr(d)
    assert tuple(e.batch_shape) == tuple(d.batch_shape)
    assert tuple(e.event_shape) == tuple(d.event_shape)
    assert e.has_rsample == d.has_rsample
    assert e.has_enumerate_support == d.has_enumerate_support
    for sample_shape in ((), (4, 3)):
        torch.manual_seed(7)
        flambeau.manual_seed(7)
        close(e.sample(sample_shape), d.sample(sample_shape), 1e-6)
        # Both spent as much of the stream.
        assert flambeau.rand(1).item() == torch.rand(1).item()


@pytest.mark.parametrize("name", CASES)
def test_moments(name: str) -> None:
    (_, d, _), (_, e, _) = both(name)
    for word in ("mean", "mode", "variance", "stddev"):
        same(outcome(lambda w=word: getattr(e, w)), outcome(lambda w=word: getattr(d, w)),
             ROUGH.get(name, 1e-9))
    same(outcome(e.entropy), outcome(d.entropy), 1e-7)
    same(outcome(e.enumerate_support), outcome(d.enumerate_support))


@pytest.mark.parametrize("name", CASES)
def test_log_prob_and_its_gradient(name: str) -> None:
    (_, d, of_d), (_, e, of_e) = both(name)
    torch.manual_seed(1)
    value = d.sample((5,))
    mine_value = flambeau.from_numpy(value.numpy().copy())
    theirs, mine = d.log_prob(value), e.log_prob(mine_value)
    rough = ROUGH.get(name, 1e-7)
    close(mine, theirs, rough, 1e-8)
    for a, b in zip(gradients(flambeau, mine, of_e), gradients(torch, theirs, of_d)):
        assert (a is None) == (b is None)
        if b is not None:
            close(a, b, 20 * rough, 1e-7)
    same(outcome(lambda: e.cdf(mine_value)), outcome(lambda: d.cdf(value)), 1e-7)


@pytest.mark.parametrize("name", CASES)
def test_icdf(name: str) -> None:
    (_, d, _), (_, e, _) = both(name, track=False)
    p = np.linspace(0.05, 0.9, 4)[:, None] * np.ones(d.batch_shape)
    same(outcome(lambda: e.icdf(flambeau.from_numpy(p))),
         outcome(lambda: d.icdf(torch.from_numpy(p))), 1e-7)


@pytest.mark.parametrize("name", CASES)
def test_expand(name: str) -> None:
    (_, d, _), (_, e, _) = both(name, track=False)
    shape = (3, *d.batch_shape)
    d, e = d.expand(shape), e.expand(shape)
    assert tuple(e.batch_shape) == tuple(d.batch_shape)
    torch.manual_seed(3)
    flambeau.manual_seed(3)
    value = d.sample()
    mine = e.sample()
    close(mine, value, 1e-6)
    close(e.log_prob(flambeau.from_numpy(value.numpy().copy())), d.log_prob(value), 1e-7, 1e-8)


@pytest.mark.parametrize("name", CASES)
def test_rsample_gradient(name: str) -> None:
    (_, d, of_d), (_, e, of_e) = both(name)
    if not d.has_rsample:
        pytest.skip("samples have no gradient")
    torch.manual_seed(5)
    flambeau.manual_seed(5)
    # PyTorch's Wishart redraws in place, and then has no gradient.
    options = {"max_try_correction": 0} if name == "Wishart" else {}
    theirs, mine = d.rsample((3,), **options), e.rsample((3,), **options)
    close(mine, theirs, 1e-6)
    for a, b in zip(gradients(flambeau, mine, of_e), gradients(torch, theirs, of_d)):
        assert (a is None) == (b is None)
        if b is not None:
            # PyTorch's own slopes of gamma and beta samples are good to three digits or so.
            close(a, b, 2e-3, 1e-4)


def kinds() -> list[tuple[str, str]]:
    names = [n for n in CASES if n not in ("LKJCholesky", "LKJCholesky_batch", "Wishart")]
    rules = torch.distributions.kl._KL_REGISTRY
    pairs = []
    for a, b in itertools.product(names, names):
        (_, p, _), _ = both(a, False)
        (_, q, _), _ = both(b, False)
        if (type(p), type(q)) in rules and p.batch_shape == q.batch_shape:
            pairs.append((a, b))
    return pairs


@pytest.mark.parametrize(("a", "b"), kinds())
def test_kl(a: str, b: str) -> None:
    (_, p, of_p), (_, p2, of_p2) = both(a)
    (_, q, of_q), (_, q2, of_q2) = both(b)
    theirs = outcome(lambda: torch.distributions.kl_divergence(p, q))
    mine = outcome(lambda: flambeau.distributions.kl_divergence(p2, q2))
    same(mine, theirs, 1e-7)
    if isinstance(theirs, type) or not theirs.requires_grad or not bool(
            torch.isfinite(theirs).all()):
        return
    ours = gradients(flambeau, mine, of_p2 + of_q2)
    for x, y in zip(ours, gradients(torch, theirs, of_p + of_q)):
        if y is not None:
            close(x, y, 1e-6, 1e-7)


def test_kl_knows_the_same_pairs() -> None:
    def names(module: Any) -> set[tuple[str, str]]:
        table = module.distributions.kl._KL_REGISTRY
        return {(p.__name__, q.__name__) for p, q in table}
    assert names(flambeau) >= names(torch)


@pytest.mark.parametrize("name", [
    "Bernoulli", "Beta", "Dirichlet", "Exponential", "Gamma", "Normal", "Poisson", "Wishart"])
def test_exponential_families(name: str) -> None:
    (_, d, _), (_, e, _) = both(name, track=False)
    for a, b in zip(e._natural_params, d._natural_params):
        close(a, b)
    close(e._log_normalizer(*e._natural_params), d._log_normalizer(*d._natural_params))


TRANSFORMS: dict[str, tuple[Callable[[Any, Any], Any], list[Any]]] = {
    "abs": (lambda t, T: t.AbsTransform(), [-1.0, 2.0]),
    "affine": (lambda t, T: t.AffineTransform(T([1.0, 2.0]), T([-2.0, 3.0])), [0.5, 2.0]),
    "affine_event": (lambda t, T: t.AffineTransform(1.0, -2.0, event_dim=1), [[0.5, 2.0]]),
    "cat": (lambda t, T: t.CatTransform([t.ExpTransform(), t.AffineTransform(1.0, 2.0)],
                                        lengths=[1, 2]), [0.5, 2.0, 3.0]),
    "compose": (lambda t, T: t.ComposeTransform([t.ExpTransform(), t.AffineTransform(1.0, 2.0)]),
                [0.5, 2.0]),
    "compose_event": (lambda t, T: t.ComposeTransform([t.TanhTransform(),
                                                       t.StickBreakingTransform()]), [[0.5, 2.0]]),
    "corr": (lambda t, T: t.CorrCholeskyTransform(), [0.5, -1.0, 0.3]),
    "exp": (lambda t, T: t.ExpTransform(), [0.5, 2.0]),
    "independent": (lambda t, T: t.IndependentTransform(t.ExpTransform(), 1), [[0.5, 2.0]]),
    "inverse": (lambda t, T: t.SigmoidTransform().inv, [0.1, 0.9]),
    "lower": (lambda t, T: t.LowerCholeskyTransform(), [[0.1, -1.0], [2.0, 0.5]]),
    "positive_definite": (lambda t, T: t.PositiveDefiniteTransform(), [[0.1, -1.0], [2.0, 0.5]]),
    "power": (lambda t, T: t.PowerTransform(T([2.0, -1.5])), [0.5, 2.0]),
    "reshape": (lambda t, T: t.ReshapeTransform((4,), (2, 2)), [[1.0, 2.0, 3.0, 4.0]]),
    "sigmoid": (lambda t, T: t.SigmoidTransform(), [-30.0, 2.0]),
    "softmax": (lambda t, T: t.SoftmaxTransform(), [0.5, 2.0]),
    "softplus": (lambda t, T: t.SoftplusTransform(), [-0.5, 2.0]),
    "stack": (lambda t, T: t.StackTransform([t.ExpTransform(), t.TanhTransform()]), [0.5, 0.2]),
    "stick": (lambda t, T: t.StickBreakingTransform(), [0.5, 2.0, -1.0]),
    "tanh": (lambda t, T: t.TanhTransform(), [0.5, -0.2]),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name: str) -> None:
    make, values = TRANSFORMS[name]
    results = []
    for module in (flambeau, torch):
        made: list[Any] = []
        t = make(module.distributions.transforms, maker(module, made, False))
        x = maker(module, made)(values)
        y = t(x)
        back = outcome(lambda t=t, y=y: t.inv(y))
        slope = outcome(lambda t=t, x=x, y=y: t.log_abs_det_jacobian(x, y))
        forward = gradients(module, y, [x])
        sloped = [] if isinstance(slope, type) or not slope.requires_grad else (
            gradients(module, slope, [x]))
        results.append((t, y, back, slope, forward, sloped))
    (t, y, back, slope, forward, sloped), (t2, y2, back2, slope2, forward2, sloped2) = results
    assert repr(t) == repr(t2)
    close(y, y2)
    same(back, back2)
    same(slope, slope2)
    assert tuple(t.forward_shape((2, *np.shape(values)))) == tuple(
        t2.forward_shape((2, *np.shape(values))))
    for a, b in zip(forward + sloped, forward2 + sloped2):
        if b is not None:
            close(a, b, 1e-7)


def test_cumulative_distribution_transform() -> None:
    for make in (lambda D: D.Normal(0.0, 1.0), lambda D: D.Laplace(1.0, 2.0)):
        t, t2 = (m.distributions.CumulativeDistributionTransform(make(m.distributions))
                 for m in (flambeau, torch))
        x = np.array([-1.0, 0.3], np.float32)
        y, y2 = t(flambeau.from_numpy(x)), t2(torch.from_numpy(x))
        close(y, y2, 1e-5)
        close(t.inv(y), t2.inv(y2), 1e-5)
        close(t.log_abs_det_jacobian(flambeau.from_numpy(x), y),
              t2.log_abs_det_jacobian(torch.from_numpy(x), y2), 1e-5)


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
def test_registries(registry: str) -> None:
    def constraints(c: Any) -> list[Any]:
        return [c.real, c.positive, c.nonnegative, c.greater_than(1.0), c.less_than(2.0),
                c.unit_interval, c.interval(-1.0, 3.0), c.half_open_interval(0.0, 2.0), c.simplex,
                c.independent(c.positive, 1), c.corr_cholesky, c.cat([c.positive] * 3),
                c.stack([c.positive, c.real, c.simplex][:2] + [c.unit_interval])]
    x = np.array([0.3, -1.2, 0.7])
    for a, b in zip(constraints(flambeau.distributions.constraints),
                    constraints(torch.distributions.constraints)):
        t, t2 = getattr(flambeau.distributions, registry)(a), getattr(
            torch.distributions, registry)(b)
        assert repr(t) == repr(t2)
        y = t(flambeau.from_numpy(x))
        close(y, t2(torch.from_numpy(x)))
        assert bool(a.check(y).all())


@pytest.mark.parametrize("name", [
    "real", "positive", "nonnegative", "unit_interval", "boolean", "nonnegative_integer",
    "positive_integer", "real_vector", "simplex", "one_hot", "square", "symmetric",
    "lower_triangular", "lower_cholesky", "corr_cholesky", "positive_definite",
    "positive_semidefinite"])
def test_constraints(name: str) -> None:
    values = [np.array([-1.0, 0.0, 0.5, 1.0, 2.0, np.nan]), np.array([[0.2, 0.8], [0.0, 1.0]]),
              np.array([[1.0, 0.0], [0.6, 0.8]]), np.array([[2.0, 0.5], [0.5, 1.0]]),
              np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 1.0]])]
    for v in values:
        c, c2 = (getattr(m.distributions.constraints, name) for m in (flambeau, torch))
        if v.ndim < c2.event_dim:
            continue
        close(c.check(flambeau.from_numpy(v)), c2.check(torch.from_numpy(v)))


BAD: list[Callable[[Any, Any], Any]] = [
    lambda D, T: D.Normal(T([0.0, 1.0]), T([1.0, -1.0])),
    lambda D, T: D.Categorical(T([-1.0, 2.0])),
    lambda D, T: D.MultivariateNormal(T([0.0, 1.0]), T([[1.0, 2.0], [2.0, 1.0]])),
    lambda D, T: D.Uniform(T(1.0), T(0.0)),
    lambda D, T: D.Exponential(T(1.0)).log_prob(T(-1.0)),
    lambda D, T: D.Normal(T([0.0, 1.0]), T(1.0)).log_prob(T([0.0, 1.0, 2.0])),
    lambda D, T: D.Dirichlet(T([1.0, 1.0])).log_prob(T([0.7, 0.7])),
    lambda D, T: D.Bernoulli(),
    lambda D, T: D.kl_divergence(D.Normal(0.0, 1.0), D.Cauchy(0.0, 1.0)),
    lambda D, T: D.TransformedDistribution(D.Normal(0.0, 1.0), 3),
]


@pytest.mark.parametrize("make", BAD)
def test_errors_say_the_same(make: Make) -> None:
    said = []
    for module in (torch, flambeau):
        with pytest.raises((ValueError, NotImplementedError)) as caught:
            make(module.distributions, maker(module, [], False))
        said.append((caught.type, str(caught.value)))
    assert said[0] == said[1]


def test_caches_keep_the_pair() -> None:
    t = flambeau.distributions.ExpTransform(cache_size=1)
    x = flambeau.tensor([1.0, 2.0])
    y = t(x)
    assert t(x) is y
    assert t.inv(y) is x


def test_validation_can_be_turned_off() -> None:
    D = flambeau.distributions  # noqa: N806
    assert D.Normal(0.0, -1.0, validate_args=False).scale.item() == -1.0
    D.Distribution.set_default_validate_args(False)
    try:
        assert D.Normal(0.0, -1.0).scale.item() == -1.0
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="GreaterThan"):
        D.Normal(0.0, -1.0)
