"""Products of matrices, functions of them, and Fourier transforms."""

from __future__ import annotations

import contextlib
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import FLOAT32
from gpugrad.backend import composed, cpu
from gpugrad.backend.cuda import cublas, cusolver
from gpugrad.backend.cuda.arrays import astype, from_numpy, to_numpy
from gpugrad.backend.cuda.devices import at_home, device_of
from gpugrad.backend.cuda.formulas import total_of
from gpugrad.kernels import capture, launches
from gpugrad.kernels.summation import product

xp = cupy
Array = Any
Shape = tuple[int, ...]


@at_home
def matmul(a: Array, b: Array) -> Array:
    """Return the matrix product by cuBLAS, stacked over leading dimensions."""
    graph = capture.current()
    if graph is not None and cublas.multiplies(a.dtype):
        launches.add(1)
        return cublas.matmul(a, b, graph)
    if a.dtype.kind == "V" and max(a.ndim, b.ndim) > 2:  # CuPy stacks no bfloat16
        return astype(matmul(astype(a, FLOAT32), astype(b, FLOAT32)), a.dtype)
    launches.add(1)
    return xp.matmul(a, b)


@at_home
def dot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays, without a temporary."""
    return total_of(product(a.dtype.kind == "c"), (a, b), a.dtype, a.dtype, (0,), ())


@at_home
def vdot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays, of which the first is conjugated."""
    if a.dtype.kind != "c":
        return dot(a, b)
    launches.add(a.size > 0)
    return dot(a.conj(), b)


@at_home
def matrices(name: str, *arrays: Array, **options: Any) -> Any:
    """Return what a function of ``cusolver`` gives of stacks of matrices.

    LAPACK computes what that has not, and where there is nothing to compute or it fails.
    """
    if all(a.size for a in arrays) and not name.startswith("ldl"):
        launches.add(1)
        with contextlib.suppress(np.linalg.LinAlgError):
            return composed.called(cusolver, name, *arrays, **options)
    found = cpu.matrices(name, *(to_numpy(a) for a in arrays), **options)
    where = device_of(arrays[0])
    if isinstance(found, tuple):
        return tuple([from_numpy(f, where) for f in found])
    return from_numpy(found, where)


@at_home
def fft(array: Array, axes: Shape, forward: bool, norm: str) -> Array:
    """Return the Fourier transform along some axes by cuFFT, or its inverse."""
    return _transformed("fftn" if forward else "ifftn", array, None, axes, norm)


@at_home
def rfft(array: Array, axes: Shape, norm: str) -> Array:
    """Return half of the transform of real numbers, along the last of the axes."""
    return _transformed("rfftn", array, None, axes, norm)


@at_home
def irfft(array: Array, axes: Shape, length: int, norm: str) -> Array:
    """Return the real numbers that half of a transform is of, ``length`` along the last axis."""
    sizes = [*(array.shape[k] for k in axes[:-1]), length]
    return _transformed("irfftn", array, sizes, axes, norm)


def _transformed(name: str, array: Array, sizes: Any, axes: Shape, norm: str) -> Array:
    if not array.size:  # which cuFFT refuses
        return xp.asarray(getattr(np.fft, name)(xp.asnumpy(array), sizes, axes, norm))
    return by_cufft(name, array, sizes, axes, norm)


def by_cufft(name: str, array: Array, sizes: Any, axes: Shape, norm: str) -> Array:
    """Return a transform by CuPy; it counts as one kernel, with what is copied and divided."""
    launches.add(1)
    return getattr(xp.fft, name)(array, sizes, axes, norm)
