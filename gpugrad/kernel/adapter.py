"""CuPy's own kernel objects as kernels with derivatives."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gpugrad.kernel.elementwise import ElementwiseKernel
from gpugrad.kernel.parameters import Parameter
from gpugrad.kernel.reduction import ReductionKernel


@lru_cache(maxsize=1024)
def differentiable(kernel: Any) -> ElementwiseKernel | ReductionKernel:
    """Return the kernel with derivatives that has the text of one of CuPy's.

    It is made once for each object.

    Args:
        kernel: A ``cupy.ElementwiseKernel`` or a ``cupy.ReductionKernel``.

    Raises:
        TypeError: It is neither.
    """
    if hasattr(kernel, "map_expr"):
        return _reduction(kernel)
    if hasattr(kernel, "operation"):
        return _elementwise(kernel)
    raise TypeError(
        "differentiable() expected a cupy.ElementwiseKernel or a cupy.ReductionKernel, "
        f"got {type(kernel).__name__}"
    )


def _elementwise(kernel: Any) -> ElementwiseKernel:
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
    made.return_tuple, made.original = kernel.return_tuple, kernel
    return made


def _reduction(kernel: Any) -> ReductionKernel:
    made = ReductionKernel("", "T y", "", "", "", None)
    made._begin(
        _parameters(kernel.in_params),
        _parameters(kernel.out_params),
        (kernel.map_expr, kernel.reduce_expr, kernel.post_map_expr),
        kernel.identity,
        kernel.name,
        kernel.reduce_type,
        kernel.preamble,
        kernel.options,
    )
    made.reduce_dims, made.original = kernel.reduce_dims, kernel
    return made


def _parameters(found: Any) -> tuple[Parameter, ...]:
    return tuple(Parameter(p.name, p.ctype, p.dtype, p.raw) for p in found)
