"""How the elements of a tensor lie in memory, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence


class layout:  # noqa: N801  PyTorch's name
    """How a tensor is stored; all are ``strided``, and ``sparse_coo`` is there to be refused."""

    __module__ = "gpugrad"  # where users find it, and pickles

    __slots__ = ("name",)

    def __init__(self, name: str):
        """Make the layout of this name."""
        self.name = name

    def __repr__(self) -> str:
        return f"gpugrad.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format:  # noqa: N801  PyTorch's name
    """In which order the dimensions of a strided tensor lie in memory."""

    __module__ = "gpugrad"  # where users find it, and pickles

    __slots__ = ("name", "order")

    def __init__(self, name: str, order: tuple[int, ...] = ()):
        """Make the format of this name, with dimensions from the outermost to the innermost."""
        self.name = name
        self.order = order

    def __repr__(self) -> str:
        return f"gpugrad.{self.name}"

    def __reduce__(self) -> str:
        return self.name


strided = layout("strided")
sparse_coo = layout("sparse_coo")

preserve_format = memory_format("preserve_format")
contiguous_format = memory_format("contiguous_format")
channels_last = memory_format("channels_last", (0, 2, 3, 1))
channels_last_3d = memory_format("channels_last_3d", (0, 2, 3, 4, 1))

Order = tuple[int, ...] | None  # None where the dimensions lie in their order


def check_layout(function: str, given: object) -> None:
    """Raise where a layout is not strided.

    Raises:
        TypeError: It is no layout.
        ValueError: It is another one.
    """
    if given is sparse_coo:
        raise ValueError(f"{function} is implemented for strided tensors only, got: {given}")
    if given is not None and given is not strided:
        raise TypeError(
            f"{function}(): argument 'layout' must be gpugrad.layout, not {type(given).__name__}"
        )


def order_of(
    form: memory_format | None, shape: Sequence[int], strides: Sequence[int] | None = None
) -> Order:
    """Return the dimensions of a new tensor from the outermost to the innermost.

    Args:
        form: The format; ``None`` is that which is preserved, if there are strides, else the plain.
        shape: The lengths of the dimensions.
        strides: Those of the tensor whose format may be preserved.

    Raises:
        RuntimeError: There are not as many dimensions as the format has, or nothing to preserve.
        TypeError: ``form`` is no format.
    """
    if form is None:
        form = contiguous_format if strides is None else preserve_format
    if not isinstance(form, memory_format):
        raise TypeError(
            f"argument 'memory_format' must be gpugrad.memory_format, not {type(form).__name__}"
        )
    if form.order:
        if len(form.order) != len(shape):
            raise RuntimeError(f"required rank {len(form.order)} tensor to use {form.name} format")
        return form.order
    if form is contiguous_format:
        return None
    if strides is None:
        raise RuntimeError("unsupported memory format Preserve")
    return _dense(shape, strides)


def _dense(shape: Sequence[int], strides: Sequence[int]) -> Order:
    """Return the order that strides have; that of the dimensions where some lie on each other."""
    steps = [s for n, s in zip(shape, strides, strict=True) if n != 1]
    if not steps or min(steps) <= 0 or steps == sorted(steps, reverse=True):
        return None
    axes = [k for k, n in enumerate(shape) if n != 1]
    places = iter(sorted(axes, key=lambda k: -strides[k]))
    return tuple([k if n == 1 else next(places) for k, n in enumerate(shape)])
