"""A formula as one ``cupy.RawKernel``, for operands as :mod:`gpugrad.kernels.layout` knows them.

A thread takes as many neighbouring elements as 16 bytes hold, by one load for each operand and one
store for each result.  A call costs a fraction of the CPU time that an ElementwiseKernel's costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from math import prod
from typing import Any, NamedTuple

import cupy
import numpy as np

from gpugrad.formulas import Formula
from gpugrad.kernels import layout
from gpugrad.kernels.layout import BLOCK, THREADS, VALUE, Launch, Operand, Shape, Signature
from gpugrad.kernels.source import HEADER, DType, function, needed


class Plan(NamedTuple):
    """How calls with operands of certain signatures are made."""

    shape: Shape
    order: layout.Order | None  # of the dimensions in memory
    types: tuple[Any, ...]  # of the results: CuPy makes an array of a letter sooner than of a dtype
    operands: tuple[Operand, ...]
    wide: Launch
    narrow: Launch  # one element a thread, for memory that begins anywhere

    def run(self, arrays: Sequence[Any], outs: Sequence[Any], aligned: bool) -> None:
        """Launch the kernel; ``aligned`` says that the memory of all begins at 16 bytes."""
        launch = self.wide if aligned else self.narrow
        launch.kernel(launch.blocks, BLOCK, (*arrays, *outs, *launch.numbers))

    def takes(self, arrays: Sequence[Any], out: Any) -> bool:
        """Tell whether the one result can be written into ``out``, which exists already.

        It must be dense, and no thread may read what another one writes.
        """
        dense = out if self.order is None or out.shape != self.shape else out.transpose(self.order)
        if out.shape != self.shape or not dense.flags.c_contiguous:
            return False
        start, end = out.data.ptr, out.data.ptr + out.nbytes
        return not any(
            o.way.name != VALUE and o.touched(a.data.ptr, start, end)
            for o, a in zip(self.operands, arrays, strict=True)
        )


@lru_cache(maxsize=layout.PLANS)
def plan(
    formula: Formula,
    signatures: tuple[Signature, ...],
    compute: DType,
    results: tuple[DType, ...],
) -> Plan | None:
    """Return how a formula is evaluated; None where ``elementwise`` must do it."""
    shape = np.broadcast_shapes(*(shape for _, _, shape, _ in signatures))
    size = prod(shape)
    order = layout.order(signatures)
    full = shape
    if order is not None:
        full = tuple(shape[k] for k in order)
        signatures = tuple(layout.permuted(s, shape, order) for s in signatures)
    operands = layout.operands(signatures, full)
    if operands is None or size == 0:
        return None
    width = layout.width(operands, results)
    numbers = (*(n for o in operands for n in o.numbers), size)

    def launch(width: int) -> Launch:
        long = size >= 2**31
        kernel = raw(formula, layout.ways(operands), compute, results, width, long)
        threads = size // width + size % width
        return Launch(kernel, (-(-threads // THREADS),), numbers)

    types = tuple([d if d.kind == "V" else d.char for d in results])  # no letter means bfloat16
    return Plan(shape, order, types, operands, launch(width), launch(1))


@cache
def raw(
    formula: Formula,
    ways: tuple[layout.Way, ...],
    compute: DType,
    results: tuple[DType, ...],
    width: int,
    long: bool,
) -> cupy.RawKernel:
    """Return the kernel that takes ``width`` elements a thread, made once.

    ``long`` counts elements in 64 bits.
    """
    name = f"gpugrad_{formula.name}_x{width}"
    return cupy.RawKernel(source(formula, ways, compute, results, width, long, name), name)


def source(
    formula: Formula,
    ways: Sequence[layout.Way],
    compute: DType,
    results: Sequence[DType],
    width: int,
    long: bool,
    name: str,
) -> str:
    """Return the text of a kernel."""
    outputs = dict(enumerate(results))

    def step(width: int) -> str:
        loop = ["#pragma unroll", f"for (int k = 0; k < {width}; k++)"] if width > 1 else []
        lines = [
            *layout.loads(ways, outputs, width),
            *loop,
            f"{layout.call(ways, outputs, width)};",
            *layout.stores(outputs, width),
        ]
        return "\n    ".join(lines)

    rest = f""" else if (thread - whole < Index(size) - whole * {width}) {{
    const Index at = thread + whole * {width - 1};
    {step(1)}
  }}"""
    return f"""{HEADER}{needed(formula)}
using Index = {layout.index_type(long)};

{function(formula, [w.dtype for w in ways], compute, outputs)}
{layout.head(name, ways, results, ["size"])} {{
  const Index thread = Index(blockIdx.x) * {THREADS} + threadIdx.x;
  const Index whole = Index(size) / {width};
  if (thread < whole) {{
    const Index at = thread * {width};
    {step(width)}
  }}{rest if width > 1 else ""}
}}
"""
