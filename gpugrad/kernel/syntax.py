"""What a kernel's text is made of: expressions, statements and functions."""

from __future__ import annotations

from dataclasses import dataclass

LIMITS = "numeric_limits"  # whose functions are called by names such as numeric_limits::max


@dataclass(frozen=True)
class TypeName:
    """A type as it is written: its name, what stands in its angle brackets, and how it is held."""

    name: str
    arguments: tuple[TypeName, ...] = ()
    reference: bool = False
    pointers: int = 0


class Term:
    """An expression."""


@dataclass(frozen=True)
class Literal(Term):
    """A number."""

    value: bool | int | float
    suffix: str = ""


@dataclass(frozen=True)
class Name(Term):
    """A variable."""

    name: str


@dataclass(frozen=True)
class Call(Term):
    """A function of this name, called, or a type that makes a value."""

    name: TypeName
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Method(Term):
    """A method of a value, called, or a member of it."""

    owner: Term
    name: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Index(Term):
    """An element of an array."""

    array: Term
    index: Term


@dataclass(frozen=True)
class Unary(Term):
    """An operator in front of its operand."""

    sign: str
    operand: Term


@dataclass(frozen=True)
class Step(Term):
    """``++`` or ``--``; ``after`` says that its value is the one before."""

    sign: str
    operand: Term
    after: bool


@dataclass(frozen=True)
class Binary(Term):
    """An operator between its operands."""

    sign: str
    left: Term
    right: Term


@dataclass(frozen=True)
class Assign(Term):
    """An assignment; ``sign`` is the operator of such as ``+=``, else empty."""

    target: Term
    sign: str
    value: Term


@dataclass(frozen=True)
class Choice(Term):
    """``condition ? yes : no``."""

    condition: Term
    yes: Term
    no: Term


@dataclass(frozen=True)
class Cast(Term):
    """A value in another type."""

    type: TypeName
    operand: Term


@dataclass(frozen=True)
class Listed(Term):
    """Values in braces."""

    items: tuple[Term, ...]


class Statement:
    """A statement."""


@dataclass(frozen=True)
class Variable:
    """One declared variable: the sizes of an array, and what it begins with."""

    name: str
    type: TypeName
    sizes: tuple[Term | None, ...]
    start: Term | None


@dataclass(frozen=True)
class Declaration(Statement):
    """Variables of one type."""

    variables: tuple[Variable, ...]


@dataclass(frozen=True)
class Evaluate(Statement):
    """An expression for what it does."""

    term: Term


@dataclass(frozen=True)
class Block(Statement):
    """Statements with variables of their own, or without: several declarations of a loop."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class If(Statement):
    """A choice of statements."""

    condition: Term
    yes: Statement
    no: Statement


@dataclass(frozen=True)
class Loop(Statement):
    """Any loop; ``late`` says that its condition is asked after each turn."""

    start: Statement
    condition: Term
    step: Statement
    body: Statement
    late: bool = False


@dataclass(frozen=True)
class Switch(Statement):
    """A choice by a number; a case without a value is the default."""

    value: Term
    cases: tuple[tuple[Term | None, tuple[Statement, ...]], ...]


@dataclass(frozen=True)
class Jump(Statement):
    """``break`` or ``continue``."""

    word: str


@dataclass(frozen=True)
class Return(Statement):
    """The end of a function, and its value."""

    value: Term | None


@dataclass(frozen=True)
class FunctionText:
    """A device function of the preamble."""

    name: str
    result: TypeName
    parameters: tuple[Variable, ...]
    body: Block
    templates: tuple[str, ...]
