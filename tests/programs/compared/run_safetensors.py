import torch, tempfile, os
from safetensors.torch import save_file, load_file, save, load, save_model, load_model, safe_open
from torch import nn
from common import *
d={'a':data(torch,3,4),'b':data(torch,5).to(torch.bfloat16),'c':ids(torch,4,high=9),'d':data(torch,2,2).half(),'e':torch.tensor([True,False]),'f':torch.tensor(3.5)}
p=tempfile.mktemp(); save_file(d,p,metadata={'x':'y'}); q=load_file(p)
print({k:(v.dtype,tuple(v.shape),torch.equal(v,d[k])) for k,v in sorted(q.items())})
with safe_open(p,'pt') as f: print(f.keys(),f.metadata(),f.get_slice('a')[1:,2:].tolist()==d['a'][1:,2:].tolist(), f.get_tensor('b').dtype)
print(torch.equal(load(save(d))['a'],d['a']))
m=nn.Sequential(nn.Linear(3,3),nn.Linear(3,3)); m[1].weight=m[0].weight; save_model(m,p); n=nn.Sequential(nn.Linear(3,3),nn.Linear(3,3)); n[1].weight=n[0].weight; print(load_model(n,p), torch.equal(n[0].weight,m[0].weight))
import hashlib; print(hashlib.sha256(save({k:d[k] for k in 'abcdef'})).hexdigest())
