"""Reductions of users', differentiated from their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from gpugrad.graph import TensorBase
from gpugrad.kernel.elementwise import ElementwiseKernel, arguments, untracked
from gpugrad.kernel.execution import Machine
from gpugrad.kernel.parameters import Parameter, decided, letters, parsed, written
from gpugrad.kernel.parser import Parser
from gpugrad.kernel.syntax import Binary, Call, Name, Term
from gpugrad.kernel.tokens import Unsupported, of_options, tokens
from gpugrad.kernel.types import Value, of_dtype
from gpugrad.ops.extremum import amax, amin
from gpugrad.ops.joining import cat
from gpugrad.ops.pointwise.choice import maximum, minimum
from gpugrad.ops.reduction import prod as product
from gpugrad.ops.reduction import sum as total

DType = np.dtype[Any]
Shape = tuple[int, ...]
Axis = int | Sequence[int] | None

_MAPPED, _FIRST, _SECOND = "__mapped", "a", "b"


class ReductionKernel:
    """A reduction in C++, as CuPy's, with derivatives of every order.

    Args:
        in_params: The inputs, such as ``"T x, T y"``.
        out_params: The outputs.
        map_expr: What is reduced, of the elements of the inputs.
        reduce_expr: What two values, ``a`` and ``b``, become: ``a + b``, ``a * b``, ``max(a, b)``,
            ``min(a, b)``, or any other expression whose result does not depend on the order.
        post_map_expr: What sets the outputs, of the reduced value ``a``.
        identity: What the reduction begins with, and gives where there is nothing; None: nothing.
        name: The name of the kernel, and of its backward nodes.
        reduce_type: The type of reduced values; that of the first output if None.
        reduce_dims: Taken, as CuPy takes it.
        preamble: Device functions, constants and macros that the expressions name.
        options: Options of the compiler, of which ``-DNAME=VALUE`` are heeded.

    It is called with the inputs, and the outputs where they exist already, with ``axis=`` (an int,
    several, or None for all), ``keepdims=`` and ``out=``.
    The gradient of ``max`` and ``min`` is shared evenly among equal values, as that of ``amax``;
    nan counts only where there is nothing else.
    Other reductions are taken by pairs, one kernel for each halving.

    Raises:
        NotImplementedError: An expression has parts without a formula, or the identity of a sum is
            not 0, that of a product not 1: it would count once for each thread.
    """

    def __init__(
        self,
        in_params: str,
        out_params: str,
        map_expr: str,
        reduce_expr: str,
        post_map_expr: str,
        identity: Any,
        name: str = "reduce_kernel",
        reduce_type: str | None = None,
        reduce_dims: bool = True,
        preamble: str = "",
        options: Sequence[str] = (),
    ):
        """Read the parameters; the text is read when it is first called."""
        self._begin(
            parsed(in_params),
            parsed(out_params),
            (map_expr, reduce_expr, post_map_expr),
            identity,
            name,
            reduce_type,
            preamble,
            options,
        )
        self.reduce_dims = reduce_dims

    def _begin(
        self,
        inputs: tuple[Parameter, ...],
        outputs: tuple[Parameter, ...],
        texts: tuple[str, str, str],
        identity: Any,
        name: str,
        reduce_type: str | None,
        preamble: str,
        options: Sequence[str],
    ) -> None:
        self.in_params, self.out_params = inputs, outputs
        self.map_expr, self.reduce_expr, self.post_map_expr = texts
        self.identity = None if identity in (None, "") else str(identity)
        self.name = name
        self.reduce_type = reduce_type or outputs[0].letter
        self.preamble, self.options = preamble, tuple(options)
        self.reduce_dims = True
        self.original: Any = None  # CuPy's own kernel of this text
        self._parts: dict[tuple[tuple[str, DType], ...], _Parts] = {}

    def __repr__(self) -> str:
        return f"<gpugrad.ReductionKernel '{self.name}': {self.map_expr}, {self.reduce_expr}>"

    def __call__(
        self,
        *args: Any,
        out: Any = None,
        axis: Axis = None,
        keepdims: bool = False,
        stream: Any = None,
    ) -> Any:
        """Run the kernel.

        Raises:
            TypeError: There are too few or too many arguments, or of wrong types.
            ValueError: There is nothing to reduce and no identity, or an output has another shape.
            NotImplementedError: The text has parts without a formula.
        """
        counts = (len(self.in_params), len(self.in_params) + len(self.out_params))
        if len(args) not in counts:
            raise TypeError(
                f"Wrong number of arguments for '{self.name}'. It must be either {counts[0]} or "
                f"{counts[1]} (with outputs), but given {len(args)}."
            )
        if out is not None:
            if len(args) == counts[1]:
                raise ValueError("cannot specify 'out' as both a positional and keyword argument")
            args = (*args, *(out if isinstance(out, tuple) else (out,)))
        values, outs = arguments(self.name, self.in_params, self.out_params, args)
        try:
            found = self._computed(values, outs, axis, keepdims)
        except Unsupported as error:
            options = {"axis": axis, "keepdims": keepdims}
            found = untracked(self, error, self._compiled, (*values, *outs), options)
        return found[0] if len(found) == 1 else tuple(found)

    def _compiled(self, xp: Any) -> Any:
        """Return CuPy's kernel of the same text."""
        if self.original is None:
            self.original = xp.ReductionKernel(
                written(self.in_params),
                written(self.out_params),
                self.map_expr,
                self.reduce_expr,
                self.post_map_expr,
                self.identity,
                self.name,
                self.reduce_type,
                self.reduce_dims,
                self.preamble,
                self.options,
            )
        return self.original

    def _computed(
        self, values: Sequence[Any], outs: Sequence[Any], axis: Axis, keepdims: bool
    ) -> list[Any]:
        every = (*self.in_params, *self.out_params)
        dtypes = (
            decided(every, (*values, *outs), ())
            if outs
            else decided(self.in_params, values, self.out_params)
        )
        plain: list[Any] = [
            v
            for p, v in zip(self.in_params, values, strict=True)
            if isinstance(v, TensorBase) and not p.raw
        ]
        if not plain:
            raise ValueError("Loop size is undecided.")
        shape = np.broadcast_shapes(*(v.shape for v in plain))
        axes = _axes(axis, len(shape))
        count = prod(shape[k] for k in axes)
        kept = tuple(1 if k in axes else n for k, n in enumerate(shape))
        left = kept if keepdims else tuple(n for k, n in enumerate(shape) if k not in axes)
        sizes = {"_in_ind": prod(shape), "_out_ind": prod(kept)}
        key = tuple(dtypes.items())
        parts = self._parts.get(key)
        if parts is None:
            parts = self._parts[key] = _Parts(self, dtypes)
        if not count and parts.identity is None:
            raise ValueError(
                f"zero-size array to reduction operation {self.name} which has no identity"
            )
        mapped = parts.map.computed(values, {}, parts.types, shape, sizes)[0]
        reduced = parts.reduced(mapped, axes).reshape(left)
        seen = [  # by the text behind the reduction
            (p, v)
            for p, v in zip(self.in_params, values, strict=True)
            if p.raw or not isinstance(v, TensorBase)
        ]
        end = parts.end(tuple(p for p, _ in seen))
        found = end.computed((reduced, *(v for _, v in seen)), {}, parts.types, left, sizes)
        for p, given, value in zip(self.out_params, outs, found, strict=False):
            if tuple(given.shape) != left:
                raise ValueError(f"'{p.name}' has the shape {tuple(given.shape)}, not {left}")
            given.copy_(value)
        return list(outs) or found


