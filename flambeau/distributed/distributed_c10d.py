"""torch.distributed's functions for the world that is here: one process.

In: tensors and objects. Out: what the collective gives in a group of one, which is exact: the sum
over all processes is the tensor itself, everyone's tensors are a list of one.
"""
from __future__ import annotations

import enum
import os
from datetime import timedelta
from typing import Any

from ..autograd.grad_mode import no_grad
from ..futures import Future
from ..tensor.tensor import Tensor
from ._absent import refused
from .constants import default_pg_nccl_timeout, default_pg_timeout


class Backend(str):
    """The name of a backend, in small letters."""

    UNDEFINED = "undefined"
    GLOO = "gloo"
    NCCL = "nccl"
    UCC = "ucc"
    MPI = "mpi"
    XCCL = "xccl"
    FAKE = "fake"
    backend_list = [UNDEFINED, GLOO, NCCL, XCCL, UCC, MPI, FAKE]
    default_device_backend_map = {"cpu": GLOO, "cuda": NCCL, "xpu": XCCL, "mps": GLOO}

    def __new__(cls, name: str) -> Backend:
        if not isinstance(name, str):
            raise ValueError("Backend constructor parameter must be string-ish")
        return super().__new__(cls, getattr(Backend, name.upper(), name.lower()))

    @classmethod
    def register_backend(cls, name: str, func: Any, extended_api: bool = False,
                         devices: Any = None) -> None:
        refused("register_backend")["register_backend"]()


class ReduceOp:
    """How a reduction combines; over one process all leave the tensor as it is."""

    class RedOpType(enum.IntEnum):
        """The kinds."""

        SUM = 0
        AVG = 1
        PRODUCT = 2
        MIN = 3
        MAX = 4
        BAND = 5
        BOR = 6
        BXOR = 7
        PREMUL_SUM = 8
        UNUSED = 9

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM, UNUSED = RedOpType

    def __init__(self, op: RedOpType) -> None:
        self.op = op


reduce_op = ReduceOp


class Work:
    """A collective under way: always done."""

    def __init__(self, result: Any = None) -> None:
        self._result = result

    def is_completed(self) -> bool:
        return True

    def is_success(self) -> bool:
        return True

    def wait(self, timeout: Any = None) -> bool:
        return True

    def get_future(self) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(self._result)
        return future

    def result(self) -> Any:
        return self._result


class ProcessGroup:
    """A group of processes: this one."""

    def __init__(self, backend: str = "gloo", name: str = "default") -> None:
        self._backend = Backend(backend)
        self.group_name = name
        self.group_desc = name

    def rank(self) -> int:
        return 0

    def size(self) -> int:
        return 1

    def name(self) -> str:
        return str(self._backend)


class group:  # noqa: N801
    """`group.WORLD`: the default group, or None before `init_process_group`."""

    WORLD: ProcessGroup | None = None


class GroupMember:
    """`GroupMember.NON_GROUP_MEMBER`: what a process outside a new group gets."""

    WORLD: ProcessGroup | None = None
    NON_GROUP_MEMBER = -100


_UNSET = ("Default process group has not been initialized, please make sure to call "
          "init_process_group.")


def is_available() -> bool:
    """Whether torch.distributed can be used: yes, in one process."""
    return True


def is_initialized() -> bool:
    return group.WORLD is not None


def is_mpi_available() -> bool:
    return False


def is_nccl_available() -> bool:
    return False


def is_gloo_available() -> bool:
    return True


def is_ucc_available() -> bool:
    return False


def is_xccl_available() -> bool:
    return False


def is_backend_available(backend: str) -> bool:
    return backend.lower() == "gloo"


def is_torchelastic_launched() -> bool:
    """Whether torchrun started this process."""
    return os.environ.get("TORCHELASTIC_RUN_ID") is not None


def _get_default_group() -> ProcessGroup:
    if group.WORLD is None:
        raise ValueError(_UNSET)
    return group.WORLD


def init_process_group(backend: str | None = None, init_method: str | None = None,
                       timeout: timedelta | None = None, world_size: int = -1, rank: int = -1,
                       store: Any = None, group_name: str = "", pg_options: Any = None,
                       device_id: Any = None) -> None:
    """Make the default group; RuntimeError if it should hold more than this process."""
    if group.WORLD is not None:
        raise ValueError("trying to initialize the default process group twice!")
    if world_size < 0 and store is None:
        world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size > 1:
        raise RuntimeError(f"flambeau runs in one process: a group of {world_size} processes is "
                           "not supported")
    group.WORLD = GroupMember.WORLD = ProcessGroup(backend or "gloo", group_name or "default")


