"""What users get of an operation: functions, methods, operators, in-place and ``out=`` forms.

A declaration says it once, by :func:`public`.  :mod:`gpugrad.functions` and :mod:`gpugrad.methods`
are made from the table :data:`PUBLIC`, and so are the stub files that editors and type checkers
read.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, Signature
from typing import Any, TypeVar

from gpugrad._dtype import dtype
from gpugrad._layout import layout
from gpugrad.errors import MISSING
from gpugrad.graph import TensorBase
from gpugrad.op import autocast
from gpugrad.op.arguments import Arguments
from gpugrad.op.autocast import POLICIES, casting
from gpugrad.op.declaration import defined
from gpugrad.op.generated import public as generated
from gpugrad.op.generated.pointwise import GIVEN, NONE
from gpugrad.op.promotion import is_operand

F = TypeVar("F", bound=Callable[..., Any])
Selected = tuple[Any, tuple[Any, ...]]  # a function, and its operands

PUBLIC: dict[str, Public] = {}  # by the name of the function or method
_FUNCTIONS: dict[str, dict[str, Public]] = {}  # by module, and their names there

_POSITIONAL, _KEYWORD, _ANY = (
    Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY, Parameter.VAR_POSITIONAL,
)  # fmt: skip


@dataclass(eq=False)
class Public:
    """A function of tensors, and the forms in which users get it; see :func:`public`."""

    name: str
    plain: Callable[..., Any]
    is_function: bool = True
    is_method: bool = True
    out: bool | str = False
    inplace: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    reflected: tuple[str, ...] = ()
    formula: Any = None
    numbers: tuple[str, str] = GIVEN
    promotes: bool = False
    creates: bool = False
    home: str = ""  # the module in which it was declared
    tensors: frozenset[str] = frozenset()
    signatures: tuple[str, ...] = ()
    unlike: str = ""
    result: dtype | None = None

    @property
    def spoken(self) -> str:
        """What PyTorch calls the function in its errors: ``linalg_norm`` is that of a module."""
        return self.name.removeprefix("nn.functional.").replace(".", "_")

    @property
    def casts(self) -> str:
        """The name by which autocast knows the function; empty where it does not."""
        return self.spoken if self.spoken in POLICIES else ""

    @property
    def inplace_name(self) -> str:
        """The name of the in-place form."""
        return f"{self.name}_"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters of the function, as they were declared.

        The operands of a formula are tensors, arrays or numbers, but not all of them numbers.
        """
        if hasattr(self.plain, "op"):
            names = self.plain.op.parameters
            notes = dict.fromkeys(names if len(names) == 1 else self.tensors, "Tensor")
            return tuple([_parameter(n, _POSITIONAL, Parameter.empty, notes) for n in names])
        function = inspect.unwrap(self.plain)
        code, defaults = function.__code__, function.__defaults__ or ()
        names, notes = code.co_varnames, function.__annotations__
        count, keywords = code.co_argcount, code.co_kwonlyargcount
        found = []
        for k, name in enumerate(names[:count]):
            place = k - count + len(defaults)
            default = defaults[place] if place >= 0 else Parameter.empty
            found.append(_parameter(name, _POSITIONAL, default, notes))
        if code.co_flags & inspect.CO_VARARGS:
            found.append(_parameter(names[count + keywords], _ANY, Parameter.empty, notes))
        known = function.__kwdefaults__ or {}
        found += [
            _parameter(name, _KEYWORD, known.get(name, Parameter.empty), notes)
            for name in names[count : count + keywords]
        ]
        return tuple(found)

    @property
    def returns(self) -> Any:
        """What the function returns, as it was declared."""
        if hasattr(self.plain, "choose"):
            return "Tensor"
        return inspect.unwrap(self.plain).__annotations__.get("return", "Tensor")

    def signature(self, form: str) -> Signature:
        """Return the signature of a form.

        It is "function", "method", "inplace" or, a function that writes in place, "write".
        """
        parameters = list(self.parameters)
        if form == "function" and self.out:
            parameters.append(_parameter("out", _KEYWORD, None, {"out": "Tensor | None"}))
        if self.creates:
            parameters.append(_parameter("layout", _KEYWORD, None, {"layout": layout | None}))
            parameters.append(_parameter("pin_memory", _KEYWORD, False, {"pin_memory": bool}))
        if form not in ("function", "write"):
            # the tensor is the parameter called input, wherever that stands
            place = next((k for k, p in enumerate(parameters) if p.name == "input"), 0)
            parameters.pop(place)
            parameters.insert(0, Parameter("self", _POSITIONAL))
        returns = "Tensor" if form in ("inplace", "write") else self.returns
        return Signature(parameters, return_annotation=returns, __validate_parameters__=False)

    def documentation(self, form: str) -> str:
        """Return the docstring of a form."""
        doc = inspect.getdoc(self.plain) or ""
        if form not in ("inplace", "write"):
            return doc
        what = (
            f"Change the tensor itself as ``{self.name}`` does its result, and return it."
            if "shape" in self.inplace
            else f"Write the result of ``{self.name}`` into the tensor, and return that."
        )
        return f"{what}\n\n``{self.name}``: {doc}" if doc else what

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The function of a module."""
        general = Arguments(
            self.spoken,
            self.parameters,
            self.plain,
            bool(self.out),
            promotes=self.promotes,
            creates=self.creates,
            signatures=self.signatures,
        )
        general.unlike, general.result = self.unlike, self.result
        general.casts = self.casts
        general.typed = str(self.out) if self.out in ("dtype", "inexact") else ""
        if self.out in ("apart", "disjoint"):
            general.apart = 1 if "values" in self.inplace else 0
            general.converts = self.out == "disjoint"
        return self.dressed(self._specialized(general), "function", self.name)

    @cached_property
    def inplace_function(self) -> Callable[..., Any]:
        """The function of a module that is the in-place form, where there is one."""
        name = self.inplace_name
        first, *others = self.parameters

        def write(input: Any, *others: Any, **options: Any) -> Any:
            return getattr(input, name)(*others, **options)

        parameters = [first.replace(annotation="Tensor"), *others]
        return self.dressed(generated.caller(Arguments(name, parameters, write)), "write", name)

    def _specialized(self, general: Arguments) -> Any:
        """Return the function that calls the plain one, or is the formula for plain operands.

        A method that is nothing but a formula takes its operands only, which is a tenth faster.
        """
        op = getattr(self.formula or self.plain, "op", None)
        names = tuple(p.name for p in general.positional)
        if op is None or not op.specializes or op.parameters != names:
            return generated.caller(general)
        if general.method and self.formula is None:
            return defined(op, generated.caller(general), self.numbers)
        made = defined(op, generated.caller(general), self.numbers, general.head)
        made.__globals__["arguments"] = made.general = general
        made.__defaults__ = general.defaults
        return made

    @cached_property
    def method(self) -> Callable[..., Any]:
        """The method of tensors."""
        parameters, plain = self.tensor_first(self.plain)
        signatures: Sequence[str] = ()
        if self.signatures:
            from gpugrad.op.signature import of_method, required

            signatures = of_method(self.signatures)
            for k in range(1, min(map(required, signatures)) + 1):  # beside the tensor itself
                parameters[k] = parameters[k].replace(default=Parameter.empty)
        found = Arguments(
            self.name, parameters, plain, method=True, promotes=self.promotes,
            creates=self.creates, signatures=signatures,
        )  # fmt: skip
        found.casts = self.casts
        general = found.translates or self.creates or self.formula is not None
        if plain is not self.plain or general:
            return self.dressed(self._specialized(found), "method", self.name)
        return self.dressed(plain, "method", self.name)

    def tensor_first(self, function: Any) -> tuple[list[Parameter], Any]:
        """Return the parameters, and a function of them, with the tensor of a method first."""
        parameters = list(self.parameters)
        place = next((k for k, p in enumerate(parameters) if p.name == "input"), 0)
        if not place:
            return parameters, function
        parameters.insert(0, parameters.pop(place))

        def reordered(self: Any, *others: Any, **options: Any) -> Any:
            return function(*others[:place], self, *others[place:], **options)

        return parameters, reordered

    def dressed(self, made: Any, form: str, name: str) -> Any:
        """Return a function with the name, signature and docstring of a form."""
        made.__name__ = name.rpartition(".")[2]
        made.__qualname__ = name if form in ("function", "write") else f"Tensor.{name}"
        made.__module__ = "gpugrad"
        made.__doc__ = self.documentation(form)
        made.__signature__ = self.signature(form)
        made.declared = self
        if form == "function" and hasattr(self.plain, "op"):
            made.op = self.plain.op
        return made

    def operation(self, name: str) -> Callable[..., Any]:
        """Return the one of Python's methods that has this name."""
        if name in self.reflected:
            return self._operator(_reflected(self.plain), name, None)
        return self._operator(self.plain, name)

    def _operator(self, function: Any, name: str, formula: Any = MISSING) -> Any:
        if formula is MISSING:
            formula = self.formula or (function if hasattr(function, "op") else None)
        other = [p for p in self.parameters if p.kind is _POSITIONAL][1:2]
        if not other:
            return function if formula is None else defined(formula.op, function)
        if other[0].annotation not in ("Operand", "Tensor"):
            return function  # of an index, say
        numbers = other[0].annotation == "Operand"
        usual = (TensorBase, int, float) if numbers else TensorBase
        casts = self.casts
        checked = self.is_function  # others are Python functions in PyTorch, too

        def applied(self: Any, other: Any) -> Any:
            if checked and not isinstance(self, TensorBase):
                raise TypeError(
                    f"descriptor '{name}' for 'gpugrad.Tensor' objects doesn't apply to a "
                    f"'{type(self).__name__}' object"
                )
            if isinstance(other, usual) or is_operand(other, numbers):
                if casts and casting:
                    return autocast.called(casts, function, (self, other), {}, None)
                return function(self, other)
            return NotImplemented

        applied.__name__ = applied.__qualname__ = name
        return applied if formula is None else defined(formula.op, applied, self.numbers)


