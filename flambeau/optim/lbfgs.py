"""L-BFGS: quasi-Newton steps from the last gradients, with a strong Wolfe line search.

Nocedal and Wright, Numerical Optimization, algorithms 7.4 (two loops), 3.5 and 3.6 (line search).
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..nn.base import Tensor, torch
from .optimizer import Optimizer, check_lr
from .program import computed

__all__ = ["LBFGS"]

# (position, value, gradient, slope) of a point on the search line
Point = tuple[float, float, Any, float]


def _cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """The minimum of the cubic through values and slopes at two points, within bounds (3.59)."""
    (x1, f1, _, g1), (x2, f2, _, g2) = a, b
    low, high = bounds or (min(x1, x2), max(x1, x2))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if square < 0:
        return (low + high) / 2.0
    d2 = square**0.5
    if x1 <= x2:
        best = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        best = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(best, low), high)


def _bracket(look: Callable[[float], Point], start: Point, t: float, c1: float, c2: float,
             most: int) -> tuple[list[Point], bool, int]:
    """Points with a good step between them, or the good step alone (done); and looks spent."""
    f0, slope0 = start[1], start[3]
    before = start
    point = look(t)
    count = 0
    while count < most:
        if point[1] > f0 + c1 * point[0] * slope0 or (count > 1 and point[1] >= before[1]):
            return [before, point], False, count
        if abs(point[3]) <= -c2 * slope0:
            return [point], True, count
        if point[3] >= 0:
            return [before, point], False, count
        t = point[0]
        bounds = (t + 0.01 * (t - before[0]), t * 10)
        step = _cubic_minimum(before, point, bounds)
        before, point = point, look(step)
        count += 1
    return [start, point], False, count


def _next_try(ends: list[Point], stalled: bool) -> tuple[float, bool]:
    """A step between the ends, kept away from them if it stalled there once already."""
    low, high = min(e[0] for e in ends), max(e[0] for e in ends)
    t = _cubic_minimum(ends[0], ends[1])
    margin = 0.1 * (high - low)
    if min(high - t, t - low) >= margin:
        return t, False
    if not (stalled or t >= high or t <= low):
        return t, True
    return (high - margin if abs(t - high) < abs(t - low) else low + margin), False


def _strong_wolfe(look: Callable[[float], Point], start: Point, t: float, reach: float,
                  tolerance: float, most: int, c1: float = 1e-4,
                  c2: float = 0.9) -> tuple[Point, int]:
    """A point that meets the strong Wolfe conditions, and how often the function was computed."""
    ends, done, count = _bracket(look, start, t, c1, c2, most)
    looks = count + 1
    stalled = False
    low, high = (0, 1) if ends[0][1] <= ends[-1][1] else (1, 0)
    while not done and count < most:
        if abs(ends[1][0] - ends[0][0]) * reach < tolerance:
            break
        t, stalled = _next_try(ends, stalled)
        point = look(t)
        looks += 1
        count += 1
        if point[1] > start[1] + c1 * t * start[3] or point[1] >= ends[low][1]:
            ends[high] = point
            low, high = (0, 1) if ends[0][1] <= ends[1][1] else (1, 0)
            continue
        if abs(point[3]) <= -c2 * start[3]:
            done = True
        elif point[3] * (ends[high][0] - ends[low][0]) >= 0:
            ends[high] = ends[low]
        ends[low] = point
    return ends[low] if len(ends) > 1 else ends[0], looks


class LBFGS(Optimizer):
    """Needs a closure that computes the loss again; one parameter group.

    line_search_fn  'strong_wolfe' or None (steps of length lr)
    history_size    how many gradient changes stand for the Hessian
    """

    def __init__(self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None,
                 tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9,
                 history_size: int = 100, line_search_fn: str | None = None) -> None:
        check_lr(lr)
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
            "history_size": history_size, "line_search_fn": line_search_fn})
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    # ------------------------------------------------------------ parameters as one vector

    def _gather_flat_grad(self) -> Any:
        parts = []
        for p in self._params:
            grad = torch.zeros_like(p) if p.grad is None else p.grad
            if grad.is_complex():
                grad = torch.view_as_real(grad)
            parts.append(grad.reshape(-1))
        return computed(torch.cat(parts, 0))

    def _add_grad(self, step_size: Any, update: Any) -> None:
        offset = 0
        for p in self._params:
            real = torch.view_as_real(p) if p.is_complex() else p
            size = real.numel()
            real.add_(update[offset:offset + size].view_as(real) * step_size)
            computed(p)
            offset += size

    def _look(self, closure: Callable[[], Any], x: list[Any], d: Any) -> Callable[[float], Point]:
        """The loss along direction `d` from `x`, which is put back afterwards."""
        def look(t: float) -> Point:
            self._add_grad(t, d)
            loss = float(closure())
            grad = self._gather_flat_grad()
            for p, value in zip(self._params, x):
                p.copy_(value)
            return t, loss, grad, float(grad.dot(d))
        return look

    # ------------------------------------------------------------ the step

    def _direction(self, grad: Any, state: dict[str, Any], history: int) -> Any:
        """-H g by the two-loop recursion; learns from the last step first."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return computed(grad.neg())
        dirs, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        y = computed(grad.sub(state["prev_flat_grad"]))
        s = computed(state["d"].mul(state["t"]))
        ys = computed(y.dot(s))
        if ys > 1e-10:
            if len(dirs) == history:
                for kept in (dirs, steps, ro):
                    kept.pop(0)
            dirs.append(y)
            steps.append(s)
            ro.append(computed(1.0 / ys))
            state["H_diag"] = computed(ys / y.dot(y))
        alphas = state.setdefault("al", [None] * history)
        # Values are computed one by one: every turn of a loop is then the same small program, where
        # one program for a whole loop would be compiled anew as the history grows.
        q = grad.neg()
        for i in reversed(range(len(dirs))):
            alphas[i] = computed(steps[i].dot(q) * ro[i])
            q = computed(q - dirs[i] * alphas[i])
        r = q * state["H_diag"]
        for i in range(len(dirs)):
            r = computed(r + steps[i] * (alphas[i] - dirs[i].dot(r) * ro[i]))
        return r

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Up to max_iter iterations; returns the loss before the first."""
        with torch.no_grad():
            return self._step(torch.enable_grad()(closure))

    def _step(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss = float(first_loss)
        looks = 1
        state["func_evals"] += 1
        grad = self._gather_flat_grad()
        if grad.abs().max() <= group["tolerance_grad"]:
            return first_loss
        for n in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            d = self._direction(grad, state, group["history_size"])
            state["prev_flat_grad"], previous = grad, loss
            state["prev_loss"] = loss
            t = group["lr"]
            if isinstance(t, Tensor):
                t = t.item()
            if state["n_iter"] == 1:
                t = min(1.0, 1.0 / float(grad.abs().sum())) * t
            state["d"], state["t"] = d, t
            slope = float(grad.dot(d))
            if slope > -group["tolerance_change"]:
                break
            last = n == group["max_iter"]
            loss, grad, t, spent = self._advance(closure, d, t, loss, grad, slope,
                                                 group["max_eval"] - looks, last)
            state["t"] = t
            looks += spent
            state["func_evals"] += spent
            if (last or looks >= group["max_eval"]
                    or grad.abs().max() <= group["tolerance_grad"]
                    or (d * t).abs().max() <= group["tolerance_change"]
                    or abs(loss - previous) < group["tolerance_change"]):
                break
        return first_loss

    def _advance(self, closure: Callable[[], Any], d: Any, t: float, loss: float, grad: Any,
                 slope: float, most: int, last: bool) -> tuple[float, Any, float, int]:
        """Move along `d`: (loss, gradient, step, how often the function was computed)."""
        group = self.param_groups[0]
        search = group["line_search_fn"]
        if search is None:
            self._add_grad(t, d)
            if last:                            # nobody will ask for the loss there
                return loss, grad, t, 0
            return float(closure()), self._gather_flat_grad(), t, 1
        if search != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        x = [p.clone() for p in self._params]
        point, looks = _strong_wolfe(self._look(closure, x, d), (0, loss, grad, slope), t,
                                     float(d.abs().max()), 1e-9, most)
        self._add_grad(point[0], d)
        return point[1], point[2], point[0], looks
