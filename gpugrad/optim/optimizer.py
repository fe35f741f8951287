"""What every optimizer has: parameter groups, hooks, and a state that can be stored."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from gpugrad import _dtype, backend
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import enable_grad, set_grad_enabled
from gpugrad.graph import TensorBase
from gpugrad.hooks import RemovableHandle, Table
from gpugrad.op.saved import type_name
from gpugrad.ops.creation import tensor

Hook = Callable[..., Any]

_before_all, _after_all = Table(), Table()


def register_optimizer_step_pre_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(optimizer, args, kwargs)`` called before each step of any optimizer.

    It may return other ``args`` and ``kwargs`` for the step.
    """
    return _before_all.add(hook)


def register_optimizer_step_post_hook(hook: Hook) -> RemovableHandle:
    """Have ``hook(optimizer, args, kwargs)`` called after each step of any optimizer."""
    return _after_all.add(hook)


class _Required:
    """The default of an option that each group must say."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method ``step`` that calls the hooks."""

    @functools.wraps(step)
    def hooked(*args: Any, **kwargs: Any) -> Any:  # the optimizer first, as hooks see them
        self: Optimizer = args[0]
        for hook in [*_before_all.values(), *self._optimizer_step_pre_hooks.values()]:
            found = hook(self, args, kwargs)
            if found is None:
                continue
            if not (isinstance(found, tuple) and len(found) == 2):
                raise RuntimeError(
                    f"<function {type(self).__name__}.step at {id(step):#x}> must return None or a "
                    f"tuple of (new_args, new_kwargs), but got {found}."
                )
            args, kwargs = found
        result = step(*args, **kwargs)
        for hook in [*self._optimizer_step_post_hooks.values(), *_after_all.values()]:
            hook(self, args, kwargs)
        return result

    return hooked


