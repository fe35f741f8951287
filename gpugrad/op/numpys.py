"""Calls of methods in NumPy's manner, as CuPy's functions make them, and those who know NumPy.

The methods of a tensor are PyTorch's.  A call that cannot be one of these, but can be NumPy's, is
that of the function of its name in :mod:`gpugrad.numpy`: ``t.sum(0, None, None, True)``,
``t.var(ddof=0)``, ``t.transpose()``, ``t.max(axis=0, out=None)``.  What could be both is PyTorch's,
unless CuPy's own code calls it, which always means NumPy's.

Nothing is asked of a call that is PyTorch's: only what :class:`gpugrad.op.arguments.Arguments` must
look at in any case comes here.

>>> import gpugrad
>>> t = gpugrad.tensor([[1.0, 2.0], [3.0, 4.0]])
>>> t.var(0), t.var(0, ddof=0)
(tensor([2., 2.]), tensor([1., 1.]))
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from inspect import Parameter
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.errors import MISSING
from gpugrad.graph import TensorBase

# The parameters of NumPy's methods; behind a star are several values, or one tuple of them.
PARAMETERS = {
    name: parameters.split()
    for name, parameters in {
        "all": "axis out keepdims where",
        "any": "axis out keepdims where",
        "argmax": "axis dtype out keepdims",
        "argmin": "axis dtype out keepdims",
        "argsort": "axis kind order stable",
        "clamp": "min max out dtype",
        "cumprod": "axis dtype out",
        "cumsum": "axis dtype out",
        "diagonal": "offset axis1 axis2",
        "dot": "b out",
        "flatten": "order",
        "max": "axis out keepdims initial where",
        "mean": "axis dtype out keepdims where",
        "min": "axis out keepdims initial where",
        "nonzero": "",
        "put": "indices values mode",
        "prod": "axis dtype out keepdims initial where",
        "ravel": "order",
        "repeat": "repeats axis",
        "reshape": "*shape order copy",
        "round": "decimals out",
        "scatter_add": "slices value",
        "sort": "axis kind order stable",
        "squeeze": "axis",
        "std": "axis dtype out ddof keepdims where mean correction",
        "sum": "axis dtype out keepdims initial where",
        "take": "indices axis out mode",
        "trace": "offset axis1 axis2 dtype out",
        "transpose": "*axes",
        "var": "axis dtype out ddof keepdims where mean correction",
    }.items()
}

_NAMES = {"clamp": "clip"}  # NumPy's, where that is another one

# Those that mean something else with the same arguments.
AMBIGUOUS = frozenset({"flatten", "nonzero", "repeat", "sort", "std", "var"})


def by_cupy(depth: int = 2) -> bool:
    """Tell whether the code that called the caller is CuPy's own."""
    name: str = sys._getframe(depth).f_globals.get("__name__", "")
    return name.startswith(("cupy.", "cupyx."))


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool | TensorBase)


