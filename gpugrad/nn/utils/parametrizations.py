"""Weights by length and direction, by their largest singular value, and orthogonal ones.

See :mod:`gpugrad.nn.utils.parametrize`.
"""

from __future__ import annotations

from typing import Any

from gpugrad import functions, linalg
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.nn.modules.module import Module
from gpugrad.nn.utils import parametrize
from gpugrad.nn.utils.spectral_norm import as_matrix, dim_of, unit
from gpugrad.ops.nn.weight_norm import norm_except_dim
from gpugrad.ops.nn.weight_norm import weight_norm as normalized
from gpugrad.type_info import finfo

MAPS = ("matrix_exp", "cayley", "householder")


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.shape[-2:]
    identity = functions.eye(k, dtype=q.dtype, device=q.device)
    return functions.allclose(q.mH @ q, identity, atol=10.0 * n * finfo(q.dtype).eps)


def _made_orthogonal(a: Tensor) -> Tensor:
    """Return the Q of a QR decomposition whose R has a positive diagonal, which is unique."""
    reflections, tau = functions.geqrf(a)
    signs = reflections.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)
    return linalg.householder_product(reflections, tau) * signs


class _Orthogonal(Module):
    """A matrix as an orthogonal one, by one of three maps, or by one of these and a base."""

    base: Tensor

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True):
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:  # the matrix is the base times one that is close to 1 (Lezcano 2019)
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.size(-2) < x.size(-1)
        q = self._mapped(x.mT if wide else x)
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if wide else q

    def _mapped(self, x: Tensor) -> Tensor:
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            a = x.tril(diagonal=-1)
            tau = 2.0 / (1.0 + (a * a).sum(dim=-2))
            signs = x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
            return linalg.householder_product(a, tau) * signs
        x = x.tril()
        if n != k:
            rest = x.new_zeros(n, n - k).expand(*x.shape[:-2], -1, -1)
            x = functions.cat([x, rest], dim=-1)
        a = x - x.mH
        if self.orthogonal_map == "matrix_exp":
            q = functions.matrix_exp(a)
        else:  # Cayley's
            one = functions.eye(n, dtype=a.dtype, device=a.device)
            q = linalg.solve(functions.add(one, a, alpha=-0.5), functions.add(one, a, alpha=0.5))
        return q[..., :k] if n != k else q

    @no_grad()
    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {q.shape}."
            )
        wide = q.size(-2) < q.size(-1)
        tall = q.mT if wide else q
        if hasattr(self, "base"):
            self.base = self._base_of(tall)
            inverse = functions.zeros_like(q)
            inverse.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
            return inverse
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley "
                "parametrizations when use_trivialization=False."
            )
        a, tau = functions.geqrf(tall)
        a.diagonal(dim1=-2, dim2=-1).sign_()
        diagonal = a.diagonal(dim1=-2, dim2=-1)
        diagonal.copy_(functions.where(tau == 0.0, -diagonal, diagonal))
        return a.mT if wide else a

    def _base_of(self, tall: Tensor) -> Tensor:
        n, k = tall.shape[-2:]
        if n == k:
            return tall.clone() if _is_orthogonal(tall) else _made_orthogonal(tall)
        shape = (*tall.shape[:-2], n, n - k)
        rest = functions.randn(shape, dtype=tall.dtype, device=tall.device)
        return _made_orthogonal(functions.cat([tall, rest], dim=-1))


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Any:
    """Have a matrix of a module, or a stack, be orthogonal, or unitary, while it is trained.

    Of the rows and columns those that are fewer are orthonormal.

    Args:
        module: The module, which is returned.
        name: The name of the parameter.
        orthogonal_map: ``"matrix_exp"``, ``"cayley"``, of a skew-Hermitian matrix, or
            ``"householder"``, a product of reflections; by default the first for square and
            complex matrices and else the last.
        use_trivialization: Multiply by a base, so that it can be assigned to.

    Raises:
        ValueError: There is no such tensor or map, it is no matrix, or complex under reflections.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1)
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)


class _WeightNorm(Module):
    """A weight by its lengths over all dimensions but one, and what has its directions."""

    def __init__(self, dim: int | None = 0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return normalized(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Any:
    """Have a weight be lengths times directions, ``original0`` and ``original1``.

    Args:
        module: The module, which is returned.
        name: The name of the weight.
        dim: The dimension along which there are several lengths; one for ``None``.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def of_older(state_dict: Any, prefix: str, *others: Any) -> None:
        older = f"{prefix}{name}_g", f"{prefix}{name}_v"
        if all(key in state_dict for key in older):
            values = [state_dict.pop(key) for key in older]
            for k, value in enumerate(values):
                state_dict[f"{prefix}parametrizations.{name}.original{k}"] = value

    module._register_load_state_dict_pre_hook(of_older)
    return module


class _SpectralNorm(Module):
    """A weight divided by its largest singular value, which is found by power iterations."""

    _u: Tensor
    _v: Tensor

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ):
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got "
                f"{dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight.detach(), self.dim)
            for k, letter in enumerate("uv"):
                drawn = matrix.new_empty(matrix.size(k)).normal_(0, 1)
                self.register_buffer(f"_{letter}", unit(drawn, eps))
            self._iterate(matrix, 15)

    @no_grad()
    def _iterate(self, matrix: Tensor, times: int) -> None:
        for _ in range(times):
            self._u.copy_(unit(matrix @ self._v, self.eps))
            self._v.copy_(unit(matrix.mH @ self._u, self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return unit(weight, self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        # copies, since the next call writes into both
        u, v = self._u.clone(), self._v.clone()
        return weight / functions.vdot(u, matrix @ v)

    def right_inverse(self, value: Tensor) -> Tensor:
        return value  # as a start: its singular values are those of what is trained


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Have a weight be divided by its largest singular value (Miyato et al. 2018).

    While the module is training each use improves the estimate of that.

    Args:
        module: The module, which is returned.
        name: The name of the weight.
        n_power_iterations: How often it is improved.
        eps: The least norm that is divided by.
        dim: The dimension of the results, by which the weight is a matrix; by default 1 for
            transposed convolutions, else 0.

    Raises:
        IndexError: There is no such dimension.
        ValueError: There is no such tensor, or no iteration.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    dim = dim_of(module) if dim is None else dim
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return parametrize.register_parametrization(module, name, made)
