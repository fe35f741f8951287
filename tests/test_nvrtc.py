"""Every generated kernel compiles for real GPUs; neither a GPU nor an emulated one is needed."""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import pkgutil
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

import choice
import gpugrad
from gpugrad import _dtype
from gpugrad.formulas import BOOL, COMPLEX, REAL, Expression, Formula
from gpugrad.op import OPS
from hostcuda import nvrtc

pytestmark = [pytest.mark.nvrtc, pytest.mark.slow]

DType = np.dtype[Any]
BOOLEAN, COMPLEX64 = np.dtype(np.bool_), np.dtype(np.complex64)
BFLOAT16 = gpugrad.bfloat16.numpy  # like float16 in all but the name of the type
FLOATS = [np.dtype(d) for d in ("float16", "float32", "float64")]
CAPTURED = (False, True)  # whether a kernel is for a CUDA graph
INTEGERS = [np.dtype(d) for d in ("bool", "uint8", "int8", "int16", "int32", "int64")]
UNSIGNED = [np.dtype(d) for d in ("uint16", "uint32", "uint64")]

# Operations that have no meaning for complex numbers: by order, and by PyTorch's refusal.
REAL_ONLY = {"lt", "le", "gt", "ge", "softplus_formula", "logaddexp"} | {
    name
    for name, op in OPS.items()
    if op.promotion in ("real", "number", "floating", "whole") or op.taken[1] < _dtype.COMPLEX
}
WHOLE_ONLY = {name for name, op in OPS.items() if op.promotion in ("integer", "whole")}
COMPLEX_ONLY = {"imaginary_part"}
EXPONENTS = (0, 1, 2, 3, 0.5, -0.5, -1, -2)


class Kernel(NamedTuple):
    """One kernel to be generated."""

    name: str
    formula: Formula
    dtypes: tuple[DType, ...]
    compute: DType
    results: tuple[DType, ...]


# --------------------------------------------------------------------------- what there is


def formulas() -> Iterator[tuple[str, str, Formula]]:
    """Return name, kind of number and formula of every operation."""
    for name, op in OPS.items():
        if name not in WHOLE_ONLY | COMPLEX_ONLY:
            yield name, REAL, op.build(REAL)
        if name not in WHOLE_ONLY | REAL_ONLY:
            yield name, COMPLEX, op.build(COMPLEX)
    for exponent in EXPONENTS:
        for kind in REAL, COMPLEX:
            yield f"power {exponent}", kind, OPS["power"].build(kind).bound(1, exponent)


def masks(count: int) -> list[tuple[bool, ...]]:
    return [m for m in itertools.product((False, True), repeat=count) if any(m)]


def written(mask: Sequence[bool]) -> str:
    return "".join("01"[m] for m in mask)


def products(formula: Formula) -> Iterator[tuple[str, Formula]]:
    """Return the gradient formula for each choice of inputs that need one."""
    for needs in masks(len(formula.inputs)):
        if any(n and v.kind == BOOL for n, v in zip(needs, formula.inputs, strict=True)):
            continue
        product = formula.vjp(needs, (True,) * len(formula.outputs))
        if product.targets:
            yield f"inputs {written(needs)}", product.formula


def tangents(formula: Formula) -> Iterator[tuple[str, Formula]]:
    """Return the forward-mode formula for each choice of inputs that move."""
    for moving in masks(len(formula.inputs)):
        if any(m and v.kind == BOOL for m, v in zip(moving, formula.inputs, strict=True)):
            continue
        product = formula.jvp(moving)
        if product.targets:
            yield f"moving {written(moving)}", product.formula


def orders(formula: Formula) -> Iterator[tuple[str, Formula]]:
    """Return a formula, and those of its first and second derivatives."""
    yield "order 0", formula
    for mask, by_math in products(formula.in_math):
        yield f"order 1 by math {mask}", by_math
    for mask, first in products(formula):
        yield f"order 1 {mask}", first
        for second_mask, second in products(first):
            yield f"order 2 {mask}, {second_mask}", second
    for mask, forward in tangents(formula):
        yield f"forward mode {mask}", forward


def element(e: Expression, compute: DType) -> DType:
    """Return the type in which an input or output of a formula is stored."""
    if e.kind == BOOL:
        return BOOLEAN
    if e.kind == REAL and compute.kind == "c":
        return np.dtype(f"f{compute.itemsize // 2}")
    return compute


