"""Which GPUs there are, what they are, and which one is the current one: CuPy's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gpugrad import backend
from gpugrad._device import device as Device  # noqa: N812  the context has PyTorch's name


def is_available() -> bool:
    """Return whether CuPy is installed and finds a GPU; never raises."""
    return backend.cuda_problem() is None


def is_initialized() -> bool:
    """Return whether there is a GPU; CuPy begins to use it by itself."""
    return is_available()


def init() -> None:
    """Raise, as each use of a GPU would, if there is none; otherwise nothing is left to do."""
    backend.cuda_backend()


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Return whether a GPU computes with ``bfloat16``, all of which do, if only by ``float32``."""
    if not is_available():
        return False
    return including_emulation or get_device_capability()[0] >= 8


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

    cuda.synchronize(where_is(device))


def where_is(where: Any) -> Device:
    """Return the device that an argument means: a number, a name or a device; by default CUDA's."""
    if isinstance(where, int):
        return Device("cuda", where)
    return Device("cuda") if where is None else Device(where)


def index_of(where: Any) -> int:
    """Return the number of a GPU, by default of the current one.

    Raises:
        ValueError: It is none.
    """
    found = where_is(where)
    if found.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {found}")
    return current_device() if found.index is None else found.index


def current_device() -> int:
    """Return the number of the GPU on which CuPy computes, and ``device="cuda"`` means."""
    return int(backend.cuda_backend().xp.cuda.Device().id)


def set_device(device: Any) -> None:
    """Make a GPU the current one; a negative number changes nothing."""
    index = index_of(device) if not isinstance(device, int) or device >= 0 else device
    if index >= 0:
        backend.cuda_backend().xp.cuda.Device(index).use()


class device:  # noqa: N801  PyTorch's name
    """A context in which a GPU is the current one; ``None`` and negative numbers change nothing."""

    def __init__(self, device: Any):
        """Choose a GPU, by its number, its name or a device."""
        negative = isinstance(device, int) and device < 0
        self.idx = -1 if device is None or negative else index_of(device)
        self._before: list[int] = []

    def __enter__(self) -> None:
        if self.idx >= 0:
            self._before.append(current_device())
            set_device(self.idx)

    def __exit__(self, *raised: object) -> None:
        if self.idx >= 0:
            set_device(self._before.pop())


class device_of(device):  # noqa: N801
    """A context in which the GPU of a tensor is the current one; one of the CPU changes nothing."""

    def __init__(self, obj: Any):
        """Choose the GPU that holds the tensor."""
        super().__init__(obj.get_device())


def get_device_properties(device: Any = None) -> SimpleNamespace:
    """Return what CUDA says of a GPU: its name, total_memory, multi_processor_count and more."""
    found = dict(backend.cuda_backend().xp.cuda.runtime.getDeviceProperties(index_of(device)))
    named = {
        "name": bytes(found.pop("name")).decode(),
        "total_memory": found.get("totalGlobalMem"),
        "multi_processor_count": found.get("multiProcessorCount"),
    }
    return SimpleNamespace(**found, **named)


def get_device_name(device: Any = None) -> str:
    """Return the name of a GPU."""
    return str(get_device_properties(device).name)


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """Return the version of what a GPU can do."""
    found = get_device_properties(device)
    return int(found.major), int(found.minor)
