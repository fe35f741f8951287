"""HIPS/autograd's operators: functions of functions that return derivatives.

They take what NumPy's users have: Python's numbers, NumPy's and CuPy's arrays, tensors, and nested
tuples, lists and dictionaries of these.  The function is called with arrays of
:mod:`gpugrad.numpy` in their places (a tensor stays as it is), and a gradient has the type of its
argument.
Where the caller is differentiated itself, results are tensors with a history.

A gradient by complex numbers is the conjugate of PyTorch's: that of a holomorphic function is its
derivative.

Source of the names and of what they mean: https://github.com/HIPS/autograd, version 1.9.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpugrad import _dtype, backend, tree
from gpugrad.autograd.basis import along_basis
from gpugrad.func.forward import jvp, linearize
from gpugrad.func.reverse import vjp
from gpugrad.graph import TensorBase, mode, transforming
from gpugrad.numpy import operands
from gpugrad.numpy.operands import cast, own, raised
from gpugrad.numpy.products import tensordot
from gpugrad.op import saved
from gpugrad.op.dual import tangents_of
from gpugrad.ops import shape as shapes
from gpugrad.ops.complex import conj_physical, real
from gpugrad.ops.filled import ones_like, zeros_like
from gpugrad.utils import checkpoint as recomputing

Function = Callable[..., Any]

# --------------------------------------------------------------------------- borders


def traced(value: Any) -> Any:
    """Return an argument with tensors in the place of its numbers and arrays.

    Raises:
        TypeError: It holds something that has no derivative.
    """
    return tree.mapped(_traced, value)


def _traced(leaf: Any) -> Any:
    numeric = isinstance(leaf, TensorBase | float | complex | np.generic) or backend.is_array(leaf)
    found = own(leaf) if numeric else leaf
    if not numeric or found._array.dtype.kind not in _dtype.INEXACT:
        what = f"{type(leaf).__name__} of type {found._array.dtype}" if numeric else repr(leaf)
        raise TypeError(
            f"There is no derivative by {what}: differentiate by floating or complex numbers and "
            "arrays, such as 1.0 or x.astype(float), and pass the rest as other arguments."
        )
    return found


def plain(found: Any, like: Any) -> Any:
    """Return tensors as what they stand for: each as the number, array or tensor in its place.

    What is recorded remains a tensor, or its history would be lost.
    """
    pairs = zip(tree.leaves(found), tree.leaves(like), strict=True)
    return tree.rebuilt(like, [
        _of_class(t, x.__class__) if isinstance(x, TensorBase) else _plain(t) for t, x in pairs
    ])  # fmt: skip


def _of_class(tensor: Any, kind: type[TensorBase]) -> Any:
    """Return a tensor as one of a class, which is another one where it may be the caller's own."""
    kind = saved.tensor_class if issubclass(kind, saved.dual_class) else kind
    return tensor if tensor.__class__ is kind else raised(operands.twin(tensor), kind)


def _plain(tensor: Any) -> Any:
    """Return a tensor as an array, or as a number of NumPy's; as an ndarray if it is recorded."""
    if (
        tensor._edge is not None
        or tangents_of(tensor)
        or tensor._array.__class__ not in backend.BACKENDS
    ):
        return _of_class(tensor, operands.array_class)
    array = saved.own_array(tensor)
    return array[()] if isinstance(array, np.ndarray) and not array.ndim else array


def values_of(found: Any, given: Any) -> Any:
    """Return what a function returned: arrays as the caller's own where it gave no tensors."""
    if any(isinstance(x, TensorBase) for x in tree.leaves(given)):
        return found
    return tree.mapped(_plain, found)


def outputs(result: Any) -> Any:
    """Return what a function returned with tensors in the place of its numbers and arrays.

    Raises:
        TypeError: It holds something else.
    """

    def output(leaf: Any) -> Any:
        numeric = isinstance(leaf, TensorBase | int | float | complex | np.generic)
        if (numeric or backend.is_array(leaf)) and not isinstance(leaf, bool):
            return own(leaf)
        raise TypeError(f"A function of which derivatives are taken returned {leaf!r}, no number")

    return tree.mapped(output, result)