def _parameter(name: str, kind: Any, default: Any, notes: dict[str, Any]) -> Parameter:
    return Parameter(name, kind, default=default, annotation=notes.get(name, "Operand"))


def _reflected(function: Any) -> Any:
    def swapped(self: Any, other: Any) -> Any:
        return function(other, self)

    return swapped


def public(
    *,
    function: bool = True,
    method: bool = True,
    out: bool | str = False,
    inplace: str = "",
    names: str = "",
    operators: str = "",
    reflected: str = "",
    formula: Any = None,
    numbers: tuple[str, str] = GIVEN,
    promotes: bool = False,
    tensors: str = "",
    creates: bool = False,
    name: str = "",
    signatures: tuple[str, ...] = (),
    unlike: str = "",
    result: dtype | None = None,
) -> Callable[[F], F]:
    """Declare what users get of a function of tensors; it is returned as it is.

    Its parameters, their defaults and annotations and its docstring are those of all forms.

    Args:
        function: Whether it is a function of the module.
        method: Whether it is a method of tensors; its first argument is the parameter called
            ``input``, wherever that stands.
        out: Whether the function takes ``out=``; ``apart`` where that must be of the very type of
            the result, and lie apart from the operands, unless it is the input that an in-place
            form would write; ``disjoint`` where it must only lie apart from them; ``dtype`` where
            the function computes in its type, if none is given; ``inexact`` where it does so only
            for types that have gradients.
        inplace: What its in-place form changes, a method whose name has an underscore more:
            ``values``, into which the result is written, or the tensor's own ``shape``, for a
            function that makes a view; with ``function`` that is a function, too, and with
            ``arithmetic`` PyTorch's errors call it so, as they do that of a formula; with ``alike``
            they ask of the result that it be of the tensor's shape and type.
        names: Other names of all forms; ``special.expit`` is a function in a module of its own.
        operators: Python's methods that are the function, such as ``__add__``.
        reflected: Those that are the function with its operands exchanged.
        formula: The declared formula that the function is for two plain operands, to which its
            operators are specialised.
        numbers: Which second operands are numbers to that formula, see :mod:`specialized`.
        promotes: Whether tensors of different types are those that they promote to where one of
            them was given as an array; tensors alone are the function's to judge.
        tensors: The operands of a formula of several for which PyTorch takes no numbers.
        creates: Whether it makes a new tensor of a ``dtype`` and on a ``device``, which are by
            default those of ``out``; it takes ``layout`` and ``pin_memory`` as well.
        name: What users call it, where that is not the name of the function; ``linalg.norm`` is a
            function of a module only.
        signatures: Those of PyTorch's function, where it has several and lists them in an error;
            see :mod:`gpugrad.op.signature`.
        unlike: What is said of an ``out=`` of another type than the result, where PyTorch has a
            sentence for that; in it ``{wanted}`` and ``{given}`` are types.
        result: The type of the result where that is always one: an ``out=`` of another is refused
            before anything is computed.
    """
    changed = frozenset(inplace.split())
    assert changed <= {"values", "shape", "function", "arithmetic", "alike"}, changed

    def declare(plain: F) -> F:
        key = name or plain.__name__
        assert key not in PUBLIC, key
        made = PUBLIC[key] = Public(
            key, plain, function, method, out, changed, tuple(names.split()),
            tuple(operators.split()), tuple(reflected.split()), formula,
            NONE if "other" in tensors.split() else numbers, promotes, creates,
            plain.__module__, frozenset(tensors.split()), signatures, unlike,
            result,
        )  # fmt: skip
        for called in (key, *made.names):
            module, _, last = called.rpartition(".")
            known = _FUNCTIONS.setdefault(module, {})
            if function:
                known[last] = made
            if "function" in changed and not module:
                known[f"{last}_"] = made
        return plain

    return declare


