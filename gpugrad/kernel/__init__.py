"""Kernels of users', which differentiate themselves from their text.

A text is cut into words (``tokens.py``), read (``parser.py``, ``syntax.py``) and followed
symbolically (``state.py``, ``terms.py`` and ``execution.py``, with ``types.py``, ``arithmetic.py``
and ``library.py``) until it is a ``Program``: formulas, reads of raw arrays, and loops of unknown
length (``program.py``).
"""

from __future__ import annotations

from gpugrad.kernel.adapter import differentiable as differentiable
from gpugrad.kernel.elementwise import ElementwiseKernel as ElementwiseKernel
from gpugrad.kernel.launched import RawKernel as RawKernel
from gpugrad.kernel.raw import Pair as Pair
from gpugrad.kernel.raw import raw_kernel as raw_kernel
from gpugrad.kernel.reduction import ReductionKernel as ReductionKernel
from gpugrad.kernel.traced import formula as formula