def _fitting(vectors: Any, like: Any, what: str) -> Any:
    """Return vectors as tensors of the types and shapes of others."""
    if not tree.same_structure(vectors, like):
        raise TypeError(f"{what} is {tree.outline(vectors)}, but {tree.outline(like)} is expected")
    found = []
    for v, x in zip(tree.leaves(vectors), tree.leaves(like), strict=True):
        t = own(v, x.device)
        if x._array.dtype.kind not in _dtype.INEXACT:
            found.append(x)  # whatever the vector is, this has no derivative
            continue
        if tuple(t._array.shape) != tuple(x._array.shape):
            raise ValueError(
                f"{what} has shape {tuple(t._array.shape)}, but {tuple(x._array.shape)} is expected"
            )
        if not np.can_cast(t._array.dtype, x._array.dtype, "same_kind"):
            raise TypeError(f"{what} is {t._array.dtype}, but {x._array.dtype} is expected")
        found.append(cast(t, x._array.dtype))
    return tree.rebuilt(like, found)


def conjugated(values: Any) -> Any:
    """Return tensors with those that are complex conjugated."""
    return tree.mapped(conj_physical, values)


def _called(function: Function, x: Any) -> Function:
    """Return a function that is given tensors of the classes of some, and returns tensors."""
    kinds = [t.__class__ for t in tree.leaves(x)]

    def call(values: Any) -> Any:
        pairs = zip(tree.leaves(values), kinds, strict=True)
        return outputs(function(tree.rebuilt(values, [_of_class(t, kind) for t, kind in pairs])))

    return call


def _reverse(function: Function, x: Any) -> tuple[Any, Function]:
    """Return a function's value at tensors, and its product with vectors from the left."""
    value, pullback = vjp(_called(function, x), x)

    def pull(vectors: Any) -> Any:
        (found,) = pullback(conjugated(_fitting(vectors, value, "the vector")))
        return conjugated(found)

    return value, pull


def nary(operator: Function) -> Function:
    """Return an operator on functions of one argument as one on functions of several.

    It gives the operator the function, the argument (a tuple of several), and what was given
    besides.
    """

    @functools.wraps(operator)
    def of(fun: Function, argnum: Any = 0, *rest: Any, **named: Any) -> Function:
        if not isinstance(argnum, int | tuple | list):
            raise TypeError(f"argnum must be an integer or several in a tuple, not {argnum!r}")
        places = argnum if isinstance(argnum, int) else tuple(argnum)

        name = getattr(fun, "__name__", "[unknown name]")

        def derivative(*args: Any, **kwargs: Any) -> Any:
            def unary(x: Any) -> Any:
                return fun(*tree.replaced(args, places, x), **kwargs)

            unary.__name__ = name
            return operator(unary, tree.chosen(args, places), *rest, **named)

        derivative.__name__ = f"{operator.__name__}_of_{name}_wrt_argnum_{argnum}"
        derivative.__doc__ = (
            f"    {operator.__name__} of function {name} with respect to argument number {argnum}."
            f" Takes the\n    same arguments as {name} but returns the {operator.__name__}.\n"
        )
        return derivative

    return of


def _scalar(value: Any, operator: str) -> None:
    if not isinstance(value, TensorBase) or value.numel() != 1 or value.is_complex():  # type: ignore[attr-defined]
        raise TypeError(
            f"{operator} only applies to real scalar-output functions. Try jacobian, "
            "elementwise_grad or holomorphic_grad."
        )


# --------------------------------------------------------------------------- products


@nary
def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """Return a function that returns vectors' products with the Jacobian of ``fun``, and its value.

    ``make_vjp(fun, argnum)(*args)`` is ``(vjp, fun(*args))``; ``vjp`` takes something of the
    structure and shapes of the value, any number of times.

    Raises:
        TypeError: When called: an argument has no derivative; the vector has another structure or a
            type that the value's cannot hold.
        ValueError: The vector has another shape.
    """
    value, pull = _reverse(fun, traced(x))
    return (lambda g: plain(pull(g), x)), values_of(value, x)


@nary
def make_jvp(fun: Function, x: Any) -> Function:
    """Return a function that returns ``fun``'s value and how it moves along a vector.

    ``make_jvp(fun, argnum)(*args)(v)`` computes in forward mode, and calls ``fun`` each time.
    """
    start = traced(x)

    def push(v: Any) -> tuple[Any, Any]:
        tangents = _fitting(v, start, "the vector")
        value, moved = jvp(_called(fun, start), (start,), (tangents,))
        return values_of(value, x), values_of(moved, x)

    return push


