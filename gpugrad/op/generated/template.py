"""How templates are filled, what those of all operations share, and how they become functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from gpugrad import graph
from gpugrad._dtype import INEXACT
from gpugrad.backend import cpu
from gpugrad.op import exhaustion, saved

# What was computed, as a tensor.
NEW_TENSOR = """\
out{of} = new(Tensor)
out{of}._array = result{of}
out{of}._edge = out{of}._grad = out{of}._counter = out{of}._view = None
"""

# A view of a base whose history was rewritten since is given its new one, and its tangents.
EDGE = """\
if {input}._view is not None and (
    {input}._view.base._edge is not {input}._view.edge
    or {input}._view.base.__class__ not in PLAIN
) and check_view({input}):
    return general({arguments})
{input}_edge = {input}._edge
"""

RECORDED = """\
node = new(Node)
{cases}
node.params = {params}
node.hooks = None
node.sequence = next_sequence()
{attached}
return {returned}
"""

# Of several results those that have gradients.
OUTPUT = """\
if result{of}.dtype.kind in {inexact}:
    out{of}._edge = edge = new(Output)
    edge.node = node
    edge.index = {index}
"""

CASE = """\
node.rule = {rule}
node.inputs = {edges}
{kept}
node.saved = {saved}
node.versions = {versions}
{noted}
"""

KEPT = """\
out{of}._counter = kept{of} = new(SavedOutput)
kept{of}.value = 0
kept{of}.array = result{of}
"""

# The user's line is noted where that takes little of the call's time.
NOTED = """\
if {worthwhile}:
    node._line = users_line()
