"""Trains a network to read handwritten digits, shows what it learned, and saves it.

    python -m flambeau.examples.digits
    python -m flambeau.examples.digits --epochs 5 --model conv --out /tmp/digits

The data ship with the package: 1,797 images of 8 x 8 pixels (flambeau/examples/data/NOTICE names
the source). Everything below is written with PyTorch's names; with `import torch` in place of
`import flambeau as torch`, PyTorch runs it too.
"""
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import flambeau as torch
from flambeau import nn
from flambeau.examples import datasets, drawing

TEST_IMAGES = 360


@dataclass(frozen=True, slots=True)
class Digits:
    """Images (n, 8, 8) of float32 from 0 to 1, and labels (n,) of int64."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(slots=True)
class Progress:
    """What happened so far: the mean loss and the accuracy on the test images for each epoch."""

    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def load(seed: int) -> tuple[Digits, Digits]:
    """The digits in random order, as a part to train on and a part to test with."""
    whole = datasets.digits()
    images, labels = torch.from_numpy(whole.images), torch.from_numpy(whole.labels)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    images, labels = images[order], labels[order]
    test = Digits(images[:TEST_IMAGES], labels[:TEST_IMAGES])
    return Digits(images[TEST_IMAGES:], labels[TEST_IMAGES:]), test


class Perceptron(nn.Module):
    """Two hidden layers, each normalised: (n, 8, 8) -> (n, 10)."""

    def __init__(self, hidden: int = 128, dropout: float = 0.2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64, hidden),
            nn.LayerNorm(hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.LayerNorm(hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 10),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


class Convolutional(nn.Module):
    """Two convolutions and a pooling, then two layers: (n, 8, 8) -> (n, 10)."""

    def __init__(self, channels: int = 16, dropout: float = 0.2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Sequential(
            nn.Linear(2 * channels * 16, 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 10)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images.unsqueeze(1)))


MODELS = {"mlp": Perceptron, "conv": Convolutional}


def batches(data: Digits, size: int) -> Iterator[Digits]:
    """Whole batches of the data in a new random order."""
    order = torch.randperm(len(data))
    for start in range(0, len(data) - size + 1, size):
        chosen = order[start : start + size]
        yield Digits(data.images[chosen], data.labels[chosen])


def accuracy(model: nn.Module, data: Digits) -> float:
    """The part of the images that the model reads rightly."""
    model.eval()
    with torch.no_grad():
        right = model(data.images).argmax(dim=1) == data.labels
        return right.float().mean().item()


def train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, data: Digits, size: int
) -> float:
    """One pass over the data; the mean loss of its batches."""
    model.train()
    losses = []
    for batch in batches(data, size):
        loss = nn.functional.cross_entropy(model(batch.images), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).mean().item()


def report(epoch: int, epochs: int, progress: Progress, style: drawing.Style) -> None:
    """The progress bar: in a terminal one line that moves, in a file a line now and then."""
    moving = sys.stdout.isatty()
    last = epoch == epochs
    if not (moving or last or epoch % max(epochs // 5, 1) == 0):
        return
    text = (
        f"  epoch {epoch:>{len(str(epochs))}}/{epochs} "
        f"{drawing.bar(epoch / epochs, 28, style)} "
        f"loss {progress.losses[-1]:.4f}  test {progress.accuracies[-1]:6.2%}"
    )
    print(f"\r{text}" if moving else text, end="" if moving and not last else "\n", flush=True)


def train(model: nn.Module, data: Digits, test: Digits, options: argparse.Namespace) -> Progress:
    """Train with AdamW and a learning rate that falls to nothing; returns what happened."""
    style = drawing.style_for(sys.stdout)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr, weight_decay=0.01)
    progress = Progress()
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = options.lr * (1 - (epoch - 1) / options.epochs)
        progress.losses.append(train_epoch(model, optimizer, data, options.batch_size))
        progress.seconds.append(time.perf_counter() - start)
        progress.accuracies.append(accuracy(model, test))
        report(epoch, options.epochs, progress, style)
    return progress


def show_predictions(model: nn.Module, test: Digits, style: drawing.Style) -> None:
    """Some test images with what was read and how sure the model is; its mistakes come first."""
    with torch.no_grad():
        chances = model(test.images).softmax(dim=1)
        sure, read = chances.max(dim=1)
    labels, read, sure = test.labels.tolist(), read.tolist(), sure.tolist()
    mistakes = [i for i, label in enumerate(labels) if read[i] != label]
    count = max((drawing.width() - 2) // 18, 1)
    chosen = [*mistakes, *(i for i in range(len(labels)) if i not in mistakes)]
    rows = [mistakes[:count], [i for i in chosen if i not in mistakes][:count]]
    titles = [f"read wrongly ({len(mistakes)} of {len(labels)})", "read rightly"]
    for title, row in zip(titles, rows):
        if row:
            captions = [
                f"{read[i]} ({sure[i]:.0%})" + ("" if read[i] == labels[i] else f", is {labels[i]}")
                for i in row
            ]
            print(f"\n  {style.paint(title, '1')}\n")
            picture = drawing.side_by_side(test.images[row].tolist(), captions, style)
            print("\n".join(f"  {line}" for line in picture.splitlines()))


def save_picture(path: Path, model: nn.Module, test: Digits, progress: Progress) -> bool:
    """The loss curve and twelve predictions as a PNG; False where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    with torch.no_grad():
        read = model(test.images[:12]).argmax(dim=1).tolist()
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    axes = left.subplots()
    axes.semilogy(range(1, len(progress.losses) + 1), progress.losses, color="#e4572e")
    axes.set(xlabel="epoch", ylabel="training loss", title="Loss")
    axes.grid(alpha=0.3)
    for i, cell in enumerate(right.subplots(3, 4).flat):
        cell.imshow(test.images[i].numpy(), cmap="gray_r")
        right_answer = read[i] == int(test.labels[i])
        cell.set_title(str(read[i]), color="black" if right_answer else "red", fontsize=10)
        cell.set_axis_off()
    figure.savefig(path, dpi=120)
    return True


