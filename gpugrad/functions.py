"""The functions of gpugrad, made from the table of declarations.

Editors and type checkers read ``functions.pyi``, which ``python tests/stubs.py`` writes.
"""

from gpugrad import _tensor  # noqa: F401  which fills the table
from gpugrad.op.forms import declared_in, functions

__all__ = [*declared_in("")]
__getattr__, __dir__ = functions("", globals())
