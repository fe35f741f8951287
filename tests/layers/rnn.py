"""Recurrent layers and their steps."""

from typing import Any

from layers.layer import layer


def _packed(lengths: list[int], enforce_sorted: bool) -> Any:
    def call(layer: Any, x: Any, *states: Any) -> Any:
        library = __import__(type(x).__module__.split(".")[0])
        rnn = library.nn.utils.rnn
        packed = rnn.pack_padded_sequence(x, lengths, enforce_sorted=enforce_sorted)
        out, last = layer(packed, *states)
        return (*rnn.pad_packed_sequence(out, total_length=6)[:1], out.data, last)

    return call


def _with_cell(layer: Any, x: Any, h: Any, c: Any) -> Any:
    return layer(x, (h, c))


LAYERS = [
    layer("RNN", lambda nn: nn.RNN(3, 4), (5, 2, 3)),
    layer("RNN, relu", lambda nn: nn.RNN(3, 4, 2, "relu"), (5, 2, 3), (2, 2, 4)),
    layer("RNN, both ways", lambda nn: nn.RNN(3, 4, num_layers=2, bidirectional=True,
                                              batch_first=True), (2, 5, 3)),
    layer("RNN, one", lambda nn: nn.RNN(3, 4, bias=False), (5, 3), (1, 4)),
    layer("GRU", lambda nn: nn.GRU(3, 4), (5, 2, 3), (1, 2, 4)),
    layer("GRU, both ways", lambda nn: nn.GRU(3, 4, 2, bidirectional=True), (5, 2, 3)),
    layer("GRU, one", lambda nn: nn.GRU(3, 4, bias=False, batch_first=True), (5, 3)),
    layer("GRU, packed", lambda nn: nn.GRU(3, 4, 2, bidirectional=True), (5, 3, 3),
          call=_packed([5, 3, 1], True)),
    layer("GRU, packed, any order", lambda nn: nn.GRU(3, 4), (5, 3, 3), (1, 3, 4),
          call=_packed([3, 5, 2], False)),
    layer("LSTM", lambda nn: nn.LSTM(3, 4), (5, 2, 3)),
    layer("LSTM, states", lambda nn: nn.LSTM(3, 4, 2), (5, 2, 3), (2, 2, 4), (2, 2, 4),
          call=_with_cell),
    layer("LSTM, both ways", lambda nn: nn.LSTM(3, 4, 2, bias=False, bidirectional=True,
                                                batch_first=True), (2, 5, 3)),
    layer("LSTM, projected", lambda nn: nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2),
          (5, 2, 3), (4, 2, 2), (4, 2, 4), call=_with_cell, single=None),
    layer("LSTM, one", lambda nn: nn.LSTM(3, 4), (5, 3), (1, 4), (1, 4), call=_with_cell),
    layer("LSTM, packed", lambda nn: nn.LSTM(3, 4, 2, bidirectional=True), (5, 3, 3),
          call=_packed([5, 3, 1], True)),
    layer("LSTM, packed, any order", lambda nn: nn.LSTM(3, 4), (5, 3, 3),
          call=_packed([3, 5, 2], False)),
    layer("LSTM, dropout", lambda nn: nn.LSTM(3, 4, 2, dropout=0.5), (5, 2, 3), training=False),
    layer("RNNCell", lambda nn: nn.RNNCell(3, 4), (2, 3), (2, 4)),
    layer("RNNCell, relu", lambda nn: nn.RNNCell(3, 4, False, "relu"), (2, 3)),
    layer("GRUCell", lambda nn: nn.GRUCell(3, 4), (2, 3), (2, 4)),
    layer("GRUCell, one", lambda nn: nn.GRUCell(3, 4, bias=False), (3,)),
    layer("LSTMCell", lambda nn: nn.LSTMCell(3, 4), (2, 3), (2, 4), (2, 4), call=_with_cell),
    layer("LSTMCell, one", lambda nn: nn.LSTMCell(3, 4, bias=False), (3,)),
]  # fmt: skip
