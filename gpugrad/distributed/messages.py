"""Tensors that one process sends to another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.distributed.buffers import Buffer, check_tensor
from gpugrad.distributed.collectives import started
from gpugrad.distributed.group import chosen, get_global_rank, is_member, rank_in
from gpugrad.distributed.work import Work


def isend(
    tensor: Tensor,
    dst: int | None = None,
    group: Any = None,
    tag: int = 0,
    group_dst: int | None = None,
) -> Work | None:
    """Start to send a tensor; what is returned tells when it may be touched again.

    Args:
        tensor: What is sent.
        dst: To whom, as a number in all processes.
        group: Which processes.
        tag: What the receiver asks for; 0 with "nccl".
        group_dst: To whom, as a number in the group, in the place of ``dst``.

    Raises:
        ValueError: That is this process, or none.
    """
    check_tensor(tensor, "tensor")
    if not is_member(group, "isend"):
        return None
    here = chosen(group)
    peer = rank_in(here, dst, group_dst)
    _check_other(here.rank(), peer, "destination")
    buffer = Buffer(tensor, here, written=False)
    request = here.engine.send(buffer.array, peer, tag)
    return started(here, request, lambda: None, [tensor], True)


def irecv(
    tensor: Tensor,
    src: int | None = None,
    group: Any = None,
    tag: int = 0,
    group_src: int | None = None,
) -> Work | None:
    """Start to receive a tensor of the type and the number of elements that is sent.

    Args:
        tensor: What receives.
        src: From whom, as a number in all processes; from anybody by default.
        group: Which processes.
        tag: What the sender calls it.
        group_src: From whom, as a number in the group, in the place of ``src``.
    """
    check_tensor(tensor, "tensor")
    if not is_member(group, "irecv"):
        return None
    here = chosen(group)
    peer = None
    if src is not None or group_src is not None:
        peer = rank_in(here, src, group_src)
        _check_other(here.rank(), peer, "source")
    buffer = Buffer(tensor, here, written=True)
    request = here.engine.receive(buffer.array, peer, tag)
    return started(here, request, buffer.give_back, [tensor], True)


def send(
    tensor: Tensor,
    dst: int | None = None,
    group: Any = None,
    tag: int = 0,
    group_dst: int | None = None,
) -> None:
    """Send a tensor, as :func:`isend` does, and wait until it may be touched again."""
    work = isend(tensor, dst, group, tag, group_dst)
    if work is not None:
        work.wait()


def recv(
    tensor: Tensor,
    src: int | None = None,
    group: Any = None,
    tag: int = 0,
    group_src: int | None = None,
) -> int:
    """Receive a tensor, and return from whom, as a number in all processes; -1 if not in it."""
    work = irecv(tensor, src, group, tag, group_src)
    if work is None:
        return -1
    work.wait()
    return get_global_rank(chosen(group), work.source_rank())


def _check_other(rank: int, peer: int, kind: str) -> None:
    if rank == peer:
        raise ValueError(
            f"Invalid {kind} rank: {kind} rank should not be the same as the rank of the current "
            "process."
        )


class P2POp:
    """One of the messages that :func:`batch_isend_irecv` starts.

    Args:
        op: ``isend`` or ``irecv``.
        tensor: What is sent, or receives.
        peer: To or from whom, as a number in all processes.
        group: Which processes.
        tag: What the message is called.
        group_peer: To or from whom, as a number in the group, in the place of ``peer``.

    Raises:
        ValueError: ``op`` is neither.
    """

    def __init__(
        self,
        op: Callable[..., Any],
        tensor: Tensor,
        peer: int | None = None,
        group: Any = None,
        tag: int = 0,
        group_peer: int | None = None,
    ):
        if op not in (isend, irecv):
            raise ValueError(
                "Invalid ``op``. Expected ``op`` to be of type ``gpugrad.distributed.isend`` or "
                "``gpugrad.distributed.irecv``."
            )
        check_tensor(tensor, "tensor")
        self.op = op
        self.tensor = tensor
        self.peer = peer
        self.group = group
        self.tag = tag
        self.group_peer = group_peer


def batch_isend_irecv(p2p_op_list: list[P2POp]) -> list[Work]:
    """Start messages together, in any order among the processes, and return their works.

    Raises:
        ValueError: They are no messages, or of several groups.
    """
    if not p2p_op_list or not all(isinstance(p, P2POp) for p in p2p_op_list):
        raise ValueError(
            "Invalid ``p2p_op_list``. Each op is expected to to be of type "
            "``gpugrad.distributed.P2POp``."
        )
    group = p2p_op_list[0].group
    if any(p.group is not group for p in p2p_op_list):
        raise ValueError("All ops need to use the same group.")
    with chosen(group).engine.together():
        works = [p.op(p.tensor, p.peer, p.group, p.tag, p.group_peer) for p in p2p_op_list]
    return [work for work in works if work is not None]
