"""Find how fast waves run in a medium from what was heard at its end.

    python examples/wave_inversion.py --device cuda --plot speed.png

The simulation is code for NumPy or CuPy that knows nothing of gpugrad; its gradient goes through
120 steps of time.  A dense block lies in the middle, and the speed is found from two records.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import gpugrad
from gpugrad.scipy import optimize

CELLS, STEPS, RATIO = 40, 120, 0.9  # of a step of time to one of space


def simulate(xp: Any, speed: Any, start: int) -> Any:
    """Return what is heard at both ends of a string that is plucked at one cell."""
    places = xp.arange(CELLS)
    now = before = xp.exp(-0.25 * (places - start) ** 2)
    slow = (RATIO * speed[1:-1]) ** 2
    heard = []
    for _ in range(STEPS):
        bent = now[2:] - 2 * now[1:-1] + now[:-2]
        inside = 2 * now[1:-1] - before[1:-1] + slow * bent
        now, before = xp.pad(inside, 1), now
        heard += [now[2], now[-3]]
    return xp.stack(heard)


def misfit(xp: Any, speed: Any, records: dict[int, Any]) -> Any:
    """Return how far what is heard is from the records, with a little smoothing of the speed."""
    apart = sum(xp.sum((simulate(xp, speed, k) - record) ** 2) for k, record in records.items())
    return apart + 1e-4 * xp.sum((speed[1:] - speed[:-1]) ** 2)


def main(arguments: list[str] | None = None) -> float:
    """Run the inversion, print it, and return the largest error of the speed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--iterations", type=int, default=60, help="of L-BFGS")
    parser.add_argument("--plot", help="a file for the picture; needs matplotlib")
    options = parser.parse_args(arguments)

    if options.device == "cpu":
        xp: Any = gpugrad.numpy
    else:
        xp = gpugrad.cupy
    truth = np.ones(CELLS)
    truth[15:25] = 0.8
    true_speed = xp.asarray(truth)
    records = {k: simulate(xp, true_speed, k) for k in (10, 30)}
    found = optimize.minimize(
        lambda speed: misfit(xp, speed, records),
        xp.asarray(np.full(CELLS, 0.95)),
        method="L-BFGS-B",
        options={"maxiter": options.iterations},
    )
    speed = np.asarray(found.x.tolist())
    error = float(np.abs(speed - truth)[5:-5].max())
    print(f"misfit {found.fun:.2e} after {found.nit} iterations; largest error {error:.3f}")
    if options.plot:
        import matplotlib.pyplot as plt

        plt.plot(truth, label="the medium")
        plt.plot(speed, label="found")
        plt.xlabel("cell")
        plt.ylabel("speed")
        plt.legend()
        plt.savefig(options.plot, dpi=120)
    return error


if __name__ == "__main__":
    main()
