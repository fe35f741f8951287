"""A layer as it is compared with PyTorch's: how it is made, and what it is called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Layer:
    """A row of the table.

    Args:
        name: What the row is about: the layer's class, and the case.
        make: Makes it of a library's ``nn``; both libraries' are then of one type.
        inputs: Of each input the shape, of which normally distributed numbers are drawn, or an
            array of integers, or of numbers that are drawn in another way.
        call: Calls it, with the layer and the inputs as tensors of its library.
        training: Whether it is in the mode of training.
        grads: Whether inputs of floating-point type require grad.
        single: The relative tolerance in float32; ``None`` where the layer is for float64 only.
        double: The relative tolerance in float64.
    """

    name: str
    make: Callable[[Any], Any]
    inputs: tuple[Any, ...]
    call: Callable[..., Any] = field(default=lambda layer, *inputs: layer(*inputs))
    training: bool = True
    grads: bool = True
    single: float | None = 1e-6
    double: float = 1e-10

    def arrays(self, dtype: str) -> list[Array]:
        """Return the inputs; those of floating-point type are of the given one."""
        found = []
        for k, given in enumerate(self.inputs):
            if isinstance(given, tuple):
                given = np.random.default_rng((k, *given)).standard_normal(given)
            array = np.asarray(given)
            found.append(array.astype(dtype) if array.dtype.kind == "f" else array)
        return found


def layer(name: str, make: Callable[[Any], Any], *inputs: Any, **options: Any) -> Layer:
    """Return a row; see :class:`Layer`."""
    return Layer(name, make, inputs, **options)
