"""The package from outside: what a user types, what is shipped, and flambeau under torch's name."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import numpy as np
import pytest

import flambeau
from flambeau.core.version import VERSION
from flambeau.examples import datasets, digits, drawing

ROOT = Path(__file__).resolve().parent.parent


def python(*arguments: str, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """A Python process of its own that finds flambeau."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environ}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def code(text: str, cwd: Path = ROOT) -> str:
    """What a program prints; the test fails if the program does."""
    done = python("-c", textwrap.dedent(text), cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- the package ---------------------------------------------------------------------------------


def test_every_public_name_is_there() -> None:
    missing = [name for name in flambeau.api.__all__ if not hasattr(flambeau, name)]
    assert not missing
    assert len(flambeau.api.__all__) > 500


def test_the_names_of_programs_are_there() -> None:
    for name in ("Tensor", "tensor", "nn", "optim", "float32", "no_grad", "manual_seed", "device"):
        assert hasattr(flambeau, name), name
    with pytest.raises(AttributeError, match="nonsense"):
        _ = flambeau.nonsense  # type: ignore[attr-defined]


def test_a_module_that_is_not_there_yet_is_no_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(flambeau.api.LAZY, "nowhere", "nowhere")
    assert not hasattr(flambeau, "nowhere")


def test_importing_leaves_out_what_is_slow() -> None:
    loaded = code("""
        import sys
        import flambeau
        print(*sorted(name for name in sys.modules if "." not in name))
    """).split()
    assert "numpy" in loaded
    assert not {"torch", "matplotlib", "scipy", "pytest"} & set(loaded)


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["version"]["path"] == "flambeau/core/version.py"
    assert python("-m", "flambeau", "--version").stdout == f"flambeau {VERSION}\n"
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_dependencies_are_three() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=!~ ]", line)[0] for line in project["dependencies"]}
    assert names == {"numpy", "llvmlite", "ml_dtypes"}
    assert project["requires-python"] == ">=3.11"


# --- flambeau as torch ---------------------------------------------------------------------------

PROGRAM = """
    import importlib.metadata
    import importlib.util
    import pickle
    import sys

    import torch
    import torch.nn.functional as F
    from torch import Tensor, nn
    from torch.optim import SGD
    import flambeau

    assert torch is flambeau and torch.nn is flambeau.nn and F is flambeau.nn.functional
    assert Tensor is flambeau.Tensor and SGD is flambeau.optim.SGD
    assert sys.modules["torch.nn"] is sys.modules["flambeau.nn"]
    assert flambeau.nn.__spec__.name == "flambeau.nn"
    assert importlib.util.find_spec("torch") is not None
    assert importlib.util.find_spec("torch.no_such_module") is None
    assert importlib.metadata.version("torch") == torch.__version__ == "2.13.0"
    assert pickle.loads(b"ctorch.nn.modules.linear\\nLinear\\n.") is nn.Linear
    try:
        import torch.no_such_module
    except ModuleNotFoundError as error:
        print(error)
    print(__name__, sys.argv[1:], torch.ones(3).sum().item())
"""
PRINTED = "No module named 'torch.no_such_module'\n__main__ ['a', '--b'] 3.0\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(PROGRAM))
    return path


def test_a_program_runs_on_flambeau(program: Path) -> None:
    done = python("-m", "flambeau", str(program), "a", "--b")
    assert done.stdout == PRINTED, done.stderr
    assert not (program.parent / "__pycache__").exists()


def test_a_module_runs_on_flambeau(program: Path) -> None:
    done = python("-m", "flambeau", "-m", "program", "a", "--b", cwd=program.parent)
    assert done.stdout == PRINTED, done.stderr


def test_a_folder_runs_on_flambeau(program: Path) -> None:
    program.rename(program.parent / "__main__.py")
    done = python("-m", "flambeau", str(program.parent), "a", "--b")
    assert done.stdout == PRINTED, done.stderr


