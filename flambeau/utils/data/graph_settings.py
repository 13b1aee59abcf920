"""torch.utils.data.graph_settings: settings of graphs of data pipes, of which there are none here.

In: what a program would send through. Out: the same; a DataLoader's own settings rule.
"""
from __future__ import annotations

from typing import Any

__all__ = ["apply_random_seed", "apply_sharding", "apply_shuffle_seed", "apply_shuffle_settings",
           "get_all_graph_pipes"]


def _refuse_pipes(datapipe: Any) -> Any:
    from .datapipes.datapipe import IterDataPipe, MapDataPipe

    if isinstance(datapipe, (IterDataPipe, MapDataPipe)):
        raise NotImplementedError("flambeau does not run graphs of data pipes; a Dataset or "
                                  "IterableDataset does the same")
    return datapipe


def get_all_graph_pipes(graph: Any) -> list[Any]:
    """The pipes of a graph: there are none."""
    return []


def apply_sharding(datapipe: Any, num_of_instances: int, instance_id: int,
                   sharding_group: Any = None) -> Any:
    """The data, unless they are pipes, which are refused."""
    return _refuse_pipes(datapipe)


def apply_shuffle_settings(datapipe: Any, shuffle: bool | None = None) -> Any:
    """The data, unless they are pipes, which are refused."""
    return _refuse_pipes(datapipe)


def apply_shuffle_seed(datapipe: Any, rng: Any) -> Any:
    """The data, unless they are pipes, which are refused."""
    return _refuse_pipes(datapipe)


def apply_random_seed(datapipe: Any, rng: Any) -> Any:
    """The data, unless they are pipes, which are refused."""
    return _refuse_pipes(datapipe)
