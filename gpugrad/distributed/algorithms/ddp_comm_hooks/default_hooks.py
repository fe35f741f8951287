"""Means of gradients over processes, as they are or rounded to 16 bits on their way.

``net.register_comm_hook(None, fp16_compress_hook)`` has ``DistributedDataParallel`` take one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad._dtype import bfloat16, float16
from gpugrad._tensor import Tensor
from gpugrad.distributed.collectives import all_reduce
from gpugrad.distributed.gradients import GradBucket
from gpugrad.distributed.group import chosen
from gpugrad.futures import Future

CommHook = Callable[[Any, GradBucket], Future[Tensor]]


def allreduce_hook(process_group: Any, bucket: GradBucket) -> Future[Tensor]:
    """Return the mean over a group, as without any hook."""
    group = chosen(process_group)
    work = all_reduce(bucket.buffer().div_(group.size()), group=group, async_op=True)
    assert work is not None
    return work.get_future().then(lambda found: found.value()[0])


def _rounded(dtype: Any, process_group: Any, bucket: GradBucket) -> Future[Tensor]:
    group, buffer = chosen(process_group), bucket.buffer()
    work = all_reduce(buffer.to(dtype).div_(group.size()), group=group, async_op=True)
    assert work is not None
    return work.get_future().then(lambda found: buffer.copy_(found.value()[0]))


def fp16_compress_hook(process_group: Any, bucket: GradBucket) -> Future[Tensor]:
    """Return the mean over a group of gradients that are rounded to ``float16``."""
    return _rounded(float16, process_group, bucket)


def bf16_compress_hook(process_group: Any, bucket: GradBucket) -> Future[Tensor]:
    """Return the mean over a group of gradients that are rounded to ``bfloat16``."""
    return _rounded(bfloat16, process_group, bucket)


def _wrapped(dtype: Any, hook: CommHook) -> CommHook:
    def rounded(state: Any, bucket: GradBucket) -> Future[Tensor]:
        buffer = bucket.buffer()
        bucket.set_buffer(buffer.to(dtype))
        return hook(state, bucket).then(lambda found: buffer.copy_(found.value()))

    return rounded


def fp16_compress_wrapper(hook: CommHook) -> CommHook:
    """Return a hook that carries in another one's way what it rounds to ``float16``."""
    return _wrapped(float16, hook)


def bf16_compress_wrapper(hook: CommHook) -> CommHook:
    """Return a hook that carries in another one's way what it rounds to ``bfloat16``."""
    return _wrapped(bfloat16, hook)
