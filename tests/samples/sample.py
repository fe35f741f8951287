"""A sample: one call of an operation, with its inputs and with what NumPy says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

import gpugrad

Array = np.ndarray[Any, np.dtype[Any]]

REFERENCE = SimpleNamespace(
    float16=np.float16, float32=np.float32, float64=np.float64, int64=np.int64
)


@dataclass(frozen=True, eq=False)  # arrays have no one answer
class Sample:
    """One call of an operation; ``repr`` is what a test is called."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[Array, ...]
    reference: Callable[..., Any] | None = None  # over arrays; None: the function itself
    layout: str = "plain"
    differentiable: bool = True
    singular: bool = False  # where it is not: what a backward does there is a test of its own
    half: bool = True  # whether it is there in half precision
    coarse: bool = False  # rounds to another type on the way, which differences would see

    def __repr__(self) -> str:
        return self.name

    @property
    def complex(self) -> bool:
        """Tell whether an input is complex."""
        return any(a.dtype.kind == "c" for a in self.inputs)

    def arrays(self, dtype: Any = np.float64) -> list[Array]:
        """Return the inputs as NumPy arrays; ``dtype`` is what floating point inputs become."""
        return [LAYOUTS[self.layout](_as_type(a, np.dtype(dtype))) for a in self.inputs]

    def tensors(
        self, dtype: Any = np.float64, device: str = "cpu", requires_grad: bool = True
    ) -> list[Any]:
        """Return the inputs as tensors, which require grad where their type has gradients."""
        found = []
        for a in self.inputs:
            there = gpugrad.tensor(_as_type(a, np.dtype(dtype)), device=device)
            t: Any = gpugrad.as_tensor(LAYOUTS[self.layout](there.array))
            found.append(t.requires_grad_(requires_grad and a.dtype.kind in "fc"))
        return found

    def expected(self, dtype: Any = np.float64) -> Any:
        """Return what NumPy computes in double precision from the inputs rounded to ``dtype``."""
        arrays = [_as_type(a, np.dtype(np.float64)) for a in self.arrays(dtype)]
        with np.errstate(all="ignore"):
            if self.reference is not None:
                return self.reference(*arrays)
            return self.function(REFERENCE, *arrays)


def _as_type(array: Array, dtype: np.dtype[Any]) -> Array:
    if array.dtype.kind == "c":
        return array.astype(np.result_type(dtype, np.complex64))
    return array.astype(dtype) if array.dtype.kind == "f" else array


# How an array lies in memory; written so that they suit CuPy's arrays too.
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda a: a,
    "transposed": lambda a: a.T.copy().T,
    "sliced": lambda a: a.repeat(2, axis=0)[::2] if a.ndim else a,
}
