"""HIPS/autograd's helpers: nested parameters as one vector, optimizers, fixed points."""

from __future__ import annotations

from gpugrad.numpy.misc import fixed_points as fixed_points
from gpugrad.numpy.misc import optimizers as optimizers
from gpugrad.numpy.misc.vectors import flatten as flatten
from gpugrad.numpy.misc.vectors import flatten_func as flatten_func
