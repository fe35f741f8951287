"""A kernel's expressions followed symbolically, and its calls of functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad.formulas import COMPLEX, INTEGER, Expression, constant, eq, variable
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
)
from gpugrad.kernel.state import Known
from gpugrad.kernel.syntax import (
    LIMITS,
    Assign,
    Binary,
    Call,
    Cast,
    Choice,
    FunctionText,
    Index,
    Listed,
    Literal,
    Method,
    Name,
    Statement,
    Step,
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

CALLS = 32  # functions within each other
CASES = 64  # elements of a local array that is indexed by what is not known

_ATOMIC = {
    "atomicSub", "atomicExch", "atomicMin", "atomicMax", "atomicInc", "atomicDec", "atomicCAS",
    "atomicAnd", "atomicOr", "atomicXor",
}  # fmt: skip


class Terms(Known):
    """Follows expressions."""

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
        if name.name.startswith(LIMITS) and len(name.arguments) == 1:
            return library.limit(self.type_of(name.arguments[0]), name.name.partition("::")[2])
        if name.name == "swap" and "swap" not in self.unread and len(arguments) == 2:
            first, second = map(self.targets, arguments)
            before = self.value_at(first)
            self.put(first, self.value_at(second))
            return self.put(second, before)
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

    def execute(self, statement: Statement) -> None:
        """Follow a statement."""
        raise NotImplementedError


def _behind(term: Term) -> Term:
    """Return what a pointer points to."""
    return term.operand if isinstance(term, Unary) and term.sign == "&" else Unary("*", term)


def _literal(value: Any, suffix: str) -> Value:
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, float):
        return real(value)
    unsigned, long = "u" in suffix, "l" in suffix or value >= 1 << 31
    kind = (UNSIGNED_LONG if unsigned else LONG) if long else (UNSIGNED if unsigned else INT)
    return whole(value, kind)
