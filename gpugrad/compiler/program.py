"""Programs: what was computed below the operations, as steps over values.

A value is an array of which only the place is known: its shape, type and strides, and in whose
memory it lies.  Views are no steps.  A step is one function of a backend, with values where it is
given arrays; what it writes in place is said, since steps that read the same memory must stay on
their side of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad._device import device

Array = Any
Shape = tuple[int, ...]


class Value:
    """An array of a program.

    ``root`` is the value whose memory it lies in, ``offset`` bytes after that one's first element;
    it is the value itself where it has memory of its own.
    """

    __slots__ = ("device", "dtype", "number", "offset", "root", "shape", "strides")

    _numbers = itertools.count()

    def __init__(
        self,
        shape: Shape,
        dtype: np.dtype[Any],
        strides: Shape,
        where: device,
        root: Value | None = None,
        offset: int = 0,
    ):
        """Make a value with memory of its own, or one in the memory of ``root``."""
        self.shape = shape
        self.dtype = dtype
        self.strides = strides
        self.device = where
        self.root = self if root is None else root
        self.offset = offset
        self.number = next(self._numbers)

    def __repr__(self) -> str:
        return f"v{self.number}"

    @property
    def is_view(self) -> bool:
        """Whether it lies in the memory of another value."""
        return self.root is not self


class Number:
    """A number of Python's that a "host" step gives anew in each run, for the steps after it."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        """Make one."""
        self.number = next(Value._numbers)

    def __repr__(self) -> str:
        return f"n{self.number}"


class Step:
    """One call: ``function(*args, **kwargs)``, whose results are ``outputs``.

    ``name`` is a function of :class:`gpugrad.backend.Backend`; or "host" for a step with a
    ``function`` of its own, which is called anew each time the program runs, and may do what it
    likes outside of the program: draw random numbers, read the learning rate.  Arguments are values
    where arrays are given, also in lists and tuples.  ``outputs`` are values with memory of their
    own, or numbers, ``None`` in the place of a result that is a view or nothing.  ``writes`` are
    the arguments whose memory is written.
    """

    __slots__ = ("args", "function", "kwargs", "name", "outputs", "writes")

    def __init__(
        self,
        name: str,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        outputs: Sequence[Value | Number | None],
        writes: Sequence[Value] = (),
        function: Callable[..., Any] | None = None,
    ):
        """Make a step; ``function`` is that of a "host" step."""
        self.name = name
        self.args = tuple(args)
        self.kwargs = kwargs
        self.outputs = tuple(outputs)
        self.writes = tuple(writes)
        self.function = function

    @property
    def reads(self) -> list[Value]:
        """The values among the arguments, of which some may be written, too."""
        return list(values_in((self.args, self.kwargs)))


class Program:
    """Steps from ``inputs`` to ``outputs``.

    ``inputs`` are given anew for each run; ``constants`` are arrays that are the same in all runs,
    and never written.  Inputs have memory of their own, or are views of inputs.  Outputs may be
    inputs, views, or the same value twice.
    """

    def __init__(
        self,
        inputs: Sequence[Value],
        constants: Sequence[tuple[Value, Array]],
        steps: Sequence[Step],
        outputs: Sequence[Value],
    ):
        """Make a program of its parts."""
        self.inputs = tuple(inputs)
        self.constants = tuple(constants)
        self.steps = tuple(steps)
        self.outputs = tuple(outputs)

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Return the outputs for some inputs, by the steps one after the other.

        This is what a program means; what runs it faster gives the same.
        """
        memory: dict[Any, Any] = dict(zip(self.inputs, arrays, strict=True))
        memory.update(self.constants)
        for step in self.steps:
            args = placed(step.args, memory)
            kwargs = placed(step.kwargs, memory)
            if step.function is not None:
                found = step.function(*args, **kwargs)
            else:
                found = getattr(door_of(step), step.name)(*args, **kwargs)
            results = found if isinstance(found, tuple | list) else [found]
            for value, result in zip(step.outputs, results, strict=False):
                if value is not None:
                    memory[value] = owned(result)
        return [array_of(value, memory) for value in self.outputs]


def door_of(step: Step) -> Any:
    """Return the backend that a step calls a function of."""
    first = next(values_in((step.args, step.kwargs)), None) or next(values_in(step.outputs))
    return backend.of_device(first.device)


def owned(result: Any) -> Any:
    """Return a result of a step as a value has it: an array object, also of one number."""
    return np.asarray(result) if isinstance(result, np.generic) else result


def values_in(found: Any) -> Iterator[Value]:
    """Go through the values in arguments: in lists, tuples and dictionaries, too."""
    if found.__class__ is Value:
        yield found
    elif isinstance(found, list | tuple):
        for item in found:
            yield from values_in(item)
    elif isinstance(found, dict):
        for item in found.values():
            yield from values_in(item)


def placed(found: Any, memory: dict[Any, Array]) -> Any:
    """Return arguments with arrays in the place of values."""
    if found.__class__ is Value:
        return array_of(found, memory)
    if found.__class__ is Number:
        return memory[found]
    if isinstance(found, tuple) and hasattr(found, "_fields"):
        return type(found)(*[placed(item, memory) for item in found])
    if isinstance(found, list | tuple):
        return type(found)([placed(item, memory) for item in found])
    if isinstance(found, dict):
        return {key: placed(item, memory) for key, item in found.items()}
    return found


def array_of(value: Value, memory: dict[Value, Array]) -> Array:
    """Return the array of a value: its own, or a view of the memory that it lies in."""
    found = memory.get(value)
    if found is None:
        root = memory[value.root]
        door = backend.of(root)
        found = door.strided(door.own(root), value.shape, value.dtype, value.offset, value.strides)
        memory[value] = found
    return found
