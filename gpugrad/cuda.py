"""What can be asked of the GPUs, under ``torch.cuda``'s names."""

from __future__ import annotations

from typing import Any

from gpugrad import backend
from gpugrad._device import device
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


def _where(where: Any) -> device:
    return device("cuda") if where is None else device(where)
