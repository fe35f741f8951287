"""Gradients for the arrays people already have: NumPy's on the CPU, CuPy's on CUDA.

The names and the results are PyTorch's: ``import gpugrad as torch``.
"""

import typing as _typing
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from gpugrad import _dtype
from gpugrad import autograd as autograd
from gpugrad import cuda as cuda
from gpugrad import fft as fft
from gpugrad import linalg as linalg
from gpugrad import return_types as return_types
from gpugrad import special as special
from gpugrad._device import device as device
from gpugrad._device import get_default_device as get_default_device
from gpugrad._device import set_default_device as set_default_device
from gpugrad._dtype import bfloat16 as bfloat16
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
from gpugrad._dtype import uint16 as uint16
from gpugrad._dtype import uint32 as uint32
from gpugrad._dtype import uint64 as uint64
from gpugrad._layout import channels_last as channels_last
from gpugrad._layout import channels_last_3d as channels_last_3d
from gpugrad._layout import contiguous_format as contiguous_format
from gpugrad._layout import layout as layout
from gpugrad._layout import memory_format as memory_format
from gpugrad._layout import preserve_format as preserve_format
from gpugrad._layout import sparse_coo as sparse_coo
from gpugrad._layout import strided as strided
from gpugrad._parameter import Parameter as _Parameter
from gpugrad._size import Size as Size
from gpugrad._tensor import Tensor as Tensor
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
from gpugrad.backend.determinism import (
    are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled,
)
from gpugrad.backend.determinism import (
    is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled,
)
from gpugrad.backend.determinism import (
    use_deterministic_algorithms as use_deterministic_algorithms,
)
from gpugrad.op.convention import conventions as conventions
from gpugrad.printing import get_printoptions as get_printoptions
from gpugrad.printing import set_printoptions as set_printoptions
from gpugrad.random import Generator as Generator
from gpugrad.random import default_generator as default_generator
from gpugrad.random import get_rng_state as get_rng_state
from gpugrad.random import initial_seed as initial_seed
from gpugrad.random import manual_seed as manual_seed
from gpugrad.random import seed as seed
from gpugrad.random import set_rng_state as set_rng_state
from gpugrad.tensor_types import BFloat16Tensor as BFloat16Tensor
from gpugrad.tensor_types import BoolTensor as BoolTensor
from gpugrad.tensor_types import ByteTensor as ByteTensor
from gpugrad.tensor_types import CharTensor as CharTensor
from gpugrad.tensor_types import DoubleTensor as DoubleTensor
from gpugrad.tensor_types import FloatTensor as FloatTensor
from gpugrad.tensor_types import HalfTensor as HalfTensor
from gpugrad.tensor_types import IntTensor as IntTensor
from gpugrad.tensor_types import LongTensor as LongTensor
from gpugrad.tensor_types import ShortTensor as ShortTensor
from gpugrad.tensor_types import set_default_tensor_type as set_default_tensor_type
from gpugrad.type_info import finfo as finfo
from gpugrad.type_info import iinfo as iinfo

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

