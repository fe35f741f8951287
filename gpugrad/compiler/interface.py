"""``compile`` and what goes with it, under PyTorch's names."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, overload

from gpugrad.compiler import recorded
from gpugrad.compiler.function import Compiled, all_compiled

BACKENDS = ("inductor", "eager", "aot_eager", "cudagraphs")
MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


@overload
def compile(
    model: Callable[..., Any],
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any: ...
@overload
def compile(
    model: None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Callable[[Callable[..., Any]], Any]: ...
def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """Return a function that does what ``model`` does, by a program that its first call records.

    The program holds all that is computed: gradients, what is written in place, random numbers and
    the steps of optimizers.  Calls with other shapes, types or numbers are recorded anew.  A call
    that asks for the values of tensors (``.item()``, an ``if``) runs as it is written.

    Args:
        model: A function, or a module, of which a module is returned.
        fullgraph: Raise where something cannot be part of a program, and name the line.
        dynamic: Accepted; shapes are part of a program, whatever it is.
        backend: Accepted, one of PyTorch's names or a function: operations are always fused.
        mode: Accepted; unlike in PyTorch "reduce-overhead" makes no CUDA graph of the program.
        options: Accepted, as they say nothing of results.
        disable: Return ``model`` as it is.

    Raises:
        RuntimeError: ``mode`` or ``backend`` is unknown, or both ``mode`` and ``options`` are
            given; with ``fullgraph``, a call is not one program.
    """
    if mode is not None and options is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    if mode is not None and mode not in MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(MODES)}")
    if not callable(backend) and backend not in BACKENDS:
        raise RuntimeError(f"Invalid backend: {backend!r}, should be one of: {', '.join(BACKENDS)}")
    if model is None:
        return functools.partial(
            compile,
            fullgraph=fullgraph,
            dynamic=dynamic,
            backend=backend,
            mode=mode,
            options=options,
            disable=disable,
        )
    if disable:
        return model
    options = {"fullgraph": fullgraph, "backend": backend}
    nn = sys.modules.get("gpugrad.nn")
    if nn is not None and isinstance(model, nn.Module):
        from gpugrad.compiler.module import OptimizedModule

        return OptimizedModule(model, **options)
    return Compiled(model, **options)


def is_compiling() -> bool:
    """Tell whether this thread records a program."""
    return recorded.current.recorder is not None


def reset() -> None:
    """Forget the programs of all compiled functions."""
    for made in list(all_compiled):
        made.reset()


def disable(fn: Callable[..., Any] | None = None, recursive: bool = True) -> Any:
    """Return a function that is never part of a program: a call with it runs as it is written.

    Args:
        fn: The function; without it, a decorator is returned.
        recursive: Accepted.
    """
    if fn is None:
        return functools.partial(disable, recursive=recursive)

    @functools.wraps(fn)
    def eager(*args: Any, **kwargs: Any) -> Any:
        recorder = recorded.current.recorder
        if recorder is not None:
            recorder.end(f"the function {fn.__name__}, which is disabled,")
        return fn(*args, **kwargs)

    return eager


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """Return the names of the backends of ``compile``."""
    return sorted(BACKENDS)


def allow_in_graph(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function: all are recorded."""
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function: what is no tensor is the same in all runs of a program."""
    return fn


def cudagraph_mark_step_begin() -> None:
    """Do nothing: results do not lie in the memory of a graph."""


@contextmanager
def set_stance(stance: str = "default", **options: Any) -> Iterator[None]:
    """Run the block with compiled functions as they are ("default") or without ("force_eager").

    Raises:
        RuntimeError: The stance is another one.
    """
    if stance not in ("default", "force_eager"):
        raise RuntimeError(f"invalid stance {stance!r}: expected 'default' or 'force_eager'")
    before = Compiled.forced
    Compiled.forced = stance == "force_eager"
    try:
        yield
    finally:
        Compiled.forced = before