def kernel(name: str, formula: Formula, compute: DType) -> Kernel:
    dtypes = tuple(element(v, compute) for v in formula.inputs)
    results = tuple(element(e, compute) for e in formula.outputs)
    return Kernel(f"{name}, {compute.name}", formula, dtypes, compute, results)


@functools.cache
def floating(*more: DType) -> list[Kernel]:
    """Return the kernels of all orders and floating point types, and of more of these."""
    return [
        kernel(f"{name}, {order}", found, compute)
        for name, kind, formula in formulas()
        for order, found in orders(formula)
        for compute in ([*more, *FLOATS] if kind == REAL else [COMPLEX64])
    ]


def whole(kinds: Sequence[DType] = INTEGERS) -> Iterator[Kernel]:
    """Return the forward kernels of integers and bools."""
    for name, op in OPS.items():
        if name in COMPLEX_ONLY:
            continue
        for dtype in kinds:
            if op.taken[0] > _dtype.INTEGER:
                continue
            if op.promotion in ("float", "real"):
                compute = FLOATS[1]
            elif dtype.kind != "b" or op.promotion == "compare" or op.promotion == "integer":
                compute = dtype
            else:
                continue
            dtypes = tuple(BOOLEAN if v.kind == BOOL else dtype for v in op.formula.inputs)
            results = (op.result_type(op, compute),)
            yield Kernel(f"{name}, order 0, {dtype.name}", op.formula, dtypes, compute, results)


# --------------------------------------------------------------------------- their sources


def unique(found: Iterator[tuple[str, str, str]]) -> dict[str, str]:
    """Return sources by name, of equal ones the first; the kernel's own name does not count."""
    names: dict[str, str] = {}
    for name, source, function in found:
        names.setdefault(source.replace(function, "gpugrad_kernel"), name)
    return {name: source for source, name in names.items()}


def elementwise_sources(kernels: Sequence[Kernel]) -> dict[str, str]:
    from gpugrad.kernels.elementwise import elementwise

    def all_of_them() -> Iterator[tuple[str, str, str]]:
        texts: set[tuple[str, ...]] = set()
        for k in kernels:
            made = elementwise(k.formula, k.dtypes, k.compute, k.results)
            text = (made.operation, *(f"{p.ctype} {p.name}" for p in made.params))
            if text not in texts:  # asking CuPy for the whole source takes a while
                texts.add(text)
                source = nvrtc.elementwise_source(made, 1, (*k.dtypes, *k.results))
                yield k.name, source, made.name

    return unique(all_of_them())


def reduction_sources(kernels: Sequence[Kernel]) -> dict[str, str]:
    from gpugrad.kernels.reduction import reduction

    def all_of_them() -> Iterator[tuple[str, str, str]]:
        for k in kernels:
            if "order 0" not in k.name and len(k.results) == 1:
                mean = k.name.startswith("sum")
                made = reduction(k.formula, k.dtypes, k.compute, k.results[0], mean)
                source = nvrtc.reduction_source(made, 2, (*k.dtypes, k.results[0]))
                yield f"sum of {k.name}", source, made.name

    return unique(all_of_them())