if _typing.TYPE_CHECKING:  # under this name, or type checkers read both parts
    from gpugrad import accelerator as accelerator
    from gpugrad import amp as amp
    from gpugrad import array_api as array_api
    from gpugrad import backends as backends
    from gpugrad import compiler as compiler
    from gpugrad import cpu as cpu
    from gpugrad import cupy as cupy
    from gpugrad import distributed as distributed
    from gpugrad import func as func
    from gpugrad import futures as futures
    from gpugrad import kernel as kernel
    from gpugrad import nn as nn
    from gpugrad import numpy as numpy
    from gpugrad import optim as optim
    from gpugrad import scipy as scipy
    from gpugrad import serialization as serialization
    from gpugrad import signal as signal
    from gpugrad import storage as storage
    from gpugrad import testing as testing
    from gpugrad import types as types
    from gpugrad import utils as utils
    from gpugrad import version as version
    from gpugrad import viz as viz
    from gpugrad.amp.autocast_mode import autocast as autocast
    from gpugrad.amp.autocast_mode import autocast_decrement_nesting as autocast_decrement_nesting
    from gpugrad.amp.autocast_mode import autocast_increment_nesting as autocast_increment_nesting
    from gpugrad.amp.autocast_mode import clear_autocast_cache as clear_autocast_cache
    from gpugrad.amp.autocast_mode import get_autocast_cpu_dtype as get_autocast_cpu_dtype
    from gpugrad.amp.autocast_mode import get_autocast_dtype as get_autocast_dtype
    from gpugrad.amp.autocast_mode import get_autocast_gpu_dtype as get_autocast_gpu_dtype
    from gpugrad.amp.autocast_mode import is_autocast_cache_enabled as is_autocast_cache_enabled
    from gpugrad.amp.autocast_mode import is_autocast_cpu_enabled as is_autocast_cpu_enabled
    from gpugrad.amp.autocast_mode import is_autocast_enabled as is_autocast_enabled
    from gpugrad.amp.autocast_mode import set_autocast_cache_enabled as set_autocast_cache_enabled
    from gpugrad.amp.autocast_mode import set_autocast_cpu_dtype as set_autocast_cpu_dtype
    from gpugrad.amp.autocast_mode import set_autocast_cpu_enabled as set_autocast_cpu_enabled
    from gpugrad.amp.autocast_mode import set_autocast_dtype as set_autocast_dtype
    from gpugrad.amp.autocast_mode import set_autocast_enabled as set_autocast_enabled
    from gpugrad.amp.autocast_mode import set_autocast_gpu_dtype as set_autocast_gpu_dtype
    from gpugrad.amp.grad_scaler import GradScaler as GradScaler
    from gpugrad.compiler.interface import compile as compile
    from gpugrad.func.batch import vmap as vmap
    from gpugrad.functions import *
    from gpugrad.kernel import ElementwiseKernel as ElementwiseKernel
    from gpugrad.kernel import RawKernel as RawKernel
    from gpugrad.kernel import ReductionKernel as ReductionKernel
    from gpugrad.kernel import formula as formula
    from gpugrad.kernel import raw_kernel as raw_kernel
    from gpugrad.op.inventory import memory_report as memory_report
    from gpugrad.serialization import load as load
    from gpugrad.serialization import save as save
    from gpugrad.settings import get_deterministic_debug_mode as get_deterministic_debug_mode
    from gpugrad.settings import get_float32_matmul_precision as get_float32_matmul_precision
    from gpugrad.settings import get_num_threads as get_num_threads
    from gpugrad.settings import set_deterministic_debug_mode as set_deterministic_debug_mode
    from gpugrad.settings import set_float32_matmul_precision as set_float32_matmul_precision
    from gpugrad.settings import set_flush_denormal as set_flush_denormal
    from gpugrad.settings import set_num_threads as set_num_threads
    from gpugrad.settings import show_config as show_config
    from gpugrad.storage import TypedStorage as TypedStorage
    from gpugrad.storage import UntypedStorage as UntypedStorage
