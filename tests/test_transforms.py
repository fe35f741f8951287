"""Jacobians, forward mode and ``func``: programs with PyTorch's results and PyTorch's errors.

Each runs under gpugrad on every device and, where it is installed, under PyTorch itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from snippets import ours, raised, run

import gpugrad
from comparison import agree, agree_on, pytorch
from gpugrad import func
from gpugrad.testing import assert_agree

PYTORCH_WARNS = pytest.mark.filterwarnings("ignore")  # of its own ways of doing it

Program = tuple[str, str]
Row = tuple[str, type[Exception], str]

# what every program starts with
START = (
    "x = torch.tensor([1.0, 2.0]); v = torch.tensor([3.0, -1.0]); fa = torch.autograd.forward_ad\n"
    "functional = torch.autograd.functional; func = torch.func\n"
)

FUNCTIONAL: list[Program] = [
    (("functional.jacobian(lambda x: x**3, x)"), ("tensor([[ 3.,  0.],\n        [ 0., 12.]])")),
    (
        ("functional.jacobian(lambda x, y: (x * y, y.sum()), (x, v))"),
        (
            "((tensor([[ 3., -0.],\n"
            "        [ 0., -1.]]), tensor([[1., 0.],\n"
            "        [0., 2.]])), (tensor([0., 0.]), tensor([1., 1.])))"
        ),
    ),
    (
        ("functional.jacobian(lambda x: (x.exp(), x.sum()), (x,))"),
        ("((tensor([[2.7183, 0.0000],\n        [0.0000, 7.3891]]),), (tensor([1., 1.]),))"),
    ),
    (
        ("functional.jacobian(lambda x: torch.ones(2), x)"),
        ("tensor([[0., 0.],\n        [0., 0.]])"),
    ),
    (
        ("functional.jacobian(lambda x: x.reshape(2, 1) * x, x)"),
        ("tensor([[[2., 0.],\n         [2., 1.]],\n\n        [[2., 1.],\n         [0., 4.]]])"),
    ),
    (
        ("functional.hessian(lambda x: (x**3).sum() * x[0], x)"),
        ("tensor([[12., 12.],\n        [12., 12.]])"),
    ),
    (
        ("functional.hessian(lambda x, y: (x**2 * y).sum(), (x, v))"),
        (
            "((tensor([[ 6., -0.],\n"
            "        [ 0., -2.]]), tensor([[2., 0.],\n"
            "        [0., 4.]])), (tensor([[2., 0.],\n"
            "        [0., 4.]]), tensor([[0., 0.],\n"
            "        [0., 0.]])))"
        ),
    ),
    (("functional.vjp(lambda x: x**3, x, v)"), ("(tensor([1., 8.]), tensor([  9., -12.]))")),
    (("functional.vjp(lambda x: (x**3).sum(), x)"), ("(tensor(9.), tensor([ 3., 12.]))")),
    (
        ("functional.vjp(lambda x, y: (x * y, y), (x, v), (v, x))"),
        ("((tensor([ 3., -2.]), tensor([ 3., -1.])), (tensor([9., 1.]), tensor([4., 0.])))"),
    ),
    (("functional.jvp(lambda x: x**3, x, v)"), ("(tensor([1., 8.]), tensor([  9., -12.]))")),
    (
        ("functional.jvp(lambda x: (x**3, x.sum()), (x,), (v,))"),
        ("((tensor([1., 8.]), tensor(3.)), (tensor([  9., -12.]), tensor(2.)))"),
    ),
    (
        ("functional.jvp(lambda x: x.exp(), torch.tensor(0.5))"),
        ("(tensor(1.6487), tensor(1.6487))"),
    ),
    (
        ("functional.vhp(lambda x: (x**3).sum() * x[1], x, v)"),
        ("(tensor(18.), tensor([ 33., -39.]))"),
    ),
    (
        ("functional.hvp(lambda x: (x**3).sum() * x[1], x, v)"),
        ("(tensor(18.), tensor([ 33., -39.]))"),
    ),
    (
        ("functional.hvp(lambda x, y: (x**3).sum(), (x, v), (v, x))"),
        ("(tensor(9.), (tensor([ 18., -12.]), tensor([0., 0.])))"),
    ),
    (
        (
            "x.requires_grad_()\n"
            "j = functional.jacobian(lambda x: x**3, x, create_graph=True)\n"
            "j.sum().backward()\n"
            "j.detach(), x.grad"
        ),
        ("(tensor([[ 3.,  0.],\n        [ 0., 12.]]), tensor([ 6., 12.]))"),
    ),
    (
        (
            "x.requires_grad_()\n"
            "h = functional.hessian(lambda x: (x**3).sum(), x, create_graph=True)\n"
            "h.sum().backward()\n"
            "h.detach(), x.grad"
        ),
        ("(tensor([[ 6.,  0.],\n        [ 0., 12.]]), tensor([6., 6.]))"),
    ),
    (
        (
            "v.requires_grad_()\n"
            "y, g = functional.jvp(lambda x: x**3, x, v, create_graph=True)\n"
            "g.sum().backward()\n"
            "g.detach(), v.grad"
        ),
        ("(tensor([  9., -12.]), tensor([ 3., 12.]))"),
    ),
    (
        (
            "x.requires_grad_()\n"
            "y = functional.vjp(lambda x: x**3, x, v)\n"
            "[t.requires_grad for t in y]"
        ),
        ("[False, False]"),
    ),
    (
        ("with torch.no_grad():\n    y = functional.jacobian(lambda x: x**3, x)\ny"),
        ("tensor([[ 3.,  0.],\n        [ 0., 12.]])"),
    ),
]

FORWARD: list[Program] = [
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); y = (d**3, repr(d), fa.unpack_dual(d * d))\n"
            "y"
        ),
        (
            "(tensor([1., 8.]), 'tensor([1., 2.], tangent=tensor([ 3., -1.]))', "
            "UnpackedDualTensor(primal=tensor([1., 4.]), tangent=tensor([ 6., -4.])))"
        ),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); y = [fa.unpack_dual(t) for t in (d.detach(), "
            "d.clone(), d > 1, d.argmax(), d.data)]\n"
            "y"
        ),
        (
            "[UnpackedDualTensor(primal=tensor([1., 2.]), tangent=None), "
            "UnpackedDualTensor(primal=tensor([1., 2.]), tangent=tensor([ 3., -1.])), "
            "UnpackedDualTensor(primal=tensor([False,  True]), tangent=None), "
            "UnpackedDualTensor(primal=tensor(1), tangent=None), "
            "UnpackedDualTensor(primal=tensor([1., 2.]), tangent=None)]"
        ),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); d.mul_(3); y = fa.unpack_dual(d)\n"
            "y, v"
        ),
        (
            "(UnpackedDualTensor(primal=tensor([3., 6.]), tangent=tensor([ 9., -3.])), "
            "tensor([ 9., -3.]))"
        ),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); z = torch.ones(2); z.add_(d); y = fa.unpack_dual(z)\n"
            "y"
        ),
        ("UnpackedDualTensor(primal=tensor([2., 3.]), tangent=tensor([ 3., -1.]))"),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); z = torch.zeros(2, 2); z[0].add_(d); y = "
            "fa.unpack_dual(z)\n"
            "y"
        ),
        (
            "UnpackedDualTensor(primal=tensor([[1., 2.],\n"
            "        [0., 0.]]), tangent=tensor([[ 3., -1.],\n"
            "        [ 0.,  0.]]))"
        ),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); z = torch.zeros(2, 2); z[:, 1] = d * d; y = "
            "fa.unpack_dual(z)\n"
            "y"
        ),
        (
            "UnpackedDualTensor(primal=tensor([[0., 1.],\n"
            "        [0., 4.]]), tangent=tensor([[ 0.,  6.],\n"
            "        [ 0., -4.]]))"
        ),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x.view(1, 2) * 1, v.view(1, 2) * 1); d[0].mul_(2); y = "
            "fa.unpack_dual(d)\n"
            "y"
        ),
        ("UnpackedDualTensor(primal=tensor([[2., 4.]]), tangent=tensor([[ 6., -2.]]))"),
    ),
    (
        ("with fa.dual_level():\n    d = fa.make_dual(x, v); d[0] = 7; y = fa.unpack_dual(d)\ny"),
        ("UnpackedDualTensor(primal=tensor([7., 2.]), tangent=tensor([ 0., -1.]))"),
    ),
    (
        ("with fa.dual_level():\n    d = fa.make_dual(x, v); d.fill_(3); y = fa.unpack_dual(d)\ny"),
        ("UnpackedDualTensor(primal=tensor([3., 3.]), tangent=tensor([0., 0.]))"),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); d.copy_(torch.ones(2)); y = fa.unpack_dual(d)\n"
            "y"
        ),
        ("UnpackedDualTensor(primal=tensor([1., 1.]), tangent=tensor([0., 0.]))"),
    ),
    (
        ("with fa.dual_level():\n    d = fa.make_dual(x, v); d.exp_(); y = fa.unpack_dual(d)\ny"),
        ("UnpackedDualTensor(primal=tensor([2.7183, 7.3891]), tangent=tensor([ 8.1548, -7.3891]))"),
    ),
    (
        (
            "with fa.dual_level(), torch.no_grad():\n"
            "    y = fa.unpack_dual(fa.make_dual(x, v) * 2)\n"
            "y"
        ),
        ("UnpackedDualTensor(primal=tensor([2., 4.]), tangent=tensor([ 6., -2.]))"),
    ),
    (
        ("with fa.dual_level():\n    d = fa.make_dual(x, v)\nfa.unpack_dual(d), d * 2, d"),
        (
            "(UnpackedDualTensor(primal=tensor([1., 2.]), tangent=None), tensor([2., 4.]), "
            "tensor([1., 2.]))"
        ),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v)\n"
            "with fa.dual_level():\n"
            "    y = fa.unpack_dual(d), fa.unpack_dual(d * 2)\n"
            "y"
        ),
        (
            "(UnpackedDualTensor(primal=tensor([1., 2.]), tangent=None), "
            "UnpackedDualTensor(primal=tensor([2., 4.]), tangent=None))"
        ),
    ),
    (
        (
            "x.requires_grad_()\n"
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); t = fa.unpack_dual((d**3).sum()).tangent\n"
            "t.backward()\n"
            "t.detach(), x.grad"
        ),
        ("(tensor(-3.), tensor([ 18., -12.]))"),
    ),
    (
        (
            "x.requires_grad_()\n"
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); (g,) = torch.autograd.grad((d**3).sum(), d); y = "
            "fa.unpack_dual(g)\n"
            "y, g.requires_grad"
        ),
        ("(UnpackedDualTensor(primal=tensor([ 3., 12.]), tangent=tensor([ 18., -12.])), False)"),
    ),
    (
        (
            "x.requires_grad_()\n"
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); (d**3).sum().backward(); y = fa.unpack_dual(x.grad)\n"
            "y"
        ),
        ("UnpackedDualTensor(primal=tensor([ 3., 12.]), tangent=None)"),
    ),
    (
        (
            "v.requires_grad_()\n"
            "with fa.dual_level():\n"
            "    t = fa.unpack_dual(fa.make_dual(x, v).exp().sum()).tangent\n"
            "t.backward()\n"
            "v.grad"
        ),
        ("tensor([2.7183, 7.3891])"),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    y = fa.unpack_dual(x + torch.cat([fa.make_dual(x, v), x])[1:3])\n"
            "y"
        ),
        ("UnpackedDualTensor(primal=tensor([3., 3.]), tangent=tensor([-1.,  0.]))"),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    d = fa.make_dual(x, v); y = [fa.unpack_dual(t) for t in (d @ d, d.max(), "
            "d.sort()[0] if False else d.sum(), d.to(torch.double), *d.unbind())]\n"
            "y"
        ),
        (
            "[UnpackedDualTensor(primal=tensor(5.), tangent=tensor(2.)), "
            "UnpackedDualTensor(primal=tensor(2.), tangent=tensor(-1.)), "
            "UnpackedDualTensor(primal=tensor(3.), tangent=tensor(2.)), "
            "UnpackedDualTensor(primal=tensor([1., 2.], dtype=torch.float64), tangent=tensor([ "
            "3., -1.], dtype=torch.float64)), UnpackedDualTensor(primal=tensor(1.), "
            "tangent=tensor(3.)), UnpackedDualTensor(primal=tensor(2.), tangent=tensor(-1.))]"
        ),
    ),
]

FUNC: list[Program] = [
    (("func.grad(lambda x: (x**3).sum())(x)"), ("tensor([ 3., 12.])")),
    (("func.grad(func.grad(func.grad(lambda x: x**4)))(torch.tensor(2.0))"), ("tensor(48.)")),
    (
        ("func.grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(x, v)"),
        ("(tensor([ 3., -1.]), tensor([1., 2.]))"),
    ),
    (
        ("func.grad(lambda x: ((x * x).sum(), x + 1), has_aux=True)(x)"),
        ("(tensor([2., 4.]), tensor([2., 3.]))"),
    ),
    (
        ("func.grad(lambda d: (d['a'] * d['b'][0]).sum())({'a': x, 'b': [v]})"),
        ("{'a': tensor([ 3., -1.]), 'b': [tensor([1., 2.])]}"),
    ),
    (("func.grad(lambda x: torch.tensor(1.0))(x)"), ("tensor([0., 0.])")),
    (
        ("func.grad_and_value(lambda x, y: (x * y).sum(), argnums=(0, 1))(x, v)"),
        ("((tensor([ 3., -1.]), tensor([1., 2.])), tensor(1.))"),
    ),
    (
        (
            "out, pullback = func.vjp(lambda x, y: {'a': x * y}, x, v)\n"
            "out, pullback({'a': x}), pullback({'a': v})"
        ),
        (
            "({'a': tensor([ 3., -2.])}, (tensor([ 3., -2.]), tensor([1., 4.])), (tensor([9., "
            "1.]), tensor([ 3., -2.])))"
        ),
    ),
    (
        ("func.jvp(lambda x: {'a': x**2, 'b': x.sum()}, (x,), (v,))"),
        ("({'a': tensor([1., 4.]), 'b': tensor(3.)}, {'a': tensor([ 6., -4.]), 'b': tensor(2.)})"),
    ),
    (
        ("func.jvp(lambda x: (x**2, x + 1), (x,), (v,), has_aux=True)"),
        ("(tensor([1., 4.]), tensor([ 6., -4.]), tensor([2., 3.]))"),
    ),
    (("func.jvp(lambda x: torch.ones(2), (x,), (v,))"), ("(tensor([1., 1.]), tensor([0., 0.]))")),
    (
        ("func.jacrev(lambda x: {'a': x**2, 'b': (x.sum(),)})(x)"),
        ("{'a': tensor([[2., 0.],\n        [0., 4.]]), 'b': (tensor([1., 1.]),)}"),
    ),
    (
        ("func.jacrev(lambda x, y: x * y, argnums=(0, 1))(x, v)"),
        ("(tensor([[ 3., -0.],\n        [ 0., -1.]]), tensor([[1., 0.],\n        [0., 2.]]))"),
    ),
    (
        ("func.jacrev(lambda x: (x * x, x), has_aux=True)(x)"),
        ("(tensor([[2., 0.],\n        [0., 4.]]), tensor([1., 2.]))"),
    ),
    (
        ("func.jacfwd(lambda x: {'a': x**2, 'b': (x.sum(),)})(x)"),
        ("{'a': tensor([[2., 0.],\n        [0., 4.]]), 'b': (tensor([1., 1.]),)}"),
    ),
    (
        ("func.jacfwd(lambda x, y: (x @ y, x.norm()), argnums=(0, 1))(x.view(1, 2), v.view(2, 1))"),
        (
            "((tensor([[[[ 3., -1.]]]]), tensor([[[[1.],\n"
            "          [2.]]]])), (tensor([[0.4472, 0.8944]]), tensor([[0.],\n"
            "        [0.]])))"
        ),
    ),
    (
        ("func.hessian(lambda x: (x**3).sum() * x[0])(x)"),
        ("tensor([[12., 12.],\n        [12., 12.]])"),
    ),
    (
        ("func.hessian(lambda x, y: (x**3 * y).sum(), argnums=(0, 1))(x, v)"),
        (
            "((tensor([[ 18.,   0.],\n"
            "        [  0., -12.]]), tensor([[ 3.,  0.],\n"
            "        [ 0., 12.]])), (tensor([[ 3.,  0.],\n"
            "        [ 0., 12.]]), tensor([[0., 0.],\n"
            "        [0., 0.]])))"
        ),
    ),
    (
        (
            "f = lambda x: (x.exp() * x.sum() * x).sum()\n"
            "func.jacrev(func.jacrev(f))(x), func.jacfwd(func.jacfwd(f))(x), "
            "func.jacrev(func.jacfwd(f))(x)"
        ),
        (
            "(tensor([[ 35.3377,  27.6037],\n"
            "        [ 27.6037, 133.0030]]), tensor([[ 35.3377,  27.6037],\n"
            "        [ 27.6037, 133.0030]]), tensor([[ 35.3377,  27.6037],\n"
            "        [ 27.6037, 133.0030]]))"
        ),
    ),
    (
        ("f = lambda x: (x.exp() * x.sum() * x).sum()\nfunc.jvp(func.grad(f), (x,), (v,))"),
        ("(tensor([33.8061, 83.9979]), tensor([ 78.4093, -50.1918]))"),
    ),
    (
        (
            "f = lambda x: (x.exp() * x.sum() * x).sum()\n"
            "func.grad(lambda x: func.jvp(f, (x,), (v,))[1])(x)"
        ),
        ("tensor([ 78.4093, -50.1918])"),
    ),
    (
        (
            "f = lambda x: (x**4).sum() * x[0]\n"
            "jvp = func.jvp\n"
            "jvp(lambda x: jvp(lambda x: jvp(f, (x,), (v,))[1], (x,), (v,))[1], (x,), (v,))"
        ),
        ("(tensor(36.), tensor(2004.))"),
    ),
    (
        (
            "f = lambda x: (x**4).sum() * x[0]\n"
            "jvp = func.jvp\n"
            "jvp(lambda x: jvp(func.grad(f), (x,), (v,))[1], (x,), (v,))"
        ),
        ("(tensor([28., 48.]), tensor([ 588., -240.]))"),
    ),
    (
        (
            "f = lambda x: (x**4).sum() * x[0]\n"
            "jvp = func.jvp\n"
            "func.grad(lambda x: jvp(lambda x: jvp(f, (x,), (v,))[1], (x,), (v,))[1])(x)"
        ),
        ("tensor([ 588., -240.])"),
    ),
    (
        ("func.jacfwd(func.hessian(lambda x: x.prod() * x.sum()))(x)"),
        ("tensor([[[0., 2.],\n         [2., 2.]],\n\n        [[2., 2.],\n         [2., 0.]]])"),
    ),
    (
        (
            "one = torch.tensor(1.0)\n"
            "func.grad(lambda x: x * func.grad(lambda y: x * y)(one))(torch.tensor(3.0))"
        ),
        ("tensor(6.)"),
    ),
    (
        (
            "one = torch.tensor(1.0); jvp = func.jvp\n"
            "jvp(lambda x: x * jvp(lambda y: x * y, (one,), (one,))[1], (torch.tensor(3.0),), "
            "(one,))"
        ),
        ("(tensor(9.), tensor(6.))"),
    ),
    (
        (
            "one = torch.tensor(1.0); jvp = func.jvp\n"
            "jvp(lambda x: x * func.grad(lambda y: x * y)(one), (torch.tensor(3.0),), (one,))"
        ),
        ("(tensor(9.), tensor(6.))"),
    ),
    (
        (
            "w = torch.ones(2, requires_grad=True)\n"
            "g = func.grad(lambda x: (x * w * x).sum())(x)\n"
            "g.sum().backward()\n"
            "g.detach(), w.grad"
        ),
        ("(tensor([2., 4.]), tensor([2., 4.]))"),
    ),
    (
        ("w = torch.ones(2, requires_grad=True)\nfunc.grad(lambda x: (x * x).sum() + w.sum())(x)"),
        ("tensor([2., 4.])"),
    ),
    (
        (
            "w = torch.ones(2, requires_grad=True)\n"
            "y, t = func.jvp(lambda x: x * w * x, (x,), (v,))\n"
            "t.sum().backward()\n"
            "t.detach(), w.grad"
        ),
        ("(tensor([ 6., -4.]), tensor([ 6., -4.]))"),
    ),
    (
        (
            "x.requires_grad_()\n"
            "with torch.no_grad():\n"
            "    g = func.grad(lambda x: (x * x).sum())(x)\n"
            "g"
        ),
        ("tensor([2., 4.])"),
    ),
    (
        (
            "x.requires_grad_()\n"
            "g = func.grad(lambda x: (x**3).sum())(x)\n"
            "g.sum().backward()\n"
            "x.grad"
        ),
        ("tensor([ 6., 12.])"),
    ),
    (
        (
            "def f(x):\n"
            "    with torch.no_grad():\n"
            "        c = x * 2\n"
            "    return (x * c).sum()\n"
            "func.grad(f)(x)"
        ),
        ("tensor([2., 4.])"),
    ),
    (
        (
            "def f(x):\n"
            "    with torch.no_grad():\n"
            "        c = func.grad(lambda y: (y * y).sum())(x)\n"
            "    return (x * c).sum()\n"
            "func.grad(f)(x)"
        ),
        ("tensor([2., 4.])"),
    ),
    (
        (
            "def f(x):\n"
            "    y = x.clone()\n"
            "    y[0] = x[1] * 2\n"
            "    y.mul_(x)\n"
            "    return y.sum()\n"
            "func.grad(f)(x), func.jvp(f, (x,), (v,)), func.hessian(f)(x), "
            "func.jacfwd(func.jacfwd(f))(x)"
        ),
        (
            "(tensor([4., 6.]), (tensor(8.), tensor(6.)), tensor([[0., 2.],\n"
            "        [2., 2.]]), tensor([[0., 2.],\n"
            "        [2., 2.]]))"
        ),
    ),
    (
        (
            "out, moved = func.linearize(lambda a, b: (a * b, b.exp()), x, v)\n"
            "out, moved(x, v), moved(v, v)"
        ),
        (
            "((tensor([ 3., -2.]), tensor([20.0855,  0.3679])), (tensor([ 6., -4.]), "
            "tensor([60.2566, -0.3679])), (tensor([12., -1.]), tensor([60.2566, -0.3679])))"
        ),
    ),
    (
        (
            "f = lambda x: x.prod() + x.std() + x @ x + x.norm() + x.max() + x.var() + x.mean()\n"
            "func.grad(f)(x), func.jacfwd(f)(x), func.hessian(f)(x)"
        ),
        (
            "(tensor([3.2401, 9.1015]), tensor([3.2401, 9.1015]), tensor([[ 3.3578, -0.1789],\n"
            "        [-0.1789,  3.0894]]))"
        ),
    ),
    (
        (
            "z = torch.tensor([1 + 2j, 3.0])\n"
            "func.grad(lambda z: (z.abs() ** 2).sum())(z), func.jvp(lambda z: z.conj() * z * "
            "z, (z,), (z * 1j,))"
        ),
        (
            "(tensor([2.+4.j, 6.+0.j]), (tensor([ 5.+10.j, 27.+0.j]), tensor([-10.+5.j,   "
            "0.+27.j])))"
        ),
    ),
]

ERRORS: list[Row] = [
    (
        ("functional.jacobian(lambda x: 3, x)"),
        TypeError,
        (
            "The outputs of the user-provided function given to jacobian must be either a "
            "Tensor or a tuple of Tensors but the given outputs of the user-provided function "
            "has type <class 'int'>."
        ),
    ),
    (
        ("functional.jacobian(lambda x: (x, 3), x)"),
        TypeError,
        (
            "The outputs of the user-provided function given to jacobian must be either a "
            "Tensor or a tuple of Tensors but the value at index 1 has type <class 'int'>."
        ),
    ),
    (
        ("functional.jacobian(lambda x: x, (x, 3))"),
        TypeError,
        (
            "The inputs given to jacobian must be either a Tensor or a tuple of Tensors but "
            "the value at index 1 has type <class 'int'>."
        ),
    ),
    (
        ("functional.jacobian(lambda x: torch.ones(2), x, strict=True)"),
        RuntimeError,
        (
            "Output 0 of the user-provided function does not require gradients. The outputs "
            "must be computed in a differentiable manner from the input when running in strict "
            "mode."
        ),
    ),
    (
        ("functional.jacobian(lambda x, y: x, (x, v), strict=True)"),
        RuntimeError,
        (
            "Output 0 of the user-provided function is independent of input 1. This is not "
            "allowed in strict mode."
        ),
    ),
    (
        (
            "functional.jacobian(lambda x: x * 2, x.requires_grad_(), strict=True, "
            "create_graph=True)"
        ),
        RuntimeError,
        (
            "The jacobian of the user-provided function is independent of input 0. This is not "
            "allowed in strict mode when create_graph=True."
        ),
    ),
    (
        ("functional.jacobian(lambda x: x, x, strategy='up')"),
        AssertionError,
        (
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more '
            'performant. Otherwise, prefer to use "reverse-mode".'
        ),
    ),
    (
        ("functional.jacobian(lambda x: x, x, strategy='forward-mode')"),
        NotImplementedError,
        (
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly "
            "implemented for `vectorize=True`."
        ),
    ),
    (
        ("functional.jacobian(lambda x: x, x, strategy='forward-mode', create_graph=True)"),
        NotImplementedError,
        (
            "torch.autograd.functional.jacobian: `create_graph=True` and "
            '`strategy="forward-mode"` are not supported together (yet). Please either set '
            '`create_graph=False` or `strategy="reverse-mode"`.'
        ),
    ),
    (
        ("functional.jacobian(lambda x: x, x, strategy='forward-mode', strict=True)"),
        RuntimeError,
        (
            'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` '
            "are not supported together (yet). Please either set `strict=False` or "
            '`strategy="reverse-mode"`.'
        ),
    ),
    (
        ("functional.hessian(lambda x: x, x)"),
        RuntimeError,
        ("The Tensor returned by the function given to hessian should contain a single element"),
    ),
    (
        ("functional.hessian(lambda x: (x.sum(), x.sum()), x)"),
        RuntimeError,
        ("The function given to hessian should return a single Tensor"),
    ),
    (
        ("functional.hessian(lambda x: x.sum(), x, strict=True)"),
        RuntimeError,
        (
            "While computing the hessian, found that the jacobian of the user-provided "
            "function with respect to input 0 is independent of the input. This is not allowed "
            "in strict mode. You should ensure that your function is twice differentiable and "
            "that the jacobian depends on the inputs (this would be violated by a linear "
            "function for example)."
        ),
    ),
    (
        ("functional.hessian(lambda x: x.sum(), x, outer_jacobian_strategy='up')"),
        AssertionError,
        ('Expected strategy to be either "forward-mode" or "reverse-mode".'),
    ),
    (
        ("functional.vjp(lambda x: x, x)"),
        RuntimeError,
        (
            "The vector v can only be None if the user-provided function returns a single "
            "Tensor with a single element."
        ),
    ),
    (
        ("functional.vjp(lambda x: x, x, torch.ones(3))"),
        RuntimeError,
        ("v has invalid size: should be torch.Size([2]) but got torch.Size([3])."),
    ),
    (
        ("functional.vjp(lambda x: (x, x), x, (v,))"),
        RuntimeError,
        ("v is a tuple of invalid length: should be 2 but got 1."),
    ),
    (
        ("functional.vjp(lambda x: (x, x), x, (v, torch.ones(3)))"),
        RuntimeError,
        ("Entry 1 in v has invalid size: should be torch.Size([2]) but got torch.Size([3])."),
    ),
    (
        ("functional.vjp(lambda x: x, x, (v, v))"),
        RuntimeError,
        ("The given v should contain a single Tensor."),
    ),
    (
        ("functional.vjp(lambda x, y: x, (x, v), v, strict=True)"),
        RuntimeError,
        (
            "The output of the user-provided function is independent of input 1. This is not "
            "allowed in strict mode."
        ),
    ),
    (
        ("functional.jvp(lambda x: x, x)"),
        RuntimeError,
        (
            "The vector v can only be None if the input to the user-provided function is a "
            "single Tensor with a single element."
        ),
    ),
    (
        ("functional.jvp(lambda x, y: x * 2, (x, v), (v, v), strict=True)"),
        RuntimeError,
        (
            "The output of the user-provided function is independent of input 1. This is not "
            "allowed in strict mode."
        ),
    ),
    (
        ("functional.vhp(lambda x: x, x, v)"),
        RuntimeError,
        ("The Tensor returned by the function given to vhp should contain a single element"),
    ),
    (
        ("functional.vhp(lambda x: x.sum(), x, v, strict=True)"),
        RuntimeError,
        (
            "While computing the hessian, found that the jacobian of the user-provided "
            "function with respect to input 0 is independent of the input. This is not allowed "
            "in strict mode. You should ensure that your function is twice differentiable and "
            "that the jacobian depends on the inputs (this would be violated by a linear "
            "function for example)."
        ),
    ),
    (
        ("functional.vhp(lambda x, y: (x**2).sum() + y.sum(), (x, v), (x, v), strict=True)"),
        RuntimeError,
        (
            "While computing the hessian, found that the jacobian of the user-provided "
            "function with respect to input 1 is independent of the input. This is not allowed "
            "in strict mode. You should ensure that your function is twice differentiable and "
            "that the jacobian depends on the inputs (this would be violated by a linear "
            "function for example)."
        ),
    ),
    (
        ("functional.hvp(lambda x: (x.sum(), x), x, v)"),
        RuntimeError,
        ("The function given to hvp should return a single Tensor"),
    ),
    (
        ("fa.make_dual(torch.ones(2), torch.ones(2))"),
        RuntimeError,
        (
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        ),
    ),
    (("fa.exit_dual_level()"), RuntimeError, ("Dual level must be a positive number.")),
    (
        ("with fa.dual_level():\n    fa.make_dual(torch.ones(2), torch.ones(3))"),
        IndentationError,
        ("expected an indented block after 'with' statement on line 3 (<string>, line 3)"),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    fa.make_dual(torch.ones(2, dtype=torch.int64), torch.ones(2))"
        ),
        IndentationError,
        ("expected an indented block after 'with' statement on line 3 (<string>, line 3)"),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    fa.make_dual(torch.ones(2), torch.ones(2, dtype=torch.int64))"
        ),
        IndentationError,
        ("expected an indented block after 'with' statement on line 3 (<string>, line 3)"),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    fa.make_dual(fa.make_dual(torch.ones(2), torch.ones(2)), torch.ones(2))"
        ),
        IndentationError,
        ("expected an indented block after 'with' statement on line 3 (<string>, line 3)"),
    ),
    (
        (
            "with fa.dual_level():\n"
            "    fa.make_dual(torch.ones(2), fa.make_dual(torch.ones(2), torch.ones(2)))"
        ),
        IndentationError,
        ("expected an indented block after 'with' statement on line 3 (<string>, line 3)"),
    ),
    (
        ("with fa.dual_level():\n    fa.exit_dual_level(level=1)"),
        IndentationError,
        ("expected an indented block after 'with' statement on line 3 (<string>, line 3)"),
    ),
    (
        ("with fa.dual_level():\n    fa.enter_dual_level()"),
        IndentationError,
        ("expected an indented block after 'with' statement on line 3 (<string>, line 3)"),
    ),
    (
        ("with fa.dual_level():\n    fa.unpack_dual(3)"),
        IndentationError,
        ("expected an indented block after 'with' statement on line 3 (<string>, line 3)"),
    ),
    (
        ("func.grad(lambda x: x)(x)"),
        RuntimeError,
        (
            "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor "
            "with 1 dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
        ),
    ),
    (
        ("func.grad(lambda x: 3)(x)"),
        RuntimeError,
        ("grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got <class 'int'>"),
    ),
    (
        ("func.grad(lambda x: x.sum())(torch.ones(2, dtype=torch.int64))"),
        RuntimeError,
        ("only Tensors of floating point dtype can require gradients"),
    ),
    (
        ("func.grad(lambda x: x.sum())(3.0)"),
        ValueError,
        ("Thing passed to transform API must be Tensor, got <class 'float'>"),
    ),
    (
        ("func.grad(lambda x: x.sum(), argnums=1)(x)"),
        RuntimeError,
        ("Got argnum=1, but only 1 positional inputs"),
    ),
    (
        ("func.grad(lambda x: x.sum(), argnums=1.5)(x)"),
        RuntimeError,
        ("argnums must be int or Tuple[int, ...], got: <class 'float'>"),
    ),
    (("func.grad(lambda x: x.sum(), argnums=())(x)"), RuntimeError, ("argnums must be non-empty")),
    (
        ("func.grad(lambda x, y: x.sum(), argnums=(0, 0))(x, x)"),
        RuntimeError,
        ("argnums elements must be unique, got (0, 0)"),
    ),
    (
        ("func.grad(lambda x: x.sum(), has_aux=True)(x)"),
        RuntimeError,
        (
            "grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) "
            "if has_aux is True"
        ),
    ),
    (
        ("func.grad(lambda x: (x.sum(), 1), has_aux=True)(x)"),
        RuntimeError,
        ("Expected tensors, got unsupported type <class 'int'>"),
    ),
    (
        ("func.vjp(lambda x: 3, x)"),
        RuntimeError,
        (
            "vjp(f, *primals): expected f(*primals) to return only tensors, got unsupported "
            "type <class 'int'>"
        ),
    ),
    (
        ("func.vjp(lambda x: x * 2, x)[1](torch.ones(3))"),
        RuntimeError,
        (
            "Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] "
            "has a shape of torch.Size([2])."
        ),
    ),
    (
        ("func.vjp(lambda x: x * 2, x)[1](3)"),
        TypeError,
        ("gradients can be either Tensors or None, but got int"),
    ),
    (
        ("func.vjp(lambda x: (x, x * 2), x)[1](x)"),
        RuntimeError,
        (
            "Expected pytree structure of cotangents to be the same as pytree structure of "
            "outputs to the function. cotangents: *, primal output: (*, *)"
        ),
    ),
    (
        ("func.jvp(lambda x: x, x, v)"),
        RuntimeError,
        (
            "jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be "
            "valid to call f(*primals)."
        ),
    ),
    (
        ("func.jvp(lambda x: x, (x,), v)"),
        RuntimeError,
        (
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python "
            "structure. For example, if primals is a tuple of 3 tensors, tangents also must "
            "be. Got primals with structure TreeSpec(tuple, None, [*]) and tangents with "
            "structure *"
        ),
    ),
    (
        ("func.jvp(lambda x: x, (x,), (v, v))"),
        RuntimeError,
        (
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python "
            "structure. For example, if primals is a tuple of 3 tensors, tangents also must "
            "be. Got primals with structure TreeSpec(tuple, None, [*]) and tangents with "
            "structure TreeSpec(tuple, None, [*,\n"
            "  *])"
        ),
    ),
    (
        ("func.jvp(lambda x: x, (x,), (torch.ones(3),))"),
        RuntimeError,
        (
            "Trying to set a forward gradient that has a different size than that of the "
            "original Tensor, this is not supported. Tensor is of size [2] while the given "
            "forward gradient is of size [3]."
        ),
    ),
    (
        ("func.jvp(lambda x: 3, (x,), (v,))"),
        RuntimeError,
        (
            "jvp(f, primals, tangents): expected f(*primals) to return only tensors, got "
            "unsupported type <class 'int'>"
        ),
    ),
    (
        ("func.jvp(lambda x: torch.ones(2), (x,), (v,), strict=True)"),
        RuntimeError,
        (
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the "
            "inputs. This is not allowed with strict=True."
        ),
    ),
    (
        ("func.jacrev(lambda x: x, chunk_size=0)(x)"),
        ValueError,
        ("jacrev: `chunk_size` should be greater than 0."),
    ),
    (
        ("func.jacrev(lambda x: x)(torch.ones(2, dtype=torch.complex64))"),
        RuntimeError,
        (
            "jacrev: Expected all inputs to be real but received complex tensor at flattened "
            "input idx: 0"
        ),
    ),
    (
        ("func.jacrev(lambda x: x * 1j)(x)"),
        RuntimeError,
        (
            "jacrev: Expected all outputs to be real but received complex tensor at flattened "
            "input idx: 0"
        ),
    ),
    (
        ("func.jacfwd(lambda x: x)(torch.ones(2, dtype=torch.complex64))"),
        RuntimeError,
        (
            "jacfwd: Expected all inputs to be real but received complex tensor at flattened "
            "input idx: 0"
        ),
    ),
    (
        ("func.jacfwd(lambda x: x, randomness='up')(x)"),
        RuntimeError,
        ("Only allowed values for randomness are 'error', 'different', or 'same'. Got up"),
    ),
    (
        ("func.linearize(lambda x: x.sin(), x)[1](torch.ones(3))"),
        RuntimeError,
        (
            "tangent:0 with shape torch.Size([3]) in flattened pytree doesn't match the shape "
            "torch.Size([2]) of the corresponding primal."
        ),
    ),
    (
        ("func.linearize(lambda x: x.sin(), x)[1](x, x)"),
        RuntimeError,
        (
            "Expected the tangents TreeSpec(tuple, None, [*,\n"
            "  *]) to have the same argspec as the primals TreeSpec(tuple, None, [*])"
        ),
    ),
]

# all rows, or columns, at once
VECTORIZED: list[Program] = [
    (
        ("functional.jacobian(lambda x: x**3, x, vectorize=True)"),
        ("tensor([[ 3.,  0.],\n        [ 0., 12.]])"),
    ),
    (
        ("functional.jacobian(lambda x: (x[0], x), x, vectorize=True)"),
        ("(tensor([1., 0.]), tensor([[1., 0.],\n        [0., 1.]]))"),
    ),
    (
        ("functional.jacobian(lambda x: torch.ones(2), x, vectorize=True)"),
        ("tensor([[0., 0.],\n        [0., 0.]])"),
    ),
    (
        ("functional.jacobian(lambda x: x.reshape(2, 1) * x, x, vectorize=True)"),
        ("tensor([[[2., 0.],\n         [2., 1.]],\n\n        [[2., 1.],\n         [0., 4.]]])"),
    ),
    (
        ("functional.jacobian(lambda x: x**3, x, vectorize=True, strategy='forward-mode')"),
        ("tensor([[ 3.,  0.],\n        [ 0., 12.]])"),
    ),
    (
        ("functional.jacobian(lambda x: (x[0], x), x, vectorize=True, strategy='forward-mode')"),
        ("(tensor([1., 0.]), tensor([[1., 0.],\n        [0., 1.]]))"),
    ),
    (
        (
            "functional.jacobian(lambda x: torch.ones(2), x, vectorize=True, "
            "strategy='forward-mode')"
        ),
        ("tensor([[0., 0.],\n        [0., 0.]])"),
    ),
    (
        (
            "functional.jacobian(lambda x: x.reshape(2, 1) * x, x, vectorize=True, "
            "strategy='forward-mode')"
        ),
        ("tensor([[[2., 0.],\n         [2., 1.]],\n\n        [[2., 1.],\n         [0., 4.]]])"),
    ),
    (
        ("functional.jacobian(lambda x, y: (x * y, y.sum()), (x, v), vectorize=True)"),
        (
            "((tensor([[ 3., -0.],\n"
            "        [ 0., -1.]]), tensor([[1., 0.],\n"
            "        [0., 2.]])), (tensor([0., -0.]), tensor([1., 1.])))"
        ),
    ),
    (
        ("functional.jacobian(lambda x, y: x * y, (x, v.double()), vectorize=True)"),
        (
            "(tensor([[ 3., -0.],\n"
            "        [ 0., -1.]]), tensor([[1., 0.],\n"
            "        [0., 2.]], dtype=torch.float64))"
        ),
    ),
    (
        ("functional.jacobian(lambda z: z * z, torch.tensor([1 + 2j, 3.0]), vectorize=True)"),
        ("tensor([[2.-4.j, 0.+0.j],\n        [0.+0.j, 6.+0.j]])"),
    ),
    (("functional.jacobian(lambda x: x.sum(), x[:0], vectorize=True).shape"), ("torch.Size([0])")),
    (
        (
            "x.requires_grad_()\n"
            "j = functional.jacobian(lambda x: (x**3, x), x, create_graph=True, "
            "vectorize=True)\n"
            "j[0].sum().backward()\n"
            "j[0].detach(), x.grad"
        ),
        ("(tensor([[ 3.,  0.],\n        [ 0., 12.]]), tensor([ 6., 12.]))"),
    ),
    (
        ("functional.hessian(lambda x: (x**3).sum() * x[0], x, vectorize=True)"),
        ("tensor([[12., 12.],\n        [12., 12.]])"),
    ),
    (
        ("functional.hessian(lambda x, y: (x**2 * y).sum(), (x, v), vectorize=True)"),
        (
            "((tensor([[ 6.,  0.],\n"
            "        [ 0., -2.]]), tensor([[2., 0.],\n"
            "        [0., 4.]])), (tensor([[2., 0.],\n"
            "        [0., 4.]]), tensor([[0., 0.],\n"
            "        [0., 0.]])))"
        ),
    ),
    (("functional.hessian(lambda x: (x**3).sum(), x[0], vectorize=True)"), ("tensor(6.)")),
    (
        (
            "functional.hessian(lambda x: x.sum(), x, vectorize=True, "
            "outer_jacobian_strategy='forward-mode')"
        ),
        ("tensor([[0., 0.],\n        [0., 0.]])"),
    ),
    (
        (
            "x.requires_grad_()\n"
            "h = functional.hessian(lambda x: (x**3).sum(), x, create_graph=True, "
            "vectorize=True)\n"
            "h.sum().backward()\n"
            "h.detach(), x.grad"
        ),
        ("(tensor([[ 6.,  0.],\n        [ 0., 12.]]), tensor([6., 6.]))"),
    ),
    (
        ("functional.jacobian(lambda x: x[x > 1], x, vectorize=True, strategy='forward-mode')"),
        ("tensor([[0., 1.]])"),
    ),
    (
        ("functional.jacobian(lambda x: x * 1j, x, vectorize=True)"),
        ("tensor([[0., 0.],\n        [0., 0.]])"),
    ),
]

VECTORIZED_ERRORS: list[Row] = [
    (
        ("functional.jacobian(lambda x: 3, x, vectorize=True)"),
        TypeError,
        (
            "The outputs of the user-provided function given to jacobian must be either a "
            "Tensor or a tuple of Tensors but the given outputs of the user-provided function "
            "has type <class 'int'>."
        ),
    ),
    (
        ("functional.jacobian(lambda x: torch.ones(2), x, strict=True, vectorize=True)"),
        RuntimeError,
        (
            "Output 0 of the user-provided function does not require gradients. The outputs "
            "must be computed in a differentiable manner from the input when running in strict "
            "mode."
        ),
    ),
    (
        ("functional.hessian(lambda x: x, x, vectorize=True)"),
        RuntimeError,
        ("The Tensor returned by the function given to hessian should contain a single element"),
    ),
    (
        (
            "functional.hessian(lambda x: x, x, vectorize=True, "
            "outer_jacobian_strategy='forward-mode')"
        ),
        RuntimeError,
        ("The Tensor returned by the function given to hessian should contain a single element"),
    ),
    (
        ("functional.hessian(lambda x: (x**2).sum(), x, strict=True, vectorize=True)"),
        RuntimeError,
        (
            "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not "
            "supported together. Please either set `strict=False` or `vectorize=False`."
        ),
    ),
    (
        (
            "functional.hessian(lambda x: (x**2).sum(), x, vectorize=True, create_graph=True, "
            "outer_jacobian_strategy='forward-mode')"
        ),
        NotImplementedError,
        (
            "torch.autograd.functional.jacobian: `create_graph=True` and "
            '`strategy="forward-mode"` are not supported together (yet). Please either set '
            '`create_graph=False` or `strategy="reverse-mode"`.'
        ),
    ),
    (
        ("functional.hessian(lambda x: (x**2).sum(), x, outer_jacobian_strategy='forward-mode')"),
        NotImplementedError,
        (
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly "
            "implemented for `vectorize=True`."
        ),
    ),
]


def spaceless(text: str) -> str:
    """Return a printed result without what differs by device: its name, line breaks, quotes."""
    return re.sub(r"\s+|\\n|['\"]", "", text.replace(", device='cuda:0'", ""))


@pytest.mark.parametrize(("program", "expected"), [*FUNCTIONAL, *VECTORIZED, *FORWARD, *FUNC])
def test_result(program: str, expected: str, device: str) -> None:
    assert spaceless(repr(run(START + program, gpugrad, device))) == spaceless(ours(expected))


@pytest.mark.parametrize(("program", "expected"), [*FUNCTIONAL, *VECTORIZED, *FORWARD, *FUNC])
@PYTORCH_WARNS
def test_pytorch_still_gives_that(program: str, expected: str) -> None:
    torch = pytorch()
    assert repr(run(START + program, torch)) == expected


@pytest.mark.parametrize(("program", "error", "text"), [*ERRORS, *VECTORIZED_ERRORS])
def test_error(program: str, error: type[Exception], text: str) -> None:
    assert raised(START + program, gpugrad) == (error, ours(text))


@pytest.mark.parametrize(("program", "error", "text"), [*ERRORS, *VECTORIZED_ERRORS])
@PYTORCH_WARNS
def test_pytorch_still_says_so(program: str, error: type[Exception], text: str) -> None:
    torch = pytorch()
    assert raised(START + program, torch) == (error, text)


TRANSFORMS = {
    "grad": "func.grad(f)(x)",
    "grad_and_value": "func.grad_and_value(f)(x)",
    "vjp": "func.vjp(f, x)",
    "jvp": "func.jvp(f, (x,), (x,))",
    "jacrev": "func.jacrev(f)(x)",
    "jacfwd": "func.jacfwd(f)(x)",
    "hessian": "func.hessian(f)(x)",
    "vmap": "torch.vmap(f)(torch.ones(3, 2))",
    "vmap of grad": "torch.vmap(func.grad(f))(torch.ones(3, 2))",
}
FORBIDDEN = {
    "requires_grad_": "t.requires_grad_()",
    "requires_grad_(False)": "t.requires_grad_(False)",
    "requires_grad_ of a new tensor": "torch.ones(2).requires_grad_()",
    "requires_grad_ of one from outside": "w.requires_grad_()",
    "backward": "(t * t).sum().backward()",
    "backward outside": "(w * w).sum().backward()",
    "autograd.backward": "torch.autograd.backward((t * t).sum())",
    "functional": "functional.vjp(lambda u: u * u, torch.ones(2), torch.ones(2))",
    "retain_grad": "w.retain_grad()",
    "retain_grad of an input": "t.retain_grad()",
}


@pytest.mark.parametrize("call", FORBIDDEN.values(), ids=FORBIDDEN)
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@PYTORCH_WARNS
def test_autograds_own_ways_are_refused_inside_of_a_transform(
    call: str, transform: str, device: str
) -> None:
    torch = pytorch()
    program = (
        f"{START}w = torch.ones(2, requires_grad=True) * 1\n"
        f"def f(t):\n    {call}\n    return (t * t).sum()\n{transform}"
    )
    kind, text = raised(program, torch)
    for name in "grad", "vjp":  # where PyTorch names what was a module of its own
        text = text.replace(f"functorch.{name} ", f"torch.func.{name} ")
    assert raised(program, gpugrad, device) == (kind, ours(text))


def test_they_are_allowed_between_a_transform_and_its_pullback(device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0], device=device)
    _, pullback = func.vjp(lambda t: t * t, x)
    (grad,) = pullback(gpugrad.ones(2, device=device))
    grad.requires_grad_()
    (grad * grad).sum().backward()
    assert grad.grad.tolist() == [4.0, 8.0]


# --------------------------------------------------------------------------- tutorials

TUTORIALS = {
    "jacobians and hessians": """
