"""NumPy's names, with gradients, on the CPU and on CUDA: ``import gpugrad.numpy as np``."""

import typing as _typing

import numpy as _theirs

from gpugrad.numpy import (
    applying,
    calculus,
    creation,
    differential,
    indexing,
    padding,
    polynomials,
    products,
    protocol,
    queries,
    reductions,
    shapes,
    sorting,
    statistics,
)
from gpugrad.numpy import fft as fft
from gpugrad.numpy import linalg as linalg
from gpugrad.numpy import random as random
from gpugrad.numpy.applying import vectorize as vectorize
from gpugrad.numpy.arrays import ndarray as ndarray
from gpugrad.numpy.indexing import c_ as c_
from gpugrad.numpy.indexing import index_exp as index_exp
from gpugrad.numpy.indexing import mgrid as mgrid
from gpugrad.numpy.indexing import ogrid as ogrid
from gpugrad.numpy.indexing import r_ as r_
from gpugrad.numpy.indexing import s_ as s_
from gpugrad.numpy.operands import DOORS as _DOORS
from gpugrad.numpy.table import UFUNCS as _UFUNCS
from gpugrad.numpy.ufuncs import ufunc as ufunc

_names = {
    **{name: getattr(_theirs, name) for name in queries.SAME if hasattr(_theirs, name)},
    **_UFUNCS,
    **_DOORS["gpugrad.numpy"],
    **{name: getattr(differential, name) for name in differential.NAMES},
}
globals().update(_names)

if _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _typing.Any:
        """Return a function of NumPy's name."""


__version__ = _theirs.__version__  # of the NumPy whose names these are

__all__ = sorted({
    *_names, "c_", "fft", "index_exp", "linalg", "mgrid", "ndarray", "ogrid", "r_", "random",
    "s_", "ufunc",
    "vectorize",
})  # fmt: skip
