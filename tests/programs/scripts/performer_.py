import torch
from performer_pytorch import PerformerLM
from common import data, fill, gradients, ids, report, some

torch.manual_seed(0)
m = fill(
    PerformerLM(num_tokens=40, dim=16, depth=1, max_seq_len=16, heads=2, causal=True, dim_head=8)
)
for n, b in m.named_buffers():
    if "projection" in n:
        b.copy_(data(*b.shape, seed=4))
m.eval()
x = ids(2, 16, high=40)
o = m(x)
torch.nn.functional.cross_entropy(o.transpose(1, 2), x).backward()
report(o=some(o), g=gradients(m))
