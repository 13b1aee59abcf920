"""What is timed: programs written for PyTorch, as functions of the module that they import.

In: `torch`, PyTorch or a module with its API. Out: a step, a function without arguments that does
one unit of work and gives a tensor with one element, the same for every backend: weights and data
come from NumPy. `TRAINING`, `INFERENCE` and `OPERATIONS` list them by name.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[], Any]


def normal(torch: Any, *shape: int, seed: int = 0, scale: float = 1.0) -> Any:
    """A float32 tensor of normal numbers."""
    found = np.random.default_rng(seed).standard_normal(shape) * scale
    return torch.from_numpy(found.astype(np.float32))


def classes(torch: Any, *shape: int, of: int, seed: int = 1) -> Any:
    """An int64 tensor of numbers below `of`."""
    return torch.from_numpy(np.random.default_rng(seed).integers(0, of, shape))


def seeded(torch: Any, model: Any) -> Any:
    """The model with weights that depend on nothing but their names' order and shapes."""
    parameters = sorted(model.named_parameters(), key=lambda pair: pair[0])
    with torch.no_grad():
        for seed, (name, p) in enumerate(parameters):
            if p.dim() < 2:
                p.fill_(float(name.endswith("weight")))
            else:
                fan_in = int(np.prod(p.shape[1:]))
                p.copy_(normal(torch, *p.shape, seed=seed, scale=fan_in ** -0.5))
    return model


def training(model: Any, optimizer: Any, loss_of: Step) -> Step:
    """A step of training."""
    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss
    return step


def inference(torch: Any, run: Step) -> Step:
    """A step without gradients."""
    def step() -> Any:
        with torch.no_grad():
            return run()
    return step


# ---------------------------------------------------------------- perceptrons and convolutions


def perceptron(torch: Any, sizes: list[int], batch: int) -> Step:
    nn = torch.nn
    layers: list[Any] = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = seeded(torch, nn.Sequential(*layers[:-1]))
    x, y = normal(torch, batch, sizes[0]), classes(torch, batch, of=sizes[-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return training(model, optimizer, lambda: nn.functional.cross_entropy(model(x), y))


def lenet(torch: Any) -> Step:
    nn = torch.nn
    model = seeded(torch, nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10), nn.LogSoftmax(1)))
    x, y = normal(torch, 64, 1, 28, 28), classes(torch, 64, of=10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return training(model, optimizer, lambda: nn.functional.nll_loss(model(x), y))


def residual_network(torch: Any, layers: int = 8, width: int = 64) -> Any:
    """ResNet-18 as it is used for small images."""
    nn, F = torch.nn, torch.nn.functional

    def normed(inputs: int, outputs: int, size: int, stride: int) -> Any:
        conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(outputs))

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.first = normed(inputs, outputs, 3, stride)
            self.second = normed(outputs, outputs, 3, 1)
            self.skip = normed(inputs, outputs, 1, stride) if inputs != outputs else nn.Identity()

        def forward(self, x: Any) -> Any:
            return F.relu(self.second(F.relu(self.first(x))) + self.skip(x))

    blocks, inputs = [normed(3, width, 3, 1), nn.ReLU()], width
    for k in range(layers):
        outputs = width << k // 2
        blocks.append(Block(inputs, outputs, 1 + (inputs != outputs)))
        inputs = outputs
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10)]
    return seeded(torch, nn.Sequential(*blocks, *head))


