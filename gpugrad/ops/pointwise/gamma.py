"""The gamma function's logarithm and its derivatives, and the incomplete gamma functions."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype
from gpugrad.formulas import Expression, Formula, Function, call, variable
from gpugrad.op import Pointwise, function_of, pointwise, public, selecting
from gpugrad.op.forms import Selected
from gpugrad.op.refusal import without_derivative
from gpugrad.ops.pointwise.exponential import exp, log
from gpugrad.ops.pointwise.special import named_by_numbers, of_numbers

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Operand = Any  # a tensor, an array or a Python number


@public(inplace="values", out=True, names="special.gammaln")
@pointwise(
    "lgamma(x)",
    "LgammaBackward0",
    "real",
    native=Function("lgamma({})", "lgamma({})"),
    kernel="lgamma_vml_{}",
)
def lgamma(g, x):
    """Return log(abs(gamma(input))): inf at 0, -1, -2 and so on, and at both infinities.

    The gradient is :func:`digamma`.
    """
    return g * digamma(x)


@public(inplace="values", out=True, names="special.digamma special.psi")
@pointwise(
    "digamma(x)",
    "DigammaBackward0",
    "real",
    native=Function("digamma({})", "gpugrad::digamma({})", header="gamma"),
    kernel="digamma",
)
def digamma(g, x):
    """Return the derivative of lgamma: -inf at 0, inf at -0, nan at -1, -2 and so on.

    At -1, -2 and so on the gradient is inf, where PyTorch's is some large number.
    """
    return g * trigamma(x)


@pointwise(
    "trigamma(x)",
    "PolygammaBackward0",
    "real",
    function="polygamma",
    native=Function("trigamma({})", "gpugrad::trigamma({})", header="gamma"),
    kernel="trigamma",
)
def trigamma(g, x):
    return g * (-2 * zeta_of(3, x))


@pointwise("digamma(x)", "PolygammaBackward0", "real", function="polygamma", kernel="digamma")
def polygamma_0():
    pass


@pointwise(
    "zeta_of(s, q)",
    "SpecialZetaBackward0",
    "real",
    function="zeta",
    native=Function("zeta({}, {})", "gpugrad::zeta({}, {})", header="gamma"),
)
def zeta_of(g, s, q):
    # what the first operand is, refuses to be differentiated by
    return g * math.nan, g * (-s * zeta_of(s + 1, q))


_ZETAS = named_by_numbers(zeta_of)


@pointwise(
    "factor * zeta_of(s, x)",
    "PolygammaBackward0",
    "real",
    function="polygamma",
    parameters=("factor", "order", "input"),
    kernel="polygamma",
)
def polygamma_of():
    pass


@public(inplace="values", out=True, names="special.polygamma")
@selecting
def polygamma(n: int, input: Tensor) -> Selected:
    """Return the n-th derivative of :func:`digamma`, of any order from 0.

    It is inf, or -inf for even orders, at 0, -1, -2 and so on.

    Raises:
        RuntimeError: ``n`` is negative.
    """
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n < 2:
        return trigamma if n else polygamma_0, (input,)
    return polygamma_of, (_signed_factorial(n), float(n + 1), input)


def _signed_factorial(n: int) -> float:
    size = float(math.factorial(n)) if n <= 170 else math.inf
    return size if n % 2 else -size


@functools.cache
def _multivariate(p: int) -> Any:
    """Return the function :func:`mvlgamma` of one dimension ``p``: one formula, one kernel."""

    def build(kind: str) -> Formula:
        x = variable("x", kind)
        terms: list[Expression] = [call("lgamma", x - k / 2 if k else x) for k in range(p)]
        while len(terms) > 1:  # in pairs, so that no formula is deep
            pairs = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
            terms = pairs + terms[2 * len(pairs) :]
        return Formula("mvlgamma", (x,), (terms[0] + p * (p - 1) / 4 * math.log(math.pi),))

    refused = {_dtype.BOOL: RuntimeError("The input tensor may not be a boolean tensor.")}
    return function_of(
        Pointwise(
            "MvlgammaBackward0", "mvlgamma", build, "real", refused=refused, kernel="arange_{}"
        )
    )


@public(inplace="values", out=True, names="special.multigammaln")
@selecting
def mvlgamma(input: Tensor, p: int) -> Selected:
    """Return the logarithm of the gamma function of p dimensions.

    It is log(pi) * p * (p - 1) / 4 and the sum of lgamma(input - k / 2) over k from 0 to p - 1.

    Raises:
        RuntimeError: ``p`` is less than 1.
    """
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    return _multivariate(p), (input,)


@pointwise(
    "gammainc(a, x)",
    "IgammaBackward0",
    "floating",
    function="igamma",
    native=Function("gammainc({}, {})", "gpugrad::gammainc({}, {})", header="gamma"),
)
def gammainc(g, a, x):
    return g * math.nan, g * exp((a - 1) * log(x) - x - lgamma(a))


@pointwise(
    "gammaincc(a, x)",
    "IgammacBackward0",
    "floating",
    function="igammac",
    native=Function("gammaincc({}, {})", "gpugrad::gammaincc({}, {})", header="gamma"),
)
def gammaincc(g, a, x):
    return g * math.nan, -g * exp((a - 1) * log(x) - x - lgamma(a))


@public(inplace="values", out=True, names="special.gammainc")
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """Return the regularized lower incomplete gamma function P(input, other).

    It is the integral of t**(input - 1) * exp(-t) from 0 to other, divided by that to infinity.
    It is nan where an operand is negative, and where both are 0 or infinite.
    As in PyTorch there is no derivative by ``input``.
    """
    return gammainc(without_derivative(input, "igamma: input"), other)


@public(inplace="values", out=True, names="special.gammaincc")
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """Return the regularized upper incomplete gamma function Q(input, other), 1 - P.

    It is nan where an operand is negative, and where both are 0 or infinite.
    As in PyTorch there is no derivative by ``input``.
    """
    return gammaincc(without_derivative(input, "igammac: input"), other)


@public(name="special.zeta", method=False, out=True)
def zeta(input: Operand, other: Operand) -> Tensor:
    """Return Hurwitz' zeta function: the sum of (other + k)**-input over k = 0, 1, and so on.

    It is inf where input is 1 and where other is 0, -1, -2 and so on; nan where input is below 1,
    and where other is negative and input no whole number.
    As in PyTorch there is no derivative by ``input``.
    """
    return of_numbers(input, other, _ZETAS)(without_derivative(input, "zeta"), other)