def destroy_process_group(group: Any = None) -> None:
    if not is_initialized():
        raise AssertionError("Process group cannot be None")
    if group is None or group is GroupMember.WORLD:
        _forget()


def _forget() -> None:
    group.WORLD = GroupMember.WORLD = None


def get_rank(group: Any = None) -> int:
    """This process's number in the group: 0."""
    _get_default_group()
    return 0


def get_world_size(group: Any = None) -> int:
    """How many processes there are: 1."""
    _get_default_group()
    return 1


def get_backend(group: Any = None) -> Backend:
    return (group or _get_default_group())._backend


def get_backend_config(group: Any = None) -> str:
    return f"cpu:{get_backend(group)}"


def get_default_backend_for_device(device: Any) -> str:
    kind = getattr(device, "type", str(device)).split(":")[0]
    return Backend.default_device_backend_map[kind]


def get_process_group_ranks(group: Any) -> list[int]:
    return [0]


def get_global_rank(group: Any, group_rank: int) -> int:
    return group_rank


def get_group_rank(group: Any, global_rank: int) -> int:
    return global_rank


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    found = os.environ.get("LOCAL_RANK")
    if found is not None:
        return int(found)
    if fallback_rank is None:
        raise RuntimeError("LOCAL_RANK is not in the environment. Consider passing fallback_rank "
                           "to allow `get_node_local_rank` to work, assuming you are not running "
                           "in a multi-device context and want the code to run locally instead.")
    return int(fallback_rank)


def new_group(ranks: Any = None, timeout: Any = None, backend: str | None = None,
              pg_options: Any = None, use_local_synchronization: bool = False,
              group_desc: str | None = None, device_id: Any = None) -> Any:
    """A group of some of the processes, which can only be this one."""
    default = _get_default_group()
    if ranks is not None and list(ranks) != [0]:
        raise ValueError("the new group's world size should be less or equal to the world size "
                         "set by init_process_group")
    return ProcessGroup(backend or str(default._backend), group_desc or "default")


def new_subgroups(group_size: int | None = None, *args: Any, **kwargs: Any) -> Any:
    made = new_group()
    return made, [made]


def monitored_barrier(group: Any = None, timeout: Any = None,
                      wait_all_ranks: bool = False) -> None:
    _get_default_group()


def split_group(*args: Any, **kwargs: Any) -> Any:
    return new_group()


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    _get_default_group()
    return _done(None, async_op)


# ---------------------------------------------------------------- collectives


def _done(result: Any, async_op: bool) -> Work | None:
    return Work(result) if async_op else None


def _tensor(x: Any, name: str = "tensor") -> Tensor:
    _get_default_group()
    if not isinstance(x, Tensor):
        raise TypeError(f"Invalid function argument. Expected parameter `{name}` of type "
                        f"torch.Tensor but got {type(x)} instead.")
    return x


def _copy(into: Any, value: Any) -> None:
    with no_grad():
        into.copy_(value.reshape(into.shape))


def broadcast(tensor: Any, src: int | None = None, group: Any = None, async_op: bool = False,
              group_src: int | None = None) -> Work | None:
    return _done([_tensor(tensor)], async_op)


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None,
               async_op: bool = False) -> Work | None:
    return _done([_tensor(tensor)], async_op)


def reduce(tensor: Any, dst: int | None = None, op: Any = ReduceOp.SUM, group: Any = None,
           async_op: bool = False, group_dst: int | None = None) -> Work | None:
    return _done([_tensor(tensor)], async_op)


def all_gather(tensor_list: Any, tensor: Any, group: Any = None,
               async_op: bool = False) -> Work | None:
    """tensor_list[0] gets the tensor."""
    _one(tensor_list, "tensor_list")
    _copy(tensor_list[0], _tensor(tensor))
    return _done(tensor_list, async_op)


def _one(items: Any, name: str) -> None:
    _get_default_group()
    if len(items) != 1:
        raise ValueError(f"{name} must hold one item a process: 1, not {len(items)}")


def all_gather_into_tensor(output_tensor: Any, input_tensor: Any, group: Any = None,
                           async_op: bool = False) -> Work | None:
    _copy(_tensor(output_tensor), _tensor(input_tensor))
    return _done(output_tensor, async_op)


def gather(tensor: Any, gather_list: Any = None, dst: int | None = None, group: Any = None,
           async_op: bool = False, group_dst: int | None = None) -> Work | None:
    _one(gather_list or [], "gather_list")
    _copy(gather_list[0], _tensor(tensor))
    return _done(gather_list, async_op)


