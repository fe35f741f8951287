"""What happens by chance, with probabilities or rates that tensors hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._device import device
from gpugrad._dtype import dtype
from gpugrad.backend.batched import all_of
from gpugrad.errors import broadcast_shape
from gpugrad.graph import TensorBase
from gpugrad.op import composite, public
from gpugrad.op.generator import Generator, by_example, examples, for_each_example, source
from gpugrad.op.saved import descended, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.creation import DeviceLike, finish, place
from gpugrad.ops.draw import check_floating, drawn, new
from gpugrad.ops.filled import sizes_of
from gpugrad.ops.inplace import decided, inplace
from gpugrad.ops.shape import expand

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


def _home(array: Array) -> device:
    return backend.of(array).device_of(array)


def _wide(array: Array) -> np.dtype[Any]:
    """Return the type in which numbers are drawn that are compared with an array's."""
    return np.dtype(np.float64) if array.dtype.itemsize == 8 else np.dtype(np.float32)


def _independent(name: str, result: Any, *inputs: Any) -> Any:
    """Return a result that depends on inputs by derivatives of 0, as PyTorch has it."""
    return descended(decided.named(name)(result, *inputs), inputs)


# --------------------------------------------------------------------------- normal


def _check_deviation(std: Any) -> None:
    if not isinstance(std, TensorBase):
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        return
    array = std._array
    if array.dtype.kind == "c":
        raise RuntimeError("normal expects standard deviation to be non-complex")

    def check(deviations: Array) -> None:
        backend.check_all(deviations >= 0, "normal expects all elements of std >= 0.0")

    backend.check(check, all_of(array))


@public(method=False, out=True, creates=True)
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: dtype | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return numbers of normal distributions, with means and deviations of tensors or numbers.

    Of two numbers ``size`` is the shape.  As in PyTorch the derivatives by both are 0.

    Raises:
        NotImplementedError: The type is of integers or truth values.
        RuntimeError: A deviation is negative, or complex.
        TypeError: There is no tensor and no size.
    """
    numbers = [v for v in (mean, std) if not isinstance(v, TensorBase)]
    valid = all(isinstance(v, bool | int | float) for v in numbers)
    sized = size is not None and not isinstance(size, int)
    if not valid or (len(numbers) == 2) is not sized:
        given = (mean, std) if size is None else (mean, std, size)
        names = ["Tensor" if isinstance(v, TensorBase) else type(v).__name__ for v in given]
        kinds = ", ".join(names)
        raise TypeError(
            f"normal() received an invalid combination of arguments - got ({kinds}), but expected "
            "one of:\n * (Tensor mean, Tensor std)\n * (Tensor mean, float std)\n"
            " * (float mean, Tensor std)\n * (float mean, float std, tuple of ints size)"
        )
    _check_deviation(std)
    if len(numbers) == 2:
        shape = sizes_of((size,), None, "normal")
        made = new("normal", shape, dtype, place(device), generator, False)
        return finish(pw.add(pw.mul(made, std), mean), requires_grad)
    tensors: list[Any] = [v for v in (mean, std) if isinstance(v, TensorBase)]
    first = tensors[0]._array
    kind = _dtype.of(first.dtype)
    check_floating(kind, "normal_kernel_cpu")
    shape = broadcast_shape(*(t._array.shape for t in tensors))
    levels = examples()
    (first,), _ = for_each_example(first) if levels else ([first], None)
    whole = (*(level.size for level in levels), *shape)
    noise = wrap(by_example(drawn("normal", whole, kind, _home(first), generator), levels))
    still = {id(t): t.detach() for t in tensors}
    mean, std = (still.get(id(v), v) for v in (mean, std))
    found = pw.add(pw.mul(noise, std), mean)
    found = found.to(kind) if found._kind is not kind else found
    return _independent(f"NormalBackward{len(tensors) + 1}", found, *tensors)


# --------------------------------------------------------------------------- yes and no


def chosen(shape: Shape, chance: float, here: device, generator: Any, kind: np.dtype[Any]) -> Array:
    """Return a new array of a type that is 1 with a probability, else 0.

    Raises:
        RuntimeError: There is no such probability.
    """
    if not 0 <= chance <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={chance:g}")
    stream = source(generator, here, "bernoulli_")
    wide = np.dtype(np.float64 if chance < 2**-16 else np.float32)
    with backend.at(here):
        return (stream.uniform(shape, wide) < chance).astype(kind, copy=False)


def _check_chances(array: Array) -> None:
    backend.check_all(
        (array >= 0) & (array <= 1),
        "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message "
        "be improved?  If so, please report an enhancement request to PyTorch.)",
    )


def _check_rates(array: Array) -> None:
    backend.check_all(array >= 0, "invalid Poisson rate, expected rate to be non-negative")


def chosen_each(chances: Array, generator: Any) -> Array:
    """Return an array that is true with the probabilities of another one.

    Raises:
        NotImplementedError: They are not of floating point.
        RuntimeError: There are no such probabilities.
    """
    kind = _dtype.of(chances.dtype)
    if not kind.is_floating_point:
        where = "self" if kind.is_complex else "p"
        raise NotImplementedError(
            f"\"bernoulli_tensor_cpu_{where}_\" not implemented for '{kind.title}'"
        )
    (whole,), hide = for_each_example(chances)
    stream = source(generator, _home(whole), "bernoulli")
    backend.check(_check_chances, whole)
    with backend.at(_home(whole)):
        return hide(stream.uniform(whole.shape, _wide(whole)) < whole)


@public(out=True)
def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Return ones with the probabilities in ``input``, or with one of ``p``, and zeros.

    As in PyTorch the derivative is 0.

    Raises:
        NotImplementedError: The probabilities are not of floating point.
        RuntimeError: There are no such probabilities.
    """
    array = input._array
    door = backend.of(array)
    if p is None:
        found = chosen_each(array, generator)
        result = wrap(backend.of(found).astype(found, array.dtype))
        return _independent("BernoulliBackward0", result, input)
    levels = examples()
    shape = (*(level.size for level in levels), *array.shape)
    made = chosen(shape, p, door.device_of(array), generator, array.dtype)
    return descended(wrap(by_example(made, levels)), (input,))


