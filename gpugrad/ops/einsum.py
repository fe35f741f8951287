"""Sums of products over named dimensions, made of permutations and matrix products."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gpugrad import backend, errors
from gpugrad.graph import TensorBase
from gpugrad.op import public
from gpugrad.op.saved import wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.products import _bmm, dot, mm, mv, no_bools, same_type
from gpugrad.ops.reduction import sum
from gpugrad.ops.shape import permute, reshape

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

# A name of a dimension: a letter, or which one it is, from the right, of those under an ellipsis.
Label = str | int
ELLIPSIS = "..."


class Term(NamedTuple):
    """A tensor, and the names of its dimensions, none of which is there twice."""

    tensor: Any
    labels: tuple[Label, ...]


# --------------------------------------------------------------------------- the equation


def _labels(text: str, what: str, start: int) -> list[str]:
    """Return the letters and the ellipsis of one operand, or of the output.

    Raises:
        RuntimeError: There is something else, or a second ellipsis.
    """
    found: list[str] = []
    k = 0
    while k < len(text):
        letter = text[k]
        if letter == ".":
            if ELLIPSIS in found:
                was = "but an" if what == "output" else "for which an"
                end = " (...) was already found" if what == "output" else " was already found"
                raise RuntimeError(f"einsum(): found '.' for {what} {was} ellipsis{end}")
            if text[k : k + 3] != ELLIPSIS:
                end = "ellipsis (...)" if what == "output" else "ellipsis"
                raise RuntimeError(f"einsum(): found '.' for {what} that is not part of any {end}")
            found.append(ELLIPSIS)
            k += 2
        elif letter.isascii() and letter.isalpha():
            found.append(letter)
        elif letter != " ":
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {start + k} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
        k += 1
    return found


@functools.lru_cache(1000)
def _parsed(equation: str, count: int) -> tuple[list[list[str]], list[str] | None]:
    """Return the labels of each operand, and those of the output where it is given."""
    left, arrow, right = equation.partition("->")
    parts = left.split(",")
    names: list[list[str]] = []
    start = 0
    for k, part in enumerate(parts):
        if k == count:
            raise RuntimeError(
                "einsum(): fewer operands were provided than specified in the equation"
            )
        names.append(_labels(part, f"operand {k}", start))
        start += len(part) + 1
    if len(parts) < count:
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    return names, _labels(right, "output", len(left) + 2) if arrow else None


def _term(place: int, tensor: Any, names: Sequence[str]) -> Term:
    """Return an operand with its labels: of a label that is there twice, the diagonal.

    Raises:
        RuntimeError: It has another number of dimensions, or no diagonal.
    """
    shape = tensor._array.shape
    count = len(names) - (ELLIPSIS in names)
    if ELLIPSIS in names and count > len(shape):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({count}) is more than the number "
            f"of dimensions ({len(shape)}) for operand {place}"
        )
    if ELLIPSIS not in names and count != len(shape):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({count}) does not match the "
            f"number of dimensions ({len(shape)}) for operand {place} and no ellipsis was given"
        )
    labels: list[Label] = []
    for name in names:
        if name != ELLIPSIS:
            labels.append(name)
        else:
            labels += range(count - len(shape), 0)
    k = 0
    while k < len(labels):
        label = labels[k]
        first = labels.index(label)
        if first == k:
            k += 1
            continue
        sizes = tensor._array.shape[k], tensor._array.shape[first]
        if sizes[0] != sizes[1]:
            raise RuntimeError(
                f"einsum(): subscript {label} is repeated for operand {place} but the sizes don't "
                f"match, {sizes[0]} != {sizes[1]}"
            )
        tensor = tensor.diagonal(0, first, k).movedim(-1, first)
        del labels[k]
    return Term(tensor, tuple(labels))


def _sizes(terms: Sequence[Term]) -> dict[Label, int]:
    """Return how long the dimension of each label is.

    Raises:
        RuntimeError: Two operands do not broadcast.
    """
    found: dict[Label, int] = {}
    for place, term in enumerate(terms):
        for k, (label, n) in enumerate(zip(term.labels, term.tensor._array.shape, strict=True)):
            before = found.setdefault(label, n)
            if before == 1:
                found[label] = n
            elif n not in (1, before) and isinstance(label, str):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {place} which does not "
                    f"broadcast with previously seen size {before}"
                )
            elif n not in (1, before):
                raise RuntimeError(
                    f"einsum(): dimension {k} covered by ellipsis in operand {place}has size {n} "
                    "which does not broadcast with previously seen ellipsis with size "
                    f"{before} for the respective dimension"
                )
    return found


def _output(names: list[str] | None, terms: Sequence[Term], used: Sequence[Sequence[str]]) -> Any:
    """Return the labels of the output: without an arrow, those that are there once, in order."""
    covered = sorted({n for t in terms for n in t.labels if isinstance(n, int)})
    letters = [n for labels in used for n in labels if n != ELLIPSIS]
    if names is None:
        return (*covered, *sorted(n for n in letters if letters.count(n) == 1))
    for k, name in enumerate(names):
        if name == ELLIPSIS:
            continue
        if name not in letters or name in names[:k]:
            why = (
                "appears more than once in the output"
                if name in letters
                else "does not appear in the equation for any input operand"
            )
            raise RuntimeError(f"einsum(): output subscript {name} {why}")
    found: list[Label] = []
    for name in names:
        if name == ELLIPSIS:
            found += covered
        else:
            found.append(name)
    return tuple(found)


# --------------------------------------------------------------------------- contraction


def _without(term: Term, labels: Sequence[Label]) -> Term:
    """Return a term summed over some of its dimensions."""
    axes = tuple([k for k, n in enumerate(term.labels) if n in labels])
    if not axes:
        return term
    rest = tuple([n for n in term.labels if n not in labels])
    if all(term.tensor._array.shape[k] == 1 for k in axes):
        return Term(term.tensor.squeeze(axes), rest)
    return Term(sum(term.tensor, axes), rest)


def _arranged(term: Term, labels: Sequence[Label]) -> Any:
    """Return the tensor with its dimensions in an order."""
    axes = tuple([term.labels.index(n) for n in labels])
    return term.tensor if axes == tuple(range(len(axes))) else permute(term.tensor, axes)


def _long(term: Term, sizes: dict[Label, int]) -> Term:
    """Return a term without the dimensions of length 1 that others have longer."""
    short = [
        n
        for n, length in zip(term.labels, term.tensor._array.shape, strict=True)
        if length == 1 != sizes[n]
    ]
    return _without(term, short)


def _multiplied(a: Term, b: Term, kept: Collection[Label], sizes: dict[Label, int]) -> Term:
    """Return the product of two terms, summed over what is not ``kept``.

    What is summed in one of them only is summed first; what both have becomes a matrix product.
    """
    a = _without(a, [n for n in a.labels if n not in kept and n not in b.labels])
    b = _without(b, [n for n in b.labels if n not in kept and n not in a.labels])
    summed = [n for n in a.labels if n in b.labels and n not in kept]
    stack = [n for n in a.labels if n in b.labels and n in kept]
    rows = [n for n in a.labels if n not in b.labels]
    columns = [n for n in b.labels if n not in a.labels]
    labels = (*stack, *rows, *columns)
    if not summed:
        left = _arranged(a, (*stack, *rows))
        right = _arranged(b, (*stack, *columns))
        shape = left._array.shape
        left = reshape(left, (*shape, *(1,) * len(columns))) if columns else left
        if rows:
            shape = right._array.shape
            at = len(stack)
            right = reshape(right, (*shape[:at], *(1,) * len(rows), *shape[at:]))
        return Term(pw.mul(left, right), labels)
    same_type("bmm", a.tensor, b.tensor)
    no_bools("bmm", a.tensor)

    def joined(term: Term, *groups: Sequence[Label]) -> Any:
        """Return a tensor whose dimensions are groups of those of a term."""
        tensor = _arranged(term, [n for group in groups for n in group])
        return _of_shape(tensor, tuple([math.prod([sizes[n] for n in g]) for g in groups]))

    if stack:
        each = [[n] for n in stack]  # several of them need no copy
        product = _bmm(joined(a, *each, rows, summed), joined(b, *each, summed, columns))
    elif rows and columns:
        product = mm(joined(a, rows, summed), joined(b, summed, columns))
    elif rows:
        product = mv(joined(a, rows, summed), joined(b, summed))
    elif columns:
        product = mv(joined(b, columns, summed), joined(a, summed))
    else:
        product = dot(joined(a, summed), joined(b, summed))
    return Term(_of_shape(product, tuple([sizes[n] for n in labels])), labels)


def _of_shape(tensor: Any, shape: tuple[int, ...]) -> Any:
    return tensor if tensor._array.shape == shape else reshape(tensor, shape)


def contracted(
    terms: Sequence[Term], output: Sequence[Label], path: Sequence[Sequence[int]]
) -> Any:
    """Return the sum of the products of terms over all labels but those of the output."""
    sizes = _sizes(terms)
    rest = list(terms)
    for pair in path:
        i, j = sorted(pair)
        a, b = rest[i], rest[j]
        del rest[j], rest[i]
        kept = {*output, *(n for t in rest for n in t.labels)}
        rest.append(_multiplied(_long(a, sizes), _long(b, sizes), kept, sizes))
    (last,) = rest
    last = _without(last, [n for n in last.labels if n not in output])
    found = _arranged(last, [n for n in output if n in last.labels])
    return _of_shape(found, tuple([sizes[n] for n in output]))


@functools.cache
def _planner() -> Any:
    try:
        import opt_einsum
    except ImportError:
        return None
    return opt_einsum


def _path(equation: str, tensors: Sequence[Any]) -> Sequence[Sequence[int]]:
    """Return which two of those that are left are multiplied next; their product is the last then.

    It is opt_einsum's where that is installed and there are more than two, else from the left.
    """
    if len(tensors) > 2 and (planner := _planner()) is not None:
        shapes = [t._array.shape for t in tensors]
        path = planner.contract_path(equation, *shapes, shapes=True, optimize="auto")[0]
        return [tuple(step) for step in path]
    count = len(tensors)
    return [(0, 1 if k == count else k - 1) for k in range(count, 1, -1)]


# --------------------------------------------------------------------------- what users call

_NOTHING = (
    "einsum(): must specify the equation string and at least one operand, or at least one operand "
    "and its subscripts list"
)
_LETTERS = [chr(ord("A") + k) for k in range(26)] + [chr(ord("a") + k) for k in range(26)]


def _written(labels: Sequence[Any]) -> str:
    """Return the labels of a sublist as letters."""
    for n in labels:
        if n is not Ellipsis and not 0 <= n < 52:
            raise ValueError(
                "einsum(): subscript in subscript list is not within the valid range [0, 52)"
            )
    return "".join([ELLIPSIS if n is Ellipsis else _LETTERS[n] for n in labels])


@public(method=False)
def einsum(equation: Any = None, *operands: Any) -> Tensor:
    """Return the sum of products of operands, whose dimensions an equation names.

    ``"bij,bjk->bik"`` multiplies stacks of matrices; without ``->`` the output has those labels
    that are there once, in their order.  Instead of an equation each operand may be followed by a
    list of numbers below 52, with one more list for the output.  More than two operands are
    multiplied from the left, or in the order that ``opt_einsum`` finds if that is installed
    (``pip install 'gpugrad[opt-einsum]'``).

    >>> import gpugrad
    >>> x = gpugrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> gpugrad.einsum("ii", x), gpugrad.einsum(x, [0, 1], [1])
    (tensor(5.), tensor([4., 6.]))

    Raises:
        RuntimeError: The equation is none, or does not fit the operands.
        TypeError: An operand is no tensor.
        ValueError: There is no operand, or a number of a list is no label.
    """
    if not operands:
        raise ValueError(_NOTHING)
    if isinstance(equation, TensorBase) or backend.is_array(equation):
        given = (equation, *operands)
        count = len(given) // 2
        text = ",".join([_written(labels) for labels in given[1::2]])
        if len(given) % 2:
            text += f"->{_written(given[-1])}"
        equation, operands = text, given[: 2 * count : 2]
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    if not isinstance(equation, str):
        raise TypeError(
            f"einsum(): argument 'equation' (position 1) must be str, not {type(equation).__name__}"
        )
    tensors = [wrap(t) if backend.is_array(t) else t for t in operands]
    for k, t in enumerate(tensors):
        if not isinstance(t, TensorBase):
            raise TypeError(
                f"expected Tensor as element {k} in argument 1, but got {type(t).__name__}"
            )
    if not tensors:
        raise RuntimeError("einsum(): must provide at least one operand")
    names, wanted = _parsed(equation, len(tensors))
    terms = [_term(k, t, n) for k, (t, n) in enumerate(zip(tensors, names, strict=True))]
    return contracted(terms, _output(wanted, terms, names), _path(equation, tensors))


@public(out=True)
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Return the sums of products over the last dimensions; with a number, the multiple.

    Raises:
        RuntimeError: The last dimensions differ.
    """
    a, b = input._array, other._array
    if not a.ndim or not b.ndim:
        return pw.mul(input, other)
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{errors.size(a.shape)} and {errors.size(b.shape)}"
        )
    if a.ndim == b.ndim == 1 and a.dtype == b.dtype and a.dtype.kind != "b":
        return reshape(dot(input, other), ())
    return _over(input, other, (a.ndim - 1,), (b.ndim - 1,))


