"""Samples of convolutions, and of what is transposed to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _each(given: Any, ndim: int) -> Any:
    return (given,) * ndim if isinstance(given, int) else given


def convolved(
    x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """Return a convolution, one result after the other."""
    ndim = w.ndim - 2
    stride, dilation = _each(stride, ndim), _each(dilation, ndim)
    reach = [d * (k - 1) for k, d in zip(w.shape[2:], dilation, strict=True)]
    pads = [(p, p) for p in _each(0 if padding == "valid" else padding, ndim)] \
        if padding != "same" else [(r // 2, r - r // 2) for r in reach]  # fmt: skip
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    sizes = zip(x.shape[2:], reach, stride, strict=True)
    out = np.zeros((len(x), len(w), *[(n - r - 1) // s + 1 for n, r, s in sizes]), x.dtype)
    inner, outer = w.shape[1], len(w) // groups
    for place in np.ndindex(*out.shape[2:]):
        window = x[
            (
                ...,
                *(
                    slice(p * s, p * s + r + 1, d)
                    for p, s, r, d in zip(place, stride, reach, dilation, strict=True)
                ),
            )
        ]
        for f in range(len(w)):
            group = f // outer
            part = window[:, group * inner : (group + 1) * inner]
            out[(slice(None), f, *place)] = (part * w[f]).reshape(len(x), -1).sum(1)
    return out if b is None else out + b.reshape(-1, *(1,) * ndim)


def transposed(
    x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """Return a transposed convolution, one element after the other."""
    ndim = w.ndim - 2
    stride, padding, more, dilation = (
        _each(n, ndim) for n in (stride, padding, output_padding, dilation)
    )
    reach = [d * (k - 1) for k, d in zip(w.shape[2:], dilation, strict=True)]
    sizes = zip(x.shape[2:], stride, reach, more, strict=True)
    whole = [(n - 1) * s + r + 1 + e for n, s, r, e in sizes]
    inner, outer = x.shape[1] // groups, w.shape[1]
    out = np.zeros((len(x), outer * groups, *whole), x.dtype)
    for place in np.ndindex(*x.shape[2:]):
        where: Any = (
            ...,
            *(
                slice(p * s, p * s + r + 1, d)
                for p, s, r, d in zip(place, stride, reach, dilation, strict=True)
            ),
        )
        for c in range(x.shape[1]):
            group = c // inner
            part = out[:, group * outer : (group + 1) * outer]
            one = x[(slice(None), c, *place)].reshape(-1, *(1,) * (ndim + 1))
            part[where] += one * w[c]
    cut = [slice(p, n - p) for p, n in zip(padding, whole, strict=True)]
    out = out[(slice(None), slice(None), *cut)]
    return out if b is None else out + b.reshape(-1, *(1,) * ndim)


def _samples(name: str, ndim: int, reference: Any) -> list[Sample]:
    """Return samples over so many dimensions; few over others than two."""
    transposes = "transpose" in name

    def one(
        label: str, channels: int = 2, filters: int = 3, bias: bool = False, draw: Any = ANY,
        unbatched: bool = False, layout: str = "plain", **options: Any,
    ) -> Sample:  # fmt: skip
        groups = options.get("groups", 1)
        shape = (2, channels, *(4, 5, 3)[:ndim])
        kernel = (3, 2, 2)[:ndim]
        filter_shape = (filters, channels // groups, *kernel)
        if transposes:
            filter_shape = (channels, filters // groups, *kernel)
        inputs = [draw(shape[1:] if unbatched else shape, 0), draw(filter_shape, 1)]
        inputs += [draw((filters,), 2)] * bias

        def call(lib: Any, *given: Any) -> Any:
            return getattr(lib, name)(*given, **options)

        def expected(x: Any, *given: Any) -> Any:
            return reference(x[None], *given, **options)[0] if unbatched else \
                reference(x, *given, **options)  # fmt: skip

        return case(label, call, *inputs, reference=expected, layout=layout)

    found = [one("plain"), one("stride and padding", bias=True, stride=2, padding=1)]
    if ndim != 2:
        return found
    found += [
        one("dilation", stride=1, padding=(1, 2), dilation=(1, 2)),
        one("groups", channels=4, filters=4, groups=2, bias=True, stride=(2, 1)),
        one("many channels", channels=10, filters=2, padding=1, bias=True),
        one("an example", unbatched=True, bias=True),
        one("transposed", layout="transposed"),
        one("complex", bias=True, draw=PLANE, stride=2),
    ]
    if transposes:
        found += [one("output padding", stride=3, dilation=2, output_padding=(1, 2)),
                  one("much padding", padding=2)]  # fmt: skip
    else:
        found += [one("same", padding="same", dilation=2), one("valid", padding="valid"),
                  one("every channel alone", channels=3, filters=3, groups=3),
                  one("no filters of more", channels=9, filters=4, stride=2)]  # fmt: skip
    return found


X, W = ANY((2, 2, 4), 0), ANY((3, 2, 2), 1)


def _tbc(x: Any, w: Any, b: Any) -> Any:
    out = convolved(x.transpose(1, 2, 0), w.transpose(2, 1, 0), b, padding=1)
    return out.transpose(2, 0, 1)


SAMPLES: dict[str, list[Sample]] = {
    **{f"conv{n}d": _samples(f"conv{n}d", n, convolved) for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _samples(f"conv_transpose{n}d", n, transposed) for n in (1, 2, 3)},
    "convolution": [
        case("plain", lambda lib, x, w: lib.convolution(x, w, None, [1], [1], [1], False, [0], 1),
             X, W, reference=lambda x, w: convolved(x, w, padding=1)),
        case("transposed", lambda lib, x, w: lib.convolution(x, w, None, [2], [0], [1], True, [1],
                                                             1),
             X, ANY((2, 3, 2), 1),
             reference=lambda x, w: transposed(x, w, stride=2, output_padding=1)),
    ],
    "conv_tbc": [
        case("plain", lambda lib, x, w, b: lib.conv_tbc(x, w, b, 1), ANY((4, 2, 3), 0),
             ANY((2, 3, 2), 1), ANY((2,), 2), reference=_tbc),
    ],
}  # fmt: skip
