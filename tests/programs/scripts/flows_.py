import torch
from nflows import transforms, distributions, flows
import normflows as nf
from common import data, fill, gradients, report

t = transforms.CompositeTransform(
    [
        transforms.MaskedAffineAutoregressiveTransform(features=3, hidden_features=8),
        transforms.RandomPermutation(3),
        transforms.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
            features=3, hidden_features=8, num_bins=4, tails="linear", tail_bound=3.0
        ),
    ]
)
for m in t.modules():
    if isinstance(m, transforms.RandomPermutation):
        m._permutation.copy_(torch.tensor([2, 0, 1]))
f = flows.Flow(t, distributions.StandardNormal([3]))
fill(f)
l = -f.log_prob(data(6, 3)).mean()
l.backward()
base = nf.distributions.DiagGaussian(2)
net = nf.nets.MLP([1, 8, 2])
fl = [nf.flows.AffineCouplingBlock(net), nf.flows.Permute(2, mode="swap")]
n = fill(nf.NormalizingFlow(base, fl))
k = n.forward_kld(data(5, 2))
k.backward()
report(l=l.item(), g=gradients(f), k=k.item(), gk=gradients(n))
