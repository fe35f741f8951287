"""Kernels generated from formulas, and kernels written by hand.

The package is installed as ``gpugrad.kernels``.  ``host.py`` speaks C++ for the CPU, and needs with
``source.py`` no array library but NumPy; everything else speaks CUDA and imports CuPy, and nothing
imports that before a CUDA device is asked for.
"""
