"""Loops of whole programs as C++: nests over strided memory, whose sizes and strides are numbers.

The work of a loop is cut into units that are independent of each other and of the number of
threads: blocks where nothing is reduced; else parts of what is put together, which are joined by
pairs.  The innermost loop goes along the dimension that most operands lie along; where that one is
reduced, blocks are put together in vectors, and then with each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gpugrad.formulas import Formula
from gpugrad.kernels.source import DType, c_type, c_types, file

HEADER = file("nests.cpp")

BLOCK = 1024  # elements of which a block of values is put together
_LONG = 1 << 14  # elements of a block where nothing is, and of a part of a sum
_ROWS = 128  # that are added up one after the other
SHARED = 1 << 19  # elements that are worth threads

_WAYS = {"sum": "Sum", "max": "Largest", "min": "Least"}


class Operand(NamedTuple):
    """Memory that a loop reads or writes: where it begins, as text, and its strides in bytes."""

    pointer: str
    strides: tuple[int, ...]
    dtype: DType


class _Dimension(NamedTuple):
    size: int
    is_reduced: bool
    strides: tuple[int, ...]  # of each operand


class Nest:
    """How a loop goes through its domain.

    ``operands`` are the inputs of the formula, and where its outputs go; of these the last ones are
    reduced in some ``ways``, all along the same ``axes``.
    """

    def __init__(
        self,
        formula: Formula,
        compute: DType,
        sizes: Sequence[int],
        strides: Sequence[tuple[int, ...]],
        dtypes: Sequence[DType],
        ways: Sequence[str],
        axes: frozenset[int],
    ):
        """Choose the order of dimensions, and the units of work."""
        self.formula, self.compute, self.dtypes, self.ways = formula, compute, dtypes, ways
        self.total = math.prod(sizes)
        self.count = len(formula.inputs)
        dimensions = [
            _Dimension(n, k in axes, tuple([s[k] for s in strides])) for k, n in enumerate(sizes)
        ]
        dimensions = self._collapsed(self._ordered(dimensions))
        nothing = _Dimension(1, bool(ways), (0,) * len(strides))
        self.inner = dimensions[-1] if dimensions else nothing
        outer = dimensions[:-1]
        self.kept = [d for d in outer if not d.is_reduced]
        self.along = [d for d in outer if d.is_reduced]
        self.rows = math.prod([d.size for d in self.kept])
        self.length = math.prod([d.size for d in self.along])
        n = self.inner.size
        if not ways:
            self.block = _LONG
            self.units = self.rows * _parts(n, self.block)
            self.parts = 1
        elif self.inner.is_reduced:
            self.block = BLOCK
            steps = self.length * _parts(n, BLOCK)
            self.each = max(1, _LONG // min(n, BLOCK))  # blocks of a part
            self.parts = _parts(steps, self.each)
            self.units = self.rows * self.parts
        else:
            self.block = BLOCK
            self.parts = _parts(self.length, _ROWS)
            self.units = self.parts * self.rows * _parts(n, BLOCK)

    def _ordered(self, dimensions: list[_Dimension]) -> list[_Dimension]:
        """Return dimensions from the outermost to the innermost one."""
        items = [d.itemsize for d in self.dtypes]

        def far(d: _Dimension) -> int:
            return -sum(map(abs, d.strides))

        def beside(d: _Dimension) -> tuple[int, int]:
            return sum(s == i for s, i in zip(d.strides, items, strict=True)), d.size

        ordered = sorted(dimensions, key=far)
        if not self.ways or not ordered:
            return ordered
        last = max(ordered, key=beside)
        groups = [
            [d for d in ordered if d.is_reduced == last.is_reduced],
            [d for d in ordered if d.is_reduced != last.is_reduced],
        ]
        return groups[1] + groups[0]

    @staticmethod
    def _collapsed(dimensions: list[_Dimension]) -> list[_Dimension]:
        """Return dimensions of which those that lie as one are one."""
        found: list[_Dimension] = []
        for d in dimensions:
            before = found[-1] if found else None
            if (
                before is not None
                and before.is_reduced == d.is_reduced
                and all(p == s * d.size for p, s in zip(before.strides, d.strides, strict=True))
            ):
                found[-1] = _Dimension(before.size * d.size, d.is_reduced, d.strides)
            else:
                found.append(d)
        return found

    @property
    def scratch(self) -> list[int]:
        """The bytes that each reduction needs for its parts."""
        if self.parts == 1:
            return [0 for _ in self.ways]
        width = 1 if self.inner.is_reduced else self.inner.size
        bytes_ = self.parts * self.rows * width * self.compute.itemsize
        return [bytes_ for _ in self.ways]

    # ----------------------------------------------------------------------- text

    def lines(self, inner: str, pointers: Sequence[str], scratch: Sequence[str]) -> list[str]:
        """Return the statements that do the units from ``first`` on, by the function ``inner``."""
        body = _Lines(self, inner)
        if not self.ways:
            lines = list(body.stored())
        elif self.inner.is_reduced:
            lines = list(body.along_rows(scratch))
        else:
            lines = list(body.along_columns(scratch))
        return [*_memory(pointers), *lines]

    def text(self, name: str, inner: str, pointers: Sequence[str], scratch: Sequence[str]) -> str:
        """Return the functions ``name`` of units, and ``name_end`` that joins their parts."""
        lines = self.lines(inner, pointers, scratch)
        found = _function(f"{name}(char *const *m, long first, long last)", lines)
        if self.parts > 1:
            ends = [*_memory(pointers), *_Lines(self, inner).joined(scratch)]
            found += _function(f"{name}_end(char *const *m)", ends)
        return found

    def calls(self, name: str) -> list[str]:
        """Return the statements that run the loop."""
        many = self.total >= SHARED and self.units > 1
        found = f"shared({name}, m, {self.units}, threads);" if many else (
            f"{name}(m, 0, {self.units});"
        )  # fmt: skip
        return [found, f"{name}_end(m);"] if self.parts > 1 else [found]


def rows_text(
    name: str,
    rows: Sequence[int],
    nests: Sequence[tuple[Nest, str, Sequence[str]]],
    memory: Sequence[int],
) -> str:
    """Return the function ``name`` of rows, for each of which some nests run.

    Each comes with its innermost function and its pointers.  These are texts in which the numbers
    of a row are ``z0``, ``z1`` ..., and ``own0``, ``own1`` ... the memory of one row, of so many
    bytes.
    """
    lines = [f"alignas(64) char own{k}[{size}];" for k, size in enumerate(memory)]
    lines.append("for (long row = first_row; row < last_row; row++) {")
    lines += _places("row", [_Dimension(n, False, ()) for n in rows], "z")
    for nest, inner, pointers in nests:
        lines += ["{", f"const long first = 0, last = {nest.units};"]
        lines += [*nest.lines(inner, pointers, ()), "}"]
    lines.append("}")
    return _function(f"{name}(char *const *m, long first_row, long last_row)", lines)


class Innermost:
    """The innermost functions of nests; those that do the same are one.

    They are functions of their own, since GCC finds vectors for loops in others in part of the
    cases only.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def of(self, nest: Nest) -> str:
        """Return the name of the function of pointers to a block's first elements, and a count."""
        return self._names.setdefault(_Lines(nest, "{}").innermost(), f"inner{len(self._names)}")

    @property
    def text(self) -> str:
        """The functions."""
        return "".join(text.replace("{}", name, 1) for text, name in self._names.items())


