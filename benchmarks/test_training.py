"""What does a whole training step cost: forward, backward and the update of a model?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.test_composition import cross_entropy, cross_entropy_by_hand
from benchmarks.work import Results, Work, by_size, cases, descent, gradients, relu, swapaxes

# --------------------------------------------------------------------------- the notebook's step

INPUTS, HIDDEN, OUTPUTS = 1000, 100, 10
NOTEBOOK_RATE = 1e-6


def notebook(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return two weights, the inputs and the outputs of n examples."""
    shapes = (INPUTS, HIDDEN), (HIDDEN, OUTPUTS), (n, INPUTS), (n, OUTPUTS)
    return [random.standard_normal(s) for s in shapes]


def squared_error(xp: Any, w1: Any, w2: Any, x: Any, y: Any) -> Any:
    return ((relu(xp, x @ w1) @ w2 - y) ** 2).sum()


def step(torch: Any, w1: Any, w2: Any, x: Any, y: Any) -> Results:
    """Do what the notebook does, word for word."""
    y_pred = x.mm(w1).clamp(min=0).mm(w2)
    loss = (y_pred - y).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        w1 -= NOTEBOOK_RATE * w1.grad
        w2 -= NOTEBOOK_RATE * w2.grad
        w1.grad.zero_()
        w2.grad.zero_()
    return loss, w1, w2


def step_by_hand(xp: Any, w1: Any, w2: Any, x: Any, y: Any) -> Results:
    hidden = x @ w1
    active = xp.maximum(hidden, 0)
    wrong = active @ w2 - y
    loss = (wrong * wrong).sum()
    g = 2 * wrong
    g_hidden = (g @ w2.T) * (hidden >= 0)
    w2 -= NOTEBOOK_RATE * (active.T @ g)
    w1 -= NOTEBOOK_RATE * (x.T @ g_hidden)
    return loss, w1, w2


# --------------------------------------------------------------------------- a classifier

SIZES = 784, 512, 512, 10
RATE = 1e-3


