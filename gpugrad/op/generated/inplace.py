"""In-place forms of elementwise operations: what runs for plain operands that have no history.

The text of one function computes into the memory of the tensor itself.  It is for the operands that
:mod:`gpugrad.op.generated.pointwise` is for, and for tensors of which nothing is to be recorded:
neither they nor what they are views of require grad, or the mode is off.  Everything else, also
what may not be written, goes to the general way, which knows histories, forward mode, inference
mode, and what a checkpoint computes again.

>>> import gpugrad
>>> print(gpugrad.mul.op.inplace_source)  # doctest: +ELLIPSIS
def mul_(input, other, **others):
    if (input.__class__ is not Tensor and input.__class__ is not Parameter) or inferring or others:
        return general(input, other, **others)
...
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpugrad import graph
from gpugrad.backend import cpu
from gpugrad.formulas import Formula
from gpugrad.op import saved
from gpugrad.op.generated.pointwise import HOST
from gpugrad.op.generated.template import defined, each, filled, known, written_first

# Memory that is another array's may have several elements at one place, or share some with an
# operand.  Errors are as in the call: nothing is written before they are raised.  The counter of
# memory that a node saved as its result, or of inference mode, is of another class, as are tensors
# with tangents; memory that forward mode may not write is that of a function being transformed,
# where results are marked.
CALL = """\
def {name}({signature}):
    if ({first}.__class__ is not Tensor and {first}.__class__ is not Parameter) or {unusual}:
        return general({arguments})
    {x} = {first}._array
    kind = {x}.dtype
    if {x}.__class__ is not ndarray or ({no_kind}):
        return general({arguments})
    apart = {x}.base is None
    if not (apart or {x}.flags.forc):
        return general({arguments})
    view = {first}._view
    tracked = {first}._edge is not None
    if view is not None:
        if view.base.__class__ not in PLAIN:
            return general({arguments})
        tracked = tracked or view.base._edge is not None
    counter = {first}._counter or shared_counter({first})
    try:
        {others}
        if counter.__class__ is not Counter or (tracked and mode.enabled):
            return general({arguments})
        {scaled}
        {written}
    except (ValueError, OverflowError, RuntimeError):
        return general({arguments})
    latest = counter.latest
    if (
        latest is not None and latest.array is {x}
        and latest.last == counter.value and latest.time > Write.apart
    ):
        counter.value = latest.last = counter.value + 1
    else:
        note(counter, {x})
    if view is not None and view.edge is view.base._edge:
        view.version = counter.value
    return {first}
"""

OTHER = """\
other_class = {other}.__class__
if other_class is Tensor or other_class is Parameter:
    {y} = {other}._array
    if {y}.dtype is not kind or ({y}.__class__ is not ndarray and {y}.__class__ not in HOST):
        return general({arguments})
    if {y} is not {x} and not (apart and {y}.base is None) and may_share_memory({x}, {y}):
        return general({arguments})
    part = {other}._view
    if part is not None and part.base.__class__ not in PLAIN:
        return general({arguments})
    if {other}._edge is not None or (part is not None and part.base._edge is not None):
        tracked = True
elif {is_number}:
    {number}
else:
    return general({arguments})
"""

NUMBER = """\
{y} = ({numbers}).get({other})
if {y} is None:
    {y} = quietly(number, kind, {other})
"""

SCALED = """\
if not ({is_number}):
    return general({arguments})
if alpha != 1:
    {number}
    {y} = quietly(multiply, {y}, alpha_)
"""

WRITTEN = "quietly(write, {arrays}, {x})\n"
BY_SIZE = """\
if {x}.size >= LARGE:
    evaluate(formula, ({arrays},), kind, (kind,), out={x})
else:
    {written}
