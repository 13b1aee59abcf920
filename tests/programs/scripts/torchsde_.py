import torch
import torchsde
from common import data, fill, gradients, report, some


class S(torch.nn.Module):
    noise_type = "diagonal"
    sde_type = "ito"

    def __init__(s):
        super().__init__()
        s.mu = torch.nn.Linear(3, 3)
        s.sig = torch.nn.Linear(3, 3)

    def f(s, t, y):
        return s.mu(y)

    def g(s, t, y):
        return torch.sigmoid(s.sig(y))


m = fill(S())
y0 = data(4, 3)
ts = torch.linspace(0, 1, 5)


class BM:
    pass


bm = torchsde.BrownianInterval(t0=0.0, t1=1.0, size=(4, 3), entropy=7)
out = torchsde.sdeint(m, y0, ts, bm=bm, dt=0.1, method="euler")
out.pow(2).mean().backward()
report(out=some(out[-1]), g=gradients(m))
