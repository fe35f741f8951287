"""Modules that hold others, or parameters, as lists and dictionaries do."""

from __future__ import annotations

import itertools
import operator
import warnings
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter


def _place(holder: Any, index: Any) -> int:
    """Return a place counted from the front.

    Raises:
        IndexError: There is none.
    """
    index, size = operator.index(index), len(holder)
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of range")
    return index % size


class Container(Module):
    """The older way to have modules by names: ``Container(a=..., b=...)``."""

    def __init__(self, **kwargs: Any):
        warnings.warn(
            "`nn.Container` is deprecated. All of its functionality is now implemented in "
            "`nn.Module`. Subclass that instead.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__()
        for name, module in kwargs.items():
            self.add_module(name, module)


class _Numbered(Module):
    """What holds modules under the names "0", "1" and so on."""

    def _name(self, idx: int) -> str:
        return [*self._modules][_place(self, idx)]

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, self._name(idx), module)

    def __delitem__(self, idx: int | slice) -> None:
        names = [*self._modules][idx] if isinstance(idx, slice) else [self._name(idx)]
        for name in names:
            delattr(self, name)
        self._modules = {str(k): m for k, m in enumerate(self._modules.values())}

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, idx: int | slice) -> Any:
        raise NotImplementedError

    def append(self, module: Module) -> Self:
        """Add a module at the end, and return the list."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key: int | slice) -> Any:
        """Remove a module, or several, and return it."""
        found = self[key]
        del self[key]
        return found

    def _insert(self, index: int, module: Module) -> None:
        for k in range(len(self), index, -1):
            self._modules[str(k)] = self._modules[str(k - 1)]
        self._modules[str(index)] = module


class Sequential(_Numbered):
    """Modules of which each is given the result of the one before.

    ``Sequential(a, b)`` names them by their places, and ``Sequential(OrderedDict(...))`` by the
    keys.

    >>> import gpugrad as torch
    >>> Sequential(torch.nn.Linear(2, 3), torch.nn.Flatten())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Flatten(start_dim=1, end_dim=-1)
    )
    """

    def __init__(self, *args: Any):
        super().__init__()
        named = {str(k): module for k, module in enumerate(args)}
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = args[0]
        for name, module in named.items():
            self.add_module(name, module)

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return self.__class__(OrderedDict([*self._modules.items()][idx]))
        return self._modules[self._name(idx)]

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *_sequential(other))

    def __iadd__(self, other: Sequential) -> Self:
        return self.extend([*_sequential(other)])

    def __mul__(self, other: int) -> Sequential:
        self._check_times(other)
        return Sequential(*[module for _ in range(other) for module in self])

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        self._check_times(other)
        return self.extend([*self] * (other - 1))

    def _check_times(self, times: Any) -> None:
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(times)}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self)}")

    def forward(self, input: Any) -> Any:
        """Return what the last module makes of what those before it make of the input."""
        for module in self:
            input = module(input)
        return input

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before a place, and return the list.

        Raises:
            AssertionError: It is no module.
            IndexError: There is no such place.
        """
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        self._insert(index + len(self) if index < 0 else index, module)
        return self

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Add modules at the end, and return the list."""
        for module in sequential:
            self.append(module)
        return self


def _sequential(other: Any) -> Sequential:
    if not isinstance(other, Sequential):
        raise ValueError(
            f"add operator supports only objects of Sequential class, but {type(other)!s} is given."
        )
    return other


class ModuleList(_Numbered):
    """A list of modules, whose parameters are found."""

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return self.__class__([*self._modules.values()][idx])
        return self._modules[self._name(idx)]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(itertools.chain(self, other))

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def insert(self, index: int, module: Module) -> None:
        """Add a module before a place."""
        self._insert(index, module)

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end, and return the list.

        Raises:
            TypeError: They cannot be iterated over.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"ModuleList.extend should be called with an iterable, but got "
                f"{type(modules).__name__}"
            )
        for k, module in enumerate(modules, len(self)):
            self.add_module(str(k), module)
        return self

    def __repr__(self) -> str:
        """Return the list as text, neighbours that print the same as one line."""
        lines = []
        end = 0
        for text, same in itertools.groupby([repr(module) for module in self]):
            start, end = end, end + len([*same])
            alone = end - start == 1
            label = f"({start}): " if alone else f"({start}-{end - 1}): {end - start} x "
            lines.append((label + text).replace("\n", "\n  "))
        body = "\n  ".join(lines)
        return f"{self._get_name()}(\n  {body}\n)" if body else f"{self._get_name()}()"


class ModuleDict(Module):
    """A dictionary of modules, whose parameters are found."""

    def __init__(self, modules: Mapping[str, Module] | None = None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Remove a module and return it."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Any]:
        """Return the names with the modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Any]:
        """Return the modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add the modules of a dictionary, or of pairs, in their order.

        Raises:
            TypeError: It is neither.
            ValueError: An element is no pair.
        """
        for key, module in _pairs(modules, "ModuleDict", "ModuleDict"):
            self[key] = module


