"""What can be asked of the GPUs, under ``torch.cuda``'s names."""

from __future__ import annotations

from typing import Any

from gpugrad import backend
from gpugrad._device import device
from gpugrad.op.generator import Generator, default_of
from gpugrad.tensor_types import OF_CUDA


def __getattr__(name: str) -> Any:
    """Return one of the types of tensors on a GPU, ``gpugrad.cuda.FloatTensor`` and its kind."""
    if name in OF_CUDA:
        return OF_CUDA[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def is_available() -> bool:
    """Return whether CuPy is installed and finds a GPU; never raises."""
    return backend.cuda_problem() is None


def device_count() -> int:
    """Return the number of GPUs that CuPy finds, 0 without CuPy."""
    if not is_available():
        return 0
    from gpugrad.backend import cuda

    return cuda.device_count()


def synchronize(device: Any = None) -> None:
    """Wait until a GPU has finished all that it was asked to do."""
    backend.cuda_backend()
    from gpugrad.backend import cuda

    cuda.synchronize(_where(device))


def manual_seed(seed: int) -> None:
    """Seed the default generator of the current GPU."""
    _generator(None).manual_seed(int(seed))


def manual_seed_all(seed: int) -> None:
    """Seed the default generators of all GPUs."""
    for number in range(device_count()):
        _generator(number).manual_seed(int(seed))


def seed() -> None:
    """Seed the default generator of the current GPU by a number that is drawn."""
    _generator(None).seed()


def seed_all() -> None:
    """Seed the default generators of all GPUs by one number that is drawn."""
    for number in range(device_count()):
        first = _generator(0).seed() if not number else _generator(0).initial_seed()
        _generator(number).manual_seed(first)


def initial_seed() -> int:
    """Return the seed of the current GPU's default generator."""
    return _generator(None).initial_seed()


def get_rng_state(device: Any = "cuda") -> Any:
    """Return where the default generator of a GPU stands, as a tensor of bytes on the CPU."""
    return _generator(device).get_state()


def get_rng_state_all() -> list[Any]:
    """Return where the default generators of all GPUs stand."""
    return [get_rng_state(number) for number in range(device_count())]


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Let the default generator of a GPU stand where it once stood."""
    _generator(device).set_state(new_state)


def set_rng_state_all(new_states: Any) -> None:
    """Let the default generators of all GPUs stand where they once stood."""
    for number, state in enumerate(new_states):
        set_rng_state(state, number)


def _generator(where: Any) -> Generator:
    return default_of(device("cuda", where) if isinstance(where, int) else _where(where))


def _where(where: Any) -> device:
    return device("cuda") if where is None else device(where)
