"""Layers that normalize."""

from typing import Any

from layers.layer import layer


def _twice(layer: Any, x: Any) -> Any:
    """Return two results: running means have moved between them."""
    return layer(x), layer(x * 2 + 1)


LAYERS = [
    layer("LayerNorm", lambda nn: nn.LayerNorm(6), (4, 6), single=1e-5),
    layer("LayerNorm, two dimensions", lambda nn: nn.LayerNorm([3, 6]), (4, 3, 6), single=1e-5),
    layer("LayerNorm, no bias", lambda nn: nn.LayerNorm(6, eps=1e-3, bias=False), (4, 6),
          single=1e-5),
    layer("LayerNorm, plain", lambda nn: nn.LayerNorm((6,), elementwise_affine=False), (4, 6),
          single=1e-5),
    layer("RMSNorm", lambda nn: nn.RMSNorm(6), (4, 6), single=1e-5),
    layer("RMSNorm, eps", lambda nn: nn.RMSNorm([3, 6], eps=1e-2), (4, 3, 6), single=1e-5),
    layer("RMSNorm, plain", lambda nn: nn.RMSNorm(6, elementwise_affine=False), (4, 6),
          single=1e-5),
    layer("GroupNorm", lambda nn: nn.GroupNorm(2, 4), (3, 4, 5), single=1e-5),
    layer("GroupNorm, plain", lambda nn: nn.GroupNorm(4, 4, affine=False), (3, 4, 5), single=1e-5),
    layer("GroupNorm, no bias", lambda nn: nn.GroupNorm(1, 4, bias=False), (3, 4, 2, 2),
          single=1e-5),
    layer("LocalResponseNorm", lambda nn: nn.LocalResponseNorm(2, 0.1), (2, 5, 3, 3)),
    layer("BatchNorm1d", lambda nn: nn.BatchNorm1d(4), (6, 4), call=_twice, single=1e-5),
    layer("BatchNorm1d, lengths", lambda nn: nn.BatchNorm1d(4, momentum=0.3), (3, 4, 5),
          call=_twice, single=1e-5),
    layer("BatchNorm1d, all alike", lambda nn: nn.BatchNorm1d(4, momentum=None), (6, 4),
          call=_twice, single=1e-5),
    layer("BatchNorm1d, running", lambda nn: nn.BatchNorm1d(4), (6, 4), training=False),
    layer("BatchNorm1d, plain", lambda nn: nn.BatchNorm1d(4, affine=False), (6, 4), single=1e-5),
    layer("BatchNorm1d, no bias", lambda nn: nn.BatchNorm1d(4, bias=False), (6, 4), single=1e-5),
    layer("BatchNorm1d, untracked", lambda nn: nn.BatchNorm1d(4, track_running_stats=False),
          (6, 4), training=False, single=1e-5),
    layer("BatchNorm2d", lambda nn: nn.BatchNorm2d(4, eps=1e-2), (3, 4, 2, 5), call=_twice,
          single=1e-5),
    layer("BatchNorm3d", lambda nn: nn.BatchNorm3d(4), (3, 4, 2, 2, 3), call=_twice, single=1e-5),
    layer("SyncBatchNorm, alone", lambda nn: nn.SyncBatchNorm(4, momentum=0.2), (3, 4, 2, 5),
          call=_twice, single=1e-5),
    layer("SyncBatchNorm, converted",
          lambda nn: nn.SyncBatchNorm.convert_sync_batchnorm(
              nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.BatchNorm1d(4)))),
          (6, 4), single=1e-5),
    layer("InstanceNorm1d", lambda nn: nn.InstanceNorm1d(4), (3, 4, 5), single=1e-5),
    layer("InstanceNorm1d, one", lambda nn: nn.InstanceNorm1d(4, affine=True), (4, 5),
          single=1e-5),
    layer("InstanceNorm1d, running",
          lambda nn: nn.InstanceNorm1d(4, affine=True, track_running_stats=True), (3, 4, 5),
          call=_twice, single=1e-5),
    layer("InstanceNorm1d, evaluated", lambda nn: nn.InstanceNorm1d(4, track_running_stats=True),
          (3, 4, 5), training=False, single=1e-5),
    layer("InstanceNorm2d", lambda nn: nn.InstanceNorm2d(4, affine=True, bias=False),
          (3, 4, 2, 5), single=1e-5),
    layer("InstanceNorm3d", lambda nn: nn.InstanceNorm3d(4), (3, 4, 2, 2, 3), single=1e-5),
]  # fmt: skip