def _memory(pointers: Sequence[str]) -> list[str]:
    return [f"char *const p{k} = {p};" for k, p in enumerate(pointers)]


def _function(head: str, lines: Sequence[str]) -> str:
    body = "\n".join(_indented(lines))
    return f"static void {head} {{\n{body}\n}}\n"


class _Lines:
    """The statements of a nest."""

    def __init__(self, nest: Nest, name: str):
        self.nest, self.name = nest, name
        self.types = c_types(nest.compute)
        self.real = self.types["real"]
        self.outputs = range(nest.count, len(nest.dtypes))
        self.reduced = list(self.outputs)[len(self.outputs) - len(nest.ways) :]

    def stored(self) -> Iterator[str]:
        nest = self.nest
        n, parts = nest.inner.size, _parts(nest.inner.size, nest.block)
        yield "for (long u = first; u < last; u++) {"
        yield from _places("u" if parts == 1 else f"u / {parts}", nest.kept, "d")
        yield from self._pointers("q", "p", [(nest.kept, "d")], f"u % {parts}" if parts > 1 else "")
        yield from _count(n, nest.block, f"u % {parts}")
        yield self._call("nullptr")
        yield "}"

    def along_rows(self, scratch: Sequence[str]) -> Iterator[str]:
        nest = self.nest
        n, blocks = nest.inner.size, _parts(nest.inner.size, nest.block)
        ways = dict(zip(self.reduced, nest.ways, strict=True))
        yield "for (long u = first; u < last; u++) {"
        row = "u" if nest.parts == 1 else f"u / {nest.parts}"
        yield from _places(row, nest.kept, "d")
        yield from self._pointers("r", "p", [(nest.kept, "d")], "")
        for k, way in ways.items():
            yield f"{self.real} total{k} = {_WAYS[way]}::nothing<{self.real}>();"
        steps = nest.length * blocks
        if nest.parts == 1:
            yield f"for (long t = 0; t < {steps}; t++) {{"
        else:
            yield f"const long from = u % {nest.parts} * {nest.each};"
            yield f"const long to = from + {nest.each} < {steps} ? from + {nest.each} : {steps};"
            yield "for (long t = from; t < to; t++) {"
        yield from _places("t" if blocks == 1 else f"t / {blocks}", nest.along, "e")
        block = f"t % {blocks}" if blocks > 1 else ""
        yield from self._pointers("q", "r", [(nest.along, "e")], block)
        yield from _count(n, nest.block, f"t % {blocks}")
        yield f"{self.real} some[{len(ways)}];"
        yield self._call("some")
        for j, (k, way) in enumerate(ways.items()):
            yield f"total{k} = {_WAYS[way]}::of(total{k}, some[{j}]);"
        yield "}"
        for j, k in enumerate(ways):
            if nest.parts > 1:
                yield f"reinterpret_cast<{self.real} *>({scratch[j]})[u] = total{k};"
            else:
                kind = c_type(nest.dtypes[k])
                yield f"*reinterpret_cast<{kind} *>(r{k}) = {kind}(total{k});"
        yield "}"

    def along_columns(self, scratch: Sequence[str]) -> Iterator[str]:
        nest = self.nest
        n, blocks = nest.inner.size, _parts(nest.inner.size, nest.block)
        ways = dict(zip(self.reduced, nest.ways, strict=True))
        yield "for (long u = first; u < last; u++) {"
        place = f"u / {blocks} % {nest.rows}" if nest.rows > 1 else "0"
        yield from _places(place, nest.kept, "d")
        block = f"u % {blocks}" if blocks > 1 else ""
        yield from self._pointers("r", "p", [(nest.kept, "d")], block)
        yield from _count(n, nest.block, f"u % {blocks}")
        width = min(n, nest.block)
        yield f"alignas(64) {self.real} sums[{len(ways) * width}];"
        for j, way in enumerate(nest.ways):
            yield f"for (long i = 0; i < count; i++) sums[{j * width} + i] = "
            yield f"  {_WAYS[way]}::nothing<{self.real}>();"
        if nest.parts == 1:
            yield f"for (long t = 0; t < {nest.length}; t++) {{"
        else:
            yield f"const long part = u / {blocks * nest.rows}, from = part * {_ROWS};"
            yield f"const long next = from + {_ROWS};"
            yield f"const long to = next < {nest.length} ? next : {nest.length};"
            yield "for (long t = from; t < to; t++) {"
        yield from _places("t", nest.along, "e")
        yield from self._pointers("q", "r", [(nest.along, "e")], "")
        yield self._call("sums")
        yield "}"
        for j, k in enumerate(ways):
            if nest.parts > 1:
                start = f"(part * {nest.rows} + {place}) * {n} + u % {blocks} * {nest.block}"
                yield f"memcpy(reinterpret_cast<{self.real} *>({scratch[j]}) + {start},"
                yield f"  sums + {j * width}, count * sizeof({self.real}));"
            else:
                kind, step = c_type(nest.dtypes[k]), nest.inner.strides[k]
                yield "for (long i = 0; i < count; i++)"
                target = f"*reinterpret_cast<{kind} *>(r{k} + i * {step})"
                yield f"  {target} = {kind}(sums[{j * width} + i]);"
        yield "}"

    def joined(self, scratch: Sequence[str]) -> Iterator[str]:
        nest = self.nest
        for k, way, memory in zip(self.reduced, nest.ways, scratch, strict=True):
            kind = c_type(nest.dtypes[k])
            yield "{"
            yield f"{self.real} *parts = reinterpret_cast<{self.real} *>({memory});"
            width = nest.parts if nest.inner.is_reduced else nest.inner.size
            if not nest.inner.is_reduced:
                yield f"joined<{_WAYS[way]}>(parts, {nest.parts}, {nest.rows * width});"
            yield f"for (long u = 0; u < {nest.rows}; u++, parts += {width}) {{"
            yield from _places("u", nest.kept, "d")
            yield f"char *target = {_sum([f'p{k}', *_moves(nest.kept, 'd', k)])};"
            if nest.inner.is_reduced:
                yield f"joined<{_WAYS[way]}>(parts, {nest.parts}, 1);"
                yield f"*reinterpret_cast<{kind} *>(target) = {kind}(parts[0]);"
            else:
                step = nest.inner.strides[k]
                yield f"for (long i = 0; i < {width}; i++)"
                yield f"  *reinterpret_cast<{kind} *>(target + i * {step}) = {kind}(parts[i]);"
            yield "}"
            yield "}"

    def _call(self, sums: str) -> str:
        pointers = ", ".join(f"q{k}" for k in range(len(self.nest.dtypes)))
        return f"{{ char *const q[] = {{{pointers}}}; {self.name}(q, count, {sums}); }}"

    def _pointers(
        self, name: str, base: str, moves: Sequence[tuple[Sequence[_Dimension], str]], block: str
    ) -> Iterator[str]:
        for k in range(len(self.nest.dtypes)):
            terms = [f"{base}{k}"]
            for dimensions, letter in moves:
                terms += _moves(dimensions, letter, k)
            step = self.nest.inner.strides[k]
            if block and step:
                terms.append(f"{block} * {self.nest.block * step}L")
            yield f"char *const {name}{k} = {_sum(terms)};"

    def innermost(self) -> str:
        nest = self.nest
        inner = nest.inner
        lines: list[str] = []
        ends: list[str] = []
        outside = [f"char *const q{k} = q[{k}];" for k in range(len(nest.dtypes))]
        names = [f"x{k}" for k in range(nest.count)]
        kinds = [self.types[v.kind] for v in nest.formula.inputs]
        for k, kind in enumerate(kinds):
            text = f"const {kind} x{k} = {kind}({self._element(k, read=True)});"
            (lines if inner.strides[k] else outside).append(text)
        statements, texts = nest.formula.cuda(self.types, names, apart=True)
        lines += statements
        clauses = ["#pragma omp simd"]
        width = min(inner.size, nest.block)
        for k, text in zip(self.outputs, texts, strict=True):
            j = k - self.reduced[0] if k in self.reduced else -1
            if j < 0:
                lines.append(f"{self._element(k)} = {c_type(nest.dtypes[k])}({text});")
                continue
            way = _WAYS[nest.ways[j]]
            place = f"some{j}"
            if inner.is_reduced:
                outside.append(f"{self.real} some{j} = {way}::nothing<{self.real}>();")
                clauses.append(f"reduction({way.lower()}:some{j})")
                ends.append(f"sums[{j}] = some{j};")
            else:
                place = f"sums[{j * width} + i]"
            lines.append(f"{place} = {way}::of({place}, {self.real}({text}));")
        head = f"{self.name}(char *const *q, long count, {self.real} *sums)"
        if inner.size > 1:
            lines = [" ".join(clauses), "for (long i = 0; i < count; i++) {", *lines, "}"]
        return _function(f"__attribute__((noinline)) {head}", [*outside, *lines, *ends])

    def _element(self, k: int, read: bool = False) -> str:
        """Return the text of an operand's element."""
        dtype, step = self.nest.dtypes[k], self.nest.inner.strides[k]
        kind = "unsigned char" if dtype == np.bool_ and read else c_type(dtype)
        kind = f"const {kind}" if read else kind
        if step == 0:
            return f"*reinterpret_cast<{kind} *>(q{k})"
        if step % dtype.itemsize:
            return f"*reinterpret_cast<{kind} *>(q{k} + i * {step}L)"
        times = step // dtype.itemsize
        place = "i" if times == 1 else f"i * {times}L"
        return f"reinterpret_cast<{kind} *>(q{k})[{place}]"


