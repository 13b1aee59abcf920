import torch
import pyro
import pyro.distributions as dist
from pyro.infer import SVI, Trace_ELBO
from common import report

pyro.set_rng_seed(0)
data = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])


def model():
    f = pyro.sample("f", dist.Beta(2.0, 2.0))
    with pyro.plate("d", 6):
        pyro.sample("o", dist.Bernoulli(f), obs=data)


def guide():
    a = pyro.param("a", torch.tensor(3.0), constraint=dist.constraints.positive)
    b = pyro.param("b", torch.tensor(3.0), constraint=dist.constraints.positive)
    pyro.sample("f", dist.Beta(a, b))


svi = SVI(model, guide, pyro.optim.Adam({"lr": 0.05}), Trace_ELBO())
ls = [svi.step() for _ in range(5)]


def m2():
    mu = pyro.sample("mu", dist.Normal(0.0, 1.0))
    pyro.sample("x", dist.Normal(mu, 1.0), obs=torch.tensor(0.5))


k = pyro.infer.MCMC(pyro.infer.NUTS(m2), num_samples=3, warmup_steps=3, disable_progbar=True)
k.run()
report(losses=ls, a=pyro.param("a").item(), n=list(k.get_samples()["mu"].shape))
