"""The text of a formula in CUDA C++, which all kernels that are made of it share."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.formulas import BOOL, COMPLEX, INTEGER, REAL, Formula

DType = np.dtype[Any]


@functools.cache
def file(name: str) -> str:
    """Return the text of a file beside this one; pathlib takes longer to import than all of us."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as found:
        return found.read()


PREAMBLE = file("preamble.cuh")

# What stands above a RawKernel; CuPy itself writes its headers above its own kernels.
HEADER = f"""
#include <cupy/complex.cuh>
#include <cupy/bfloat16.cuh>
#include <cupy/float16.cuh>
#include <cupy/math_constants.h>
{PREAMBLE}
{file("pack.cuh")}
"""


def needed(formula: Formula) -> str:
    """Return the device functions that a formula calls besides those of the preamble."""
    return "".join(file(f"{name}.cuh") for name in formula.headers())


_C = {
    "bool": "bool", "uint8": "gpugrad::uint8", "int8": "gpugrad::int8", "int16": "short",
    "uint16": "gpugrad::uint16", "uint32": "gpugrad::uint32", "uint64": "gpugrad::uint64",
    "int32": "int", "int64": "gpugrad::int64",
    "float16": "float16", "bfloat16": "bfloat16", "float32": "float",
    "float64": "double", "complex64": "complex<float>", "complex128": "complex<double>",
}  # fmt: skip


def c_type(dtype: DType) -> str:
    """Return the C++ type of an element."""
    return _C[dtype.name]


def kind_dtype(kind: str, compute: DType) -> DType:
    """Return the element type in which expressions of a kind are computed.

    float16 and bfloat16 compute in float32, and are rounded once.
    """
    if kind == BOOL:
        return np.dtype(np.bool_)
    if kind == INTEGER:
        return np.dtype(np.int64)
    if compute.kind == "c":
        return compute if kind == COMPLEX else np.dtype(f"f{compute.itemsize // 2}")
    return accumulation(compute)


def c_types(compute: DType) -> dict[str, str]:
    """Return the C++ types of a formula's kinds."""
    kinds = (BOOL, INTEGER, REAL, COMPLEX) if compute.kind == "c" else (BOOL, INTEGER, REAL)
    return {kind: c_type(kind_dtype(kind, compute)) for kind in kinds}


def names(formula: Formula) -> list[str]:
    """Return the names of a formula's inputs."""
    return [str(v.value) for v in formula.inputs]


def body(formula: Formula, dtypes: Sequence[DType], compute: DType) -> tuple[list[str], list[str]]:
    """Return the statements and the result expressions of a formula over inputs of ``dtypes``."""
    types = c_types(compute)
    inputs = [
        name if c_type(d) == types[v.kind] else f"{types[v.kind]}({name})"
        for v, name, d in zip(formula.inputs, names(formula), dtypes, strict=True)
    ]
    return formula.cuda(types, inputs)


def stored(text: str, kind: str, compute: DType, dtype: DType) -> str:
    """Return the text of an expression converted to the element type that is stored."""
    computed = c_types(compute)[kind]
    target = c_type(dtype)
    if computed.startswith("complex") and not target.startswith("complex"):
        text, computed = f"real({text})", computed[len("complex<") : -1]
    return text if computed == target else f"{target}({text})"


def function(
    formula: Formula,
    dtypes: Sequence[DType],
    compute: DType,
    results: Mapping[int, DType],
    returned: int | None = None,
) -> str:
    """Return the device function ``formula(inputs, results)``.

    Args:
        formula: What it computes.
        dtypes: The inputs' element types.
        compute: The type to compute in.
        results: The element types of the outputs that it stores, by their indices.
        returned: The index of an output that it returns as it is computed.
    """
    statements, texts = body(formula, dtypes, compute)
    statements += assignments(formula, texts, compute, results)
    kind = "void"
    if returned is not None:
        statements.append(f"return {texts[returned]};")
        kind = c_type(kind_dtype(formula.outputs[returned].kind, compute))
    parameters = [f"const {c_type(d)} {n}" for d, n in zip(dtypes, names(formula), strict=True)]
    parameters += [f"{c_type(d)} &result{k}" for k, d in results.items()]
    lines = "".join(f"  {line}\n" for line in statements)
    return f"__device__ inline {kind} formula({', '.join(parameters)}) {{\n{lines}}}\n"


def assignments(
    formula: Formula, texts: Sequence[str], compute: DType, results: Mapping[int, DType]
) -> list[str]:
    """Return the statements that set the variables ``result0``, ``result1`` ..."""
    return [
        f"result{k} = {stored(texts[k], formula.outputs[k].kind, compute, d)};"
        for k, d in results.items()
    ]
