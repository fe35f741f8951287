"""CuPy's own kernel objects as kernels with derivatives."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gpugrad.kernel.elementwise import ElementwiseKernel
from gpugrad.kernel.parameters import Parameter


@lru_cache(maxsize=1024)
def differentiable(kernel: Any) -> ElementwiseKernel:
    """Return the kernel with derivatives that has the text of one of CuPy's.

    It is made once for each object.

    Args:
        kernel: A ``cupy.ElementwiseKernel``.

    Raises:
        TypeError: It is none.
    """
    if not hasattr(kernel, "operation"):
        raise TypeError(
            f"differentiable() expected a cupy.ElementwiseKernel, got {type(kernel).__name__}"
        )
    made = ElementwiseKernel("", "", "")
    options = kernel.kwargs
    made._begin(
        _parameters(kernel.in_params),
        _parameters(kernel.out_params),
        (options.get("loop_prep", ""), kernel.operation, options.get("after_loop", "")),
        kernel.name,
        kernel.preamble,
        options.get("options", ()),
    )
    made.reduce_dims, made.no_return = kernel.reduce_dims, kernel.no_return
    made.return_tuple = kernel.return_tuple
    return made


def _parameters(found: Any) -> tuple[Parameter, ...]:
    return tuple(Parameter(p.name, p.ctype, p.dtype, p.raw) for p in found)
