"""Where random numbers come from: generators, one for each device and those of the user's.

The CPU draws from NumPy's PCG64, a GPU from Philox: the same seed gives the same numbers again on
the same kind of device, but neither PyTorch's numbers nor the other's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad._device import CPU, device
from gpugrad.backend.batched import Batched, Level, door_for
from gpugrad.errors import OVERFLOW
from gpugrad.graph import TensorBase, mode
from gpugrad.op.saved import wrap

Array = Any
DeviceLike = str | int | device | None


class Generator:
    """A source of random numbers on one device, with a state of its own."""

    __module__ = "gpugrad"

    def __init__(self, device: DeviceLike = None):
        self.device = _place(device)
        self._seed = 67280421310721  # PyTorch's default seed
        self._source: Any = None

    def manual_seed(self, seed: int) -> Generator:
        """Start again from ``seed`` and return the generator.

        Raises:
            RuntimeError: The seed is no integer, or a CUDA graph is captured.
            ValueError: It has more than 64 bits.
        """
        if not isinstance(seed, int):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(OVERFLOW)
        if self.device.type == "cuda" and backend.capturing():
            raise RuntimeError(
                "Cannot call Generator.manual_seed during CUDA graph capture: seed before the "
                "capture or a replay, which goes on where the generator stands then."
            )
        backend.interrupt("seeding a generator")
        self._seed = seed % 2**64
        if self._source is not None:
            self._source.begin(self._seed)
        return self

    def initial_seed(self) -> int:
        """Return the seed that the generator started from."""
        backend.interrupt("asking a generator for its seed")
        return self._seed

    def seed(self) -> int:
        """Start again from a seed that the operating system draws, and return it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "big") >> 1)
        return self._seed

    @property
    def source(self) -> Any:
        """The stream of numbers behind the generator."""
        if self._source is None:
            self._source = backend.of_device(self.device).source(self._seed, self.device)
        return self._source

    @property
    def _state(self) -> bytes:
        return self._seed.to_bytes(8, "little") + self.source.state

    @_state.setter
    def _state(self, state: bytes) -> None:
        backend.interrupt("setting the state of a generator")
        self._seed = int.from_bytes(state[:8], "little")
        self.source.state = state[8:]

    def get_state(self) -> Any:
        """Return where the generator stands, as a tensor of bytes on the CPU."""
        backend.interrupt("asking a generator where it stands")
        return wrap(np.frombuffer(self._state, np.uint8).copy())

    def set_state(self, new_state: Any) -> None:
        """Let the generator stand where it, or another one of its kind of device, once stood.

        Raises:
            RuntimeError: The tensor is no state.
            TypeError: It is no tensor of bytes on the CPU.
        """
        if not isinstance(new_state, TensorBase):
            raise TypeError(f"expected a gpugrad.ByteTensor, but got {type(new_state).__name__}")
        array = new_state._array
        if array.dtype != np.uint8 or backend.of(array).type != "cpu":
            raise TypeError("RNG state must be a gpugrad.ByteTensor")
        if array.size != (expected := len(self._state)):
            kind = "CPU" if self.device.type == "cpu" else "CUDA"
            raise RuntimeError(
                f"Expected a {kind}GeneratorImplState of size {expected} but found the input RNG "
                f"state size to be {array.size}"
            )
        self._state = array.tobytes()

    def get_offset(self) -> int:
        """Return how many elements a generator of a GPU has drawn since its seed.

        Raises:
            RuntimeError: The generator is the CPU's.
        """
        self._check_offset()
        backend.interrupt("asking a generator where it stands")
        return int(self.source.offset)

    def set_offset(self, offset: int) -> None:
        """Let a generator of a GPU stand where it has drawn this many elements since its seed.

        Raises:
            RuntimeError: The generator is the CPU's.
        """
        self._check_offset()
        self.source.offset = offset

    def _check_offset(self) -> None:
        if self.device.type == "cpu":
            raise RuntimeError("CPU Generator does not use offset")

    def clone_state(self) -> Generator:
        """Return another generator that stands where this one does."""
        return _restored(self.device, self._state)

    def __reduce__(self) -> Any:
        return _restored, (self.device, self._state)


def _restored(where: device, state: bytes) -> Generator:
    made = Generator(where)
    made._state = state
    return made


def _place(where: DeviceLike) -> device:
    return CPU if where is None else device(where)


default_generator = Generator()
_cuda_generators: dict[int, Generator] = {}


