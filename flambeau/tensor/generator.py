"""`torch.Generator` and the default one.

In: seeds and states. Out: the engine (`runtime.random.MT19937`) that random functions draw from.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core.device import check_device
from ..core.follow import refuse
from ..runtime.random import MT19937
from .tensor import Tensor


class Generator:
    """A stream of random numbers of its own."""

    __slots__ = ("__weakref__", "device", "engine")

    def __init__(self, device: Any = "cpu") -> None:
        self.device = check_device(device)
        self.engine = MT19937()

    def manual_seed(self, seed: int) -> Generator:
        """Start the default generator's stream at a seed."""
        refuse("a random generator's state is set or read")
        self.engine.manual_seed(int(seed))
        return self

    def initial_seed(self) -> int:
        """The seed that the default generator's stream started at."""
        return self.engine.initial_seed()

    def seed(self) -> int:
        """Start the default generator's stream at a seed of chance; the seed."""
        refuse("a random generator's state is set or read")
        return self.engine.seed()

    def get_state(self) -> Tensor:
        refuse("a random generator's state is set or read")
        from .creation import finish, from_array
        return finish(from_array(self.engine.get_state()))

    def set_state(self, new_state: Tensor) -> Generator:
        refuse("a random generator's state is set or read")
        from .conversion import values
        if not isinstance(new_state, Tensor):
            raise TypeError("set_state(): argument 'new_state' (position 1) must be Tensor, not "
                            f"{type(new_state).__name__}")
        self.engine.set_state(np.array(values(new_state)))
        return self

    def clone_state(self) -> Generator:
        refuse("a random generator's state is set or read")
        made = Generator()
        made.engine = self.engine.clone()
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.engine.get_state(),))

    def __repr__(self) -> str:
        return f"<torch._C.Generator object at {id(self):#x}>"


def _rebuild(state: Any) -> Generator:
    made = Generator()
    made.engine.set_state(state)
    return made


default_generator = Generator()


def engine(generator: Generator | None) -> MT19937:
    """The random engine of a generator, or of the default one."""
    return (default_generator if generator is None else generator).engine


def manual_seed(seed: int) -> Generator:
    """Start the default generator's stream at a seed."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default generator's stream at a seed of chance; the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator's stream started at."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state, as bytes."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator into a state."""
    default_generator.set_state(new_state)
