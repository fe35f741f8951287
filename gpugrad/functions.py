"""The functions of gpugrad, made from the table of declarations.

Editors and type checkers read ``functions.pyi``, which ``python tests/stubs.py`` writes.
"""

from gpugrad.op.forms import functions

_MADE = functions("")
globals().update(_MADE)

__all__ = [*_MADE]
