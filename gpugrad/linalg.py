"""What there is of PyTorch's ``torch.linalg``, made from the table of declarations."""

from gpugrad import _tensor  # noqa: F401  which fills the table
from gpugrad.errors import LinAlgError as LinAlgError
from gpugrad.op.forms import declared_in, functions

__all__ = [*declared_in("linalg")]
__getattr__, __dir__ = functions("linalg", globals())
