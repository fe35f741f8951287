"""Python objects that processes give each other, pickled: only those that trust each other do."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from gpugrad import functions
from gpugrad.distributed import collectives
from gpugrad.distributed.group import ProcessGroup, chosen, is_member, rank_in


def _tensor(array: Any, group: ProcessGroup) -> Any:
    """Return an array as a tensor that the group's engine carries."""
    made = functions.from_numpy(array)
    return made if group.engine.on_host else made.cuda()


def _pickled(value: Any) -> Any:
    return np.frombuffer(bytearray(pickle.dumps(value)), np.uint8)


def _loaded(data: Any) -> Any:
    return pickle.loads(data.cpu().numpy().tobytes())


def _gathered(obj: Any, group: ProcessGroup) -> list[Any]:
    """Return the objects of all processes."""
    data = _pickled(obj)
    sizes = _tensor(np.zeros(group.size(), np.int64), group)
    size = _tensor(np.array([data.size]), group)
    collectives.all_gather_into_tensor(sizes, size, group)
    counts = sizes.tolist()
    padded = np.zeros(max(counts), np.uint8)
    padded[: data.size] = data
    out = _tensor(np.zeros((group.size(), max(counts)), np.uint8), group)
    collectives.all_gather_into_tensor(out, _tensor(padded, group), group)
    return [_loaded(row[:count]) for row, count in zip(out, counts, strict=True)]


def _check_length(found: list[Any], group: ProcessGroup, name: str) -> None:
    if len(found) != group.size():
        raise ValueError(
            f"{name} must have as many elements as the group has processes, {group.size()}, not "
            f"{len(found)}"
        )


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Put the objects of all processes into a list, which has as many elements, in all of them."""
    if not is_member(group, "all_gather_object"):
        return
    here = chosen(group)
    _check_length(object_list, here, "object_list")
    object_list[:] = _gathered(obj, here)


def gather_object(
    obj: Any,
    object_gather_list: list[Any] | None = None,
    dst: int | None = None,
    group: Any = None,
    group_dst: int | None = None,
) -> None:
    """Put the objects of all processes into a list of one, by default of the first.

    Raises:
        ValueError: That one has no list, or another one has.
    """
    if not is_member(group, "gather_object"):
        return
    here = chosen(group)
    root = 0 if dst is None and group_dst is None else rank_in(here, dst, group_dst)
    if here.rank() == root and not object_gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    if here.rank() != root and object_gather_list:
        raise ValueError("Argument ``gather_list`` must NOT be specified on non-destination ranks.")
    if object_gather_list:
        _check_length(object_gather_list, here, "object_gather_list")
    found = _gathered(obj, here)
    if object_gather_list:
        object_gather_list[:] = found


def broadcast_object_list(
    object_list: list[Any],
    src: int | None = None,
    group: Any = None,
    device: Any = None,
    group_src: int | None = None,
) -> None:
    """Put the objects in the list of one process, by default the first, into those of the others.

    Args:
        object_list: The objects, or what they replace, of the same length.
        src: Whose they are, as a number in all processes.
        group: Which processes.
        device: Of no effect.
        group_src: Whose they are, as a number in the group.
    """
    if not is_member(group, "broadcast_object_list"):
        return
    here = chosen(group)
    root = 0 if src is None and group_src is None else rank_in(here, src, group_src)
    mine = here.rank() == root
    data = _pickled(list(object_list)) if mine else np.zeros(0, np.uint8)
    size = _tensor(np.array([data.size]), here)
    collectives.broadcast(size, group=group, group_src=root)
    if not mine:
        data = np.zeros(int(size.item()), np.uint8)
    carried = _tensor(data, here)
    collectives.broadcast(carried, group=group, group_src=root)
    if not mine:
        object_list[:] = _loaded(carried)


def scatter_object_list(
    scatter_object_output_list: list[Any],
    scatter_object_input_list: list[Any] | None = None,
    src: int | None = None,
    group: Any = None,
    group_src: int | None = None,
) -> None:
    """Put one object of the list of one process, by default the first, into the list of each.

    Raises:
        ValueError: The list that receives has no element, or the other one not one for each.
    """
    if not is_member(group, "scatter_object_list"):
        return
    if not isinstance(scatter_object_output_list, list) or not scatter_object_output_list:
        raise ValueError(
            "Expected argument scatter_object_output_list to be a list of size at least 1."
        )
    here = chosen(group)
    root = 0 if src is None and group_src is None else rank_in(here, src, group_src)
    given: list[Any] = [None]
    if here.rank() == root:
        given = [list(scatter_object_input_list or [])]
        _check_length(given[0], here, "scatter_object_input_list")
    broadcast_object_list(given, group=group, group_src=root)
    scatter_object_output_list[0] = given[0][here.rank()]
