"""A kernel's text followed symbolically: what it computes becomes expressions.

Both branches of a condition are followed, and what they set is chosen between; a loop is followed
turn by turn while its condition is known, and for a while where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

from gpugrad.formulas import BOOL, Expression, constant, ordered
from gpugrad.kernel import arithmetic
from gpugrad.kernel.places import (
    Frame,
    Place,
    Row,
    Slot,
    State,
)
from gpugrad.kernel.program import Program, Turns, zero
from gpugrad.kernel.syntax import (
    Block,
    Call,
    Declaration,
    Evaluate,
    If,
    Jump,
    Listed,
    Loop,
    Return,
    Statement,
    Switch,
    Term,
    Variable,
)
from gpugrad.kernel.terms import Terms
from gpugrad.kernel.tokens import Unsupported
from gpugrad.kernel.types import (
    BOOLEAN,
    FALSE,
    INT,
    TRUE,
    Value,
    both,
    chosen,
    converted,
    either,
    truth,
    untrue,
    whole,
)

TURNS = 128  # of a loop that become one formula
STATEMENTS = 2000  # that they may be together


class Pin(Exception):  # noqa: N818  no error: how often a loop runs depends on these numbers
    """Sources of numbers that a loop needs."""

    def __init__(self, sources: Sequence[Any]):
        """Ask for the values of ``sources``."""
        super().__init__()
        self.sources = tuple(sources)


class Machine(Terms):
    """Follows one kernel's text.

    ``scalars`` are variables whose values are the same for all elements, known when it is called
    and small, with where they come from; a loop may ask for them by :class:`Pin`.
    """

    # ------------------------------------------------------------------ statements

    def left(self) -> Expression:
        """Return whether the statements that follow are passed over."""
        frame = self.scope.frames[-1] if self.scope.frames else Frame()
        result = constant(False)
        for slot in (frame.broken, frame.continued, self.scope.returned):
            if slot is not None:
                result = either(result, self.get(slot).expression)
        return result

    def execute(self, statement: Statement) -> None:
        """Follow a statement."""
        self.executed += 1
        match statement:
            case Block(statements):
                self.scope.blocks.append({})
                self.sequence(statements)
                self.scope.blocks.pop()
            case Declaration(variables):
                for declared in variables:
                    self.declare(declared)
            case Evaluate(term):
                self.value(term)
            case If(condition, yes, no):
                self.conditional(
                    truth(self.value(condition)).expression,
                    lambda: self.execute(yes),
                    lambda: self.execute(no),
                )
            case Loop():
                self.loop(statement)
            case Switch(value, cases):
                self.switch(self.value(value), cases)
            case Jump(word):
                frame = self.scope.frames[-1] if self.scope.frames else Frame()
                slot = frame.broken if word == "break" else frame.continued
                if slot is None:
                    raise Unsupported(f"'{word}' outside of a loop")
                self.state[slot] = TRUE
            case Return(term):
                self.leave(term)

    def sequence(self, statements: Sequence[Statement]) -> None:
        """Follow statements; where one has left the block the rest is conditional."""
        for k, statement in enumerate(statements):
            self.execute(statement)
            left = self.left()
            if left.function != "constant":
                self.conditional(untrue(left), partial(self.sequence, statements[k + 1 :]))
                return
            if left.value:
                return

    def leave(self, term: Term | None) -> None:
        """Leave a device function."""
        if self.scope.returned is None or self.scope.value is None:
            raise Unsupported("'return' outside of a function, which ends the thread")
        if term is not None:
            self.state[self.scope.value] = converted(self.value(term), self.scope.value.type)
        self.state[self.scope.returned] = TRUE

    def declare(self, declared: Variable) -> None:
        """Make the variables that a declaration names."""
        if declared.type.pointers:
            raise Unsupported("a pointer")
        block = self.scope.blocks[-1]
        if declared.sizes:
            block[declared.name] = self.array(declared)
            return
        if declared.type.reference and declared.start is not None:
            ((place, _),) = self.targets(declared.start)
            block[declared.name] = place
            return
        start = declared.start
        value: Value | None = None
        if isinstance(start, Call) and start.name == declared.type:
            kind = self.type_of(declared.type)
            value = self.made(kind, [self.value(a) for a in start.arguments])
        elif isinstance(start, Listed):
            kind = self.type_of(declared.type)
            value = self.made(kind, [self.value(a) for a in start.items])
        elif start is not None:
            value = self.value(start)
        kind = self.declared_type(declared.type, value)
        slot = Slot(declared.name, kind)
        block[declared.name] = slot
        self.state[slot] = None if value is None else converted(value, kind)

    def array(self, declared: Variable) -> Row:
        """Return a new local array."""
        items = _flattened(declared.start)
        sizes: list[int] = []
        for size in declared.sizes:
            if size is None:
                sizes.append(len(items))
                continue
            value = self.value(size)
            if not value.known:
                raise Unsupported(f"the size of '{declared.name}', which is not known")
            sizes.append(int(value.number))
        kind = self.type_of(declared.type)
        slots = [Slot(f"{declared.name}[{k}]", kind) for k in range(prod(sizes))]
        for k, slot in enumerate(slots):
            if k < len(items):
                self.state[slot] = converted(self.value(items[k]), kind)
            else:
                begun = declared.start is not None
                self.state[slot] = converted(whole(0, INT), kind) if begun else None
        return Row(slots, tuple(sizes))

    def switch(
        self, value: Value, cases: Sequence[tuple[Term | None, tuple[Statement, ...]]]
    ) -> None:
        """Follow a choice by a number, with its cases that fall through."""
        outer = self.scope.frames[-1] if self.scope.frames else Frame()
        frame = Frame(Slot("broken", BOOLEAN, FALSE), outer.continued)
        assert frame.broken is not None
        self.state[frame.broken] = FALSE
        hits = [
            None if label is None else arithmetic.binary("==", value, self.value(label)).expression
            for label, _ in cases
        ]
        nothing = constant(True)
        for hit in hits:
            if hit is not None:
                nothing = both(nothing, untrue(hit))
        entered = constant(False)
        self.scope.frames.append(frame)
        self.scope.blocks.append({})
        for hit, (_, statements) in zip(hits, cases, strict=True):
            entered = either(entered, nothing if hit is None else hit)
            runs = both(entered, untrue(self.left()))
            self.conditional(runs, partial(self.sequence, statements))
        self.scope.blocks.pop()
        self.scope.frames.pop()
        self.state.pop(frame.broken)

    # ------------------------------------------------------------------ loops

    def loop(self, loop: Loop) -> None:
        """Follow a loop: as one formula where it is short, else turn by turn."""
        self.scope.blocks.append({})
        self.execute(loop.start)
        frame = Frame(Slot("broken", BOOLEAN, FALSE), Slot("continued", BOOLEAN, FALSE))
        self.scope.frames.append(frame)
        before = (dict(self.state), list(self.steps), dict(self.known))
        blocks = len(self.scope.blocks)
        if not self.unrolled(loop, frame):
            self.state, self.steps, self.known = before
            del self.scope.blocks[blocks:]
            self.repeated(loop, frame)
        self.scope.frames.pop()
        for slot in (frame.broken, frame.continued):
            if slot is not None:
                self.state.pop(slot, None)
        self.scope.blocks.pop()

    def unrolled(self, loop: Loop, frame: Frame) -> bool:
        """Follow all turns of a loop; tell whether they were few enough."""
        done = Slot("done", BOOLEAN, FALSE)
        self.state[done] = FALSE
        started, turn = self.executed, 0

        def ask() -> None:
            condition = truth(self.value(loop.condition)).expression
            self.pin(condition)
            self.state[done] = Value(either(self.get(done).expression, untrue(condition)), BOOLEAN)

        def step() -> None:
            if turn or not loop.late:
                ask()
            self.conditional(
                untrue(self.get(done).expression), lambda: self.turn(loop, frame, done)
            )

        while not (self.get(done).known and self.get(done).number):
            if turn > TURNS or (turn and self.executed - started > STATEMENTS):
                self.state.pop(done)
                return False
            self.conditional(untrue(self.get(done).expression), step)
            turn += 1
        self.state.pop(done)
        return True

    def turn(self, loop: Loop, frame: Frame, done: Slot) -> None:
        """Follow the body of a loop and its step, if it is not left."""
        assert frame.broken is not None
        assert frame.continued is not None
        self.state[frame.broken] = self.state[frame.continued] = FALSE
        self.execute(loop.body)
        gone = self.get(frame.broken).expression
        if self.scope.returned is not None:
            gone = either(gone, self.get(self.scope.returned).expression)
        self.state[frame.broken] = self.state[frame.continued] = FALSE
        self.state[done] = Value(either(self.get(done).expression, gone), BOOLEAN)
        self.conditional(untrue(gone), lambda: self.execute(loop.step))

    def pin(self, condition: Expression) -> None:
        """Ask for numbers that decide how often a loop runs.

        Raises:
            Pin: The condition depends on these, and on nothing else.
        """
        used = [e for e in ordered((condition,)) if e.function == "variable"]
        if used and self.scalars.keys() >= set(used):
            raise Pin([self.scalars[e] for e in used])

    def repeated(self, loop: Loop, frame: Frame) -> None:
        """Make a loop a step of its own."""
        entry, outer = dict(self.state), (self.path, self.steps, self.known)
        starts = [self.guard()]
        carried: list[Place] = []
        while True:
            begin = {p: Value(self.fresh("carried", p.type.kind), p.type) for p in carried}
            alive = self.fresh("alive", BOOL)
            self.state = {**entry, **begin}
            self.path, self.steps, self.known = [alive], [], {}
            goes = self.one_turn(loop, frame)
            more = [
                p for p, before in entry.items()
                if p not in carried and _changed(self.state.get(p), before)
            ]  # fmt: skip
            if any(not isinstance(p, Slot) for p in self.state if p not in entry or p in more):
                raise Unsupported(
                    "a raw output set in a loop of which it is not known how often it runs"
                )
            if not more:
                break
            carried += more
        outputs = [both(alive, goes)]
        results: State = {}
        for place in carried:
            new, old = self.state[place], begin[place]
            value = entry[place]
            assert new is not None
            starts.append(zero(place.type.kind) if value is None else value.expression)
            outputs.append(chosen(alive, new.expression, old.expression))
            results[place] = Value(self.fresh("after", place.type.kind), place.type)
        body = Program(tuple(self.steps), tuple(outputs))
        self.path, self.steps, self.known = outer
        self.steps.append(
            Turns(
                alive,
                tuple(begin[p].expression for p in carried),
                tuple(starts),
                body,
                tuple(v.expression for v in results.values() if v is not None),
            )
        )
        self.state = {**entry, **results}

    def one_turn(self, loop: Loop, frame: Frame) -> Expression:
        """Follow one turn, and return whether another one follows."""
        done = Slot("done", BOOLEAN, FALSE)
        self.state[done] = FALSE
        blocks = list(self.scope.blocks)

        def ask() -> None:
            condition = truth(self.value(loop.condition)).expression
            self.state[done] = Value(either(self.get(done).expression, untrue(condition)), BOOLEAN)

        if not loop.late:
            ask()
        self.conditional(untrue(self.get(done).expression), lambda: self.turn(loop, frame, done))
        if loop.late:
            self.conditional(untrue(self.get(done).expression), ask)
        self.scope.blocks = blocks
        goes = untrue(self.get(done).expression)
        self.state.pop(done)
        for slot in (frame.broken, frame.continued):
            if slot is not None:
                self.state[slot] = FALSE
        return goes


def _changed(value: Value | None, before: Value | None) -> bool:
    if value is None or before is None:
        return value is not before
    return value.expression is not before.expression


def _flattened(term: Term | None) -> list[Term]:
    if isinstance(term, Listed):
        return [inner for item in term.items for inner in _flattened(item)]
    return [] if term is None else [term]
