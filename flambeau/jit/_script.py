"""TorchScript's classes, for isinstance and annotations; modules here are never of them."""
from __future__ import annotations

from typing import Any

from ..core.absent import refusing_class
from ..nn.modules.module import Module

_ERROR = RuntimeError("flambeau has no TorchScript: torch.jit.script gives back what it gets")


class ScriptWarning(Warning):
    """What scripting would warn of."""


class ScriptModule(Module):
    """A module whose methods are scripted: here a plain module."""


class RecursiveScriptModule(ScriptModule):
    """What `torch.jit.script` makes of a module in PyTorch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise type(_ERROR)(*_ERROR.args)


ScriptFunction = refusing_class("ScriptFunction", "torch.jit", _ERROR)
RecursiveScriptClass = refusing_class("RecursiveScriptClass", "torch.jit", _ERROR)
CompilationUnit = refusing_class("CompilationUnit", "torch.jit", _ERROR)

__all__ = ["CompilationUnit", "RecursiveScriptClass", "RecursiveScriptModule", "ScriptFunction",
           "ScriptModule", "ScriptWarning"]
