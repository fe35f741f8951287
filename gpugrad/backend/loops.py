"""Loops of formulas: what is built, with what else, and what runs them.

A loop is built when it is first needed, with those of the formula's gradients.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import struct
import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.formulas import Formula
from gpugrad.kernels import host

DType = np.dtype[Any]


class Kernel(NamedTuple):
    """The loop of a formula, and what it reads and writes."""

    loop: int
    inputs: tuple[DType, ...]
    outputs: tuple[DType, ...]
    items: bytes  # the bytes of an element of each


class Frames(NamedTuple):
    """What runs loops over arrays, and what stands above loops' text."""

    run: Any
    header: str


# what a loop reads, and what it writes
Types = tuple[()] | tuple[tuple[DType, ...], tuple[DType, ...]]

_kernels: dict[tuple[Formula, DType, Types], Kernel | None] = {}
_building = threading.RLock()


@functools.cache
def frames() -> Frames | str:
    """Return what runs loops, or why there are none: building it shows what the compiler can."""
    from gpugrad.backend import compiler

    made = with_frames("")
    return made if isinstance(made, str) else Frames(made.gpugrad_run, _header(compiler.found()))


def with_frames(text: str) -> ctypes.CDLL | str:
    """Return what is built of the frames and of a text below them, or why there is nothing."""
    from gpugrad.backend import compiler

    try:
        head = f"#define HEAD {object.__basicsize__}\n{_header(compiler.found())}"
        made = compiler.built(head + host.FRAMES + text)
    except compiler.BuildError as error:
        return str(error)
    run = made.gpugrad_run
    run.argtypes = ctypes.c_char_p, ctypes.py_object, ctypes.c_int
    run.restype = ctypes.c_int
    return _checked(run) or made


def _header(compiler: Any) -> str:
    return host.header(compiler.vectors)


def described() -> str:
    """Return which compiler builds loops, and where they are kept, or why there are none."""
    from gpugrad.backend import compiler

    known = frames() if frames.cache_info().currsize else None
    try:
        version = compiler.version()
    except compiler.BuildError as error:
        known = str(error)
    if isinstance(known, str) or _refused:
        return f"none but NumPy's. {known if isinstance(known, str) else _refused[0]}"
    count = f"{threads()} thread{'s' * (threads() > 1)}"
    return f"{version}, {count}, kept in {compiler.folder()}"


def _checked(run: Any) -> str:
    """Return what is wrong if a sum of an array is not what it must be."""
    array = np.arange(6, dtype=np.float64).reshape(3, 2)
    out = np.zeros(2)
    run(described_call(0, bytes((8, 8)), 1, 0, (1, 3, 2)), [array, out], 1)
    return "" if out.tolist() == [6.0, 9.0] else "NumPy's arrays lie differently in memory"


_CALL = struct.Struct(f"P3l3i{host.OPERANDS}s0P")  # as frames.cpp has it


def described_call(
    loop: int, items: bytes, inputs: int, summed: int, sizes: tuple[int, int, int]
) -> bytes:
    """Return what ``Frames.run`` asks of a call besides its arrays and the number of threads.

    Args:
        loop: The formula's loop; 0: the only input is summed itself.
        items: The bytes of an element of each operand.
        inputs: How many of these are inputs.
        summed: Which output is summed; -1: none.
        sizes: What the elements before, along and after the axes are that it is summed over.
    """
    return _CALL.pack(loop, *sizes, inputs, len(items) - inputs, summed, items)


def kernel(formula: Formula, compute: DType, types: Types = ()) -> Kernel | None:
    """Return the loop of a formula that reads and writes such types; ``None`` if there is none.

    Without ``types`` they are those that it computes in.
    """
    key = formula, compute, types
    try:
        return _kernels[key]
    except KeyError:
        pass
    with _building:
        if key not in _kernels:
            _kernels[key] = None
            if host.printable(formula, accumulation(compute)):
                _try([formula] if types else [formula, *_gradients(formula)], compute, types)
        return _kernels[key]


_refused: list[str] = []  # what the compiler said of loops that it could not build


def _try(formulas: Iterable[Formula], compute: DType, types: Types) -> None:
    """Build loops; where that fails NumPy computes, as it does without a compiler."""
    from gpugrad.backend import compiler

    try:
        build(formulas, compute, types)
    except compiler.BuildError as error:
        _refused.append(str(error))


def build(formulas: Iterable[Formula], compute: DType, types: Types = ()) -> None:
    """Build the loops of formulas in one library; those that can have none are left out.

    Raises:
        BuildError: The compiler fails.
    """
    from gpugrad.backend import compiler

    known = frames()
    if isinstance(known, str):
        return
    new = [
        f for f in dict.fromkeys(formulas)
        if _kernels.get((f, compute, types)) is None
        and host.printable(f, accumulation(compute))
    ]  # fmt: skip
    texts = [host.loop(f"loop{k}", f, compute, *types) for k, f in enumerate(new)]
    made = compiler.built(known.header + host.needed(new, compute) + "".join(texts))
    for k, f in enumerate(new):
        inputs, outputs = types or host.dtypes(f, compute)
        items = bytes([d.itemsize for d in (*inputs, *outputs)])
        loop = ctypes.cast(getattr(made, f"loop{k}"), ctypes.c_void_p).value
        assert loop is not None
        _kernels[f, compute, types] = Kernel(loop, inputs, outputs, items)


def _gradients(formula: Formula) -> Iterator[Formula]:
    """Return the formulas of the gradients that a call is likely to be followed by."""
    count = len(formula.inputs)
    if "_vjp" in formula.name or "_jvp" in formula.name or count > 3:
        return
    defined = (True,) * len(formula.outputs)
    for needs in itertools.product((False, True), repeat=count):
        found = formula.vjp(needs, defined).formula if any(needs) else None
        if found is None:
            continue
        computed = [k for k, e in enumerate(found.outputs) if e.function != "variable"]
        if computed:
            yield found.part(tuple(computed))[0]
            if len(found.outputs) == 1:
                yield found


# --------------------------------------------------------------------------- threads

_threads: int | None = None


def threads() -> int:
    """Return among how many threads large arrays are shared out."""
    global _threads
    if _threads is None:
        asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
        affinity = getattr(os, "sched_getaffinity", None)
        cores = len(affinity(0)) if affinity else os.cpu_count() or 1
        _threads = int(asked) if asked.isdecimal() and int(asked) else cores
    return _threads


# Elements that are worth a thread, where there is work for several.
_SHARE, _SHARED = 1 << 17, 1 << 19


def threads_for(size: int) -> int:
    """Return among how many threads so many elements are shared out."""
    return min(threads(), size // _SHARE) if size >= _SHARED else 1


def set_threads(count: int) -> None:
    """Share large arrays out to so many threads."""
    global _threads
    _threads = count
