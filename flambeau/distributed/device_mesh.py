"""torch.distributed.device_mesh: devices in a grid; here a grid of one."""
from __future__ import annotations

from typing import Any

from ..tensor.creation import tensor as _tensor
from .distributed_c10d import ProcessGroup, group, init_process_group


class DeviceMesh:
    """A grid of processes of which every side is 1."""

    def __init__(self, device_type: str, mesh: Any, *, mesh_dim_names: Any = None,
                 backend_override: Any = None, _init_backend: bool = True,
                 _rank: int | None = None) -> None:
        self.device_type = device_type
        self.mesh = _tensor(mesh) if isinstance(mesh, (list, tuple, int)) else mesh
        if self.mesh.numel() != 1:
            raise RuntimeError("flambeau runs in one process: a mesh of "
                               f"{self.mesh.numel()} is not supported")
        self.mesh_dim_names = tuple(mesh_dim_names) if mesh_dim_names else None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.mesh.shape)

    @property
    def ndim(self) -> int:
        return self.mesh.ndim

    def size(self, mesh_dim: int | None = None) -> int:
        return 1

    def get_rank(self) -> int:
        return 0

    def get_local_rank(self, mesh_dim: Any = None) -> int:
        return 0

    def get_coordinate(self) -> list[int]:
        return [0] * self.ndim

    def get_group(self, mesh_dim: Any = None) -> ProcessGroup:
        if group.WORLD is None:
            raise RuntimeError("DeviceMesh process groups not initialized!")
        return group.WORLD

    def get_all_groups(self) -> list[ProcessGroup]:
        return [self.get_group()] * self.ndim

    def __getitem__(self, mesh_dim_names: Any) -> DeviceMesh:
        names = (mesh_dim_names,) if isinstance(mesh_dim_names, str) else tuple(mesh_dim_names)
        if not self.mesh_dim_names or not set(names) <= set(self.mesh_dim_names):
            raise KeyError(f"Invalid mesh_dim_names {names} specified. Valid mesh_dim_names are "
                           f"{self.mesh_dim_names}.")
        return DeviceMesh(self.device_type, self.mesh.reshape([1] * len(names)),
                          mesh_dim_names=names)

    def __repr__(self) -> str:
        return f"DeviceMesh({self.shape}, '{self.device_type}')"


def init_device_mesh(device_type: str, mesh_shape: tuple[int, ...], *, mesh_dim_names: Any = None,
                     backend_override: Any = None) -> DeviceMesh:
    """A grid of that shape; the default group is made if there is none."""
    if mesh_dim_names is not None and len(mesh_dim_names) != len(mesh_shape):
        raise RuntimeError("mesh_shape and mesh_dim_names should have same length!")
    if group.WORLD is None:
        init_process_group()
    size = 1
    for n in mesh_shape:
        size *= n
    mesh = _tensor(list(range(size))).reshape(tuple(mesh_shape))
    return DeviceMesh(device_type, mesh, mesh_dim_names=mesh_dim_names)


__all__ = ["DeviceMesh", "init_device_mesh"]
