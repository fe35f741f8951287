"""Recurrent layers over CuPy's arrays: one product and one kernel for each time, and back.

The ``door`` is the backend.  Where the rows of sequences lie is said in
:mod:`gpugrad.backend.times`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpugrad.backend.times import times
from gpugrad.kernels import recurrent

Array = Any


def _plain(door: Any, array: Array | None) -> Array | None:
    return None if array is None else door.xp.ascontiguousarray(array)


def _forward(
    door: Any,
    name: str,
    x: Array,
    h: Array,
    w_ih: Array,
    w_hh: Array,
    sizes: Sequence[int],
    backwards: bool,
    biases: Sequence[Array | None],
    given: Callable[[int, int], list[Any]],
    c: Array | None = None,
) -> tuple[Array, list[Array]]:
    """Return all gates, and the last state and cell.

    A step is ``given`` more for its rows, from and to.  The first makes states of what they were at
    first, unless some of these remain.
    """
    hidden = h.shape[1]
    order = times(sizes, backwards)
    before = [door.xp.ascontiguousarray(a) for a in (h, c) if a is not None]
    whole = order[0][0] == len(h)
    states = [door.xp.empty(a.shape, a.dtype) if whole else door.copy(a, "C") for a in before]
    gates, weight, shifts = door.matmul(x, w_ih.T), w_hh.T, [_plain(door, b) for b in biases]
    for n, start, end in order:
        product = door.matmul(before[0][:n], weight)
        pairs = [a for pair in zip(before, states, strict=True) for a in pair]
        arguments = [gates[start:end], product, *shifts, *pairs, *given(start, end)]
        recurrent.run(name, False, n * hidden, hidden, arguments)
        before = states
    return gates, states


def lstm(
    door: Any,
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
    out, cells = (door.xp.empty((len(x), h.shape[1]), x.dtype) for _ in range(2))

    def given(start: int, end: int) -> list[Any]:
        return [out[start:end], cells[start:end]]

    gates, states = _forward(door, "lstm", x, h, w_ih, w_hh, sizes, backwards, [bias], given, c)
    return out, states[0], states[1], gates, cells


def gru(
    door: Any,
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
    out, resets = (door.xp.empty((len(x), h.shape[1]), x.dtype) for _ in range(2))

    def given(start: int, end: int) -> list[Any]:
        return [out[start:end], resets[start:end]]

    gates, states = _forward(door, "gru", x, h, w_ih, w_hh, sizes, backwards, [b_ih, b_hh], given)
    return out, states[0], gates, resets


def rnn(
    door: Any,
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

    def given(start: int, end: int) -> list[Any]:
        return [np.int32(relu)]

    out, states = _forward(door, "rnn", x, h, w_ih, w_hh, sizes, backwards, [bias], given)
    return out, states[0]


# --------------------------------------------------------------------------- back through time


def _back(
    door: Any,
    name: str,
    g_out: Array | None,
    g_h: Array | None,
    out: Array,
    h: Array,
    slopes: Array,
    w_hh: Array,
    sizes: Sequence[int],
    backwards: bool,
    given: Callable[[int, int, slice], list[Any]],
    carried: Array | None = None,
) -> tuple[Array, Array]:
    """Return the gradient of the first state, and for each row the state that it came from.

    A step is ``given`` more for its rows, from and to, and for those of the time that it came from.
    It writes ``slopes``, whose product with the weights goes on to that time; with it goes what is
    ``carried``.
    """
    hidden = h.shape[1]
    g_out, g_h, h = (_plain(door, a) for a in (g_out, g_h, h))
    states, of_h = door.xp.empty(out.shape, out.dtype), door.xp.empty(h.shape, h.dtype)
    order = times(sizes, not backwards)
    product: Array = None
    known = 0

    def end_at(rows: slice) -> None:
        found = product[rows]
        door.assign(
            of_h[rows], found if carried is None else door.add_all([found, carried[rows]], False)
        )

    for k, (n, start, end) in enumerate(order):
        if n < known:
            end_at(slice(n, known))
            known = n
        earlier, first, _ = order[k + 1] if k + 1 < len(order) else (0, 0, 0)
        earlier = min(earlier, n)
        place = slice(first, first + earlier)
        numbers = np.int64(known * hidden), np.int64(earlier * hidden)
        arguments = [
            None if g_out is None else g_out[start:end], product, g_h, out[place], h,
            states[start:end], *numbers, *given(start, end, place),
        ]  # fmt: skip
        recurrent.run(name, True, n * hidden, hidden, arguments)
        product = door.matmul(slopes[start:end], w_hh)
        known = n
    if known == len(h) and carried is None:
        return product, states
    end_at(slice(0, known))
    return of_h, states


def _weights(
    door: Any,
    slopes: Array,
    inner: Array,
    x: Array,
    states: Array,
    w_ih: Array,
    needs: Sequence[bool],
) -> tuple[Array | None, Array, Array]:
    """Return the gradients of the inputs, if they are needed, and of both weights."""
    of_x = door.matmul(slopes, w_ih) if needs[0] else None
    return of_x, door.matmul(slopes.T, x), door.matmul(inner.T, states)


def _added(door: Any, rows: Array) -> Array:
    return door.sum(rows, (0,), False, rows.dtype)


def lstm_gradient(
    door: Any,
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
    g_out, g_h, g_c = grads
    g_c, c = _plain(door, g_c), _plain(door, c)
    slopes, of_c = door.xp.empty(gates.shape, gates.dtype), door.xp.empty(c.shape, c.dtype)

    def given(start: int, end: int, before: slice) -> list[Any]:
        return [gates[start:end], cells[start:end], cells[before], c, g_c, of_c, slopes[start:end]]

    of_h, states = _back(door, "lstm", g_out, g_h, out, h, slopes, w_hh, sizes, backwards, given)
    of_x, of_w_ih, of_w_hh = _weights(door, slopes, slopes, x, states, w_ih, needs)
    return of_x, of_h, of_c, of_w_ih, of_w_hh, _added(door, slopes)


def gru_gradient(
    door: Any,
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
    slopes, inner = (door.xp.empty(gates.shape, gates.dtype) for _ in range(2))
    carried = door.xp.empty(h.shape, h.dtype)

    def given(start: int, end: int, before: slice) -> list[Any]:
        return [gates[start:end], resets[start:end], carried, slopes[start:end], inner[start:end]]

    of_h, states = _back(
        door, "gru", grads[0], grads[1], out, h, inner, w_hh, sizes, backwards, given, carried
    )
    of_x, of_w_ih, of_w_hh = _weights(door, slopes, inner, x, states, w_ih, needs)
    return of_x, of_h, of_w_ih, of_w_hh, _added(door, slopes), _added(door, inner)


def rnn_gradient(
    door: Any,
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
    slopes = door.xp.empty(out.shape, out.dtype)

    def given(start: int, end: int, before: slice) -> list[Any]:
        return [out[start:end], slopes[start:end], np.int32(relu)]

    of_h, states = _back(
        door, "rnn", grads[0], grads[1], out, h, slopes, w_hh, sizes, backwards, given
    )
    of_x, of_w_ih, of_w_hh = _weights(door, slopes, slopes, x, states, w_ih, needs)
    return of_x, of_h, of_w_ih, of_w_hh, _added(door, slopes)


FUSED: dict[str, Callable[..., Any]] = {
    "lstm": lstm,
    "lstm_cell": lstm,
    "lstm_gradient": lstm_gradient,
    "gru": gru,
    "gru_cell": gru,
    "gru_gradient": gru_gradient,
    "rnn": rnn,
    "rnn_cell": rnn,
    "rnn_gradient": rnn_gradient,
}