rows = lambda *v: torch.tensor(v, dtype=torch.double)
weight, bias = rows([0.5, -1.0, 0.25], [1.0, 0.5, -0.75]), rows(0.1, -0.2)
x = rows([1.0, -2.0, 0.5], [0.25, 0.75, -1.5])
predict = lambda w, b, x: (x @ w.t() + b).tanh()
one = x[0]
by_rows, by_columns = (
    j(predict, argnums=2)(weight, bias, one) for j in (func.jacrev, func.jacfwd)
)
by_weight, by_bias = func.jacrev(predict, argnums=(0, 1))(weight, bias, one)
second = func.hessian(predict, argnums=2)(weight, bias, one)
scalar = lambda x: predict(weight, bias, x).sin().sum()
_, product = func.jvp(func.grad(scalar), (x,), (x + 1,))
_, pullback = func.vjp(func.grad(scalar), x)
several = torch.stack([func.jacrev(predict, argnums=2)(weight, bias, row) for row in x])
old = functional.jacobian(lambda x: predict(weight, bias, x), one)
[by_rows, by_columns, by_weight, by_bias, second, product, *pullback(x + 1), several, old]
""",
    "forward mode": """
rows = lambda *v: torch.tensor(v, dtype=torch.double)
primal, tangent = rows([0.1, -0.4], [1.5, 0.3]), rows([1.0, 2.0], [-0.5, 0.25])
function = lambda x, y: x**2 + y.exp() @ x
with fa.dual_level():
    dual = fa.make_dual(primal, tangent)
    moved = fa.unpack_dual(function(dual, rows([0.3, 0.1], [0.2, -1.0]))).tangent
    inner = fa.unpack_dual((dual * dual).sum().sqrt()).tangent
