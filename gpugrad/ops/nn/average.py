"""Means over windows and over parts of dimensions, and norms over windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import backend
from gpugrad.errors import normal_dim, size
from gpugrad.op import public
from gpugrad.op.saved import wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.nn import pool
from gpugrad.ops.nn.maximum import largest_over
from gpugrad.ops.nn.weighing import weighed
from gpugrad.ops.reduction import mean

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

_DIMS = {1: "length", 2: "height, width", 3: "depth, height, width"}


def _averaged(
    ndim: int, input: Tensor, kernel: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor: int | None,
) -> Any:  # fmt: skip
    """Return the means over windows, or their sums by a divisor."""
    name = f"avg_pool{ndim}d"
    shape = tuple(input._array.shape)
    if ndim == 1:
        pool.check_one_to_two(name, shape)
    lengths = pool.numbers(name, "kernel_size", kernel, ndim)
    steps = lengths
    if stride is not None and stride != () and stride != []:
        steps = pool.numbers(name, "stride", stride, ndim)
    pads = pool.numbers(name, "padding", padding, ndim)
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    if ndim == 2:
        normal_dim(-3, len(shape))
    pool.check_dims(ndim, shape)
    axes = tuple(zip(shape[-ndim:], lengths, steps, pads, strict=True))
    counts = tuple([pool.counted(n, k, s, 1, p, ceil_mode) for n, k, s, p in axes])
    pool.check_windows(
        f"{name}_out_cpu", shape, lengths, steps, (1,) * ndim, counts, holds=ndim == 3
    )
    whole = input._array.dtype == np.int64  # the one type of whole numbers that PyTorch averages
    kernel_name = "avg_pool3d_out_frame" if ndim == 3 else "avg_pool2d"
    pool.check_kind(kernel_name, input, "bcV" if whole else "bcViu")
    first = len(shape) - ndim
    by: list[int | None] = [1 if whole or divisor is not None else None] * ndim
    if divisor is not None and not whole:
        by[0] = divisor
    taps = [
        (first + k, pool.of_means(*axis, counts[k], count_include_pad, by[k]))
        for k, axis in enumerate(axes)
    ]
    out = weighed(pool.node_of("AvgPool{}D", ndim))(input, along=tuple(taps))
    if not whole:
        return out
    if divisor is not None:
        return pw.div(out, divisor, rounding_mode="trunc")
    sizes = [
        _number_of(axis, count, count_include_pad) for axis, count in zip(axes, counts, strict=True)
    ]
    each = np.asarray(math.prod(np.ix_(*sizes)))
    door = backend.of(out._array)
    there = door.from_numpy(each.astype(input._array.dtype), door.device_of(out._array))
    return pw.div(out, wrap(there), rounding_mode="trunc")


def _number_of(axis: Any, count: int, padded: bool) -> pool.NumPy:
    """Return how many elements each window counts along an axis."""
    n, kernel, stride, pad = axis
    weights = pool.of_means(n, kernel, stride, pad, count, padded, None).weights
    assert weights is not None
    return np.rint(1 / weights[:, 0]).astype(np.int64)


def _declare(ndim: int) -> None:
    """Declare the means over windows of so many dimensions."""
    name = f"avg_pool{ndim}d"
    text = f"""Return the means over windows of the last dimensions.

    Args:
        input: Of shape (batch, channels, {_DIMS[ndim]}), or of one example.
        kernel_size: The length of a window, along each dimension.
        stride: How far windows are apart; by default their length.
        padding: How many zeros there are at each end.
        ceil_mode: Whether a last window may reach beyond the padding.
        count_include_pad: Whether the zeros count.
"""
    more = """        divisor_override: By what sums are divided instead.
