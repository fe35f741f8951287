"""Numbers among the arguments of a program, which each run is given anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.compiler.recorded import HostRecorded
from gpugrad.op import saved


class Given(float):
    """A number among the arguments, in the memory of a tensor, that each run is given anew.

    What Python computes with it would be a constant: nobody but :func:`combined` may have it.
    """

    tensor: Any

    def as_tensor(self, kind: np.dtype[Any]) -> Any:
        """Return the number as a tensor of some type."""
        array = self.tensor._array
        return saved.wrap(backend.of(array).astype(array, kind))


def given(tensor: Any, value: float) -> Given:
    """Return the number that a tensor holds."""
    made = Given(value)
    made.tensor = tensor
    return made


def combined(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Return an operator's result where an operand may be a number that is given."""
    pairs = (left, right), (right, left)
    if any(a.__class__ is Given and not _is_of_program(b) for a, b in pairs):
        backend.interrupt("computing with a number by Python")
        left, right = [float(a) if a.__class__ is Given else a for a in (left, right)]
    return function(left, right)


def _is_of_program(operand: Any) -> bool:
    array = operand._array if operand.__class__ is saved.tensor_class else None
    return array.__class__ is HostRecorded and array.dtype.kind == "f"
