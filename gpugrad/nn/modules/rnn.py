"""Recurrent layers, and single steps of them."""

from __future__ import annotations

import math
import numbers
from typing import Any

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.graph import warn
from gpugrad.nn import init
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter
from gpugrad.nn.utils.rnn import PackedSequence
from gpugrad.op.autocast import is_casting

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def _check_options(
    input_size: Any, hidden_size: Any, num_layers: int, bias: Any, batch_first: Any, dropout: Any
) -> None:
    """Raise where the options of a layer are none.

    Raises:
        TypeError: One is of another type.
        ValueError: One is out of range.
    """
    number = isinstance(dropout, numbers.Number) and not isinstance(dropout, bool)
    if not number or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an "
            "element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and "
            f"num_layers={num_layers}"
        )
    for name, value, kind in (
        ("bias", bias, bool), ("batch_first", batch_first, bool), ("input_size", input_size, int),
        ("hidden_size", hidden_size, int),
    ):  # fmt: skip
        if not isinstance(value, kind):
            raise TypeError(
                f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
            )
        if kind is int and value <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")


class RNNBase(Module):
    """What recurrent layers have in common: their weights, and how sequences are given to them.

    Args:
        mode: "LSTM", "GRU", "RNN_TANH" or "RNN_RELU".
        input_size: The number of features of a row.
        hidden_size: That of a state.
        num_layers: How many layers lie on each other.
        bias: Whether there are biases.
        batch_first: Whether sequences are of shape (sequences, time, features), and not (time,
            sequences, features).
        dropout: The probability with which outputs of all layers but the last are 0 in training.
        bidirectional: Whether each layer goes back, too.
        proj_size: To how many features outputs are projected, 0 for not; of "LSTM" only.
        device: Where the parameters are.
        dtype: Their type.

    Raises:
        TypeError: An option is of another type.
        ValueError: An option is out of range.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        _check_options(input_size, hidden_size, num_layers, bias, batch_first, dropout)
        if proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, directions, out = _GATES[mode] * hidden_size, 1 + bidirectional, self._out_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            features = input_size if layer == 0 else out * directions
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, features),
                "weight_hh": (rows, out),
            }
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            if proj_size:
                shapes |= {"weight_hr": (proj_size, hidden_size)}
            for suffix in ("", "_reverse")[:directions]:
                names = []
                for name, shape in shapes.items():
                    names.append(f"{name}_l{layer}{suffix}")
                    empty = functions.empty(shape, device=device, dtype=dtype)
                    setattr(self, names[-1], Parameter(empty))
                self._all_weights.append(names)
        self.reset_parameters()

    @property
    def _out_size(self) -> int:
        return self.proj_size or self.hidden_size

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for name in self._flat_weights_names]

    def flatten_parameters(self) -> None:
        """Do nothing: how the parameters lie in memory changes nothing."""

    def reset_parameters(self) -> None:
        """Draw all parameters uniformly from less than ``1 / sqrt(hidden_size)`` in size."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise where sequences do not fit: padded ones, or with ``batch_sizes`` packed ones."""
        kind = self._flat_weights[0].dtype
        if input.dtype != kind and not is_casting():
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({kind}). "
                f"Convert input: input.to({kind}), or convert model: model.to({input.dtype})"
            )
        wanted = 3 if batch_sizes is None else 2
        if input.dim() != wanted:
            raise RuntimeError(f"input must have {wanted} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{input.size(-1)}"
            )

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """Return the shape of a state for these sequences."""
        if batch_sizes is not None:
            count = int(batch_sizes[0])
        else:
            count = input.size(0 if self.batch_first else 1)
        return self.num_layers * (1 + self.bidirectional), count, self._out_size

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Raise where a state has another shape."""
        if tuple(hx.size()) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise where sequences or states do not fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not usual."""
        found = f"{self.input_size}, {self.hidden_size}"
        usual = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
            "bidirectional": False,
        }  # fmt: skip
        for name, value in usual.items():
            if getattr(self, name) != value:
                found += f", {name}={getattr(self, name)}"
        return found

    # ----------------------------------------------------------------------- a call

    def _states(self, hx: Any) -> tuple[Tensor, ...]:
        """Return the states of an argument."""
        return (hx,)

    def _argument(self, states: tuple[Tensor, ...]) -> Any:
        return states[0]

    def _sizes(self) -> tuple[int, ...]:
        return (self._out_size,)

    def _check_dimensions(self, states: tuple[Tensor, ...], batched: bool) -> None:
        (hx,) = states
        if hx.dim() != (3 if batched else 2):
            which, wanted = ("batched 3", 3) if batched else ("unbatched 2", 2)
            raise RuntimeError(
                f"For {which}-D input, hx should also be {wanted}-D but got {hx.dim()}-D tensor"
            )

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Return the outputs of the last layer, and the last states of all layers and directions.

        Args:
            input: Sequences of shape (time, sequences, features), one of shape (time, features), or
                packed ones.
            hx: The states before, of shape (layers * directions, sequences, hidden); by default 0.
        """
        sizes = order = back = None
        batched = True
        data = input
        if isinstance(input, PackedSequence):
            data, sizes, order, back = input
        else:
            if data.dim() not in (2, 3):
                named = " tensor" if self.mode.startswith("RNN") else ""
                raise ValueError(
                    f"{type(self).__name__}: Expected input to be 2D or 3D, got {data.dim()}D"
                    f"{named} instead"
                )
            batched = data.dim() == 3
            if not batched:
                data = data.unsqueeze(0 if self.batch_first else 1)
        if hx is None:
            first = self.num_layers * (1 + self.bidirectional)
            count = self.get_expected_hidden_size(data, sizes)[1]
            states = tuple([
                functions.zeros(first, count, n, dtype=data.dtype, device=data.device)
                for n in self._sizes()
            ])  # fmt: skip
        else:
            states = self._states(hx)
            if sizes is None:
                self._check_dimensions(states, batched)
                if not batched:
                    states = tuple([s.unsqueeze(1) for s in states])
            elif order is not None:
                states = tuple([s.index_select(1, order) for s in states])
        self.check_forward_args(data, self._argument(states), sizes)
        out, *last = self._called(data, self._argument(states), sizes)
        if sizes is not None:
            if back is not None:
                last = [s.index_select(1, back) for s in last]
            return PackedSequence(out, sizes, order, back), self._argument(tuple(last))
        if not batched:
            out = out.squeeze(0 if self.batch_first else 1)
            last = [s.squeeze(1) for s in last]
        return out, self._argument(tuple(last))

    def _called(self, data: Tensor, hx: Any, sizes: Tensor | None) -> Any:
        function = getattr(functions, self.mode.lower())
        options = (
            self._flat_weights, self.bias, self.num_layers, self.dropout, self.training,
            self.bidirectional,
        )  # fmt: skip
        if sizes is None:
            return function(data, hx, *options, self.batch_first)
        return function(data, sizes, hx, *options)


class RNN(RNNBase):
    """Layers of ``h = tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)``.

    The arguments are those of :class:`RNNBase`, without ``mode``, and after ``num_layers``:

    Args:
        nonlinearity: "tanh" or "relu".
    """

    def __init__(self, *args: Any, **kwargs: Any):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


class GRU(RNNBase):
    """Layers of gated recurrent units.

    The arguments are those of :class:`RNNBase`, without ``mode``.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class LSTM(RNNBase):
    """Layers of long short-term memory; a state is a pair of outputs and cells.

    The arguments are those of :class:`RNNBase`, without ``mode``.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """Return the shape of the cells for these sequences."""
        return (*self.get_expected_hidden_size(input, batch_sizes)[:2], self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise where sequences or states do not fit."""
        self.check_input(input, batch_sizes)
        for k, wanted in enumerate((
            self.get_expected_hidden_size(input, batch_sizes),
            self.get_expected_cell_size(input, batch_sizes),
        )):  # fmt: skip
            text = f"Expected hidden[{k}] size {{}}, got {{}}"
            self.check_hidden_size(hidden[k], wanted, text)

    def _states(self, hx: Any) -> tuple[Tensor, ...]:
        return hx[0], hx[1]

    def _argument(self, states: tuple[Tensor, ...]) -> Any:
        return states

    def _sizes(self) -> tuple[int, ...]:
        return self._out_size, self.hidden_size

    def _check_dimensions(self, states: tuple[Tensor, ...], batched: bool) -> None:
        h, c = states
        wanted = 3 if batched else 2
        if h.dim() != wanted or c.dim() != wanted:
            which = "batched" if batched else "unbatched"
            raise RuntimeError(
                f"For {which} {wanted}-D input, hx and cx should also be {wanted}-D but got "
                f"({h.dim()}-D, {c.dim()}-D) tensors"
            )


