"""The stubs are what scripts/stubs would write, and give users the types of torch-like names."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import flambeau

ROOT = Path(__file__).resolve().parent.parent
STUB = ROOT / "flambeau-stubs" / "__init__.pyi"

PROGRAM = """
import flambeau as torch
import flambeau.nn.functional as F
from flambeau import nn
from flambeau.distributions import Normal

x = torch.randn(2, 3)
reveal_type(x + 1)                                  # flambeau.Tensor
reveal_type(1 - x)                                  # flambeau.Tensor
reveal_type(x.sum(0).relu())                        # flambeau.Tensor
reveal_type(x.shape)                                # flambeau.tensor.size.Size
reveal_type(torch.softmax(x, 0))                    # flambeau.Tensor
reveal_type(F.relu(x))                              # flambeau.Tensor
reveal_type(torch.float32)                          # flambeau.core.dtype.dtype
reveal_type(nn.Linear(2, 3))                        # flambeau.nn.modules.linear.Linear
reveal_type(nn.Linear(2, 3).weight)                 # flambeau.Tensor
reveal_type(torch.optim.SGD([x], lr=0.1))           # flambeau.optim.sgd.SGD
reveal_type(Normal(0.0, 1.0).sample())              # flambeau.Tensor
reveal_type(torch.linalg.det(x @ x.T))              # flambeau.Tensor


class Net(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x)


torch.softmaxx(x)                                   # error
torch.zeros(2, requires_gradient=True)              # error
torch.sum(x, dim="rows")                            # error
"""


def test_the_stubs_are_fresh() -> None:
    done = subprocess.run([sys.executable, "scripts/stubs", "--check"], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_name_has_a_stub() -> None:
    names = set()
    for part in ast.parse(STUB.read_text()).body:
        if isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            names.add(part.name)
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            names.add(part.target.id)
        elif isinstance(part, ast.ImportFrom):
            names |= {a.asname or a.name for a in part.names}
    late = {n for n in flambeau.api.LAZY if hasattr(flambeau, n)} | set(flambeau.api.LATE)
    wanted = {n for n in {*flambeau.api.__all__, *late} if not n.startswith("_")}
    inner = {n for n in wanted if type(getattr(flambeau, n)).__name__ == "module"
             and n not in flambeau.api.LAZY and n not in flambeau.api.SPACES}
    assert not wanted - names - inner


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment into which flambeau is installed from here."""
    folder = tmp_path_factory.mktemp("types") / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "here.pth").write_text(f"{ROOT}\n{sysconfig.get_paths()['purelib']}\n")
    return folder / "bin" / "python"


def check(python: Path, folder: Path) -> str:
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--python-executable", str(python), "--cache-dir",
         str(folder.parent / "cache"), "--ignore-missing-imports", "."], cwd=folder,
        capture_output=True, text=True, timeout=300)
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="the folders of an environment differ there")
def test_users_see_types(python: Path, tmp_path: Path) -> None:
    folder = tmp_path / "user"
    folder.mkdir()
    (folder / "user.py").write_text(PROGRAM)
    said = check(python, folder).splitlines()
    for number, line in enumerate(PROGRAM.splitlines(), 1):
        _, mark, wanted = line.partition("# ")
        if not mark:
            continue
        found = [text for text in said if text.startswith(f"user.py:{number}:")]
        if wanted == "error":
            assert any(": error:" in text for text in found), line
        else:
            assert any(f'"{wanted}"' in text for text in found), (line, found)
    assert "Found 3 errors" in said[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="the folders of an environment differ there")
def test_the_examples_have_sound_types(python: Path, tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    shutil.copytree(ROOT / "flambeau" / "examples", folder,
                    ignore=shutil.ignore_patterns("__init__.py", "__pycache__", "data"))
    assert "Success" in check(python, folder)
