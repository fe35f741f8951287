"""What each process of several does in the tests of gpugrad.distributed.

    mpiexec -n 2 python tests/ranks.py BACKEND DEVICE CASE...

The first process prints the names of the cases that ended well.
"""

from __future__ import annotations

import copy
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

if os.environ.get("GPUGRAD_HOSTCUDA", "") not in ("", "0"):
    import hostcuda

    hostcuda.install()

import numpy as np
import pytest

import gpugrad
import gpugrad.distributed as dist
from gpugrad import nn
from gpugrad.distributed import ReduceOp
from gpugrad.nn.parallel import DistributedDataParallel
from gpugrad.utils.data import DataLoader, DistributedSampler, TensorDataset

CASES: dict[str, Callable[..., None]] = {}
BACKEND, DEVICE = sys.argv[1:3] if __name__ == "__main__" else ("mpi", "cpu")


def case(function: Callable[..., None]) -> Callable[..., None]:
    CASES[function.__name__] = function
    return function


def check(found: Any, expected: Any) -> None:
    found = found.tolist() if isinstance(found, gpugrad.Tensor) else found
    assert found == expected, f"{found} is not {expected}"


def ones(*shape: int, dtype: Any = gpugrad.float32) -> Any:
    return gpugrad.ones(*shape, dtype=dtype, device=DEVICE)


def raised(error: type[Exception], match: str, function: Callable[..., Any], *args: Any) -> None:
    with pytest.raises(error, match=re.escape(match)):
        function(*args)


@case
def group(rank: int, size: int) -> None:
    assert dist.is_initialized()
    check(dist.get_world_size(), size)
    check(dist.get_node_local_rank(), rank)  # mpiexec has started all of them here
    check(dist.get_process_group_ranks(None), list(range(size)))
    assert dist.group.WORLD is dist.GroupMember.WORLD is not None
    raised(ValueError, "twice", dist.init_process_group)
    raised(TypeError, "Expected parameter `tensor`", dist.all_reduce, 3)
    raised(ValueError, "Global rank 99 is not part", dist.broadcast, ones(2), 99)
    raised(ValueError, "Must specify global_rank", dist.broadcast, ones(2))
    raised(ValueError, "does not support", dist.all_reduce, ones(2), ReduceOp.BOR)


@case
def reductions(rank: int, size: int) -> None:
    total = size * (size + 1) // 2
    for dtype in (
        "float32", "float64", "float16", "bfloat16", "complex64", "complex128", "int64", "int32",
        "int16", "int8", "uint8",
    ):  # fmt: skip
        x = ones(3, dtype=getattr(gpugrad, dtype)) * (rank + 1)
        before = x._version
        dist.all_reduce(x)
        check(x, [total] * 3)
        assert x._version > before, "what was saved is known to be overwritten"
    for op, expected in (
        (ReduceOp.AVG, (size + 1) / 2), (ReduceOp.MIN, 1), (ReduceOp.MAX, size),
        (ReduceOp.PRODUCT, float(np.prod(range(1, size + 1)))),
    ):  # fmt: skip
        x = ones(2) * (rank + 1)
        dist.all_reduce(x, op)
        check(x, [expected] * 2)
    flag = gpugrad.tensor([rank == 1, False, True], device=DEVICE)
    dist.all_reduce(flag)
    check(flag, [True, False, True])
    bits = gpugrad.tensor([1 << rank], device=DEVICE)
    if BACKEND == "mpi":
        dist.all_reduce(bits, ReduceOp.BOR)
        check(bits, [2**size - 1])
    else:
        raised(ValueError, "NCCL has no operation", dist.all_reduce, bits, ReduceOp.BOR)
    x = ones(2) * (rank + 1)
    dist.reduce(x, 1)
    check(x, [total if rank == 1 else rank + 1] * 2)
    x = ones(2, 3).T * (rank + 1)
    dist.all_reduce(x)
    check(x, [[total] * 2] * 3)
    x = ones(4, 3) * (rank + 1)
    dist.all_reduce(x[1::2, 0])
    check(x[:, 0], [rank + 1, total, rank + 1, total])
    dist.all_reduce(ones(0))
    x = ones(1)[0]
    dist.all_reduce(x)
    check(x, size)


