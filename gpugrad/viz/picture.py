"""Small pictures of arrays: a line, a heat map or a histogram, of a sample where they are large."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.backend.batched import all_of

MOST = 1 << 18  # elements that are looked at; of larger arrays a sample is
CELLS = 64  # along each side of a heat map
BINS = 32

ACCENT, WARNING = "#4c78a8", "#e45756"
NAN = (214, 39, 214)  # no color of a map is like it
# From low to high: one for values of one sign, one with grey at zero.
SEQUENTIAL = ((36, 40, 82), (52, 94, 141), (42, 145, 140), (107, 200, 98), (249, 231, 85))
DIVERGING = ((33, 72, 150), (112, 163, 214), (226, 226, 226), (236, 150, 96), (165, 42, 30))


@dataclass(frozen=True)
class Sample:
    """What is looked at of an array, on the host, as real numbers in float64.

    Attributes:
        values: The numbers, of complex ones their magnitudes.
        whole: Whether these are all.
        magnitudes: Whether they are magnitudes.
        nans: How many are nan.
        infinities: How many are infinite.
    """

    values: np.ndarray[Any, Any]
    whole: bool
    magnitudes: bool
    nans: int
    infinities: int

    @property
    def finite(self) -> np.ndarray[Any, Any]:
        """Those that are numbers."""
        found: np.ndarray[Any, Any] = self.values[np.isfinite(self.values)]
        return found

    def statistics(self) -> str:
        """Return the least, the mean and the largest, and what is no number."""
        finite = self.finite
        words = []
        if finite.size:
            with np.errstate(all="ignore"):
                words = [f"min {short(finite.min())}", f"mean {short(finite.mean())}",
                         f"max {short(finite.max())}"]  # fmt: skip
        if self.magnitudes:
            words.insert(0, "of magnitudes")
        if self.nans:
            words.append(f"{self.nans} nan")
        if self.infinities:
            words.append(f"{self.infinities} inf")
        if not self.whole:
            words.append(f"in a sample of {self.values.size}")
        return ", ".join(words)


def short(value: float) -> str:
    """Return a number in few characters.

    >>> short(0.25), short(-3.0), short(1234567.0)
    ('0.25', '-3', '1.23e+06')
    """
    return f"{value:.3g}"


def sample(array: Any) -> Sample:
    """Return what is looked at of an array, of any type and device: at most MOST elements."""
    array = all_of(array)
    door = backend.of(array)
    whole = array.size <= MOST
    if not whole:  # views, so that only what is looked at is copied
        for axis in sorted(range(array.ndim), key=lambda k: -array.shape[k]):
            length, others = array.shape[axis], array.size // array.shape[axis]
            step = max(1, length // max(1, min(length, max(CELLS, MOST // max(1, others)))))
            array = array[(slice(None),) * axis + (slice(None, None, step),)]
            if array.size <= MOST:
                break
        if array.size > MOST:  # many short axes
            array = array[tuple(slice(0, max(1, math.isqrt(n))) for n in array.shape)]
    host = np.asarray(door.to_numpy(array))
    magnitudes = host.dtype.kind == "c"
    with np.errstate(all="ignore"):
        values = (np.abs(host) if magnitudes else host).astype(np.float64)
    nans = int(np.isnan(values).sum())
    return Sample(values, whole, magnitudes, nans, int(np.isinf(values).sum()))


def drawing(found: Sample) -> str:
    """Return an SVG picture of a sample: a line, a heat map or a histogram, as fits the rank.

    Empty for one number and for none.
    """
    values = found.values
    if values.size < 2:
        return ""
    if values.ndim == 1:
        return _line(values)
    if values.ndim == 2 and min(values.shape) > 1:
        return _map(values)
    if values.ndim == 2:
        return _line(values.reshape(-1))
    return _histogram(found.finite)


def _frame(width: float, height: float, inner: str, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img"><title>{title}</title>{inner}</svg>'
    )


def _range(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _unit(values: Any, low: float, high: float) -> Any:
    """Return where values lie between two, from 0 to 1, without overflow."""
    scale = max(abs(low), abs(high), 1e-300)
    with np.errstate(all="ignore"):
        return np.clip((values / scale - low / scale) / (high / scale - low / scale), 0, 1)


def _line(values: np.ndarray[Any, Any], width: int = 220, height: int = 64) -> str:
    points = values[:: max(1, values.size // 220)]
    low, high = _range(points)
    left = 5 + (width - 10) * np.arange(points.size) / max(1, points.size - 1)
    top = height - 6 - (height - 12) * _unit(points, low, high)
    inner = ""
    if low < 0 < high:
        zero = height - 6 - (height - 12) * float(_unit(0.0, low, high))
        inner += f'<path d="M0 {zero:.1f}H{width}" stroke="#8a94a6" stroke-dasharray="2 3"/>'
    path, pen = "", "M"
    for x, y, v in zip(left, top, points, strict=True):
        if np.isnan(v):
            inner += f'<path d="M{x:.1f} 2V{height - 2}" stroke="rgb{NAN}" stroke-width="2"/>'
            pen = "M"
            continue
        if np.isinf(v):
            y = 2 if v > 0 else height - 2
            inner += f'<circle cx="{x:.1f}" cy="{y}" r="3" fill="{WARNING}"/>'
            pen = "M"
            continue
        path += f"{pen}{x:.1f} {y:.1f}"
        pen = "L"
        if points.size <= 40:
            inner += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{ACCENT}"/>'
    inner += f'<path d="{path}" fill="none" stroke="{ACCENT}" stroke-width="1.5"/>'
    return _frame(width, height, inner, "values, one after the other")


def blocks(values: np.ndarray[Any, Any], most: int = CELLS) -> np.ndarray[Any, Any]:
    """Return the means of blocks, at most so many along each axis; nan and inf remain seen.

    >>> blocks(np.arange(6.0).reshape(2, 3), 2)
    array([[0.5, 2. ],
           [3.5, 5. ]])
    """
    for axis, length in enumerate(values.shape):
        if length > most:
            step = -(-length // most)
            starts = np.arange(0, length, step)
            counts = np.diff(np.append(starts, length))
            shape = [-1 if k == axis else 1 for k in range(values.ndim)]
            with np.errstate(all="ignore"):
                values = np.add.reduceat(values, starts, axis) / counts.reshape(shape)
    return values


def colors(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the color of each value, three bytes; nan has one of its own."""
    low, high = _range(values)
    scale = SEQUENTIAL
    if low < 0 < high:
        scale, high = DIVERGING, max(-low, high)
        low = -high
    places = _unit(np.nan_to_num(values, nan=low, posinf=high, neginf=low), low, high)
    at = np.linspace(0, 1, len(scale))
    found = np.stack([np.interp(places, at, channel) for channel in zip(*scale, strict=True)], -1)
    found[np.isnan(values)] = NAN
    return found.round().astype(np.uint8)


