"""A formula as the map of a ``cupy.ReductionKernel``: operands of any strides, any axes.

The gradient of a broadcast operand is a sum over the dimensions that it was broadcast along;
with the formula as the map each input is read once and nothing of full size is written.
"""

from __future__ import annotations

from functools import cache

import cupy

from gpugrad.formulas import REAL, Formula
from gpugrad.kernels.source import (
    PREAMBLE,
    DType,
    body,
    c_type,
    kind_dtype,
    names,
    needed,
    stored,
)


@cache
def reduction(
    formula: Formula, dtypes: tuple[DType, ...], compute: DType, result: DType, mean: bool = False
) -> cupy.ReductionKernel:
    """Return the kernel that sums a formula's one output, made once for these element types.

    With ``mean`` it divides by the number of elements.
    """
    statements, (text,) = body(formula, dtypes, compute)
    (output,) = formula.outputs
    total = c_type(kind_dtype(output.kind, compute))
    real = total.removeprefix("complex<").removesuffix(">")
    divided = f"(a / {real}(_in_ind.size() / _out_ind.size()))" if mean else "a"
    parameters = ", ".join(
        f"const {c_type(d)} {name}" for d, name in zip(dtypes, names(formula), strict=True)
    )
    lines = "".join(f"  {line}\n" for line in [*statements, f"return {text};"])
    function = f"__device__ inline {total} mapped({parameters}) {{\n{lines}}}\n"
    return cupy.ReductionKernel(
        ", ".join(f"{d.name} {name}" for d, name in zip(dtypes, names(formula), strict=True)),
        f"{result.name} result",
        f"mapped({', '.join(names(formula))})",
        "a + b",
        f"result = {stored(divided, output.kind, compute, result)}",
        "0",
        f"gpugrad_{formula.name}_{'mean' if mean else 'sum'}",
        reduce_type=total,
        preamble=f"{PREAMBLE}\n{needed(formula)}{function}",
    )


@cache
def size_kernel(dtype: DType, least: bool) -> cupy.ReductionKernel:
    """Return the kernel that finds the largest or the least size of numbers; nan wins."""
    real = kind_dtype(REAL, dtype)
    value = c_type(real)
    return cupy.ReductionKernel(
        f"{dtype.name} x",
        f"{real.name} result",
        "abs(x)" if dtype.kind == "c" else f"fabs({value}(x))",
        f"gpugrad::{'minimum' if least else 'maximum'}(a, b)",
        "result = a",
        f"{value}(CUDART_INF)" if least else "0",
        f"gpugrad_{'least' if least else 'largest'}_size",
        reduce_type=value,
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
def position_kernel(dtype: DType, greatest: bool) -> cupy.ReductionKernel:
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
        preamble=PREAMBLE + text.replace("value_type", c_type(kind_dtype(REAL, dtype))),
    )
