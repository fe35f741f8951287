"""The part of C++ that kernels of one element are written in, read into :mod:`syntax`.

Read are declarations, assignments, conditions, loops, functions with their templates, and arrays of
fixed size; no classes, no pointers but those to variables, nothing that threads share.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from contextlib import suppress

from gpugrad.kernel.syntax import (
    LIMITS,
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
from gpugrad.kernel.tokens import Token, Unsupported
from gpugrad.kernel.types import NAMES

_END = Token("end", "the end")
_WORDS = {"unsigned", "signed", "long", "short", "int", "char", "double"}
_IDLE = {
    "const", "constexpr", "static", "inline", "volatile", "extern", "register", "typename",
    "__device__", "__host__", "__inline__", "__forceinline__", "__noinline__", "__restrict__",
    "__restrict", "__constant__",
}  # fmt: skip
_CASTS = {"static_cast", "reinterpret_cast", "const_cast", "dynamic_cast"}
_REFUSED = {
    "goto", "asm", "__asm__", "new", "delete", "throw", "try", "sizeof", "operator", "this",
    "struct", "class", "union", "__shared__", "__syncthreads", "__syncwarp", "lambda", "decltype",
}  # fmt: skip
_ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
_LEVELS = {
    sign: level
    for level, signs in enumerate(
        (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="),
         ("<<", ">>"), ("+", "-"), ("*", "/", "%"))
    )
    for sign in signs
}  # fmt: skip


class Parser:
    """Reads tokens; ``types`` are the names that stand for types, to which definitions add."""

    def __init__(self, words: Sequence[Token], types: Iterable[str]):
        """Begin at the first of ``words``."""
        self.words = words
        self.place = 0
        self.types = {*NAMES, *types}
        self.aliases: dict[str, TypeName] = {}

    # ------------------------------------------------------------------ words

    @property
    def next(self) -> Token:
        """The word that is read next."""
        return self.words[self.place] if self.place < len(self.words) else _END

    def ahead(self, count: int) -> Token:
        """Return the word ``count`` places behind the next."""
        place = self.place + count
        return self.words[place] if place < len(self.words) else _END

    def take(self) -> str:
        """Return the next word and go on."""
        text = self.next.text
        self.place += 1
        return text

    def accept(self, text: str) -> bool:
        """Go on where the next word is ``text``, and tell whether it was."""
        if self.next.text != text or self.next.kind in ("text", "end"):
            return False
        self.place += 1
        return True

    def unexpected(self, wanted: str) -> Unsupported:
        """Return the error that the next word is not what was wanted."""
        near = " ".join(w.text for w in self.words[max(0, self.place - 4) : self.place + 4])
        return Unsupported(f"{self.next.text!r} where {wanted} was expected, in '{near}'")

    def expect(self, text: str) -> None:
        """Go on behind ``text``.

        Raises:
            Unsupported: The next word is another.
        """
        if not self.accept(text):
            raise self.unexpected(repr(text))

    def name(self) -> str:
        """Return the next word, which is a name.

        Raises:
            Unsupported: It is none.
        """
        if self.next.kind != "name":
            raise self.unexpected("a name")
        return self.take()

    # ------------------------------------------------------------------ types

    def begins_type(self) -> bool:
        """Tell whether the next words are a type."""
        text = self.next.text
        if text in ("std", "thrust", "cupy") and self.ahead(1).text == "::":
            return self.ahead(2).text in self.types
        if self.next.kind != "name":
            return False
        return text in self.types or text in _IDLE or text in _WORDS or text == "auto"

    def type(self) -> TypeName:
        """Return the type that the next words are."""
        self._skip_idle()
        words = []
        while self.next.text in _WORDS:
            words.append(self.take())
            self._skip_idle()
        arguments: tuple[TypeName, ...] = ()
        if words:
            name = " ".join(sorted(words))
        else:
            if self.next.text in ("std", "thrust", "cupy") and self.ahead(1).text == "::":
                self.place += 2
            name = self.name()
            if name in _REFUSED:
                raise Unsupported(f"'{name}'")
            arguments = self._angles()
        self._skip_idle()
        pointers = 0
        while self.accept("*"):
            pointers += 1
            self._skip_idle()
        reference = self.accept("&")
        return TypeName(name, arguments, reference, pointers)

    def _skip_idle(self) -> None:
        while self.next.kind == "name" and self.next.text in _IDLE:
            self.place += 1

    def _angles(self) -> tuple[TypeName, ...]:
        """Return what stands in angle brackets, if it is types and if there are such."""
        if self.next.text != "<":
            return ()
        start = self.place
        self.place += 1
        found = []
        while self.begins_type():
            found.append(self.type())
            if not self.accept(","):
                break
        if found and self.next.text == ">>":  # of two templates
            self.words = [
                *self.words[: self.place], Token("sign", ">"), Token("sign", ">"),
                *self.words[self.place + 1 :],
            ]  # fmt: skip
        if found and self.accept(">"):
            return tuple(found)
        self.place = start
        return ()

    # ------------------------------------------------------------------ expressions

    def term(self) -> Term:
        """Return an expression, commas included: the value is the last one's."""
        found = self.assignment()
        while self.accept(","):
            found = Binary(",", found, self.assignment())
        return found

    def assignment(self) -> Term:
        """Return an expression without commas."""
        left = self._choice()
        if self.next.text in _ASSIGNMENTS:
            sign = self.take()[:-1]
            return Assign(left, sign, self.assignment())
        return left

    def _choice(self) -> Term:
        condition = self._binary(0)
        if not self.accept("?"):
            return condition
        yes = self.assignment()
        self.expect(":")
        return Choice(condition, yes, self.assignment())

    def _binary(self, lowest: int) -> Term:
        left = self._unary()
        while (level := _LEVELS.get(self.next.text, -1)) >= lowest:
            left = Binary(self.take(), left, self._binary(level + 1))
        return left

    def _unary(self) -> Term:
        if self.next.kind == "sign":
            if self.next.text in ("++", "--"):
                return Step(self.take()[0], self._unary(), after=False)
            if self.next.text in ("-", "+", "!", "~", "*", "&"):
                return Unary(self.take(), self._unary())
            if self.next.text == "(":
                cast = self._cast()
                if cast is not None:
                    return cast
        return self._postfix(self._primary())

    def _cast(self) -> Term | None:
        """Return ``(type)operand``, None if the parenthesis holds no type."""
        start = self.place
        self.place += 1
        if self.begins_type():
            found = self.type()
            if self.accept(")"):
                return Cast(found, self._unary())
        self.place = start
        return None

    def _primary(self) -> Term:
        if self.accept("("):
            inner = self.term()
            self.expect(")")
            return inner
        if self.accept("{"):
            return Listed(self._list("}"))
        if self.next.kind == "number":
            return _number(self.take())
        if self.next.kind == "text" and self.next.text.startswith("'"):
            return Literal(ord(ast.literal_eval(self.take())))
        if self.next.kind != "name":
            raise self.unexpected("a value")
        if self.next.text in ("true", "false"):
            return Literal(self.take() == "true")
        if self.next.text in _CASTS:
            return self._named_cast()
        if self.next.text in _REFUSED:
            raise Unsupported(f"'{self.next.text}'")
        if self.begins_type():
            made = self.type()
            if self.accept("{"):
                return Call(made, self._list("}"))
            self.expect("(")
            return Call(made, self._list(")"))
        if self.ahead(1).text == "::":
            self.place += 2
            return self._primary()
        name = self.take()
        arguments = self._angles()
        if name == LIMITS and self.accept("::"):
            name += f"::{self.name()}"
        if self.accept("("):
            return Call(TypeName(name, arguments), self._list(")"))
        return Name(name)

    def _named_cast(self) -> Term:
        self.place += 1
        self.expect("<")
        found = self.type()
        self.expect(">")
        self.expect("(")
        operand = self.term()
        self.expect(")")
        return Cast(found, operand)

    def _list(self, end: str) -> tuple[Term, ...]:
        found: list[Term] = []
        while not self.accept(end):
            found.append(self.assignment())
            if not self.accept(","):
                self.expect(end)
                break
        return tuple(found)

    def _postfix(self, term: Term) -> Term:
        while True:
            if self.accept("["):
                term = Index(term, self.term())
                self.expect("]")
            elif self.next.text in ("++", "--"):
                term = Step(self.take()[0], term, after=True)
            elif self.accept("."):
                name = self.name()
                term = Method(term, name, self._list(")") if self.accept("(") else ())
            elif self.next.text == "->":
                raise Unsupported("'->'")
            else:
                return term

    # ------------------------------------------------------------------ statements

    def statements(self, end: str = "the end") -> tuple[Statement, ...]:
        """Return all statements up to ``end``; the last may lack its semicolon."""
        found = []
        while self.next.text != end:
            found.append(self.statement())
        return tuple(found)

    def statement(self) -> Statement:
        """Return the next statement."""
        match self.next.text:
            case "{":
                self.place += 1
                inner = self.statements("}")
                self.expect("}")
                return Block(inner)
            case ";":
                self.place += 1
                return Block(())
            case "if":
                return self._if()
            case "for":
                return self._for()
            case "while":
                self.place += 1
                condition = self._condition()
                return Loop(Block(()), condition, Block(()), self.statement())
            case "do":
                return self._do()
            case "switch":
                return self._switch()
            case "break" | "continue":
                word = self.take()
                self._end()
                return Jump(word)
            case "return":
                self.place += 1
                value = None if self.ahead(0).text == ";" else self.term()
                self._end()
                return Return(value)
        found = self._simple()
        self._end()
        return found

    def _end(self) -> None:
        if self.next is not _END:
            self.expect(";")

    def _condition(self) -> Term:
        self.expect("(")
        condition = self.term()
        self.expect(")")
        return condition

    def _if(self) -> Statement:
        self.place += 1
        self.accept("constexpr")
        condition = self._condition()
        yes = self.statement()
        no = self.statement() if self.accept("else") else Block(())
        return If(condition, yes, no)

    def _for(self) -> Statement:
        self.place += 1
        self.expect("(")
        start: Statement = Block(()) if self.next.text == ";" else self._simple()
        self.expect(";")
        condition: Term = Literal(True) if self.next.text == ";" else self.term()
        self.expect(";")
        step: Statement = Block(()) if self.next.text == ")" else Evaluate(self.term())
        self.expect(")")
        return Loop(start, condition, step, self.statement())

    def _do(self) -> Statement:
        self.place += 1
        body = self.statement()
        self.expect("while")
        condition = self._condition()
        self._end()
        return Loop(Block(()), condition, Block(()), body, late=True)

    def _switch(self) -> Statement:
        self.place += 1
        value = self._condition()
        self.expect("{")
        cases: list[tuple[Term | None, tuple[Statement, ...]]] = []
        while not self.accept("}"):
            label: Term | None = None
            if not self.accept("default"):
                self.expect("case")
                label = self._choice()
            self.expect(":")
            inner = []
            while self.next.text not in ("case", "default", "}"):
                inner.append(self.statement())
            cases.append((label, tuple(inner)))
        return Switch(value, tuple(cases))

    def _simple(self) -> Statement:
        """Return a declaration or an expression, without its end."""
        if self.next.text in ("using", "typedef"):
            self._alias()
            return Block(())
        if self._declares():
            return self._declaration()
        return Evaluate(self.term())

    def _declares(self) -> bool:
        if not self.begins_type():
            return False
        if self.next.text in _IDLE:
            return True
        start = self.place
        words = self.words
        try:
            self.type()
            return self.next.kind == "name"
        except Unsupported:
            return False
        finally:
            self.place, self.words = start, words

    def _declaration(self) -> Statement:
        base = self.type()
        found = [self._variable(base)]
        while self.accept(","):
            plain = TypeName(base.name, base.arguments)
            pointers = 0
            while self.accept("*"):
                pointers += 1
            found.append(
                self._variable(TypeName(plain.name, plain.arguments, self.accept("&"), pointers))
            )
        return Declaration(tuple(found))

    def _variable(self, type_: TypeName) -> Variable:
        self._skip_idle()
        name = self.name()
        sizes: list[Term | None] = []
        while self.accept("["):
            sizes.append(None if self.next.text == "]" else self.term())
            self.expect("]")
        start: Term | None = None
        if self.accept("="):
            start = self.assignment()
        elif self.accept("{"):
            start = Listed(self._list("}"))
        elif self.accept("("):
            start = Call(type_, self._list(")"))
        return Variable(name, type_, tuple(sizes), start)

    def _alias(self) -> None:
        if self.take() == "using":
            if self.accept("namespace"):
                self.name()
                return
            name = self.name()
            if self.accept("::"):  # a name of another namespace
                self.name()
                return
            self.expect("=")
            self.aliases[name] = self.type()
        else:
            found = self.type()
            name = self.name()
            self.aliases[name] = found
        self.types.add(name)

    # ------------------------------------------------------------------ preamble

    def preamble(self) -> tuple[dict[str, FunctionText], list[Statement], set[str]]:
        """Return the functions and constants, and the names of what could not be read."""
        functions: dict[str, FunctionText] = {}
        constants: list[Statement] = []
        unread: set[str] = set()
        while self.next is not _END:
            start = self.place
            try:
                self._top(functions, constants)
            except Unsupported:
                self.place = start
                unread |= self._skipped()
        return functions, constants, unread

    def _top(self, functions: dict[str, FunctionText], constants: list[Statement]) -> None:
        if self.accept(";"):
            return
        if self.next.text in ("using", "typedef"):
            self._alias()
            self.expect(";")
            return
        templates: list[str] = []
        types = set(self.types)
        if self.accept("template"):
            self.expect("<")
            while not self.accept(">"):
                if self.take() not in ("typename", "class"):
                    raise Unsupported("a template of values")
                templates.append(self.name())
                self.accept(",")
            self.types |= set(templates)
        if self.next.text == "extern" and self.ahead(1).kind == "text":
            self.place += 2
        result = self.type()
        if self.ahead(1).text != "(":
            found = [self._variable(result)]
            while self.accept(","):
                found.append(self._variable(result))
            self.expect(";")
            constants.append(Declaration(tuple(found)))
            return
        name = self.name()
        parameters = self._parameters()
        if self.accept(";"):  # it is defined further down
            return
        self.expect("{")
        body = Block(self.statements("}"))
        self.expect("}")
        functions[name] = FunctionText(name, result, parameters, body, tuple(templates))
        self.types = types

    def _parameters(self) -> tuple[Variable, ...]:
        self.expect("(")
        found = []
        while not self.accept(")"):
            if self.next.text == "void" and self.ahead(1).text == ")":
                self.place += 1
                continue
            found.append(self._variable(self.type()))
            self.accept(",")
        return tuple(found)

    def _skipped(self) -> set[str]:
        """Go behind a definition that cannot be read, and return the names in it."""
        names, depth = set(), 0
        while self.next is not _END:
            token = self.next
            if token.kind == "name" and depth == 0:
                names.add(token.text)
            self.place += 1
            depth += (token.text in "({[") - (token.text in ")}]")
            if depth == 0 and token.text == ";":
                break
            if depth == 0 and token.text == "}":
                self.accept(";")
                break
        return names


def _number(text: str) -> Literal:
    if text[:2].lower() == "0x":
        digits = text.rstrip("uUlL")
        return Literal(int(digits, 16), text[len(digits) :].lower())
    digits = text.rstrip("fFuUlLhH")
    suffix = text[len(digits) :].lower()
    if any(c in digits for c in ".eE") or "f" in suffix:
        return Literal(float(digits), suffix)
    with suppress(ValueError):
        return Literal(int(digits, 8 if digits.startswith("0") and digits != "0" else 10), suffix)
    raise Unsupported(f"the number {text!r}")
