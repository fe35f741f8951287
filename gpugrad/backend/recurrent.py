"""Recurrent layers over NumPy's arrays, and their gradients: back through time.

Rows lie as ``times.py`` tells.  All inputs are multiplied at once; at each time there is one
product with what was before, and a few steps in its memory: one loop where there is a compiler
(``gates.py``).

A sigmoid is ``(1 + tanh(x / 2)) / 2``, so that all gates of a step take one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.backend import gates as compiled
from gpugrad.backend.quiet import quiet
from gpugrad.backend.times import State, times
from gpugrad.backend.times import before as earlier

Array = Any


def _halved(weight: Array, hidden: int, which: Sequence[int]) -> Array:
    """Return weights, or biases, of which those of some gates are divided by 2."""
    found = weight.copy()
    for k in which:
        found[k * hidden : (k + 1) * hidden] *= 0.5
    return found


def _projected(x: Array, weight: Array, bias: Array | None) -> Array:
    found = x @ weight.T
    if bias is not None:
        found += bias
    return found


# --------------------------------------------------------------------------- long short-term memory

_SIGMOIDS = (0, 1, 3)  # of the gates: in, forget, new, out
_STEPS = 4  # of which the gradients of gates are prepared together, while a cache holds them


@quiet
def lstm(
    x: Array,
    h: Array,
    c: Array,
    w_ih: Array,
    w_hh: Array,
    bias: Array | None,
    sizes: Sequence[int],
    backwards: bool,
) -> tuple[Array, Array, Array, Array, Array]:
    """Return all outputs, the last output and cell of each sequence, all gates and all cells."""
    made = compiled.loops(x, len(w_hh))
    if made is not None:
        return compiled.lstm(made, x, h, c, w_ih, w_hh, bias, sizes, backwards)
    hidden, kind = h.shape[1], x.dtype
    gates = _projected(
        x,
        _halved(w_ih, hidden, _SIGMOIDS),
        None if bias is None else _halved(bias, hidden, _SIGMOIDS),
    )
    weight = np.ascontiguousarray(_halved(w_hh, hidden, _SIGMOIDS).T)
    factor, shift = np.full((2, 4 * hidden), 0.5, kind)  # of hyperbolic tangents of half
    factor[2 * hidden : 3 * hidden], shift[2 * hidden : 3 * hidden] = 1, 0
    out, cells = np.empty((2, len(x), hidden), kind)
    state, cell = State(h), State(c)
    rooms, products = np.empty((len(h), 4 * hidden), kind), np.empty((len(h), hidden), kind)
    for n, start, end in times(sizes, backwards):
        now, room, some = gates[start:end], rooms[:n], products[:n]
        now += np.matmul(state.of(n), weight, out=room)
        np.tanh(now, out=now)
        now *= factor
        now += shift
        kept = np.multiply(now[:, hidden : 2 * hidden], cell.of(n), out=cells[start:end])
        kept += np.multiply(now[:, :hidden], now[:, 2 * hidden : 3 * hidden], out=some)
        np.tanh(kept, out=some)
        state.now = np.multiply(some, now[:, 3 * hidden :], out=out[start:end])
        cell.now = kept
    return out, state.end(), cell.end(), gates, cells


@quiet
def lstm_gradient(
    grads: Sequence[Array | None],
    x: Array,
    h: Array,
    c: Array,
    w_ih: Array,
    w_hh: Array,
    out: Array,
    gates: Array,
    cells: Array,
    sizes: Sequence[int],
    backwards: bool,
    needs: Sequence[bool],
) -> tuple[Array | None, ...]:
    """Return the gradients of x, h, c, both weights and the bias; of x where ``needs`` has it."""
    made = compiled.loops(x, len(w_hh))
    if made is not None:
        return compiled.lstm_gradient(
            made, grads, x, h, c, w_ih, w_hh, out, gates, cells, sizes, backwards, needs
        )
    hidden, kind = h.shape[1], x.dtype
    shape = (len(x), 4, hidden)
    all_gates = gates.reshape(shape)
    of_gates = np.empty(shape, kind)
    before = earlier(cells, c, sizes, backwards)
    g_out, g_h, g_c = grads
    g_h = np.zeros_like(h) if g_h is None else g_h.copy()
    g_c = np.zeros_like(c) if g_c is None else g_c.copy()
    rooms = np.empty_like(h)
    steps = times(sizes, not backwards)
    for k in range(0, len(steps), _STEPS):
        several = steps[k : k + _STEPS]
        first = min(start for _, start, _ in several)
        part = slice(first, max(end for *_, end in several))
        curved = _slopes(all_gates[part], cells[part], before[part], of_gates[part])
        for n, start, end in several:
            of_h, of_c, some, now = g_h[:n], g_c[:n], rooms[:n], of_gates[start:end]
            if g_out is not None:
                of_h += g_out[start:end]
            of_c += np.multiply(of_h, curved[start - first : end - first], out=some)
            now[:, :3] *= of_c[:, None]
            now[:, 3] *= of_h
            of_c *= all_gates[start:end, 1]
            np.matmul(now.reshape(n, 4 * hidden), w_hh, out=of_h)
    flat = of_gates.reshape(gates.shape)
    states = earlier(out, h, sizes, backwards)
    of_x = flat @ w_ih if needs[0] else None
    return of_x, g_h, g_c, flat.T @ x, flat.T @ states, _added(flat)


def _slopes(gates: Array, cells: Array, before: Array, slopes: Array) -> Array:
    """Return by how much outputs move with cells; ``slopes`` become those of cells with gates.

    The last of them is that of outputs.
    """
    i, f, new, o = (gates[:, k] for k in range(4))
    curved = np.tanh(cells)
    np.multiply(gates, gates, out=slopes)
    for k, gate, partner in (0, i, new), (1, f, before), (3, o, curved):
        slope = np.subtract(gate, slopes[:, k], out=slopes[:, k])
        slope *= partner
    slope = np.subtract(1, slopes[:, 2], out=slopes[:, 2])
    slope *= i
    np.multiply(curved, curved, out=curved)
    np.subtract(1, curved, out=curved)
    curved *= o
    return curved


def _added(rows: Array) -> Array:
    return np.ones(len(rows), rows.dtype) @ rows


# --------------------------------------------------------------------------- gated units


@quiet
def gru(
    x: Array,
    h: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None,
    b_hh: Array | None,
    sizes: Sequence[int],
    backwards: bool,
) -> tuple[Array, Array, Array, Array]:
    """Return all outputs, the last of each sequence, all gates, and all that were to be reset."""
    made = compiled.loops(x, len(w_hh))
    if made is not None:
        return compiled.gru(made, x, h, w_ih, w_hh, b_ih, b_hh, sizes, backwards)
    hidden = h.shape[1]
    two = 2 * hidden
    both = (0, 1)  # the gates: reset, update, new
    gates = _projected(
        x, _halved(w_ih, hidden, both), None if b_ih is None else _halved(b_ih, hidden, both)
    )
    weight = np.ascontiguousarray(_halved(w_hh, hidden, both).T)
    bias = None if b_hh is None else _halved(b_hh, hidden, both)
    out, resets = np.empty((2, len(x), hidden), x.dtype)
    h = h.copy()
    room = np.empty((len(h), 3 * hidden), x.dtype)
    for n, start, end in times(sizes, backwards):
        now, some, state = gates[start:end], room[:n], h[:n]
        np.matmul(state, weight, out=some)
        if bias is not None:
            some += bias
        switches, new, given = now[:, :two], now[:, two:], some[:, two:]
        switches += some[:, :two]
        np.tanh(switches, out=switches)
        switches += 1
        switches *= 0.5
        resets[start:end] = given
        given *= now[:, :hidden]
        new += given
        np.tanh(new, out=new)
        state -= new
        state *= now[:, hidden:two]
        state += new
        out[start:end] = state
    return out, h, gates, resets


@quiet
def gru_gradient(
    grads: Sequence[Array | None],
    x: Array,
    h: Array,
    w_ih: Array,
    w_hh: Array,
    out: Array,
    gates: Array,
    resets: Array,
    sizes: Sequence[int],
    backwards: bool,
    needs: Sequence[bool],
) -> tuple[Array | None, ...]:
    """Return the gradients of x, h, both weights and both biases; see :func:`lstm_gradient`."""
    made = compiled.loops(x, len(w_hh))
    if made is not None:
        return compiled.gru_gradient(
            made, grads, x, h, w_ih, w_hh, out, gates, resets, sizes, backwards, needs
        )
    hidden = h.shape[1]
    shape = (len(x), 3, hidden)
    r, z, new = np.moveaxis(gates.reshape(shape), 1, 0)
    before = earlier(out, h, sizes, backwards)
    of_gates = np.empty(shape, x.dtype)  # first by how much each moves with the output
    of_new = (1 - z) * (1 - new * new)
    np.multiply(r - r * r, of_new * resets, out=of_gates[:, 0])
    np.multiply(z - z * z, before - new, out=of_gates[:, 1])
    np.multiply(of_new, r, out=of_gates[:, 2])
    g_out, g_h = grads
    g_h = np.zeros_like(h) if g_h is None else g_h.copy()
    room = np.empty_like(h)
    for n, start, end in times(sizes, not backwards):
        of_h, now = g_h[:n], of_gates[start:end]
        if g_out is not None:
            of_h += g_out[start:end]
        of_new[start:end] *= of_h
        now *= of_h[:, None]
        of_h *= z[start:end]
        of_h += np.matmul(now.reshape(n, 3 * hidden), w_hh, out=room[:n])
    flat = of_gates.reshape(gates.shape)
    of_w_hh, of_b_hh = flat.T @ before, _added(flat)
    of_gates[:, 2] = of_new
    of_x = flat @ w_ih if needs[0] else None
    return of_x, g_h, flat.T @ x, of_w_hh, _added(flat), of_b_hh


# --------------------------------------------------------------------------- plain units


@quiet
def rnn(
    x: Array,
    h: Array,
    w_ih: Array,
    w_hh: Array,
    bias: Array | None,
    sizes: Sequence[int],
    backwards: bool,
    relu: bool,
) -> tuple[Array, Array]:
    """Return all outputs, and the last of each sequence."""
    out, h, weight = _projected(x, w_ih, bias), h.copy(), np.ascontiguousarray(w_hh.T)
    for n, start, end in times(sizes, backwards):
        now, state = out[start:end], h[:n]
        now += state @ weight
        if relu:
            np.maximum(now, 0, out=now)
        else:
            np.tanh(now, out=now)
        state[...] = now
    return out, h


@quiet
def rnn_gradient(
    grads: Sequence[Array | None],
    x: Array,
    h: Array,
    w_ih: Array,
    w_hh: Array,
    out: Array,
    sizes: Sequence[int],
    backwards: bool,
    needs: Sequence[bool],
    relu: bool,
) -> tuple[Array | None, ...]:
    """Return the gradients of x, h, both weights and the bias; see :func:`lstm_gradient`."""
    g_out, g_h = grads
    g_h = np.zeros_like(h) if g_h is None else g_h.copy()
    of_sums = (out > 0).astype(x.dtype) if relu else 1 - out * out
    for n, start, end in times(sizes, not backwards):
        of_h, now = g_h[:n], of_sums[start:end]
        if g_out is not None:
            of_h += g_out[start:end]
        if relu:
            np.copyto(now, np.where(now > 0, of_h, 0))
        else:
            now *= of_h
        np.matmul(now, w_hh, out=of_h)
    before = earlier(out, h, sizes, backwards)
    of_x = of_sums @ w_ih if needs[0] else None
    return of_x, g_h, of_sums.T @ x, of_sums.T @ before, _added(of_sums)
