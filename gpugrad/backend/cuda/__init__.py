"""CuPy's side of the door; imported when a CUDA device is first asked for.

Every function that launches kernels says so to :mod:`gpugrad.kernels.launches`, so that a block's
launches can be counted on a real GPU as well.
"""

from __future__ import annotations

import cupy

from gpugrad.backend.cuda.arrays import add_into as add_into
from gpugrad.backend.cuda.arrays import add_overlapping as add_overlapping
from gpugrad.backend.cuda.arrays import address as address
from gpugrad.backend.cuda.arrays import assign as assign
from gpugrad.backend.cuda.arrays import astype as astype
from gpugrad.backend.cuda.arrays import broadcast_to as broadcast_to
from gpugrad.backend.cuda.arrays import bytes_of as bytes_of
from gpugrad.backend.cuda.arrays import concatenate as concatenate
from gpugrad.backend.cuda.arrays import copied_by_replays as copied_by_replays
from gpugrad.backend.cuda.arrays import copy as copy
from gpugrad.backend.cuda.arrays import count as count
from gpugrad.backend.cuda.arrays import diagonal as diagonal
from gpugrad.backend.cuda.arrays import empty as empty
from gpugrad.backend.cuda.arrays import empty_like as empty_like
from gpugrad.backend.cuda.arrays import from_numpy as from_numpy
from gpugrad.backend.cuda.arrays import full as full
from gpugrad.backend.cuda.arrays import is_pinned as is_pinned
from gpugrad.backend.cuda.arrays import item as item
from gpugrad.backend.cuda.arrays import laid_out as laid_out
from gpugrad.backend.cuda.arrays import lasting as lasting
from gpugrad.backend.cuda.arrays import memory as memory
from gpugrad.backend.cuda.arrays import overlap as overlap
from gpugrad.backend.cuda.arrays import own as own
from gpugrad.backend.cuda.arrays import owns as owns
from gpugrad.backend.cuda.arrays import pinned as pinned
from gpugrad.backend.cuda.arrays import reshape as reshape
from gpugrad.backend.cuda.arrays import strided as strided
from gpugrad.backend.cuda.arrays import to_numpy as to_numpy
from gpugrad.backend.cuda.arrays import to_pinned as to_pinned
from gpugrad.backend.cuda.arrays import triangle as triangle
from gpugrad.backend.cuda.devices import at_home as at_home
from gpugrad.backend.cuda.devices import device_count as device_count
from gpugrad.backend.cuda.devices import device_of as device_of
from gpugrad.backend.cuda.devices import on as on
from gpugrad.backend.cuda.devices import place as place
from gpugrad.backend.cuda.devices import source as source
from gpugrad.backend.cuda.devices import synchronize as synchronize
from gpugrad.backend.cuda.formulas import MOST_TERMS as MOST_TERMS
from gpugrad.backend.cuda.formulas import add_all as add_all
from gpugrad.backend.cuda.formulas import evaluate as evaluate
from gpugrad.backend.cuda.formulas import evaluated as evaluated
from gpugrad.backend.cuda.formulas import update as update
from gpugrad.backend.cuda.indexing import add_at as add_at
from gpugrad.backend.cuda.indexing import check_inside as check_inside
from gpugrad.backend.cuda.indexing import put as put
from gpugrad.backend.cuda.indexing import reduce_at as reduce_at
from gpugrad.backend.cuda.indexing import take as take
from gpugrad.backend.cuda.networks import fused as fused
from gpugrad.backend.cuda.networks import largest_in as largest_in
from gpugrad.backend.cuda.networks import normalize as normalize
from gpugrad.backend.cuda.networks import normalize_gradient as normalize_gradient
from gpugrad.backend.cuda.networks import spread as spread
from gpugrad.backend.cuda.networks import weigh as weigh
from gpugrad.backend.cuda.products import dot as dot
from gpugrad.backend.cuda.products import fft as fft
from gpugrad.backend.cuda.products import irfft as irfft
from gpugrad.backend.cuda.products import matmul as matmul
from gpugrad.backend.cuda.products import matrices as matrices
from gpugrad.backend.cuda.products import rfft as rfft
from gpugrad.backend.cuda.products import vdot as vdot
from gpugrad.backend.cuda.reductions import argmax as argmax
from gpugrad.backend.cuda.reductions import argmin as argmin
from gpugrad.backend.cuda.reductions import largest as largest
from gpugrad.backend.cuda.reductions import max as max
from gpugrad.backend.cuda.reductions import mean as mean
from gpugrad.backend.cuda.reductions import min as min
from gpugrad.backend.cuda.reductions import others as others
from gpugrad.backend.cuda.reductions import prod as prod
from gpugrad.backend.cuda.reductions import scan as scan
from gpugrad.backend.cuda.reductions import scan_extreme as scan_extreme
from gpugrad.backend.cuda.reductions import softmax as softmax
from gpugrad.backend.cuda.reductions import softmax_gradient as softmax_gradient
from gpugrad.backend.cuda.reductions import sum as sum
from gpugrad.backend.cuda.sorting import count_at as count_at
from gpugrad.backend.cuda.sorting import kth as kth
from gpugrad.backend.cuda.sorting import order as order
from gpugrad.backend.cuda.sorting import order_of_rows as order_of_rows
from gpugrad.backend.cuda.sorting import search as search
from gpugrad.backend.cuda.sorting import top as top
from gpugrad.kernels import capture as capture

xp = cupy
type = "cuda"
