"""The functions of gpugrad.numpy beside NumPy's: values, types, shapes and gradients of each."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpugrad
import gpugrad.numpy as gnp
from gpugrad.testing import (
    as_numpy,
    assert_agree,
    check_gradient,
    flat,
    gradients,
    leaves,
    random_like,
)

draw = np.random.default_rng(3)
_SQUARE = draw.uniform(-1, 1, (3, 3))
DATA: dict[str, Any] = {
    "x": draw.permutation(12).reshape(3, 4) * 0.25 + 0.3 - 1.5,
    "y": np.array([0.7, -1.15, 0.4, 2.1]),
    "u": np.array([0.5, 1.5, -0.5, 2.5, 1.0]),
    "v": np.array([0.2, -0.3, 0.9]),
    "t": draw.permutation(24).reshape(2, 3, 4) * 0.1 - 1.03,
    "m": _SQUARE + 3 * np.eye(3),
    "h": _SQUARE @ _SQUARE.T + np.diag([1.0, 2.0, 3.5]),
    "z": draw.uniform(-1, 1, (3, 4)) + 1j * draw.uniform(-1, 1, (3, 4)),
    "c": draw.uniform(-1, 1, (3, 3)) + 1j * draw.uniform(-1, 1, (3, 3)) + 3 * np.eye(3),
    "p": np.array([0.1, 0.5, 1.2, 2.0, 3.5]),  # grows
    "q": np.array([0.33, 0.62]),
    "s": np.array(0.83),
    "n": np.array([[1.0, np.nan, 3.0, 2.0], [np.nan, 5.0, 0.5, -1.0], [4.0, 2.5, np.nan, 0.1]]),
    "i": np.array([[3, 1, 2, 0], [5, 4, 7, 6], [2, 2, 9, 8]]),
    "j": np.array([2, 0, 1, 1, 3]),
    "k": np.array([[0, 2], [1, 1], [2, 0]]),
    "b": np.array([[True, False, True, True], [False, True, False, True], [True] * 4]),
    "f": np.array([0.5, 1.25, -2.0], np.float32),
    "e": np.array([[5, 200, 17]], np.uint8),
}

# What is called, one in a line; `np` is NumPy or gpugrad.numpy.
CASES = """
np.sum(x); np.sum(x, axis=1, keepdims=True); np.sum(t, axis=(0, -1)); np.sum(x, 0, where=b)
np.sum(i); np.sum(b); np.sum(f); np.sum(e); np.sum(z, 0); np.sum(x, initial=s); np.sum(x, dtype='f4')
np.prod(x, 1); np.prod(x, where=b); np.prod(t, (0, 2), keepdims=True); np.prod(e, 0); np.prod(z)
np.max(x); np.max(x, 1); np.max(t, (0, 1)); np.max(x, 0, initial=0.2, where=b); np.max(i, 0); np.max(z, 1)
np.amax(x, 0, keepdims=True); np.amin(x); np.min(x, 1, initial=-9.0); np.min(n, 0); np.min(z)
np.all(b, 0); np.any(b, axis=1, keepdims=True); np.all(x); np.any(i, where=b); np.all(x, axis=(0, 1))
np.ptp(x); np.ptp(x, 1); np.ptp(i, 0, keepdims=True)
np.mean(x); np.mean(x, 0); np.mean(i, 1, keepdims=True); np.mean(x, where=b); np.mean(f); np.mean(z, 1)
np.mean(x, 1, where=b); np.mean(e); np.mean(b); np.mean(x, dtype='f4')
np.var(x); np.var(x, 1, ddof=1); np.var(i); np.var(z, 0); np.var(x, where=b); np.var(x, 0, keepdims=True)
np.std(x); np.std(x, 0, ddof=1, keepdims=True); np.std(f); np.std(z); np.std(x, 1, where=b, correction=1)
np.average(x); np.average(x, 1, weights=y); np.average(x, weights=x + 3); np.average(x, 0, v + 2, True)
np.average(i, 1); np.average(t, (0, 1), np.full((2, 3), 0.5) * t[:, :, 0].copy() + 3); np.average(x, 1, keepdims=True)
np.median(x); np.median(x, 1); np.median(u); np.median(i, 0, keepdims=True); np.median(n, 0); np.median(f)
np.median(i[:0], 0); np.median(i[:, :0], 1, keepdims=True); np.nanmedian(i[:0]); np.nanmedian(i[:0], 1)
np.quantile(x, 0.3); np.quantile(x, q, axis=0); np.quantile(x, [0.1, 0.9], 1, keepdims=True)
np.quantile(u, q, method='hazen'); np.quantile(u, q, method='weibull'); np.quantile(u, q, method='lower')
np.quantile(u, q, method='higher'); np.quantile(u, q, method='nearest'); np.quantile(u, q, method='midpoint')
np.quantile(u, q, method='inverted_cdf'); np.quantile(u, [0.2, 0.7], method='averaged_inverted_cdf')
np.quantile(u, [0.3, 0.7], method='closest_observation'); np.quantile(u, q, method='median_unbiased')
np.quantile(u, q, method='interpolated_inverted_cdf'); np.quantile(u, q, method='normal_unbiased')
np.quantile(u, q, weights=j + 1, method='inverted_cdf'); np.quantile(i, 0.5, 1, method='lower')
np.percentile(x, 30); np.percentile(x, [10, 50], axis=1); np.percentile(n, 50, 0); np.percentile(f, 20)
np.nanquantile(n, 0.4, axis=1); np.nanpercentile(n, [25, 75]); np.nanmedian(n, 0); np.nanmedian(x)
np.nansum(n); np.nansum(n, 1); np.nanprod(n, 0); np.nanmax(n, 1); np.nanmin(n); np.nanmean(n, 0)
np.nanvar(n, 1); np.nanstd(n, ddof=1); np.nancumsum(n, 1); np.nancumprod(n); np.nansum(i); np.nanmax(i)
np.nanargmax(n, 1); np.nanargmin(n); np.nanmean(i, 0); np.nanstd(n, 0, keepdims=True)
np.cumsum(x); np.cumsum(x, 1); np.cumprod(x, 0); np.cumsum(e, 1); np.cumprod(i, 1); np.cumsum(b)
np.cumulative_sum(y); np.cumulative_sum(x, axis=1, include_initial=True); np.cumulative_prod(y, dtype='f4')
np.count_nonzero(b); np.count_nonzero(i, 0, keepdims=True)
np.argmax(x); np.argmax(x, 1, keepdims=True); np.argmin(t, 0); np.argsort(x, 1); np.argsort(i, None, stable=True)
np.argpartition(u, 2)[2]; np.argwhere(b); np.nonzero(b); np.flatnonzero(b); np.lexsort((j, u))
np.searchsorted(p, y); np.searchsorted(p, v, side='right'); np.digitize(y, p); np.isin(i, [1, 2])
np.sort(x); np.sort(x, 0); np.sort(x, None); np.sort(z, 1); np.sort(i, 0, stable=True); np.sort_complex(u)
np.sort_complex(z); np.partition(u, 2)[2]
np.unique(i); np.unique(i, True, True, True); np.unique(u); np.unique(k, axis=0); np.sort(np.unique_values(j))
np.unique_counts(j); np.unique_inverse(i); np.unique_all(j)
np.intersect1d(i, j); np.intersect1d(j, [1, 2], return_indices=True); np.union1d(u, y); np.setdiff1d(i, j)
np.setxor1d(j, [1, 7]); np.ediff1d(x); np.ediff1d(y, to_begin=0.5, to_end=v)
np.reshape(x, (2, 6)); np.reshape(x, -1, order='F'); np.reshape(x, (2, -1), copy=True); np.ravel(x)
np.ravel(x, 'F'); np.transpose(t); np.transpose(t, (1, 2, 0)); np.permute_dims(x); np.matrix_transpose(t)
np.swapaxes(t, 0, -1); np.moveaxis(t, 0, -1); np.moveaxis(t, (0, 1), (2, 0)); np.rollaxis(t, 2)
np.rollaxis(t, 0, 3); np.squeeze(x[None]); np.squeeze(x[:, None], 1); np.expand_dims(x, (0, -1))
np.broadcast_to(y, (3, 4)); np.broadcast_arrays(x, y); np.diagonal(x); np.diagonal(t, 1, 1, 2)
np.real(z); np.imag(z); np.real(x); np.imag(x); np.atleast_1d(s, y); np.atleast_2d(y); np.atleast_3d(x)
np.array_split(u, 3); np.array_split(x, [1, 3], axis=1); np.split(y, 2); np.split(x, [1], 0)
np.hsplit(x, 2); np.vsplit(x, 3); np.dsplit(t, 2); np.unstack(x); np.unstack(t, axis=1)
np.concatenate([x, x]); np.concatenate((x, t[0]), axis=1); np.concatenate([x, y], axis=None)
np.concatenate([f, i[0]]); np.concat([x, i], 0); np.concatenate([f, f], dtype='f8'); np.stack([y, y], -1)
np.vstack([y, x]); np.hstack([y, v]); np.hstack([x, x]); np.dstack([x, x]); np.column_stack([y, y])
np.block([[x, x], [x, x]]); np.block([y, v]); np.append(x, y); np.append(x, [y], 0)
np.insert(u, 1, 9.0); np.insert(x, [1, 2], y, 0); np.insert(u, [1, 3], [7, 8]); np.delete(u, [0, -1])
np.delete(x, 1, 1); np.repeat(x, 2); np.repeat(x, [1, 0, 2], 0); np.tile(y, 2); np.tile(x, (2, 1, 2))
np.resize(y, (3, 3)); np.trim_zeros(np.array([0.0, 1.0, 2.0, 0.0])); np.flip(x); np.flip(x, 1)
np.fliplr(x); np.flipud(x); np.rot90(x); np.rot90(t, 2, (1, 2)); np.roll(x, 3); np.roll(x, (1, -2), (0, 1))
np.pad(y, 2); np.pad(x, ((1, 0), (0, 2)), constant_values=s); np.pad(x, 1, 'edge'); np.pad(u, 3, 'reflect')
np.pad(u, 7, 'symmetric'); np.pad(x, (1, 2), 'wrap'); np.pad(u, (2, 3), 'linear_ramp', end_values=(5, -4))
np.pad(x, 1, 'mean'); np.pad(x, 1, 'maximum', stat_length=2); np.pad(x, 1, 'minimum'); np.pad(u, 2, 'median')
np.pad(u, 3, 'reflect', reflect_type='odd'); np.pad(u, 2, 'symmetric', reflect_type='odd'); np.pad(i, 1, 'mean')
np.take(x, j); np.take(x, [0, 2], 0); np.take(x, k, 1, mode='wrap'); np.take(x, 9, mode='clip')
np.take_along_axis(x, k, 1); np.take_along_axis(x, np.argsort(x, 0), 0); np.compress([True, False, True], x, 0)
np.extract(b, x); np.where(b, x, y); np.where(b, f[:, None], 2); np.where(b); np.where(i > 2, i, 0.5)
np.choose(k, [v[:, None], 2 * v[:, None], -v[:, None]]); np.choose(j, [1, 2, 3], mode='clip')
np.select([x > 1, x > 0], [x, x * 2], 0.5); np.select([b], [i]); np.piecewise(y, [y < 0, y > 1], [lambda r: r * r, 3.0, lambda r: -r])
np.piecewise(x, [x > 0], [1, -1]); np.clip(x, 0, 1); np.clip(x, None, y); np.clip(i, 2, 5); np.clip(x, y - 2, s)
np.clip(x, min=0.1); np.clip(f, 0, 1); np.clip(x, max=s); np.diff(x); np.diff(x, 2, 0); np.diff(y, prepend=0, append=v)
np.diff(b); np.diff(i, axis=0); np.gradient(y); np.gradient(x); np.gradient(x, 0.5, axis=1); np.gradient(u, p)
np.gradient(x, 2.0, v[:1][0] + 1); np.gradient(u, p, edge_order=2); np.gradient(t, axis=(1, 2), edge_order=2)
np.trapezoid(y); np.trapezoid(x, dx=0.5); np.trapezoid(u, p); np.trapezoid(x, v, axis=0)
np.unwrap(u * 5); np.unwrap(x * 3, axis=0); np.unwrap(i, period=4)
np.interp(y, p, u); np.interp(y, p, u, left=-1, right=s); np.interp(y, p, u, period=5.0); np.interp(x, p, z[0, :1].repeat(5))
np.convolve(u, v); np.convolve(v, u, 'same'); np.convolve(u, v, 'valid'); np.convolve(j, [1, 2])
np.correlate(u, v); np.correlate(v, u, 'full'); np.correlate(u, v, 'same'); np.correlate(z[0], z[1, :2], 'full')
np.round(x, 1); np.round(i, -1); np.around(f, 2); np.round(z, 1); np.fix(x); np.round(x)
np.nan_to_num(n); np.nan_to_num(n, nan=s); np.nan_to_num(np.array([np.inf, -np.inf, 1]), posinf=3, neginf=-4)
np.real_if_close(z * 0 + 1); np.real_if_close(z); np.angle(z); np.angle(x, deg=True); np.sinc(x); np.i0(x)
np.isposinf(n); np.isneginf(n); np.isreal(z); np.iscomplex(z); np.isclose(x, x + 1e-9); np.allclose(x, x)
np.array_equal(x, x); np.array_equiv(y, x); np.packbits(b, 1); np.unpackbits(e, 1); np.kaiser(5, 2.5)
np.cov(x); np.cov(x, rowvar=False); np.cov(y, y * y, bias=True); np.cov(x, aweights=y + 2, fweights=[1, 2, 1, 3])
np.cov(z); np.corrcoef(x); np.corrcoef(y, y * y); np.cov(i, ddof=0); np.cov(y)
np.bincount(j); np.bincount(j, u, 6); np.histogram(x, 4); np.histogram(u, [0.1, 1.1, 2, 3], weights=p)
np.histogram(x, 3, (-1, 1), density=True); np.histogram_bin_edges(x, 4); np.histogram2d(u, p, 3)
np.histogramdd(x.T[:, :2], 2)
np.dot(x, y); np.dot(m, m); np.dot(y, y); np.dot(s, x); np.dot(t, x.T); np.dot(i, i.T); np.vdot(z, z * 2)
np.inner(x, y); np.inner(x, t); np.inner(i, i); np.outer(y, v); np.outer(x, v); np.kron(m, v); np.kron(x, y)
np.tensordot(t, x, ((2,), (1,))); np.tensordot(x, x, 2); np.tensordot(t, x, axes=[[1, 2], [0, 1]])
np.tensordot(y, v, 0); np.trace(x); np.trace(t, 1, 1, 2); np.trace(e.T @ e); np.cross(m, v); np.cross(v, m)
np.cross(m, m.T, axisa=0, axisc=0); np.vander(u); np.vander(u, 3, increasing=True); np.vander(j)
np.einsum('ij,j', x, y); np.einsum('ij->ji', x); np.einsum('ii', m); np.einsum(x, [0, 1], y, [1], [0])
np.einsum('...j,j->...', t, y); np.einsum('ij,jk,kl->il', m, m, m, optimize=True); np.einsum('i,i', j, j)
np.einsum('ij,ij->i', z, z)
np.tril(m); np.triu(x, 1); np.diag(y); np.diag(x, 1); np.diagflat(x[:2, :2]); np.tril(y)
np.meshgrid(y, v); np.meshgrid(y, v, indexing='ij', sparse=True); np.ix_([0, 2], [1, 3])
np.apply_along_axis(lambda r: r.sum() * r, 1, x); np.apply_over_axes(np.sum, t, [0, 2])
np.apply_along_axis(lambda r: r[:2], 0, x); np.vectorize(lambda p, q: p * q + 1)(x, y)
np.vectorize(lambda p: p.sum(), signature='(n)->()')(x)
np.polyval(y, x); np.polyadd(y, v); np.polysub(v, y); np.polymul(y, v); np.polydiv(u, v); np.polyder(u)
np.polyder(u, 2); np.polyint(u); np.polyint(u, 2, [1, 2]); np.poly(v); np.roots([1.0, -6.0, 11.0, -6.0]); np.polyfit(p, u, 2)
np.polyfit(p, u, 1, w=p + 1); np.poly(m)
np.linspace(v[0], v[1], 5); np.linspace(v, y[:3], 4); np.linspace(0, 1, 5, endpoint=False); np.linspace(0, 5, 3, retstep=True)
np.linspace(s, 3, 4, axis=-1); np.logspace(0, s, 4); np.geomspace(1, 8, 4); np.geomspace(p[1], p[3], 4)
np.logspace(0, 2, 3, base=2)
np.array([s, s * 2]); np.array([[1, 2], [3, 4.5]]); np.array(x, 'f4'); np.array([y, y * y]); np.array(5, ndmin=2)
np.array([1, 2], np.float32); np.asarray(x); np.asanyarray([1]); np.ascontiguousarray(x.T); np.copy(x)
np.astype(x, np.float32); np.asarray_chkfinite(x); np.require(x, 'f4', 'C'); np.full((2, 3), s); np.full(2, 7)
np.full_like(x, s); np.zeros((2, 3)); np.zeros(3, int); np.ones(4, 'f4'); np.zeros_like(i); np.ones_like(f)
np.full_like(i, 2.7); np.eye(3, 4, 1); np.identity(2); np.tri(3, 4, 1); np.arange(5); np.arange(1, 2, 0.25)
np.arange(3.0); np.arange(5, 0, -2); np.indices((2, 3)); np.fromfunction(lambda r, t: r * 2 + t, (2, 3))
np.fromiter([1.0, 2.0], float); np.frombuffer(b'abcd', 'u1'); np.fromstring('1 2', sep=' ')
np.hanning(5); np.hamming(5); np.blackman(6); np.bartlett(4)
np.tril_indices(3); np.triu_indices(3, 1); np.tril_indices_from(m); np.triu_indices_from(m, 1); np.diag_indices(2)
np.diag_indices_from(m); np.mask_indices(3, np.triu); np.unravel_index(j, (2, 2)); np.ravel_multi_index((j % 2, j % 2), (2, 2))
np.mgrid[0:2, 1:3]; np.ogrid[0:2, 0:1:3j]; np.r_[y, 0, v]; np.c_[y, y]; np.r_[0:3, 5]; np.r_['0,2', y, y]; np.r_[-1:1:3j]
np.shape(x); np.ndim(x); np.size(t, 1); np.iscomplexobj(z); np.isrealobj(z); np.result_type(f, 1.0); np.isfortran(x.T)
np.common_type(f, i); np.can_cast(np.int8, np.float32); np.isscalar(3); np.shares_memory(x, x); np.may_share_memory(x, y)
np.min_scalar_type(5); np.einsum_path('ij,jk', x, x.T)[0]; np.array2string(y); np.array_str(y); np.array_repr(y)
np.linalg.inv(m); np.linalg.inv(c); np.linalg.solve(m, v); np.linalg.solve(m, m.T); np.linalg.det(m); np.linalg.slogdet(m)
np.linalg.cholesky(m @ m.T); np.linalg.cholesky(m @ m.T, upper=True); np.linalg.qr(m); np.linalg.qr(x, 'complete'); np.linalg.qr(m, 'r')
np.abs(np.linalg.eig(m)[0]); np.linalg.eigvals(m + m.T); np.linalg.eigh(m + m.T)[0]; np.linalg.eigvalsh(m + m.T, 'U'); np.linalg.svd(x)[1]
np.linalg.svd(x, compute_uv=False); np.linalg.svdvals(m); np.linalg.pinv(x); np.linalg.pinv(m, rcond=1e-9)
np.linalg.matrix_rank(x); np.linalg.matrix_rank(h, 1.5); np.linalg.cond(m); np.linalg.cond(m, 1); np.linalg.norm(x)
np.linalg.norm(y, 3); np.linalg.norm(x, axis=1); np.linalg.norm(x, 'nuc'); np.linalg.norm(x, np.inf); np.linalg.norm(i)
np.linalg.norm(t, axis=(0, 1)); np.linalg.norm(x, 1, axis=0, keepdims=True); np.linalg.norm(y, 0); np.linalg.norm(z)
np.linalg.vector_norm(x); np.linalg.vector_norm(x, axis=1, ord=3); np.linalg.matrix_norm(t); np.linalg.matrix_norm(m, ord=2)
np.linalg.matrix_power(m, 3); np.linalg.matrix_power(m, -1); np.linalg.matrix_power(i[:, :3], 2); np.linalg.multi_dot([v, m, m])
np.linalg.matmul(m, m); np.linalg.outer(v, y); np.linalg.cross(m, m + 1); np.linalg.tensordot(x, x); np.linalg.vecdot(x, y)
np.linalg.diagonal(t); np.linalg.trace(t); np.linalg.matrix_transpose(t); np.linalg.tensorinv(t.reshape(6, 4)[:4].reshape(2, 2, 4) + np.eye(4).reshape(2, 2, 4) * 5)
np.linalg.tensorsolve(np.eye(4).reshape(2, 2, 4) + t.reshape(6, 4)[:4].reshape(2, 2, 4) * 0.1, y.reshape(2, 2)); np.linalg.lstsq(x.T, y)
np.linalg.lstsq(m, m)
np.fft.fft(x); np.fft.fft(y, 6, norm='ortho'); np.fft.ifft(z, axis=0); np.fft.rfft(y); np.fft.irfft(z, 7); np.fft.hfft(z[0])
np.fft.ihfft(y); np.fft.fft2(x); np.fft.ifft2(z); np.fft.rfft2(x); np.fft.irfft2(z, (3, 5)); np.fft.fftn(t); np.fft.ifftn(t, axes=(0, 1))
np.fft.rfftn(t); np.fft.irfftn(z); np.fft.fftshift(x); np.fft.ifftshift(x, 1); np.fft.fftfreq(5, 0.1); np.fft.rfftfreq(6)
np.fft.fft(f); np.fft.fft(i); np.fft.fftn(t, (2, 3), (1, 2))
"""  # noqa: E501
CALLS = [call.strip() for line in CASES.split("\n") for call in line.split("; ") if call.strip()]
NAME = re.compile(r"np\.((?:linalg\.|fft\.)?\w+)")
FLOATS = "xyuvtmhpqsnfzc"


def used(call: str) -> list[str]:
    """Return the names of the data that a call uses."""
    code = re.sub(r"lambda [\w, ]*:[^\]]*?(?=[\],)])", "", call)
    found = re.findall(r"(?<![\w.'])([a-z])(?![\w'(:=])", re.sub(r"'[^']*'", "", code))
    return [n for n in dict.fromkeys(found) if n in DATA]


def evaluated(call: str, library: Any, data: dict[str, Any]) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return eval(call, {"np": library, **DATA, **data})


def alike(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs)
        for o, t in zip(ours, theirs, strict=True):
            alike(o, t)
    elif isinstance(theirs, np.ndarray | np.generic):
        a, e = as_numpy(ours), np.asarray(theirs)
        assert a.dtype == e.dtype
        assert a.shape == e.shape
        loose = 1e-5 if e.dtype in (np.float32, np.complex64) else 1e-11
        np.testing.assert_allclose(a, e, rtol=loose, atol=loose)
    else:
        assert ours == theirs


@pytest.mark.parametrize("call", CALLS)
def test_each_function_gives_what_numpys_gives(call: str) -> None:
    expected = evaluated(call, np, {})
    alike(evaluated(call, gnp, {}), expected)  # of NumPy's arrays
    arrays = {n: gnp.array(DATA[n]) for n in used(call)}
    found = evaluated(call, gnp, arrays)
    alike(found, expected)
    for result in tensors(found):
        assert type(result) is gnp.ndarray
    for name, before in arrays.items():
        np.testing.assert_array_equal(as_numpy(before), DATA[name])


def tensors(found: Any) -> list[Any]:
    if isinstance(found, gpugrad.Tensor):
        return [found]
    return [t for f in found for t in tensors(f)] if isinstance(found, tuple | list) else []


# Of these the results have no derivative, or are constants.
CONSTANT = re.compile(
    r"np\.(zeros|ones|full_like\(i|count|arg|nanarg|nonzero|flatnonzero|lexsort|searchsorted|"
    r"digitize|isin|all|any|round|fix|around|is|array_eq|packbits|unpackbits|where\(b\)|histogram|"
    r"bincount\(j\)|shape|ndim|size|result_type|common_type|can_cast|shares|may_share|"
    r"min_scalar|einsum_path|array2|array_str|array_repr|tril_ind|triu_ind|diag_ind|mask_ind|"
    r"linalg.matrix_rank|piecewise\(x|linalg.norm\(y, 0|unravel|ravel_multi)"
)


# NumPy does not ask the operands of these whether they are more than data.
UNASKED = re.compile(
    r"np\.(array\(|asarray|asanyarray|ascontig|require|full\(|r_|c_|vectorize|astype|copy\()"
)


def differentiable(call: str) -> list[str]:
    names = [n for n in used(call) if n in FLOATS and DATA[n].dtype != np.float32]
    if "'f4'" in call or "float32" in call:  # too coarse for differences
        return []
    if CONSTANT.match(call) and not call.endswith("weights=p)"):
        return []
    return [n for n in names if not np.isnan(DATA[n]).any() or "nan" in call or "clip" in call]


@pytest.mark.parametrize("call", [c for c in CALLS if differentiable(c)])
def test_each_function_has_its_gradient_also_when_it_is_numpys(call: str) -> None:
    names = differentiable(call)
    inputs = [gpugrad.tensor(DATA[n]) for n in names]
    if any(np.isnan(DATA[n]).any() for n in names):
        inputs = [gpugrad.tensor(np.where(np.isnan(DATA[n]), 1.23, DATA[n])) for n in names]

    def by(library: Any) -> Any:
        def function(*values: Any) -> Any:
            found = evaluated(call, library, dict(zip(names, values, strict=True)))
            kept = [t for t in tensors(found) if t._array.dtype.kind in "fc" and t.requires_grad]
            return [t.as_subclass(gpugrad.Tensor) for t in kept]

        return function

    as_arrays = by(gnp)
    check_gradient(lambda *v: as_arrays(*(t.as_subclass(gnp.ndarray) for t in v)), inputs)
    outputs = flat(as_arrays(*(starts := leaves(inputs))))
    assert outputs, "nothing is recorded"
    if not UNASKED.match(call):
        weights = random_like(outputs)
        expected = gradients(outputs, starts, weights)
        asked = flat(by(np)(*(starts := leaves(inputs))))
        for e, f in zip(expected, gradients(asked, starts, weights), strict=True):
            assert_agree(f, e)


@pytest.mark.cuda
@pytest.mark.parametrize("call", [c for c in CALLS if used(c)][::9])
def test_some_functions_give_the_same_on_a_gpu(call: str) -> None:
    expected = evaluated(call, np, {})
    found = evaluated(call, gnp, {n: gnp.array(DATA[n], device="cuda") for n in used(call)})
    alike(found, expected)
    assert all(t.is_cuda for t in tensors(found))


WRITES = """
np.copyto(w, y); np.copyto(w, y, where=b); np.copyto(w, s); np.put(w, [0, -1], v); np.put(w, 13, s, 'wrap')
np.put(w, [3, 3], u); np.put(w, 99, s, mode='clip'); np.place(w, b, u); np.putmask(w, b, v); np.putmask(w, b, x)
np.put_along_axis(w, k, v[:, None], 1); np.put_along_axis(w, j[:2], s, None); np.fill_diagonal(w, s)
np.fill_diagonal(w, v[:2]); np.add.at(w, (j[:3], [0, 0, 1]), v); np.multiply.at(w, [0, 0], y)
np.maximum.at(w, ([2, 2], [1, 1]), q); np.negative.at(w, [0, 2]); w.__setitem__((slice(None, None, -1), 1), v)
w.__setitem__(b, 3.0); w.__setitem__(([0, 2], slice(None)), y); np.subtract(y, x, out=w)
np.cumsum(x, 1, out=w); np.clip(x, 0, 1, out=w); np.matmul(m, x, out=w); np.concatenate([x[:1], x[1:]], out=w)
np.take(x, k[:, :1], out=w[:, :1]); np.exp(y, out=w, where=b); np.nan_to_num(w, copy=False); w.sort(0)
w.partition(1, axis=1); w.fill(2.5); w.__iadd__(y); w.__imul__(x); w.flat.__setitem__(slice(2, 5), v)
"""  # noqa: E501
WRITTEN = [call.strip() for line in WRITES.split("\n") for call in line.split("; ") if call.strip()]


@pytest.mark.parametrize("call", WRITTEN)
def test_what_is_written_in_place_is_numpys_and_has_its_gradient(call: str) -> None:
    start = np.arange(12.0).reshape(3, 4)[::-1] * 0.7 - 2
    host = start.copy()
    evaluated(call, np, {"w": host})
    names = [n for n in used(call) if n in FLOATS]
    inputs = [gpugrad.tensor(start.copy()), *(gpugrad.tensor(DATA[n]) for n in names)]

    def by(library: Any) -> Any:
        def written(first: Any, *values: Any) -> Any:
            whole = (first * 1).as_subclass(gnp.ndarray)
            evaluated(call, library, {"w": whole, **dict(zip(names, values, strict=True))})
            return whole.as_subclass(gpugrad.Tensor)

        return written

    np.testing.assert_allclose(as_numpy(by(gnp)(*inputs)), host)
    np.testing.assert_allclose(as_numpy(by(np)(*inputs)), host)
    if "partition" not in call:  # where not all is sorted NumPy's order is another one
        check_gradient(by(gnp), inputs)


def test_files_hold_what_was_written(tmp_path: Any) -> None:
    x = gnp.array([[1.5, 2.0], [3.0, -1.0]])
    gnp.save(tmp_path / "a.npy", x)
    gnp.savez(tmp_path / "b.npz", x=x)
    gnp.savez_compressed(tmp_path / "c.npz", x=x)
    gnp.savetxt(tmp_path / "d.txt", x)
    as_numpy(x).tofile(tmp_path / "e.bin")
    for found in (
        gnp.load(tmp_path / "a.npy"), gnp.load(tmp_path / "b.npz")["x"],
        gnp.genfromtxt(tmp_path / "d.txt"),
        np.load(tmp_path / "c.npz")["x"], gnp.loadtxt(tmp_path / "d.txt"),
        gnp.fromfile(tmp_path / "e.bin").reshape(2, 2),
    ):  # fmt: skip
        assert_agree(found, as_numpy(x))
    with pytest.raises(TypeError, match=r"numpy\.void"):  # of which there are no tensors
        gnp.fromregex(tmp_path / "d.txt", r"(\S+) (\S+)", [("a", "f8"), ("b", "f8")])
    assert_agree(gnp.from_dlpack(np.ones(3)), np.ones(3))
    assert gnp.empty((2, 3), "f4").shape == gnp.empty_like(np.ones((2, 3))).shape == (2, 3)
    assert gnp.ndarray((2,), np.int32).dtype == np.int32
    assert gnp.row_stack is gnp.vstack


def test_every_name_is_called_by_a_test() -> None:
    text = CASES + WRITES + Path(__file__).read_text() + Path(gnp.queries.__file__).read_text()
    called = {*NAME.findall(text), *re.findall(r"gnp\.(\w+)", text), *re.findall(r'"(\w+)"', text)}
    others = {*gnp.differential.NAMES}  # in test_numpy_differential.py
    others |= {*gnp.table.UFUNCS, "c_", "r_", "s_", "index_exp", "linalg", "fft", "random", "ufunc"}
    assert {*gnp.__all__} - called - others == set()
    for home in ("linalg", "fft"):
        known = {n for n in getattr(gnp, home).__all__ if f"{home}.{n}" not in called}
        assert known <= {"LinAlgError"}
