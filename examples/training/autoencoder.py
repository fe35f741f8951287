"""A variational autoencoder of handwritten digits: each becomes a point of a plane, and back.

Run as ``python examples/training/autoencoder.py --picture plane.png``.

Source: Kingma and Welling 2013, arXiv:1312.6114.
"""

from __future__ import annotations

import numpy as np
import run

import gpugrad as torch

WIDTH = 128


class Autoencoder(torch.nn.Module):
    """Digits as normal distributions over a plane, and points of the plane as digits."""

    def __init__(self) -> None:
        super().__init__()
        nn = torch.nn
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, WIDTH), nn.ReLU())
        self.mean = nn.Linear(WIDTH, 2)
        self.log_variance = nn.Linear(WIDTH, 2)
        self.decoder = nn.Sequential(
            nn.Linear(2, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 64), nn.Unflatten(1, (8, 8))
        )

    def forward(self, images: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the logits of the images that come back, and the distributions."""
        seen = self.encoder(images)
        mean, log_variance = self.mean(seen), self.log_variance(seen)
        return self.decoder(mean + noise * (log_variance / 2).exp()), mean, log_variance


def main(arguments: list[str] | None = None) -> tuple[list[float], float]:
    """Train; return the losses and the mean error of a point of an image that comes back."""
    chosen = run.options(__doc__, arguments, steps=2000, rate=2e-3)
    images, _, test_images, test_labels = run.digits()
    model = Autoencoder().to(chosen.device)

    def loss(by_chance: np.random.Generator) -> torch.Tensor:
        (x,) = run.batch(by_chance, chosen, images)
        noise = by_chance.normal(size=(chosen.batch, 2)).astype(np.float32)
        logits, mean, log_variance = model(x, run.tensor(noise, chosen))
        functional = torch.nn.functional
        unlike = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        spread = (mean**2 + log_variance.exp() - 1 - log_variance).sum() / 2
        return (unlike + spread) / chosen.batch

    losses = run.fit(model, loss, chosen)
    with torch.no_grad():
        x = run.tensor(test_images, chosen)
        logits, mean, _ = model(x, torch.zeros(len(test_images), 2, device=chosen.device))
        error = float((torch.sigmoid(logits) - x).abs().mean())
    print(f"a point of an image that comes back is off by {error:.3f} on average")
    if found := run.picture(chosen, 1, 2):
        figure, axes = found
        figure.set_size_inches(9, 4.5)
        at = mean.numpy(force=True)
        shown = axes[0, 0].scatter(*at.T, c=test_labels, cmap="tab10", s=8)
        axes[0, 0].set_title("where digits are")
        figure.colorbar(shown, ax=axes[0, 0])
        steps = np.linspace(-2, 2, 12, dtype=np.float32)
        grid = np.stack(np.meshgrid(steps, steps[::-1]), -1).reshape(-1, 2)
        with torch.no_grad():
            tiles = torch.sigmoid(model.decoder(run.tensor(grid, chosen))).numpy(force=True)
        whole = tiles.reshape(12, 12, 8, 8).transpose(0, 2, 1, 3).reshape(96, 96)
        axes[0, 1].imshow(whole, cmap="gray_r", extent=(-2, 2, -2, 2))
        axes[0, 1].set_title("what lies where")
        figure.savefig(chosen.picture, dpi=100)
    return losses, error


if __name__ == "__main__":
    main()
