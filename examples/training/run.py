"""What the programs of this folder share: options, the loop, checkpoints and pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import trange

import gpugrad as torch


def options(
    description: str, arguments: list[str] | None, steps: int, rate: float, batch: int = 64
) -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=steps, help="in all, those before included")
    parser.add_argument("--rate", type=float, default=rate, help="by which the optimizer steps")
    parser.add_argument("--batch", type=int, default=batch, help="examples of one step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--checkpoint", type=Path, help="resumed from if there is one, then saved")
    parser.add_argument("--picture", type=Path, help="a PNG of what was learned")
    found = parser.parse_args(arguments)
    torch.manual_seed(found.seed)
    return found


def fit(
    model: Any,
    loss_of: Callable[[np.random.Generator], Any],
    chosen: argparse.Namespace,
    every: int = 200,
) -> list[float]:
    """Train with Adam; return the loss of each step.

    ``loss_of`` takes the numbers by chance of its step, which depend on the seed and the step
    alone: a run that was interrupted and resumed ends as one that was not.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=chosen.rate)
    losses: list[float] = []
    if chosen.checkpoint and chosen.checkpoint.exists():
        saved = torch.load(chosen.checkpoint)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        losses = saved["losses"]
    steps = trange(len(losses), chosen.steps, initial=len(losses), total=chosen.steps, leave=False)
    for step in steps:
        optimizer.zero_grad()
        loss = loss_of(np.random.default_rng([chosen.seed, step]))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        steps.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)
        if chosen.checkpoint and ((step + 1) % every == 0 or step + 1 == chosen.steps):
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save({**state, "losses": losses}, chosen.checkpoint)
    return losses


def batch(
    by_chance: np.random.Generator, chosen: argparse.Namespace, *arrays: np.ndarray
) -> list[Any]:
    """Return rows of arrays, the same rows of each, as tensors on the device."""
    rows = by_chance.integers(len(arrays[0]), size=chosen.batch)
    return [tensor(a[rows], chosen) for a in arrays]


def tensor(array: np.ndarray, chosen: argparse.Namespace) -> Any:
    """Return an array as a tensor on the device."""
    return torch.tensor(array, device=chosen.device)


def picture(chosen: argparse.Namespace, rows: int, columns: int) -> Any:
    """Return a figure with axes, or ``None`` if no picture was asked for."""
    if chosen.picture is None:
        return None
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    size = (2.2 * columns, 2.2 * rows)
    return pyplot.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return scikit-learn's digits, of 8 by 8 points in [0, 1]: to train on, then to test on."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = (found.images / 16).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[:1400], order[1400:]
    return images[train], found.target[train], images[test], found.target[test]


def classes(model: Any, images: np.ndarray, chosen: argparse.Namespace) -> np.ndarray:
    """Return the digit that a model sees in each of the images."""
    model.eval()
    with torch.no_grad():
        scores = model(tensor(images, chosen))
    model.train()
    return scores.argmax(1).numpy(force=True)


def show_mistakes(
    chosen: argparse.Namespace, losses: list[float], images: Any, seen: Any, labels: Any
) -> None:
    """Draw the losses, and the digits that were taken for others."""
    found = picture(chosen, 1, 5)
    if found is None:
        return
    figure, axes = found
    axes[0, 0].plot(losses)
    axes[0, 0].set(yscale="log", title="loss by step")
    wrong = np.flatnonzero(seen != labels)
    for k, ax in enumerate(axes.flat[1:]):
        ax.axis("off")
        if k < len(wrong):
            ax.imshow(images[wrong[k]], cmap="gray_r")
            ax.set_title(f"{labels[wrong[k]]}, seen as {seen[wrong[k]]}", fontsize=9)
    figure.savefig(chosen.picture, dpi=100)
