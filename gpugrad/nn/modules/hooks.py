"""The hooks of modules: those of all modules at once, and calls of modules that have some."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.autograd.function import Function
from gpugrad.graph import mode
from gpugrad.hooks import RemovableHandle, Table

Hook = Callable[..., Any]
Module = Any  # which is made of this

buffer_registrations, module_registrations, parameter_registrations = Table(), Table(), Table()
backward_pre, backward, forward_pre, forward = Table(), Table(), Table(), Table()
_always: dict[int, bool] = Table()  # of the hooks of all modules on calls: those of failed calls
_with_kwargs: dict[int, bool] = Table()
_full: list[bool] = []  # whether the hooks of all modules on backwards are full ones, once known


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, name, buffer)`` called before any module registers a buffer.

    What it returns, unless that is ``None``, takes the place of the buffer.
    """
    return buffer_registrations.add(hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, name, submodule)`` called before any module registers a submodule.

    What it returns, unless that is ``None``, takes the place of the submodule.
    """
    return module_registrations.add(hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, name, parameter)`` called before any module registers a parameter.

    What it returns, unless that is ``None``, takes the place of the parameter.
    """
    return parameter_registrations.add(hook)


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, args)`` called before each call of any module, before its own hooks.

    It may return other arguments: a tuple of them, or one.
    """
    return forward_pre.add(hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Have ``hook(module, args, result)`` called after each call of any module.

    It may return another result.

    Args:
        hook: The function.
        with_kwargs: Call it as ``hook(module, args, kwargs, result)``.
        always_call: Call it also where the module, or another hook, raises.
    """
    handle = forward.add(hook, _always, _with_kwargs)
    if with_kwargs:
        _with_kwargs[handle.id] = True
    if always_call:
        _always[handle.id] = True
    return handle


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """Have a hook called with the gradients of the last node of any module's results.

    Prefer :func:`register_module_full_backward_hook`, which knows the gradients of the inputs.

    Raises:
        RuntimeError: There are full hooks.
    """
    return _added_to_backward(hook, False)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, grad_output)`` called before the backward of any module.

    It may return other gradients of the outputs.
    """
    return backward_pre.add(hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(module, grad_input, grad_output)`` called after the backward of any module.

    It may return other gradients of the inputs.

    Raises:
        RuntimeError: There are hooks that are not full.
    """
    return _added_to_backward(hook, True)


def _added_to_backward(hook: Hook, full: bool) -> RemovableHandle:
    if _full == [not full]:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module "
            "hook. Please use only one of them."
        )
    _full[:] = [full]
    return backward.add(hook)


def registered(table: Table, module: Module, name: str, value: Any) -> Any:
    """Return what is to be registered by a name, as the hooks on that say."""
    for hook in table.values():
        found = hook(module, name, value)
        if found is not None:
            value = found
    return value


class WrappedHook:
    """A hook that is called with the module that it belongs to, which it does not keep alive."""

    def __init__(self, hook: Hook, module: Module = None):
        self.hook = hook
        functools.update_wrapper(self, hook)
        self.with_module = module is not None
        if module is not None:
            self.module = weakref.ref(module)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it.

        Raises:
            RuntimeError: The module is gone.
        """
        if not self.with_module:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        state = {"hook": self.hook, "with_module": self.with_module}
        if self.with_module:
            state["module"] = self.module()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.hook = state["hook"]
        self.with_module = state["with_module"]
        if self.with_module:
            if state["module"] is None:
                raise RuntimeError("You are trying to revive the hook of a dead Module!")
            self.module = weakref.ref(state["module"])


# --------------------------------------------------------------------------- calls


def called(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what a module computes, with all hooks around it."""
    call = _Call(module, args, kwargs)
    try:
        return call.run()
    except Exception:
        call.run_always()
        raise