@nary
def make_jvp_reversemode(fun: Function, x: Any) -> Function:
    """Return a function of vectors that is the Jacobian's product with them.

    It calls ``fun`` once, and then walks through what was recorded, from the argument to the value.
    """
    start = traced(x)
    _, push = linearize(_called(fun, start), start)
    return lambda v: values_of(push(_fitting(v, start, "the vector")), x)


@nary
def make_hvp(fun: Function, x: Any) -> tuple[Function, Any]:
    """Return a function that returns the Hessian's product with vectors, and the gradient.

    ``make_hvp(fun, argnum)(*args)`` calls ``fun`` once.
    """
    value, pull = _reverse(grad(fun), traced(x))
    return (lambda v: plain(pull(v), x)), plain(value, x)


def make_ggnvp(
    f: Function, g: Function = lambda x: 0.5 * (x**2).sum(axis=-1), f_argnum: Any = 0
) -> Function:
    """Return a function of ``f``'s arguments, of which vectors' Gauss-Newton products are computed.

    ``make_ggnvp(f, g)(x)(v)`` is ``J.T @ H @ J @ v`` for the Jacobian of ``f`` at ``x`` and the
    Hessian of ``g``, half the sum of squares by default, at ``f(x)``.
    """

    @nary
    def ggnvp(f: Function, x: Any) -> Function:
        start = traced(x)
        value, f_vjp = _reverse(f, start)
        _, g_hvp = _reverse(grad(g), value)
        _, f_jvp = linearize(_called(f, start), start)
        return lambda v: plain(f_vjp(g_hvp(f_jvp(_fitting(v, start, "the vector")))), x)

    return ggnvp(f, f_argnum)


# --------------------------------------------------------------------------- gradients


@nary
def value_and_grad(fun: Function, x: Any) -> tuple[Any, Any]:
    """Return a function that returns the value and the gradient of ``fun``, a real scalar.

    It is what ``scipy.optimize.minimize(..., jac=True)`` takes.

    Raises:
        TypeError: When called: ``fun`` returned no real number; an argument has no derivative.
    """
    value, pull = _reverse(fun, traced(x))
    _scalar(value, "value_and_grad")
    return values_of(value, x), plain(pull(ones_like(value)), x)


@nary
def grad(fun: Function, x: Any) -> Any:
    """Return a function that returns the gradient of ``fun``, a real scalar.

    It takes the same arguments.  The gradient is by argument number ``argnum``, or a tuple of those
    by several.  It has the structure and the type of the argument, and is zero where ``fun`` does
    not depend on it.

    Raises:
        TypeError: When called: ``fun`` returned no real number; an argument has no derivative.
    """
    value, pull = _reverse(fun, traced(x))
    _scalar(value, "grad")
    return plain(pull(ones_like(value)), x)


@nary
def elementwise_grad(fun: Function, x: Any) -> Any:
    """Return a function that returns the sums of the Jacobian's columns.

    That is the derivative of each element where each result depends on one.

    Raises:
        TypeError: When called: ``fun`` returned complex numbers; an argument has no derivative.
    """
    value, pull = _reverse(fun, traced(x))
    if any(t.is_complex() for t in tree.leaves(value)):
        raise TypeError("elementwise_grad only applies to real-output functions.")
    return plain(pull(tree.mapped(ones_like, value)), x)


egrad = elementwise_grad


@nary
def deriv(fun: Function, x: Any) -> Any:
    """Return a function that returns how ``fun`` moves where all of its argument moves by one.

    It computes in forward mode.
    """
    start = traced(x)
    _, moved = jvp(_called(fun, start), (start,), (tree.mapped(ones_like, start),))
    return values_of(moved, x)


@nary
def holomorphic_grad(fun: Function, x: Any) -> Any:
    """Return a function that returns the derivative of ``fun``, which is holomorphic.

    Raises:
        TypeError: When called: the argument or the value is not complex.
    """
    start = traced(x)
    if not all(t.is_complex() for t in tree.leaves(start)):
        raise TypeError("holomorphic_grad: the argument is not complex; use grad")
    return plain(grad(lambda x: real(own(fun(x))))(start), x)


