"""Several results of one function: a tuple whose elements have names, and print with these."""

from __future__ import annotations

import threading
from collections import namedtuple
from typing import Any

RESULTS: dict[str, Results] = {}  # what makes them, by the names of the functions
_MAKING = threading.Lock()  # two threads must not make two classes of one function


class Results:
    """The results of a function, whose class is made when there are some for the first time.

    The class is a name of :mod:`gpugrad.return_types`.
    """

    __slots__ = ("_made", "function", "names")

    def __init__(self, function: str, names: tuple[str, ...]):
        """Declare that the results of a function have these names."""
        self.function = function
        self.names = names
        self._made: Any = None

    def __call__(self, *values: Any) -> Any:
        """Return results: a tuple of these values."""
        return (self._made or self.made)(*values)

    @property
    def made(self) -> Any:
        """The class itself."""
        with _MAKING:
            if self._made is None:
                self._made = _made(self.function, self.names)
            return self._made


def results(function: str, *names: str) -> Results:
    """Declare the names of a function's results, and return what makes them of their values."""
    found = RESULTS[function] = Results(function, names)
    return found


def _made(function: str, names: tuple[str, ...]) -> Any:
    def shown(self: Any) -> str:
        parts = ",\n".join(f"{n}={v!r}" for n, v in zip(names, self, strict=True))
        return f"gpugrad.return_types.{function}(\n{parts})"

    make: Any = namedtuple  # whose names mypy must know otherwise
    made = make(function, names, module="gpugrad.return_types")
    made.__repr__ = shown
    made.__doc__ = f"What :func:`gpugrad.{function}` returns: {' and '.join(names)}."
    return made
