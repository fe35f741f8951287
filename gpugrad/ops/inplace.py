"""Operations that write into a tensor, and what they do to its history."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad.backend import cpu
from gpugrad.backend.batched import Batched, BatchedBackend, has_room, levels_of, no_room
from gpugrad.errors import size
from gpugrad.formulas import REAL
from gpugrad.graph import (
    FAR,
    LEAF,
    Counter,
    Node,
    Output,
    TensorBase,
    View,
    inferring,
    leads_nowhere,
    mode,
    next_sequence,
    recording,
    rehang,
    restoring,
    scoped,
)
from gpugrad.op import OPS, Elementwise, Pointwise, cast, function_of, linear, public, saved
from gpugrad.op.arguments import Arguments
from gpugrad.op.batching import lift_itself
from gpugrad.op.dual import attach, has_tangents, tangent_of
from gpugrad.op.forms import Public
from gpugrad.op.generated import inplace as generated
from gpugrad.op.generated.pointwise import GIVEN
from gpugrad.op.generated.public import caller
from gpugrad.op.history import (
    belong,
    check_rewritable,
    overlaps_itself,
    renew,
    rewrite,
    same_place,
    settle,
    still,
    write_part,
)
from gpugrad.op.kind import Value
from gpugrad.op.number import check_word, checked_number, half_for
from gpugrad.op.operation import Index
from gpugrad.op.promotion import as_operand, is_operand, result_type
from gpugrad.op.saved import (
    Like,
    note,
    note_write,
    own_array,
    shared_counter,
    type_name,
    up_to_date,
    wrap,
    zeros,
)
from gpugrad.op.writable import ON_EACH_OTHER, SHARED, addresses, check_memory, check_scope
from gpugrad.ops import scatter, shape
from gpugrad.ops.copy import clone
from gpugrad.ops.indexing import add_at, getitem, items_of, parsed, shape_at
from gpugrad.ops.pointwise.operand import Number
from gpugrad.ops.pointwise.power import widest

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


def check_writable(self: TensorBase, *operands: Any) -> None:
    """Raise where PyTorch forbids to write into ``self``.

    Raises:
        RuntimeError: A leaf that requires grad, or a view that :func:`check_rewritable` refuses,
            while recording; a tensor of inference mode outside of it; memory that several elements
            share.
    """
    check_examples(self, *operands)
    check_history(self, *operands)
    check_memory(self, *operands)


def check_examples(self: TensorBase, *operands: Any, function: str = "inplace arithmetic") -> None:
    """See that ``self`` has the hidden axes of what a function writes to it.

    What is the same for every example needs no memory for each: ``self`` and its base are lifted
    where that is recorded.

    Raises:
        RuntimeError: There is no memory for each example.
    """
    check_scope(self)
    for o in operands:
        if isinstance(o, TensorBase):
            up_to_date(o)
        array = o._array if isinstance(o, TensorBase) else o
        if not isinstance(array, Batched):
            continue
        if not has_room(self._array, array):
            raise no_room(function)
        recorded = mode.enabled and isinstance(o, TensorBase) and o._edge is not None
        if set(levels_of(array)) <= set(levels_of(self._array)) or not (
            recorded or has_tangents((o,))
        ):
            continue
        door = backend.joined([backend.of(self._array), backend.of(array)])
        assert isinstance(door, BatchedBackend)
        for t in (self,) if self._view is None else (self, self._view.base):
            lift_itself(t, door)


def check_history(self: TensorBase, *operands: Any) -> None:
    """Raise where the history of ``self`` forbids a write."""
    check_scope(self)
    if mode.levels and (fixed := getattr(self._counter, "fixed", "")):
        raise RuntimeError(fixed)
    if not mode.enabled:
        return
    if self._view is None:
        if self._edge is LEAF:
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation."
            )
    elif any(_tracked(t) for t in (self, self._view.base, *operands)):
        check_rewritable(self)
        belong(self)


def _tracked(operand: Any) -> bool:
    if not isinstance(operand, TensorBase):
        return False
    if operand._edge is None:
        renew(operand)
    return operand._edge is not None


def inplace(function: Callable[..., Any], self: Any, *operands: Any, **options: Any) -> Any:
    """Write ``function(self, *operands)`` into ``self``, whose history becomes that of the result.

    Raises:
        RuntimeError: ``self`` may not be written, or cannot hold the result's shape or type.
    """
    if self._view is not None and write_part(function, self, operands, options):
        return self
    check_writable(self, *operands)
    return overwrite(function, self, *operands, **options)


# What PyTorch calls the nodes of these where they are written in place.
_WRITTEN = {
    f"{name}Backward0": f"{name}Backward1"
    for name in ("Celu", "Elu", "LeakyRelu", "RreluWithNoise", "Threshold")
}


def overwrite(function: Callable[..., Any], self: Any, *operands: Any, **options: Any) -> Any:
    """Do what :func:`inplace` does, where it is known that ``self`` may be written.

    Raises:
        RuntimeError: Elements of ``self`` lie on each other, and what is written has a derivative:
            that of the one that remained is not known.
    """
    recording = mode.enabled and any(
        isinstance(t, TensorBase) and t._edge is not None for t in (self, *operands)
    )
    moving = mode.levels and has_tangents((self, *operands))
    if not recording and not moving and _direct(function, self, operands):
        return self
    if (recording or moving) and overlaps_itself(self._array):
        raise RuntimeError(ON_EACH_OTHER)
    observed = recording and mode.enabled is not True  # what is saved may be anywhere
    begun = next_sequence()
    # the node must see the old value and the old history, and must not hold self (a cycle)
    old = before_write(self) if moving or observed else wrap(self._array)
    old._edge = self._edge
    if mode.replay is not None and function not in (_replaced, _filled_by_tensor):
        mode.replay.made(old, (self,))
    result = function(old, *(old if o is self else o for o in operands), **options)
    node = result._edge.node if isinstance(result._edge, Output) else result._edge
    if isinstance(node, Node) and (name := _WRITTEN.get(node.rule.op.name)):
        node.rule = node.rule.op.named(name).rule(node.rule.needs, 1)
    result = _fitting(self, result)
    if isinstance(node, Node) and node.saved and any(s is old for s in node.saved):
        old._array = backend.of(self._array).copy(self._array)
    backend.of(self._array).assign(own_array(self), result._array)
    if recording:
        rewrite(self, result._edge, begun)
    if moving:
        move(self, result)
    note_write(self, result)
    return self


def before_write(self: Any) -> Any:
    """Return a copy of a tensor that is about to be written, with copies of its tangents."""
    old = wrap(backend.of(self._array).copy(self._array))
    for level in mode.levels:
        tangent = tangent_of(self, level)
        if tangent is not None:
            attach(old, level, clone(tangent))
    return old


def move(self: Any, result: Any) -> None:
    """Write the tangents of a result into those of the tensor that was written."""
    settle(self)
    for level in mode.levels:
        before, tangent = tangent_of(self, level), tangent_of(result, level)
        if before is None and tangent is None:
            continue
        if before is None:
            before = still(self, level, tangent)
        with scoped(None):  # whosever it is
            copy_(before, 0 if tangent is None else tangent)


def _fitting(self: Any, result: Any) -> Any:
    check_fits(self, result._array.shape, result._array.dtype)
    return result if result._array.dtype == self._array.dtype else cast(
        result, dtype=self._array.dtype
    )  # fmt: skip


def check_fits(self: TensorBase, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise where a result cannot be written into ``self``.

    Raises:
        RuntimeError: The shape differs, or the type is of a higher category.
    """
    if shape != self._array.shape:
        raise _other_shape(self, shape)
    source, target = _dtype.of(dtype), _dtype.of(self._array.dtype)
    if not _dtype.can_cast(source, target):
        raise RuntimeError(
            f"result type {source.title} can't be cast to the desired output type {target.title}"
        )


