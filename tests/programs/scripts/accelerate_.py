import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from common import data, fill, ids, report, some

set_seed(0)
a = Accelerator(cpu=True, gradient_accumulation_steps=2)
m = fill(torch.nn.Linear(6, 3))
o = torch.optim.AdamW(m.parameters(), lr=1e-2)
dl = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(data(32, 6), ids(32, high=3)), batch_size=8
)
s = torch.optim.lr_scheduler.StepLR(o, 2)
m, o, dl, s = a.prepare(m, o, dl, s)
ls = []
for x, y in dl:
    with a.accumulate(m):
        l = torch.nn.functional.cross_entropy(m(x), y)
        a.backward(l)
        a.clip_grad_norm_(m.parameters(), 1.0)
        o.step()
        s.step()
        o.zero_grad()
        ls.append(l.item())
report(ls=ls, w=some(a.unwrap_model(m).weight))