"""
    end = """
    Raises:
        NotImplementedError: The elements are bools, complex, or whole numbers but int64.
        RuntimeError: Shapes or numbers do not fit.
    """

    def along_one(
        input: Tensor,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = (),
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> Tensor:
        result: Tensor = _averaged(
            ndim, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
        )
        return result

    def along_several(
        input: Tensor,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Tensor:
        result: Tensor = _averaged(
            ndim, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
            divisor_override,
        )  # fmt: skip
        return result

    along_one.__doc__, along_several.__doc__ = text + end, text + more + end
    if ndim == 1:
        public(method=False, name=name, names=f"nn.functional.{name}")(along_one)
    else:
        public(method=False, out=True, name=f"nn.functional.{name}")(along_several)


for _ndim in (1, 2, 3):
    _declare(_ndim)


# ---------------------------------------------------------------------------- of parts


def adapted(ndim: int, input: Tensor, output_size: Any) -> Any:
    """Return the means over parts of the last dimensions, which are as equal as can be."""
    name = f"adaptive_avg_pool{ndim}d"
    shape = tuple(input._array.shape)
    sizes = pool.adapted_sizes(name, ndim, shape, output_size)
    if min(sizes) < 0:
        inner = ", ".join(map(str, (1, *sizes) if ndim == 1 else sizes[:2]))
        inner += f",{sizes[2]}" if ndim == 3 else ""
        raise RuntimeError(
            f"adaptive_avg_pool{max(ndim, 2)}d: elements of output_size must be greater than or "
            f"equal to 0 but received {{{inner}}}"
        )
    first = len(shape) - ndim
    if tuple(sizes) == (1,) * ndim and (ndim > 1 or 0 in shape):
        return mean(input, tuple(range(-ndim, 0)), True)
    if ndim == 3:
        pool.check_parts(name, len(shape) - 1, shape)
    if ndim > 1 and len(shape) not in (ndim + 1, ndim + 2):
        raise RuntimeError(
            f"{name}(): Expected {ndim + 1}D or {ndim + 2}D tensor, but got {size(shape)}"
        )
    pool.check_parts(name, ndim, shape)
    pool.check_kind(f"adaptive_avg_pool{max(ndim, 2)}d", input, "biucV")
    pairs = zip(shape[first:], sizes, strict=True)
    taps = [(first + k, pool.of_adaptive_means(n, m)) for k, (n, m) in enumerate(pairs)]
    return weighed(pool.node_of("AdaptiveAvgPool{}D", ndim))(input, along=tuple(taps))


def _declare_adaptive(ndim: int) -> None:
    name = f"adaptive_avg_pool{ndim}d"

    def adaptive_avg_pool(input: Tensor, output_size: Any) -> Tensor:
        result: Tensor = adapted(ndim, input, output_size)
        return result

    adaptive_avg_pool.__doc__ = f"""Return the means over parts of the last dimensions.

    Args:
        input: Of shape (batch, channels, {_DIMS[ndim]}), or of one example.
        output_size: Into how many parts each dimension is divided, as equal as can be; ``None`` is
            as many as it has elements.

    Raises:
        NotImplementedError: The elements are no floating point numbers.
        RuntimeError: Shapes or numbers do not fit.
    """
    if ndim == 1:
        public(method=False, name=name, names=f"nn.functional.{name}")(adaptive_avg_pool)
    else:
        public(method=False, name=f"nn.functional.{name}")(adaptive_avg_pool)


for _ndim in (1, 2, 3):
    _declare_adaptive(_ndim)


# ---------------------------------------------------------------------------- norms


def _norm(
    ndim: int, input: Tensor, norm_type: float, kernel: Any, stride: Any, ceil_mode: bool
) -> Any:
    if norm_type == math.inf:
        return largest_over(ndim, pw.abs(input), kernel, stride, ceil_mode)
    if norm_type == -math.inf:
        return -largest_over(ndim, -pw.abs(input), kernel, stride, ceil_mode)
    powers = pw.pow(input, norm_type)
    out = _averaged(ndim, powers, kernel, stride, 0, ceil_mode, True, None)
    total = pw.sign(out) * pw.relu(pw.abs(out)) * math.prod(pool.several(kernel, ndim))
    return pw.pow(total, 1.0 / norm_type)


def _declare_norm(ndim: int) -> None:
    name = f"lp_pool{ndim}d"

    def lp_pool(
        input: Tensor,
        norm_type: float,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        ceil_mode: bool = False,
    ) -> Tensor:
        result: Tensor = _norm(ndim, input, norm_type, kernel_size, stride, ceil_mode)
        return result

    lp_pool.__doc__ = f"""Return ``sum(x ** norm_type) ** (1 / norm_type)`` over windows.

    Infinite powers give the largest and the least size.  Where the sum is 0 the gradient of powers
    over 1 is nan; windows that reach beyond the end count as if they were whole.

    Args:
        input: Of shape (batch, channels, {_DIMS[ndim]}), or of one example.
        norm_type: The power.
        kernel_size: The length of a window, along each dimension.
        stride: How far windows are apart; by default their length.
        ceil_mode: Whether a last window may reach beyond the end.

    Raises:
        RuntimeError: Shapes or numbers do not fit.
    """
    public(method=False, name=f"nn.functional.{name}")(lp_pool)


for _ndim in (1, 2, 3):
    _declare_norm(_ndim)
