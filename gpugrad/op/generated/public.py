"""Public functions: what stands between a call of a user's and the function that was declared.

>>> import gpugrad
>>> print(caller_source(gpugrad.sum.general), end="")
def make(
    plain, arguments, MISSING, Tensor, is_plain, subclasses, casting, are_ints, are_tensors,
    by_cupy
):
    def call(input, dim, keepdim, *more, dtype, out, **others):
        if (
            others or more or out is not None
            or not (input.__class__ is Tensor or is_plain(input))
            or not (dim is ... or dim is None or dim.__class__ is int or are_ints(dim))
            or not (keepdim is MISSING or keepdim.__class__ is bool)
            or (dim is ... and keepdim is not MISSING)
            or casting
        ):
            return arguments(input, dim, keepdim, *more, dtype=dtype, out=out, **others)
        return plain(input, dim, False if keepdim is MISSING else keepdim, dtype=dtype)
    return call
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import Parameter
from typing import Any

from gpugrad.errors import MISSING
from gpugrad.graph import TensorBase
from gpugrad.op import saved
from gpugrad.op.arguments import Arguments
from gpugrad.op.autocast import casting
from gpugrad.op.generated.template import defined, filled, written_first
from gpugrad.op.kind import KINDS, are_ints, are_tensors
from gpugrad.op.numpys import AMBIGUOUS, by_cupy

CALLER = """\
def make(
    plain, arguments, MISSING, Tensor, is_plain, subclasses, casting, are_ints, are_tensors,
    by_cupy
):
    def call({head.parameters}):
        if (
            {head.unusual}
            {checked}
        ):
            return {head.unusually}
        return plain({values})
    return call
"""
UNUSUAL = "or not ({usual})"

SELECTED = """\
def call({parameters}):
    function, operands = choose({values})
    return function(*operands)
"""


def caller_source(general: Arguments) -> str:
    """Return the text of the function that calls what was declared, where nothing else is asked."""
    checked = []
    for p in (*general.positional[int(general.method) :], *general.keywords.values()):
        usual = usual_condition(p)
        if usual:
            checked.append(UNUSUAL.format(usual=usual))
        elif p.default is Parameter.empty:
            checked.append(f"or {p.name} is MISSING")
    checked += [f"or {name} is MISSING" for name in general.required]
    checked += [f"or ({name} is ... and {kept} is not MISSING)" for name, kept in general.kept]
    checked += ["or subclasses"] * general.heirs
    checked += ["or casting"] * bool(general.casts)
    if general.method and general.name in AMBIGUOUS:
        checked.append("or by_cupy()")
    values = map(given, general.positional)
    anything = [f"*{general.any}"] if general.any else []
    return filled(
        CALLER,
        head=general.whole_head,
        checked="\n".join(checked),
        values=", ".join([*values, *anything, *(f"{k}={k}" for k in general.keywords)]),
    )


def usual_condition(parameter: Parameter) -> str:
    """Return the condition that there is nothing to check of an argument; empty where none is."""
    kind = KINDS.get(parameter.annotation)
    if kind is None:
        return ""
    if is_renamed(parameter):
        return f"{parameter.name} is MISSING or {kind.usual.format(parameter.name)}"
    known = {None: "{0} is None or ", ...: "{0} is ... or "}.get(parameter.default, "")
    start = "" if kind.usual.startswith(known) else known  # which its annotation need not name
    return (start + kind.usual).format(parameter.name)


def is_renamed(parameter: Parameter) -> bool:
    """Tell whether a parameter that has a default has synonyms, too."""
    return parameter.default is not Parameter.empty and Arguments.absent(parameter) is MISSING


def given(parameter: Parameter) -> str:
    """Return the text of an argument that is handed on: where it was not given, the default."""
    name = parameter.name
    return (
        f"{parameter.default!r} if {name} is MISSING else {name}" if is_renamed(parameter) else name
    )


def is_plain(value: Any) -> bool:
    """Tell whether an argument is a tensor of no class of the user's, such as a parameter."""
    return isinstance(value, TensorBase) and (not saved.subclasses or saved.is_plain(value))


def caller(general: Arguments) -> Any:
    """Return that function; its ``general`` is what it calls for all that is unusual."""
    call = _make(caller_source(general))(
        general.plain,
        general,
        MISSING,
        saved.tensor_class,
        is_plain,
        saved.subclasses,
        casting,
        are_ints,
        are_tensors,
        by_cupy,
    )
    call.__defaults__, call.__kwdefaults__ = general.defaults, general.keyword_defaults
    call.general = general
    return call


def selected(choose: Callable[..., Any]) -> Any:
    """Return the function that calls what ``choose`` selects, with the operands that it returns."""
    namespace = {"__name__": __name__, "choose": choose}

    def written() -> Any:
        code = choose.__code__
        count = code.co_argcount
        positional = code.co_varnames[:count]
        keywords = code.co_varnames[count : count + code.co_kwonlyargcount]
        text = filled(
            SELECTED,
            parameters=", ".join([*positional, *["*"] * bool(keywords), *keywords]),
            values=", ".join([*positional, *(f"{k}={k}" for k in keywords)]),
        )
        return defined("call", text, namespace)

    call = written_first(choose.__name__, written, namespace)
    call.__defaults__, call.__kwdefaults__ = choose.__defaults__, choose.__kwdefaults__
    functools.update_wrapper(call, choose)
    return call


@functools.cache  # many have the same parameters
def _make(text: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(text, "<gpugrad>", "exec"), namespace)
    return namespace["make"]
