"""Convolutions, pools, padding and resizing: words of errors, singular windows, and loops."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from snippets import ours

import choice
import gpugrad
from comparison import pytorch
from gpugrad.backend import compiler, convolution, pooling

# Calls that PyTorch refuses; r makes numbers of a shape, and i integers.
WRONG = """
F.conv2d(r(2, 3), r(4, 3, 3, 3))
F.conv1d(r(1, 3, 3, 3), r(4, 3, 3))
F.conv2d(r(1, 3, 8, 8), r(4, 2, 3, 3))
F.conv2d(r(1, 4, 8, 8), r(3, 2, 3, 3), groups=2)
F.conv2d(r(1, 4, 8, 8), r(1, 2, 3, 3), groups=2)
F.conv2d(r(1, 4, 8, 8), r(4, 2, 3, 3), groups=0)
F.conv2d(r(1, 3, 8, 8), r(4, 3, 3, 3), r(5))
F.conv2d(r(1, 3, 2, 2), r(4, 3, 3, 3))
F.conv3d(r(1, 3, 2, 2, 2), r(4, 3, 3, 3, 3))
F.conv2d(r(1, 3, 8, 8), r(4, 3, 3, 3), stride=0)
F.conv2d(r(1, 3, 8, 8), r(4, 3, 3, 3), padding=-1)
F.conv2d(r(1, 3, 8, 8), r(4, 3, 3, 3), dilation=0)
F.conv2d(r(1, 3, 8, 8), r(4, 3, 3, 3), stride=(1, 1, 1))
F.conv2d(r(1, 3, 8, 8), r(4, 3, 3, 3), padding='foo')
F.conv2d(r(1, 3, 8, 8), r(4, 3, 3, 3), padding='same', stride=2)
F.conv2d(r(1, 3, 8, 8), r(4, 3, 3, 3).double())
F.conv2d(r(1, 3, 8, 8), r(4, 3, 3, 3), r(4).double())
F.conv2d(r(1, 3, 8, 8) > 0, r(4, 3, 3, 3) > 0)
F.conv2d(r(1, 3, 8, 8), r(4, 3, 0, 3))
F.conv1d(r(1, 3, 0), r(2, 3, 1), padding=1)
F.conv3d(r(3, 4, 0, 2), r(2, 3, 1, 1, 1), padding=1)
F.conv_transpose2d(r(1, 4, 0, 8), r(4, 3, 3, 3))
F.conv_transpose2d(r(1, 3, 8, 8), r(4, 3, 3, 3))
F.conv_transpose2d(r(1, 4, 8, 8), r(4, 3, 3, 3), output_padding=1)
F.conv_transpose2d(r(1, 4, 8, 8), r(4, 3, 3, 3), output_padding=-1)
F.conv_transpose2d(r(1, 4, 8, 8), r(4, 3, 3, 3), r(4))
F.conv_transpose2d(r(1, 4, 8, 8), r(4, 3, 3, 3), padding=9)
F.conv_transpose1d(r(1, 4, 8), r(4, 3, 3), stride=2, dilation=3, output_padding=3)
F.conv_tbc(r(5, 2, 3), r(3, 2, 4), r(4))
F.conv_tbc(r(5, 2, 3), r(3, 3, 4), r(3))
F.max_pool2d(r(2, 3), 2)
F.max_pool2d(r(2, 3, 4, 4), 2, padding=2)
F.max_pool2d(r(2, 3, 4, 4), 2, stride=0)
F.max_pool2d(r(2, 3, 4, 4), 2, dilation=0)
F.max_pool2d(r(2, 3, 4, 4), 5)
F.max_pool2d(r(2, 3, 4, 4), 2, (1, 1, 1))
F.max_pool2d(r(2, 0, 4, 4), 2)
F.max_pool2d(r(2, 3, 4, 4) > 0, 2)
F.max_pool1d(r(3), 2)
F.max_pool1d(r(3, 4), 5)
F.max_pool1d(r(3, 4), (2, 2))
F.avg_pool1d(r(3), 2)
F.avg_pool1d(r(3, 4), 5)
F.avg_pool2d(r(2, 3, 4, 4), 2, divisor_override=0)
F.avg_pool2d(r(2, 3, 4, 4), (2, 2, 2))
F.avg_pool3d(r(2, 3, 4), 2)
F.adaptive_avg_pool1d(r(3, 4), (2, 2))
F.adaptive_avg_pool2d(r(3, 4, 4), (2, 2, 2))
F.adaptive_avg_pool2d(r(3, 0, 4), (2, 2))
F.adaptive_avg_pool2d(r(3, 4, 4), -1)
F.adaptive_max_pool2d(r(3, 4), 2)
F.adaptive_max_pool2d(i(3, 4, 4), 2)
F.fractional_max_pool2d(r(1, 3, 6, 6), 2)
F.fractional_max_pool2d(r(3, 6, 6), 2, output_size=6)
F.fractional_max_pool2d(r(1, 3, 6, 6), 2, output_size=2, _random_samples=r(1, 2, 2))
F.max_unpool2d(r(1, 1, 2, 2), i(1, 1, 2, 2) + 15, 2)
F.max_unpool2d(r(1, 1, 2, 2), i(1, 1, 2, 2), 2, output_size=(7, 7))
F.max_unpool2d(r(1, 1, 2, 2), i(1, 1, 2, 2).int(), 2)
F.pad(r(2, 3), (1, 1), 'foo')
F.pad(r(2, 3), (1,), 'reflect')
F.pad(r(3), (1, 1), 'reflect')
F.pad(r(2, 3), (3, 1), 'reflect')
F.pad(r(1, 2, 3, 4, 5), (1, 1, 1, 1, 9, 1), 'reflect')
F.pad(r(2, 3), (1, 1), 'reflect', value=1.0)
F.pad(r(2, 3), (4, 1), 'circular')
F.pad(r(2, 3), (-2, -2), 'circular')
F.pad(r(2, 3), (-2, -2), 'replicate')
F.pad(r(2, 0), (1, 1), 'replicate')
F.interpolate(r(1, 2, 4))
F.interpolate(r(1, 2, 4), 3, 2)
F.interpolate(r(1, 2, 4), (3, 3))
F.interpolate(r(1, 2, 4), scale_factor=(3, 3))
F.interpolate(r(1, 2, 4), 3, mode='bilinear')
F.interpolate(r(1, 2, 4, 4), 3, mode='foo')
F.interpolate(r(1, 2, 4, 4), 3, align_corners=True)
F.interpolate(r(1, 2, 4), 3, mode='linear', antialias=True)
F.interpolate(r(1, 2, 4), 0)
F.interpolate(r(1, 2, 4), size=3, recompute_scale_factor=True)
F.interpolate(r(1, 2, 4, 4), 3, mode='lanczos')
F.grid_sample(r(1, 2, 4, 4), r(2, 3, 3, 2), align_corners=False)
F.grid_sample(r(1, 2, 4, 4), r(1, 3, 3, 3), align_corners=False)
F.grid_sample(r(1, 2, 0, 4), r(1, 3, 3, 2), align_corners=False)
F.grid_sample(r(1, 2, 4, 4), r(1, 3, 3, 2), mode='foo', align_corners=False)
F.grid_sample(r(1, 2, 4, 4, 4), r(1, 3, 3, 3, 3), mode='bicubic', align_corners=False)
F.affine_grid(r(1, 2, 4), (1, 1, 4, 4), align_corners=False)
F.affine_grid(r(1, 2, 3), (1, 1, 0, 4), align_corners=False)
F.pixel_shuffle(r(1, 6, 2, 2), 2)
F.pixel_unshuffle(r(1, 2, 3, 4), 2)
F.channel_shuffle(r(1, 4, 2, 2), 3)
F.unfold(r(1, 2, 4, 4), 5)
F.unfold(r(1, 2, 4, 4), 2, stride=0)
F.unfold(r(1, 2, 4, 4), (2, 2, 2))
F.fold(r(1, 7, 9), 4, 2)
F.fold(r(1, 8, 8), 4, 2)
nn.Conv2d(3, 4, 3, groups=2)
nn.Conv2d(4, 3, 3, groups=2)
nn.Conv2d(3, 4, 3, groups=0)
nn.Conv2d(3, 4, 3, 2, padding='same')
nn.ConvTranspose2d(3, 4, 3, padding_mode='reflect')
nn.ConvTranspose2d(3, 4, 3, 2)(r(1, 3, 4, 4), output_size=(20, 9))
nn.LazyConv2d(4, 3)(r(3, 3))
nn.CircularPad2d(1)(r(3, 3))
nn.FractionalMaxPool2d(2)
nn.FractionalMaxPool2d(2, output_ratio=1.5)
""".strip().splitlines()


def _refused(library: Any, call: str) -> tuple[type[BaseException], str]:
    names = {
        "F": library.nn.functional, "nn": library.nn, "r": library.randn,
        "i": lambda *shape: library.ones(shape, dtype=library.int64),
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as caught:  # noqa: PT011
            eval(call, names)
    return caught.type, str(caught.value)


@pytest.mark.parametrize("call", WRONG)
def test_what_does_not_fit_is_refused_in_pytorchs_words(call: str) -> None:
    kind, text = _refused(pytorch(), call)
    assert _refused(gpugrad, call) == (kind, ours(text))


def test_maxima_of_nan_and_of_infinities_are_pytorchs() -> None:
    """Of several nan the last is found; where all are -inf the first that is no padding."""
    torch = pytorch()
    x = np.array([[np.nan, 1, -np.inf, -np.inf, 3], [2, np.nan, -np.inf, -np.inf, np.inf],
                  [np.nan, np.nan, 0, -0.0, np.inf], [1, 1, 1, 1, 1.0]])[None]  # fmt: skip
    cases: list[dict[str, Any]] = [
        {"kernel_size": 2}, {"kernel_size": 3, "stride": 1, "padding": 1},
    ]  # fmt: skip
    for options in cases:
        expected, places = torch.nn.functional.max_pool2d(
            torch.tensor(x), return_indices=True, **options
        )
        found = gpugrad.nn.functional.max_pool2d(gpugrad.tensor(x), return_indices=True, **options)
        np.testing.assert_array_equal(found[0].numpy(), expected.numpy())
        np.testing.assert_array_equal(found[1].numpy(), places.numpy())


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_bytes_are_resized_to_pytorchs_bytes(mode: str, antialias: bool) -> None:
    torch = pytorch()
    for before, after in ((30, 30), (13, 17)), ((5, 9), (23, 17)):
        x = np.random.default_rng(0).integers(0, 256, (2, 3, *before), np.uint8)
        options: dict[str, Any] = {"mode": mode, "antialias": antialias}
        expected = torch.nn.functional.interpolate(torch.tensor(x), after, **options)
        found = gpugrad.nn.functional.interpolate(gpugrad.tensor(x), after, **options)
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


def _has_compiler() -> bool:
    try:
        compiler.found()
    except compiler.BuildError:
        return False
    return True


CONVOLUTIONS: list[tuple[Any, Any, Any]] = [
    ((2, 3, 9, 17), (20, 3, 3, 3), {"padding": 1}),
    ((2, 5, 9, 33), (7, 5, 5, 5), {"stride": (2, 1)}),
    ((1, 4, 8, 16), (33, 4, 2, 2), {"stride": 2, "padding": (0, 1), "dilation": (2, 1)}),
    ((3, 2, 7, 6), (4, 2, 3, 2), {"dilation": 2, "padding": 2}),
    ((2, 6, 19), (5, 6, 3), {"padding": "same"}),
    ((2, 4, 9, 9), (8, 2, 3, 3), {"stride": 2, "padding": 1, "groups": 2}),
    ((3, 6, 8, 19), (6, 1, 3, 3), {"stride": (1, 2), "padding": 1, "groups": 6}),
    ((2, 3, 5, 6, 7), (4, 3, 2, 3, 2), {"stride": (1, 2, 1), "dilation": (1, 1, 2)}),
    ((2, 6, 6, 7), (9, 2, 1, 1), {"groups": 3}),
    ((7, 3, 3), (9, 3, 3), {"padding": 3, "stride": 2}),
]

TOLERANCES = {"float64": 1e-11, "float32": 1e-4, "float16": 1e-3, "bfloat16": 8e-3}


def convolved(
    shape: Any, filters: Any, options: Any, transposes: bool, dtype: str, device: str
) -> list[Any]:
    """Return a convolution with a bias and its gradients, in double precision."""
    random = np.random.default_rng(0)
    if transposes:  # of results of the convolution's shape, which is given anything
        options = {k: 1 if v == "same" else v for k, v in options.items()}
        shape = (shape[0], filters[0], *shape[2:])
    biases = filters[1] * options.get("groups", 1) if transposes else filters[0]
    kind = getattr(gpugrad, dtype)
    x, w, b = (
        gpugrad.tensor(random.standard_normal(s).round(1), device=device).to(kind).requires_grad_()
        for s in (shape, filters, (biases,))
    )
    convolve = getattr(gpugrad, f"conv{'_transpose' if transposes else ''}{len(shape) - 2}d")
    out = convolve(x, w, b, **options)
    (out * out).sum().backward()
    found: list[Any] = [out, x.grad, w.grad, b.grad]
    return [t.detach().cpu().double().numpy() for t in found]


@pytest.mark.skipif(not _has_compiler(), reason="there is no C++ compiler")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "filters", "options"), CONVOLUTIONS)
@pytest.mark.parametrize("transposes", [False, True])
def test_loops_give_what_matrices_give(
    shape: Any,
    filters: Any,
    options: Any,
    transposes: bool,
    dtype: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results = []
    for least in 1, 1 << 62:
        monkeypatch.setattr(convolution, "LEAST", least)
        results.append(convolved(shape, filters, options, transposes, dtype, "cpu"))
    tolerance = TOLERANCES[dtype]
    for mine, expected in zip(*results, strict=True):
        np.testing.assert_allclose(mine, expected, tolerance, tolerance * np.abs(expected).max())


# with tiles of filters, parts of the sums of weights, and both pads and gaps in one dimension
MORE = [
    ((2, 3, 13, 12), (70, 3, 3, 3), {"padding": 1}),
    ((3, 2, 40, 33), (3, 2, 2, 2), {}),
    ((2, 4, 6), (40, 2, 3), {"groups": 2, "padding": 4, "dilation": 3}),
]
KINDS = list(itertools.product(TOLERANCES, (False, True)))


@pytest.mark.cuda
@pytest.mark.parametrize(("case", "kind"), choice.pairs([*CONVOLUTIONS, *MORE], KINDS, 2))
def test_a_kernel_gives_what_matrices_give(
    case: Any, kind: tuple[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tile, a part or a group that is read or written at another place than its own."""
    from gpugrad.kernels import convolution

    (shape, filters, options), (dtype, transposes) = case, kind
    given = shape, filters, options, transposes, dtype, "cuda"
    found = convolved(*given)
    monkeypatch.setattr(convolution, "COLUMNS", 0)
    monkeypatch.setattr(convolution, "PRODUCTS", 0)
    tolerance = TOLERANCES[dtype]  # halves may be at the other side of a tie
    for mine, expected in zip(found, convolved(*given), strict=True):
        np.testing.assert_allclose(mine, expected, tolerance, tolerance * np.abs(expected).max())


