"""Networks, under the names of ``torch.nn``."""

from gpugrad.nn import functional as functional