def default_of(where: device) -> Generator:
    """Return the default generator of a device."""
    if where.type == "cpu":
        return default_generator
    number = where.index or 0
    if number not in _cuda_generators:
        made = Generator(device("cuda", number)).manual_seed(default_generator.initial_seed())
        _cuda_generators[number] = made
    return _cuda_generators[number]


def manual_seed(seed: int) -> Generator:
    """Seed the default generators of all devices; return the CPU's.

    Raises:
        ValueError: ``seed`` is not a whole number.
    """
    number = int(seed)
    default_generator.manual_seed(number)
    for g in _cuda_generators.values():
        g.manual_seed(number)
    return default_generator


def seed() -> int:
    """Seed the default generators of all devices by one number, which is drawn and returned."""
    number = default_generator.seed()
    manual_seed(number)
    return number


def initial_seed() -> int:
    """Return the seed of the CPU's default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """Return where the CPU's default generator stands, as a tensor of bytes."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Let the CPU's default generator stand where it once stood.

    Raises:
        RuntimeError: The tensor is no state.
        TypeError: It is no tensor of bytes.
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None, enabled: bool = True, device_type: str | None = None
) -> Iterator[None]:
    """Let the default generators stand, after a block, where they did before.

    Args:
        devices: Of which GPUs; by default of all that random numbers were drawn on.
        enabled: Whether anything is done.
        device_type: What kind of devices these are: "cuda".
    """
    if not enabled:
        yield
        return
    if devices is None:  # of GPUs, which programs seed where there are none
        drawn = _cuda_generators and backend.cuda_problem() is None
        generators = [default_generator, *(_cuda_generators.values() if drawn else ())]
    else:
        places = [device("cuda", d) if isinstance(d, int) else device(d) for d in devices]
        generators = [default_generator, *map(default_of, places)]
    states = [g._state for g in generators]
    try:
        yield
    finally:
        for g, state in zip(generators, states, strict=True):
            g._state = state


class Replay:
    """The states of the default generators of the CPU and of some values' devices.

    They draw the same numbers again.
    """

    def __init__(self, values: Iterable[Any]):
        arrays = [t._array for t in values if isinstance(t, TensorBase)]
        places = {backend.of(a).device_of(a) for a in arrays}
        generators = [default_generator, *(default_of(p) for p in places if p.type == "cuda")]
        self._states = {g: g._state for g in generators}

    @contextmanager
    def again(self) -> Iterator[None]:
        """Draw the same numbers while the block runs, and go on afterwards as if it had not."""
        states = {g: g._state for g in self._states}
        for g, state in self._states.items():
            g._state = state
        try:
            yield
        finally:
            for g, state in states.items():
                g._state = state


# --------------------------------------------------------------------------- drawing


def source(generator: Any, here: device, function: str = "") -> Any:
    """Return the stream that is drawn from on a device: a generator's, or that of the default one.

    Raises:
        RuntimeError: The generator is of another kind of device.
        TypeError: It is none.
    """
    if generator is None:
        generator = default_of(here)
    if not isinstance(generator, Generator):
        begin = f"{function}(): " if function else ""
        raise TypeError(
            f"{begin}argument 'generator' must be gpugrad.Generator, not {type(generator).__name__}"
        )
    if generator.device.type != here.type:
        raise RuntimeError(
            f"Expected a '{here.type}' device type for generator but found "
            f"'{generator.device.type}'"
        )
    return backend.recorders[-1].drawing(generator) if backend.recorders else generator.source


def examples() -> list[Level]:
    """Return the levels of ``vmap`` whose examples have numbers of their own, the outermost first.

    Raises:
        RuntimeError: One is in randomness error mode.
    """
    for level in mode.batches:
        if level.randomness == "error":
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use "
                "the 'same' or 'different' randomness flags on vmap or perform the randomness "
                "operation out of vmap"
            )
    return [level for level in mode.batches if level.randomness == "different"]


def by_example(array: Array, levels: Sequence[Level]) -> Array:
    """Return an array whose first axes are those of the levels as one example of it is seen."""
    return door_for(backend.of(array), levels).made(array) if levels else array


def for_each_example(*arrays: Array) -> tuple[list[Array], Any]:
    """Return arrays with all axes, hidden ones first, and what hides these axes again.

    Raises:
        RuntimeError: Numbers are to be the same for all examples, and the arrays are not.
    """
    levels = examples()
    for a in arrays:
        if a.__class__ is Batched and any(level not in levels for level in a.door.levels):
            raise RuntimeError(
                "Vmap does not currently support same randomness with a batched tensor input"
            )
    if not levels:
        return list(arrays), lambda found: found
    door = door_for(backend.of(arrays[0]), levels)
    return [door._full(a, door.sizes) for a in arrays], door.made
