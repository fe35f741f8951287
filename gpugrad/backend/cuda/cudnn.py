"""Convolutions of CuPy's arrays by cuDNN, where NVIDIA's front end of it is installed.

The front end is the package ``nvidia-cudnn-frontend``, which is imported as ``cudnn``; without it,
and for what cuDNN has no plan for, windows are multiplied as matrices (``ops/nn/columns.py``).
Plans are kept for each thread, as are handles, which threads may not share.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import cupy

from gpugrad.backend import determinism
from gpugrad.kernels import launches
from gpugrad.kernels.convolution import product_shape

Array = Any
Shape = tuple[int, ...]

_TYPES = {"float16": "HALF", "bfloat16": "BFLOAT16", "float32": "FLOAT", "float64": "DOUBLE"}
_FIRST, _SECOND, _OUT, _BIAS = 1, 2, 3, 4  # the front end's numbers of tensors


class _Problem(NamedTuple):
    """What a plan is made for."""

    name: str
    shapes: tuple[Shape, Shape, Shape]  # of both operands and of the result
    before: Shape
    after: Shape
    stride: Shape
    dilation: Shape
    kind: str
    biased: bool
    device: int
    deterministic: bool


class _Kept(threading.local):
    """The handles and plans of a thread."""

    def __init__(self) -> None:
        self.handles: dict[int, Any] = {}
        self.plans: dict[_Problem, Any] = {}  # None where there is none


_kept = _Kept()


@cache
def front_end() -> Any:
    """Return the front end's module, or why there is none."""
    try:
        import cudnn
    except ImportError as error:
        return f"nvidia-cudnn-frontend is not there: {error}"
    except Exception as error:  # a library of its own cannot be loaded
        return f"nvidia-cudnn-frontend does not start: {error}"
    return cudnn


def version() -> int | None:
    """Return cuDNN's version, ``None`` without a front end."""
    found = front_end()
    return None if isinstance(found, str) else int(found.backend_version())


def described() -> str:
    """Return which cuDNN convolves on GPUs, or why none does."""
    found = front_end()
    if isinstance(found, str):
        return f"none. {found}"
    return f"{version()}, front end {found.__version__}"


def convolved(
    name: str,
    door: Any,
    windows: Any,
    groups: int,
    first: Array,
    second: Array,
    bias: Array | None = None,
) -> Array | None:
    """Return one of the products of ``ops/nn/columns.py``, ``None`` if cuDNN does not compute it.

    Operands are of the current device, and kernels are launched in its current stream.  A bias is
    added before a result is rounded to 16 bits.
    """
    problem = _problem(name, windows, groups, first, second)
    if problem is not None and bias is not None:
        problem = problem._replace(biased=first.dtype.itemsize == 2)
    if problem is None or isinstance(front_end(), str):
        return None
    if problem not in _kept.plans:
        _kept.plans[problem] = _planned(problem)
    graph = _kept.plans[problem]
    if graph is None:
        return None
    a, b = (x if x.flags.c_contiguous else door.copy(x, "C") for x in (first, second))
    out = cupy.ndarray(product_shape(name, windows, groups, a, b), a.dtype)
    room = cupy.ndarray((max(graph.get_workspace_size(), 1),), "uint8")
    operands = {_FIRST: a.data.ptr, _SECOND: b.data.ptr, _OUT: out.data.ptr}
    if bias is not None and problem.biased:
        bias = bias if bias.flags.c_contiguous else door.copy(bias, "C")
        operands[_BIAS] = bias.data.ptr
    launches.add(1)
    graph.execute(operands, room, handle=_handle(problem.device))
    if bias is not None and not problem.biased:
        door.add_into(out, bias.reshape((-1, *(1,) * (out.ndim - 2))))
    return out


