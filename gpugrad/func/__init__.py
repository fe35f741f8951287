"""``torch.func``'s names: functions that return derivatives of functions, nested to any depth.

A derivative is again a function of tensors, so it can be differentiated in either mode.

>>> import gpugrad
>>> cube = lambda x: x**3
>>> grad(grad(cube))(gpugrad.tensor(2.0))
tensor(12.)
>>> jvp(grad(cube), (gpugrad.tensor(2.0),), (gpugrad.tensor(1.0),))
(tensor(12.), tensor(12.))
"""

from __future__ import annotations

from gpugrad.func.batch import debug_unwrap as debug_unwrap
from gpugrad.func.batch import vmap as vmap
from gpugrad.func.forward import hessian as hessian
from gpugrad.func.forward import jacfwd as jacfwd
from gpugrad.func.forward import jvp as jvp
from gpugrad.func.forward import linearize as linearize
from gpugrad.func.reverse import grad as grad
from gpugrad.func.reverse import grad_and_value as grad_and_value
from gpugrad.func.reverse import jacrev as jacrev
from gpugrad.func.reverse import vjp as vjp
from gpugrad.func.stateless import functional_call as functional_call
from gpugrad.func.stateless import (
    replace_all_batch_norm_modules_ as replace_all_batch_norm_modules_,
)
from gpugrad.func.stateless import stack_module_state as stack_module_state