@case
def halves_are_summed_in_float32(rank: int, size: int) -> None:
    x = gpugrad.tensor([2048.0 if rank == 0 else 1.0], dtype=gpugrad.float16, device=DEVICE)
    dist.all_reduce(x)
    check(x, [{2: 2048.0, 4: 2052.0}[size]])  # 2051, rounded once


@case
def copies(rank: int, size: int) -> None:
    x = ones(2, 3).T * rank
    dist.broadcast(x, 1)
    check(x, [[1, 1]] * 3)
    leaf = (ones(2) * rank).requires_grad_()
    dist.broadcast(leaf, 0)
    check(leaf.detach(), [0, 0])
    raised(RuntimeError, "detach", dist.all_reduce, leaf * 2)
    found = [ones(2, dtype=gpugrad.int16) for _ in range(size)]
    dist.all_gather(found, ones(2, dtype=gpugrad.int16) * rank)
    check([f.tolist() for f in found], [[r, r] for r in range(size)])
    whole = ones(size, 2)
    dist.all_gather_into_tensor(whole, ones(2) * rank)
    check(whole, [[r, r] for r in range(size)])
    kept = [ones(1) for _ in range(size)] if rank == 1 else None
    dist.gather(ones(1) * rank, kept, dst=1)
    if kept is not None:
        check([k.item() for k in kept], list(range(size)))
    given = [ones(2) * (10 + r) for r in range(size)] if rank == 0 else None
    part = ones(2)
    dist.scatter(part, given)
    check(part, [10 + rank] * 2)
    out = ones(2)
    dist.reduce_scatter(out, [ones(2) * (rank + r) for r in range(size)])
    check(out, [sum(r + rank for r in range(size))] * 2)
    dist.reduce_scatter_tensor(out, gpugrad.arange(2.0 * size, device=DEVICE), ReduceOp.AVG)
    check(out, [2 * rank, 2 * rank + 1])
    rows = [ones(r + 1) for r in range(size)]
    dist.all_to_all(rows, [ones(rank + 1) * (10 * rank + r) for r in range(size)])
    check([r.tolist() for r in rows], [[10 * r + rank] * (r + 1) for r in range(size)])
    out = ones(size)
    dist.all_to_all_single(out, gpugrad.arange(1.0 * size, device=DEVICE) + 10 * rank)
    check(out, [10 * r + rank for r in range(size)])
    counts = [r + 1 for r in range(size)]
    out = ones(size * (rank + 1), 1)
    dist.all_to_all_single(out, ones(sum(counts), 1) * rank, [rank + 1] * size, counts)
    check(out.flatten(), [float(r) for r in range(size) for _ in range(rank + 1)])
    raised(ValueError, "different dtypes", dist.all_gather, found, ones(2))
    raised(ValueError, "as many tensors", dist.all_gather, found[:1], found[0])
    raised(ValueError, "times as large", dist.all_gather_into_tensor, ones(3), ones(2))


@case
def messages(rank: int, size: int) -> None:
    after, before = (rank + 1) % size, (rank - 1) % size
    x = ones(3)
    works: list[Any] = []
    with dist.group.WORLD.engine.together():  # type: ignore[union-attr]  # as NCCL needs it
        works += [dist.isend(ones(3) * rank, after, tag=5), dist.irecv(x, before, tag=5)]
    for work in works:
        assert work is not None
        assert work.wait()
        assert work.is_completed()
    check(x, [before] * 3)
    if rank == 0 and BACKEND == "mpi":
        check(sorted(dist.recv(x) for _ in range(size - 1)), list(range(1, size)))
    elif rank == 0:
        check([dist.recv(x, r) for r in range(1, size)], list(range(1, size)))
    else:
        dist.send(ones(3), 0)
    dist.barrier()
    works = dist.batch_isend_irecv(
        [dist.P2POp(dist.irecv, x, before), dist.P2POp(dist.isend, ones(3) * rank, after)]
    )
    for work in works:
        work.wait()
    check(x, [before] * 3)
    raised(ValueError, "Invalid destination rank", dist.send, x, rank)


