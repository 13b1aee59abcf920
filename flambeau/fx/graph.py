"""Graphs of traced programs: nodes in order, and the Python text that says the same.

In: nodes, made by a tracer or by hand. Out: `Graph`; `graph.python_code("self").src` is its text.
"""
from __future__ import annotations

import builtins
import copy
import keyword
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .node import Node, _Shown, map_arg, qualified_name, type_repr

_BINARY = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%",
           "pow": "**", "lshift": "<<", "rshift": ">>", "and_": "&", "or_": "|", "xor": "^",
           "matmul": "@", "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
_UNARY = {"neg": "-", "pos": "+", "invert": "~"}


@dataclass
class PythonCode:
    """The text of a graph's forward, and the names it uses."""

    src: str
    globals: dict[str, Any] = field(default_factory=dict)
    _lineno_map: dict[int, int | None] | None = None
    _prologue_start: int = 0


class CodeGen:
    """How a graph's inputs and outputs are handed over: one by one."""

    def process_inputs(self, *args: Any) -> Any:
        return args

    def process_outputs(self, outputs: Any) -> Any:
        return outputs


class _Names:
    """Names of nodes: none twice, none that Python uses."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.counts: dict[str, int] = {}

    def create(self, candidate: str) -> str:
        base = re.sub(r"[^0-9a-zA-Z_]+", "_", candidate) or "_unnamed"
        if base[0].isdigit():
            base = f"_{base}"
        match = re.match(r"(.*)_(\d+)$", base)
        name, stem, n = base, base, self.counts.get(base, 0)
        if match is not None and base in self.used:
            stem, n = match.group(1), int(match.group(2))
        while name in self.used or keyword.iskeyword(name) or name in dir(builtins):
            n += 1
            name = f"{stem}_{n}"
        self.counts[stem] = n
        self.used.add(name)
        return name


class _NodeList:
    """The nodes of a graph in order, or in reverse."""

    def __init__(self, graph: Graph, direction: str = "_next") -> None:
        self.graph = graph
        self.direction = direction

    def __len__(self) -> int:
        return self.graph._len

    def __iter__(self) -> Iterator[Node]:
        node = getattr(self.graph._root, self.direction)
        while node is not self.graph._root:
            if not node._erased:
                yield node
            node = getattr(node, self.direction)

    def __reversed__(self) -> _NodeList:
        return _NodeList(self.graph, "_next" if self.direction == "_prev" else "_prev")

    def __contains__(self, node: Any) -> bool:
        return isinstance(node, Node) and node.graph is self.graph and not node._erased


class Graph:
    """A traced program."""

    def __init__(self, owning_module: Any = None, tracer_cls: Any = None,
                 tracer_extras: Any = None) -> None:
        self._root = Node(self, "", "root", "", (), {})
        self._len = 0
        self._insert: Callable[[Node], None] = self._root.prepend
        self._names = _Names()
        self.owning_module = owning_module
        self._tracer_cls = tracer_cls
        self._tracer_extras = tracer_extras
        self._codegen = CodeGen()

    @property
    def nodes(self) -> _NodeList:
        return _NodeList(self)

    def output_node(self) -> Node:
        return next(n for n in reversed(self.nodes) if n.op == "output")

    def find_nodes(self, *, op: str, target: Any = None, sort: bool = True) -> list[Node]:
        return [n for n in self.nodes if n.op == op and (target is None or n.target == target)]

    # ------------------------------------------------------------ making nodes

    def create_node(self, op: str, target: Any, args: tuple[Any, ...] | None = None,
                    kwargs: dict[str, Any] | None = None, name: str | None = None,
                    type_expr: Any = None) -> Node:
        """A node at the insertion point."""
        full = self._names.create(name if name is not None else self._candidate(op, target))
        node = Node(self, full, op, target, tuple(args or ()), dict(kwargs or {}), type_expr)
        self._insert(node)
        self._len += 1
        return node

    def _candidate(self, op: str, target: Any) -> str:
        text = target if isinstance(target, str) else getattr(target, "__name__", "fn")
        text = text.replace("*", "").replace(".", "_").strip("_") if op != "placeholder" else \
            text.replace("*", "")
        return re.sub(r"(?<!^)(?=[A-Z])", "_", text).lower() if op == "call_function" else text

    def placeholder(self, name: str, type_expr: Any = None, default_value: Any = ...) -> Node:
        args = () if default_value is ... else (default_value,)
        return self.create_node("placeholder", name, args, type_expr=type_expr)

    def get_attr(self, qualified_name: str, type_expr: Any = None) -> Node:
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def call_module(self, module_name: str, args: Any = None, kwargs: Any = None,
                    type_expr: Any = None) -> Node:
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def call_method(self, method_name: str, args: Any = None, kwargs: Any = None,
                    type_expr: Any = None) -> Node:
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_function(self, the_function: Any, args: Any = None, kwargs: Any = None,
                      type_expr: Any = None, name: str | None = None) -> Node:
        return self.create_node("call_function", the_function, args, kwargs, name, type_expr)

    def output(self, result: Any, type_expr: Any = None) -> Node:
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    def node_copy(self, node: Node, arg_transform: Callable[[Node], Any] = lambda x: x) -> Node:
        """A copy of another graph's node, with its arguments translated."""
        made = self.create_node(node.op, node.target, map_arg(node.args, arg_transform),
                                map_arg(node.kwargs, arg_transform), node.name, node.type)
        made.meta = copy.copy(node.meta)
        return made

    def graph_copy(self, g: Graph, val_map: dict[Node, Any], return_output_node: bool = False,
                   ) -> Any:
        """Copy all of `g` here but its output; the value that `g` returns."""
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                value = map_arg(node.args[0], lambda n: val_map[n])
                return (value, node) if return_output_node else value
            val_map[node] = self.node_copy(node, lambda n: val_map[n])
        return None

    def __deepcopy__(self, memo: Any = None) -> Graph:
        made = Graph(tracer_cls=self._tracer_cls)
        values: dict[Node, Any] = {}
        result = made.graph_copy(self, values, return_output_node=True)
        if result is not None:
            value, old = result
            made.output(value, type_expr=old.type).meta = copy.copy(old.meta)
        made._codegen = self._codegen
        return made

    # ------------------------------------------------------------ changing

    @contextmanager
    def inserting_before(self, n: Node | None = None) -> Iterator[None]:
        yield from self._inserting((n or self._root._next).prepend)

    @contextmanager
    def inserting_after(self, n: Node | None = None) -> Iterator[None]:
        place = [n or self._root._prev]

        def insert(x: Node) -> None:
            place[0].append(x)
            place[0] = x

        yield from self._inserting(insert)

    def _inserting(self, insert: Callable[[Node], None]) -> Iterator[None]:
        before, self._insert = self._insert, insert
        try:
            yield
        finally:
            self._insert = before

    def erase_node(self, to_erase: Node) -> None:
        if to_erase.users:
            raise RuntimeError(f"Tried to erase Node {to_erase} but it still had "
                               f"{len(to_erase.users)} users in the graph: {to_erase.users}!")
        if to_erase.graph is not self:
            raise RuntimeError(f"Attempting to remove {to_erase} from wrong graph!")
        if to_erase._erased:
            return
        to_erase._remove()
        to_erase._set((), {})
        to_erase._erased = True
        self._len -= 1

    def eliminate_dead_code(self, is_impure_node: Callable[[Node], bool] | None = None) -> bool:
        """Erase what nobody uses; whether there was anything."""
        before = self._len
        for node in list(reversed(self.nodes)):
            impure = is_impure_node(node) if is_impure_node else node.is_impure()
            if not impure and not node.users:
                self.erase_node(node)
        return self._len < before

    def process_inputs(self, *args: Any) -> Any:
        return self._codegen.process_inputs(*args)

    def process_outputs(self, out: Any) -> Any:
        return self._codegen.process_outputs(out)

    def set_codegen(self, codegen: CodeGen) -> None:
        self._codegen = codegen

    def lint(self) -> None:
        """RuntimeError unless every node comes after what it uses and every target exists."""
        seen: set[Node] = set()
        names: set[str] = set()
        for node in self.nodes:
            for arg in node.all_input_nodes:
                if arg.graph is not self:
                    raise RuntimeError(f"Argument '{arg}' of Node '{node}' does not belong to "
                                       "this Graph, but was used as an argument!")
                if arg not in seen:
                    raise RuntimeError(f"Argument '{arg}' of Node '{node}' was used before it "
                                       "has been defined!")
            if node.name in names:
                raise RuntimeError(f"Node redefined name {node.name}!")
            if self.owning_module is not None and node.op in ("call_module", "get_attr"):
                look_up(self.owning_module, node)
            seen.add(node)
            names.add(node.name)

    # ------------------------------------------------------------ text

    def python_code(self, root_module: str, **kwargs: Any) -> PythonCode:
        """The graph as a Python function `forward`."""
        free: list[str] = []
        body: list[str] = []
        used: dict[str, Any] = {}
        last = {arg: node for node in self.nodes for arg in node.all_input_nodes}
        for node in self.nodes:
            line = _line(node, root_module, free, used)
            if line is not None:
                done = [a.name for a in node.all_input_nodes if last[a] is node]
                if not node.users:
                    done.append(node.name)
                tail = "" if node.op == "output" or not done else \
                    ";  " + " = ".join(done) + " = None"
                body.append(f"    {line}{tail}")
        arguments = ", ".join([root_module, *free])
        return PythonCode(f"\n\n\ndef forward({arguments}):\n" + "\n".join(body or ["    pass"]),
                          used)

    def print_tabular(self) -> None:
        """Print the nodes as a table."""
        head = ("opcode", "name", "target", "args", "kwargs")
        rows = [head] + [tuple(str(x) for x in (n.op, n.name, n.target, n.args, n.kwargs))
                         for n in self.nodes]
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        for i, row in enumerate(rows):
            print("  ".join(x.ljust(w) for x, w in zip(row, widths)).rstrip())
            if i == 0:
                print("  ".join("-" * w for w in widths))

    def __str__(self) -> str:
        lines = ["graph():"]
        lines += [f"    {text}" for n in self.nodes if (text := n.format_node()) is not None]
        return "\n".join(lines)


