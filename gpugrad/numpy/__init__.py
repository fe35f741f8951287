"""NumPy's names, with gradients, on the CPU and on CUDA: ``import gpugrad.numpy as np``."""

from gpugrad.numpy.arrays import ndarray as ndarray
from gpugrad.numpy.table import UFUNCS as _UFUNCS

globals().update(_UFUNCS)
