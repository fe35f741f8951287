"""What the environment asks for, and what was done."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CUDA = HERE / "cuda"  # the C++ side
CXX = os.environ.get("CXX", "g++")
EXTRA_FLAGS = tuple(os.environ.get("HOSTCUDA_CXXFLAGS", "").split())
NVRTC_ARCHS = tuple(int(a) for a in os.environ.get("HOSTCUDA_NVRTC", "").split(",") if a)
NO_POOL = os.environ.get("HOSTCUDA_NOPOOL", "") not in ("", "0")
DEVICES = int(os.environ.get("HOSTCUDA_DEVICES", "1"))
IDLE = os.environ.get("HOSTCUDA_IDLE", "") not in ("", "0")
TRACE = os.environ.get("HOSTCUDA_TRACE", "") not in ("", "0")

COMPUTE_CAPABILITY = 90  # the device that CuPy believes to see


def cache_directory() -> Path:
    """Return the folder of built kernels, made on demand."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hostcuda"
    folder = Path(os.environ.get("HOSTCUDA_CACHE", default))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass
class Stats:
    """Counts and seconds of this process; a kernel already in the cache costs neither."""

    built: int = 0
    build_seconds: float = 0.0
    cached: int = 0
    nvrtc: int = 0
    nvrtc_seconds: float = 0.0


stats = Stats()
