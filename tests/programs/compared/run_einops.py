import torch
from torch import nn
from einops import rearrange, reduce, repeat, einsum, pack, unpack
from einops.layers.torch import Rearrange, Reduce, EinMix
from common import *
x = data(torch, 2,3,8,8).requires_grad_()
a = rearrange(x,'b c (h p) (w q) -> b (h w) (p q c)',p=2,q=2)
b = reduce(a,'b n d -> b d','mean'); c = reduce(x,'b c h w -> b c','max'); d=repeat(b,'b d -> b k d',k=3)
e = einsum(a,a,'b i d, b j d -> b i j')
p,ps = pack([b,c],'b *'); u,v=unpack(p,ps,'b *')
m = nn.Sequential(Rearrange('b c h w -> b (c h w)'), nn.Linear(192,10), nn.ReLU(), Reduce('b c -> b','mean'))
fill(torch,m)
mix=EinMix('b c h w -> b h w o',weight_shape='c o',bias_shape='o',c=3,o=5); fill(torch,mix)
loss=e.sum()+d.sum()+p.pow(2).sum()+m(x).sum()+mix(x).tanh().sum()
loss.backward()
show('einops',loss,x.grad,a,b,c,u,mix.weight.grad)
