"""Groups of processes: how they begin and end, and who is in them."""

from __future__ import annotations

import os
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

from gpugrad.distributed import mpi, rendezvous
from gpugrad.distributed.work import Engine
from gpugrad.graph import warn

default_pg_timeout = timedelta(minutes=30)
_NONE = (
    "Default process group has not been initialized, please make sure to call init_process_group."
)


class ProcessGroup:
    """Some processes; those of which functions are given no group are all."""

    def __init__(self, engine: Engine, ranks: list[int], timeout: timedelta):
        self.engine = engine
        self.ranks = ranks  # within all
        self.timeout = timeout

    def rank(self) -> int:
        """Return which of them this process is."""
        return self.engine.rank

    def size(self) -> int:
        """Return how many there are."""
        return self.engine.size

    def name(self) -> str:
        """Return what carries tensors between them: "mpi" or "nccl"."""
        return self.engine.name


class _Members(type):
    """Makes ``WORLD`` what it is at present."""

    @property
    def WORLD(cls) -> ProcessGroup | None:  # noqa: N802  PyTorch's name
        """The group of all processes, ``None`` before it begins."""
        return _groups[0] if _groups else None


class GroupMember(metaclass=_Members):
    """Names of groups: that of all, and what those have that are not in a new one."""

    NON_GROUP_MEMBER = -100


class group(metaclass=_Members):  # noqa: N801  PyTorch's name
    """A name of the group of all processes."""


_groups: list[ProcessGroup] = []  # that of all is the first


def is_available() -> bool:
    """Return whether there is this package: always; ``is_mpi_available`` says more."""
    return True


def is_mpi_available() -> bool:
    """Return whether mpi4py is installed."""
    return find_spec("mpi4py") is not None


def is_initialized() -> bool:
    """Return whether the group of all processes has begun."""
    return bool(_groups)


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: timedelta | None = None,
    world_size: int = -1,
    rank: int = -1,
    store: Any = None,
    group_name: str = "",
    pg_options: Any = None,
    device_id: Any = None,
) -> None:
    """Begin the group of all processes, which were started together.

    Args:
        backend: "mpi", the default, for processes that ``mpiexec`` started; or "nccl" for one
            process with each GPU, started by anything that tells each its number.
        init_method: With "nccl", ``"env://"``, which reads the variables ``MASTER_ADDR`` and
            ``MASTER_PORT``, or ``"tcp://ADDRESS:PORT"``: where the process of rank 0 can be
            reached.  Processes that ``mpiexec`` started need neither.
        timeout: How long is waited for others, 30 minutes by default.
        world_size: How many processes there are, where MPI does not know it; else the variable
            ``WORLD_SIZE``.
        rank: Which one this is, likewise; else the variable ``RANK``.
        store: None.
        group_name: Of no effect.
        pg_options: Of no effect.
        device_id: The GPU of this process, which "nccl" uses; the current one by default.

    Raises:
        RuntimeError: What the backend needs is not installed, or others do not come in time.
        ValueError: The group has begun already, the backend is unknown, or it is not told how many
            processes there are.
    """
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    timeout = _checked(timeout)
    if store is not None:
        raise ValueError("init_process_group: processes find each other by init_method, no store")
    chosen = (backend or "mpi").lower()
    if chosen == "mpi":
        if world_size != -1 or rank != -1:
            warn(
                f"For MPI backend, world_size ({world_size}) and rank ({rank}) are ignored since "
                "they are assigned by the MPI runtime."
            )
        engine: Engine = mpi.Engine.of_world()
    elif chosen == "nccl":
        engine = rendezvous.nccl(init_method, world_size, rank, device_id, timeout.total_seconds())
    else:
        raise ValueError(
            f"Unknown backend '{backend}'. Use 'mpi', also in the place of 'gloo', or 'nccl'"
        )
    _groups.append(ProcessGroup(engine, list(range(engine.size)), timeout))


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """End a group; that of all, with all others, where none is named.

    Raises:
        ValueError: There is no such group.
    """
    if group is None and not _groups:
        raise ValueError("Invalid process group specified or has been destroyed.")
    if group is None or group is _groups[0]:
        _groups.clear()
    else:
        _groups.remove(chosen(group))


