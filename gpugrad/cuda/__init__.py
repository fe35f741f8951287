"""GPUs under ``torch.cuda``'s names: their devices, streams, memory and random numbers."""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from gpugrad.cuda.devices import current_device as current_device
from gpugrad.cuda.devices import device as device
from gpugrad.cuda.devices import device_count as device_count
from gpugrad.cuda.devices import device_of as device_of
from gpugrad.cuda.devices import get_device_capability as get_device_capability
from gpugrad.cuda.devices import get_device_name as get_device_name
from gpugrad.cuda.devices import get_device_properties as get_device_properties
from gpugrad.cuda.devices import init as init
from gpugrad.cuda.devices import is_available as is_available
from gpugrad.cuda.devices import is_bf16_supported as is_bf16_supported
from gpugrad.cuda.devices import is_initialized as is_initialized
from gpugrad.cuda.devices import set_device as set_device
from gpugrad.cuda.devices import synchronize as synchronize
from gpugrad.cuda.devices import where_is as _where_is
from gpugrad.op.generator import Generator, default_of
from gpugrad.tensor_types import OF_CUDA

if TYPE_CHECKING:
    from gpugrad.cuda import amp as amp
    from gpugrad.cuda.graphs import CUDAGraph as CUDAGraph
    from gpugrad.cuda.graphs import graph as graph
    from gpugrad.cuda.graphs import graph_pool_handle as graph_pool_handle
    from gpugrad.cuda.graphs import is_current_stream_capturing as is_current_stream_capturing
    from gpugrad.cuda.memory import empty_cache as empty_cache
    from gpugrad.cuda.memory import ipc_collect as ipc_collect
    from gpugrad.cuda.memory import max_memory_allocated as max_memory_allocated
    from gpugrad.cuda.memory import max_memory_reserved as max_memory_reserved
    from gpugrad.cuda.memory import mem_get_info as mem_get_info
    from gpugrad.cuda.memory import memory_allocated as memory_allocated
    from gpugrad.cuda.memory import memory_reserved as memory_reserved
    from gpugrad.cuda.memory import memory_stats as memory_stats
    from gpugrad.cuda.memory import reset_max_memory_allocated as reset_max_memory_allocated
    from gpugrad.cuda.memory import reset_peak_memory_stats as reset_peak_memory_stats
    from gpugrad.cuda.streams import Event as Event
    from gpugrad.cuda.streams import ExternalStream as ExternalStream
    from gpugrad.cuda.streams import Stream as Stream
    from gpugrad.cuda.streams import StreamContext as StreamContext
    from gpugrad.cuda.streams import current_stream as current_stream
    from gpugrad.cuda.streams import default_stream as default_stream
    from gpugrad.cuda.streams import get_stream_from_external as get_stream_from_external
    from gpugrad.cuda.streams import set_stream as set_stream
    from gpugrad.cuda.streams import stream as stream
    from gpugrad.nn.graphed import make_graphed_callables as make_graphed_callables

_LATER = {  # in modules that are loaded when something of them is first asked for
    "CUDAGraph": "gpugrad.cuda.graphs",
    "amp": "gpugrad.cuda.amp",
    "graph": "gpugrad.cuda.graphs",
    "graph_pool_handle": "gpugrad.cuda.graphs",
    "graphs": "gpugrad.cuda.graphs",
    "is_current_stream_capturing": "gpugrad.cuda.graphs",
    "make_graphed_callables": "gpugrad.nn.graphed",
    "empty_cache": "gpugrad.cuda.memory",
    "ipc_collect": "gpugrad.cuda.memory",
    "max_memory_allocated": "gpugrad.cuda.memory",
    "max_memory_reserved": "gpugrad.cuda.memory",
    "mem_get_info": "gpugrad.cuda.memory",
    "memory_allocated": "gpugrad.cuda.memory",
    "memory_reserved": "gpugrad.cuda.memory",
    "memory_stats": "gpugrad.cuda.memory",
    "reset_max_memory_allocated": "gpugrad.cuda.memory",
    "reset_peak_memory_stats": "gpugrad.cuda.memory",
    "Event": "gpugrad.cuda.streams",
    "ExternalStream": "gpugrad.cuda.streams",
    "Stream": "gpugrad.cuda.streams",
    "StreamContext": "gpugrad.cuda.streams",
    "current_stream": "gpugrad.cuda.streams",
    "default_stream": "gpugrad.cuda.streams",
    "get_stream_from_external": "gpugrad.cuda.streams",
    "set_stream": "gpugrad.cuda.streams",
    "stream": "gpugrad.cuda.streams",
}


def __getattr__(name: str) -> Any:
    """Return what is made when it is asked for.

    That is one of the types of tensors on a GPU, ``gpugrad.cuda.FloatTensor`` and its kind, or what
    has to do with streams or memory.
    """
    if name in OF_CUDA:
        return OF_CUDA[name]
    if name in _LATER:
        module = _import_module(_LATER[name])
        found = globals()[name] = getattr(module, name, module)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *OF_CUDA, *_LATER})


def manual_seed(seed: int) -> None:
    """Seed the default generator of the current GPU."""
    _generator(None).manual_seed(int(seed))


def manual_seed_all(seed: int) -> None:
    """Seed the default generators of all GPUs."""
    for number in range(device_count()):
        _generator(number).manual_seed(int(seed))


def seed() -> None:
    """Seed the default generator of the current GPU by a number that is drawn."""
    _generator(None).seed()


def seed_all() -> None:
    """Seed the default generators of all GPUs by one number that is drawn."""
    for number in range(device_count()):
        first = _generator(0).seed() if not number else _generator(0).initial_seed()
        _generator(number).manual_seed(first)


def initial_seed() -> int:
    """Return the seed of the current GPU's default generator."""
    return _generator(None).initial_seed()


def get_rng_state(device: Any = "cuda") -> Any:
    """Return where the default generator of a GPU stands, as a tensor of bytes on the CPU."""
    return _generator(device).get_state()


def get_rng_state_all() -> list[Any]:
    """Return where the default generators of all GPUs stand."""
    return [get_rng_state(number) for number in range(device_count())]


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Let the default generator of a GPU stand where it once stood."""
    _generator(device).set_state(new_state)


def set_rng_state_all(new_states: Any) -> None:
    """Let the default generators of all GPUs stand where they once stood."""
    for number, state in enumerate(new_states):
        set_rng_state(state, number)


def _generator(where: Any) -> Generator:
    return default_of(_where_is(where))
