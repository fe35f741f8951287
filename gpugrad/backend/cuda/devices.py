"""GPUs, streams, and what a GPU reports."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import cupy

from gpugrad._device import device
from gpugrad.backend.cuda import graphs
from gpugrad.errors import out_of_bounds
from gpugrad.kernels import bounds, capture
from gpugrad.kernels.philox import Source

xp = cupy
Array = Any


@functools.cache
def device_count() -> int:
    """Return the number of GPUs that CuPy can use."""
    try:
        return int(xp.cuda.runtime.getDeviceCount())
    except xp.cuda.runtime.CUDARuntimeError:  # no driver, or one that is too old
        return 0


Function = TypeVar("Function", bound=Callable[..., Any])


def at_home(function: Function) -> Function:
    """Have a function's kernels run on the GPU of its first array, and not on CuPy's current one.

    Where there is one GPU this is the function itself.
    """
    if device_count() < 2:
        return function

    @functools.wraps(function)
    def there(*arguments: Any, **options: Any) -> Any:
        with _home(arguments):
            return function(*arguments, **options)

    return cast("Function", there)


def _home(arguments: Sequence[Any]) -> Any:
    """Return the GPU of the first array among arguments, of which some are lists of arrays."""
    for argument in arguments:
        some = argument if isinstance(argument, tuple | list) else (argument,)
        for array in some:
            if isinstance(array, xp.ndarray):
                return array.device
    return xp.cuda.Device()


@functools.cache
def _device(index: int) -> device:
    return device("cuda", index)


def device_of(array: Array) -> device:
    """Return the device that holds ``array``."""
    return _device(array.device.id)


def on(where: device) -> Any:
    """Return a context in which ``where`` is CuPy's current device.

    Raises:
        RuntimeError: There is no such GPU.
    """
    if where.index is None:
        return xp.cuda.Device()
    if where.index >= device_count():
        raise RuntimeError(
            f"CUDA error: invalid device ordinal: {where} was asked for, but this machine has "
            f"{device_count()} GPU(s), numbered from 0."
        )
    return xp.cuda.Device(where.index)


def place() -> Callable[[], None]:
    """Return what has another thread compute on the current GPU, in the current stream."""
    where, stream = xp.cuda.Device(), xp.cuda.get_current_stream()
    graph = capture.current()

    def enter() -> None:
        where.use()
        stream.use()
        if graph is not None:
            graphs.join(graph)

    return enter


def report() -> None:
    """Raise for an index that the device has found out of bounds.

    Where the device did not have to be waited for, it may not have looked yet.
    """
    found = bounds.found()
    if found is not None:
        index, n, axis, words = found
        error = out_of_bounds(*bounds.words(words), index, axis, n)
        error.add_note("The device found this index in a call before this one, and went on.")
        raise error


def synchronize(where: device) -> None:
    """Wait until the device has finished all that was asked of it."""
    with on(where):
        xp.cuda.runtime.deviceSynchronize()
    report()


def source(seed: int, where: device) -> Source:
    """Return a stream of random numbers on a GPU."""
    return Source(seed, functools.partial(on, where))
