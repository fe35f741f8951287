"""What a program depends on beside its arguments: what the function finds by name."""

from __future__ import annotations

import array
import contextvars
import dis
import functools
import operator
import pickle
import random
import sys
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.graph import TensorBase
from gpugrad.tree import leaves

_BY_VALUE = (bool, int, float, complex, str, bytes)


class Watched:
    """The variables and attributes that a function may read, and what they were.

    These are its variables from outside, the attributes of what is bound to it, of its arguments
    and of these variables, and of the modules and classes in them.  Of NumPy's arrays and iterators
    among attributes those count whose names the function has.

    ``refused`` says why no program can be of what there is, or is empty.
    """

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any):
        """Note what there is now."""
        self.cells: list[tuple[Any, Any]] = []
        self.tables: list[tuple[Any, Any, Any]] = []
        self.lists: list[tuple[Any, tuple[Any, ...]]] = []
        self.functions: list[tuple[types.FunctionType, types.CodeType, Any, Any]] = []
        self.sizes: list[tuple[Any, int]] = []
        self.keys: list[tuple[Mapping[Any, Any], tuple[Any, ...]]] = []
        self.values: list[tuple[Callable[[], Any], Any]] = []  # what is had by calls
        self.streams: list[tuple[Callable[[], Any], Any]] = []  # what others may change meanwhile
        self.same: list[tuple[int, Callable[[], Any]]] = []  # arguments that are had by name, too
        self.refused = ""
        self._tensors: set[int] = set()
        self._mentioned: set[str] = set()  # names of attributes
        self._memory: list[tuple[str | None, Any]] = []  # arrays and iterators, with such names
        self._seen: set[int] = set()
        self._classes: set[type] = set()
        self._alive: list[Any] = []
        self._note(function)
        for value in leaves((args, kwargs)):
            if isinstance(value, TensorBase):
                continue
            if isinstance(value, types.FunctionType) and id(value) not in self._seen:
                self._seen.add(id(value))
                self._note_function(value, 0, described=True)
            else:
                self._note(value)
        for name, found in self._memory:
            if name is None or name in self._mentioned:
                self._note_memory(found)

    def find_twice(self, given: Sequence[Any], gradients: Sequence[tuple[int, Any]]) -> None:
        """Note which leaves of the arguments are had by name as well, or as ``gradients``.

        Whether the function has them as arguments or by name is not known.
        """
        for k, leaf in enumerate(given):
            if id(leaf) in self._tensors:
                self.same.append((k, weakref.ref(leaf)))
        for k, owner in gradients:
            self.same.append((k, functools.partial(_gradient, owner)))

    def is_for(self, given: Sequence[Any]) -> bool:
        """Tell whether a program is for a call with these leaves, as far as names say."""
        for k, now in self.same:
            if given[k] is not now():
                return False
        return self.unchanged()

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
        for table, keys in self.keys:
            if len(table) != len(keys) or not all(map(operator.is_, table, keys)):
                return False
        for items, then in self.lists:
            if len(items) != len(then) or not (
                all(map(operator.is_, items, then)) or all(map(_unchanged, items, then))
            ):
                return False
        return all(_unchanged(now(), before) for now, before in self.values)

    def untouched(self) -> bool:
        """Tell, after the call, whether it has left all as it was."""
        return self.unchanged() and all(_unchanged(now(), before) for now, before in self.streams)

    def _note(self, value: Any, depth: int = 0, attribute: str | None = None) -> None:
        """Note a value, which may be that of an ``attribute``."""
        if id(value) in self._seen or isinstance(value, _UNNOTED):
            if isinstance(value, TensorBase):
                self._tensors.add(id(value))
            return
        if backend.is_array(value) or hasattr(type(value), "__next__"):
            self._memory.append((attribute, value))
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
        elif isinstance(value, staticmethod | classmethod):
            self._note(value.__func__, depth)
        elif isinstance(value, functools.partial):
            for part in (value.func, value.args, value.keywords):
                self._note(part, depth)
        elif isinstance(value, type):
            self._note_class(value, depth)
        elif isinstance(value, list | tuple | set | frozenset | deque):
            if not isinstance(value, tuple | frozenset):
                self.lists.append((value, tuple(value)))
            for item in value:
                self._note(item, depth)
        elif isinstance(value, dict | types.MappingProxyType):
            if len(value) > 1:  # which have an order
                self.keys.append((value, tuple(value)))
            else:
                self.sizes.append((value, len(value)))
            for name, item in list(value.items()):
                self._watch(value, name, item, depth)
        elif isinstance(value, bytearray | memoryview | array.array):
            self._note_value(functools.partial(bytes, value), depth)
        elif isinstance(value, contextvars.ContextVar):
            self._note_value(functools.partial(value.get, _ABSENT), depth)
        elif isinstance(value, _STREAMS):
            self._note_stream(value)
        else:
            self._note_object(value, depth)
        if isinstance(value, _CONTAINERS) and type(value).__module__ != "builtins":
            self._note_object(value, depth)

    def _note_object(self, value: Any, depth: int) -> None:
        """Note the attributes of an object, and those of its class."""
        if isinstance(getattr(value, "__dict__", None), dict):
            if "_modules" in vars(value):  # those of a module are as near as it is itself
                depth -= 2
            self.sizes.append((vars(value), len(vars(value))))
            anew = getattr(value, "reads_anew", "")  # the name of options that each run reads
            for name, item in list(vars(value).items()):
                self._watch(vars(value), name, item, depth if name != anew else _DEEPEST)
                if name == anew:
                    self._note_options(item, depth)
        self._note_class(type(value), depth)
        for parent in type(value).__mro__:
            if not _is_own(parent.__module__):
                for name in _slots(parent):
                    self._mentioned.add(name)
                    self._note_value(functools.partial(getattr, value, name, _ABSENT), depth)

    def _note_value(self, now: Callable[[], Any], depth: int) -> None:
        """Note what a call gives."""
        before = now()
        self.values.append((now, before))
        if depth < _DEEPEST:
            self._note(before, depth + 1)

    def _note_stream(self, stream: Any) -> None:
        """Note where a stream of random numbers is."""
        now = functools.partial(pickle.dumps, stream)
        try:
            self.streams.append((now, now()))
        except (TypeError, NotImplementedError):
            self.refused = "drawing random numbers that are never the same"

    def _note_memory(self, found: Any) -> None:
        """Note an array that the function may read, or an iterator that it may advance."""
        if not backend.is_array(found):
            self.refused = f"an iterator from outside of the function ({type(found).__name__})"
        elif isinstance(found, np.ndarray) and found.nbytes <= _LARGEST:
            self.values.append((found.tobytes, found.tobytes()))
        else:
            self.refused = "a large array from outside of the function that is no tensor"

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
                elif not name.startswith("__") or isinstance(item, types.FunctionType):
                    self._watch(vars(parent), name, item, depth)

    def _note_options(self, groups: list[dict[str, Any]], depth: int) -> None:
        """Note the options of an optimizer, but for numbers."""
        self.lists.append((groups, tuple(groups)))
        for group in groups:
            for name, value in group.items():
                if isinstance(value, bool) or not isinstance(value, int | float | tuple):
                    self._watch(group, name, value, depth)
                else:
                    self.streams.append((functools.partial(group.get, name), value))

    def _watch(self, table: Any, name: Any, value: Any, depth: int, named: bool = False) -> None:
        """Note what a table has under a name, which the function may have as ``named``."""
        self.tables.append((table, name, value))
        if depth < _DEEPEST:
            self._note(value, depth + 1, None if named else name)

    def _note_function(
        self, function: types.FunctionType, depth: int, described: bool = False
    ) -> None:
        """Note what a function finds by name, or of a ``described`` one what is behind that."""
        if _is_own(function.__module__):
            return
        self.functions.append(
            (function, function.__code__, function.__defaults__, function.__kwdefaults__)
        )
        for given in (function.__defaults__, function.__kwdefaults__):
            if given and depth < _DEEPEST:
                self._note(given, depth + 1)
        names = function.__globals__
        attributes = set(_names(function.__code__, _ATTRIBUTES))
        self._mentioned |= attributes
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            if not described:
                self.cells.append((cell, value))
            elif isinstance(value, TensorBase):  # a leaf of the arguments
                continue
            if isinstance(value, types.ModuleType):
                self._note_module(value, attributes, depth)
            elif depth < _DEEPEST:
                self._note(value, depth + 1)
        if _is_own(names.get("__name__")):  # it wraps a function of the user's, and has its name
            return
        for name in _names(function.__code__, _VARIABLES):
            value = names.get(name, _ABSENT)
            if isinstance(value, types.ModuleType):
                self.tables.append((names, name, value))
                self._note_module(value, attributes, depth)
            elif value is not _ABSENT:
                self._watch(names, name, value, depth, named=True)

    def _note_module(self, module: types.ModuleType, attributes: set[str], depth: int) -> None:
        """Note some variables of a module of the user's."""
        if module.__name__.split(".")[0] in _ARRAYS:
            return
        for name in attributes & vars(module).keys():
            self._watch(vars(module), name, vars(module)[name], depth, named=True)


