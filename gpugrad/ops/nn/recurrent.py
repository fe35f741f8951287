"""Recurrent layers: long short-term memory, gated and plain units, over sequences and in a step.

The rows of sequences lie one after the other in time: so many for each time as there are sequences
that are not over.  Sequences of one length are the case of equal sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gpugrad import backend
from gpugrad._dtype import is_half
from gpugrad.graph import TensorBase
from gpugrad.op import composite, public
from gpugrad.op.operation import Declared
from gpugrad.op.saved import read
from gpugrad.ops.fused import fusible, gradients
from gpugrad.ops.joining import cat, chunk, stack
from gpugrad.ops.nn.chance import dropout as dropped
from gpugrad.ops.nn.linear import linear
from gpugrad.ops.part import narrow
from gpugrad.ops.pointwise import relu, sigmoid, tanh
from gpugrad.ops.shape import reshape, transpose

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Cell = Callable[..., tuple[Any, ...]]


# --------------------------------------------------------------------------- one step


def _long_step(given: Any, state: tuple[Any, ...], weight: Any, bias: Any) -> tuple[Any, ...]:
    """Return the next output and cell, of the products of the input and what was before."""
    h, c = state
    first, forget, new, last = chunk(given + linear(h, weight, bias), 4, 1)
    c = sigmoid(forget) * c + sigmoid(first) * tanh(new)
    return sigmoid(last) * tanh(c), c


def _gated_step(given: Any, state: tuple[Any, ...], weight: Any, bias: Any) -> tuple[Any, ...]:
    (h,) = state
    reset, update, new = chunk(given, 3, 1)
    with_reset, with_update, with_new = chunk(linear(h, weight, bias), 3, 1)
    new = tanh(new + sigmoid(reset + with_reset) * with_new)
    return ((h - new) * sigmoid(update + with_update) + new,)


def _tanh_step(given: Any, state: tuple[Any, ...], weight: Any, bias: Any) -> tuple[Any, ...]:
    return (tanh(given + linear(state[0], weight, bias)),)


def _relu_step(given: Any, state: tuple[Any, ...], weight: Any, bias: Any) -> tuple[Any, ...]:
    return (relu(given + linear(state[0], weight, bias)),)


class Kind(NamedTuple):
    """A kind of recurrent layer."""

    name: str  # of what computes it in one go
    step: Cell
    gates: int
    states: int  # 2 where there is a cell beside the output
    options: dict[str, Any]


_LONG = Kind("lstm", _long_step, 4, 2, {})
_GATED = Kind("gru", _gated_step, 3, 1, {})
_TANH = Kind("rnn", _tanh_step, 1, 1, {"relu": False})
_RELU = Kind("rnn", _relu_step, 1, 1, {"relu": True})


def _check(
    name: str, kind: Kind, input: Any, state: tuple[Any, ...], weights: Sequence[Any]
) -> None:
    """Raise where shapes do not fit: of rows, of their states and of a layer's weights.

    Raises:
        RuntimeError: They do not.
    """
    w_ih, w_hh = (w._array.shape for w in weights[:2])
    given = input._array.shape
    count, length = w_hh[:1], w_hh[1:]
    hidden = length  # of an output; a cell may be larger
    wanted = {"the input": (given, (*given[:1], *w_ih[1:]))}
    if weights[4] is not None:
        shape = weights[4]._array.shape
        hidden, length = shape[:1], shape[1:]
        wanted["the second weight"] = w_hh, (*count, *hidden)
    rows = tuple([kind.gates * n for n in length])
    wanted |= {"the first weight": (w_ih, (*rows, *given[-1:]))}
    wanted |= {"the second weight": (w_hh, (*rows, *hidden))}
    for k, s in enumerate(state):
        shape = s._array.shape
        wanted[f"state {k}"] = shape, (*shape[:1], *(length if k else hidden))
    for name_of, b in zip(("the first bias", "the second bias"), weights[2:4], strict=True):
        if b is not None:
            wanted[name_of] = b._array.shape, rows
    for what, (found, fits) in wanted.items():
        if found != fits or len(found) != 2 - ("bias" in what):
            raise RuntimeError(f"{name}: {what} has the shape {list(found)}, expected {list(fits)}")


def _is_usual(tensors: Sequence[Any], state: Sequence[Any], sizes: Sequence[int]) -> bool:
    """Tell whether tensors are of one real type, halves only on a GPU, and states fit sequences."""
    first, *others = [t._array for t in tensors]
    kind, rows = first.dtype, {s._array.shape[0] for s in state}
    alike = all(a.dtype == kind for a in others) and rows == {sizes[0]} != {0}
    return alike and (kind.char in "fd" or (is_half(kind) and backend.of(first).type == "cuda"))


def _check_rows(input: Any, state: tuple[Any, ...], w_ih: Any, w_hh: Any) -> None:
    """Raise where the rows that a cell is given do not fit its weights.

    Raises:
        RuntimeError: They do not.
    """
    shape, length, hidden = input._array.shape, w_ih._array.shape[-1], w_hh._array.shape[-1]
    if shape[-1] != length:
        raise RuntimeError(f"input has inconsistent input_size: got {shape[-1]} expected {length}")
    for k, s in enumerate(state):
        if (count := s._array.shape[0]) != shape[0]:
            raise RuntimeError(
                f"Input batch size {shape[0]} doesn't match hidden{k} batch size {count}"
            )
        if (found := s._array.shape[1]) != hidden:
            raise RuntimeError(
                f"hidden{k} has inconsistent hidden_size: got {found}, expected {hidden}"
            )


def _stepped(
    name: str, kind: Kind, input: Any, state: tuple[Any, ...], weights: Sequence[Any]
) -> tuple[Any, ...]:
    w_ih, w_hh, b_ih, b_hh = weights
    _check_rows(input, state, w_ih, w_hh)
    _check(name, kind, input, state, (*weights, None))
    tensors = (input, *state, *[w for w in weights if w is not None])
    sizes = (input._array.shape[0],)
    usual = (b_ih is None) is (b_hh is None) and _is_usual(tensors, state, sizes)
    if usual and fusible(f"{kind.name}_cell", *tensors):
        found = _LAYERS[kind.name](*tensors, sizes=sizes, backwards=False, options=kind.options)
        return tuple(found[1 : 1 + kind.states])
    return kind.step(linear(input, w_ih, b_ih), state, w_hh, b_hh)


@public(method=False)
def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Any:
    """Return the next output and the next cell of long short-term memory.

    Args:
        input: Of shape (examples, features).
        hx: The output and the cell before, of shape (examples, hidden).
        w_ih: Of shape (4 * hidden, features): for the gates in, forget, new and out.
        w_hh: Of shape (4 * hidden, hidden).
        b_ih: Of shape (4 * hidden,), or none.
        b_hh: Likewise.

    Raises:
        RuntimeError: Shapes do not fit.

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers, Schmidhuber and
    Cummins, "Learning to forget", 2000.
    """
    if isinstance(hx, TensorBase):
        raise TypeError(
            "lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not Tensor"
        )
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    return _stepped("lstm_cell", _LONG, input, tuple(hx), (w_ih, w_hh, b_ih, b_hh))


@public(method=False)
def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Return the next output of gated recurrent units, with the gates reset, update and new.

    See :func:`lstm_cell`.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.
    """
    found: Tensor = _stepped("gru_cell", _GATED, input, (hx,), (w_ih, w_hh, b_ih, b_hh))[0]
    return found


