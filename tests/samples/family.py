"""Families of samples: the shapes and layouts in which operations of one kind are tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from samples.draw import ANY, PLANE, Array, Draw, Shape
from samples.sample import Sample


def case(name: str, function: Callable[..., Any], *inputs: Array, **options: Any) -> Sample:
    """Return one sample."""
    return Sample(name, function, inputs, **options)


_SHAPES: dict[int, dict[str, tuple[Shape, ...]]] = {
    1: {"ordinary": ((3, 4),), "zero-size": ((0, 3),), "0-d": ((),)},
    2: {
        "ordinary": ((3, 4), (3, 4)), "broadcast": ((3, 1), (1, 4)),
        "broadcast one": ((2, 3), (3,)), "broadcast 0-d": ((3,), ()), "zero-size": ((0, 3), (0, 3)),
        "zero-size broadcast": ((3, 1), (1, 0)), "0-d": ((), ()),
    },
    3: {
        "ordinary": ((3, 4), (3, 4), (3, 4)), "broadcast": ((3, 1), (4,), (1, 1)),
        "broadcast 0-d": ((2, 3), (), (3,)), "zero-size": ((0, 3), (1,), (0, 1)),
        "0-d": ((), (), ()),
    },
}  # fmt: skip


def pointwise(
    function: Callable[..., Any], *draws: Draw, planes: Sequence[Draw] = (), **options: Any
) -> list[Sample]:
    """Return samples in all shapes and layouts; ``planes`` draw complex operands."""

    def drawn(found: Sequence[Draw], shapes: Sequence[Shape]) -> list[Array]:
        return [d(s, k) for k, (d, s) in enumerate(zip(found, shapes, strict=True))]

    shapes = _SHAPES[len(draws)]
    samples = [case(name, function, *drawn(draws, s), **options) for name, s in shapes.items()]
    for layout in ("transposed", "sliced"):
        inputs = drawn(draws, shapes["ordinary"])
        samples.append(case(layout, function, *inputs, layout=layout, **options))
    if planes:
        inputs = drawn(planes, shapes["ordinary"])
        samples.append(case("complex", function, *inputs, **options))
    if planes and len(draws) == 2:
        mixed = drawn((planes[0], draws[1]), shapes["broadcast"])
        samples.append(case("complex with real", function, *mixed, **options))
        mixed = drawn((draws[0], planes[1]), shapes["ordinary"])
        samples.append(case("real with complex", function, *mixed, **options))
    return samples


def named(name: str, *draws: Draw, **options: Any) -> list[Sample]:
    """Return samples of the function ``name`` of as many operands as there are draws."""
    return pointwise(lambda lib, *x: getattr(lib, name)(*x), *draws, **options)


def reduction(
    name: str, draw: Draw, plane: Draw | None = None, tuples: bool = True, **options: Any
) -> list[Sample]:
    """Return samples of a reduction: of all, along dimensions, in all layouts."""

    def call(*args: Any, **kwargs: Any) -> Callable[..., Any]:
        return lambda lib, x: getattr(lib, name)(x, *args, **kwargs)

    x = draw((3, 4), 0)
    samples = [
        case("all", call(), x, **options),
        case("dim", call(0), x, **options),
        case("negative dim keepdim", call(-1, keepdim=True), x, **options),
        case("first of three", call(0), draw((2, 3, 4), 2), **options),
        case("middle dim", call(dim=1), draw((2, 3, 4), 0), **options),
        case("transposed", call(1), x, layout="transposed", **options),
        case("sliced", call(0), x, layout="sliced", **options),
        case("sliced all", call(), x, layout="sliced", **options),
        case("0-d", call(), draw((), 0), **options),
        case("zero-size", call(1), draw((0, 3), 0), **options),
    ]
    if tuples:
        z = draw((2, 3, 4), 1)
        samples.append(case("dims", call((0, 2)), z, **options))
        samples.append(case("dims out of order", call((1, 0)), z, **options))
        samples.append(case("dims keepdim", call(dim=(-1, 0), keepdim=True), z, **options))
    if plane is not None:
        samples.append(case("complex", call(), plane((3, 4), 0), **options))
        samples.append(case("complex dim", call(0), plane((3, 4), 0), **options))
    return samples


def reduced(function: Any) -> Any:
    """Return a reduction of NumPy's as one with PyTorch's parameters."""

    def reference(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
        return function(x, axis=dim or (None if dim == () else dim), keepdims=keepdim)

    return reference


def rearranged(
    function: Callable[..., Any], *shapes: Shape, reference: Any = None, **options: Any
) -> list[Sample]:
    """Return samples of an operation on tensors of any values, in all layouts."""
    inputs = [ANY(s, k) for k, s in enumerate(shapes)]
    planes = [PLANE(s, k) for k, s in enumerate(shapes)]
    options["reference"] = reference
    return [
        case("ordinary", function, *inputs, **options),
        case("transposed", function, *inputs, layout="transposed", **options),
        case("sliced", function, *inputs, layout="sliced", **options),
        case("complex", function, *planes, **options),
    ]


def product(name: str, *shapes: tuple[Shape, Shape]) -> list[Sample]:
    """Return samples of a matrix product of tensors of these shapes."""

    def call(lib: Any, x: Any, y: Any) -> Any:
        return getattr(lib, name)(x, y)

    samples = [
        case(" by ".join(map(str, pair)), call, ANY(pair[0], 0), ANY(pair[1], 1)) for pair in shapes
    ]
    first, second = shapes[0]
    samples += [
        case(layout, call, ANY(first, 0), ANY(second, 1), layout=layout)
        for layout in ("transposed", "sliced")
    ]
    samples.append(case("complex", call, PLANE(first, 0), PLANE(second, 1)))
    return samples


def single(samples: Sequence[Sample]) -> list[Sample]:
    """Return samples of what there is in single and double precision only."""
    return [replace(s, half=False) for s in samples]


def still(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function as one of tensors that need no gradient: it has none."""
    return lambda lib, *x: function(lib, *(t.detach() if hasattr(t, "detach") else t for t in x))


def placed(x: Any, index: Any, value: Any, adds: bool = False) -> Any:
    result = np.copy(x)
    if adds:
        np.add.at(result, index, value)
    else:
        result[index] = value
    return result


X, Z = ANY((3, 4), 7), ANY((2, 3, 4), 8)


NONE, NUMBER, ROW = ANY((0, 3), 0), ANY((), 9), ANY((4,), 3)


INDICES = np.array([2, 0, 2])


PLACES = np.array([[2, 0, 1, 1], [0, 1, 2, 1], [2, 2, 0, 1]])


EACH = np.arange(4)


NOT: dict[str, Any] = {"differentiable": False}


ODD: dict[str, Any] = {**NOT, "singular": True}


STRANGE = np.array([[math.nan, 1.0, math.inf], [-math.inf, 0.0, -2.0]])
