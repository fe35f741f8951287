"""What all processes of a group do together with their tensors.

Tensors are overwritten in place, and no gradient goes to another process.  All functions return
``None`` when they have done it, or with ``async_op=True`` a :class:`Work`, until whose end the
tensors may not be touched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.distributed.buffers import (
    Buffer,
    check_list,
    check_tensor,
    check_types,
    joined,
    like,
)
from gpugrad.distributed.group import ProcessGroup, chosen, is_member, rank_in
from gpugrad.distributed.work import ReduceOp, Request, Work


def started(
    group: ProcessGroup,
    request: Request,
    finish: Callable[[], None],
    result: Any,
    async_op: bool,
    timeout: Any = None,
) -> Work | None:
    """Return what was started as a work, or wait for it."""
    work = Work(request, finish, timeout or group.timeout, result)
    if async_op:
        return work
    work.wait()
    return None


def _check_op(function: str, op: Any, tensor: Tensor) -> None:
    if not isinstance(op, ReduceOp):
        raise TypeError(f"{function}: op must be a ReduceOp, not {type(op).__name__}")
    ordered = op in (ReduceOp.MIN, ReduceOp.MAX) and tensor.dtype.is_complex
    bits = op in (ReduceOp.BAND, ReduceOp.BOR, ReduceOp.BXOR)
    if ordered or (bits and (tensor.dtype.is_complex or tensor.dtype.is_floating_point)):
        kind = "complex" if ordered or tensor.dtype.is_complex else "floating point"
        raise ValueError(f"{function} does not support {op} on {kind} tensors")


def all_reduce(
    tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Put the tensors of all processes together, elementwise; all receive the result in theirs.

    16-bit floats are added up in float32 and rounded once.

    Raises:
        DistBackendError: A process has ended, or did not come in time.
        TypeError: It is no tensor.
        ValueError: The group has not begun, or the operation is none for the type.
    """
    check_tensor(tensor, "tensor")
    if not is_member(group, "all_reduce"):
        return None
    _check_op("all_reduce", op, tensor)
    here = chosen(group)
    buffer = Buffer(tensor, here, written=True)
    request = here.engine.all_reduce(buffer.array, op)
    return started(here, request, buffer.give_back, [tensor], async_op)


