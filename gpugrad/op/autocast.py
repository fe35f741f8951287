"""Mixed precision: in which type an operation computes inside of a region of ``autocast``.

Public functions whose names are in the lists below ask whether some thread is in a region, which
is all that they do outside of one.  Inside, their tensors are cast, and what they call themselves
computes in the types that it is given.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import dtype
from gpugrad.graph import TensorBase, ends, mode
from gpugrad.op.operation import cast
from gpugrad.op.saved import version_of

# What is done with the tensors of a call.
LOWER = "lower"  # they become of the region's type
FULL = "full"  # those of 16 bits become float32
RESULT = "result"  # the result is of float32, by the function's own argument dtype
WIDEST = "widest"  # they become of the widest type that one of them has
FIRST = "first"  # they become of the type of the first one
REFUSED = "refused"

# PyTorch's lists, by the names that its errors have.
_LOWER = """
    conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d prelu addmm
    matmul mm linalg_vecdot linear addbmm baddbmm bmm scaled_dot_product_attention
    multi_head_attention_forward einsum chain_matmul linalg_multi_dot
"""
_FULL = """
    poisson_nll_loss cosine_embedding_loss nll_loss hinge_embedding_loss kl_div l1_loss
    smooth_l1_loss huber_loss mse_loss margin_ranking_loss multilabel_margin_loss soft_margin_loss
    triplet_margin_loss multi_margin_loss binary_cross_entropy_with_logits cdist cross_entropy
"""
_LISTS = {
    "cpu": {
        LOWER: _LOWER + "lstm rnn_tanh rnn_relu",
        FULL: _FULL
        + """
            avg_pool3d binary_cross_entropy grid_sample grid_sampler polar prod quantile nanquantile
            stft trace view_as_complex cholesky cholesky_inverse cholesky_solve inverse lu_solve
            orgqr ormqr pinverse max_pool3d max_unpool2d max_unpool3d adaptive_avg_pool3d ctc_loss
            fft_fft fft_ifft fft_fft2 fft_ifft2 fft_fftn fft_ifftn fft_rfft fft_irfft fft_rfft2
            fft_irfft2 fft_rfftn fft_irfftn fft_hfft fft_ihfft linalg_cond linalg_matrix_rank
            linalg_solve linalg_cholesky linalg_svdvals linalg_eigvals linalg_eigvalsh linalg_inv
            linalg_householder_product linalg_tensorinv linalg_tensorsolve geqrf qr svd
            triangular_solve fractional_max_pool2d fractional_max_pool3d adaptive_max_pool3d
            linalg_qr linalg_cholesky_ex linalg_svd linalg_eig linalg_eigh linalg_lstsq
            linalg_inv_ex reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d
            replication_pad3d
        """,
        WIDEST: "stack cat index_copy",
        # whose products PyTorch casts, and then adds to a state of the type of the input
        FIRST: "gru lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell",
    },
    "cuda": {
        LOWER: _LOWER + "addmv addr mv lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell lstm gru "
        "rnn_tanh rnn_relu",
        FULL: _FULL
        + """
            acos asin cosh erfinv exp expm1 log log10 log2 log1p reciprocal rsqrt sinh tan pow
            softplus layer_norm rms_norm group_norm cosine_similarity dist pdist renorm logsumexp
            interpolate upsample upsample_nearest upsample_bilinear
        """,
        RESULT: "prod softmax log_softmax cumprod cumsum linalg_vector_norm linalg_matrix_norm sum "
        "norm",
        WIDEST: "addcdiv addcmul atan2 bilinear cross dot vdot grid_sample grid_sampler index_put "
        "tensordot scatter_add",
        REFUSED: "binary_cross_entropy",
    },
}
POLICIES: dict[str, dict[str, str]] = {}  # by name, and then by the type of device
for _device, _lists in _LISTS.items():
    for _way, _names in _lists.items():
        for _name in _names.split():
            POLICIES.setdefault(_name, {})[_device] = _way

UNSAFE = (
    "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast.\n"
    "Many models use a sigmoid layer right before the binary cross entropy layer.\n"
    "In this case, combine the two layers using "
    "torch.nn.functional.binary_cross_entropy_with_logits\nor torch.nn.BCEWithLogitsLoss.  "
    "binary_cross_entropy_with_logits and BCEWithLogits are\nsafe to autocast."
).replace("torch.", "gpugrad.")

casting: list[object] = []  # an element for each thread that is in a region


class _State(threading.local):
    """What this thread has entered."""

    def __init__(self) -> None:
        self.enabled = {"cpu": False, "cuda": False}
        self.dtypes = {"cpu": _dtype.bfloat16, "cuda": _dtype.float16}
        self.caches = True
        self.nesting = 0
        self.inside = False  # whether a call is being computed whose tensors were cast
        self.casts: dict[int, tuple[weakref.ref[Any], int, dtype, Any]] = {}
        self.token = object()


state = _State()


def is_casting() -> bool:
    """Tell whether this thread is in a region for any type of device."""
    return bool(casting) and True in state.enabled.values()


def enable(device: str, enabled: bool) -> None:
    """Let this thread cast what is on a type of device, or not."""
    state.enabled[device] = enabled
    if True in state.enabled.values():
        if state.token not in casting:
            casting.append(state.token)
    elif state.token in casting:
        casting.remove(state.token)


def entered() -> Callable[[], AbstractContextManager[None]]:
    """Return what makes contexts in which this thread, or another, is in the regions of now."""
    now = dict(state.enabled), dict(state.dtypes), state.caches
    return lambda: _again(*now)


@contextmanager
def _again(enabled: dict[str, bool], dtypes: dict[str, dtype], caches: bool) -> Iterator[None]:
    before = dict(state.enabled), state.dtypes, state.caches, state.casts, state.inside
    state.dtypes, state.caches, state.casts, state.inside = dict(dtypes), caches, {}, False
    try:
        for device in enabled:
            enable(device, enabled[device])
        yield
    finally:
        for device in enabled:
            enable(device, before[0][device])
        _, state.dtypes, state.caches, state.casts, state.inside = before


def called(
    name: str, plain: Callable[..., Any], values: Sequence[Any], options: dict[str, Any],
    result: int | str | None,
) -> Any:  # fmt: skip
    """Return what a function of the lists gives, of tensors cast by its policy.

    Args:
        name: As the lists have it.
        plain: The function.
        values: Its arguments by position.
        options: Those by keyword.
        result: Where its argument ``dtype`` is: by position, by keyword, or nowhere.

    Raises:
        RuntimeError: It may not be called here.
    """
    device, policy = _policy(name, (*values, *options.values()))
    if not policy:
        return plain(*values, **options)
    if policy == REFUSED:
        raise RuntimeError(UNSAFE)
    values, options = list(values), dict(options)
    if policy == RESULT:
        first = values[0]
        if result is not None and _is_cast(first, device):
            if isinstance(result, str):
                options[result] = options.get(result) or _dtype.float32
            else:
                values += [None] * (result + 1 - len(values))
                values[result] = values[result] or _dtype.float32
    else:
        tensors = [t for v in (*values, *options.values()) for t in _tensors(v)]
        kind = _kind(policy, [t for t in tensors if _is_cast(t, device)], device)
        values = [_all_cast(v, kind, device) for v in values]
        options = {k: _all_cast(v, kind, device) for k, v in options.items()}
    state.inside = True
    try:
        return plain(*values, **options)
    finally:
        state.inside = False


def guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that casts its operands in a region, if it is in a list."""
    if name not in POLICIES:
        return function

    def call(*operands: Any, **options: Any) -> Any:
        if casting and mode.walk is None:  # a walk computes in the types that it is given
            return called(name, function, operands, options, None)
        return function(*operands, **options)

    return call