class _Parts:
    """A reduction for certain element types: a map, what is done with two values, and the end."""

    def __init__(self, kernel: ReductionKernel, dtypes: Mapping[str, DType]):
        every = (*kernel.in_params, *kernel.out_params)
        known = [p.letter for p in every if p.dtype is None]
        macros = of_options(kernel.options)
        top = Parser(tokens(kernel.preamble, macros), known)
        functions, _, unread = top.preamble()

        def parser(text: str) -> Parser:
            return Parser(tokens(text, macros), top.types)

        named = {k: of_dtype(d) for k, d in letters(every, dtypes).items()}
        machine = Machine({}, named, functions, top.aliases, unread, _no_size)
        self.dtype = machine.type_of(parser(kernel.reduce_type).type()).dtype
        self.types = {**dtypes, _MAPPED: self.dtype, _FIRST: self.dtype, _SECOND: self.dtype}
        self.identity: Any = None
        if kernel.identity is not None:
            value = machine.value(parser(kernel.identity).term())
            if not value.known:
                raise Unsupported(f"the identity {kernel.identity}, which is no number")
            self.identity = np.asarray(value.number).astype(self.dtype)[()]
        self.step = _step(parser(kernel.reduce_expr).term())
        self.kernel = kernel
        mapped = f"{_MAPPED} = ({kernel.map_expr})"
        if self.step in ("max", "min") and self.dtype.kind not in "biu":
            lost = "-INFINITY" if self.step == "max" else "INFINITY"
            mapped += f"; if ({_MAPPED} != {_MAPPED}) {_MAPPED} = {lost}"
        self.map = self._made(kernel.in_params, (self._parameter(_MAPPED),), mapped)
        first, second = self._parameter(_FIRST), self._parameter(_SECOND)
        self.pair = self._made(
            (first, second), (self._parameter(_MAPPED),), f"{_MAPPED} = ({kernel.reduce_expr})"
        )
        self.first = first
        self.ends: dict[tuple[Parameter, ...], ElementwiseKernel] = {}
        self._check()

    def end(self, seen: tuple[Parameter, ...]) -> ElementwiseKernel:
        """Return what sets the outputs; it sees the reduced value and some of the inputs."""
        if seen not in self.ends:
            outputs, text = self.kernel.out_params, self.kernel.post_map_expr
            self.ends[seen] = end = self._made((self.first, *seen), outputs, text)
            end.owns = True
        return self.ends[seen]

    def _parameter(self, name: str) -> Parameter:
        return Parameter(name, "", self.dtype, False)

    def _made(
        self, inputs: tuple[Parameter, ...], outputs: tuple[Parameter, ...], text: str
    ) -> ElementwiseKernel:
        made = _Step("", "", "")
        kernel = self.kernel
        made._begin(inputs, outputs, ("", text, ""), kernel.name, kernel.preamble, kernel.options)
        return made

    def _check(self) -> None:
        """Raise where the identity is one that each thread would add.

        Raises:
            Unsupported: It is.
        """
        neutral = {"sum": 0, "product": 1}.get(self.step)
        if neutral is not None and self.identity is not None and self.identity != neutral:
            raise Unsupported(
                f"the identity {self.kernel.identity} of a {self.step}, which counts once for "
                "each thread"
            )

    def reduced(self, mapped: Any, axes: Shape) -> Any:
        """Return what is left of the mapped values along axes, which are gone."""
        others = [k for k in range(mapped.ndim) if k not in axes]
        left = tuple(mapped.shape[k] for k in others)
        count = prod(mapped.shape[k] for k in axes)
        if not count:
            return mapped.new_full(left, self.identity.item())
        if self.step == "sum" and axes:
            return total(mapped, axes, dtype=mapped.dtype)
        if self.step in ("max", "min"):
            found = (amax if self.step == "max" else amin)(mapped, axes) if axes else mapped
            if self.identity is None:
                return found
            bound = found.new_full((), self.identity.item())
            return (maximum if self.step == "max" else minimum)(found, bound)
        rows = mapped.permute(*others, *axes).reshape(*left, count)
        if self.step == "product":
            return product(rows, -1, dtype=rows.dtype)
        return self._by_pairs(rows)

    def _by_pairs(self, rows: Any) -> Any:
        while (count := rows.shape[-1]) > 1:
            half = count // 2
            pair = rows[..., :half], rows[..., half : 2 * half]
            shape = tuple(pair[0].shape)
            (joined,) = self.pair.computed(pair, {}, self.types, shape)
            rows = cat([joined, rows[..., 2 * half :]], -1) if count % 2 else joined
        return rows[..., 0]


