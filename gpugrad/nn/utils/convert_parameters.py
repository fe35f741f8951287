"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpugrad import functions
from gpugrad._tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return the elements of all parameters as one vector.

    Raises:
        TypeError: They are on several devices.
    """
    return functions.cat([p.reshape(-1) for p in _on_one_device(parameters)])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make parts of a vector the memory of parameters.

    Raises:
        TypeError: The parameters are on several devices, or the vector is no tensor.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected gpugrad.Tensor, but got: {functions.typename(vec)}")
    start = 0
    for p in _on_one_device(parameters):
        p.data = vec[start : start + p.numel()].view_as(p).data
        start += p.numel()


def _on_one_device(parameters: Iterable[Tensor]) -> Iterator[Tensor]:
    where = None
    for p in parameters:
        where = where or p.device
        if p.device != where:
            raise TypeError(
                "Found two parameters on different devices, this is currently not supported."
            )
        yield p
