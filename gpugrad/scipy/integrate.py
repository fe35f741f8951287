"""``scipy.integrate`` with gradients: ``odeint`` and ``solve_ivp``; see also ``quadrature``.

SciPy solves differential equations on the host.  Their gradients are solutions of the adjoint
equation, backwards in time from one point to the one before (F. Froehlich, C. Loos, J. Hasenauer,
Scalable Inference of Ordinary Differential Equation Models of Biochemical Processes, 2017, section
2.4.2), by the same solver, so that there are those of every order.  They are as exact as its
tolerances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

import gpugrad.numpy
from gpugrad.autograd import engine
from gpugrad.autograd.grad_mode import enable_grad
from gpugrad.graph import TensorBase, mode
from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import array_of, on_host, own, refuse_tracked, tensors_in
from gpugrad.scipy.optimize import closed, leaf
from gpugrad.scipy.quadrature import cumulative_trapezoid as cumulative_trapezoid
from gpugrad.scipy.quadrature import fixed_quad as fixed_quad
from gpugrad.scipy.quadrature import quad as quad
from gpugrad.scipy.quadrature import quad_vec as quad_vec
from gpugrad.scipy.quadrature import simpson as simpson
from gpugrad.scipy.quadrature import trapezoid as trapezoid
from gpugrad.scipy.theirs import InTurn, scipy

np: Any = gpugrad.numpy
Solver = Callable[[Any, Any, Any], Any]  # of the function, the start and times, of NumPy's arrays


class Trajectory(InTurn):
    """The states at given times of dy/dt = f(y, t, parameters), for a state that is a vector."""

    @staticmethod
    def forward(
        function: Any, solver: Solver, known: Any, y0: Any, t: Any, *parameters: Any
    ) -> Any:
        """Return the states, one in a row for each time; those that are ``known`` as they are."""
        found = known
        if found is None:
            found = solver(_on_host(function, y0, parameters), on_host(y0), on_host(t))
        return array_of(numpy.array(found, dtype=float)).to(y0.device).to(y0)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the states, the times and the parameters."""
        ctx.function, ctx.solver, _, _, t, *parameters = inputs
        ctx.others = [None if isinstance(p, TensorBase) else p for p in parameters]
        ctx.tensors = [isinstance(p, TensorBase) for p in parameters]
        ctx.save_for_backward(output, t, *[p for p in parameters if isinstance(p, TensorBase)])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Return the gradients by the start, the times and the parameters."""
        states, t, *kept = ctx.saved_tensors
        tensors = iter(kept)
        parameters = [
            next(tensors) if is_tensor else other
            for is_tensor, other in zip(ctx.tensors, ctx.others, strict=True)
        ]
        moving = [
            isinstance(p, TensorBase) and p.is_floating_point()  # type: ignore[attr-defined]
            for p in parameters
        ]
        wanted = [p for p, m in zip(parameters, moving, strict=True) if m]
        d = states.shape[-1]
        adjoint = grad[-1]
        by_start = np.zeros_like(t[0])
        by_parameters = np.zeros_like(states, shape=(sum(p.numel() for p in wanted),))
        by_time: list[Any] = []
        whole = _augmented(ctx.function, d, moving)
        for k in range(len(t) - 1, 0, -1):
            moved = (ctx.function(states[k], t[k], *parameters) * grad[k]).sum()
            by_time.append(moved)
            by_start = by_start - moved
            parts = [states[k], adjoint, by_start.reshape(1), by_parameters]
            state = np.concatenate(parts)
            if float(t[k].detach()) != float(t[k - 1].detach()):
                times = np.stack([t[k], t[k - 1]])
                state = Trajectory.apply(whole, ctx.solver, None, state, times, *parameters)[1]
            adjoint, by_start = state[d : 2 * d] + grad[k - 1], state[2 * d]
            by_parameters = state[2 * d + 1 :]
        by_time.append(by_start)
        found: list[Any] = []
        place = 0
        for p, m in zip(parameters, moving, strict=True):
            size = p.numel() if m else 0
            part = by_parameters[place : place + size]
            found.append(part.reshape(tuple(p.shape)) if m else None)
            place += size
        return (None, None, None, adjoint, np.stack(by_time[::-1]), *found)


def _augmented(function: Any, d: int, moving: list[bool]) -> Any:
    """Return the motion of a state, its adjoint, and the gradients by time and parameters."""

    def motion(state: Any, t: Any, *parameters: Any) -> Any:
        again = mode.enabled
        with enable_grad():
            # views, so that what follows ends here and does not go on to the parameters' own
            y, t, *given = [_apart(v) for v in (state[:d], t, *parameters)]
            slope = function(y, t, *given)
            places = [y, t, *[p for p, m in zip(given, moving, strict=True) if m]]
            found: Any
            if not slope.requires_grad:
                found = [np.zeros_like(p) for p in places]
            else:
                found = engine.grad(
                    slope, places, -state[d : 2 * d], create_graph=again, allow_unused=True,
                    materialize_grads=True,
                )  # fmt: skip
        return np.concatenate([slope, *[f.reshape(-1) for f in found]])

    return motion


def _apart(value: Any) -> Any:
    if not isinstance(value, TensorBase) or not value.is_floating_point():  # type: ignore[attr-defined]
        return value
    tensor: Any = value
    return tensor.view_as(tensor) if tensor.requires_grad else leaf(tensor)


def _on_host(function: Any, like: Any, parameters: Any) -> Any:
    """Return a function of tensors as one of NumPy's arrays."""
    like = like.detach()
    fixed = [p.detach() if isinstance(p, TensorBase) else p for p in parameters]  # type: ignore[attr-defined]

    def called(y: Any, t: Any) -> Any:
        state = array_of(numpy.array(y, dtype=float)).to(like.device).to(like)
        time = array_of(numpy.asarray(t, float)).to(like.device).to(like)
        found = function(state.as_subclass(type(like)), time.as_subclass(type(like)), *fixed)
        return numpy.asarray(on_host(_slope(found, state).detach()), float)

    return called