@pytest.mark.skipif(not _has_compiler(), reason="there is no C++ compiler")
def test_what_no_window_has_does_not_reach_a_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "LEAST", 1)
    x = np.ones((1, 1, 10), np.float32)
    x[..., 9] = np.inf  # of the last window, times the last element of the filter
    w = gpugrad.tensor(np.ones((1, 1, 2), np.float32), requires_grad=True)
    (found,) = gpugrad.autograd.grad(gpugrad.conv1d(gpugrad.tensor(x), w).sum(), w)
    np.testing.assert_array_equal(found.numpy(), [[[9, np.inf]]])


@pytest.mark.skipif(not _has_compiler(), reason="there is no C++ compiler")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("ndim", "shape", "options"),
    [
        (1, (2, 3, 9), {"kernel_size": 2}),
        (2, (2, 3, 9, 8), {"kernel_size": (3, 2), "stride": 1, "padding": 1}),
        (2, (2, 9, 8), {"kernel_size": 2, "dilation": 2, "ceil_mode": True}),
        (3, (2, 1, 5, 4, 6), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ],
)
def test_loops_find_the_maxima_that_numpy_finds(
    ndim: int, shape: Any, options: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = np.random.default_rng(0).integers(-3, 3, shape).astype(dtype)  # with ties
    array.reshape(-1)[[3, 7, 8]] = np.nan
    results = []
    for least in 1, 1 << 62:
        monkeypatch.setattr(pooling, "LEAST", least)
        x = gpugrad.tensor(array, requires_grad=True)
        pool = getattr(gpugrad.nn.functional, f"max_pool{ndim}d")
        out, places = pool(x, return_indices=True, **options)
        (out * out).sum().backward()
        found: list[Any] = [out, places, x.grad]
        results.append([t.detach().numpy() for t in found])
    for mine, expected in zip(*results, strict=True):
        np.testing.assert_array_equal(mine, expected)
