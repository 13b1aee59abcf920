"""The documentation: every block runs and prints what its page says; the site builds."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def _load() -> ModuleType:
    import sys

    loader = SourceFileLoader("scripts_docs", str(ROOT / "scripts" / "docs"))
    spec = importlib.util.spec_from_loader("scripts_docs", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["scripts_docs"] = module        # dataclasses look their module up
    loader.exec_module(module)
    return module


docs = _load()
PAGES = {str(p.relative_to(ROOT)): p for p in docs.pages()}


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs(page: str) -> None:
    assert not docs.differences(PAGES[page])


def test_installing_is_written_as_the_readme_has_it() -> None:
    """CI runs the README's two commands word for word, so the pages' are tried too."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    seen = 0
    for path in PAGES.values():
        for block in docs.blocks(path.read_text(encoding="utf-8")):
            if docs.INSTALLS in block.text:
                assert block.text.strip() in readme, path.name
                seen += 1
    assert seen == 2


def test_a_block_that_prints_something_else_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n")
    (found,) = docs.differences(page)
    assert "expected\n3\ngot\n2" in found
    docs.differences(page, update=True)
    assert docs.blocks(page.read_text())[0].prints.text == "2\n"
    assert not docs.differences(page)
    page.write_text("```python\n1 / 0\n```\n")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        docs.differences(page)


def test_dots_stand_for_anything() -> None:
    assert docs.matches("a ... z\n...", "a b\nc z\nmore")
    assert not docs.matches("a ... z", "a b")


def test_the_site_builds_without_a_warning() -> None:
    pytest.importorskip("mkdocs")
    assert docs.build() == 0
    site = docs.BUILD / "site"
    reference = (site / "api" / "torch.html").read_text(encoding="utf-8")
    for name in ("torch.softmax", "torch.explain", "torch.arange"):
        assert name in reference
    assert (site / "newcomer.html").is_file()
