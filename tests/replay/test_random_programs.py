"""Random training programs, changed at random between calls: compiled they do what they do plainly.

A program is a list of instructions that a step function goes through; a change is something that a
user may do between two steps. Both are drawn from a seed, twice: once for each of the two runs.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from tests.replay.test_replay import bits, settle

nn, F = torch.nn, torch.nn.functional


class Net(nn.Module):
    """A few layers, a buffer, numbers that the forward reads."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(4, 6), nn.BatchNorm1d(6)
        self.second = nn.Linear(6, 4)
        self.drop = nn.Dropout(0.3)
        self.register_buffer("seen", torch.zeros(4))
        self.scale = 1.0
        self.options = {"shift": 0.5, "on": True}

    def forward(self, x: Any) -> Any:
        h = self.drop(torch.relu(self.norm(self.first(x)))) * self.scale
        if self.options["on"]:
            h = h + self.options["shift"]
        with torch.no_grad():
            self.seen += x.mean(0)
        return self.second(h)


class Program:
    """One copy of a random program and everything that it has."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        r = random.Random(seed)
        self.net = Net()
        self.free = [torch.randn(4) for _ in range(2)]
        kind = r.choice(["SGD", "Adam", "AdamW", "RMSprop", "momentum"])
        p = list(self.net.parameters())
        self.optimizer = (torch.optim.SGD(p, 0.05, momentum=0.9) if kind == "momentum" else
                          getattr(torch.optim, kind)(p, lr=0.01))
        self.to_none = r.random() < 0.7
        self.zero = r.random() < 0.8
        self.steps = [r.choice(["write", "slice", "swap", "rand", "view"])
                      for _ in range(r.randrange(3))]
        self.returns = r.choice(["loss", "pair", "dict", "none", "view"])
        self.kept: list[Any] = []

    def step(self, x: Any) -> Any:
        if self.zero:
            self.optimizer.zero_grad(set_to_none=self.to_none)
        y = self.net(x)
        extra = x
        for what in self.steps:
            extra = self.apply(what, extra)
        loss = (y * y).mean() + (extra.detach() * 0.1).sum()
        loss.backward()
        self.optimizer.step()
        if self.returns == "loss":
            return loss
        if self.returns == "pair":
            return loss.detach(), y.detach() + 1
        if self.returns == "dict":
            return {"loss": loss.detach(), "n": [x.shape[0], extra]}
        return y.detach()[1:].t() if self.returns == "view" else None

    def apply(self, what: str, x: Any) -> Any:
        if what == "write":
            self.free[0].mul_(0.5).add_(x.detach().mean(0))
            return x + self.free[0]
        if what == "slice":
            self.free[1][1:3] = x.detach()[0, :2]
            return x * self.free[1]
        if what == "swap":
            return x.flip(0)
        if what == "rand":
            return x + torch.rand(4)
        return x.t().contiguous().t()[:, :4]

    def change(self, r: random.Random, out: Any) -> None:
        """What a user may do between two steps."""
        net, opt = self.net, self.optimizer
        weight = net.first.weight
        what = r.choice(CHANGES)
        if what == "lr":
            opt.param_groups[0]["lr"] *= 0.9
        elif what == "scale":
            net.scale = r.choice([1.0, 2.0])
        elif what == "option":
            net.options["shift"] = r.choice([0.5, 0.25])
        elif what == "mode":
            net.train(r.random() < 0.5)
        elif what == "keep":
            self.kept = [out, weight.grad, weight.detach(), weight.detach().clone()]
        elif what == "keep bits":
            self.kept = [weight * 2, weight.grad if weight.grad is None else weight.grad + 1]
        elif what == "array":
            self.kept = [self.free[0].numpy()]
        elif what == "drop":
            self.kept = []
        elif what == "write":
            with torch.no_grad():
                weight.mul_(0.9)
        elif what == "data":
            weight.data = weight.data * 0.9
        elif what == "grads":
            for p in net.parameters():
                p.grad = None
        elif what == "clip":
            nn.utils.clip_grad_norm_(net.parameters(), 0.1)
        elif what == "state":
            opt.load_state_dict(opt.state_dict())
        elif what == "replace":
            self.free[0] = torch.ones(4)
        elif what == "share":
            self.free[1] = self.free[0]
        elif what == "item":
            for own in opt.state.values():
                for value in own.values():
                    if isinstance(value, torch.Tensor):
                        value.sum().item()
        elif what == "out" and isinstance(out, torch.Tensor) and not out.requires_grad:
            out.add_(1)

    def seen(self) -> Any:
        """Everything that there is."""
        own = [v for s in self.optimizer.state.values() for v in s.values()]
        kept = [k if isinstance(k, (torch.Tensor, type(None))) else np.array(k).tobytes()
                for k in self.kept if not isinstance(k, (tuple, dict))]
        return bits([*self.net.state_dict().values(), self.free, own, kept,
                     *[p.grad for p in self.net.parameters()], torch.get_rng_state()])


CHANGES = ["nothing"] * 24 + [
    "lr", "scale", "option", "mode", "keep", "keep bits", "array", "drop", "write", "data",
    "grads", "clip", "state", "replace", "share", "item", "out", "keep", "drop"]


def run(seed: int, compiled: bool, calls: int) -> tuple[list[Any], int]:
    program = Program(seed)
    step = torch.compile(program.step) if compiled else program.step
    r = random.Random(seed + 1)
    found = []
    for i in range(calls):
        n = 5 if r.random() < 0.85 else 7
        x = torch.tensor(np.random.RandomState(i).randn(n, 4).astype("float32"))
        out = step(x)
        settle(out)
        program.change(r, out)
        if r.random() < 0.5:                     # looking may itself change what is shared
            found.append((bits(out), program.seen()))
        del out
    found.append(program.seen())
    return found, step._replayed.replays if compiled else 0


@pytest.mark.parametrize("seed", range(12))
def test_random_program(seed: int) -> None:
    plain, _ = run(seed, False, 40)
    replayed, replays = run(seed, True, 40)
    for i, (a, b) in enumerate(zip(plain, replayed)):
        assert a == b, f"look {i}"
    assert replays >= 0