def _problem(name: str, windows: Any, groups: int, a: Array, b: Array) -> _Problem | None:
    """Return what is asked, in at least two dimensions; ``None`` for what cuDNN cannot be asked."""
    result = product_shape(name, windows, groups, a, b)
    if a.dtype.name not in _TYPES or not (a.size and b.size and math.prod(result)):
        return None
    before, after = [], []
    axes = zip(
        windows.sizes, windows.counts, windows.stride, windows.reach, windows.pads, strict=True
    )
    for n, count, step, reach, (low, high) in axes:
        # the same behind, where there are as many windows then: most engines know nothing else
        if (n + 2 * low - reach - 1) // step + 1 == count:
            high = low
        if min(low, high) < 0:
            return None
        before.append(low)
        after.append(high)
    missing = max(2 - len(windows.kernel), 0)

    def filled(numbers: Sequence[int], rest: int) -> Shape:
        return (rest,) * missing + tuple(numbers)

    first, second, third = (
        (*shape[:2], *filled(shape[2:], 1)) for shape in (a.shape, b.shape, result)
    )
    return _Problem(
        name, (first, second, third), filled(before, 0), filled(after, 0),
        filled(windows.stride, 1), filled(windows.dilation, 1), a.dtype.name, False,
        cupy.cuda.runtime.getDevice(), determinism.are_deterministic_algorithms_enabled(),
    )  # fmt: skip


def _handle(device: int) -> Any:
    """Return the thread's handle of the current device, set to the current stream."""
    front = front_end()
    if device not in _kept.handles:
        _kept.handles[device] = front.create_handle()
    handle = _kept.handles[device]
    front.set_stream(handle, cupy.cuda.get_current_stream().ptr)
    return handle


def _strides(shape: Shape) -> list[int]:
    return [math.prod(shape[k + 1 :]) for k in range(len(shape))]


def _planned(problem: _Problem) -> Any:
    """Return a graph that can be executed, ``None`` if no engine has it."""
    front = front_end()
    types, notes = front.data_type, front.numerical_note
    kind = getattr(types, _TYPES[problem.kind])
    wide = types.DOUBLE if problem.kind == "float64" else types.FLOAT
    graph = front.pygraph(
        name=problem.name, io_data_type=kind, intermediate_data_type=wide, compute_data_type=wide,
        handle=_handle(problem.device),
    )  # fmt: skip
    *operands, result = problem.shapes
    first, second = (
        graph.tensor(dim=list(shape), stride=_strides(shape), data_type=kind, uid=uid)
        for uid, shape in zip((_FIRST, _SECOND), operands, strict=True)
    )
    numbers: dict[str, Any] = {
        "pre_padding": list(problem.before), "post_padding": list(problem.after),
        "stride": list(problem.stride), "dilation": list(problem.dilation),
        "compute_data_type": wide,
    }  # fmt: skip
    if problem.name == "convolve":
        out = graph.conv_fprop(image=first, weight=second, **numbers)
    elif problem.name == "convolve_transposed":
        out = graph.conv_dgrad(loss=first, filter=second, **numbers)
    else:
        out = graph.conv_wgrad(image=first, loss=second, **numbers)
    out.set_dim(list(result)).set_stride(_strides(result))
    if problem.biased:
        shape = (1, result[1], *(1,) * (len(result) - 2))
        bias = graph.tensor(dim=list(shape), stride=_strides(shape), data_type=kind, uid=_BIAS)
        out.set_data_type(wide)
        out = graph.bias(input=out, bias=bias, compute_data_type=wide)
        out.set_dim(list(result)).set_stride(_strides(result))
    out.set_output(True).set_data_type(kind).set_uid(_OUT)
    refused = [notes.NONDETERMINISTIC] if problem.deterministic else []
    if problem.kind == "float32":  # neither tensor cores nor halves have its precision
        refused += [notes.TENSOR_CORE, notes.DOWN_CONVERT_INPUTS]
    try:
        graph.validate()
        graph.build_operation_graph()
        graph.create_execution_plans([front.heur_mode.A, front.heur_mode.FALLBACK])
        graph.deselect_numeric_notes(refused)
        graph.check_support()
        graph.build_plans(front.build_plan_policy.HEURISTICS_CHOICE)
    except (front.cudnnGraphNotSupportedError, RuntimeError):  # which says the same of some shapes
        return None
    return graph