def test_a_program_finds_the_modules_beside_it(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("import torch\nNAME = torch.__package__\n")
    (tmp_path / "program.py").write_text("from beside import NAME\nprint(NAME)\n")
    assert python("-m", "flambeau", str(tmp_path / "program.py")).stdout == "flambeau\n"


def test_its_exit_code_is_the_programs(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("raise SystemExit(7)\n")
    assert python("-m", "flambeau", str(tmp_path / "program.py")).returncode == 7
    (tmp_path / "program.py").write_text("import torch\ntorch.ones(2) @ torch.ones(3)\n")
    failed = python("-m", "flambeau", str(tmp_path / "program.py"))
    assert failed.returncode == 1
    assert "RuntimeError" in failed.stderr
    assert 'program.py", line 2' in failed.stderr


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_a_program_starts(tmp_path: Path, method: str) -> None:
    if method not in __import__("multiprocessing").get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    (tmp_path / "program.py").write_text(
        textwrap.dedent(f"""
            import multiprocessing, subprocess, sys
            import torch

            def work(x):
                return torch.__package__, (torch.ones(2) * x).sum().item()

            if __name__ == "__main__":
                with multiprocessing.get_context("{method}").Pool(1) as pool:
                    print(pool.map(work, [3.0]))
                command = [sys.executable, "-c", "import torch; print(torch.__package__)"]
                print(subprocess.run(command, capture_output=True, text=True).stdout.strip())
        """)
    )
    done = python("-m", "flambeau", str(tmp_path / "program.py"))
    assert done.stdout == "[('flambeau', 6.0)]\nflambeau\n", done.stderr


def test_from_inside_and_back() -> None:
    printed = code("""
        import importlib.metadata
        import importlib.util
        import sys
        import flambeau
        from flambeau import compat

        compat.as_torch()
        compat.as_torch()
        import torch
        import torch.optim.sgd
        assert torch is flambeau and torch.optim is flambeau.optim
        assert sum(finder is compat._finder for finder in sys.meta_path) == 1
        compat.undo()
        assert not any(name.split(".")[0] == "torch" for name in sys.modules)
        assert not compat.is_presented()
        print(flambeau.__version__)
    """)
    assert printed == f"{VERSION}\n"


def test_torch_that_is_there_is_not_hidden(tmp_path: Path) -> None:
    """With another torch imported, presenting would mix two: refused, and nothing changed."""
    (tmp_path / "torch.py").write_text("real = True\n")
    printed = code(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import torch
        from flambeau import compat
        try:
            compat.as_torch()
        except RuntimeError as error:
            print(error)
        assert torch.real and sys.modules["torch"] is torch and not compat.is_presented()
        """
    )
    assert "PyTorch is already imported" in printed
    assert "torch.py" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "usage:"),
        (("no_such_file.py",), "no such file"),
        (("-m",), "needs a name"),
        (("-m", "no.such.module"), "no module named no.such.module"),
        (("--what",), "unknown option --what"),
        (("doctor", "now"), "usage:"),
        (("cache", "burn"), "usage:"),
    ],
)
def test_a_wrong_command_says_what_is_right(arguments: tuple[str, ...], said: str) -> None:
    done = python("-m", "flambeau", *arguments)
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_doctor() -> None:
    done = python("-m", "flambeau", "doctor")
    assert done.returncode == 0, done.stderr
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line[0] != " ")
    assert facts["flambeau"] == VERSION
    assert {"processor", "isa", "vector", "threads", "caches", "peak", "memory"} <= set(facts)
    peak = re.match(r"(\d+) GFLOP/s on one thread", facts["peak"])
    assert peak is not None
    assert int(peak[1]) > 0
    bandwidth = re.match(r"([\d.]+) GB/s", facts["memory"])
    assert bandwidth is not None
    assert float(bandwidth[1]) > 0


def test_cache_is_told_and_cleared(tmp_path: Path) -> None:
    folder = str(tmp_path / "cache")
    made = python("-c", "import flambeau as t; print((t.rand(9) + 1).sum())", FLAMBEAU_CACHE=folder)
    assert made.returncode == 0, made.stderr
    told = python("-m", "flambeau", "cache", FLAMBEAU_CACHE=folder).stdout
    assert folder in told
    entries = re.search(r"(\d+) entries", told)
    assert entries is not None
    assert int(entries[1]) > 0
    python("-m", "flambeau", "cache", "clear", FLAMBEAU_CACHE=folder)
    assert " 0 entries" in python("-m", "flambeau", "cache", FLAMBEAU_CACHE=folder).stdout
    assert "off" in python("-m", "flambeau", "cache", FLAMBEAU_CACHE="0").stdout


# --- the digits ----------------------------------------------------------------------------------


def test_the_data_are_the_uci_digits() -> None:
    with np.load(datasets.DIGITS) as file:
        images, labels = file["images"], file["labels"]
    assert images.shape == (1797, 8, 8)
    assert images.dtype == labels.dtype == np.uint8
    assert images.max() == 16
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images[0, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    notice = (datasets.DIGITS.parent / "NOTICE").read_text(encoding="utf-8")
    assert "CC BY 4.0" in notice


def test_no_image_is_in_both_parts() -> None:
    train, test = digits.load(seed=0)
    assert (len(train), len(test)) == (1437, 360)
    together = np.concatenate([train.images.numpy(), test.images.numpy()])
    with np.load(datasets.DIGITS) as file:
        assert sorted(map(bytes, (together * 16).astype(np.uint8))) == sorted(
            map(bytes, file["images"])
        )


def test_the_main_job(tmp_path: Path) -> None:
    done = python("-m", "flambeau.examples.digits", "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    reached = re.search(r"accuracy +([\d.]+)%", done.stdout)
    again = re.search(r"loaded back: ([\d.]+)%", done.stdout)
    assert reached is not None
    assert again is not None
    assert float(reached[1]) >= 97
    assert again[1] == reached[1]
    assert "epoch 30/30" in done.stdout
    assert re.search(r"compiled +[\d,]+ programs of [\d,]+ kernels", done.stdout)
    assert "read wrongly" in done.stdout
    assert (tmp_path / "run" / "digits.pt").stat().st_size > 100_000
    has_matplotlib = importlib.util.find_spec("matplotlib") is not None
    assert (tmp_path / "run" / "digits.png").exists() == has_matplotlib


def test_the_main_job_in_a_poor_terminal(tmp_path: Path) -> None:
    options = ("--epochs", "2", "--out", str(tmp_path))
    done = python("-m", "flambeau.examples.digits", *options, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout


def test_the_convolutional_network(tmp_path: Path) -> None:
    options = ("--model", "conv", "--epochs", "3", "--out", str(tmp_path))
    done = python("-m", "flambeau.examples.digits", *options)
    assert done.returncode == 0, done.stderr
    reached = re.search(r"accuracy +([\d.]+)%", done.stdout)
    assert reached is not None
    assert float(reached[1]) > 85


@pytest.mark.parametrize("arguments", [["--epochs", "0"], ["--batch-size", "0"], ["--model", "x"]])
def test_wrong_options_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        digits.main(arguments)
    assert arguments[0] in capsys.readouterr().err


def test_drawing() -> None:
    assert doctest.testmod(drawing).failed == 0
    assert drawing.bar(0.5, 4, drawing.PLAIN) == "==.."
    assert drawing.image([[0.0, 1.0], [0.5, 9.0]], drawing.PLAIN) == ["  ##", "::##"]
    assert drawing.thinned([1.0, 2.0, 3.0, 4.0], 2) == [1.5, 3.5]
    assert drawing.thinned([1.0, 2.0], 4) == [1.0, 1.0, 2.0, 2.0]


# --- the README ----------------------------------------------------------------------------------


def commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_the_readme_has_the_two_commands_that_ci_runs() -> None:
    main_job, tests = commands()
    assert main_job.endswith("-m flambeau.examples.digits\n")
    assert tests.endswith("scripts/check\n")
    assert main_job.count("\n") == tests.count("\n") == 1


def test_the_readmes_programs_run() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert programs
    for program in programs:
        code(program)
