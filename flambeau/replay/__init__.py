"""`torch.compile`: a call is recorded, and later ones run its programs without running the Python.

In: functions and modules. Out: `Replayed`, a function that does the same. Modules of this package:

    code      which Python code ran, which names it reads, which C functions it called
    world     the Python state that this code can see, and whether it is as it was
    recorder  what a call computed: programs, where their inputs came from, what was written
    results   what a call gave back and left behind, as instructions to make it again
    plan      two recordings that agree, as something to run
    replayed  the policy: when to record, when to replay, why not
"""
from __future__ import annotations

from .replayed import Replayed, explain, reset

__all__ = ["Replayed", "explain", "reset"]
