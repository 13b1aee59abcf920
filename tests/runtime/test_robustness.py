"""Small numbers of what `tests.runtime.robustness` does by the thousand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import robustness

ROOT = Path(__file__).resolve().parent.parent.parent


def alone(*arguments: str) -> None:
    """In a process of its own: signals and forks are not for pytest's."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.runtime.robustness", *arguments], cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300)
    assert "all as it should be" in done.stdout, done.stdout + done.stderr


def test_corrupted_entries() -> None:
    assert robustness.corrupted_entries(300, seed=1) > 280


def test_processes_race_while_entries_are_damaged() -> None:
    robustness.race(4, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches a process this way there")
def test_ctrl_c_leaves_everything_usable() -> None:
    alone("interrupts", "40")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_workers_by_fork() -> None:
    alone("loaders", "fork", "20")


def test_workers_by_spawn() -> None:
    alone("loaders", "spawn", "2")
