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
from collections.abc import Callable, Iterator
from typing import Any, Self

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.hooks import Table
from gpugrad.nn.modules import hooks
from gpugrad.nn.modules.conversion import Convertible
from gpugrad.nn.modules.hooked import TABLES, Hooked
from gpugrad.nn.modules.hooks import (
    register_module_backward_hook as register_module_backward_hook,
)
from gpugrad.nn.modules.hooks import (
    register_module_buffer_registration_hook as register_module_buffer_registration_hook,
)
from gpugrad.nn.modules.hooks import register_module_forward_hook as register_module_forward_hook
from gpugrad.nn.modules.hooks import (
    register_module_forward_pre_hook as register_module_forward_pre_hook,
)
from gpugrad.nn.modules.hooks import (
    register_module_full_backward_hook as register_module_full_backward_hook,
)
from gpugrad.nn.modules.hooks import (
    register_module_full_backward_pre_hook as register_module_full_backward_pre_hook,
)
from gpugrad.nn.modules.hooks import (
    register_module_module_registration_hook as register_module_module_registration_hook,
)
from gpugrad.nn.modules.hooks import (
    register_module_parameter_registration_hook as register_module_parameter_registration_hook,
)
from gpugrad.nn.modules.state import Stateful
from gpugrad.nn.modules.state import _IncompatibleKeys as _IncompatibleKeys
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


class Module(Hooked, Stateful, Convertible):
    """What a network is, and each of its layers: a function with parameters.

    Derive from it, call ``super().__init__()``, assign parameters, buffers and other modules to
    attributes, and compute in ``forward``; then ``module(...)`` is ``forward(...)`` with the hooks
    around it.
    """

    training: bool
    _modules: dict[str, Any]
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    dump_patches: bool = False
    call_super_init: bool = False  # whether __init__ hands its arguments on to the next class

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
            _modules={},
            _is_full_backward_hook=None,
            **{name: Table() for name in TABLES},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    forward: Callable[..., Any] = _forward_unimplemented

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
        return {key: v for key, v in vars(self).items() if key != "_compiled_call_impl"}

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


def indented(text: str) -> str:
    """Return a text with all lines but the first moved by two, those without words emptied."""
    first, *others = text.split("\n")
    return "\n".join([first, *(f"  {line}" if line.strip() else "" for line in others)])


def _unassignable(value: Any, what: str, name: str, wanted: str) -> TypeError:
    return TypeError(
        f"cannot assign '{functions.typename(value)}' as {what} '{name}' ({wanted} or None "
        "expected)"
    )
