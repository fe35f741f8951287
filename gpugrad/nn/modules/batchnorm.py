"""Layers that normalize channels over a batch."""

from __future__ import annotations

from typing import Any

from gpugrad import functions
from gpugrad._dtype import int64
from gpugrad._tensor import Tensor
from gpugrad.nn import functional, init
from gpugrad.nn.modules.lazy import LazyModuleMixin
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter, UninitializedBuffer, UninitializedParameter


class _NormBase(Module):
    """What layers with running means have in common: parameters, buffers and how they are loaded.

    Args:
        num_features: The number of channels.
        eps: What is added to variances.
        momentum: The weight of a batch in running means; ``None`` has all batches weigh the same.
        affine: Whether there are weights, and biases.
        track_running_stats: Whether there are running means and variances.
        device: Where the parameters are.
        dtype: Their type.
        bias: Whether there are biases beside weights.
    """

    _version = 2  # since which the state has the number of batches
    dimensions: tuple[int, ...] = ()  # of the inputs that a class takes

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, there in ("weight", affine), ("bias", affine and bias):
            empty = functions.empty(num_features, device=device, dtype=dtype) if there else None
            self.register_parameter(name, None if empty is None else Parameter(empty))
        mean = var = count = None
        if track_running_stats:
            mean = functions.zeros(num_features, device=device, dtype=dtype)
            var = functions.ones(num_features, device=device, dtype=dtype)
            count = functions.tensor(0, dtype=int64, device=device)
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", var)
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget all batches."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Make weights 1 and biases 0, and forget all batches."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in self.dimensions:
            wanted = " or ".join(f"{n}D" for n in self.dimensions)
            raise ValueError(f"expected {wanted} input (got {input.dim()}D input)")

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *others: Any
    ) -> None:
        version = local_metadata.get("version", None)
        if (version is None or version < 2) and self.track_running_stats:
            count = self.num_batches_tracked
            kept = functions.tensor(0, dtype=int64) if count is None else count
            state_dict.setdefault(f"{prefix}num_batches_tracked", kept)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)


class _BatchNorm(_NormBase):
    """What the layers for inputs of one, two and three dimensions have in common."""

    def _counted(self) -> float:
        """Count a batch in training, and return its weight in the running means."""
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                return 1.0 / float(self.num_batches_tracked)
        return 0.0 if self.momentum is None else self.momentum

    def forward(self, input: Tensor) -> Tensor:
        """Return the input, normalized by its own means in training, else by the running ones."""
        self._check_input_dim(input)
        momentum = self._counted()
        tracked = not self.training or self.track_running_stats
        return functional.batch_norm(
            input,
            self.running_mean if tracked else None,
            self.running_var if tracked else None,
            self.weight,
            self.bias,
            self.training or (self.running_mean is None and self.running_var is None),
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """Each channel less its mean over the batch, divided by its standard deviation.

    Inputs are of shape (examples, channels) or (examples, channels, length); see
    :class:`_NormBase` for the arguments.
    """

    dimensions = 2, 3


class BatchNorm2d(_BatchNorm):
    """What :class:`BatchNorm1d` is, for inputs of shape (examples, channels, height, width)."""

    dimensions = (4,)


class BatchNorm3d(_BatchNorm):
    """What :class:`BatchNorm1d` is, for inputs of shape (examples, channels, depth, ...)."""

    dimensions = (5,)


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """What layers have in common whose ``num_features`` is that of their first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(0, eps, momentum, False, False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = functions.tensor(0, dtype=int64, device=device)

    def reset_parameters(self) -> None:
        """Reset what has a shape; see :meth:`_NormBase.reset_parameters`."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Give the parameters and buffers the shapes for an input."""
        if self.has_uninitialized_params():
            self.num_features = input.shape[1]
            for tensor in (self.weight, self.bias) if self.affine else ():
                if tensor is not None:
                    tensor.materialize((self.num_features,))
            if self.track_running_stats:
                self.running_mean.materialize((self.num_features,))
                self.running_var.materialize((self.num_features,))
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNormBase, _BatchNorm):
    """A :class:`BatchNorm1d` layer with as many channels as its first input has."""

    cls_to_become = BatchNorm1d
    dimensions = 2, 3


class LazyBatchNorm2d(_LazyNormBase, _BatchNorm):
    """A :class:`BatchNorm2d` layer with as many channels as its first input has."""

    cls_to_become = BatchNorm2d
    dimensions = (4,)


class LazyBatchNorm3d(_LazyNormBase, _BatchNorm):
    """A :class:`BatchNorm3d` layer with as many channels as its first input has."""

    cls_to_become = BatchNorm3d
    dimensions = (5,)
