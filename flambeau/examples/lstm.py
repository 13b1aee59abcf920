"""An LSTM learns the Mackey-Glass series, which is chaotic, and then goes on by itself.

    python -m flambeau.examples.lstm

The series is made on the spot (Mackey and Glass, "Oscillation and chaos in physiological control
systems", 1977). The network sees windows of it and learns the next value at each place; then it is
shown a piece that it never saw, and continues it from its own predictions. lstm.png shows the
series in grey and the continuation in orange, which begins at the upright line. With
`import torch` in place of `import flambeau as torch`, PyTorch runs it too.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

import flambeau as torch
from flambeau.examples import pictures, telling

nn = torch.nn
F = nn.functional

LENGTH = 2600
TRAINED = 2000
SHOWN, AHEAD = 200, 300


def mackey_glass(count: int, delay: int = 17, fine: int = 10, seed: int = 0) -> np.ndarray:
    """`count` values of x' = 0.2 x(t-17) / (1 + x(t-17)^10) - 0.1 x, one for each unit of time;
    Euler's steps of 1/fine."""
    past = delay * fine
    x = np.full(past + (count + 200) * fine, 1.2)
    x[:past] += 0.1 * np.random.default_rng(seed).standard_normal(past).cumsum() / past**0.5
    for i in range(past, len(x)):
        late = x[i - past]
        x[i] = x[i - 1] + (0.2 * late / (1 + late**10) - 0.1 * x[i - 1]) / fine
    return x[past + 200 * fine :: fine][:count].astype(np.float32)


class Forecaster(nn.Module):
    """Values (n, time, 1) and a state -> the next value at each place, and the state after."""

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.memory = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, values: torch.Tensor, state: object = None) -> tuple[torch.Tensor, object]:
        found, state = self.memory(values, state)
        return values + self.out(found), state


def train(model: Forecaster, series: torch.Tensor, options: argparse.Namespace) -> None:
    """Adam on windows from random places; what comes before a window's middle only warms up."""
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps, eta_min=1e-4)
    progress = telling.Progress(options.steps, "error")
    window = torch.arange(options.window)
    for step in range(1, options.steps + 1):
        places = torch.randint(0, TRAINED - options.window - 1, (32, 1)) + window
        # A little noise: later it has to live with its own errors.
        seen = series[places] + 0.005 * torch.randn(places.shape)
        guess, _ = model(seen.unsqueeze(2))
        late = options.window // 2
        loss = F.mse_loss(guess[:, late:, 0], series[places + 1][:, late:])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        if progress.wants(step):
            progress.tell(step, loss.item() ** 0.5)


def go_on(model: Forecaster, shown: torch.Tensor, count: int) -> list[float]:
    """`count` values after `shown`, each made from the one before it."""
    found = []
    with torch.no_grad():
        state = None
        for value in shown:
            guess, state = model(value.reshape(1, 1, 1), state)
        for _ in range(count):
            found.append(guess.item())
            guess, state = model(guess, state)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = telling.parser("lstm", "Forecast a chaotic series.", 300)
    parser.add_argument("--window", type=int, default=64)
    options = telling.parse(parser, arguments)
    if not 4 <= options.window <= TRAINED // 2:
        parser.error(f"argument --window: expected 4 to {TRAINED // 2}, got {options.window}")
    telling.heading(torch.__name__, torch.__version__, "forecasts a chaotic series")
    torch.manual_seed(options.seed)
    raw = mackey_glass(LENGTH, seed=options.seed)
    mean, spread = float(raw[:TRAINED].mean()), float(raw[:TRAINED].std())
    series = torch.from_numpy((raw - mean) / spread)
    model = Forecaster()
    train(model, series, options)
    shown, true = series[TRAINED:TRAINED + SHOWN], series[TRAINED + SHOWN:].tolist()[:AHEAD]
    found = go_on(model, shown, AHEAD)
    apart = [abs(a - b) for a, b in zip(found, true)]
    good = next((i for i, error in enumerate(apart) if error > 0.5), len(apart))
    path = options.out / "lstm.png"
    pictures.save(path, pictures.curves(
        [(shown.tolist() + true, 0, pictures.GREY), (found, SHOWN, pictures.ORANGE)],
        marks=(SHOWN,)))
    telling.facts({"ahead": f"{good} values until it is half a standard deviation away",
                   "error": f"{np.mean(apart[:50]):.3f} standard deviations over the first 50",
                   "picture": str(path)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
