"""Small pieces of native code that the runtime itself needs, from LLVM IR text to addresses.

In: IR text that refers to nothing outside itself.  Out: the addresses of its functions, valid for
the life of the process.  Called by ``threads`` and ``machine``; programs have ``codegen``::

    address = native.load(ir, ("fb_parallel",))["fb_parallel"]
    call = ctypes.CFUNCTYPE(None, ...)(address)

The object code is kept in the disk cache, so LLVM compiles a text once on a machine.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import Any

from flambeau.runtime import cache

_load_lock = threading.RLock()                  # held while LLVM is loaded; the outermost
_link_lock = threading.Lock()
_fork_locks: list[Any] = [_link_lock]           # inner locks first
_outer_locks: list[Any] = []


def hold_over_fork(lock: Any, outermost: bool = False) -> None:
    """Have ``os.fork`` wait for ``lock``, so that a child never inherits it from a lost thread.

    For locks that are held round compilation; register an outer lock after the inner ones.
    ``outermost``: a lock that is taken before LLVM is even loaded.
    """
    (_outer_locks if outermost else _fork_locks).append(lock)


def _before_fork() -> None:
    for lock in reversed(_outer_locks):
        lock.acquire()
    # Before the inner ones, since loading adds to them.
    _load_lock.acquire()
    for lock in reversed(_fork_locks):
        lock.acquire()


def _after_fork() -> None:
    for lock in _fork_locks:
        lock.release()
    _load_lock.release()
    for lock in _outer_locks:
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )


@lru_cache(maxsize=1)
def binding() -> Any:
    """llvmlite's binding, loaded by the first program: it takes as long as half of NumPy."""
    with _load_lock:
        import llvmlite.binding

        # llvmlite holds a lock round every LLVM call; it is private, hence getattr.
        lock = getattr(getattr(llvmlite.binding.ffi.lib, "_lock", None), "_lock", None)
        if lock is not None and lock not in _fork_locks:
            _fork_locks.insert(0, lock)
    return llvmlite.binding


@lru_cache(maxsize=1)
def initialize() -> None:
    """Make LLVM's native target known; cheap to call again."""
    llvm = binding()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def target_machine(opt: int = 2) -> Any:
    """A fresh target machine for this processor, all its features on."""
    initialize()
    llvm = binding()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=opt,
        jit=True,
    )


def is_x86() -> bool:
    """Whether this process runs x86-64 code."""
    return binding().get_process_triple().split("-")[0] in ("x86_64", "amd64", "i686")


def is_arm() -> bool:
    """Whether this process runs AArch64 code."""
    return binding().get_process_triple().split("-")[0] in ("aarch64", "arm64", "arm64e")


def load(ir: str, names: tuple[str, ...]) -> dict[str, int]:
    """Compile (or fetch) and link ``ir``; returns the address of each function in ``names``.

    The code is never unmapped: worker threads stay inside it until the process is gone.
    """
    key = f"native\0{ir}"
    code = cache.load(key)
    if code is None:
        code = _compile(ir)
        cache.store(key, code)
    machine = target_machine()
    llvm = binding()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    with _link_lock:
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        addresses = {name: engine.get_function_address(name) for name in names}
    engine.detach()
    missing = [name for name, address in addresses.items() if not address]
    if missing:
        raise RuntimeError(f"native code lacks {', '.join(missing)}")
    return addresses


def _compile(ir: str) -> bytes:
    """Object code of ``ir`` for this processor."""
    machine = target_machine()
    llvm = binding()
    module = llvm.parse_assembly(ir)
    module.triple = llvm.get_process_triple()
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code
