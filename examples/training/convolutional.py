"""A small convolutional network that reads handwritten digits.

python examples/training/convolutional.py --picture mistakes.png
"""

from __future__ import annotations

import numpy as np
import run

import gpugrad as torch


def model() -> torch.nn.Module:
    """Return the network from 8 by 8 points to 10 scores."""
    nn = torch.nn
    return nn.Sequential(
        nn.Unflatten(1, (1, 8)),
        nn.Conv2d(1, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )


def main(arguments: list[str] | None = None) -> tuple[list[float], float]:
    """Train; return the losses and the share of digits that are recognised."""
    chosen = run.options(__doc__, arguments, steps=500, rate=5e-3)
    images, labels, test_images, test_labels = run.digits()
    network = model().to(chosen.device)

    def loss(by_chance: np.random.Generator) -> torch.Tensor:
        x, y = run.batch(by_chance, chosen, images, labels)
        return torch.nn.functional.cross_entropy(network(x), y)

    losses = run.fit(network, loss, chosen)
    seen = run.classes(network, test_images, chosen)
    right = float(np.mean(seen == test_labels))
    print(f"{right:.1%} of {len(test_labels)} digits recognised")
    run.show_mistakes(chosen, losses, test_images, seen, test_labels)
    return losses, right


if __name__ == "__main__":
    main()
