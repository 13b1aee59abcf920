"""Types that annotations of scripted functions use."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: UP035

from .._jit_internal import BroadcastingList1, BroadcastingList2, BroadcastingList3, Final, Future

__all__ = ["Any", "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Dict", "Final",
           "Future", "List", "Optional", "Tuple", "Union"]