class _Call:
    """A call of a module that has hooks."""

    def __init__(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.module, self.args, self.kwargs = module, args, kwargs
        self.result: Any = None
        self.begun: set[int] = set()  # the hooks on the result that were called already

    def run(self) -> Any:
        module = self.module
        before = [*backward_pre.values(), *module._backward_pre_hooks.values()]
        full, others = _backward_hooks(module)
        self._before()
        gradients = _Gradients(module, full, before) if full or before else None
        if gradients:
            self.args = gradients.of_inputs(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        for table, with_kwargs, _ in self._tables():
            for number, hook in [*table.items()]:
                self.begun.add(number)
                self._after(hook, number in with_kwargs)
        if gradients:
            if not isinstance(self.result, Tensor | tuple):
                _warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple "
                    f"of Tensors but received {type(self.result)}"
                )
            self.result = gradients.of_outputs(self.result)
        if others:
            _hook_last_node(module, others, self.args, self.result)
        return self.result

    def _before(self) -> None:
        module = self.module
        for number, hook in (*forward_pre.items(), *module._forward_pre_hooks.items()):
            if number in module._forward_pre_hooks_with_kwargs:
                found = hook(module, self.args, self.kwargs)
                if found is None:
                    continue
                if not (isinstance(found, tuple) and len(found) == 2):
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {found}."
                    )
                self.args, self.kwargs = found
            else:
                found = hook(module, self.args)
                if found is not None:
                    self.args = found if isinstance(found, tuple) else (found,)

    def _tables(self) -> list[tuple[Table, dict[int, bool], dict[int, bool]]]:
        module = self.module
        with_kwargs = module._forward_hooks_with_kwargs
        return [
            (forward, _with_kwargs, _always),
            (module._forward_hooks, with_kwargs, module._forward_hooks_always_called),
        ]

    def _after(self, hook: Hook, with_kwargs: bool) -> None:
        kwargs = (self.kwargs,) if with_kwargs else ()
        found = hook(self.module, self.args, *kwargs, self.result)
        if found is not None:
            self.result = found

    def run_always(self) -> None:
        """Call the hooks that are called also where something raised, and were not yet."""
        for which, (table, with_kwargs, always) in zip(
            ("global ", ""), self._tables(), strict=True
        ):
            for number, hook in [*table.items()]:
                if number not in always or number in self.begun:
                    continue
                try:
                    self._after(hook, number in with_kwargs)
                except Exception as error:
                    _warn(
                        f"{which}module forward hook with ``always_call=True`` raised an exception "
                        f"that was silenced as another error was raised in forward: {error!s}"
                    )


def _warn(text: str, kind: type[Warning] = UserWarning) -> None:
    warnings.warn(text, kind, stacklevel=5)


def _backward_hooks(module: Module) -> tuple[list[Hook], list[Hook]]:
    """Return the full hooks on backwards that concern a module, and the others."""
    full: list[Hook] = []
    others: list[Hook] = []
    if backward:
        (full if _full == [True] else others).extend(backward.values())
    (full if module._is_full_backward_hook else others).extend(module._backward_hooks.values())
    return full, others


# --------------------------------------------------------------------------- hooks on backwards


class BackwardHookFunction(Function):
    """Several tensors as they are: a node of the graph whose hooks see all their gradients."""

    @staticmethod
    def forward(ctx: Any, *args: Tensor) -> tuple[Tensor, ...]:
        """Return the tensors."""
        ctx.mark_non_differentiable(*[a for a in args if not a.requires_grad])
        return args

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        """Return their gradients."""
        return grads