def check_shape(self: TensorBase, operands: Sequence[Any]) -> None:
    """Raise where what is computed of a tensor and operands has another shape than that.

    Raises:
        RuntimeError: It has, or the tensor may not be written at all.
    """
    own = self._array.shape
    shapes = [o._array.shape for o in operands if isinstance(o, TensorBase)]
    if any(shape != own for shape in shapes):
        try:
            shape = errors.broadcast_shape(own, *shapes)
        except RuntimeError:
            check_writable(self, *operands)  # which PyTorch looks at first
            raise
        if shape != own:
            check_writable(self, *operands)
            raise _other_shape(self, shape)


def _other_shape(self: TensorBase, shape: Sequence[int]) -> RuntimeError:
    return RuntimeError(
        f"output with shape {size(self._array.shape)} doesn't match the broadcast shape "
        f"{size(shape)}"
    )


def _direct(function: Callable[..., Any], self: Any, operands: tuple[Any, ...]) -> bool:
    """Compute straight into the memory of ``self`` where the operation is one formula."""
    op = getattr(function, "op", None)
    if not isinstance(op, Pointwise):
        return False
    array = self._array
    kind: Elementwise = op
    compute = array.dtype
    values: list[Any] = [self, *operands]
    if not (compute.kind == "f" and op.promotion == "default" and _alike(values)):
        values, compute = op.prepare(values)
        kind = op.of_kind(compute.kind == "c")
        shapes = [v._array.shape for v in values if isinstance(v, TensorBase)]
        check_fits(self, errors.broadcast_shape(*shapes), op.result_type(kind, compute))
    arrays = [v._array if isinstance(v, TensorBase) else v for v in values]
    door = backend.of(array)
    out = own_array(self)
    if any(_overlaps(door, a, out) for a in arrays[1:]):
        return False
    arrays[0] = out
    door.evaluate(kind.formula, arrays, compute, [out.dtype], out=out)
    note_write(self, *values)
    return True


