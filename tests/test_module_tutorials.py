"""What people do with modules, run with gpugrad and with PyTorch and compared.

The programs are those of PyTorch's tutorials and examples: gradients of each sample, ensembles,
kernels, steps inside of steps, features taken by hooks, tied and frozen weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import Programs, pytorch
from gpugrad.testing import assert_agree

PROGRAMS = Programs()
program = PROGRAMS.add


class Library:
    """A library with numbers that are the same in both, and modules that are made of them."""

    def __init__(self, torch: Any, device: str):
        self.torch, self.nn, self.func, self.device = torch, torch.nn, torch.func, device
        self.generator = np.random.default_rng(0)

    def numbers(self, *shape: int) -> Any:
        return self.torch.tensor(self.generator.standard_normal(shape), device=self.device)

    def labels(self, count: int, classes: int) -> Any:
        return self.torch.tensor(self.generator.integers(0, classes, count), device=self.device)

    def filled(self, module: Any) -> Any:
        """Return a module of double precision with such parameters."""
        module = module.double().to(self.device)
        for p in module.parameters():
            p.data = self.numbers(*p.shape) / (1 + p[0].numel()) ** 0.5
        return module

    def convolutional(self) -> Any:
        nn = self.nn
        return self.filled(
            nn.Sequential(
                nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 4)
            )
        )

    def perceptron(self) -> Any:
        nn = self.nn
        return self.filled(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)))


def detached(module: Any) -> dict[str, Any]:
    return {name: p.detach() for name, p in module.named_parameters()}


@program
def gradients_of_each_sample(lib: Library) -> list[Any]:
    net, x, labels = lib.convolutional(), lib.numbers(5, 1, 6, 6), lib.labels(5, 4)
    parameters = detached(net)

    def loss(p: Any, sample: Any, label: Any) -> Any:
        scores = lib.func.functional_call(net, p, (sample.unsqueeze(0),))
        return lib.nn.functional.cross_entropy(scores, label.unsqueeze(0))

    each = lib.func.vmap(lib.func.grad(loss), in_dims=(None, 0, 0))(parameters, x, labels)

    lib.nn.functional.cross_entropy(net(x), labels).backward()
    for name, p in net.named_parameters():
        assert_agree(each[name].mean(0), p.grad, 1e-10, 1e-10)
    return [*each.values()]


@program
def ensemble(lib: Library) -> list[Any]:
    nets = [lib.perceptron() for _ in range(3)]
    x = lib.numbers(3, 5, 4)
    parameters, buffers = lib.func.stack_module_state(nets)

    def call(p: Any, b: Any, x: Any) -> Any:
        return lib.func.functional_call(nets[0], (p, b), (x,))

    each = lib.func.vmap(call)(parameters, buffers, x)
    one = lib.func.vmap(call, in_dims=(0, 0, None))(parameters, buffers, x[0])
    for k, net in enumerate(nets):
        assert_agree(each[k], net(x[k]), 1e-12, 1e-12)
    one.square().sum().backward()
    return [each, one, *[p.grad for p in parameters.values()]]


@program
def tangent_kernel(lib: Library) -> list[Any]:
    net, a, b = lib.convolutional(), lib.numbers(3, 1, 6, 6), lib.numbers(2, 1, 6, 6)
    parameters = detached(net)

    def call(p: Any, sample: Any) -> Any:
        return lib.func.functional_call(net, p, (sample.unsqueeze(0),)).squeeze(0)

    jacobians = [
        [
            j.flatten(2)
            for j in lib.func.vmap(lib.func.jacrev(call), (None, 0))(parameters, x).values()
        ]
        for x in (a, b)
    ]
    return [
        sum(
            lib.torch.einsum("naf,mbf->nmab", one, other)
            for one, other in zip(*jacobians, strict=True)
        )
    ]


@program
def steps_inside_of_steps(lib: Library) -> list[Any]:
    net, x, y = lib.perceptron(), lib.numbers(6, 4), lib.numbers(6, 3)
    fast = dict(net.named_parameters())
    losses = []
    for _ in range(3):
        loss = (lib.func.functional_call(net, fast, (x,)) - y).square().mean()
        grads = lib.torch.autograd.grad(loss, [*fast.values()], create_graph=True)
        fast = {name: p - 0.1 * g for (name, p), g in zip(fast.items(), grads, strict=True)}
        losses.append(loss)
    (lib.func.functional_call(net, fast, (x,)) - y).square().mean().backward()
    return [*losses, *[p.grad for p in net.parameters()]]


@program
def features_and_gradients_by_hooks(lib: Library) -> list[Any]:
    net, x = lib.convolutional(), lib.numbers(2, 1, 6, 6)
    seen: list[Any] = []
    handles = [
        net[0].register_forward_hook(lambda m, args, out: seen.append(out.detach())),
        net[4].register_forward_pre_hook(lambda m, args: (args[0] * 2,)),
        net[0].register_full_backward_hook(lambda m, gi, go: seen.append(go[0])),
        net[2].register_full_backward_pre_hook(lambda m, go: (go[0].clamp(-0.1, 0.1),)),
    ]
    x.requires_grad_()
    net(x).square().sum().backward()
    for handle in handles:
        handle.remove()
    seen += [x.grad, *[p.grad for p in net.parameters()]]
    return [*seen, net(x)]


@program
def tied_and_frozen_weights(lib: Library) -> list[Any]:
    nn = lib.nn

    class Auto(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(7, 4)
            self.inner = nn.Linear(4, 4)
            self.out = nn.Linear(4, 7, bias=False)
            self.out.weight = self.embed.weight

        def forward(self, x: Any) -> Any:
            return self.out(self.inner(self.embed(x)).relu())

    net = lib.filled(Auto())
    net.inner.requires_grad_(False)
    x = lib.labels(8, 7)
    nn.functional.cross_entropy(net(x), x).backward()
    assert net.inner.weight.grad is None
    other = {"embed.weight": lib.numbers(7, 4)}
    tied = lib.func.functional_call(net, other, (x,))
    return [net.out.weight.grad, tied, net(x), *net.state_dict().values()]


@program
def steps_with_clipped_gradients(lib: Library) -> list[Any]:
    net, x, y = lib.perceptron(), lib.numbers(6, 4), lib.numbers(6, 3)
    norms = []
    for _ in range(4):
        net.zero_grad()
        (net(x) - y).square().mean().backward()
        norms.append(lib.nn.utils.clip_grad_norm_(net.parameters(), 0.5))
        with lib.torch.no_grad():
            for p in net.parameters():
                p -= 0.3 * p.grad
    return [*norms, *net.parameters()]


@program
def second_derivatives(lib: Library) -> list[Any]:
    net, x = lib.perceptron(), lib.numbers(4)
    parameters = detached(net)

    def value(p: Any, x: Any) -> Any:
        return lib.func.functional_call(net, p, (x,)).square().sum()

    by_input = lib.func.hessian(value, argnums=1)(parameters, x)
    mixed = lib.func.jacfwd(lib.func.grad(value), argnums=1)(parameters, x)
    whole = lib.torch.autograd.functional.hessian(lambda x: net(x).square().sum(), x)
    assert_agree(by_input, whole, 1e-10, 1e-10)
    return [by_input, *mixed.values()]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's, of its own parts
@pytest.mark.parametrize("name", PROGRAMS)
def test_modules_do_what_pytorchs_do(name: str, device: str) -> None:
    torch = pytorch()
    expected = PROGRAMS[name](Library(torch, "cpu"))
    found = PROGRAMS[name](Library(gpugrad, device))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert_agree(a, b.detach().numpy(), 1e-10, 1e-10)
