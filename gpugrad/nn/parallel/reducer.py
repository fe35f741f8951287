"""The gradients of a module in buckets, whose averages are under way while backward goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gpugrad import distributed, functions
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.distributed.gradients import GradBucket
from gpugrad.graph import TensorBase, below
from gpugrad.nn.parameter import Parameter

_FIRST_BUCKET = 2**20  # bytes: the first gradients are soon on their way
_UNFINISHED = (
    "Expected to have finished reduction in the prior iteration before starting a new one. This "
    "error indicates that your module has parameters that were not used in producing loss. You can "
    "enable unused parameter detection by passing the keyword argument "
    "`find_unused_parameters=True` to `gpugrad.nn.parallel.DistributedDataParallel`, and by \n"
    "making sure all `forward` function outputs participate in calculating loss. \n"
    "If you already have done the above, then the distributed data parallel module wasn't able to "
    "locate the output tensors in the return value of your module's `forward` function. Please "
    "include the loss function and the structure of the return value of `forward` of your module "
    "when reporting this issue (e.g. list, dict, iterable).\n"
    "Parameters which did not receive grad for rank {rank}: {names}"
)


class Bucket:
    """Some parameters, whose gradients lie one behind the other in one memory."""

    def __init__(self, params: Sequence[Parameter]):
        self.params = list(params)
        sizes = [p.numel() for p in params]
        like = params[0]
        self.memory = functions.zeros(sum(sizes), dtype=like.dtype, device=like.device)
        parts = self.memory.split(sizes)
        self.views = [
            part.as_strided(p.shape, p.stride(), part.storage_offset())
            if _is_dense(p)
            else part.view(p.shape)
            for part, p in zip(parts, params, strict=True)
        ]
        self.waiting = len(self.params)
        self.work: Any = None


def _is_dense(tensor: Tensor) -> bool:
    """Tell whether a tensor's elements lie without gaps, in whatever order."""
    steps = sorted(
        (step, n) for step, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1
    )
    expected = 1
    for step, n in steps:
        if step != expected:
            return False
        expected *= n
    return True


