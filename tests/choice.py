"""Which samples, types and devices a test runs on: those in which it can find what no other does.

The product of operations, layouts, types, devices and orders of differentiation grows past any
patience.  But what a higher derivative does depends on the rules that it runs, not on the sample
that reached them, and what a kernel does on the text that was generated for it: a sample that
reaches no rule that another sample has not reached can find nothing new there.
``pytest --thorough`` runs every test on all that it can run on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import pytest

import gpugrad
from gpugrad.graph import Node, below, edge_of
from gpugrad.testing import flat
from samples import SAMPLES, Sample

T = TypeVar("T")
U = TypeVar("U")
Pair = tuple[str, Sample]
DType = np.dtype[Any]
Test = Callable[..., None]
Decorator = Callable[[Test], Test]

FLOAT16, FLOAT32, FLOAT64 = np.dtype("f2"), np.dtype("f4"), np.dtype("f8")

thorough = False  # whether pytest was asked for it; set before the tests are imported

EVERY: list[Pair] = [(op, s) for op, samples in SAMPLES.items() for s in samples]
DIFFERENTIABLE: list[Pair] = [(op, s) for op, s in EVERY if s.differentiable]


def plain(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the samples that are there in one layout only, and of the others the plain one.

    Of the layout operations see nothing but the strides of their operands, once.
    """
    return [(op, s) for op, s in pairs if thorough or s.layout == "plain"]


def by_rule(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the samples that reach a rule which no sample before them reaches."""
    if thorough:
        return list(pairs)
    reached: set[Any] = set()
    found = []
    for op, sample in plain(pairs):
        rules = _rules(sample)
        if not rules <= reached:
            found.append((op, sample))
            reached |= rules
    return found


@functools.cache
def _rules(sample: Sample) -> set[Any]:
    """Return what tells the rules of a sample's derivatives apart."""
    outputs = [t for t in flat(sample.function(gpugrad, *sample.tensors())) if t.requires_grad]
    return {_rule(node) for node in below(map(edge_of, outputs)).values()}


def _rule(node: Node) -> Any:
    """Return the operation of a node, its inputs with gradients, and what else its rule asks for.

    The rule of a formula is another where operands were broadcast; that of a composite operation is
    a function that may ask for any parameter, and how many dimensions there are.  Linear ones are
    their own derivatives.
    """
    kind = getattr(node.op, "kind", "elementwise")
    if kind == "elementwise":
        return node.op, node.rule.needs, bool(node.params)
    inputs, _, parameters = node.params
    ranks = tuple(len(shape) for shape, *_ in inputs)
    return node.op, node.rule.needs, kind == "composite" and (ranks, str(parameters))


def without(pairs: Sequence[Pair], others: Sequence[Pair]) -> list[Pair]:
    """Return the samples that are not among others."""
    known = {(op, sample.name) for op, sample in others}
    return [(op, sample) for op, sample in pairs if (op, sample.name) not in known]


def of_each(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the first sample of each operation."""
    return list(pairs) if thorough else list(dict(reversed(pairs)).items())[::-1]


def pairs(rows: Iterable[T], columns: Iterable[U], columns_of_each: int) -> list[tuple[T, U]]:
    """Return pairs in which each row meets some of the columns, and each column as many rows.

    What a row and a column do together that neither does with others is left to the thorough run.
    """
    rows, columns = list(rows), list(columns)
    step = 1 if thorough else max(1, len(columns) // columns_of_each)
    return [
        (row, column)
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
        if (i + j) % step == 0
    ]


def types(sample: Sample, halves: bool = True) -> list[DType]:
    """Return the floating point types in which a sample is computed: all, or one of a layout."""
    if not any(a.dtype.kind in "fc" for a in sample.inputs):
        return [FLOAT64]  # whatever the type, no input is of it
    if sample.layout != "plain" and not thorough:
        return [FLOAT32]
    half = halves and sample.half and not sample.complex
    return [FLOAT16, FLOAT32, FLOAT64] if half else [FLOAT32, FLOAT64]


def over(pairs: Sequence[Pair], cuda: Sequence[Pair] | None = None) -> Decorator:
    """Parametrise a test over operations; one test is all samples of an operation, one by one.

    Given those for CUDA, which may be none, it is parametrised over the device, too.
    """
    if cuda is None:
        names = ["op", "sample"]
        cases = [pytest.param(op, found, id=op) for op, found in _grouped(pairs)]
    else:
        names = ["device", "op", "sample"]
        cases = [
            pytest.param("cpu", op, found, id=f"cpu-{op}") for op, found in _grouped(pairs)
        ] + [
            pytest.param("cuda", op, found, id=f"cuda-{op}", marks=pytest.mark.cuda)
            for op, found in _grouped(pairs if thorough else cuda)
        ]
    return lambda test: pytest.mark.parametrize(names, cases)(_one_by_one(test, ["sample"]))


def _grouped(pairs: Iterable[Pair]) -> list[tuple[str, list[Sample]]]:
    found: dict[str, list[Sample]] = {}
    for op, sample in pairs:
        found.setdefault(op, []).append(sample)
    return list(found.items())


def each(names: str, values: Iterable[Any]) -> Decorator:
    """Parametrise a test as pytest does, but as one test: what a test costs is paid once.

    It is for small cases: what fails says for which of them, and the others are tested, too.
    """
    columns = names.replace(",", " ").split()
    rows = [row if len(columns) > 1 else (row,) for row in values]
    case = pytest.param(*zip(*rows, strict=True), id="each")
    return lambda test: pytest.mark.parametrize(columns, [case])(_one_by_one(test, columns))


def _one_by_one(test: Test, names: Sequence[str]) -> Test:
    """Return a test that is given a list for each name and runs the test on each row of them."""

    @functools.wraps(test)
    def of_all(**arguments: Any) -> None:
        errors = []
        for row in zip(*(arguments[name] for name in names), strict=True):
            try:
                test(**arguments | dict(zip(names, row, strict=True)))
            except (Exception, pytest.fail.Exception) as error:
                error.add_note("with " + ", ".join(map(str, row)))
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise BaseExceptionGroup(f"{test.__name__} fails for {len(errors)} cases", errors)

    return of_all