def selecting(choose: Callable[..., Any]) -> Any:
    """Declare a function that selects another: ``choose`` returns that and its operands.

    Its in-place form computes where the other's does.
    """
    function = generated.selected(choose)
    function.choose = choose
    return function


def declared_in(module: str) -> dict[str, Public]:
    """Return what the functions of a module are: ``""`` is gpugrad, ``"special"`` another one."""
    return _FUNCTIONS[module]


def functions(
    module: str, namespace: dict[str, Any]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` of a module, which makes its functions when they are asked for.

    So importing gpugrad takes no longer for having many of them.  The second is its ``__dir__``.
    """
    known = declared_in(module)

    def find(name: str) -> Any:
        if name not in known:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        declared = known[name]
        written = name.endswith("_") and not declared.name.endswith("_")
        function = namespace[name] = declared.inplace_function if written else declared.function
        return function

    return find, lambda: sorted({*namespace, *known})


class Method:
    """A method of tensors, which is made when it is first asked for and then takes its place."""

    def __init__(self, make: Callable[[], Callable[..., Any]]):
        """Make a place of a class for what ``make`` returns."""
        self.make = make

    def __set_name__(self, home: type, name: str) -> None:
        """Say which class that is, and by which name the method is asked for."""
        self.home, self.name = home, name

    def __get__(self, tensor: Any, owner: type) -> Any:
        """Return the method itself."""
        function: Any = vars(self.home)[self.name]
        if function is self:  # and no other thread was earlier
            function = self.make()
            setattr(self.home, self.name, function)
        return function.__get__(tensor, owner)