class Optimizer:
    """The base of the optimizers.

    A class of optimizers says in :meth:`step` how parameters change; what it remembers of a
    parameter is in ``state``, a dictionary for each, and what it was told is in ``param_groups``.

    Args:
        params: Tensors, pairs of names and tensors, or dictionaries with such "params" and options
            of their own.
        defaults: The options of groups that do not say otherwise.

    Raises:
        TypeError: ``params`` is a tensor, or holds something else.
        ValueError: There are none, one is not a leaf, or one is in two groups.
    """

    _hook_tables = (
        "_optimizer_step_pre_hooks", "_optimizer_step_post_hooks",
        "_optimizer_state_dict_pre_hooks", "_optimizer_state_dict_post_hooks",
        "_optimizer_load_state_dict_pre_hooks", "_optimizer_load_state_dict_post_hooks",
    )  # fmt: skip
    _optimizer_step_pre_hooks: Table
    _optimizer_step_post_hooks: Table
    _optimizer_state_dict_pre_hooks: Table
    _optimizer_state_dict_post_hooks: Table
    _optimizer_load_state_dict_pre_hooks: Table
    _optimizer_load_state_dict_post_hooks: Table

    state: defaultdict[Any, Any]
    param_groups: list[dict[str, Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have the class's own ``step`` call the hooks."""
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _hooked(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: Any, defaults: dict[str, Any]):
        self.defaults = defaults
        for name in self._hook_tables:
            setattr(self, name, Table())
        if isinstance(params, TensorBase):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or "
                f"dicts, but got {type_name(params)}"
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults, "state": self.state, "param_groups": self.param_groups,
        }  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in self._hook_tables:
            if name not in self.__dict__:
                setattr(self, name, Table())
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for k, group in enumerate(self.param_groups):
            text += f"\nParameter Group {k}\n"
            for key in sorted(group):
                text += "" if key == "params" else f"    {key}: {group[key]}\n"
        return text + ")"

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, in a dictionary that is completed.

        Raises:
            TypeError: It is no dictionary, or its "params" are a set or hold something else than
                tensors.
            ValueError: A parameter is not a leaf, is in another group, or only some have names; a
                required option is missing.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, TensorBase):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the "
                "ordering of tensors in sets will change between runs. Please use a list instead."
            )
        params = list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names and len(names) != len(params):
            raise ValueError(
                "all optimizer params should be with/without names. Some param names are missing"
            )
        if names:
            params = [p for _, p in params]
            param_group["param_names"] = names
        param_group["params"] = params
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is "
                    f"{_name_of_type(p)}"
                )
            if not (self.defaults.get("differentiable") or p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter "
                    f"{name}"
                )
            param_group.setdefault(name, default)
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; see github.com/pytorch/pytorch/issues/40967 for more "
                "information",
                stacklevel=3,
            )
        for group in self.param_groups:
            if ("param_names" in param_group) != ("param_names" in group):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param "
                    f"group {'with' if names else 'without'} names to the optimizer"
                )
        known = {p for group in self.param_groups for p in group["params"]}
        if not known.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients; with ``set_to_none=False`` fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                grad = p.grad
                if set_to_none:
                    p.grad = None
                elif grad is not None:
                    if grad.requires_grad:
                        grad = p.grad = grad.detach()
                    grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once; return what ``closure``, which recomputes the loss, gives."""
        raise NotImplementedError

    # ------------------------------------------------------------------------- hooks

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(optimizer, args, kwargs)`` called before each step.

        It may return other ``args`` and ``kwargs`` for the step.
        """
        return self._optimizer_step_pre_hooks.add(hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Have ``hook(optimizer, args, kwargs)`` called after each step."""
        return self._optimizer_step_post_hooks.add(hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(optimizer)`` called before each :meth:`state_dict`."""
        return _added(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Have ``hook(optimizer, state_dict)`` called with what :meth:`state_dict` is to return.

        It may return another dictionary.
        """
        return _added(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Have ``hook(optimizer, state_dict)`` called before :meth:`load_state_dict`.

        It may return another dictionary.
        """
        return _added(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Have ``hook(optimizer)`` called after :meth:`load_state_dict`."""
        return _added(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # ------------------------------------------------------------------------- the state

    def state_dict(self) -> dict[str, Any]:
        """Return the state and the options, with numbers in place of the parameters.

        The tensors of the state are those of the optimizer, not copies.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            for k, p in enumerate(group["params"], start):
                numbers.setdefault(id(p), k)
            start += len(group["params"])
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {
            numbers[id(p)] if isinstance(p, TensorBase) else p: s for p, s in self.state.items()
        }
        result = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            found = hook(self, result)
            if found is not None:
                result = found
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state and the options that :meth:`state_dict` gave.

        Tensors of the state are moved to the device and the type of their parameter; one that is
        there already is taken as it is.

        Raises:
            ValueError: The groups are not of the same number and sizes.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            found = hook(self, state_dict)
            if found is not None:
                state_dict = found
        groups, saved = self.param_groups, deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        numbers = chain.from_iterable(s["params"] for s in saved)
        known = dict(zip(numbers, chain.from_iterable(g["params"] for g in groups), strict=True))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for k, value in state_dict["state"].items():
            if k not in known:
                state[k] = value
                continue
            group = next(s for s in state_dict["param_groups"] if k in s["params"])
            state[known[k]] = _taken(known[k], value, group)
        for group, new in zip(groups, saved, strict=True):
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)


def _added(table: Table, hook: Hook, first: bool) -> RemovableHandle:
    """Register a hook, perhaps before those that are there."""
    others = dict(table) if first else {}
    if first:
        table.clear()
    handle = table.add(hook)
    table.update(others)
    return handle


def _taken(param: Tensor, value: Any, group: dict[str, Any], key: Hashable = None) -> Any:
    """Return a part of a loaded state for a parameter of a group."""
    if isinstance(value, Tensor):
        if key == "step":
            on_device = group.get("capturable") or group.get("fused")
            return value.to(param.device, _dtype.float32) if on_device else value
        if param.is_floating_point():
            return value.to(param.device, param.dtype)
        return value.to(param.device)
    if isinstance(value, dict):
        return {k: _taken(param, v, group, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(_taken(param, v, group) for v in value)  # type: ignore[call-arg]
    return value


def _name_of_type(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


# --------------------------------------------------------------------------- for classes of them


def stepping(update: Callable[[Any], None]) -> Callable[..., Any]:
    """Make a method ``step(closure=None)`` of what it does after the loss was recomputed.

    It is recorded where the optimizer is ``differentiable``.
    """

    @functools.wraps(update)
    def step(self: Optimizer, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        with set_grad_enabled(bool(self.defaults.get("differentiable"))):
            if closure is not None:
                with enable_grad():
                    loss = closure()
            update(self)
        return loss

    return step


def check(valid: bool, what: str, value: Any) -> None:
    """Raise PyTorch's error where an option is out of range.

    Raises:
        ValueError: It is.
    """
    if not valid:
        raise ValueError(f"{what}: {value}")


def check_rate(lr: Any) -> None:
    """Raise where a learning rate is negative, or a tensor of several elements.

    Raises:
        ValueError: It is.
    """
    if isinstance(lr, TensorBase) and lr._array.size != 1:
        raise ValueError("Tensor lr must be 1-element")
    check(bool(lr >= 0), "Invalid learning rate", lr)


def check_countable(optimizer: Optimizer) -> None:
    """Raise where steps are counted by the host while a CUDA graph is captured.

    Raises:
        RuntimeError: One is.
    """
    if backend.capturing():
        name = type(optimizer).__name__
        words = (
            f"Attempting CUDA graph capture of step() for an instance of {name} but param_groups' "
            "capturable is False."
        )
        if "capturable" not in optimizer.defaults:
            words = (
                f"CUDA graph capture of step() for an instance of {name}, which counts steps on "
                "the host: call step() after each replay instead."
            )
        raise RuntimeError(words)


def check_begun(optimizer: Optimizer) -> None:
    """Raise where a state would begin while a CUDA graph is captured, and again in each replay.

    Raises:
        RuntimeError: A graph is captured.
    """
    if backend.capturing():
        raise RuntimeError(
            f"CUDA graph capture of the first step() of an instance of {type(optimizer).__name__}: "
            "each replay would begin its state anew. Call step() once before the capture."
        )


def check_betas(betas: Any) -> None:
    """Raise where one of two rates of decay is out of range.

    Raises:
        ValueError: It is.
    """
    for k, beta in enumerate(betas):
        check(bool(beta >= 0) and bool(beta < 1), f"Invalid beta parameter at index {k}", beta)


def check_fused(foreach: bool | None, differentiable: bool, fused: bool | None) -> None:
    """Raise where options do not go together.

    Raises:
        RuntimeError: They do not.
    """
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def number(value: float, on: Any = None) -> Tensor:
    """Return a number of a state as a tensor: on the CPU, or on a device in single precision."""
    wide = _dtype.get_default_dtype() is _dtype.float64 and on is None
    return tensor(value, dtype=_dtype.float64 if wide else _dtype.float32, device=on)
