"""Sequences of several lengths: padded, and packed one time after the other.

>>> import gpugrad as torch
>>> a, b = torch.tensor([1, 2, 3]), torch.tensor([4, 5])
>>> pad_sequence([a, b], batch_first=True)
tensor([[1, 2, 3],
        [4, 5, 0]])
>>> packed = pack_sequence([a, b])
>>> packed.data, packed.batch_sizes
(tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
>>> unpack_sequence(packed)
[tensor([1, 2, 3]), tensor([4, 5])]
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from gpugrad import _dtype, functions
from gpugrad._tensor import Tensor


class _Parts(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Parts):
    """Sequences of which all rows of one time lie together, the longest sequence first.

    Made by :func:`pack_padded_sequence` and :func:`pack_sequence`.

    Attributes:
        data: The rows.
        batch_sizes: For each time, how many sequences have a row; on the CPU.
        sorted_indices: Which sequence comes first, second, and so on, where they were sorted.
        unsorted_indices: The place of each sequence in that order.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        """Make it of the rows and how many there are; also as a pair of both."""
        if batch_sizes is None:
            if not (isinstance(data, list | tuple) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be "
                "created manually. They should be instantiated by functions like pack_sequence and "
                "pack_padded_sequences in nn.utils.rnn. "
                "https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Return it with its rows on a device, or of a type; itself where nothing changes."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        places = [
            None if t is None else t.to(data.device)
            for t in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(data, self.batch_sizes, *places)

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """Return it with its rows on a GPU."""
        return self.to(*args, **kwargs) if args else self.to(**{"device": "cuda", **kwargs})

    def cpu(self, *args: Any, **kwargs: Any) -> Self:
        """Return it with its rows on the CPU."""
        return self.to(*args, **{"device": "cpu", **kwargs})

    def double(self) -> Self:
        """Return it with rows of float64."""
        return self.to(dtype=_dtype.float64)

    def float(self) -> Self:
        """Return it with rows of float32."""
        return self.to(dtype=_dtype.float32)

    def half(self) -> Self:
        """Return it with rows of float16."""
        return self.to(dtype=_dtype.float16)

    def long(self) -> Self:
        """Return it with rows of int64."""
        return self.to(dtype=_dtype.int64)

    def int(self) -> Self:
        """Return it with rows of int32."""
        return self.to(dtype=_dtype.int32)

    def short(self) -> Self:
        """Return it with rows of int16."""
        return self.to(dtype=_dtype.int16)

    def char(self) -> Self:
        """Return it with rows of int8."""
        return self.to(dtype=_dtype.int8)

    def byte(self) -> Self:
        """Return it with rows of uint8."""
        return self.to(dtype=_dtype.uint8)

    def pin_memory(self) -> Self:
        """Return it with all its tensors in memory from which a GPU copies without a detour."""
        return type(self)(*[None if t is None else t.pin_memory() for t in self])

    def is_pinned(self) -> bool:
        """Return whether the rows lie in such memory."""
        return bool(self.data.is_pinned())

    @property
    def is_cuda(self) -> bool:
        """Whether the rows are on a GPU."""
        return bool(self.data.is_cuda)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the place of each number in a permutation; ``None`` of none."""
    if permutation is None:
        return None
    return functions.argsort(permutation)


def _rows_of(lengths: Sequence[int]) -> tuple[list[int], Any]:
    """Return how many sequences there are at each time, and which rows of padded ones they have.

    Those are numbered by time and sequence.
    """
    count = len(lengths)
    longest = lengths[0]
    sizes = [sum(n > t for n in lengths) for t in range(longest)]
    return sizes, np.concatenate([np.arange(n) + t * count for t, n in enumerate(sizes)])


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Return padded sequences as packed ones.

    Args:
        input: Of shape (time, sequences, ...), or (sequences, time, ...) with ``batch_first``.
        lengths: Of each sequence; a tensor on the CPU, or a list.
        batch_first: Which of the two dimensions comes first.
        enforce_sorted: Whether lengths must not increase; if not, sequences are sorted.

    Raises:
        RuntimeError: Lengths are not positive, not sorted, or not as many as sequences.
    """
    if isinstance(lengths, Tensor):
        if lengths.device.type != "cpu":
            raise RuntimeError(
                "'lengths' argument should be a 1D CPU int64 tensor, but got "
                f"{lengths.dim()}D {lengths.device} Long tensor"
            )
        lengths = lengths.to(_dtype.int64)
    else:
        lengths = functions.tensor([int(n) for n in lengths], dtype=_dtype.int64)
    if lengths.dim() != 1:
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{lengths.dim()}D cpu Long tensor"
        )
    order = None
    if not enforce_sorted:
        lengths, order = functions.sort(lengths, descending=True)
        order = order.to(input.device)
        input = input.index_select(0 if batch_first else 1, order)
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    if batch_first:
        input = input.transpose(0, 1)
    time, count = input.shape[:2]
    known = lengths.tolist()
    if len(known) != count:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(known)} "
            f"(batch_size={count})"
        )
    if known[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
    if any(a < b for a, b in itertools.pairwise(known)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    if known[0] > time:
        raise RuntimeError(f"Expected lengths of at most {time}, but got {known[0]}")
    sizes, rows = _rows_of(known)
    flat = input.reshape(time * count, *input.shape[2:])
    data = flat.index_select(0, functions.as_tensor(rows, device=input.device))
    return PackedSequence(data, functions.tensor(sizes, dtype=_dtype.int64), order, None)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return packed sequences as padded ones in their first order, and their lengths.

    Raises:
        ValueError: ``total_length`` is less than that of the longest one.
    """
    sizes = sequence.batch_sizes.tolist()
    time = len(sizes)
    if total_length is not None:
        if total_length < time:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, "
                f"but got total_length={total_length} and max sequence length being {time}"
            )
        time = total_length
    count = sizes[0]
    known = [sum(n > k for n in sizes) for k in range(count)]
    data = sequence.data
    places = np.concatenate([np.arange(n) + t * count for t, n in enumerate(sizes)])
    padded = functions.full(
        (time * count, *data.shape[1:]), padding_value, dtype=data.dtype, device=data.device
    )
    padded = padded.index_copy(0, functions.as_tensor(places, device=data.device), data)
    padded = padded.reshape(time, count, *data.shape[1:])
    if batch_first:
        padded = padded.transpose(0, 1)
    lengths = functions.tensor(known, dtype=_dtype.int64)
    order = sequence.unsorted_indices
    if order is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, order), lengths[order.cpu()]


def pad_sequence(
    sequences: Any,
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Return sequences side by side, each filled up to the length of the longest one.

    Args:
        sequences: Tensors of shape (length, ...).
        batch_first: Whether the result is of shape (sequences, length, ...).
        padding_value: What they are filled with.
        padding_side: Where: "right" or "left".

    Raises:
        IndexError: One has no dimension.
        RuntimeError: There are none, or sizes other than lengths do not broadcast to the first's.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    found = tuple(sequences)
    if not found:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("right", "left"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    longest = max(s.size(0) for s in found)
    _, *ends = found[0].shape
    padded = []
    for s in found:
        if list(s.shape[1:]) != ends:
            place = functions.empty((s.size(0), *ends), dtype=s.dtype, device=s.device)
            s = place.copy_(s)
        missing = longest - s.shape[0]
        if missing:
            filling = functions.full(
                (missing, *s.shape[1:]), padding_value, dtype=s.dtype, device=s.device
            )
            s = functions.cat((s, filling) if padding_side == "right" else (filling, s))
        padded.append(s)
    return functions.stack(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Return padded sequences as tensors of their lengths."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [s[:n] for s, n in zip(padded_sequences.unbind(0), lengths.tolist(), strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Return sequences as packed ones; see :func:`pack_padded_sequence`."""
    lengths = [s.size(0) for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return packed sequences as tensors of their lengths, in their first order."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