def look_up(module: Any, node: Node) -> Any:
    """What a get_attr or call_module node names."""
    found = module
    for i, atom in enumerate(node.target.split(".")):
        if not hasattr(found, atom):
            seen = ".".join(node.target.split(".")[:i + 1])
            raise RuntimeError(f"Node referenced nonexistent target {seen}!")
        found = getattr(found, atom)
    return found


def _line(node: Node, root: str, free: list[str], used: dict[str, Any]) -> str | None:
    """The statement of a node; arguments of the function go to `free`."""
    args = [_text(a) for a in node.args]
    call = ", ".join([*args, *(f"{k} = {_text(v)}" for k, v in node.kwargs.items())])
    if node.op == "placeholder":
        note = f" : {type_repr(node.type)}" if node.type is not None else ""
        default = f" = {args[0]}" if args else ""
        free.append(f"{node.target}{note}{default}")
        raw = node.target.replace("*", "")
        return None if raw == node.name else f"{node.name} = {raw}"
    if node.op == "output":
        return f"return {args[0]}"
    if node.op == "get_attr":
        return f"{node.name} = {_attribute(root, node.target)}"
    if node.op == "call_module":
        return f"{node.name} = {_attribute(root, node.target)}({call})"
    if node.op == "call_method":
        return f"{node.name} = {args[0]}.{node.target}({_after_first(node)})"
    return f"{node.name} = {_function(node, args, call, used)}"


