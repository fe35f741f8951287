"""What people do with ``func``, run with gpugrad and with PyTorch and compared.

The programs are those of PyTorch's tutorials: gradients of each sample, neural tangent kernels,
ensembles of models, and the matrices of first and second derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import Programs, pytorch
from gpugrad.testing import assert_agree

Values = dict[str, Any]

SAMPLES, INPUTS, HIDDEN, CLASSES = 5, 4, 6, 3
PROGRAMS = Programs()
program = PROGRAMS.add


class Numbers:
    """Tensors of random numbers, the same in both libraries."""

    def __init__(self, torch: Any, device: str, seed: int = 0):
        self.torch, self.device = torch, device
        self.generator = np.random.default_rng(seed)

    def __call__(self, *shape: int) -> Any:
        return self.torch.tensor(self.generator.standard_normal(shape), device=self.device)

    def labels(self, count: int) -> Any:
        rows = np.eye(CLASSES)[self.generator.integers(0, CLASSES, count)]
        return self.torch.tensor(rows, device=self.device)

    def parameters(self) -> Values:
        return {
            "weight": self(HIDDEN, INPUTS), "bias": self(HIDDEN),
            "out.weight": self(CLASSES, HIDDEN), "out.bias": self(CLASSES),
        }  # fmt: skip


def network(p: Values, x: Any) -> Any:
    """Return the scores of one sample, or of each row."""
    hidden = (x @ p["weight"].t() + p["bias"]).tanh()
    return hidden @ p["out.weight"].t() + p["out.bias"]


def cross_entropy(scores: Any, label: Any) -> Any:
    """Return -log softmax(scores) at the label, which is one-hot."""
    shifted = scores - scores.amax()
    return shifted.exp().sum().log() - (shifted * label).sum()


def loss(p: Values, x: Any, label: Any) -> Any:
    return cross_entropy(network(p, x), label)


# --------------------------------------------------------------------------- each sample


@program
def gradients_of_each_sample(torch: Any, device: str) -> list[Any]:
    func, numbers = torch.func, Numbers(torch, device)
    p, x, labels = numbers.parameters(), numbers(SAMPLES, INPUTS), numbers.labels(SAMPLES)
    of_one = func.grad(loss)

    found = func.vmap(of_one, in_dims=(None, 0, 0))(p, x, labels)

    for k in range(SAMPLES):
        for name, g in of_one(p, x[k], labels[k]).items():
            assert_agree(found[name][k], g, 1e-12, 1e-12)
    norms = sum(g.flatten(1).square().sum(1) for g in found.values()).sqrt()
    return [*found.values(), norms]


@program
def gradients_of_each_sample_in_chunks(torch: Any, device: str) -> list[Any]:
    func, numbers = torch.func, Numbers(torch, device)
    p, x, labels = numbers.parameters(), numbers(SAMPLES, INPUTS), numbers.labels(SAMPLES)
    of_all = func.grad_and_value(loss)
    grads, values = func.vmap(of_all, in_dims=(None, 0, 0), chunk_size=2)(p, x, labels)
    return [*grads.values(), values]


@program
def gradients_of_each_sample_add_up(torch: Any, device: str) -> list[Any]:
    func, numbers = torch.func, Numbers(torch, device)
    p, x, labels = numbers.parameters(), numbers(SAMPLES, INPUTS), numbers.labels(SAMPLES)
    for t in p.values():
        t.requires_grad_()

    func.vmap(loss, in_dims=(None, 0, 0))(p, x, labels).sum().backward()

    found = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(p, x, labels)
    for name, t in p.items():
        assert_agree(found[name].detach().sum(0), t.grad, 1e-12, 1e-12)
    return [t.grad for t in p.values()]


# --------------------------------------------------------------------------- tangent kernels


def kernel_by_contraction(func: Any, p: Values, a: Any, b: Any) -> Any:
    """Return J(a) J(b)^T of each pair of samples: (samples of a, samples of b, out, out)."""
    rows = [func.vmap(func.jacrev(network), (None, 0))(p, x) for x in (a, b)]
    total = 0
    for first, second in zip(*(r.values() for r in rows), strict=True):
        m = first.flatten(2)  # samples, out, parameters
        n = second.flatten(2)
        total = total + m.unsqueeze(1) @ n.transpose(1, 2).unsqueeze(0)
    return total


def kernel_by_products(func: Any, torch: Any, p: Values, a: Any, b: Any) -> Any:
    """Return the same, by one vector-Jacobian and one Jacobian-vector product a row."""

    def of_pair(x: Any, y: Any) -> Any:
        _, pullback = func.vjp(lambda p: network(p, x), p)

        def row(v: Any) -> Any:
            return func.jvp(lambda p: network(p, y), (p,), pullback(v))[1]

        unit = torch.eye(CLASSES, dtype=x.dtype, device=x.device)
        return func.vmap(row)(unit)

    return func.vmap(func.vmap(of_pair, (None, 0)), (0, None))(a, b)


@program
def neural_tangent_kernel(torch: Any, device: str) -> list[Any]:
    func, numbers = torch.func, Numbers(torch, device)
    p, a, b = numbers.parameters(), numbers(SAMPLES, INPUTS), numbers(3, INPUTS)

    whole = kernel_by_contraction(func, p, a, b)

    assert_agree(kernel_by_products(func, torch, p, a, b), whole, 1e-12, 1e-12)
    trace = whole.diagonal(0, 2, 3).sum(-1)
    same = kernel_by_contraction(func, p, a, a)
    assert_agree(same, same.transpose(0, 1).transpose(2, 3), 1e-12, 1e-12)
    return [whole, trace]


# --------------------------------------------------------------------------- ensembles


class Model(gpugrad.nn.Module):
    """An affine map of scaled inputs, and its sine."""

    def __init__(self, numbers: Numbers):
        super().__init__()
        self.weight = gpugrad.nn.Parameter(numbers(CLASSES, INPUTS))
        self.bias = gpugrad.nn.Parameter(numbers(CLASSES))
        self.scale = gpugrad.nn.Buffer(numbers(INPUTS))

    def forward(self, x: Any) -> Any:
        return ((x * self.scale) @ self.weight.t() + self.bias).sin()


def test_an_ensemble_of_models_is_one_model(device: str) -> None:
    func, numbers = gpugrad.func, Numbers(gpugrad, device)
    models = [Model(numbers) for _ in range(3)]
    parameters, buffers = func.stack_module_state(models)
    batches, one = numbers(3, SAMPLES, INPUTS), numbers(SAMPLES, INPUTS)

    def call(parameters: Values, buffers: Values, x: Any) -> Any:
        return func.functional_call(models[0], (parameters, buffers), (x,))

    each = func.vmap(call)(parameters, buffers, batches)
    every = func.vmap(call, in_dims=(0, 0, None))(parameters, buffers, one)
    grads = func.vmap(func.grad(lambda *args: call(*args).square().sum()), (0, 0, None))(
        parameters, buffers, one
    )

    for k, model in enumerate(models):
        assert_agree(each[k], model(batches[k]), 1e-12, 1e-12)
        assert_agree(every[k], model(one), 1e-12, 1e-12)
        own = gpugrad.autograd.grad(model(one).square().sum(), [*model.parameters()])
        for g, expected in zip(grads.values(), own, strict=True):
            assert_agree(g[k], expected, 1e-12, 1e-12)
    every.sum().backward()
    assert parameters["weight"].grad.shape == (3, CLASSES, INPUTS)


@program
def an_ensemble_of_networks(torch: Any, device: str) -> list[Any]:
    func, numbers = torch.func, Numbers(torch, device)
    several = [numbers.parameters() for _ in range(4)]
    stacked = {name: torch.stack([p[name] for p in several]) for name in several[0]}
    x = numbers(SAMPLES, INPUTS)

    found = func.vmap(network, in_dims=(0, None))(stacked, x)

    for k, p in enumerate(several):
        assert_agree(found[k], network(p, x), 1e-12, 1e-12)
    each = func.vmap(func.vmap(network, (None, 0)), (0, None))(stacked, x)
    assert_agree(each, found, 1e-12, 1e-12)
    return [found]


# --------------------------------------------------------------------------- matrices


@program
def jacobians_and_hessians(torch: Any, device: str) -> list[Any]:
    func, numbers = torch.func, Numbers(torch, device)
    weight, bias, x = numbers(CLASSES, INPUTS), numbers(CLASSES), numbers(INPUTS)

    def predict(weight: Any, bias: Any, x: Any) -> Any:
        return (x @ weight.t() + bias).tanh()

    by_rows, by_columns = (j(predict, argnums=2)(weight, bias, x)
                           for j in (func.jacrev, func.jacfwd))  # fmt: skip
    unit = torch.eye(CLASSES, dtype=torch.double, device=device)
    _, pullback = func.vjp(lambda x: predict(weight, bias, x), x)
    (by_hand,) = func.vmap(pullback)(unit)
    assert_agree(by_rows, by_columns, 1e-12, 1e-12)
    assert_agree(by_rows, by_hand, 1e-12, 1e-12)
    second = func.hessian(predict, argnums=2)(weight, bias, x)
    forward = func.jacfwd(func.jacfwd(predict, argnums=2), argnums=2)(weight, bias, x)
    reverse = func.jacrev(func.jacrev(predict, argnums=2), argnums=2)(weight, bias, x)
    assert_agree(forward, second, 1e-12, 1e-12)
    assert_agree(reverse, second, 1e-12, 1e-12)
    return [by_rows, *func.jacrev(predict, argnums=(0, 1))(weight, bias, x), second]


@program
def jacobians_and_hessians_of_a_batch(torch: Any, device: str) -> list[Any]:
    func, numbers = torch.func, Numbers(torch, device)
    p, x = numbers.parameters(), numbers(SAMPLES, INPUTS)

    by_rows = func.vmap(func.jacrev(network, argnums=1), (None, 0))(p, x)

    # the samples do not see each other, so that one walk for the sum of all gives the same
    together = func.jacrev(lambda x: network(p, x).sum(0))(x).movedim(1, 0)
    assert_agree(together, by_rows, 1e-12, 1e-12)
    return [by_rows, func.vmap(func.hessian(network, argnums=1), (None, 0))(p, x)]


@program
def hessian_vector_products(torch: Any, device: str) -> list[Any]:
    func, numbers = torch.func, Numbers(torch, device)
    p, x, v = numbers.parameters(), numbers(INPUTS), numbers(INPUTS)

    def scalar(x: Any) -> Any:
        return network(p, x).sin().sum()

    _, by_forward = func.jvp(func.grad(scalar), (x,), (v,))
    _, pullback = func.vjp(func.grad(scalar), x)
    (by_reverse,) = pullback(v)
    assert_agree(by_forward, by_reverse, 1e-12, 1e-12)
    assert_agree(by_forward, func.hessian(scalar)(x) @ v, 1e-12, 1e-12)
    several = func.vmap(lambda v: func.jvp(func.grad(scalar), (x,), (v,))[1])(numbers(3, INPUTS))
    return [by_forward, several]


@program
def jacobians_without_func(torch: Any, device: str) -> list[Any]:
    functional, numbers = torch.autograd.functional, Numbers(torch, device)
    weight, x = numbers(CLASSES, INPUTS), numbers(INPUTS)

    def predict(x: Any) -> Any:
        return (weight * x).sum(1).tanh()

    rows = functional.jacobian(predict, x, vectorize=True)
    columns = functional.jacobian(predict, x, vectorize=True, strategy="forward-mode")
    second = functional.hessian(lambda x: predict(x).sin().sum(), x, vectorize=True)
    leaf = x.clone().requires_grad_()
    unit = torch.eye(CLASSES, dtype=torch.double, device=device)
    (batched,) = torch.autograd.grad(predict(leaf), leaf, unit, is_grads_batched=True)
    assert_agree(rows, columns, 1e-12, 1e-12)
    assert_agree(rows, batched, 1e-12, 1e-12)
    return [rows, second]


# --------------------------------------------------------------------------- both libraries


@pytest.mark.parametrize("name", PROGRAMS)
def test_tutorial_agrees_with_itself(name: str, device: str) -> None:
    assert PROGRAMS[name](gpugrad, device)


@pytest.mark.filterwarnings("ignore")  # PyTorch's, of its own ways of doing it
@pytest.mark.parametrize("name", PROGRAMS)
def test_tutorial_gives_pytorchs_numbers(name: str, device: str) -> None:
    torch = pytorch()
    found, expected = PROGRAMS[name](gpugrad, device), PROGRAMS[name](torch, "cpu")
    for a, b in zip(found, expected, strict=True):
        assert_agree(a, b, 1e-12, 1e-12)
