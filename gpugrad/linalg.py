"""What there is of PyTorch's ``torch.linalg``, made from the table of declarations."""

from gpugrad.op.forms import functions

_MADE = functions("linalg")
globals().update(_MADE)

__all__ = [*_MADE]
