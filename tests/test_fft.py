"""Fourier transforms: by NumPy and by SciPy, of large arrays, and their frequencies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad.backend import spectrum
from gpugrad.testing import assert_agree


@pytest.mark.parametrize("scipys", [True, False], ids=["any", "NumPy's"])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1), (1, 0)])
@pytest.mark.parametrize("shape", [(40, 41), (41, 40)])
def test_large_arrays_are_transformed_as_well_as_small_ones(
    shape: Any, axes: Any, scipys: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not scipys:
        monkeypatch.setattr(spectrum, "_scipys", lambda: None)
    random = np.random.default_rng(0)
    real = random.standard_normal(shape).astype(np.float32)
    plane = real + 1j * random.standard_normal(shape).astype(np.float32)
    t: Any = gpugrad
    for x in real, plane, plane.astype(np.complex128):
        kind = np.result_type(x, np.complex64)
        for name in "fftn", "ifftn":
            result = getattr(t.fft, name)(t.from_numpy(x), dim=axes)
            expected = getattr(np.fft, name)(x.astype(np.complex128), axes=axes)
            assert_agree(result, expected.astype(kind), 1e-5, 1e-4)
    half = t.fft.rfftn(t.from_numpy(real), dim=axes)
    assert_agree(half, np.fft.rfftn(real.astype(float), axes=axes).astype(np.complex64), 1e-5, 1e-4)
    lengths = [shape[k] for k in axes]
    assert_agree(t.fft.irfftn(half, lengths, axes), real, 1e-5, 1e-5)


@pytest.mark.parametrize("n", [0, 1, 4, 5])
def test_frequencies_are_pytorchs(n: int, device: str) -> None:
    torch = pytorch()
    options: dict[str, Any]
    for name in "fftfreq", "rfftfreq":
        for options, kind in ({}, ""), ({"d": 0.3}, ""), ({"d": 2.0}, "float64"), ({}, "float16"):
            ours, theirs = dict(options), dict(options)
            if kind:
                ours["dtype"], theirs["dtype"] = getattr(gpugrad, kind), getattr(torch, kind)
            result = getattr(gpugrad.fft, name)(n, **ours, device=device)
            assert result.device.type == device
            assert_agree(result, getattr(torch.fft, name)(n, **theirs))


@pytest.mark.parametrize("norm", [None, "forward", "backward", "ortho"])
def test_the_inverse_of_a_transform_is_what_it_is_of(norm: Any, device: str) -> None:
    t: Any = gpugrad
    x = t.randn(3, 5, 6, dtype=t.float64, device=device)
    assert_agree(t.fft.ifftn(t.fft.fftn(x, norm=norm), norm=norm).real, x)
    assert_agree(t.fft.irfft2(t.fft.rfft2(x, norm=norm), s=(5, 6), norm=norm), x)
    assert_agree(t.fft.hfft(t.fft.ihfft(x, norm=norm), n=6, norm=norm), x)
    assert_agree(t.fft.ifftshift(t.fft.fftshift(x)), x)
