"""Memory that other libraries see, too: DLPack, CUDA's array interface, streams and pools."""

from __future__ import annotations

import importlib.util
import types
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.autograd import forward_ad

cuda = pytest.mark.cuda


class Interface:
    """An array as Numba and RAPIDS have them: nothing but CUDA's array interface."""

    def __init__(self, array: Any):
        self.array, self.__cuda_array_interface__ = array, array.__cuda_array_interface__


def arrays(device: str) -> Any:
    """Return a library that exports by DLPack on a device."""
    if device == "cpu":
        return np
    import cupy

    return cupy


@pytest.mark.parametrize("kind", ["float32", "float16", "complex128", "int8", "uint64", "bool"])
def test_what_another_library_exports_is_shared(kind: str, device: str) -> None:
    xp = arrays(device)
    array = xp.ones((2, 3), kind)[:, ::2]
    makers: list[Any] = [
        gpugrad.from_dlpack, lambda a: gpugrad.from_dlpack(gpugrad.to_dlpack(gpugrad.asarray(a))),
        lambda a: gpugrad.from_dlpack(a.__dlpack__()), gpugrad.utils.dlpack.from_dlpack,
        lambda a: gpugrad.from_dlpack(a.__dlpack__(max_version=(1, 0))),
    ]  # fmt: skip
    if device == "cuda":
        makers += [
            gpugrad.from_cupy, lambda a: gpugrad.from_cupy(Interface(a)),
            lambda a: gpugrad.as_tensor(Interface(a)), lambda a: gpugrad.asarray(Interface(a)),
        ]  # fmt: skip
    for make in makers:
        array[...] = 1
        tensor = make(array)
        assert (str(tensor.dtype), tensor.device.type) == (f"gpugrad.{kind}", device)
        tensor.zero_()
        assert not array.any()
        assert tensor.stride() == (3, 2)
    copied = [gpugrad.from_dlpack(array, copy=True)]
    if device == "cuda":
        copied += [gpugrad.tensor(Interface(array)), gpugrad.from_dlpack(array, device="cpu")]
    for tensor in copied:
        tensor.fill_(1)
        assert not array.any()


def test_what_cannot_be_shared_is_refused(device: str) -> None:
    xp = arrays(device)
    capsule = xp.ones(2).__dlpack__()
    gpugrad.from_dlpack(capsule)
    with pytest.raises(RuntimeError, match="can be consumed only once"):
        gpugrad.from_dlpack(capsule)
    with pytest.raises(AttributeError, match="__dlpack_device__"):
        gpugrad.from_dlpack([1.0])
    with pytest.raises(TypeError, match=r"expected cupy\.ndarray"):
        gpugrad.from_cupy(np.ones(2))
    if device == "cuda":
        with pytest.raises(ValueError, match="without copying"):
            gpugrad.from_dlpack(xp.ones(2), device="cpu", copy=False)


@pytest.mark.pytorch
def test_types_are_checked_before_memory_is_read() -> None:
    import torch

    with pytest.raises(TypeError, match=r"no tensor has elements of DLPack.s type .* 8 bits"):
        gpugrad.from_dlpack(torch.zeros(2).to(torch.float8_e4m3fn))
    with pytest.raises(TypeError, match="as int16"):
        gpugrad.from_dlpack(torch.zeros(2).bfloat16())
    bits = torch.tensor([1.5, -2.0]).bfloat16().view(torch.int16)
    assert gpugrad.from_dlpack(bits).view(gpugrad.bfloat16).tolist() == [1.5, -2.0]


@pytest.mark.pytorch
def test_pytorch_takes_and_gives_memory() -> None:
    import torch

    theirs = torch.arange(6.0).reshape(2, 3).T
    ours = gpugrad.from_dlpack(theirs)
    assert gpugrad.asarray(theirs).data_ptr() == theirs.data_ptr()
    back = torch.from_dlpack(ours.mul_(2))
    capsule = torch.utils.dlpack.from_dlpack(gpugrad.utils.dlpack.to_dlpack(ours))
    for t in theirs, back, capsule:
        assert t.tolist() == [[0, 6], [2, 8], [4, 10]]
    assert {d.name for d in gpugrad.utils.dlpack.DLDeviceType} >= {
        d.name for d in torch.utils.dlpack.DLDeviceType if d.name.startswith("kDLCUDA")
    }


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_arrays_of_jax_may_be_read_but_not_written() -> None:
    import jax.numpy as jnp

    array = jnp.arange(3.0)
    shared = gpugrad.from_dlpack(array)
    assert shared.data_ptr() == array.unsafe_buffer_pointer()
    with pytest.raises(ValueError, match="read-only"):
        shared.add_(1)
    own = gpugrad.tensor(array)
    own.add_(1)
    assert (shared.tolist(), own.tolist()) == ([0, 1, 2], [1, 2, 3])
    assert jnp.from_dlpack(own).tolist() == [1, 2, 3]


