"""A formula as the map of a ``cupy.ReductionKernel``, and the sums that need no formula.

The gradient of a broadcast operand is a sum over the dimensions that it was broadcast along;
with the formula as the map each input is read once and nothing of full size is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import cupy
import numpy as np

from gpugrad.formula import Formula
from gpugrad.kernels import launches
from gpugrad.kernels.source import PREAMBLE, body, c_type, c_types, stored


def accumulator(dtype: np.dtype[Any]) -> str:
    """Return the C++ type in which elements of ``dtype`` are added: float16 adds in float."""
    return "float" if dtype.name == "float16" else c_type(dtype)


@cache
def reduction(
    formula: Formula,
    dtypes: tuple[np.dtype[Any], ...],
    compute: np.dtype[Any],
    result: np.dtype[Any],
) -> cupy.ReductionKernel:
    """Return the kernel that sums a formula's one output, made once for these element types."""
    statements, (text,) = body(formula, dtypes, compute)
    (output,) = formula.outputs
    value_type = c_types(compute)[output.kind]
    parameters = ", ".join(
        f"const {c_type(d)} {v.value}" for d, v in zip(dtypes, formula.inputs, strict=True)
    )
    lines = "".join(f"  {line}\n" for line in [*statements, f"return {text};"])
    function = f"__device__ inline {value_type} mapped({parameters}) {{\n{lines}}}\n"
    names = ", ".join(str(v.value) for v in formula.inputs)
    return cupy.ReductionKernel(
        ", ".join(f"{d.name} {v.value}" for d, v in zip(dtypes, formula.inputs, strict=True)),
        f"{result.name} result",
        f"mapped({names})",
        "a + b",
        f"result = {stored('a', output.kind, compute, result)}",
        "0",
        f"gpugrad_{formula.name}_sum",
        reduce_type=value_type,
        preamble=f"{PREAMBLE}\n{function}",
    )


def mapped_sum(
    formula: Formula,
    arrays: Sequence[Any],
    dtypes: tuple[np.dtype[Any], ...],
    compute: np.dtype[Any],
    result: np.dtype[Any],
    axes: tuple[int, ...],
    shape: tuple[int, ...],
) -> Any:
    """Return a formula's output summed along ``axes``, in the shape that is left of it."""
    kernel = reduction(formula, dtypes, compute, result)
    total = kernel(*arrays, axis=axes, keepdims=True).reshape(shape)
    launches.add(total.size > 0)
    return total


@cache
def mean_kernel(dtype: np.dtype[Any], result: np.dtype[Any]) -> cupy.ReductionKernel:
    """Return the kernel of the mean; float16 accumulates in float."""
    total = accumulator(result)
    real = total.removeprefix("complex<").removesuffix(">")
    return cupy.ReductionKernel(
        f"{dtype.name} x",
        f"{result.name} result",
        f"{total}(x)",
        "a + b",
        f"result = {c_type(result)}(a / {real}(_in_ind.size() / _out_ind.size()))",
        "0",
        "gpugrad_mean",
        reduce_type=total,
        preamble=PREAMBLE,
    )


_POSITION = """
struct Position {
  value_type value;
  long long index;
  __device__ Position() : value(0), index(-1) {}
  __device__ Position(value_type v, long long i) : value(v), index(i) {}
};
__device__ inline bool first(const Position &a, const Position &b) {
  if (a.index < 0 || b.index < 0) return b.index < 0;
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  if (a_nan != b_nan) return a_nan;
  if (a_nan || a.value == b.value) return a.index < b.index;
  return a.value OPERATOR b.value;
}
"""


@cache
def position_kernel(dtype: np.dtype[Any], greatest: bool) -> cupy.ReductionKernel:
    """Return the kernel that finds the first maximum or minimum; nan is before all numbers.

    CuPy's own finds any of several nans.
    """
    text = _POSITION.replace("OPERATOR", ">" if greatest else "<")
    return cupy.ReductionKernel(
        f"{dtype.name} x",
        "int64 result",
        "Position(x, _J)",
        "first(a, b) ? a : b",
        "result = a.index",
        "Position()",
        f"gpugrad_arg{'max' if greatest else 'min'}",
        reduce_type="Position",
        preamble=PREAMBLE + text.replace("value_type", accumulator(dtype)),
    )


@cache
def product_sum(dtype: np.dtype[Any]) -> cupy.ReductionKernel:
    """Return the kernel of the inner product of two vectors, without a temporary."""
    total = accumulator(dtype)
    return cupy.ReductionKernel(
        f"{dtype.name} x, {dtype.name} y",
        f"{dtype.name} result",
        f"{total}(x) * {total}(y)",
        "a + b",
        f"result = {c_type(dtype)}(a)",
        "0",
        "gpugrad_dot",
        reduce_type=total,
        preamble=PREAMBLE,
    )
