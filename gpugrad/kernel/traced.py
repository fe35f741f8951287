"""Python functions of elements as one fused operation."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import enable_grad
from gpugrad.formulas import Expression, variable
from gpugrad.graph import TensorBase
from gpugrad.kernel.elementwise import whole
from gpugrad.kernel.program import Call, Program
from gpugrad.kernel.symbolic import Symbol, refuse, writing
from gpugrad.kernel.types import of_dtype
from gpugrad.op.promotion import as_operand, to_one_device
from gpugrad.op.saved import of_class, wrap

DType = np.dtype[Any]
Shape = tuple[int, ...]

_MADE = 256  # for how many types, shapes and numbers a function's formula is remembered


class Traced(Tensor):
    """What a function that becomes a formula is called with: it has no history to be left out."""

    def detach(self) -> Any:
        """Refuse: a formula differentiates all that it is made of.

        Raises:
            NotImplementedError: Always.
        """
        refuse("detach()")

    detach_ = detach
    data = property(detach)


@dataclass(frozen=True)
class _Fused:
    """A formula for certain types and shapes."""

    call: Call
    program: Program
    variables: tuple[Expression, ...]
    results: tuple[DType, ...]
    several: bool


@overload
def formula(function: Callable[..., Any], *, name: str | None = None) -> Callable[..., Any]: ...
@overload
def formula(
    function: None = None, *, name: str | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
def formula(function: Any = None, *, name: str | None = None) -> Any:
    """Return a function of elements as one fused operation, with derivatives of every order.

    ``function`` is called with tensors that stand for its arguments, for every combination of
    types and shapes once, and its elementwise operations become one formula: on a GPU one kernel,
    whose backward is one kernel again.  Types and values are those of the function itself, but for
    the rounding of what is computed on the way.
    It returns a tensor or several.  A tuple of several has tensors of one shape.

    Args:
        function: Of tensors, and of numbers and other values that are part of the formula: one
            that changes at every call is better given as a tensor.
        name: The name of its backward node; the function's own by default.

    Raises:
        NotImplementedError: The function does more than operations of elements: it sums, indexes,
            writes in place, asks for values, as ``if`` does, or keeps a part from being
            differentiated, by ``detach``, ``no_grad`` or an ``autograd.Function``.

    >>> import gpugrad
    >>> swish = gpugrad.formula(lambda x, beta: x * gpugrad.sigmoid(beta * x), name="swish")
    >>> x = gpugrad.tensor([0.0, 1.0], requires_grad=True)
    >>> swish(x, 1.5)
    tensor([0.0000, 0.8176], grad_fn=<swishBackward0>)
    """
    if function is None:
        return functools.partial(formula, name=name)
    label = name or function.__name__
    if not label.isidentifier():
        label = "formula"
    signature = inspect.signature(function)
    required = len(signature.parameters)
    simple = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in signature.parameters.values())
    made: dict[tuple[Any, ...], _Fused] = {}

    @functools.wraps(function)
    def fused(*args: Any, **kwargs: Any) -> Any:
        positional, named = args, kwargs
        if kwargs or not simple or len(args) != required:
            bound = signature.bind(*args, **kwargs)
            positional, named = bound.args, bound.kwargs
        values = [*positional, *named.values()]
        places = [k for k, v in enumerate(values) if isinstance(v, TensorBase) or _is_array(v)]
        if not places:
            raise TypeError(f"{label}() takes tensors or arrays, and got none")
        given = [as_operand(label, "argument", k, values[k]) for k in places]
        tensors: list[Any] = to_one_device(given)
        others = tuple((type(v), v) for k, v in enumerate(values) if k not in places)
        kinds = tuple((t._array.dtype, t._array.shape) for t in tensors)
        key = (*kinds, *places, *named, others, _dtype.get_default_dtype())
        found = made.get(key)
        if found is None:
            if len(made) >= _MADE:
                made.clear()
            count = len(positional)

            def run(symbols: Sequence[Any]) -> Any:
                own = list(values)
                for k, symbol in zip(places, symbols, strict=True):
                    own[k] = symbol
                return function(*own[:count], **dict(zip(named, own[count:], strict=True)))

            found = made[key] = _traced(label, run, kinds)
        return _evaluated(found, tensors)

    return fused


def _is_array(value: Any) -> bool:
    return backend.is_array(value) and not isinstance(value, np.generic)


def _traced(
    label: str, run: Callable[[Sequence[Any]], Any], kinds: Sequence[tuple[DType, Shape]]
) -> _Fused:
    """Return the formula of a function for arguments of these types and shapes."""
    variables = [variable(f"x{k}_", of_dtype(dtype).kind) for k, (dtype, _) in enumerate(kinds)]
    with writing() as writer, enable_grad():
        symbols = [
            of_class(wrap(Symbol(v, shape, dtype)), Traced)
            for v, (dtype, shape) in zip(variables, kinds, strict=True)
        ]
        result = run(symbols)
    several = isinstance(result, tuple | list)
    found = [_written(r) for r in (result if several else (result,))]
    shapes = {symbol.shape for symbol in found}
    if len(shapes) > 1:
        raise NotImplementedError(
            f"gpugrad.formula: results of the shapes {sorted(shapes)}; make a formula of each"
        )
    compute = np.dtype(np.float64)
    if writer.computed:
        known = [_dtype.of(d) for d in writer.computed]
        compute = functools.reduce(_dtype.promote_types, known).numpy
    program = Program((), tuple(s.expression for s in found))
    call = Call(label, program.computed_in(compute), found[0].shape, {}, {}, False)
    return _Fused(call, program, tuple(variables), tuple(s.dtype for s in found), several)


def _written(result: Any) -> Symbol:
    array = getattr(result, "_array", None)
    if not isinstance(array, Symbol):
        raise TypeError(
            "gpugrad.formula: the function returns something that does not depend on its "
            f"arguments: {type(result).__name__}"
        )
    return array


def _evaluated(fused: _Fused, tensors: Sequence[Any]) -> Any:
    known = dict(zip(fused.variables, tensors, strict=True))
    call, outputs = fused.call, fused.program.outputs
    found = call.computed(fused.program, outputs, known, fused.results)
    results = [
        whole(value, call.shape, dtype, tensors[0], e.function == "variable")
        for value, dtype, e in zip(found, fused.results, outputs, strict=True)
    ]
    return tuple(results) if fused.several else results[0]
