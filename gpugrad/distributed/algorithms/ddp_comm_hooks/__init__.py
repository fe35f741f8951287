"""Ways in which ``DistributedDataParallel`` may carry gradients."""

from gpugrad.distributed.algorithms.ddp_comm_hooks import default_hooks as default_hooks
