"""Samples of every operation: inputs that exercise it, and how it is called.

There is one file for each file of ``gpugrad/ops/``.  A sample's function takes a library first:
called with ``gpugrad`` or with PyTorch it computes what is tested, with :data:`REFERENCE` what
NumPy says.  Inputs lie in the operation's domain, away from kinks and ties, so that differences
approximate derivatives.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from samples.sample import LAYOUTS as LAYOUTS
from samples.sample import REFERENCE as REFERENCE
from samples.sample import Sample as Sample

SAMPLES: dict[str, list[Sample]] = {}

_NOT_TABLES = {"samples.draw", "samples.family", "samples.sample"}
for _module in pkgutil.walk_packages(__path__, "samples."):
    if not _module.ispkg and _module.name not in _NOT_TABLES:
        _table = import_module(_module.name)
        SAMPLES |= _table.SAMPLES
        vars(REFERENCE).update(_table.REFERENCE)

# PyTorch has no gradients of these: its results do not require grad.
UNDERIVED = {
    op for op in SAMPLES if "bessel" in op or "polynomial" in op or op == "special.airy_ai"
}  # fmt: skip
