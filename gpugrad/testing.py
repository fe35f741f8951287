"""Tools for tests: of this library, and of programs and operations written with it.

>>> import gpugrad
>>> x = gpugrad.tensor([0.5, 2.0], dtype=gpugrad.float64)
>>> check_gradient(lambda x: x.exp() * x, [x], order=3)
>>> with count_kernels() as launched:
...     y = x.exp()  # on the CPU: no kernels
>>> launched.total
0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import gpugrad
from gpugrad import _dtype, autograd, backend
from gpugrad._dtype import INEXACT
from gpugrad.autograd.gradcheck import central_difference
from gpugrad.func.forward import walk_forward
from gpugrad.graph import TensorBase
from gpugrad.kernels import launches
from gpugrad.nn import functional as functional  # whose operations are declared when it is imported
from gpugrad.op.forms import PUBLIC

Array = np.ndarray[Any, np.dtype[Any]]

# How far results that agree may be apart, relatively and absolutely; integers must be equal.
TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-10, 1e-12),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-10, 1e-12),
}

# How far those may be that PyTorch's ``assert_close`` calls close.
PYTORCH = {
    **TOLERANCES, "bfloat16": (1.6e-2, 1e-5), "float64": (1e-7, 1e-7), "complex128": (1e-7, 1e-7),
}  # fmt: skip

# --------------------------------------------------------------------------- what there is to test


def operations() -> list[str]:
    """Return the name of every operation, in function and method form; each must have samples."""
    return sorted(
        declared.name
        for declared in PUBLIC.values()
        if declared.home.startswith(_FOLDER)
        and declared.home not in _OTHERS
        and declared.returns not in ("bool", "int", "str", "Size", "dtype")  # no tensor
    )


_FOLDER = "gpugrad.ops."
# No results of tensors alone, or by chance; other names of ``to``; functions of gpugrad.numpy.
_OTHERS = {
    _FOLDER + name
    for name in (
        "borrowed", "chance", "conversion", "counted", "creation", "draw", "filled", "frequency",
        "inplace", "memory", "nn.chance", "redraw", "window",
    )
}  # fmt: skip

# --------------------------------------------------------------------------- equality


def as_numpy(value: Any) -> Any:
    """Return a tensor, an array or a number of any library as a NumPy array."""
    if isinstance(value, gpugrad.Tensor):
        return value.numpy(force=True)
    if hasattr(value, "resolve_conj"):  # PyTorch's
        return value.numpy(force=True)
    if backend.is_array(value):
        return backend.of(value).to_numpy(value)
    return np.asarray(value)


def assert_agree(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None
) -> None:
    """Raise unless two tensors, arrays or numbers, of any libraries, agree.

    For what computes the same in two ways: they may be on different devices, nan meets nan, and
    infinities must be the same.

    Args:
        actual: What was computed.
        expected: What it should be; a Python number or a sequence has no type to compare.
        rtol: Relative tolerance; by default that of the type, see :data:`TOLERANCES`.
        atol: Absolute tolerance; likewise.

    Raises:
        AssertionError: They differ in shape, type or value; the message says where.
    """
    a, e = as_numpy(actual), as_numpy(expected)
    typed = not isinstance(expected, bool | int | float | complex | list | tuple)
    found = _unlike(actual, expected, True, False, False) or _other_values(
        a, e, typed, (rtol, atol), TOLERANCES.get(a.dtype.name, (0.0, 0.0)), True
    )
    if found is not None:
        raise AssertionError(found)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise unless two tensors, arrays or numbers are close, or sequences and mappings of such.

    This is ``torch.testing.assert_close``, with its tolerances and texts.

    Args:
        actual: What was computed.
        expected: What it should be.
        allow_subclasses: Whether one may be of a class derived from that of the other.
        rtol: Relative tolerance; by default the greater one of the two types in PyTorch's table.
        atol: Absolute tolerance; likewise, and both are given or neither.
        equal_nan: Whether nan is close to nan.
        check_device: Whether two tensors must be on one device.
        check_dtype: Whether types must be the same; else values are compared in the wider one.
        check_layout: Whether two tensors must have the same layout.
        check_stride: Whether two tensors must have the same strides.
        msg: What is said instead, or a function of what is said that returns it.

    Raises:
        AssertionError: They differ; the message says in what and where.
        TypeError: They cannot be compared: two strings, a tensor and a number.
        ValueError: One tolerance is given without the other.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            "Both 'rtol' and 'atol' must be either specified or omitted, but got no "
            f"{'rtol' if rtol is None else 'atol'}."
        )

    def difference(a: Any, e: Any) -> str | None:
        if a is None or e is None:
            return None if a is e else f"None mismatch: {a} is not {e}"
        if isinstance(a, bool | np.bool_) and isinstance(e, bool | np.bool_):
            return None if a == e else f"Booleans mismatch: {a} is not {e}"
        numbers = isinstance(a, _NUMBERS) and isinstance(e, _NUMBERS)
        if numbers:
            found = f"The (d)types do not match: {type(a)} != {type(e)}."
            if check_dtype and type(a) is not type(e):
                return found
        elif not _are_comparable(a, e, allow_subclasses):
            raise TypeError(
                f"No comparison pair was able to handle inputs of type {type(a)} and {type(e)}."
            )
        of_a, of_e = as_numpy(a), as_numpy(e)
        both = [PYTORCH.get(kind.dtype.name, (0.0, 0.0)) for kind in (of_a, of_e)]
        known = max(both[0][0], both[1][0]), max(both[0][1], both[1][1])
        return _unlike(a, e, check_layout, check_stride, check_device) or _other_values(
            of_a, of_e, check_dtype and not numbers, (rtol, atol), known, equal_nan
        )

    for item, found in _compared(actual, expected, difference):
        if item and found is not None:
            found += f"\n\nThe failure occurred for item {item}"
        if found is not None:
            raise AssertionError(found if msg is None else msg(found) if callable(msg) else msg)


_NUMBERS = int, float, complex, np.number


def _are_comparable(actual: Any, expected: Any, allow_subclasses: bool) -> bool:
    kinds = type(actual), type(expected)
    if not all(issubclass(kind, gpugrad.Tensor | np.ndarray) for kind in kinds):
        return False
    related = isinstance(actual, kinds[1]) or isinstance(expected, kinds[0])
    return related and (allow_subclasses or kinds[0] is kinds[1])


def _compared(
    actual: Any, expected: Any, compare: Callable[[Any, Any], str | None], item: str = ""
) -> Iterator[tuple[str, str | None]]:
    """Yield where the parts of two nested structures are, and how they differ."""
    sequences = isinstance(actual, Sequence) and isinstance(expected, Sequence)
    if sequences and not isinstance(actual, str) and not isinstance(expected, str):
        if len(actual) != len(expected):
            lengths = f"{len(actual)} != {len(expected)}"
            yield item, f"The length of the sequences mismatch: {lengths}"
        for k, (a, e) in enumerate(zip(actual, expected, strict=True)):
            yield from _compared(a, e, compare, f"{item}[{k}]")
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        missing, more = (
            sorted(a.keys() - b.keys()) for a, b in ((expected, actual), (actual, expected))
        )
        if missing or more:
            yield (
                item,
                "\n".join(
                    [
                        "The keys of the mappings do not match:",
                        f"Missing keys in the actual mapping: {missing}",
                        f"Additional keys in the actual mapping: {more}",
                    ]
                ),
            )
        for key in actual:
            yield from _compared(actual[key], expected[key], compare, f"{item}[{key!r}]")
    else:
        yield item, compare(actual, expected)


def _other_values(
    a: Array,
    e: Array,
    typed: bool,
    asked: tuple[float | None, float | None],
    known: tuple[float, float],
    equal_nan: bool,
) -> str | None:
    """Return how two arrays differ in shape, type or value."""
    if a.shape != e.shape:
        return _attribute("shape", gpugrad.Size(a.shape), gpugrad.Size(e.shape))
    if typed and a.dtype != e.dtype:
        return _attribute("dtype", _shown(a.dtype), _shown(e.dtype))
    rtol, atol = (k if own is None else own for own, k in zip(asked, known, strict=True))
    wrong = ~_close(a, e, rtol, atol, equal_nan)
    return _difference(a, e, wrong, rtol, atol) if wrong.any() else None


def _attribute(name: str, actual: Any, expected: Any) -> str:
    return f"The values for attribute '{name}' do not match: {actual} != {expected}."


def _unlike(actual: Any, expected: Any, layout: bool, stride: bool, device: bool) -> str | None:
    """Return how two tensors of one shape are stored otherwise, in what is asked for."""
    if not (isinstance(actual, gpugrad.Tensor) and isinstance(expected, gpugrad.Tensor)):
        return None
    if actual.shape != expected.shape:
        return None
    if device and actual.device != expected.device:
        return _attribute("device", actual.device, expected.device)
    if layout and actual.layout != expected.layout:
        return _attribute("layout", actual.layout, expected.layout)
    if stride and actual.stride() != expected.stride():
        return _attribute("stride()", actual.stride(), expected.stride())
    return None


def _shown(kind: np.dtype[Any]) -> Any:
    try:
        return _dtype.of(kind)
    except TypeError:
        return kind


def _close(a: Array, e: Array, rtol: float, atol: float, equal_nan: bool) -> Any:
    if a.dtype.kind not in INEXACT and e.dtype.kind not in INEXACT:
        return a == e
    wide = np.result_type(a.dtype, e.dtype, np.float64)
    a, e = a.astype(wide), e.astype(wide)
    with np.errstate(all="ignore"):
        near = np.abs(a - e) <= atol + rtol * np.abs(e)
    alike = _alike(a.real, e.real) & _alike(a.imag, e.imag)
    if not equal_nan:
        alike &= ~np.isnan(a)
    return np.where(np.isfinite(a) & np.isfinite(e), near, alike)


def _alike(a: Array, e: Array) -> Any:
    """Tell where both are finite, or the same infinity, or nan."""
    return (np.isfinite(a) & np.isfinite(e)) | (a == e) | (np.isnan(a) & np.isnan(e))


def _difference(a: Array, e: Array, wrong: Any, rtol: float, atol: float) -> str:
    """Return how many elements differ, and the greatest differences among them."""
    kind = np.result_type(a, e)
    wide = kind if kind.kind in INEXACT else np.dtype(np.int64)
    if not a.ndim and kind.kind in INEXACT:  # as Python's numbers
        wide = np.result_type(kind, np.float64)
    a, e = a.astype(wide), e.astype(wide)
    with np.errstate(all="ignore"):
        apart = np.where(wrong, np.abs(a - e), 0)
        part = apart / np.abs(e)
    if a.ndim and kind.kind not in INEXACT:
        part = part.astype(np.float32)
    part = np.where(wrong, part, 0)
    equal = not rtol and not atol
    lines = [f"{'Tensor-likes' if a.ndim else 'Scalars'} are not {'equal' if equal else 'close'}!"]
    if a.ndim:
        share = f"{np.count_nonzero(wrong) / wrong.size:.1%}"
        lines += ["", f"Mismatched elements: {np.count_nonzero(wrong)} / {wrong.size} ({share})"]
    else:
        part = np.where(e == 0, math.inf, part)
        lines += ["", f"Expected {e.item()} but got {a.item()}."]
    for word, distance, limit in ("absolute", apart, atol), ("relative", part, rtol):
        where = np.unravel_index(np.argmax(distance), distance.shape)
        kind_of = f"Greatest {word}" if a.ndim else word.title()
        place = f" at index {tuple(map(int, where))}" if a.ndim else ""
        allowed = "" if equal else f" (up to {limit} allowed)"
        lines.append(f"{kind_of} difference: {distance[where].item()}{place}{allowed}")
    return "\n".join(lines)


# --------------------------------------------------------------------------- kernels


class Launches:
    """How many kernels were launched since a moment, or between two."""

    def __init__(self) -> None:
        self._start = launches.total
        self._end: int | None = None

    @property
    def total(self) -> int:
        """The number of kernels: so far inside the block, of the whole block after it."""
        return (launches.total if self._end is None else self._end) - self._start

    def stop(self) -> None:
        """Count no further."""
        self._end = launches.total


@contextmanager
def count_kernels() -> Iterator[Launches]:
    """Count the CUDA kernels that the library launches inside the block, as ``.total``.

    The count is the same on a GPU and on an emulated one; nothing is imported to take it.
    """
    counted = Launches()
    try:
        yield counted
    finally:
        counted.stop()


# --------------------------------------------------------------------------- derivatives


def flat(result: Any) -> list[Any]:
    """Return the tensors in a result: one tensor, or nested tuples of them."""
    if isinstance(result, TensorBase):
        return [result]
    return [t for part in result for t in flat(part)]


def _moves(t: Any) -> bool:
    return bool(t._kind.is_floating_point or t._kind.is_complex)


def leaves(inputs: Sequence[Any]) -> list[Any]:
    """Return new leaves on the same memory, which require grad where their type has gradients."""
    return [t.detach().requires_grad_(_moves(t)) for t in inputs]


def random_like(tensors: Sequence[Any], seed: int = 0) -> list[Any]:
    """Return standard normal tensors of the same shapes, types and devices."""
    generator = np.random.default_rng(seed)
    found = []
    for t in tensors:
        array = generator.standard_normal(t.shape)
        if t._kind.is_complex:
            array = array + 1j * generator.standard_normal(t.shape)
        found.append(gpugrad.tensor(np.asarray(array), dtype=t._kind, device=t.device))
    return found


def gradients(
    outputs: Sequence[Any],
    inputs: Sequence[Any],
    weights: Sequence[Any],
    create_graph: bool = False,
) -> list[Any]:
    """Return the gradients of the inputs, zero where nothing was recorded."""
    pairs = [(t, w) for t, w in zip(outputs, weights, strict=True) if t.requires_grad]
    if not pairs:  # a constant
        return [gpugrad.zeros_like(x) for x in inputs]
    found = autograd.grad(
        [t for t, _ in pairs], inputs, [w for _, w in pairs], retain_graph=True,
        create_graph=create_graph, allow_unused=True, materialize_grads=True,
    )  # fmt: skip
    return list(found)


def inner(xs: Sequence[Any], ys: Sequence[Any]) -> tuple[float, float]:
    """Return the real inner product of two lists of tensors, and the sum of its terms' sizes."""
    total = scale = 0.0
    for x, y in zip(xs, ys, strict=True):
        a, b = as_numpy(x), as_numpy(y)
        wide = np.result_type(a, b, np.float64)
        terms = np.real(np.conj(a.astype(wide)) * b.astype(wide))
        total += float(np.sum(terms))
        scale += float(np.sum(np.abs(terms)))
    return total, scale


