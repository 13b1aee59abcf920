"""`explain` and the HTML view: what was compiled is what is shown."""

from __future__ import annotations

import html.parser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import flambeau as torch
from flambeau import debug, nn
from flambeau.core import watch
from flambeau.core.config import config
from flambeau.graph import realize

VOID = {"meta"}


def work(x: torch.Tensor) -> torch.Tensor:
    return (x @ x + 1).relu().softmax(-1)


def test_a_call_is_explained() -> None:
    found = torch.explain(work, torch.ones(8, 8))
    (program,) = found.programs
    assert [name for name, _ in program.stages] == [
        "recorded", "decompose", "split_complex", "simplify"]
    assert "softmax" in program.stages[0][1] and "softmax" not in program.stages[-1][1]
    assert len(program.launches) == len(program.kernels) > 0
    assert all(x.seconds > 0 for x in program.launches)
    text = str(found)
    assert "test_explain.py" in text and "of the limit" in text and "in work" in text
    torch.testing.assert_close(found.result, work(torch.ones(8, 8)))
    assert not watch.WATCHERS


def test_a_known_program_is_compiled_anew_and_the_others_are_kept() -> None:
    x = torch.ones(5, 5)
    work(x).sum().item()
    before = dict(realize._families)
    assert torch.explain(work, x).programs[0].kernels
    assert dict(realize._families) == before


def test_an_error_leaves_nobody_watching() -> None:
    before = dict(realize._families)
    with pytest.raises(ZeroDivisionError):
        torch.explain(lambda: 1 / 0)
    assert not watch.WATCHERS
    assert dict(realize._families) == before


def test_sorts_and_calls_of_numpy_are_steps() -> None:
    def both(x: torch.Tensor) -> object:
        return x.sort(), torch.linalg.inv(x)

    kinds = {x.kind for p in torch.explain(both, torch.randn(6, 6)).programs for x in p.launches}
    assert kinds >= {"sort", "host"}


def test_nothing_pending() -> None:
    assert "nothing was compiled" in str(torch.explain(lambda: 3))
    with pytest.raises(TypeError, match="must be a function or a Tensor, not int"):
        torch.explain(3)


class Balance(html.parser.HTMLParser):
    """Reads a page and sees that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.outside += [v or "" for k, v in attrs if k in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, tag


def page(tmp_path: Path) -> Path:
    net = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.LayerNorm(32), nn.Linear(32, 4))
    return torch.explain(net, torch.randn(8, 16)).html(tmp_path / "page.html")


def test_the_page_stands_alone(tmp_path: Path) -> None:
    text = page(tmp_path).read_text(encoding="utf-8")
    reader = Balance()
    reader.feed(text)
    assert not reader.open and not reader.outside
    assert {"svg", "details", "table", "circle"} <= reader.seen and "script" not in reader.seen
    for part in ("loop nest", "LLVM IR", "assembly", "decompose", "vector", "define void", "ret"):
        assert part in text, part


def test_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert debug.show(torch.ones(3) + 1) is None
    assert "of the limit" in capsys.readouterr().out
    assert debug.show(torch.ones(3) * 2, "html", tmp_path / "x.html") == tmp_path / "x.html"
    with pytest.raises(ValueError, match="'what' must be 'text' or 'html', got 'pdf'"):
        debug.show(torch.ones(3), "pdf")


def test_a_notebook_shows_it() -> None:
    assert "<div class='fb'>" in torch.explain(work, torch.ones(4, 4))._repr_html_()


def test_a_browser_draws_it(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser here")
    where = page(tmp_path)
    subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu",
                    f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1250,1600",
                    f"--screenshot={tmp_path / 'page.png'}", where.as_uri()],
                   check=True, capture_output=True, timeout=120)
    picture = (tmp_path / "page.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 30_000      # an empty page has 8,000


@pytest.mark.parametrize(("what", "words"), [("llvm", "define void @entry"), ("asm", "ret"),
                                             ("launch", "GB/s"), ("graph", "%0 = "),
                                             ("fusion", "add("), ("loops", "kernel ")])
def test_every_form_is_shown(what: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with config(show={what}), realize.forgetting():
        (torch.ones(7) * 3 + torch.arange(7.0)).sum().item()
    assert re.search(re.escape(words), capsys.readouterr().out)
