"""What is computed, once for everyone: the works that the files of this folder consist of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any
Results = Sequence[Any]
Way = Callable[..., Results]  # of (library, *operands)
Targets = Mapping[tuple[int, str], float | None]

DTYPES = ("float32", "float64")
LARGE = 1_000_000  # such sizes need --full


@dataclass(frozen=True)
class Work:
    """What is computed, and how each kind of library is told to.

    ``inputs(n, random)`` returns NumPy arrays, of which the first ``leaves`` require gradients.
    ``by_hand(xp, *arrays)`` and each of the ``ways`` return the same numbers in the same order.
    The key of a way is who takes it: "torch" is gpugrad's, too.
    ``prepared``, where it has that key, runs first and is not timed; what it returns is the only
    operand of the way.  ``.grad`` is emptied before each call, unless ``keeps_grad``.

    The keys of ``targets`` are the sizes and dtypes that are measured; the values are what
    gpugrad's ratio to PyTorch is meant to be on the CPU, at most, or None where nothing was
    promised.
    """

    name: str
    inputs: Callable[[int, np.random.Generator], Sequence[Array]]
    leaves: int
    ways: Mapping[str, Way]
    by_hand: Way | None  # nobody writes a network by hand: then PyTorch says what is right
    targets: Targets
    prepared: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    keeps_grad: bool = False
    calls: int = 1  # how many operations it consists of, for the time of one
    compiled: bool = False  # by torch.compile, too, which takes its time
    whole: bool = False  # gpugrad's is recorded, and run as one program
    growth: float | None = None  # the time is meant to grow with this power of n, at most

    def __str__(self) -> str:
        return self.name

    def arrays(self, n: int, dtype: str) -> list[Array]:
        """Return the inputs in a dtype: the same numbers every time; indices stay what they are."""
        found = map(np.asarray, self.inputs(n, np.random.default_rng(n)))
        return [a if a.dtype.kind in "iu" else a.astype(dtype) for a in found]


def cases(works: Sequence[Work]) -> list[tuple[Work, int, str]]:
    """Return all that is measured of some works, for ``parametrize``."""
    return [(work, n, dtype) for work in works for n, dtype in work.targets]


def by_size(targets: Mapping[int, float | None], dtypes: Sequence[str] = DTYPES) -> Targets:
    """Return one target for all dtypes of a size; the large sizes are measured in one dtype."""
    return {
        (n, dtype): target
        for n, target in targets.items()
        for dtype in (dtypes if n < LARGE else dtypes[:1])
    }


# --------------------------------------------------------------------------- ways


def gradients(
    name: str,
    inputs: Callable[[int, np.random.Generator], Sequence[Array]],
    leaves: int,
    function: Callable[..., Any],
    by_hand: Way,
    targets: Targets,
    *,
    cotangent: bool = False,
    compiled: bool = False,
) -> Work:
    """Return the work of computing a function and its gradients.

    ``function(xp, *operands)`` is written in names that NumPy and PyTorch share.  With
    ``cotangent`` the last input is not an operand, but the gradient of the function's value.
    """

    def imperative(lib: Any, *operands: Any) -> Results:
        if cotangent:
            *operands, g = operands  # type: ignore[assignment]
            out = function(lib, *operands)
            out.backward(g)
        else:
            out = function(lib, *operands)
            out.backward()
        return out, *[leaf.grad for leaf in operands[:leaves]]

    def functional(lib: Any, *operands: Any) -> Results:
        xp = lib.numpy
        variables, others = operands[:leaves], operands[leaves:]
        if cotangent:
            *others, g = others  # type: ignore[assignment]
        out, pull = lib.vjp(lambda *variables: function(xp, *variables, *others), *variables)
        return out, *pull(g if cotangent else xp.ones_like(out))

    ways = _ways(imperative, functional) | {"mygrad": imperative}
    return Work(name, inputs, leaves, ways, by_hand, targets, compiled=compiled)


def descent(
    name: str,
    inputs: Callable[[int, np.random.Generator], Sequence[Array]],
    leaves: int,
    loss: Callable[..., Any],
    rate: float,
    by_hand: Way,
    targets: Targets,
) -> Work:
    """Return the work of one step of gradient descent; its results are the loss and the weights."""

    def imperative(lib: Any, *operands: Any) -> Results:
        out = loss(lib, *operands)
        out.backward()
        weights = operands[:leaves]
        with lib.no_grad():
            for w in weights:
                w -= rate * w.grad
        return out, *weights

    def functional(lib: Any, *operands: Any) -> Results:
        xp = lib.numpy
        weights, others = operands[:leaves], operands[leaves:]
        out, pull = lib.vjp(lambda *weights: loss(xp, *weights, *others), *weights)
        gs = pull(xp.ones_like(out))
        return out, *[w - rate * g for w, g in zip(weights, gs, strict=True)]

    def mygrad(lib: Any, *operands: Any) -> Results:
        out = loss(lib, *operands)
        out.backward()
        weights = operands[:leaves]
        for w in weights:
            w.data -= rate * w.grad
        return out, *weights

    ways = _ways(imperative, functional) | {"mygrad": mygrad}
    return Work(name, inputs, leaves, ways, by_hand, targets, compiled=True)


def _ways(imperative: Way, functional: Way) -> dict[str, Way]:
    return {"torch": imperative, "jax": functional, "autograd": functional}


# --------------------------------------------------------------------------- where names differ


def relu(xp: Any, x: Any) -> Any:
    """Return the larger of x and 0, by the function that is made for it where there is one."""
    return xp.relu(x) if hasattr(xp, "relu") else xp.maximum(x, 0)


def dot(xp: Any, x: Any, y: Any) -> Any:
    """Return the inner product of two vectors."""
    return xp.dot(x, y) if hasattr(xp, "dot") else x @ y


def swapaxes(xp: Any, x: Any, first: int, second: int) -> Any:
    """Return x with two axes exchanged."""
    if hasattr(xp, "swapaxes"):
        return xp.swapaxes(x, first, second)
    return x.transpose(first, second)


def gather(xp: Any, x: Any, index: Any) -> Any:
    """Return the elements of each row that indices name."""
    return x.gather(1, index) if hasattr(x, "gather") else xp.take_along_axis(x, index, 1)


def windows(xp: Any, x: Any, length: int) -> Any:
    """Return all windows along the last axis, whose elements are a new last one."""
    if hasattr(x, "unfold"):
        return x.unfold(-1, length, 1)
    count = x.shape[-1] - length + 1
    return xp.stack([x[..., k : k + count] for k in range(length)], -1)


def tabled(xp: Any, x: Any, index: Any) -> Any:
    """Return the slices that indices name along the first axis."""
    return x.index_select(0, index) if hasattr(x, "index_select") else xp.take(x, index, 0)
