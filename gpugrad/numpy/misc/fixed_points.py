"""The point that a function leaves where it is, differentiated without its iterations."""

from __future__ import annotations

from typing import Any

from gpugrad.numpy.differential import make_vjp
from gpugrad.numpy.extend import defvjp, primitive, vspace


@primitive
def fixed_point(f: Any, a: Any, x0: Any, distance: Any, tol: float) -> Any:
    """Return ``x`` with ``f(a)(x) == x``, found by iteration from ``x0``.

    It ends when ``distance(x, previous)`` is at most ``tol``.  The gradient by ``a`` is that of the
    implicit function, itself a fixed point.

    Source: B. Christianson, "Reverse accumulation and attractive fixed points", 1994.
    """
    step, previous = f(a), x0
    x = step(x0)
    while distance(x, previous) > tol:
        x, previous = step(x), x
    return x


def _by_a(ans: Any, f: Any, a: Any, x0: Any, distance: Any, tol: float) -> Any:
    space = vspace(ans)

    def adjoint(params: Any) -> Any:
        a, x, g = params
        pull, _ = make_vjp(f(a))(x)
        return lambda y: space.add(pull(y), g)

    pull, _ = make_vjp(lambda a, x: f(a)(x))(a, ans)
    return lambda g: pull(fixed_point(adjoint, (a, ans, g), space.zeros(), distance, tol))


defvjp(fixed_point, None, _by_a, None)
