import torch
from common import data, fill, gradients, report, some
from torchdiffeq import odeint, odeint_adjoint


class Field(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(),
                                       torch.nn.Linear(16, 2))

    def forward(self, t, y):
        return self.net(y ** 3) * torch.cos(t)


found = {}
times = torch.linspace(0.0, 1.0, 5)
for name, method in (("dopri5", odeint), ("rk4", odeint), ("adjoint", odeint_adjoint)):
    field = fill(Field())
    start = data(3, 2).mul(0.5).requires_grad_()
    options = {"method": "rk4"} if name == "rk4" else {"rtol": 1e-5, "atol": 1e-6}
    path = method(field, start, times, **options)
    path.pow(2).mean().backward()
    found[name] = [*some(path[-1]), gradients(field), *some(start.grad)]
report(**found)
