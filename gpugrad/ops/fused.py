"""Operations that compute in one go what a plain definition composes of others.

Their first gradients are computed in one go, too, over arrays.  Where a gradient is itself
recorded, moves in forward mode or has hidden axes, it is that of the plain definition, which is
thus the source of all higher orders; and inside of ``vmap`` it is the definition that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import backend
from gpugrad.backend.batched import Batched
from gpugrad.graph import LEAF, edge_of, mode, recording
from gpugrad.op.accumulation import differentiate
from gpugrad.op.saved import wrap
from gpugrad.ops.shape import alias

Array = Any


def fusible(name: str, *tensors: Any) -> bool:
    """Tell whether the arrays of tensors, of which any may be ``None``, are computed with so.

    They are of one backend, without hidden axes, and it has the function ``name``.
    """
    door = None
    for t in tensors:
        if t is not None:
            found = backend.of(t._array)
            if found is not door:
                if door is not None:
                    return False
                door = found
    return door is not None and door.fused(name) is not None


def gradients(
    plain: Callable[..., Any],
    fused: Callable[..., Sequence[Array | None]],
    inputs: Sequence[Any],
    grads: Sequence[Any],
    needs: Sequence[bool],
) -> list[Any]:
    """Return the gradients of the inputs that ``needs`` marks.

    Args:
        plain: The definition, a function of the inputs.
        fused: Returns the gradients as arrays, of those of the results, which may be ``None``.
        inputs: The inputs, as they were saved.
        grads: The gradients of the results.
        needs: Which gradients are wanted.
    """
    if mode.enabled or any(g is not None and g._array.__class__ is Batched for g in grads):
        return _derived(plain, inputs, grads, needs)
    found = fused(*[None if g is None else g._array for g in grads])
    return [
        wrap(a) if needed and a is not None else None
        for a, needed in zip(found, needs, strict=True)
    ]


def _derived(
    plain: Callable[..., Any], inputs: Sequence[Any], grads: Sequence[Any], needs: Sequence[bool]
) -> list[Any]:
    recorded = bool(mode.enabled)
    with recording(True):
        # each has an edge of its own, also where one tensor is given twice
        twins = [_twin(t) if needed else t for t, needed in zip(inputs, needs, strict=True)]
        results = plain(*twins)
    results = results if isinstance(results, tuple) else (results,)
    ends, given = [], []
    for result, g in zip(results, grads, strict=True):
        edge = edge_of(result)
        if g is not None and edge is not None:
            ends.append(edge)
            given.append(g)
    wanted: Any = [edge_of(t) for t, needed in zip(twins, needs, strict=True) if needed]
    found = iter(differentiate(ends, given, True, recorded, wanted, accumulates=False))
    return [next(found) if needed else None for needed in needs]


def _twin(tensor: Any) -> Any:
    twin = alias(tensor)
    if twin._edge is None:
        twin._edge = LEAF
    return twin
