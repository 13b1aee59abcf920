"""The pool's IR compiles for every platform that flambeau runs on, and calls nothing outside."""

from __future__ import annotations

import sys

import llvmlite.binding as llvm
import pytest

from flambeau.runtime import native, pool_ir

TARGETS = [
    ("x86_64-unknown-linux-gnu", "linux"),
    ("aarch64-unknown-linux-gnu", "linux"),
    ("arm64-apple-darwin", "darwin"),
    ("x86_64-apple-darwin", "darwin"),
    ("x86_64-pc-windows-msvc", "win32"),
    ("aarch64-pc-windows-msvc", "win32"),
    ("riscv64-unknown-linux-gnu", "linux"),
]


@pytest.mark.parametrize(("triple", "platform"), TARGETS)
def test_compiles_without_symbols(monkeypatch, triple, platform):
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple(triple)
    except RuntimeError as error:
        pytest.skip(f"this LLVM lacks the target: {error}")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(native, "is_x86", lambda: triple.startswith("x86_64"))
    monkeypatch.setattr(native, "is_arm", lambda: triple.startswith(("aarch64", "arm64")))
    features = "+m,+a,+d" if triple.startswith("riscv64") else ""
    machine = target.create_target_machine(opt=2, features=features)
    module = llvm.parse_assembly(pool_ir.pool_ir())
    module.triple = triple
    module.data_layout = str(machine.target_data)
    module.verify()
    declared = [f.name for f in module.functions if f.is_declaration]
    assert all(name.startswith("llvm.") for name in declared)
    text = machine.emit_assembly(module)
    for name in ("fb_parallel", "fb_worker", "fb_resize", "fb_spin"):
        assert name in text
    # Atomics must be instructions: there is no library to call.
    assert "__atomic" not in text
    assert "__aarch64" not in text
    if triple.startswith("x86_64"):
        assert "pause" in text