# --------------------------------------------------------------------------- how often


@public()
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Return how often something happens, at the rates in ``input``.

    As in PyTorch the derivative is 0.

    Raises:
        NotImplementedError: The rates are not of floating point.
        RuntimeError: One is negative.
    """
    kind = _dtype.of(input._array.dtype)
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"poisson_cpu\" not implemented for '{kind.title}'")
    (rates,), hide = for_each_example(input._array)
    backend.check(_check_rates, rates)
    stream = source(generator, _home(rates), "poisson")
    with backend.at(_home(rates)):
        found = stream.poisson(rates.astype(np.float64)).astype(kind.numpy)
    return _independent("PoissonBackward0", wrap(hide(found)), input)


@composite("torch::autograd::NotImplemented")
def _without_derivative(door: backend.Backend, result: Array, count: Array, prob: Array) -> Array:
    return result


def _no_derivative(g: Any) -> Any:
    raise RuntimeError("derivative for aten::binomial is not implemented")


@_without_derivative.gradient
def count(g: Any) -> Any:
    return _no_derivative(g)


@_without_derivative.gradient
def prob(g: Any) -> Any:
    return _no_derivative(g)


@public(method=False)
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """Return how many of some attempts succeed, with the probabilities in a tensor.

    It has no derivative, as in PyTorch: a backward raises.

    Raises:
        NotImplementedError: The type is half.
        RuntimeError: The types differ.
        ValueError: They are not of floating point.
    """
    for name, t in ("count", count), ("prob", prob):
        kind = _dtype.of(t._array.dtype)
        if not kind.is_floating_point:
            raise ValueError(
                f"binomial only supports floating-point dtypes for {name}, got: {kind.title}"
            )
    kind, other = (_dtype.of(t._array.dtype) for t in (count, prob))
    shape = broadcast_shape(count._array.shape, prob._array.shape)
    if kind is not other:
        raise RuntimeError(f"Found dtype {other.title} but expected {kind.title}")
    if kind.itemsize < 4:
        raise NotImplementedError(f"\"binomial_cpu\" not implemented for '{kind.title}'")
    whole = [expand(t, *shape)._array for t in (count, prob)]
    (counts, chances), hide = for_each_example(*whole)
    door = backend.of(counts)
    stream = source(generator, _home(counts), "binomial")
    xp = door.xp
    with backend.at(_home(counts)), np.errstate(invalid="ignore"):
        counts = xp.clip(xp.nan_to_num(counts.astype(np.float64)), 0, 2.0**62)
        chances = xp.clip(xp.nan_to_num(chances.astype(np.float64)), 0, 1)
        result = wrap(hide(stream.binomial(counts, chances).astype(kind.numpy)))
    return _without_derivative(result, count, prob)


# --------------------------------------------------------------------------- which one


def _places(xp: Any, sums: Array, keys: Array) -> Array:
    """Return where keys are among sums that grow along the last axis, by halving it."""
    length = sums.shape[-1]
    low, high = xp.zeros(keys.shape, np.int64), xp.full(keys.shape, length - 1, np.int64)
    for _ in range(length.bit_length()):
        middle = (low + high) // 2
        behind = xp.take_along_axis(sums, middle, -1) <= keys
        low, high = xp.where(behind & (low < high), middle + 1, low), xp.where(behind, high, middle)
    return xp.minimum(low, length - 1)


@public(
    out="apart",
    unlike="multinomial expects {wanted} tensor out, got: {given}",
    result=_dtype.int64,
)
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Return indices that are drawn with the weights in ``input``, or in each of its rows.

    Raises:
        RuntimeError: There are not enough of them, or the weights are none.
    """
    array = input._array
    kind = _dtype.of(array.dtype)
    if array.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not kind.is_floating_point:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {kind.title}"
        )
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > array.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )
    if array.shape[-1] > 2**24:
        raise RuntimeError("number of categories cannot exceed 2^24")
    (weights,), hide = for_each_example(array)
    with backend.at(_home(weights)):
        return wrap(hide(_picked(weights, num_samples, replacement, generator)))


