"""The older form of :func:`gpugrad.nn.utils.parametrizations.spectral_norm`, by hooks."""

from __future__ import annotations

from typing import Any

from gpugrad import functions, linalg
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.nn.modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter, is_lazy


def unit(vector: Tensor, eps: float) -> Tensor:
    """Return a vector of norm 1 in the direction of one, whose norm is taken to be at least eps."""
    return vector / linalg.vector_norm(vector).clamp_min(eps)


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """Return a weight as a matrix with the rows of one dimension."""
    return weight.movedim(dim, 0).flatten(1) if dim else weight.flatten(1)


def dim_of(module: Module) -> int:
    """Return which dimension of a layer's weight is that of the results."""
    return int(isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d))


class SpectralNorm:
    """What divides a weight by its largest singular value before each call of a module."""

    _version = 1

    def __init__(
        self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ):
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """Return the weight, having improved the estimate of its largest singular value or not."""
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(unit(matrix.T @ u, self.eps))
                    u.copy_(unit(matrix @ v, self.eps))
                u, v = u.clone(), v.clone()  # since the next call writes into both
        return weight / functions.dot(u, matrix @ v)

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for part in "", "_u", "_v", "_orig":
            delattr(module, self.name + part)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        """Compute the weight."""
        setattr(module, self.name, self.compute_weight(module, module.training))

    @staticmethod
    def apply(
        module: Module, name: str, n_power_iterations: int, dim: int, eps: float
    ) -> SpectralNorm:
        """Put a parameter and two buffers in the place of a weight.

        Raises:
            RuntimeError: They are there already.
            ValueError: There is no weight, or it has no shape yet.
        """
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise RuntimeError(
                    f"Cannot register two spectral_norm hooks on the same parameter {name}"
                )
        made = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make "
                "sure to run the dummy forward before applying spectral normalization"
            )
        with no_grad():
            sizes = as_matrix(weight, dim).shape
            u, v = (unit(weight.new_empty(size).normal_(0, 1), eps) for size in sizes)
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        # an attribute, not a parameter: it is computed again before it is used
        setattr(module, name, weight.data)
        module.register_buffer(f"{name}_u", u)
        module.register_buffer(f"{name}_v", v)
        module.register_forward_pre_hook(made)
        module._register_state_dict_hook(SpectralNormStateDictHook(made))
        module._register_load_state_dict_pre_hook(SpectralNormLoadStateDictPreHook(made))
        return made


class SpectralNormLoadStateDictPreHook:
    """What finds the buffer ``name_v`` that old dictionaries do not have."""

    def __init__(self, fn: SpectralNorm):
        self.fn = fn

    def __call__(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Put the buffer into a dictionary."""
        fn, key = self.fn, prefix + self.fn.name
        version = local_metadata.get("spectral_norm", {}).get(f"{fn.name}.version")
        if version is not None and version >= 1:
            return
        new = all(key + part in state_dict for part in ("_orig", "_u", "_v"))
        if version is None and new and key not in state_dict:
            return
        missing = [key + part for part in ("_orig", "", "_u") if key + part not in state_dict]
        if missing:
            missing_keys += missing if strict else []
            return
        with no_grad():
            original, weight = state_dict[f"{key}_orig"], state_dict.pop(key)
            matrix, u = as_matrix(original, fn.dim), state_dict[f"{key}_u"]
            v = linalg.pinv(matrix.T @ matrix) @ (matrix.T @ u)
            scale = (original / weight).mean() / functions.dot(u, matrix @ v)
            state_dict[f"{key}_v"] = v * scale


class SpectralNormStateDictHook:
    """What notes the version in a dictionary."""

    def __init__(self, fn: SpectralNorm):
        self.fn = fn

    def __call__(
        self, module: Module, state_dict: Any, prefix: str, local_metadata: dict[str, Any]
    ) -> None:
        """Note it."""
        versions = local_metadata.setdefault("spectral_norm", {})
        key = f"{self.fn.name}.version"
        if key in versions:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        versions[key] = self.fn._version


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Have a weight be divided by its largest singular value (Miyato et al. 2018).

    While the module is training each call improves the estimate of that.

    Args:
        module: The module, which is returned.
        name: The name of the weight.
        n_power_iterations: How often it is improved.
        eps: The least norm that is divided by.
        dim: The dimension of the results, by which the weight is a matrix; by default 1 for
            transposed convolutions, else 0.

    Raises:
        RuntimeError: It is so already.
        ValueError: There is no weight, it has no shape yet, or there is no iteration.
    """
    dim = dim_of(module) if dim is None else dim
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Any:
    """Make a weight under :func:`spectral_norm` a parameter again, and return the module.

    Raises:
        ValueError: It is not under it.
    """
    found = _removed(module._forward_pre_hooks, lambda hook: hook, SpectralNorm, name)
    if found is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    found.remove(module)
    _removed(module._state_dict_hooks, lambda hook: hook, SpectralNormStateDictHook, name)
    # those on loading are wrapped
    _removed(
        module._load_state_dict_pre_hooks,
        lambda hook: hook.hook,
        SpectralNormLoadStateDictPreHook,
        name,
    )
    return module


def _removed(table: Any, inner: Any, kind: type, name: str) -> Any:
    """Remove the hook of a class that is about a weight, and return it."""
    for number, wrapped in [*table.items()]:
        hook: Any = inner(wrapped)
        if isinstance(hook, kind) and getattr(hook, "fn", hook).name == name:  # type: ignore[attr-defined]
            del table[number]
            return hook
    return None