class Reducer:
    """Averages the gradients of parameters over the processes of a group.

    Args:
        named: The parameters that require grad, with their names.
        group: Which processes.
        cap: How many bytes a bucket has, about; the first one has 1 MiB at most.
        finds_unused: Whether parameters without gradients are looked for, from the outputs on.
        as_views: Whether gradients stay in the memory of the buckets.
    """

    def __init__(
        self,
        named: Sequence[tuple[str, Parameter]],
        group: Any,
        cap: int,
        finds_unused: bool,
        as_views: bool,
    ):
        self.names = {id(p): name for name, p in named}
        self.group = group
        self.finds_unused = finds_unused
        self.as_views = as_views
        self.buckets = [Bucket(params) for params in _bucketed([p for _, p in named], cap)]
        self.places = {
            id(p): (bucket, k) for bucket in self.buckets for k, p in enumerate(bucket.params)
        }
        self.syncs = False
        self.divisor = group.size()  # of the sums of gradients
        self.carry: Any = None  # how a bucket goes to all, if a user's function does it
        self._reset()
        for _, p in named:
            p.register_post_accumulate_grad_hook(self._on_gradient)

    def _reset(self) -> None:
        self.ready: set[int] = set()  # parameters, by id
        self.used: set[int] = set()
        self.started = 0  # how many buckets are under way: they go in their order
        for bucket in self.buckets:
            bucket.waiting, bucket.work = len(bucket.params), None

    def begin(self) -> None:
        """Expect the gradients of another backward.

        Raises:
            RuntimeError: In the one before, some parameters received none.
        """
        if self.ready:
            missing = [name for p, name in self.names.items() if p not in self.ready]
            self._reset()
            raise RuntimeError(_UNFINISHED.format(rank=self.group.rank(), names=", ".join(missing)))

    def expect(self, outputs: Iterable[Any]) -> None:
        """Have the next backward average, and take those as ready to which no output leads."""
        self.syncs = True
        if not self.finds_unused:
            return
        edges = [t._edge for t in outputs if isinstance(t, TensorBase) and t._edge is not None]
        reached = {id(t) for t in outputs}
        for node in below(edges).values():
            reached.update(id(edge) for edge in node.inputs if isinstance(edge, TensorBase))
        for bucket in self.buckets:
            for k, p in enumerate(bucket.params):
                if id(p) not in reached:
                    self._take_unused(p, bucket.views[k])

    def _take_unused(self, param: Parameter, view: Tensor) -> None:
        """Take what a parameter has of a gradient from before; it may stay if nobody uses it."""
        with no_grad():
            if param.grad is None:
                view.zero_()
            else:
                if param.grad._array is view._array:
                    param.grad = view.clone()
                view.copy_(param.grad)
            self._on_ready(param)

    def _on_gradient(self, param: Tensor) -> None:
        """Take the gradient of a parameter, which has all of it now."""
        self.used.add(id(param))
        if not self.syncs:
            return
        if id(param) in self.ready:
            name = self.names[id(param)]
            raise RuntimeError(
                "Expected to mark a variable ready only once. The parameter "
                f"{name} received a gradient after the average was started."
            )
        bucket, k = self.places[id(param)]
        grad: Any = param.grad
        with no_grad():
            if grad is None:
                bucket.views[k].zero_()
            elif grad._array is not bucket.views[k]._array:
                bucket.views[k].copy_(grad.detach())
            self._on_ready(param)

    def _on_ready(self, param: Tensor) -> None:
        self.ready.add(id(param))
        self.places[id(param)][0].waiting -= 1
        for bucket in self.buckets[: self.started]:
            # MPI moves on when it is asked
            bucket.work.is_completed() if self.carry is None else bucket.work.done()
        while self.started < len(self.buckets) and not self.buckets[self.started].waiting:
            self._start()
        if self.started == len(self.buckets):
            self._finish()

    def _start(self) -> None:
        """Send the next bucket on its way."""
        k, bucket = self.started, self.buckets[self.started]
        if self.carry is None:
            bucket.memory.div_(self.divisor)
            bucket.work = distributed.all_reduce(bucket.memory, group=self.group, async_op=True)
        else:
            last = k == len(self.buckets) - 1
            given = GradBucket(k, last, bucket.memory, bucket.views, bucket.params)
            bucket.work = self.carry(given)
        self.started += 1

    def take_part(self) -> None:
        """Take part in a backward of others, without examples of one's own."""
        self._reset()
        with no_grad():
            for bucket in self.buckets:
                bucket.memory.zero_()
                self._start()
            self._finish(gives=False)

    def _finish(self, gives: bool = True) -> None:
        """Wait for all averages, and give them to the parameters."""
        everywhere = self._used_anywhere() if self.finds_unused else None
        for bucket in self.buckets:
            found = bucket.work.wait()
            if self.carry is not None and found._array is not bucket.memory._array:
                with no_grad():
                    bucket.memory.copy_(found)
            if not gives:
                continue
            for p, view in zip(bucket.params, bucket.views, strict=True):
                if everywhere is not None and id(p) not in everywhere:
                    continue  # no process has a gradient of it
                if self.as_views:
                    p.grad = view
                elif p.grad is None:
                    p.grad = view.clone()
                else:
                    with no_grad():
                        p.grad.copy_(view)
        self._reset()

    def _used_anywhere(self) -> set[int]:
        """Return the parameters of which any process has a gradient."""
        order = list(self.names)
        like = self.buckets[0].memory
        flags = functions.tensor([int(p in self.used) for p in order], device=like.device)
        distributed.all_reduce(flags, group=self.group)
        return {p for p, count in zip(order, flags.tolist(), strict=True) if count}


def _bucketed(params: Sequence[Parameter], cap: int) -> list[list[Parameter]]:
    """Return parameters in buckets of one type and device, the last ones first.

    That is the order, about, in which their gradients come.
    """
    found: list[list[Parameter]] = []
    filling: dict[Any, list[Parameter]] = {}
    for p in reversed(params):
        bucket = filling.setdefault((p.dtype, p.device), [])
        if not bucket:
            found.append(bucket)
        bucket.append(p)
        limit = min(cap, _FIRST_BUCKET) if bucket is found[0] else cap
        if sum(q.nbytes for q in bucket) >= limit:
            del filling[p.dtype, p.device]
    return found


def broadcast_together(tensors: Sequence[Tensor], group: Any, root: int = 0) -> None:
    """Give all processes the values of tensors that one has, in one message for each type."""
    kinds: dict[Any, list[Tensor]] = {}
    for t in tensors:
        kinds.setdefault((t.dtype, t.device), []).append(t.detach())
    with no_grad():
        for same in kinds.values():
            flat = functions.cat([t.reshape(-1) for t in same])
            distributed.broadcast(flat, group=group, group_src=root)
            if group.rank() != root:
                for t, part in zip(same, flat.split([t.numel() for t in same]), strict=True):
                    t.copy_(part.view(t.shape))
