"""Elementwise kernels of users', differentiated from their text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend.batched import Batched
from gpugrad.formulas import Expression
from gpugrad.graph import TensorBase
from gpugrad.kernel.execution import TURNS, Pin
from gpugrad.kernel.parameters import Parameter, decided, given, letters, parsed, written
from gpugrad.kernel.program import Call, Program, Write, bounds, check_place
from gpugrad.kernel.text import Body, Followed, Signature, Source, follow
from gpugrad.kernel.tokens import Unsupported
from gpugrad.op import expand_to
from gpugrad.op.promotion import as_scalar, to_one_device
from gpugrad.op.saved import edges, is_dual, note_write, up_to_date, wrap
from gpugrad.ops.filled import ones_like, zeros_like
from gpugrad.ops.inplace import check_writable
from gpugrad.ops.joining import cat
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.scatter import index_copy
from gpugrad.ops.segment import index_add

DType = np.dtype[Any]
Shape = tuple[int, ...]

_FOLLOWED = 256  # for how many types and numbers what a text became is remembered


class ElementwiseKernel:
    """A kernel of C++ that runs for each element, as CuPy's, and has derivatives of every order.

    Args:
        in_params: The inputs, such as ``"T x, raw float32 table, int32 k"``.  A letter stands for
            the type of the arguments.
        out_params: The outputs, in the same form.
        operation: What is done for each element ``i`` of ``n``.
        name: The name of the kernel, and of its backward nodes.
        reduce_dims: Taken as CuPy takes it; ``_ind.get()`` has always all axes.
        preamble: Device functions, constants and macros that the operation names.
        no_return: Return ``None``.
        return_tuple: Return a tuple where there is one output, too.
        options: Options of the compiler, of which ``-DNAME=VALUE`` are heeded.
        loop_prep: Statements before the loop over the elements.
        after_loop: Statements behind it.

    It is called with the inputs, and the outputs where they exist already, as tensors, arrays and
    numbers of either device; ``size=`` is the number of elements where all arguments are raw.
    It returns new tensors, of the types of ``out_params``.

    The text is followed symbolically, so it may hold conditions, loops, local arrays and calls of
    functions of the preamble; both sides of a condition are computed and the one is chosen, and
    the side that is not chosen has no part in the gradient.
    Values are computed in the widest floating point type of the parameters and of the variables
    that the text declares; a number such as ``0.5`` does not widen.
    On a GPU the kernel is generated from the same formula.

    Raises:
        NotImplementedError: The text has parts without a formula: threads, shared memory, pointers,
            classes, and atomics other than ``atomicAdd`` are among them.  The error names the part.
        TypeError: Arguments are not of the types of the parameters.
    """

    numbered = True  # the text may name the number of the element, i of n
    owns = True  # results are memory of their own

    def __init__(
        self,
        in_params: str,
        out_params: str,
        operation: str,
        name: str = "kernel",
        reduce_dims: bool = True,
        preamble: str = "",
        no_return: bool = False,
        return_tuple: bool = False,
        *,
        options: Sequence[str] = (),
        loop_prep: str = "",
        after_loop: str = "",
    ):
        """Read the parameters; the text is read when it is first called."""
        self.reduce_dims = reduce_dims
        self.no_return = no_return
        self.return_tuple = return_tuple
        self._begin(
            parsed(in_params),
            parsed(out_params),
            (loop_prep, operation, after_loop),
            name,
            preamble,
            options,
        )

    def _begin(
        self,
        inputs: tuple[Parameter, ...],
        outputs: tuple[Parameter, ...],
        texts: tuple[str, str, str],
        name: str,
        preamble: str,
        options: Sequence[str],
    ) -> None:
        self.in_params, self.out_params = inputs, outputs
        self.texts, self.preamble, self.options = texts, preamble, tuple(options)
        self.name = name
        self.original: Any = None  # CuPy's own kernel of this text
        self._body: Body | None = None
        self._followed: dict[Any, Followed] = {}
        self._pinned: dict[Signature, tuple[Source, ...]] = {}
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    def __repr__(self) -> str:
        return f"<gpugrad.ElementwiseKernel '{self.name}': {self.texts[1].strip()}>"

    @property
    def operation(self) -> str:
        """What is done for each element."""
        return self.texts[1]

    @property
    def nin(self) -> int:
        """The number of inputs."""
        return len(self.in_params)

    @property
    def nout(self) -> int:
        """The number of outputs."""
        return len(self.out_params)

    # ------------------------------------------------------------------ calls

    def __call__(
        self, *args: Any, size: int | None = None, block_size: int = 128, stream: Any = None
    ) -> Any:
        """Run the kernel.

        Raises:
            TypeError: There are too few or too many arguments, or of wrong types.
            ValueError: The number of elements is not known, or the shapes do not fit.
            NotImplementedError: The text has parts without a formula.
            IndexError: An element of a raw array is read that is not there.
        """
        values, given_outputs = self._arguments(args)
        operands = (*values, *given_outputs)
        key = (size, *(_seen(o) for o in operands))
        plan = self._plans.get(key)
        if plan is None:
            every = (*self.in_params, *self.out_params)
            dtypes = (
                decided(every, operands, ())
                if given_outputs
                else decided(self.in_params, values, self.out_params)
            )
            shape = self._shape(values, given_outputs, size)
            outs = dict(zip((p.name for p in self.out_params), given_outputs, strict=False))
            try:
                plan = self.planned(values, outs, dtypes, shape)
            except Unsupported as error:
                options = {} if size is None else {"size": size}
                found = untracked(self, error, self._compiled, operands, options)
                return self._returned(found)
            if len(self._plans) >= _FOLLOWED:
                self._plans.clear()
            self._plans[key] = plan
        return self._returned(self._run(plan, values, given_outputs))

    def _returned(self, found: list[Any]) -> Any:
        if self.no_return:
            return None
        return found[0] if len(found) == 1 and not self.return_tuple else tuple(found)

    def _compiled(self, xp: Any) -> Any:
        """Return CuPy's kernel of the same text."""
        if self.original is None:
            before, operation, after = self.texts
            self.original = xp.ElementwiseKernel(
                written(self.in_params),
                written(self.out_params),
                operation,
                self.name,
                self.reduce_dims,
                self.preamble,
                options=self.options,
                loop_prep=before,
                after_loop=after,
            )
        return self.original

    def computed(
        self,
        values: Sequence[Any],
        outs: Mapping[str, Any],
        dtypes: Mapping[str, DType],
        shape: Shape,
        sizes: Mapping[str, int] = MappingProxyType({}),
    ) -> list[Any]:
        """Return the outputs for arguments of one device whose types are decided.

        ``sizes`` are those of what the text names besides ``_ind``.

        Raises:
            Unsupported: The text has parts without a formula.
        """
        outputs = [outs[p.name] for p in self.out_params if p.name in outs]
        return self._run(self.planned(values, outs, dtypes, shape, sizes), values, outputs)

    def planned(
        self,
        values: Sequence[Any],
        outs: Mapping[str, Any],
        dtypes: Mapping[str, DType],
        shape: Shape,
        sizes: Mapping[str, int] = MappingProxyType({}),
    ) -> _Plan:
        """Return how calls with such arguments are made; see :meth:`computed`."""
        signature = self._signature(values, outs, dtypes)
        scalars = self._scalars(values, outs, shape)
        scalars |= {Source("size", name): size for name, size in sizes.items()}
        followed = self._follow(signature, scalars)
        numbers: dict[Expression, Any] = {}
        for e, source in followed.sources.items():
            if source in scalars:
                known = dtypes.get(source.name) if source.what == "argument" else None
                numbers[e] = as_scalar(scalars[source], known or np.dtype(np.int64))
        compute = followed.program.computed_in(self._compute(followed, dtypes))
        return _Plan(followed, dict(dtypes), shape, compute, numbers)

    def _arguments(self, args: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        if len(args) not in (self.nin, self.nin + self.nout):
            raise TypeError(
                f"Wrong number of arguments for '{self.name}'. It must be either {self.nin} or "
                f"{self.nin + self.nout} (with outputs), but given {len(args)}."
            )
        return arguments(self.name, self.in_params, self.out_params, args)

    def _shape(self, values: Sequence[Any], outs: Sequence[Any], size: int | None) -> Shape:
        plain: list[Shape] = [
            v._array.shape
            for p, v in zip((*self.in_params, *self.out_params), (*values, *outs), strict=False)
            if isinstance(v, TensorBase) and not p.raw
        ]
        if size is not None:
            if plain:
                raise ValueError(
                    "Specified 'size' can be used only if all of the ndarray are 'raw'."
                )
            return (int(size),)
        if not plain:
            raise ValueError("Loop size is undecided.")
        shape = np.broadcast_shapes(*plain)
        for p, v in zip(self.out_params, outs, strict=False):
            if not p.raw and tuple(v.shape) != shape:
                raise ValueError("Out shape is mismatched")
        return shape

    def _signature(
        self, values: Sequence[Any], outs: Mapping[str, Any], dtypes: Mapping[str, DType]
    ) -> Signature:
        ranks: list[tuple[str, int]] = []
        for p, v in zip(self.in_params, values, strict=True):
            if p.raw:
                ranks.append((p.name, v.ndim))
        for p in self.out_params:
            if p.raw:
                if p.name not in outs:
                    raise ValueError("Output array size is Undecided")
                ranks.append((p.name, outs[p.name].ndim))
        numbers = frozenset(
            p.name
            for p, v in zip(self.in_params, values, strict=True)
            if not isinstance(v, TensorBase)
        )
        return Signature(tuple(dtypes.items()), tuple(ranks), numbers, frozenset(outs))

    def _scalars(
        self, values: Sequence[Any], outs: Mapping[str, Any], shape: Shape
    ) -> dict[Source, Any]:
        """Return the numbers that are one for all elements."""
        found: dict[Source, Any] = {Source("size"): prod(shape)}
        raws = dict(outs)
        for p, v in zip(self.in_params, values, strict=True):
            if not isinstance(v, TensorBase):
                found[Source("argument", p.name)] = v
            elif p.raw:
                raws[p.name] = v
        for name, raw in raws.items():
            found[Source("size", name)] = prod(raw.shape)
            for axis, length in enumerate(raw.shape):
                found[Source("shape", name, axis)] = length
        for axis, length in enumerate(shape):
            found[Source("shape", "", axis)] = length
        return found

    def _follow(self, signature: Signature, scalars: Mapping[Source, Any]) -> Followed:
        if self._body is None:
            types = [p.letter for p in (*self.in_params, *self.out_params) if p.dtype is None]
            self._body = Body(self.texts, self.preamble, self.options, types, self.numbered)
        names = self._pinned.get(signature, ())
        dtypes = dict(signature.dtypes)
        letters_ = letters((*self.in_params, *self.out_params), dtypes)
        few = {s for s, value in scalars.items() if abs(value) <= TURNS}
        while True:
            pinned = {s: scalars[s] for s in names if s in few}
            key = signature, tuple(pinned.items())
            found = self._followed.get(key)
            if found is not None:
                return found
            try:
                found = follow(
                    self._body, signature, self.in_params, self.out_params, letters_, pinned, few
                )
            except Pin as pin:
                names = (*names, *pin.sources)
                self._pinned[signature] = names
                continue
            if len(self._followed) >= _FOLLOWED:
                self._followed.clear()
            self._followed[key] = found
            return found

    def _run(self, plan: _Plan, values: Sequence[Any], given_outputs: Sequence[Any]) -> list[Any]:
        program, shape = plan.followed.program, plan.shape
        named = dict(zip((p.name for p in self.in_params), values, strict=True))
        outs = dict(zip((p.name for p in self.out_params), given_outputs, strict=False))
        example = next(v for v in (*values, *given_outputs) if isinstance(v, TensorBase))
        raws = {p.name: named[p.name] for p in self.in_params if p.raw}
        raws |= {p.name: outs[p.name] for p in self.out_params if p.raw}
        names = plan.followed.names
        call = Call(self.name, plan.compute, shape, raws, names)
        known: dict[Expression, Any] = dict(plan.numbers)
        for e, source in plan.followed.sources.items():
            if e in known:
                continue
            if source.what == "argument":
                known[e] = named[source.name]
            elif source.what == "before":
                known[e] = outs[source.name].clone()  # it is written, and may be saved
            else:
                known[e] = _numbered(source, shape, example)
        call.run(program, known)
        plain = [p for p in self.out_params if not p.raw]
        kinds = [plan.dtypes[p.name] for p in plain]
        found = call.computed(program, program.outputs, known, kinds)
        results: dict[str, Any] = {}
        for p, value, kind, e in zip(plain, found, kinds, program.outputs, strict=True):
            results[p.name] = whole(
                value, shape, kind, example, self.owns and e.function == "variable"
            )
        writes_to: dict[str, list[Write]] = {}
        for write in program.writes:
            writes_to.setdefault(write.raw, []).append(write)
        for name, writes in writes_to.items():
            results[name] = _written(call, program, writes, known, outs[name])
        for name, out in outs.items():
            if name in results:
                out.copy_(results[name])
        return [outs.get(p.name, results.get(p.name)) for p in self.out_params]

    def _compute(self, followed: Followed, dtypes: Mapping[str, DType]) -> DType:
        """Return the type to compute in: the widest floating point type of all."""
        kinds = [_dtype.of(d) for d in dtypes.values()]
        kinds += [_dtype.of(t.dtype) for t in followed.widest if t.bits >= 16 and t.kind in _WIDE]
        floating = [k for k in kinds if k.category >= _dtype.FLOAT]
        if not floating:
            return np.dtype(np.float64)
        result = floating[0]
        for k in floating[1:]:
            result = _dtype.promote_types(result, k)
        return result.numpy


_WIDE = ("real", "complex")


@dataclass(frozen=True)
class _Plan:
    """How calls with arguments of certain types and shapes, and certain numbers, are made."""

    followed: Followed
    dtypes: Mapping[str, DType]
    shape: Shape
    compute: DType
    numbers: Mapping[Expression, Any]


def _seen(operand: Any) -> Any:
    """Return what a plan depends on of an operand."""
    if isinstance(operand, TensorBase):
        array = operand._array
        return array.dtype, array.shape
    return operand.__class__, operand


def arguments(
    name: str, inputs: Sequence[Parameter], outputs: Sequence[Parameter], args: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Return the inputs and the given outputs, tensors of one device, and numbers.

    Raises:
        TypeError: One is none of these, an output or a raw argument is a number, or an output is an
            array of NumPy's or CuPy's although an input requires grad.
        RuntimeError: An output may not be written.
    """
    every = (*inputs, *outputs)[: len(args)]
    found = to_one_device(given(name, every, args))
    made = found[len(inputs) :]
    if not all(isinstance(o, TensorBase) for o in made):
        raise TypeError("Output arguments must be arrays or tensors")
    if any(map(backend.is_array, args[len(inputs) :])) and _tracked(found):
        raise TypeError(
            f"{name}: an output is a plain array, which has no history, but an input requires "
            "grad. Give a tensor, such as gpugrad.as_tensor(array), or no output."
        )
    for out in made:  # before one of them is written
        check_writable(out)
    for p, value in zip(every, found, strict=True):
        if p.raw and not isinstance(value, TensorBase):
            raise TypeError(f"'{p.name}' is raw: it must be an array or a tensor")
    return found[: len(inputs)], made


def _tracked(operands: Sequence[Any]) -> bool:
    """Tell whether one of the operands has a derivative that would be recorded."""
    tensors = [o for o in operands if isinstance(o, TensorBase)]
    return edges(tensors) is not None or any(map(is_dual, tensors))


def untracked(
    kernel: Any,
    error: Unsupported,
    compiled: Callable[[Any], Any],
    operands: Sequence[Any],
    options: Mapping[str, Any],
) -> list[Any]:
    """Return what CuPy's own kernel gives, if that is all that is asked.

    Raises:
        NotImplementedError: A derivative may be asked for, or the operands are not on a GPU.
    """
    tensors = [o for o in operands if isinstance(o, TensorBase)]
    where = backend.of(tensors[0]._array)
    if (
        _tracked(tensors)
        or where.type != "cuda"
        or any(isinstance(t._array, Batched) for t in tensors)
    ):
        raise NotImplementedError(
            f"the kernel '{kernel.name}' has no formula, and so no derivative and no form on the "
            f"CPU: {error}. Write it without that, or pair the kernel with its backward: "
            "gpugrad.raw_kernel"
        ) from None
    for tensor in tensors:
        up_to_date(tensor)
    count = len(kernel.in_params)
    arrays = [o._array if isinstance(o, TensorBase) else o for o in operands]
    found = compiled(where.xp)(*arrays, **options)
    for tensor in operands[count:]:
        note_write(tensor)
    if len(operands) > count:
        return list(operands[count:])
    return [wrap(a) for a in (found if isinstance(found, tuple) else (found,))]


def _numbered(source: Source, shape: Shape, example: Any) -> Any:
    """Return the number of each element, or its place on an axis, where ``example`` lies."""
    count, lengths = prod(shape), shape
    if source.what == "place":
        if source.axis >= len(shape):
            raise IndexError(
                f"axis {source.axis} of a kernel whose elements have {len(shape)} axes"
            )
        count = shape[source.axis]
        lengths = tuple(count if k == source.axis else 1 for k in range(len(shape)))
    door, where = _home(example)
    return wrap(door.count(count, where).reshape(lengths))


def _home(example: Any) -> tuple[backend.Backend, Any]:
    """Return the backend and the device of a tensor, of one example for all of vmap's."""
    array = example._array
    while isinstance(array, Batched):
        array = array.array
    door = backend.of(array)
    return door, door.device_of(array)


def whole(value: Any, shape: Shape, dtype: DType, example: Any, kept: bool) -> Any:
    """Return an output in memory of its own, of all elements."""
    if not isinstance(value, TensorBase):
        door, where = _home(example)
        return wrap(door.full(shape, value, dtype, where))
    tensor: Any = value
    if tensor._array.shape != shape:
        return expand_to(tensor, shape=shape).clone()
    return tensor.clone() if kept else tensor


def _written(
    call: Call, program: Program, writes: Sequence[Write], known: dict[Expression, Any], out: Any
) -> Any:
    """Return a raw output after the kernel.

    Raises:
        RuntimeError: Two threads set one element.
    """
    size = prod(out.shape)
    flat = out.reshape(-1)
    result = cat([flat, flat.new_zeros(1)])  # one element more takes what is not written
    places = []
    for write in writes:
        index, value, holds = call.computed(
            program,
            (write.index, write.value, write.holds),
            known,
            [np.dtype(np.int64), out._array.dtype, np.dtype(np.bool_)],
        )
        index, value, holds = (_line(v, call.shape, out) for v in (index, value, holds))
        low, high = bounds(where(holds, index, 0))
        check_place(write.raw, low, high, size, "writes")
        place = where(holds, index, size)
        places.append(place)
        if write.added:
            result = index_add(result, 0, place, value)
        else:
            result = index_copy(result, 0, place, value)
    if not writes[0].added:
        every = cat(places)
        counted = index_add(zeros_like(result, dtype=_dtype.int64), 0, every, ones_like(every))
        if size and bounds(counted[:size])[1] > 1:
            raise RuntimeError(
                f"the kernel '{call.name}' sets one element of '{writes[0].raw}' in two threads, "
                "and which one wins is not known; add by atomicAdd, or set each element once"
            )
    return result[:size].reshape(out.shape)


def _line(value: Any, shape: Shape, example: Any) -> Any:
    """Return a value for each element, in one dimension."""
    if not isinstance(value, TensorBase):
        value = whole(value, shape, value.dtype, example, False)
    return expand_to(value, shape=shape).reshape(-1)
