"""``axes=``, ``axis=`` and ``keepdims=`` of ufuncs whose operands are matrices or vectors.

The axes that a ufunc computes with are moved to where it looks for them, and those of the results
to where they are wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpugrad.numpy.operands import class_of, own, raised
from gpugrad.ops import shape as shapes


def _cores(signature: str) -> tuple[list[int], list[int]]:
    """Return how many axes of each operand, and of each result, a signature names."""
    found = [
        [len(part.split(",")) if part else 0 for part in side.strip("()").split("),(")]
        for side in signature.split("->")
    ]
    return found[0], found[1]


def moved(
    name: str,
    signature: str | None,
    function: Callable[..., Any],
    inputs: Sequence[Any],
    axes: Any = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """Return what a ufunc gives along other axes than the last ones.

    Raises:
        TypeError: The ufunc is none of this kind, both ``axes`` and ``axis`` are given, or its
            operands have not one axis each where that is needed.
        ValueError: There is not one entry of ``axes`` for each operand and result.
        AxisError: One names more or fewer axes than there are.
    """
    if signature is None:
        word = "axes" if axes is not None else "axis" if axis is not None else "keepdims"
        raise TypeError(f"{name}() got an unexpected keyword argument '{word}'")
    operands, results = _cores(signature)
    if axes is not None and axis is not None:
        raise TypeError("cannot specify both 'axis' and 'axes'")
    names = set(re.findall(r"\w+", signature))
    if axis is not None and len(names) > 1:
        raise TypeError(
            f"{name}: axis can only be used with a single shared core dimension, not with the "
            f"{len(names)} distinct ones implied by signature {signature}."
        )
    if keepdims and (len(set(operands)) > 1 or any(results)):
        raise TypeError(
            f"{name} does not support keepdims: its signature {signature} requires output 0 to "
            f"have {results[0]} core dimensions, but keepdims can only be used when all inputs "
            "have the same number of core dimensions and all outputs have no core dimensions."
        )
    kind = class_of(inputs)
    tensors = [own(v) for v in inputs]
    counts = [min(n, t.ndim) for n, t in zip(operands, tensors, strict=True)]
    count = len(operands) + len(results)
    if axis is not None:
        axes = [axis] * len(operands)
    elif axes is None:
        axes = [tuple(range(-n, 0)) for n in counts]
    elif len(axes) != count and (any(results) or len(axes) != len(operands)):
        raise ValueError(
            f"axes should be a list with an entry for all {count} inputs and outputs; entries for "
            "outputs can only be omitted if none of them has core axes."
        )
    axes = [(a,) if isinstance(a, int) else tuple(a) for a in axes]
    given = []
    for k, (t, n) in enumerate(zip(tensors, counts, strict=True)):
        _check(name, k, n, axes[k])
        given.append(shapes.movedim(t, axes[k], tuple(range(-n, 0))) if n else t)
    found = function(*given)
    if keepdims:
        for _ in range(operands[0]):
            found = shapes.unsqueeze(found, -1)
        behind = (axes[len(operands) :] or axes)[0]
        rest = operands[0]
    else:  # of a vector in the place of a matrix one axis of the result is gone
        behind = axes[-1] if len(axes) == count else ()
        rest = results[0] - sum(operands) + sum(counts)
    if behind or len(axes) == count:
        _check(name, len(operands), rest, behind)
    if behind:
        found = shapes.movedim(found, tuple(range(-rest, 0)), behind)
    return raised(found, kind)


def _check(name: str, k: int, count: int, axes: Sequence[int]) -> None:
    if len(axes) != count:
        raise np.exceptions.AxisError(
            f"{name}: operand {k} has {count} core dimensions, but {len(axes)} dimensions are "
            "specified by axes tuple."
        )
