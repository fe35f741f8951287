"""PyTorch's names of the memory that tensors lie in: bytes, or elements of one type."""

from gpugrad.ops.stored import TypedStorage as TypedStorage
from gpugrad.ops.stored import UntypedStorage as UntypedStorage
