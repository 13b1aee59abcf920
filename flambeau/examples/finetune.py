"""Fine-tuning: a network that learned from many clean digits learns poor ones from a few.

    python -m flambeau.examples.finetune
    python -m flambeau.examples.finetune --weights base.pt

A network learns the digits as they ship with the package and is saved as base.pt (--weights takes
one that is there). Then it is loaded and sees a few pictures of each digit that are faint and
noisy: first only its head learns, its features frozen, then all of it, at a low rate. A network
that starts from nothing sees the same few. finetune.png shows some of the poor pictures, then how
much each network reads of others like them as it learns: orange from the file, grey from nothing.
With `import torch` in place of `import flambeau as torch`, PyTorch runs it too.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import flambeau as torch
from flambeau.examples import datasets, pictures, telling

nn = torch.nn
F = nn.functional
Part = tuple[torch.Tensor, torch.Tensor]


class Network(nn.Module):
    """Features of an 8 x 8 image, then a head: (n, 1, 8, 8) -> (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 48, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(48 * 16, 64), nn.ReLU(),
        )
        self.head = nn.Linear(64, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images))


def clean(part: datasets.Labelled) -> Part:
    """Images (n, 1, 8, 8) and their labels."""
    return torch.from_numpy(part.images).unsqueeze(1), torch.from_numpy(part.labels)


def poor(part: datasets.Labelled, rng: np.random.Generator, each: int | None = None) -> Part:
    """The images as a bad camera would see them; `each` of every digit."""
    at = np.concatenate([np.flatnonzero(part.labels == digit)[:each] for digit in range(10)])
    images = 0.5 * part.images[at]
    images = (images + 0.15 * rng.standard_normal(images.shape)).clip(0, 1).astype(np.float32)
    return torch.from_numpy(images).unsqueeze(1), torch.from_numpy(part.labels[at])


def accuracy(model: nn.Module, part: Part) -> float:
    with torch.no_grad():
        return (model(part[0]).argmax(1) == part[1]).float().mean().item()


def pretrain(path: Path, part: Part, test: Part, steps: int) -> None:
    """Learn the clean digits and save the weights."""
    model = Network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    progress = telling.Progress(steps)
    for step in range(1, steps + 1):
        chosen = torch.randint(0, len(part[0]), (64,))
        loss = F.cross_entropy(model(part[0][chosen]), part[1][chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if progress.wants(step):
            progress.tell(step, loss.item(), f"reads {accuracy(model, test):.1%}")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), path)


def tuned(model: Network, groups: list[dict[str, object]], few: Part, test: Part,
          steps: int) -> list[float]:
    """Train on the few images at once; what is read of the test images after each step."""
    optimizer = torch.optim.AdamW(groups, lr=3e-3)
    found = []
    for _ in range(steps):
        loss = F.cross_entropy(model(few[0]), few[1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(accuracy(model, test))
    return found


def from_file(path: Path, few: Part, test: Part, steps: int) -> list[float]:
    """Load the weights, train the head on frozen features, then everything together."""
    model = Network()
    model.load_state_dict(torch.load(path, weights_only=True))
    model.features.requires_grad_(False)
    head = tuned(model, [{"params": model.head.parameters()}], few, test, steps // 2)
    model.features.requires_grad_(True)
    whole = [{"params": model.features.parameters(), "lr": 5e-4},
             {"params": model.head.parameters(), "lr": 1e-3}]
    return head + tuned(model, whole, few, test, steps - steps // 2)


def from_nothing(few: Part, test: Part, steps: int) -> list[float]:
    model = Network()
    return tuned(model, [{"params": model.parameters()}], few, test, steps)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = telling.parser("finetune", "Learn to read poor pictures from a few.", 400)
    parser.add_argument("--weights", type=Path, help="weights to start from, instead of training")
    parser.add_argument("--each", type=int, default=5, help="poor pictures of each digit")
    options: argparse.Namespace = telling.parse(parser, arguments)
    telling.heading(torch.__name__, torch.__version__, "learns to read poor pictures from a few")
    torch.manual_seed(options.seed)
    training, test = datasets.split_digits(options.seed)
    path = options.weights or options.out / "base.pt"
    if options.weights is None:
        pretrain(path, clean(training), clean(test), options.steps)
    rng = np.random.default_rng(options.seed)
    few, unseen = poor(training, rng, options.each), poor(test, rng)
    steps = max(2, options.steps // 3)
    loaded, fresh = from_file(path, few, unseen, steps), from_nothing(few, unseen, steps)
    picture = options.out / "finetune.png"
    shown = [pictures.ink(image[0], 4) for image in unseen[0][::15].numpy()]
    lines = [(fresh, 0, pictures.GREY), (loaded, 0, pictures.ORANGE)]
    pictures.save(picture, pictures.stack([
        pictures.grid(shown, 20), pictures.curves(lines, marks=(steps // 2,))]))
    telling.facts({"weights": str(path),
                   "from file": f"{loaded[-1]:.1%} of the poor pictures, after {len(few[0])}",
                   "from zero": f"{fresh[-1]:.1%}", "picture": str(picture)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
