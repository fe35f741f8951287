"""Programs that are replayed as CUDA graphs: one launch for all of their kernels."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import backend
from gpugrad.compiler.memory import size_of
from gpugrad.compiler.program import Number, Program, values_in

Array = Any

MOST_CAPTURES = 4  # of one program, as memory that it was captured with is not there any more


def is_for_graphs(program: Program) -> bool:
    """Tell whether all of a program happens on one GPU, and none of it in Python.

    Outputs that it makes are all of their memory, and no two of one, so that they can be copied
    from the graph's memory.
    """
    places = {v.device for v in (*program.inputs, *program.outputs)}
    inputs = set(program.inputs)
    made = [v for v in program.outputs if v.root not in inputs]
    return (
        len(places) == 1
        and next(iter(places)).type == "cuda"
        and len({v.root for v in made}) == len(made)
        and all(math.prod(v.shape) * v.dtype.itemsize == size_of(v.root) for v in made)
        and not any(
            step.name == "check"
            or any(isinstance(v, Number) for v in step.outputs)
            or (step.function is not None and not step.reads)
            or any(v.device.type == "cpu" for v in values_in((step.args, step.outputs)))
            for step in program.steps
        )
    )


class Graphed:
    """What runs a program on a GPU, from the second time on as a CUDA graph.

    Args:
        program: The program.
        run: What runs it without a graph.
        stays: Which of its inputs lie in the same memory at most calls.  These, and what is
            written, the graph reads where they are; the others are copied to where it reads them.
    """

    def __init__(
        self, program: Program, run: Callable[[list[Array]], list[Array]], stays: Sequence[bool]
    ):
        """Begin without a graph."""
        self.program, self.run = program, run
        written = {v.root for step in program.steps for v in step.writes}
        self.stays = [
            stay or v.root in written for v, stay in zip(program.inputs, stays, strict=True)
        ]
        self.door: Any = None
        self.graph: Any = None
        self.inputs: list[Array] = []
        self.outputs: list[Array] = []
        self.calls = 0
        self.captures = 0
        self._lock = threading.Lock()

    def __call__(self, arrays: list[Array]) -> list[Array]:
        """Return the outputs, in memory of their own."""
        self.calls += 1
        if self.calls == 1 or backend.capturing():
            return self.run(arrays)
        with self._lock:
            if not self._fits(arrays):
                if self.captures == MOST_CAPTURES:
                    return self.run(arrays)
                self._capture(arrays)
            for static, array, stays in zip(self.inputs, arrays, self.stays, strict=True):
                if not stays:
                    self.door.assign(static, array)
            self.graph.replay()
            return self._handed_out(arrays)

    def _fits(self, arrays: Sequence[Array]) -> bool:
        """Tell whether there is a graph that reads these arrays where they are."""
        return self.graph is not None and all(
            not stays or self.door.address(static) == self.door.address(array)
            for static, array, stays in zip(self.inputs, arrays, self.stays, strict=True)
        )

    def _capture(self, arrays: Sequence[Array]) -> None:
        from gpugrad.cuda.graphs import CUDAGraph, graph

        self.captures += 1
        self.door = backend.of_device(self.program.inputs[0].device)
        self.inputs = [
            array if stays else self.door.copy(array, "K")
            for array, stays in zip(arrays, self.stays, strict=True)
        ]
        made = CUDAGraph()
        with graph(made):
            self.outputs = self.run(self.inputs)
        self.graph = made

    def _handed_out(self, arrays: Sequence[Array]) -> list[Array]:
        given = dict(zip(self.program.inputs, arrays, strict=True))
        found: list[Array] = []
        for value, array in zip(self.program.outputs, self.outputs, strict=True):
            root = given.get(value.root)
            if root is None:
                found.append(self.door.copy(array, "K"))
            elif value.is_view:
                found.append(
                    self.door.strided(root, value.shape, value.dtype, value.offset, value.strides)
                )
            else:
                found.append(root)
        return found