@public(method=False)
def rnn_tanh_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Return ``tanh(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``; see :func:`lstm_cell`."""
    found: Tensor = _stepped("rnn_tanh_cell", _TANH, input, (hx,), (w_ih, w_hh, b_ih, b_hh))[0]
    return found


@public(method=False)
def rnn_relu_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Return what :func:`rnn_tanh_cell` does, with ``relu`` for ``tanh``."""
    found: Tensor = _stepped("rnn_relu_cell", _RELU, input, (hx,), (w_ih, w_hh, b_ih, b_hh))[0]
    return found


# --------------------------------------------------------------------------- all steps


def _plain(
    kind: Kind,
    input: Any,
    state: tuple[Any, ...],
    weights: Sequence[Any],
    sizes: Sequence[int],
    backwards: bool,
) -> tuple[Any, ...]:
    """Return all outputs and the last state of each sequence.

    The weights are those of the input and of the state, the biases of both, and what outputs are
    projected by; the last three may be ``None``.
    """
    w_ih, w_hh, b_ih, b_hh, projection = weights
    given = linear(input, w_ih, b_ih)
    count = state[0]._array.shape[0]
    starts = [sum(sizes[:t]) for t in range(len(sizes))]
    outs: list[Any] = [None] * len(sizes)
    order = range(len(sizes))
    for t in reversed(order) if backwards else order:
        n = sizes[t]
        some = state if n == count else tuple([narrow(s, 0, 0, n) for s in state])
        new = kind.step(narrow(given, 0, starts[t], n), some, w_hh, b_hh)
        if projection is not None:
            new = (linear(new[0], projection), *new[1:])
        outs[t] = new[0]
        if n != count:
            rest = [narrow(s, 0, n, count - n) for s in state]
            new = tuple([cat((a, b)) for a, b in zip(new, rest, strict=True)])
        state = new
    return (cat(outs), *state)


def _operation(kind: Kind, outputs: tuple[str, ...], shared: bool) -> Declared:
    """Return the operation of one layer in one direction; biases are ``shared`` that are added."""
    states = kind.states

    @composite(f"{kind.name.title()}Backward0", outputs=outputs)
    def layer(
        door: backend.Backend,
        *arrays: Array,
        sizes: tuple[int, ...],
        backwards: bool,
        options: dict[str, Any],
    ) -> tuple[Array, ...]:
        end = 3 + states
        biases: tuple[Any, ...] = arrays[end:] or (None, None)
        if shared:
            biases = (None if biases[0] is None else door.add_all(biases, False),)
        function: Any = door.fused(kind.name)
        found: tuple[Array, ...] = function(*arrays[:end], *biases, sizes, backwards, **options)
        return found

    def back(
        grads: Any, inputs: Any, kept: Any, needs: Any, sizes: Any, backwards: Any, options: Any
    ) -> Any:
        end = 3 + states
        step = _RELU if options.get("relu") else kind

        def plain(input: Any, *others: Any) -> Any:
            weights = (*others[states : states + 2], *(others[states + 2 :] or (None, None)), None)
            return _plain(step, input, others[:states], weights, sizes, backwards)

        def fused(*found: Array) -> Sequence[Array]:
            arrays = [t._array for t in inputs]
            function: Any = backend.of(arrays[0]).fused(f"{kind.name}_gradient")
            known = [t._array for t in kept]
            given: tuple[Array, ...] = function(
                found, *arrays[:end], *known, sizes, backwards, needs, **options
            )
            biases = given[end:]
            if len(arrays) == end:
                return given[:end]
            last = backend.of(arrays[0]).copy(biases[-1]) if shared else biases[-1]
            return (*given[:end], biases[0], last)

        return gradients(plain, fused, inputs, grads, needs)

    if kind is _LONG:

        @layer.gradient
        def inputs(
            g: Any, g_h: Any, g_c: Any, inputs: Any, out: Any, gates: Any, cells: Any, needs: Any,
            sizes: Any, backwards: Any, options: Any,
        ) -> Any:  # fmt: skip
            kept = (out, gates, cells)
            return back((g, g_h, g_c), inputs, kept, needs, sizes, backwards, options)

    elif kind is _GATED:

        @layer.gradient
        def inputs(
            g: Any, g_h: Any, inputs: Any, out: Any, gates: Any, resets: Any, needs: Any,
            sizes: Any, backwards: Any, options: Any,
        ) -> Any:  # fmt: skip
            kept = (out, gates, resets)
            return back((g, g_h), inputs, kept, needs, sizes, backwards, options)

    else:

        @layer.gradient
        def inputs(
            g: Any, g_h: Any, inputs: Any, out: Any, needs: Any, sizes: Any, backwards: Any,
            options: Any,
        ) -> Any:  # fmt: skip
            return back((g, g_h), inputs, (out,), needs, sizes, backwards, options)

    return layer


_LAYERS = {
    "lstm": _operation(_LONG, ("out", "h", "c", "gates", "cells"), True),
    "gru": _operation(_GATED, ("out", "h", "gates", "resets"), False),
    "rnn": _operation(_TANH, ("out", "h"), True),
}


def _layer(
    kind: Kind,
    input: Any,
    state: tuple[Any, ...],
    weights: Sequence[Any],
    sizes: tuple[int, ...],
    backwards: bool,
) -> tuple[Any, ...]:
    """Return all outputs of a layer in one direction, and the last state of each sequence."""
    *known, projection = weights
    tensors = (input, *state, *[w for w in known if w is not None])
    usual = projection is None and bool(sizes) and _is_usual(tensors, state, sizes)
    if usual and fusible(kind.name, *tensors):
        operation: Any = _LAYERS[kind.name]
        found = operation(*tensors, sizes=sizes, backwards=backwards, options=kind.options)
        return tuple(found[: 1 + kind.states])
    return _plain(kind, input, state, weights, sizes, backwards)


def _layers(
    kind: Kind,
    input: Any,
    sizes: tuple[int, ...],
    states: tuple[Any, ...],
    params: Sequence[Any],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> tuple[Any, ...]:
    """Return the outputs of the last layer, and the last states of all layers and directions."""
    directions = 1 + bidirectional
    for s in states:
        if s._array.ndim != 3 or s._array.shape[0] != num_layers * directions:
            raise RuntimeError(
                f"{kind.name}: a state has the shape {list(s._array.shape)}, expected "
                f"[{num_layers * directions}, examples, hidden]"
            )
    if len(params) != num_layers * directions * (len(params) // (num_layers * directions)):
        raise RuntimeError("got an incorrect number of RNN parameters")
    each = len(params) // (num_layers * directions)
    ends: list[list[Any]] = [[] for _ in states]
    for k in range(num_layers):
        outs = []
        for backwards in range(directions):
            place = k * directions + backwards
            mine = list(params[place * each : (place + 1) * each])
            weights = [*mine[:2], *(mine[2:4] if has_biases else (None, None))]
            weights.append(mine[-1] if len(mine) % 2 else None)
            state = tuple([s[place] for s in states])
            _check(kind.name, kind, input, state, weights)
            out, *last = _layer(kind, input, state, weights, sizes, bool(backwards))
            outs.append(out)
            for found, end in zip(ends, last, strict=True):
                found.append(end)
        input = outs[0] if directions == 1 else cat(outs, 1)
        if dropout and train and k < num_layers - 1:
            input = dropped(input, dropout)
    return (input, *[stack(found) for found in ends])


def _sequences(kind: Kind, arguments: tuple[Any, ...], name: str) -> Any:
    """Return what a function of sequences does, by where the states are among its arguments."""
    if len(arguments) != 9:
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got {len(arguments)}, but "
            "expected 9: those of sequences, or of packed ones"
        )
    packed = isinstance(arguments[2 if kind.states == 1 else 1], TensorBase)
    if packed:
        data, batch_sizes, hx, params, *options = arguments
        read(batch_sizes)
        sizes = tuple(int(n) for n in batch_sizes._array)
        states = tuple(hx) if kind.states == 2 else (hx,)
        return _layers(kind, data, sizes, states, params, *options)
    input, hx, params, *options, batch_first = arguments
    states = tuple(hx) if kind.states == 2 else (hx,)
    if batch_first:
        input = transpose(input, 0, 1)
    if input._array.ndim != 3:
        raise RuntimeError(f"{name}: the input has {input._array.ndim} dimensions, expected 3")
    length, count, features = input._array.shape
    if not length:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    flat = reshape(input, (length * count, features))
    out, *ends = _layers(kind, flat, (count,) * length, states, params, *options)
    out = reshape(out, (length, count, out._array.shape[1]))
    return (transpose(out, 0, 1) if batch_first else out, *ends)


@public(method=False)
def lstm(*given: Any) -> Any:
    """Return the outputs of layers of long short-term memory, the last outputs and the last cells.

    Called as ``lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first)``, or ``lstm(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train,
    bidirectional)`` for packed sequences; ``hx`` is a pair of states.  The parameters are those of
    :func:`lstm_cell` for each layer and direction, and what outputs are projected by, if they are.

    Raises:
        RuntimeError: There is no step, or shapes do not fit.
    """
    return _sequences(_LONG, given, "lstm")


@public(method=False)
def gru(*given: Any) -> Any:
    """Return the outputs of layers of gated recurrent units, and the last ones.

    See :func:`lstm`; ``hx`` is one state.
    """
    return _sequences(_GATED, given, "gru")


@public(method=False)
def rnn_tanh(*given: Any) -> Any:
    """Return the outputs of layers of plain recurrent units, and the last ones; see :func:`gru`."""
    return _sequences(_TANH, given, "rnn_tanh")


@public(method=False)
def rnn_relu(*given: Any) -> Any:
    """Return what :func:`rnn_tanh` does, with ``relu`` for ``tanh``."""
    return _sequences(_RELU, given, "rnn_relu")
