"""An LSTM that foretells a series: two waves of different periods and noise.

python examples/training/lstm.py --picture forecast.png
"""

from __future__ import annotations

import numpy as np
import run

import gpugrad as torch

SEEN, FORETOLD = 60, 40


class Forecast(torch.nn.Module):
    """The next value at each place of a series."""

    def __init__(self, width: int = 48):
        super().__init__()
        self.lstm = torch.nn.LSTM(1, width, batch_first=True)
        self.value = torch.nn.Linear(width, 1)

    def forward(self, series: torch.Tensor, state: object = None) -> tuple[torch.Tensor, object]:
        """Return the next values, of the shape of the series, and the state to go on with."""
        hidden, state = self.lstm(series.unsqueeze(2), state)
        return self.value(hidden).squeeze(2), state


def series(length: int = 2000) -> np.ndarray:
    """Return the series."""
    t = np.arange(length)
    noise = np.random.default_rng(0).normal(scale=0.05, size=length)
    return (np.sin(t / 3) * 0.6 + np.sin(t / 11) * 0.4 + noise).astype(np.float32)


def foretold(model: torch.nn.Module, start: torch.Tensor, count: int) -> np.ndarray:
    """Return the values that follow, each fed back to foretell the next."""
    with torch.no_grad():
        next_values, state = model(start)
        found = [next_values[:, -1:]]
        for _ in range(count - 1):
            value, state = model(found[-1], state)
            found.append(value)
    return torch.cat(found, 1).numpy(force=True)


def main(arguments: list[str] | None = None) -> tuple[list[float], float]:
    """Train on the first part; return the losses and the mean error of forecasts of the rest."""
    chosen = run.options(__doc__, arguments, steps=600, rate=1e-2, batch=32)
    whole = series()
    windows = np.lib.stride_tricks.sliding_window_view(whole[:1500], SEEN + 1)
    later = np.lib.stride_tricks.sliding_window_view(whole[1500:], SEEN + FORETOLD)[::40]
    model = Forecast().to(chosen.device)

    def loss(by_chance: np.random.Generator) -> torch.Tensor:
        (seen,) = run.batch(by_chance, chosen, windows)
        return torch.nn.functional.mse_loss(model(seen[:, :-1])[0], seen[:, 1:])

    losses = run.fit(model, loss, chosen)
    forecast = foretold(model, run.tensor(later[:, :SEEN], chosen), FORETOLD)
    error = float(np.abs(forecast - later[:, SEEN:]).mean())
    print(f"forecasts of {FORETOLD} values are off by {error:.3f} on average")
    if found := run.picture(chosen, 2, 3):
        figure, axes = found
        for ax, values, guess in zip(axes.flat, later, forecast, strict=False):
            ax.plot(values, color="gray")
            ax.plot(range(SEEN, SEEN + FORETOLD), guess, color="tab:red")
        figure.suptitle("the series, and in red what was foretold")
        figure.savefig(chosen.picture, dpi=100)
    return losses, error


if __name__ == "__main__":
    main()
