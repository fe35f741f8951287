"""Writes the stub files, which tell editors and type checkers what functions and methods there are.

``python tests/stubs.py`` writes them anew; ``tests/test_forms.py`` sees that they are current.
"""

from __future__ import annotations

import collections.abc
import inspect
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Any

import numpy as np

import gpugrad
from gpugrad.nn import functional
from gpugrad.signal import windows

from gpugrad import fft, functions, linalg, methods, special  # isort: skip  the table is full now

FOLDER = Path(gpugrad.__file__).parent
WIDTH = 100
TENSOR = gpugrad.Tensor | np.ndarray[Any, np.dtype[Any]]  # or CuPy's, which are of type Any


class Names:
    """The names that a stub file uses, and where they come from."""

    def __init__(self, defined: set[str]):
        self.defined = defined  # in the file, so that annotations cannot mean others by them
        self.imports: set[str] = set()

    def text(self, annotation: Any, home: Any) -> str:
        """Return an annotation of a function of the module ``home`` as the stub has it."""
        if isinstance(annotation, str):
            known = {**vars(home), "Tensor": gpugrad.Tensor}
            if annotation == "Operand":
                known["Operand"] = Any
            annotation = eval(annotation, known)
        return self._of(annotation)

    def _of(self, kind: Any) -> str:
        if kind is None or kind is type(None):
            return "None"
        if kind is Ellipsis:
            return "..."
        if kind is Any:
            return self._from("typing", "Any")
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (types.UnionType, typing.Union):
            return " | ".join(map(self._of, arguments))
        if origin is collections.abc.Callable:
            return f"{self._from('collections.abc', 'Callable')}[..., {self._of(arguments[-1])}]"
        if origin is not None:
            return f"{self._of(origin)}[{', '.join(map(self._of, arguments))}]"
        if kind.__module__ == "builtins":
            if kind.__name__ not in self.defined:
                return str(kind.__name__)
            self.imports.add("import builtins")
            return f"builtins.{kind.__name__}"
        return self._from(kind.__module__, kind.__qualname__)

    def _from(self, module: str, name: str) -> str:
        if name in self.defined or module == "numpy":  # which has a dtype, too
            self.imports.add(f"import {module}")
            return f"{module}.{name}"
        self.imports.add(f"from {module} import {name}")
        return name


def header(name: str, function: Any, names: Names, method: bool) -> str:
    """Return the head of a function's definition, and its first sentence."""
    home = sys.modules[function.declared.home]
    signature = inspect.signature(function)
    parts = []
    starred = False
    for p in signature.parameters.values():
        if p.kind is Parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
        starred |= p.kind in (Parameter.KEYWORD_ONLY, Parameter.VAR_POSITIONAL)
        text = f"*{p.name}" if p.kind is Parameter.VAR_POSITIONAL else p.name
        if p.annotation == "Tensor":
            text += f": {names.text(TENSOR, home)}"
        elif not (method and not parts):
            text += f": {names.text(p.annotation, home)}"
        if p.default is not Parameter.empty:
            default = f'"{p.default}"' if isinstance(p.default, str) else repr(p.default)
            text += f" = {'...' if p.default is ... else default}"
        parts.append(text)
    returns = names.text(signature.return_annotation, home)
    indent = "    " * method
    line = f"{indent}def {name}({', '.join(parts)}) -> {returns}:"
    if len(line) > WIDTH:
        inner = f"{indent}    "
        line = f"{indent}def {name}(\n{inner}{', '.join(parts)}\n{indent}) -> {returns}:"
        if len(parts) == 1 or any(len(one) > WIDTH for one in line.splitlines()):
            each = "".join(f"{inner}{part},\n" for part in parts)
            line = f"{indent}def {name}(\n{each}{indent}) -> {returns}:"
    sentence = (inspect.getdoc(function) or "").split("\n\n")[0]
    if not sentence:
        return f"{line} ...\n"
    doc = textwrap.indent(f'"""{sentence}"""', f"{indent}    ")
    return f"{line}\n{doc}\n"


def operator(name: str) -> str:
    """Return the definition of one of Python's methods."""
    unary = name in ("__neg__", "__pos__", "__abs__", "__invert__")
    other = "" if unary else ", key: Any" if name.endswith("item__") else ", other: Any"
    if name == "__setitem__":
        return f"    def {name}(self, key: Any, value: Any) -> None: ...\n"
    ignored = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
    return f"    def {name}(self{other}) -> Tensor: ...{ignored}\n"


def stub(module: Any, made: Mapping[str, Callable[..., Any]], start: str = "") -> str:
    """Return the stub file of a module with these functions, or methods of one class."""
    method = bool(start)
    names = Names(set(made))
    names.imports.add("from gpugrad import Tensor")
    for name, value in vars(module).items():
        if isinstance(value, type) and value.__module__ == "gpugrad.errors":
            names.imports.add(f"from gpugrad.errors import {name} as {name}")
    if method:
        names.imports |= {"from typing import Any", "from gpugrad.graph import TensorBase"}
    operators = "".join(operator(name) for name in sorted(made) if name.startswith("__"))
    body = [
        header(name, function, names, method)
        for name, function in sorted(made.items())
        if not name.startswith("__")
    ]
    doc = (inspect.getdoc(module) or "").split("\n")[0]
    if method:
        names.imports.add("from collections.abc import Callable, Iterator")
        body += [
            "def methods() -> Iterator[tuple[str, Callable[[], Callable[..., Any]]]]: ...\n",
        ]
    return assembled(f'"""{doc}"""', names.imports, start + operators + "\n".join(body))


def assembled(doc: str, imports: set[str], body: str) -> str:
    """Return the file with its imports in order: the standard library's, NumPy's, our own."""
    groups: list[list[str]] = [[], [], []]
    for line in imports:
        root = line.split()[1].split(".")[0]
        groups[2 if root == "gpugrad" else 1 if root == "numpy" else 0].append(line)
    merged = []
    for group in groups:
        plain = sorted(line for line in group if line.startswith("import"))
        sources: dict[str, list[str]] = {}
        for line in group:
            if line.startswith("from"):
                _, source, _, name = line.split(maxsplit=3)
                sources.setdefault(source, []).extend(name.split(", "))
        plain += [
            f"from {s} import {', '.join(sorted(set(n)))}" for s, n in sorted(sources.items())
        ]
        if plain:
            merged.append("\n".join(plain))
    return "\n\n".join([doc, *merged]) + "\n\n" + body


def files() -> dict[Path, str]:
    """Return what the stub files should hold."""
    of_class = f'class Methods(TensorBase):\n    """{inspect.getdoc(methods.Methods)}"""\n\n'
    found = {
        FOLDER / "methods.pyi": stub(
            methods, {name: make() for name, make in methods.methods()}, of_class
        )
    }
    for module in (functions, fft, special, linalg, windows, functional):
        made = {name: getattr(module, name) for name in module.__all__}
        path = module.__name__.partition(".")[2].replace(".", "/")
        found[FOLDER / f"{path}.pyi"] = stub(module, made)
    return found


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
