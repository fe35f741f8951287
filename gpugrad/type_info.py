"""The limits of types: ``finfo`` and ``iinfo``."""

from __future__ import annotations

from typing import Any

from gpugrad import _dtype
from gpugrad._dtype import dtype


class _Info:
    """The limits of a type; equal for the same type."""

    _shown: tuple[str, ...]

    def __init__(self, type: dtype):
        self.dtype = type.name
        self.bits = 8 * type.itemsize

    def __repr__(self) -> str:
        values = ((name, getattr(self, name)) for name in self._shown)
        listed = [f"{name}={value:g}" for name, value in values]
        return f"{self.__class__.__name__}({', '.join([*listed, f'dtype={self.dtype}'])})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Info) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


class finfo(_Info):  # noqa: N801  PyTorch's name
    """The limits of a floating point type, of the parts of a complex one.

    Attributes:
        bits: The size of a number.
        eps: The distance from 1 to the next larger number.
        max: The largest number.
        min: The smallest one, ``-max``.
        tiny, smallest_normal: The smallest positive number with all its digits.
        resolution: 10 to the power of minus the decimal digits that are kept.
        dtype: The name of the type.

    Raises:
        TypeError: It is no such type.
    """

    __module__ = "gpugrad"  # where users find it, and pickles

    _shown = "resolution", "min", "max", "eps", "smallest_normal", "tiny"

    def __init__(self, type: dtype | None = None):
        type = _chosen("finfo", _dtype.get_default_dtype() if type is None else type)
        if not (type.is_floating_point or type.is_complex):
            raise TypeError(
                "gpugrad.finfo() requires a floating point input type. Use gpugrad.iinfo to "
                "handle 'gpugrad.finfo'"
            )
        super().__init__(type.to_real())
        known = _dtype.limits(type.to_real().numpy)
        self.eps, self.max, self.min = float(known.eps), float(known.max), float(known.min)
        self.tiny = self.smallest_normal = float(known.smallest_normal)
        self.resolution = 10.0**-known.precision


class iinfo(_Info):  # noqa: N801  PyTorch's name
    """The limits of an integer type.

    Attributes:
        bits: The size of a number.
        max: The largest number.
        min: The smallest one.
        dtype: The name of the type.

    Raises:
        TypeError: It is no such type.
    """

    __module__ = "gpugrad"  # where users find it, and pickles

    _shown = "min", "max"

    def __init__(self, type: dtype):
        type = _chosen("iinfo", type)
        if type is _dtype.bool_:
            raise TypeError("gpugrad.bool is not supported by gpugrad.iinfo")
        if type.category != _dtype.INTEGER:
            raise TypeError(
                "gpugrad.iinfo() requires an integer input type. Use gpugrad.finfo to handle "
                "'gpugrad.iinfo'"
            )
        super().__init__(type)
        known = _dtype.limits(type.numpy)
        self.max, self.min = int(known.max), int(known.min)


def _chosen(function: str, type: Any) -> dtype:
    if not isinstance(type, dtype):
        raise TypeError(
            f"{function}(): argument 'type' (position 1) must be gpugrad.dtype, not "
            f"{type.__class__.__name__}"
        )
    return type
