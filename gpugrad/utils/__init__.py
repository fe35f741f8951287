"""``torch.utils``'s names."""

from __future__ import annotations

from gpugrad.utils import checkpoint as checkpoint
