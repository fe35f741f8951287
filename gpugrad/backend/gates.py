"""Recurrent layers with gates over NumPy's arrays, by loops in C++ where there is a compiler.

NumPy multiplies matrices; one loop does all the rest of a step in time, while a cache holds it.
What is computed is told in ``recurrent.py``.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.backend.arrays import address
from gpugrad.backend.convolution import TYPES
from gpugrad.backend.times import State, before, times

Array = Any

LEAST = 1 << 15  # gates from which calls take a loop, as formulas do: building one takes 0.5 s


@functools.cache
def _library(real: str) -> ctypes.CDLL | None:
    """Return the loops for numbers of a type, ``None`` where none can be built."""
    from gpugrad.backend import compiler
    from gpugrad.kernels import host

    try:
        header = host.header(compiler.found().vectors)
        made = compiler.built(f"#define REAL {real}\n{header}{host.RECURRENT}")
    except compiler.BuildError:
        return None
    for name, arrays in (("lstm", 6), ("lstm_gradient", 8), ("gru", 7), ("gru_gradient", 8)):
        function = getattr(made, f"gpugrad_{name}")
        function.argtypes = (*[ctypes.c_void_p] * arrays, ctypes.c_long, ctypes.c_long)
        function.restype = None
    return made


def loops(x: Array, width: int) -> ctypes.CDLL | None:
    """Return the loops for rows of ``width`` gates, ``None`` where NumPy is to compute."""
    real = TYPES.get(x.dtype)
    return None if real is None or len(x) * width < LEAST else _library(real)


class _Rows:
    """Contiguous arrays, of which a loop is given the rows from some row on."""

    def __init__(self, *arrays: Array):
        self.known = [(address(a), a.strides[0]) for a in arrays]
        self.kept = arrays  # alive

    def at(self, row: int) -> list[int]:
        return [start + row * stride for start, stride in self.known]


def _plain(*arrays: Array) -> list[Array]:
    return [np.ascontiguousarray(a) for a in arrays]


def _own(grad: Array | None, like: Array) -> Array:
    """Return a gradient in memory that may be written, zeros for none."""
    return np.zeros(like.shape, like.dtype) if grad is None else grad.copy("C")


def _bias(bias: Array | None, gates: Array) -> Array:
    shape = gates.shape[1:]
    return np.zeros(shape, gates.dtype) if bias is None else np.ascontiguousarray(bias)


# --------------------------------------------------------------------------- long short-term memory


def lstm(
    made: ctypes.CDLL, x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array,
    bias: Array | None, sizes: Sequence[int], backwards: bool,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """Return what ``recurrent.lstm`` does."""
    hidden = h.shape[1]
    gates = np.matmul(x, w_ih.T)
    out, cells = np.empty((2, len(x), hidden), x.dtype)
    products = np.empty((len(h), 4 * hidden), x.dtype)
    bias = _bias(bias, gates)
    state, cell = map(State, _plain(h, c))
    rows, given = _Rows(gates, cells, out), _Rows(products, bias).at(0)
    for n, start, end in times(sizes, backwards):
        np.matmul(state.of(n), w_hh.T, out=products[:n])
        of_gates, *new = rows.at(start)
        made.gpugrad_lstm(of_gates, *given, address(cell.of(n)), *new, n, hidden)
        state.now, cell.now = out[start:end], cells[start:end]
    return out, state.end(), cell.end(), gates, cells


def lstm_gradient(
    made: ctypes.CDLL, grads: Sequence[Array | None], x: Array, h: Array, c: Array, w_ih: Array,
    w_hh: Array, out: Array, gates: Array, cells: Array, sizes: Sequence[int], backwards: bool,
    needs: Sequence[bool],
) -> tuple[Array | None, ...]:  # fmt: skip
    """Return what ``recurrent.lstm_gradient`` does."""
    g_out, g_h, g_c = grads
    g_h, g_c = _own(g_h, h), _own(g_c, c)
    g_out = np.zeros_like(out) if g_out is None else g_out
    of_gates, sums = np.empty_like(gates), np.zeros((len(sizes), gates.shape[1]), x.dtype)
    rows = _Rows(*_plain(gates, before(cells, c, sizes, backwards), cells, g_out), of_gates)
    ends, totals = _Rows(g_h, g_c).at(0), _Rows(sums)
    for k, (n, start, end) in enumerate(times(sizes, not backwards)):
        *known, now = rows.at(start)
        made.gpugrad_lstm_gradient(*known, *ends, now, *totals.at(k), n, h.shape[1])
        np.matmul(of_gates[start:end], w_hh, out=g_h[:n])
    of_x = of_gates @ w_ih if needs[0] else None
    states = before(out, h, sizes, backwards)
    return of_x, g_h, g_c, of_gates.T @ x, of_gates.T @ states, np.add.reduce(sums)


# --------------------------------------------------------------------------- gated units


def gru(
    made: ctypes.CDLL, x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array | None,
    b_hh: Array | None, sizes: Sequence[int], backwards: bool,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """Return what ``recurrent.gru`` does."""
    hidden = h.shape[1]
    gates = np.matmul(x, w_ih.T)
    out, resets = np.empty((2, len(x), hidden), x.dtype)
    products = np.empty((len(h), 3 * hidden), x.dtype)
    h = h.copy("C")
    given = _Rows(products, _bias(b_ih, gates), _bias(b_hh, gates))
    rows, state = _Rows(gates, resets, out), address(h)
    for n, start, _ in times(sizes, backwards):
        np.matmul(h[:n], w_hh.T, out=products[:n])
        of_gates, of_resets, of_out = rows.at(start)
        made.gpugrad_gru(of_gates, *given.at(0), of_resets, state, of_out, n, hidden)
    return out, h, gates, resets


def gru_gradient(
    made: ctypes.CDLL, grads: Sequence[Array | None], x: Array, h: Array, w_ih: Array, w_hh: Array,
    out: Array, gates: Array, resets: Array, sizes: Sequence[int], backwards: bool,
    needs: Sequence[bool],
) -> tuple[Array | None, ...]:  # fmt: skip
    """Return what ``recurrent.gru_gradient`` does."""
    hidden = h.shape[1]
    g_out, g_h = grads
    g_h = _own(g_h, h)
    g_out = np.zeros_like(out) if g_out is None else g_out
    of_gates, of_new = np.empty_like(gates), np.empty_like(out)
    sums = np.zeros((len(sizes), 4 * hidden), x.dtype)
    room, old = np.empty_like(g_h), before(out, h, sizes, backwards)
    rows, totals = _Rows(*_plain(gates, old, resets, g_out)), _Rows(sums)
    ends, results = address(g_h), _Rows(of_gates, of_new)
    for k, (n, start, end) in enumerate(times(sizes, not backwards)):
        made.gpugrad_gru_gradient(
            *rows.at(start), ends, *results.at(start), *totals.at(k), n, hidden
        )
        g_h[:n] += np.matmul(of_gates[start:end], w_hh, out=room[:n])
    of_w_hh = of_gates.T @ old
    of_gates[:, 2 * hidden :] = of_new
    of_x = of_gates @ w_ih if needs[0] else None
    total = np.add.reduce(sums)
    of_b_ih = np.concatenate([total[: 2 * hidden], total[3 * hidden :]])
    return of_x, g_h, of_gates.T @ x, of_w_hh, of_b_ih, total[: 3 * hidden].copy()