def own_sources() -> dict[str, str]:
    """Return the texts of kernels that are made of no formula."""
    from gpugrad.kernels import (
        attention,
        bounds,
        classes,
        convolution,
        normalization,
        norms,
        philox,
        recurrent,
        scan,
        segment,
        softmax,
    )  # fmt: skip
    from gpugrad.kernels.reduction import position_kernel, size_kernel
    from gpugrad.kernels.search import search_kernel

    def all_of_them() -> Iterator[tuple[str, str, str]]:
        yield from steps()
        yield from few_elements()
        for dtype in (*FLOATS[1:], COMPLEX64, np.dtype(np.complex128)):
            for least in False, True:
                made = size_kernel(dtype, least)
                real = np.empty(0, dtype).real.dtype
                source = nvrtc.reduction_source(made, 2, (dtype, real))
                yield f"{made.name}, {dtype.name}", source, made.name
        for dtype in (*FLOATS, BFLOAT16):
            for greatest in False, True:
                made = position_kernel(dtype, greatest)
                source = nvrtc.reduction_source(made, 2, (dtype, INTEGERS[-1]))
                yield f"{made.name}, {dtype.name}", source, made.name
        for dtype in INTEGERS[1:]:
            made = bounds.kernel(dtype)
            yield f"bounds, {dtype.name}", made.code, made.name
        for dtype in (*FLOATS, BFLOAT16, COMPLEX64, *INTEGERS, *UNSIGNED):
            few = dtype not in (FLOATS[0], FLOATS[1], INTEGERS[0], INTEGERS[-1])
            for way in ("sum", "last") if few else ("sum", "prod", "amax", "amin", "last"):
                for index in INTEGERS[-2:] if dtype == FLOATS[1] else INTEGERS[-1:]:
                    for made in segment.kernels(dtype, index, way)[:2]:
                        name = f"{made.name}, {way} of {dtype.name} at {index.name}"
                        yield name, made.code, made.name
        for dtype in INTEGERS[1::2]:
            made = segment.numbered()
            types = (dtype, *INTEGERS[-1:] * 2, INTEGERS[-2])
            source = nvrtc.elementwise_source(made, 1, types, (True, None, None, True))
            yield f"numbered, {dtype.name}", source, made.name
        for dtype in (*FLOATS[:2], *INTEGERS[-1:]):
            for right in False, True:
                made = search_kernel(right)
                types = (dtype, dtype, *INTEGERS[-1:] * 3)
                source = nvrtc.elementwise_source(made, 1, types, (True, True, None, None, True))
                yield f"{made.name}, {dtype.name}", source, made.name
        draws = [philox.kernel(name, captured) for name in philox.KERNELS for captured in CAPTURED]
        for made in (*draws, *map(philox.announcement, CAPTURED)):
            dtypes = [np.dtype(p.dtype) for p in (*made.in_params, *made.out_params)]
            flags = [True if p.raw or p.dtype == "d" else None for p in made.in_params]
            source = nvrtc.elementwise_source(made, 1, dtypes, (*flags, True))
            yield f"{made.name} of random numbers", source, made.name
        for kind in ("sum", "prod", "logaddexp", "recurrence", "max", "min"):
            for dtype in (*FLOATS, BFLOAT16, COMPLEX64)[: 4 if kind in ("max", "min") else 5]:
                for body in "row", "column":
                    for stage in ("whole", "total", "rest") if dtype == FLOATS[1] else ("whole",):
                        made = scan.raw(kind, dtype, body, stage, kind == "sum")
                        yield f"{stage} {kind} by {body}, {dtype.name}", made.code, made.name
            made = scan.raw(kind, FLOATS[1], "carry", "carry", False)
            yield f"carry of {kind}", made.code, made.name
        for dtype, result in *((d, d) for d in (*FLOATS, BFLOAT16)), (FLOATS[0], FLOATS[2]):
            for log in False, True:
                for gradient in (False, True) if dtype == result else (False,):
                    made = softmax.raw(dtype, result, log, gradient)
                    yield f"{made.name}, {dtype.name} as {result.name}", made.code, made.name
        for dtype in (*FLOATS, BFLOAT16):
            for make in classes.forward, classes.gradient:
                yield f"{make(dtype).name}, {dtype.name}", make(dtype).code, make(dtype).name
            for gradient, own in (False, False), (True, False), (True, True):
                for weight, centered in (dtype, True), (None, False):
                    bias = None if gradient else weight
                    made = normalization.raw(dtype, weight, bias, centered, gradient, own)
                    name = f"{made.name}, {dtype.name}, {weight}, {own}"
                    yield name, made.code, made.name
        tiles = [attention.Kind(dtype, None, 1, 16, False) for dtype in (*FLOATS, BFLOAT16)]
        tiles.append(attention.Kind(FLOATS[1], BOOLEAN, 4, 128, True))
        tiles.append(attention.Kind(FLOATS[2], FLOATS[2], 2, 64, False))
        for tile in tiles:
            for gradient in False, True:
                made = attention.raw(tile, gradient)
                yield f"{made.name}, {tile}", made.code, made.name
        for dtype, wide in itertools.product((*FLOATS, BFLOAT16), (1, 2, 4)):
            for product in convolution.NAMES:
                made = convolution.raw(product, dtype, dtype, wide)
                yield f"{made.name}, {dtype.name}, {wide}", made.code, made.name
        for dtype in (*FLOATS, BFLOAT16):
            yield f"norm, {dtype.name}", norms.raw(dtype).code, norms.raw(dtype).name
        for kind in recurrent.FORWARD:
            for dtype in (*FLOATS, BFLOAT16):
                for gradient in False, True:
                    made = recurrent.raw(kind, gradient, dtype)
                    yield f"{made.name}, {dtype.name}", made.code, made.name
        for kind in "sum", "max":
            made = scan.raw(kind, INTEGERS[-1], "row", "whole", False)
            yield f"whole {kind} of integers", made.code, made.name

    return unique(all_of_them())


