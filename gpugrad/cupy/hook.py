"""What CuPy asks of a tensor that its ufuncs and kernels are given: its undocumented hooks.

A ufunc or an ``ElementwiseKernel`` of CuPy's that finds an argument with the method
``__cupy_override_elementwise_kernel__`` calls that instead of reading memory, and one of its own
reductions ``__cupy_override_reduction_kernel__``.  CuPy 14 has both; whether the one that is
installed has them is asked once, of itself (:func:`problem`).

A ufunc is the one of its name in :mod:`gpugrad.numpy` or among the special functions, a kernel of
the user's the differentiable kernel of its text.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import gpugrad.numpy
from gpugrad import backend
from gpugrad.backend.batched import Batched
from gpugrad.cupy import special
from gpugrad.graph import TensorBase, mode
from gpugrad.op import saved
from gpugrad.op.dual import tangents_of
from gpugrad.ops.creation import finish

names: Any = gpugrad.numpy

# Ufuncs that CuPy's functions are made of, and has no public names for.
_PRIVATE = {
    "cupy_angle": "angle",
    "cupy_clip": "clip",
    "cupy_copy": "copy",
    "cupy_imag": "imag",
    "cupy_real": "real",
    "cupy_where": "where",
}
_OTHERS: dict[str, Callable[..., Any]] = {
    "cupy_angle_deg": lambda z: names.angle(z, deg=True),
    "cupy_is_close": lambda a, b, rtol, atol, nan: names.isclose(a, b, rtol, atol, nan),
    "cupy_is_close_complex": lambda a, b, rtol, atol, nan: names.isclose(a, b, rtol, atol, nan),
    "cupy_nan_to_num_": lambda x, nan, posinf, neginf: names.nan_to_num(
        x, nan=nan, posinf=posinf, neginf=neginf
    ),
    "cupy_round": lambda x, decimals: names.round(x, int(decimals)),
    "cupy_rsqrt": lambda x: names.reciprocal(names.sqrt(x)),
}


@functools.cache
def library() -> Any:
    """Return CuPy."""
    return backend.cuda_backend().xp


# --------------------------------------------------------------------------- whether it is there


class _Asked:
    """What only answers the hooks."""

    def __cupy_override_elementwise_kernel__(self, *args: Any, **kwargs: Any) -> str:
        return "asked"

    def __cupy_override_reduction_kernel__(self, *args: Any) -> str:
        return "asked"


@functools.cache
def problem() -> str | None:
    """Return in one sentence what this CuPy does not ask tensors, ``None`` if it asks them all."""
    xp = library()
    try:
        if xp.exp(_Asked()) == "asked":
            return None
    except TypeError:
        pass
    return (
        f"CuPy {xp.__version__} does not ask foreign arguments of its ufuncs what to do, as CuPy "
        "14 does: its functions cannot be recorded. Use those of gpugrad.cupy, which have the same "
        "names."
    )


def ways_out() -> str:
    """Return what to do instead of letting CuPy read the memory of a tensor."""
    return problem() or (
        "CuPy's ufuncs, its ElementwiseKernels, and its functions that are methods of arrays take "
        "the tensor as it is; for another function use that of its name in gpugrad.cupy, for a "
        "ReductionKernel gpugrad.kernel.differentiable(kernel), or give CuPy tensor.detach()."
    )


# --------------------------------------------------------------------------- ufuncs


def called(kernel: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """Return what a ufunc or a kernel of CuPy's gives for arguments with a tensor.

    Raises:
        TypeError: The tensors are the CPU's; an operand requires grad, and there is no rule.
    """
    if not isinstance(kernel, library().ufunc):
        return _kernel(kernel, args)
    _check_place(kernel.name, args)
    ours = known(kernel)
    if ours is None:
        if _tracked((*args, options.get("out"))):
            raise _refused(f"the ufunc {kernel.name!r}")
        return _on_arrays(kernel, args, options)
    if "_where" in options:
        options["where"] = options.pop("_where")
    given, outs = args[: kernel.nin], args[kernel.nin :]
    if outs and options.get("out") is None:
        options["out"] = outs[0] if len(outs) == 1 else tuple(outs)
    if options.get("out") is None:
        options.pop("out", None)
    return ours(*given, **options)


def _check_place(name: str, args: Sequence[Any]) -> None:
    """Raise where CuPy was given no array of a GPU.

    Raises:
        TypeError: All tensors are the CPU's.
    """
    for a in args:
        array = a._array if isinstance(a, TensorBase) else a if backend.is_array(a) else None
        if array is not None and backend.of(array).type == "cuda":
            return
    raise TypeError(
        f"{name} is a function of CuPy's, which computes on GPUs, but was given tensors of the "
        "CPU. Give it tensor.cuda(), or use the function of gpugrad.numpy."
    )


@functools.cache
def _public() -> dict[int, str]:
    """Return the names of CuPy's public ufuncs, by their identities."""
    xp = library()
    return {id(v): k for k, v in vars(xp).items() if isinstance(v, xp.ufunc)}