_, same = func.jvp(lambda x: function(x, rows([0.3, 0.1], [0.2, -1.0])), (primal,), (tangent,))
[moved, inner, same]
""",
}


@PYTORCH_WARNS
@pytest.mark.parametrize("name", TUTORIALS)
def test_tutorial_gives_pytorchs_numbers(name: str, device: str) -> None:
    torch = pytorch()
    program = (START + TUTORIALS[name]).strip()
    ours_, theirs = run(program, gpugrad, device), run(program, torch)
    assert isinstance(ours_, list)
    assert isinstance(theirs, list)
    for a, b in zip(ours_, theirs, strict=True):
        assert_agree(a, b, 1e-12, 1e-12)


# --------------------------------------------------------------------------- modules


class Module:
    """What ``functional_call`` needs of a module: a layer, with another inside."""

    training = True

    def __init__(self, scale: float, inside: Module | None = None):
        weight = gpugrad.tensor([scale, 2 * scale], requires_grad=True)
        self._parameters: dict[str, Any] = {"weight": weight}
        self._buffers: dict[str, Any] = {"offset": gpugrad.tensor([scale])}
        self.inside = inside

    def _named(self, kind: str) -> Iterator[tuple[str, Any]]:
        yield from getattr(self, kind).items()
        if self.inside is not None:
            for name, t in self.inside._named(kind):
                yield f"inside.{name}", t

    def named_parameters(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Any]]:
        return self._named("_parameters")

    def named_buffers(self, remove_duplicate: bool = True) -> Iterator[tuple[str, Any]]:
        return self._named("_buffers")

    def __call__(self, x: Any) -> Any:
        y = x * self._parameters["weight"] + self._buffers["offset"]
        return y if self.inside is None else self.inside(y)


def test_functional_call_computes_with_other_parameters_and_keeps_its_own() -> None:
    module = Module(1.0, Module(3.0))
    x = gpugrad.tensor([1.0, 1.0])
    other = {"weight": gpugrad.tensor([0.0, 1.0]), "inside.offset": gpugrad.tensor([5.0])}

    assert func.functional_call(module, other, (x,)).tolist() == [8.0, 17.0]
    assert func.functional_call(module, (other, {"offset": x}), x).tolist() == [8.0, 17.0]
    assert module(x).tolist() == [9.0, 21.0]

    def loss(values: Any) -> Any:
        return func.functional_call(module, values, x).sum()

    assert func.grad(loss)(other)["weight"].tolist() == [3.0, 6.0]
    with pytest.raises(RuntimeError, match="Unexpected key") as caught:
        func.functional_call(module, {"bias": x}, x, strict=True)
    assert "Missing key(s): 'inside.offset', 'inside.weight', 'offset', 'weight'." in str(
        caught.value
    )
    with pytest.raises(ValueError, match="appeared in multiple dictionaries"):
        func.functional_call(module, [other, other], x)
    with pytest.raises(ZeroDivisionError):
        func.functional_call(module, other, Broken())
    assert module(x).tolist() == [9.0, 21.0]


class Broken:
    """An argument that fails inside of the module."""

    def __mul__(self, other: Any) -> Any:
        raise ZeroDivisionError


def test_tied_parameters_stay_tied() -> None:
    inside, x = Module(3.0), gpugrad.tensor([1.0, 1.0])
    module = Module(1.0, inside)
    inside._parameters["weight"] = module._parameters["weight"]
    new = gpugrad.tensor([2.0, 2.0])

    assert func.functional_call(module, {"weight": new}, x).tolist() == [9.0, 9.0]
    apart = func.functional_call(module, {"weight": new}, x, tie_weights=False)
    assert apart.tolist() == [6.0, 9.0]
    with pytest.raises(ValueError, match="which are tied"):
        func.functional_call(module, {"weight": new, "inside.weight": x}, x)


def test_states_of_several_modules_are_stacked() -> None:
    parameters, buffers = func.stack_module_state([Module(1.0), Module(4.0)])

    assert parameters["weight"].tolist() == [[1.0, 2.0], [4.0, 8.0]]
    assert parameters["weight"].requires_grad
    assert parameters["weight"].is_leaf
    assert buffers["offset"].tolist() == [[1.0], [4.0]]
    with pytest.raises(RuntimeError, match="at least one model"):
        func.stack_module_state([])


# --------------------------------------------------------------------------- in plain sight


def test_forward_mode_gives_the_same_hessian(device: str) -> None:
    # PyTorch 2.13 gives tuples as lists; as there, what is computed in forward mode is recorded
    x = gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64, device=device, requires_grad=True)
    y = gpugrad.tensor([0.5, -1.0], dtype=gpugrad.float64, device=device)
    hessian = gpugrad.autograd.functional.hessian

    def scalar(x: Any, y: Any) -> Any:
        return (x**3 * y).sum() * x[0]

    found = hessian(scalar, (x, y), vectorize=True, outer_jacobian_strategy="forward-mode")

    for row, other in zip(found, hessian(scalar, (x, y)), strict=True):
        for block, same in zip(row, other, strict=True):
            assert_agree(block, same)
            assert block.requires_grad


def test_all_rows_are_computed_by_one_walk() -> None:
    walks: list[object] = []
    x = gpugrad.tensor([1.0, 2.0, 3.0])

    def noted(x: Any) -> Any:
        y = x * 2
        y.register_hook(walks.append)
        return y.exp()

    for vectorize, count in ((True, 1), (False, 3)):
        walks.clear()
        gpugrad.autograd.functional.jacobian(noted, x, vectorize=vectorize)
        assert len(walks) == count


def test_the_columns_of_nothing_are_none() -> None:
    # where PyTorch 2.13 fails
    x = gpugrad.tensor([1.0, 2.0])
    jacobian, hessian = gpugrad.autograd.functional.jacobian, gpugrad.autograd.functional.hessian
    assert jacobian(lambda x: x[:0], x, vectorize=True).shape == (0, 2)
    assert hessian(lambda x: (x**3).sum(), x[:0], vectorize=True).shape == (0, 0)
    found = jacobian(lambda x: x.sum(), x[:0], vectorize=True, strategy="forward-mode")
    assert found.shape == (0,)


def test_the_jacobian_of_nothing_is_empty() -> None:
    x = gpugrad.tensor([1.0, 2.0])
    for jacobian in (gpugrad.autograd.functional.jacobian, lambda f, x: func.jacrev(f)(x),
                     lambda f, x: func.jacfwd(f)(x)):  # fmt: skip
        assert jacobian(lambda x: x[:0], x).shape == (0, 2)
        assert jacobian(lambda x: x.sum(), x[:0]).shape == (0,)


WRITTEN: dict[str, Any] = {
    "grad": lambda torch, f, x, t: torch.func.grad(f)(x[0], t[0]),
    "grad_and_value": lambda torch, f, x, t: torch.func.grad_and_value(f)(x[0], t[0]),
    "jacrev": lambda torch, f, x, t: torch.func.jacrev(f)(x, t),
    "jacfwd": lambda torch, f, x, t: torch.func.jacfwd(f)(x, t),
    "hessian": lambda torch, f, x, t: torch.func.hessian(f)(x, t),
    "vmap of grad": lambda torch, f, x, t: torch.func.vmap(torch.func.grad(f))(x, t),
    "vmap of jacfwd": lambda torch, f, x, t: torch.func.vmap(torch.func.jacfwd(f))(x, t),
    "vmap of hessian": lambda torch, f, x, t: torch.func.vmap(torch.func.hessian(f))(x, t),
    "grad of grad": lambda torch, f, x, t: torch.func.grad(
        lambda x, t: torch.func.grad(f)(x, t).sum())(x[0], t[0]),
    "what is written is returned": lambda torch, f, x, t: torch.func.jacrev(
        lambda x, t: t.mul_(x))(x, t),
    "and as another result": lambda torch, f, x, t: torch.func.grad(
        lambda x, t: (t.mul_(x).sum(), t), has_aux=True)(x, t),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_an_argument_that_is_written_stays_the_callers(name: str, device: str) -> None:
    """It has the new values, and neither history nor hidden axes of the transform."""

    def written(torch: Any, leaf: Any, note: Any) -> None:
        x, t = leaf([[1.0, 2.0], [3.0, 4.0]]).detach(), leaf([[2.0, 3.0], [0.5, 1.0]]).detach()
        note(WRITTEN[name](torch, lambda x, t: (t.mul_(x) * x).sum(), x, t))
        note(t, t.requires_grad, (t * 2).requires_grad)

    agree(written, device)


def test_an_argument_that_is_written_keeps_what_leads_to_the_callers_graph(device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0], device=device, requires_grad=True)
    t = gpugrad.tensor([3.0, 4.0], device=device)

    func.grad(lambda x, t: t.mul_(x).sum())(x, t)

    assert gpugrad.autograd.grad(t.sum(), x)[0].tolist() == [3, 4]


HOOKED: dict[str, Any] = {
    "grad": lambda f, k: f.grad(k),
    "jacrev of grad": lambda f, k: f.jacrev(f.grad(k)),
    "hessian": lambda f, k: f.hessian(k),
    "grad of grad": lambda f, k: f.grad(lambda x: f.grad(k)(x).sum()),
    "vjp": lambda f, k: lambda x: f.vjp(k, x)[1](x.sum()),
    "vmap of grad": lambda f, k: lambda x: f.vmap(f.grad(k))(x.expand(3, 2)),
    "jacrev of jacrev": lambda f, k: f.jacrev(f.jacrev(k)),
}


@pytest.mark.parametrize("name", HOOKED)
def test_a_hook_runs_in_the_derivative_in_which_it_was_registered(name: str, device: str) -> None:
    def hooked(torch: Any, leaf: Any, note: Any) -> None:
        def function(x: Any) -> Any:
            y = x * 1
            y.register_hook(lambda g: g * 2)
            return (y**3).sum()

        note(HOOKED[name](torch.func, function)(leaf([1.0, 2.0]).detach()))

    agree(hooked, device)


def _by_argument(torch: Any, x: Any) -> Any:
    x.requires_grad_()
    y = x**3
    (g,) = torch.autograd.grad(y.sum(), x)
    return g * x + y


def _by_detached(torch: Any, x: Any) -> Any:
    y = x.detach().requires_grad_()
    return torch.autograd.grad((y**3).sum(), y)[0] + x


def _by_weight(torch: Any, x: Any) -> Any:
    w = torch.ones_like(x).requires_grad_()
    return torch.autograd.grad((w**3 * x).sum(), w)[0]


@pytest.mark.parametrize("function", [_by_argument, _by_detached, _by_weight])
def test_linearize_moves_gradients_of_its_function(device: str, function: Any) -> None:
    def moved(torch: Any, leaf: Any, note: Any) -> None:
        x = leaf([1.0, 2.0]).detach()
        out, pushforward = torch.func.linearize(lambda x: function(torch, x), x)
        note(out, pushforward(x + 1))

    agree(moved, device)


def test_linearize_and_forward_mode_inside_each_other_move_gradients(device: str) -> None:
    """PyTorch has no forward mode inside of forward mode."""

    def gradient(x: Any) -> Any:
        return gpugrad.autograd.grad((x**3).sum(), x)[0]

    x, t = gpugrad.tensor([[1.0, 2.0], [3.0, 4.0]], device=device)
    one = gpugrad.ones(2, device=device)

    inside = func.jvp(lambda x: func.linearize(gradient, x)[1](one), (x,), (t,))
    outside = func.linearize(lambda x: func.jvp(gradient, (x,), (one,))[1], x)

    for found, moved in (inside, (outside[0], outside[1](t))):
        assert found.tolist() == [6, 12]
        assert moved.tolist() == [18, 24]


def test_linearize_moves_what_a_backward_of_its_function_added(device: str) -> None:
    """PyTorch's ``.grad`` has no tangent there."""

    def function(x: Any) -> Any:
        w = gpugrad.ones(2, device=device, requires_grad=True)
        (w**3 * x).sum().backward()
        return w.grad

    _, pushforward = func.linearize(function, gpugrad.ones(2, device=device))

    assert pushforward(gpugrad.tensor([1.0, 2.0], device=device)).tolist() == [3, 6]


