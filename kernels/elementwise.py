"""A formula as one ``cupy.ElementwiseKernel``: any number of inputs, all outputs in one launch."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cupy
import numpy as np

from gpugrad.formula import BOOL, COMPLEX, REAL, Formula

PREAMBLE = (Path(__file__).parent / "preamble.cuh").read_text()

_C = {
    "bool": "bool", "uint8": "gpugrad::uint8", "int8": "gpugrad::int8", "int16": "short",
    "int32": "int", "int64": "gpugrad::int64", "float16": "float16", "float32": "float",
    "float64": "double", "complex64": "complex<float>", "complex128": "complex<double>",
}  # fmt: skip


def c_type(dtype: np.dtype[Any]) -> str:
    """Return the C++ type of an element."""
    return _C[dtype.name]


def c_types(compute: np.dtype[Any]) -> dict[str, str]:
    """Return the C++ types of a formula's kinds; float16 computes in float, rounded once."""
    if compute.kind == "c":
        return {BOOL: "bool", REAL: c_type(np.dtype(f"f{compute.itemsize // 2}")),
                COMPLEX: c_type(compute)}  # fmt: skip
    return {BOOL: "bool", REAL: "float" if compute.name == "float16" else c_type(compute)}


def body(
    formula: Formula, dtypes: tuple[np.dtype[Any], ...], compute: np.dtype[Any]
) -> tuple[list[str], list[str]]:
    """Return the statements and the result expressions of a formula over inputs of ``dtypes``."""
    types = c_types(compute)
    inputs = [
        str(v.value) if c_type(d) == types[v.kind] else f"{types[v.kind]}({v.value})"
        for v, d in zip(formula.inputs, dtypes, strict=True)
    ]
    return formula.cuda(types, inputs)


def stored(text: str, kind: str, compute: np.dtype[Any], dtype: np.dtype[Any]) -> str:
    """Return the text of an expression converted to the element type that is stored."""
    computed = c_types(compute)[kind]
    target = c_type(dtype)
    if computed.startswith("complex") and not target.startswith("complex"):
        text, computed = f"real({text})", computed[len("complex<") : -1]
    return text if computed == target else f"{target}({text})"


def assignments(
    formula: Formula,
    dtypes: tuple[np.dtype[Any], ...],
    compute: np.dtype[Any],
    results: tuple[np.dtype[Any], ...],
    adds: tuple[bool, ...],
) -> tuple[list[str], list[str]]:
    """Return the statements that set (or add to) the results, and the results' names."""
    statements, texts = body(formula, dtypes, compute)
    names = [f"result{k}" for k in range(len(results))]
    for name, text, e, dtype, add in zip(names, texts, formula.outputs, results, adds, strict=True):
        value = stored(text, e.kind, compute, dtype)
        # rounded before it is added, as if it had been stored: fusing changes no number
        statements.append(
            f"{name} = {c_type(dtype)}({name} + {value});" if add else f"{name} = {value};"
        )
    return statements, names


@cache
def elementwise(
    formula: Formula,
    dtypes: tuple[np.dtype[Any], ...],
    compute: np.dtype[Any],
    results: tuple[np.dtype[Any], ...],
    adds: tuple[bool, ...],
) -> cupy.ElementwiseKernel:
    """Return the kernel of a formula for these element types, made once.

    ``adds`` marks the outputs that are added to what is there.
    """
    statements, names = assignments(formula, dtypes, compute, results, adds)
    return cupy.ElementwiseKernel(
        ", ".join(f"{d.name} {v.value}" for d, v in zip(dtypes, formula.inputs, strict=True)),
        ", ".join(f"{d.name} {name}" for d, name in zip(results, names, strict=True)),
        "\n".join(statements),
        f"gpugrad_{formula.name}",
        preamble=PREAMBLE,
    )