def _map(values: np.ndarray[Any, Any], longest: int = 160) -> str:
    shown = blocks(values)
    rows, columns = shown.shape
    cell = max(2, min(18, longest // max(rows, columns)))
    width, height = columns * cell, rows * cell
    inner = (
        f'<image width="{width}" height="{height}" preserveAspectRatio="none" '
        'image-rendering="pixelated" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{base64.b64encode(png(colors(shown), cell)).decode()}"/>'
    )
    return _frame(width, height, inner, "values, row by row")


def png(pixels: np.ndarray[Any, Any], scale: int = 1) -> bytes:
    """Return an image of colors as a PNG file, each pixel ``scale`` wide and high."""
    pixels = pixels.repeat(scale, 0).repeat(scale, 1)
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with 0: it is not filtered
    rows[:, 1:] = pixels.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")
    )  # fmt: skip


def _histogram(finite: np.ndarray[Any, Any], width: int = 220, height: int = 64) -> str:
    if not finite.size:
        return ""
    low, high = _range(finite)
    places = np.minimum((_unit(finite, low, high) * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(places.reshape(-1), minlength=BINS)
    step = width / BINS
    bars = "".join(
        f'<rect x="{k * step + 0.5:.1f}" y="{height - h:.1f}" width="{step - 1:.1f}" '
        f'height="{h:.1f}" fill="{ACCENT}"/>'
        for k, count in enumerate(counts)
        if (h := (height - 4) * count / counts.max()) > 0
    )
    base = f'<path d="M0 {height - 0.5}H{width}" stroke="#8a94a6"/>'
    return _frame(width, height, bars + base, "how often values lie in each interval")