@case
def works(rank: int, size: int) -> None:
    x = ones(2)
    work = dist.all_reduce(x, async_op=True)
    assert work is not None
    assert work.wait(timedelta(seconds=20))
    assert work.is_completed()
    check(work.result()[0], [size] * 2)
    quick = dist.new_group(timeout=timedelta(seconds=0.2))
    if BACKEND == "nccl":
        return
    if rank == 0:
        start = time.monotonic()
        raised(dist.DistBackendError, "Timed out waiting 200ms", dist.barrier, quick)
        assert time.monotonic() - start < 5
    dist.barrier()
    if rank != 0:
        dist.barrier(quick)


@case
def objects(rank: int, size: int) -> None:
    found = [None] * size
    dist.all_gather_object(found, {"rank": rank, "text": "a" * rank})
    check(found, [{"rank": r, "text": "a" * r} for r in range(size)])
    shared = [{"a": 1}, gpugrad.ones(2)] if rank == 0 else [None, None]
    dist.broadcast_object_list(shared)
    check(shared[0], {"a": 1})
    check(shared[1], [1, 1])
    kept: Any = [None] * size if rank == 0 else None
    dist.gather_object(rank, kept)
    assert rank or kept == list(range(size))
    mine: list[Any] = [None]
    dist.scatter_object_list(mine, [f"for {r}" for r in range(size)] if rank == 0 else None)
    check(mine, [f"for {rank}"])


@case
def groups(rank: int, size: int) -> None:
    if BACKEND == "nccl" and rank in (0, size - 1):
        import fake_nccl

        fake_nccl.members.append([0, size - 1])
    some = dist.new_group([size - 1, 0])
    check(dist.get_rank(some), {0: 0, size - 1: 1}.get(rank, -1))
    if rank in (0, size - 1):
        x = ones(1) * (rank + 1)
        dist.all_reduce(x, group=some)
        check(x, [size + 1])
        dist.broadcast(x.fill_(rank), group=some, group_src=1)
        check(x, [size - 1])
        check(dist.get_process_group_ranks(some), [0, size - 1])
        check(dist.get_global_rank(some, 1), size - 1)
        dist.destroy_process_group(some)
        raised(ValueError, "Invalid process group", dist.all_reduce, x, ReduceOp.SUM, some)
    raised(ValueError, "duplicated ranks", dist.new_group, [0, 0])
    raised(ValueError, "within the world_size", dist.new_group, [0, 99])


# --------------------------------------------------------------------------- training


