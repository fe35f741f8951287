"""Which release this is, and which CUDA computes; under ``torch.version``'s names."""

from __future__ import annotations

from gpugrad import __version__ as __version__
from gpugrad.backend import cuda_version

cuda = cuda_version()
hip = None  # there is no such backend
