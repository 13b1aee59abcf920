"""torch._subclasses: tensors without data. PyTorch's tracers use them; here device "meta" does."""
from .fake_tensor import FakeTensor, FakeTensorMode

__all__ = ["FakeTensor", "FakeTensorMode"]
