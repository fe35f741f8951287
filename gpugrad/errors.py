"""The rules of shapes and dimensions, and PyTorch's words where they are broken."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

SECOND_BACKWARD = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)
NO_DIMENSION = (
    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ "
    "to convert a 0-dim tensor to a number"
)

ESCAPED = (
    "Either your tensor may have escaped from inside a function being vmapped and this is a user "
    "error (see https://pytorch.org/functorch/stable/ux_limitations.html), or there is an internal "
    "functorch error in `gen_vmap_plumbing` Please file an issue if it looks like the latter"
)

CAPTURED = (
    "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call "
    "in-place operation that would mutate a captured Tensor. This is not supported; please rewrite "
    "the function being transformed to explicitly accept the mutated Tensor(s) as inputs."
)

OVERFLOW = "Overflow when unpacking long long"
NO_DIMENSIONS = "Dimension specified as 0 but tensor has no dimensions"


class Unsupported(RuntimeError):  # noqa: N818  PyTorch's name
    """What a function does cannot be part of a compiled program; PyTorch's is of this name."""


INFERENCE_WRITE = (
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone "
    "to get a normal tensor before doing inplace update.See "
    "https://github.com/pytorch/rfcs/pull/17 for more details."
)


def size(shape: Sequence[int]) -> str:
    """Return a shape as PyTorch writes it inside a sentence: ``[2, 3]``."""
    return str(list(shape))


def out_of_bounds(
    kind: type[Exception], function: str, index: int, axis: int, length: int
) -> Exception:
    """Return the error for an index that is out of bounds.

    A function's name may begin it, as in ``"gather(): "``, or all is said in a sentence of the
    function's own, which may name the index and the length.
    """
    if function and not function.endswith(": "):
        return kind(function.format(index=index, length=length))
    return kind(f"{function}index {index} is out of bounds for dimension {axis} with size {length}")


def unequal_sizes(first: Sequence[int], other: Sequence[int], place: int) -> RuntimeError:
    """Return the error for a tensor of a stack that has another size than the first one."""
    return RuntimeError(
        f"stack expects each tensor to be equal size, but got {size(first)} at entry 0 and "
        f"{size(other)} at entry {place}"
    )


def normal_dim(dim: int, ndim: int) -> int:
    """Return ``dim`` counted from the front; a 0-d tensor has the one dimension 0.

    Raises:
        IndexError: There is no such dimension.
        TypeError: ``dim`` is not an integer.
    """
    span = ndim or 1
    try:
        dim = index(dim)
    except TypeError:
        raise TypeError(f"dim must be an int, not {type(dim).__name__}") from None
    if not -span <= dim < span:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], "
            f"but got {dim})"
        )
    return dim % span


def normal_dims(dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Return the dimensions that ``dim`` means; ``None`` and ``()`` mean all.

    Raises:
        IndexError: One of them does not exist.
        RuntimeError: One is named twice.
    """
    if dim is None or (not isinstance(dim, int) and len(dim) == 0):
        return tuple(range(ndim))
    dims = [normal_dim(d, ndim) for d in ((dim,) if isinstance(dim, int) else dim)]
    for k, d in enumerate(dims):
        if d in dims[:k]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return tuple(d for d in dims if d < ndim)


def broadcast_shape(*shapes: Sequence[int]) -> tuple[int, ...]:
    """Return the shape that the shapes broadcast to.

    Raises:
        RuntimeError: Two of them do not fit.
    """
    if shapes and shapes.count(shapes[0]) == len(shapes):
        return tuple(shapes[0])
    result: list[int] = []
    for shape in shapes:
        result = [1] * (len(shape) - len(result)) + result
        offset = len(result) - len(shape)
        for k, n in reversed([*enumerate(shape, offset)]):  # an error is of the last one
            if result[k] == 1:
                result[k] = n
            elif n not in (1, result[k]):
                raise RuntimeError(
                    f"The size of tensor a ({result[k]}) must match the size of tensor b ({n}) "
                    f"at non-singleton dimension {k}"
                )
    return tuple(result)


def summed_axes(full: Sequence[int], shape: Sequence[int]) -> tuple[int, ...]:
    """Return the axes of ``full`` along which something of ``shape`` was broadcast to it."""
    extra = len(full) - len(shape)
    return tuple([k for k, n in enumerate(full) if k < extra or (shape[k - extra] == 1 and n != 1)])


def must_be_tensor(function: str, argument: str, position: int, value: object) -> TypeError:
    """Return the error for an argument that should have been a tensor."""
    return TypeError(
        f"{function}(): argument '{argument}' (position {position}) must be Tensor, "
        f"not {type_name(value)}"
    )


def type_name(value: object) -> str:
    """Return the name of the type of a wrong argument."""
    kind = type(value)
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__


def integer(function: str, argument: str, position: int, value: object) -> int:
    """Return an argument that must be an integer.

    Raises:
        TypeError: It is none.
    """
    if not hasattr(value, "__index__"):
        raise TypeError(
            f"{function}(): argument '{argument}' (position {position}) must be int, "
            f"not {type_name(value)}"
        )
    return index(value)


class _Missing:
    """The default of an argument that must be given."""

    def __repr__(self) -> str:
        return "<required>"


MISSING = _Missing()
ALL: Any = ...  # the default of dimensions that may not be said to be None


def too_many(function: str, required: int, known: int, given: int) -> TypeError:
    """Return the error for more arguments than a function has parameters."""
    few = f"from {required} to {known}" if required < known else f"{known}"
    plural = "" if few == "1" else "s"
    were = "was" if given == 1 else "were"
    return TypeError(
        f"{function}() takes {few} positional argument{plural} but {given} {were} given"
    )


def missing(function: str, arguments: Sequence[str]) -> TypeError:
    """Return the error for arguments that were not given; its plural is PyTorch's."""
    names = ", ".join(f'"{name}"' for name in arguments)
    what = "arguments" if len(arguments) == 1 else "argument"
    return TypeError(f"{function}() missing {len(arguments)} required positional {what}: {names}")


class LinAlgError(RuntimeError):
    """A matrix has no such decomposition, or equations have no one solution."""
