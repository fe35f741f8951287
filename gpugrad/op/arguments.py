"""The arguments of public functions: by position, by keyword, and in PyTorch's words if wrong.

A public function is a generated one that calls what was declared, if it is given tensors and its
own keywords.  All else goes through :class:`Arguments`: arrays in the place of tensors, NumPy's
keywords, ``out=``, and errors.

>>> import gpugrad
>>> gpugrad.sum(x=gpugrad.ones(2, 3), axis=0, keepdims=True)
tensor([[2., 2., 2.]])
>>> gpugrad.exp()
Traceback (most recent call last):
TypeError: exp() missing 1 required positional arguments: "input"
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from inspect import Parameter
from typing import Any

from gpugrad import backend, errors
from gpugrad.graph import TensorBase, recording
from gpugrad.op import output, saved

# Keywords that PyTorch takes as well, for those who come from NumPy.
SYNONYMS = {
    "axis": "dim", "keepdims": "keepdim", "a": "input", "x": "input", "x1": "input", "x2": "other",
}  # fmt: skip


class _Missing:
    """The default of an argument that must be given."""

    def __repr__(self) -> str:
        return "<required>"


MISSING = _Missing()


class Arguments:
    """The general way into a public function: it makes its arguments those that were declared."""

    def __init__(
        self,
        name: str,
        parameters: Sequence[Parameter],
        plain: Callable[..., Any],
        out: bool = False,
        method: bool = False,
    ):
        """Make the way into ``plain``, whose parameters these are, with ``out=`` where asked.

        The first argument of a ``method`` is known to be a tensor, and not counted.
        """
        self.name, self.plain, self.out, self.method = name, plain, out, method
        self.positional = [p for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
        self.places = {p.name: k for k, p in enumerate(self.positional)}
        self.keywords = {p.name: p for p in parameters if p.kind is Parameter.KEYWORD_ONLY}
        self.any = next((p.name for p in parameters if p.kind is Parameter.VAR_POSITIONAL), "")
        self.tensors = [k for k, p in enumerate(self.positional) if p.annotation == "Tensor"]

    @property
    def translates(self) -> bool:
        """Whether a method of these parameters needs this way: synonyms, or further tensors."""
        return bool({"dim", "keepdim"} & set(self.places)) or any(k > 0 for k in self.tensors)

    def __call__(self, *given: Any, **keywords: Any) -> Any:
        """Call the function.

        Raises:
            TypeError: An argument is missing, unknown, given twice, or no tensor.
        """
        out = keywords.pop("out", None) if self.out else None
        count = len(self.positional)
        values = [*given[:count], *(_default(p) for p in self.positional[len(given) :])]
        others, options = given[count:], {}
        for keyword, value in keywords.items():
            place = self.places.get(keyword, self.places.get(SYNONYMS.get(keyword, "")))
            if keyword in self.keywords:
                options[keyword] = value
            elif place is not None:
                if values[place] is not _default(self.positional[place]):
                    name = self.positional[place].name
                    raise TypeError(f"{self.name}() got multiple values for argument '{name}'")
                values[place] = value
            elif keyword == self.any and not others:
                others = (value,)
            else:
                raise TypeError(f"{self.name}() got an unexpected keyword argument '{keyword}'")
        missing = [f'"{n}"' for n, k in self.places.items() if values[k] is MISSING]
        if missing:
            raise TypeError(
                f"{self.name}() missing {len(missing)} required positional arguments: "
                f"{', '.join(missing)}"
            )
        for place in self.tensors:
            value = values[place]
            if not isinstance(value, TensorBase):
                if not backend.is_array(value):
                    name = self.positional[place].name
                    position = place + (not self.method)
                    raise errors.must_be_tensor(self.name, name, position, value)
                values[place] = saved.wrap(value)
        if out is None:
            return self.plain(*values, *others, **options)
        output.check(self.name, out, (*values, *others, *options.values()))
        with recording(False):
            return output.written(self.name, out, self.plain(*values, *others, **options))


def _default(parameter: Parameter) -> Any:
    return MISSING if parameter.default is Parameter.empty else parameter.default


def source(general: Arguments) -> str:
    """Return the text of the function that calls what was declared, where nothing else is asked."""
    checked = general.positional[int(general.method) :]
    names = [p.name for p in general.positional]
    keywords = [*general.keywords, *["out"] * general.out]
    conditions = ["others"]
    conditions += ["out is not None"] * general.out
    for p in checked:
        if p.annotation == "Tensor":
            conditions.append(
                f"({p.name}.__class__ is not Tensor and not isinstance({p.name}, TensorBase))"
            )
        elif p.default is Parameter.empty:
            conditions.append(f"{p.name} is MISSING")
    anything = [f"*{general.any}"] if general.any else []
    given = [f"{k}={k}" for k in keywords]
    return _CALLER.format(
        parameters=", ".join(
            [*names, *(anything or ["*"] * bool(keywords)), *keywords, "**others"]
        ),
        unusual=" or ".join(conditions),
        everything=", ".join([*names, *anything, *given, "**others"]),
        values=", ".join([*names, *anything, *(k for k in given if k != "out=out")]),
    )


_CALLER = """\
def make(plain, general, MISSING, Tensor, TensorBase):
    def call({parameters}):
        if {unusual}:
            return general({everything})
        return plain({values})
    return call
"""


def caller(general: Arguments) -> Any:
    """Return that function."""
    call = made(source(general))(general.plain, general, MISSING, saved.tensor_class, TensorBase)
    call.__defaults__ = tuple(map(_default, general.positional))[int(general.method) :]
    call.__kwdefaults__ = {p.name: p.default for p in general.keywords.values()}
    if general.out:
        call.__kwdefaults__["out"] = None
    call.general = general
    return call


@functools.cache  # many have the same parameters
def made(text: str) -> Any:
    """Return the function ``make`` of a text."""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<gpugrad>", "exec"), namespace)
    return namespace["make"]
