import torch
from common import data, report, some
from einops import einsum, pack, rearrange, reduce, repeat, unpack
from einops.layers.torch import EinMix, Rearrange, Reduce

x = data(2, 3, 4, 6).requires_grad_()
a = rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=2, q=2)
b = reduce(x, "b c h w -> b c", "mean")
c = repeat(b, "b c -> b c k", k=3)
d = einsum(a, a, "b i d, b j d -> b i j")
packed, shapes = pack([b, c], "b *")
parts = unpack(packed, shapes, "b *")
layer = torch.nn.Sequential(Rearrange("b c h w -> b (c h w)"), torch.nn.Linear(72, 4, bias=False))
with torch.no_grad():
    layer[1].weight.copy_(data(4, 72, seed=3))
mix = EinMix("b t c -> b t o", weight_shape="c o", c=12, o=5)
with torch.no_grad():
    mix.weight.copy_(data(12, 5, seed=4))
e = Reduce("b t o -> b o", "max")(mix(a))
loss = (d ** 2).mean() + c.sum() + layer(x).sum() + parts[1].sum() + e.sum()
loss.backward()
report(loss=loss.item(), d=some(d), e=some(e), grad=some(x.grad), shape=list(packed.shape))