"""


# Of two integers these are one, which wraps around as PyTorch's does.
WRAPPING = {"add", "sub", "mul"}


def _kinds(integers: bool) -> dict[str, str]:
    """Return the pieces that say in which types is computed: also in ``integers`` of 64 bits."""
    if not integers:
        return {
            "no_kind": "kind is not float32 and kind is not float64",
            "is_number": "{0} is float or {0} is int",
            "numbers": "numbers32 if kind is float32 else numbers64",
        }
    return {
        "no_kind": "kind is not float32 and kind is not float64 and kind is not int64",
        "is_number": "{0} is int or ({0} is float and kind is not int64)",
        "numbers": "numbers32 if kind is float32 else numbers64 if kind is float64 else integers",
    }


def source(name: str, formula: Formula, parameters: Sequence[str], scales: bool = False) -> str:
    """Return the text of the in-place form of an operation; ``general`` takes any operands.

    If it ``scales`` it has a keyword ``alpha``, a factor of the second operand.
    """
    first, *others = parameters
    x, *ys = (f"{v.value}_" for v in formula.inputs)
    arguments = ", ".join([*parameters, *["alpha=alpha"] * scales, "**others"])
    arrays = ", ".join([x, *ys])
    written = filled(WRITTEN, arrays=arrays, x=x)
    if cpu.gains(formula):
        written = filled(BY_SIZE, x=x, arrays=arrays, written=written)
    kinds = _kinds(_wraps(formula))
    numbers, is_number = kinds["numbers"], kinds["is_number"]
    scaled = filled(
        SCALED,
        arguments=arguments,
        is_number=is_number.format("alpha.__class__"),
        number=filled(NUMBER, other="alpha", y="alpha_", numbers=numbers),
        y=ys[0] if ys else "",
    )
    return filled(
        CALL,
        name=name,
        signature=", ".join([*parameters, *["*", "alpha"] * scales, "**others"]),
        unusual="inferring or others",
        no_kind=kinds["no_kind"],
        arguments=arguments,
        first=first,
        x=x,
        others=each(
            OTHER,
            (
                {
                    "other": p,
                    "x": x,
                    "y": y,
                    "arguments": arguments,
                    "is_number": is_number.format("other_class"),
                    "number": filled(NUMBER, other=p, y=y, numbers=numbers),
                }
                for p, y in zip(others, ys, strict=True)
            ),
        ),
        scaled=scaled if scales else "",
        written=written,
    )


def _wraps(formula: Formula) -> bool:
    (output,) = formula.outputs
    return output.function in WRAPPING and output.args == formula.inputs


def zeroing_source() -> str:
    """Return the text of ``zero_``."""
    return filled(
        CALL,
        name="zero_",
        signature="self",
        unusual="inferring",
        no_kind=_kinds(True)["no_kind"],
        arguments="self",
        first="self",
        x="x_",
        others="",
        scaled="",
        written="x_.fill(0)",
    )


COPIED = """\
if y_.shape != x_.shape:
    return general({arguments})
x_[...] = y_
"""


def copying_source() -> str:
    """Return the text of ``copy_``."""
    arguments = "self, src, non_blocking"
    general = f"return general({arguments})"
    return filled(
        CALL,
        name="copy_",
        signature=arguments,
        unusual="inferring",
        no_kind=_kinds(True)["no_kind"],
        arguments=arguments,
        first="self",
        x="x_",
        others=filled(
            OTHER,
            other="src",
            x="x_",
            y="y_",
            arguments=arguments,
            is_number="False",
            number=general,
        ),
        scaled="",
        written=filled(COPIED, arguments=arguments),
    )


def inplace(
    op: Any, name: str, general: Callable[..., Any], scales: bool = False
) -> Callable[..., Any]:
    """Return the in-place form of an elementwise operation, written when it is first called.

    Args:
        op: The declared operation, which :attr:`Pointwise.specializes`.
        name: What users call the form.
        general: The same for operands of any kind, and any keywords: it checks what may be
            written, and rewrites histories.  The defaults of its parameters are those of the form.
        scales: Whether both have a keyword ``alpha``, a factor of the second operand.
    """

    def write(namespace: dict[str, Any]) -> str:
        namespace.update(formula=op.formula, write=cpu.writer_of(op.formula))
        return source(name, op.formula, op.parameters, scales)

    return _form(name, general, write)


def zeroing(general: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return ``zero_``, written when it is first called, of the same for tensors of any kind."""
    made = _form("zero_", general, lambda _: zeroing_source())
    return functools.update_wrapper(made, general)


def copying(general: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``copy_``, written when it is first called, of the same for tensors of any kind."""
    made = _form("copy_", general, lambda _: copying_source())
    return functools.update_wrapper(made, general)


def _form(
    name: str, general: Callable[..., Any], write: Callable[[dict[str, Any]], str]
) -> Callable[..., Any]:
    """Return a function whose text ``write`` returns, given its namespace, at the first call."""
    namespace: dict[str, Any] = {"__name__": __name__, "general": general}

    def specialized() -> Any:
        namespace.update(
            known(),
            Counter=graph.Counter,
            HOST=HOST,
            Write=graph.Write,
            evaluate=cpu.evaluate,
            float32=np.dtype(np.float32),
            float64=np.dtype(np.float64),
            int64=np.dtype(np.int64),
            integers=cpu.NUMBERS[np.dtype(np.int64)],
            may_share_memory=np.may_share_memory,
            multiply=np.multiply,
            ndarray=np.ndarray,
            note=saved.note,
            number=cpu.number,
            numbers32=cpu.NUMBERS[np.dtype(np.float32)],
            numbers64=cpu.NUMBERS[np.dtype(np.float64)],
            quietly=cpu.quietly,
            shared_counter=saved.shared_counter,
        )
        return defined(name, write(namespace), namespace)

    function = written_first(name, specialized, namespace)
    function.__defaults__, function.__kwdefaults__ = general.__defaults__, general.__kwdefaults__
    return function
