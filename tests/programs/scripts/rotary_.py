import torch
from rotary_embedding_torch import RotaryEmbedding
from vector_quantize_pytorch import VectorQuantize, FSQ
from local_attention import LocalAttention
from linformer import Linformer
from common import data, fill, report, some

r = RotaryEmbedding(dim=8)
q = data(1, 2, 6, 8)
f = {"rot": some(r.rotate_queries_or_keys(q))}
torch.manual_seed(0)
vq = VectorQuantize(dim=8, codebook_size=16)
vq.eval()
with torch.no_grad():
    vq._codebook.embed.copy_(data(1, 16, 8, seed=3))
o, i, l = vq(data(1, 10, 8))
f["vq"] = [*some(o), *i.flatten().tolist()]
fs = FSQ(levels=[8, 5, 5])
x = data(1, 10, 3).requires_grad_()
o, i = fs(x)
o.sum().backward()
f["fsq"] = [*some(o), *i.flatten().tolist(), *some(x.grad)]
la = (
    LocalAttention(dim=8, window_size=4, causal=True, use_rotary_pos_emb=False)
    if False
    else LocalAttention(window_size=4, causal=True, dim=8)
)
f["la"] = some(la(data(1, 2, 8, 8), data(1, 2, 8, 8, seed=1), data(1, 2, 8, 8, seed=2)))
lf = fill(Linformer(dim=16, seq_len=12, depth=1, heads=2, k=4)).eval()
f["lf"] = some(lf(data(1, 12, 16)))
report(**f)
