"""The size of a tensor: a tuple of its lengths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from gpugrad.errors import size as text_of_size


class Size(tuple[int, ...]):
    """The lengths of a tensor's dimensions: a tuple that prints as PyTorch's."""

    __module__ = "gpugrad"  # where users find it, and pickles

    __slots__ = ()

    def __new__(cls, lengths: Iterable[int] = ()) -> Size:
        """Return the size of these lengths.

        Raises:
            TypeError: One is no integer.
        """
        made = super().__new__(cls, lengths)
        for k, n in enumerate(made):
            if n.__class__ is not int and not hasattr(n, "__index__"):
                raise TypeError(
                    f"gpugrad.Size() takes an iterable of 'int' (item {k} is '{type(n).__name__}')"
                )
        return made

    def numel(self) -> int:
        """Return the number of elements of a tensor of this size."""
        return int(np.prod(self, dtype=np.int64))

    def __repr__(self) -> str:
        return f"gpugrad.Size({text_of_size(self)})"

    __str__ = __repr__

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return size_of(Size, found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: tuple[int, ...]) -> Size:
        return Size((*other, *self))

    def __mul__(self, times: Any) -> Any:
        repeated = tuple.__mul__(self, times)
        return repeated if repeated is NotImplemented else Size(repeated)

    __rmul__ = __mul__


size_of = tuple.__new__  # of an array, whose lengths need no check