def jvp(
    function: Callable[..., Any], inputs: Sequence[Any], tangents: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Return a function's outputs and how they move when the inputs move by the tangents.

    The recorded graph is walked in the order in which it was made, each operation by its own
    forward-mode rule.  A tangent may be ``None``, as are those of outputs that do not move.
    """
    starts = leaves(inputs)
    outputs = flat(function(*starts))
    return outputs, walk_forward(outputs, starts, tangents, False)


_STEP = 5e-4  # the fourth power of it, and rounding divided by it, are both below 1e-12


def check_gradient(
    function: Callable[..., Any], inputs: Sequence[Any], order: int = 1, seed: int = 0
) -> None:
    """Raise unless a function's gradient agrees with differences, in a random direction.

    For a higher order the gradient, as a function of the inputs and of what is handed to backward,
    is checked in the same way.  Complex gradients are PyTorch's: of a real loss, with respect to
    the conjugate.

    Args:
        function: Of tensors; it returns one or several tensors.
        inputs: float64 or complex128 tensors, away from kinks; others are handed on as they are.
        order: How often to differentiate.
        seed: Of the random directions.

    Raises:
        AssertionError: They disagree.
    """
    starts = leaves(inputs)
    outputs = [t for t in flat(function(*starts)) if _moves(t)]
    wanted = [x for x in starts if x.requires_grad]
    assert wanted, "no input has a type that can be differentiated"
    assert outputs, "no output has a type that can be differentiated"
    weights = random_like(outputs, seed)
    direction = random_like(starts, seed + 1)
    gradient = gradients(outputs, wanted, weights)
    moved = [v for v, x in zip(direction, starts, strict=True) if x.requires_grad]
    for x, g in zip(wanted, gradient, strict=True):
        assert (g.shape, g._kind) == (x.shape, x._kind), "a gradient is not like its input"
    analytic, scale = inner(gradient, moved)
    numeric, size = _difference_quotient(function, starts, direction, weights)
    distance = abs(analytic - numeric)
    if not distance <= 1e-8 * (scale + size) + 1e-10:
        raise AssertionError(
            f"the gradient along a random direction is {analytic!r}, but differences say "
            f"{numeric!r}: {distance:.3g} apart"
        )
    if order > 1:
        gradient_of = _gradient_of(function, len(starts))
        check_gradient(gradient_of, [*starts, *weights], order - 1, seed + 2)


def _difference_quotient(
    function: Callable[..., Any],
    starts: Sequence[Any],
    direction: Sequence[Any],
    weights: Sequence[Any],
) -> tuple[float, float]:
    """Return <weights, change of the outputs> by four points, and the size of its terms."""
    sizes: list[float] = []

    def at(step: float) -> list[float]:
        there = [
            (x.detach() + v * step).requires_grad_() if x.requires_grad else x
            for x, v in zip(starts, direction, strict=True)
        ]
        outputs = [t for t in flat(function(*there)) if _moves(t)]
        total, size = inner(weights, outputs)
        sizes.append(size)
        return [total]

    (quotient,) = central_difference(at, _STEP, fourth_order=True)
    return quotient, sizes[0]


def _gradient_of(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """Return the gradient as a function of ``count`` inputs and of what is given to backward."""

    def gradient(*values: Any) -> Any:
        starts, weights = values[:count], values[count:]
        outputs = [t for t in flat(function(*starts)) if _moves(t)]
        wanted = [x for x in starts if x.requires_grad]
        return gradients(outputs, wanted, weights, create_graph=True)

    return gradient


def devices_agree(function: Callable[..., Any], *inputs: Any) -> None:
    """Raise unless CUDA and the CPU give the same values and gradients.

    Args:
        function: Of tensors; it returns one or several tensors.
        inputs: Arrays, each of which becomes a tensor on either device.

    Raises:
        AssertionError: They differ.
    """
    results = []
    for device in ("cpu", "cuda"):
        starts = leaves([gpugrad.tensor(a, device=device) for a in inputs])
        outputs = flat(function(*starts))
        recorded = [t for t in outputs if t.requires_grad]
        wanted = [x for x in starts if x.requires_grad]
        grads: tuple[Any, ...] = ()
        if recorded and wanted:
            grads = autograd.grad(recorded, wanted, random_like(recorded), allow_unused=True)
        results.append([*outputs, *(g for g in grads if g is not None)])
    for there, here in zip(results[1], results[0], strict=True):
        assert_agree(there, here)


__all__ = ["TOLERANCES", "assert_agree", "assert_close", "check_gradient", "count_kernels",
           "devices_agree", "jvp", "operations"]  # fmt: skip
