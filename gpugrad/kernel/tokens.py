"""The words of a kernel's text, after its comments are gone and its macros are replaced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Unsupported(NotImplementedError):  # noqa: N818  it names a part of a text
    """A part of a kernel's text that has no formula."""


class Token(NamedTuple):
    """One word: ``kind`` is "name", "number", "text" or "sign"; at the end "end"."""

    kind: str
    text: str


class Macro(NamedTuple):
    """What a name stands for; ``parameters`` is None where it takes no arguments."""

    parameters: tuple[str, ...] | None
    body: tuple[Token, ...]


_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|(\"(?:\\.|[^\"\\])*\")", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<name>[A-Za-z_]\w*)
    |(?P<number>0[xX][0-9a-fA-F]+[uUlL]*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFuUlLhH]*)
    |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])')
    |(?P<sign><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|::|[-+*/%<>=!&|^~?:;,.(){}\[\]])
    |(?P<space>\s+|\\\n)""",
    re.VERBOSE,
)
_DEFINE = re.compile(r"\s*#\s*define\s+(\w+)(\(([^)]*)\))?[ \t]*(.*)", re.DOTALL)
_IDLE = re.compile(r"\s*#\s*(include|pragma)\b")
_DEPTH = 64  # macros within each other


def words(text: str) -> list[Token]:
    """Return the tokens of a text without directives.

    Raises:
        Unsupported: A character begins no token.
    """
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Unsupported(f"the character {text[place]!r}")
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group()))
        place = match.end()
    return found


def tokens(text: str, macros: dict[str, Macro]) -> list[Token]:
    """Return the tokens of a text; what it defines is added to ``macros``.

    Raises:
        Unsupported: It has directives of the preprocessor other than define, include and pragma.
    """
    plain = _COMMENT.sub(lambda match: match.group(1) or " ", text).replace("\\\n", " ")
    found: list[Token] = []
    for line in plain.split("\n"):
        if not line.lstrip().startswith("#"):
            found += words(line)
            continue
        if _IDLE.match(line):
            continue
        define = _DEFINE.match(line)
        if define is None:
            raise Unsupported(f"the directive {line.strip()}")
        name, call, parameters, body = define.groups()
        given = tuple(p.strip() for p in parameters.split(",")) if call else None
        macros[name] = Macro(given, tuple(words(body)))
    return _expanded(found, macros)


def of_options(options: Iterable[str]) -> dict[str, Macro]:
    """Return the macros that options of the compiler define: ``-DNAME=VALUE``."""
    macros = {}
    for option in options:
        if option.startswith("-D"):
            name, _, value = option[2:].strip().partition("=")
            macros[name] = Macro(None, tuple(words(value or "1")))
    return macros


def _expanded(found: Sequence[Token], macros: Mapping[str, Macro], depth: int = 0) -> list[Token]:
    if depth > _DEPTH:
        raise Unsupported("a macro that stands for itself")
    result: list[Token] = []
    k = 0
    while k < len(found):
        token = found[k]
        macro = macros.get(token.text) if token.kind == "name" else None
        k += 1
        if macro is None:
            result.append(token)
        elif macro.parameters is None:
            result += _expanded(macro.body, macros, depth + 1)
        elif k < len(found) and found[k].text == "(":
            arguments, k = _arguments(found, k)
            values = dict(zip(macro.parameters, arguments, strict=False))
            body: list[Token] = []
            for word in macro.body:
                body += values.get(word.text, [word])
            result += _expanded(body, macros, depth + 1)
        else:
            result.append(token)
    return result


def _arguments(found: Sequence[Token], start: int) -> tuple[list[list[Token]], int]:
    """Return the arguments of a macro, and the place behind their closing parenthesis."""
    arguments: list[list[Token]] = [[]]
    depth = 0
    for k in range(start, len(found)):
        text = found[k].text
        depth += (text in "([{") - (text in ")]}")
        if depth == 0:
            return arguments, k + 1
        if text == "," and depth == 1:
            arguments.append([])
        elif k > start:
            arguments[-1].append(found[k])
    raise Unsupported("a macro whose parentheses are not closed")