def scatter(tensor: Any, scatter_list: Any = None, src: int | None = None, group: Any = None,
            async_op: bool = False, group_src: int | None = None) -> Work | None:
    _one(scatter_list or [], "scatter_list")
    _copy(_tensor(tensor), scatter_list[0])
    return _done(tensor, async_op)


def reduce_scatter(output: Any, input_list: Any, op: Any = ReduceOp.SUM, group: Any = None,
                   async_op: bool = False) -> Work | None:
    _one(input_list, "input_list")
    _copy(_tensor(output), input_list[0])
    return _done(output, async_op)


def reduce_scatter_tensor(output: Any, input: Any, op: Any = ReduceOp.SUM, group: Any = None,
                          async_op: bool = False) -> Work | None:
    _copy(_tensor(output), _tensor(input))
    return _done(output, async_op)


def all_to_all(output_tensor_list: Any, input_tensor_list: Any, group: Any = None,
               async_op: bool = False) -> Work | None:
    _one(output_tensor_list, "output_tensor_list")
    _copy(output_tensor_list[0], input_tensor_list[0])
    return _done(output_tensor_list, async_op)


def all_to_all_single(output: Any, input: Any, output_split_sizes: Any = None,
                      input_split_sizes: Any = None, group: Any = None,
                      async_op: bool = False) -> Work | None:
    _copy(_tensor(output), _tensor(input))
    return _done(output, async_op)


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    _one(object_list, "object_list")
    object_list[0] = obj


def gather_object(obj: Any, object_gather_list: Any = None, dst: int | None = None,
                  group: Any = None, group_dst: int | None = None) -> None:
    _one(object_gather_list or [], "object_gather_list")
    object_gather_list[0] = obj


def broadcast_object_list(object_list: list[Any], src: int | None = None, group: Any = None,
                          device: Any = None, group_src: int | None = None,
                          weights_only: Any = None) -> None:
    _get_default_group()


def scatter_object_list(scatter_object_output_list: list[Any],
                        scatter_object_input_list: Any = None,
                        src: int | None = None, group: Any = None,
                        group_src: int | None = None) -> None:
    _one(scatter_object_input_list or [], "scatter_object_input_list")
    scatter_object_output_list[0] = scatter_object_input_list[0]


def _rank_not_in_group(group: Any) -> bool:
    return group is not None and group == GroupMember.NON_GROUP_MEMBER


def supports_complex(op: Any) -> bool:
    return op not in (ReduceOp.MAX, ReduceOp.MIN, ReduceOp.PRODUCT, ReduceOp.BAND, ReduceOp.BOR,
                      ReduceOp.BXOR)


_REFUSED = refused("send", "recv", "isend", "irecv", "batch_isend_irecv", "send_object_list",
                   "recv_object_list", "all_reduce_coalesced", "all_gather_coalesced")
send, recv, isend, irecv = (_REFUSED[n] for n in ("send", "recv", "isend", "irecv"))
batch_isend_irecv = _REFUSED["batch_isend_irecv"]
send_object_list, recv_object_list = _REFUSED["send_object_list"], _REFUSED["recv_object_list"]
all_reduce_coalesced = _REFUSED["all_reduce_coalesced"]
all_gather_coalesced = _REFUSED["all_gather_coalesced"]

__all__ = [
    "Backend", "GroupMember", "ProcessGroup", "ReduceOp", "Work", "all_gather",
    "all_gather_coalesced", "all_gather_into_tensor", "all_gather_object", "all_reduce",
    "all_reduce_coalesced", "all_to_all", "all_to_all_single", "barrier", "batch_isend_irecv",
    "broadcast", "broadcast_object_list", "default_pg_nccl_timeout", "default_pg_timeout",
    "destroy_process_group", "gather", "gather_object", "get_backend", "get_backend_config",
    "get_default_backend_for_device", "get_global_rank", "get_group_rank", "get_node_local_rank",
    "get_process_group_ranks", "get_rank", "get_world_size", "group", "init_process_group",
    "irecv", "is_available", "is_backend_available", "is_gloo_available", "is_initialized",
    "is_mpi_available", "is_nccl_available", "is_torchelastic_launched", "is_ucc_available",
    "is_xccl_available", "isend", "monitored_barrier", "new_group", "new_subgroups", "recv",
    "recv_object_list", "reduce", "reduce_op", "reduce_scatter", "reduce_scatter_tensor",
    "scatter", "scatter_object_list", "send", "send_object_list", "split_group",
    "supports_complex",
]
