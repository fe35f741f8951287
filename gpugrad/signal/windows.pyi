"""What there is of PyTorch's ``torch.signal.windows``, made from the table of declarations."""

from collections.abc import Iterable

from gpugrad import Tensor, device, dtype, layout

def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a triangle from 0 to 1 and back."""

def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the :func:`general_cosine` of 0.42, 0.5, 0.08."""

def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return half a wave of the sine, at the middles of equal parts."""

def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``exp(-|n - center| / tau)``; the center is by default the middle."""

def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``exp(-(x / std)^2 / 2)`` at the distances x from the middle."""

def general_cosine(
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a sum of cosines ``a[0] - a[1] cos(x) + a[2] cos(2 x) - ...``."""

def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``alpha - (1 - alpha) cos(x)``; see :func:`general_cosine`."""

def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the :func:`general_cosine` of 0.54, 0.46."""

def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the :func:`general_cosine` of 0.5, 0.5."""

def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ``i0(beta sqrt(1 - x^2)) / i0(beta)`` for x from -1 to 1, with the Bessel function i0."""

def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the :func:`general_cosine` of 0.3635819, 0.4891775, 0.1365995, 0.0106411."""
