"""Samples of every operation: inputs that exercise it, and how it is called.

A sample's function takes a library first: called with ``gpugrad`` or with PyTorch it computes what
is tested, with :data:`REFERENCE` what NumPy says.  Inputs lie in the operation's domain, away from
kinks and ties, so that differences approximate derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

import gpugrad

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]
Draw = Callable[[Shape, int], Array]  # of a shape and a seed


@dataclass(frozen=True)
class Sample:
    """One call of an operation; ``repr`` is what a test is called."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[Array, ...]
    reference: Callable[..., Any] | None = None  # over arrays; None: the function itself
    layout: str = "plain"
    differentiable: bool = True
    half: bool = True  # whether it is there in half precision
    coarse: bool = False  # rounds to another type on the way, which differences would see

    def __repr__(self) -> str:
        return self.name

    @property
    def complex(self) -> bool:
        """Tell whether an input is complex."""
        return any(a.dtype.kind == "c" for a in self.inputs)

    def arrays(self, dtype: Any = np.float64) -> list[Array]:
        """Return the inputs as NumPy arrays; ``dtype`` is what floating point inputs become."""
        return [LAYOUTS[self.layout](_as_type(a, np.dtype(dtype))) for a in self.inputs]

    def tensors(
        self, dtype: Any = np.float64, device: str = "cpu", requires_grad: bool = True
    ) -> list[Any]:
        """Return the inputs as tensors, which require grad where their type has gradients."""
        found = []
        for a in self.inputs:
            there = gpugrad.tensor(_as_type(a, np.dtype(dtype)), device=device)
            t: Any = gpugrad.as_tensor(LAYOUTS[self.layout](there.array))
            found.append(t.requires_grad_(requires_grad and a.dtype.kind in "fc"))
        return found

    def expected(self, dtype: Any = np.float64) -> Any:
        """Return what NumPy computes in double precision from the inputs rounded to ``dtype``."""
        arrays = [_as_type(a, np.dtype(np.float64)) for a in self.arrays(dtype)]
        with np.errstate(all="ignore"):
            if self.reference is not None:
                return self.reference(*arrays)
            return self.function(REFERENCE, *arrays)


def _as_type(array: Array, dtype: np.dtype[Any]) -> Array:
    if array.dtype.kind == "c":
        return array.astype(np.result_type(dtype, np.complex64))
    return array.astype(dtype) if array.dtype.kind == "f" else array


# How an array lies in memory; written so that they suit CuPy's arrays too.
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda a: a,
    "transposed": lambda a: a.T.copy().T,
    "sliced": lambda a: a.repeat(2, axis=0)[::2] if a.ndim else a,
}

# --------------------------------------------------------------------------- drawing


def _generator(shape: Shape, seed: int) -> np.random.Generator:
    return np.random.default_rng((seed, *shape))


def uniform(low: float, high: float) -> Draw:
    """Draw between two numbers."""
    return lambda shape, seed: np.asarray(_generator(shape, seed).uniform(low, high, shape))


def lattice(offset: float, reach: int = 20) -> Draw:
    """Draw multiples of 0.1 plus an offset: two lattices keep their distance, and from 0."""
    return lambda shape, seed: np.asarray(
        _generator(shape, seed).integers(-reach, reach, shape) * 0.1 + offset
    )


def signed(low: float, high: float) -> Draw:
    """Draw a size between two numbers and a sign."""

    def draw(shape: Shape, seed: int) -> Array:
        generator = _generator(shape, seed)
        return np.asarray(generator.uniform(low, high, shape) * generator.choice((-1, 1), shape))

    return draw