def _over(a: Any, b: Any, a_axes: tuple[int, ...], b_axes: tuple[int, ...]) -> Any:
    """Return the sum of the products of two tensors over some dimensions of each."""
    if a._array.dtype != b._array.dtype:
        raise RuntimeError("both inputs should have same dtype")
    left, right = a._array.shape, b._array.shape
    rows = tuple([k for k in range(len(left)) if k not in a_axes])
    columns = tuple([k for k in range(len(right)) if k not in b_axes])
    above, beside = [left[k] for k in rows], [right[k] for k in columns]
    length = math.prod([left[k] for k in a_axes])
    first = reshape(permute(a, (*rows, *a_axes)), (math.prod(above), length))
    second = reshape(permute(b, (*b_axes, *columns)), (length, math.prod(beside)))
    return reshape(mm(first, second), (*above, *beside))


@public(method=False, out=True)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Return the sum of products over several dimensions.

    ``dims`` is how many, the last ones of ``a`` and the first ones of ``b``, or two lists of them.

    Raises:
        RuntimeError: The dimensions do not fit, or are no such thing.
    """
    if isinstance(dims, TensorBase):
        dims = dims.tolist()  # type: ignore[attr-defined]
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a._array.ndim, b._array.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = [*range(-dims, 0)], [*range(dims)]
    if not isinstance(dims, list | tuple):
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] "
            f"containing two lists, but got dims={dims}"
        )
    first, second = dims
    for position, (name, value) in enumerate((("dims_self", first), ("dims_other", second)), 3):
        if isinstance(value, int):
            raise TypeError(
                f"tensordot(): argument '{name}' (position {position}) must be tuple of ints, not "
                f"{type(value).__name__}"
            )
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    if a._array.dtype != b._array.dtype:
        raise RuntimeError("both inputs should have same dtype")
    summed: list[list[int]] = [[], []]
    for k, pair in enumerate(zip(first, second, strict=True)):
        i, j = (errors.normal_dim(d, t._array.ndim) for d, t in zip(pair, (a, b), strict=True))
        n, m = a._array.shape[i], b._array.shape[j]
        if 1 in (n, m) and n != m:  # broadcast: the other is summed
            summed[n == 1].append(j if n == 1 else i)
        elif n != m:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {n} in dim {first[k]} "
                f"and second has size {m} in dim {second[k]}"
            )
    axes = [errors.normal_dims(d, t._array.ndim) if d else () for d, t in ((first, a), (second, b))]
    for place, (tensor, dims) in enumerate(((a, summed[0]), (b, summed[1]))):
        if dims:
            found = sum(tensor, tuple(dims), keepdim=True, dtype=tensor._kind)
            a, b = (found, b) if not place else (a, found)
    return _over(a, b, *axes)
