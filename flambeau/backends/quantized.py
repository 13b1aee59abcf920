"""`torch.backends.quantized`: there is no quantised engine."""
from __future__ import annotations

engine = "none"
supported_engines = ["none"]