class _Gradients:
    """The gradients of a module's outputs and inputs in a backward, which hooks see and change."""

    def __init__(self, module: Module, after: Sequence[Hook], before: Sequence[Hook]):
        self.module, self.after, self.before = module, after, before
        self.outputs: Any = (
            None  # those of the outputs, from when they are there until they are used
        )
        self.inputs_at: list[int] | None = None  # which inputs are tensors, if some require grad
        self.count = 0  # of the inputs

    def of_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments of a call, watched."""
        self.count = len(args)
        found, self.inputs_at, node = _watched(args)
        if node is not None:
            node.register_hook(self._at_inputs)
        return found

    def of_outputs(self, result: Any) -> Any:
        """Return the result of a call, watched."""
        results = result if isinstance(result, tuple) else (result,)
        found, places, node = _watched(results)
        if node is not None:
            node.register_hook(lambda _, grads: self._at_outputs(grads, places, len(results)))
        return found if isinstance(result, tuple) else found[0]

    def _at_outputs(self, grads: Any, places: Any, count: int) -> Any:
        self.outputs = _spread(grads, places, count)
        for hook in self.before:
            found = hook(self.module, self.outputs)
            if found is None:
                continue
            if len(found) != count:
                raise RuntimeError(
                    "Backward pre hook returned an invalid number of grad_output, got "
                    f"{len(found)}, but expected {count}"
                )
            self.outputs = found
        own = self.outputs
        if self.inputs_at is None:
            self._without_inputs()
        return tuple([own[k] for k in places])

    def _without_inputs(self) -> None:
        """Call the hooks of a module of which no input requires grad."""
        _warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients. See https://docs.pytorch.org/docs/main/"
            "generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook for more "
            "details."
        )
        for hook in self.after:
            found = hook(self.module, (None,) * self.count, self.outputs)
            if found is None or (isinstance(found, tuple) and all(f is None for f in found)):
                continue
            raise RuntimeError(
                "Backward hook for Modules where no input requires gradient should always return "
                "None or None for all gradients."
            )
        self.outputs = None

    def _at_inputs(self, grads: Any, _: Any) -> Any:
        if self.outputs is None:  # a gradient that comes by another way than the outputs
            return None
        assert self.inputs_at is not None
        found = _spread(grads, self.inputs_at, self.count)
        for hook in self.after:
            changed = hook(self.module, found, self.outputs)
            if changed is None:
                continue
            if len(changed) != len(found):
                raise RuntimeError(
                    "Backward hook returned an invalid number of grad_input, got "
                    f"{len(changed)}, but expected {len(found)}"
                )
            found = changed
        self.outputs = None
        return tuple([found[k] for k in self.inputs_at])


def _watched(args: Any) -> tuple[Any, list[int] | None, Any]:
    """Return arguments with the tensors behind one node, their places, and the node.

    Without a tensor that requires grad the arguments are returned as they are.
    """
    places = [k for k, a in enumerate(args) if isinstance(a, Tensor)]
    if not (mode.enabled and any(args[k].requires_grad for k in places)):
        return args, None, None
    found = list(args)
    node = None
    for k, made in zip(places, BackwardHookFunction.apply(*[args[k] for k in places]), strict=True):
        found[k] = made
        node = node or made.grad_fn
    return (tuple(found) if type(args) is tuple else type(args)(*found)), places, node


def _spread(values: Any, places: Sequence[int], count: int) -> tuple[Any, ...]:
    found = [None] * count
    for k, value in zip(places, values, strict=True):
        found[k] = value
    return tuple(found)


def _hook_last_node(module: Module, hooks: Sequence[Hook], args: Any, result: Any) -> None:
    """Register hooks that are not full on the node that computed a result, or its first tensor."""
    found = result
    while not isinstance(found, Tensor):
        if isinstance(found, dict):
            found = next(v for v in found.values() if isinstance(v, Tensor))
        else:
            found = found[0]
    node = found.grad_fn
    if node is not None:
        for hook in hooks:
            node.register_hook(WrappedHook(hook, module))
        _warn_of_missing(args, result, node)


def _warn_of_missing(args: Any, result: Any, node: Any) -> None:
    """Warn where hooks on the last node do not see all gradients of a module's."""
    full = "Please use register_full_backward_hook to get the documented behavior."
    for value, name, verb in (
        (result, "grad_output", "return"),
        (args, "grad_input", "take as input"),
    ):
        if not isinstance(value, Tensor) and not (
            isinstance(value, tuple) and all(isinstance(v, Tensor) for v in value)
        ):
            _warn(
                f"Using non-full backward hooks on a Module that does not {verb} a single Tensor "
                "or a tuple of Tensors is deprecated and will be removed in future versions. This "
                f"hook will be missing some of the {name}. {full}",
                FutureWarning,
            )
            return
    results = result if isinstance(result, tuple) else (result,)
    inputs = args if isinstance(args, tuple) else (args,)
    last = {r.grad_fn for r in results if r.grad_fn is not None}
    why = ""
    if not last or (len(last) == 1 and node not in last):
        why, full = "outputs are nested in python data structure", ""
        missing = "grad_output"
    elif len(last) > 1:
        why = "outputs are generated by different autograd Nodes"
        missing = "grad_output"
    elif {t.grad_fn for t in inputs if t.grad_fn is not None} != {
        n for n, _ in node.next_functions
    }:
        why = "the forward contains multiple autograd Nodes"
        missing = "grad_input"
    if why:
        _warn(
            f"Using a non-full backward hook when {why} is deprecated and will be removed in "
            f"future versions. This hook will be missing some {missing}. {full}".rstrip(),
            FutureWarning,
        )