def _slope(found: Any, state: Any) -> Any:
    """Return what a function of the user's gave as one tensor.

    Raises:
        TypeError: It is no tensor, whose history would be lost.
    """
    if not isinstance(found, TensorBase):
        raise TypeError(
            f"the function must return a tensor, but returned {type(found).__name__}; put several "
            "together by gpugrad.numpy.stack"
        )
    return found


def _started(y0: Any, t: Any, args: Any) -> tuple[Any, Any, Any]:
    """Return the start as a vector, the times, and the parameters."""
    start = own(y0)
    start = start if start.is_floating_point() else start.to(numpy.dtype(float))
    return np.atleast_1d(start), own(t).to(start.device).to(start), args


@by_example
def odeint(
    func: Any, y0: Any, t: Any, args: Any = (), Dfun: Any = None, col_deriv: Any = 0,
    full_output: Any = 0, ml: Any = None, mu: Any = None, rtol: Any = None, atol: Any = None,
    tcrit: Any = None, h0: float = 0.0, hmax: float = 0.0, hmin: float = 0.0, ixpr: Any = 0,
    mxstep: int = 0, mxhnil: int = 0, mxordn: int = 12, mxords: int = 5, printmessg: Any = 0,
    tfirst: bool = False,
) -> Any:  # fmt: skip
    """Return the states at times, the first of which is that of the start; see SciPy's ``odeint``.

    It has gradients by the start, the times and the tensors among ``args``.

    The slope is a tensor, of a state, a time and ``args``.  The other arguments are SciPy's;
    ``Dfun`` is a function of NumPy's arrays, and is not asked for the gradients.

    Raises:
        NotImplementedError: ``full_output`` is asked for.
        ValueError: The function knows a tracked tensor that is not among ``args``.
    """
    if full_output:
        raise NotImplementedError("odeint: full_output is not implemented")
    function = (lambda y, s, *a: func(s, y, *a)) if tfirst else func
    options = {
        "rtol": rtol, "atol": atol, "tcrit": tcrit, "h0": h0, "hmax": hmax, "hmin": hmin,
        "ixpr": ixpr, "mxstep": mxstep, "mxhnil": mxhnil, "mxordn": mxordn, "mxords": mxords,
        "printmessg": printmessg,
    }  # fmt: skip
    start, times, given = _started(y0, t, args if isinstance(args, tuple) else (args,))
    _check_closed(function, start, times[0], given)
    theirs = scipy("integrate").odeint

    def solver(slope: Any, y: Any, s: Any) -> Any:
        return theirs(slope, y, s, **options)

    known = None
    if Dfun is not None or ml is not None or mu is not None:
        slope = _on_host(function, start, given)
        known = theirs(
            slope, on_host(start.detach()), on_host(times.detach()), Dfun=Dfun,
            col_deriv=col_deriv, ml=ml, mu=mu, **options,
        )  # fmt: skip
    return Trajectory.apply(function, solver, known, start, times, *given)


