"""Elements of parameters set to 0 for good: masks, and how they are chosen.

A pruned parameter ``name`` is the product of the parameter ``name_orig`` and the buffer
``name_mask``, made anew before each call of its module.
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.nn.modules.module import Module
from gpugrad.nn.utils.convert_parameters import parameters_to_vector


class BasePruningMethod(ABC):
    """A way to choose what is pruned; a class says in ``compute_mask`` how.

    Its ``PRUNING_TYPE`` says of what it chooses where a tensor is pruned once more: single elements
    that are left, ``"unstructured"``, slices along its ``dim`` that are not all 0,
    ``"structured"``, or whatever it wants, ``"global"``.
    """

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str

    def __call__(self, module: Module, inputs: Any) -> None:
        """Compute the pruned tensor of a module."""
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return a mask for a tensor of which a mask is known: 1 for what stays, else 0."""

    def apply_mask(self, module: Module) -> Tensor:
        """Return the pruned tensor of a module.

        Raises:
            AssertionError: The method was never applied.
        """
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        mask = getattr(module, f"{self._tensor_name}_mask")
        original = getattr(module, f"{self._tensor_name}_orig")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(
        cls,
        module: Module,
        name: str,
        *args: Any,
        importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Prune a parameter of a module, also one that is pruned already, and return the method.

        Args:
            module: The module.
            name: The name of the parameter.
            args: What the method is made with.
            importance_scores: What the mask is computed from, in the place of the parameter.
            kwargs: What the method is made with.

        Raises:
            AssertionError: The scores are of another shape.
        """
        method = _combined(module, name, cls(*args, **kwargs))
        original = getattr(module, name)
        if importance_scores is None:
            importance_scores = original
        elif importance_scores.shape != original.shape:
            raise AssertionError(
                "importance_scores should have the same shape as parameter "
                f"{name} of {module}, got {importance_scores.shape} vs {original.shape}"
            )
        again = isinstance(method, PruningContainer)
        if again:
            mask = getattr(module, f"{name}_mask").detach().clone()
        else:
            module.register_parameter(f"{name}_orig", original)
            del module._parameters[name]
            mask = functions.ones_like(original)
        try:
            mask = method.compute_mask(importance_scores, default_mask=mask)
            module.register_buffer(f"{name}_mask", mask)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if not again:
                module.register_parameter(name, getattr(module, f"{name}_orig"))
                del module._parameters[f"{name}_orig"]
            raise
        return method

    def prune(
        self,
        t: Tensor,
        default_mask: Tensor | None = None,
        importance_scores: Tensor | None = None,
    ) -> Tensor:
        """Return a tensor times the mask that the method chooses for it, or for scores.

        Raises:
            AssertionError: The scores are of another shape.
        """
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise AssertionError(
                "importance_scores should have the same shape as tensor t, got "
                f"{importance_scores.shape} vs {t.shape}"
            )
        default_mask = functions.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(importance_scores, default_mask=default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruned tensor of a module its parameter again, with zeros where it was pruned.

        Raises:
            AssertionError: The method was never applied.
        """
        name = self._tensor_name
        if name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(f"{name}_orig")
        original.data = weight.data
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def _hooks(module: Module, name: str | None) -> dict[int, Any]:
    """Return the methods that prune a tensor of a module, or any, by the numbers of the hooks."""
    return {
        number: hook
        for number, hook in module._forward_pre_hooks.items()
        if isinstance(hook, BasePruningMethod) and name in (None, hook._tensor_name)
    }


def _combined(module: Module, name: str, method: Any) -> Any:
    """Return a method as the last of those that prune a tensor."""
    method._tensor_name = name
    found = _hooks(module, name)
    if len(found) > 1:
        raise AssertionError(
            f"Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. "
            "Use a PruningContainer."
        )
    for number, before in found.items():
        del module._forward_pre_hooks[number]
        container = before if isinstance(before, PruningContainer) else PruningContainer(before)
        container.add_pruning_method(method)
        return container
    return method


class PruningContainer(BasePruningMethod):
    """Several methods that prune one tensor, one after the other.

    Raises:
        TypeError: One is no method.
        ValueError: One prunes a tensor of another name.
    """

    def __init__(self, *args: Any):
        self._pruning_methods: tuple[Any, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add a method at the end.

        Raises:
            TypeError: It is none.
            ValueError: It prunes a tensor of another name.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask after the last method, which chooses among what the others left.

        Raises:
            AttributeError: It is structured and has no ``dim``.
            IndexError: There is no such dimension.
            ValueError: Its type is unknown.
        """
        method = self._pruning_methods[-1]
        among = _among(method, t, default_mask)
        found = method.compute_mask(t[among], default_mask=default_mask[among])
        mask = default_mask.to(dtype=t.dtype)
        mask[among] = found.to(dtype=mask.dtype)
        return mask


def _among(method: Any, t: Tensor, mask: Tensor) -> Any:
    """Return the index of what a method chooses from."""
    if method.PRUNING_TYPE == "unstructured":
        return mask == 1
    if method.PRUNING_TYPE == "global":
        return (slice(None),) * t.dim()
    if method.PRUNING_TYPE != "structured":
        raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
    if not hasattr(method, "dim"):
        raise AttributeError(
            'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
        )
    dim = method.dim if method.dim >= 0 else method.dim + t.dim()
    if dim < 0:
        raise IndexError(f"Index is out of bounds for tensor with dimensions {t.dim()}")
    left = mask.sum(dim=[d for d in range(t.dim()) if d != dim]) != 0
    return (*[slice(None)] * dim, left)


class Identity(BasePruningMethod):
    """Prunes nothing, but has a parameter be the product with a mask."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask that is there."""
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> Any:  # type: ignore[override]
        """Put the mask there."""
        return super().apply(module, name)


class _ByAmount(BasePruningMethod):
    """What prunes a number of elements or slices, or a part of all.

    Raises:
        TypeError: The amount is no number.
        ValueError: It is negative, or a part that is larger than all.
    """

    def __init__(self, amount: Any):
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        part: Any = amount
        if not (int(part) >= 0 if isinstance(part, numbers.Integral) else 0 <= float(part) <= 1):
            raise ValueError(
                f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
                "integer"
            )
        self.amount: Any = amount

    def count_of(self, size: int) -> int:
        """Return how many of some are pruned.

        Raises:
            ValueError: They are more than there are.
        """
        if not isinstance(self.amount, numbers.Integral):
            return round(float(self.amount) * size)
        if int(self.amount) > size:
            raise ValueError(
                f"amount={self.amount} should be smaller than the number of parameters to "
                f"prune={size}"
            )
        return int(self.amount)


class _Elements(_ByAmount):
    """What prunes the elements that are least by some measure."""

    PRUNING_TYPE = "unstructured"

    def measured(self, t: Tensor) -> Tensor:
        """Return the measure."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask that is there without as many elements as are to be pruned."""
        count = self.count_of(t.numel())
        mask = default_mask.clone()
        if count:
            least = functions.topk(self.measured(t).reshape(-1), k=count, largest=False).indices
            mask.view(-1)[least] = 0
        return mask


class RandomUnstructured(_Elements):
    """Prunes any elements: ``amount`` of them, or that part of all."""

    def measured(self, t: Tensor) -> Tensor:
        """Return random numbers."""
        return functions.rand_like(t)

    @classmethod
    def apply(cls, module: Module, name: str, amount: float) -> Any:  # type: ignore[override]
        """Prune a parameter of a module."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Elements):
    """Prunes the elements of the least size: ``amount`` of them, or that part of all."""

    def measured(self, t: Tensor) -> Tensor:
        """Return the sizes."""
        return t.abs()

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, importance_scores: Tensor | None = None
    ) -> Any:
        """Prune a parameter of a module, by scores in its place if they are given."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Slices(_ByAmount):
    """What prunes slices along a dimension."""

    PRUNING_TYPE = "structured"
    dim: int

    def measured(self, t: Tensor) -> Tensor:
        """Return a measure of each slice, of which the least are pruned."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask that is there without as many slices as are to be pruned.

        Raises:
            IndexError: There is no such dimension.
            ValueError: The tensor has one dimension only, or not as many slices.
        """
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor "
                f"of shape {t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        size = t.shape[self.dim]
        count = self.count_of(size)
        if not count:
            return default_mask
        kept = functions.topk(self.measured(t), k=size - count).indices
        mask = functions.zeros_like(t)
        mask.index_fill_(self.dim, kept, 1)
        return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_Slices):
    """Prunes any slices along a dimension: ``amount`` of them, or that part of all."""

    def __init__(self, amount: float, dim: int = -1):
        super().__init__(amount)
        self.dim = dim

    def measured(self, t: Tensor) -> Tensor:
        """Return random numbers."""
        return functions.rand(t.shape[self.dim], device=t.device)

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, dim: int = -1
    ) -> Any:
        """Prune a parameter of a module."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Slices):
    """Prunes the slices along a dimension that have the least norms of order ``n``."""

    def __init__(self, amount: float, n: Any, dim: int = -1):
        super().__init__(amount)
        self.n = n
        self.dim = dim

    def measured(self, t: Tensor) -> Tensor:
        """Return the norms."""
        others = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        return functions.norm(t, p=self.n, dim=others)

    @classmethod
    def apply(  # type: ignore[override]
        cls,
        module: Module,
        name: str,
        amount: float,
        n: Any,
        dim: int,
        importance_scores: Tensor | None = None,
    ) -> Any:
        """Prune a parameter of a module, by scores in its place if they are given."""
        return super().apply(
            module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores
        )


class CustomFromMask(BasePruningMethod):
    """Prunes what a given mask says."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor):
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the product of both masks.

        Raises:
            AssertionError: They are of different shapes.
        """
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape "
                f"{self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> Any:  # type: ignore[override]
        """Prune a parameter of a module."""
        return super().apply(module, name, mask=mask)


def identity(module: Module, name: str) -> Any:
    """Have a parameter be the product with a mask of ones; return the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Any:
    """Prune any elements of a parameter: a number of them, or a part; return the module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Module, name: str, amount: float, importance_scores: Tensor | None = None
) -> Any:
    """Prune the elements of a parameter that are least in size, or of scores; return the module."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Any:
    """Prune any slices of a parameter along a dimension; return the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module,
    name: str,
    amount: float,
    n: Any,
    dim: int,
    importance_scores: Tensor | None = None,
) -> Any:
    """Prune the slices of a parameter along a dimension that have the least norms of order ``n``.

    Return the module.
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: Any,
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune elements of several parameters, chosen among all of them.

    Args:
        parameters: Modules, each with the name of a parameter.
        pruning_method: A class of methods that choose elements.
        importance_scores: For some of them, what is chosen by.
        kwargs: What the method is made with.

    Raises:
        TypeError: The parameters cannot be iterated over, the scores are no dictionary, or the
            method chooses something else than elements.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs = [*parameters]
    tensors = [getattr(module, name) for module, name in pairs]
    measured = parameters_to_vector(
        [scores.get((m, n), t) for (m, n), t in zip(pairs, tensors, strict=True)]
    )
    masks = parameters_to_vector(
        [
            getattr(m, f"{n}_mask", functions.ones_like(t))
            for (m, n), t in zip(pairs, tensors, strict=True)
        ]
    )
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    method._tensor_name = "temp"
    found = PruningContainer(method).compute_mask(measured, masks)
    start = 0
    for (module, name), tensor in zip(pairs, tensors, strict=True):
        part = found[start : start + tensor.numel()].view_as(tensor)
        custom_from_mask(module, name, mask=part)
        start += tensor.numel()


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Any:
    """Prune the elements of a parameter where a mask is 0; return the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: Module, name: str) -> Any:
    """Make a pruned parameter a plain one, which is 0 where it was pruned; return the module.

    Raises:
        ValueError: It is not pruned.
    """
    for number, hook in _hooks(module, name).items():
        hook.remove(module)
        del module._forward_pre_hooks[number]
        return module
    raise ValueError(
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
    )


def is_pruned(module: Module) -> bool:
    """Return whether a parameter of a module, or of one in it, is pruned."""
    return any(_hooks(found, None) for found in module.modules())