STEPS: dict[str, list[dict[str, Any]]] = {
    "SGD": [{}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}],
    "Adam": [{}, {"amsgrad": True, "maximize": True}], "AdamW": [{}], "Adamax": [{}],
    "NAdam": [{}], "RAdam": [{}], "RMSprop": [{}, {"centered": True, "momentum": 0.9}],
    "Adagrad": [{}], "Adadelta": [{}], "ASGD": [{}], "Rprop": [{}],
}  # fmt: skip


def steps() -> Iterator[tuple[str, str, str]]:
    """Return the texts of optimizers' steps."""
    from gpugrad.kernels import update
    from gpugrad.optim import elementwise

    for name, cases in STEPS.items():
        for options in cases:
            kind: Any = getattr(gpugrad.optim, name)
            optimizer = kind([gpugrad.ones(1)], **options)
            group = optimizer.param_groups[0]
            states = len(optimizer.shaped(group))
            on = frozenset([flag for flag in kind.flags if group.get(flag)])
            found, _ = elementwise.update_of(kind, on, states)
            for dtype in (*FLOATS, BFLOAT16):
                made = update.kernel(found.formula, 2 + states, found.targets, dtype)
                yield f"{name} {options}, {dtype.name}", made.code, made.name


def few_elements() -> Iterator[tuple[str, str, str]]:
    """Return the texts of sums and maxima of a few elements at a time."""
    from gpugrad.kernels import taps

    place = INTEGERS[-1]
    for dtype in (*FLOATS, BFLOAT16, COMPLEX64, *INTEGERS[1:]):
        for weights in (), (taps.weight_type(dtype),):
            weighing = taps.weighing(dtype, bool(weights))
            types = (dtype, place, *weights, *(place,) * 4, dtype)
            arrays: list[nvrtc.Contiguity] = [True] * (2 + len(weights))
            source = nvrtc.elementwise_source(weighing, 1, types, (*arrays, *[None] * 4, True))
            yield f"{weighing.name}, {dtype.name}", source, weighing.name
    greatest = taps.greatest()
    for dtype in (*FLOATS, BFLOAT16, *INTEGERS[1:]):
        for number in np.dtype(np.uint8), np.dtype(np.int32):
            types = (dtype, *(place,) * 12, dtype, number)
            flags = (*[True] * 4, *[None] * 9, True, True)
            source = nvrtc.elementwise_source(greatest, 1, types, flags)
            yield f"{greatest.name}, {dtype.name} at {number.name}", source, greatest.name
            if dtype.kind in "fV":
                made = taps.spreading(dtype)
                types = (dtype, number, *(place,) * 18, dtype)
                flags = (*[True] * 8, *[None] * 12, True)
                source = nvrtc.elementwise_source(made, 1, types, flags)
                yield f"{made.name}, {dtype.name} at {number.name}", source, made.name


def plain_sums() -> Iterator[Kernel]:
    """Return the sums and inner products that are no gradients."""
    from gpugrad.kernels.summation import plain, product

    for dtype in [*FLOATS, BFLOAT16, COMPLEX64, np.dtype(np.complex128), *INTEGERS, *UNSIGNED]:
        complex_ = dtype.kind == "c"
        whole = np.dtype(np.int64) if dtype.kind in "biu" else dtype
        yield Kernel(f"sum, {dtype.name}", plain(complex_), (dtype,), whole, (whole,))
        if dtype.kind != "b":
            yield Kernel(f"dot, {dtype.name}", product(complex_), (dtype,) * 2, dtype, (dtype,))
    for dtype, wider in (FLOATS[0], FLOATS[1]), (FLOATS[1], FLOATS[2]):
        name = f"sum, {dtype.name} as {wider.name}"
        yield Kernel(name, plain(False), (dtype,), wider, (wider,))


def raw_sources(kernels: Sequence[Kernel]) -> dict[str, str]:
    """Return the kernels of dense operands, rows and numbers, wide and narrow."""
    from gpugrad.kernels import dense
    from gpugrad.kernels.layout import HELD, WHOLE, Way

    def all_of_them() -> Iterator[tuple[str, str, str]]:
        for k in kernels:
            for name, ways, width in read(k):
                made = dense.raw(k.formula, ways, k.compute, k.results, width, False)
                yield f"{k.name}, {name}", made.code, made.name
            ways = (Way(WHOLE, k.dtypes[0]), *(Way(HELD, d) for d in k.dtypes[1:]))
            made = dense.raw(k.formula, ways, k.compute, k.results, 2, True)
            yield f"{k.name}, of 64 bits", made.code, made.name

    return unique(all_of_them())


