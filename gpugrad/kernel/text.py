"""The text of a kernel, read once, and followed for the types and sizes that it is called with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gpugrad.formulas import Expression, ordered, variable
from gpugrad.kernel.execution import Machine
from gpugrad.kernel.parameters import Parameter
from gpugrad.kernel.parser import Parser
from gpugrad.kernel.places import Frame, Raw, Slot
from gpugrad.kernel.program import Program, Read, Turns
from gpugrad.kernel.syntax import Block, Declaration, Statement, TypeName
from gpugrad.kernel.tokens import Unsupported, of_options, tokens
from gpugrad.kernel.types import BOOLEAN, FALSE, LONG, Type, Value, constant_of, of_dtype

DType = np.dtype[Any]


@dataclass(frozen=True)
class Source:
    """Where a variable of a formula comes from.

    ``what`` is "argument", "before" (an output as it was), "number" (of the element), "count" (of
    all), "place" (on an axis), "size" or "shape" (of a raw parameter).
    """

    what: str
    name: str = ""
    axis: int = 0


@dataclass(frozen=True)
class Signature:
    """What following a text depends on."""

    dtypes: tuple[tuple[str, DType], ...]
    ranks: tuple[tuple[str, int], ...]  # of raw arguments
    numbers: frozenset[str]  # which arguments are numbers
    written: frozenset[str]  # which outputs are given


@dataclass(eq=False)
class Followed:
    """What a text became for one signature."""

    program: Program
    sources: Mapping[Expression, Source]
    widest: frozenset[Type]

    @cached_property
    def names(self) -> Mapping[Expression, str]:
        """The users' names of variables."""
        return {e: s.name for e, s in self.sources.items() if s.what == "argument"}


class Body:
    """The statements of a kernel and the functions of its preamble."""

    def __init__(
        self,
        texts: Sequence[str],
        preamble: str,
        options: Sequence[str],
        types: Sequence[str],
        numbered: bool = True,
    ):
        """Read a text; each of ``texts`` is followed in the scope of those before it.

        Raises:
            Unsupported: It is no text that can be read.
        """
        self.numbered = numbered
        macros = of_options(options)
        top = Parser(tokens(preamble, macros), types)
        self.functions, self.constants, self.unread = top.preamble()
        self.aliases: dict[str, TypeName] = dict(top.aliases)
        self.parts: list[tuple[Statement, ...]] = []
        for text in texts:
            part = Parser(tokens(text, macros), top.types)
            self.parts.append(part.statements())
            self.aliases |= part.aliases
        self.followed: dict[tuple[Any, ...], Followed] = {}

    def machine(
        self,
        names: Mapping[str, object],
        types: Mapping[str, Type],
        scalar: Callable[[str, str, int], Value],
    ) -> Machine:
        """Return what follows the statements, its preamble's constants set."""
        machine = Machine(names, types, self.functions, self.aliases, self.unread, scalar)
        for constant_ in self.constants:
            if isinstance(constant_, Declaration):
                for declared in constant_.variables:
                    try:
                        machine.declare(declared)
                    except Unsupported:
                        self.unread.add(declared.name)
        return machine


class Sources:
    """The variables of one following, made where they are first asked for."""

    def __init__(self, pinned: Mapping[Source, Any]):
        """Begin; ``pinned`` are those that are constants."""
        self.pinned = pinned
        self.found: dict[Expression, Source] = {}

    def value(self, source: Source, name: str, type_: Type) -> Value:
        """Return the variable or the constant that stands for a source."""
        if source in self.pinned:
            return constant_of(self.pinned[source], type_)
        e = variable(f"{name}_", type_.kind)
        self.found[e] = source
        return Value(e, type_)


def follow(
    body: Body,
    signature: Signature,
    inputs: Sequence[Parameter],
    outputs: Sequence[Parameter],
    letters: Mapping[str, DType],
    pinned: Mapping[Source, Any],
    few: Set[Source],
) -> Followed:
    """Return what the text of an elementwise kernel computes.

    Of the numbers that are ``pinned`` the values are known, those that are ``few`` may be.

    Raises:
        Pin: How often a loop runs depends on numbers that are not pinned.
        Unsupported: It cannot be differentiated; why is said.
    """
    dtypes, ranks = dict(signature.dtypes), dict(signature.ranks)
    sources = Sources(pinned)
    scalars: dict[Expression, Source] = {}

    def scalar(what: str, name: str, axis: int) -> Value:
        owner = "" if name == "_ind" else name
        label = "_".join(filter(None, (what, owner, str(axis) if what != "size" else "")))
        source = Source(what, owner, axis)
        value = sources.value(source, label, LONG)
        if source in few and not value.known:
            scalars[value.expression] = source
        return value

    names: dict[str, object] = {"_in_ind": "_in_ind", "_out_ind": "_out_ind"}
    if body.numbered:
        names = {
            "i": sources.value(Source("number"), "i", LONG),
            "n": scalar("size", "_ind", 0),
            "_ind": "_ind",
        }
    for p in inputs:
        kind = of_dtype(dtypes[p.name])
        if p.raw:
            names[p.name] = Raw(p.name, kind, ranks[p.name], False)
            continue
        value = names[p.name] = sources.value(Source("argument", p.name), p.name, kind)
        if Source("argument", p.name) in few and not value.known:
            scalars[value.expression] = Source("argument", p.name)
    types = {letter: of_dtype(d) for letter, d in letters.items()}
    machine = body.machine(names, types, scalar)
    machine.scalars = scalars
    slots: list[Slot] = []
    for p in outputs:
        kind = of_dtype(dtypes[p.name])
        if p.raw:
            machine.globals[p.name] = Raw(p.name, kind, ranks[p.name], True)
            continue
        slot = Slot(p.name, kind)
        machine.globals[p.name] = slot
        given = p.name in signature.written
        before = sources.value(Source("before", p.name), p.name, kind) if given else None
        machine.state[slot] = before
        slots.append(slot)
    before_loop, operation, after_loop = body.parts
    machine.scope.blocks.append({})
    machine.sequence(before_loop)
    skipped = Slot("continued", BOOLEAN, FALSE)
    machine.state[skipped] = FALSE
    machine.scope.frames.append(Frame(None, skipped))
    machine.execute(Block(operation))
    machine.scope.frames.pop()
    machine.sequence(after_loop)
    finals = tuple(machine.get(slot).expression for slot in slots)
    writes = machine.writes()
    program = Program(tuple(machine.steps), finals, writes)
    used = _used(program)
    if variable("__atomic__", "real") in used or variable("__atomic__", "integer") in used:
        raise Unsupported("the value that atomicAdd() returns, which depends on other threads")
    own = {e: s for e, s in sources.found.items() if e in used}
    return Followed(program, own, frozenset(machine.widest))


def _used(program: Program) -> set[Expression]:
    roots: list[Expression] = [*program.outputs]
    for write in program.writes:
        roots += (write.index, write.value, write.holds)
    for step in program.steps:
        if isinstance(step, Read):
            roots.append(step.index)
        else:
            roots += step.starts
    used = {e for e in ordered(roots) if e.function == "variable"}
    for step in program.steps:
        if isinstance(step, Turns):
            used |= _used(step.body)
    return used
