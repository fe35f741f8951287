"""Where elements lie: accesses, which are affine, and how two loops are one.

A loop goes over all places of a domain, a tuple of sizes.  An access says which element of some
memory belongs to each place: one byte offset, and a stride for each dimension.  Views, transposed
and expanded arrays are accesses like others, so that nobody needs to know how they were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad.compiler.program import Value

Shape = tuple[int, ...]


class Access(NamedTuple):
    """An element of a root's memory for each place of a domain."""

    root: Value
    offset: int
    strides: Shape
    dtype: np.dtype[Any]

    def value(self, sizes: Shape) -> Value:
        """Return the access as a value."""
        root = self.root
        if self.offset == 0 and (sizes, self.strides, self.dtype) == (
            root.shape, root.strides, root.dtype,
        ):  # fmt: skip
            return root
        return Value(sizes, self.dtype, self.strides, root.device, root, self.offset)


def access(value: Value, shape: Shape) -> Access:
    """Return the access to a value that is broadcast to ``shape``, without axes of length 1."""
    ndim, missing = len(shape), len(shape) - len(value.shape)
    strides = tuple(
        [
            0 if k < missing or value.shape[k - missing] == 1 else value.strides[k - missing]
            for k in range(ndim)
            if shape[k] != 1
        ]
    )
    return Access(value.root, value.offset, strides, value.dtype)


def without_ones(shape: Shape) -> Shape:
    """Return a shape as a domain, which has no dimensions of length 1."""
    return tuple([n for n in shape if n != 1])


class Dimension(NamedTuple):
    """A dimension that two domains have in common: parts of one of each."""

    size: int
    places: tuple[int, int]  # which dimension of each domain it is a part of
    steps: tuple[int, int]  # how far that one's number moves


def identity(sizes: Shape) -> list[Dimension]:
    """Return the dimensions that two equal domains have in common."""
    return [Dimension(n, (k, k), (1, 1)) for k, n in enumerate(sizes)]


def common(first: tuple[Shape, Shape], second: tuple[Shape, Shape]) -> list[Dimension] | None:
    """Return the dimensions by which two domains, with the strides of an access, are one.

    Both accesses go over the same elements: dimensions are permuted, split and joined.  ``None``
    where they do not.
    """
    stacks = [
        sorted(
            [(stride, n, k, 1) for k, (n, stride) in enumerate(zip(*domain, strict=True))],
            key=lambda found: -abs(found[0]),
        )
        for domain in (first, second)
    ]
    dimensions: list[Dimension] = []
    while stacks[0] and stacks[1]:
        tops = [stack.pop() for stack in stacks]
        if tops[0][0] != tops[1][0] or not tops[0][0]:
            return None
        size = min(tops[0][1], tops[1][1])
        for stack, (stride, n, k, step) in zip(stacks, tops, strict=True):
            if n % size:
                return None
            if n > size:
                stack.append((stride * size, n // size, k, step * size))
        dimensions.append(Dimension(size, (tops[0][2], tops[1][2]), (tops[0][3], tops[1][3])))
    if stacks[0] or stacks[1]:
        return None
    return dimensions[::-1]


def moved(found: Access, dimensions: Sequence[Dimension], side: int) -> Access:
    """Return an access of one of two domains as one of what these have in common."""
    strides = tuple([found.strides[d.places[side]] * d.steps[side] for d in dimensions])
    return found._replace(strides=strides)
