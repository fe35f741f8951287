"""The methods and operators of tensors, made from the table of declarations.

Editors and type checkers read ``methods.pyi``, which ``python tests/stubs.py`` writes.
"""

from __future__ import annotations

import operator
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from gpugrad import ops
from gpugrad.graph import TensorBase
from gpugrad.op.forms import PUBLIC
from gpugrad.ops import inplace

for _module in pkgutil.iter_modules(ops.__path__, "gpugrad.ops."):
    import_module(_module.name)  # which fills the table


class Methods(TensorBase):
    """What can be done with a tensor; what a tensor is, :class:`gpugrad.Tensor` says."""

    __slots__ = ()


def methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Return all methods by their names, when the class of tensors is known."""
    for declared in PUBLIC.values():
        forms = {"": declared.method} if declared.is_method else {}
        if declared.inplace:
            forms["_"] = inplace.form(declared)
        for ending, form in forms.items():
            for name in (declared.name, *declared.names):
                if "." not in name:
                    yield name + ending, form
        for name, form in declared.operations():
            yield name, form
            written = f"__i{name[2:]}"
            if declared.inplace and hasattr(operator, written) and "r" not in name[2:3]:
                yield written, inplace.form(declared)


def complete() -> None:
    """Give the class its methods."""
    for name, method in methods():
        setattr(Methods, name, method)