@pytest.mark.parametrize(
    "function",
    [
        lambda torch, x: (x**3).sum(),
        lambda torch, x: (x * x).prod(),
        lambda torch, x: torch.logsumexp(x, 0) * x,
        lambda torch, x: x.outer(x) @ x,
    ],
)
def test_what_linearize_returns_is_differentiated_by_the_tangents(
    device: str, function: Any
) -> None:
    def differentiated(torch: Any, leaf: Any, note: Any) -> None:
        x, t = leaf([1.0, 2.0]).detach(), leaf([0.5, -1.0])
        _, pushforward = torch.func.linearize(lambda x: function(torch, x), x)
        note(pushforward(t.detach()), pushforward(t.detach()).requires_grad)
        note(torch.autograd.grad(pushforward(t).sum(), t)[0])
        note(torch.func.grad(lambda t: pushforward(t).sum())(t.detach()))
        note(torch.func.vmap(pushforward)(torch.stack([t, t * 2])).detach())

    agree(differentiated, device)


def test_linearize_lets_its_function_write_an_argument(device: str) -> None:
    """Once, and the tensor outside is written; PyTorch runs the function twice."""
    x = gpugrad.tensor([1.0, 2.0, 3.0], device=device)

    def f(t: Any) -> Any:
        t.mul_(t)
        t[1:].mul_(t[:1])
        return t * 1

    out, pushforward = func.linearize(f, x)
    assert out.tolist() == x.tolist() == [1, 4, 9]
    tangent = gpugrad.tensor([1.0, 1.0, 0.5], device=device)
    assert pushforward(tangent).tolist() == [2, 4 + 8, 3 + 18]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        func.linearize(f, x.requires_grad_())


