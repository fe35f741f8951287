"""What there is of PyTorch's ``torch.signal``: windows."""

from gpugrad.signal import windows as windows
