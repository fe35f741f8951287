"""Kernels that are launched by hand, paired with what computes their gradients."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import backend
from gpugrad.autograd.function import Function, once_differentiable
from gpugrad.autograd.gradcheck import gradcheck, gradgradcheck
from gpugrad.backend.batched import BatchedBackend
from gpugrad.graph import TensorBase
from gpugrad.op import as_operand
from gpugrad.op.promotion import to_one_device
from gpugrad.op.saved import up_to_date, wrap

Launch = Callable[..., Any]


def raw_kernel(
    *,
    backward: Launch | Pair,
    host: Launch | bool | None = None,
    host_backward: Launch | None = None,
    name: str | None = None,
) -> Callable[[Launch], Pair]:
    """Return a decorator that pairs a function which launches a kernel with its backward.

    The decorated function receives CuPy's arrays in the places of tensors, C-contiguous, and
    everything else as it is given; it launches its kernel, and returns a new array or a tuple of
    such. It may not write into its arguments.

    Args:
        backward: Returns the gradients, as arrays or None, of all tensors among the arguments, in
            their order; one alone needs no tuple. Its parameters say what it is given: ``g`` the
            gradient of the result (``g0``, ``g1``, ... those of several), ``out`` the result
            (``out0``, ...), and the function's own parameters by their names. What it names is what
            is saved. If it is itself a pair, gradients have gradients.
        host: The same as the function for NumPy's arrays, or ``True`` where the two functions
            themselves take these, as those do that launch a :class:`gpugrad.RawKernel`; without it
            there is nothing on the CPU.
        host_backward: The same as ``backward`` for NumPy's arrays.
        name: The name of the backward node; the function's own by default.

    The result is a :class:`Pair`, whose ``gradcheck`` compares the two kernels.

    >>> def gradient(g, x):
    ...     return 2 * g * x
    >>> @raw_kernel(backward=gradient, host=lambda x: x * x, host_backward=gradient)
    ... def square(x):
    ...     out = x * 0
    ...     kernel((x.size,), (1,), (x, out))
    ...     return out
    >>> import gpugrad
    >>> x = gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64, requires_grad=True)
    >>> square.gradcheck(x)
    True
    >>> square(x)
    tensor([1., 4.], dtype=gpugrad.float64, grad_fn=<squareBackward>)
    """

    def decorate(function: Launch) -> Pair:
        return Pair(function, backward, host, host_backward, name)

    return decorate


class Pair:
    """A function that launches a kernel, with what computes its gradients."""

    def __init__(
        self,
        function: Launch,
        backward: Launch | Pair,
        host: Launch | bool | None = None,
        host_backward: Launch | None = None,
        name: str | None = None,
    ):
        """Pair two functions; see :func:`raw_kernel`.

        Raises:
            TypeError: ``backward`` has a parameter that names nothing it could be given.
        """
        functools.update_wrapper(self, function)
        self.function, self.host = function, host
        self.backward, self.host_backward = backward, host_backward
        self.name = name or function.__name__
        self.signature = inspect.signature(function)
        given = backward.function if isinstance(backward, Pair) else backward
        self.asked = tuple(inspect.signature(given).parameters)
        for asked in self.asked:
            if asked not in self.signature.parameters and not _RESULT.fullmatch(asked):
                raise TypeError(
                    f"the backward of '{self.name}' asks for '{asked}'; it may ask for g, out and "
                    f"{', '.join(self.signature.parameters)}"
                )
        self.operation = _operation(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Launch the kernel on the arrays of tensors, and return tensors.

        Raises:
            NotImplementedError: The tensors are on the CPU, and there is no ``host``.
        """
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        names, values = list(bound.arguments), list(bound.arguments.values())
        places = [
            k for k, v in enumerate(values) if isinstance(v, TensorBase) or backend.is_array(v)
        ]
        tensors = to_one_device([as_operand(self.name, names[k], k, values[k]) for k in places])
        call = _Call(self, names, values, places)
        return self.operation.apply(call, *tensors)

    def gradcheck(self, *args: Any, second: bool | None = None, **options: Any) -> bool:
        """Compare the gradients of the backward kernel with differences of the kernel's values.

        Args:
            args: Arguments of the kernel, tensors of float64 that require grad among them. With
                float32 only few digits are left: give ``eps``, ``atol`` and ``rtol`` for these.
            second: Whether gradients of gradients are compared, too; if the backward is a pair.
            options: Those of :func:`gpugrad.autograd.gradcheck`.

        Raises:
            GradcheckError: They differ.
        """
        second = isinstance(self.backward, Pair) if second is None else second
        found = gradcheck(self, args, **options)
        return found and (not second or gradgradcheck(self, args, **options))

    def launched(self, values: Sequence[Any], on_host: bool, backward: bool) -> Any:
        """Return what the function, or its backward, gives for arrays."""
        given = self.backward.function if isinstance(self.backward, Pair) else self.backward
        chosen: Launch | None = given if backward else self.function
        if on_host and self.host is not True:
            chosen = self.host_backward if backward else self.host or None
            if chosen is None:
                raise NotImplementedError(
                    f"the kernel '{self.name}' runs on a GPU, and its arguments are on the CPU: "
                    "move them, or give raw_kernel() "
                    + ("host_backward=" if backward else "host=")
                    + ", a function of NumPy's arrays; or launch a gpugrad.RawKernel, and give "
                    "host=True"
                )
        assert chosen is not None
        return chosen(*values)