@functools.cache
def known(kernel: Any) -> Callable[..., Any] | None:
    """Return our function for a ufunc of CuPy's, ``None`` where there is none."""
    name = _public().get(id(kernel)) or _PRIVATE.get(kernel.name)
    if name is not None:
        return getattr(names, name, None)
    module = sys.modules.get("cupyx.scipy.special")
    for name, value in vars(module).items() if module is not None else ():
        if value is kernel:
            return getattr(_special(), name, None) or special.recorded(name, kernel)
    return _OTHERS.get(kernel.name)


@functools.cache
def _special() -> Any:
    """Return the module of special functions: SciPy's names, where there are these."""
    try:
        return import_module("gpugrad.scipy.special")
    except ModuleNotFoundError:
        return import_module("gpugrad.special")


def _tracked(values: Sequence[Any]) -> bool:
    """Tell whether a derivative would be lost where these are read."""
    tensors = [v for v in values if isinstance(v, TensorBase)]
    return any(
        (mode.enabled and t.requires_grad) or tangents_of(t) or t._array.__class__ is Batched  # type: ignore[attr-defined]
        for t in tensors
    )


def _on_arrays(kernel: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """Return what CuPy gives for the arrays of tensors that nothing is recorded of, as tensors.

    An array that was given to be written stays what it was.
    """
    operands = [a for a in args if isinstance(a, TensorBase)]
    out = options.get("out")
    operands += [
        o for o in (out if isinstance(out, tuple) else (out,)) if isinstance(o, TensorBase)
    ]
    for t in operands:
        saved.read(t)
    given = {id(saved.own_array(t)): t for t in operands}
    if out is not None:
        options["out"] = tuple(map(_array, out)) if isinstance(out, tuple) else _array(out)
    results = kernel(*map(_array, args), **options)
    found = []
    for result in results if isinstance(results, tuple) else (results,):
        tensor = given.get(id(result))
        if tensor is not None:
            saved.note_write(tensor)
        elif result is not None and not any(result is a for a in (*args, out)):
            tensor = saved.descended(finish(saved.wrap(result), False), operands)
        found.append(result if tensor is None else tensor)
    return tuple(found) if isinstance(results, tuple) else found[0]


def _array(value: Any) -> Any:
    return saved.own_array(value) if isinstance(value, TensorBase) else value


# --------------------------------------------------------------------------- kernels


def _kernel(kernel: Any, args: Sequence[Any]) -> Any:
    """Return what an ``ElementwiseKernel`` of CuPy's gives.

    Raises:
        TypeError: A derivative is wanted that its text has not, or its size was given, which CuPy
            does not tell.
    """
    if all(p.raw for p in (*kernel.in_params, *kernel.out_params)):
        raise TypeError(
            f"the kernel {kernel.name!r} has nothing but raw parameters, and needs size=, which "
            "CuPy does not pass on for tensors: call gpugrad.kernel.differentiable(kernel), or "
            "give the kernel arrays, tensor.detach().array"
        )
    if not _tracked(args):
        return _on_arrays(kernel, args, {})
    from gpugrad.kernel import differentiable

    return differentiable(kernel)(*args)


def reduced(
    kernel: Any, tensor: Any, axis: Any = None, dtype: Any = None, out: Any = None,
    keepdims: bool = False,
) -> Any:  # fmt: skip
    """Return what one of CuPy's own reductions gives.

    Raises:
        TypeError: There is no rule, and a derivative would be lost.
    """
    words = kernel.name.split("_")  # such as cupy_nansum_with_dtype
    ours = getattr(names, words[1] if len(words) > 1 else "", None)
    given = {"dtype": dtype, "out": out, "keepdims": keepdims or None}
    options = {"axis": axis, **{k: v for k, v in given.items() if v is not None}}
    if kernel.name == "cupy_count_nonzero":
        ours = names.count_nonzero
    elif kernel.name.startswith("_norm_ord2"):
        ours = names.linalg.norm
    if ours is not None:
        return ours(tensor, **options)
    if _tracked((tensor,)):
        raise _refused(f"the reduction {kernel.name!r}")
    return _on_arrays(kernel, (tensor,), options)


def scattered(tensor: Any, indices: Any, value: Any, operation: str) -> None:
    """Write at indices of a tensor as ``cupy.add.at`` and its kind ask for."""
    name = {"sub": "subtract", "max": "maximum", "min": "minimum"}.get(operation, operation)
    name = f"bitwise_{name}" if name in ("and", "or", "xor") else name
    getattr(names, name).at(tensor, indices, value)


def _refused(name: str) -> TypeError:
    return TypeError(
        f"{name} of CuPy's has no rule for tensors: its result would have no gradient. Where none "
        "is needed, give it tensor.detach()."
    )
