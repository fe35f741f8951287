"""The Python array API standard, with gradients, on the CPU and on CUDA.

Arrays are :class:`gpugrad.numpy.ndarray`; functions are those of :mod:`gpugrad.numpy`, with the
standard's names, signatures and special values.  Libraries that ask their arrays for a namespace
(``__array_namespace__``) get this one.  Names that the standard has not, such as ``pad``, are those
of :mod:`gpugrad.numpy`.
"""

import typing as _typing
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

import gpugrad.numpy as _numpy
from gpugrad.array_api import fft as fft
from gpugrad.array_api import linalg as linalg
from gpugrad.array_api.creation import *
from gpugrad.array_api.elementwise import *
from gpugrad.array_api.linalg import matmul as matmul
from gpugrad.array_api.linalg import matrix_transpose as matrix_transpose
from gpugrad.array_api.linalg import tensordot as tensordot
from gpugrad.array_api.linalg import vecdot as vecdot
from gpugrad.array_api.shapes import *
from gpugrad.array_api.statistics import *
from gpugrad.array_api.types import *

newaxis = None


def __getattr__(name: str) -> _typing.Any:
    """Return a function of NumPy's that the standard has not, which libraries ask for all the same.

    Raises:
        AttributeError: There is none of this name.
    """
    if name.startswith("_") or name not in _numpy.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_numpy, name)


__array_api_version__ = "2024.12"
