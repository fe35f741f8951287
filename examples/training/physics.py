"""A network that solves the heat equation, since its loss is how far it is from doing so.

The equation is u_t = 0.1 u_xx for x and t in [0, 1], where u = sin(pi x) at first and u = 0 at
both ends; its solution is exp(-0.1 pi^2 t) sin(pi x).  The derivatives in the loss are those of
the network by its inputs, which are differentiated again by its weights.

Run as ``python examples/training/physics.py --picture solution.png``.

Source: Raissi, Perdikaris and Karniadakis 2019, doi:10.1016/j.jcp.2018.10.045.
"""

from __future__ import annotations

import numpy as np
import run

import gpugrad as torch

DIFFUSION = 0.1


def model() -> torch.nn.Module:
    """Return the network from (x, t) to u."""
    nn = torch.nn
    return nn.Sequential(
        nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
    )


def exact(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return the solution."""
    return np.exp(-DIFFUSION * np.pi**2 * t) * np.sin(np.pi * x)


def residual(network: torch.nn.Module, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Return u_t - 0.1 u_xx at points."""
    x.requires_grad_()
    t.requires_grad_()
    u = network(torch.stack([x, t], 1)).squeeze(1)
    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
    (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)
    return u_t - DIFFUSION * u_xx


def main(arguments: list[str] | None = None) -> tuple[list[float], float]:
    """Train; return the losses and the largest error of the solution."""
    chosen = run.options(__doc__, arguments, steps=2000, rate=3e-3, batch=128)
    network = model().to(chosen.device)

    def loss(by_chance: np.random.Generator) -> torch.Tensor:
        x, t, side = by_chance.random((3, chosen.batch), np.float32)
        inside = residual(network, run.tensor(x, chosen), run.tensor(t, chosen))
        start = np.stack([x, np.zeros_like(x)], 1)
        ends = np.stack([np.round(side), t], 1)
        known = run.tensor(np.concatenate([start, ends]), chosen)
        values = run.tensor(np.concatenate([np.sin(np.pi * x), np.zeros_like(t)]), chosen)
        return (inside**2).mean() + 5 * ((network(known).squeeze(1) - values) ** 2).mean()

    losses = run.fit(network, loss, chosen)
    t, x = np.meshgrid(*[np.linspace(0, 1, 41, dtype=np.float32)] * 2, indexing="ij")
    with torch.no_grad():
        points = run.tensor(np.stack([x.ravel(), t.ravel()], 1), chosen)
        found = network(points).numpy(force=True).reshape(x.shape)
    error = float(np.abs(found - exact(x, t)).max())
    print(f"the solution is off by {error:.4f} at most")
    if drawn := run.picture(chosen, 1, 2):
        figure, axes = drawn
        for ax, values, title in zip(
            axes.flat, (found, found - exact(x, t)), ("u(x, t)", "its error"), strict=True
        ):
            shown = ax.imshow(values, origin="lower", extent=(0, 1, 0, 1), cmap="inferno")
            ax.set(title=title, xlabel="x", ylabel="t")
            figure.colorbar(shown, ax=ax, shrink=0.6)
        figure.savefig(chosen.picture, dpi=100)
    return losses, error


if __name__ == "__main__":
    main()
