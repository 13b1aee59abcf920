"""The backward walk: steps of the tape in reverse order of recording, iteratively.

In: root edges with their gradients. Out: gradients accumulated in leaves, or captured at edges.
Gradients are opaque here (nodes, or tensors when the walk is itself recorded): `Rules` adds, wraps
and derives them. `tensor/gradients` installs two sets, one for each kind of walk.
"""
from __future__ import annotations

import heapq
import warnings
from typing import Any, Protocol

from ..core.trace import describe
from .grad_mode import state
from .tape import AccumulateGrad, GradFn

Edge = tuple[GradFn, int]


class Rules(Protocol):
    """What the walk needs to know about gradients."""

    def add(self, a: Any, b: Any) -> Any: ...
    def derive(self, fn: Any, g: Any) -> list[Any]: ...
    def wrap(self, g: Any) -> Any: ...
    def unwrap(self, tensor: Any) -> Any: ...
    def accumulate(self, variable: Any, g: Any) -> None: ...
    def has_nan(self, g: Any) -> bool: ...


_rules: list[Any] = [None, None]


def install(plain: Rules, recorded: Rules) -> None:
    """The rules for create_graph=False and True."""
    _rules[0] = plain
    _rules[1] = recorded


def rules(create_graph: bool) -> Any:
    """How a backward pass works: recorded itself, or not."""
    return _rules[bool(create_graph)]


class _Walk:
    """The state of one backward pass."""

    def __init__(self, create_graph: bool, retain_graph: bool, capture: list[Edge] | None) -> None:
        self.rules = rules(create_graph)
        self.retain_graph = retain_graph
        self.capture = capture
        self.captured: dict[Edge, Any] = {}
        self.wanted = None if capture is None else set(capture)
        self.stops = None if capture is None else {fn for fn, _ in capture}
        self.executes: set[GradFn] | None = None
        self.waiting: dict[GradFn, int] = {}
        self.arrived: dict[GradFn, list[Any]] = {}
        self.ready: list[tuple[int, int, GradFn]] = []
        self.pushed = 0

    def prepare(self, starts: list[GradFn]) -> None:
        """Find what has to run, and how many gradients each step waits for."""
        if self.stops is not None:
            self.executes = _leading_to(starts, self.stops)
        waiting = self.waiting
        seen = set(starts)
        stack = list(seen)
        while stack:
            fn = stack.pop()
            if self.executes is not None and fn not in self.executes:
                continue
            for edge in fn.edges:
                if edge is None:
                    continue
                to = edge[0]
                waiting[to] = waiting.get(to, 0) + 1
                if to not in seen:
                    seen.add(to)
                    stack.append(to)

    def deliver(self, edge: Edge, g: Any) -> None:
        """Add a gradient to what has arrived at an edge."""
        fn, k = edge
        held = self.arrived.get(fn)
        if held is None:
            held = self.arrived[fn] = [None] * fn.outputs
        if g is not None:
            held[k] = g if held[k] is None else self.rules.add(held[k], g)

    def push(self, fn: GradFn) -> None:
        self.pushed += 1
        heapq.heappush(self.ready, (-fn.sequence, self.pushed, fn))

    def run(self) -> None:
        while self.ready:
            fn = heapq.heappop(self.ready)[2]
            grads = self.arrived.pop(fn)
            hooks = fn.hooks
            if hooks is not None or isinstance(fn, AccumulateGrad):
                grads = self._before(fn, grads)
            if self.stops is not None:
                if fn in self.stops:
                    self._capture(fn, grads)
                if fn not in self.executes:  # type: ignore[operator]
                    continue
            found = self._step(fn, grads)
            for edge, g in zip(fn.edges, found):
                if edge is None:
                    continue
                self.deliver(edge, g)
                to = edge[0]
                left = self.waiting[to] = self.waiting[to] - 1
                if not left:
                    self.push(to)

    def _capture(self, fn: GradFn, grads: list[Any]) -> None:
        for k, g in enumerate(grads):
            if (fn, k) in self.wanted:  # type: ignore[operator]
                self.captured[fn, k] = g

    def _step(self, fn: GradFn, grads: list[Any]) -> list[Any]:
        if state.anomaly:
            return self._watched(fn, grads)
        found = fn.step(grads, self.rules)
        return self._after(fn, grads, found)

    def _after(self, fn: GradFn, grads: list[Any], found: list[Any]) -> list[Any]:
        if fn.hooks is not None and fn.hooks.after:
            found = self._call_after(fn, grads, found)
        if isinstance(fn, AccumulateGrad):
            post = fn.variable._auto.post
            if post:
                for hook in list(post.values()):
                    hook(fn.variable)
        elif not self.retain_graph:
            fn.release()
        return found

    def _watched(self, fn: GradFn, grads: list[Any]) -> list[Any]:
        """One step under anomaly detection."""
        try:
            found = fn.step(grads, self.rules)
            if state.check_nan:
                for i, g in enumerate(found):
                    if g is not None and self.rules.has_nan(g):
                        raise RuntimeError(f"Function '{fn.name()}' returned nan values in its "
                                           f"{i}th output.")
            return self._after(fn, grads, found)
        except Exception:
            place = describe(fn.origin)
            text = (f"Traceback of forward call that caused the error:\n  {place}" if place else
                    "No forward pass information available. Enable detect anomaly during forward "
                    "pass for more information.")
            warnings.warn(f"Error detected in {fn.name()}. {text}", stacklevel=6)
            raise

    # -------------------------------------------------------- hooks

    def _before(self, fn: GradFn, grads: list[Any]) -> list[Any]:
        """Hooks on the tensors that are this step's outputs, then on the step."""
        rules = self.rules
        if isinstance(fn, AccumulateGrad):
            own = fn.variable._auto.hooks
            if own:
                grads = [_call_tensor_hooks(rules, own, grads[0])]
        hooks = fn.hooks
        if hooks is None:
            return grads
        for k, registered in hooks.of_output.items():
            if registered:
                grads[k] = _call_tensor_hooks(rules, registered, grads[k])
        for k, ref in hooks.retain.items():
            tensor = ref()
            if tensor is not None and grads[k] is not None:
                rules.retain(tensor, grads[k])
        for hook in list(hooks.before.values()):
            given = tuple(None if g is None else rules.wrap(g) for g in grads)
            answer = hook(given)
            if answer is not None:
                answer = answer if isinstance(answer, tuple) else (answer,)
                grads = [None if a is None else rules.unwrap(a) for a in answer]
        return grads

    def _call_after(self, fn: GradFn, grads: list[Any], found: list[Any]) -> list[Any]:
        rules = self.rules
        outs = tuple(None if g is None else rules.wrap(g) for g in grads)
        for hook in list(fn.hooks.after.values()):  # type: ignore[union-attr]
            ins = tuple(None if g is None else rules.wrap(g) for g in found)
            answer = hook(ins, outs)
            if answer is not None:
                answer = answer if isinstance(answer, tuple) else (answer,)
                found = [None if a is None else rules.unwrap(a) for a in answer]
        return found