def _after_first(node: Node) -> str:
    return ", ".join([*(_text(a) for a in node.args[1:]),
                      *(f"{k} = {_text(v)}" for k, v in node.kwargs.items())])


def _function(node: Node, args: list[str], call: str, used: dict[str, Any]) -> str:
    name = qualified_name(node.target)
    short = name.rpartition(".")[2]
    if name.startswith("operator."):
        if short in _BINARY and len(args) == 2:
            return f"{args[0]} {_BINARY[short]} {args[1]}"
        if short in _UNARY:
            return f"{_UNARY[short]}{args[0]}"
        if short == "getitem":
            return f"{args[0]}[{args[1]}]"
    name = name.removeprefix("builtins.")
    if name == "getattr" and len(args) == 2 and str(node.args[1]).isidentifier():
        return f"{args[0]}.{node.args[1]}"
    used[name.replace(".", "_")] = node.target
    return f"{name.replace('.', '_') if '.' in name and not name.startswith('torch.') else name}" \
        f"({call})"


def _attribute(root: str, target: str) -> str:
    text = root
    for atom in target.split("."):
        text = f"{text}.{atom}" if atom.isidentifier() else f'getattr({text}, "{atom}")'
    return text


def _text(a: Any) -> str:
    if isinstance(a, Node):
        return a.name
    if callable(a) and hasattr(a, "__name__"):
        return qualified_name(a).removeprefix("builtins.")
    return repr(map_arg(a, lambda n: _Shown(n.name)))
