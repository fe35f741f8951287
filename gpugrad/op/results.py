"""Several results of one function: a tuple whose elements have names, and print with these."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

RESULTS: dict[str, Any] = {}  # the classes, by the names of the functions


def results(function: str, *names: str) -> Any:
    """Return the class of a function's results of these names, a tuple.

    It is a name of :mod:`gpugrad.return_types`.
    """

    def shown(self: Any) -> str:
        parts = ",\n".join(f"{n}={v!r}" for n, v in zip(names, self, strict=True))
        return f"gpugrad.return_types.{function}(\n{parts})"

    make: Any = namedtuple  # whose names mypy must know otherwise
    made = RESULTS[function] = make(function, names, module="gpugrad.return_types")
    made.__repr__ = shown
    made.__doc__ = f"What :func:`gpugrad.{function}` returns: {' and '.join(names)}."
    return made
