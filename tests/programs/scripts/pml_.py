from common import data, fill, ids, report, some
from pytorch_metric_learning import losses, miners

x = data(12, 8).requires_grad_()
y = ids(12, high=4)
found = {}
for name, l in (
    ("triplet", losses.TripletMarginLoss()),
    ("ntx", losses.NTXentLoss()),
    ("ms", losses.MultiSimilarityLoss()),
    ("contrastive", losses.ContrastiveLoss()),
    ("circle", losses.CircleLoss()),
    ("lifted", losses.LiftedStructureLoss()),
    ("supcon", losses.SupConLoss()),
):
    x.grad = None
    v = l(x, y)
    v.backward()
    found[name] = [v.item(), *some(x.grad)]
m = miners.MultiSimilarityMiner()(x, y)
found["mined"] = [t.tolist() for t in m]
v = losses.TripletMarginLoss()(x, y, miners.BatchHardMiner()(x, y))
found["hard"] = v.item()
arc = fill(losses.ArcFaceLoss(4, 8))
found["arc"] = arc(x, y).item()
report(**found)
