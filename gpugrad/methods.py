"""The methods and operators of tensors, made from the table of declarations.

Editors and type checkers read ``methods.pyi``, which ``python tests/stubs.py`` writes.
"""

from __future__ import annotations

import operator
import pkgutil
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

from gpugrad import ops
from gpugrad.graph import TensorBase
from gpugrad.op.forms import PUBLIC, Method
from gpugrad.ops import inplace

for _module in pkgutil.walk_packages(ops.__path__, "gpugrad.ops."):
    if not _module.name.startswith("gpugrad.ops.nn"):  # which have no methods
        import_module(_module.name)  # which fills the table


def methods() -> Iterator[tuple[str, Callable[[], Callable[..., Any]]]]:
    """Return what makes each of the methods, by their names."""
    for declared in PUBLIC.values():
        forms: dict[str, Callable[[], Callable[..., Any]]] = {}
        if declared.is_method:
            forms[""] = partial(getattr, declared, "method")
        if declared.inplace:
            forms["_"] = partial(inplace.form, declared)
        for ending, make in forms.items():
            for name in (declared.name, *declared.names):
                if "." not in name:
                    yield name + ending, make
        for name in (*declared.operators, *declared.reflected):
            yield name, partial(declared.operation, name)
            written = f"__i{name[2:]}"
            if declared.inplace and hasattr(operator, written) and name not in declared.reflected:
                yield written, partial(inplace.form, declared, written)


class Methods(TensorBase):
    """What can be done with a tensor; what a tensor is, :class:`gpugrad.Tensor` says."""

    __slots__ = ()
    locals().update({name: Method(make) for name, make in methods()})