def _picked(weights: Array, count: int, replacement: bool, generator: Any) -> Array:
    """Return so many indices for each row of weights."""
    xp = backend.of(weights).xp
    stream = source(generator, _home(weights), "multinomial")
    weights = weights.astype(np.float64)
    known = weights < math.inf
    if replacement:
        begin = "invalid multinomial distribution (encountering probability entry"
        backend.check_all(known, f"{begin} = infinity or NaN)")
        backend.check_all(weights >= 0, f"{begin} < 0)")
    else:
        words = "probability tensor contains either `inf`, `nan` or element < 0"
        backend.check_all(known & (weights >= 0), words)
    words = "invalid multinomial distribution (sum of probabilities <= 0)"
    backend.check_all(weights.sum(-1) > 0, words)
    wide = np.dtype(np.float64)
    if replacement:
        sums = xp.cumsum(weights, axis=-1)
        keys = stream.uniform((*weights.shape[:-1], count), wide) * sums[..., -1:]
        return _places(xp, sums, keys)
    # who waits the least, each at the rate that is its weight
    with np.errstate(divide="ignore"):
        waiting = -xp.log1p(-stream.uniform(weights.shape, wide))
        order = xp.argsort(xp.where(weights > 0, waiting / weights, math.inf), axis=-1)
    return xp.ascontiguousarray(order[..., :count]).astype(np.int64)


# --------------------------------------------------------------------------- dropout

_ALPHA = 1.7580993408473766  # where SELU of minus infinity is, times its scale


def _noise(input: Any, p: float, features: bool, scaled: bool) -> Any:
    """Return ones with the probability 1 - p, and zeros: for each element, or each feature.

    The ones may be ``scaled``, divided by 1 - p, which a GPU does as it draws.
    """
    array = input._array
    shape = array.shape
    if features:
        if len(shape) < 2:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        shape = (*shape[:2], *(1,) * (len(shape) - 2))
    kind = _dtype.of(array.dtype)
    if kind.is_complex:
        raise NotImplementedError(f"\"bernoulli_scalar_cpu_\" not implemented for '{kind.title}'")
    if not kind.is_floating_point:
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {kind.title}"
        )
    levels = examples()
    whole = (*(level.size for level in levels), *shape)
    here = backend.of(array).device_of(array)
    if scaled and here.type == "cuda" and array.dtype.kind == "f":
        return wrap(by_example(source(None, here).kept(whole, array.dtype, 1 - p), levels))
    made = wrap(by_example(chosen(whole, 1 - p, here, None, array.dtype), levels))
    return pw.div(made, 1 - p) if scaled else made


def _scaled(input: Any, p: float, train: bool, features: bool, alpha: bool) -> Any:
    """Return what multiplies an input, and what is then added; ``None`` where it stays as it is."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    if p == 0 or not train or not input._array.size:
        return None
    if p == 1:
        return 0, None
    noise = _noise(input, p, features, not alpha)
    if not alpha:
        return noise, None
    a = 1 / math.sqrt((_ALPHA**2 * p + 1) * (1 - p))
    shift = pw.add(pw.mul(noise, _ALPHA * a), _ALPHA * a * (p - 1))
    return pw.mul(noise, a), shift


def _dropped(input: Any, p: float, train: bool, features: bool, alpha: bool) -> Any:
    scaled = _scaled(input, p, train, features, alpha)
    if scaled is None:
        return input
    factor, shift = scaled
    result = pw.mul(input, factor)
    return result if shift is None else pw.add(result, shift)


def _declare(name: str, features: bool, alpha: bool, doc: str) -> None:
    def new(input: Tensor, p: float, train: bool) -> Tensor:
        return _dropped(input, p, train, features, alpha)

    def written(input: Tensor, p: float, train: bool) -> Tensor:
        scaled = _scaled(input, p, train, features, alpha)
        if scaled is None:
            return input
        factor, shift = scaled
        inplace(pw.mul, input, factor)
        return input if shift is None else inplace(pw.add, input, shift)

    new.__doc__ = (
        f"Return {doc}.\n\nWithout ``train`` it is the tensor itself.\n\nRaises:\n"
        "    RuntimeError: There is no such probability."
    )
    written.__doc__ = f"Write what :func:`{name}` returns into the tensor, and return that."
    public(name=name, method=False)(new)
    public(name=f"{name}_", method=False)(written)


_declare(
    "dropout", False, False,
    "elements divided by 1 - p, or 0 with the probability p",
)  # fmt: skip
_declare(
    "feature_dropout", True, False,
    "features, along the second dimension, divided by 1 - p, or 0",
)  # fmt: skip
_declare(
    "alpha_dropout", False, True,
    "elements, or SELU's least value instead, scaled as they were",
)  # fmt: skip
_declare(
    "feature_alpha_dropout", True, True,
    "features, or SELU's least value instead, scaled as they were",
)  # fmt: skip
