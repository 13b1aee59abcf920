"""A small network learns by trial to balance a pole on a cart, and leaves a picture of how it does.

    python -m flambeau.examples.cartpole

The cart is the one of Barto, Sutton and Anderson ("Neuronlike adaptive elements that can solve
difficult learning control problems", 1983), written out below; the method is REINFORCE with the
batch's mean return as its baseline (Williams, 1992). cartpole.png shows a run before and one after
the training, a pole every 20th of the way, then the mean length of the runs over time. With
`import torch` in place of `import flambeau as torch`, PyTorch runs it too.
"""
from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import flambeau as torch
from flambeau.examples import pictures, telling

nn = torch.nn
F = nn.functional
Array = pictures.Array

GRAVITY, CART, POLE, HALF, FORCE, SECONDS = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
FAR, STEEP = 2.4, 12 * math.pi / 180
LONGEST = 300


def moved(state: Array, push: Array) -> Array:
    """Carts (n, 4) - place, speed, angle, its speed - a moment after a push (n,) of 0 or 1: left
    or right."""
    place, speed, angle, turn = state.T
    force = np.where(push == 1, FORCE, -FORCE)
    sine, cosine = np.sin(angle), np.cos(angle)
    both = (force + POLE * HALF * turn**2 * sine) / (CART + POLE)
    twist = (GRAVITY * sine - cosine * both) / (
        HALF * (4 / 3 - POLE * cosine**2 / (CART + POLE)))
    pull = both - POLE * HALF * twist * cosine / (CART + POLE)
    return np.stack([place + SECONDS * speed, speed + SECONDS * pull,
                     angle + SECONDS * turn, turn + SECONDS * twist], 1)


@dataclass(frozen=True, slots=True)
class Runs:
    """n runs of up to LONGEST moments: what was seen (moments, n, 4), done (moments, n), and
    whether the pole still stood (moments, n)."""

    seen: Array
    done: Array
    alive: Array

    def lengths(self) -> Array:
        return self.alive.sum(0)


def play(policy: nn.Module, count: int, rng: np.random.Generator, sure: bool = False) -> Runs:
    """`count` runs side by side; `sure` takes the likelier push instead of drawing one."""
    state = rng.uniform(-0.05, 0.05, (count, 4))
    alive = np.ones(count, bool)
    seen, done, lived = [], [], []
    with torch.no_grad():
        for _ in range(LONGEST):
            inputs = state.astype(np.float32)
            chance = policy(torch.from_numpy(inputs)).softmax(1)[:, 1].numpy()
            push = (chance > (0.5 if sure else rng.random(count))).astype(np.int64)
            seen.append(inputs)
            done.append(push)
            lived.append(alive)
            state = np.where(alive[:, None], moved(state, push), state)
            alive = alive & (abs(state[:, 0]) < FAR) & (abs(state[:, 2]) < STEEP)
            if not alive.any():
                break
    runs = [np.stack(part) for part in (seen, done, lived)]
    # One length for all batches, so that they are one program: nothing counts after the fall.
    missing = LONGEST - len(runs[0])
    return Runs(*(np.concatenate([a, np.zeros((missing, *a.shape[1:]), a.dtype)]) for a in runs))


def returns(alive: Array, fade: float = 0.98) -> Array:
    """What each moment (moments, n) still earned: 1 for each moment to come, later ones fading."""
    total = np.zeros(alive.shape, np.float32)
    rest = np.zeros(alive.shape[1], np.float32)
    for t in reversed(range(len(alive))):
        rest = alive[t] * (1 + fade * rest)
        total[t] = rest
    return total


def learn(policy: nn.Module, optimizer: torch.optim.Optimizer, runs: Runs) -> None:
    """One step: pushes that were followed by more than the mean become likelier."""
    earned = returns(runs.alive)
    counted = np.maximum(runs.alive.sum(1, keepdims=True), 1)
    mean = earned.sum(1, keepdims=True) / counted       # of those that stand at that moment
    better = (earned - mean) * runs.alive
    better /= better.std() + 1e-6
    chances = policy(torch.from_numpy(runs.seen).flatten(0, 1)).log_softmax(1)
    taken = chances.gather(1, torch.from_numpy(runs.done).flatten().unsqueeze(1)).squeeze(1)
    loss = -(taken * torch.from_numpy(better).flatten()).sum() / int(runs.alive.sum())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def strip(runs: Runs, width: int = 720, height: int = 110) -> Array:
    """The first run: carts and poles, from grey at its start to orange at its end."""
    picture = pictures.blank(height, width)
    floor = height - 22
    pictures.line(picture, (0, floor + 14), (width, floor + 14), pictures.GREY, 1)
    length = int(runs.lengths()[0])
    moments = np.unique(np.linspace(0, length - 1, min(length, 20)).astype(int))
    for i, t in enumerate(moments):
        place, _, angle, _ = runs.seen[t, 0]
        x = 30 + (width - 60) * i / 19 + 5 * float(place)
        late = i / max(len(moments) - 1, 1)
        mixed = [round(a + late * (b - a)) for a, b in zip((150, 150, 150), pictures.ORANGE)]
        colour = (mixed[0], mixed[1], mixed[2])
        pictures.line(picture, (x - 9, floor + 8), (x + 9, floor + 8), colour, 8)
        top = (x + 65 * math.sin(float(angle)), floor - 65 * math.cos(float(angle)))
        pictures.line(picture, (x, floor), top, colour, 3)
    return picture


def main(arguments: Sequence[str] | None = None) -> int:
    parser = telling.parser("cartpole", "Learn to balance a pole.", 60)
    parser.add_argument("--runs", type=int, default=32, help="how many to learn from at a time")
    options = telling.parse(parser, arguments)
    if options.runs < 2:
        parser.error(f"argument --runs: expected at least 2, got {options.runs}")
    telling.heading(torch.__name__, torch.__version__, "balances a pole")
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    policy = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(policy.parameters(), lr=2e-2)
    before = play(policy, options.runs, rng)
    progress = telling.Progress(options.steps, "moments")
    lengths = [float(before.lengths().mean())]
    for step in range(1, options.steps + 1):
        runs = play(policy, options.runs, rng)
        learn(policy, optimizer, runs)
        lengths.append(float(runs.lengths().mean()))
        if progress.wants(step):
            progress.tell(step, lengths[-1])
    after = play(policy, options.runs, rng, sure=True)
    path = options.out / "cartpole.png"
    pictures.save(path, pictures.stack([
        strip(before), strip(after), pictures.curves([(lengths, 0, pictures.BLUE)], height=120)]))
    telling.facts({"before": f"{before.lengths().mean():.0f} moments of {LONGEST} at a time",
                   "after": f"{after.lengths().mean():.0f} moments of {LONGEST}",
                   "picture": str(path)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