def test_what_would_lose_a_derivative_is_not_exported(device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0], device=device, requires_grad=True)
    tracked = [(x, "require gradient"), (x * 2, "require gradient")]
    plain = gpugrad.tensor([1.0, 2.0], device=device)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(plain, plain)
        conjugate = gpugrad.tensor([1j], device=device).conj()
        for t, why in (*tracked, (dual, "tangents"), (conjugate, "conjugate bit")):
            for export in t.__dlpack__, lambda t=t: gpugrad.to_dlpack(t):
                with pytest.raises(BufferError, match=why):
                    export()
            assert not hasattr(t, "__cuda_array_interface__")
    assert hasattr(plain, "__cuda_array_interface__") is (device == "cuda")


@cuda
def test_what_cupy_would_read_silently_names_the_way_out() -> None:
    import cupy

    x = gpugrad.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    kernel = cupy.ReductionKernel("T x", "T y", "x", "a + b", "y = a", "0", "total")
    readers: list[Any] = [cupy.asarray, lambda t: cupy.concatenate([t, t]), kernel]
    for read in readers:
        with pytest.raises(RuntimeError, match=r"requires grad.*gpugrad\.cupy.*tensor\.detach"):
            read(x)
        read(x.detach())
    with forward_ad.dual_level(), pytest.raises(RuntimeError, match="tangents"):
        cupy.asarray(forward_ad.make_dual(x.detach(), x.detach()))
    with pytest.raises(RuntimeError, match="hidden axes"):
        gpugrad.vmap(lambda t: t * float(cupy.asarray(t).sum()))(x.detach())


@cuda
def test_work_follows_cupys_current_stream_and_device() -> None:
    import cupy

    stream = gpugrad.cuda.Stream()
    chosen: list[Any] = [stream, gpugrad.cuda.stream(stream), gpugrad.cuda.stream(stream.cupy)]
    for context in (*chosen, stream.cupy):
        with context:
            assert gpugrad.cuda.current_stream() == stream
            assert cupy.cuda.get_current_stream().ptr == stream.cuda_stream
            with gpugrad.cuda.stream(None), gpugrad.cuda.device(-1):
                assert gpugrad.cuda.current_stream() == stream
        assert gpugrad.cuda.current_stream() == gpugrad.cuda.default_stream() != stream
    assert gpugrad.cuda.ExternalStream(stream.cuda_stream) == stream
    with gpugrad.cuda.stream(types.SimpleNamespace(__cuda_stream__=stream.__cuda_stream__)):
        assert gpugrad.cuda.current_stream() == stream
    event = stream.record_event(gpugrad.cuda.Event(enable_timing=True))
    stream.wait_event(event)
    stream.wait_stream(cupy.cuda.Stream.null)
    event.wait()
    event.synchronize()
    stream.synchronize()
    assert stream.query()
    assert event.query()
    later = gpugrad.cuda.Event(enable_timing=True)
    later.record()
    assert event.elapsed_time(later) >= 0
    gpugrad.cuda.set_stream(stream)
    assert cupy.cuda.get_current_stream().ptr == stream.cuda_stream
    gpugrad.cuda.set_stream(gpugrad.cuda.default_stream())
    with cupy.cuda.Device(0), gpugrad.cuda.device_of(gpugrad.ones(1, device="cuda")):
        assert gpugrad.cuda.current_device() == gpugrad.ones(1, device="cuda").device.index == 0
    assert gpugrad.cuda.get_device_properties().total_memory > 0
    assert len(gpugrad.cuda.get_device_capability()) == 2


@cuda
def test_memory_is_cupys() -> None:
    import cupy

    before = gpugrad.cuda.memory_allocated()
    gpugrad.cuda.reset_peak_memory_stats()
    x = gpugrad.ones(1 << 20, device="cuda")
    assert gpugrad.cuda.memory_allocated() - before == x.nbytes
    assert gpugrad.cuda.memory_allocated() == cupy.get_default_memory_pool().used_bytes()
    del x
    assert gpugrad.cuda.memory_allocated() == before
    assert gpugrad.cuda.max_memory_allocated() == before + (4 << 20)
    assert gpugrad.cuda.max_memory_reserved() >= gpugrad.cuda.memory_reserved() >= before
    gpugrad.cuda.reset_peak_memory_stats()
    assert gpugrad.cuda.memory_stats()["allocated_bytes.all.peak"] == before
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        y = gpugrad.ones(1 << 18, device="cuda")
        assert gpugrad.cuda.memory_allocated() == pool.used_bytes() == y.nbytes
        del y
        gpugrad.cuda.empty_cache()
        assert gpugrad.cuda.memory_reserved() == pool.total_bytes() == 0
    assert gpugrad.cuda.memory_allocated() == before
    free, total = gpugrad.cuda.mem_get_info()
    assert 0 < free <= total
