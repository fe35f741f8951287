"""Layers that normalize the channels of each example."""

from __future__ import annotations

from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.graph import warn
from gpugrad.nn import functional
from gpugrad.nn.modules.batchnorm import _LazyNormBase, _NormBase


class _InstanceNorm(_NormBase):
    """What the layers for inputs of one, two and three dimensions have in common.

    The arguments are those of :class:`_NormBase`; by default there are neither weights nor running
    means.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: Any,
        unexpected_keys: Any,
        error_msgs: Any,
    ) -> None:
        version = local_metadata.get("version", None)
        if version is None and not self.track_running_stats:
            names = [f"{prefix}{name}" for name in ("running_mean", "running_var")]
            for name in [n for n in names if n in state_dict]:
                error_msgs.append(
                    f"Unexpected running stats buffer {name} for {type(self).__name__} with "
                    "track_running_stats=False: it is of a time in which these layers kept them; "
                    f"remove {name} from the state dictionary, or track them."
                )
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def _applied(self, input: Tensor) -> Tensor:
        return functional.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return the channels, each normalized by its own mean, or by the running one."""
        self._check_input_dim(input)
        single = input.dim() == self.dimensions[0]
        dim = 0 if single else 1
        if input.size(dim) != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={dim} to match num_features "
                    f"({self.num_features}), but got: {input.size(dim)}."
                )
            warn(
                f"input's size at dim={dim} does not match num_features. You can silence this "
                "warning by not passing in num_features, which is not used because affine=False"
            )
        return self._applied(input.unsqueeze(0)).squeeze(0) if single else self._applied(input)


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each example less its mean, divided by its standard deviation.

    Inputs are of shape (examples, channels, length), or (channels, length).
    """

    dimensions = 2, 3


class InstanceNorm2d(_InstanceNorm):
    """What :class:`InstanceNorm1d` is, for inputs of one more dimension."""

    dimensions = 3, 4


class InstanceNorm3d(_InstanceNorm):
    """What :class:`InstanceNorm1d` is, for inputs of two more dimensions."""

    dimensions = 4, 5


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """An :class:`InstanceNorm1d` layer with as many channels as its first input has."""

    cls_to_become = InstanceNorm1d
    dimensions = 2, 3


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """An :class:`InstanceNorm2d` layer with as many channels as its first input has."""

    cls_to_become = InstanceNorm2d
    dimensions = 3, 4


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """An :class:`InstanceNorm3d` layer with as many channels as its first input has."""

    cls_to_become = InstanceNorm3d
    dimensions = 4, 5
