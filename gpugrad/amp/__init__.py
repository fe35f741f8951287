"""Mixed precision, under ``torch.amp``'s names."""

from gpugrad.amp.autocast_mode import autocast as autocast
from gpugrad.amp.autocast_mode import custom_bwd as custom_bwd
from gpugrad.amp.autocast_mode import custom_fwd as custom_fwd
from gpugrad.amp.autocast_mode import is_autocast_available as is_autocast_available
from gpugrad.amp.grad_scaler import GradScaler as GradScaler
