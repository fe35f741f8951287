"""``gpugrad.scipy.signal`` beside SciPy."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.testing import check_gradient

pytest.importorskip("scipy")

import scipy.signal

from gpugrad.scipy import signal

rng = np.random.default_rng(0)
PAIRS = [((4,), (3,)), ((3,), (6,)), ((5, 4), (2, 3)), ((4, 3), (4, 3)), ((2, 3), (5, 4))]


def tensor(value: Any) -> gpugrad.Tensor:
    return gpugrad.tensor(np.asarray(value))


@pytest.mark.parametrize("shapes", PAIRS, ids=str)
@pytest.mark.parametrize("mode", ["full", "valid", "same"])
@pytest.mark.parametrize("method", ["direct", "fft"])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_values_are_scipys_and_derivatives(name: str, method: str, mode: str, shapes: Any) -> None:
    ours, theirs = getattr(signal, name), getattr(scipy.signal, name)
    for scale in (1.0, 1.0 + 0.5j):
        a, b = (rng.normal(size=s) * scale for s in shapes)
        np.testing.assert_allclose(
            ours(a, b, mode, method).numpy(), theirs(a, b, mode, method), atol=1e-12
        )
        check_gradient(lambda a, b: ours(a, b, mode, method), [tensor(a), tensor(b)], 2)
    whole = [rng.integers(-5, 5, s) for s in shapes]
    found = ours(*whole, mode, method)
    np.testing.assert_array_equal(found.numpy(), theirs(*whole, mode, method))
    assert found.dtype == whole[0].dtype


SOME_AXES = [((4, 5), (4, 3)), ((4, 3), (4, 5)), ((1, 5), (4, 3)), ((4, 5), (1, 3)),
             ((3, 1), (3, 4)), ((4, 5), (2, 5))]  # fmt: skip


@pytest.mark.parametrize("shapes", SOME_AXES, ids=str)
@pytest.mark.parametrize("mode", ["full", "valid", "same"])
@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
def test_some_axes_are_transformed_and_others_broadcast(name: str, mode: str, shapes: Any) -> None:
    ours, theirs = getattr(signal, name), getattr(scipy.signal, name)
    for scale, axes in itertools.product((1.0, 1.0 + 0.5j), (1, [1], -1, [0, 1], (0,), None)):
        a, b = (rng.normal(size=s) * scale for s in shapes)
        try:
            wanted = theirs(a, b, mode, axes)
        except ValueError as error:
            with pytest.raises(ValueError, match=re.escape(str(error)[:30])):
                ours(a, b, mode, axes)
            continue
        found = ours(a, b, mode, axes)
        assert tuple(found.shape) == wanted.shape
        np.testing.assert_allclose(found.numpy(), wanted, atol=1e-12)
        check_gradient(lambda a, b, axes=axes: ours(a, b, mode, axes), [tensor(a), tensor(b)], 2)


IMAGES = [((4, 5), (3, 2)), ((2, 3), (4, 5)), ((3, 3), (3, 3))]


@pytest.mark.parametrize("shapes", IMAGES, ids=str)
@pytest.mark.parametrize("mode", ["full", "valid", "same"])
@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("name", ["convolve2d", "correlate2d"])
def test_images_go_on_at_their_boundary(name: str, boundary: str, mode: str, shapes: Any) -> None:
    ours, theirs = getattr(signal, name), getattr(scipy.signal, name)
    for scale in (1.0, 1.0 + 0.5j):
        a, b = (rng.normal(size=s) * scale for s in shapes)
        fill = 1.5 if boundary == "fill" else 0
        found = ours(a, b, mode, boundary, fill)
        np.testing.assert_allclose(found.numpy(), theirs(a, b, mode, boundary, fill), atol=1e-12)
        check_gradient(lambda a, b: ours(a, b, mode, boundary), [tensor(a), tensor(b)], 2)


def test_axes_are_convolved_summed_and_kept() -> None:
    a, b = rng.normal(size=(2, 5, 4, 3)), rng.normal(size=(2, 4, 2, 3, 2))
    for mode in ("full", "valid", "same"):
        options: Any = {"axes": ([1, 2], [2, 4]), "dot_axes": ([0, 3], [0, 3]), "mode": mode}
        found = signal.convolve(a, b, **options)
        for k in range(4):
            parts = [
                scipy.signal.convolve(a[i, :, :, j], b[i, k, :, j, :], mode)
                for i in range(2) for j in range(3)
            ]  # fmt: skip
            np.testing.assert_allclose(found[k].numpy(), sum(parts))
        np.testing.assert_allclose(
            signal.convolve(a, b, method="fft", **options).numpy(), found.numpy(), atol=1e-12
        )
    only_summed = signal.convolve(a, b, axes=([], []), dot_axes=([0], [0]))
    np.testing.assert_allclose(only_summed.numpy(), np.tensordot(a, b, ([0], [0])))
    check_gradient(
        lambda a, b: signal.convolve(a, b, axes=([1], [2]), dot_axes=([0], [0])),
        [tensor(a), tensor(b)],
    )


def test_long_arrays_are_transformed_and_wrong_ones_refused() -> None:
    a, b = rng.normal(size=3000), rng.normal(size=2000)
    np.testing.assert_allclose(signal.convolve(a, b).numpy(), np.convolve(a, b), atol=1e-10)
    np.testing.assert_allclose(signal.fftconvolve(a, b, "same").numpy(),
                               scipy.signal.fftconvolve(a, b, "same"), atol=1e-10)  # fmt: skip
    for message, call in {
        "mode": lambda: signal.convolve(a, b, "some"),
        "method": lambda: signal.convolve(a, b, "full", "some"),
        "as large": lambda: signal.convolve(np.ones((2, 5)), np.ones((3, 4)), "valid"),
        "same dimensionality, but": lambda: signal.convolve(a, np.ones((2, 2))),
        "2-D": lambda: signal.convolve2d(a, b),
        "boundary flags": lambda: signal.convolve2d(np.ones((2, 2)), np.ones((2, 2)), "full", "x"),
        "cannot be empty": lambda: signal.fftconvolve(a, b, "full", []),
        "incompatible shapes": lambda: signal.fftconvolve(np.ones((2, 2)), np.ones((3, 2)), axes=1),
        "same dimensionality": lambda: signal.fftconvolve(a, np.ones((2, 2))),
        "named twice": lambda: signal.convolve(a, b, axes=([0], [0]), dot_axes=([0], [0])),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()  # type: ignore[no-untyped-call]
