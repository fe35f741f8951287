"""Random tensors and the generators they are drawn from.

The CPU draws from NumPy's PCG64, CUDA from CuPy's generator: the same seed gives the same numbers
again on the same device, but neither PyTorch's numbers nor the other device's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._device import CPU, device
from gpugrad._dtype import dtype
from gpugrad.backend.batched import Level, door_for
from gpugrad.graph import TensorBase, mode
from gpugrad.op import public
from gpugrad.op.saved import descended, wrap
from gpugrad.ops.creation import DeviceLike, _like, _sizes, finish, place

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


class Generator:
    """A source of random numbers on one device, with a state of its own."""

    def __init__(self, device: DeviceLike = None):
        self.device = place(device)
        self._seed = 67280421310721  # PyTorch's default seed
        self._source: Any = None

    def manual_seed(self, seed: int) -> Generator:
        """Start again from ``seed`` and return the generator."""
        self._seed = int(seed)
        self._source = None
        return self

    def initial_seed(self) -> int:
        """Return the seed that the generator started from."""
        return self._seed

    def seed(self) -> int:
        """Start again from a seed that the operating system draws, and return it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "big") >> 1)
        return self._seed

    @property
    def source(self) -> Any:
        """The array library's generator behind this one."""
        if self._source is None:
            door = backend.of_device(self.device)
            if door.type == "cpu":
                self._source = np.random.Generator(np.random.PCG64(self._seed % 2**64))
            else:
                self._source = door.xp.random.RandomState(self._seed % 2**32)
        return self._source


default_generator = Generator()
_cuda_generators: dict[int, Generator] = {}


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


def initial_seed() -> int:
    """Return the seed of the CPU's default generator."""
    return default_generator.initial_seed()


def _default(number: int) -> Generator:
    """Return the default generator of a CUDA device."""
    if number not in _cuda_generators:
        made = Generator(device("cuda", number)).manual_seed(default_generator.initial_seed())
        _cuda_generators[number] = made
    return _cuda_generators[number]


class Replay:
    """The state of the default generators, to draw the same numbers again.

    CuPy's generators have no state that could be read: those of the devices of ``values`` go on
    from a seed of their own.
    """

    def __init__(self, values: Iterable[Any]):
        self._state = default_generator.source.bit_generator.state
        self._seeds: dict[int, int] = {}
        for t in values:
            if isinstance(t, TensorBase) and backend.of(t._array).type == "cuda":
                number = backend.of(t._array).device_of(t._array).index or 0
                if number not in self._seeds:
                    generator = _default(number)
                    self._seeds[number] = int(generator.source.randint(0, 2**31 - 1))
                    generator._source = self._started(number)

    def _started(self, number: int) -> Any:
        where = device("cuda", number)
        return backend.of_device(where).xp.random.RandomState(self._seeds[number])

    @contextmanager
    def again(self) -> Iterator[None]:
        """Draw the same numbers while the block runs, and go on afterwards as if it had not."""
        bits = default_generator.source.bit_generator
        state, sources = bits.state, {n: _default(n)._source for n in self._seeds}
        bits.state = self._state
        for number in self._seeds:
            _default(number)._source = self._started(number)
        try:
            yield
        finally:
            bits.state = state
            for number, source in sources.items():
                _default(number)._source = source


def _source(generator: Generator | None, here: device) -> Any:
    if generator is not None:
        if not isinstance(generator, Generator):
            raise TypeError(
                f"argument 'generator' must be gpugrad.Generator, not {type(generator).__name__}"
            )
        if generator.device.type != here.type:
            raise RuntimeError(
                f"Expected a '{here.type}' device type for generator but found "
                f"'{generator.device.type}'"
            )
        return generator.source
    if here.type == "cpu":
        return default_generator.source
    return _default(here.index or 0).source


def _floating(kind: dtype | None, what: str) -> dtype:
    kind = _dtype.chosen(kind, _dtype.get_default_dtype())
    if kind.category < _dtype.FLOAT:
        raise NotImplementedError(f"\"{what}\" not implemented for '{kind.title}'")
    return kind