class _Step(ElementwiseKernel):
    """A part of a reduction."""

    numbered = False
    owns = False


def _no_size(what: str, name: str, axis: int) -> Value:
    raise Unsupported("a size where a number was expected")


def _axes(axis: Axis, ndim: int) -> Shape:
    """Return the axes that are reduced.

    Raises:
        IndexError: One is not there.
        ValueError: One is named twice.
    """
    if axis is None:
        return tuple(range(ndim))
    given = (axis,) if isinstance(axis, int) else tuple(axis)
    for k in given:
        if not -ndim <= k < ndim:
            raise np.exceptions.AxisError(k, ndim)
    axes = tuple(sorted({k % ndim for k in given}))
    if len(axes) != len(given):
        raise ValueError("duplicate value in 'axis'")
    return axes


_CALLED = {"max": "max", "fmax": "max", "fmaxf": "max", "min": "min", "fmin": "min", "fminf": "min"}


def _step(term: Term) -> str:
    """Return which reduction an expression of ``a`` and ``b`` is, empty if none that is known."""
    match term:
        case Binary(sign, Name(x), Name(y)) if {x, y} == {_FIRST, _SECOND}:
            return {"+": "sum", "*": "product"}.get(sign, "")
        case Call(name, (Name(x), Name(y))) if {x, y} == {_FIRST, _SECOND}:
            return _CALLED.get(name.name, "")
    return ""
