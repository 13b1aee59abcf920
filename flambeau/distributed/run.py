"""Starting several processes: refused."""
from __future__ import annotations

from ._absent import refused

_NAMES = ("get_args_parser", "main", "parse_args", "run")
_REFUSED = refused(*_NAMES)
get_args_parser, main, parse_args, run = (_REFUSED[name] for name in _NAMES)

__all__ = ["get_args_parser", "main", "parse_args", "run"]
