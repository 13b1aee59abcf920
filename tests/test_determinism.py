"""The same bits for any number of threads, and from a cold or a warm cache."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import hashlib
import flambeau as torch
from flambeau.nn import functional as F

torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
    torch.nn.Linear(8 * 13 * 13, 300), torch.nn.LayerNorm(300), torch.nn.GELU(),
    torch.nn.Dropout(0.1), torch.nn.Linear(300, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
x, y = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
digest = hashlib.sha256()
for _ in range(3):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    digest.update(loss.detach().numpy().tobytes())
big = torch.randn(300000)
results = [big.sum(), big.softmax(0), big.view(300, 1000).std(0), big.cumsum(0)]
for value in [*results, *model.parameters()]:
    digest.update(value.detach().numpy().tobytes())
print(digest.hexdigest())
"""
ROOT = Path(__file__).resolve().parent.parent


def digest(threads: int, cache: Path) -> str:
    env = {**os.environ, "FLAMBEAU_NUM_THREADS": str(threads), "FLAMBEAU_CACHE": str(cache),
           "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True,
                          timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_same_bits_for_any_thread_count_and_cache(tmp_path: Path) -> None:
    cold = digest(1, tmp_path)
    assert digest(1, tmp_path) == cold
    assert digest(2, tmp_path) == cold
    assert digest(3, tmp_path / "another") == cold
