"""Layers that look up rows of a table."""

from __future__ import annotations

from typing import Any, Self

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.nn import functional, init
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter


class _Table(Module):
    """What both layers have in common: a table, of which one row may be for padding."""

    weight: Any

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        weight: Tensor | None,
        freeze: bool,
        device: Any,
        dtype: Any,
        name: str,
    ):
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError(f"{name} must be within num_embeddings")
            self.padding_idx = padding_idx % num_embeddings
        shape = num_embeddings, embedding_dim
        if weight is None:
            weight = functions.empty(shape, device=device, dtype=dtype)
            self.weight = Parameter(weight, requires_grad=not freeze)
            self.reset_parameters()
        else:
            if tuple(weight.shape) != shape:
                raise AssertionError(
                    "Shape of weight does not match num_embeddings and embedding_dim"
                )
            self.weight = Parameter(weight, requires_grad=not freeze)

    def reset_parameters(self) -> None:
        """Draw the table from a normal distribution; the row for padding is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)


def _dimensions(embeddings: Tensor) -> tuple[int, int]:
    if embeddings.dim() != 2:
        raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
    rows, columns = embeddings.shape
    return rows, columns


class Embedding(_Table):
    """A table, whose rows are looked up by their numbers.

    Args:
        num_embeddings: The number of rows.
        embedding_dim: Their length.
        padding_idx: The number of a row that is 0 and gets no gradient, or none.
        max_norm: To which norm rows are shortened when they are looked up, or none.
        norm_type: The order of that norm.
        scale_grad_by_freq: Whether the gradient of a row is divided by how often it is looked up.
        sparse: Is refused in calls: there are no sparse tensors.
        _weight: The table, where there is one.
        _freeze: Whether it gets no gradient.
        device: Where the table is.
        dtype: Its type.

    Raises:
        AssertionError: There is no row ``padding_idx``, or the table is of another shape.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, _weight, _freeze, device, dtype,
            "Padding_idx",
        )  # fmt: skip
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse

    def forward(self, input: Tensor) -> Tensor:
        """Return the rows that are named, of shape (..., embedding_dim)."""
        return functional.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        """Return the shape of the table, and the options that are not usual."""
        found = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            found += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            found += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            found += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            found += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return found + ", sparse=True" if self.sparse else found

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """Return a layer of a table that there is; ``freeze`` says that it gets no gradient."""
        rows, columns = _dimensions(embeddings)
        return cls(
            rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings,
            freeze,
        )  # fmt: skip


class EmbeddingBag(_Table):
    """A table, of whose rows sums, means or maxima are taken.

    The arguments are those of :class:`Embedding`, but that a row ``padding_idx`` belongs to no bag,
    and:

    Args:
        mode: "sum", "mean" or "max".
        include_last_offset: Whether the last offset is where the last bag ends.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, _weight, False, device, dtype,
            "padding_idx",
        )  # fmt: skip
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        """Return what is made of each bag, of shape (bags, embedding_dim)."""
        return functional.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        """Return the shape of the table, and the options that are not usual."""
        found = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            found += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            found += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            found += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        found += f", mode={self.mode!r}"
        return found if self.padding_idx is None else f"{found}, padding_idx={self.padding_idx}"

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """Return a layer of a table that there is; ``freeze`` says that it gets no gradient."""
        rows, columns = _dimensions(embeddings)
        made = cls(
            rows, columns, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings,
            include_last_offset, padding_idx,
        )  # fmt: skip
        made.weight.requires_grad = not freeze
        return made
