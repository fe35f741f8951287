"""Loops of a program that follow one another, as one function of C++."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

from gpugrad.backend import compiler, loops
from gpugrad.compiler.loop import Loop
from gpugrad.compiler.program import Value
from gpugrad.kernels import nests


class Segment:
    """Loops that run one after the other, without a step between them."""

    def __init__(self) -> None:
        """Begin with none."""
        self.loops: list[Loop] = []
        self.nests: list[nests.Nest] = []

    def add(self, loop: Loop) -> None:
        """Take a loop in."""
        self.loops.append(loop)
        accesses = [*loop.inputs, *(a for a, _ in loop.targets())]
        axes = loop.reductions[0][2] if loop.reductions else frozenset[int]()
        self.nests.append(
            nests.Nest(
                loop.formula, loop.compute, loop.sizes, [a.strides for a in accesses],
                [a.dtype for a in accesses], [way for _, way, _ in loop.reductions], axes,
            )
        )  # fmt: skip

    @property
    def is_large(self) -> bool:
        """Whether a loop is worth several threads."""
        return any(nest.total >= nests.SHARED for nest in self.nests)

    def text(
        self,
        name: str,
        offsets: Mapping[Value, int],
        places: Mapping[tuple[int, int], int],
    ) -> tuple[str, list[Value | None]]:
        """Return the function ``name``, and whose memory it is given; ``None`` is the arena's."""
        given: dict[Value | None, int] = {}
        texts, calls = [], []
        for number, (loop, nest) in enumerate(zip(self.loops, self.nests, strict=True)):
            pointers = []
            for a in (*loop.inputs, *(a for a, _ in loop.targets())):
                at = offsets.get(a.root)
                owner, offset = (a.root, a.offset) if at is None else (None, at + a.offset)
                place = given.setdefault(owner, len(given))
                pointers.append(f"m[{place}] + {offset}L")
            scratch = []
            for k, bytes_ in enumerate(nest.scratch):
                place = given.setdefault(None, len(given)) if bytes_ else 0
                scratch.append(f"m[{place}] + {places[id(loop), k]}L")
            texts.append(nest.text(f"{name}_{number}", pointers, scratch))
            calls += nest.calls(f"{name}_{number}")
        memory = ", ".join(f"arrays[{k}]->data" for k in range(len(given)))
        body = "\n  ".join([f"char *const m[] = {{{memory}}};", *calls])
        texts.append(
            f'extern "C" void {name}(Array *const *arrays, int threads) {{\n  {body}\n}}\n'
        )
        return "".join(texts), list(given)


def built(
    segments: Sequence[Segment],
    offsets: Mapping[Value, int],
    places: Mapping[tuple[int, int], int],
) -> dict[Segment, tuple[Any, list[Value | None]]]:
    """Return the functions of segments, and whose memory each is given.

    Raises:
        BuildError: The compiler fails.
    """
    known = loops.frames()
    assert not isinstance(known, str)
    found = [s.text(f"segment{k}", offsets, places) for k, s in enumerate(segments)]
    head = f"#define HEAD {object.__basicsize__}\n"
    made = compiler.built(head + known.header + nests.HEADER + "".join(t for t, _ in found))
    functions = {}
    for k, (segment, (_, given)) in enumerate(zip(segments, found, strict=True)):
        function = getattr(made, f"segment{k}")
        function.argtypes = ctypes.c_void_p, ctypes.c_int
        function.restype = None
        functions[segment] = function, given
    return functions
