"""Where a sparse matrix has its values: the indices of SciPy's arrays, which are constant."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Any

import numpy as np

from gpugrad.scipy.theirs import scipy

FORMATS = ("csr", "csc", "coo")


class Pattern:
    """The indices of a matrix in one of SciPy's formats, in the order of its values."""

    def __init__(self, layout: Any):
        """Take the indices of SciPy's array ``layout``, whose values are not read."""
        self.layout = layout
        self.format: str = layout.format
        self.shape: tuple[int, int] = tuple(layout.shape)
        self.count = len(layout.data)
        self._places: dict[Any, tuple[Any, Any]] = {}

    @classmethod
    def of(cls, kind: str, indices: tuple[Any, ...], shape: Any) -> Pattern:
        """Return the pattern of a format's indices, which SciPy checks.

        Raises:
            ValueError: They are not those of a matrix of this shape.
        """
        nothing = np.zeros(len(indices[0][0] if kind == "coo" else indices[0]), np.int8)
        return cls(getattr(scipy("sparse"), f"{kind}_array")((nothing, *indices), shape=shape))

    @classmethod
    def at(cls, rows: Any, columns: Any, shape: Any) -> Pattern:
        """Return the pattern of single places."""
        return cls.of("coo", ((rows, columns),), shape)

    def filled(self, values: Any) -> Any:
        """Return SciPy's array with these values of NumPy's, and the indices themselves."""
        found = copy(self.layout)  # SciPy's constructor would check the indices again
        found.data = values
        return found

    @cached_property
    def places(self) -> tuple[Any, Any]:
        """The row and the column of each value."""
        rows, columns = self.layout.tocoo(copy=False).coords
        return rows.astype(np.int64), columns.astype(np.int64)

    @cached_property
    def distinct(self) -> bool:
        """Whether there is one value at each place."""
        rows, columns = self.places
        return len(np.unique(rows * self.shape[1] + columns)) == self.count

    def on(self, door: Any, where: Any) -> tuple[Any, Any]:
        """Return the rows and columns as arrays of a device."""
        if where.type == "cpu":
            return self.places
        if where not in self._places:
            rows, columns = (door.from_numpy(p, where) for p in self.places)
            self._places[where] = rows, columns
        return self._places[where]

    @cached_property
    def transposed(self) -> Pattern:
        """The pattern of the transpose, whose values are in the same order."""
        found = Pattern(self.layout.T)
        found.__dict__["transposed"] = self
        return found

    def converted(self, kind: str) -> tuple[Pattern, Any]:
        """Return the pattern in another format, and at which of its places each value goes.

        Values at one place are added there, but in the format "coo".
        """
        rows, columns = self.places
        if kind == "coo":
            return Pattern.at(rows, columns, self.shape), np.arange(self.count)
        first, second = (rows, columns) if kind == "csr" else (columns, rows)
        inner = self.shape[1 if kind == "csr" else 0]
        keys, places = np.unique(first * inner + second, return_inverse=True)
        outer = self.shape[0 if kind == "csr" else 1]
        ends = np.searchsorted(keys, np.arange(outer + 1) * inner)
        return Pattern.of(kind, (keys % max(inner, 1), ends), self.shape), places.reshape(-1)
