"""Tensor, its storage and views, and the door from tensors to the graph."""