UNRECORDED = (
    "x = torch.tensor([[1.0, 2], [3, 5]], requires_grad=True); y = x * x; i = torch.ones(2, 2)\n"
    "with torch.no_grad(): v = y.t()\n"
    "f = lambda a: (a * a * a).sum(); F = torch.autograd.functional\n"
)


@pytest.mark.parametrize(
    "derivative",
    [
        "torch.func.grad(f)(v).tolist()",
        "torch.func.vjp(f, v)[1](torch.tensor(2.0))[0].tolist()",
        "torch.func.hessian(f)(v).tolist()",
        "F.vjp(f, v, create_graph=True)[1].tolist()",
        "F.jacobian(f, v, create_graph=True).tolist()",
        "F.hvp(f, v, i, create_graph=True)[1].tolist()",
        "F.hessian(f, v, create_graph=True).tolist()",
    ],
)
def test_a_view_that_was_taken_unrecorded_has_derivatives(derivative: str, device: str) -> None:
    found = agree_on(UNRECORDED + derivative, device)

    assert any(flattened(found))


def flattened(values: Any) -> list[Any]:
    """Return the numbers in nested lists."""
    return (
        [v for value in values for v in flattened(value)] if isinstance(values, list) else [values]
    )


def test_a_gradient_that_is_zero_may_be_written(device: str) -> None:
    found = agree_on(
        "x = torch.ones(2, requires_grad=True); w = torch.ones(2, requires_grad=True)\n"
        "g, h = torch.func.grad(lambda x, y: (y * w).sum(), (0, 1))(x, x)\n"
        "leaf = g.requires_grad, g.is_leaf; g[0] = 3.0\n"
        "leaf, g.tolist(), h.tolist()",
        device,
    )

    assert found == [[False, True], [3, 0], [1, 1]]


