"""The directions along which a derivative is taken element by element."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gpugrad import backend
from gpugrad.op.batching import batched, batching, unbatched
from gpugrad.op.saved import wrap
from gpugrad.ops.joining import cat


def basis(tensor: Any) -> Iterator[Any]:
    """Yield, for each element of a tensor, a new tensor like it that is 1 there and 0 elsewhere."""
    for k in range(tensor._array.size):
        (rows,) = _unit_vectors([tensor], k, k + 1)
        yield rows[0]


def along_basis(
    function: Callable[[Sequence[Any]], Sequence[Any]],
    like: Sequence[Any],
    chunk_size: int | None = None,
    randomness: str = "error",
) -> list[Any]:
    """Return what a function gives for all unit vectors, of which each element of ``like`` has one.

    The function takes tensors like those in ``like`` and returns tensors; it is called with all
    unit vectors at once, or with ``chunk_size`` of them.  With one of them it is called as in a
    loop, so that it may do what ``vmap`` cannot.  The results have a first dimension that counts
    the vectors.
    """
    count = sum(t._array.size for t in like)
    step = count if chunk_size is None else chunk_size

    def part(start: int, stop: int) -> list[Any]:
        rows = _unit_vectors(like, start, stop)
        if chunk_size == 1 and count:
            return [t.unsqueeze(0) for t in function([r[0] for r in rows])]
        return at_once(function, rows, stop - start, randomness)

    parts = [
        part(start, min(start + step, count)) for start in (range(0, count, step) if count else [0])
    ]
    if len(parts) == 1:
        return parts[0]
    return [cat(column, 0) for column in zip(*parts, strict=True)]


def at_once(
    function: Callable[[Sequence[Any]], Sequence[Any]],
    rows: Sequence[Any],
    count: int,
    randomness: str = "error",
) -> list[Any]:
    """Return what a function of tensors gives for all rows of some tensors, computed together.

    The first dimension of the tensors and of the results counts the rows.
    """
    with batching(count, randomness) as level:
        found = function([batched(r, 0, level) for r in rows])
        bases: dict[int, Any] = {}
        return [unbatched(t, 0, level, bases) for t in found]


def _unit_vectors(like: Sequence[Any], start: int, stop: int) -> list[Any]:
    """Return some rows of the unit matrix, cut into tensors: each of shape (rows, *its shape)."""
    found, offset = [], 0
    for t in like:
        array = t._array
        where = backend.of(array).device_of(array)
        door = backend.of_device(where)
        size = array.size
        rows = door.full((stop - start, size), 0, array.dtype, where)
        first, last = max(start, offset), min(stop, offset + size)
        if first < last:
            block = rows[first - start : last - start, first - offset : last - offset]
            door.assign(door.diagonal(block, 0, 0, 1), 1)
        found.append(wrap(door.reshape(rows, (stop - start, *array.shape))))
        offset += size
    return found
