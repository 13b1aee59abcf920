"""`GradScaler`: keeps small gradients of narrow types from vanishing.

In: losses and optimizers. Out: scaled losses, unscaled gradients, and steps that are left out where
a gradient is not finite. The scale grows while all goes well and falls when it does not.
"""
from __future__ import annotations

import enum
import warnings
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ..core import dtype as dt
from ..tensor.creation import tensor
from ..tensor.names import PUBLIC
from ..tensor.tensor import Tensor


class OptState(enum.Enum):
    """What was done with an optimizer since the last `update`."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class _Record:
    """One optimizer's part of an iteration. `found`: whether a gradient is not finite."""

    __slots__ = ("found", "stage")

    def __init__(self) -> None:
        self.stage = OptState.READY
        self.found: bool | None = None


class GradScaler:
    """Scale the loss, unscale the gradients, step, update."""

    def __init__(self, device: str = "cuda", init_scale: float = 2.0 ** 16,
                 growth_factor: float = 2.0, backoff_factor: float = 0.5,
                 growth_interval: int = 2000, enabled: bool = True) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device != "cpu":
            warnings.warn(f"torch.{device}.amp.GradScaler is enabled, but {device.upper()} is not "
                          "available.  Disabling.", stacklevel=2)
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale = float(init_scale)
        self._scale_value = float(init_scale)
        self._started = False
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_count = 0
        self._records: dict[int, _Record] = defaultdict(_Record)

    # ------------------------------------------------------------ an iteration

    def scale(self, outputs: Any) -> Any:
        """The loss (or losses) times the scale."""
        if not self._enabled:
            return outputs
        self._started = True
        if isinstance(outputs, Tensor):
            return outputs * tensor(self._scale_value, dtype=dt.float32)
        if isinstance(outputs, Iterable):
            made = [self.scale(o) for o in outputs]
            return type(outputs)(made) if isinstance(outputs, (list, tuple)) else made
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divide the optimizer's gradients by the scale, once an iteration."""
        if not self._enabled:
            return
        self._check_started("unscale_")
        record = self._records[id(optimizer)]
        if record.stage is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the "
                               "last update().")
        if record.stage is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        record.found = self._unscale(optimizer)
        record.stage = OptState.UNSCALED

    def _unscale(self, optimizer: Any) -> bool:
        """Whether a gradient was not finite; all are looked at together."""
        torch = PUBLIC["torch"]
        inverse = tensor(1.0 / self._scale_value, dtype=dt.float32)
        sums = []
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if p.grad.dtype is dt.float16:
                    raise ValueError("Attempting to unscale FP16 gradients.")
                g = p.grad.detach()
                sums.append(torch["isfinite"](g).all())
                g.mul_(inverse.to(g.dtype))
        if not sums:
            return False
        return not bool(torch["stack"](sums).all())

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step()`, unless a gradient is not finite."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_started("step")
        record = self._records[id(optimizer)]
        if record.stage is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if record.stage is OptState.READY:
            self.unscale_(optimizer)
        if not any(p.grad is not None for g in optimizer.param_groups for p in g["params"]):
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None if record.found else optimizer.step(*args, **kwargs)
        record.stage = OptState.STEPPED
        return result

    def update(self, new_scale: Any = None) -> None:
        """Move the scale, or set it."""
        if not self._enabled:
            return
        self._check_started("update")
        if new_scale is not None:
            if isinstance(new_scale, Tensor) and new_scale.requires_grad:
                raise AssertionError("new_scale should be a float or a tensor without gradient")
            self._scale_value = float(new_scale)
        else:
            found = [r.found for r in self._records.values() if r.found is not None]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            self._move(any(found))
        self._records = defaultdict(_Record)

    def _move(self, overflowed: bool) -> None:
        if overflowed:
            self._scale_value *= self._backoff_factor
            self._growth_count = 0
            return
        self._growth_count += 1
        if self._growth_count >= self._growth_interval:
            larger = self._scale_value * self._growth_factor
            if larger < 3.4e38:
                self._scale_value = larger
            self._growth_count = 0

    def _check_started(self, name: str) -> None:
        if not self._started:
            raise AssertionError(f"Attempted {name} but _scale is None.  This may indicate your "
                                 "script did not use scaler.scale(loss or outputs) earlier in the "
                                 "iteration.")

    # ------------------------------------------------------------ settings

    @property
    def _scale(self) -> Tensor | None:
        if not self._enabled or not self._started:
            return None
        return tensor(self._scale_value, dtype=dt.float32)

    def get_scale(self) -> float:
        if not self._enabled:
            return 1.0
        return self._scale_value if self._started else self._init_scale

    def get_growth_factor(self) -> float:
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        return self._growth_count if self._enabled else 0

    def is_enabled(self) -> bool:
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        if not self._enabled:
            return {}
        return {"scale": self.get_scale(), "growth_factor": self._growth_factor,
                "backoff_factor": self._backoff_factor, "growth_interval": self._growth_interval,
                "_growth_tracker": self._growth_count}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("The source state dict is empty, possibly because it was saved from "
                               "a disabled instance of GradScaler.")
        self._init_scale = self._scale_value = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_count = state_dict["_growth_tracker"]




__all__ = ["GradScaler", "OptState"]
