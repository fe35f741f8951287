"""Parameters that are functions of others: what trains is ``original``, what is used its image.

>>> import gpugrad as torch
>>> class Symmetric(torch.nn.Module):
...     def forward(self, x):
...         return x.triu() + x.triu(1).T
>>> layer = register_parametrization(torch.nn.Linear(3, 3), "weight", Symmetric())
>>> bool((layer.weight == layer.weight.T).all())
True
>>> [name for name, _ in layer.named_parameters()]
['bias', 'parametrizations.weight.original']
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.nn.modules.container import ModuleDict, ModuleList
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter

_blocks = 0  # how many of ``cached`` there are, each within the other
_cache: dict[tuple[int, str], Any] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized tensor once in the block, not whenever it is used."""
    global _blocks
    _blocks += 1
    try:
        yield
    finally:
        _blocks -= 1
        if not _blocks:
            _cache.clear()


def _register(module: Module, name: str, tensor: Any) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _set(tensor: Tensor, source: Tensor) -> None:
    if source is not tensor:
        tensor.data = source.detach()


def _check_alike(found: Any, expected: Any, texts: dict[str, tuple[str, str, str]]) -> None:
    """Raise where a tensor has not the type or the shape of another.

    For each of the two attributes there is the sentence, and what both values are called.
    """
    for attribute, (sentence, one, other) in texts.items():
        a, b = getattr(expected, attribute), getattr(found, attribute)
        if a != b:
            raise ValueError(f"{sentence}\n{one}: {a}\n{other}: {b}")


def _may_not_change(one: str, other: str, the: str) -> dict[str, tuple[str, str, str]]:
    return {
        what: (
            f"Registering a parametrization may not change the {what} of the tensor, unless {the}"
            "`unsafe` flag is enabled.",
            one.format(what),
            other.format(what),
        )
        for what in ("dtype", "shape")
    }


class ParametrizationList(ModuleList):
    """The functions of which a tensor of a module is composed, and what the first is given.

    That is ``original``, or ``original0``, ``original1`` and so on where ``right_inverse`` returns
    several.

    Args:
        modules: The functions, of which the last has the result.
        original: The tensor in the place of which they are.
        unsafe: They may change its type and shape.

    Raises:
        ValueError: There is no function, or one returns something else than a tensor of the same
            type and shape.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False):
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        before = _Facts(original)
        new: Any = original
        with no_grad():
            for module in reversed([*self]):
                if hasattr(module, "right_inverse"):
                    with suppress(NotImplementedError):  # the tensor stays as it is
                        new = module.right_inverse(new)
        self._take(original, new)
        if unsafe:
            return
        result = self()
        if not isinstance(result, Tensor):
            raise ValueError(
                f"A parametrization must return a tensor. Got {type(result).__name__}."
            )
        _check_alike(result, before, _may_not_change("unparametrized {}", "parametrized {}", ""))

    def _take(self, original: Any, new: Any) -> None:
        """Register what the first function is to be given."""
        several = "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
        self.is_tensor = isinstance(new, Tensor)
        if not self.is_tensor and not isinstance(new, Sequence):
            raise ValueError(f"{several}Got {type(new).__name__}")
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            for what in "dtype", "device":
                a, b = getattr(original, what), getattr(new, what)
                if a != b:
                    raise ValueError(
                        f"When `right_inverse` outputs one tensor, it may not change the {what}.\n"
                        f"original.{what}: {a}\nright_inverse(original).{what}: {b}"
                    )
            _set(original, new)
            _register(self, "original", original)
            return
        for k, part in enumerate(new):
            if not isinstance(part, Tensor):
                raise ValueError(
                    f"{several}Got element {k} of the sequence with type {type(part).__name__}."
                )
            if isinstance(original, Parameter):
                part = Parameter(part, original.requires_grad)
            part.requires_grad_(original.requires_grad)
            _register(self, f"original{k}", part)

    def right_inverse(self, value: Tensor) -> None:
        """Set what the first function is given so that the result is a value.

        Raises:
            RuntimeError: A function has no ``right_inverse``.
            ValueError: One returns something else than is there.
        """
        found: Any = value
        with no_grad():
            for module in reversed([*self]):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                found = module.right_inverse(found)
        if self.is_tensor:
            self._set_one(found)
        else:
            self._set_several(found)

    def _set_one(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
        if value.dtype != self.original.dtype:
            raise ValueError(
                f"The tensor returned by `right_inverse` has dtype {value.dtype} while `original` "
                f"has dtype {self.original.dtype}"
            )
        _set(self.original, value)

    def _set_several(self, values: Any) -> None:
        if not isinstance(values, Sequence):
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors. Got {type(values).__name__}."
            )
        if len(values) != self.ntensors:
            raise ValueError(
                "'right_inverse' must return a sequence of tensors of length "
                f"{self.ntensors}. Got a sequence of length {len(values)}."
            )
        for k, value in enumerate(values):
            own = getattr(self, f"original{k}")
            if not isinstance(value, Tensor):
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors or reference-type opaques. "
                    f"Got element {k} of type {type(value).__name__}."
                )
            if own.dtype != value.dtype:
                raise ValueError(
                    f"Tensor {k} returned by `right_inverse` has dtype {value.dtype} while "
                    f"`original{k}` has dtype {own.dtype}"
                )
            _set(own, value)

    def forward(self) -> Any:
        """Return what the functions make of the original."""
        first, *others = self
        names = ["original"] if self.is_tensor else [f"original{k}" for k in range(self.ntensors)]
        found = first(*[getattr(self, name) for name in names])
        for module in others:
            found = module(found)
        return found


class _Facts:
    """What a tensor is, also after it is written."""

    def __init__(self, tensor: Tensor):
        self.dtype, self.shape = tensor.dtype, tensor.shape


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    if id(self) not in memo:
        made = memo[id(self)] = self.__new__(type(self))
        vars(made).update(copy.deepcopy(vars(self), memo))
    return memo[id(self)]


def _getstate(self: Any) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). See:\n"
        "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
        "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
    )


def _give_class(module: Any) -> None:
    """Make a module one of a class of its own, which can have properties."""
    kind = type(module)
    names: dict[str, Any] = {"__getstate__": _getstate}
    if not hasattr(kind, "__deepcopy__"):
        names["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), names)


def _give_property(module: Any, name: str) -> None:
    if hasattr(module, name):
        raise AssertionError(f"Module already has an attribute named '{name}'")

    def computed(self: Any) -> Any:
        parametrization = self.parametrizations[name]
        if not _blocks:
            return parametrization()
        key = id(self), name
        if _cache.get(key) is None:
            _cache[key] = parametrization()
        return _cache[key]

    def put(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(computed, put))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Any:
    """Have a parameter or buffer of a module be what another module makes of it.

    The attribute computes it whenever it is asked for, or once in a block of :func:`cached`.
    Several parametrizations of one tensor are composed.  Where the parametrization has a
    ``right_inverse``, that says what the tensor was made of before, and what is assigned to it.

    Args:
        module: The module.
        tensor_name: The name of the parameter or buffer.
        parametrization: Its ``forward`` is given the tensor, or what ``right_inverse`` returns.
        unsafe: It may change the type and the shape.

    Returns:
        The module, which is of another class now.

    Raises:
        ValueError: There is no tensor of that name, or the parametrization returns something else
            than a tensor of the same type and shape.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_next(module, tensor_name, parametrization)
        found = module.parametrizations[tensor_name]
        found.append(parametrization)
        found.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        found = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_class(module)
            module.parametrizations = ModuleDict()
        _give_property(module, tensor_name)
        module.parametrizations[tensor_name] = found
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    return module