def _alike(values: list[Any]) -> bool:
    """Tell whether all are tensors of one shape, type and array library: nothing to promote."""
    first = values[0]._array
    return all(
        isinstance(v, TensorBase)
        and v._array.dtype is first.dtype
        and v._array.shape == first.shape
        and v._array.__class__ is first.__class__
        for v in values[1:]
    )


def _overlaps(door: backend.Backend, array: Array, out: Array) -> bool:
    if isinstance(array, np.generic) or array is out:
        return False
    return bool(door.xp.may_share_memory(array, out))


# --------------------------------------------------------------------------- the forms


def form(declared: Public, operator: str = "") -> Callable[..., Any]:
    """Return the in-place form of a function, a method, or one of Python's operators."""
    plain, name = declared.plain, declared.inplace_name
    op = getattr(plain, "op", None)
    if "shape" in declared.inplace:
        write = rearranging(plain)
    elif hasattr(plain, "choose"):
        write = selected(declared.tensor_first(plain.choose)[1])
    elif not isinstance(op, Pointwise):
        computed = alike(plain, declared.out == "dtype") if "alike" in declared.inplace else plain
        spoken = "inplace arithmetic" if "arithmetic" in declared.inplace else name
        write = placed(computed, spoken)
    else:
        write = {"compare": decision, "integer": integral}.get(op.promotion, arithmetic)(plain)
    made = caller(Arguments(name, declared.tensor_first(plain)[0], write, method=True))
    if operator:
        made = operated(made, declared.parameters[1].annotation == "Operand")
    formula = op or getattr(declared.formula, "op", None)
    if (
        formula is not None
        and formula.specializes
        and declared.numbers is GIVEN
        and not formula.numbered
    ):
        scales = not operator and any(p.name == "alpha" for p in declared.parameters)
        made = generated.inplace(formula, name, made, scales)
    made = declared.dressed(made, "inplace", name)
    made.__name__ = operator or made.__name__
    return made


def operated(write: Callable[..., Any], numbers: bool) -> Callable[..., Any]:
    """Return a method as an operator, which leaves what is no operand to the other's class."""

    def applied(self: Any, other: Any) -> Any:
        return write(self, other) if is_operand(other, numbers) else NotImplemented

    return applied