def broadcast(
    tensor: Tensor,
    src: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:
    """Give the others the tensor of one process, in theirs, which are of its type and shape.

    Args:
        tensor: What is given, or receives.
        src: Whose it is, as a number in all processes.
        group: Which processes.
        async_op: Whether a work is returned at once.
        group_src: Whose it is, as a number in the group, in the place of ``src``.
    """
    check_tensor(tensor, "tensor")
    if not is_member(group, "broadcast"):
        return None
    here = chosen(group)
    root = rank_in(here, src, group_src)
    buffer = Buffer(tensor, here, written=here.rank() != root)
    request = here.engine.broadcast(buffer.array, root)
    finish = _nothing if here.rank() == root else buffer.give_back
    return started(here, request, finish, [tensor], async_op)


def _nothing() -> None:
    pass


def reduce(
    tensor: Tensor,
    dst: int | None = None,
    op: ReduceOp = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Put the tensors of all processes together; one receives the result in its own."""
    check_tensor(tensor, "tensor")
    if not is_member(group, "reduce"):
        return None
    _check_op("reduce", op, tensor)
    here = chosen(group)
    root = rank_in(here, dst, group_dst)
    buffer = Buffer(tensor, here, written=here.rank() == root)
    request = here.engine.reduce(buffer.array, op, root)
    finish = buffer.give_back if here.rank() == root else _nothing
    return started(here, request, finish, [tensor], async_op)


# --------------------------------------------------------------------------- parts and wholes


class _Parts:
    """Tensors that lie one behind the other in one array."""

    def __init__(self, tensors: list[Tensor], group: ProcessGroup, written: bool):
        self.buffers = [Buffer(tensor, group, written) for tensor in tensors]
        arrays = [buffer.array for buffer in self.buffers]
        self.sizes = [array.size for array in arrays]
        self.array = like(arrays, sum(self.sizes)) if written else joined(arrays)

    def give_back(self) -> None:
        """Write what arrived into the tensors."""
        begin = 0
        for buffer, size in zip(self.buffers, self.sizes, strict=True):
            buffer.array[...] = self.array[begin : begin + size]
            begin += size
            buffer.give_back()


def _check_count(tensors: list[Tensor], group: ProcessGroup, name: str) -> None:
    if len(tensors) != group.size():
        raise ValueError(
            f"{name} must have as many tensors as the group has processes, {group.size()}, not "
            f"{len(tensors)}"
        )


def _check_sizes(whole: Tensor, part: Tensor, group: ProcessGroup, names: str) -> None:
    if whole.numel() != part.numel() * group.size():
        raise ValueError(
            f"{names} must be {group.size()} times as large as the other tensor: one has "
            f"{whole.numel()} elements, the other {part.numel()}"
        )


def all_gather(
    tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Give all the tensors of all, which are of one type and number of elements, in a list.

    Args:
        tensor_list: What receives them, one tensor for each process.
        tensor: What this one gives.
        group: Which processes.
        async_op: Whether a work is returned at once.
    """
    check_list(tensor_list, "tensor_list")
    check_tensor(tensor, "tensor")
    check_types(tensor, *tensor_list)
    if not is_member(group, "all_gather"):
        return None
    here = chosen(group)
    _check_count(tensor_list, here, "tensor_list")
    parts, buffer = _Parts(tensor_list, here, written=True), Buffer(tensor, here, written=False)
    _check_equal(parts.sizes, buffer.array.size)
    request = here.engine.all_gather(parts.array, buffer.array)
    return started(here, request, parts.give_back, tensor_list, async_op)


def _check_equal(sizes: list[int], size: int) -> None:
    if any(s != size for s in sizes):
        raise ValueError(
            f"tensors that are gathered or scattered have one number of elements: {size}, not "
            f"{sizes}"
        )


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Give all the tensors of all, one behind the other in one tensor."""
    check_tensor(input_tensor, "input_tensor")
    check_tensor(output_tensor, "output_tensor")
    check_types(output_tensor, input_tensor)
    if not is_member(group, "all_gather_into_tensor"):
        return None
    here = chosen(group)
    _check_sizes(output_tensor, input_tensor, here, "all_gather_into_tensor: output_tensor")
    out, buffer = Buffer(output_tensor, here, True), Buffer(input_tensor, here, False)
    request = here.engine.all_gather(out.array, buffer.array)
    return started(here, request, out.give_back, output_tensor, async_op)


def gather(
    tensor: Tensor,
    gather_list: list[Tensor] | None = None,
    dst: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Give one process, by default the first, the tensors of all, in a list.

    Raises:
        ValueError: It has no list for them, or another one has.
    """
    check_tensor(tensor, "tensor")
    if not is_member(group, "gather"):
        return None
    here = chosen(group)
    root = 0 if dst is None and group_dst is None else rank_in(here, dst, group_dst)
    buffer = Buffer(tensor, here, written=False)
    if here.rank() != root:
        if gather_list:
            raise ValueError(
                "Argument ``gather_list`` must NOT be specified on non-destination ranks."
            )
        request = here.engine.gather(None, buffer.array, root)
        return started(here, request, _nothing, [], async_op)
    if not gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    check_list(gather_list, "gather_list")
    check_types(tensor, *gather_list)
    _check_count(gather_list, here, "gather_list")
    parts = _Parts(gather_list, here, written=True)
    _check_equal(parts.sizes, buffer.array.size)
    request = here.engine.gather(parts.array, buffer.array, root)
    return started(here, request, parts.give_back, gather_list, async_op)


def scatter(
    tensor: Tensor,
    scatter_list: list[Tensor] | None = None,
    src: int | None = None,
    group: Any = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:
    """Give each process one of the tensors that one, by default the first, has in a list.

    Raises:
        ValueError: That one has no list, or another one has.
    """
    check_tensor(tensor, "tensor")
    if not is_member(group, "scatter"):
        return None
    here = chosen(group)
    root = 0 if src is None and group_src is None else rank_in(here, src, group_src)
    buffer = Buffer(tensor, here, written=True)
    source = None
    if here.rank() != root:
        if scatter_list:
            raise ValueError("Argument ``scatter_list`` must NOT be specified on non-source ranks.")
    else:
        if not scatter_list:
            raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
        check_list(scatter_list, "scatter_list")
        check_types(tensor, *scatter_list)
        _check_count(scatter_list, here, "scatter_list")
        parts = _Parts(scatter_list, here, written=False)
        _check_equal(parts.sizes, buffer.array.size)
        source = parts.array
    request = here.engine.scatter(buffer.array, source, root)
    return started(here, request, buffer.give_back, [tensor], async_op)


def reduce_scatter(
    output: Tensor,
    input_list: list[Tensor],
    op: ReduceOp = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """Put the lists of all processes together, elementwise; each receives one tensor of them."""
    check_tensor(output, "output")
    check_list(input_list, "input_list")
    check_types(output, *input_list)
    if not is_member(group, "reduce_scatter"):
        return None
    _check_op("reduce_scatter", op, output)
    here = chosen(group)
    _check_count(input_list, here, "input_list")
    parts, out = _Parts(input_list, here, written=False), Buffer(output, here, written=True)
    _check_equal(parts.sizes, out.array.size)
    request = here.engine.reduce_scatter(out.array, parts.array, op)
    return started(here, request, out.give_back, [output], async_op)


def reduce_scatter_tensor(
    output: Tensor,
    input: Tensor,
    op: ReduceOp = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """Put the tensors of all processes together, elementwise; each receives one part of them."""
    check_tensor(output, "output")
    check_tensor(input, "input")
    check_types(output, input)
    if not is_member(group, "reduce_scatter_tensor"):
        return None
    _check_op("reduce_scatter_tensor", op, output)
    here = chosen(group)
    _check_sizes(input, output, here, "reduce_scatter_tensor: input")
    out, buffer = Buffer(output, here, written=True), Buffer(input, here, written=False)
    request = here.engine.reduce_scatter(out.array, buffer.array, op)
    return started(here, request, out.give_back, [output], async_op)


def all_to_all(
    output_tensor_list: list[Tensor],
    input_tensor_list: list[Tensor],
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """Give each process one tensor of each list: that of its number.

    The tensors may have different numbers of elements, as long as both sides have the same.
    """
    check_list(output_tensor_list, "output_tensor_list")
    check_list(input_tensor_list, "input_tensor_list")
    check_types(*output_tensor_list, *input_tensor_list)
    if not is_member(group, "all_to_all"):
        return None
    here = chosen(group)
    _check_count(output_tensor_list, here, "output_tensor_list")
    _check_count(input_tensor_list, here, "input_tensor_list")
    out = _Parts(output_tensor_list, here, written=True)
    given = _Parts(input_tensor_list, here, written=False)
    request = here.engine.all_to_all(out.array, out.sizes, given.array, given.sizes)
    return started(here, request, out.give_back, output_tensor_list, async_op)


def all_to_all_single(
    output: Tensor,
    input: Tensor,
    output_split_sizes: list[int] | None = None,
    input_split_sizes: list[int] | None = None,
    group: Any = None,
    async_op: bool = False,
) -> Work | None:
    """Give each process one part of each tensor.

    Args:
        output: What receives the parts, one behind the other.
        input: What is given.
        output_split_sizes: How many rows come from each; equally many by default.
        input_split_sizes: How many rows each is given.
        group: Which processes.
        async_op: Whether a work is returned at once.
    """
    check_tensor(output, "output")
    check_tensor(input, "input")
    check_types(output, input)
    if not is_member(group, "all_to_all_single"):
        return None
    here = chosen(group)
    out, given = Buffer(output, here, written=True), Buffer(input, here, written=False)
    request = here.engine.all_to_all(
        out.array,
        _split(output, output_split_sizes, here),
        given.array,
        _split(input, input_split_sizes, here),
    )
    return started(here, request, out.give_back, output, async_op)


def _split(tensor: Tensor, rows: list[int] | None, group: ProcessGroup) -> list[int]:
    """Return how many elements the part for each process has."""
    if rows:
        if sum(rows) != tensor.size(0):
            raise RuntimeError("Split sizes doesn't match total dim 0 size")
        return [n * (tensor.numel() // max(tensor.size(0), 1)) for n in rows]
    if tensor.numel() and tensor.size(0) % group.size():
        raise RuntimeError("Tensor's dim 0 does not divide equally across group size")
    return [tensor.numel() // group.size()] * group.size()


def barrier(
    group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: Any = None
) -> Work | None:
    """Wait until all processes of a group have come here.

    Args:
        group: Which processes.
        async_op: Whether a work is returned at once.
        device_ids: Of no effect.
        timeout: How long is waited; by default as the group does.
    """
    if not is_member(group, "barrier"):
        return None
    here = chosen(group)
    return started(here, here.engine.barrier(), _nothing, None, async_op, timeout)
