"""What there is of PyTorch's ``torch.special``, made from the table of declarations."""

from gpugrad.op.forms import functions

_MADE = functions("special")
globals().update(_MADE)

__all__ = [*_MADE]
