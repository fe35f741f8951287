"""What a program depends on beside its arguments: what the function finds by name."""

from __future__ import annotations

import dis
import types
from collections.abc import Callable, Iterator
from typing import Any

from gpugrad.graph import TensorBase

_BY_VALUE = (bool, int, float, complex, str, bytes)


class Watched:
    """The variables and attributes that a function may read, and what they were.

    These are its variables from outside, the attributes of what is bound to it, of its arguments
    and of these variables, and of the modules in them.
    """

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any):
        """Note what there is now."""
        self.cells: list[tuple[Any, Any]] = []
        self.tables: list[tuple[dict[Any, Any], Any, Any]] = []
        self.lists: list[tuple[list[Any], tuple[Any, ...]]] = []
        self._seen: set[int] = set()
        self._alive: list[Any] = []
        self._note(function)
        for value in (*args, *kwargs.values()):
            self._note(value)

    def unchanged(self) -> bool:
        """Tell whether all is as it was."""
        for cell, before in self.cells:
            try:
                now = cell.cell_contents
            except ValueError:
                return False
            if now is not before and not _same(now, before):
                return False
        for table, name, before in self.tables:
            now = table.get(name, _ABSENT)
            if now is not before and not _same(now, before):
                return False
        for items, then in self.lists:
            if len(items) != len(then) or not all(map(_unchanged, items, then)):
                return False
        return True

    def _note(self, value: Any, depth: int = 0) -> None:
        if id(value) in self._seen or isinstance(value, (*_BY_VALUE, TensorBase, type)):
            return
        self._seen.add(id(value))
        self._alive.append(value)
        if isinstance(value, types.FunctionType):
            self._note_function(value, depth)
        elif getattr(type(value), "is_compiled", False):  # what it counts says nothing
            self._note(value.function, depth)
        elif isinstance(value, types.MethodType):
            self._note(value.__self__, depth)
            self._note(value.__func__, depth)
        elif isinstance(value, list | tuple | set):
            if isinstance(value, list):
                self.lists.append((value, tuple(value)))
            for item in value:
                self._note(item, depth)
        elif isinstance(value, dict):
            for name, item in list(value.items()):
                self._watch(value, name, item, depth)
        elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(
            value, types.ModuleType
        ):
            anew = getattr(value, "reads_anew", "")  # the name of options that each run reads
            for name, item in list(vars(value).items()):
                self._watch(vars(value), name, item, depth if name != anew else _DEEPEST)
                if name == anew:
                    self._note_options(item, depth)
            kind = type(value)
            call = getattr(kind, "forward", None) or vars(kind).get("__call__")
            if isinstance(call, types.FunctionType):
                self._note(call, depth + 1)

    def _note_options(self, groups: list[dict[str, Any]], depth: int) -> None:
        """Note the options of an optimizer, but for numbers."""
        self.lists.append((groups, tuple(groups)))
        for group in groups:
            for name, value in group.items():
                if isinstance(value, bool) or not isinstance(value, int | float | tuple):
                    self._watch(group, name, value, depth)

    def _watch(self, table: dict[Any, Any], name: Any, value: Any, depth: int) -> None:
        self.tables.append((table, name, value))
        if depth < _DEEPEST:
            self._note(value, depth + 1)

    def _note_function(self, function: types.FunctionType, depth: int) -> None:
        if (function.__module__ or "").split(".")[0] == "gpugrad":
            return
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            self.cells.append((cell, value))
            if depth < _DEEPEST:
                self._note(value, depth + 1)
        names = function.__globals__
        for name in _names(function.__code__):
            if name in names:
                self._watch(names, name, names[name], depth)


def _unchanged(now: Any, before: Any) -> bool:
    return now is before or _same(now, before)


_ABSENT = object()
_DEEPEST = 6


def _same(now: Any, before: Any) -> bool:
    return type(now) is type(before) and isinstance(now, _BY_VALUE) and now == before


def _names(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):  # other names are of attributes
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