@nary
def grad_and_aux(fun: Function, x: Any) -> tuple[Any, Any]:
    """Return a function that returns the gradient of the first of two outputs, and the second."""
    (value, aux), pull = _reverse(fun, traced(x))
    _scalar(value, "grad_and_aux")
    weights = (ones_like(value), tree.mapped(zeros_like, aux))
    return plain(pull(weights), x), values_of(aux, x)


def grad_named(fun: Function, argname: str) -> Function:
    """Return the gradient of ``fun`` by the argument of this name, as a function.

    Raises:
        ValueError: ``fun`` has no such argument.
    """
    names = list(inspect.signature(fun).parameters)
    if argname not in names:
        raise ValueError(f"grad_named: the function has no argument {argname!r}")
    return grad(fun, names.index(argname))


def multigrad_dict(fun: Function) -> Function:
    """Return a function that returns the gradients by all arguments, in a dictionary by names.

    Those that were not given count with their defaults.
    """
    signature = inspect.signature(fun)

    def gradients(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()

        def of_names(values: dict[str, Any]) -> Any:
            bound.arguments.update(values)
            return fun(*bound.args, **bound.kwargs)

        return grad(of_names)(dict(bound.arguments))

    return gradients


# --------------------------------------------------------------------------- matrices


@nary
def jacobian(fun: Function, x: Any) -> Any:
    """Return a function that returns the Jacobian, of shape ``output.shape + input.shape``.

    One walk computes all rows together, as :func:`gpugrad.func.vmap` does.  Of an argument of
    several arrays, there is one Jacobian for each, in the same structure.

    Raises:
        TypeError: When called: ``fun`` returned something else than one real array; an argument has
            no derivative.
    """
    value, pull = _reverse(fun, traced(x))
    if not isinstance(value, TensorBase) or value.is_complex():  # type: ignore[attr-defined]
        raise TypeError("jacobian only applies to functions that return one real array.")
    whole: Any = value

    def along(vectors: Sequence[Any]) -> Sequence[Any]:
        with transforming(mode.batches[-1]):
            return tree.leaves(pull(vectors[0]))

    rows = along_basis(along, [whole], None)
    found = [
        shapes.reshape(r, (*whole._array.shape, *r._array.shape[1:])) for r in rows
    ]  # fmt: skip
    return plain(tree.rebuilt(x, found), x)


@nary
def hessian(fun: Function, x: Any) -> Any:
    """Return a function that returns the second derivatives: the Jacobian of the Jacobian."""
    return jacobian(jacobian(fun))(x)


def hessian_tensor_product(fun: Function, argnum: Any = 0) -> Function:
    """Return a function ``(*args, tensor)`` that returns the Hessian's product with the tensor."""
    gradient = grad(fun, argnum)

    def product(*args: Any, **kwargs: Any) -> Any:
        *args, tensor = args  # type: ignore[assignment]
        return tensordot(gradient(*args, **kwargs), tensor, np.ndim(tensor))

    return grad(product, argnum)


hessian_vector_product = hvp = hessian_tensor_product


def tensor_jacobian_product(fun: Function, argnum: Any = 0) -> Function:
    """Return a function ``(*args, tensor)`` that returns the tensor's product with the Jacobian.

    All dimensions of the tensor are summed over the first ones of the value.
    """

    def product(*args: Any, **kwargs: Any) -> Any:
        *args, tensor = args  # type: ignore[assignment]
        return tensordot(tensor, fun(*args, **kwargs), np.ndim(tensor))

    return jacobian(product, argnum)


vector_jacobian_product = tensor_jacobian_product


def checkpoint(fun: Function) -> Function:
    """Return ``fun`` as a function that keeps its arguments only, and is called again for backward.

    See :func:`gpugrad.utils.checkpoint.checkpoint`.
    """

    @functools.wraps(fun)
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        return recomputing.checkpoint(fun, *args, use_reentrant=False, **kwargs)

    return recomputed


NAMES = (
    "checkpoint", "deriv", "egrad", "elementwise_grad", "grad", "grad_and_aux", "grad_named",
    "hessian", "hessian_tensor_product", "hessian_vector_product", "holomorphic_grad", "hvp",
    "jacobian", "make_ggnvp", "make_hvp", "make_jvp", "make_jvp_reversemode", "make_vjp",
    "multigrad_dict", "tensor_jacobian_product", "value_and_grad", "vector_jacobian_product",
)  # fmt: skip
