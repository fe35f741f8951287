"""Gradients for the arrays people already have: NumPy's on the CPU, CuPy's on CUDA.

The names and the results are PyTorch's: ``import gpugrad as torch``.
"""

from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from gpugrad import _dtype
from gpugrad import autograd as autograd
from gpugrad import cuda as cuda
from gpugrad import func as func
from gpugrad import optim as optim
from gpugrad import utils as utils
from gpugrad._device import device as device
from gpugrad._dtype import complex64 as complex64
from gpugrad._dtype import complex128 as complex128
from gpugrad._dtype import dtype as dtype
from gpugrad._dtype import float16 as float16
from gpugrad._dtype import float32 as float32
from gpugrad._dtype import float64 as float64
from gpugrad._dtype import get_default_dtype as get_default_dtype
from gpugrad._dtype import int8 as int8
from gpugrad._dtype import int16 as int16
from gpugrad._dtype import int32 as int32
from gpugrad._dtype import int64 as int64
from gpugrad._dtype import promote_types as promote_types
from gpugrad._dtype import set_default_dtype as set_default_dtype
from gpugrad._dtype import uint8 as uint8
from gpugrad._tensor import Size as Size
from gpugrad._tensor import Tensor as Tensor
from gpugrad._tensor import is_complex as is_complex
from gpugrad._tensor import is_conj as is_conj
from gpugrad._tensor import is_floating_point as is_floating_point
from gpugrad.autograd.anomaly_mode import (
    is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled,
)
from gpugrad.autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from gpugrad.autograd.anomaly_mode import set_anomaly_enabled as set_anomaly_enabled
from gpugrad.autograd.grad_mode import enable_grad as enable_grad
from gpugrad.autograd.grad_mode import inference_mode as inference_mode
from gpugrad.autograd.grad_mode import is_grad_enabled as is_grad_enabled
from gpugrad.autograd.grad_mode import is_inference as is_inference
from gpugrad.autograd.grad_mode import is_inference_mode_enabled as is_inference_mode_enabled
from gpugrad.autograd.grad_mode import no_grad as no_grad
from gpugrad.autograd.grad_mode import set_grad_enabled as set_grad_enabled
from gpugrad.func.batch import vmap as vmap
from gpugrad.op.convention import conventions as conventions
from gpugrad.ops.complex import complex as complex
from gpugrad.ops.complex import conj_physical as conj_physical
from gpugrad.ops.complex import imag as imag
from gpugrad.ops.complex import polar as polar
from gpugrad.ops.complex import real as real
from gpugrad.ops.complex import resolve_conj as resolve_conj
from gpugrad.ops.complex import view_as_complex as view_as_complex
from gpugrad.ops.complex import view_as_real as view_as_real
from gpugrad.ops.creation import arange as arange
from gpugrad.ops.creation import as_tensor as as_tensor
from gpugrad.ops.creation import empty as empty
from gpugrad.ops.creation import empty_like as empty_like
from gpugrad.ops.creation import eye as eye
from gpugrad.ops.creation import from_numpy as from_numpy
from gpugrad.ops.creation import full as full
from gpugrad.ops.creation import full_like as full_like
from gpugrad.ops.creation import linspace as linspace
from gpugrad.ops.creation import ones as ones
from gpugrad.ops.creation import ones_like as ones_like
from gpugrad.ops.creation import tensor as tensor
from gpugrad.ops.creation import zeros as zeros
from gpugrad.ops.creation import zeros_like as zeros_like
from gpugrad.ops.indexing import flip as flip
from gpugrad.ops.indexing import index_select as index_select
from gpugrad.ops.indexing import masked_select as masked_select
from gpugrad.ops.indexing import nonzero as nonzero
from gpugrad.ops.inplace import index_put as index_put
from gpugrad.ops.linalg import bmm as bmm
from gpugrad.ops.linalg import det as det
from gpugrad.ops.linalg import dot as dot
from gpugrad.ops.linalg import matmul as matmul
from gpugrad.ops.linalg import mm as mm
from gpugrad.ops.linalg import mv as mv
from gpugrad.ops.linalg import outer as outer
from gpugrad.ops.pointwise import abs as abs
from gpugrad.ops.pointwise import add as add
from gpugrad.ops.pointwise import angle as angle
from gpugrad.ops.pointwise import bitwise_and as bitwise_and
from gpugrad.ops.pointwise import bitwise_not as bitwise_not
from gpugrad.ops.pointwise import bitwise_or as bitwise_or
from gpugrad.ops.pointwise import bitwise_xor as bitwise_xor
from gpugrad.ops.pointwise import clamp as clamp
from gpugrad.ops.pointwise import conj as conj
from gpugrad.ops.pointwise import cos as cos
from gpugrad.ops.pointwise import div as div
from gpugrad.ops.pointwise import eq as eq
from gpugrad.ops.pointwise import erf as erf
from gpugrad.ops.pointwise import exp as exp
from gpugrad.ops.pointwise import ge as ge
from gpugrad.ops.pointwise import gelu as gelu
from gpugrad.ops.pointwise import gt as gt
from gpugrad.ops.pointwise import hypot as hypot
from gpugrad.ops.pointwise import isinf as isinf
from gpugrad.ops.pointwise import isnan as isnan
from gpugrad.ops.pointwise import isreal as isreal
from gpugrad.ops.pointwise import le as le
from gpugrad.ops.pointwise import log as log
from gpugrad.ops.pointwise import log1p as log1p
from gpugrad.ops.pointwise import logaddexp as logaddexp
from gpugrad.ops.pointwise import logical_and as logical_and
from gpugrad.ops.pointwise import logical_not as logical_not
from gpugrad.ops.pointwise import logical_or as logical_or
from gpugrad.ops.pointwise import logical_xor as logical_xor
from gpugrad.ops.pointwise import lt as lt
from gpugrad.ops.pointwise import maximum as maximum
from gpugrad.ops.pointwise import minimum as minimum
from gpugrad.ops.pointwise import mul as mul
from gpugrad.ops.pointwise import ne as ne
from gpugrad.ops.pointwise import neg as neg
from gpugrad.ops.pointwise import pow as pow
from gpugrad.ops.pointwise import reciprocal as reciprocal
from gpugrad.ops.pointwise import relu as relu
from gpugrad.ops.pointwise import rsqrt as rsqrt
from gpugrad.ops.pointwise import rsub as rsub
from gpugrad.ops.pointwise import sgn as sgn
from gpugrad.ops.pointwise import sigmoid as sigmoid
from gpugrad.ops.pointwise import sign as sign
from gpugrad.ops.pointwise import silu as silu
from gpugrad.ops.pointwise import sin as sin
from gpugrad.ops.pointwise import softplus as softplus
from gpugrad.ops.pointwise import sqrt as sqrt
from gpugrad.ops.pointwise import square as square
from gpugrad.ops.pointwise import sub as sub
from gpugrad.ops.pointwise import tan as tan
from gpugrad.ops.pointwise import tanh as tanh
from gpugrad.ops.pointwise import where as where
from gpugrad.ops.reduction import all as all
from gpugrad.ops.reduction import allclose as allclose
from gpugrad.ops.reduction import amax as amax
from gpugrad.ops.reduction import amin as amin
from gpugrad.ops.reduction import any as any
from gpugrad.ops.reduction import argmax as argmax
from gpugrad.ops.reduction import argmin as argmin
from gpugrad.ops.reduction import equal as equal
from gpugrad.ops.reduction import isclose as isclose
from gpugrad.ops.reduction import logsumexp as logsumexp
from gpugrad.ops.reduction import max as max
from gpugrad.ops.reduction import mean as mean
from gpugrad.ops.reduction import min as min
from gpugrad.ops.reduction import norm as norm
from gpugrad.ops.reduction import prod as prod
from gpugrad.ops.reduction import std as std
from gpugrad.ops.reduction import sum as sum
from gpugrad.ops.reduction import var as var
from gpugrad.ops.scatter import gather as gather
from gpugrad.ops.scatter import index_add as index_add
from gpugrad.ops.scatter import index_copy as index_copy
from gpugrad.ops.scatter import index_fill as index_fill
from gpugrad.ops.scatter import masked_fill as masked_fill
from gpugrad.ops.scatter import masked_scatter as masked_scatter
from gpugrad.ops.scatter import scatter as scatter
from gpugrad.ops.scatter import scatter_add as scatter_add
from gpugrad.ops.shape import adjoint as adjoint
from gpugrad.ops.shape import broadcast_to as broadcast_to
from gpugrad.ops.shape import cat as cat
from gpugrad.ops.shape import chunk as chunk
from gpugrad.ops.shape import clone as clone
from gpugrad.ops.shape import detach as detach
from gpugrad.ops.shape import diagonal as diagonal
from gpugrad.ops.shape import dsplit as dsplit
from gpugrad.ops.shape import flatten as flatten
from gpugrad.ops.shape import hsplit as hsplit
from gpugrad.ops.shape import movedim as moveaxis
from gpugrad.ops.shape import movedim as movedim
from gpugrad.ops.shape import narrow as narrow
from gpugrad.ops.shape import permute as permute
from gpugrad.ops.shape import ravel as ravel
from gpugrad.ops.shape import reshape as reshape
from gpugrad.ops.shape import select as select
from gpugrad.ops.shape import split as split
from gpugrad.ops.shape import split_with_sizes as split_with_sizes
from gpugrad.ops.shape import squeeze as squeeze
from gpugrad.ops.shape import stack as stack
from gpugrad.ops.shape import t as t
from gpugrad.ops.shape import tensor_split as tensor_split
from gpugrad.ops.shape import transpose as swapaxes
from gpugrad.ops.shape import transpose as swapdims
from gpugrad.ops.shape import transpose as transpose
from gpugrad.ops.shape import unbind as unbind
from gpugrad.ops.shape import unflatten as unflatten
from gpugrad.ops.shape import unsqueeze as unsqueeze
from gpugrad.ops.shape import vsplit as vsplit
from gpugrad.ops.strided import as_strided as as_strided
from gpugrad.ops.strided import as_strided_scatter as as_strided_scatter
from gpugrad.ops.strided import diagonal_scatter as diagonal_scatter
from gpugrad.ops.strided import select_scatter as select_scatter
from gpugrad.ops.strided import slice_scatter as slice_scatter
from gpugrad.printing import get_printoptions as get_printoptions
from gpugrad.printing import set_printoptions as set_printoptions
from gpugrad.random import Generator as Generator
from gpugrad.random import initial_seed as initial_seed
from gpugrad.random import manual_seed as manual_seed
from gpugrad.random import rand as rand
from gpugrad.random import rand_like as rand_like
from gpugrad.random import randint as randint
from gpugrad.random import randint_like as randint_like
from gpugrad.random import randn as randn
from gpugrad.random import randn_like as randn_like

absolute = abs
clip = clamp
divide = true_divide = div
multiply = mul
negative = neg
subtract = sub

# PyTorch's other names of the types.
bool = _dtype.bool_
cfloat = _dtype.complex64
cdouble = _dtype.complex128
half = _dtype.float16
float = _dtype.float32
double = _dtype.float64
short = _dtype.int16
int = _dtype.int32
long = _dtype.int64

newaxis = None

__version__ = "0.1.0"