def _drawn(shape: tuple[int, ...], kind: dtype, here: device, generator: Any, normal: bool) -> Any:
    door = backend.of_device(here)
    source = _source(generator, here)
    draw = source.standard_normal if normal else (
        source.random if door.type == "cpu" else source.random_sample
    )  # fmt: skip
    wide = np.dtype(np.float64) if kind.to_real().itemsize == 8 else np.dtype(np.float32)
    if kind.is_complex:
        parts = draw((2, *shape), dtype=wide)
        scale = wide.type(0.5**0.5 if normal else 1)
        array = (parts[0] + 1j * parts[1]) * scale
    else:
        array = draw(shape, dtype=wide)
    return door.xp.asarray(array).astype(kind.numpy, copy=False)


@public(method=False, out=True)
def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return numbers drawn evenly from [0, 1).

    Raises:
        NotImplementedError: The type is not floating point.
    """
    shape = _sizes(sizes, size, "rand")
    return _random(shape, dtype, place(device), generator, requires_grad, normal=False)


@public(method=False, out=True)
def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return numbers drawn from the standard normal distribution.

    Raises:
        NotImplementedError: The type is not floating point.
    """
    shape = _sizes(sizes, size, "randn")
    return _random(shape, dtype, place(device), generator, requires_grad, normal=True)


def _random(
    shape: tuple[int, ...],
    kind: dtype | None,
    here: device,
    generator: Generator | None,
    requires_grad: bool,
    normal: bool,
) -> Any:
    checked = _floating(kind, "normal_kernel_cpu" if normal else "check_uniform_bounds")
    levels = _examples()
    array = _drawn((*(level.size for level in levels), *shape), checked, here, generator, normal)
    return finish(wrap(_by_example(array, levels)), requires_grad)


def _examples() -> list[Level]:
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


def _by_example(array: Any, levels: Sequence[Level]) -> Any:
    """Return an array whose first axes are those of the levels as one example of it is seen."""
    return door_for(backend.of(array), levels).made(array) if levels else array


@public(method=False, out=True)
def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return whole numbers drawn evenly from [low, high); ``randint(high, size)`` starts at 0.

    Raises:
        RuntimeError: The interval is empty.
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if isinstance(size, int) or size is None:
        raise TypeError(
            "randint(): argument 'size' (position 2) must be tuple of ints, not "
            f"{type(size).__name__}"
        )
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    here = place(device)
    door = backend.of_device(here)
    source = _source(generator, here)
    draw = source.integers if door.type == "cpu" else source.randint
    kind = _dtype.chosen(dtype, _dtype.int64)
    levels = _examples()
    shape = (*(level.size for level in levels), *_sizes((size,)))
    array = door.xp.asarray(draw(low, high, size=shape)).astype(kind.numpy)
    return finish(wrap(_by_example(array, levels)), requires_grad)


def _random_like(
    input: TensorBase, kind: dtype | None, where: DeviceLike, generator: Generator | None,
    requires_grad: bool, normal: bool,
) -> Any:  # fmt: skip
    shape, found, here = _like(input, kind, where)
    result = _random(shape, found, here, generator, requires_grad, normal)
    return descended(result, (input,))


@public(method=False)
def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return :func:`rand` with the shape, type and device of ``input``."""
    return _random_like(input, dtype, device, generator, requires_grad, normal=False)


@public(method=False)
def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return :func:`randn` with the shape, type and device of ``input``."""
    return _random_like(input, dtype, device, generator, requires_grad, normal=True)


@public(method=False)
def randint_like(
    input: Tensor, low: int, high: int | None = None, *, generator: Generator | None = None,
    dtype: dtype | None = None, device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return :func:`randint` with the shape, type and device of ``input``."""
    if high is None:
        low, high = 0, low
    shape, kind, here = _like(input, dtype, device)
    made = randint(
        low, high, shape, generator=generator, dtype=kind, device=here,
        requires_grad=requires_grad,
    )  # fmt: skip
    return descended(made, (input,))


__all__ = ["CPU", "Generator", "manual_seed"]
