"""The Python array API standard, with gradients, on the CPU and on CUDA.

Arrays are :class:`gpugrad.numpy.ndarray`; functions are those of :mod:`gpugrad.numpy`, with the
standard's names, signatures and special values.  Libraries that ask their arrays for a namespace
(``__array_namespace__``) get this one.
"""

import typing as _typing
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

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

if _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _typing.Any:
        """Return one of the functions that are made from lists of names, or a type."""


__array_api_version__ = "2024.12"