class Net(nn.Module):
    """Layers of several sizes, one of which is used by some processes only."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 9)
        self.norm = nn.LayerNorm(9)
        self.sometimes = nn.Linear(9, 9)
        self.never = nn.Linear(2, 2)
        self.last = nn.Linear(9, 3)
        self.register_buffer("scale", gpugrad.ones(1) * (1 + dist.get_rank()))

    def forward(self, x: Any, also: bool = True, alone: bool = False) -> Any:
        x = self.norm(self.first(x).tanh())
        if also:
            x = self.sometimes(x).tanh()
        x = self.last(x) * self.scale
        return {"out": [x, self.never(x[:, :2])] if alone else (x,)}


def net(seed: int = 0) -> Any:
    gpugrad.manual_seed(dist.get_rank() + seed)  # another one in each process
    return Net().double().to(DEVICE)


def examples(size: int) -> Any:
    generator = gpugrad.Generator().manual_seed(7)
    return gpugrad.randn(5 * size, 6, dtype=gpugrad.float64, generator=generator).to(DEVICE)


def check_gradients(module: Any, one: Any, tolerance: float = 1e-12) -> None:
    for (name, p), q in zip(module.named_parameters(), one.parameters(), strict=True):
        if q.grad is None:
            assert p.grad is None, name
        else:
            assert gpugrad.allclose(p.grad, q.grad, rtol=0, atol=tolerance), name


OPTIONS: list[dict[str, Any]] = [
    {}, {"gradient_as_bucket_view": True}, {"bucket_cap_mb": 1e-4}, {"static_graph": True},
    {"bucket_cap_mb": 1e-4, "gradient_as_bucket_view": True},
]  # fmt: skip


@case
def gradients_are_those_of_one_process(rank: int, size: int) -> None:
    x = examples(size)
    for options in OPTIONS:
        options = {"find_unused_parameters": True, **options}
        module = net()
        together = DistributedDataParallel(module, **options)
        assert gpugrad.equal(module.scale, ones(1, dtype=gpugrad.float64)), "the first one's"
        one = copy.deepcopy(module)
        for step in range(4):
            together.zero_grad(set_to_none=step != 1)
            one.zero_grad(set_to_none=step != 1)
            mine = x[rank * 5 : (rank + 1) * 5]
            (together(mine)["out"][0] ** 2).mean().backward()
            (one(x)["out"][0] ** 2).mean().backward()
            check_gradients(module, one)
            with gpugrad.no_grad():
                for p in [*module.parameters(), *one.parameters()]:
                    if p.grad is not None:
                        p -= 0.1 * p.grad


@case
def buckets_are_on_their_way_before_the_backward_ends(rank: int, size: int) -> None:
    layers = nn.Sequential(*(nn.Linear(50, 50) for _ in range(6))).to(DEVICE)
    together = DistributedDataParallel(layers, bucket_cap_mb=0.009)
    started = []
    layers[0].weight.register_hook(lambda g: started.append(together._reducer.started))
    together(ones(3, 50)).sum().backward()
    assert started[0] >= 4, started
    assert len(together._reducer.buckets) == 6


@case
def some_processes_use_what_others_do_not(rank: int, size: int) -> None:
    x = examples(size)
    module = net()
    together = DistributedDataParallel(module, find_unused_parameters=True)
    one = copy.deepcopy(module)
    mine = x[rank * 5 : (rank + 1) * 5]
    (together(mine, also=rank == 0)["out"][0] ** 2).mean().backward()
    parts = [(one(x[r * 5 : (r + 1) * 5], also=r == 0)["out"][0] ** 2).mean() for r in range(size)]
    (sum(parts) / size).backward()
    check_gradients(module, one)
    assert module.never.weight.grad is None


@case
def gradients_add_up_without_sync(rank: int, size: int) -> None:
    x = examples(size)
    for as_views in (False, True):
        module = net()
        together = DistributedDataParallel(
            module,
            find_unused_parameters=True,
            gradient_as_bucket_view=as_views,
            forward_sync_buffers=False,  # or the forward in between writes what was saved
        )
        one = copy.deepcopy(module)
        for _ in range(2):
            with together.no_sync():
                (together(x[rank * 5 : rank * 5 + 2])["out"][0] ** 2).mean().backward()
            alone = [p.grad.clone() for p in module.last.parameters()]
            with gpugrad.no_grad():
                together(x[:2])  # between a forward and its backward it changes nothing
            out = together(x[rank * 5 + 2 : rank * 5 + 4], also=False)["out"][0]
            with gpugrad.no_grad():
                together(x[:2])
            (out**2).mean().backward()
            assert not gpugrad.equal(alone[0], module.last.weight.grad)
            for r in range(size):
                ((one(x[r * 5 : r * 5 + 2])["out"][0] ** 2).mean() / size).backward()
                ((one(x[r * 5 + 2 : r * 5 + 4], False)["out"][0] ** 2).mean() / size).backward()
            check_gradients(module, one)


@case
def what_is_unused_is_told(rank: int, size: int) -> None:
    together = DistributedDataParallel(net())
    together(examples(size))["out"][0].sum().backward()
    raised(RuntimeError, "never.weight, never.bias", together, examples(size))


@case
def modules_must_be_the_same(rank: int, size: int) -> None:
    other = nn.Linear(2, 3 if rank else 2).to(DEVICE)
    if rank:  # the first one cannot know
        raised(RuntimeError, "appears not to match sizes", DistributedDataParallel, other)
    else:
        DistributedDataParallel(other, init_sync=False)
    more = nn.Sequential(*(nn.Linear(1, 1) for _ in range(1 + rank))).to(DEVICE)
    raised(RuntimeError, "same model across all ranks", DistributedDataParallel, more)
    frozen = nn.Linear(2, 2).requires_grad_(False)
    raised(RuntimeError, "doesn't have any parameter", DistributedDataParallel, frozen)
    raised(ValueError, "single element", lambda: DistributedDataParallel(net(), [0, 1]))


@case
def buffers_are_those_of_the_first(rank: int, size: int) -> None:
    module = net()
    together = DistributedDataParallel(module, find_unused_parameters=True)
    module.scale.fill_(5.0 + rank)
    together(examples(size))
    check(module.scale, [5])
    local = DistributedDataParallel(net(), forward_sync_buffers=False, find_unused_parameters=True)
    local.module.scale.fill_(5.0 + rank)
    local(examples(size))
    check(local.module.scale, [5 + rank])
    keys = list(together.state_dict())
    check(keys, [f"module.{k}" for k in module.state_dict()])


def mean_squares(net: Any, x: Any) -> Any:
    return (net(x) ** 2).mean()


@case
def norms_are_over_all_processes(rank: int, size: int) -> None:
    gpugrad.manual_seed(1)
    lengths = [3, 5, 0, 4][:size] if size == 4 else [3, 5]
    starts = np.cumsum([0, *lengths]).tolist()
    for momentum in (0.3, None):
        one = nn.Sequential(nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4, momentum=momentum), nn.Tanh())
        one.double().to(DEVICE)
        some: Any = copy.deepcopy(one)
        bare = copy.deepcopy(one[1])
        some = nn.SyncBatchNorm.convert_sync_batchnorm(some)
        assert type(some[1]) is nn.SyncBatchNorm
        check(list(some.state_dict()), list(one.state_dict()))
        assert type(nn.SyncBatchNorm.convert_sync_batchnorm(bare)) is nn.SyncBatchNorm
        x = gpugrad.randn(sum(lengths), 1, 3, 4, dtype=gpugrad.float64).to(DEVICE)
        x.requires_grad_()
        mine = x.detach()[starts[rank] : starts[rank + 1]].requires_grad_()
        for _ in range(2):
            expected, found = one(x), some(mine)
            assert gpugrad.allclose(found, expected[starts[rank] : starts[rank + 1]], atol=1e-12)
        for buffer in "running_mean", "running_var", "num_batches_tracked":
            a, b = getattr(some[1], buffer), getattr(one[1], buffer)
            assert gpugrad.allclose(a, b, rtol=1e-12), buffer
        weights = gpugrad.cos(gpugrad.arange(expected.numel(), dtype=x.dtype, device=DEVICE))
        weights = weights.view(expected.shape)
        here = weights[starts[rank] : starts[rank + 1]]
        (whole,) = gpugrad.autograd.grad((expected * weights).sum(), x, create_graph=True)
        (part,) = gpugrad.autograd.grad((found * here).sum(), mine, create_graph=True)
        assert gpugrad.allclose(part, whole[starts[rank] : starts[rank + 1]], atol=1e-12)
        whole.square().sum().backward()
        part.square().sum().backward()
        assert mine.grad is not None
        assert x.grad is not None
        assert gpugrad.allclose(mine.grad, x.grad[starts[rank] : starts[rank + 1]], atol=1e-10)
        for p, q in zip(some.parameters(), one.parameters(), strict=True):
            assert p.grad is not None
            assert q.grad is not None
            total = p.grad.clone()
            dist.all_reduce(total)
            assert gpugrad.allclose(total, q.grad, atol=1e-9)
        one.eval(), some.eval()
        assert gpugrad.allclose(some(x), one(x), atol=1e-12)
    half = nn.SyncBatchNorm(2).to(DEVICE).train()
    found = half(gpugrad.ones(2, 2, 2, dtype=gpugrad.float16, device=DEVICE) * rank)
    assert found.dtype is gpugrad.float16
    raised(ValueError, "at least 2D input (got 1D input)", half, ones(2))


@case
def gradients_go_another_way(rank: int, size: int) -> None:
    from gpugrad.distributed.algorithms.ddp_comm_hooks import default_hooks

    def twice(state: Any, bucket: Any) -> Any:
        state.append((bucket.index(), bucket.is_last(), len(bucket.parameters())))
        assert sum(g.numel() for g in bucket.gradients()) == bucket.buffer().numel()
        work: Any = dist.all_reduce(bucket.buffer(), async_op=True)
        return work.get_future().then(lambda found: found.value()[0] * 2)

    def alone(state: Any, bucket: Any) -> Any:
        future: Any = gpugrad.futures.Future()
        future.set_result(bucket.buffer())
        return future

    x = examples(size)
    mine = x[rank * 5 : (rank + 1) * 5]
    seen: list[Any] = []
    for hook, factor, tolerance in (
        (default_hooks.allreduce_hook, 1, 1e-12), (default_hooks.fp16_compress_hook, 1, 2e-2),
        (default_hooks.fp16_compress_wrapper(default_hooks.allreduce_hook), 1, 2e-2),
        (twice, 2 * size, 1e-12), (alone, 0, 1e-12),
    ):  # fmt: skip
        gpugrad.manual_seed(0)
        module = nn.Sequential(nn.Linear(6, 7), nn.Tanh(), nn.Linear(7, 2)).double().to(DEVICE)
        one = copy.deepcopy(module)
        together = DistributedDataParallel(module, bucket_cap_mb=1e-5)
        together.register_comm_hook(seen if hook is twice else None, hook)
        mean_squares(together, mine).backward()
        mean_squares(one, mine if hook is alone else x).backward()
        for q in one.parameters():
            assert q.grad is not None
            q.grad *= factor or 1
        check_gradients(module, one, tolerance)
    assert len(seen) > 1
    check([found[:2] for found in seen], [(k, k == len(seen) - 1) for k in range(len(seen))])
    raised(RuntimeError, "only be called once", together.register_comm_hook, None, alone)
    raised(TypeError, "must be callable", DistributedDataParallel(one).register_comm_hook, None, 3)


@case
def some_have_more_batches(rank: int, size: int) -> None:
    counts = [1, 3, 0, 2][:size]
    for options in ({}, {"divide_by_initial_world_size": False}):
        gpugrad.manual_seed(0)
        module = nn.Sequential(nn.Linear(6, 7), nn.BatchNorm1d(7), nn.Linear(7, 2))
        module.double().to(DEVICE)
        one = copy.deepcopy(module)
        together = DistributedDataParallel(module, bucket_cap_mb=1e-4)
        generator = gpugrad.Generator().manual_seed(7)
        data = gpugrad.randn(size, 3, 4, 6, dtype=gpugrad.float64, generator=generator).to(DEVICE)
        with together.join(**options):
            for k in range(counts[rank]):
                together.zero_grad()
                mean_squares(together, data[rank, k]).backward()
                with gpugrad.no_grad():
                    for p in module.parameters():
                        assert p.grad is not None
                        p.sub_(0.1 * p.grad)
        buffers: Any = {}
        for k in range(max(counts)):
            one.zero_grad()
            active = [r for r in range(size) if k < counts[r]]
            root = 0 if 0 in active else active[-1]
            state = {n: b.clone() for n, b in buffers.get(root, dict(one.named_buffers())).items()}
            for r in active:
                one.load_state_dict(state, strict=False)
                mean_squares(one, data[r, k]).backward()
                buffers[r] = {n: b.clone() for n, b in one.named_buffers()}
            with gpugrad.no_grad():
                for p in one.parameters():
                    assert p.grad is not None
                    p.sub_(0.1 * p.grad / (len(active) if options else size))
        one.load_state_dict(buffers[active[-1]], strict=False)
        for name, value in one.state_dict().items():
            assert gpugrad.allclose(module.state_dict()[name], value, atol=1e-12), name
    with together.join(enable=False):
        mean_squares(together, data[rank, 0]).backward()

    def uneven() -> None:
        with together.join(throw_on_early_termination=True):
            for k in range(counts[rank]):
                mean_squares(together, data[rank, k]).backward()

    match = "Detected at least one rank that exhausted inputs"
    raised(RuntimeError, f"Rank {rank} exhausted" if counts[rank] == min(counts) else match, uneven)


@case
def samplers_give_each_its_part(rank: int, size: int) -> None:
    data = TensorDataset(gpugrad.arange(11))
    sampler = DistributedSampler(data, seed=3)
    mine = [int(k) for (batch,) in DataLoader(data, 2, sampler=sampler) for k in batch]
    found: list[Any] = [None] * size
    dist.all_gather_object(found, mine)
    check({k for part in found for k in part}, set(range(11)))
    assert len({len(part) for part in found}) == 1


# --------------------------------------------------------------------------- ends of processes


def ends(how: str, rank: int) -> None:
    """Have one process end while the others wait for it."""
    dist.barrier()
    if rank == 1:
        if how == "error":
            raise ValueError("this process fails")
        if how == "exit":
            sys.exit(3)
        if how == "killed":
            os.kill(os.getpid(), 9)
    dist.all_reduce(ones(2))
    print("the others did not notice")


UNLIKE: dict[str, Callable[..., Any]] = {
    "all_reduce": lambda rank, group: dist.all_reduce(ones(3 + rank), group=group),
    "types": lambda rank, group: dist.all_reduce(
        ones(3, dtype=(gpugrad.int32, gpugrad.float32)[rank]), group=group
    ),
    "ways": lambda rank, group: dist.all_reduce(ones(3), (ReduceOp.SUM, ReduceOp.MAX)[rank], group),
    "calls": lambda rank, group: (
        dist.all_reduce(ones(3), group=group) if rank else dist.broadcast(ones(3), 0, group)
    ),
    "broadcast": lambda rank, group: dist.broadcast(ones(3 + rank), 0, group),
    "reduce": lambda rank, group: dist.reduce(ones(3 + rank), 0, group=group),
    "reduce_scatter": lambda rank, group: dist.reduce_scatter(
        ones(3 + rank), [ones(3 + rank)] * 2, group=group
    ),
    "all_gather": lambda rank, group: dist.all_gather([ones(3 + rank)] * 2, ones(3 + rank), group),
    "gather": lambda rank, group: dist.gather(
        ones(3 + rank), None if rank else [ones(3)] * 2, 0, group
    ),
    "scatter": lambda rank, group: dist.scatter(
        ones(3 + rank), None if rank else [ones(3)] * 2, 0, group
    ),
    "all_to_all": lambda rank, group: dist.all_to_all([ones(2 + rank)] * 2, [ones(3)] * 2, group),
}


def unlike(rank: int) -> None:
    """Have two processes call what does not fit together, which each of them is told."""
    for name, call in UNLIKE.items():
        try:
            call(rank, dist.new_group())
        except dist.DistBackendError as error:
            print(f"rank {rank}: {name}: {error}", flush=True)
    work = dist.all_reduce(ones(3 + rank), group=dist.new_group(), async_op=True)
    assert work is not None
    for _ in range(2):  # it is told as often as it is asked for
        raised(dist.DistBackendError, "mismatch between collectives", work.wait)
    print(f"rank {rank}: told twice", flush=True)
    dist.barrier()
    os._exit(0)  # MPI is in no state to end


def main() -> None:
    if BACKEND == "nccl":
        import fake_nccl

        from gpugrad.backend.cuda import nccl

        vars(nccl)["nccl"] = fake_nccl
    dist.init_process_group(BACKEND)
    how = sys.argv[3]
    rank, size = dist.get_rank(), dist.get_world_size()
    if how.startswith("ends:"):
        ends(how.partition(":")[2], rank)
    if how == "unlike":
        unlike(rank)
    for name in sys.argv[3:]:
        if name in CASES:
            CASES[name](rank, size)
            dist.barrier()
            if rank == 0:
                print("ended well:", name, flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
