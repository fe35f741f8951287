"""Recurrent layers with gates over NumPy's arrays, by loops in C++ where there is a compiler.

A loop goes through all steps in time: it multiplies the states with weights that stay packed for
that, and does all the rest of a step while a cache holds it.  What is computed is told in
``recurrent.py``.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpugrad.backend.arrays import address
from gpugrad.backend.convolution import TYPES
from gpugrad.backend.times import before, times

Array = Any

LEAST = 1 << 15  # gates from which calls take a loop, as formulas do: building one takes 1 s
MOST = 1 << 17  # numbers of a product's rows; of more, NumPy's library makes better use of caches


@functools.cache
def _library(real: str) -> ctypes.CDLL | None:
    """Return the loops for numbers of a type, ``None`` where none can be built."""
    from gpugrad.backend import compiler
    from gpugrad.kernels import host

    contracted = '#pragma GCC optimize("fp-contract=fast")'
    try:
        header = host.header(compiler.found().vectors)
        made = compiler.built(f"{contracted}\n#define REAL {real}\n{header}{host.RECURRENT}")
    except compiler.BuildError:
        return None
    for name, arrays in (("lstm", 9), ("lstm_gradient", 10), ("gru", 9), ("gru_gradient", 11)):
        function = getattr(made, f"gpugrad_{name}")
        function.argtypes = (*[ctypes.c_void_p] * arrays, ctypes.c_long, ctypes.c_long)
        function.restype = ctypes.c_int
    return made


def loops(x: Array, width: int) -> ctypes.CDLL | None:
    """Return the loops for rows of ``width`` gates, ``None`` where NumPy is to compute."""
    real = TYPES.get(x.dtype)
    return None if real is None or len(x) * width < LEAST else _library(real)


def _run(
    function: Any,
    weight: Array,
    arrays: Sequence[Array],
    steps: Sequence[tuple[int, int, int]],
    multiply: Callable[[int, int], None],
    first: bool,
) -> None:
    """Call a loop with arrays, for all steps at once.

    Or, where products are large, for each of them, ``first`` or last with ``multiply``, which is
    given how many rows there are and from where on.

    Raises:
        MemoryError: There is none for the weights.
    """
    hidden = min(weight.shape)
    table = np.array([(n, start, k) for k, (n, start, _) in enumerate(steps)], np.int64)
    given = [address(a) for a in arrays]
    if max(n for n, *_ in steps) * max(weight.shape) <= MOST:
        weight = np.ascontiguousarray(weight)
        if not function(address(weight), *given, address(table), len(table), hidden):
            raise MemoryError
        return
    for row, (n, start, _) in zip(table, steps, strict=True):
        if first:
            multiply(n, start)
        function(None, *given, address(row), 1, hidden)
        if not first:
            multiply(n, start)


def _plain(*arrays: Array) -> list[Array]:
    return [np.ascontiguousarray(a) for a in arrays]


def _own(array: Array | None, like: Array) -> Array:
    """Return a state or a gradient in memory that may be written, zeros for none."""
    return np.zeros(like.shape, like.dtype) if array is None else array.copy("C")


def _bias(bias: Array | None, gates: Array) -> Array:
    shape = gates.shape[1:]
    return np.zeros(shape, gates.dtype) if bias is None else np.ascontiguousarray(bias)


# --------------------------------------------------------------------------- long short-term memory


def lstm(
    made: ctypes.CDLL, x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array,
    bias: Array | None, sizes: Sequence[int], backwards: bool,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """Return what ``recurrent.lstm`` does."""
    gates = np.matmul(x, w_ih.T)
    out, cells = np.empty((2, len(x), h.shape[1]), x.dtype)
    products = np.empty((len(h), len(w_hh)), x.dtype)
    h, c = _own(h, h), _own(c, c)

    def multiply(n: int, start: int) -> None:
        np.matmul(h[:n], w_hh.T, out=products[:n])

    arrays = gates, products, _bias(bias, gates), h, c, cells, out
    _run(made.gpugrad_lstm, w_hh, arrays, times(sizes, backwards), multiply, True)
    return out, h, c, gates, cells


def lstm_gradient(
    made: ctypes.CDLL, grads: Sequence[Array | None], x: Array, h: Array, c: Array, w_ih: Array,
    w_hh: Array, out: Array, gates: Array, cells: Array, sizes: Sequence[int], backwards: bool,
    needs: Sequence[bool],
) -> tuple[Array | None, ...]:  # fmt: skip
    """Return what ``recurrent.lstm_gradient`` does."""
    g_out, g_h, g_c = grads
    g_h, g_c = _own(g_h, h), _own(g_c, c)
    g_out = np.zeros_like(out) if g_out is None else g_out
    of_gates, sums = np.empty_like(gates), np.zeros((len(sizes), len(w_hh)), x.dtype)

    def multiply(n: int, start: int) -> None:
        np.matmul(of_gates[start : start + n], w_hh, out=g_h[:n])

    arrays = *_plain(gates, before(cells, c, sizes, backwards), cells, g_out), g_h, g_c, of_gates
    steps = times(sizes, not backwards)
    _run(made.gpugrad_lstm_gradient, w_hh, (*arrays, sums), steps, multiply, False)
    of_x = of_gates @ w_ih if needs[0] else None
    states = before(out, h, sizes, backwards)
    return of_x, g_h, g_c, of_gates.T @ x, of_gates.T @ states, np.add.reduce(sums)


# --------------------------------------------------------------------------- gated units


def gru(
    made: ctypes.CDLL, x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array | None,
    b_hh: Array | None, sizes: Sequence[int], backwards: bool,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """Return what ``recurrent.gru`` does."""
    gates = np.matmul(x, w_ih.T)
    out, resets = np.empty((2, len(x), h.shape[1]), x.dtype)
    products = np.empty((len(h), len(w_hh)), x.dtype)
    h = _own(h, h)

    def multiply(n: int, start: int) -> None:
        np.matmul(h[:n], w_hh.T, out=products[:n])

    arrays = gates, products, _bias(b_ih, gates), _bias(b_hh, gates), resets, h, out
    _run(made.gpugrad_gru, w_hh, arrays, times(sizes, backwards), multiply, True)
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

    def multiply(n: int, start: int) -> None:
        g_h[:n] += np.matmul(of_gates[start : start + n], w_hh, out=room[:n])

    gates, *known = _plain(gates, old, resets, g_out)
    arrays = gates, room, *known, g_h, of_gates, of_new, sums
    steps = times(sizes, not backwards)
    _run(made.gpugrad_gru_gradient, w_hh, arrays, steps, multiply, False)
    of_w_hh = of_gates.T @ old
    of_gates[:, 2 * hidden :] = of_new
    of_x = of_gates @ w_ih if needs[0] else None
    total = np.add.reduce(sums)
    of_b_ih = np.concatenate([total[: 2 * hidden], total[3 * hidden :]])
    return of_x, g_h, of_gates.T @ x, of_w_hh, of_b_ih, total[: 3 * hidden].copy()