def _check_closed(function: Any, start: Any, time: Any, given: Any) -> None:
    fixed = [g.detach() if isinstance(g, TensorBase) else g for g in given]  # type: ignore[attr-defined]
    closed(function, start.detach(), time.detach(), *fixed)


def solve_ivp(
    fun: Any, t_span: Any, y0: Any, method: Any = "RK45", t_eval: Any = None,
    dense_output: bool = False, events: Any = None, vectorized: bool = False, args: Any = None,
    **options: Any,
) -> Any:  # fmt: skip
    """Return SciPy's result, in which ``y`` is a tensor with gradients; see SciPy's ``solve_ivp``.

    They are by the start and the tensors among ``args``; the times are constant, also where the
    solver chooses them.  The function is of a time, a state and ``args``, and returns a tensor.

    Raises:
        NotImplementedError: ``vectorized`` or ``events`` are given; ``dense_output``, and the start
            or one of ``args`` requires grad.
        TypeError: A time requires grad; ``odeint`` has gradients by times.
        ValueError: The function knows a tracked tensor that is not among ``args``.
    """
    if vectorized or events is not None:
        raise NotImplementedError("solve_ivp: vectorized and events are not implemented")
    refuse_tracked("solve_ivp", "times are constant here, and not in odeint", t_span, t_eval)
    if dense_output and mode.enabled and any(t.requires_grad for t in tensors_in((y0, args))):
        raise NotImplementedError(
            "solve_ivp: dense_output gives arrays without gradients; give t_eval instead, or the "
            "start and args detached"
        )
    theirs = scipy("integrate").solve_ivp

    def function(y: Any, s: Any, *a: Any) -> Any:
        return fun(s, y, *a)

    span = [float(v) for v in t_span]
    start, first, given = _started(y0, span[0], args or ())
    _check_closed(function, start, first, given)
    slope = _on_host(function, start, given)
    result = theirs(
        lambda s, y: slope(y, s), span, on_host(start.detach()), method,
        None if t_eval is None else on_host(own(t_eval).detach()), dense_output, **options,
    )  # fmt: skip
    options = {k: v for k, v in options.items() if k not in ("jac", "jac_sparsity", "first_step")}

    def solver(slope: Any, y: Any, s: Any) -> Any:
        found = theirs(lambda s, y: slope(y, s), (s[0], s[-1]), y, method, s, **options)
        if not found.success:
            raise RuntimeError(f"solve_ivp: the adjoint equation was not solved: {found.message}")
        return found.y.T

    times = np.concatenate([first.reshape(1), own(result.t).to(first.device).to(first)])
    known = numpy.concatenate([on_host(start.detach())[None], result.y.T])
    result.y = Trajectory.apply(function, solver, known, start, times, *given)[1:].T
    return result


__all__ = [
    "cumulative_trapezoid", "fixed_quad", "odeint", "quad", "quad_vec", "simpson", "solve_ivp",
    "trapezoid",
]  # fmt: skip
