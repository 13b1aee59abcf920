import torch
from common import fill, gradients, ids, report, some
from x_transformers import AutoregressiveWrapper, Decoder, Encoder, TransformerWrapper

model = fill(TransformerWrapper(
    num_tokens=50, max_seq_len=32,
    attn_layers=Decoder(dim=32, depth=2, heads=4, rotary_pos_emb=True, ff_glu=True,
                        use_rmsnorm=True, attn_dim_head=8)))
wrapped = AutoregressiveWrapper(model)
loss = wrapped(ids(2, 17, high=50))
loss.backward()
wrapped.eval()
text = wrapped.generate(ids(2, 4, high=50), 8, temperature=0.0)
encoder = fill(TransformerWrapper(
    num_tokens=50, max_seq_len=32,
    attn_layers=Encoder(dim=32, depth=2, heads=4, alibi_pos_bias=True, attn_dim_head=8))).eval()
mask = torch.tensor([[True] * 10, [True] * 6 + [False] * 4])
out = encoder(ids(2, 10, high=50), mask=mask, return_embeddings=True)
report(loss=loss.item(), grad=gradients(model), text=text.tolist(), out=some(out))
