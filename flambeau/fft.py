"""`torch.fft`: the operations that the table lists under that name, and the frequencies."""
from __future__ import annotations

from .tensor.names import PUBLIC as _PUBLIC
from .tensor.windows import fftfreq as fftfreq
from .tensor.windows import rfftfreq as rfftfreq

globals().update(_PUBLIC.get("fft", {}))
