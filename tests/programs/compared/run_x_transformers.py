import torch
from x_transformers import TransformerWrapper, Decoder, Encoder, XTransformer, ContinuousTransformerWrapper
from x_transformers.autoregressive_wrapper import AutoregressiveWrapper
from common import *
m=TransformerWrapper(num_tokens=50,max_seq_len=32,attn_layers=Decoder(dim=32,depth=2,heads=2,rotary_pos_emb=True,ff_glu=True,use_rmsnorm=True))
fill(torch,m); x=ids(torch,2,16,high=50)
w=AutoregressiveWrapper(m); l=w(x); l.backward(); show('dec',l,m(x),sum(g for g in grads(m) if g is not None))
m.eval(); g=w.generate(x[:,:4],10,temperature=0.); show('gen',g)
e=fill(torch,TransformerWrapper(num_tokens=50,max_seq_len=32,attn_layers=Encoder(dim=32,depth=2,heads=2,alibi_pos_bias=True,attn_flash=True))).eval()
mask=torch.ones(2,16).bool(); mask[1,9:]=False
o=e(x,mask=mask); show('enc',o)
s=fill(torch,XTransformer(dim=32,enc_num_tokens=40,enc_depth=1,enc_heads=2,enc_max_seq_len=16,dec_num_tokens=40,dec_depth=1,dec_heads=2,dec_max_seq_len=16))
l=s(ids(torch,2,16,high=40),ids(torch,2,16,high=40,seed=2)); l.backward(); show('x',l,sum(g for g in grads(s) if g is not None))
c=fill(torch,ContinuousTransformerWrapper(dim_in=6,dim_out=5,max_seq_len=32,attn_layers=Encoder(dim=32,depth=1,heads=2,rel_pos_bias=True)))
show('cont',c(data(torch,2,9,6)))
