"""Integrals of functions and of samples: what ``integrate`` has besides differential equations.

The integral of a function has gradients by its limits, which are the function there, and by its
parameters, which are integrals of the function's own gradients, so that there are those of every
order.  They are as exact as the tolerances say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

import gpugrad.numpy
from gpugrad.autograd import engine
from gpugrad.autograd.grad_mode import enable_grad
from gpugrad.graph import TensorBase, mode
from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import array_of, on_host, own
from gpugrad.scipy.optimize import closed, leaf
from gpugrad.scipy.theirs import InTurn, scipy

np: Any = gpugrad.numpy
Solver = Callable[[Any, float, float], Any]  # of a function of NumPy's numbers and two limits


class Integral(InTurn):
    """The integral over x, between two limits, of a function of x and of parameters."""

    @staticmethod
    def forward(
        function: Any, solver: Solver, by_vector: Solver, a: Any, b: Any, *parameters: Any
    ) -> Any:
        """Return what SciPy finds for the values."""
        like = a.detach()
        fixed = [p.detach() if isinstance(p, TensorBase) else p for p in parameters]  # type: ignore[attr-defined]

        def called(x: float) -> Any:
            value = function(_point(x, like), *fixed)
            return numpy.asarray(on_host(_tensor(value).detach()), float)

        found = solver(called, float(on_host(like)), float(on_host(b.detach())))
        return _point(found, like)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the limits and the parameters."""
        ctx.function, _, ctx.solver, a, b, *parameters = inputs
        ctx.others = [None if isinstance(p, TensorBase) else p for p in parameters]
        tensors = [p for p in parameters if isinstance(p, TensorBase)]
        ctx.save_for_backward(a, b, *tensors)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Return the gradients by the limits and the parameters."""
        a, b, *kept = ctx.saved_tensors
        tensors = iter(kept)
        parameters = [next(tensors) if o is None else o for o in ctx.others]
        needs = ctx.needs_input_grad[3:]
        by_limits = [
            sign * (grad * ctx.function(x, *parameters)).sum()
            if needed and math.isfinite(float(x.detach())) else None
            for sign, x, needed in zip((-1, 1), (a, b), needs[:2], strict=True)
        ]  # fmt: skip
        moving = list(needs[2:])
        by_parameters: list[Any] = [None] * len(parameters)
        if any(moving):
            slope = _slope(ctx.function, moving)
            whole = Integral.apply(slope, ctx.solver, ctx.solver, a, b, grad, *parameters)
            place = 0
            for k, (p, moves) in enumerate(zip(parameters, moving, strict=True)):
                if moves:
                    part = whole[place : place + p.numel()]
                    by_parameters[k] = part.reshape(tuple(p.shape))
                    place += p.numel()
        return (None, None, None, *by_limits, *by_parameters)


def _slope(function: Any, moving: list[bool]) -> Any:
    """Return the gradient of a function's values times some weights, by parameters, in one row."""

    def slope(x: Any, weights: Any, *parameters: Any) -> Any:
        again = mode.enabled
        with enable_grad():
            # views, so that what follows ends here and does not go on to the parameters' own
            given = [
                (p.view_as(p) if p.requires_grad else leaf(p)) if moves else p
                for p, moves in zip(parameters, moving, strict=True)
            ]
            ends = [g for g, moves in zip(given, moving, strict=True) if moves]
            value = function(x, *given)
            if not value.requires_grad:
                found: Any = [np.zeros_like(e) for e in ends]
            else:
                found = engine.grad(
                    value, ends, weights.expand(tuple(value.shape)), create_graph=again,
                    allow_unused=True, materialize_grads=True,
                )  # fmt: skip
        return np.concatenate([f.reshape(-1) for f in found])

    return slope


def _tensor(value: Any) -> Any:
    """Return what a function of the user's gave.

    Raises:
        TypeError: It is no tensor, whose history would be lost.
    """
    if not isinstance(value, TensorBase):
        raise TypeError(
            f"the function must return a tensor, but returned {type(value).__name__}: without its "
            "history there are no gradients"
        )
    return value


def _point(x: Any, like: Any) -> Any:
    """Return numbers of SciPy's as a tensor like another one."""
    found = array_of(numpy.array(x, dtype=float)).to(like.device).to(like)
    return found.as_subclass(type(like))