def test_elements_are_scattered_in_no_examples(device: str) -> None:
    agree_on(
        "torch.func.vmap(lambda a: a.scatter_add(0, a.long() * 0, a))(torch.zeros(0, 3))",
        device,
    )


def test_a_gradient_that_is_summed_may_be_the_same_for_all_rows(device: str) -> None:
    """The gradient of what is recorded of a Hessian, whose rows are computed together."""
    agree_on(
        "x = torch.tensor([0.1, 0.2, 0.5], dtype=torch.float64, requires_grad=True)\n"
        "h = torch.func.hessian(lambda x: x.logsumexp(0) ** 2)(x)\n"
        "g, = torch.autograd.grad(h.sin().sum(), x, create_graph=True)\n"
        "torch.autograd.grad((g * g).sum(), x)[0]",
        device,
    )


def columns_of(values: Any) -> Any:
    """Return derivatives by ``functional``, in forward mode: of each number by itself."""
    found = gpugrad.autograd.functional.jacobian(
        lambda x: x.exp() * x, values, vectorize=True, strategy="forward-mode"
    )
    return found.sum(0)


def curvature_of(values: Any) -> Any:
    """Return second derivatives likewise."""
    found = gpugrad.autograd.functional.hessian(
        lambda x: (x.exp() * (x - 1)).sum(), values, vectorize=True,
        outer_jacobian_strategy="forward-mode",
    )  # fmt: skip
    return found.sum(0)


