"""The memory that tensors lie in: bytes, or elements of one type.

>>> import gpugrad
>>> x = gpugrad.ones(2, 3)
>>> memory = x[1].untyped_storage()
>>> memory.nbytes(), memory.data_ptr() == x.data_ptr()
(24, True)

A storage lives as long as a tensor, shares its memory, and writes to either are seen by both and
noticed by a backward.  Its size is that of the memory that NumPy or CuPy gave, which may be larger
than PyTorch's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._device import device
from gpugrad._dtype import dtype
from gpugrad.graph import warn
from gpugrad.op.saved import own_array, shared_counter, wrap
from gpugrad.ops.filled import empty

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


class _Storage:
    """What both kinds do: they are sequences of the elements of a vector."""

    elements: Any  # of one dimension, on the memory itself

    def data_ptr(self) -> int:
        """Return the address of the first byte."""
        address: int = self.elements.data_ptr()
        return address

    def nbytes(self) -> int:
        """Return how many bytes there are."""
        count: int = self.elements.nbytes
        return count

    def size(self) -> int:
        """Return how many elements there are."""
        count: int = self.elements.numel()
        return count

    def element_size(self) -> int:
        """Return the size of an element in bytes."""
        size: int = self.elements.element_size()
        return size

    @property
    def device(self) -> device:
        """Where the memory is."""
        here: device = self.elements.device
        return here

    @property
    def is_cuda(self) -> bool:
        """Whether it is a GPU's."""
        return self.device.type == "cuda"

    def tolist(self) -> list[Any]:
        """Return the elements as numbers."""
        found: list[Any] = self.elements.tolist()
        return found

    def fill_(self, value: Any) -> Any:
        """Write a number into every element."""
        self.elements.fill_(value)
        return self

    def copy_(self, source: Any, non_blocking: bool | None = None) -> Any:
        """Write the elements of another storage, of the same size."""
        self.elements.copy_(source.elements)
        return self

    def __len__(self) -> int:
        return self.size()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.elements.is_set_to(self.elements)

    def __hash__(self) -> int:
        return hash((self.data_ptr(), self.size()))

    def _checked(self, index: int) -> int:
        n = self.size()
        if not -n <= index < n:
            raise IndexError(f"index {index} out of range for storage of size {n}")
        return index

    def _lines(self, named: str) -> str:
        shown = "\n ".join(map(str, self.tolist()))
        return f" {shown}\n[gpugrad.storage.{named} of size {self.size()}]"


class UntypedStorage(_Storage):
    """The bytes of a memory; ``UntypedStorage(count)`` are new ones, which are not defined."""

    def __init__(self, size: int = 0, *, device: Any = None):
        """Make so many bytes on a device, the CPU by default."""
        self.elements = empty(size, dtype=_dtype.uint8, device=device)

    @classmethod
    def of(cls, tensor: Tensor) -> UntypedStorage:
        """Return the memory that a tensor lies in."""
        made = cls.__new__(cls)
        array = own_array(tensor)
        made.elements = wrap(backend.of(array).bytes_of(array))
        made.elements._counter = shared_counter(tensor)
        return made

    def untyped(self) -> UntypedStorage:
        """Return the storage itself."""
        return self

    def clone(self) -> UntypedStorage:
        """Return a copy."""
        return UntypedStorage.of(self.elements.clone())

    def cpu(self) -> UntypedStorage:
        """Return a copy in NumPy's memory; itself where it is there already."""
        return UntypedStorage.of(self.elements.cpu()) if self.is_cuda else self

    def cuda(self, device: Any = None) -> UntypedStorage:
        """Return a copy in the memory of a GPU; itself where it is there already."""
        moved = self.elements.cuda(device)
        return self if moved is self.elements else UntypedStorage.of(moved)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            if index.step not in (None, 1):
                raise RuntimeError(
                    f"Trying to slice with a step of {index.step}, but only a step of 1 is "
                    "supported"
                )
            return of_bytes(self.elements[index])
        if not hasattr(index, "__index__"):
            raise TypeError(f"can't index a gpugrad.UntypedStorage with {type(index).__name__}")
        return self.elements[self._checked(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self.elements[index if isinstance(index, slice) else self._checked(index)] = value

    def __repr__(self) -> str:
        return self._lines(f"UntypedStorage(device={self.device})")


def of_bytes(elements: Any) -> UntypedStorage:
    """Return a vector of bytes as a storage, which need not be all of its memory."""
    made = UntypedStorage.__new__(UntypedStorage)
    made.elements = elements
    return made


class TypedStorage(_Storage):
    """A memory as elements of one type, which ``Tensor.storage`` returns; PyTorch's older class."""

    def __init__(self, *, wrap_storage: UntypedStorage, dtype: dtype):
        """See a memory as elements of a type."""
        self.dtype = dtype
        self.elements = wrap_storage.elements.view(dtype)
        self._untyped = wrap_storage

    def untyped(self) -> UntypedStorage:
        """Return the bytes."""
        return self._untyped

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not hasattr(index, "__index__"):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        return self.elements[self._checked(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self.elements[index if isinstance(index, slice) else self._checked(index)] = value

    def __repr__(self) -> str:
        return self._lines(f"TypedStorage(dtype={self.dtype}, device={self.device})")


def typed(tensor: Tensor) -> TypedStorage:
    """Return the memory of a tensor as elements of its type, with PyTorch's warning."""
    warn(
        "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be "
        "the only storage class. This should only matter to you if you are using storages "
        "directly.  To access UntypedStorage directly, use tensor.untyped_storage() instead of "
        "tensor.storage()"
    )
    return TypedStorage(wrap_storage=UntypedStorage.of(tensor), dtype=tensor.dtype)


for _class in (TypedStorage, UntypedStorage):
    _class.__module__ = "gpugrad.storage"  # where users find them