def _call_tensor_hooks(rules: Any, hooks: dict[int, Any], g: Any) -> Any:
    if g is None:
        return None
    for hook in list(hooks.values()):
        answer = hook(rules.wrap(g))
        if answer is not None:
            g = rules.unwrap(answer)
    return g


def _leading_to(starts: list[GradFn], stops: set[GradFn]) -> set[GradFn]:
    """Steps from which an edge leads, over any number of steps, into one of `stops`."""
    found: dict[GradFn, bool] = {}
    stack: list[tuple[GradFn, bool]] = [(fn, False) for fn in starts]
    while stack:
        fn, done = stack.pop()
        if done:
            found[fn] = any(e is not None and (e[0] in stops or found[e[0]]) for e in fn.edges)
        elif fn not in found:
            found[fn] = False
            stack.append((fn, True))
            stack.extend((e[0], False) for e in fn.edges if e is not None and e[0] not in found)
    return {fn for fn, leads in found.items() if leads}


def run(roots: list[tuple[Edge, Any]], *, retain_graph: bool, create_graph: bool,
        capture: list[Edge] | None = None) -> dict[Edge, Any]:
    """Walk back from the roots. Gradients come back for the edges of `capture`, if given;
    otherwise they are accumulated in the leaves."""
    walk = _Walk(create_graph, retain_graph, capture)
    starts = list(dict.fromkeys(edge[0] for edge, _ in roots))
    before = state.grad
    state.grad = create_graph
    try:
        walk.prepare(starts)
        for edge, g in roots:
            walk.deliver(edge, g)
        for fn in starts:
            if not walk.waiting.get(fn):
                walk.push(fn)
        walk.run()
    finally:
        state.grad = before
    return walk.captured