def _limits(a: Any, b: Any, args: Any) -> tuple[Any, Any, tuple[Any, ...]]:
    """Return limits of one type on the device of the tensors, and the parameters."""
    args = args if isinstance(args, tuple) else (args,)
    tensors = [v for v in (a, b, *args) if isinstance(v, TensorBase)]
    like: Any = next((t for t in tensors if t.is_floating_point()), None)  # type: ignore[attr-defined]
    ends = [own(v) if isinstance(v, TensorBase) else own(float(v)) for v in (a, b)]
    if like is not None:
        kind = like.dtype if isinstance(a, TensorBase) or isinstance(b, TensorBase) else None
        ends = [e.to(like.device).as_subclass(type(like)) for e in ends]
        ends = [e.to(kind) if kind is not None else e for e in ends]
    return ends[0], ends[1], args


def _check(function: Any, a: Any, b: Any, args: Any) -> None:
    low, high = float(a.detach()), float(b.detach())
    inside = [v + s for v, s in ((low, 1.0), (high, -1.0)) if math.isfinite(v)]
    middle = (low + high) / 2 if len(inside) == 2 else inside[0] if inside else 0.0
    fixed = [g.detach() if isinstance(g, TensorBase) else g for g in args]  # type: ignore[attr-defined]
    closed(function, _point(middle, a.detach()), *fixed)


@by_example
def quad(
    func: Any, a: Any, b: Any, args: Any = (), full_output: Any = 0, epsabs: float = 1.49e-08,
    epsrel: float = 1.49e-08, limit: int = 50, points: Any = None, weight: Any = None,
    wvar: Any = None, wopts: Any = None, maxp1: int = 50, limlst: int = 50,
    complex_func: bool = False,
) -> Any:  # fmt: skip
    """Return the integral of a function of a number, and SciPy's estimate of its error.

    It has gradients by the limits and by the tensors among ``args``; the function is of a tensor
    and of ``args``, and returns a tensor of one number.  See SciPy's ``quad``.

    Raises:
        NotImplementedError: A weight is given, or the function is said to be complex.
        TypeError: The function returns no tensor.
        ValueError: It returns several numbers, or knows a tracked tensor that is not in ``args``.
    """
    if weight is not None or complex_func:
        raise NotImplementedError(
            "quad: weight= and complex_func= are not implemented; let the function multiply by "
            "the weight, and integrate real and imaginary parts"
        )
    theirs = scipy("integrate")
    told: list[Any] = []

    def solver(function: Any, low: float, high: float) -> Any:
        def number(x: float) -> float:
            value = function(x)
            if value.size != 1:
                raise ValueError(
                    f"quad: the function must return one number, and returned {value.size}; see "
                    "quad_vec"
                )
            return float(value.reshape(()))

        value, *rest = theirs.quad(
            number, low, high, full_output=full_output, epsabs=epsabs, epsrel=epsrel, limit=limit,
            points=points, maxp1=maxp1, limlst=limlst,
        )  # fmt: skip
        told.extend(rest)
        return value

    def by_vector(function: Any, low: float, high: float) -> Any:
        return theirs.quad_vec(
            function, low, high, epsabs=epsabs, epsrel=epsrel, limit=limit, points=points
        )[0]

    low, high, given = _limits(a, b, args)
    _check(func, low, high, given)
    return (Integral.apply(func, solver, by_vector, low, high, *given), *told)


@by_example
def quad_vec(
    f: Any, a: Any, b: Any, epsabs: float = 1e-200, epsrel: float = 1e-8, norm: str = "2",
    cache_size: float = 100e6, limit: int = 10000, workers: Any = 1, points: Any = None,
    quadrature: Any = None, full_output: bool = False, *, args: Any = (),
) -> Any:  # fmt: skip
    """Return the integral of a function whose values are tensors, and the estimate of its error.

    It has gradients by the limits and by the tensors among ``args``; see SciPy's ``quad_vec``.

    Raises:
        TypeError: The function returns no tensor.
        ValueError: It knows a tracked tensor that is not in ``args``.
    """
    theirs = scipy("integrate").quad_vec
    told: list[Any] = []

    def by_vector(function: Any, low: float, high: float) -> Any:
        value, *rest = theirs(
            function, low, high, epsabs, epsrel, norm, cache_size, limit, 1, points, quadrature,
            full_output,
        )  # fmt: skip
        told.append(rest)
        return value

    low, high, given = _limits(a, b, args)
    _check(f, low, high, given)
    found = Integral.apply(f, by_vector, by_vector, low, high, *given)
    return (found, *told[0])


