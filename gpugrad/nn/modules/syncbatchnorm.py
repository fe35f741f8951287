"""Batch norms whose means are over the batches of several processes."""

from __future__ import annotations

from typing import Any

from gpugrad import distributed, functions
from gpugrad._dtype import float32
from gpugrad._tensor import Tensor
from gpugrad.autograd.function import Function
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.nn.modules.batchnorm import _BatchNorm
from gpugrad.nn.modules.module import Module


class _Gathered(Function):
    """The tensors of all processes, stacked; a gradient is that by all that was made of one."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, group: Any) -> Tensor:
        ctx.group = group
        found = functions.empty(
            (group.size(), *tensor.shape), dtype=tensor.dtype, device=tensor.device
        )
        distributed.all_gather_into_tensor(
            found.view(-1), tensor.detach().reshape(-1).contiguous(), group=group
        )
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return _Returned.apply(grads[0], ctx.group), None


class _Returned(Function):
    """This process' part of sums over all processes: what is transposed to :class:`_Gathered`."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, group: Any) -> Tensor:
        ctx.group = group
        total = tensor.detach().clone()
        distributed.all_reduce(total, group=group)
        return total[group.rank()].clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return _Gathered.apply(grads[0], ctx.group), None


class SyncBatchNorm(_BatchNorm):
    """A batch norm with the means and variances of the batches of several processes together.

    Inputs are of shape (examples, channels, ...), on the CPU, too, which PyTorch's refuses.  In
    evaluation, with one process and without a group it is a usual batch norm.  The number of
    examples may differ; there may be none.  Gradients of parameters are those of the own examples,
    which ``DistributedDataParallel`` puts together.

    Args:
        num_features: The number of channels.
        eps: What is added to variances.
        momentum: The weight of a batch in running means; ``None`` has all batches weigh the same.
        affine: Whether there are weights, and biases.
        track_running_stats: Whether there are running means and variances.
        process_group: Which processes; all by default.
        device: Where the parameters are.
        dtype: Their type.
        bias: Whether there are biases beside weights.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if input.size(1) == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    def forward(self, input: Tensor) -> Tensor:
        """Return the input, normalized by means over all processes in training."""
        group = None
        if self.training and distributed.is_initialized():
            group = self.process_group or distributed.group.WORLD
        if group is None or group.size() == 1:
            return super().forward(input)
        self._check_input_dim(input)
        momentum = self._counted()
        wide = input.to(float32) if input.dtype.itemsize == 2 else input
        beside = (1, -1, *[1] * (input.dim() - 2))
        axes = [0, *range(2, input.dim())]
        count = input.numel() // input.size(1)
        own = wide.sum(axes) / max(count, 1)
        spread = (wide - own.view(beside)).square().sum(axes)
        each = functions.stack([functions.full_like(own, count), own, spread])
        counts, means, spreads = _Gathered.apply(each, group).unbind(1)
        total = counts.sum(0)
        mean = (counts * means).sum(0) / total
        squares = (spreads + counts * (means - mean).square()).sum(0)
        if self.track_running_stats and self.running_mean is not None:
            with no_grad():
                unbiased = squares / (total - 1)
                self.running_mean.mul_(1 - momentum).add_(mean * momentum)
                self.running_var.mul_(1 - momentum).add_(unbiased * momentum)
        scale = (squares / total + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        out = (wide - mean.view(beside)) * scale.view(beside)
        if self.bias is not None:
            out = out + self.bias.view(beside)
        return out.to(input.dtype)

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """Return a module in which all batch norms are of this class, with their parameters.

        Modules in it are replaced in their places; it is itself returned unless it is a batch norm.
        """
        found = module
        if isinstance(module, _BatchNorm):
            found = cls(
                module.num_features, module.eps, module.momentum, module.affine,
                module.track_running_stats, process_group, bias=module.bias is not None,
            )  # fmt: skip
            found.weight, found.bias = module.weight, module.bias
            found.running_mean, found.running_var = module.running_mean, module.running_var
            found.num_batches_tracked = module.num_batches_tracked
            found.training = module.training
        for name, child in module.named_children():
            found.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return found
