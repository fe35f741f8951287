"""What there is of PyTorch's ``torch.signal.windows``, made from the table of declarations."""

from gpugrad import _tensor  # noqa: F401  which fills the table
from gpugrad.op.forms import declared_in, functions

__all__ = [*declared_in("signal.windows")]
__getattr__, __dir__ = functions("signal.windows", globals())
