"""Fit a survival model with covariates by maximum likelihood, as users of HIPS/autograd do.

    python examples/survival.py

Times until failure follow a Weibull distribution whose scale depends on two covariates; a third
of them are censored.  The gradient gives the fit, the Hessian the standard errors.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy
from scipy.optimize import minimize

import gpugrad.numpy as np
from gpugrad.numpy import hessian, value_and_grad


def simulated(count: int, seed: int) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Return covariates, times, and whether a failure was seen at that time."""
    generator = numpy.random.default_rng(seed)
    x = generator.normal(size=(count, 2))
    failure = numpy.exp(0.5 + x @ [0.8, -0.4]) * generator.weibull(1.7, count)
    censored = generator.exponential(4.0, count)
    return x, numpy.minimum(failure, censored), failure <= censored


def negative_log_likelihood(parameters: Any, x: Any, time: Any, seen: Any) -> Any:
    """Return minus the log likelihood of shape, intercept and slopes."""
    shape = np.exp(parameters[0])
    scaled = time * np.exp(-(parameters[1] + np.dot(x, parameters[2:])))
    hazard = np.log(shape) + shape * np.log(scaled) - np.log(time)
    return -np.sum(np.where(seen, hazard, 0.0) - scaled**shape)


def main(arguments: list[str] | None = None) -> numpy.ndarray:
    """Fit, print the table of estimates, and return them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="of individuals")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    data = simulated(options.count, options.seed)

    def loss(parameters: Any) -> Any:
        return negative_log_likelihood(parameters, *data)

    fit = minimize(value_and_grad(loss), numpy.zeros(4), jac=True, method="BFGS")
    errors = numpy.sqrt(numpy.diag(numpy.linalg.inv(hessian(loss)(fit.x))))
    names = "log shape", "intercept", "slope 1", "slope 2"
    for name, value, error, truth in zip(
        names, fit.x, errors, [numpy.log(1.7), 0.5, 0.8, -0.4], strict=True
    ):
        print(f"{name:>10} {value:7.3f} +- {error:.3f}   (true {truth:6.3f})")
    return fit.x


if __name__ == "__main__":
    main()
