"""The class of all modules: parameters, buffers and modules in modules, by name.

>>> import gpugrad as torch
>>> class Scale(Module):
...     def __init__(self):
...         super().__init__()
...         self.factor = torch.nn.Parameter(torch.ones(()))
...     def forward(self, x):
...         return self.factor * x
>>> scale = Scale()
>>> scale(torch.tensor([1.0, 2.0]))
tensor([1., 2.], grad_fn=<MulBackward0>)
>>> dict(scale.state_dict())
{'factor': tensor(1.)}
"""

from __future__ import annotations

import inspect
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from gpugrad import _dtype, functions
from gpugrad._device import device as Device  # noqa: N812  arguments have its name
from gpugrad._tensor import Tensor
from gpugrad.hooks import RemovableHandle, Table
from gpugrad.nn.modules import hooks, state
from gpugrad.nn.modules.conversion import converted, destination
from gpugrad.nn.parameter import Buffer, Parameter

Hook = Callable[..., Any]


def _forward_unimplemented(self: Module, *input: Any) -> None:
    """Compute; each class says what.

    Raises:
        NotImplementedError: It does not.
    """
    raise NotImplementedError(
        f'Module [{type(self).__name__}] is missing the required "forward" function'
    )


class Module:
    """What a network is, and each of its layers: a function with parameters.

    Derive from it, call ``super().__init__()``, assign parameters, buffers and other modules to
    attributes, and compute in ``forward``; then ``module(...)`` is ``forward(...)`` with the hooks
    around it.
    """

    training: bool
    _modules: dict[str, Any]
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _is_full_backward_hook: bool | None
    dump_patches: bool = False
    call_super_init: bool = False  # whether __init__ hands its arguments on to the next class
    _version: int = 1  # what is noted in state dictionaries, for classes whose state has changed

    def __init__(self, *args: Any, **kwargs: Any):
        if not self.call_super_init:
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                    f"'{next(iter(kwargs))}'"
                )
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but "
                    f"{len(args) + 1} were given"
                )
        vars(self).update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _backward_pre_hooks=Table(),
            _backward_hooks=Table(),
            _is_full_backward_hook=None,
            _forward_hooks=Table(),
            _forward_hooks_with_kwargs=Table(),
            _forward_hooks_always_called=Table(),
            _forward_pre_hooks=Table(),
            _forward_pre_hooks_with_kwargs=Table(),
            _state_dict_hooks=Table(),
            _state_dict_pre_hooks=Table(),
            _load_state_dict_pre_hooks=Table(),
            _load_state_dict_post_hooks=Table(),
            _modules={},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    forward: Callable[..., Any] = _forward_unimplemented

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what ``forward`` returns, with the hooks around it."""
        if not (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or hooks.forward
            or hooks.forward_pre
            or hooks.backward
            or hooks.backward_pre
        ):
            return self.forward(*args, **kwargs)
        return hooks.called(self, args, kwargs)

    # ----------------------------------------------------------------------- what it holds

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or ``None`` as one that is not there, as an attribute.

        Raises:
            AttributeError: ``__init__`` of :class:`Module` was not called.
            KeyError: The name is empty, has a dot, or is of another attribute.
            TypeError: It is no parameter, or the name no string.
            ValueError: It was computed.
        """
        self._check_name("parameter", "_parameters", name)
        if param is None:
            self._parameters[name] = None
            return
        if not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{functions.typename(param)}' object to parameter '{name}' "
                "(gpugrad.nn.Parameter or None required)"
            )
        if param.grad_fn:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, compute "
                "the value in the forward() method."
            )
        param = hooks.registered(hooks.parameter_registrations, self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is not trained, or ``None``, as an attribute.

        It moves with the module, and is in ``state_dict`` if it is ``persistent``.

        Raises:
            AttributeError: ``__init__`` of :class:`Module` was not called.
            KeyError: The name is empty, has a dot, or is of another attribute.
            TypeError: It is no tensor, or the name no string.
        """
        self._check_name("buffer", "_buffers", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{functions.typename(tensor)}' object to buffer '{name}' "
                "(gpugrad Tensor or None required)"
            )
        self._buffers[name] = hooks.registered(hooks.buffer_registrations, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def _check_name(self, what: str, table: str, name: Any) -> None:
        if table not in vars(self):
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {functions.typename(name)}")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')
        if hasattr(self, name) and name not in vars(self)[table]:
            raise KeyError(f"attribute '{name}' already exists")

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module, or ``None``, as an attribute.

        Raises:
            KeyError: The name is empty, has a dot, or is of another attribute.
            TypeError: It is no module, or the name no string.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{functions.typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {functions.typename(name)}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = hooks.registered(hooks.module_registrations, self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a module; the same as :meth:`add_module`."""
        self.add_module(name, module)

    def __getattr__(self, name: str) -> Any:
        own = vars(self)
        for table in "_parameters", "_buffers", "_modules":
            found = own.get(table)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        own = vars(self)
        parameters, modules, buffers = map(own.get, ("_parameters", "_modules", "_buffers"))
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, own, buffers, modules)
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise _unassignable(value, "parameter", name, "gpugrad.nn.Parameter")
            self.register_parameter(name, None)
        elif isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, own, parameters, buffers)
            modules[name] = hooks.registered(hooks.module_registrations, self, name, value)
        elif modules is not None and name in modules:
            if value is not None:
                raise _unassignable(value, "child module", name, "gpugrad.nn.Module")
            modules[name] = hooks.registered(hooks.module_registrations, self, name, None)
        elif isinstance(value, Buffer) or (buffers is not None and name in buffers):
            if not (value is None or isinstance(value, Tensor)):
                raise _unassignable(value, "buffer", name, "gpugrad.nn.Buffer, gpugrad.Tensor")
            self._set_buffer(name, value)
        else:
            super().__setattr__(name, value)

    def _forget(self, name: str, *tables: dict[str, Any] | None) -> None:
        """Take a name from where it is no longer."""
        for table in tables:
            if table is not None:
                table.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _set_buffer(self, name: str, value: Any) -> None:
        persistent = (
            value.persistent
            if isinstance(value, Buffer)
            else name not in self._non_persistent_buffers_set
        )
        register: Any = self.register_buffer  # which a class may have of its own
        if "persistent" in inspect.signature(register).parameters:
            register(name, value, persistent)
        elif persistent:
            register(name, value)
        else:
            raise RuntimeError(
                "Registering a non-persistent buffer on a Module subclass that implements "
                "register_buffer() without the persistent argument is not allowed."
            )

    def __delattr__(self, name: str) -> None:
        for table in self._parameters, self._buffers, self._modules:
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = [
            *dir(type(self)),
            *vars(self),
            *self._parameters,
            *self._modules,
            *self._buffers,
        ]
        return sorted([name for name in names if not name[0].isdigit()])

    def __getstate__(self) -> dict[str, Any]:
        return vars(self).copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    # ----------------------------------------------------------------------- by path

    def get_submodule(self, target: str) -> Module:
        """Return the module of a path such as ``"encoder.0"``; the module itself for ``""``.

        Raises:
            AttributeError: There is none.
        """
        module = self
        for name in target.split(".") if target else ():
            found = module._found(name)
            if not isinstance(found, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            module = found
        return module

    def _found(self, name: str) -> Any:
        if not hasattr(self, name):
            raise AttributeError(f"{self._get_name()} has no attribute `{name}`")
        return getattr(self, name)

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module in the place of the one of a path, or, unless ``strict``, of none.

        Raises:
            AttributeError: The path leads through what is no module.
            ValueError: The path is empty, or it is no module.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        there = strict or hasattr(parent, name)
        if there and not isinstance(parent._found(name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter of a path.

        Raises:
            AttributeError: There is none.
        """
        path, _, name = target.rpartition(".")
        found = self.get_submodule(path)._found(name)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer of a path.

        Raises:
            AttributeError: There is none.
        """
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found: Tensor = module._found(name)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return found

    # ----------------------------------------------------------------------- all of them

    def _named_members(
        self,
        get_members_fn: Callable[[Any], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules: Any = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield f"{path}.{name}" if path else name, member

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, each once, also those of the modules in it if ``recurse``."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the paths of the parameters with them, ``prefix`` before each path."""
        yield from self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, each once, also those of the modules in it if ``recurse``."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the paths of the buffers with them, ``prefix`` before each path."""
        yield from self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def children(self) -> Iterator[Module]:
        """Yield the modules that are attributes, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules that are attributes with their names, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Yield the module itself and all modules in it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield the paths of the module itself and of all modules in it, with them."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    # ----------------------------------------------------------------------- what is done to all

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call a function with each module in it, and then with itself; return the module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Have it, and all modules in it, behave as in training, or not; return the module.

        Raises:
            ValueError: The mode is no bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Have it, and all modules in it, behave as where it is used; return the module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Have all parameters require grad, or none; return the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Take the gradients from all parameters, or fill them with zeros."""
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is None:
                continue
            if set_to_none:
                parameter.grad = None
                continue
            if grad.grad_fn is not None:
                grad.detach_()
            else:
                grad.requires_grad_(False)
            grad.zero_()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Give each parameter, buffer and gradient the memory of what a function makes of it."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                converted(parameter, fn)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Bring all parameters and buffers to a device, and those of inexact types to a type.

        ``to(device=None, dtype=None, non_blocking=False)``, ``to(dtype)``, ``to(tensor)``, whose
        device and type are meant, or ``to(memory_format=...)``, which concerns 4 and 5 dimensions.
        The parameters stay the same objects.

        Raises:
            TypeError: The type is neither floating point nor complex, or the arguments do not fit.
        """
        device, dtype, non_blocking, memory_format = destination(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )
        if dtype is not None and dtype.is_complex:
            warnings.warn(
                "Complex modules are a new feature under active development whose design may "
                "change, and some modules might not work as expected when using complex tensors "
                "as parameters or buffers. Please file an issue at "
                "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml if a "
                "complex module does not work as expected.",
                stacklevel=2,
            )

        def moved(t: Tensor) -> Tensor:
            kind = dtype if t.is_floating_point() or t.is_complex() else None
            if memory_format is not None and t.dim() in (4, 5):
                return t.to(device, kind, non_blocking, memory_format=memory_format)
            return t.to(device, kind, non_blocking)

        return self._apply(moved)

    def cuda(self, device: int | str | Device | None = None) -> Self:
        """Bring all parameters and buffers to a GPU; return the module."""
        return self._apply(lambda t: t.cuda(device))

    def cpu(self) -> Self:
        """Bring all parameters and buffers to the CPU; return the module."""
        return self._apply(lambda t: t.cpu())

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to a type; return the module."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Convert parameters and buffers of floating-point types to float32; return the module."""
        return self._floating(_dtype.float32)

    def double(self) -> Self:
        """Convert parameters and buffers of floating-point types to float64; return the module."""
        return self._floating(_dtype.float64)

    def half(self) -> Self:
        """Convert parameters and buffers of floating-point types to float16; return the module."""
        return self._floating(_dtype.float16)

    def bfloat16(self) -> Self:
        """Convert parameters and buffers of floating-point types to bfloat16; return the module."""
        return self._floating(_dtype.bfloat16)

    def _floating(self, dtype: _dtype.dtype) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Give all parameters and buffers new memory on a device, not filled; return the module."""
        return self._apply(lambda t: functions.empty_like(t, device=device), recurse)

    # ----------------------------------------------------------------------- hooks

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

    # ----------------------------------------------------------------------- the state

    def get_extra_state(self) -> Any:
        """Return what else belongs to the state; a class that has some defines it.

        Raises:
            RuntimeError: It was called though the class has none.
        """
        raise RuntimeError(_NO_EXTRA_STATE.format("get_extra_state"))

    def set_extra_state(self, state: Any) -> None:
        """Take what ``get_extra_state`` returned; a class that has that defines this, too.

        Raises:
            RuntimeError: It was called though the class has none.
        """
        raise RuntimeError(_NO_EXTRA_STATE.format("set_extra_state"))

    def _has_own(self, method: str) -> bool:
        """Tell whether its class has a method in the place of the one here."""
        return getattr(type(self), method) is not getattr(Module, method)

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """Return all parameters and persistent buffers by their paths, in their order.

        Args:
            args: The same by position, which is no longer recommended.
            destination: A dictionary to put them into.
            prefix: What stands before each path.
            keep_vars: Return the tensors themselves, not detached from their histories.
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.state_dict for details.",
                FutureWarning,
                stacklevel=2,
            )
            given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
            destination = given.get("destination") if destination is None else destination
            prefix = prefix or given.get("prefix", "")
            keep_vars = keep_vars or given.get("keep_vars", False)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        about = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = about
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            found = hook(self, destination, prefix, about)
            if found is None:
                continue
            if getattr(hook, "_from_public_api", False):
                raise RuntimeError("state_dict post-hook must return None")
            destination = found
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put into a dictionary what it holds itself; classes may do that in another way."""
        state.saved_into(self, destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Write the values of a dictionary as ``state_dict`` returns it into the module's tensors.

        Args:
            state_dict: Tensors by their paths.
            strict: Raise unless all and only names of the module are there.
            assign: Take the tensors themselves in the place of the module's.

        Returns:
            The ``missing_keys`` and the ``unexpected_keys``.

        Raises:
            RuntimeError: Names or shapes do not fit.
            TypeError: It is no dictionary.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {state_dict.__class__}.")
        loading = state.Loading(state_dict, assign)
        misfits = loading.into(self)
        loading.check(self, strict)
        return misfits

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load what it holds itself; classes whose state has changed do that in another way."""
        state.load(
            self, state_dict, prefix, local_metadata, strict,
            missing_keys, unexpected_keys, error_msgs,
        )  # fmt: skip

    # ----------------------------------------------------------------------- how it is printed

    def _get_name(self) -> str:
        return self.__class__.__name__

    def extra_repr(self) -> str:
        """Return what is printed of it between the brackets; classes say what."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        inner = [f"({name}): {indented(repr(m))}" for name, m in self._modules.items()]
        if len(lines) == 1 and not inner:
            return f"{self._get_name()}({lines[0]})"
        body = "\n  ".join(lines + inner)
        return f"{self._get_name()}(\n  {body}\n)" if body else f"{self._get_name()}()"


_NO_EXTRA_STATE = (
    "Reached a code path in Module.{}() that should never be called. Please file an issue at "
    "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug."
)


def indented(text: str) -> str:
    """Return a text with all lines but the first moved by two, those without words emptied."""
    first, *others = text.split("\n")
    return "\n".join([first, *(f"  {line}" if line.strip() else "" for line in others)])


def _unassignable(value: Any, what: str, name: str, wanted: str) -> TypeError:
    return TypeError(
        f"cannot assign '{functions.typename(value)}' as {what} '{name}' ({wanted} or None "
        "expected)"
    )