"""


def filled(template: str, **holes: Any) -> str:
    r"""Return a template with its holes filled.

    A hole that stands alone on a line takes any number of lines, which are moved to where it
    stands; any other takes a part of a line.

    >>> function = "def f(x):\n    {checks}\n    return {result}"
    >>> print(filled(function, checks="check(x)\ncount()", result="x + 1"), end="")
    def f(x):
        check(x)
        count()
        return x + 1
    >>> print(filled(function, checks="", result="x"), end="")
    def f(x):
        return x
    """
    parts = []
    for text, name, margin in _parsed(template):
        parts.append(text.format_map(holes))
        if name and holes[name]:
            parts += [f"{margin}{line}\n" for line in holes[name].splitlines()]
    return "".join(parts)


@functools.cache
def _parsed(template: str) -> list[tuple[str, str, str]]:
    """Return the parts of a template: text, the name of a hole alone on a line, and its margin."""
    found, text = [], ""
    for line in template.splitlines():
        alone = line.strip()
        name = alone[1:-1]
        if alone == f"{{{name}}}" and name.isidentifier():
            found.append((text, name, line[: line.index("{")]))
            text = ""
        else:
            text += f"{line}\n"
    return [*found, (text, "", "")]


def each(template: str, holes: Iterable[dict[str, str]]) -> str:
    """Return a template as often as there are ``holes`` to fill it with."""
    return "".join(filled(template, **values) for values in holes)


def tuple_of(values: Sequence[str]) -> str:
    """Return the text of a tuple."""
    return f"({', '.join(values)}{',' * (len(values) == 1)})"


def new_tensor(of: str = "") -> str:
    """Return the lines that make a tensor ``out`` of an array ``result``, whose names end so."""
    return filled(NEW_TENSOR, of=of)


def marks(needs: Sequence[bool]) -> str:
    """Return, as a part of a name, which inputs need a gradient: 10 is the first of two."""
    return "".join("01"[needed] for needed in needs)


def masks(count: int) -> list[tuple[bool, ...]]:
    """Return which of ``count`` inputs may need a gradient, one at least: all of them last."""
    every = [m for m in product((True, False), repeat=count) if any(m)]
    return every[1:] + every[:1]


class Head(NamedTuple):
    """How a generated function takes its arguments."""

    parameters: str  # of its definition
    unusual: str  # the condition that there is more to do than what it is generated for
    unusually: str  # the call that then is made, which hands on all that was given


def plain_head(parameters: Sequence[str]) -> Head:
    """Return the head of a function of operands and nothing else."""
    names = ", ".join(parameters)
    return Head(names, "", f"general({names})")


# --------------------------------------------------------------------------- recording


class Case(NamedTuple):
    """How a call is recorded in which certain inputs need gradients."""

    edges: Sequence[bool]  # which inputs have one; where none has, nothing is recorded
    rule: str  # the name of the rule by which it is differentiated
    saved: Sequence[str]  # what is saved: inputs, "kept" for the result; "None" what is not
    written: Sequence[str]  # for each saved input, the condition that it was ever written in place
    numbers: bool = False  # whether what is saved are numbers, which are not freed


def recorded(
    inputs: Sequence[str],
    case: Callable[[tuple[bool, ...]], Case],
    array: str,
    params: str,
    results: Sequence[str] = ("",),
) -> str:
    """Return the lines that record a call and return its results, for every kind of operation.

    Args:
        inputs: The names of the inputs; the variables ``NAME_edge`` have their edges.
        case: What is recorded, by which of the inputs need gradients.
        array: The name of an array, whose size tells whether noting the user's line is cheap.
        params: What else the backward must know.
        results: How the names of each of several results end, as those of what is ``kept`` of them.
    """
    found = {needs: _case(inputs, case(needs), array, results) for needs in masks(len(inputs))}
    *some, (_, every) = found.items()
    if len(results) == 1:
        attached = "out._edge = node"
    else:
        attached = each(
            OUTPUT,
            ({"of": r, "index": str(k), "inexact": repr(INEXACT)} for k, r in enumerate(results)),
        )
    known = {
        "params": params,
        "attached": attached,
        "returned": ", ".join(f"out{r}" for r in results),
    }
    if not some:
        return filled(RECORDED, cases=every, **known)
    cases = "".join(
        filled(
            "{word} {conditions}:\n    {case}",
            word="elif" if k else "if",
            conditions=" and ".join(
                f"{p}_edge is {'not ' if n else ''}None" for p, n in zip(inputs, needs, strict=True)
            ),
            case=text,
        )
        for k, (needs, text) in enumerate(some)
    )
    return filled(RECORDED, cases=cases + filled("else:\n    {case}", case=every), **known)


def _case(inputs: Sequence[str], case: Case, array: str, results: Sequence[str]) -> str:
    if True not in case.edges:
        return "return out\n"
    edges = [
        f"{p} if {p}_edge is LEAF else {p}_edge" if has else "None"
        for p, has in zip(inputs, case.edges, strict=True)
    ]
    saves, found = not set(case.saved) <= {"None"}, tuple_of(case.saved)
    written = " or ".join(case.written)
    worthwhile = f"{array}.size >= LARGE" + (" or node.versions is not None" if written else "")
    return filled(
        CASE,
        rule=case.rule,
        edges=tuple_of(edges),
        kept=each(KEPT, ({"of": r} for r in results if f"kept{r}" in case.saved)),
        saved=(f"Numbers({found})" if case.numbers else found) if saves else "()",
        versions=f"versions_of(node.saved) if {written} else None" if written else "None",
        noted=filled(NOTED, worthwhile=worthwhile) if saves else "",
    )


def was_written(parameter: str) -> str:
    """Return the condition that the memory of an operand was written to."""
    return f"({parameter}._counter is not None and {parameter}._counter.value)"


# --------------------------------------------------------------------------- functions


def known() -> dict[str, Any]:
    """Return what the pieces above name, of which a namespace is made."""
    return {
        "LARGE": cpu.LARGE,
        "LEAF": graph.LEAF,
        "Node": graph.Node,
        "Numbers": saved.Numbers,
        "Output": graph.Output,
        "SavedOutput": graph.SavedOutput,
        "PLAIN": frozenset({saved.tensor_class, saved.parameter_class}),
        "Parameter": saved.parameter_class,
        "Tensor": saved.tensor_class,
        "check_view": saved.check_view,
        "inferring": graph.inferring,
        "mark": graph.mark,
        "mode": graph.mode,
        "new": object.__new__,
        "next_sequence": graph.next_sequence,
        "tell": exhaustion.tell,
        "users_line": graph.users_line,
        "versions_of": saved.versions_of,
    }


FIRST_CALL = """\
def call(*operands, **others):
    specialize()
    return again(*operands, **others)
"""


def written_first(
    name: str,
    write: Callable[[], Callable[..., Any]],
    namespace: dict[str, Any],
    first_call: str = FIRST_CALL,
) -> Any:
    """Return a function that is written when it is first called, as the function of ``write``.

    That has the given namespace, and its code takes the place of the function's own.  Importing
    gpugrad makes hundreds of these, of which few are called: until then they share one code.
    """

    def specialize() -> None:
        function.__code__ = write().__code__

    function = FunctionType(_code(first_call), namespace, name)
    function.__qualname__ = name
    namespace.update(specialize=specialize, again=function)
    return function


@functools.cache
def _code(text: str) -> CodeType:
    code: CodeType = defined("call", text, {}).__code__
    return code


def defined(name: str, text: str, namespace: dict[str, Any], shown: str = "") -> Any:
    """Return the function of a text, which names what is in a namespace.

    ``shown`` names it in a traceback, as ``name`` does else.  The function is not put into the
    namespace: the text of tanh calls NumPy's, and another thread may write the same text.
    """
    made: dict[str, Any] = {}
    exec(compile(text, f"<gpugrad {shown or name}>", "exec"), namespace, made)
    return made[name]
