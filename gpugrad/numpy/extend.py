"""HIPS/autograd's way to declare an operation: ``primitive``, ``defvjp``, ``defjvp``, ``vspace``.

A primitive computes with arrays of NumPy's, or CuPy's, whatever it is written with.  Its rules are
given such arrays as well, and arrays of :mod:`gpugrad.numpy` where they are differentiated
themselves, or run for many vectors at once.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gpugrad import backend, tree
from gpugrad.autograd.basis import basis
from gpugrad.autograd.function import Function
from gpugrad.graph import TensorBase, mode
from gpugrad.numpy import operands
from gpugrad.numpy.differential import outputs, plain, traced
from gpugrad.numpy.operands import cast, own, tensors_in
from gpugrad.numpy.random import randn
from gpugrad.op import saved
from gpugrad.op.dual import tangents_of
from gpugrad.ops.complex import conj_physical, real
from gpugrad.ops.copy import detach, to
from gpugrad.ops.filled import ones_like, zeros_like
from gpugrad.ops.reduction import sum as total

# --------------------------------------------------------------------------- operations


class _Call:
    """One call of a primitive: what it was given besides tensors, and what it returned."""

    def __init__(self, made: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.made, self.args, self.kwargs = made, args, kwargs
        self.places = [isinstance(a, TensorBase) for a in tree.leaves(args)]
        self.result: Any = None

    def filled(self, values: Sequence[Any], rest: Any = None) -> list[Any]:
        """Return the arguments with others in the place of tensors; ``rest`` maps what is none."""
        given = iter(values)
        leaves = zip(tree.leaves(self.args), self.places, strict=True)
        return list(tree.rebuilt(self.args, [
            next(given) if at else a if rest is None else rest(a) for a, at in leaves
        ]))  # fmt: skip

    def moving(self, wanted: Sequence[bool]) -> list[int]:
        """Return which arguments hold one of the tensors that are wanted."""
        marks = self.filled(wanted, lambda _: False)
        return [k for k, mark in enumerate(marks) if any(tree.leaves(mark))]


class _Rule(Function):
    """What all primitives have in common; each has a class of its name."""

    generate_vmap_rule = True

    @staticmethod
    def forward(call: _Call, *tensors: Any) -> Any:
        found = call.made.function(*call.filled(_values(tensors, False)), **call.kwargs)
        call.result = outputs(found)
        return tuple(map(detach, tree.leaves(call.result)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.call, *tensors = inputs
        ctx.save_for_backward(*tensors, *output)
        ctx.save_for_forward(*tensors, *output)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        call, tensors, results = _saved(ctx)
        rule = call.made.rule("vjp")
        argnums = call.moving(ctx.needs_input_grad[1:])
        pairs = zip(grads, results, strict=True)
        g = [conj_physical(zeros_like(r) if d is None else d) for d, r in pairs]
        values = _values([*results, *g, *tensors], mode.enabled)
        count = len(results)
        vjp = rule(
            argnums, tree.rebuilt(call.result, values[:count]), call.filled(values[2 * count :]),
            call.kwargs,
        )  # fmt: skip
        found = list(vjp(tree.rebuilt(call.result, values[count : 2 * count])))
        given = call.filled(tensors)
        by_argument = [tree.mapped(lambda _: None, a) for a in given]
        for k, v in zip(argnums, found, strict=True):
            leaves = zip(tree.leaves(v), tree.leaves(given[k]), strict=True)
            by_argument[k] = tree.rebuilt(given[k], [_gradient(d, like) for d, like in leaves])
        flat = zip(tree.leaves(by_argument), call.places, strict=True)
        return (None, *(d for d, at in flat if at))

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        call, tensors, results = _saved(ctx)
        rule = call.made.rule("jvp")
        argnums = call.moving([t is not None for t in tangents[1:]])
        moved = [
            zeros_like(x) if t is None else t for t, x in zip(tangents[1:], tensors, strict=True)
        ]
        values = _values([*results, *tensors, *moved], True)
        count, end = len(results), len(results) + len(tensors)
        directions = call.filled(values[end:])
        found = rule(
            argnums, [directions[k] for k in argnums], tree.rebuilt(call.result, values[:count]),
            call.filled(values[count:end]), call.kwargs,
        )  # fmt: skip
        leaves = zip(tree.leaves(found), results, strict=True)
        return tuple([cast(operands.plain(t, r.device), r._array.dtype) for t, r in leaves])


def _saved(ctx: Any) -> tuple[_Call, Any, Any]:
    call, kept = ctx.call, ctx.saved_tensors
    count = sum(call.places)
    return call, kept[:count], kept[count:]


def _values(tensors: Sequence[Any], differentiated: bool) -> list[Any]:
    """Return tensors as users write rules for: arrays, or ndarrays with a history."""
    if differentiated or any(t._array.__class__ not in backend.BACKENDS for t in tensors):
        return [operands.array_of(t) for t in tensors]
    return [
        array[()] if isinstance(array, np.ndarray) and not array.ndim else array
        for array in map(saved.own_array, tensors)
    ]


def _gradient(found: Any, like: Any) -> Any:
    if not isinstance(like, TensorBase):
        return None
    gradient = operands.plain(found, like.device)  # type: ignore[attr-defined]
    if gradient._array.dtype.kind == "c" and like._array.dtype.kind != "c":
        gradient = real(gradient)
    return conj_physical(cast(gradient, like._array.dtype))


class Primitive:
    """A function whose derivatives are those that :func:`defvjp` and :func:`defjvp` declare."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.rules: dict[str, Any] = {}
        functools.update_wrapper(self, function, updated=())
        self.kind = type(getattr(function, "__name__", "primitive"), (_Rule,), {})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns; if it is given tensors, as arrays with a history.

        Raises:
            TypeError: A keyword is a tensor that is differentiated, and no rule is for keywords.
        """
        tensors = [a for a in tree.leaves(args) if isinstance(a, TensorBase)]
        for t in tensors_in(kwargs.values()):
            if t._edge is not None or tangents_of(t):
                raise TypeError(
                    f"{self.__name__}: a keyword is differentiated, and only arguments by position "  # type: ignore[attr-defined]
                    "have derivative rules. Give it by position."
                )
        if not tensors:
            return self.function(*args, **kwargs)
        call = _Call(self, args, kwargs)
        found = self.kind.apply(call, *tensors)  # type: ignore[attr-defined]
        return tree.rebuilt(call.result, [operands.raised(t, operands.array_class) for t in found])

    def rule(self, mode: str) -> Any:
        """Return a derivative rule.

        Raises:
            NotImplementedError: None was declared.
        """
        if mode not in self.rules:
            name = self.__name__  # type: ignore[attr-defined]
            raise NotImplementedError(f"{mode.upper()} of {name} not defined; see def{mode}")
        return self.rules[mode]


def primitive(function: Callable[..., Any]) -> Primitive:
    """Make a function of arrays an operation, whose derivatives are declared.

    Arguments by position may be numbers, arrays, and nested tuples, lists and dictionaries of them.
    What the function finds elsewhere, in variables around it, has no derivative.
    """
    return Primitive(function)


def notrace_primitive(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is called with arrays, and whose results are constants."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        def value(a: Any) -> Any:
            return _values([a], False)[0] if isinstance(a, TensorBase) else a

        return function(*tree.mapped(value, args), **tree.mapped(value, kwargs))

    return called


def _declare(of: Any, mode: str, rule: Any) -> None:
    if not isinstance(of, Primitive):
        raise TypeError(
            f"def{mode}: {of!r} is no primitive. The derivatives of gpugrad's own functions are "
            "fixed; declare a @primitive that calls it."
        )
    of.rules[mode] = rule


def _numbered(of: Any, makers: Any, argnums: Any, mode: str) -> dict[int, Any]:
    for maker in makers:
        if maker is not None and maker != "same" and not callable(maker):
            raise TypeError(f"def{mode}: {maker!r} is no rule")
    return dict(zip(itertools.count() if argnums is None else argnums, makers, strict=False))


def _of(rules: dict[int, Any], argnum: int, mode: str) -> Any:
    if argnum not in rules:
        raise NotImplementedError(f"{mode.upper()} by argument {argnum} not defined")
    return rules[argnum]


def defvjp(of: Any, *makers: Any, argnums: Any = None) -> None:
    """Declare the products with the Jacobian from the left.

    Args:
        of: A primitive.
        makers: For each argument a function ``(ans, *args, **kwargs)`` of the result and the
            arguments, which returns a function of the result's gradient that returns that of the
            argument; ``None`` for one that the result does not depend on.
        argnums: Of which arguments, if not of the first.

    Raises:
        TypeError: It is no primitive, or something is no rule.
    """
    rules = _numbered(of, makers, argnums, "vjp")

    def maker(argnum: int, ans: Any, args: Any, kwargs: Any) -> Any:
        rule = _of(rules, argnum, "vjp")
        return (lambda g: vspace(args[argnum]).zeros()) if rule is None else rule(
            ans, *args, **kwargs
        )  # fmt: skip

    defvjp_argnum(of, maker)


def defvjp_argnum(of: Any, maker: Callable[..., Any]) -> None:
    """Declare them by one function ``(argnum, ans, args, kwargs)``."""

    def rule(argnums: Any, *rest: Any) -> Any:
        rules = [maker(argnum, *rest) for argnum in argnums]
        return lambda g: [r(g) for r in rules]

    defvjp_argnums(of, rule)


def defvjp_argnums(of: Any, maker: Callable[..., Any]) -> None:
    """Declare them by one function ``(argnums, ans, args, kwargs)`` for several arguments."""
    _declare(of, "vjp", maker)


def defjvp(of: Any, *makers: Any, argnums: Any = None) -> None:
    """Declare how the result moves.

    Args:
        of: A primitive.
        makers: For each argument a function ``(g, ans, *args, **kwargs)`` of how it moves, the
            result and the arguments; ``"same"`` where the function is linear in it; ``None`` for
            one that the result does not depend on.
        argnums: Of which arguments, if not of the first.

    Raises:
        TypeError: It is no primitive, or something is no rule.
    """
    rules = _numbered(of, makers, argnums, "jvp")

    def maker(argnum: int, g: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        rule = _of(rules, argnum, "jvp")
        if rule is None:
            return vspace(ans).zeros()
        if rule == "same":
            return of(*tree.replaced(tuple(args), argnum, g), **kwargs)
        return rule(g, ans, *args, **kwargs)

    defjvp_argnum(of, maker)


def defjvp_argnum(of: Any, maker: Callable[..., Any]) -> None:
    """Declare it by one function ``(argnum, g, ans, args, kwargs)``."""

    def rule(argnums: Any, gs: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        space = vspace(ans)
        parts = [maker(k, g, ans, args, kwargs) for k, g in zip(argnums, gs, strict=True)]
        return functools.reduce(space.add, parts)

    defjvp_argnums(of, rule)


def defjvp_argnums(of: Any, maker: Callable[..., Any]) -> None:
    """Declare it by one function ``(argnums, gs, ans, args, kwargs)`` for several arguments."""
    _declare(of, "jvp", maker)


def def_linear(of: Any) -> None:
    """Declare that a primitive is linear in each of its arguments."""
    defjvp_argnum(
        of,
        lambda argnum, g, ans, args, kwargs: of(*tree.replaced(tuple(args), argnum, g), **kwargs),
    )


# --------------------------------------------------------------------------- spaces


class vspace:  # noqa: N801  HIPS/autograd's name
    """The vector space of a number, an array, or a nested tuple, list or dictionary of them.

    Its methods take and return vectors of that structure; complex numbers count as two real ones.
    """

    def __init__(self, value: Any):
        self.like = tree.mapped(detach, traced(value))
        self._plain = not any(True for _ in tensors_in((value,)))

    def _arrays(self, values: Sequence[Any]) -> Any:
        given = tree.rebuilt(self.like, values)
        return plain(given, tree.mapped(lambda _: 0.0, self.like)) if self._plain else given

    @property
    def shape(self) -> Any:
        """The shape of an array; of a container one in each place."""
        return tree.mapped(lambda t: tuple(t._array.shape), self.like)

    @property
    def iscomplex(self) -> bool:
        """Whether a part is complex."""
        return any(t.is_complex() for t in tree.leaves(self.like))

    @property
    def size(self) -> int:
        """The number of dimensions."""
        return sum(t.numel() * (2 if t.is_complex() else 1) for t in tree.leaves(self.like))

    def zeros(self) -> Any:
        """Return the vector of zeros."""
        return self._arrays([zeros_like(t) for t in tree.leaves(self.like)])

    def ones(self) -> Any:
        """Return the sum of all vectors of the basis."""
        return self._arrays([
            ones_like(t) * (1 + 1j) if t.is_complex() else ones_like(t)
            for t in tree.leaves(self.like)
        ])  # fmt: skip

    def randn(self) -> Any:
        """Return a vector of normal random numbers."""
        return self._arrays([_normal(t) for t in tree.leaves(self.like)])

    def standard_basis(self) -> Iterator[Any]:
        """Yield a vector of ones in one place each."""
        parts = tree.leaves(self.like)
        for k, t in enumerate(parts):
            for vector in basis(t):
                for unit in (1, 1j) if t.is_complex() else (1,):
                    yield self._arrays([
                        vector * unit if j == k else zeros_like(o) for j, o in enumerate(parts)
                    ])  # fmt: skip

    def _mapped(self, function: Callable[..., Any], *vectors: Any) -> Any:
        columns = [tree.leaves(v) for v in vectors]
        return tree.rebuilt(self.like, [function(*c) for c in zip(*columns, strict=True)])

    def add(self, x: Any, y: Any) -> Any:
        """Return the sum of two vectors."""
        return self._mapped(lambda a, b: a + b, x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """Return a multiple of a vector."""
        return self._mapped(lambda t: t * a, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """Return the real inner product of two vectors."""
        pairs = zip(tree.leaves(x), tree.leaves(y), strict=True)
        parts = [total(real(conj_physical(own(a)) * own(b))) for a, b in pairs]
        return sum(parts[1:], parts[0])

    def covector(self, x: Any) -> Any:
        """Return the conjugate of a vector."""
        return self._mapped(lambda t: t.conj() if own(t).is_complex() else t, x)

    def __eq__(self, other: object) -> bool:
        """Tell whether structure, shapes and types are the same."""
        return isinstance(other, vspace) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        kinds = tree.mapped(lambda t: f"{t._array.dtype}{list(t._array.shape)}", self.like)
        return f"vspace({kinds})"


def _normal(like: Any) -> Any:
    def drawn() -> Any:
        return to(own(randn(*like._array.shape)), like.device)

    found = drawn() + 1j * drawn() if like.is_complex() else drawn()
    return cast(own(found), like._array.dtype)


__all__ = [
    "def_linear", "defjvp", "defjvp_argnum", "defjvp_argnums", "defvjp", "defvjp_argnum",
    "defvjp_argnums", "notrace_primitive", "primitive", "vspace",
]  # fmt: skip
