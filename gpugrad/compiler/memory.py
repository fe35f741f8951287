"""Where the values of a program lie: the steps they live through, and one arena for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpugrad.compiler.program import Step, Value, values_in

ALIGNMENT = 64


def size_of(root: Value) -> int:
    """Return the bytes from a root's first element to behind its last one."""
    if 0 in root.shape:
        return 0
    reach = sum((n - 1) * s for n, s in zip(root.shape, root.strides, strict=True))
    return reach + root.dtype.itemsize


def lives(steps: Sequence[Step]) -> dict[Value, tuple[int, int]]:
    """Return the first and the last step that each root is read or written by."""
    found: dict[Value, tuple[int, int]] = {}
    for k, step in enumerate(steps):
        for value in values_in((step.args, step.kwargs, step.writes, step.outputs)):
            first, _ = found.get(value.root, (k, k))
            found[value.root] = first, k
    return found


def placed(blocks: Iterable[tuple[int, tuple[int, int]]]) -> tuple[list[int], int]:
    """Return offsets for blocks of memory, and how much they need together.

    Each has a number of bytes and a first and last step; those that live at one time lie apart.
    Large ones are placed first, each at the lowest place.
    """
    some = list(blocks)
    offsets = [0] * len(some)
    done: list[tuple[int, int, int, int]] = []  # begin and end in memory, first and last step
    total = 0
    for k in sorted(range(len(some)), key=lambda k: -some[k][0]):
        size, (first, last) = some[k]
        size = -(-size // ALIGNMENT) * ALIGNMENT
        start = 0
        for low, high, begin, end in sorted(done):
            if begin <= last and first <= end:
                if start + size <= low:
                    break
                start = max(start, high)
        offsets[k] = start
        done.append((start, start + size, first, last))
        total = max(total, start + size)
    return offsets, total