def new_group(
    ranks: list[int] | None = None,
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    use_local_synchronization: bool = False,
    group_desc: str | None = None,
    device_id: Any = None,
    sort_ranks: bool = True,
) -> Any:
    """Return a group of some of the processes; all of them call this, in the same order.

    Args:
        ranks: Which ones; all by default.
        timeout: How long is waited for others; by default as long as in the group of all.
        backend: That of the group of all.
        pg_options: Of no effect.
        use_local_synchronization: Of no effect: all call it.
        group_desc: Of no effect.
        device_id: Of no effect.
        sort_ranks: Whether they are numbered in their order, else in that of ``ranks``.

    Returns:
        The group; ``GroupMember.NON_GROUP_MEMBER`` where this process is not in it.

    Raises:
        ValueError: There are no such processes, one is named twice, or the backend is another one.
    """
    world = chosen(None)
    if backend is not None and backend.lower() != world.name():
        raise ValueError(f"new_group: the backend is {world.name()!r}, that of all processes")
    members = list(world.ranks) if ranks is None else list(ranks)
    if sort_ranks:
        members.sort()
    if len({*members}) != len(members):
        raise ValueError("the new group has duplicated ranks")
    if not all(0 <= rank < world.size() for rank in members):
        raise ValueError("the new group's rank should be within the world_size set by "
                         "init_process_group")  # fmt: skip
    engine = world.engine.part(members)
    if engine is None:
        return GroupMember.NON_GROUP_MEMBER
    made = ProcessGroup(engine, members, world.timeout if timeout is None else _checked(timeout))
    _groups.append(made)
    return made


def _checked(timeout: timedelta | None) -> timedelta:
    if timeout is not None and not isinstance(timeout, timedelta):
        raise TypeError(
            f"Expected timeout argument to be of type datetime.timedelta, got {timeout}"
        )
    return default_pg_timeout if timeout is None else timeout


def chosen(group: Any) -> ProcessGroup:
    """Return a group, that of all where none is named.

    Raises:
        ValueError: It has not begun, or has ended.
    """
    if group is None:
        if not _groups:
            raise ValueError(_NONE)
        return _groups[0]
    if group not in _groups:
        raise ValueError("Invalid process group specified")
    found: ProcessGroup = group
    return found


def is_member(group: Any, function: str) -> bool:
    """Return whether this process is in a group, and warn where a function has nothing to do."""
    if group != GroupMember.NON_GROUP_MEMBER:
        return True
    warn(
        f"Running {function} on global rank {chosen(None).rank()} which does not belong to the "
        "given group."
    )
    return False


def get_rank(group: Any = None) -> int:
    """Return which process of a group this is, -1 if it is none of it.

    Raises:
        ValueError: The group has not begun.
    """
    return -1 if group == GroupMember.NON_GROUP_MEMBER else chosen(group).rank()


def get_world_size(group: Any = None) -> int:
    """Return how many processes are in a group, -1 if this one is not.

    Raises:
        ValueError: The group has not begun.
    """
    return -1 if group == GroupMember.NON_GROUP_MEMBER else chosen(group).size()


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """Return which of the processes on its machine this is, as its launcher says: of its GPUs.

    Args:
        fallback_rank: What is returned where the launcher does not say it.

    Raises:
        RuntimeError: It does not, and there is none.
    """
    for name in "LOCAL_RANK", "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK":
        if name in os.environ:
            return int(os.environ[name])
    if fallback_rank is None:
        raise RuntimeError(
            "LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow "
            "`get_node_local_rank` to work, assuming you are not running in a multi-device context "
            "and want the code to run locally instead."
        )
    return int(fallback_rank)


def get_backend(group: ProcessGroup | None = None) -> str:
    """Return what carries tensors in a group: "mpi" or "nccl".

    Raises:
        ValueError: The group has not begun.
    """
    return chosen(group).name()


def get_process_group_ranks(group: ProcessGroup | None) -> list[int]:
    """Return which of all processes are in a group, in the order of their numbers in it."""
    return list(chosen(group).ranks)


def get_group_rank(group: ProcessGroup, global_rank: int) -> int:
    """Return the number in a group of a process that has a number in all.

    Raises:
        ValueError: It is not in the group.
    """
    ranks = chosen(group).ranks
    if global_rank not in ranks:
        raise ValueError(f"Global rank {global_rank} is not part of group {group}")
    return ranks.index(global_rank)


def get_global_rank(group: ProcessGroup, group_rank: int) -> int:
    """Return the number in all of a process that has a number in a group.

    Raises:
        ValueError: There is no such number in the group.
    """
    ranks = chosen(group).ranks
    if not 0 <= group_rank < len(ranks):
        raise ValueError(f"Group rank {group_rank} is not part of group {group}")
    return ranks[group_rank]


def rank_in(group: ProcessGroup, global_rank: int | None, group_rank: int | None) -> int:
    """Return a number in a group, of which one of two was given.

    Raises:
        ValueError: Both are given, or none, or there is no such process.
    """
    if group_rank is not None:
        if global_rank is not None:
            raise ValueError("Can't specify both group_rank and global_rank")
        get_global_rank(group, group_rank)
        return group_rank
    if global_rank is None:
        raise ValueError("Must specify global_rank or group_rank")
    return get_group_rank(group, global_rank)
