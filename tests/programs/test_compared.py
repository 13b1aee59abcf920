"""Programs that use packages from PyPI, unmodified, against what PyTorch 2.13 printed.

`compared/run_NAME.py` is run by ``python -m flambeau``; `compared/NAME.txt` is its output under
PyTorch, recorded by ``python run_NAME.py > NAME.txt``. Weights and data come from NumPy. A package
that is not installed skips its test.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "compared"
ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?|-?\d+e[-+]?\d+")
NEEDS = {"fx": "numpy"}
ALSO = {"torchvision": ("PIL",)}


@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("*.txt")))
def test_as_pytorch_prints(name: str) -> None:
    for package in (NEEDS.get(name, name), *ALSO.get(name, ())):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "flambeau", str(FOLDER / f"run_{name}.py")],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=280,
        check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    compare((FOLDER / f"{name}.txt").read_text(encoding="utf-8"), done.stdout)


def compare(expected: str, found: str) -> None:
    """The same text, and numbers to 1e-4 of their size and 2e-5."""
    left, right = expected.splitlines(), found.splitlines()
    assert [NUMBER.sub("#", x) for x in left] == [NUMBER.sub("#", x) for x in right]
    for x, y in zip(left, right):
        a, b = NUMBER.findall(x), NUMBER.findall(y)
        assert [float(v) for v in b] == pytest.approx([float(v) for v in a], rel=1e-4, abs=2e-5), x


def test_a_wrong_number_is_seen() -> None:
    with pytest.raises(AssertionError):
        compare("loss [1.0]", "loss [1.01]")
    with pytest.raises(AssertionError):
        compare("loss [1.0]", "lost [1.0]")
