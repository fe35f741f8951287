"""Many tensors written in place by one formula: an element of each becomes a function of them all.

A row is the tensors that belong together, all of one shape and type; a column is those of all rows
at one place.  Columns of plain memory are given to the backend at once, which takes one kernel on
CUDA; rows of anything else, and all where something is recorded, are operations on tensors one
after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad._dtype import INEXACT, accumulation
from gpugrad.backend import cpu
from gpugrad.formulas import Formula
from gpugrad.graph import Counter, SavedOutput, TensorBase, Write, inferring, mode
from gpugrad.op.elementwise import Elementwise
from gpugrad.op.promotion import as_scalar
from gpugrad.op.saved import note, own_array, shared_counter, wrap
from gpugrad.ops.complex import view_as_real
from gpugrad.ops.inplace import copy_

Array = Any


class Update:
    """A formula of the tensors of a row and of some numbers, and which of them its outputs become.

    Args:
        formula: Of one variable for each tensor, and then of the numbers.
        targets: For each output, the place in the row of the tensor that it is written to.
    """

    def __init__(self, formula: Formula, targets: Sequence[int]):
        self.formula = formula
        self.targets = tuple(targets)
        self.operation = Elementwise(f"{formula.name.capitalize()}Backward0", formula)

    def __call__(self, columns: Sequence[list[Any]], numbers: Sequence[Any]) -> None:
        """Write all rows, one after the other where they share memory.

        Real and imaginary parts of complex numbers are elements of their own.  The numbers are
        Python's, or tensors with one element, through which gradients flow.
        """
        if not plainly() or not all(_is_known(n, columns[0][0]) for n in numbers):
            self._by_operations(columns, numbers)
            return
        given = [n._array if isinstance(n, TensorBase) else n for n in numbers]
        arrays = [[t._array for t in column] for column in columns]
        if self._are_free(columns):
            done = arrays[0][0].__class__ is np.ndarray and cpu.update_by_loop(
                self.formula, arrays, self.targets, given
            )
            alike = arrays if done else _alike(columns, arrays)
            if alike is not None:
                if not done:
                    backend.update(self.formula, alike, self.targets, given)
                for k in self.targets:
                    note_all(columns[k], alike[k])
                return
        parts = _parts(columns)
        if len(parts) > 1:
            for part in parts:
                self(part, numbers)
        else:
            self._by_operations(columns, numbers)

    def _are_free(self, columns: Sequence[list[Any]]) -> bool:
        """Tell whether what is written is nobody else's memory, as far as tensors know."""
        count = len(columns[0])
        for k in self.targets:
            column = columns[k]
            if [t._view for t in column].count(None) != count:
                return False
            if not set(map(type, [t._counter for t in column])) <= _PLAIN:
                return False
        # what shares memory shares its counter
        return len(set(map(id, [t._counter or shared_counter(t) for t in columns[0]]))) == count

    def _by_operations(self, columns: Sequence[list[Any]], numbers: Sequence[Any]) -> None:
        for row in zip(*columns, strict=True):
            self._by_operation(row, numbers)

    def _by_operation(self, row: Sequence[Any], numbers: Sequence[Any]) -> None:
        if row[0]._array.dtype.kind == "c":
            row = [view_as_real(t) for t in row]
        first = row[0]
        kind = first._array.dtype
        operands = list(row)
        if mode.enabled:  # what is saved of them is not what is written
            for k in self.targets:
                operands[k] = row[k].clone()
        for n in numbers:
            if not isinstance(n, TensorBase) and hasattr(n, "array"):  # another one in each run
                n = wrap(n.array(accumulation(kind)))  # of a program
            if not isinstance(n, TensorBase):
                n = as_scalar(n, kind)
            else:
                n = n.to(first.device)  # type: ignore[attr-defined]
                n = n.reshape(()) if n.ndim else n
            operands.append(n)
        outs = self.operation.evaluate(operands, kind, [kind] * len(self.targets))
        for k, out in zip(self.targets, outs, strict=True):
            copy_(row[k], out)


def _is_known(number: Any, tensor: Any) -> bool:
    """Tell whether a number is Python's, or one that a kernel reads where the tensor's GPU is."""
    if not isinstance(number, TensorBase):
        return True
    array, other = number._array, tensor._array
    door = backend.of(other)
    return (
        door.type == "cuda"
        and other.dtype.kind != "c"
        and backend.of(array) is door
        and array.size == 1
        and array.dtype == accumulation(other.dtype)
        and door.device_of(array) == door.device_of(other)
    )


_PLAIN = {type(None), Counter, SavedOutput}


def _alike(
    columns: Sequence[list[Any]], arrays: Sequence[list[Array]]
) -> Sequence[list[Array]] | None:
    """Return the arrays of tensors, if all are of one type and device, and those of a row alike."""
    if any(isinstance(some[0], np.generic) for some in arrays):
        arrays = [[own_array(t) for t in column] for column in columns]
    first = arrays[0]
    one, count, shapes = first[0], len(first), [a.shape for a in first]
    kind, cls = one.dtype, one.__class__
    if kind.kind not in INEXACT or not backend.is_array(one):
        return None
    for some in arrays:
        if set(map(type, some)) != {cls} or [a.dtype for a in some].count(kind) != count:
            return None
        if some is not first and [a.shape for a in some] != shapes:
            return None
    if cls is not np.ndarray:
        door = backend.of(one)
        if len({door.device_of(a) for some in arrays for a in some}) > 1:
            return None
    return arrays


def plainly() -> bool:
    """Tell whether nothing asks what is computed: no record, no transform, no mode."""
    return not (
        mode.enabled or mode.levels or mode.batches or mode.transforms or mode.calls
        or mode.replay is not None or mode.scope is not None or inferring
    )  # fmt: skip


def _parts(columns: Sequence[list[Any]]) -> list[list[list[Any]]]:
    """Return the rows by type and device; those that are views, and those written twice, alone."""
    found: dict[Any, list[list[Any]]] = {}
    seen = set[int]()
    for number, row in enumerate(zip(*columns, strict=True)):
        array = row[0]._array
        key: Any = array.dtype, backend.of(array).device_of(array)
        if (
            id(row[0]) in seen
            or any(t._view is not None for t in row)
            or any(t._array.shape != array.shape or t._array.dtype != array.dtype for t in row)
            or not {t._counter.__class__ for t in row} <= _PLAIN
        ):
            key = number
        seen.add(id(row[0]))
        part = found.setdefault(key, [[] for _ in columns])
        for column, t in zip(part, row, strict=True):
            column.append(t)
    return list(found.values())


def note_all(tensors: Sequence[Any], arrays: Sequence[Array]) -> None:
    """Count a write of each of some tensors, of memory that no mode asks about."""
    apart = Write.apart
    for tensor, array in zip(tensors, arrays, strict=True):
        counter = tensor._counter or shared_counter(tensor)
        latest = counter.latest if counter.__class__ is Counter else None
        if (
            latest is not None
            and latest.array is array
            and latest.last == counter.value
            and latest.time > apart
        ):
            counter.value = latest.last = counter.value + 1
        else:
            note(counter, array)


def fill_all(tensors: Sequence[Any], value: float) -> None:
    """Write a number into tensors that are one number each."""
    arrays = [own_array(t) for t in tensors]
    if plainly() and {a.__class__ for a in arrays} == {np.ndarray}:
        for array in arrays:
            array.fill(value)
        note_all(tensors, arrays)
    else:
        for t in tensors:
            t.fill_(value)
