"""What is known at one point of a kernel's text: names, types, and the values of variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpugrad.formulas import COMPLEX, INTEGER, Expression, constant, variable
from gpugrad.kernel import arithmetic, library
from gpugrad.kernel.places import (
    Added,
    Element,
    Flag,
    Place,
    Raw,
    Row,
    Scope,
    Slot,
    State,
)
from gpugrad.kernel.program import Read, Turns, Write
from gpugrad.kernel.syntax import (
    FunctionText,
    Term,
    TypeName,
)
from gpugrad.kernel.tokens import Unsupported
from gpugrad.kernel.types import (
    INT,
    LITERAL,
    LONG,
    NAMES,
    TRUE,
    Type,
    Value,
    both,
    chosen,
    converted,
    real,
    untrue,
    whole,
    whole_of,
)

_THREADS = {"threadIdx", "blockIdx", "blockDim", "gridDim", "warpSize"}


class Known:
    """What is known while one kernel's text is followed.

    A variable is a place, and the state says which value it has; ``path`` is under which conditions
    the text that is followed next is run.
    """

    def __init__(
        self,
        names: Mapping[str, object],
        types: Mapping[str, Type],
        functions: Mapping[str, FunctionText],
        aliases: Mapping[str, TypeName],
        unread: set[str],
        scalar: Callable[[str, str, int], Value],
    ):
        """Begin with ``names``; ``scalar`` gives the sizes of a raw parameter."""
        self.globals: dict[str, object] = dict(names)
        self.functions = functions
        self.aliases = aliases
        self.unread = unread
        self.scalar = scalar
        self.scalars: dict[Expression, Any] = {}
        self.state: State = {}
        self.path: list[Expression] = []
        self.steps: list[Read | Turns] = []
        self.known: dict[tuple[Raw, Expression], Value] = {}
        self.read_at: dict[Raw, set[Expression]] = {}
        self.count = 0
        self.executed = 0
        self.calls = 0
        self.widest: set[Type] = set()
        self.scope = Scope([self.globals], dict(types))

    # ------------------------------------------------------------------ names and types

    def fresh(self, name: str, kind: str) -> Expression:
        """Return a variable that no other is called."""
        self.count += 1
        return variable(f"{name}_{self.count}_", kind)

    def found(self, name: str) -> Any:
        """Return what a name stands for.

        Raises:
            Unsupported: It stands for nothing.
        """
        for block in reversed(self.scope.blocks):
            if name in block:
                return block[name]
        if name in library.CONSTANTS:
            number = library.CONSTANTS[name]
            return whole(number, INT) if isinstance(number, int) else real(number)
        if name in _THREADS:
            raise Unsupported(f"'{name}': what a thread computes may not depend on its number")
        raise Unsupported(f"the name '{name}', which is not known")

    def type_of(self, name: TypeName) -> Type:
        """Return the type of a name.

        Raises:
            Unsupported: It is none of numbers.
        """
        if name.name in self.scope.types:
            return self.scope.types[name.name]
        if name.name in self.aliases:
            return self.type_of(self.aliases[name.name])
        found = NAMES.get(name.name)
        if found is None:
            raise Unsupported(f"the type '{name.name}'")
        if name.name == "complex":
            part = self.type_of(name.arguments[0]) if name.arguments else LITERAL
            found = Type(COMPLEX, 2 * part.bits)
        self.widest.add(found)
        return found

    def declared_type(self, name: TypeName, value: Value | None) -> Type:
        """Return the type of a variable, which ``auto`` takes from its value."""
        if name.name == "auto" and value is not None:
            return value.type
        return self.type_of(name)

    # ------------------------------------------------------------------ state

    def get(self, place: Place) -> Value:
        """Return the value of a variable.

        Raises:
            Unsupported: Nothing has set it.
        """
        value = self.state.get(place, place.default)
        if value is None:
            if isinstance(place, Element):
                return self.element(place)
            name = place.name if isinstance(place, Slot) else place
            raise Unsupported(f"'{name}', which is read before it is set")
        return value

    def element(self, place: Element) -> Value:
        """Return an element of a raw output as it was before the call."""
        value = self.read(place.raw, place.index)
        self.state[place] = value
        return value

    def put(self, targets: Sequence[tuple[Place, Expression]], value: Value) -> Value:
        """Set variables where their condition holds, and return the value in their type."""
        stored = value
        for place, holds in targets:
            stored = converted(value, place.type)
            if not (holds.function == "constant" and holds.value):
                old = self.get(place)
                stored = Value(chosen(holds, stored.expression, old.expression), place.type)
            self.state[place] = stored
            if isinstance(place, Element):
                self.state[Flag(place)] = TRUE
        return stored

    def value_at(self, targets: Sequence[tuple[Place, Expression]]) -> Value:
        """Return the value of the one of some variables whose condition holds."""
        *others, (place, _) = targets
        result = self.get(place)
        for place, holds in reversed(others):
            value = self.get(place)
            result = Value(chosen(holds, value.expression, result.expression), value.type)
        return result

    def guard(self) -> Expression:
        """Return the condition under which what follows is run."""
        result = constant(True)
        for part in self.path:
            result = both(result, part)
        return result

    def conditional(
        self,
        condition: Expression,
        yes: Callable[[], None],
        no: Callable[[], None] = lambda: None,
    ) -> None:
        """Follow ``yes`` where a condition holds and ``no`` where not."""
        if condition.function == "constant":
            (yes if condition.value else no)()
            return
        before = dict(self.state)
        self.path.append(condition)
        yes()
        taken = self.state
        self.path[-1] = untrue(condition)
        self.state = before
        no()
        self.path.pop()
        self.state = self._merged(condition, taken, self.state)

    def _merged(self, condition: Expression, yes: State, no: State) -> State:
        merged: State = {}
        for place in {**no, **yes}:
            a, b = yes.get(place, place.default), no.get(place, place.default)
            if isinstance(place, Element) and (a is None) != (b is None):
                before = self.known.get((place.raw, place.index))
                if before is None:
                    before = self.read(place.raw, place.index)
                a, b = a or before, b or before
            if a is None or b is None or a.expression is b.expression:
                merged[place] = a or b
            else:
                merged[place] = Value(chosen(condition, a.expression, b.expression), place.type)
        return merged

    # ------------------------------------------------------------------ raw parameters

    def read(self, raw: Raw, index: Expression) -> Value:
        """Return the variable for an element; where it is not read its place is 0."""
        self.read_at.setdefault(raw, set()).add(index)
        guard = self.guard()
        guarded = chosen(guard, index, constant(0, INTEGER))
        for place in (index, guarded):
            if (raw, place) in self.known:
                return self.known[raw, place]
        value = Value(self.fresh(raw.name, raw.type.kind), raw.type)
        self.steps.append(Read(value.expression, raw.name, guarded))
        self.known[raw, guarded] = value
        return value

    def flat(self, raw: Raw, term: Term) -> Expression:
        """Return the place of an element in row-major order."""
        row = self.row(term)
        if row is None:
            return whole_of(self.value(term))
        if len(row.slots) != raw.ndim:
            raise Unsupported(
                f"{len(row.slots)} indices of '{raw.name}', which has {raw.ndim} axes"
            )
        place = whole(0)
        for axis, slot in enumerate(row.slots):
            size = self.scalar("shape", raw.name, axis)
            index = Value(whole_of(self.get(slot)), LONG)
            place = arithmetic.binary("+", arithmetic.binary("*", place, size), index)
        return place.expression

    def writes(self) -> tuple[Write, ...]:
        """Return what goes to raw outputs.

        Raises:
            Unsupported: An element is read that another thread may write.
        """
        found = []
        for flag in [p for p in self.state if isinstance(p, Flag)]:
            place, holds = flag.of, self.get(flag).expression
            value = self.get(place).expression
            added = isinstance(place, Added)
            found.append(Write(place.raw.name, place.index, value, holds, added))
            for other in self.read_at.get(place.raw, ()):
                if added or other is not place.index:
                    raise Unsupported(f"'{place.raw.name}' read where another thread may write it")
        for raw in {w.raw for w in found}:
            if len({w.added for w in found if w.raw == raw}) > 1:
                raise Unsupported(f"'{raw}' both set and added to by atomicAdd")
        return tuple(found)

    # ------------------------------------------------------------------ what is followed

    def value(self, term: Term) -> Value:
        """Return the value of an expression, and do what it does."""
        raise NotImplementedError

    def row(self, term: Term) -> Row | None:
        """Return the local array that an expression is, if it is one."""
        raise NotImplementedError
