"""What is built on collectives, under ``torch.distributed.algorithms``'s names."""

from gpugrad.distributed.algorithms import ddp_comm_hooks as ddp_comm_hooks
