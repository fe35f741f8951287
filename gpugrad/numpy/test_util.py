"""HIPS/autograd's checks of derivatives against differences of values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad.numpy import differential
from gpugrad.numpy.extend import vspace

STEP = 1e-6
TOLERANCE = 1e-6


def scalar_close(a: Any, b: Any) -> bool:
    """Tell whether two numbers differ by less than a millionth, absolutely or relatively."""
    return bool(abs(a - b) < TOLERANCE or abs(a - b) / abs(a + b) < TOLERANCE)


def _name(f: Any) -> str:
    return str(getattr(f, "__name__", "[unknown name]"))


def _difference(f: Callable[..., Any], x: Any, v: Any) -> Any:
    space = vspace(x)
    ahead = f(space.add(x, space.scalar_mul(v, STEP / 2)))
    behind = f(space.add(x, space.scalar_mul(v, -STEP / 2)))
    values = vspace(ahead)
    return values.scalar_mul(values.add(ahead, values.scalar_mul(behind, -1.0)), 1 / STEP)


def check_equivalent(x: Any, y: Any) -> None:
    """Raise unless two vectors have one structure, shapes and types, and agree.

    Raises:
        AssertionError: They do not.
    """
    space, other = vspace(x), vspace(y)
    assert space == other, f"VSpace mismatch:\nx: {space}\ny: {other}"
    v = space.randn()
    close = scalar_close(space.inner_prod(x, v), space.inner_prod(y, v))
    assert close, f"Value mismatch:\nx: {x}\ny: {y}"


def check_vjp(f: Callable[..., Any], x: Any) -> None:
    """Check the backward of a function of one argument, in a random direction.

    Raises:
        AssertionError: It does not agree with a difference.
    """
    pull, y = differential.make_vjp(f)(x)
    space, values = vspace(x), vspace(y)
    x_v, y_v = space.randn(), values.randn()
    gradient = space.covector(pull(values.covector(y_v)))
    assert vspace(gradient) == space, f"the gradient of {_name(f)} is no {space}"
    exact = space.inner_prod(x_v, gradient)
    numeric = values.inner_prod(y_v, _difference(f, x, x_v))
    assert scalar_close(numeric, exact), (
        f"Derivative (VJP) check of {_name(f)} failed with arg {x}:\n"
        f"analytic: {exact}\nnumeric:  {numeric}"
    )


def check_jvp(f: Callable[..., Any], x: Any) -> None:
    """Check the forward mode of a function of one argument, in a random direction.

    Raises:
        AssertionError: It does not agree with a difference.
    """
    v = vspace(x).randn()
    check_equivalent(differential.make_jvp(f)(x)(v)[1], _difference(f, x, v))


def check_grads(
    f: Callable[..., Any], argnum: Any = 0, modes: Sequence[str] | None = None, order: int = 2
) -> Callable[..., None]:
    """Return a function of ``f``'s arguments that checks its derivatives up to an order.

    ``modes`` are ``"fwd"`` and ``"rev"``, both by default.

    Raises:
        AssertionError: When called: one does not agree with a difference.
        ValueError: There is no such mode.
    """
    wanted = ["fwd", "rev"] if modes is None else list(modes)
    if not {"fwd", "rev"}.issuperset(wanted):
        raise ValueError(f"check_grads: modes are 'fwd' and 'rev', not {wanted}")
    return differential.nary(_check)(f, argnum, wanted, order)


def _check(f: Callable[..., Any], x: Any, modes: Sequence[str], order: int) -> None:
    def forward(x: Any, v: Any) -> Any:
        return differential.make_jvp(f)(x)(v)[1]

    def reverse(x: Any, v: Any) -> Any:
        return differential.make_vjp(f)(x)[0](v)

    for mode, check, derivative in ("fwd", check_jvp, forward), ("rev", check_vjp, reverse):
        if mode in modes:
            check(f, x)
            if order > 1:
                derivative.__name__ = f"{'jvp' if mode == 'fwd' else 'vjp'}_{_name(f)}"
                v = vspace(x if mode == "fwd" else f(x)).randn()
                check_grads(derivative, (0, 1), modes, order - 1)(x, v)


def combo_check(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., None]:
    """Return a function of lists of arguments that checks ``fun`` with all combinations of them."""
    check = check_grads(fun, *args, **kwargs)

    def each(*args: Any, **kwargs: Any) -> None:
        named = [[(key, v) for v in values] for key, values in kwargs.items()]
        for given in itertools.product(*args):
            for options in itertools.product(*named):
                check(*given, **dict(options))

    return each