def _gradient(owner: Callable[[], Any]) -> Any:
    tensor = owner()
    return None if tensor is None else tensor._grad


def _is_own(module: str | None) -> bool:
    return (module or "").split(".")[0] in _LIBRARIES


def _unchanged(now: Any, before: Any) -> bool:
    return now is before or _same(now, before)


_ABSENT = object()
_DEEPEST = 6
_LARGEST = 1 << 20  # bytes of an array from outside, which are compared at each call
_ARRAYS = frozenset({"gpugrad", "numpy", "cupy", "scipy"})
_LIBRARIES = _ARRAYS | sys.stdlib_module_names  # whose classes do not change
_UNNOTED = (*_BY_VALUE, np.generic, TensorBase, types.ModuleType)
_STREAMS = (np.random.Generator, np.random.RandomState, random.Random)
_CONTAINERS = (list, tuple, set, frozenset, deque, dict)
_VARIABLES = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


def _same(now: Any, before: Any) -> bool:
    if type(now) is not type(before) or not isinstance(now, _BY_VALUE):
        return False
    return now == before and (
        not isinstance(now, float | complex) or repr(now) == repr(before)  # -0.0
    )


def _slots(kind: type) -> Iterator[str]:
    """Return the names of the attributes that objects of a class have without a dictionary."""
    named = vars(kind).get("__slots__", ())
    for name in [named] if isinstance(named, str) else named:
        if not name.startswith("__"):
            yield name
        elif not name.endswith("__"):
            yield f"_{kind.__name__.lstrip('_')}{name}"


def _names(code: types.CodeType, loads: frozenset[str]) -> Iterator[str]:
    """Return the names by which some code, and what is defined in it, loads things."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in loads:
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant, loads)
