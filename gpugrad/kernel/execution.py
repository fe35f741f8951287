"""A kernel's text followed symbolically: what it computes becomes expressions.

Both branches of a condition are followed, and what they set is chosen between; a loop is followed
turn by turn while its condition is known, and for a while where it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

from gpugrad.formulas import BOOL, COMPLEX, INTEGER, Expression, constant, eq, ordered, variable
from gpugrad.kernel import arithmetic, library
from gpugrad.kernel.places import (
    Added,
    Element,
    Flag,
    Frame,
    Place,
    Raw,
    Row,
    Scope,
    Slot,
    State,
)
from gpugrad.kernel.program import Program, Read, Turns, Write, zero
from gpugrad.kernel.syntax import (
    Assign,
    Binary,
    Block,
    Call,
    Cast,
    Choice,
    Declaration,
    Evaluate,
    FunctionText,
    If,
    Index,
    Jump,
    Listed,
    Literal,
    Loop,
    Method,
    Name,
    Return,
    Statement,
    Step,
    Switch,
    Term,
    TypeName,
    Unary,
    Variable,
)
from gpugrad.kernel.tokens import Unsupported
from gpugrad.kernel.types import (
    BOOLEAN,
    FALSE,
    INT,
    LITERAL,
    LONG,
    NAMES,
    TRUE,
    UNSIGNED,
    UNSIGNED_LONG,
    VOID,
    Type,
    Value,
    both,
    chosen,
    common,
    converted,
    either,
    real,
    truth,
    untrue,
    whole,
    whole_of,
)

TURNS = 128  # of a loop that become one formula
STATEMENTS = 2000  # that they may be together
CALLS = 32  # functions within each other
CASES = 64  # elements of a local array that is indexed by what is not known

_ATOMIC = {
    "atomicSub", "atomicExch", "atomicMin", "atomicMax", "atomicInc", "atomicDec", "atomicCAS",
    "atomicAnd", "atomicOr", "atomicXor",
}  # fmt: skip
_THREADS = {"threadIdx", "blockIdx", "blockDim", "gridDim", "warpSize"}


class Pin(Exception):  # noqa: N818  no error: how often a loop runs depends on these numbers
    """Sources of numbers that a loop needs."""

    def __init__(self, sources: Sequence[Any]):
        """Ask for the values of ``sources``."""
        super().__init__()
        self.sources = tuple(sources)


class Machine:
    """Follows one kernel's text.

    ``scalars`` are variables whose values are the same for all elements, known when it is called
    and small, with where they come from; a loop may ask for them by :class:`Pin`.
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

    # ------------------------------------------------------------------ expressions

    def row(self, term: Term) -> Row | None:
        """Return the local array that an expression is, if it is one."""
        if isinstance(term, Name):
            found = next(
                (b[term.name] for b in reversed(self.scope.blocks) if term.name in b), None
            )
            return found if isinstance(found, Row) else None
        if isinstance(term, Index):
            outer = self.row(term.array)
            if outer is not None and len(outer.sizes) > 1:
                k = self.value(term.index)
                if not k.known:
                    raise Unsupported("a row of a local array that is not known")
                inner = outer.sizes[1:]
                size = len(outer.slots) // outer.sizes[0]
                return Row(outer.slots[k.number * size : (k.number + 1) * size], inner)
        return None

    def targets(self, term: Term) -> list[tuple[Place, Expression]]:
        """Return the variables that an expression may name, and under which conditions.

        Raises:
            Unsupported: It names none that may be set.
        """
        always = constant(True)
        if isinstance(term, Name):
            found = self.found(term.name)
            if isinstance(found, Slot):
                return [(found, always)]
            raise Unsupported(f"'{term.name}' set, which is no variable")
        if isinstance(term, Unary) and term.sign == "*":
            if isinstance(term.operand, Name):
                found = self.found(term.operand.name)
                if isinstance(found, Row):
                    return [(found.slots[0], always)]
            raise Unsupported("a pointer")
        if isinstance(term, Index):
            if isinstance(term.array, Name):
                found = self.found(term.array.name)
                if isinstance(found, Raw):
                    if not found.output:
                        raise Unsupported(f"'{found.name}' set, which is an input")
                    index = self.flat(found, term.index)
                    return [(Element(found, index, found.type), always)]
            row = self.row(term.array)
            if row is not None and len(row.sizes) == 1:
                return self.elements(row, self.value(term.index))
        raise Unsupported("a value set that is no variable")

    def elements(self, row: Row, index: Value) -> list[tuple[Place, Expression]]:
        """Return the elements of a local array that an index may name.

        Raises:
            Unsupported: It names none.
        """
        if index.known:
            if not 0 <= index.number < len(row.slots):
                raise Unsupported(f"element {index.number} of an array of {len(row.slots)}")
            return [(row.slots[index.number], constant(True))]
        if len(row.slots) > CASES:
            raise Unsupported(f"an unknown element of a local array of {len(row.slots)}")
        e = whole_of(index)
        return [(slot, eq(e, constant(k, INTEGER))) for k, slot in enumerate(row.slots)]

    def value(self, term: Term) -> Value:
        """Return the value of an expression, and do what it does."""
        match term:
            case Literal(value, suffix):
                return _literal(value, suffix)
            case Name(name):
                return self.named(name)
            case Binary(sign, left, right):
                return self.binary(sign, left, right)
            case Unary("*", _):
                return self.value_at(self.targets(term))
            case Unary("&", _):
                raise Unsupported("a pointer")
            case Unary(sign, operand):
                return arithmetic.unary(sign, self.value(operand))
            case Assign(target, sign, operand):
                return self.assigned(target, sign, operand)
            case Step(sign, operand, after):
                targets = self.targets(operand)
                old = self.value_at(targets)
                new = self.put(targets, arithmetic.incremented(old, sign))
                return old if after else new
            case Choice(condition, yes, no):
                return self.choice(truth(self.value(condition)).expression, yes, no)
            case Cast(name, operand):
                return self.cast(name, self.value(operand))
            case Index(array, index):
                return self.indexed(term, array, index)
            case Method(owner, name, arguments):
                return self.method(owner, name, arguments)
            case Call(name, arguments):
                return self.call(name, arguments)
            case Listed(items) if len(items) == 1:
                return self.value(items[0])
        raise Unsupported("braces where a number was expected")

    def named(self, name: str) -> Value:
        """Return the value of a variable or a parameter."""
        found = self.found(name)
        if isinstance(found, Value):
            return found
        if isinstance(found, Slot):
            return self.get(found)
        raise Unsupported(f"the array '{name}' where a number was expected")

    def binary(self, sign: str, left: Term, right: Term) -> Value:
        """Return what an operator gives; the right side of && and || may not be run."""
        if sign == ",":
            self.value(left)
            return self.value(right)
        x = self.value(left)
        if sign not in ("&&", "||"):
            return arithmetic.binary(sign, x, self.value(right))
        first = truth(x).expression
        found = [TRUE if sign == "||" else FALSE]

        def follow() -> None:
            found[0] = truth(self.value(right))

        self.conditional(first if sign == "&&" else untrue(first), follow)
        combined = both if sign == "&&" else either
        return Value(combined(first, found[0].expression), BOOLEAN)

    def choice(self, condition: Expression, yes: Term, no: Term) -> Value:
        """Return one of two values."""
        found: dict[bool, Value] = {}
        self.conditional(
            condition,
            lambda: found.update({True: self.value(yes)}),
            lambda: found.update({False: self.value(no)}),
        )
        if len(found) == 1:
            return next(iter(found.values()))
        kind = found[True].type if found[True].type == found[False].type else (
            common(found[True].type, found[False].type)
        )  # fmt: skip
        a, b = (converted(found[k], kind).expression for k in (True, False))
        return Value(chosen(condition, a, b), kind)

    def assigned(self, target: Term, sign: str, operand: Term) -> Value:
        """Set a variable, by an operator or without."""
        value = self.value(operand)
        targets = self.targets(target)
        if sign:
            value = arithmetic.binary(sign, self.value_at(targets), value)
        return self.put(targets, value)

    def cast(self, name: TypeName, value: Value) -> Value:
        """Return a value in another type."""
        if name.pointers:
            raise Unsupported("a pointer")
        return converted(value, self.type_of(name))

    def indexed(self, term: Index, array: Term, index: Term) -> Value:
        """Return an element of a raw parameter, of a local array, or of a shape."""
        if isinstance(array, Name):
            found = self.found(array.name)
            if isinstance(found, Raw):
                place = self.flat(found, index)
                if found.output:
                    return self.get(Element(found, place, found.type))
                return self.read(found, place)
        if isinstance(array, Method) and isinstance(array.owner, Name):
            k = self.value(index)
            if not k.known:
                raise Unsupported("an axis that is not known")
            owner = self.found(array.owner.name)
            if array.name == "get" and owner == "_ind":
                return self.scalar("place", "", k.number)
            if array.name == "shape":
                name = owner.name if isinstance(owner, Raw) else ""
                return self.scalar("shape", name, k.number)
        return self.value_at(self.targets(term))

    def method(self, owner: Term, name: str, arguments: Sequence[Term]) -> Value:
        """Return what a method of a number, of a raw parameter or of the loop gives."""
        found = self.found(owner.name) if isinstance(owner, Name) else None
        if name == "size" and isinstance(found, Raw | str):
            return self.scalar("size", found.name if isinstance(found, Raw) else found, 0)
        if name == "ndim" and isinstance(found, Raw):
            return whole(found.ndim, INT)
        if name in ("real", "imag") and not arguments and not isinstance(found, Raw | str):
            value = self.value(owner)
            return library.real_part(value) if name == "real" else library.imaginary_part(value)
        raise Unsupported(f"the method '{name}'")

    # ------------------------------------------------------------------ calls

    def call(self, name: TypeName, arguments: Sequence[Term]) -> Value:
        """Return what a function or the name of a type gives."""
        function = self.functions.get(name.name)
        if function is not None:
            return self.followed(function, name, arguments)
        if name.name in self.scope.types or name.name in self.aliases or name.name in NAMES:
            return self.made(self.type_of(name), [self.value(a) for a in arguments])
        if name.name == "atomicAdd":
            return self.added(arguments)
        if name.name == "__ldg" and len(arguments) == 1:
            return self.value(_behind(arguments[0]))
        if name.name in _ATOMIC:
            raise Unsupported(f"{name.name}(), whose result depends on the order of threads")
        if library.plain_name(name.name) == "sincos":
            angle = self.value(arguments[0])
            for part, target in zip(("sin", "cos"), arguments[1:], strict=True):
                value = library.called(part, [angle])
                assert value is not None
                self.put(self.targets(_behind(target)), value)
            return whole(0, INT)
        value = library.called(name.name, [self.value(a) for a in arguments])
        if value is None:
            why = "which could not be read" if name.name in self.unread else "which is not known"
            raise Unsupported(f"the function {name.name}(), {why}")
        return value

    def made(self, target: Type, values: Sequence[Value]) -> Value:
        """Return the value that the name of a type makes."""
        if not values:
            return converted(whole(0, INT), target)
        if len(values) == 2 and target.kind == COMPLEX:
            return library.complex_of(values[0], values[1], target)
        if len(values) != 1:
            raise Unsupported(f"a number made of {len(values)} values")
        return converted(values[0], target)

    def added(self, arguments: Sequence[Term]) -> Value:
        """Add to an element of a raw output, as ``atomicAdd`` does."""
        ((place, _),) = self.targets(_behind(arguments[0]))
        if not isinstance(place, Element):
            raise Unsupported("atomicAdd() of a variable")
        sums = Added(place.raw, place.index, place.type)
        value = converted(self.value(arguments[1]), place.type)
        before = self.state.get(sums)
        total = value if before is None else arithmetic.binary("+", before, value)
        self.state[sums] = converted(total, place.type)
        self.state[Flag(sums)] = TRUE
        return Value(variable("__atomic__", place.type.kind), place.type)

    def followed(self, function: FunctionText, name: TypeName, arguments: Sequence[Term]) -> Value:
        """Return the result of a device function of the preamble, whose text is followed."""
        if len(arguments) != len(function.parameters):
            raise Unsupported(f"{function.name}() with {len(arguments)} arguments")
        if self.calls >= CALLS:
            raise Unsupported(f"{function.name}(), which calls itself")
        types = dict(self.scope.types)
        types.update(
            (t, self.type_of(a)) for t, a in zip(function.templates, name.arguments, strict=False)
        )
        given = set(function.templates[: len(name.arguments)])
        names: dict[str, object] = {}
        for parameter, term in zip(function.parameters, arguments, strict=True):
            names[parameter.name] = self.passed(function, parameter, term, types, given)
        outer = self.scope
        self.scope = Scope([self.globals, names], types)
        result = function.result
        kind = self.type_of(result) if result.name not in ("auto", "void") else VOID
        self.scope.returned = Slot("returned", BOOLEAN, FALSE)
        self.scope.value = Slot(f"the result of {function.name}()", kind)
        if result.name == "auto":
            raise Unsupported(f"the type of {function.name}(), which is auto")
        self.calls += 1
        self.state[self.scope.returned] = FALSE
        try:
            self.execute(function.body)
            return whole(0, INT) if kind == VOID else self.get(self.scope.value)
        finally:
            self.calls -= 1
            self.state.pop(self.scope.returned, None)
            self.state.pop(self.scope.value, None)
            self.scope = outer

    def passed(
        self,
        function: FunctionText,
        parameter: Variable,
        term: Term,
        types: dict[str, Type],
        given: set[str],
    ) -> object:
        """Return what a parameter of a device function stands for."""
        name = parameter.type
        if name.pointers or parameter.sizes:
            row = self.row(term)
            if row is not None:
                return row
            found = self.targets(_behind(term))
            if len(found) == 1 and isinstance(found[0][0], Slot):
                return Row([found[0][0]], (1,))
            raise Unsupported(f"a pointer to part of an array, given to {function.name}()")
        if name.reference and isinstance(term, Name | Index):
            try:
                found = self.targets(term)
            except Unsupported:  # of a parameter, which is not written
                found = []
            if len(found) == 1 and isinstance(found[0][0], Slot):
                return found[0][0]
        value = self.value(term)
        if name.name in function.templates and name.name not in given:
            types[name.name] = value.type
            given.add(name.name)
        outer, self.scope = self.scope, Scope([], types)
        for inner in name.arguments:
            if inner.name in function.templates and inner.name not in given:
                part = library.real_part(value).type if value.type.kind == COMPLEX else value.type
                types[inner.name] = part
        kind = self.declared_type(name, value)
        self.scope = outer
        slot = Slot(parameter.name, kind)
        self.state[slot] = converted(value, kind)
        return slot

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


def _behind(term: Term) -> Term:
    """Return what a pointer points to."""
    return term.operand if isinstance(term, Unary) and term.sign == "&" else Unary("*", term)


def _flattened(term: Term | None) -> list[Term]:
    if isinstance(term, Listed):
        return [inner for item in term.items for inner in _flattened(item)]
    return [] if term is None else [term]


def _literal(value: Any, suffix: str) -> Value:
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, float):
        return real(value)
    unsigned, long = "u" in suffix, "l" in suffix or value >= 1 << 31
    kind = (UNSIGNED_LONG if unsigned else LONG) if long else (UNSIGNED if unsigned else INT)
    return whole(value, kind)
