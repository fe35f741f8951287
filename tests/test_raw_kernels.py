"""Kernels that are launched by hand, on both devices; on the CPU by a C++ compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.backend import compiler
from gpugrad.kernel import host
from gpugrad.testing import assert_agree


def _missing() -> str:
    try:
        compiler.found()
    except compiler.BuildError as why:
        return str(why)
    return ""


pytestmark = pytest.mark.skipif(bool(_missing()), reason=_missing() or "there is a compiler")

TEXT = r"""
__device__ double square(double v) { return v * v; }

extern "C" __global__ void sines(
    const double *__restrict__ x, const double *y, double *out, const int n, float scale) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;  // __syncthreads() is not called
  if (i < n) out[i] = sin(x[i]) * square(y[i]) * scale;
}

extern "C" __global__ void slopes(
    const double *g, const double *x, const double *y, double *to_x, double *to_y, int n,
    float scale) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    to_x[i] = g[i] * cos(x[i]) * square(y[i]) * scale;
    to_y[i] = g[i] * sin(x[i]) * 2 * y[i] * scale;
  }
}

extern "C" __global__ void histogram(const long long *bins, float *sums, int n) {
  const int i = (blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x * blockDim.y
      + threadIdx.y * blockDim.x + threadIdx.x;
  if (i < n) atomicAdd(&sums[bins[i]], WEIGHT);
}

extern "C" __global__ void functions(const double *x, double *out) {
  const float h = x[1];
  out[0] = max(1, 2.5) + min(2.0f, 3.0f) + abs(-1.5) + fabs(x[0]) + rsqrt(4.0) + __expf(0.0f);
  out[1] = fmaf(h, 2.0f, 1.0f) + (isnan(x[0]) ? 1 : 0) + pow(x[1], 3.0) + __ldg(&x[1]) + warpSize;
  out[2] = atomicMax(&out[3], 7.0) + atomicExch(&out[4], 2.0) + atomicSub(&out[4], 0.5);
}

extern "C" __global__ void reversed(const double *x, double *out) {
  __shared__ double row[8];
  row[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = row[7 - threadIdx.x];
}
"""


def kernel(name: str) -> Any:
    text = TEXT if name == "reversed" else TEXT[: TEXT.index('extern "C" __global__ void reversed')]
    text = text.replace("// __syncthreads() is not called", "/* __syncthreads() */")
    return gpugrad.RawKernel(text, name, ("-DWEIGHT=0.5f", "--use_fast_math")[:1])


SINES, SLOPES = kernel("sines"), kernel("slopes")


def slope(g: Any, x: Any, y: Any, scale: Any) -> Any:
    found = np.empty_like(x), np.empty_like(x)
    SLOPES((2,), (4,), (g, x, y, *found, np.int32(x.size), np.float32(scale)))
    return found


@gpugrad.raw_kernel(backward=slope, host=True)
def sine(x: Any, y: Any, scale: Any = 1.0) -> Any:
    out = np.empty_like(x)
    SINES((-(-x.size // 4),), (4,), (x, y, out, np.int32(x.size), np.float32(scale)))
    return out


def test_one_text_runs_on_both_devices_with_its_gradient(device: str) -> None:
    x, y = (
        gpugrad.tensor(v, dtype=gpugrad.float64, device=device, requires_grad=True)
        for v in ([0.5, 1.0, -2.0, 3.0, 0.1], [1.0, -2.0, 0.5, 2.0, 3.0])
    )
    found = sine(x, y, 0.5)
    wanted = x.sin() * y.square() * 0.5
    assert found.device.type == device
    assert_agree(found, wanted)
    for ours, theirs in zip(
        gpugrad.autograd.grad(found.sum(), (x, y)), gpugrad.autograd.grad(wanted.sum(), (x, y)),
        strict=True,
    ):  # fmt: skip
        assert_agree(ours, theirs)
    assert sine.gradcheck(x, y)


def test_threads_and_blocks_of_several_axes_and_options() -> None:
    bins, sums = np.array([0, 1, 1, 2, 1, 0, 2, 2, 2, 0]), np.zeros(3, np.float32)
    kernel("histogram")((2, 1), (2, 3, 1), (bins, sums, np.int32(10)))
    assert sums.tolist() == [1.5, 1.5, 2.0]


def test_functions_of_cuda_are_there() -> None:
    x, out = np.array([-1.0, 2.0]), np.zeros(5)
    kernel("functions")((1,), (1,), (x, out))
    assert out.tolist() == [2.5 + 2 + 1.5 + 1 + 0.5 + 1, 5 + 8 + 2 + 32, 2.0, 7.0, 1.5]


X = np.ones(8)
REFUSED: dict[str, tuple[type[Exception], str, Callable[[], Any]]] = {
    "a tensor": (TypeError, "whose gradient would be lost",
                 lambda: SINES((1,), (4,), (gpugrad.ones(2), X, X, 8, np.float32(1)))),
    "too few": (TypeError, "takes 5 arguments, and got 3", lambda: SINES((1,), (4,), (X, X, X))),
    "shared memory": (NotImplementedError, "'__shared__': threads that wait",
                      lambda: kernel("reversed")((1,), (8,), (X, X.copy()))),
    "given memory": (NotImplementedError, "shared memory",
                     lambda: SINES((1,), (4,), (X, X, X, 8, np.float32(1)), shared_mem=8)),
    "a mistake": (RuntimeError, "does not compile for the CPU:(.|\n)*missing",
                  lambda: gpugrad.RawKernel(
                      'extern "C" __global__ void f(int n) { missing(n); }', "f"
                  )((1,), (1,), (X,))),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_run_on_the_cpu_says_why(name: str) -> None:
    kind, text, call = REFUSED[name]
    with pytest.raises(kind, match=text):
        call()


def test_without_a_compiler_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "_found", lambda: "there is no compiler: c++ or g++")
    host._built.cache_clear()
    with pytest.raises(NotImplementedError, match=r"no form on the CPU: there is no compiler"):
        SINES((1,), (4,), (X, X, X, 8, np.float32(1)))
    host._built.cache_clear()
