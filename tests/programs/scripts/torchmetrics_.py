import torchmetrics
from common import data, ids, report

x, y = data(40, 5).softmax(-1), ids(40, high=5)
p, t = data(40, seed=3), data(40, seed=4)
binary = ids(40, high=2, seed=5)
metrics = {
    "accuracy": torchmetrics.Accuracy(task="multiclass", num_classes=5),
    "macro": torchmetrics.F1Score(task="multiclass", num_classes=5, average="macro"),
    "precision": torchmetrics.Precision(task="multiclass", num_classes=5, average="macro"),
    "auroc": torchmetrics.AUROC(task="multiclass", num_classes=5),
    "ap": torchmetrics.AveragePrecision(task="multiclass", num_classes=5),
    "kappa": torchmetrics.CohenKappa(task="multiclass", num_classes=5),
}
found = {}
for name, metric in metrics.items():
    metric.update(x[:20], y[:20])
    metric.update(x[20:], y[20:])
    found[name] = metric.compute().item()
for name, metric in (("mse", torchmetrics.MeanSquaredError()), ("r2", torchmetrics.R2Score()),
                     ("pearson", torchmetrics.PearsonCorrCoef()),
                     ("spearman", torchmetrics.SpearmanCorrCoef()),
                     ("cosine", torchmetrics.CosineSimilarity(reduction="mean"))):
    if name == "cosine":
        metric.update(p.reshape(8, 5), t.reshape(8, 5))
    else:
        metric.update(p[:20], t[:20])
        metric.update(p[20:], t[20:])
    found[name] = float(metric.compute())
confusion = torchmetrics.ConfusionMatrix(task="multiclass", num_classes=5)
found["confusion"] = confusion(x, y).tolist()
found["binary_auroc"] = torchmetrics.AUROC(task="binary")(p.sigmoid(), binary).item()
together = torchmetrics.MetricCollection([torchmetrics.MeanAbsoluteError(),
                                          torchmetrics.MeanSquaredError()])
found["together"] = {k: v.item() for k, v in together(p, t).items()}
found["mean"] = torchmetrics.MeanMetric()(p).item()
report(**found)
