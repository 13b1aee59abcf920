"""Which globals a file names, found without running anything.

In: a path or a file. Out: pairs (module, name).
"""
from __future__ import annotations

import os
import pickletools
from typing import Any

from .archive import Reader


def named_in(f: Any) -> list[tuple[str, str]]:
    """The globals of an archive's pickle, each once, in their order."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return named_in(file)
    head = f.read(4)
    f.seek(-len(head), 1)
    if head != b"PK\x03\x04":
        raise ValueError("Expected input to be a checkpoint returned by torch.save")
    found: dict[tuple[str, str], None] = {}
    recent: list[Any] = []
    for opcode, arg, _ in pickletools.genops(Reader(f).read("data.pkl")):
        if opcode.name == "GLOBAL" and arg is not None:
            module, _, name = arg.partition(" ")
            found[module, name] = None
        elif opcode.name == "STACK_GLOBAL" and len(recent) >= 2:
            found[recent[-2], recent[-1]] = None
        if isinstance(arg, str) and "UNICODE" in opcode.name:
            recent.append(arg)
    return list(found)
