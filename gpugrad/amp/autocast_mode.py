"""Regions in which products of matrices, and what is like them, compute in 16 bits."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from gpugrad import _dtype, cuda
from gpugrad._dtype import dtype
from gpugrad._tensor import Tensor
from gpugrad.graph import warn
from gpugrad.op.autocast import enable, state

F = TypeVar("F", bound=Callable[..., Any])

_TYPES = (_dtype.bfloat16, _dtype.float16)


def is_autocast_available(device_type: str) -> bool:
    """Return whether there are regions for a type of device: "cpu" and "cuda"."""
    return device_type in state.enabled


class autocast:  # noqa: N801  a mode, spelled as PyTorch's modes are
    """A region in which operations choose the type that they compute in.

    Matrix products, convolutions and attention compute in ``dtype``; losses, and on a GPU also
    exponentials, logarithms, powers, norms and normalisations, in float32, and some joining
    functions in the widest type that they are given, by PyTorch's lists.
    All other operations do as they do outside, and so do those that write in place or to ``out=``,
    and all of float64.
    Parameters that need a gradient are cast once in the outermost region, unless they are written.

    Regions may lie within each other, and be switched off within; a region decorates as well.
    Backward belongs outside: gradients have the types of what they are of.

    Args:
        device_type: "cpu" or "cuda": which tensors are cast.
        dtype: float16 or bfloat16; by default bfloat16 on the CPU, float16 on a GPU.
        enabled: Whether it has an effect.
        cache_enabled: Whether what parameters are cast to is kept until the outermost region ends.

    Raises:
        ValueError: ``device_type`` is no text.
        RuntimeError: There are no regions for it.
    """

    def __init__(
        self,
        device_type: str,
        dtype: dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ):
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if not is_autocast_available(device_type):
            raise RuntimeError(
                f"User specified an unsupported autocast device_type '{device_type}'"
            )
        self.device = device_type
        self.fast_dtype = state.dtypes[device_type] if dtype is None else dtype
        self._cache_enabled = state.caches if cache_enabled is None else cache_enabled
        if enabled and device_type == "cuda" and not cuda.is_available():
            warn("CUDA is not available or torch_xla is imported. Disabling autocast.")
            enabled = False
        elif enabled and device_type == "cpu" and self.fast_dtype not in _TYPES:
            warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"CPU Autocast only supports dtypes of {', '.join(map(str, _TYPES))} currently."
            )
            enabled = False
        self._enabled = enabled
        self._before: list[tuple[bool, Any, bool]] = []

    def __enter__(self) -> autocast:
        device = self.device
        self._before.append((state.enabled[device], state.dtypes[device], state.caches))
        state.nesting += 1
        state.dtypes[device], state.caches = self.fast_dtype, self._cache_enabled
        enable(device, self._enabled)
        return self

    def __exit__(self, *exception: object) -> None:
        enabled, state.dtypes[self.device], state.caches = self._before[-1]
        state.nesting -= 1
        if not state.nesting:
            state.casts.clear()
        enable(self.device, enabled)
        self._before.pop()

    def __call__(self, func: F) -> F:
        """Return the function with this region around each of its calls.

        Raises:
            TypeError: It is no function.
        """
        if not callable(func):
            raise TypeError(
                "autocast()(func) requires a callable, but got "
                f"{type(func).__name__}. Did you mean to use autocast as a context manager? For "
                "example:\n    with gpugrad.autocast(device_type=...):\n        output = "
                "model(input)"
            )

        @functools.wraps(func)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return decorated  # type: ignore[return-value]


# --------------------------------------------------------------------------- the user's functions


def custom_fwd(
    fwd: Callable[..., Any] | None = None,
    *,
    device_type: str,
    cast_inputs: dtype | None = None,
) -> Any:
    """Decorate the ``forward`` of an ``autograd.Function``, so that its backward knows the region.

    Args:
        fwd: The method.
        device_type: "cpu" or "cuda".
        cast_inputs: The type that arguments are cast to in a region, which then is off inside.

    Raises:
        ValueError: ``device_type`` is no text.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    forward = fwd

    @functools.wraps(forward)
    def decorated(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        enabled = state.enabled[device_type]
        ctx._dtype = state.dtypes[device_type]
        ctx._fwd_used_autocast = enabled and cast_inputs is None
        if not enabled or cast_inputs is None:
            return forward(ctx, *args, **kwargs)
        with autocast(device_type, enabled=False):
            return forward(
                ctx,
                *_cast(args, device_type, cast_inputs),
                **_cast(kwargs, device_type, cast_inputs),
            )

    return decorated


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Any:
    """Decorate the ``backward`` of an ``autograd.Function`` whose forward is a ``custom_fwd``.

    Raises:
        ValueError: ``device_type`` is no text.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    backward = bwd

    @functools.wraps(backward)
    def decorated(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return backward(ctx, *args, **kwargs)

    return decorated


def _cast(value: Any, device_type: str, kind: dtype) -> Any:
    """Return arguments, which may be nested, with their tensors of a type."""
    if isinstance(value, Tensor):
        fits = (
            value.is_floating_point()
            and value.device.type == device_type
            and value.dtype is not _dtype.float64
        )
        return value.to(kind) if fits else value
    if isinstance(value, str | bytes | np.ndarray):
        return value
    if isinstance(value, Mapping):
        return {_cast(k, device_type, kind): _cast(v, device_type, kind) for k, v in value.items()}
    if isinstance(value, Iterable):
        made = (_cast(v, device_type, kind) for v in value)
        return type(value)(made) if isinstance(value, list | tuple) else made
    return value


# --------------------------------------------------------------------------- by hand


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Return whether this thread is in a region for a type of device."""
    return state.enabled[_known(device_type, "is_autocast_enabled")]


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Begin or end what regions do, without one; alone the argument is for "cuda"."""
    if enabled is None:
        device_type, enabled = "cuda", device_type
    enable(_known(device_type, "set_autocast_enabled"), bool(enabled))


def get_autocast_dtype(device_type: str) -> dtype:
    """Return the type in which regions for a type of device compute."""
    return state.dtypes[_known(device_type, "get_autocast_dtype")]


def set_autocast_dtype(device_type: str, dtype: dtype) -> None:
    """Set the type in which regions for a type of device compute."""
    state.dtypes[_known(device_type, "set_autocast_dtype")] = dtype


def is_autocast_cache_enabled() -> bool:
    """Return whether what parameters are cast to is kept."""
    return state.caches


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Have what parameters are cast to kept, or not."""
    state.caches = enabled


def clear_autocast_cache() -> None:
    """Forget what parameters were cast to."""
    state.casts.clear()


def autocast_increment_nesting() -> int:
    """Enter a region by hand; return how deep this one lies."""
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting() -> int:
    """Leave a region by hand; return how deep the one around it lies."""
    state.nesting -= 1
    return state.nesting


def _known(device_type: Any, function: str) -> str:
    if device_type not in state.enabled:
        raise RuntimeError(f"{function}: there is no autocast for the device type {device_type!r}")
    return str(device_type)


def _older(name: str, function: Callable[..., Any], device: str) -> Callable[..., Any]:
    """Return a function of one type of device, which PyTorch calls deprecated."""

    def call(*args: Any) -> Any:
        given = name.rpartition("_")[2] if name.startswith("set") else ""
        instead = ", ".join([f"'{device}'", *[given] * bool(given)])
        warnings.warn(
            f"gpugrad.{name}({given}) is deprecated. Please use "
            f"gpugrad.{function.__name__}({instead}) instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        return function(device, *args)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Call ``{function.__name__}`` for {device!r}; it is PyTorch's older name."
    return call


is_autocast_cpu_enabled = _older("is_autocast_cpu_enabled", is_autocast_enabled, "cpu")
get_autocast_cpu_dtype = _older("get_autocast_cpu_dtype", get_autocast_dtype, "cpu")
get_autocast_gpu_dtype = _older("get_autocast_gpu_dtype", get_autocast_dtype, "cuda")
set_autocast_cpu_enabled = _older("set_autocast_cpu_enabled", set_autocast_enabled, "cpu")
set_autocast_cpu_dtype = _older("set_autocast_cpu_dtype", set_autocast_dtype, "cpu")
set_autocast_gpu_dtype = _older("set_autocast_gpu_dtype", set_autocast_dtype, "cuda")