def classifier(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return weights and biases, the inputs of n examples, and their classes."""
    layers = list(itertools.pairwise(SIZES))
    weights = [random.standard_normal(s) * (2 / s[0]) ** 0.5 for s in layers]
    biases = [np.zeros(s[1]) for s in layers]
    labels = np.eye(SIZES[-1])[random.integers(SIZES[-1], size=n)]
    return [*weights, *biases, random.standard_normal((n, SIZES[0])), labels]


def classified(
    xp: Any, w1: Any, w2: Any, w3: Any, b1: Any, b2: Any, b3: Any, x: Any, labels: Any
) -> Any:
    h1 = relu(xp, x @ w1 + b1)
    h2 = relu(xp, h1 @ w2 + b2)
    return cross_entropy(xp, h2 @ w3 + b3, labels)


def classified_by_hand(
    xp: Any, w1: Any, w2: Any, w3: Any, b1: Any, b2: Any, b3: Any, x: Any, labels: Any
) -> Results:
    h1 = xp.maximum(x @ w1 + b1, 0)
    h2 = xp.maximum(h1 @ w2 + b2, 0)
    loss, g3 = cross_entropy_by_hand(xp, h2 @ w3 + b3, labels)
    g2 = (g3 @ w3.T) * (h2 > 0)
    g1 = (g2 @ w2.T) * (h1 > 0)
    for w, b, h, g in [(w1, b1, x, g1), (w2, b2, h1, g2), (w3, b3, h2, g3)]:
        w -= RATE * (h.T @ g)
        b -= RATE * g.sum(0)
    return loss, w1, w2, w3, b1, b2, b3


# --------------------------------------------------------------------------- a transformer block

TIME, WIDTH, HEADS = 128, 256, 4
SCALE = (WIDTH // HEADS) ** -0.5
EPSILON = 1e-5
GELU = 0.7978845608028654, 0.044715  # sqrt(2 / pi), and Hendrycks and Gimpel's, arXiv:1606.08415


def transformer(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return the weights of a block, n sequences, and a gradient."""
    square, wide = (WIDTH, WIDTH), (WIDTH, 4 * WIDTH)
    matrices = [square, square, square, square, wide, wide[::-1]]
    weights = [random.standard_normal(s) / s[0] ** 0.5 for s in matrices]
    gains = [random.uniform(0.5, 1.5, WIDTH) for _ in range(2)]
    biases = [random.uniform(-0.1, 0.1, s) for s in (WIDTH, WIDTH, 4 * WIDTH, WIDTH)]
    sequences = [random.standard_normal((n, TIME, WIDTH)) for _ in range(2)]
    return [*weights, *gains, *biases, *sequences]


def normalized(xp: Any, x: Any) -> Any:
    centred = x - x.mean(-1)[..., None]
    return centred / xp.sqrt((centred * centred).mean(-1)[..., None] + EPSILON)


def softmax(xp: Any, x: Any) -> Any:
    e = xp.exp(x - xp.amax(x, -1)[..., None])
    return e / e.sum(-1)[..., None]


def gelu(xp: Any, x: Any) -> Any:
    return 0.5 * x * (1 + xp.tanh(GELU[0] * (x + GELU[1] * x * x * x)))


def split(xp: Any, x: Any) -> Any:
    """Return sequences with an axis of heads before that of time."""
    n, time, width = x.shape
    return swapaxes(xp, x.reshape(n, time, HEADS, width // HEADS), 1, 2)


def joined(xp: Any, x: Any) -> Any:
    """Undo ``split``."""
    n, heads, time, width = x.shape
    return swapaxes(xp, x, 1, 2).reshape(n, time, heads * width)


def block(
    xp: Any, wq: Any, wk: Any, wv: Any, wo: Any, w1: Any, w2: Any,
    s1: Any, s2: Any, o1: Any, o2: Any, b1: Any, b2: Any, x: Any,
) -> Any:  # fmt: skip
    """Attention and a network of two layers, each after a normalization and around a short cut."""
    a = normalized(xp, x) * s1 + o1
    q, k, v = split(xp, a @ wq), split(xp, a @ wk), split(xp, a @ wv)
    p = softmax(xp, q @ swapaxes(xp, k, -1, -2) * SCALE)
    h = x + joined(xp, p @ v) @ wo
    m = normalized(xp, h) * s2 + o2
    return h + gelu(xp, m @ w1 + b1) @ w2 + b2


def block_by_hand(
    xp: Any, wq: Any, wk: Any, wv: Any, wo: Any, w1: Any, w2: Any,
    s1: Any, s2: Any, o1: Any, o2: Any, b1: Any, b2: Any, x: Any, g: Any,
) -> Results:  # fmt: skip
    def normalize(x: Any) -> tuple[Any, Callable[[Any], Any]]:
        centred = x - x.mean(-1, keepdims=True)
        inverse = 1 / xp.sqrt((centred * centred).mean(-1, keepdims=True) + EPSILON)
        n = centred * inverse

        def back(g: Any) -> Any:
            return inverse * (g - g.mean(-1, keepdims=True) - n * (g * n).mean(-1, keepdims=True))

        return n, back

    def rows(x: Any) -> Any:
        return x.reshape(-1, x.shape[-1])

    def product(x: Any, g: Any) -> Any:
        return rows(x).T @ rows(g)

    n1, _ = normalize(x)
    a = n1 * s1 + o1
    q, k, v = split(xp, a @ wq), split(xp, a @ wk), split(xp, a @ wv)
    p = softmax(xp, q @ swapaxes(xp, k, -1, -2) * SCALE)
    c = joined(xp, p @ v)
    h = x + c @ wo
    n2, back2 = normalize(h)
    m = n2 * s2 + o2
    u = m @ w1 + b1
    t = xp.tanh(GELU[0] * (u + GELU[1] * u * u * u))
    e = 0.5 * u * (1 + t)
    out = h + e @ w2 + b2

    slope = 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * GELU[0] * (1 + 3 * GELU[1] * u * u)
    gu = (g @ w2.T) * slope
    gm = gu @ w1.T
    gh = g + back2(gm * s2)
    gc = split(xp, gh @ wo.T)
    gp = gc @ swapaxes(xp, v, -1, -2)
    scores = SCALE * p * (gp - (gp * p).sum(-1, keepdims=True))
    gq = joined(xp, scores @ k)
    gk = joined(xp, swapaxes(xp, scores, -1, -2) @ q)
    gv = joined(xp, swapaxes(xp, p, -1, -2) @ gc)
    ga = gq @ wq.T + gk @ wk.T + gv @ wv.T
    return (
        out, product(a, gq), product(a, gk), product(a, gv), product(c, gh),
        product(m, gu), product(e, g),
        rows(ga * n1).sum(0), rows(gm * n2).sum(0), rows(ga).sum(0), rows(gm).sum(0),
        rows(gu).sum(0), rows(g).sum(0),
    )  # fmt: skip


# --------------------------------------------------------------------------- logistic regression

FEATURES = 100


def regression(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return a weight and a bias, and n examples with a sign each."""
    signs = random.choice([-1.0, 1.0], n)
    return random.standard_normal(FEATURES) / 10, 0.1, random.standard_normal((n, FEATURES)), signs


def logistic(xp: Any, w: Any, b: Any, x: Any, signs: Any) -> Any:
    return xp.log1p(xp.exp(-signs * (x @ w + b))).mean()


def logistic_by_hand(xp: Any, w: Any, b: Any, x: Any, signs: Any) -> Results:
    e = xp.exp(-signs * (x @ w + b))
    loss = xp.log1p(e).mean()
    g = -signs * e / (1 + e) / signs.shape[0]
    w -= RATE * (g @ x)
    b -= RATE * g.sum()
    return loss, w, b


# --------------------------------------------------------------------------- an optimizer

PARAMETERS, MOMENTUM = 200, 0.9
BETAS, TINY = (0.9, 0.999), 1e-8


def parameters(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return parameters of n elements each, and their gradients."""
    return [random.standard_normal(n) for _ in range(2 * PARAMETERS)]


def prepared(torch: Any, name: str, options: dict[str, Any], *arrays: Any) -> Any:
    """Return copies of the parameters, and an optimizer that has already made one step."""
    params = [p.detach().clone().requires_grad_() for p in arrays[:PARAMETERS]]
    for p, g in zip(params, arrays[PARAMETERS:], strict=True):
        p.grad = g
    optimizer = getattr(torch.optim, name)(params, lr=RATE, **options)
    optimizer.step()
    return params, optimizer


def optimizer(torch: Any, *arrays: Any) -> Any:
    return prepared(torch, "SGD", {"momentum": MOMENTUM}, *arrays)


def adam(torch: Any, *arrays: Any) -> Any:
    return prepared(torch, "Adam", {}, *arrays)


def optimized(torch: Any, prepared: Any) -> Results:
    params, optimizer = prepared
    optimizer.step()
    return params  # type: ignore[no-any-return]


def optimized_by_hand(xp: Any, *arrays: Any) -> Results:
    updated = []
    for p, g in zip(arrays[:PARAMETERS], arrays[PARAMETERS:], strict=True):
        velocity = MOMENTUM * g
        velocity += g
        updated.append(p - RATE * g - RATE * velocity)
    return updated


def adam_by_hand(xp: Any, *arrays: Any) -> Results:
    updated = []
    for p, g in zip(arrays[:PARAMETERS], arrays[PARAMETERS:], strict=True):
        mean, square = xp.zeros_like(p), xp.zeros_like(p)
        for step in 1, 2:
            mean = BETAS[0] * mean + (1 - BETAS[0]) * g
            square = BETAS[1] * square + (1 - BETAS[1]) * g * g
            size = xp.sqrt(square / (1 - BETAS[1] ** step)) + TINY
            p = p - RATE / (1 - BETAS[0] ** step) * mean / size
        updated.append(p)
    return updated


STEP = descent(
    "the notebook's training step", notebook, 2, squared_error, NOTEBOOK_RATE, step_by_hand,
    {(64, "float32"): 0.75, (64, "float64"): 0.95},
)  # fmt: skip
WORKS = [
    replace(STEP, ways={**STEP.ways, "torch": step}, keeps_grad=True),
    descent(
        "MLP 784-512-512-10, step", classifier, 6, classified, RATE, classified_by_hand,
        by_size({128: 1.0}, ["float32"]),
    ),
    gradients(
        "transformer block n x 128 x 256", transformer, 12, block, block_by_hand,
        by_size({8: 1.1}, ["float32"]), cotangent=True, compiled=True,
    ),
    descent(
        "logistic regression, n x 100, step", regression, 2, logistic, RATE, logistic_by_hand,
        by_size({100_000: 0.8}, ["float32"]),
    ),
    Work(
        "SGD with momentum, 200 parameters", parameters, 0,
        {"torch": optimized}, optimized_by_hand, by_size({10: 0.45, 500: 0.45}, ["float32"]),
        prepared={"torch": optimizer},
    ),
    Work(
        "Adam, 200 parameters", parameters, 0,
        {"torch": optimized}, adam_by_hand, by_size({10: 0.25, 500: 0.25}, ["float32"]),
        prepared={"torch": adam},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_training(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)
