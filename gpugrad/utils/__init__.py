"""``torch.utils``'s names."""

from __future__ import annotations

from gpugrad.utils import checkpoint as checkpoint
from gpugrad.utils import dlpack as dlpack
