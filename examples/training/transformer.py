"""A transformer that learns, character by character, how Python's own manual is written.

python examples/training/transformer.py --steps 3000 --picture losses.png
"""

from __future__ import annotations

import pydoc_data.topics

import numpy as np
import run

import gpugrad as torch

LENGTH = 64  # characters that the model sees


class Characters(torch.nn.Module):
    """Scores for the next character, at each place of a text."""

    def __init__(self, characters: int, width: int = 64, heads: int = 4, layers: int = 2):
        super().__init__()
        nn = torch.nn
        self.of_character = nn.Embedding(characters, width)
        self.of_place = nn.Embedding(LENGTH, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.scores = nn.Linear(width, characters)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Return scores of shape (texts, length, characters) for texts of numbers."""
        length = text.shape[1]
        x = self.of_character(text) + self.of_place(torch.arange(length, device=text.device))
        mask = torch.nn.Transformer.generate_square_subsequent_mask(length, device=text.device)
        return self.scores(self.norm(self.layers(x, mask=mask, is_causal=True)))


def text() -> tuple[list[str], np.ndarray]:
    """Return the characters there are, and the manual as their numbers."""
    manual = "".join(pydoc_data.topics.topics.values())
    characters = sorted({*manual})
    number = {c: k for k, c in enumerate(characters)}
    return characters, np.array([number[c] for c in manual])


def written(
    model: torch.nn.Module, characters: list[str], start: str, count: int, seed: int, device: str
) -> str:
    """Return a text that the model goes on with, each character by chance."""
    by_chance = np.random.default_rng(seed)
    numbers = [characters.index(c) for c in start]
    with torch.no_grad():
        for _ in range(count):
            scores = model(torch.tensor([numbers[-LENGTH:]], device=device))[0, -1]
            shares = torch.softmax(scores.double(), 0).numpy(force=True)
            numbers.append(int(by_chance.choice(len(characters), p=shares / shares.sum())))
    return "".join(characters[k] for k in numbers)


def main(arguments: list[str] | None = None) -> tuple[list[float], str]:
    """Train; return the losses, in nats a character, and a text that the model wrote."""
    chosen = run.options(__doc__, arguments, steps=1000, rate=2e-3, batch=32)
    characters, manual = text()
    model = Characters(len(characters)).to(chosen.device)
    windows = np.lib.stride_tricks.sliding_window_view(manual, LENGTH + 1)

    def loss(by_chance: np.random.Generator) -> torch.Tensor:
        (seen,) = run.batch(by_chance, chosen, windows)
        scores = model(seen[:, :-1])
        return torch.nn.functional.cross_entropy(scores.flatten(0, 1), seen[:, 1:].flatten())

    losses = run.fit(model, loss, chosen)
    sample = written(model, characters, "The ", 200, chosen.seed, chosen.device)
    print(f"{np.mean(losses[-20:]):.2f} nats a character; it writes:\n{sample}")
    if found := run.picture(chosen, 1, 2):
        figure, axes = found
        axes[0, 0].plot(losses)
        axes[0, 0].set(title="nats a character", xlabel="step")
        axes[0, 1].axis("off")
        lines = [sample[k : k + 40] for k in range(0, len(sample.replace("\n", " ")), 40)]
        axes[0, 1].text(0, 0.5, "\n".join(lines), family="monospace", fontsize=6, va="center")
        figure.savefig(chosen.picture, dpi=100)
    return losses, sample


if __name__ == "__main__":
    main()
