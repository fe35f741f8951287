"""Whole programs: what a function computes is recorded once, and then run without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpugrad.compiler.interface import allow_in_graph as allow_in_graph
    from gpugrad.compiler.interface import assume_constant_result as assume_constant_result
    from gpugrad.compiler.interface import compile as compile
    from gpugrad.compiler.interface import cudagraph_mark_step_begin as cudagraph_mark_step_begin
    from gpugrad.compiler.interface import disable as disable
    from gpugrad.compiler.interface import get_default_backend as get_default_backend
    from gpugrad.compiler.interface import is_compiling as is_compiling
    from gpugrad.compiler.interface import is_dynamo_compiling as is_dynamo_compiling
    from gpugrad.compiler.interface import is_exporting as is_exporting
    from gpugrad.compiler.interface import list_backends as list_backends
    from gpugrad.compiler.interface import reset as reset
    from gpugrad.compiler.interface import set_default_backend as set_default_backend
    from gpugrad.compiler.interface import set_stance as set_stance

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "get_default_backend",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
    "set_default_backend",
    "set_stance",
]


def __getattr__(name: str) -> Any:
    # what is recorded needs the tensors, and these the backends, which need nothing of this
    if name in __all__:
        from gpugrad.compiler import interface

        return getattr(interface, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
