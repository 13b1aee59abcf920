"""torch.ao.quantization: nothing is quantised; the names refuse when they are used."""
from __future__ import annotations

from typing import Any

from ...core.absent import refuse, refuse_all, refusing_class
from ...nn.modules.module import Module

_ERROR = NotImplementedError("flambeau does not quantise models")


class QuantStub(Module):
    """Marks where values become quantised: until then it passes them on, as PyTorch's does."""

    def __init__(self, qconfig: Any = None) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        return x


class DeQuantStub(Module):
    """Marks where values become floats again: until then it passes them on."""

    def __init__(self, qconfig: Any = None) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        return x


class QuantWrapper(Module):
    """A module between the two stubs."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.quant, self.dequant, self.module = QuantStub(), DeQuantStub(), module

    def forward(self, x: Any) -> Any:
        return self.dequant(self.module(self.quant(x)))


globals().update({
    **refuse_all(("convert", "fuse_modules", "fuse_modules_qat", "get_default_qat_qconfig",
                  "get_default_qconfig", "get_default_qconfig_mapping", "prepare", "prepare_qat",
                  "quantize", "quantize_dynamic", "quantize_qat", "quantize_jit",
                  "quantize_dynamic_jit", "propagate_qconfig_", "swap_module"), _ERROR),
    **{name: refusing_class(name, __name__, _ERROR) for name in (
        "FakeQuantize", "FakeQuantizeBase", "HistogramObserver", "MinMaxObserver",
        "MovingAverageMinMaxObserver", "ObserverBase", "PerChannelMinMaxObserver",
        "PlaceholderObserver", "QConfig", "QConfigMapping")},
})
disable_fake_quant = refuse("disable_fake_quant", _ERROR)
enable_fake_quant = refuse("enable_fake_quant", _ERROR)

__all__ = ["DeQuantStub", "QuantStub", "QuantWrapper", "disable_fake_quant", "enable_fake_quant"]
