"""Parts of a network as CUDA graphs: the forward of a callable is one, its backward another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import tree
from gpugrad._tensor import Tensor
from gpugrad.autograd import Function, grad
from gpugrad.autograd.function import once_differentiable
from gpugrad.cuda import devices, graphs, streams
from gpugrad.nn.modules.module import Module
from gpugrad.op.autocast import state
from gpugrad.ops.filled import empty_like

if TYPE_CHECKING:
    from gpugrad.backend.cuda.graphs import Pool


def make_graphed_callables(
    callables: Any,
    sample_args: Any,
    num_warmup_iters: int = 3,
    allow_unused_input: bool = False,
    pool: Pool | None = None,
) -> Any:
    """Return what computes as a function or module does, but replays CUDA graphs.

    A module is returned itself, and replays as long as it trains, or not, as it does now.  What is
    returned takes arguments of the shapes and types of the sample's, which are copied into these;
    its results, and the gradients of arguments, lie in memory that the next call overwrites.  It
    can be differentiated once.

    Args:
        callables: One, or a tuple in the order in which they run; these share their memory.
        sample_args: A tuple of tensors, nested ones too; for a tuple of callables one for each.
            Those that require grad here will be asked for gradients.
        num_warmup_iters: How often each runs before it is captured.
        allow_unused_input: Whether an input may have no influence on the results.
        pool: Memory to share with other graphs.

    Raises:
        AssertionError: A module has hooks, or buffers that require grad; or a sample is no tensor.
        RuntimeError: A region of mixed precision with a cache is open; or an input is not used.
    """
    if state.enabled["cuda"] and state.caches:
        raise RuntimeError(
            "make_graphed_callables does not support the autocast caching. Please set "
            "`cache_enabled=False`."
        )
    single = not isinstance(callables, tuple)
    functions = (callables,) if single else callables
    samples = (sample_args,) if single else sample_args
    parts = [_Part(f, args) for f, args in zip(functions, samples, strict=True)]
    devices.synchronize()
    with streams.stream(streams.Stream()):
        for part in parts:
            for _ in range(num_warmup_iters):
                part.warm_up(allow_unused_input)
    devices.synchronize()
    memory = graphs.graph_pool_handle() if pool is None else pool
    # in the order in which they run, as what one leaves in the memory the next overwrites
    for part in parts:
        part.capture_forward(memory)
    for part in reversed(parts):
        part.capture_backward(memory, allow_unused_input)
    made = [part.callable() for part in parts]
    return made[0] if single else tuple(made)


class _Part:
    """A callable with the tensors that its graphs read and write."""

    def __init__(self, function: Any, args: tuple[Any, ...]):
        given = tree.leaves(args)
        parameters: tuple[Any, ...] = ()
        if isinstance(function, Module):
            _check_module(function)
            parameters = tuple(function.parameters())
        if not all(isinstance(a, Tensor) for a in given):
            raise AssertionError(
                "In the beta API, sample_args for each callable must contain only Tensors. Other "
                "types are not allowed."
            )
        self.function = function
        self.args = args
        self.parameters = parameters
        self.inputs: list[Any] = [*given, *parameters]
        self.asked = [t for t in self.inputs if t.requires_grad]
        self.given = len(given)
        self.forward, self.backward = graphs.CUDAGraph(), graphs.CUDAGraph()
        self.outs: list[Any] = []
        self.results: Any = None
        self.grads: list[Any] = []  # of the results, None for those without
        self.found: list[Any] = []  # of the inputs

    def warm_up(self, allow_unused: bool) -> None:
        """Run forward and backward, so that kernels and libraries are loaded."""
        outs = [o for o in tree.leaves(self.function(*self.args)) if o.requires_grad]
        self._differentiate(outs, [empty_like(o) for o in outs], allow_unused)

    def capture_forward(self, memory: Any) -> None:
        with graphs.graph(self.forward, pool=memory):
            self.results = self.function(*self.args)
        self.outs = tree.leaves(self.results)

    def capture_backward(self, memory: Any, allow_unused: bool) -> None:
        self.grads = [empty_like(o) if o.requires_grad else None for o in self.outs]
        outs = [o for o in self.outs if o.requires_grad]
        found: Sequence[Any] = ()
        if outs:
            with graphs.graph(self.backward, pool=memory):
                grads = [g for g in self.grads if g is not None]
                found = self._differentiate(outs, grads, allow_unused)
        grads_found = iter(found)
        self.found = [next(grads_found, None) if t.requires_grad else None for t in self.inputs]
        # what the replays need stays; the recorded history has served
        self.outs = [o.detach() for o in self.outs]
        self.results = tree.rebuilt(self.results, self.outs)

    def _differentiate(self, outs: list[Any], grads: list[Any], unused: bool) -> Sequence[Any]:
        if not outs or not self.asked:
            return ()
        return grad(outs, self.asked, grads, allow_unused=unused)

    def callable(self) -> Any:
        """Return the module, or what stands for the function."""
        replayed = self._replayed()
        module = self.function
        if not isinstance(module, Module):
            return replayed
        training, original = module.training, module.forward

        def forward(*args: Any, **options: Any) -> Any:
            run = replayed if module.training == training else original
            return run(*args, **options)

        module.forward = forward
        return module

    def _replayed(self) -> Callable[..., Any]:
        part = self

        class Graphed(Function):
            """Forward and backward as graphs."""

            @staticmethod
            def forward(ctx: Any, *inputs: Any) -> Any:
                for own, new in zip(part.inputs[: part.given], inputs, strict=False):
                    _put(own, new)
                part.forward.replay()
                return tuple([o.detach() for o in part.outs])

            @staticmethod
            @once_differentiable
            def backward(ctx: Any, *grads: Any) -> Any:
                for own, new in zip(part.grads, grads, strict=True):
                    if own is not None:
                        _put(own, new)
                if part.backward.is_captured:
                    part.backward.replay()
                return tuple([None if g is None else g.detach() for g in part.found])

        def call(*args: Any) -> Any:
            outs = Graphed.apply(*tree.leaves(args), *part.parameters)
            return tree.rebuilt(part.results, list(outs))

        return call


def _put(own: Any, new: Any) -> None:
    """Copy a tensor to where a graph reads it, unless it lies there."""
    if own.data_ptr() != new.data_ptr() or own.stride() != new.stride():
        own.detach().copy_(new.detach())


def _check_module(module: Any) -> None:
    if module._backward_hooks or module._forward_hooks or module._forward_pre_hooks:
        raise AssertionError(
            "Modules must not have hooks registered at the time they are passed. However, "
            "registering hooks on modules after passing them through make_graphed_callables is "
            "allowed."
        )
    if any(b.requires_grad for b in module.buffers()):
        raise AssertionError(
            "In any :class:`~gpugrad.nn.Module` passed to :func:`~make_graphed_callables`, only "
            "parameters may be trainable. All buffers must have ``requires_grad=False``."
        )