def arithmetic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the in-place form of a formula.

    Raises:
        RuntimeError: The tensor is complex, and the result is not.
    """
    op: Pointwise = function.op  # type: ignore[attr-defined]

    def write(self: Any, *operands: Any) -> Any:
        check_shape(self, operands)
        if self._array.dtype.kind == "c" and op.of_kind(True).formula.outputs[0].kind == REAL:
            raise RuntimeError(f"In-place {op.function} is not supported for complex tensors.")
        return inplace(function, self, *operands)

    return write


def selected(choose: Callable[..., Any]) -> Callable[..., Any]:
    """Return the in-place form of a function that selects another, as ``choose`` does."""

    def write(self: Any, *operands: Any, **options: Any) -> Any:
        chosen, values = choose(self, *operands, **options)
        if values[0] is self:
            return inplace(chosen, self, *values[1:])
        return inplace(lambda _, *others: chosen(values[0], *others), self, *values[1:])

    return write


def placed(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return the in-place form of a function that writes at some places of its tensor.

    ``name`` is what an error of ``vmap`` calls it.
    """

    def write(self: Any, *operands: Any, **options: Any) -> Any:
        check_examples(self, *operands, function=name)
        return inplace(function, self, *operands, **options)

    return write


def alike(function: Callable[..., Any], typed: bool) -> Callable[..., Any]:
    """Return a function whose result must be of the shape and type of its first tensor.

    It computes in that type if it is ``typed`` and no other is given.

    Raises:
        RuntimeError: The result is not.
    """

    def computed(self: Any, *operands: Any, **options: Any) -> Any:
        if typed and options.get("dtype") is None:
            options["dtype"] = _dtype.of(self._array.dtype)
        result = function(self, *operands, **options)
        before, after = self._array, result._array
        for what, given, wanted in (
            ("size", size(before.shape), size(after.shape)),
            ("dtype", _dtype.of(before.dtype).c_name, _dtype.of(after.dtype).c_name),
        ):
            if given != wanted:
                raise RuntimeError(
                    f"Bad in-place call: input tensor {what} {given} and output tensor {what} "
                    f"{wanted} should match"
                )
        return result

    return computed


_conj_physical = function_of(
    Pointwise("ConjPhysicalBackward1", "conj_physical_", OPS["conjugate"].build, "default")
)


@public()
def conj_physical_(self: Tensor) -> Tensor:
    """Conjugate the tensor in place."""
    return inplace(_conj_physical, self)


@public(function=False)
def float_power_(self: Tensor, exponent: Any) -> Tensor:
    """Write the tensor to the power exponent into it, a tensor of double precision."""
    wanted = widest(self, exponent)
    if self._array.dtype != wanted:
        given, needed = (_dtype.of(d).title for d in (self._array.dtype, wanted))
        raise RuntimeError(
            f"the base given to float_power_ has dtype {given} but the operation's result "
            f"requires dtype {needed}"
        )
    return self.pow_(exponent)


@linear("LtBackward0")
def decided(door: backend.Backend, *inputs: Array) -> Array:
    return inputs[0]


@decided.gradient
def inputs(g: Any, likes: Sequence[Like], needs: Sequence[bool]) -> list[Any]:
    return [zeros(like) if needed else None for like, needed in zip(likes, needs, strict=True)]