def _are_ints(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(map(_is_int, value))


def _is_axis(value: Any) -> bool:
    return value is None or _is_int(value) or _are_ints(value)


def _is_type(value: Any) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    return value is None or value in _PYTHONS or isinstance(value, np.dtype | _dtype.dtype) or (
        isinstance(value, type) and issubclass(value, np.generic)
    )  # fmt: skip


_TYPES = frozenset(n for d in _dtype.DTYPES for n in (d.name, d.str, d.str[1:], d.char))
_PYTHONS = bool, int, float, complex


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: value is None or (isinstance(value, str) and value in words)


def _is_array(value: Any) -> bool:
    return isinstance(value, TensorBase) or backend.is_array(value)


_is_order = _one_of("C", "F", "A", "K")
_POSSIBLE: dict[str, Callable[[Any], bool]] = {
    "axis": _is_axis,
    "axes": lambda v: v is None or _are_ints(v),
    "axis1": _is_int,
    "axis2": _is_int,
    "copy": lambda v: v is None or isinstance(v, bool),
    "ddof": lambda v: isinstance(v, int | float),
    "decimals": _is_int,
    "dtype": _is_type,
    "keepdims": lambda v: isinstance(v, bool),
    "kind": _one_of("quicksort", "mergesort", "heapsort", "stable"),
    "mode": _one_of("raise", "wrap", "clip"),
    "offset": _is_int,
    "order": _is_order,
    "out": lambda v: v is None or _is_array(v),
    "repeats": lambda v: _is_axis(v) or _is_array(v),
    "shape": lambda v: _is_int(v) or _are_ints(v),
    "stable": lambda v: v is None or isinstance(v, bool),
}


def arguments_of(general: Any, given: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Return the arguments of a call if it is NumPy's and cannot be PyTorch's, else ``None``.

    Those that were given by position have the tensor before them, and behind them the defaults of
    what was not given.

    Args:
        general: What the method knows of its parameters, as ``Arguments``.
        given: The arguments by position.
        keywords: The others.
    """
    names = PARAMETERS.get(general.name)
    if names is None:
        return None
    values = list(given[1:])
    own = general.positional[1:]
    absent = general.absent
    if len(values) <= len(own) or general.any:
        while values and len(values) <= len(own) and values[-1] is absent(own[len(values) - 1]):
            values.pop()
    values = [own[k].default if v is MISSING else v for k, v in enumerate(values)]
    options = {
        k: v for k, v in keywords.items()
        if not (k in general.keywords and v is absent(general.keywords[k]))
    }  # fmt: skip
    cupys = general.name in AMBIGUOUS and by_cupy(4)  # called a method, and that the general way
    if not cupys and _can_be_pytorchs(general, values, options):
        return None
    starred = names[:1] if names and names[0].startswith("*") else []
    if starred:
        name = starred[0][1:]
        if len(values) > 1 or (values and _is_int(values[0]) and name == "shape"):
            values = [tuple(values)]
        names = [name, *names[1:]]
    if len(values) > len(names) or not set(options) <= {*names, "dim", "keepdim"}:
        return None
    options = {_NUMPYS.get(k, k): v for k, v in options.items()}
    found = {**dict(zip(names, values, strict=False)), **options}
    if not all(_POSSIBLE[k](v) for k, v in found.items() if k in _POSSIBLE):
        return None
    return values, options


_NUMPYS = {"dim": "axis", "keepdim": "keepdims"}


def _can_be_pytorchs(general: Any, values: Sequence[Any], options: dict[str, Any]) -> bool:
    """Tell whether PyTorch's method takes so many arguments, of these names.

    Where it does, but one is of a wrong kind, that is PyTorch's error, unless only NumPy takes it.
    """
    own = general.positional[1:]
    if len(values) > len(own) and not general.any:
        return False
    known = {*general.keywords, *general.places, general.any}
    meant = {general.meant(k) for k in options}
    needed = {p.name for p in own[len(values) :] if p.default is Parameter.empty}
    if not meant <= known or not needed <= meant:
        return False
    if any(k in meant and general.places[name] > len(values) for name, k in general.kept):
        return False  # what is kept has no dimension
    if general.name == "squeeze" and values == [None]:
        return False  # CuPy gives it always
    return not any(map(_is_only_numpys, own, values))


def _is_only_numpys(parameter: Parameter, value: Any) -> bool:
    """Tell whether PyTorch takes no such argument anywhere: a type of NumPy's, an order, axes."""
    if _is_array(value) or parameter.annotation == "Any":
        return False
    if parameter.annotation in ("int", "int | None"):
        return _are_ints(value) or (value is not None and _is_order(value))
    return value is not None and value not in _PYTHONS and _is_type(value)


def called(name: str, tensor: Any, values: Sequence[Any], options: dict[str, Any]) -> Any:
    """Return what NumPy's method gives: what the function of its name in the namespace does.

    ``sort`` and ``partition`` are of the tensor itself, and return nothing.
    """
    name = _NAMES.get(name, name)
    function = _namespace(name)
    if name in ("argmax", "argmin"):  # CuPy's have a type, NumPy's do not
        found = {**dict(zip(PARAMETERS[name], values, strict=False)), **options}
        kind = found.pop("dtype", None)
        result = function(tensor, **found)
        return result if kind is None else result.astype(kind)
    if name == "compress":
        condition, *others = values
        return function(condition, tensor, *others, **options)
    result = function(tensor, *values, **options)
    if name in ("sort", "partition"):
        tensor.copy_(result)
        return None
    return result


def _namespace(name: str) -> Any:
    # its functions are made for tensors
    import gpugrad.numpy

    names: Any = gpugrad.numpy
    if name == "scatter_add":  # that of CuPy
        return names.add.at
    if name == "flatten":  # which always copies
        return lambda tensor, order="C": names.copy(names.ravel(tensor, order))
    return getattr(names, name)
