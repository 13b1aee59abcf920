import torch
from torch import nn
from common import data, fill, show


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(4, 6)
        self.w = nn.Parameter(torch.ones(6))

    def forward(self, x, k=2):
        y = torch.relu(self.l(x) + self.w) * k
        a, b = y.chunk(2, -1)
        return torch.cat([a, b], dim=-1).sum(dim=-1), y[:, 0], torch.nn.functional.relu(1 - y)


m = fill(torch, M())
gm = torch.fx.symbolic_trace(m)
print(gm.graph)
print(gm.code.strip())
x = data(torch, 3, 4)
show("fx", *gm(x), *torch.fx.Interpreter(gm).run(x), *torch.fx.Transformer(gm).transform()(x))
g = torch.fx.symbolic_trace(lambda x: torch.relu(torch.add(x, 1)).neg())
torch.fx.replace_pattern(g, lambda a: torch.relu(torch.add(a, 1)), lambda a: torch.sigmoid(a))
show("replaced", g(torch.ones(1)))


@torch.library.custom_op("flambeau_test::sine", mutates_args=())
def sine(x: torch.Tensor) -> torch.Tensor:
    return x.sin()


sine.register_autograd(lambda ctx, g: g * ctx.saved_tensors[0].cos(),
                       setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0]))
v = torch.ones(2, requires_grad=True)
torch.ops.flambeau_test.sine(v).sum().backward()
show("custom op", v.grad)