def save_and_load(path: Path, model: nn.Module, name: str, test: Digits) -> float:
    """Write the checkpoint, read it into a new model, and return that model's accuracy."""
    torch.save({"model": name, "state_dict": model.state_dict()}, path)
    checkpoint = torch.load(path)
    again = MODELS[checkpoint["model"]]()
    again.load_state_dict(checkpoint["state_dict"])
    return accuracy(again, test)


def describe_speed(progress: Progress, steps: int, size: int) -> str:
    """How fast an epoch ran; the fastest, for everything else on the machine only adds."""
    step = min(progress.seconds) / steps
    total = sum(progress.seconds)
    return (
        f"{total:.2f} s for {len(progress.seconds) * steps:,} steps, the first epoch "
        f"{progress.seconds[0]:.2f} s; {step * 1e3:.2f} ms a step, {size / step:,.0f} images/s"
    )


def describe_compiler() -> str:
    """What flambeau compiled for this run; empty when the program runs on PyTorch."""
    if torch.__name__ != "flambeau":
        return ""
    from flambeau.debug.summary import compiled

    return str(compiled())


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m flambeau.examples.digits",
        description="Train a network to read handwritten digits.",
    )
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--model", choices=MODELS, default="mlp")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("digits-run"), help="folder for results")
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error(f"argument --epochs: expected at least 1, got {options.epochs}")
    if not 1 <= options.batch_size <= 1797 - TEST_IMAGES:
        parser.error(f"argument --batch-size: expected 1 to 1437, got {options.batch_size}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    style = drawing.style_for(sys.stdout)
    torch.manual_seed(options.seed)
    data, test = load(options.seed)
    model = MODELS[options.model]()
    size = sum(parameter.numel() for parameter in model.parameters())
    heading = f"{torch.__name__} {torch.__version__} reads handwritten digits"
    print(f"\n  {style.paint(heading, '1')}\n")
    print(f"  {'data':9} {len(data):,} images to train on, {len(test)} to test with")
    print(f"  {'network':9} {options.model}, {size:,} parameters\n")

    progress = train(model, data, test, options)
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "digits.pt"
    again = save_and_load(checkpoint, model, options.model, test)
    model.eval()

    print(f"\n  {style.paint('loss, epoch by epoch', '1')}\n")
    print(drawing.curve(progress.losses, min(drawing.width() - 10, 60), 6, style))
    show_predictions(model, test, style)

    steps = len(data) // options.batch_size
    facts = {
        "accuracy": f"{progress.accuracies[-1]:.2%} of the test images",
        "speed": describe_speed(progress, steps, options.batch_size),
        "compiled": describe_compiler(),
        "saved": f"{checkpoint} (loaded back: {again:.2%})",
    }
    picture = options.out / "digits.png"
    if save_picture(picture, model, test, progress):
        facts["picture"] = str(picture)
    print()
    for name, text in facts.items():
        if text:
            print(f"  {style.paint(f'{name:9}', '32')} {text}")
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