def raw_sum_sources(kernels: Sequence[Kernel]) -> dict[str, str]:
    """Return the sums along rows and columns, wide and narrow."""
    from gpugrad.kernels import summation

    def all_of_them() -> Iterator[tuple[str, str, str]]:
        for k in kernels:
            for pattern in "rows", "columns":
                for name, ways, width in read(k):
                    last, long = len(k.results) - 1, width == 1
                    made = summation.raw(
                        k.formula, ways, k.compute, k.results, last, pattern, width, long
                    )
                    yield f"{pattern} of {k.name}, {name}", made.code, made.name

    return unique(all_of_them())


def read(k: Kernel) -> Iterator[tuple[str, Any, int]]:
    """Return ways to read the operands of a kernel, and how many elements at once."""
    from gpugrad.kernels.layout import BYTES, ONE, ROW, VALUE, WHOLE, Way

    whole = tuple(Way(WHOLE, d) for d in k.dtypes)
    mixed = tuple(
        Way(way, d) for way, d in zip(itertools.cycle((WHOLE, ROW, ONE)), k.dtypes, strict=False)
    )
    width = max(1, BYTES // max(d.itemsize for d in (*k.dtypes, *k.results)))
    yield "whole", whole, width
    yield "narrow", tuple(Way(VALUE, w.dtype) if w.name == ONE else w for w in mixed), 1
    if len(k.dtypes) > 1:
        yield "rows and numbers", mixed, width


# --------------------------------------------------------------------------- the tests


def in_turns(kernels: Sequence[Kernel]) -> list[Kernel]:
    """Return of kernels that differ in their type alone one, the types taking turns."""
    if choice.thorough:
        return list(kernels)
    found: dict[str, list[Kernel]] = {}
    for k in kernels:
        found.setdefault(k.name.rpartition(", ")[0], []).append(k)
    return [same[turn % len(same)] for turn, same in enumerate(found.values())]


def of_order(kernels: Sequence[Kernel], *orders: str) -> list[Kernel]:
    """Return the kernels of the named orders; "order 1" has those by math, too."""
    return [k for k in kernels if any(order in k.name for order in orders)]


def sources_of_formulas() -> dict[str, str]:
    """Return all texts of formulas, those of higher orders in one type.

    What is new in them is the formula: how a type is written is known from the others.
    """
    low = of_order(floating(), "order 0", "order 1")
    high = of_order(floating(), "order 2", "forward mode")
    return elementwise_sources([*low, *in_turns(high), *whole(), *in_turns([*whole(UNSIGNED)])])


def sources_of_frames() -> dict[str, str]:
    """Return what is written around a formula: for each way to read operands, and to sum."""
    low = [k for k in of_order(floating(BFLOAT16), "order 0", "order 1") if "math" not in k.name]
    low = in_turns(low)
    first = of_order(low, "order 1")
    return {
        **reduction_sources([*first, *plain_sums()]),
        **raw_sources([*low, *in_turns([*whole([*INTEGERS, *UNSIGNED])])]),
        **raw_sum_sources([*first, *plain_sums()]),
        **own_sources(),
    }


def sources_of_functions() -> dict[str, str]:
    """Return each function of the device in each type once, and each frame around a product."""
    products = [k for k in of_order(floating(), "order 1") if k.name.startswith("mul, order 1 in")]
    return {
        **elementwise_sources([*of_order(floating(), "order 0"), *whole()]),
        **reduction_sources([*products, *plain_sums()]),
        **raw_sources(products),
        **raw_sum_sources([*products, *plain_sums()]),
        **own_sources(),
    }


NEWEST, OLDER = 90, (75, 80)


def test_every_formula_compiles() -> None:
    """A text of a formula, or of its derivative, that is no C++."""
    nvrtc.compile_many(sources_of_formulas(), NEWEST, options=nvrtc.fast_options())


def test_every_frame_compiles() -> None:
    """A kernel that cannot read, sum or write what its formula is of."""
    nvrtc.compile_many(sources_of_frames(), NEWEST, options=nvrtc.fast_options())


@pytest.mark.parametrize("arch", OLDER)
def test_all_that_is_used_of_a_device_is_there_in_older_ones(arch: int) -> None:
    """An instruction, or a function of half precision, that came later."""
    every = {**sources_of_formulas(), **sources_of_frames()} if choice.thorough else {}
    found = {**sources_of_functions(), **every}
    nvrtc.compile_many(found, arch, options=nvrtc.fast_options())


def accesses(text: str, kind: str) -> list[str]:
    """Return the widths of a kernel's loads or stores, those of the widest step first."""
    return re.findall(rf"{kind}\.global\.(v\d\.\w\d+|\w\d+)", text)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64"])
def test_memory_is_read_and_written_by_16_bytes(dtype: str) -> None:
    from gpugrad.kernels import dense, summation
    from gpugrad.kernels.layout import BYTES, ROW, WHOLE, Way

    wide = {"float16": "v4.u32", "float32": "v4.f32", "float64": "v2.f64", "complex64": "v4.f32"}
    d = np.dtype(dtype)
    product = OPS["mul"].build(COMPLEX if d.kind == "c" else REAL).vjp((True, True), (True,))
    whole, row = Way(WHOLE, d), Way(ROW, d)
    width = BYTES // d.itemsize
    elementwise = dense.raw(product.formula, (whole, whole, row), d, (d, d), width, False)
    rows, columns = (
        summation.raw(product.formula, (whole, whole, row), d, (d, d), 1, pattern, width, False)
        for pattern in ("rows", "columns")
    )

    for kernel, loads, stores in (elementwise, 3, 2), (rows, 3, 1), (columns, 3, 1):
        text = nvrtc.ptx(kernel.code, 90)
        assert accesses(text, "ld").count(wide[dtype]) >= loads, kernel.name
        assert "ld.local" not in text, kernel.name
        found = accesses(text, "st")
        if dtype == "complex64":  # NVRTC writes half a vector of them at once
            assert found.count("v2.f32") >= 2 * stores, kernel.name
        else:
            assert found.count(wide[dtype]) >= stores, kernel.name


def test_nothing_is_left_out() -> None:
    names = [k.name for k in floating()]
    for name in OPS:
        if name in WHOLE_ONLY:
            continue
        for dtype in "float16", "float32", "float64":
            assert (f"{name}, order 0, {dtype}" in names) == (name not in COMPLEX_ONLY)
        assert (f"{name}, order 0, complex64" in names) == (name not in REAL_ONLY)
    for expected in (
        "power, order 1 inputs 11, float32",
        "power, order 1 inputs 01, complex64",
        "mul, order 2 inputs 11, inputs 011, float16",
        "gelu_exact, order 2 inputs 1, inputs 11, float64",
    ):
        assert expected in names
    assert set(OPS) >= REAL_ONLY | WHOLE_ONLY | COMPLEX_ONLY


def test_every_function_that_makes_kernels_is_asked_for_some() -> None:
    """A kernel of a new kind, which the lists above do not know."""
    import gpugrad.kernels

    names = [m.name for m in pkgutil.iter_modules(gpugrad.kernels.__path__, "gpugrad.kernels.")]
    makers = [
        f for name in names for f in vars(importlib.import_module(name)).values()
        if hasattr(f, "cache_clear") and "Kernel" in str(inspect.signature(f).return_annotation)
    ]  # fmt: skip
    assert len(makers) > 10
    for f in makers:
        f.cache_clear()

    some = [k for k in of_order(floating(), "order 1") if k.name.startswith("mul, order 1 in")][:1]
    for sources in elementwise_sources, reduction_sources, raw_sources, raw_sum_sources:
        sources(some)
    own_sources()
    assert [f"{f.__module__}.{f.__name__}" for f in makers if not f.cache_info().currsize] == []


def test_a_kernel_that_does_not_compile_is_named() -> None:
    from gpugrad.formulas import FUNCTIONS, Function, call, variable

    x = variable("x")
    FUNCTIONS["unwritten"] = Function("unwritten({})", "unwritten({})")
    try:
        broken = Formula("broken", (x,), (call("unwritten", x),))
        made = elementwise_sources([kernel("broken, order 1 inputs 1", broken, FLOATS[1])])
    finally:
        del FUNCTIONS["unwritten"]
    with pytest.raises(
        nvrtc.KernelError, match=r"(?s)broken, order 1 inputs 1, float32.*sm_90.*unwritten"
    ):
        nvrtc.compile_many(made, 90)
