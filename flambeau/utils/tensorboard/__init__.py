"""torch.utils.tensorboard: event files for TensorBoard, which need no TensorBoard to be written."""
from .writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]