def decision(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the in-place form of a comparison or a logical operation.

    What it writes is 0 or 1 in the type of the tensor, and its gradient is 0: also that of the
    logical operations, after which PyTorch takes the gradient of what was there before.
    """
    title = function.__name__.title().replace("_", "")
    named = [decided.named(f"{title}Backward{k}") for k in range(2)]

    def decide(self: Any, *others: Any) -> Any:
        result = cast(function(self, *others), dtype=self._array.dtype)
        tensors = [o for o in others if isinstance(o, TensorBase)]
        return named[len(tensors)](result, self, *tensors)

    decide.op = function.op  # type: ignore[attr-defined]

    def write(self: Any, *others: Any) -> Any:
        check_shape(self, others)
        return inplace(decide, self, *others)

    return write


def integral(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the in-place form of a formula of integers."""

    def write(self: Any, *others: Any) -> Any:
        operands = [as_operand(f"{function.__name__}_", "other", 0, o) for o in others]
        check_shape(self, operands)
        check_fits(self, self._array.shape, result_type([self, *operands]).numpy)
        return inplace(function, self, *others)

    return write


# --------------------------------------------------------------------------- the tensor's own shape

# The node of a function that changes the tensor itself, by that of the function that makes a view.
_OWN = {
    "AsStridedBackward0": "AsStridedBackward1",
    "TBackward0": "TBackward1",
    "TransposeBackward0": "TransposeBackward1",
    "UnsqueezeBackward0": "UnsqueezeBackward1",
    "SqueezeBackward0": "SqueezeBackward3",
    "SqueezeBackward1": "SqueezeBackward4",
    "SqueezeBackward2": "SqueezeBackward5",
}


@functools.cache
def _own_op(op: Any) -> Any:
    return op.named(_OWN[op.name])


def rearranging(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the form of a function that makes a view which changes the tensor itself.

    No memory is written, but it counts as a write, as in PyTorch.  The history follows the shape
    also where nothing is recorded, except for a leaf: that must not have been used before.
    """

    @restoring
    def apply_(self: Any, *args: Any, **kwargs: Any) -> Any:
        check_history(self)
        edge = self._edge
        old = wrap(own_array(self))
        old._edge = None if edge is LEAF else edge  # a leaf that is not recorded remains one
        old._view = view = self._view
        for level in mode.levels:
            if (tangent := tangent_of(self, level)) is not None:
                attach(old, level, tangent)
        with recording(True):  # the history must fit the shape, whoever changed that
            result = function(old, *args, **kwargs)
        node = result._edge
        if node is not None:
            node.rule = _own_op(node.op).rule(node.rule.needs, 1)
            rehang(self, node)
        self._array = result._array
        for level in mode.levels:
            if (tangent := tangent_of(result, level)) is not None:
                attach(self, level, tangent)
        note_write(self, self)
        if view is not None and result._view.edge is FAR:
            self._view = result._view
            self._view.version = shared_counter(self).value
        return self

    return apply_


# --------------------------------------------------------------------------- assignment


_transpose_ = rearranging(shape.t)


@public(function=False)
def t_(self: Tensor) -> Tensor:
    """Exchange the rows and columns of the tensor itself, and return it."""
    check_history(self)
    shape.check_matrix("t_", self)
    return _transpose_(self)


@linear("ZeroBackward0")
def zeroed(door: backend.Backend, input: Array) -> Array:
    return door.full(input.shape, 0, input.dtype, door.device_of(input))


@zeroed.gradient
def input(g: Any) -> Any:
    return zeroed(g)


_filled = zeroed.named("FillBackward2")


@linear("torch::autograd::CopyBackwards")
def _replaced(door: backend.Backend, input: Array, src: Array) -> Array:
    return door.broadcast_to(src, input.shape)


@_replaced.gradient
def input(g: Any) -> Any:
    return zeroed(g)


@_replaced.gradient
def src(g: Any) -> Any:
    return g


_filled_by_tensor = _replaced.named("FillBackward3")


@public()
@generated.zeroing
def zero_(self: Tensor) -> Tensor:
    """Fill the tensor with zeros in place."""
    return fill_with(self, 0, zeroed)


@public()
def fill_(self: Tensor, value: Value) -> Tensor:
    """Fill the tensor with a number, or with a 0-d tensor, in place."""
    if isinstance(value, TensorBase):
        if value._array.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{value._array.ndim} dimensions."
            )
        check_examples(self, value, function="fill_")
        return inplace(_filled_by_tensor, self, _ready(self, value))
    if not isinstance(value, bool | int | float | complex):
        raise TypeError(f"fill_(): argument 'value' must be a number, not {type(value).__name__}")
    number = checked_number(value, _dtype.of(self._array.dtype), half_for(self._array.shape))
    return fill_with(self, number, _filled)


@public(method=False)
def fill(input: Tensor, value: Value) -> Tensor:
    """Return a copy filled with a number, or with a 0-d tensor; the gradient of ``input`` is 0."""
    return fill_(clone(input), value)


@public(function=False)
def fill_diagonal_(self: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
    """Write a number where all indices are equal.

    Args:
        self: At least two dimensions, of one length where there are more.
        fill_value: The number.
        wrap: Whether the diagonal of a tall matrix begins again, with a row between.

    Raises:
        RuntimeError: There are fewer dimensions, or several lengths.
    """
    lengths = self._array.shape
    if len(lengths) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(lengths) > 2 and len(set(lengths)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    strides, start = self.stride(), self.storage_offset()
    step, count, width = sum(strides), min(lengths), lengths[-1]
    fill_(self.as_strided((count,), (step,), start), fill_value)
    if wrap and len(lengths) == 2 and lengths[0] > width + 1:
        more = -(-self._array.size // step) - count
        fill_(self.as_strided((more,), (step,), start + strides[0] * (width + 1)), fill_value)
    return self


def fill_with(self: Any, value: Any, op: Any) -> Any:
    """Write a number, or an array that has no history, into all elements; ``op`` is recorded."""
    check_history(self)  # elements that share memory receive the same
    backend.of(self._array).assign(own_array(self), value)
    if mode.levels:
        move(self, self.detach())
    if mode.enabled and self._edge is not None:
        old = wrap(self._array)
        old._edge = self._edge
        begun = next_sequence()
        rewrite(self, op(old)._edge, begun)
    note_write(self)
    return self


@public(function=False)
@generated.copying
def copy_(self: Tensor, src: Value, non_blocking: bool = False) -> Tensor:
    """Copy the values of another tensor in place: broadcast, cast, moved between devices.

    Raises:
        RuntimeError: The shape does not broadcast to that of the tensor.
    """
    if isinstance(src, bool | int | float | complex):
        return fill_(self, src)
    if not isinstance(src, TensorBase):
        if not backend.is_array(src):
            raise errors.must_be_tensor("copy_", "other", 1, src)
        src = wrap(src)
    check_writable(self, src)
    shape = self._array.shape
    if src._array.shape != shape:
        check_fits(self, errors.broadcast_shape(shape, src._array.shape), self._array.dtype)
    return overwrite(_replaced, self, _ready(self, src))


def _ready(self: Tensor, src: Any) -> Any:
    """Return a source with the device, the type and the shape of what it is written to."""
    moved = src.to(self.device)
    if moved._array.dtype != self._array.dtype:
        moved = cast(moved, dtype=self._array.dtype)
    return moved if moved._array.shape == self._array.shape else moved.expand(self._array.shape)


# --------------------------------------------------------------------------- x[index] = value


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def _is_simple(key: Any) -> bool:
    """Tell whether an index is of integers and slices by integers, with steps that are positive."""
    for item in key if key.__class__ is tuple else (key,):
        if item.__class__ is slice:
            for bound in (item.start, item.stop, item.step):
                if bound is not None and bound.__class__ is not int:
                    return False
            if item.step is not None and item.step <= 0:
                return False
        elif item.__class__ is not int:
            return False
    return True


_EXACT = 2**53  # up to which doubles hold all integers
_SAFE = 2.0**63  # what every type of more than 16 bits holds, and an integer of 64 bits


def _has_history(tensor: TensorBase, view: Any) -> bool:
    """Tell whether a tensor, or what it is a view of, is more than its array."""
    if view is None:
        return bool(mode.enabled and tensor._edge is not None)
    if view.base.__class__ is not saved.tensor_class:
        return True
    return bool(mode.enabled and (tensor._edge is not None or view.base._edge is not None))


def _set_plain(self: Any, key: Any, value: Any) -> bool:
    """Write at a simple index where there is no history, as far as that takes no more than NumPy.

    It tells whether it did so; nothing is done where it did not.
    """
    array, view, counter = self._array, self._view, self._counter or shared_counter(self)
    if (
        self.__class__ is not saved.tensor_class
        or array.__class__ is not np.ndarray
        or array.dtype.kind != "f"
        or array.itemsize < 4
        or counter.__class__ is not Counter
        or inferring
        or mode.levels
        or not (array.base is None or array.flags.forc)
    ):
        return False
    if _has_history(self, view):
        return False
    try:
        part = array[(*key, ...) if key.__class__ is tuple else (key, ...)]
        if value.__class__ is float or value.__class__ is int:
            if not -_SAFE < value < _SAFE:
                return False
            cpu.quietly(part.fill, value)
        elif value.__class__ is saved.tensor_class:
            source = value._array
            if (
                source.dtype is not array.dtype
                or source.shape != part.shape
                or _has_history(value, value._view)
            ):
                return False
            there = value._counter is counter and same_place(source, part)  # as after x[i] += 1
            if not there and not np.may_share_memory(source, part):
                part[...] = source
            elif not there and not same_place(source, part):
                return False
        else:
            return False
    except (IndexError, RuntimeError, ValueError):
        return False
    note(counter, part)
    if view is not None and view.edge is view.base._edge:
        view.version = counter.value
    return True


def _is_there(self: Any, key: Any, value: Any) -> bool:
    """Note that a part with a history is written once more, with itself, as after ``x[i] += 1``.

    The node of the first write says all that there is to say.  It tells whether it did so; nothing
    is done where it did not.
    """
    view, own = value._view, self._view
    if view is None:
        return False
    base, node = self if own is None else own.base, value._edge
    if (
        view.base is not base
        or view.edge is not base._edge
        or view.origin
        or (own is not None and (own.origin or own.edge is not view.edge))
        or node.__class__ is not Node
        or node.hooks is not None
        or leads_nowhere(node)
        or not self.__class__ is value.__class__ is base.__class__ is saved.tensor_class
        or self._array.__class__ is not value._array.__class__
        or value._array.__class__ is Batched
        or value._array.dtype.kind != "f"
        or value._counter.__class__ is not Counter
        or mode.enabled is not True
        or mode.calls
        or mode.levels
        or mode.scope is not None
        or mode.replay is not None
        or inferring
    ):
        return False
    array, counter = value._array, value._counter
    if not getattr(counter, "writes", ()) or counter.writes[-1].array is not array:
        return False
    try:
        part = self._array[(*key, ...) if key.__class__ is tuple else (key, ...)]
    except IndexError:
        return False
    if not same_place(part, array) or overlaps_itself(base._array):
        return False
    note(counter, array)
    view.version = counter.value
    if own is not None:
        own.version = counter.value
    return True


def _write_there(self: Any, key: Any, value: Any) -> bool:
    """Write a value into a part with a history, of which no node is made to be lost.

    The value is of the part's shape, or one number without a history.

    It tells whether it did so; nothing is done where it did not.
    """
    array, own = self._array, self._view
    if array.__class__ is not np.ndarray or not mode.enabled:
        return False
    try:
        part = array[(*key, ...) if key.__class__ is tuple else (key, ...)]
    except IndexError:
        return False
    number = not value._array.ndim and value._edge is None
    if part.shape == array.shape or not (number or part.shape == value._array.shape):
        return False
    base = self if own is None else own.base
    place = wrap(part)
    place._counter = counter = shared_counter(self)
    place._view = View(base, "" if own is None else own.origin, base._edge, counter.value)
    return write_part(_replaced, place, (value,), {}, lost=True)


@public(function=False, method=False, operators="__setitem__")
def setitem(self: Tensor, key: Any, value: Any) -> None:
    """Write a number or a tensor at an index: into the view there, as ``copy_`` does.

    Raises:
        IndexError: The index does not fit.
        RuntimeError: A leaf that requires grad, or a value whose shape does not broadcast.
    """
    simple = _is_simple(key)
    if simple and _set_plain(self, key, value):
        return
    if simple and isinstance(value, TensorBase) and _is_there(self, key, value):
        return
    leaf = mode.enabled and self._edge is LEAF
    index, arrays = parsed(self, key) if leaf or not simple else ((), False)
    if leaf:
        whole = all(i is Ellipsis or i == slice(None) for i in index if not hasattr(i, "dtype"))
        raise RuntimeError(
            f"a {'' if whole else 'view of a '}leaf Variable that requires grad is being used in "
            "an in-place operation."
        )
    door = backend.of(self._array)
    given = value
    if isinstance(value, bool | int | float | complex):
        check_word(value)
        kind = self._array.dtype
        number = checked_number(value, _dtype.of(kind), half_for(()))
        wide = kind.kind == "f" and kind.itemsize >= 4 and abs(number) <= _EXACT
        array = np.asarray(number, kind if wide else None)
        value = wrap(door.from_numpy(array, door.device_of(self._array)))
    elif not isinstance(value, TensorBase):
        if not backend.is_array(value):
            raise TypeError(f"can't assign a {type(value).__name__} to a {type_name(self)}")
        value = wrap(value).to(self.device)
    elif not self._array.__class__ is value._array.__class__ is np.ndarray:
        value = value.to(self.device)  # type: ignore[attr-defined]
    if value._array.dtype != self._array.dtype:
        value = cast(value, dtype=self._array.dtype)
    if arrays:
        _put_at_arrays(self, Index.of(index, items_of(key)), value)
        return
    if simple and _write_there(self, key, value):
        return
    check_examples(self, value)
    place = getitem(self, key)
    target = place._array.shape
    if target == self._array.shape and place._array.strides == self._array.strides:
        place = self  # all of it: no part of it keeps its history
    if isinstance(given, bool | int | float | complex) and overlaps_itself(place._array):
        check_memory(place)
        fill_(place, given)  # elements that lie on each other receive the same
        return
    if value._array.shape != target:
        extra = len(value._array.shape) - len(target)
        if extra > 0 and set(value._array.shape[:extra]) == {1}:
            value = value.reshape(value._array.shape[extra:])
        value = value.expand(target)  # raises where it does not fit
    inplace(_replaced, place, value)


def _put_at_arrays(self: Tensor, index: tuple[Any, ...], value: Tensor) -> None:
    check_examples(self, *index, value, function="index_put_")
    check_writable(self, value)
    if value is self or (
        value._counter is not None
        and value._counter is self._counter
        and addresses(self._array) == addresses(value._array) is not None
    ):
        raise RuntimeError(SHARED)
    self._array = own_array(self)
    target = shape_at(self, index)
    while value._array.ndim and value._array.shape[0] == 1:
        value = value.reshape(value._array.shape[1:])
    if not _broadcasts(value._array.shape, target):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {size(value._array.shape)} cannot be "
            f"broadcast to indexing result of shape {size(target)}"
        )
    moving = mode.levels and has_tangents((self, value))
    if moving or (mode.enabled and (self._edge is not None or value._edge is not None)):
        overwrite(lambda t, v: scatter.assigned(t, v, index=index), self, value)
    else:
        scatter.put(backend.of(self._array), self._array, index, value._array)
        note_write(self, self, value)


@public(function=False)
def index_put_(
    self: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False
) -> Tensor:
    """Write values at indices in place, or add them, where ``accumulate``, each as often as named.

    Raises:
        RuntimeError: The values are of another type, or do not broadcast to what is indexed.
        TypeError: ``indices`` is one tensor.
    """
    if isinstance(indices, TensorBase):
        raise TypeError(
            "index_put_(): argument 'indices' (position 1) must be tuple of Tensors, not Tensor"
        )
    places = [slice(None) if i is None else i.reshape(i.shape or 1) for i in indices]
    index, _ = parsed(self, tuple(places))
    index = Index.of(index, places)
    source, target = _dtype.of(values._array.dtype), _dtype.of(self._array.dtype)
    if source is not target:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{target.title} for the destination and {source.title} for the source."
        )
    if not accumulate:
        _put_at_arrays(self, index, values)
        return self
    place = shape_at(self, index)
    check_examples(self, *index, values, function="index_put_")
    return inplace(
        lambda t, v: t + add_at(v.expand(place), shape=t._array.shape, index=index), self, values
    )


@public()
def index_put(
    input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False
) -> Tensor:
    """Return a copy with values written at indices; see :func:`index_put_`."""
    return index_put_(input.clone(), indices, values, accumulate)