def _parts(count: int, each: int) -> int:
    return -(-count // each)


def _places(number: str, dimensions: Sequence[_Dimension], letter: str) -> Iterator[str]:
    """Return declarations of the numbers along dimensions, of the number of a place of them all."""
    below = 1
    for k in reversed(range(len(dimensions))):
        own = f"({number})" if below == 1 else f"({number}) / {below}L"
        if k:
            own = f"{own} % {dimensions[k].size}L"
        yield f"const long {letter}{k} = {own};"
        below *= dimensions[k].size


def _moves(dimensions: Sequence[_Dimension], letter: str, operand: int) -> list[str]:
    return [
        f"{letter}{j} * {d.strides[operand]}L"
        for j, d in enumerate(dimensions)
        if d.strides[operand]
    ]


def _count(n: int, block: int, place: str) -> Iterator[str]:
    if n <= block:
        yield f"const long count = {n};"
    elif n % block:
        yield f"const long rest = {n}L - {place} * {block}L;"
        yield f"const long count = rest < {block} ? rest : {block};"
    else:
        yield f"const long count = {block};"


def _sum(terms: Sequence[str]) -> str:
    return " + ".join(terms)


def _indented(lines: Sequence[str]) -> Iterator[str]:
    depth = 1
    for line in lines:
        depth -= line.startswith("}")
        yield line if line.startswith("#") else "  " * depth + line
        depth += line.endswith("{")