# --------------------------------------------------------------------------- one step


class RNNCellBase(Module):
    """What single steps have in common: their weights.

    Args:
        input_size: The number of features of a row.
        hidden_size: That of a state.
        bias: Whether there are biases.
        num_chunks: How many gates there are.
        device: Where the parameters are.
        dtype: Their type.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, hidden_size),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        for name, shape in shapes.items():
            there = bias or name.startswith("weight")
            empty = functions.empty(shape, device=device, dtype=dtype) if there else None
            self.register_parameter(name, None if empty is None else Parameter(empty))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters uniformly from less than ``1 / sqrt(hidden_size)`` in size."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not usual."""
        found = f"{self.input_size}, {self.hidden_size}"
        if not self.bias:
            found += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return found if nonlinearity == "tanh" else f"{found}, nonlinearity={nonlinearity}"

    def _stepped(self, function: Any, input: Tensor, states: Any) -> Any:
        """Return what a step gives, as a tuple, of rows or of one."""
        name, two = type(self).__name__, isinstance(self, LSTMCell)
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for k, s in enumerate(() if states is None else states):
            if s.dim() not in (1, 2):
                what = f"hx[{k}]" if two else "hidden"
                raise ValueError(f"{name}: Expected {what} to be 1D or 2D, got {s.dim()}D instead")
        single = input.dim() == 1
        if single:
            input = input.unsqueeze(0)
            states = None if states is None else tuple([s.unsqueeze(0) for s in states])
        if states is None:
            zeros = functions.zeros(
                input.size(0), self.hidden_size, dtype=input.dtype, device=input.device
            )
            states = (zeros, zeros) if two else (zeros,)
        weights = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        found = function(input, states if two else states[0], *weights)
        found = found if isinstance(found, tuple) else (found,)
        return tuple([t.squeeze(0) for t in found]) if single else found


class RNNCell(RNNCellBase):
    """One step of :class:`RNN`; ``nonlinearity`` is "tanh" or "relu"."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the next state, of shape (examples, hidden_size)."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        function = getattr(functions, f"rnn_{self.nonlinearity}_cell")
        found: Tensor = self._stepped(function, input, None if hx is None else (hx,))[0]
        return found


class GRUCell(RNNCellBase):
    """One step of :class:`GRU`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the next state, of shape (examples, hidden_size)."""
        states = None if hx is None else (hx,)
        found: Tensor = self._stepped(functions.gru_cell, input, states)[0]
        return found


class LSTMCell(RNNCellBase):
    """One step of :class:`LSTM`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> Any:
        """Return the next output and the next cell, of shape (examples, hidden_size)."""
        return self._stepped(functions.lstm_cell, input, hx)
