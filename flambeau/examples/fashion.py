"""Trains a convolutional network to tell clothes (or digits) apart, and shows what it mistakes.

    python -m flambeau.examples.fashion --data FOLDER
    python -m flambeau.examples.fashion

FOLDER holds Fashion-MNIST's four files as they are published (train-images-idx3-ubyte.gz and so
on, gzipped or not). Without them the program says so and takes the 8 x 8 digits that ship with the
package; it never downloads. It leaves fashion.png: what was read wrongly (in red), then rightly.
With `import torch` in place of `import flambeau as torch`, PyTorch runs it too.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import flambeau as torch
from flambeau.examples import datasets, pictures, telling

nn = torch.nn
F = nn.functional
DataLoader = torch.utils.data.DataLoader
TensorDataset = torch.utils.data.TensorDataset


class Network(nn.Module):
    """Two convolutions with pooling, then two layers: (n, 1, size, size) -> (n, classes)."""

    def __init__(self, size: int, classes: int, channels: int = 16) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(channels, 2 * channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(),
        )
        inner = 2 * channels * (size // 4) ** 2
        self.head = nn.Sequential(nn.Linear(inner, 64), nn.ReLU(), nn.Dropout(0.2),
                                  nn.Linear(64, classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images))


def tensors(part: datasets.Labelled) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (n, 1, rows, columns) around 0, and labels (n,)."""
    images = torch.from_numpy(part.images).unsqueeze(1)
    return (images - 0.3) / 0.35, torch.from_numpy(part.labels)


def train(model: nn.Module, part: datasets.Labelled, options: argparse.Namespace) -> None:
    """AdamW over shuffled batches, for `options.steps` steps, with one cycle of the rate."""
    loader = DataLoader(TensorDataset(*tensors(part)), batch_size=options.batch_size, shuffle=True,
                        drop_last=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=options.steps + 1)
    progress = telling.Progress(options.steps)
    step = 0
    while step < options.steps:
        for images, labels in loader:
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rate.step()
            step += 1
            if progress.wants(step):
                progress.tell(step, loss.item())
            if step == options.steps:
                return


def read(model: nn.Module, part: datasets.Labelled) -> torch.Tensor:
    """The label that the model gives to each image."""
    model.eval()
    images, _ = tensors(part)
    size = min(250, len(images))
    with torch.no_grad():
        found = [model(images[i : i + size]).argmax(1) for i in range(0, len(images), size)]
    return torch.cat(found)


def picture(part: datasets.Labelled, found: list[int], count: int = 24) -> pictures.Array:
    """Two blocks of images: read wrongly, in red, and read rightly, in green."""
    wrong = [i for i, label in enumerate(part.labels) if found[i] != label][:count]
    right = [i for i, label in enumerate(part.labels) if found[i] == label][:count]
    scale = max(1, 56 // part.images.shape[1])
    blocks = [
        pictures.grid([pictures.ink(part.images[i], scale, colour) for i in chosen], 12)
        for chosen, colour in ((wrong, pictures.RED), (right, pictures.GREEN)) if chosen
    ]
    return pictures.stack(blocks)


def confusions(part: datasets.Labelled, found: list[int]) -> str:
    """The most frequent mistakes, in words."""
    counts: dict[tuple[str, str], int] = {}
    for label, guess in zip(part.labels.tolist(), found):
        if label != guess:
            pair = part.names[label], part.names[guess]
            counts[pair] = counts.get(pair, 0) + 1
    most = sorted(counts.items(), key=lambda item: -item[1])[:3]
    return ", ".join(f"{a} taken for {b} ({n})" for (a, b), n in most) or "none"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = telling.parser("fashion", "Train a network to tell pictures apart.", 600)
    parser.add_argument("--data", type=Path, default=Path("FashionMNIST"),
                        help="folder with Fashion-MNIST's idx files")
    parser.add_argument("--batch-size", type=int, default=64)
    options = telling.parse(parser, arguments)
    telling.heading(torch.__name__, torch.__version__, "tells pictures apart")
    torch.manual_seed(options.seed)
    parts = datasets.fashion(options.data)
    if parts is None:
        print(f"  No Fashion-MNIST files in {options.data}: these are the digits that ship with\n"
              "  flambeau. The files are at github.com/zalandoresearch/fashion-mnist; --data "
              "FOLDER reads them.\n")
        parts = datasets.split_digits(options.seed)
    training, test = parts
    model = Network(training.images.shape[1], len(training.names))
    train(model, training, options)
    found = read(model, test).tolist()
    right = sum(a == b for a, b in zip(found, test.labels.tolist())) / len(found)
    path = options.out / "fashion.png"
    pictures.save(path, picture(test, found))
    torch.save(model.state_dict(), options.out / "fashion.pt")
    telling.facts({"accuracy": f"{right:.2%} of {len(found):,} test images",
                   "mistakes": confusions(test, found), "picture": str(path),
                   "weights": str(options.out / "fashion.pt")})
    return 0


if __name__ == "__main__":
    sys.exit(main())
