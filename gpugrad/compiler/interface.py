"""``compile`` and what goes with it, under PyTorch's names."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, Unpack, overload

from gpugrad.compiler import recorded
from gpugrad.compiler.function import LIMIT, Compiled, all_compiled

# PyTorch's backends, and whether each is for looking for faults
BACKENDS = {"inductor": False, "cudagraphs": False, "eager": True, "aot_eager": True}
MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")

_GRAPHS = ("reduce-overhead", "max-autotune")  # with CUDA graphs

Backend = str | Callable[..., Any]
_default: Backend = "inductor"


class Options(TypedDict, total=False):
    """What :func:`compile` is told."""

    fullgraph: bool
    dynamic: bool | None
    backend: Backend | None
    mode: str | None
    options: dict[str, Any] | None
    name: str | None
    disable: bool
    recompile_limit: int | None


@overload
def compile(model: Callable[..., Any], **told: Unpack[Options]) -> Any: ...
@overload
def compile(model: None = None, **told: Unpack[Options]) -> Callable[[Callable[..., Any]], Any]: ...
def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Backend | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    name: str | None = None,
    disable: bool = False,
    recompile_limit: int | None = None,
) -> Any:
    """Return a function that does what ``model`` does, by a program that its first call records.

    The program holds all that is computed: gradients, what is written in place, random numbers and
    the steps of optimizers.  Calls with other shapes, types or numbers are recorded anew.  A
    function that asks for the values of tensors (``.item()``, an ``if``) is divided there.

    Args:
        model: A function, or a module, of which a module is returned; without it, a decorator is.
        fullgraph: Raise where something cannot be part of a program, and name the line.
        dynamic: Accepted: each shape has a program of its own, whatever it is.
        backend: Of PyTorch's names; with "eager" and "aot_eager" nothing is recorded, and the
            function runs as it is.  Accepted is a function, too, which is not called: there is no
            graph of PyTorch's to give to it.
        mode: One of PyTorch's.  With "reduce-overhead" and "max-autotune", as with the backend
            "cudagraphs", programs that run on a GPU are replayed as CUDA graphs.
        options: Accepted, as they say nothing of results.
        name: Accepted.
        disable: Return ``model`` as it is.
        recompile_limit: How many programs there may be; 8 by default.

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
    chosen = _known(_default if backend is None else backend)
    if model is None:
        return functools.partial(
            compile,
            fullgraph=fullgraph,
            dynamic=dynamic,
            backend=backend,
            mode=mode,
            options=options,
            name=name,
            disable=disable,
            recompile_limit=recompile_limit,
        )
    if disable:
        return model
    graphs = mode in _GRAPHS or chosen == "cudagraphs"
    given: dict[str, Any] = {
        "fullgraph": fullgraph,
        "backend": chosen,
        "limit": recompile_limit or LIMIT,
        "graphs": graphs,
    }
    nn = sys.modules.get("gpugrad.nn")
    if nn is not None and isinstance(model, nn.Module):
        from gpugrad.compiler.module import OptimizedModule

        return OptimizedModule(model, **given)
    return Compiled(model, **given)


def _known(backend: Backend) -> Backend:
    if not callable(backend) and backend not in BACKENDS:
        raise RuntimeError(
            f"Invalid backend: {backend!r}, see `gpugrad.compiler.list_backends()` for available "
            "backends."
        )
    return backend


def set_default_backend(backend: Backend | None) -> None:
    """Choose the backend of what is compiled without one; ``None`` is "inductor"."""
    global _default
    _default = _known("inductor" if backend is None else backend)


def get_default_backend() -> Backend:
    """Return the backend of what is compiled without one."""
    return _default


def is_compiling() -> bool:
    """Tell whether this thread records a program."""
    return recorded.current.recorder is not None


def is_dynamo_compiling() -> bool:
    """Tell whether this thread records a program."""
    return is_compiling()


def is_exporting() -> bool:
    """Return False: nothing is exported."""
    return False


def reset() -> None:
    """Forget the programs of all compiled functions."""
    for made in list(all_compiled):
        made.reset()


def disable(
    fn: Callable[..., Any] | None = None, recursive: bool = True, *, reason: str | None = None
) -> Any:
    """Return a function that is never part of a program: a call with it runs as it is written.

    Args:
        fn: The function; without it, a decorator is returned.
        recursive: Accepted.
        reason: Accepted.
    """
    if fn is None:
        return functools.partial(disable, recursive=recursive, reason=reason)

    @functools.wraps(fn)
    def eager(*args: Any, **kwargs: Any) -> Any:
        recorder = recorded.current.recorder
        if recorder is not None:
            recorder.end(f"the function {fn.__name__}, which is disabled,")
        return fn(*args, **kwargs)

    return eager


def list_backends(exclude_tags: Sequence[str] = ("debug", "experimental")) -> list[str]:
    """Return the names of the backends of ``compile``, without those for looking for faults."""
    return sorted(n for n, debug in BACKENDS.items() if not debug or "debug" not in exclude_tags)


def allow_in_graph(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function: all are recorded."""
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function: what is no tensor is the same in all runs of a program."""
    return fn


def cudagraph_mark_step_begin() -> None:
    """Do nothing: results do not lie in the memory of a graph."""


STANCES = ("default", "force_eager", "eager_on_recompile", "fail_on_recompile")


class set_stance:  # noqa: N801  as it is called
    """Say how compiled functions are run from now on, or in a block or function that this is for.

    As they are ("default"); without programs ("force_eager"); with those that there are, and where
    there is none for a call eagerly ("eager_on_recompile") or not at all ("fail_on_recompile").

    Raises:
        RuntimeError: The stance is another one; or, where it is "fail_on_recompile", in a call.
    """

    def __init__(self, stance: str = "default", **options: Any):
        """Take a stance; the options are accepted."""
        if stance not in STANCES:
            raise RuntimeError(f"invalid stance {stance!r}: expected one of {', '.join(STANCES)}")
        self.stance, self.before = stance, Compiled.stance
        Compiled.stance = stance

    def __enter__(self) -> None:
        Compiled.stance = self.stance

    def __exit__(self, *error: object) -> None:
        Compiled.stance = self.before

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that takes the stance while it runs, and not before."""
        Compiled.stance = self.before

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with set_stance(self.stance):
                return function(*args, **kwargs)

        return run
