"""The house has walls: imports go one way, files stay small, and some tricks stay out.

Reads the package's source with `ast`, so an import inside a function counts like one at the top.
An import under `if TYPE_CHECKING:` must respect the layers too, but closes no cycle.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "flambeau"

# What each package may import, besides itself.  A package that is not named here is part of the
# public face (nn, optim, utils, ...): it may import every layer of the engine.
ENGINE: dict[str, frozenset[str]] = {
    "core": frozenset(),
    "runtime": frozenset({"core"}),
    "autograd": frozenset({"core"}),
    "kernel": frozenset({"core"}),
    "codegen": frozenset({"core", "kernel", "runtime"}),
    "graph": frozenset({"core", "kernel", "codegen", "runtime"}),
    "ops": frozenset({"core", "kernel", "codegen", "graph", "runtime"}),
    "tensor": frozenset({"core", "kernel", "codegen", "graph", "ops", "autograd", "runtime"}),
    # Finds classes by the names that files have, so it needs none of them in sight.
    "serialization": frozenset({"core", "graph", "autograd", "runtime", "tensor"}),
}
# The names of `torch.*`: the root module and what it collects them in.  They stand between the
# engine and nn, optim, utils, which the root imports only when a program asks for them.
NAMES = frozenset({"", "api"})
LATE = frozenset({"nn", "optim", "utils"})
# What stands above the public face: it may import everything, nothing below imports it.
TOP = frozenset({"__main__", "compat", "presented", "examples", "debug", "array_api"})
STAGES = tuple(
    f"flambeau.graph.{stage}"
    for stage in ("canonicalize", "decompose", "simplify", "chain", "fuse", "memory",
                  "chain_passes", "nest", "attend", "single", "lower")
)
CALLS_THE_STAGES = frozenset({"flambeau.graph.realize", "flambeau.graph.program"})
# Classes whose `isinstance` PyTorch itself makes special: a marked tensor is an `nn.Parameter`,
# one of float32 a `torch.FloatTensor`.
METACLASSES = frozenset({"flambeau.nn.parameter", "flambeau.tensor.creation"})
# Who may read the environment: our settings, and PyTorch's own of torch.load.
ENVIRONMENT = frozenset({"core", "serialization"})
LONGEST_FILE = 500
WATCHED = (ast.Import, ast.ImportFrom, ast.If, ast.Call, ast.ClassDef, ast.Attribute)


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and where the statement stands."""

    target: str
    line: int
    typing_only: bool


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = ["flambeau", *path.relative_to(ROOT).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = path
    return found


@cache
def nodes(name: str) -> tuple[ast.AST, ...]:
    """The parts of a module that the tests below look at (one walk: it is slow)."""
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    return tuple(node for node in ast.walk(tree) if isinstance(node, WATCHED))


def package_of(name: str) -> str:
    """The package right under flambeau: `flambeau.graph.node` -> `graph`; the root is ''."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def typing_only_lines(name: str) -> set[int]:
    """The lines of a module inside `if TYPE_CHECKING:`."""
    lines: set[int] = set()
    for node in nodes(name):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for statement in node.body:
                lines.update(range(statement.lineno, (statement.end_lineno or 0) + 1))
    return lines


def absolute(name: str, node: ast.ImportFrom) -> str:
    """The dotted name that `from X import ...` reads, its dots resolved."""
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    is_package = modules()[name].name == "__init__.py"
    base = parts[: len(parts) - node.level + is_package]
    return ".".join([*base, *([node.module] if node.module else [])])


def targets(name: str, node: ast.AST) -> list[str]:
    """The modules that an import statement reads; a name that is a module counts as one."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = absolute(name, node)
        inner = [f"{base}.{alias.name}" for alias in node.names]
        return sorted({full if full in modules() else base for full in inner})
    return []


@cache
def imports(name: str) -> tuple[Import, ...]:
    """Every import of a module, those inside functions too."""
    guarded = typing_only_lines(name)
    return tuple(
        Import(target, node.lineno, node.lineno in guarded)
        for node in nodes(name)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for target in targets(name, node)
    )


def inside(name: str) -> Iterator[Import]:
    """The imports of a module that stay within flambeau."""
    for item in imports(name):
        if item.target == "flambeau" or item.target.startswith("flambeau."):
            yield item


def allowed(importer: str, imported: str) -> bool:
    """Whether package `importer` may import package `imported`."""
    if importer == imported:
        return True
    if importer in ENGINE:
        return imported in ENGINE[importer]
    if importer in NAMES:
        return imported not in TOP and imported not in LATE
    if importer in TOP:
        return imported != "debug" or importer in ("__main__", "examples")
    return imported not in TOP


def cycles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of nodes that reach each other (Tarjan's components of two or more)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                groups.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return groups


def where(name: str, line: int) -> str:
    return f"{modules()[name].relative_to(ROOT.parent)}:{line}"


def test_the_package_was_found() -> None:
    assert len(modules()) > 50
    assert sum(len(list(inside(name))) for name in modules()) > 200


def test_imports_go_one_way() -> None:
    wrong = [
        f"{where(name, item.line)}: {package_of(name) or 'flambeau'} imports {item.target}"
        for name in modules()
        for item in inside(name)
        if not allowed(package_of(name), package_of(item.target))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_two_packages_import_each_other() -> None:
    edges: dict[str, set[str]] = {}
    for name in modules():
        for item in inside(name):
            source, target = package_of(name), package_of(item.target)
            if source != target and source not in TOP:
                edges.setdefault(source, set()).add(target)
    assert not cycles(edges)


def test_no_two_modules_import_each_other() -> None:
    edges: dict[str, set[str]] = {}
    for name in modules():
        for item in inside(name):
            # A package that gathers its own modules is not a step back.
            gathers = name.startswith(item.target + ".")
            if item.target != name and not item.typing_only and not gathers:
                edges.setdefault(name, set()).add(item.target)
    assert not cycles(edges)


def test_one_place_calls_the_stages_in_turn() -> None:
    """A stage may use what an earlier one made; the rest is for `graph/realize` and its program."""
    wrong = []
    for name in modules().keys() - CALLS_THE_STAGES:
        used = {item.target for item in inside(name)} & set(STAGES)
        if name in STAGES:
            used -= set(STAGES[: STAGES.index(name)])
        if used:
            wrong.append(f"{name}: {sorted(used)}")
    assert not wrong, "\n".join(sorted(wrong))


def test_files_are_short() -> None:
    long = {}
    for name, path in modules().items():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LONGEST_FILE:
            long[name] = lines
    assert not long, long


def test_pytorch_is_never_imported() -> None:
    wrong = [
        where(name, item.line)
        for name in modules()
        for item in imports(name)
        if item.target.split(".")[0] == "torch"
    ]
    assert not wrong, wrong


def test_one_package_reads_the_environment() -> None:
    wrong = [
        where(name, node.lineno)
        for name in modules()
        if package_of(name) in ENGINE.keys() - ENVIRONMENT
        for node in nodes(name)
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv", "putenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]
    assert not wrong, wrong


def test_no_string_is_executed() -> None:
    wrong = [
        where(name, node.lineno)
        for name in modules()
        for node in nodes(name)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("exec", "eval")
    ]
    assert not wrong, wrong


def test_no_metaclass() -> None:
    wrong = []
    for name in modules().keys() - METACLASSES:
        for node in nodes(name):
            if isinstance(node, ast.ClassDef):
                made = any(word.arg == "metaclass" for word in node.keywords)
                if made or any(ast.unparse(base) == "type" for base in node.bases):
                    wrong.append(where(name, node.lineno))
    assert not wrong, wrong


def test_every_operation_has_a_sample() -> None:
    """An entry of the table is an operation; a row for one of its names drives all its tests."""
    from flambeau.ops.table import TABLE

    from .ops.samples import all_samples

    rows = {sample.name for sample in all_samples()}
    missing = {names for names in (e.names for e in TABLE.values()) if not rows & set(names)}
    assert not missing, f"no row in tests/ops/samples_*.py for {sorted(missing)}"
    assert not rows - TABLE.keys(), f"no such operation: {sorted(rows - TABLE.keys())}"


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}}, [["a", "b", "c"]]),
    ],
)
def test_cycles_are_seen(edges: dict[str, set[str]], expected: list[list[str]]) -> None:
    assert cycles(edges) == expected


@pytest.mark.parametrize(
    ("importer", "imported", "fine"),
    [
        ("graph", "codegen", True),
        ("codegen", "graph", False),
        ("runtime", "kernel", False),
        ("nn", "tensor", True),
        ("tensor", "nn", False),
        ("core", "", False),
        ("nn", "", True),
        ("", "nn", False),
        ("nn", "debug", False),
        ("__main__", "debug", True),
        ("debug", "codegen", True),
        ("array_api", "tensor", True),
        ("tensor", "array_api", False),
    ],
)
def test_the_order_of_layers(importer: str, imported: str, fine: bool) -> None:
    assert allowed(importer, imported) is fine
