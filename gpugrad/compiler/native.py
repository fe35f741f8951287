"""Loops of a program that follow one another, as one function of C++."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gpugrad.backend import compiler, loops
from gpugrad.compiler.access import Access
from gpugrad.compiler.loop import Loop
from gpugrad.compiler.program import Value
from gpugrad.compiler.rows import Group, Local, grouped, parted
from gpugrad.kernels import nests


class Segment:
    """Loops that run one after the other, without a step between them."""

    def __init__(self) -> None:
        """Begin with none."""
        self.loops: list[Loop] = []
        self.nests: dict[Loop, nests.Nest] = {}
        self.pieces: list[Loop | Group] = []
        self.local: dict[Value, Local] = {}

    def arrange(self, users: Mapping[Value, set[int]], lasting: set[Value]) -> None:
        """Put loops along the same rows together; ``users`` are all steps that touch memory."""
        parts = parted(self.loops)
        within = {
            root: found
            | {id(half) for loop, halves in parts if id(loop) in found for half in halves}
            for root, found in users.items()
        }
        for found in within.values():
            found -= {id(loop) for loop, halves in parts if len(halves) > 1}
        self.pieces = grouped([half for _, halves in parts for half in halves])
        self.loops = []
        for piece in self.pieces:
            depth = piece.depth if isinstance(piece, Group) else 0
            for loop in piece.loops if isinstance(piece, Group) else [piece]:
                self.loops.append(loop)
                self.nests[loop] = _nest(loop, depth)
            if isinstance(piece, Group):
                self.local |= piece.locals(within, lasting)

    @property
    def is_large(self) -> bool:
        """Whether a loop is worth several threads."""
        return any(math.prod(loop.sizes) >= nests.SHARED for loop in self.loops)

    def text(
        self,
        name: str,
        inner: nests.Innermost,
        offsets: Mapping[Value, int],
        places: Mapping[tuple[Loop, int], int],
    ) -> tuple[str, list[Value | None]]:
        """Return the function ``name``, and whose memory it is given; ``None`` is the arena's."""
        given: dict[Value | None, int] = {}
        locals_ = {root: k for k, root in enumerate(self.local)}

        def pointer(a: Access, depth: int) -> str:
            if a.root in locals_:
                return f"own{locals_[a.root]} + {a.offset - self.local[a.root].start}L"
            at = offsets.get(a.root)
            owner, offset = (a.root, a.offset) if at is None else (None, at + a.offset)
            place = given.setdefault(owner, len(given))
            rows = "".join(f" + z{k} * {s}L" for k, s in enumerate(a.strides[:depth]) if s)
            return f"m[{place}] + {offset}L{rows}"

        texts, calls = [], []
        for number, piece in enumerate(self.pieces):
            called = f"{name}_{number}"
            if isinstance(piece, Group):
                found = [
                    (nest, inner.of(nest), [pointer(a, piece.depth) for a in _accesses(loop)])
                    for loop, nest in [(loop, self.nests[loop]) for loop in piece.loops]
                ]
                memory = [own.size for own in self.local.values()]
                texts.append(nests.rows_text(called, piece.rows, found, memory))
                count = math.prod(piece.rows)
                total = sum(math.prod(loop.sizes) for loop in piece.loops)
                many = total >= nests.SHARED and count > 1
                calls.append(
                    f"shared({called}, m, {count}, threads);"
                    if many
                    else f"{called}(m, 0, {count});"
                )
                continue
            nest = self.nests[piece]
            scratch = []
            for k, bytes_ in enumerate(nest.scratch):
                place = given.setdefault(None, len(given)) if bytes_ else 0
                scratch.append(f"m[{place}] + {places[piece, k]}L")
            pointers = [pointer(a, 0) for a in _accesses(piece)]
            texts.append(nest.text(called, inner.of(nest), pointers, scratch))
            calls += nest.calls(called)
        memory_ = ", ".join(f"arrays[{k}]->data" for k in range(len(given)))
        body = "\n  ".join([f"char *const m[] = {{{memory_}}};", *calls])
        texts.append(
            f'extern "C" void {name}(Array *const *arrays, int threads) {{\n  {body}\n}}\n'
        )
        return "".join(texts), list(given)


def _accesses(loop: Loop) -> list[Access]:
    return [*loop.inputs, *(a for a, _ in loop.targets())]


def _nest(loop: Loop, depth: int) -> nests.Nest:
    """Return how a loop goes through its dimensions from number ``depth`` on."""
    accesses = _accesses(loop)
    axes = loop.reductions[0][2] if loop.reductions else frozenset[int]()
    return nests.Nest(
        loop.formula,
        loop.compute,
        loop.sizes[depth:],
        [a.strides[depth:] for a in accesses],
        [a.dtype for a in accesses],
        [way for _, way, _ in loop.reductions],
        frozenset([k - depth for k in axes]),
    )


def built(
    segments: Sequence[Segment],
    offsets: Mapping[Value, int],
    places: Mapping[tuple[Loop, int], int],
) -> dict[Segment, tuple[Any, list[Value | None]]]:
    """Return the functions of segments, and whose memory each is given.

    Raises:
        BuildError: The compiler fails.
    """
    known = loops.frames()
    assert not isinstance(known, str)
    inner = nests.Innermost()
    found = [s.text(f"segment{k}", inner, offsets, places) for k, s in enumerate(segments)]
    head = f"#define HEAD {object.__basicsize__}\n"
    made = compiler.built(
        head + known.header + nests.HEADER + inner.text + "".join(t for t, _ in found)
    )
    functions = {}
    for k, (segment, (_, given)) in enumerate(zip(segments, found, strict=True)):
        function = getattr(made, f"segment{k}")
        function.argtypes = ctypes.c_void_p, ctypes.c_int
        function.restype = None
        functions[segment] = function, given
    return functions