def _pairs(given: Any, kind: str, plural: str) -> Iterable[tuple[Any, Any]]:
    """Return the pairs that a dictionary is updated with."""
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{plural}.update should be called with an iterable of key/value pairs, but got "
            f"{type(given).__name__}"
        )
    if isinstance(given, Mapping | ModuleDict | ParameterDict):
        return given.items()
    found = []
    for k, pair in enumerate(given):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{kind} update sequence element #{k} should be Iterable; is{type(pair).__name__}"
            )
        values: Any = pair
        if len(values) != 2:
            raise ValueError(
                f"{kind} update sequence element #{k} has length {len(values)}; 2 is required"
            )
        found.append((values[0], values[1]))
    return found


def _as_parameter(value: Any) -> Any:
    """Return a tensor as a parameter, and all else as it is."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def _described(items: Iterable[tuple[Any, Any]], type_of: Any) -> str:
    """Return the lines in which lists and dictionaries of parameters print them."""
    lines = []
    for key, value in items:
        if isinstance(value, Tensor):
            size = "x".join(map(str, value.size()))
            where = f" ({value.device})" if value.is_cuda else ""
            what = "Parameter" if isinstance(value, Parameter) else "Tensor"
            told = f"{what} containing: [{type_of(value)} of size {size}{where}]"
        else:
            told = f"Object of type: {type(value).__name__}"
        lines.append(f"  ({key}): {told}")
    return "\n".join(lines)


class ParameterList(Module):
    """A list of parameters, which are found; other tensors become parameters.

    Other values are kept as they are.
    """

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return self.__class__([self[k] for k in range(len(self))[idx]])
        return getattr(self, str(_place(self, idx)))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, str(_place(self, idx)), _as_parameter(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[k] for k in range(len(self))])

    def __iadd__(self, parameters: Iterable[Any]) -> Self:
        return self.extend(parameters)

    def append(self, value: Any) -> Self:
        """Add a value at the end, and return the list."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end, and return the list.

        Raises:
            TypeError: They cannot be iterated over, or are one tensor.
        """
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}"
            )
        for value in [*values]:
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """Return a line for each value."""
        return _described(enumerate(self), lambda p: p.dtype)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise, since a list computes nothing.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dictionary of parameters, which are found; other tensors become parameters.

    Other values are kept as they are.  It takes those of a plain dictionary in the order of the
    keys.
    """

    def __init__(self, parameters: Any = None):
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _checked(self, key: Any) -> str:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string (type "
                f"is '{type(key).__name__}'). Open an issue on github if you need non-string keys."
            )
        return key

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._checked(key))

    def __setitem__(self, key: str, value: Any) -> None:
        # the key is there even where the value is refused, as in PyTorch
        self._keys[key] = None
        setattr(self, self._checked(key), _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._checked(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """Return another dictionary of the same values."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, which is the default if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove all."""
        for key in [*self._keys]:
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove a value and return it."""
        found = self[key]
        del self[key]
        return found

    def popitem(self) -> tuple[str, Any]:
        """Remove the last key with its value and return both."""
        key = next(reversed(self._keys), None)
        if key is None:
            raise KeyError("popitem(): dictionary is empty")
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or the default where there is none."""
        return self[key] if key in self._keys else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a dictionary in which each of some keys has the default."""
        return ParameterDict([(key, default) for key in keys])

    def keys(self) -> KeysView[str]:
        """Return the keys."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return the keys with the values."""
        return [(key, self[key]) for key in self._keys]

    def values(self) -> Iterable[Any]:
        """Return the values."""
        return [self[key] for key in self._keys]

    def update(self, parameters: Any) -> None:
        """Add the values of a dictionary, or of pairs.

        Raises:
            TypeError: It is neither.
            ValueError: An element is no pair.
        """
        pairs = _pairs(parameters, "ParameterDict", "ParametersDict")
        kept = isinstance(parameters, OrderedDict | ParameterDict)
        if isinstance(parameters, Mapping) and not kept:
            pairs = sorted(pairs)
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        """Return a line for each value."""
        return _described(self.items(), functions.typename)

    def __call__(self, input: Any) -> Any:
        """Raise, since a dictionary computes nothing.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError("ParameterDict should not be called.")

    def __or__(self, other: ParameterDict) -> ParameterDict:
        result = self.copy()
        result.update(other)
        return result

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        result = other.copy()
        result.update(self)
        return result

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self
