"""A kernel of one's own, written for CuPy, that differentiates itself.

    python examples/custom_kernel.py --device cuda

The Morse potential of pairs of atoms, with a cut-off, is a few lines of C; forces and the stiffness
of a chain of atoms are its first and second derivatives.
"""

from __future__ import annotations

import argparse
from typing import Any

import gpugrad

morse = gpugrad.ElementwiseKernel(
    "T r, float64 depth, float64 width",
    "T energy",
    """
    T x = exp(-width * (r - 1.0));
    energy = r < 3.0 ? depth * (1.0 - x) * (1.0 - x) - depth : 0.0;
    """,
    "morse",
)


def energy(positions: Any) -> Any:
    """Return the energy of a chain of atoms: the sum over neighbours and next neighbours."""
    near = positions[1:] - positions[:-1]
    far = positions[2:] - positions[:-2]
    return morse(near, 1.0, 2.0).sum() + morse(far, 1.0, 2.0).sum()


def main(arguments: list[str] | None = None) -> Any:
    """Relax the chain by Newton's steps, and return the largest force that is left."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--atoms", type=int, default=12)
    options = parser.parse_args(arguments)

    x = gpugrad.arange(options.atoms, dtype=gpugrad.float64, device=options.device)
    for step in range(8):
        force = -gpugrad.func.grad(energy)(x)
        stiffness = gpugrad.func.hessian(energy)(x)
        print(f"step {step}: energy {float(energy(x)):9.5f}, force {float(force.abs().max()):.1e}")
        # the chain as a whole may move freely: the smallest step is taken
        x = x + gpugrad.linalg.pinv(stiffness, hermitian=True) @ force
    return float(gpugrad.func.grad(energy)(x).abs().max())


if __name__ == "__main__":
    main()