else:  # they are made when they are first asked for
    from importlib import import_module as _import_module

    from gpugrad.op import forms as _forms

    _function, _known = _forms.functions("", globals())
    _later = {  # what most programs do not ask for: the module in which it is
        "amp": "gpugrad.amp",
        **dict.fromkeys(
            (
                "autocast",
                "autocast_decrement_nesting",
                "autocast_increment_nesting",
                "clear_autocast_cache",
                "get_autocast_cpu_dtype",
                "get_autocast_dtype",
                "get_autocast_gpu_dtype",
                "is_autocast_cache_enabled",
                "is_autocast_cpu_enabled",
                "is_autocast_enabled",
                "set_autocast_cache_enabled",
                "set_autocast_cpu_dtype",
                "set_autocast_cpu_enabled",
                "set_autocast_dtype",
                "set_autocast_enabled",
                "set_autocast_gpu_dtype",
            ),
            "gpugrad.amp.autocast_mode",
        ),
        "GradScaler": "gpugrad.amp.grad_scaler",
        "accelerator": "gpugrad.accelerator",
        "array_api": "gpugrad.array_api",
        "backends": "gpugrad.backends",
        "compile": "gpugrad.compiler.interface",
        "compiler": "gpugrad.compiler",
        "cpu": "gpugrad.cpu",
        "cupy": "gpugrad.cupy",
        "distributed": "gpugrad.distributed",
        "func": "gpugrad.func",
        "futures": "gpugrad.futures",
        "TypedStorage": "gpugrad.storage",
        "UntypedStorage": "gpugrad.storage",
        "kernel": "gpugrad.kernel",
        "storage": "gpugrad.storage",
        "testing": "gpugrad.testing",
        "types": "gpugrad.types",
        **dict.fromkeys(
            (
                "get_deterministic_debug_mode",
                "get_float32_matmul_precision",
                "get_num_threads",
                "set_deterministic_debug_mode",
                "set_float32_matmul_precision",
                "set_flush_denormal",
                "set_num_threads",
                "show_config",
            ),
            "gpugrad.settings",
        ),
        "nn": "gpugrad.nn",
        "numpy": "gpugrad.numpy",
        "ElementwiseKernel": "gpugrad.kernel",
        "RawKernel": "gpugrad.kernel",
        "ReductionKernel": "gpugrad.kernel",
        "formula": "gpugrad.kernel",
        "raw_kernel": "gpugrad.kernel",
        "optim": "gpugrad.optim",
        "scipy": "gpugrad.scipy",
        "load": "gpugrad.serialization",
        "save": "gpugrad.serialization",
        "serialization": "gpugrad.serialization",
        "signal": "gpugrad.signal",
        "utils": "gpugrad.utils",
        "version": "gpugrad.version",
        "vmap": "gpugrad.func.batch",
        "memory_report": "gpugrad.op.inventory",
        "viz": "gpugrad.viz",
    }

    _networks = (  # what the operations of networks declare, which are imported with these
        "adaptive_avg_pool1d",
        "adaptive_max_pool1d",
        "affine_grid_generator",
        "avg_pool1d",
        "batch_norm",
        "bilinear",
        "binary_cross_entropy_with_logits",
        "channel_shuffle",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_tbc",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "convolution",
        "cosine_embedding_loss",
        "cosine_similarity",
        "ctc_loss",
        "embedding",
        "embedding_bag",
        "embedding_renorm_",
        "grid_sampler",
        "grid_sampler_2d",
        "grid_sampler_3d",
        "group_norm",
        "gru",
        "gru_cell",
        "hinge_embedding_loss",
        "instance_norm",
        "kl_div",
        "layer_norm",
        "lstm",
        "lstm_cell",
        "margin_ranking_loss",
        "max_pool1d",
        "max_pool1d_with_indices",
        "max_pool2d",
        "max_pool3d",
        "native_channel_shuffle",
        "norm_except_dim",
        "pairwise_distance",
        "pixel_shuffle",
        "pixel_unshuffle",
        "poisson_nll_loss",
        "rms_norm",
        "rnn_relu",
        "rnn_relu_cell",
        "rnn_tanh",
        "rnn_tanh_cell",
        "rrelu",
        "rrelu_",
        "triplet_margin_loss",
    )

    def __getattr__(name):
        if name in _networks:
            _import_module("gpugrad.nn.functional")
        if name not in _later:
            return _function(name)
        module = _import_module(_later[name])
        found = globals()[name] = getattr(module, name, module)
        return found

    def __dir__():
        return sorted({*_known(), *_later, *_networks})

    __all__ = [name for name in __dir__() if not name.startswith("_")]

__version__ = "0.1.0"
