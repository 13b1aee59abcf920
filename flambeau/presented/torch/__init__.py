"""Stands where `import torch` looks in a process that has not called `compat.as_torch` yet.

In: the import of `torch` in a child of a program run by ``python -m flambeau``. Out: flambeau.
"""
from flambeau.compat import as_torch

as_torch()
