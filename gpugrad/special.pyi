"""What there is of PyTorch's ``torch.special``, made from the table of declarations."""

from collections.abc import Sequence
from typing import Any

import numpy

from gpugrad import Tensor, dtype

def airy_ai(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return Airy's function Ai; nan at both infinities."""

def bessel_j0(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the Bessel function of the first kind of order 0."""

def bessel_j1(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the Bessel function of the first kind of order 1."""

def bessel_y0(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the Bessel function of the second kind of order 0: -inf at 0, nan below."""

def bessel_y1(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the Bessel function of the second kind of order 1: -inf at 0, nan below."""

def chebyshev_polynomial_t(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Chebyshev's polynomial of the first kind of degree n."""

def chebyshev_polynomial_u(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Chebyshev's polynomial of the second kind of degree n."""

def chebyshev_polynomial_v(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Chebyshev's polynomial of the third kind of degree n."""

def chebyshev_polynomial_w(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Chebyshev's polynomial of the fourth kind of degree n."""

def digamma(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the derivative of lgamma: -inf at 0, inf at -0, nan at -1, -2 and so on."""

def entr(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return -input * log(input): 0 at 0, where the gradient is inf, and -inf below."""

def erf(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the error function."""

def erfc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 1 - erf(input), accurate where it is small."""

def erfcx(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return exp(input**2) * erfc(input), without underflow."""

def erfinv(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse of :func:`erf`: inf at 1, -inf at -1, with gradients inf; nan beyond."""

def exp2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 2 to the power input."""

def expit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 1 / (1 + exp(-input)): 0 and 1 far out, without overflow."""

def expm1(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return e to the power input, less 1, accurate near 0."""

def gammainc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the regularized lower incomplete gamma function P(input, other)."""

def gammaincc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the regularized upper incomplete gamma function Q(input, other), 1 - P."""

def gammaln(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return log(abs(gamma(input))): inf at 0, -1, -2 and so on, and at both infinities."""

def hermite_polynomial_h(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Hermite's polynomial of degree n, the physicists' one."""

def hermite_polynomial_he(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Hermite's polynomial of degree n, the statisticians' one."""

def i0(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0."""

def i0e(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return exp(-abs(input)) * i0(input), without overflow; the gradient at 0 is 0."""

def i1(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the modified Bessel function of the first kind of order 1."""

def i1e(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return exp(-abs(input)) * i1(input), without overflow."""

def laguerre_polynomial_l(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Laguerre's polynomial of degree n."""

def legendre_polynomial_p(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Legendre's polynomial of degree n."""

def log1p(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return log(1 + input), accurate near 0."""

def log_ndtr(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the logarithm of :func:`ndtr`, without underflow; so is the gradient."""

def log_softmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    dtype: dtype | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the logarithm of :func:`softmax`, also where that is 0."""

def logit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    eps: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(input / (1 - input)), of numbers in [0, 1]: nan outside, as is the gradient."""

def logsumexp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int],
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(exp(input).sum(dim)), without overflow."""

def modified_bessel_i0(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0."""

def modified_bessel_i1(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the modified Bessel function of the first kind of order 1."""

def modified_bessel_k0(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the modified Bessel function of the second kind of order 0: inf at 0, nan below."""

def modified_bessel_k1(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the modified Bessel function of the second kind of order 1: inf at 0, nan below."""

def multigammaln(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: int, *, out: Tensor | None = None
) -> Tensor:
    """Return the logarithm of the gamma function of p dimensions."""

def ndtr(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the normal distribution function, accurate where it is small, unlike PyTorch's."""

def ndtri(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse of :func:`ndtr`: -inf at 0, inf at 1, nan beyond."""

def polygamma(
    n: int, input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the n-th derivative of :func:`digamma`, of any order from 0."""

def psi(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the derivative of lgamma: -inf at 0, inf at -0, nan at -1, -2 and so on."""

def round(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    decimals: int = 0,
    out: Tensor | None = None,
) -> Tensor:
    """Return the nearest number of so many decimals, of two that are as near the even one."""

def scaled_modified_bessel_k0(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return exp(input) times the modified Bessel function of the second kind of order 0."""

def scaled_modified_bessel_k1(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return exp(input) times the modified Bessel function of the second kind of order 1."""

def shifted_chebyshev_polynomial_t(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Chebyshev's polynomial of the first kind of degree n at 2 * input - 1."""

def shifted_chebyshev_polynomial_u(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Chebyshev's polynomial of the second kind of degree n at 2 * input - 1."""

def shifted_chebyshev_polynomial_v(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Chebyshev's polynomial of the third kind of degree n at 2 * input - 1."""

def shifted_chebyshev_polynomial_w(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Chebyshev's polynomial of the fourth kind of degree n at 2 * input - 1."""

def sinc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return sin(pi input) / (pi input), and 1 at 0, where the gradient is 0."""

def softmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    dtype: dtype | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return exp(input) / exp(input).sum(dim), without overflow."""

def spherical_bessel_j0(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the spherical Bessel function of the first kind of order 0, sin(input) / input."""

def xlog1py(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input * log(1 + other), 0 where input is 0 and other is not nan."""

def xlogy(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input * log(other), 0 where input is 0, whatever other is, and nan where other is."""

def zeta(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return Hurwitz' zeta function: the sum of (other + k)**-input over k = 0, 1, and so on."""
