"""A formula of many rows of arrays, written into some of these, by one kernel.

The addresses of all arrays are in a table on the device, with the sizes of the rows and, for each
block, the row and the first element that it computes.  The table is kept: it is written again only
where arrays have moved, which memory pools seldom let them do from one step to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.formulas import Formula
from gpugrad.kernels import capture
from gpugrad.kernels.layout import BLOCK, THREADS
from gpugrad.kernels.source import HEADER, DType, c_type, function, needed

EACH = 4  # elements that a thread computes
TABLES = 256  # that are remembered


def run(
    formula: Formula,
    columns: Sequence[Sequence[Any]],
    targets: Sequence[int],
    numbers: Sequence[Any],
) -> int:
    """Launch the kernel, and return how many there were: none where there is nothing to compute.

    All arrays are of one real type, on the current device, and lie in the same plain order.
    Numbers may be there, too, as arrays of one element.
    """
    first = columns[0]
    kind = first[0].dtype
    addresses = tuple([a.data.ptr for column in columns for a in column])
    sizes = tuple([a.size for a in first])
    blocks, words = table(addresses, sizes, cupy.cuda.Device().id)
    if not blocks:
        return 0
    there = tuple([isinstance(n, cupy.ndarray) for n in numbers])
    made = kernel(formula, len(columns), tuple(targets), kind, there)
    compute = accumulation(kind).type
    values = [n if read else compute(n) for n, read in zip(numbers, there, strict=True)]
    made((blocks,), BLOCK, (capture.kept(words), np.int64(len(sizes)), *values))
    return 1


@lru_cache(maxsize=TABLES)
def table(addresses: tuple[int, ...], sizes: tuple[int, ...], device: int) -> tuple[int, Any]:
    """Return the number of blocks, and what each has to do, on a device."""
    length = THREADS * EACH
    counts = [-(-size // length) for size in sizes]
    rows = np.repeat(np.arange(len(sizes)), counts)
    starts = np.concatenate([np.arange(n) for n in counts]) * length
    words = np.concatenate([addresses, sizes, rows, starts], dtype=np.int64)
    return len(rows), capture.constant(words)


@cache
def kernel(
    formula: Formula,
    arrays: int,
    targets: tuple[int, ...],
    kind: DType,
    there: tuple[bool, ...] = (),
) -> cupy.RawKernel:
    """Return the kernel over rows of so many arrays of a type, made once.

    Some of the numbers are ``there``, where they are read.
    """
    name = f"gpugrad_update_{formula.name}"
    return cupy.RawKernel(source(formula, arrays, targets, kind, name, there), name)


def source(
    formula: Formula,
    arrays: int,
    targets: Sequence[int],
    kind: DType,
    name: str,
    there: tuple[bool, ...] = (),
) -> str:
    """Return the text of a kernel."""
    compute = accumulation(kind)
    numbers = [str(v.value) for v in formula.inputs[arrays:]]
    dtypes = [kind] * arrays + [compute] * len(numbers)
    c = c_type(kind)
    pointers = "\n  ".join(
        f"{c} *const x{k} = reinterpret_cast<{c} *>(table[{k} * count + row]);"
        for k in range(arrays)
    )
    results = ", ".join(f"result{j}" for j in range(len(targets)))
    stored = "\n      ".join(f"x{k}[at] = result{j};" for j, k in enumerate(targets))
    reads = ", ".join(f"x{k}[at]" for k in range(arrays))
    read = there or (False,) * len(numbers)
    parameters = "".join(f", const {c_type(compute)} {'*' * r}n{k}" for k, r in enumerate(read))
    given = "".join(f", {'*' * r}n{k}" for k, r in enumerate(read))
    return f"""{HEADER}{needed(formula)}

{function(formula, dtypes, compute, dict.fromkeys(range(len(targets)), kind))}
extern "C" __global__ void __launch_bounds__({THREADS}) {name}(
    const gpugrad::int64 *table, const gpugrad::int64 count{parameters}) {{
  const gpugrad::int64 *const work = table + {arrays + 1} * count;
  const gpugrad::int64 row = work[blockIdx.x], start = work[gridDim.x + blockIdx.x];
  const gpugrad::int64 size = table[{arrays} * count + row];
  {pointers}
  #pragma unroll
  for (int k = 0; k < {EACH}; k++) {{
    const gpugrad::int64 at = start + k * {THREADS} + threadIdx.x;
    if (at < size) {{
      {c} {results};
      formula({reads}{given}, {results});
      {stored}
    }}
  }}
}}
"""
