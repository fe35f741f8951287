"""Differentiate a function of SciPy's through the Python array API standard.

    SCIPY_ARRAY_API=1 python examples/rotation_fit.py

``scipy.spatial.transform.Rotation`` is code for any library of arrays.  Given tensors it turns
points, and is differentiated: the rotation between two clouds of points is found by descent.
"""

from __future__ import annotations

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # before SciPy is imported

import numpy as np
from scipy.spatial.transform import Rotation

import gpugrad


def main() -> float:
    """Fit, and return the largest error of the rotation vector."""
    generator = np.random.default_rng(0)
    points = gpugrad.from_numpy(generator.normal(size=(30, 3)))
    truth = gpugrad.tensor([0.7, -0.4, 1.1], dtype=gpugrad.float64)
    turned = Rotation.from_rotvec(truth).apply(points)

    vector = gpugrad.full((3,), 0.1, dtype=gpugrad.float64, requires_grad=True)
    optimizer = gpugrad.optim.SGD([vector], lr=0.2, momentum=0.5)
    for step in range(61):
        optimizer.zero_grad()
        loss = ((Rotation.from_rotvec(vector).apply(points) - turned) ** 2).mean()
        loss.backward()
        optimizer.step()
        if step % 20 == 0:
            print(f"step {step:2d}: loss {loss.item():.2e}")
    error = float((vector.detach() - truth).abs().max())
    print(f"found {np.round(vector.tolist(), 4)}, largest error {error:.1e}")
    return error


if __name__ == "__main__":
    main()
