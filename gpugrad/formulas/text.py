"""Formulas printed: as Python over NumPy's ufuncs, and as CUDA."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from gpugrad.formulas.expression import (
    BOOL,
    COMPLEX,
    FUNCTIONS,
    INTEGER,
    KINDS,
    REAL,
    Expression,
    Number,
    lowered,
    ordered,
)

PYTHON, CUDA = "python", "cuda"
_DEEPEST = 32  # functions within each other: Python reads 200 parentheses at most


def _literal(value: Number | str, kind: str, language: str, types: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return str(value) if language == PYTHON else str(value).lower()
    if isinstance(value, complex):
        if language == PYTHON:
            return repr(value)
        real = types[REAL]
        return f"{types[COMPLEX]}({real}({value.real!r}), {real}({value.imag!r}))"
    if isinstance(value, float) and not math.isfinite(value):
        name = "nan" if math.isnan(value) else "inf"
        text = name if language == PYTHON else {"nan": "CUDART_NAN", "inf": "CUDART_INF"}[name]
        text = f"-{text}" if value < 0 else text
    else:
        text = repr(value)
    if language == PYTHON:
        return f"int64({text})" if kind == INTEGER else text
    return f"{types[kind]}({text})"


class _Printer:
    """Writes expressions in one language; what is used more than once becomes a local name."""

    def __init__(self, language: str, types: Mapping[str, str]):
        self.language = language
        self.types = types
        self.names: dict[Expression, str] = {}

    def text(self, e: Expression) -> str:
        if e in self.names:
            return self.names[e]
        if e.function == "variable":
            return str(e.value)
        if e.function == "constant":
            return _literal(e.value, e.kind, self.language, self.types)
        function = FUNCTIONS[e.function]
        args = [self.text(a) for a in e.args]
        if self.language == PYTHON:
            return function.python.format(*args)
        valued = range(1, 3) if e.function == "where" else range(len(args))
        common = max((e.args[k].kind for k in valued), key=KINDS.index)
        if e.function in ("where", "maximum", "minimum", "pow"):
            for k in valued:  # C++ does not choose a common type for the branches of a choice
                args[k] = f"{self.types[common]}({args[k]})"
        template = (function.cuda_complex if common == COMPLEX else "") or function.cuda
        return template.format(*args, one=f"{self.types[REAL]}(1)", real=self.types[REAL])

    def statements(self, outputs: Sequence[Expression], deepest: int = _DEEPEST) -> list[str]:
        """Name every shared or deep part of ``outputs``; return the lines that compute them."""
        order = ordered(outputs)
        uses: dict[Expression, int] = dict.fromkeys(order, 0)
        depths: dict[Expression, int] = {}
        for used in (*outputs, *(a for e in order for a in e.args)):
            uses[used] += 1
        lines: list[str] = []
        for e in order:
            depths[e] = 1 + max([depths[a] for a in e.args], default=0)
            if e.args and (uses[e] > 1 or depths[e] > deepest):
                depths[e] = 0
                text = self.text(e)
                name = f"shared{len(lines)}"  # as no input is called
                declared = name if self.language == PYTHON else f"const {self.types[e.kind]} {name}"
                end = "" if self.language == PYTHON else ";"
                lines.append(f"{declared} = {text}{end}")
                self.names[e] = name
        return lines


def function_name(name: str) -> str:
    """Return a name for a formula's function that no function its text calls can have."""
    return f"{name}_formula"


def cuda_lines(
    inputs: Sequence[Expression],
    outputs: Sequence[Expression],
    types: Mapping[str, str],
    names: Sequence[str],
    apart: bool = False,
) -> tuple[list[str], list[str]]:
    """Return CUDA declarations of what is shared, and one expression for each output.

    ``names`` are the texts of the inputs.  Where they stand ``apart``, all parts are declared: what
    a choice is made of is then computed before it is made.
    """
    printer = _Printer(CUDA, types)
    printer.names.update(zip(inputs, names, strict=True))
    outputs = lowered(outputs)
    lines = printer.statements(outputs, 0 if apart else _DEEPEST)
    return lines, [printer.text(e) for e in outputs]


def python_lines(
    inputs: Sequence[Expression], outputs: Sequence[Expression], names: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return statements that compute what is shared, and one Python expression per output."""
    printer = _Printer(PYTHON, {})
    printer.names.update(zip(inputs, names, strict=True))
    outputs = lowered(outputs, python=True)
    lines = printer.statements(outputs)
    return lines, list(_result_texts(names, outputs, printer))


def python_function(name: str, inputs: Sequence[Expression], outputs: Sequence[Expression]) -> str:
    """Return the text of a Python function over arrays."""
    names = [str(v.value) for v in inputs]
    lines, results = python_lines(inputs, outputs, names)
    lines.append(f"return {', '.join(results)}")
    body = "".join(f"    {line}\n" for line in lines)
    return f"def {function_name(name)}({', '.join(names)}):\n{body}".rstrip()


def python_writer(
    name: str, inputs: Sequence[Expression], output: Expression, function: str
) -> str:
    """Return the text of a Python function that writes its result into its last argument.

    ``function`` does the last step: it takes what that is of, and where its result goes.
    """
    names = [str(v.value) for v in inputs]
    printer = _Printer(PYTHON, {})
    printer.names.update(zip(inputs, names, strict=True))
    (output,) = lowered((output,), python=True)
    lines = printer.statements((output,))
    arguments = ", ".join([*map(printer.text, output.args), "out"])
    body = "".join(f"    {line}\n" for line in [*lines, f"{function}({arguments})"])
    return f"def {function_name(name)}({', '.join([*names, 'out'])}):\n{body}".rstrip()


def _result_texts(
    inputs: Sequence[str], outputs: Sequence[Expression], printer: _Printer
) -> Iterator[str]:
    seen: set[Expression] = set()
    for e in outputs:
        text = printer.text(e)
        if e.function == "constant":
            kind = ", '?'" if e.kind == BOOL else ""
            text = f"full_like({inputs[0]}, {text}{kind})"
        elif e.function in ("variable", "real", "imag") or e in seen:
            text = f"copy({text})"  # each output is memory of its own: its owner may add to it
        elif text.startswith("(") and text.endswith(")") and e.args:
            text = text[1:-1] if _outer(text) else text
        seen.add(e)
        yield text


def _outer(text: str) -> bool:
    """Tell whether the first and the last character are one pair of parentheses."""
    depth = 0
    for k, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return k == len(text) - 1
    return False
