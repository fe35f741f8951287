"""Everything that speaks CUDA: kernels generated from formulas, and kernels written by hand.

The package is installed as ``gpugrad.kernels`` and imports CuPy; nothing imports it before a CUDA
device is asked for.
"""
