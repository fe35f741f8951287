"""Logistic regression on handwritten digits: one affine map, whose weights are pictures.

python examples/training/logistic_regression.py --picture weights.png
"""

from __future__ import annotations

import numpy as np
import run

import gpugrad as torch


def model() -> torch.nn.Module:
    """Return the affine map from 64 points to 10 scores."""
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))


def main(arguments: list[str] | None = None) -> tuple[list[float], float]:
    """Train; return the losses and the share of digits that are recognised."""
    chosen = run.options(__doc__, arguments, steps=1000, rate=1e-2)
    images, labels, test_images, test_labels = run.digits()
    regression = model().to(chosen.device)

    def loss(by_chance: np.random.Generator) -> torch.Tensor:
        x, y = run.batch(by_chance, chosen, images, labels)
        return torch.nn.functional.cross_entropy(regression(x), y)

    losses = run.fit(regression, loss, chosen)
    right = float(np.mean(run.classes(regression, test_images, chosen) == test_labels))
    print(f"{right:.1%} of {len(test_labels)} digits recognised")
    if found := run.picture(chosen, 2, 5):
        figure, axes = found
        weights = regression[1].weight.detach().numpy(force=True)
        for digit, ax in enumerate(axes.flat):
            ax.imshow(weights[digit].reshape(8, 8), cmap="RdBu_r", vmin=-3, vmax=3)
            ax.set_title(f"speaks for {digit}", fontsize=9)
            ax.axis("off")
        figure.savefig(chosen.picture, dpi=100)
    return losses, right


if __name__ == "__main__":
    main()