def resnet18_cifar(torch: Any) -> Step:
    model = residual_network(torch)
    x, y = normal(torch, 32, 3, 32, 32), classes(torch, 32, of=10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    return training(model, optimizer, lambda: torch.nn.functional.cross_entropy(model(x), y))


def resnet18_infer(torch: Any) -> Step:
    model, x = residual_network(torch).eval(), normal(torch, 8, 3, 64, 64)
    return inference(torch, lambda: model(x).sum())


# ---------------------------------------------------------------- sequences


def transformer(torch: Any, vocabulary: int, length: int, layers: int, heads: int,
                width: int) -> Any:
    """A decoder as in GPT-2."""
    nn, F = torch.nn, torch.nn.functional

    class Layer(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
            self.project, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x: Any) -> Any:
            n, t, _ = x.shape
            parts = self.project(self.before(x)).split(width, dim=-1)
            q, k, v = (p.reshape(n, t, heads, width // heads).transpose(1, 2) for p in parts)
            seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.mix(seen.transpose(1, 2).reshape(n, t, width))
            return x + self.narrow(F.gelu(self.wide(self.between(x))))

    class Decoder(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens = nn.Embedding(vocabulary, width)
            self.places = nn.Embedding(length, width)
            self.layers = nn.Sequential(*(Layer() for _ in range(layers)))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

        def forward(self, x: Any) -> Any:
            x = self.tokens(x) + self.places(torch.arange(x.shape[1]))
            return self.head(self.norm(self.layers(x)))

    return seeded(torch, Decoder())


def language_model(torch: Any, batch: int, vocabulary: int, length: int, layers: int, heads: int,
                   width: int) -> Step:
    model = transformer(torch, vocabulary, length, layers, heads, width)
    x = classes(torch, batch, length, of=vocabulary)
    y = classes(torch, batch * length, of=vocabulary, seed=2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    return training(model, optimizer, lambda: torch.nn.functional.cross_entropy(
        model(x).flatten(0, 1), y))


def gpt_decode(torch: Any) -> Step:
    """Tokens one by one without a cache: every length is another shape."""
    model = transformer(torch, 512, 128, 4, 4, 256).eval()
    start = classes(torch, 1, 4, of=512)

    def run() -> Any:
        text = start
        for _ in range(24):
            text = torch.cat([text, model(text)[:, -1:].argmax(-1)], 1)
        return text.sum()
    return inference(torch, run)


def bert_infer(torch: Any) -> Step:
    nn = torch.nn
    layer = nn.TransformerEncoderLayer(384, 12, 1536, 0.0, "gelu", batch_first=True)
    model = seeded(torch, nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)).eval()
    x = normal(torch, 8, 128, 384)
    return inference(torch, lambda: model(x).square().mean())


def lstm(torch: Any) -> Step:
    nn = torch.nn

    class Tagger(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(1000, 128)
            self.memory = nn.LSTM(128, 256, num_layers=2, batch_first=True)
            self.tags = nn.Linear(256, 1000)

        def forward(self, x: Any) -> Any:
            return self.tags(self.memory(self.words(x))[0])

    model = seeded(torch, Tagger())
    x, y = classes(torch, 16, 48, of=1000), classes(torch, 16 * 48, of=1000, seed=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return training(model, optimizer, lambda: nn.functional.cross_entropy(
        model(x).flatten(0, 1), y))


# ---------------------------------------------------------------- single operations


def op_matmul(torch: Any) -> Step:
    a, b = normal(torch, 1024, 1024), normal(torch, 1024, 1024, seed=1)
    return inference(torch, lambda: (a @ b)[0, 0])


def op_chain(torch: Any) -> Step:
    x, y = normal(torch, 1024, 4096), normal(torch, 1024, 4096, seed=1)
    return inference(torch, lambda: (
        torch.tanh(x - y) * 0.5 + torch.sigmoid(x) * y + x).sum())


def op_softmax(torch: Any) -> Step:
    x = normal(torch, 2048, 2048)
    return inference(torch, lambda: torch.softmax(x * 0.5 + 1, -1).sum(-1).mean())


def op_layernorm(torch: Any) -> Step:
    x, w, b = (normal(torch, *shape, seed=k)
               for k, shape in enumerate([(4096, 1024), (1024,), (1024,)]))
    return inference(torch, lambda: torch.nn.functional.layer_norm(x, (1024,), w, b).abs().max())


def op_conv3x3(torch: Any) -> Step:
    x, w = normal(torch, 16, 64, 56, 56), normal(torch, 64, 64, 3, 3, seed=1, scale=0.05)
    return inference(torch, lambda: torch.nn.functional.conv2d(x, w, padding=1)[0, 0, 0, 0])


def op_conv1x1(torch: Any) -> Step:
    x, w = normal(torch, 16, 256, 28, 28), normal(torch, 128, 256, 1, 1, seed=1, scale=0.05)
    return inference(torch, lambda: torch.nn.functional.conv2d(x, w)[0, 0, 0, 0])


def op_attention(torch: Any) -> Step:
    q, k, v = (normal(torch, 4, 8, 512, 64, seed=s) for s in range(3))
    return inference(torch, lambda: torch.nn.functional.scaled_dot_product_attention(
        q, k, v, is_causal=True)[0, 0, 0, 0])


TRAINING: dict[str, Callable[[Any], Step]] = {
    "mlp_tiny": lambda torch: perceptron(torch, [8, 64, 64, 2], 32),
    "mlp_mnist": lambda torch: perceptron(torch, [784, 512, 512, 10], 128),
    "mlp_wide": lambda torch: perceptron(torch, [1024, 4096, 4096, 1024], 256),
    "lenet": lenet,
    "resnet18_cifar": resnet18_cifar,
    "gpt_char": lambda torch: language_model(torch, 12, 65, 64, 4, 4, 128),
    "gpt_small": lambda torch: language_model(torch, 8, 8192, 256, 6, 6, 384),
    "lstm": lstm,
}
INFERENCE: dict[str, Callable[[Any], Step]] = {
    "resnet18_infer": resnet18_infer, "gpt_decode": gpt_decode, "bert_infer": bert_infer,
}
OPERATIONS: dict[str, Callable[[Any], Step]] = {
    fn.__name__: fn for fn in (op_matmul, op_chain, op_softmax, op_layernorm, op_conv3x3,
                               op_conv1x1, op_attention)
}
WORKLOADS = TRAINING | INFERENCE | OPERATIONS
