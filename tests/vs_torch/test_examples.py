"""The examples run on PyTorch when one line says so, and print the same numbers."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[2]
LINE = "import flambeau as torch\n"
SHORT = {"vae": ("--steps", "20"), "finetune": ("--steps", "12"),
         "cartpole": ("--steps", "2", "--runs", "4")}


@pytest.mark.parametrize("name", sorted(SHORT))
def test_one_line_makes_it_pytorchs(name: str, tmp_path: Path) -> None:
    source = (ROOT / "flambeau" / "examples" / f"{name}.py").read_text(encoding="utf-8")
    assert source.count(LINE) == 1
    found = []
    for line in (LINE, "import torch\n"):
        path = tmp_path / f"{name}.py"
        path.write_text(source.replace(LINE, line), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(path), *SHORT[name], "--out", str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        steps = re.findall(r"(?:loss|moments) +([\d.]+)", done.stdout)
        found.append([float(value) for value in steps])
    assert found[0] == pytest.approx(found[1], rel=1e-3)