def distinct(shape: Shape, seed: int = 0) -> Array:
    """Draw numbers of which no two are close, none of them close to 0."""
    count = math.prod(shape)
    values = (np.arange(count) - count // 2 + 0.4) * (4 / max(count, 1))
    return _generator(shape, seed).permutation(values).reshape(shape)


def whole(low: int, high: int) -> Draw:
    """Draw integers below ``high``."""
    return lambda shape, seed: np.asarray(_generator(shape, seed).integers(low, high, shape))


def truth(shape: Shape, seed: int = 0) -> Array:
    """Draw truth values."""
    return np.asarray(_generator(shape, seed).integers(0, 2, shape) == 1)


def around(draw: Draw, imaginary: Draw | None = None) -> Draw:
    """Draw complex numbers, their parts by one or two draws."""
    return lambda shape, seed: np.asarray(
        draw(shape, seed) + 1j * (imaginary or draw)(shape, seed + 100)
    )


ANY = uniform(-2, 2)
POSITIVE = uniform(0.3, 3)
AWAY = signed(0.4, 2)  # from 0
PLANE = around(AWAY)
RIGHT = around(POSITIVE, ANY)  # of the imaginary axis

# --------------------------------------------------------------------------- NumPy's answers


def _reduced(function: Any) -> Any:
    def reference(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
        return function(x, axis=dim or (None if dim == () else dim), keepdims=keepdim)

    return reference


def _spread(function: Any) -> Any:
    def reference(
        x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False,
        correction: float | None = None,
    ) -> Any:  # fmt: skip
        ddof = int(unbiased) if correction is None else correction
        return function(x, axis=dim, keepdims=keepdim, ddof=ddof)

    return reference


def _extremum(values: Any, positions: Any, elementwise: Any) -> Any:
    def reference(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, np.ndarray):
            return elementwise(x, dim)
        if dim is None:
            return values(x)
        if not x.ndim:
            return x, np.int64(0)
        return values(x, axis=dim, keepdims=keepdim), positions(x, axis=dim, keepdims=keepdim)

    return reference


def _norm(x: Any, p: Any = 2.0, dim: Any = None, keepdim: bool = False) -> Any:
    size = np.abs(x)
    if p in (math.inf, -math.inf):
        return (np.max if p > 0 else np.min)(size, axis=dim, keepdims=keepdim)
    if p == 0:
        return np.sum((size != 0).astype(size.dtype), axis=dim, keepdims=keepdim)
    p = 2.0 if p == "fro" else p
    return np.sum(size**p, axis=dim, keepdims=keepdim) ** (1 / p)


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    low = x if min is None else np.maximum(x, min)
    return low if max is None else np.minimum(low, max)


def _split(x: Any, size: Any, dim: int = 0) -> Any:
    step = np.cumsum(size)[:-1] if isinstance(size, list) else range(size, x.shape[dim], size)
    return tuple(np.split(x, step, dim))


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[float])(x)


def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    return np.where(x * beta > threshold, x, np.log1p(np.exp(x * beta)) / beta)


def _flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    shape = x.shape or (1,)
    end = end_dim % len(shape)
    return x.reshape((*shape[:start_dim], math.prod(shape[start_dim : end + 1]), *shape[end + 1 :]))


def _paired(x: Any) -> Any:
    return x[..., 0] + 1j * x[..., 1]


def _masked_scatter(x: Any, y: Any, mask: Any) -> Any:
    return _placed(x, mask, y.reshape(-1)[: mask.sum()])


def _placed(x: Any, index: Any, value: Any, adds: bool = False) -> Any:
    result = np.copy(x)
    if adds:
        np.add.at(result, index, value)
    else:
        result[index] = value
    return result


def _sign(x: Any) -> Any:
    return x / np.abs(x) if x.dtype.kind == "c" else np.sign(x)


REFERENCE = SimpleNamespace(
    float16=np.float16, float32=np.float32, float64=np.float64, int64=np.int64,
    add=lambda x, y, alpha=1: x + alpha * y, sub=lambda x, y, alpha=1: x - alpha * y,
    rsub=lambda x, y: y - x, mul=np.multiply, div=np.true_divide, pow=np.power, neg=np.negative,
    abs=np.abs, exp=np.exp, log=np.log, log1p=np.log1p, sqrt=np.sqrt, sin=np.sin, cos=np.cos,
    tan=np.tan, tanh=np.tanh, square=np.square, sign=np.sign, sgn=_sign, conj=np.conj,
    conj_physical=np.conj, real=np.real, imag=np.imag, angle=np.angle, isreal=np.isreal,
    complex=lambda x, y: x + 1j * y, polar=lambda x, y: x * np.exp(1j * y),
    rsqrt=lambda x: 1 / np.sqrt(x), reciprocal=lambda x: 1 / x,
    sigmoid=lambda x: 1 / (1 + np.exp(-x)), silu=lambda x: x / (1 + np.exp(-x)), erf=_erf,
    gelu=_gelu, relu=lambda x: np.maximum(x, 0), softplus=_softplus,
    maximum=np.maximum, minimum=np.minimum, clamp=_clamp, hypot=np.hypot,
    logaddexp=np.logaddexp,
    where=lambda c, *xy: np.where(c, *xy) if xy else np.nonzero(c),
    eq=np.equal, ne=np.not_equal, lt=np.less, le=np.less_equal, gt=np.greater,
    ge=np.greater_equal, logical_and=np.logical_and, logical_or=np.logical_or,
    logical_xor=np.logical_xor, logical_not=np.logical_not, isnan=np.isnan, isinf=np.isinf,
    isclose=np.isclose,
    bitwise_and=np.bitwise_and, bitwise_or=np.bitwise_or, bitwise_xor=np.bitwise_xor,
    bitwise_not=np.bitwise_not,
    sum=_reduced(np.sum), mean=_reduced(np.mean), prod=_reduced(np.prod),
    amax=_reduced(np.max), amin=_reduced(np.min), all=_reduced(np.all), any=_reduced(np.any),
    argmax=lambda x, dim=None, keepdim=False: np.argmax(x, axis=dim, keepdims=keepdim),
    argmin=lambda x, dim=None, keepdim=False: np.argmin(x, axis=dim, keepdims=keepdim),
    max=_extremum(np.max, np.argmax, np.maximum), min=_extremum(np.min, np.argmin, np.minimum),
    var=_spread(np.var), std=_spread(np.std), norm=_norm,
    logsumexp=_reduced(np.logaddexp.reduce), det=np.linalg.det,
    dot=np.dot, mv=np.matmul, mm=np.matmul, bmm=np.matmul, matmul=np.matmul, outer=np.outer,
    reshape=np.reshape, flatten=_flatten, transpose=np.swapaxes, t=np.transpose,
    permute=np.transpose, adjoint=lambda x: np.conj(np.swapaxes(x, -2, -1)),
    squeeze=lambda x, dim=None: x.squeeze() if dim is None else (
        x if x.shape == (3, 4) else x.squeeze(dim)
    ),
    unsqueeze=np.expand_dims, broadcast_to=np.broadcast_to, clone=np.copy,
    cat=np.concatenate, stack=np.stack, split=_split,
    chunk=lambda x, n, dim=0: _split(x, max(-(-x.shape[dim] // n), 1), dim),
    unbind=lambda x, dim=0: tuple(np.moveaxis(x, dim, 0)),
    select=lambda x, dim, index: np.take(x, index, dim), flip=np.flip,
    narrow=lambda x, dim, start, length: np.take(x, range(start, start + length), dim),
    index_select=lambda x, dim, index: np.take(x, np.atleast_1d(index), dim),
    nonzero=lambda x: np.argwhere(x),
)  # fmt: skip

# --------------------------------------------------------------------------- families of samples


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
        samples.append(case("dims keepdim", call(dim=(-1, 0), keepdim=True), z, **options))
    if plane is not None:
        samples.append(case("complex", call(), plane((3, 4), 0), **options))
        samples.append(case("complex dim", call(0), plane((3, 4), 0), **options))
    return samples


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


# --------------------------------------------------------------------------- the table

_X, _Z = ANY((3, 4), 7), ANY((2, 3, 4), 8)
_NONE, _NUMBER, _ROW = ANY((0, 3), 0), ANY((), 9), ANY((4,), 3)
_INDICES = np.array([2, 0, 2])
_COLUMNS = np.array([[1], [3]])
_PLACES = np.array([[2, 0, 1, 1], [0, 1, 2, 1], [2, 2, 0, 1]])
_EACH = np.arange(4)
_NOT: dict[str, Any] = {"differentiable": False}
_STRANGE = np.array([[math.nan, 1.0, math.inf], [-math.inf, 0.0, -2.0]])


def _windows(axis: int, length: int, step: int) -> Any:
    every = (slice(None),) * axis + (slice(None, None, step),)
    return lambda x: (
        np.lib.stride_tricks.sliding_window_view(x, length, axis)[every] if length
        else np.empty((*x.shape[:axis], x.shape[axis] // step + 1, *x.shape[axis + 1 :], 0))
    )  # fmt: skip


def _parts(parts: Any, dim: int = 0) -> Any:
    return lambda x: tuple(np.array_split(x, parts, dim))


def _written(index: Any) -> Any:
    return lambda x, y: _placed(x, index, y)


def _in_memory(places: Any) -> Any:
    return lambda x, y: _placed(x.reshape(-1), np.array(places), y).reshape(x.shape)


def _after(x: Any, count: int) -> int:
    """Return how many elements lie in memory before one that is ``count`` after the first."""
    return int(x.storage_offset()) + count


def _seen(places: Any) -> Any:
    return lambda x: x.reshape(-1)[np.array(places)]


# Of as_strided: a name, a call, the places in memory that it names, and the input.
_STRIDED: list[tuple[str, Any, Any, tuple[Array, ...]]] = [
    ("ordinary", lambda lib, x: lib.as_strided(x, (2, 2), (1, 5)), _seen([[0, 5], [1, 6]]), (_X,)),
    ("offset", lambda lib, x: x.as_strided((2,), (3,), _after(x, 4)), _seen([4, 7]), (_X,)),
    ("overlapping", lambda lib, x: lib.as_strided(x, (3, 2), (1, 1), _after(x, 2)),
     _seen([[2, 3], [3, 4], [4, 5]]), (_X,)),
    ("repeated", lambda lib, x: x.as_strided((2, 3), (0, 2)), _seen([[0, 2, 4]] * 2), (_X,)),
    ("of a part", lambda lib, x: x[1:, ::2].as_strided((2, 2), (4, 2)), _seen([[4, 6], [8, 10]]),
     (_X,)),
    ("of a repetition", lambda lib, x: x.expand(3, 4).as_strided((2, 2), (1, 1)),
     _seen([[0, 1], [1, 2]]), (_ROW,)),
    ("0-d", lambda lib, x: x.as_strided((), (), _after(x, 5)), _seen(5), (_X,)),
    ("zero-size", lambda lib, x: x.as_strided((0, 2), (1, 1)), lambda x: np.empty((0, 2)), (_X,)),
    ("complex", lambda lib, x: x.as_strided((2, 2), (1, 5)), _seen([[0, 5], [1, 6]]),
     (PLANE((3, 4), 0),)),
]  # fmt: skip


def _compared(name: str) -> list[Sample]:
    few = lattice(0, 2)  # so that equal numbers occur
    symbol = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}[name]
    operator: Any = eval(f"lambda lib, x, y: x {symbol} y")
    number: Any = eval(f"lambda lib, x: x {symbol} 0")
    return [
        *named(name, few, few, **_NOT),
        case("nan", operator, _STRANGE, _STRANGE[::-1], **_NOT),
        case("number", number, few((3, 4), 0), **_NOT),
        case("integers", operator, whole(-2, 2)((3, 4), 0), whole(-2, 2)((4,), 1), **_NOT),
    ]


def _logical(name: str) -> list[Sample]:
    return [
        *named(name, whole(-1, 2), whole(-1, 2), **_NOT),
        *(case(f"{s} of bools", s.function, *(a > 0 for a in s.inputs), **_NOT)
          for s in named(name, whole(-1, 2), whole(-1, 2))[:2]),
    ]  # fmt: skip


def _bits(name: str, symbol: str) -> list[Sample]:
    operator: Any = eval(f"lambda lib, x, y: x {symbol} y")
    return [
        *named(name, whole(-9, 9), whole(-9, 9), **_NOT),
        case("of bools", operator, truth((3, 4), 0), truth((4,), 1), **_NOT),
    ]


_EXTREMA = {
    name: [
        *reduction(name, distinct, tuples=False),
        case("method", lambda lib, x, name=name: getattr(lib, name)(x, 0)[0], distinct((3, 2))),
        case("of two", lambda lib, x, y, name=name: getattr(lib, name)(x, y),
             lattice(0.02)((3, 1), 0), lattice(0.07)((4,), 1)),
        case("0-d dim", lambda lib, x, name=name: getattr(lib, name)(x, 0), distinct(())),
    ]
    for name in ("max", "min")
}  # fmt: skip


def _single(samples: Sequence[Sample]) -> list[Sample]:
    """Return samples of what there is in single and double precision only."""
    return [replace(s, half=False) for s in samples]


SAMPLES: dict[str, list[Sample]] = {
    # ---- arithmetic
    "add": [
        *named("add", ANY, ANY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x + y, _X, _ROW),
        case("number right", lambda lib, x: x + 2, _X),
        case("number left", lambda lib, x: 2.5 + x, _X),
        case("alpha", lambda lib, x, y: lib.add(x, y, alpha=3), _X, _ROW),
        case("itself", lambda lib, x: x + x, _X),
    ],
    "sub": [
        *named("sub", ANY, ANY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x - y, _X, _ROW),
        case("number right", lambda lib, x: x - 2, _X),
        case("number left", lambda lib, x: 2.5 - x, _X),
        case("alpha", lambda lib, x, y: lib.sub(x, y, alpha=3), _X, _ROW),
    ],
    "rsub": named("rsub", ANY, ANY),
    "mul": [
        *named("mul", ANY, ANY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x * y, _X, _ROW),
        case("number right", lambda lib, x: x * 3, _X),
        case("number left", lambda lib, x: 2.5 * x, _X),
        case("complex number", lambda lib, x: x * (1 + 2j), PLANE((3,), 0)),
        case("itself", lambda lib, x: x * x, _X),
    ],
    "div": [
        *named("div", ANY, AWAY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x / y, _X, AWAY((4,), 0)),
        case("number right", lambda lib, x: x / 3, _X),
        case("number left", lambda lib, x: 2.5 / x, AWAY((3, 4), 0)),
    ],
    "pow": [
        *named("pow", POSITIVE, ANY, planes=(RIGHT, PLANE)),
        case("operator", lambda lib, x, y: x**y, POSITIVE((3, 4), 0), _ROW),
        *(case(f"number {p}", lambda lib, x, p=p: x**p, POSITIVE((3, 4), 0))
          for p in (0, 1, 2, 3, 4, 0.5, -0.5, -1, -2, 2.5, -1.5)),
        case("even power of negatives", lambda lib, x: lib.pow(x, 4), ANY((3, 4), 0)),
        case("number left", lambda lib, x: 2.5**x, _X),
        case("number left function", lambda lib, x: lib.pow(2, x), _X),
        case("complex number", lambda lib, x: x**3, PLANE((3,), 0)),
        case("complex root", lambda lib, x: x**0.5, RIGHT((3,), 0)),
        case("itself", lambda lib, x: x**x, POSITIVE((3,), 0)),
    ],
    "neg": [*named("neg", ANY, planes=(PLANE,)), case("operator", lambda lib, x: -x, _X)],
    "abs": [
        *named("abs", lattice(0.05), planes=(PLANE,)),
        case("builtin", lambda lib, x: abs(x), lattice(0.05)((3,), 0)),
    ],
    "reciprocal": named("reciprocal", AWAY, planes=(PLANE,)),
    "square": named("square", ANY, planes=(PLANE,)),
    "sign": named("sign", lattice(0.05)),
    "sgn": named("sgn", lattice(0.05), planes=(PLANE,)),
    "conj": named("conj", ANY, planes=(PLANE,)),
    "conj_physical": named("conj_physical", PLANE),
    "resolve_conj": [case("complex", lambda lib, x: lib.resolve_conj(x) * 2, PLANE((3,), 0),
                          reference=lambda x: x * 2)],
    "real": [
        *named("real", PLANE),
        case("of real", lambda lib, x: lib.real(x) * 2, _X),
    ],
    "imag": named("imag", PLANE),
    "angle": named("angle", lattice(0.05), planes=(PLANE,)),
    "isreal": [
        *named("isreal", around(ANY, lattice(0, 2)), **_NOT),
        case("of real", lambda lib, x: lib.isreal(x), _STRANGE, **_NOT),
        case("of integers", lambda lib, x: lib.isreal(x), _INDICES, **_NOT),
    ],
    "complex": _single(named("complex", ANY, ANY)),
    "polar": _single([
        *named("polar", POSITIVE, ANY),
        case("negative", lambda lib, x, y: lib.polar(x, y), AWAY((3,), 0), ANY((3,), 1)),
    ]),
    # ---- functions
    "exp": named("exp", ANY, planes=(PLANE,)),
    "log": named("log", POSITIVE, planes=(RIGHT,)),
    "log1p": named("log1p", uniform(-0.6, 2), planes=(RIGHT,)),
    "sqrt": named("sqrt", POSITIVE, planes=(RIGHT,)),
    "rsqrt": named("rsqrt", POSITIVE, planes=(RIGHT,)),
    "sin": named("sin", ANY, planes=(PLANE,)),
    "cos": named("cos", ANY, planes=(PLANE,)),
    "tan": named("tan", uniform(-1.2, 1.2), planes=(around(uniform(-1, 1)),)),
    "tanh": named("tanh", ANY, planes=(around(uniform(-1, 1)),)),
    "sigmoid": named("sigmoid", ANY, planes=(PLANE,)),
    "erf": named("erf", ANY),
    "hypot": named("hypot", AWAY, AWAY),
    "logaddexp": [
        *named("logaddexp", ANY, ANY),
        case("far out", lambda lib, x, y: lib.logaddexp(x, y), np.array([1000.0, -1000.0, 3.0]),
             np.array([999.0, -999.0, -1000.0])),
    ],
    "relu": named("relu", lattice(0.05)),
    "gelu": [
        *named("gelu", ANY),
        case("tanh", lambda lib, x: lib.gelu(x, approximate="tanh"), _X),
    ],
    "silu": named("silu", ANY),
    "softplus": [
        *named("softplus", ANY),
        case("beta and threshold", lambda lib, x: lib.softplus(x, 2, 1), lattice(0.05)((3, 4), 0)),
    ],
    # ---- choice and comparison
    "maximum": named("maximum", lattice(0.02), lattice(0.07)),
    "minimum": named("minimum", lattice(0.02), lattice(0.07)),
    "clamp": [
        *(s for s in pointwise(lambda lib, x: lib.clamp(x, -1, 1), lattice(0.05))),
        case("min", lambda lib, x: lib.clamp(x, min=0.5), lattice(0.02)((3, 4), 0)),
        case("max", lambda lib, x: lib.clamp(x, max=0.5), lattice(0.02)((3, 4), 0)),
        *(case(f"tensors {s}", s.function, *s.inputs, layout=s.layout) for s in pointwise(
            lambda lib, x, a, b: lib.clamp(x, a, b),
            lattice(0.02), lattice(-0.95, 5), lattice(0.96, 5))),
        case("tensor min", lambda lib, x, a: lib.clamp(x, min=a),
             lattice(0.02)((3, 4), 0), lattice(0.06)((4,), 1)),
        case("tensor max", lambda lib, x, b: lib.clamp(x, max=b),
             lattice(0.02)((3, 4), 0), lattice(0.06)((3, 1), 1)),
        case("min above max", lambda lib, x: lib.clamp(x, 1, -1), lattice(0.05)((3, 4), 0)),
    ],
    "where": [
        *pointwise(lambda lib, c, x, y: lib.where(c, x, y), truth, ANY, ANY),
        case("numbers", lambda lib, c, x: lib.where(c, x, 0.0), truth((3, 1)), _X),
        case("number first", lambda lib, c, x: lib.where(c, 2.0, x), truth((3, 4)), _ROW),
        case("complex", lambda lib, c, x, y: lib.where(c, x, y),
             truth((3,)), PLANE((3,), 0), PLANE((3,), 1)),
        case("complex with real", lambda lib, c, x, y: lib.where(c, x, y),
             truth((3,)), PLANE((3,), 0), ANY((3,), 1)),
        case("indices", lambda lib, c: lib.where(c), truth((3, 4)), **_NOT),
    ],
    **{name: _compared(name) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{name: _logical(name) for name in ("logical_and", "logical_or", "logical_xor")},
    "logical_not": [
        *named("logical_not", whole(-1, 2), **_NOT),
        case("floats", lambda lib, x: lib.logical_not(x), lattice(0, 2)((3, 4), 0), **_NOT),
    ],
    **{name: [
        *named(name, ANY, **_NOT),
        case("strange", lambda lib, x, name=name: getattr(lib, name)(x), _STRANGE, **_NOT),
    ] for name in ("isnan", "isinf")},
    "isclose": [
        *named("isclose", whole(-1, 2), whole(-1, 2), **_NOT),
        case("strange", lambda lib, x: lib.isclose(x, 0 * x, equal_nan=True), _STRANGE,
             **_NOT),
        case("tolerances", lambda lib, x, y: lib.isclose(x, y, rtol=0.25, atol=0.5),
             whole(-4, 5)((3, 4), 0), whole(-4, 5)((4,), 1), **_NOT),
        case("complex", lambda lib, x, y: lib.isclose(x, y, rtol=0.5),
             PLANE((3, 4), 0), PLANE((3, 4), 1), **_NOT),
    ],
    "bitwise_and": _bits("bitwise_and", "&"),
    "bitwise_or": _bits("bitwise_or", "|"),
    "bitwise_xor": _bits("bitwise_xor", "^"),
    "bitwise_not": [
        *named("bitwise_not", whole(-9, 9), **_NOT),
        case("of bools", lambda lib, x: ~x, truth((3, 4)), **_NOT),
    ],
    # ---- reductions
    "sum": [
        *reduction("sum", ANY, PLANE),
        case("zero-size all", lambda lib, x: lib.sum(x), _NONE),
        case("dtype", lambda lib, x: lib.sum(x, dtype=lib.float64), _X),
        case("dim dtype", lambda lib, x: lib.sum(x, 0, dtype=lib.float32), _X, coarse=True),
        case("integers", lambda lib, x: lib.sum(x, 0), whole(-9, 9)((3, 4), 0), **_NOT),
        case("bools", lambda lib, x: lib.sum(x), truth((3, 4)), **_NOT),
        case("all dims", lambda lib, x: lib.sum(x, ()), _X),
    ],
    "mean": [
        *reduction("mean", ANY, PLANE),
        case("dtype", lambda lib, x: lib.mean(x, dtype=lib.float64), _X),
        case("dim dtype", lambda lib, x: lib.mean(x, 0, dtype=lib.float32), _X, coarse=True),
    ],
    "prod": [
        *reduction("prod", AWAY, PLANE, tuples=False),
        case("zero-size all", lambda lib, x: lib.prod(x), _NONE),
        case("zeros", lambda lib, x: lib.prod(x, 1),
             np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 2.0], [1.0, 2.0, -3.0]])),
        case("of one", lambda lib, x: lib.prod(x, 1), ANY((3, 1), 0)),
        case("of five", lambda lib, x: lib.prod(x), AWAY((5,), 0)),
        case("dtype", lambda lib, x: lib.prod(x, dtype=lib.float64), _X),
        case("integers", lambda lib, x: lib.prod(x, 0), whole(-4, 4)((3, 4), 0), **_NOT),
    ],
    **_EXTREMA,
    "amax": reduction("amax", distinct),
    "amin": reduction("amin", distinct),
    **{name: [
        *reduction(name, distinct, tuples=False, **_NOT),
        case("integers", lambda lib, x, name=name: getattr(lib, name)(x), _INDICES, **_NOT),
        case("nan", lambda lib, x, name=name: getattr(lib, name)(x, 1), _STRANGE, **_NOT),
    ] for name in ("argmax", "argmin")},
    "var": [
        *(s for s in reduction("var", ANY, PLANE) if s.name != "0-d"),
        case("correction", lambda lib, x: lib.var(x, 1, correction=2), _X),
        case("biased", lambda lib, x: lib.var(x, 1, unbiased=False), _X),
    ],
    "std": [
        *(s for s in reduction("std", ANY, PLANE) if s.name != "0-d"),
        case("correction", lambda lib, x: lib.std(x, 1, correction=0), _X),
        case("biased", lambda lib, x: lib.std(x, 1, False, True), _X),
    ],
    "norm": [
        *(case(f"{s}", lambda lib, x, s=s: s.function(SimpleNamespace(
            norm=lambda x, dim=None, keepdim=False: lib.norm(x, dim=dim, keepdim=keepdim)), x),
            *s.inputs, layout=s.layout) for s in reduction("norm", AWAY, PLANE)),
        *(case(f"order {p}", lambda lib, x, p=p: lib.norm(x, p, 1), distinct((3, 4)))
          for p in (0, 0.5, 1, 1.5, 2, 3, math.inf, -math.inf)),
        *(case(f"complex order {p}", lambda lib, x, p=p: lib.norm(x, p), PLANE((3,), 0))
          for p in (1, 3, math.inf)),
    ],
    "logsumexp": [
        *(case(str(s), s.function, *s.inputs, layout=s.layout)
          for s in reduction("logsumexp", ANY) if s.name not in ("all", "sliced all", "0-d")),
        case("0-d", lambda lib, x: lib.logsumexp(x, 0), _NUMBER, reference=np.copy),
        case("complex", lambda lib, x: lib.logsumexp(x, 1), RIGHT((3, 4), 0),
             reference=lambda x: np.log(np.exp(x).sum(1))),
        case("far out", lambda lib, x: lib.logsumexp(x, 1),
             np.array([[1000.0, 999.0, 998.0], [-1000.0, -1001.0, -999.0]])),
    ],
    "all": reduction("all", lattice(0, 2), **_NOT),
    "any": reduction("any", lattice(0, 2), **_NOT),
    # ---- products
    "dot": product("dot", ((4,), (4,)), ((0,), (0,)), ((1,), (1,))),
    "mv": product("mv", ((3, 4), (4,)), ((0, 4), (4,)), ((3, 0), (0,))),
    "mm": product("mm", ((3, 4), (4, 2)), ((0, 4), (4, 2)), ((3, 0), (0, 2)), ((1, 4), (4, 1))),
    "bmm": product("bmm", ((2, 3, 4), (2, 4, 5)), ((0, 3, 4), (0, 4, 5)), ((2, 3, 0), (2, 0, 5))),
    "matmul": [
        *product(
            "matmul", ((2, 3, 4), (4, 5)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 3)),
            ((2, 4), (4, 3)), ((2, 3, 4), (4,)), ((4,), (2, 4, 3)), ((3, 4), (2, 4, 5)),
            ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((2, 3, 4), (1, 4, 5)),
            ((0, 3, 4), (4, 5)), ((2, 3, 0), (0, 5)),
        ),
        case("operator", lambda lib, x, y: x @ y, _X, ANY((4, 2), 1)),
    ],
    "det": [
        *(case(str(shape), lambda lib, x: lib.det(x), ANY(shape, 3))
          for shape in ((1, 1), (2, 2), (3, 3), (2, 3, 3), (0, 2, 2), (2, 0, 0))),
        *(case(layout, lambda lib, x: lib.det(x), ANY((3, 3), 3), layout=layout)
          for layout in ("transposed", "sliced")),
        case("complex", lambda lib, x: lib.det(x), PLANE((3, 3), 0)),
        case("singular", lambda lib, x: lib.det(x), np.array([[1.0, 2.0, 0.5], [2.0, 4.0, 1.0],
                                                              [1.0, 0.0, 3.0]])),
        case("of rank 1", lambda lib, x: lib.det(x), np.outer((1.0, 2.0, 0.5), (1.0, -1.0, 3.0))),
    ],
    "outer": product("outer", ((3,), (4,)), ((0,), (4,)), ((1,), (2,))),
    # ---- rearranging
    "reshape": [
        *rearranged(lambda lib, x: lib.reshape(x, (2, 6)), (3, 4)),
        case("inferred", lambda lib, x: lib.reshape(x, (-1, 2)), _X),
        case("same", lambda lib, x: lib.reshape(x, (3, 4)), _X),
        case("zero-size", lambda lib, x: lib.reshape(x, (3, 0, 2)), _NONE),
        case("0-d", lambda lib, x: lib.reshape(x, (1, 1)), _NUMBER),
    ],
    "view": [
        case("ordinary", lambda lib, x: x.view(2, -1), _X, reference=lambda x: x.reshape(2, -1)),
        case("as", lambda lib, x, y: x.view_as(y), _X, ANY((2, 6), 0),
             reference=lambda x, y: x.reshape(2, 6)),
        case("sliced", lambda lib, x: x.view(3, 2, 2), _X, layout="sliced",
             reference=lambda x: x.reshape(3, 2, 2)),
        case("reshape_as", lambda lib, x, y: x.reshape_as(y), _X, ANY((2, 6), 0),
             reference=lambda x, y: x.reshape(2, 6)),
    ],
    "flatten": [
        *rearranged(lambda lib, x: lib.flatten(x), (2, 3, 4)),
        case("some", lambda lib, x: lib.flatten(x, 1, 2), _Z),
        case("0-d", lambda lib, x: lib.flatten(x), _NUMBER),
    ],
    "transpose": [
        *rearranged(lambda lib, x: lib.transpose(x, 0, -1), (2, 3, 4)),
        case("0-d", lambda lib, x: lib.transpose(x, 0, 0), _NUMBER, reference=np.copy),
        case("mT", lambda lib, x: x.mT, _Z, reference=lambda x: x.swapaxes(-2, -1)),
        case("mH", lambda lib, x: x.mH, PLANE((2, 3), 0), reference=lambda x: x.conj().T),
        case("H", lambda lib, x: x.H, PLANE((2, 3), 0), reference=lambda x: x.conj().T),
    ],
    "adjoint": [
        case("complex", lambda lib, x: x.adjoint(), PLANE((2, 3), 0),
             reference=lambda x: x.conj().T),
        case("real", lambda lib, x: x.adjoint(), _Z, reference=lambda x: x.swapaxes(-2, -1)),
    ],
    "t": [
        *rearranged(lambda lib, x: lib.t(x), (3, 4)),
        case("vector", lambda lib, x: lib.t(x), _ROW),
        case("0-d", lambda lib, x: lib.t(x), _NUMBER),
    ],
    "permute": [
        *rearranged(lambda lib, x: lib.permute(x, (2, 0, 1)), (2, 3, 4)),
        case("T", lambda lib, x: x.T, _X),
        case("zero-size", lambda lib, x: lib.permute(x, (1, 0)), _NONE),
        case("0-d", lambda lib, x: lib.permute(x, ()), _NUMBER),
    ],
    "squeeze": [
        *rearranged(lambda lib, x: lib.squeeze(x), (1, 3, 1)),
        case("dim", lambda lib, x: lib.squeeze(x, 0), ANY((1, 3, 1), 0)),
        case("dims", lambda lib, x: lib.squeeze(x, (0, 2)), ANY((1, 3, 1), 0)),
        case("of another size", lambda lib, x: lib.squeeze(x, 1), _X),
        case("0-d", lambda lib, x: lib.squeeze(x), _NUMBER),
    ],
    "unsqueeze": [
        *rearranged(lambda lib, x: lib.unsqueeze(x, 1), (3, 4)),
        case("last", lambda lib, x: lib.unsqueeze(x, -1), _X),
        case("0-d", lambda lib, x: lib.unsqueeze(x, 0), _NUMBER),
    ],
    "expand": [
        *rearranged(lambda lib, x: x.expand(2, -1, 4), (3, 1),
                    reference=lambda x: np.broadcast_to(x, (2, 3, 4))),
        case("0-d", lambda lib, x: x.expand(2, 3), _NUMBER,
             reference=lambda x: np.broadcast_to(x, (2, 3))),
        case("zero-size", lambda lib, x: x.expand(0, 4), _ROW,
             reference=lambda x: np.broadcast_to(x, (0, 4))),
        case("as", lambda lib, x, y: x.expand_as(y), _ROW, _X,
             reference=lambda x, y: np.broadcast_to(x, (3, 4))),
    ],
    "broadcast_to": rearranged(lambda lib, x: lib.broadcast_to(x, (2, 3, 4)), (3, 1)),
    "cat": [
        *rearranged(lambda lib, x, y: lib.cat([x, y], 1), (3, 4), (3, 2)),
        case("zero-size", lambda lib, x, y: lib.cat([x, y]), _NONE, ANY((2, 3), 0)),
        case("of one", lambda lib, x: lib.cat((x,), -1), _X),
        case("twice", lambda lib, x: lib.cat((x, x), 0), _X),
        case("complex with real", lambda lib, x, y: lib.cat((x, y)), PLANE((2,), 0), ANY((3,), 0)),
    ],
    "stack": [
        *rearranged(lambda lib, x, y: lib.stack([x, y], 1), (3, 4), (3, 4)),
        case("0-d", lambda lib, x, y: lib.stack((x, y)), _NUMBER, ANY((), 1)),
        case("last", lambda lib, x, y: lib.stack((x, y), -1), _X, ANY((3, 4), 0)),
        case("zero-size", lambda lib, x, y: lib.stack((x, y)), _NONE, _NONE),
    ],
    "split": [
        *rearranged(lambda lib, x: lib.split(x, 2), (5, 2)),
        case("sections", lambda lib, x: lib.split(x, [1, 3], 1), _X),
        case("one part used", lambda lib, x: lib.split(x, 3, 1)[0], _X),
    ],
    "chunk": [
        *rearranged(lambda lib, x: lib.chunk(x, 3), (5, 2)),
        case("last dim", lambda lib, x: lib.chunk(x, 2, -1), _X),
    ],
    "unbind": [
        *rearranged(lambda lib, x: lib.unbind(x, 1), (3, 2)),
        case("vector", lambda lib, x: lib.unbind(x), _ROW),
        case("iteration", lambda lib, x: list(x)[1] * 2, _X),
    ],
    "select": [
        *rearranged(lambda lib, x: lib.select(x, 1, 2), (3, 4)),
        case("negative", lambda lib, x: lib.select(x, -1, -2), _Z),
    ],
    "narrow": [
        *rearranged(lambda lib, x: lib.narrow(x, 1, 1, 2), (3, 4)),
        case("zero-size", lambda lib, x: lib.narrow(x, 0, 1, 0), _X),
    ],
    "diagonal": [
        *rearranged(lambda lib, x: lib.diagonal(x), (3, 4), reference=np.diagonal),
        case("above", lambda lib, x: x.diagonal(1, -1, 0), ANY((3, 4, 2), 0),
             reference=lambda x: x.diagonal(1, -1, 0)),
        case("outside", lambda lib, x: lib.diagonal(x, 9), _X, reference=lambda x: x.diagonal(9)),
    ],
    "as_strided": [
        case(name, call, *inputs, reference=call_strided)
        for name, call, call_strided, inputs in _STRIDED
    ],
    "unfold": [
        *rearranged(lambda lib, x: x.unfold(1, 2, 1), (3, 4), reference=_windows(1, 2, 1)),
        case("with gaps", lambda lib, x: x.unfold(0, 2, 3), ANY((9, 2), 0),
             reference=_windows(0, 2, 3)),
        case("overlapping", lambda lib, x: x.unfold(-2, 4, 2), ANY((2, 9, 2), 0),
             reference=_windows(1, 4, 2)),
        case("empty windows", lambda lib, x: x.unfold(0, 0, 1), _X, reference=_windows(0, 0, 1)),
        case("0-d", lambda lib, x: x.unfold(0, 1, 1), _NUMBER, reference=lambda x: x.reshape(1)),
    ],
    "tensor_split": [
        *rearranged(lambda lib, x: lib.tensor_split(x, 3), (5, 2), reference=_parts(3)),
        case("indices", lambda lib, x: lib.tensor_split(x, (1, 3), 1), _X,
             reference=_parts([1, 3], 1)),
        case("in another order", lambda lib, x: lib.tensor_split(x, (2, 1), 1), _X,
             reference=_parts([2, 1], 1)),
        case("more than there are", lambda lib, x: x.tensor_split(6, -1), _X,
             reference=_parts(6, -1)),
    ],
    "split_with_sizes": rearranged(lambda lib, x: lib.split_with_sizes(x, [1, 3], 1), (3, 4),
                                   reference=_parts([1], 1)),
    "hsplit": [
        *rearranged(lambda lib, x: lib.hsplit(x, 2), (3, 4), reference=_parts(2, 1)),
        case("vector", lambda lib, x: lib.hsplit(x, [1]), _ROW, reference=_parts([1])),
    ],
    "vsplit": rearranged(lambda lib, x: lib.vsplit(x, 3), (3, 4), reference=_parts(3)),
    "dsplit": rearranged(lambda lib, x: lib.dsplit(x, [1]), (2, 2, 4), reference=_parts([1], 2)),
    "ravel": [
        *rearranged(lambda lib, x: lib.ravel(x), (3, 4), reference=np.ravel),
        case("0-d", lambda lib, x: lib.ravel(x), _NUMBER, reference=np.ravel),
    ],
    "as_strided_scatter": [
        case("ordinary",
             lambda lib, x, y: lib.as_strided_scatter(x, y, (2, 2), (5, 2), _after(x, 1)),
             _X, ANY((2, 2), 0), reference=_in_memory([[1, 3], [6, 8]])),
        case("complex", lambda lib, x, y: lib.as_strided_scatter(x, y, (2,), (5,)),
             PLANE((3, 4), 0), PLANE((2,), 1), reference=_in_memory([0, 5])),
    ],
    "slice_scatter": [
        *rearranged(lambda lib, x, y: lib.slice_scatter(x, y, 1, 0, None, 2), (3, 4), (3, 2),
                    reference=_written((slice(None), slice(0, None, 2)))),
        case("negative", lambda lib, x, y: lib.slice_scatter(x, y, start=-2), _X,
             ANY((2, 4), 0), reference=_written(slice(-2, None))),
        case("beyond the end", lambda lib, x, y: lib.slice_scatter(x, y, 0, 1, 99), _X,
             ANY((2, 4), 0), reference=_written(slice(1, 99))),
    ],
    "select_scatter": [
        *rearranged(lambda lib, x, y: lib.select_scatter(x, y, 1, 2), (3, 4), (3,),
                    reference=_written((slice(None), 2))),
        case("negative", lambda lib, x, y: lib.select_scatter(x, y, -1, -2), _X, ANY((3,), 0),
             reference=_written((slice(None), -2))),
    ],
    "diagonal_scatter": [
        *rearranged(lambda lib, x, y: lib.diagonal_scatter(x, y), (3, 4), (3,),
                    reference=_written((range(3), range(3)))),
        case("below", lambda lib, x, y: lib.diagonal_scatter(x, y, -1, 1, 0), _X, ANY((3,), 0),
             reference=_written((range(3), range(1, 4)))),
        case("outside", lambda lib, x, y: lib.diagonal_scatter(x, y, 9), _X, ANY((0,), 0),
             reference=lambda x, y: x),
    ],
    "movedim": [
        *rearranged(lambda lib, x: lib.movedim(x, (0, 1), (-1, 0)), (2, 3, 4),
                    reference=lambda x: np.moveaxis(x, (0, 1), (-1, 0))),
        case("one", lambda lib, x: x.movedim(0, 2), ANY((2, 3, 4), 0),
             reference=lambda x: np.moveaxis(x, 0, 2)),
    ],
    "unflatten": [
        case("inferred", lambda lib, x: lib.unflatten(x, -1, (2, -1)), _X,
             reference=lambda x: x.reshape(*x.shape[:-1], 2, -1)),
        case("first", lambda lib, x: x.unflatten(0, [3, 1]), _X,
             reference=lambda x: x.reshape(3, 1, *x.shape[1:])),
    ],
    "view_as_real": [
        case("matrix", lambda lib, x: lib.view_as_real(x), PLANE((2, 3), 0),
             reference=lambda x: np.stack([x.real, x.imag], -1)),
        case("transposed", lambda lib, x: lib.view_as_real(x), PLANE((2, 3), 0),
             layout="transposed", reference=lambda x: np.stack([x.real, x.imag], -1)),
    ],
    "view_as_complex": _single([
        case("matrix", lambda lib, x: lib.view_as_complex(x), ANY((3, 2), 0), reference=_paired),
        case("of three dimensions", lambda lib, x: lib.view_as_complex(x[1:]), _Z[..., :2].copy(),
             reference=lambda x: _paired(x[1:])),
        case("sliced", lambda lib, x: lib.view_as_complex(x), ANY((3, 2), 0), layout="sliced",
             reference=_paired),
        case("one", lambda lib, x: lib.view_as_complex(x), ANY((2,), 0), reference=_paired),
        case("zero-size", lambda lib, x: lib.view_as_complex(x * 2), ANY((0, 2), 0),
             reference=_paired),
    ]),
    "flip": [
        *rearranged(lambda lib, x: lib.flip(x, (0,)), (3, 4)),
        case("both", lambda lib, x: lib.flip(x, (0, 1)), _X),
        case("zero-size", lambda lib, x: lib.flip(x, (0, 1)), _NONE),
    ],
    "getitem": [
        *rearranged(lambda lib, x: x[1:, ::2], (3, 4)),
        case("integer", lambda lib, x: x[1], _X),
        case("negative integer", lambda lib, x: x[-1], _X),
        case("element", lambda lib, x: x[1, 2], _X),
        case("integer in a vector", lambda lib, x: x[2], _ROW),
        case("ellipsis", lambda lib, x: x[..., 0], _Z),
        case("ellipsis between", lambda lib, x: x[0, ..., 1:3], _Z),
        case("none", lambda lib, x: x[None, :, None, 1], _X),
        case("everything", lambda lib, x: x[...], _X),
        case("empty tuple", lambda lib, x: x[()], _X),
        case("empty slice", lambda lib, x: x[1:1], _X),
        case("0-d none", lambda lib, x: x[None], _NUMBER),
        case("zero-size", lambda lib, x: x[:, 1:], _NONE),
        case("list", lambda lib, x: x[[2, 0]], _X),
        case("empty list", lambda lib, x: x[[]], _X),
        case("repeated indices", lambda lib, x, i: x[i], _X, _INDICES),
        case("negative indices", lambda lib, x, i: x[i], _X, np.array([-1, 0, -3])),
        case("indices behind a slice", lambda lib, x, i: x[:, i], _X, _INDICES),
        case("two indices", lambda lib, x, i, j: x[i, j], _X, _INDICES, _COLUMNS),
        case("indices apart", lambda lib, x, i: x[i - 1, :, i], _Z, np.array([1, 0])),
        case("index and integer", lambda lib, x, i: x[1, i], _X, _INDICES),
        case("index and none", lambda lib, x, i: x[i, None], _X, _INDICES),
        case("index in order of memory", lambda lib, x, i: x[i], _X, _INDICES, layout="transposed"),
        case("0-d index", lambda lib, x, i: x[i], _X, np.asarray(2)),
        case("mask", lambda lib, x, m: x[m], _X, truth((3, 4))),
        case("mask of rows", lambda lib, x, m: x[m], _X, np.array([True, False, True])),
        case("mask of columns", lambda lib, x, m: x[:, m], _X, np.array([True, False, True, True])),
        case("mask and integer", lambda lib, x, m: x[m, 1], _X, np.array([True, False, True])),
        case("empty mask", lambda lib, x, m: x[m], _X, np.zeros((3, 4), bool)),
        case("mask, strided", lambda lib, x, m: x[m], _X, truth((3, 4)), layout="sliced"),
        case("complex indices", lambda lib, x, i: x[i], PLANE((3, 2), 0), _INDICES),
    ],
    "index_select": [
        *(case(str(s), s.function, *s.inputs, _INDICES, layout=s.layout) for s in rearranged(
            lambda lib, x, i: lib.index_select(x, 1, i), (3, 4))),
        case("rows", lambda lib, x, i: lib.index_select(x, 0, i), _X, _INDICES),
    ],
    "masked_select": [
        case("ordinary", lambda lib, x, m: lib.masked_select(x, m), _X, truth((3, 4)),
             reference=lambda x, m: x[m]),
        case("broadcast", lambda lib, x, m: lib.masked_select(x, m), _ROW, truth((3, 1)),
             reference=lambda x, m: np.broadcast_to(x, (3, 4))[m[:, 0]].ravel()),
        case("complex", lambda lib, x, m: lib.masked_select(x, m), PLANE((4,), 0), truth((4,)),
             reference=lambda x, m: x[m]),
        case("0-d", lambda lib, x, m: lib.masked_select(x, m), _NUMBER, np.asarray(True),
             reference=lambda x, m: x.reshape(1)),
    ],
    "gather": [
        *(case(str(s), s.function, *s.inputs, _PLACES, layout=s.layout,
               reference=lambda x, i: np.take_along_axis(x, i, 0))
          for s in rearranged(lambda lib, x, i: lib.gather(x, 0, i), (3, 4))),
        case("smaller", lambda lib, x, i: x.gather(-1, i), _X, _INDICES[:2, None],
             reference=lambda x, i: np.take_along_axis(x[:2], i, 1)),
        case("0-d index", lambda lib, x, i: x.gather(0, i), _ROW, np.asarray(2),
             reference=lambda x, i: x[i]),
        case("0-d", lambda lib, x, i: x.gather(0, i * 0), _NUMBER, _INDICES,
             reference=lambda x, i: x + 0 * i),
        case("zero-size", lambda lib, x, i: x.gather(0, i), _X, np.zeros((0, 2), np.int64),
             reference=lambda x, i: x[:0, :2]),
    ],
    # ---- copies with other values at some places
    "masked_fill": [
        *(case(str(s), s.function, *s.inputs, truth((3, 1)), layout=s.layout,
               reference=lambda x, m: np.where(m, 2.5, x))
          for s in rearranged(lambda lib, x, m: lib.masked_fill(x, m, 2.5), (3, 4))),
        case("larger mask", lambda lib, x, m: lib.masked_fill(x, m, 2), _ROW, truth((3, 1)),
             reference=lambda x, m: np.where(m, 2, x)),
        case("0-d", lambda lib, x, m: x.masked_fill(m, 2) * 2, _NUMBER, np.asarray(False),
             reference=lambda x, m: x * 2),
        case("by a tensor", lambda lib, x, m, v: x.masked_fill(m, v), _X, truth((3, 4)), _NUMBER,
             reference=lambda x, m, v: np.where(m, v, x)),
    ],
    "masked_scatter": [
        *(case(str(s), s.function, *s.inputs, truth((3, 4)), layout=s.layout,
               reference=_masked_scatter)
          for s in rearranged(lambda lib, x, y, m: lib.masked_scatter(x, m, y), (3, 4), (2, 8))),
        case("larger mask", lambda lib, x, y, m: x.masked_scatter(m, y), _ROW, _X, truth((3, 4)),
             reference=lambda x, y, m: _masked_scatter(np.tile(x, (3, 1)), y, m)),
    ],
    "index_fill": [
        *(case(str(s), s.function, *s.inputs, _INDICES, layout=s.layout,
               reference=lambda x, i: _placed(x, (slice(None), i), 2.5))
          for s in rearranged(lambda lib, x, i: lib.index_fill(x, 1, i, 2.5), (3, 4))),
        case("by a tensor", lambda lib, x, v, i: x.index_fill(0, i, v), _X, _NUMBER, _INDICES,
             reference=lambda x, v, i: _placed(x, i, v)),
        case("negative", lambda lib, x, i: x.index_fill(0, i, 2), _X, _INDICES - 3,
             reference=lambda x, i: _placed(x, i, 2)),
        case("0-d", lambda lib, x, i: x.index_fill(0, i, 2.5), _NUMBER, np.array([0]),
             reference=lambda x, i: np.float64(2.5)),
    ],
    "index_copy": [
        *(case(str(s), s.function, *s.inputs, _INDICES[:2], layout=s.layout,
               reference=lambda x, y, i: _placed(x, (slice(None), i), y))
          for s in rearranged(lambda lib, x, y, i: lib.index_copy(x, 1, i, y), (3, 4), (3, 2))),
        case("one", lambda lib, x, y, i: x.index_copy(0, i, y), _X, ANY((1, 4), 1), np.asarray(1),
             reference=lambda x, y, i: _placed(x, i, y[0])),
    ],
    "index_add": [
        *(case(str(s), s.function, *s.inputs, _INDICES, layout=s.layout,
               reference=lambda x, y, i: _placed(x, (slice(None), i), y, adds=True))
          for s in rearranged(lambda lib, x, y, i: lib.index_add(x, 1, i, y), (3, 4), (3, 3))),
        case("alpha", lambda lib, x, y, i: x.index_add(0, i, y, alpha=-2), _X, _X, _INDICES,
             reference=lambda x, y, i: _placed(x, i, -2 * y, adds=True)),
    ],
    "scatter": [
        *(case(str(s), s.function, *s.inputs, _PLACES[:1], layout=s.layout,
               reference=lambda x, y, i: _placed(x, (i, _EACH), y))
          for s in rearranged(lambda lib, x, y, i: lib.scatter(x, 0, i, y), (3, 4), (1, 4))),
        case("larger source", lambda lib, x, y, i: x.scatter(0, i, y), _X, _X, _PLACES[:1],
             reference=lambda x, y, i: _placed(x, (i, _EACH), y[:1])),
        case("number", lambda lib, x, i: x.scatter(0, i, 2.5), _X, _PLACES,
             reference=lambda x, i: _placed(x, (i, _EACH), 2.5)),
        case("0-d", lambda lib, x, y, i: x.scatter(0, i, y) * 2, _NUMBER, ANY((), 1), np.asarray(0),
             reference=lambda x, y, i: 2 * y),
    ],
    "scatter_add": [
        *(case(str(s), s.function, *s.inputs, _PLACES, layout=s.layout,
               reference=lambda x, y, i: _placed(x, (i, _EACH), y, adds=True))
          for s in rearranged(lambda lib, x, y, i: lib.scatter_add(x, 0, i, y), (3, 4), (3, 4))),
        case("larger source", lambda lib, x, y, i: x.scatter_add(0, i, y), _X, _X, _PLACES[:1],
             reference=lambda x, y, i: _placed(x, (i, _EACH), y[:1], adds=True)),
        case("0-d", lambda lib, x, y, i: x.scatter_add(0, i, y) * 2, _NUMBER, ANY((), 1),
             np.asarray(0), reference=lambda x, y, i: 2 * (x + y)),
    ],
    "nonzero": [
        case(str(shape), lambda lib, x: lib.nonzero(x), whole(-1, 2)(shape, 0), **_NOT)
        for shape in ((3, 4), (5,), (0, 3))
    ],
    # ---- copies and types
    "clone": [
        *rearranged(lambda lib, x: lib.clone(x), (3, 4)),
        case("0-d", lambda lib, x: lib.clone(x), _NUMBER),
        case("zero-size", lambda lib, x: lib.clone(x), _NONE),
    ],
    "detach": [case("ordinary", lambda lib, x: lib.detach(x), _X, reference=np.copy, **_NOT)],
    "contiguous": [
        *rearranged(lambda lib, x: x.contiguous(), (3, 4), reference=np.copy),
        case("0-d", lambda lib, x: x.contiguous(), _NUMBER, reference=np.copy),
    ],
    "to": [
        case("double", lambda lib, x: x.to(lib.float64), _X, reference=np.copy),
        case("double method", lambda lib, x: x.double(), _NUMBER, reference=np.copy),
        case("float", lambda lib, x: x.to(lib.float32), _X, coarse=True, reference=np.float32),
        case("half", lambda lib, x: x.half(), _X, coarse=True, reference=np.float16),
        case("type as", lambda lib, x, y: x.type_as(y) * 2, _X, _X, reference=lambda x, y: x * 2),
        case("keyword", lambda lib, x: x.to(dtype=lib.float32), _X, layout="transposed",
             coarse=True, reference=np.float32),
        case("copy", lambda lib, x: x.to(x.dtype, copy=True), _X, reference=np.copy),
        case("device", lambda lib, x: x.to("cpu"), _X, reference=np.copy),
        case("cpu", lambda lib, x: x.cpu() * 2, _X, reference=lambda x: x * 2),
        case("integers", lambda lib, x: x.to(lib.int64), _X, reference=np.int64, **_NOT),
        case("truth", lambda lib, x: x.bool(), lattice(0, 2)((3,), 0), reference=np.bool_, **_NOT),
        case("complex", lambda lib, x: x.to(lib.complex128), _X, reference=np.complex128),
        case("zero-size", lambda lib, x: x.to(lib.float64), _NONE, reference=np.copy),
    ],
}  # fmt: skip
