"""CuPy without a GPU: its kernels are built with g++ and run on the CPU.

``install()`` must come before the first ``import cupy``; README.md beside this file tells the rest.
"""

from .driver import launches as launches
from .driver import trace as trace
from .installation import install as install
from .settings import stats as stats
