"""The SciPy that computes values on the CPU and says names, signatures and types.

What it computes has no hidden axes: inside ``vmap`` it is called for each example.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gpugrad.autograd.function import Function
from gpugrad.ops.joining import stack


def scipy(part: str) -> Any:
    """Return a part of SciPy's.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    try:
        return import_module(f"scipy.{part}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "gpugrad.scipy needs SciPy, which is not installed: pip install gpugrad[scipy]",
            name=error.name,
        ) from error


class InTurn(Function):
    """A function that is computed for one example after the other inside ``vmap``."""

    def __init_subclass__(cls) -> None:
        """Give the class its rule for batches."""

        def each(info: Any, in_dims: Any, *args: Any) -> Any:
            found = [
                cls.apply(*[
                    a.select(dim, k) if isinstance(dim, int) else a
                    for a, dim in zip(args, in_dims, strict=True)
                ])
                for k in range(info.batch_size)
            ]  # fmt: skip
            return stack(found), 0

        cls.vmap = staticmethod(each)  # type: ignore[method-assign]
