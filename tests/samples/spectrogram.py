"""Samples of short-time Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from samples.draw import ANY, PLANE, POSITIVE, Array
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def forward(**options: Any) -> Callable[..., Any]:
    """Return a transform with these options."""
    options = {"hop_length": 2, "return_complex": True, **options}
    return lambda lib, x, window: lib.stft(x, 6, window=window, **options)


def back(**options: Any) -> Callable[..., Any]:
    """Return an inverse transform with these options."""
    return lambda lib, x, window: lib.istft(x, 6, hop_length=2, window=window, **options)


def spectra(pad: Any = "reflect", scale: float = 1) -> Callable[..., Any]:
    """Return the transforms of all windows, one by one."""

    def transformed(x: Array, window: Array) -> Array:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(3, 3)], pad) if pad else x
        window = np.pad(window, ((6 - window.size) // 2, (7 - window.size) // 2))
        starts = range(0, x.shape[-1] - 5, 2)
        columns = [np.fft.fft(x[..., k : k + 6] * window) for k in starts]
        found = np.stack(columns, -1) * scale
        return found if "c" in (x.dtype.kind, window.dtype.kind) else found[..., :4, :]

    return transformed


def signal(x: Array, window: Array) -> Array:
    """Return the signal that is nearest to transforms, with what lies at its ends."""
    columns = np.fft.irfft(x, 6, -2)
    length = 4 + 2 * x.shape[-1]
    total, weight = np.zeros((*x.shape[:-2], length)), np.zeros(length)
    for k in range(x.shape[-1]):
        total[..., 2 * k : 2 * k + 6] += columns[..., k] * window
        weight[2 * k : 2 * k + 6] += window**2
    return total / weight


W = POSITIVE((6,), 0)
SAMPLES: dict[str, list[Sample]] = {
    "stft": single([
        case("reflect", forward(), ANY((9,), 0), W, reference=spectra()),
        case("constant", forward(pad_mode="constant", normalized=True), ANY((2, 9), 0), W,
             reference=spectra("constant", 6**-0.5)),
        case("replicate", forward(pad_mode="replicate", win_length=3), ANY((9,), 0), W[:3],
             reference=spectra("edge")),
        case("circular", forward(pad_mode="circular"), PLANE((2, 9), 0), W,
             reference=spectra("wrap")),
        case("not continued", forward(center=False), ANY((9,), 0), W, reference=spectra("")),
    ]),
    "istft": single([
        case("whole", back(center=False), PLANE((4, 4), 0), W, reference=signal),
        case("center", back(), PLANE((2, 4, 4), 0), W,
             reference=lambda x, w: signal(x, w)[..., 3:-3]),
        case("shorter", back(length=5, normalized=True), PLANE((4, 4), 0), W,
             reference=lambda x, w: signal(x, w)[3:8] * 6**0.5),
        case("all frequencies", back(onesided=False), PLANE((6, 4), 0), W,
             reference=lambda x, w: signal(x[:4], w)[3:-3]),
    ]),
}  # fmt: skip
