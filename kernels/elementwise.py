"""A formula as one ``cupy.ElementwiseKernel``: operands of any strides."""

from __future__ import annotations

from functools import cache

import cupy

from gpugrad.formulas import Formula
from gpugrad.kernels.source import PREAMBLE, DType, assignments, body, names, needed


@cache
def elementwise(
    formula: Formula,
    dtypes: tuple[DType, ...],
    compute: DType,
    results: tuple[DType, ...],
) -> cupy.ElementwiseKernel:
    """Return the kernel of a formula for these element types, made once."""
    statements, texts = body(formula, dtypes, compute)
    statements += assignments(formula, texts, compute, dict(enumerate(results)))
    return cupy.ElementwiseKernel(
        ", ".join(f"{d.name} {name}" for d, name in zip(dtypes, names(formula), strict=True)),
        ", ".join(f"{d.name} result{k}" for k, d in enumerate(results)),
        "\n".join(statements),
        f"gpugrad_{formula.name}",
        preamble=PREAMBLE + needed(formula),
    )
