"""The kinds of operation: what runs, what is saved, and how its gradient is found.

An elementwise operation is a formula, and everything about it is derived from the formula.
Every other operation has a function over arrays and one rule per input, written with operations
over tensors: that is why a gradient can be differentiated again.  What a rule names is what is
saved: ``g`` is the gradient that came in, ``out`` the result, the names of the inputs and of the
parameters stand for themselves, and ``like`` for the shape and type of the input.
"""

from __future__ import annotations

from gpugrad.op.declaration import OPS as OPS
from gpugrad.op.declaration import defined as defined
from gpugrad.op.declaration import function_of as function_of
from gpugrad.op.declaration import pointwise as pointwise
from gpugrad.op.elementwise import Elementwise as Elementwise
from gpugrad.op.elementwise import Pointwise as Pointwise
from gpugrad.op.forms import public as public
from gpugrad.op.forms import selecting as selecting
from gpugrad.op.operation import Operation as Operation
from gpugrad.op.operation import bilinear as bilinear
from gpugrad.op.operation import cast as cast
from gpugrad.op.operation import composite as composite
from gpugrad.op.operation import different_devices as different_devices
from gpugrad.op.operation import expand_to as expand_to
from gpugrad.op.operation import fit as fit
from gpugrad.op.operation import lifted as lifted
from gpugrad.op.operation import linear as linear
from gpugrad.op.operation import move as move
from gpugrad.op.operation import sum_to as sum_to
from gpugrad.op.operation import together as together
from gpugrad.op.promotion import as_operand as as_operand
from gpugrad.op.promotion import result_type as result_type
