"""What a module holds as a dictionary of tensors, and how it takes such a dictionary."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.hooks import Table
from gpugrad.nn.parameter import Parameter, is_lazy

Module = Any  # which is made of this
EXTRA = "_extra_state"  # the name of what get_extra_state returns


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class _IncompatibleKeys(_Keys):
    """The names that a dictionary lacked, and those that were not expected in it."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def saved_into(module: Module, destination: Any, prefix: str, keep_vars: bool) -> None:
    """Put into a dictionary what a module itself holds, without its submodules."""
    for name, tensor in persistent(module).items():
        destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
    if module._has_own("get_extra_state"):
        destination[prefix + EXTRA] = module.get_extra_state()


def persistent(module: Module) -> dict[str, Any]:
    """Return the parameters and buffers of a module that are part of its state, by name."""
    found = {name: p for name, p in module._parameters.items() if p is not None}
    if module._buffers:
        apart = module._non_persistent_buffers_set
        buffers = module._buffers.items()
        found |= {name: b for name, b in buffers if b is not None and name not in apart}
    return found


class Loading:
    """A dictionary that is loaded into a module and all that it is made of."""

    def __init__(self, state: Mapping[str, Any], assign: bool):
        self.assign = assign
        self.metadata = getattr(state, "_metadata", None)
        self.state: Any = OrderedDict(state)  # which hooks may change
        if self.metadata is not None:
            vars(self.state)["_metadata"] = self.metadata
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def into(self, module: Module) -> _IncompatibleKeys:
        """Load everything, and return which names did not fit."""
        self._into(module, self.state, "")
        return self._misfits()

    def _misfits(self) -> _IncompatibleKeys:
        return _IncompatibleKeys(self.missing, self.unexpected)

    def _into(self, module: Module, state: Any, prefix: str) -> None:
        about = {} if self.metadata is None else self.metadata.get(prefix[:-1], {})
        if self.assign:
            about["assign_to_params_buffers"] = self.assign
        module._load_from_state_dict(
            state, prefix, about, True, self.missing, self.unexpected, self.errors
        )
        for name, child in module._modules.items():
            if child is not None:
                within = f"{prefix}{name}."
                self._into(child, {k: v for k, v in state.items() if k.startswith(within)}, within)
        for hook in module._load_state_dict_post_hooks.values():
            if hook(module, self._misfits()) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected "
                    "to return new values, if incompatible_keys need to be modified, it should be "
                    "done inplace."
                )

    def check(self, module: Module, strict: bool) -> None:
        """Raise where something could not be loaded, or, if ``strict``, names did not fit.

        Raises:
            RuntimeError: That is so.
        """
        if strict:
            for what, names in (("Unexpected", self.unexpected), ("Missing", self.missing)):
                if names:
                    listed = ", ".join([f'"{name}"' for name in names])
                    self.errors.insert(0, f"{what} key(s) in state_dict: {listed}. ")
        if self.errors:
            told = "\n\t".join(self.errors)
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{told}"
            )


def load(
    module: Module,
    state: Any,
    prefix: str,
    about: dict[str, Any],
    strict: bool,
    missing: list[str],
    unexpected: list[str],
    errors: list[str],
) -> None:
    """Load what a module itself holds, without its submodules, and note what does not fit."""
    for hook in [*module._load_state_dict_pre_hooks.values()]:
        hook(state, prefix, about, strict, missing, unexpected, errors)
    own = persistent(module)
    for name, tensor in own.items():
        key = prefix + name
        if key in state:
            _load_one(module, name, tensor, key, state[key], about, errors)
        elif strict:
            missing.append(key)
    extra = prefix + EXTRA
    if module._has_own("set_extra_state"):
        if extra in state:
            module.set_extra_state(state[extra])
        elif strict:
            missing.append(extra)
    elif strict and extra in state:
        unexpected.append(extra)
    if not strict:
        return
    for key in state:
        if key.startswith(prefix) and key != extra:
            name, *deeper = key[len(prefix) :].split(".", 1)
            if name not in (module._modules if deeper else own):
                unexpected.append(key)


def _load_one(
    module: Module,
    name: str,
    tensor: Any,
    key: str,
    value: Any,
    about: dict[str, Any],
    errors: list[str],
) -> None:
    if not isinstance(value, Tensor):
        errors.append(
            f'While copying the parameter named "{key}", expected gpugrad.Tensor or Tensor-like '
            f"object from checkpoint but received {type(value)}"
        )
        return
    if not is_lazy(tensor):
        if not tensor.shape and value.shape == (1,):  # numbers were saved as such once
            value = value[0]
        if value.shape != tensor.shape:
            errors.append(
                f"size mismatch for {key}: copying a param with shape {value.shape} from "
                f"checkpoint, the shape in current model is {tensor.shape}."
            )
            return
    try:
        with no_grad():
            if not about.get("assign_to_params_buffers", False):
                if not (is_lazy(tensor) and is_lazy(value)):
                    tensor.copy_(value)
                return
            if isinstance(tensor, Parameter):
                if isinstance(value, Parameter):
                    value.requires_grad_(tensor.requires_grad)
                else:
                    value = Parameter(value, tensor.requires_grad)
            setattr(module, name, value)
    except Exception as error:
        errors.append(
            f'While copying the parameter named "{key}", whose dimensions in the model are '
            f"{tensor.size()} and whose dimensions in the checkpoint are {value.size()}, an "
            f"exception occurred : {error.args}."
        )


_NO_EXTRA_STATE = (
    "Reached a code path in Module.{}() that should never be called. Please file an issue at "
    "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug."
)


class Stateful:
    """A module, as far as its state is concerned."""

    _version: int = 1  # what is noted in state dictionaries, for classes whose state has changed
    _modules: dict[str, Any]
    _state_dict_hooks: Table
    _state_dict_pre_hooks: Table

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
        return getattr(type(self), method) is not getattr(Stateful, method)

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
        saved_into(self, destination, prefix, keep_vars)

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
        loading = Loading(state_dict, assign)
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
        load(
            self, state_dict, prefix, local_metadata, strict,
            missing_keys, unexpected_keys, error_msgs,
        )  # fmt: skip
