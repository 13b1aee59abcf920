"""A small GPT that reads the Python standard library, letter by letter, and then writes some.

    python -m flambeau.examples.chargpt
    python -m flambeau.examples.chargpt --steps 4000 --layers 6 --width 192

The text is the source of the Python that runs it; written.py in --out holds what the model wrote.
(Vaswani et al., "Attention is all you need", 2017; Radford et al., "Language models are
unsupervised multitask learners", 2019.) With `import torch` in place of
`import flambeau as torch`, PyTorch runs it too.
"""
from __future__ import annotations

import argparse
import math
import string
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import flambeau as torch
from flambeau.examples import telling

nn = torch.nn
F = nn.functional

LETTERS = "\n" + "".join(sorted(c for c in string.printable if c.isprintable()))
PROMPT = "class Candle:\n    def __init__(self"


def corpus(limit: int) -> np.ndarray:
    """The standard library's source, up to `limit` letters, as numbers of LETTERS (int64)."""
    parts, size = [], 0
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        text = path.read_text(encoding="utf-8", errors="ignore").replace("\t", "    ")
        parts.append("".join(c for c in text if c in LETTERS))
        size += len(parts[-1])
        if size >= limit:
            break
    if not size:
        raise SystemExit("this Python has no source of its standard library to read")
    return encode("\n\n".join(parts)[:limit])


def encode(text: str) -> np.ndarray:
    return np.array([LETTERS.index(c) for c in text], np.int64)


class Block(nn.Module):
    """Attention to what came before, then a layer for each place; both added to the input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.merge = nn.Linear(width, width, bias=False)
        self.between = nn.LayerNorm(width)
        self.layers = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(),
                                    nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        count, time, width = x.shape
        heads = self.project(self.before(x)).view(count, time, 3, self.heads, width // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)        # each (count, heads, time, -1)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.merge(seen.transpose(1, 2).reshape(count, time, width))
        return x + self.layers(self.between(x))


class GPT(nn.Module):
    """Letters (n, time) -> logits of the next letter at each place (n, time, letters)."""

    def __init__(self, context: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(len(LETTERS), width)
        self.places = nn.Parameter(torch.zeros(context, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.last = nn.LayerNorm(width)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                deep = name.endswith(("merge.weight", "layers.2.weight"))
                scale = 0.02 / math.sqrt(2 * layers) if deep else 0.02
                nn.init.normal_(parameter, std=scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.letters(x) + self.places)
        return F.linear(self.last(x), self.letters.weight)


def train(model: GPT, text: torch.Tensor, options: argparse.Namespace) -> telling.Progress:
    """AdamW on windows from random places, the rate rising for a while and then falling."""
    context = model.places.shape[0]
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.99),
                                  weight_decay=0.1)
    warm = max(1, min(100, options.steps // 10))
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(
        (step + 1) / warm, 0.1 + 0.45 * (1 + math.cos(math.pi * step / options.steps))))
    progress = telling.Progress(options.steps)
    window = torch.arange(context)
    for step in range(1, options.steps + 1):
        starts = torch.randint(0, len(text) - context - 1, (options.batch_size, 1))
        places = starts + window
        logits = model(text[places])
        loss = F.cross_entropy(logits.flatten(0, 1), text[places + 1].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        if progress.wants(step):
            progress.tell(step, loss.item(), f"{loss.item() / math.log(2):.2f} bits a letter")
    return progress


def write(model: GPT, prompt: str, count: int, temperature: float, seed: int) -> str:
    """The prompt and `count` letters that the model puts after it."""
    context = model.places.shape[0]
    generator = torch.Generator().manual_seed(seed)
    line = [LETTERS.index(c) for c in prompt]
    with torch.no_grad():
        for _ in range(count):
            # One shape for all lengths: the end is filled up, and nothing looks ahead at it.
            seen = line[-context:]
            window = torch.tensor([seen + [0] * (context - len(seen))])
            last = torch.tensor(len(seen) - 1)
            chances = (model(window)[0].index_select(0, last)[0] / temperature).softmax(0)
            line.append(int(torch.multinomial(chances, 1, generator=generator)))
    return "".join(LETTERS[i] for i in line)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = telling.parser("chargpt", "Learn to write Python from its library.", 1000)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--context", type=int, default=96)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--letters", type=int, default=900, help="how many to write")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--prompt", default=PROMPT)
    options = telling.parse(parser, arguments)
    if not options.prompt or any(c not in LETTERS for c in options.prompt):
        parser.error("argument --prompt: expected some printable ASCII characters")
    telling.heading(torch.__name__, torch.__version__, "reads the Python standard library")
    torch.manual_seed(options.seed)
    text = torch.from_numpy(corpus(3_000_000))
    model = GPT(options.context, options.width, options.layers, options.heads)
    size = sum(p.numel() for p in model.parameters())
    print(f"  {len(text):,} letters to read, {size:,} parameters\n")
    train(model, text, options)
    model.eval()
    made = write(model, options.prompt, options.letters, options.temperature, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "written.py").write_text(made + "\n", encoding="utf-8")
    torch.save(model.state_dict(), options.out / "chargpt.pt")
    telling.quoted(made, "what it writes")
    telling.facts({"text": str(options.out / "written.py"),
                   "weights": str(options.out / "chargpt.pt")})
    return 0


if __name__ == "__main__":
    sys.exit(main())
