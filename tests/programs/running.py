"""Runs a program of `scripts` under the name torch and compares what it reports.

Every program is plain PyTorch: it fills weights from NumPy and prints its numbers as one line of
JSON. `recorded/NAME.json` is what PyTorch 2.13 (CPU) printed for it; record again with
``python scripts/NAME.py | tail -1 > recorded/NAME.json`` where PyTorch is installed.
"""
from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ABSOLUTE, RELATIVE = 1e-5, 1e-4


def compare(path: str, expected: Any, found: Any) -> None:
    """Floats nearly equal, all else equal; lists and dicts item by item."""
    if isinstance(expected, dict):
        assert sorted(found) == sorted(expected), path
        for key in expected:
            compare(f"{path}.{key}", expected[key], found[key])
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for i, (a, b) in enumerate(zip(expected, found)):
            compare(f"{path}[{i}]", a, b)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=RELATIVE, abs=ABSOLUTE), path
    else:
        assert found == expected, path


def check(script: str, *packages: str) -> None:
    """Run scripts/SCRIPT.py on flambeau; skipped where a package is missing."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environ = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-m", "flambeau", f"{script}.py"], cwd=HERE / "scripts", env=environ,
        capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    compare("", json.loads((HERE / "recorded" / f"{script}.json").read_text()), found)
