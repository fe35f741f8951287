"""A loop: a step that computes formulas at each place of a domain, wherever its elements lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad._device import device
from gpugrad.compiler.access import Access, Shape
from gpugrad.compiler.memory import size_of
from gpugrad.compiler.program import Step, Value
from gpugrad.formulas import Formula

Array = Any
DType = np.dtype[Any]


class Loop(Step):
    """Formulas of what accesses read, stored at others, or put together along dimensions.

    The formula's first outputs are stored at ``stores``; the others belong to ``reductions``: where
    each goes, whether it is a "sum", "max" or "min", and along which dimensions of ``sizes``.
    Arguments are the inputs, and the targets that have memory already; that of the others is new.
    """

    __slots__ = (
        "compute",
        "device",
        "formula",
        "inputs",
        "partly",
        "reductions",
        "sizes",
        "stores",
    )

    def __init__(
        self,
        sizes: Shape,
        compute: DType,
        where: device,
        formula: Formula,
        inputs: Sequence[Access],
        stores: Sequence[Access],
        reductions: Sequence[tuple[Access, str, frozenset[int]]],
        made: set[Value],
    ):
        """Make a loop; ``made`` is the memory that is there before it."""
        self.sizes, self.compute, self.device, self.formula = sizes, compute, where, formula
        self.inputs, self.stores, self.reductions = inputs, stores, reductions
        targets = self.targets()
        whole = [
            a for a, kept in targets
            if a.root not in made and math.prod(kept) == math.prod(a.root.shape)
            and a.dtype == a.root.dtype
        ]  # fmt: skip
        self.partly = [a for a, _ in targets if a.root not in made and a not in whole]
        written = [a.value(kept) for a, kept in targets if a not in whole]
        super().__init__(
            "loop",
            (*[a.value(sizes) for a in inputs], *written),
            {},
            [a.root for a in whole],
            written,
            self._computed,
        )

    def halves(self) -> list[Loop]:
        """Return the loop as one that stores, and one that reduces."""
        made = {a.root for a, _ in self.targets()} - set(self.outputs)
        count = len(self.stores)
        found = []
        for some, stores, reductions in (
            (range(count), self.stores, ()),
            (range(count, len(self.formula.outputs)), (), self.reductions),
        ):
            formula, used = self.formula.part(tuple(some))
            inputs = [self.inputs[k] for k in used]
            found.append(
                Loop(
                    self.sizes, self.compute, self.device, formula, inputs, stores, reductions, made
                )
            )
        return found

    def targets(self) -> list[tuple[Access, Shape]]:
        """Return where each output goes, and the sizes of the dimensions that it has."""
        found = [(a, self.sizes) for a in self.stores]
        for a, _, axes in self.reductions:
            found.append((a, tuple([1 if k in axes else n for k, n in enumerate(self.sizes)])))
        return found

    def _computed(self, *arrays: Array) -> list[Array]:
        """Compute by the backend's functions, one output after the other."""
        count = len(self.inputs)
        door = backend.of_device(self.device)
        given = list(arrays[count:])
        values = self._values(door, arrays[:count])
        made = []
        for (a, kept), value in zip(self.targets(), values, strict=True):
            root = a.root
            if root in self.outputs:
                count = size_of(root) // root.dtype.itemsize
                array = door.empty((count,), root.dtype, self.device)
                array = door.strided(array, root.shape, root.dtype, 0, root.strides)
                made.append(array)
                target = door.strided(array, kept, a.dtype, a.offset, a.strides)
            else:
                target = given.pop(0)
            door.assign(target, value)
        return made

    def _values(self, door: backend.Backend, arrays: Sequence[Array]) -> list[Array]:
        """Return all outputs; what is summed is summed as it is made."""
        count = len(self.stores)
        outputs = self.formula.outputs
        if not arrays:
            found: list[Array] = [e.value for e in outputs[:count]]
            for k, (a, way, axes) in enumerate(self.reductions, count):
                value: Any = outputs[k].value  # a number: nothing is read
                full = door.full(self.sizes, value, self.compute, self.device)
                found.append(self._reduced(door, full, a, way, axes))
            return found
        if count and [way for _, way, _ in self.reductions] == ["sum"]:
            return self._evaluated(door, tuple(range(count + 1)), arrays, self._kept(0))
        found = self._evaluated(door, tuple(range(count)), arrays, None) if count else []
        for j, (a, way, axes) in enumerate(self.reductions):
            if way == "sum":
                found += self._evaluated(door, (count + j,), arrays, self._kept(j))
                continue
            (value,) = self._evaluated(door, (count + j,), arrays, None)
            full = door.broadcast_to(door.own(value), self.sizes)
            found.append(self._reduced(door, full, a, way, axes))
        return found

    def _kept(self, number: int) -> Shape:
        """Return the shape of a reduction's result, with the axes that it is along."""
        axes = self.reductions[number][2]
        return tuple([1 if k in axes else n for k, n in enumerate(self.sizes)])

    def _reduced(
        self, door: backend.Backend, full: Array, a: Access, way: str, axes: frozenset[int]
    ) -> Array:
        along = tuple(sorted(axes))
        if way == "sum":
            return door.sum(full, along, True, a.dtype)
        return (door.max if way == "max" else door.min)(full, along, True)

    def _evaluated(
        self,
        door: backend.Backend,
        some: tuple[int, ...],
        arrays: Sequence[Array],
        to: Shape | None,
    ) -> list[Array]:
        part, used = self.formula.part(some)
        kinds = [np.dtype(bool) if e.kind == "bool" else self.compute for e in part.outputs]
        given = [arrays[k] for k in used]
        if to is not None and np.broadcast_shapes(*[a.shape for a in given]) != self.sizes:
            given[0] = door.broadcast_to(given[0], self.sizes)
        return list(door.evaluate(part, given, self.compute, kinds, to, summed=len(some) - 1))
