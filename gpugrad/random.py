"""PyTorch's ``torch.random``: the generators that random numbers are drawn from."""

from gpugrad.op.generator import Generator as Generator
from gpugrad.op.generator import Replay as Replay
from gpugrad.op.generator import default_generator as default_generator
from gpugrad.op.generator import default_of as default_of
from gpugrad.op.generator import fork_rng as fork_rng
from gpugrad.op.generator import get_rng_state as get_rng_state
from gpugrad.op.generator import initial_seed as initial_seed
from gpugrad.op.generator import manual_seed as manual_seed
from gpugrad.op.generator import seed as seed
from gpugrad.op.generator import set_rng_state as set_rng_state

__all__ = [
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]
