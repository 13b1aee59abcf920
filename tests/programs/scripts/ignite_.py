import torch
from ignite.engine import Events, create_supervised_trainer, create_supervised_evaluator
from ignite.metrics import Accuracy, Loss, ConfusionMatrix
from common import data, fill, ids, report, some

m = fill(torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)))
o = torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
ds = torch.utils.data.TensorDataset(data(40, 6), ids(40, high=3))
dl = torch.utils.data.DataLoader(ds, batch_size=10)
t = create_supervised_trainer(m, o, torch.nn.CrossEntropyLoss())
e = create_supervised_evaluator(
    m, {"a": Accuracy(), "l": Loss(torch.nn.CrossEntropyLoss()), "c": ConfusionMatrix(3)}
)
h = []


@t.on(Events.EPOCH_COMPLETED)
def _(eng):
    e.run(dl)
    h.append([e.state.metrics["a"], e.state.metrics["l"]])


t.run(dl, max_epochs=3)
report(h=h, c=e.state.metrics["c"].flatten().tolist(), w=some(m[0].weight))
