"""Replaces one pattern of nodes by another, everywhere in a graph."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ._symbolic_trace import symbolic_trace
from .graph import Graph
from .graph_module import GraphModule
from .node import Node


class Match(NamedTuple):
    """Where the pattern was: its last node, and the graph's node for each of the pattern's."""

    anchor: Node
    nodes_map: dict[Node, Node]


@dataclass
class ReplacedPatterns:
    """A match and what was put in its place."""

    anchor: Node
    nodes_map: dict[Node, Node]
    replacements: list[Node]


def _graph_of(program: Callable[..., Any] | GraphModule | Graph) -> Graph:
    if isinstance(program, Graph):
        return program
    return program.graph if isinstance(program, GraphModule) else symbolic_trace(program).graph


def _same(p: Any, n: Any, found: dict[Node, Any]) -> bool:
    """Whether a pattern's argument stands for one of the graph's; notes which nodes match."""
    if isinstance(p, Node):
        if p in found:
            return found[p] is n or (not isinstance(n, Node) and found[p] == n)
        if p.op == "placeholder":
            found[p] = n
            return True
        if not isinstance(n, Node) or p.op != n.op or p.target != n.target:
            return False
        if not _same(p.args, n.args, found) or not _same(p.kwargs, n.kwargs, found):
            return False
        found[p] = n
        return True
    if isinstance(p, (tuple, list)):
        return isinstance(n, (tuple, list)) and len(p) == len(n) and all(
            _same(a, b, found) for a, b in zip(p, n))
    if isinstance(p, dict):
        return isinstance(n, dict) and p.keys() == n.keys() and all(
            _same(v, n[k], found) for k, v in p.items())
    return not isinstance(n, Node) and type(p) is type(n) and p == n


def replace_pattern(gm: GraphModule, pattern: Any, replacement: Any) -> list[Match]:
    """Replace in `gm` what computes as `pattern` does by what `replacement` does."""
    return [Match(r.anchor, r.nodes_map) for r in _replace(gm, pattern, replacement)]


def replace_pattern_with_filters(gm: GraphModule, pattern: Any, replacement: Any,
                                 match_filters: Any = None, ignore_literals: bool = False,
                                 **kwargs: Any) -> list[ReplacedPatterns]:
    return _replace(gm, pattern, replacement)


def _replace(gm: GraphModule, pattern: Any, replacement: Any) -> list[ReplacedPatterns]:
    wanted, given = _graph_of(pattern), _graph_of(replacement)
    last = wanted.output_node().args[0]
    if not isinstance(last, Node):
        raise NotImplementedError("a pattern returns one value")
    done: list[ReplacedPatterns] = []
    taken: set[Node] = set()
    for node in list(gm.graph.nodes):
        found: dict[Node, Any] = {}
        if node.op == "output" or not _same(last, node, found):
            continue
        inner = {p: n for p, n in found.items() if p.op != "placeholder"}
        if taken & set(inner.values()) or not _closed(inner, node):
            continue
        taken |= set(inner.values())
        values: dict[Node, Any] = {
            r: found[p] for p, r in zip(_placeholders(wanted), _placeholders(given))}
        before = set(gm.graph.nodes)
        with gm.graph.inserting_before(node):
            result = gm.graph.graph_copy(given, values)
        made = [n for n in gm.graph.nodes if n not in before]
        node.replace_all_uses_with(result)
        for n in reversed([x for x in gm.graph.nodes if x in set(inner.values())]):
            gm.graph.erase_node(n)
        done.append(ReplacedPatterns(node, found, made))
    gm.recompile()
    return done


def _closed(inner: dict[Node, Node], anchor: Node) -> bool:
    """Whether nothing outside uses what is inside, but for the last node."""
    inside = set(inner.values())
    return all(set(n.users) <= inside for n in inside if n is not anchor)


def _placeholders(graph: Graph) -> list[Node]:
    return [n for n in graph.nodes if n.op == "placeholder"]


__all__ = ["Match", "ReplacedPatterns", "replace_pattern", "replace_pattern_with_filters"]
