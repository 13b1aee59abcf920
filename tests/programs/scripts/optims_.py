import torch
import torch_optimizer as to
from lion_pytorch import Lion
from adabelief_pytorch import AdaBelief
import schedulefree
import geoopt
from common import data, report, some

f = {}
makers = {
    "lion": lambda p: Lion(p, lr=1e-2),
    "belief": lambda p: AdaBelief(p, lr=1e-2, print_change_log=False),
    "radam": lambda p: to.RAdam(p, lr=1e-2),
    "lamb": lambda p: to.Lamb(p, lr=1e-2),
    "yogi": lambda p: to.Yogi(p, lr=1e-2),
    "adamp": lambda p: to.AdamP(p, lr=1e-2),
    "novo": lambda p: to.NovoGrad(p, lr=1e-2),
    "shampoo": lambda p: to.Shampoo(p, lr=1e-2),
    "lookahead": lambda p: to.Lookahead(to.DiffGrad(p, lr=1e-2)),
    "qh": lambda p: to.QHAdam(p, lr=1e-2),
    "ranger": lambda p: to.Ranger(p, lr=1e-2),
    "adabound": lambda p: to.AdaBound(p, lr=1e-2),
    "sf": lambda p: schedulefree.AdamWScheduleFree(p, lr=1e-2),
    "geo": lambda p: geoopt.optim.RiemannianAdam(p, lr=1e-2),
}
for n, mk in makers.items():
    w = torch.nn.Parameter(data(4, 3))
    o = mk([w])
    if hasattr(o, "train"):
        o.train()
    for i in range(4):
        loss = ((w @ data(3, 2, seed=i)) ** 2).mean()
        o.zero_grad()
        loss.backward()
        o.step()
    f[n] = some(w)
report(**f)
