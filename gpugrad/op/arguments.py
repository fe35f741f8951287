"""The arguments of public functions: by position, by keyword, and in PyTorch's words if wrong.

A public function is a generated one that calls what was declared, if it is given tensors and its
own keywords.  All else goes through :class:`Arguments`: arrays in the place of tensors, NumPy's
keywords, ``out=``, methods called in NumPy's manner (:mod:`gpugrad.op.numpys`), and errors.

>>> import gpugrad
>>> gpugrad.sum(x=gpugrad.ones(2, 3), axis=0, keepdims=True)
tensor([[2., 2., 2.]])
>>> gpugrad.exp()
Traceback (most recent call last):
TypeError: exp() missing 1 required positional arguments: "input"
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter
from itertools import pairwise
from math import inf
from typing import Any

from gpugrad import backend, errors
from gpugrad._dtype import INEXACT, dtype
from gpugrad._layout import check_layout
from gpugrad.errors import MISSING
from gpugrad.graph import TensorBase, recording, restoring
from gpugrad.op import autocast, numpys, output, saved
from gpugrad.op.autocast import casting
from gpugrad.op.dual import seen_from
from gpugrad.op.generated.template import Head
from gpugrad.op.kind import KINDS, checked
from gpugrad.op.promotion import of_one_type

# Keywords that PyTorch takes as well, for those who come from NumPy.
SYNONYMS = {
    "axis": "dim", "keepdims": "keepdim", "a": "input", "x": "input", "x1": "input", "x2": "other",
    "axis0": "dim0", "axis1": "dim1", "axes": "dims",
    "A": "input",  # of functions that are in two modules, PyTorch's name in the other one
}  # fmt: skip

_RENAMED = frozenset(SYNONYMS.values())


class Arguments:
    """The general way into a public function: it makes its arguments those that were declared."""

    def __init__(
        self,
        name: str,
        parameters: Sequence[Parameter],
        plain: Callable[..., Any],
        out: bool = False,
        method: bool = False,
        promotes: bool = False,
        creates: bool = False,
        signatures: Sequence[str] = (),
    ):
        """Make the way into ``plain``, whose parameters these are, with ``out=`` where asked.

        The first argument of a ``method`` is known to be a tensor, and not counted.  Where it
        ``promotes``, tensors are of one type if one was given as an array; where it ``creates``
        a tensor, how that is stored may be said.  Its ``signatures`` are PyTorch's, where that has
        several.
        """
        self.name, self.plain, self.out, self.method = name, plain, out, method
        self.promotes, self.signatures = promotes, signatures
        self.apart: int | None = None  # from which operand on a result must lie apart from them
        self.converts = False  # whether what lies apart may be of another type
        self.unlike = ""  # what is said of an out= of another type
        self.result: dtype | None = None  # the type of results, where it is always one
        self.creates = creates
        self.casts = ""  # the name by which autocast knows it, if it does
        self.typed = ""  # "dtype": a result is of the type of out=, if dtype= names no other;
        # "inexact": only if that and the type of the input have gradients
        self.positional = [p for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
        self.places = {p.name: k for k, p in enumerate(self.positional)}
        self.keywords = {p.name: p for p in parameters if p.kind is Parameter.KEYWORD_ONLY}
        self.required = [k for k, p in self.keywords.items() if p.default is Parameter.empty]
        several = next((p for p in parameters if p.kind is Parameter.VAR_POSITIONAL), None)
        self.any = several.name if several else ""
        self.heirs = any(
            p.annotation == "Value" for p in parameters
        )  # may be what results descend of
        self.kept = [  # what must be named, if it is asked for that it is kept
            (p.name, q.name)
            for p, q in pairwise(self.positional)
            if p.default is errors.ALL and q.name == "keepdim"
        ]
        self.tensors = [k for k, p in enumerate(self.positional) if p.annotation == "Tensor"]

    def meant(self, keyword: str) -> str:
        """Return the parameter that a keyword means: PyTorch's own, or that of a synonym."""
        synonym = SYNONYMS.get(keyword, keyword)
        if keyword in self.places or keyword in self.keywords:
            return keyword
        return synonym if synonym in self.places or synonym in self.keywords else keyword

    @staticmethod
    def absent(parameter: Parameter) -> Any:
        """Return what a generated function has in the place of an argument that was not given.

        That is its default, but of one that has a place and synonyms nothing that a user can give.
        """
        default = parameter.default
        renamed = parameter.name in _RENAMED and parameter.kind is Parameter.POSITIONAL_OR_KEYWORD
        none = default is Parameter.empty or (renamed and default is not errors.ALL)
        return MISSING if none else default

    @property
    def head(self) -> Head:
        """How a generated function takes its arguments, if all keywords are unusual."""
        names = ", ".join(self.places)
        return Head(
            f"{names}, *more, **others",
            "others or more or ",
            f"arguments({names}, *more, **others)",
        )

    @property
    def whole_head(self) -> Head:
        """How it takes them if its own keywords are not, but only ``out=`` and synonyms."""
        rest = self.any or "more"
        keywords = [*self.keywords, *["out"] * self.out]
        given = [*self.places, f"*{rest}", *(f"{k}={k}" for k in keywords)]
        unusual = ["others", *["more"] * (not self.any), *["out is not None"] * self.out]
        return Head(
            ", ".join([*self.places, f"*{rest}", *keywords, "**others"]),
            " or ".join(unusual),
            f"arguments({', '.join(given)}, **others)",
        )

    @property
    def defaults(self) -> tuple[Any, ...]:
        """The defaults of the generated function's positional parameters."""
        return tuple(map(self.absent, self.positional))[int(self.method) :]

    @property
    def keyword_defaults(self) -> dict[str, Any]:
        """The defaults of its other parameters."""
        found = {name: self.absent(p) for name, p in self.keywords.items()}
        return {**found, "out": None} if self.out else found

    @property
    def result_type(self) -> int | str | None:
        """Where its argument ``dtype`` is, if it has one."""
        return "dtype" if "dtype" in self.keywords else self.places.get("dtype")

    @property
    def translates(self) -> bool:
        """Whether a method needs this way: for synonyms, keywords, or what is to be checked."""
        if self.name in numpys.PARAMETERS or self.casts:
            return True
        known = {"dim", "keepdim"} & set(self.places)
        others = [*self.positional[1:], *self.keywords.values()]
        return bool(known or self.any or self.heirs) or any(p.annotation in KINDS for p in others)

    def __call__(self, *given: Any, **keywords: Any) -> Any:
        """Call the function, or NumPy's method where the arguments are that one's.

        Raises:
            TypeError: An argument is missing, unknown, given twice, or of another kind.
        """
        if self.method and (found := numpys.arguments_of(self, given, keywords)) is not None:
            return numpys.called(self.name, given[0], *found)
        out = keywords.pop("out", None) if self.out else None
        if self.creates:
            check_layout(self.name, keywords.pop("layout", None))
            check_pinning(keywords.pop("pin_memory", False))
        try:
            values, others, options = self._arranged(given, keywords)
        except TypeError as error:
            if not self.signatures:
                raise
            raise self._misfit(given, keywords, error) from None
        if out is None:
            if self.casts and casting:
                result = autocast.called(
                    self.casts, self.plain, (*values, *others), options, self.result_type
                )
            else:
                result = self.plain(*values, *others, **options)
            if not saved.subclasses:
                return result
            return inherited(result, (*values, *others))
        operands = (*values, *others, *options.values())
        output.check(self.name, out, operands)
        if self.result is not None:
            output.check_type(out, self.result, self.unlike)
        if (
            self.typed
            and options.get("dtype") is None
            and (
                self.typed == "dtype"
                or {out._array.dtype.kind, values[0]._array.dtype.kind} <= set(INEXACT)
            )
        ):
            options["dtype"] = out._kind
        return self._written(out, operands, values, others, options)

    def _arranged(self, given: Any, keywords: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        """Return the arguments by position, those of any number, and those by keyword."""
        count = len(self.positional)
        values = [*given[:count], *map(self.absent, self.positional[len(given) :])]
        others, options = given[count:], {}
        if others and not self.any:
            required = sum(p.default is Parameter.empty for p in self.positional)
            own = int(self.method)
            raise errors.too_many(self.name, required - own, count - own, len(given) - own)
        for keyword, value in keywords.items():
            name = self.meant(keyword)
            place = self.places.get(name)
            if name in self.keywords and (name == keyword or name not in keywords):
                options[name] = value
            elif place is not None and values[place] is self.absent(self.positional[place]):
                values[place] = value
            elif keyword == self.any and not others:
                others = (value,)
            elif keyword in (*self.places, self.any):
                raise TypeError(f"{self.name}() got multiple values for argument '{keyword}'")
            else:
                raise TypeError(f"{self.name}() got an unexpected keyword argument '{keyword}'")
        missing = [
            name for name, kept in self.kept
            if values[self.places[name]] is errors.ALL and values[self.places[kept]] is not MISSING
        ]  # fmt: skip
        for place, p in enumerate(self.positional):
            if values[place] is MISSING and p.default is not Parameter.empty:
                values[place] = p.default
        missing += [name for name, place in self.places.items() if values[place] is MISSING]
        missing += [name for name in self.required if options.get(name, MISSING) is MISSING]
        if missing:
            raise errors.missing(self.name, missing)
        arrays = False
        for place, p in enumerate(self.positional):
            value = values[place]
            if p.annotation in KINDS and value is not p.default:
                position = place + (not self.method)
                values[place] = checked(self.name, p.name, position, KINDS[p.annotation], value)
                if p.annotation == "Tensor" and not isinstance(value, TensorBase):
                    values[place] = saved.wrap(value)
                    arrays = True
        for name, value in options.items():
            p = self.keywords[name]
            if p.annotation in KINDS and value is not p.default:
                options[name] = checked(self.name, name, None, KINDS[p.annotation], value)
        if arrays and self.promotes:  # NumPy's are float64 where nobody said otherwise
            found = of_one_type([values[place] for place in self.tensors])
            for place, value in zip(self.tensors, found, strict=True):
                values[place] = value
        return values, others, options

    def _misfit(
        self, given: Sequence[Any], keywords: dict[str, Any], error: TypeError
    ) -> TypeError:
        """Return the error for arguments that do not fit: of all signatures, if there are more.

        What was given by keyword has the place of its parameter, and what is a default was not
        given.
        """
        from gpugrad.op.signature import decided, misfit

        args = [*given[int(self.method) :]]
        known = self.positional[int(self.method) :]
        while args and len(args) <= len(known) and args[-1] is self.absent(known[len(args) - 1]):
            args.pop()
        others = {
            k: v
            for k, v in keywords.items()
            if k not in self.keywords or v is not self.absent(self.keywords[k])
        }
        first = next((k for k, v in enumerate(args) if v is MISSING or v is errors.ALL), len(args))
        for p, value in zip(known[first:], args[first:], strict=False):
            if value is not self.absent(p):  # by its name, since what stands before it is not given
                others[p.name] = value
        del args[first:]
        if decided(self.signatures, args, others):
            return error
        return misfit(self.name, self.signatures, args, others)

    @restoring
    def _written(self, out: Any, operands: Any, values: Any, others: Any, options: Any) -> Any:
        """Return what a call wrote into the tensor that was given for its result."""
        requires_grad = self.creates and output.prepare(out, options)
        with recording(False):
            result = self.plain(*values, *others, **options)
            typed = self.typed and options["dtype"] is not None
            if typed or self.unlike or (self.apart is not None and not self.converts):
                output.check_types(out, result, self.unlike)
            if self.apart is not None:
                output.check_apart(out, result, operands, self.apart)
            result = output.written(self.name, out, result)
        if requires_grad:
            out.requires_grad_()
        return result


def check_pinning(asked: bool) -> None:
    """Raise where memory cannot be pinned; where there is a GPU that has no effect.

    Raises:
        RuntimeError: There is none.
    """
    if asked and backend.cuda_problem() is not None:
        raise RuntimeError(
            "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory "
            "allocator is available on this system."
        )


def inherited(result: Any, operands: Sequence[Any]) -> Any:
    """Return a result, or several, as of the one class of the user's that an operand has.

    Most operations see to that; here it is of those for which the operand is a type or a shape, or
    one of several that do not meet.
    """
    parts = [p for o in operands for p in (o if isinstance(o, tuple | list) else (o,))]
    kind = saved.heir(parts)
    return result if kind is None else _of_class(result, kind, parts)


def _of_class(result: Any, kind: type[TensorBase], parts: Sequence[Any]) -> Any:
    if isinstance(result, tuple | list):
        made = [_of_class(r, kind, parts) for r in result]
        return result.__class__(*made) if hasattr(result, "_fields") else result.__class__(made)
    if not isinstance(result, TensorBase) or not saved.is_plain(result):
        return result
    if any(result is p for p in parts):
        result = seen_from(result, inf)
    return saved.of_class(result, kind)