def under_no_grad(transform: Any) -> Any:
    """Return derivatives by a transform that is called while nothing is recorded."""

    def derivative(x: Any) -> Any:
        with gpugrad.no_grad():
            value, linear = transform(lambda x: x.exp() * x, x)
        assert not value.requires_grad
        found = linear(gpugrad.ones_like(x))
        return found[0] if isinstance(found, tuple) else found

    return derivative


@pytest.mark.parametrize(
    "derivative",
    [
        columns_of,
        curvature_of,
        under_no_grad(func.vjp),
        under_no_grad(func.linearize),
        lambda x: func.linearize(lambda x: x.exp() * x, x)[1](gpugrad.ones_like(x)),
    ],
    ids=["jacobian", "hessian", "vjp", "linearize", "recorded linearize"],
)
def test_derivatives_inside_transforms_are_differentiated(derivative: Any, device: str) -> None:
    """Each is ``(1 + x) * exp(x)``, so that its own derivatives are known."""
    x = gpugrad.tensor([0.5, 2.0], dtype=gpugrad.float64, device=device)
    slope = (2 + x) * x.exp()
    rows = slope * gpugrad.eye(2, dtype=x.dtype, device=device)

    assert_agree(func.grad(lambda x: derivative(x).sum())(x), slope)
    assert_agree(func.jvp(derivative, (x,), (gpugrad.ones_like(x),))[1], slope)
    assert_agree(func.jacfwd(derivative)(x), rows)
    assert_agree(func.jacrev(derivative)(x), rows)
    assert_agree(func.hessian(lambda x: derivative(x).sum())(x), rows / (2 + x) * (3 + x))
    leaf = x.clone().requires_grad_()
    assert_agree(gpugrad.autograd.grad(derivative(leaf).sum(), leaf)[0], slope)
    along = func.grad(lambda t: func.linearize(lambda x: x.exp(), x)[1](t).sum())(x)
    assert not along.requires_grad
