"""Convolutions and correlations of ``scipy.signal`` with gradients, on the CPU and on CUDA."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.numpy.operands import door, promoted
from gpugrad.numpy.padding import pad
from gpugrad.numpy.ufuncs import normal_axes, op

_DIRECT = 1 << 20  # products of elements up to which no transform is faster


def _chosen(axes: Any, dot_axes: Any, n: int, m: int) -> tuple[list[list[int]], list[list[int]]]:
    """Return the convolved axes and those that are summed, of both operands.

    Raises:
        ValueError: They are not as many of both, or one is named twice.
    """
    if axes is None:
        if n != m:
            raise ValueError(
                "convolve: the arrays should have the same dimensionality, but have "
                f"{n} and {m} axes"
            )
        axes = (range(n), range(m))
    along = [[int(k) % d for k in a] for a, d in zip(axes, (n, m), strict=True)]
    summed = [[int(k) % d for k in a] for a, d in zip(dot_axes, (n, m), strict=True)]
    for a, s in zip(along, summed, strict=True):
        if len({*a, *s}) < len(a) + len(s):
            raise ValueError("convolve: an axis is named twice")
    if len(along[0]) != len(along[1]) or len(summed[0]) != len(summed[1]):
        raise ValueError("convolve: as many axes of both arrays are convolved, and summed")
    return along, summed


def _grouped(t: Any, along: list[int], summed: list[int]) -> tuple[Any, list[int], list[int]]:
    """Return an operand with axes for its others, what is summed, and each convolved one."""
    shape = t._array.shape
    others = [k for k in range(len(shape)) if k not in along and k not in summed]
    moved = op("permute")(t, (*others, *summed, *along)) if shape else t
    sizes = [shape[k] for k in along]
    kept = [shape[k] for k in others]
    count = math.prod(shape[k] for k in summed)
    return op("reshape")(moved, (math.prod(kept), count, *sizes)), kept, sizes


def _part(mode: str, a: Sequence[int], b: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return where the result begins within the full convolution, and its lengths.

    Raises:
        ValueError: The mode is none, or neither array contains the other where that is needed.
    """
    if mode == "full":
        return [0 for _ in a], [p + q - 1 for p, q in zip(a, b, strict=True)]
    if mode == "same":
        return [(q - 1) // 2 for q in b], list(a)
    if mode != "valid":
        raise ValueError("acceptable mode flags are 'valid', 'same', or 'full'")
    if not (all(p >= q for p, q in zip(a, b, strict=True))
            or all(q >= p for p, q in zip(a, b, strict=True))):  # fmt: skip
        raise ValueError(
            "For 'valid' mode, one must be at least as large as the other in every dimension"
        )
    return ([min(p, q) - 1 for p, q in zip(a, b, strict=True)],
            [abs(p - q) + 1 for p, q in zip(a, b, strict=True)])  # fmt: skip


def _direct(x: Any, y: Any, a: list[int], first: list[int], sizes: list[int]) -> Any:
    """Return the convolution as products with the windows of the second operand."""
    pad: list[int] = []
    for k in reversed(range(len(a))):
        full = a[k] + y._array.shape[k + 2] - 1
        pad += [a[k] - 1 - first[k], a[k] - 1 - (full - first[k] - sizes[k])]
    windows = op("constant_pad_nd")(y, pad) if pad else y
    for k in range(len(a)):
        windows = op("unfold")(windows, k + 2, a[k], 1)
    x = op("flip")(x, tuple(range(2, 2 + len(a)))) if a else x
    count, summed = x._array.shape[:2]
    rest = y._array.shape[0]
    windows = op("permute")(
        windows, (0, *range(2, 2 + len(a)), 1, *range(2 + len(a), 2 + 2 * len(a)))
    )
    inner = summed * math.prod(a)
    left = op("reshape")(x, (count, inner))
    right = op("reshape")(windows, (rest * math.prod(sizes), inner))
    return op("reshape")(op("matmul")(left, op("transpose")(right, 0, 1)), (count, rest, *sizes))


def _there(t: Any, full: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return op("fft.fftn" if t._array.dtype.kind == "c" else "fft.rfftn")(t, full, axes, None)


def _back(product: Any, like: Any, full: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    complex_ = like._array.dtype.kind == "c"
    return op("fft.ifftn" if complex_ else "fft.irfftn")(product, full, axes, None)


def _by_transform(x: Any, y: Any, a: list[int], first: list[int], sizes: list[int]) -> Any:
    """Return the convolution as the product of transforms."""
    axes = tuple(range(2, 2 + len(a)))
    full = tuple([p + q - 1 for p, q in zip(a, y._array.shape[2:], strict=True)])
    left, right = (_there(t, full, axes) for t in (x, y))
    shape = [op("unsqueeze")(left, 1), op("unsqueeze")(right, 0)]
    product = op("sum")(op("mul")(*shape), (2,), False)
    found = _back(product, x, full, axes)
    return found[(..., *(slice(f, f + n) for f, n in zip(first, sizes, strict=True)))]


@door
def convolve(
    in1: Any, in2: Any, mode: str = "full", method: str = "auto", axes: Any = None,
    dot_axes: Any = ((), ()),
) -> Any:  # fmt: skip
    """Return the convolution of two arrays.

    ``axes`` are lists of those of the first and the second array that are convolved, by default
    all; ``dot_axes`` those that are multiplied and summed, as in HIPS/autograd.  The result has
    the other axes of the first, those of the second, and the convolved ones.  The method is
    "direct", "fft" or "auto", by the number of products.

    Raises:
        ValueError: A mode or method is none, or the shapes do not fit.
    """
    x, y = promoted(in1, in2)
    along, summed = _chosen(axes, dot_axes, x._array.ndim, y._array.ndim)
    sizes = [[t._array.shape[k] for k in s] for t, s in zip((x, y), summed, strict=True)]
    if sizes[0] != sizes[1]:
        raise ValueError(f"convolve: summed axes have the lengths {sizes[0]} and {sizes[1]}")
    x, left, a = _grouped(x, along[0], summed[0])
    y, right, b = _grouped(y, along[1], summed[1])
    first, lengths = _part(mode, a, b)
    if method not in ("auto", "direct", "fft"):
        raise ValueError("Acceptable method flags are 'auto', 'direct', or 'fft'.")
    work = math.prod(a) * math.prod(b) * math.prod(left) * math.prod(right)
    whole = x._array.dtype.kind not in "fc"
    if not a or method == "direct" or (method == "auto" and (whole or work <= _DIRECT)):
        found = _direct(x, y, a, first, lengths)
    else:
        if whole:
            kind = x._array.dtype
            x, y = promoted(x, y, kind=np.dtype(float))
            found = promoted(op("round")(_by_transform(x, y, a, first, lengths)), kind=kind)[0]
        else:
            found = _by_transform(x, y, a, first, lengths)
    return op("reshape")(found, (*left, *right, *lengths))


@door
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Return the cross-correlation of two arrays: the convolution with one turned around."""
    x, y = promoted(in1, in2)
    turned = op("flip")(y, tuple(range(y._array.ndim))) if y._array.ndim else y
    turned = op("conj")(turned) if turned._array.dtype.kind == "c" else turned
    return convolve(x, turned, mode, method)


@door
def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """Return the convolution by way of transforms, along all axes or some.

    The other axes broadcast.

    Raises:
        ValueError: A mode is none, or the shapes do not fit.
    """
    x, y = promoted(in1, in2)
    if x._array.dtype.kind not in "fc":
        x, y = promoted(x, y, kind=np.dtype(float))
    ndim = x._array.ndim
    if ndim != y._array.ndim:
        raise ValueError("in1 and in2 should have the same dimensionality")
    axes = axes if axes is None or np.ndim(axes) == 0 else tuple(axes)
    named = normal_axes(axes, ndim)
    if not named and ndim:
        raise ValueError("when provided, axes cannot be empty")
    a, b = x._array.shape, y._array.shape
    if any(a[k] != b[k] and 1 not in (a[k], b[k]) for k in range(ndim) if k not in named):
        raise ValueError(f"incompatible shapes for in1 and in2: {tuple(a)} and {tuple(b)}")
    # along an axis of length 1 a convolution is a product, which broadcasts
    named = tuple([k for k in named if a[k] != 1 and b[k] != 1])
    first, sizes = _part(mode, [a[k] for k in named], [b[k] for k in named])
    full = tuple([a[k] + b[k] - 1 for k in named])
    if named:
        found = _back(op("mul")(*[_there(t, full, named) for t in (x, y)]), x, full, named)
    else:
        found = op("mul")(x, y)
    index = [slice(None)] * ndim
    for k, start, size in zip(named, first, sizes, strict=True):
        index[k] = slice(start, start + size)
    if mode == "same":  # of the first, also where that broadcasts
        for k in range(ndim):
            start = (found._array.shape[k] - a[k]) // 2
            index[k] = slice(start, start + a[k])
    return found[tuple(index)]


@door
def oaconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """Return the convolution, as ``fftconvolve`` does: by transforms of whole arrays."""
    return fftconvolve(in1, in2, mode, axes)


_BORDERS = {
    "fill": "constant", "pad": "constant", "wrap": "wrap", "circular": "wrap",
    "symm": "symmetric", "symmetric": "symmetric",
}  # fmt: skip


def _of_images(x: Any, y: Any, mode: str, boundary: str, fillvalue: Any, middle: int) -> Any:
    """Return the convolution of two images; ``middle`` says which element of the second is it.

    Raises:
        ValueError: They are no images, or the mode or the boundary is none.
    """
    if x._array.ndim != 2 or y._array.ndim != 2:
        raise ValueError("convolve2d inputs must both be 2-D arrays")
    if boundary not in _BORDERS:
        raise ValueError(
            "Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or "
            "'symm')."
        )
    first, sizes = _part(mode, list(x.shape), list(y.shape))
    if mode == "valid":  # asks for nothing beyond the boundary
        return convolve(x, y, "valid")
    if mode == "same":
        first = [(n - 1 + middle) // 2 for n in y.shape]
    way = _BORDERS[boundary]
    options = {"constant_values": fillvalue} if way == "constant" else {}
    whole = convolve(pad(x, [(n - 1, n - 1) for n in y.shape], way, **options), y, "valid")
    rows, columns = (slice(f, f + n) for f, n in zip(first, sizes, strict=True))
    return whole[rows, columns]


@door
def convolve2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    """Return the convolution of two images, of which the first goes on at its boundary.

    Raises:
        ValueError: They are no images, or the mode or the boundary is none.
    """
    x, y = promoted(in1, in2)
    return _of_images(x, y, mode, boundary, fillvalue, 0)


@door
def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    """Return the cross-correlation of two images: the convolution with one turned around."""
    x, y = promoted(in1, in2)
    turned = op("conj_physical")(op("flip")(y, tuple(range(y._array.ndim))))
    return _of_images(x, turned, mode, boundary, fillvalue, 1)


__all__ = [
    "convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "oaconvolve",
]  # fmt: skip
