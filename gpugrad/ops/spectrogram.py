"""Short-time Fourier transforms: of windows of a signal that overlap, and back."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT
from gpugrad.backend.batched import all_of
from gpugrad.errors import size
from gpugrad.op import public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.complex import view_as_real
from gpugrad.ops.fft import from_half, half_of, transformed
from gpugrad.ops.filled import ones
from gpugrad.ops.joining import cat
from gpugrad.ops.part import sliced, zeros_with
from gpugrad.ops.strided import folded

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

_COMPLEX_HALF = "Cannot have onesided output if window or input is complex"


def _kind(tensor: Any) -> str:
    array = tensor._array
    where = "cuda." if backend.of(array).type == "cuda" else ""
    return f"torch.{where}{_dtype.of(array.dtype).title}Tensor"


def _flag(value: Any) -> str:
    return "None" if value is None else str(int(value))


def _window_text(window: Any) -> str:
    return "None" if window is None else f"{_kind(window)}{{{size(window._array.shape)}}}"


def _at_end(tensor: Any, start: int | None, end: int | None) -> Any:
    """Return a part of the last dimension."""
    return sliced(tensor, (Ellipsis, slice(start, end)))


def _between_zeros(tensor: Any, before: int, behind: int) -> Any:
    """Return a tensor with zeros before and behind its last dimension."""
    if not before and not behind:
        return tensor
    *rest, length = tensor._array.shape
    shape = (*rest, before + length + behind)
    return zeros_with(tensor, shape=shape, index=(Ellipsis, slice(before, before + length)))


def _padded(input: Any, pad: int, how: str) -> Any:
    """Return a signal continued at both ends.

    Raises:
        NotImplementedError: There is no such way to do that.
        RuntimeError: The signal is too short for it.
    """
    if not input._array.ndim:
        input = input.reshape(1, 1, 1)
    shape = input._array.shape
    length = shape[-1]
    extended = [*(1,) * (3 - len(shape)), *shape]
    if how == "reflect" and pad >= length:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but "
            f"got: padding ({pad}, {pad}) at dimension 2 of input {size(extended)}"
        )
    if how == "circular" and pad > length:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    match how:
        case "constant":
            return _between_zeros(input, pad, pad)
        case "reflect":
            ends = _at_end(input, 1, pad + 1).flip(-1), _at_end(input, -pad - 1, -1).flip(-1)
        case "replicate":
            repeated = (*shape[:-1], pad)
            ends = _at_end(input, 0, 1).expand(repeated), _at_end(input, -1, None).expand(repeated)
        case "circular":
            ends = _at_end(input, length - pad, None), _at_end(input, 0, pad)
        case _:
            raise NotImplementedError(f"Unrecognised padding mode {how}")
    return cat((ends[0], input, ends[1]), -1) if pad else input


def _centered(window: Any, n_fft: int) -> Any:
    """Return a window between zeros, of the length of a transform."""
    missing = n_fft - window._array.shape[0]
    return _between_zeros(window, missing // 2, missing - missing // 2)


def _ones(length: int, like: Any) -> Any:
    array = like._array
    kind = _dtype.of(array.dtype).to_real()
    return ones(length, dtype=kind, device=backend.of(array).device_of(array))


@public()
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """Return the Fourier transforms of windows of a signal that overlap, as columns.

    ``n_fft`` is their length, ``hop_length`` their distance, a quarter of that by default; where
    ``center`` the signal is continued so that their centers lie on it.  Of real signals it is half
    of each transform, unless ``onesided`` is false.

    Raises:
        NotImplementedError: There is no such ``pad_mode``.
        RuntimeError: A length does not fit.
    """
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    if center:
        input = _padded(input, n_fft // 2, pad_mode)
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    array = input._array
    is_complex = "c" in (array.dtype.kind, window is not None and window._array.dtype.kind)
    if return_complex is None and not is_complex:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs, and will further "
            "require that return_complex=True in a future PyTorch release."
        )

    def wrong(what: str) -> RuntimeError:
        return RuntimeError(
            f"stft({_kind(input)}{size(array.shape)}, n_fft={n_fft}, hop_length={hop}, "
            f"win_length={width}, window={_window_text(window)}, normalized={int(normalized)}, "
            f"onesided={_flag(onesided)}, return_complex={_flag(return_complex)}, "
            f"align_to_window={_flag(align_to_window)}) : {what}"
        )

    if array.dtype.kind not in INEXACT:
        raise wrong("expected a tensor of floating point or complex values")
    if array.ndim not in (1, 2):
        raise wrong("expected a 1D or 2D tensor")
    length = array.shape[-1]
    if not 0 < n_fft <= length:
        raise wrong(f"expected 0 < n_fft < {length}, but got n_fft={width}")
    if hop <= 0:
        raise wrong(f"expected hop_length > 0, but got hop_length={hop}")
    if not 0 < width <= n_fft:
        raise wrong(f"expected 0 < win_length <= n_fft, but got win_length={width}")
    if window is not None and window._array.shape != (width,):
        raise wrong(
            f"expected a 1D window tensor of size equal to win_length={width}, but got window with "
            f"size {size(window._array.shape)}"
        )
    if is_complex and onesided:
        raise RuntimeError(_COMPLEX_HALF)
    if window is None and width < n_fft:
        window = _ones(width, input)
    if align_to_window:
        before = (n_fft - width) // 2
        input = _between_zeros(input, before, n_fft - width - before)
    frames: Any = input.unfold(-1, n_fft, hop)
    if window is not None:
        frames = pw.mul(frames, _centered(window, n_fft))
    norm = "ortho" if normalized else "backward"
    if is_complex or onesided is False:
        found = transformed(frames, (array.ndim,), norm)
    else:
        found = half_of(frames, (array.ndim,), norm)
    found = found.transpose(-1, -2)
    return found if return_complex is not False else view_as_real(found)


@public()
def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """Return the signal whose short-time transforms, by :func:`stft`, come nearest to these.

    Raises:
        RuntimeError: A length does not fit, or some of the signal lies in no window.

    Source: D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier transform",
    IEEE Transactions on Acoustics, Speech, and Signal Processing, 1984.
    """
    array = input._array
    if array.dtype.kind != "c":
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True."
        )
    if array.ndim < 2:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-array.ndim - 1}, {array.ndim}],"
            " but got -3)"
        )
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    rows, count = array.shape[-2:]

    def wrong(what: str) -> RuntimeError:
        where = backend.of(array).type.upper()
        return RuntimeError(
            f"istft({where}{_dtype.of(array.dtype).title}Type{size(array.shape)}, n_fft={n_fft}, "
            f"hop_length={hop}, win_length={width}, window={_window_text(window)}, "
            f"center={int(center)}, normalized={int(normalized)}, onesided={_flag(onesided)}, "
            f"length={length}, return_complex={int(return_complex)}) {what}"
        )

    if not array.size:
        raise wrong(": input tensor cannot be empty.")
    if array.ndim not in (2, 3):
        raise wrong(f": expected a tensor with 3 or 4 dimensions, but got {array.ndim + 1}")
    half = rows != n_fft if onesided is None else onesided
    if rows != (n_fft // 2 + 1 if half else n_fft):
        wanted = "n_fft / 2 + 1 when onesided=True" if half else "n_fft when onesided=False"
        raise wrong(
            ": expected the frequency dimension (3rd to the last) of the input tensor to match "
            f"{wanted}, but got {rows}"
        )
    if not 0 < hop <= width:
        raise wrong(": expected 0 < hop_length <= win_length")
    if not 0 < width <= n_fft:
        raise wrong(": expected 0 < win_length <= n_fft")
    if window is not None and window._array.shape != (width,):
        raise wrong(": Invalid window shape. window has to be 1D and length of `win_length`")
    if return_complex and half:
        raise RuntimeError(_COMPLEX_HALF)
    if not return_complex and window is not None and window._array.dtype.kind == "c":
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    weights = _centered(_ones(width, input) if window is None else window, n_fft)
    columns: Any = input.transpose(-1, -2)
    norm = "ortho" if normalized else "backward"
    axes = (array.ndim - 1,)
    if return_complex:
        frames = transformed(columns, axes, norm, inverse=True)
    else:
        frames = from_half(_at_end(columns, 0, n_fft // 2 + 1), axes, n_fft, norm)

    def added(windows: Any) -> Any:
        shape = (*windows._array.shape[:-2], whole)
        return folded(windows, shape=shape, axis=len(shape) - 1, length=n_fft, step=hop)

    whole = n_fft + hop * (count - 1)
    start = n_fft // 2 if center else 0
    end = whole - start if length is None else start + length
    signal = _at_end(added(pw.mul(frames, weights)), start, min(end, whole))
    covered = _at_end(added(pw.mul(weights, weights).expand(count, n_fft)), start, min(end, whole))
    sums = all_of(covered._array)
    door = backend.of(sums)
    least = door.largest(sums, tuple(range(sums.ndim)), least=True)
    if door.to_numpy(least).item() < 1e-11:
        raise wrong("window overlap add min: 1\n[ CPUBoolType{} ]")
    found = pw.div(signal, covered)
    if end <= whole:
        return found
    warnings.warn(
        "The length of signal is shorter than the length parameter. Result is being padded with "
        "zeros in the tail. Please check your center and hop_length settings.",
        UserWarning,
        stacklevel=3,
    )
    return _between_zeros(found, 0, end - whole)
