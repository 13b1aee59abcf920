import torch
import gpytorch
from common import report

torch.manual_seed(0)
x = torch.linspace(0, 1, 20)
y = torch.sin(6 * x)


class G(gpytorch.models.ExactGP):
    def __init__(s, x, y, l):
        super().__init__(x, y, l)
        s.m = gpytorch.means.ConstantMean()
        s.k = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())

    def forward(s, x):
        return gpytorch.distributions.MultivariateNormal(s.m(x), s.k(x))


l = gpytorch.likelihoods.GaussianLikelihood()
m = G(x, y, l)
m.train()
l.train()
opt = torch.optim.Adam(m.parameters(), lr=0.1)
mll = gpytorch.mlls.ExactMarginalLogLikelihood(l, m)
ls = []
for _ in range(4):
    opt.zero_grad()
    loss = -mll(m(x), y)
    loss.backward()
    opt.step()
    ls.append(loss.item())
m.eval()
l.eval()
with torch.no_grad():
    p = l(m(torch.tensor([0.25, 0.6])))
report(losses=ls, mean=p.mean.tolist(), var=p.variance.tolist())
