"""What a program depends on beside its arguments: what the function finds by name."""

from __future__ import annotations

import dis
import sys
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
        self.tables: list[tuple[Any, Any, Any]] = []
        self.lists: list[tuple[list[Any], tuple[Any, ...]]] = []
        self.functions: list[tuple[types.FunctionType, types.CodeType, Any, Any]] = []
        self.sizes: list[tuple[Any, int]] = []
        self._seen: set[int] = set()
        self._classes: set[type] = set()
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
        for f, code, defaults, options in self.functions:
            if (
                f.__code__ is not code
                or f.__defaults__ is not defaults
                or f.__kwdefaults__ is not options
            ):
                return False
        for sized, count in self.sizes:
            if len(sized) != count:
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
            self.sizes.append((value, len(value)))
            for name, item in list(value.items()):
                self._watch(value, name, item, depth)
        elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(
            value, types.ModuleType
        ):
            self.sizes.append((vars(value), len(vars(value))))
            anew = getattr(value, "reads_anew", "")  # the name of options that each run reads
            for name, item in list(vars(value).items()):
                self._watch(vars(value), name, item, depth if name != anew else _DEEPEST)
                if name == anew:
                    self._note_options(item, depth)
            self._note_class(type(value), depth)

    def _note_class(self, kind: type, depth: int) -> None:
        """Note the attributes and the methods of a class of the user's, and of what it is of."""
        for parent in kind.__mro__:
            if parent in self._classes or _is_own(parent.__module__) or parent is object:
                continue
            self._classes.add(parent)
            self.sizes.append((vars(parent), len(vars(parent))))
            for name, item in list(vars(parent).items()):
                if isinstance(item, property):
                    self._note(item.fget, depth + 1)
                elif not name.startswith("__") or name == "__call__":
                    self._watch(vars(parent), name, item, depth)

    def _note_options(self, groups: list[dict[str, Any]], depth: int) -> None:
        """Note the options of an optimizer, but for numbers."""
        self.lists.append((groups, tuple(groups)))
        for group in groups:
            for name, value in group.items():
                if isinstance(value, bool) or not isinstance(value, int | float | tuple):
                    self._watch(group, name, value, depth)

    def _watch(self, table: Any, name: Any, value: Any, depth: int) -> None:
        self.tables.append((table, name, value))
        if depth < _DEEPEST:
            self._note(value, depth + 1)

    def _note_function(self, function: types.FunctionType, depth: int) -> None:
        if _is_own(function.__module__):
            return
        self.functions.append(
            (function, function.__code__, function.__defaults__, function.__kwdefaults__)
        )
        for given in (function.__defaults__, function.__kwdefaults__):
            if given and depth < _DEEPEST:
                self._note(given, depth + 1)
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


def _is_own(module: str | None) -> bool:
    return (module or "").split(".")[0] in _LIBRARIES


def _unchanged(now: Any, before: Any) -> bool:
    return now is before or _same(now, before)


_ABSENT = object()
_DEEPEST = 6
_LIBRARIES = frozenset({"gpugrad", *sys.stdlib_module_names})  # whose classes do not change


def _same(now: Any, before: Any) -> bool:
    return type(now) is type(before) and isinstance(now, _BY_VALUE) and now == before


def _names(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):  # other names are of attributes
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
