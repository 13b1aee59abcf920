"""torch.fx: programs as graphs that can be read, changed and run.

In: functions and modules. Out: `symbolic_trace(model)`, a GraphModule.
"""
from __future__ import annotations

from . import graph, graph_module, interpreter, node, proxy, subgraph_rewriter
from ._symbolic_trace import PH, Tracer, symbolic_trace, wrap
from .graph import CodeGen, Graph
from .graph_module import GraphModule
from .interpreter import Interpreter, Transformer
from .node import Node, has_side_effect, map_arg
from .proxy import Proxy
from .subgraph_rewriter import replace_pattern

__all__ = ["PH", "CodeGen", "Graph", "GraphModule", "Interpreter", "Node", "Proxy", "Tracer",
           "Transformer", "graph", "graph_module", "has_side_effect", "interpreter", "map_arg",
           "node", "proxy", "replace_pattern", "subgraph_rewriter", "symbolic_trace", "wrap"]
