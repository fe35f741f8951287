"""Compiled modules: modules around modules, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from gpugrad.compiler.function import Compiled
from gpugrad.nn.modules.module import Module


class OptimizedModule(Module):
    """A module whose calls are those of another one, ``_orig_mod``, compiled.

    It has the other one's parameters, under its names with ``_orig_mod.`` in front, as PyTorch's
    has, and its attributes.
    """

    def __init__(self, mod: Module, **options: Any):
        """Make the module of one that is compiled with these options."""
        super().__init__()
        self._orig_mod = mod
        vars(self)["_call"] = Compiled(mod.__call__, **options)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the module returns."""
        return self._call(*args, **kwargs)

    @property
    def program(self) -> Any:
        """The program that was recorded or run last, ``None`` before."""
        return self._call.program

    @property
    def reasons(self) -> list[str]:
        """Why some calls run eagerly."""
        return self._call.reasons

    def train(self, mode: bool = True) -> Any:
        """Have the modules behave as in training, or not."""
        super().train(mode)
        return self

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "_orig_mod":
                raise
            return getattr(self._orig_mod, name)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_call"} | {
            "_options": self._call.options
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        options = state.pop("_options")
        super().__setstate__(state)
        vars(self)["_call"] = Compiled(self._orig_mod.__call__, **options)
