"""Devices: ``cpu`` holds NumPy arrays, ``cuda`` holds CuPy arrays.

>>> device("cuda:0")
device(type='cuda', index=0)
"""

from __future__ import annotations

import threading

_TYPES = ("cpu", "cuda")


class device:  # noqa: N801  PyTorch's name
    """Where an array lives: ``device("cpu")``, ``device("cuda")``, ``device("cuda:1")``.

    ``index`` is ``None`` where the current device of the type is meant.

    Raises:
        RuntimeError: The text is not a device, or names a type other than cpu and cuda.
    """

    __module__ = "gpugrad"  # where users find it, and pickles

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: str | int | device, index: int | None = None):
        if isinstance(type, device):
            index = type.index
            type = type.type
        elif isinstance(type, int):  # as in PyTorch, a number is the number of a GPU
            index = type
            type = "cuda"
        elif not isinstance(type, str):
            raise TypeError(
                f"device(): argument 'type' (position 1) must be str, not {type.__class__.__name__}"
            )
        elif ":" in type:
            if index is not None:
                raise RuntimeError(
                    "type (string) must not include an index because index was passed explicitly: "
                    f"{type}"
                )
            type, index = _parsed(type)
        if index is not None and not isinstance(index, int):
            raise TypeError(
                "device(): argument 'index' (position 2) must be int, not "
                f"{index.__class__.__name__}"
            )
        if index is not None and index < 0:
            raise RuntimeError("Device index must not be negative")
        if not type:
            raise RuntimeError("Device string must not be empty")
        if type not in _TYPES:
            raise RuntimeError(
                f"Expected one of {', '.join(_TYPES)} device type at start of device string: {type}"
            )
        object.__setattr__(self, "type", type)
        object.__setattr__(self, "index", index)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute '{name}' of 'gpugrad.device' objects is not writable")

    def __enter__(self) -> device:
        """Make new tensors on this device inside of the block, where no other is named."""
        _chosen.inside += (_chosen.device,)
        _chosen.device = self
        return self

    def __exit__(self, *exception: object) -> None:
        _chosen.inside, _chosen.device = _chosen.inside[:-1], _chosen.inside[-1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __reduce__(self) -> tuple[object, ...]:
        return device, (str(self),)


def _parsed(text: str) -> tuple[str, int]:
    name, _, number = text.partition(":")
    if not number.isdecimal() or (number != "0" and number.startswith("0")):
        raise RuntimeError(f"Invalid device string: '{text}'")
    return name, int(number)


CPU = device("cpu")
_device = device


class _Chosen(threading.local):
    """Where this thread makes new tensors, and where it did outside of blocks."""

    device: _device | None = None
    inside: tuple[_device | None, ...] = ()


_chosen = _Chosen()


def chosen() -> device | None:
    """Return the device that :func:`set_default_device` or a block chose; ``None`` where none."""
    return _chosen.device


def get_default_device() -> device:
    """Return where this thread makes new tensors if no device is named: the CPU, unless chosen."""
    return _chosen.device or CPU


def set_default_device(device: str | int | _device | None) -> None:
    """Choose where this thread makes new tensors if no device is named; ``None`` is the CPU.

    Functions of tensors compute where those are, and ``from_numpy``, ``from_dlpack`` and
    ``frombuffer`` keep the memory that they are given.  ``with device("cuda"):`` chooses for a
    block.

    Raises:
        RuntimeError: There is no such device.
    """
    _chosen.device = None if device is None else _device(device)
