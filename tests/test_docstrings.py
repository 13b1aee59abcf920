"""Every public function says what it does: the engine's by their source, `torch.*` by asking."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import flambeau as torch

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ("core", "graph", "kernel", "codegen", "runtime", "autograd", "tensor")
SPACES = ("", "Tensor", "nn", "nn.functional", "nn.init", "nn.utils", "optim",
          "optim.lr_scheduler", "linalg", "special", "fft", "distributions", "func", "autograd",
          "utils.data", "profiler", "serialization", "random", "amp")


@pytest.mark.parametrize("package", ENGINE)
def test_the_engine_says_what_it_does(package: str) -> None:
    silent = []
    for file in sorted((ROOT / "flambeau" / package).glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) is None:
            silent.append(file.name)
        silent += [f"{file.name}: {part.name}" for part in tree.body
                   if isinstance(part, (ast.FunctionDef, ast.ClassDef))
                   and not part.name.startswith("_") and ast.get_docstring(part) is None]
    assert not silent


def _space(name: str) -> Any:
    found: Any = torch
    for part in filter(None, name.split(".")):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("space", SPACES)
def test_public_names_say_what_they_do(space: str) -> None:
    silent = []
    owner = _space(space)
    for name in dir(owner):
        found = getattr(owner, name)
        if name.startswith("_") or isinstance(found, ModuleType):
            continue
        if getattr(found, "__module__", "").split(".")[0] not in ("flambeau", "torch"):
            continue
        if callable(found) or isinstance(found, property):
            said = vars(found).get("__doc__") if isinstance(found, type) else found.__doc__
            if not (said or "").strip():
                silent.append(name)
    assert not silent


def test_every_listed_name_is_there() -> None:
    for name in dir(torch):
        assert hasattr(torch, name), name
