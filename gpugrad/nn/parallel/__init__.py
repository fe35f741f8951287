"""Modules that several processes train together, under ``torch.nn.parallel``'s names."""

from __future__ import annotations

from gpugrad.nn.parallel.distributed import DistributedDataParallel as DistributedDataParallel