def _policy(name: str, values: Sequence[Any]) -> tuple[str, str]:
    """Return for which type of device a call is cast, and how; empty where it is not."""
    if not state.inside:
        known = POLICIES[name]
        for device, enabled in state.enabled.items():
            if enabled and device in known:
                for value in values:
                    if any(_is_on(t, device) for t in _tensors(value)):
                        return device, known[device]
    return "", ""


def _tensors(value: Any) -> list[Any]:
    if isinstance(value, TensorBase):
        return [value]
    return [t for v in value for t in _tensors(v)] if isinstance(value, list | tuple) else []


def _is_on(tensor: Any, device: str) -> bool:
    return backend.of(tensor._array).type == device


def _is_cast(value: Any, device: str) -> bool:
    """Tell whether something is a tensor whose type regions change."""
    return (
        isinstance(value, TensorBase)
        and _is_on(value, device)
        and _dtype.of(value._array.dtype).is_floating_point
        and value._array.dtype != np.float64
    )


def _kind(policy: str, tensors: Sequence[Any], device: str) -> dtype:
    lower = state.dtypes[device]
    if policy == LOWER:
        return lower
    if policy == FIRST and tensors:
        return _dtype.of(tensors[0]._array.dtype)
    if policy == FULL or any(_dtype.of(t._array.dtype) is not lower for t in tensors):
        return _dtype.float32
    return lower


def _all_cast(value: Any, kind: dtype, device: str) -> Any:
    if isinstance(value, list | tuple) and any(isinstance(v, TensorBase) for v in value):
        return type(value)([_all_cast(v, kind, device) for v in value])
    return _cast(value, kind) if _is_cast(value, device) else value


def _cast(tensor: Any, kind: dtype) -> Any:
    """Return a tensor of a type; that of a leaf is made once in a region, for all its gradients."""
    if tensor._array.dtype == kind.numpy:
        return tensor
    leaf = (
        state.caches
        and mode.enabled
        and tensor._edge is not None
        and ends(tensor._edge)
        and tensor._view is None
        and tensor._array.dtype == np.float32
        and kind is not _dtype.float32
    )
    if not leaf:
        return cast(tensor, dtype=kind.numpy)
    version = version_of(tensor)
    known = state.casts.get(id(tensor))
    if known is not None and known[0]() is tensor and known[1:3] == (version, kind):
        return known[3]
    made = cast(tensor, dtype=kind.numpy)
    state.casts[id(tensor)] = weakref.ref(tensor), version, kind, made
    return made