def fixed_quad(func: Any, a: Any, b: Any, args: Any = (), n: int = 5) -> Any:
    """Return the integral by Gauss's rule of order ``n``, of a function of a vector; and ``None``.

    The function returns a vector, or rows along the last axis.
    """
    nodes, weights = numpy.polynomial.legendre.leggauss(n)
    a, b, args = _limits(a, b, args)
    half = (b - a) / 2
    x = half * (own(nodes).to(half.device) + 1) + a
    return half * np.sum(own(weights).to(half.device) * func(x, *args), -1), None


# --------------------------------------------------------------------------- of samples


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Return the integral of samples by the trapezoidal rule."""
    return np.trapezoid(y, x, dx, axis)


def cumulative_trapezoid(
    y: Any, x: Any = None, dx: float = 1.0, axis: int = -1, initial: Any = None
) -> Any:
    """Return the integrals of samples up to each, by the trapezoidal rule.

    Raises:
        ValueError: ``initial`` is neither 0 nor ``None``.
    """
    y = own(y)
    low, high = ([slice(None)] * y.ndim for _ in range(2))
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    if x is None:
        widths: Any = dx
    else:
        widths = np.diff(x, axis=-1 if np.ndim(x) == 1 else axis)
        if widths.ndim == 1 and y.ndim > 1:
            shape = [1] * y.ndim
            shape[axis] = -1
            widths = widths.reshape(tuple(shape))
    found = np.cumsum((y[tuple(low)] + y[tuple(high)]) / 2.0 * widths, axis)
    if initial is None:
        return found
    if initial != 0:
        raise ValueError("`initial` must be `None` or `0`.")
    high[axis] = slice(0, 1)
    return np.concatenate([np.zeros_like(found[tuple(high)]), found], axis)


def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """Return the integral of samples by parabolas through each three, at any distances.

    Of an even number the last interval is by the parabola through the last three (K. V. Cartwright,
    Simpson's Rule Cumulative Integration with MS Excel and Irregularly-spaced Data, 2017).

    Raises:
        ValueError: ``x`` is neither a vector nor of the samples' shape, or has another length.
    """
    y = np.moveaxis(own(y), axis, -1)
    n = y.shape[-1]
    if x is None:
        widths: Any = np.full_like(y[..., 1:].real, dx, dtype=float) if n > 1 else y
    else:
        x = own(x)
        if x.ndim not in (1, y.ndim):
            raise ValueError("If given, shape of x must be 1-D or the same as y.")
        x = x if x.ndim == 1 else np.moveaxis(x, axis, -1)
        if x.shape[-1] != n:
            raise ValueError("If given, length of x along axis must be the same as y.")
        widths = np.diff(x, axis=-1)
    if n == 2:
        return 0.5 * widths[..., 0] * (y[..., 0] + y[..., 1])
    whole = n - 1 if n % 2 == 0 else n
    first, second = widths[..., 0 : whole - 1 : 2], widths[..., 1 : whole - 1 : 2]
    left, middle, right = y[..., 0 : whole - 2 : 2], y[..., 1 : whole - 1 : 2], y[..., 2:whole:2]
    both = first + second
    found = np.sum(
        both / 6.0 * (
            left * (2.0 - _over(second, first)) + middle * both * _over(both, first * second)
            + right * (2.0 - _over(first, second))
        ), -1,
    )  # fmt: skip
    if whole == n:
        return found
    before, last = widths[..., -2], widths[..., -1]
    return (
        found
        + y[..., -1] * _over(2 * last**2 + 3 * before * last, 6 * (last + before))
        + y[..., -2] * _over(last**2 + 3.0 * before * last, 6 * before)
        - y[..., -3] * _over(last**3, 6 * before * (before + last))
    )


def _over(a: Any, b: Any) -> Any:
    """Return a quotient, which is 0 where points are at one place."""
    zero = np.equal(b, 0)
    return np.where(zero, 0.0, a / np.where(zero, 1.0, b))