# What a backward may ask for besides parameters of the function, whose names come first.
_RESULT = re.compile(r"(g|out)\d*")


class _Call:
    """The arguments of one call: which are tensors, and what the others are."""

    def __init__(
        self, pair: Pair, names: Sequence[str], values: Sequence[Any], places: Sequence[int]
    ):
        self.pair, self.names, self.values, self.places = pair, names, values, places

    def filled(self, arrays: Sequence[Any]) -> list[Any]:
        """Return all arguments, with arrays in the places of tensors."""
        own = list(self.values)
        for k, array in zip(self.places, arrays, strict=True):
            own[k] = array
        return own


def _array(tensor: Any) -> tuple[Any, bool]:
    """Return a C-contiguous array, and whether it is NumPy's.

    Raises:
        RuntimeError: It differs by example of a ``vmap``.
    """
    up_to_date(tensor)
    array = tensor._array
    door = backend.of(array)
    if isinstance(door, BatchedBackend):
        raise RuntimeError("vmap: a kernel that is launched by hand has no rule for it")
    return door.xp.ascontiguousarray(array), door.type == "cpu"


def _operation(pair: Pair) -> type[Function]:
    """Return the operation of a pair."""

    def forward(ctx: Any, call: _Call, *tensors: Any) -> Any:
        found = [_array(t) for t in tensors]
        result = pair.launched(call.filled([a for a, _ in found]), found[0][1], False)
        several = isinstance(result, tuple | list)
        outs = tuple(wrap(r) for r in (result if several else (result,)))
        ctx.call, ctx.count = call, len(outs)
        known = {f"out{k}": o for k, o in enumerate(outs)} | {"out": outs[0]}
        known |= dict(zip((call.names[k] for k in call.places), tensors, strict=True))
        saved = [a for a in pair.asked if a in known]
        ctx.save_for_backward(*(known[a] for a in saved))
        ctx.saved_names = saved
        return outs if several else outs[0]

    def gradients(ctx: Any, *grads: Any) -> Any:
        call = ctx.call
        known: dict[str, Any] = {f"g{k}": g for k, g in enumerate(grads)} | {"g": grads[0]}
        known |= dict(zip(call.names, call.values, strict=True))
        known |= dict(zip(ctx.saved_names, ctx.saved_tensors, strict=True))
        values = [known[a] for a in pair.asked]
        if isinstance(pair.backward, Pair):
            result = pair.backward(*values)
        else:
            found = [_array(v) if isinstance(v, TensorBase) else (v, None) for v in values]
            on_host = any(h for _, h in found)
            result = pair.launched([v for v, _ in found], on_host, True)
        results = result if isinstance(result, tuple | list) else (result,)
        if len(results) != len(call.places):
            raise RuntimeError(
                f"the backward of '{pair.name}' returned {len(results)} gradients for "
                f"{len(call.places)} tensors"
            )
        own = [r if r is None or isinstance(r, TensorBase) else wrap(r) for r in results]
        return (None, *own)

    paired = isinstance(pair.backward, Pair)
    return type(
        pair.name,
        (Function,),
        {
            "forward": staticmethod(forward),
            "backward": staticmethod(gradients if paired else once_differentiable(gradients)),
        },
    )
