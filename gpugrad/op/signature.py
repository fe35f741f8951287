"""Functions of several signatures: what PyTorch says where arguments fit none of them.

A declaration names the signatures as PyTorch writes them.  Most functions have one, of which an
error names the argument that is wrong; see :mod:`gpugrad.op.kind`.

>>> SQUEEZE = "(Tensor input)", "(Tensor input, int dim)", "(Tensor input, tuple of ints dim)"
>>> print(misfit("squeeze", of_method(SQUEEZE), ["a"], {}))
squeeze() received an invalid combination of arguments - got (str), but expected one of:
 * ()
      didn't match because some of the arguments have invalid types: (!str!)
 * (int dim)
      didn't match because some of the arguments have invalid types: (!str!)
 * (tuple of ints dim)
      didn't match because some of the arguments have invalid types: (!str!)
<BLANKLINE>
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad.errors import type_name
from gpugrad.graph import TensorBase
from gpugrad.op.kind import KINDS, Kind

_KINDS: dict[str, Kind] = {kind.title: kind for kind in reversed(KINDS.values())}


def of_method(signatures: Sequence[str]) -> tuple[str, ...]:
    """Return the signatures of a method: without the tensor, and without ``out=``."""
    found = []
    for text in signatures:
        tensor, _, rest = text.strip("()").partition(", ")
        if tensor == "Tensor input":
            rest = _OUT.sub("", rest)
            found.append(f"({rest.strip('*, ') and _END.sub('', rest)})")
    return tuple(found)


_OUT = re.compile(r"(Tensor|tuple of Tensors) out = None(, |$)")
_END = re.compile(r"(, \*)?, $")


def required(text: str) -> int:
    """Return how many arguments a signature needs."""
    return sum(" = " not in part and " " in part for part in text.split(", "))


def decided(signatures: Sequence[str], args: Sequence[Any], keywords: dict[str, Any]) -> bool:
    """Tell whether an error is of one signature: the only one of so many arguments, or the right.

    Of several integers it is the first by which a signature is chosen.
    """
    count = len(args) + len(keywords)
    fitting = [text for text in signatures if required(text) <= count <= len(_parameters(text))]
    return len(fitting) == 1 or any(_all_fit(text, args, keywords) for text in fitting)


def _all_fit(text: str, args: Sequence[Any], keywords: dict[str, Any]) -> bool:
    parameters = _parameters(text)
    if not keywords.keys() >= {*[*parameters][len(args) : required(text)]}:
        return False
    given = [*zip(parameters.values(), args, strict=False)]
    given += [(parameters.get(name, ""), value) for name, value in keywords.items()]
    return len(args) <= len(parameters) and all(_fits(kind, value) for kind, value in given)


def misfit(
    function: str, signatures: Sequence[str], args: Sequence[Any], keywords: dict[str, Any]
) -> TypeError:
    """Return the error for arguments that fit none of the signatures."""
    given = _described([_name(v) for v in args], keywords, _name)
    lines = [
        f"{function}() received an invalid combination of arguments - got {given}, but expected "
        "one of:"
    ]
    for text in signatures:
        lines.append(f" * {text}")
        parameters = _parameters(text)
        if len(args) + len(keywords) != len(text.split(", ")):  # in which * counts, as in PyTorch
            continue
        unknown = [k for k in keywords if k not in parameters]
        if unknown:
            lines.append(
                "      didn't match because some of the keywords were incorrect: "
                f"{', '.join(unknown)}"
            )
            continue
        kinds = [*parameters.values(), ""][: len(args)]
        judged = [_judged(kind, v) for kind, v in zip(kinds, args, strict=True)]
        wrong = _described(judged, keywords, lambda v: _name(v, deep=True), parameters)
        lines.append(
            f"      didn't match because some of the arguments have invalid types: {wrong}"
        )
    return TypeError("\n".join(lines) + "\n")


def _parameters(text: str) -> dict[str, str]:
    """Return the names and kinds of the parameters of a signature.

    Behind a kind is a "?" if the tensor may be none, a "1" if an integer may stand for several.
    """
    found = {}
    for part in text.strip("()").split(", "):
        declared, _, default = part.partition(" = ")
        kind, _, name = declared.rpartition(" ")
        if kind:
            one = kind == "tuple of ints" and default.isdigit()
            none = kind == "Tensor" and default == "None" and name != "out"
            found[name] = kind + "?" * none + "1" * one
    return found


def _fits(kind: str, value: Any) -> bool:
    if value is None and kind.endswith("?"):
        return True
    if kind.endswith("1") and _fits("int", value):
        return True
    kind = kind.rstrip("?1")
    if isinstance(value, TensorBase) and value._array.ndim:
        return kind == "Tensor"
    known = _KINDS.get(kind)
    if known is None or not known.admits(value):
        return False
    return known.element != "int" or all(hasattr(v, "__index__") for v in value[:1])


def _judged(kind: str, value: Any) -> str:
    name = _name(value, deep=True)
    return name if _fits(kind, value) else f"!{name}!"


def _name(value: Any, deep: bool = False) -> str:
    """Return the name of a type; with those of the elements where it is a list or tuple."""
    name = type_name(value)
    if not deep or not isinstance(value, list | tuple):
        return name
    inner = [type_name(v) for v in value]
    return (
        f"{name} of [{', '.join(inner)}]" if name == "list" else f"{name} of ({', '.join(inner)})"
    )


def _described(
    args: Sequence[str],
    keywords: dict[str, Any],
    named: Callable[[Any], str],
    parameters: dict[str, str] | None = None,
) -> str:
    """Return arguments as PyTorch lists them: an end is left open where there are keywords only."""
    parts = []
    for key, value in keywords.items():
        text = f"{key}={named(value)}"
        right = parameters is None or _fits(parameters[key], value)
        parts.append(text if right else f"!{text}!")
    open_end = ", " if parts and not args else ""
    return f"({', '.join([*args, *parts])}{open_end})"
