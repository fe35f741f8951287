"""What all modules do with the hooks that users register on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad.hooks import RemovableHandle, Table
from gpugrad.nn.modules import hooks

Hook = Callable[..., Any]

TABLES = (
    "_backward_pre_hooks", "_backward_hooks", "_forward_hooks", "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called", "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)  # fmt: skip


class Hooked:
    """A module, as far as its calls and its hooks are concerned."""

    forward: Callable[..., Any]
    _compiled_call_impl: Callable[..., Any] | None = None
    _is_full_backward_hook: bool | None
    _backward_pre_hooks: Table
    _backward_hooks: Table
    _forward_hooks: Table
    _forward_hooks_with_kwargs: Table
    _forward_hooks_always_called: Table
    _forward_pre_hooks: Table
    _forward_pre_hooks_with_kwargs: Table
    _state_dict_hooks: Table
    _state_dict_pre_hooks: Table
    _load_state_dict_pre_hooks: Table
    _load_state_dict_post_hooks: Table

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what ``forward`` returns, with the hooks around it."""
        if self._compiled_call_impl is not None:
            return self._compiled_call_impl(*args, **kwargs)
        if self._has_hooks():
            return hooks.called(self, args, kwargs)
        return self.forward(*args, **kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        """Return what a call returns that is not compiled."""
        if self._has_hooks():
            return hooks.called(self, args, kwargs)
        return self.forward(*args, **kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Have calls compiled, with the arguments of :func:`gpugrad.compile`."""
        from gpugrad.compiler.interface import compile

        self._compiled_call_impl = compile(self._call_impl, *args, **kwargs)

    def _has_hooks(self) -> bool:
        """Tell whether hooks surround the calls."""
        return bool(
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or hooks.forward
            or hooks.forward_pre
            or hooks.backward
            or hooks.backward_pre
        )

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Have ``hook(module, args)`` called before each ``forward``.

        It may return other arguments: a tuple of them, or one; with ``with_kwargs`` it is called
        as ``hook(module, args, kwargs)`` and may return a pair of both.

        Args:
            hook: The function.
            prepend: Call it before those that are registered already.
            with_kwargs: See above.
        """
        handle = self._forward_pre_hooks.add(
            hook, self._forward_pre_hooks_with_kwargs, first=prepend
        )
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(
        self,
        hook: Hook,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Have ``hook(module, args, result)`` called after each ``forward``.

        It may return another result.

        Args:
            hook: The function.
            prepend: Call it before those that are registered already.
            with_kwargs: Call it as ``hook(module, args, kwargs, result)``.
            always_call: Call it also where ``forward``, or another hook, raises.
        """
        with_kwargs_too, always = self._forward_hooks_with_kwargs, self._forward_hooks_always_called
        handle = self._forward_hooks.add(hook, with_kwargs_too, always, first=prepend)
        if with_kwargs:
            with_kwargs_too[handle.id] = True
        if always_call:
            always[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(module, grad_output)`` called before the backward of the module.

        It may return other gradients of the outputs, a tuple.
        """
        return self._backward_pre_hooks.add(hook, first=prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(module, grad_input, grad_output)`` called when both are computed.

        It may return other gradients of the inputs, a tuple.  Those of what is no tensor, or given
        by name, are ``None``, or not there.

        Raises:
            RuntimeError: There are hooks that are not full.
        """
        return self._add_backward_hook(hook, True, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Have a hook called with the gradients of the node that computed the result.

        Prefer :meth:`register_full_backward_hook`, which knows the gradients of the inputs.

        Raises:
            RuntimeError: There are full hooks.
        """
        return self._add_backward_hook(hook, False, False)

    def _add_backward_hook(self, hook: Hook, full: bool, first: bool) -> RemovableHandle:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them."
            )
        self._is_full_backward_hook = full
        return self._backward_hooks.add(hook, first=first)

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, prefix, keep_vars)`` called before its state is collected."""
        return self._state_dict_pre_hooks.add(hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, state_dict, prefix, local_metadata)`` change the state in place."""
        hook._from_public_api = True  # type: ignore[attr-defined]
        return self._state_dict_hooks.add(hook)

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously "
                "registered via register_state_dict_post_hook"
            )
        return self._state_dict_hooks.add(hook)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Have a hook called before the module's own state is loaded.

        Its arguments are the module, the dictionary, which it may change, the prefix of the
        module's names in it, the metadata, whether loading is strict, and the lists of missing
        names, unexpected names and errors.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Hook, with_module: bool = False
    ) -> RemovableHandle:
        return self._load_state_dict_pre_hooks.add(
            hooks.WrappedHook(hook, self if with_module else None)
        )

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(module, incompatible_keys)`` called after the state is loaded.

        It may change the lists ``missing_keys`` and ``unexpected_keys``, and returns nothing.
        """
        return self._load_state_dict_post_hooks.add(hook)