def _check_next(module: Module, name: str, parametrization: Any) -> None:
    """Raise where one more parametrization of a tensor is not of its type and shape."""
    before = getattr(module, name)
    after = parametrization(before)
    if not isinstance(after, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    own = f"module.{name}.{{}}"
    _check_alike(
        after, before, _may_not_change(own, f"parametrization(module.{name}).{{}}", "the ")
    )
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        back = parametrization.right_inverse(after)
    except NotImplementedError:
        return
    if not isinstance(back, Tensor):
        raise ValueError(
            f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}"
        )
    _check_alike(
        back,
        before,
        {
            what: (
                f"The tensor returned by parametrization.right_inverse must have the same {what} "
                f"as module.{name}, unless the `unsafe` flag is enabled.",
                own.format(what),
                f"returned {what}",
            )
            for what in ("dtype", "shape")
        },
    )


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Return whether a tensor of a module, or any, is parametrized."""
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Any:
    """Make a parametrized tensor of a module a plain one again.

    Args:
        module: The module.
        tensor_name: The name of the tensor.
        leave_parametrized: It stays what it is; else it is the original.

    Returns:
        The module, which is of its own class again where nothing else in it is parametrized.

    Raises:
        ValueError: It is not parametrized, or the original is several tensors and is to be left.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    found = module.parametrizations[tensor_name]
    if found.is_tensor:
        original = found.original
        if leave_parametrized:
            with no_grad():
                value = getattr(module, tensor_name)
            _set(original, value)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> Any:
    """Return the class of a module, or, where it is parametrized, the one it was of before."""
    kind = type(module)
    return kind.__bases__[0] if is_parametrized(module) else kind


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Any:
    """Parametrize the tensors of a module as those of another are, with the same originals.

    Args:
        from_module: The other module; nothing is done where it is not parametrized.
        to_module: The module, which is returned.
        tensor_name: The tensor that is meant; all of them by default.
    """
    if not is_parametrized(from_module):
        return to_module
    for name in from_module.parametrizations if tensor_name is None else [tensor_name]:
        found = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for parametrization in found:
            register_parametrization(to_module, name, parametrization)
        made = to_module.parametrizations[name]
        for part in [*found._parameters, *found._buffers]:
            setattr(made, part, getattr(found, part))
    return to_module
