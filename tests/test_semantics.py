"""What PyTorch's programs do at the edges: programs with their results, run by both libraries.

A program is text; its last line is an expression, and what that prints is the expected result.
Each runs under gpugrad on every device and, where it is installed, under PyTorch itself.
"""

from __future__ import annotations

import copy
import gc
import math
import pickle
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_errors
from snippets import ours, run
from test_errors import CUBE, FUNCTION

import gpugrad
from comparison import agree_on, plain, pytorch

Program = tuple[str, str]

ACCUMULATION: list[Program] = [
    (
        "x = torch.tensor(1.0, requires_grad=True); y = x + 2\ny.backward(); y.backward()\nx.grad",
        "tensor(2.)",
    ),
    (
        "x = torch.ones(3, requires_grad=True); y = x.sum()\ny.backward(); y.backward()\nx.grad",
        "tensor([2., 2., 2.])",
    ),
    (
        "x = torch.tensor(2.0, requires_grad=True); z = x + 1\n"
        "(z * 3).backward(); (z * 30).backward()\nx.grad",
        "tensor(33.)",
    ),
    ("x = torch.tensor(3.0, requires_grad=True)\n(x + x).backward()\nx.grad", "tensor(2.)"),
    (
        "x = torch.ones(2, requires_grad=True); g = torch.ones(2)\n"
        "x.backward(g)\nx.grad is g, x.grad.data_ptr() == g.data_ptr(), x.grad",
        "(False, False, tensor([1., 1.]))",
    ),
    (
        "x = torch.ones(2, requires_grad=True); g = torch.ones(2)\n"
        "(x + 0).backward(g)\nx.grad is g, x.grad.data_ptr() == g.data_ptr(), x.grad",
        "(False, False, tensor([1., 1.]))",
    ),
    (
        "x, y = (torch.ones(2, requires_grad=True) for _ in range(2))\n"
        "(x + y).sum().backward()\nx.grad.mul_(5)\ny.grad",
        "tensor([1., 1.])",
    ),
    (
        "x = torch.ones(2, requires_grad=True); (x * 2).sum().backward(); g = x.grad\n"
        "(x * 3).sum().backward()\ng is x.grad, g",
        "(True, tensor([5., 5.]))",
    ),
    (
        "x = torch.ones(2, requires_grad=True); (x * 2).sum().backward(); g = x.grad\n"
        "(x * x).sum().backward(create_graph=True)\n"
        "g, x.grad is g, x.grad.requires_grad, x.grad.detach()",
        "(tensor([2., 2.]), False, True, tensor([4., 4.]))",
    ),
    (
        "x, y = (torch.tensor(v, requires_grad=True) for v in (2.0, 3.0))\n"
        "(x * y).backward(inputs=[x])\nx.grad, y.grad",
        "(tensor(3.), None)",
    ),
    (
        "x, y = (torch.tensor(v, requires_grad=True) for v in (2.0, 3.0))\n"
        "(x * y).backward(inputs=x); (x * y).backward(inputs=[x, y])\nx.grad, y.grad",
        "(tensor(6.), tensor(2.))",
    ),
    (
        "x = torch.tensor(2.0, requires_grad=True); y = x * x\n"
        "(y * 3).backward(inputs=[y])\ny.grad, x.grad",
        "(tensor(3.), None)",
    ),
    (
        "x = torch.tensor(2.0, requires_grad=True); y = x * x; y.retain_grad()\n"
        "(y * y).backward()\ny.retains_grad, y.grad, x.grad",
        "(True, tensor(8.), tensor(32.))",
    ),
    (
        "x = torch.tensor(2.0, requires_grad=True); y = torch.tensor(1.0, requires_grad=True)\n"
        "torch.autograd.grad(x * 2, [x, y], allow_unused=True), x.grad",
        "((tensor(2.), None), None)",
    ),
    (
        "x = torch.tensor(2.0, requires_grad=True); y = torch.tensor(1.0, requires_grad=True)\n"
        "torch.autograd.grad(x * 2, [x, y], materialize_grads=True)",
        "(tensor(2.), tensor(0.))",
    ),
    (
        "x = torch.tensor(2.0, requires_grad=True); y = x * x\ntorch.autograd.grad(y * y, [x, y])",
        "(tensor(32.), tensor(8.))",
    ),
    (
        "x = torch.tensor(2.0, requires_grad=True)\ntorch.autograd.grad(x, x), x.grad",
        "((tensor(1.),), None)",
    ),
    (
        "x = torch.ones(3, requires_grad=True)\n"
        "torch.autograd.grad([x * 2, x.sum()], x, [torch.ones(3), None])",
        "(tensor([3., 3., 3.]),)",
    ),
    (
        "x = torch.ones(3, requires_grad=True)\n"
        "torch.autograd.backward([x * 2, x * 3], [torch.ones(3), torch.ones(3)])\nx.grad",
        "tensor([5., 5., 5.])",
    ),
    (
        "x = torch.ones(1, 1, requires_grad=True)\n(x * 2).backward()\nx.grad",
        "tensor([[2.]])",
    ),
    (
        "x = torch.ones(3, requires_grad=True)\n"
        "(x * 2).backward(torch.ones(3, dtype=torch.int64))\nx.grad",
        "tensor([2., 2., 2.])",
    ),
    (
        "x = torch.ones(3, requires_grad=True)\n"
        "(x * 2).backward(torch.ones(3, dtype=torch.float64))\nx.grad",
        "tensor([2., 2., 2.])",
    ),
    (
        "x = torch.ones(2, dtype=torch.float16, requires_grad=True)\n"
        "(x.float() * 1e-8).sum().backward()\nx.grad",
        "tensor([0., 0.], dtype=torch.float16)",
    ),
    (
        "x = torch.ones(3, 2).t().requires_grad_()\n"
        "(x * torch.ones(2, 3)).sum().backward()\nx.stride(), x.grad.stride()",
        "((1, 2), (1, 2))",
    ),
    (
        "x = torch.ones(2, 3, requires_grad=True)\n"
        "(x.t() * torch.ones(3, 2)).sum().backward()\nx.grad.stride()",
        "(3, 1)",
    ),
    (
        "x = torch.ones(1).expand(3).requires_grad_()\n(x * 2).sum().backward()\n"
        "x.grad.stride(), x.grad",
        "((1,), tensor([2., 2., 2.]))",
    ),
    (
        "x = torch.tensor(0.0, requires_grad=True); y = x**3\n"
        "for _ in range(3): y, = torch.autograd.grad(y, x, create_graph=True)\ny.item()",
        "6.0",
    ),
    (
        "x = torch.tensor(2.0, requires_grad=True); y = x**3\n"
        "for _ in range(4): y, = torch.autograd.grad(y, x, create_graph=True)\ny.item()",
        "0.0",
    ),
    (
        "x = torch.tensor([0.0, 1.0, -1.0], requires_grad=True)\n"
        "g, = torch.autograd.grad((x.relu() ** 2).sum(), x, create_graph=True)\n"
        "torch.autograd.grad(g.sum(), x)",
        "(tensor([0., 2., 0.]),)",
    ),
    (
        "x = torch.tensor([0.0, 1.0, -1.0], requires_grad=True)\n"
        "g, = torch.autograd.grad((x.abs() ** 3).sum(), x, create_graph=True)\n"
        "torch.autograd.grad(g.sum(), x)",
        "(tensor([0., 6., 6.]),)",
    ),
    (
        "x = torch.tensor([0.0, 2.0, 3.0], requires_grad=True)\n"
        "g, = torch.autograd.grad(x.prod(), x, create_graph=True)\n"
        "torch.autograd.grad(g.sum(), x)",
        "(tensor([5., 3., 2.]),)",
    ),
    (
        "x = torch.tensor([0.0, 0.0], requires_grad=True)\n"
        "g, = torch.autograd.grad(x.norm(), x, create_graph=True)\n"
        "g.detach(), torch.autograd.grad(g.sum(), x)",
        "(tensor([0., 0.]), (tensor([nan, nan]),))",
    ),
]

EMPTY: list[Program] = [
    (
        "x = torch.ones(0, 3, requires_grad=True)\nx.sum().backward()\n"
        "x.sum().item(), x.grad.shape",
        "(0.0, torch.Size([0, 3]))",
    ),
    (
        "x = torch.ones(0, requires_grad=True)\nx.mean().backward()\nx.mean().item(), x.grad.shape",
        "(nan, torch.Size([0]))",
    ),
    (
        "x = torch.ones(3, 1, requires_grad=True); y = torch.ones(1, 0, requires_grad=True)\n"
        "(x + y).sum().backward()\nx.grad, y.grad.shape",
        "(tensor([[0.],\n        [0.],\n        [0.]]), torch.Size([1, 0]))",
    ),
    ("torch.ones(0, 3) @ torch.ones(3, 0)", "tensor([], size=(0, 0))"),
    ("torch.ones(2, 0) @ torch.ones(0, 2)", "tensor([[0., 0.],\n        [0., 0.]])"),
    (
        "torch.ones(0).prod(), torch.ones(0).any(), torch.ones(0).all()",
        "(tensor(1.), tensor(False), tensor(True))",
    ),
    ("torch.cat([torch.ones(0), torch.ones(2, 1)])", "tensor([[1.],\n        [1.]])"),
    ("torch.ones(0).unbind(), torch.ones(2, 0).unbind(1)", "((), ())"),
    ("torch.ones(0, 2).split(1)[0].shape", "torch.Size([0, 2])"),
    ("torch.ones(2, 0).reshape(0, 5).shape", "torch.Size([0, 5])"),
]

DTYPES: list[Program] = [
    ("torch.tensor([1, 2]) * 1.5", "tensor([1.5000, 3.0000])"),
    ("torch.tensor([1, 2]) / 2", "tensor([0.5000, 1.0000])"),
    ("torch.tensor([1, 2]).sin().dtype", "torch.float32"),
    ("(torch.ones(2, dtype=torch.float16) * 2.5).dtype", "torch.float16"),
    ("(torch.ones(2, dtype=torch.float64) * torch.ones(())).dtype", "torch.float64"),
    ("(torch.ones(2) * torch.ones((), dtype=torch.float64)).dtype", "torch.float32"),
    ("(torch.ones(2) * torch.ones(2, dtype=torch.float64)).dtype", "torch.float64"),
    ("(torch.ones(2, dtype=torch.int64) * torch.ones(())).dtype", "torch.float32"),
    (
        "(torch.ones(2) + 1j).dtype, (torch.ones(2, dtype=torch.float64) + 1j).dtype",
        "(torch.complex64, torch.complex128)",
    ),
    (
        "[torch.promote_types(a, b) for a, b in [(torch.int32, torch.int64), "
        "(torch.bool, torch.int64), (torch.uint8, torch.int8), (torch.uint8, torch.int16), "
        "(torch.float16, torch.int64), (torch.complex64, torch.float64), "
        "(torch.complex64, torch.int64), (torch.float64, torch.float16)]]",
        "[torch.int64, torch.int64, torch.int16, torch.int16, torch.float16, torch.complex128, "
        "torch.complex64, torch.float64]",
    ),
    (
        "torch.tensor([1, 2], dtype=torch.int32).sum().dtype, torch.tensor([True]).sum().dtype, "
        "torch.tensor([True]).prod().dtype",
        "(torch.int64, torch.int64, torch.int64)",
    ),
    (
        "torch.tensor(1j).dtype, torch.arange(0, 1, 0.25).dtype, torch.tensor([]).dtype, "
        "torch.tensor(np.ones(2)).dtype, torch.arange(3).dtype, torch.full((2,), True).dtype",
        "(torch.complex64, torch.float32, torch.float32, torch.float64, torch.int64, torch.bool)",
    ),
    (
        "[torch.tensor([v]).dtype for v in (np.float64(1), np.float32(1), np.int32(1), "
        "np.float16(1), torch.tensor(1.0, dtype=torch.float64))]",
        "[torch.float64, torch.float32, torch.int32, torch.float16, torch.float64]",
    ),
    (
        "torch.tensor([1, 2.5, True]).dtype, torch.tensor([1, 1j]).dtype",
        "(torch.float32, torch.complex64)",
    ),
    ("torch.tensor([127], dtype=torch.int8) + 1", "tensor([-128], dtype=torch.int8)"),
    ("torch.tensor([255], dtype=torch.uint8) + 1", "tensor([0], dtype=torch.uint8)"),
    ("torch.tensor(2**62) * 4", "tensor(0)"),
    (
        "torch.tensor([float('nan'), 1e20]).to(torch.int32)",
        "tensor([-2147483648, -2147483648], dtype=torch.int32)",
    ),
    ("torch.tensor([1.9, -1.9]).long()", "tensor([ 1, -1])"),
    ("torch.tensor([0.0, float('nan'), 2.0]).bool()", "tensor([False,  True,  True])"),
    (
        "torch.tensor(-1, dtype=torch.uint8), torch.full((1,), -1, dtype=torch.uint8)",
        "(tensor(255, dtype=torch.uint8), tensor([255], dtype=torch.uint8))",
    ),
    ("torch.tensor([2]) ** torch.tensor([-1])", "tensor([0])"),
    (
        "class F(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, x): return x * 2\n"
        "    @staticmethod\n    def backward(ctx, g): return torch.ones(3)\n"
        "x = torch.tensor(1.0, requires_grad=True); F.apply(x).backward()\nx.grad",
        "tensor(3.)",
    ),
    ("torch.tensor([2]) ** -1.0, torch.tensor([True]) ** 2", "(tensor([0.5000]), tensor([1]))"),
    ("torch.tensor([True]) + torch.tensor([True])", "tensor([True])"),
    ("torch.tensor([True]) + 1, torch.tensor([3]) * True", "(tensor([2]), tensor([3]))"),
    ("torch.tensor(6e4, dtype=torch.float16) * 2", "tensor(inf, dtype=torch.float16)"),
    (
        "torch.ones(5000, 3, dtype=torch.float16).sum(0)",
        "tensor([5000., 5000., 5000.], dtype=torch.float16)",
    ),
    (
        "torch.ones(4100, dtype=torch.float16) @ torch.ones(4100, dtype=torch.float16)",
        "tensor(4100., dtype=torch.float16)",
    ),
    (
        "torch.ones(2).sum(dtype=torch.float64).dtype, torch.ones(2).to(torch.float64).dtype",
        "(torch.float64, torch.float64)",
    ),
    (
        "(torch.ones(2) == 1).dtype, (torch.ones(2) > torch.ones(2, dtype=torch.int64)).dtype",
        "(torch.bool, torch.bool)",
    ),
]

VALUES: list[Program] = [
    (
        "torch.tensor([1, 3, 3, 2]).argmax(), torch.tensor([2, 1, 1]).argmin()",
        "(tensor(1), tensor(1))",
    ),
    ("torch.tensor([1.0, float('nan'), 3.0]).argmax()", "tensor(1)"),
    (
        "torch.tensor([1.0, float('nan'), 3.0]).max(), torch.tensor([float('nan'), 1.0]).min()",
        "(tensor(nan), tensor(nan))",
    ),
    ("torch.maximum(torch.tensor(float('nan')), torch.tensor(1.0))", "tensor(nan)"),
    (
        "torch.tensor(float('nan')).clamp(0, 1), torch.tensor(2.0).clamp(3, 1)",
        "(tensor(nan), tensor(1.))",
    ),
    ("torch.tensor([float('nan')]) == float('nan')", "tensor([False])"),
    (
        "x = torch.tensor([2.0, 2.0, 1.0], requires_grad=True)\nx.max().backward()\nx.grad",
        "tensor([0.5000, 0.5000, 0.0000])",
    ),
    (
        "x = torch.tensor([2.0, 2.0, 1.0], requires_grad=True)\nx.max(0).values.backward()\nx.grad",
        "tensor([1., 0., 0.])",
    ),
    (
        "x = torch.tensor([1.0, float('nan'), 3.0], requires_grad=True)\nx.max().backward()\n"
        "x.grad",
        "tensor([0., 1., 0.])",
    ),
    (
        "x = torch.tensor(1.0, requires_grad=True); y = torch.tensor(1.0, requires_grad=True)\n"
        "torch.autograd.grad(torch.maximum(x, y), [x, y])",
        "(tensor(0.5000), tensor(0.5000))",
    ),
    (
        "x = torch.tensor([-1.0, 0.0], requires_grad=True)\n"
        "torch.where(x > 0, x.sqrt(), 0.0).sum().backward()\nx.grad",
        "tensor([nan, nan])",
    ),
    (
        "torch.tensor([1.0, 2.0]).var(), torch.tensor([1.0, 2.0]).std(correction=0)",
        "(tensor(0.5000), tensor(0.5000))",
    ),
    (
        "torch.ones(2, 3)[0, 0].item(), torch.ones(2, 3).tolist()",
        "(1.0, [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])",
    ),
    (
        "2 - torch.tensor(1.0), 2 / torch.tensor(4.0), 2 ** torch.tensor(3.0)",
        "(tensor(1.), tensor(0.5000), tensor(8.))",
    ),
    ("sum(torch.tensor([1, 2, 3])), max(torch.tensor([1, 2, 3]))", "(tensor(6), tensor(3))"),
    (
        "bool(torch.tensor([0.0])), int(torch.tensor(2.7)), complex(torch.tensor(1.0))",
        "(False, 2, (1+0j))",
    ),
    ("3 in torch.tensor([1, 3]), [5, 6, 7][torch.tensor(1)]", "(True, 6)"),
    (
        "torch.ones(2, 3).shape + (4,), torch.ones(2, 3).shape[1:], torch.ones(2, 3).shape.numel()",
        "(torch.Size([2, 3, 4]), torch.Size([3]), 6)",
    ),
    (
        "torch.Tensor(2, 3).shape, torch.Tensor([2, 3]), torch.Tensor().shape",
        "(torch.Size([2, 3]), tensor([2., 3.]), torch.Size([0]))",
    ),
    (
        "torch.Tensor(torch.Size([2, 3])).shape, torch.Tensor(torch.ones(1, "
        "dtype=torch.int64)).dtype",
        "(torch.Size([2, 3]), torch.int64)",
    ),
]

INDEXING: list[Program] = [
    ("torch.ones(3, 4, 5)[0, :, torch.tensor([0, 1])].shape", "torch.Size([4, 2])"),
    ("torch.ones(3, 4, 5)[torch.tensor([0, 1]), :, 0].shape", "torch.Size([2, 4])"),
    (
        "torch.ones(3, 4, 5)[torch.tensor([0, 1]), :, torch.tensor([0, 1])].shape",
        "torch.Size([2, 4])",
    ),
    ("torch.ones(3, 4, 5)[:, torch.tensor([0, 1]), None].shape", "torch.Size([3, 2, 1, 5])"),
    (
        "torch.ones(3, 4, 5)[..., None, 0].shape, torch.ones(3)[True].shape",
        "(torch.Size([3, 4, 1]), torch.Size([1, 3]))",
    ),
    (
        "torch.ones(3)[None, :, None].shape, torch.ones(())[None].shape",
        "(torch.Size([1, 3, 1]), torch.Size([1]))",
    ),
    ("torch.arange(12).view(3, 4)[[0, 2], [1, 3]]", "tensor([ 1, 11])"),
    ("torch.arange(5)[[True, False, True, False, True]]", "tensor([0, 2, 4])"),
    ("torch.arange(6).view(2, 3)[torch.arange(6).view(2, 3) > 2]", "tensor([3, 4, 5])"),
    (
        "torch.arange(10)[-30:30:3], torch.arange(10)[7:2]",
        "(tensor([0, 3, 6, 9]), tensor([], dtype=torch.int64))",
    ),
    (
        "x = torch.ones(3, 2, requires_grad=True)\n"
        "(x[[0, 0, 2]] * torch.tensor([[1.0], [2.0], [3.0]])).sum().backward()\nx.grad",
        "tensor([[3., 3.],\n        [0., 0.],\n        [3., 3.]])",
    ),
    (
        "x = torch.ones(3, 4, 5, requires_grad=True)\n"
        "x[0, :, torch.tensor([0, 0])].sum().backward()\nx.grad[0, 0], x.grad.sum()",
        "(tensor([2., 0., 0., 0., 0.]), tensor(8.))",
    ),
    (
        "x = torch.ones(3, requires_grad=True); y = torch.zeros(3); y[1] = x[1] * 5\n"
        "y.sum().backward()\ny, x.grad",
        "(tensor([0., 5., 0.], grad_fn=<CopySlices>), tensor([0., 5., 0.]))",
    ),
    (
        "x = torch.ones(3, requires_grad=True); y = x * 2; y[:2] = 7.0\ny.sum().backward()\n"
        "y.detach(), x.grad",
        "(tensor([7., 7., 2.]), tensor([0., 0., 2.]))",
    ),
    (
        "x = torch.ones(3, requires_grad=True); y = x * 2; y[torch.tensor([0, 2])] = x[:2] * 3\n"
        "y.sum().backward()\ny.detach(), x.grad",
        "(tensor([3., 2., 3.]), tensor([3., 5., 0.]))",
    ),
    (
        "x = torch.ones(2, requires_grad=True); y = torch.zeros(3, 2); y[1:] = x\n"
        "(y * torch.arange(6.0).view(3, 2)).sum().backward()\nx.grad",
        "tensor([6., 8.])",
    ),
    (
        "v = torch.ones(1, 2, requires_grad=True); y = torch.zeros(3, 4, 5)\n"
        "y[0, :, torch.tensor([1, 3])] = v * 2\ny.sum().backward()\n"
        "y.detach()[0, 0], v.grad",
        "(tensor([0., 2., 0., 2., 0.]), tensor([[8., 8.]]))",
    ),
    (
        "x = torch.zeros(3, requires_grad=True); y = x * 1; y[y > -1] = 4.0\ny.sum().backward()\n"
        "y.detach(), x.grad",
        "(tensor([4., 4., 4.]), tensor([0., 0., 0.]))",
    ),
    (
        "x = torch.zeros(2, 2)\nx[0] = torch.tensor([1.0, 2.0]); x[:, 1] = 5\nx",
        "tensor([[1., 5.],\n        [0., 5.]])",
    ),
    ("x = torch.arange(4.0)\nx[:2] = x[2:]\nx", "tensor([2., 3., 2., 3.])"),
    ("x = torch.zeros(3, dtype=torch.int64)\nx[0] = 1.7\nx", "tensor([1, 0, 0])"),
]

IN_PLACE: list[Program] = [
    (
        "x = torch.ones(2, requires_grad=True); y = x * 2; y.add_(1); y.mul_(3)\n"
        "y.sum().backward()\ny.detach(), x.grad, y.grad_fn.name(), y._version",
        "(tensor([9., 9.]), tensor([6., 6.]), 'MulBackward0', 2)",
    ),
    (
        "x = torch.ones(2, requires_grad=True); y = x * 2; y.exp_(); y.sum().backward()\nx.grad",
        "tensor([14.7781, 14.7781])",
    ),
    (
        "x = torch.ones(2, requires_grad=True); y = x * 2; y.zero_(); y.sum().backward()\n"
        "y.requires_grad, x.grad",
        "(True, tensor([0., 0.]))",
    ),
    (
        "x = torch.ones(2, requires_grad=True); y = x * 2; y.fill_(3); y.sum().backward()\nx.grad",
        "tensor([0., 0.])",
    ),
    (
        "x = torch.ones(2, requires_grad=True); v = torch.tensor(2.0, requires_grad=True)\n"
        "y = x * 2; y.fill_(v); y.sum().backward()\nx.grad, v.grad",
        "(tensor([0., 0.]), tensor(2.))",
    ),
    (
        "x, z = (torch.ones(2, requires_grad=True) for _ in range(2))\n"
        "y = x * 2; y.copy_(z * 5); y.sum().backward()\ny.detach(), x.grad, z.grad",
        "(tensor([5., 5.]), tensor([0., 0.]), tensor([5., 5.]))",
    ),
    (
        "z = torch.ones(1, dtype=torch.float64, requires_grad=True); y = torch.zeros(2, 3)\n"
        "y.copy_(z); y.sum().backward()\ny.dtype, z.grad",
        "(torch.float32, tensor([6.], dtype=torch.float64))",
    ),
    (
        "x = torch.ones(2, requires_grad=True); y = torch.zeros(2); y += x * 3; "
        "y.sum().backward()\n"
        "y.is_leaf, x.grad",
        "(False, tensor([3., 3.]))",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\nwith torch.no_grad(): x += 1; x.mul_(2)\n"
        "x.is_leaf, x.requires_grad, x.grad_fn, x.detach()",
        "(True, True, None, tensor([4., 4.]))",
    ),
    (
        "with torch.no_grad(): x = torch.ones(2, requires_grad=True); x.add_(1)\n"
        "x.requires_grad, x.is_leaf",
        "(True, True)",
    ),
    (
        "x = torch.ones(2, requires_grad=True); x.data.add_(1)\n(x * x).sum().backward()\nx.grad",
        "tensor([4., 4.])",
    ),
    (
        "x = torch.ones(2, requires_grad=True); x.data = torch.zeros(3)\n"
        "x.shape, x.requires_grad, x.is_leaf",
        "(torch.Size([3]), True, True)",
    ),
    (
        "x = torch.ones(2, requires_grad=True); d = x.detach(); d.add_(1)\n"
        "d._version, x._version, d.data_ptr() == x.data_ptr(), d.requires_grad",
        "(1, 1, True, False)",
    ),
    (
        "x = torch.ones(4)\nx.view(2, 2)[0].mul_(3); x[3] = 7\nx, x._version",
        "(tensor([3., 3., 1., 7.]), 2)",
    ),
    (
        "x = torch.arange(4.0)\nx.add_(x); x.add_(x.view(4)); x[:2].copy_(x[2:])\nx",
        "tensor([ 8., 12.,  8., 12.])",
    ),
    (
        "x = torch.ones(2, 1)\nid(x) == id(x.add_(torch.ones(1))), x.sub_(1, alpha=3)",
        "(True, tensor([[-1.],\n        [-1.]]))",
    ),
    (
        "x = torch.ones(2, dtype=torch.float16)\nx.add_(torch.ones(2, dtype=torch.float64)).dtype",
        "torch.float16",
    ),
    (
        "x = torch.ones(2, dtype=torch.uint8)\nx += 1; x *= 200\nx",
        "tensor([144, 144], dtype=torch.uint8)",
    ),
    (
        "x = torch.ones(2, requires_grad=True); y = x.exp(); y2 = y * 1; y2.add_(1)\n"
        "y.sum().backward()\nx.grad",
        "tensor([2.7183, 2.7183])",
    ),
    (
        "x = torch.ones(2, requires_grad=True); y = x * 2; z = y + 1; y.add_(1)\n"
        "z.sum().backward()\nx.grad",
        "tensor([2., 2.])",
    ),
]

REQUIRES_GRAD: list[Program] = [
    (
        "x = torch.ones(2, requires_grad=True); y = x * 2\n"
        "x.is_leaf, y.is_leaf, y.requires_grad, y.detach().requires_grad, torch.ones(2).is_leaf",
        "(True, False, True, False, True)",
    ),
    ("x = torch.ones(2, requires_grad=True); y = x * 2\ny.requires_grad_().is_leaf", "False"),
    (
        "x = torch.ones(2); x.requires_grad = True; x.requires_grad_(False)\nx.requires_grad",
        "False",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\n(x > 0).requires_grad, x.argmax().requires_grad",
        "(False, False)",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\n"
        "x.long().requires_grad, (x.long() * 1.5).requires_grad",
        "(False, False)",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\ny = (x * 2).detach_()\ny.is_leaf, y.requires_grad",
        "(True, False)",
    ),
    ("x = torch.ones(2, requires_grad=True)\ntorch.tensor([x[0].detach()]).requires_grad", "False"),
    (
        "x = torch.ones(2, requires_grad=True)\n"
        "y = x * x\n"
        "[f and f.name() for f, _ in y.grad_fn.next_functions], "
        "y.grad_fn.next_functions[0][0].variable is x",
        "(['torch::autograd::AccumulateGrad', 'torch::autograd::AccumulateGrad'], True)",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\na, b = x.unbind()\n"
        "a.output_nr, b.output_nr, b.grad_fn is a.grad_fn, (b + 1).grad_fn.next_functions[0][1]",
        "(0, 1, True, 1)",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\n"
        "torch.autograd.Variable(x * 2).is_leaf, isinstance(x, torch.autograd.Variable)",
        "(True, True)",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\n"
        "y = x.to(torch.float32), x.to('cpu' if not x.is_cuda else 'cuda'), x.float(), "
        "x.contiguous()\n"
        "[t is x for t in y]",
        "[True, True, True, True]",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\nx.double().sum().backward()\nx.grad.dtype",
        "torch.float32",
    ),
]

MODES: list[Program] = [
    (
        "with torch.no_grad(): a = torch.is_grad_enabled(); "
        "y = torch.ones(1, requires_grad=True) * 2\n"
        "a, y.requires_grad, torch.is_grad_enabled()",
        "(False, False, True)",
    ),
    (
        "with torch.no_grad():\n  with torch.enable_grad(): a = torch.is_grad_enabled()\n"
        "  b = torch.is_grad_enabled()\na, b",
        "(True, False)",
    ),
    (
        "with torch.set_grad_enabled(False): a = torch.is_grad_enabled()\n"
        "a, torch.is_grad_enabled()",
        "(False, True)",
    ),
    (
        "torch.set_grad_enabled(False); a = torch.is_grad_enabled(); torch.set_grad_enabled(True)\n"
        "a, torch.is_grad_enabled()",
        "(False, True)",
    ),
    (
        "@torch.no_grad()\ndef f(): return torch.is_grad_enabled()\n"
        "f(), f(), torch.is_grad_enabled()",
        "(False, False, True)",
    ),
    (
        "@torch.no_grad\ndef f(): return torch.is_grad_enabled()\nf(), torch.is_grad_enabled()",
        "(False, True)",
    ),
    (
        "@torch.set_grad_enabled(False)\ndef f(): return torch.is_grad_enabled()\n"
        "f(), torch.is_grad_enabled()",
        "(False, True)",
    ),
    (
        "@torch.no_grad()\n@torch.enable_grad()\ndef f(): return torch.is_grad_enabled()\nf()",
        "True",
    ),
    (
        "@torch.no_grad()\ndef f():\n  got = yield torch.is_grad_enabled()\n"
        "  yield got, torch.is_grad_enabled()\n"
        "g = f(); a = next(g), torch.is_grad_enabled(), g.send('sent'), torch.is_grad_enabled()\na",
        "(False, True, ('sent', False), True)",
    ),
    (
        "@torch.no_grad()\ndef f():\n  try: yield 1\n"
        "  except KeyError: yield torch.is_grad_enabled()\n"
        "g = f(); next(g); a = g.throw(KeyError()), torch.is_grad_enabled()\na",
        "(False, True)",
    ),
    (
        "@torch.no_grad()\ndef f():\n  try: yield 1\n"
        "  finally: seen.append(torch.is_grad_enabled())\n"
        "seen = []; g = f(); next(g); g.close()\nseen, torch.is_grad_enabled()",
        "([False], True)",
    ),
    (
        "try:\n  with torch.no_grad(): raise KeyError\nexcept KeyError: pass\n"
        "torch.is_grad_enabled()",
        "True",
    ),
]

COPIES: list[Program] = [
    (
        "x = torch.ones(2, requires_grad=True); (x * 2).sum().backward(); y = copy.deepcopy(x)\n"
        "y is x, y.data_ptr() == x.data_ptr(), y, y.grad",
        "(False, False, tensor([1., 1.], requires_grad=True), tensor([2., 2.]))",
    ),
    ("x = torch.ones(2); a, b = copy.deepcopy([x, x])\na is b", "True"),
    (
        "x = torch.ones(2, requires_grad=True); (x * 2).sum().backward()\n"
        "y = pickle.loads(pickle.dumps(x))\ny, y.grad",
        "(tensor([1., 1.], requires_grad=True), None)",
    ),
    (
        "y = pickle.loads(pickle.dumps(torch.ones(2, requires_grad=True) * 2))\ny, y.grad_fn",
        "(tensor([2., 2.], requires_grad=True), None)",
    ),
    (
        "pickle.loads(pickle.dumps(torch.arange(6).view(2, 3).t()))",
        "tensor([[0, 3],\n        [1, 4],\n        [2, 5]])",
    ),
    (
        "[pickle.loads(pickle.dumps(v)) for v in (torch.float64, torch.device('cuda:1'), "
        "torch.Size([2]))]",
        "[torch.float64, device(type='cuda', index=1), torch.Size([2])]",
    ),
    (
        "x = torch.ones(2); torch.tensor(np.zeros(2)); y = x.clone(); y.add_(1)\nx",
        "tensor([1., 1.])",
    ),
    (
        "x = torch.ones(3, 2).t()\n"
        "x.clone().stride(), x.contiguous().stride(), x.contiguous() is x",
        "((1, 2), (3, 1), False)",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\n"
        "x.clone().grad_fn.name(), x.double().grad_fn.name()",
        "('CloneBackward0', 'ToCopyBackward0')",
    ),
]

PROGRAMS = [
    *ACCUMULATION, *EMPTY, *DTYPES, *VALUES, *INDEXING, *IN_PLACE, *REQUIRES_GRAD, *MODES, *COPIES,
]  # fmt: skip
WITH_NAMES = [pytest.param(*p, id=p[0].replace("\n", "; ")) for p in PROGRAMS]


def shown(snippet: str, library: Any, device: str = "cpu") -> str:
    """Return what a program's result prints, without the device."""
    return repr(run(snippet, library, device)).replace(", device='cuda:0'", "")


# C++ leaves open what a number becomes that no integer holds: an NVIDIA GPU takes the nearest.
ON_A_GPU = {
    "torch.tensor([float('nan'), 1e20]).to(torch.int32)":
    "tensor([         0, 2147483647], dtype=torch.int32)",
}  # fmt: skip


@pytest.mark.parametrize(("snippet", "expected"), WITH_NAMES)
def test_result_is_pytorchs(snippet: str, expected: str, device: str) -> None:
    found = [expected, ON_A_GPU.get(snippet, expected)] if device == "cuda" else [expected]
    assert shown(snippet, gpugrad, device) in map(ours, found)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("snippet", "expected"), WITH_NAMES)
def test_pytorch_still_gives_it(snippet: str, expected: str) -> None:
    torch = pytorch()

    assert shown(snippet, torch) == expected


# --------------------------------------------------------------------------- other values

# What PyTorch shows, what gpugrad shows, and why; where they raise, see test_errors.DELIBERATE.
NAMES = "[f and f.name() for f, _ in y.grad_fn.next_functions]"
NAMED = "class S(torch.Tensor): pass\n"

DELIBERATE: list[tuple[str, str, str, str]] = [
    (
        "x = torch.ones(3, requires_grad=True)\ntorch.autograd.grad(x.sum(), x)[0].stride()",
        "(0,)",
        "(1,)",
        "a gradient that is handed out may be written, also that of a sum",
    ),
    (
        "x = torch.arange(8.0); x[::2].mul_(x[2])\nx[::2]",
        "tensor([ 0.,  4., 16., 24.])",
        "tensor([ 0.,  4.,  8., 12.])",
        "an operand is read before anything is written; PyTorch reads x[2] after it has written it",
    ),
    (
        "x = torch.ones(1, requires_grad=True); y = x * 1; y.register_hook(lambda g: g * 2)\n"
        "torch.autograd.grad(y * 3, y)[0], torch.autograd.grad(y * 3, [y, x])[0]",
        "(tensor([6.]), tensor([3.]))",
        "(tensor([6.]), tensor([6.]))",
        "the gradient of a tensor is what its hooks made of it, whatever else is asked for",
    ),
    (
        f"x = torch.ones(3, requires_grad=True); y = x * 1; y[:2].exp_()\n{NAMES}",
        "['MulBackward0']",
        "['MulBackward0', 'ExpBackward0']",
        "what saves its result is an operation of its own, before that of the base; PyTorch's runs "
        "it inside",
    ),
    (
        "x = torch.ones(2, 3); torch.func.vmap(lambda r: r.unsqueeze_(0))(x)\nx.shape",
        "torch.Size([2, 1, 3])",
        "gpugrad.Size([2, 3])",
        "an argument inside vmap is a tensor of its own: its shape may change, not that outside",
    ),
    (
        "x = torch.ones(2, 3); n = []\n"
        "_ = torch.func.vmap(lambda r: (n.append(r.mul_(2)._version), r)[1])(x)\n"
        "n",
        "[0]",
        "[1]",
        "writes inside vmap are counted inside, too",
    ),
    (
        "x = torch.ones(1, requires_grad=True)\ntorch.special.bessel_j0(x).requires_grad",
        "False",
        "True",
        "Bessel functions, Airy's and orthogonal polynomials have gradients, too",
    ),
    (
        "torch.polygamma(1, torch.tensor([-1.0], dtype=torch.float64)).isinf()",
        "tensor([False])",
        "tensor([True])",
        "a pole is infinite; PyTorch divides by the sine of a rounded multiple of pi",
    ),
    (
        "x = torch.ones(2); c = copy.copy(x); c.add_(1)\nx._version",
        "0",
        "1",
        "a copy counts the writes to the memory that it shares, so that a backward notices them",
    ),
    (
        f"{CUBE}    setup_context = staticmethod("
        "lambda ctx, i, o: ctx.save_for_backward(3 * i[0]**2))\n"
        "    backward = staticmethod(lambda ctx, g: g * ctx.saved_tensors[0])\n"
        "torch.func.grad(torch.func.grad(F.apply))(torch.tensor(1.0))",
        "tensor(0.)",
        "tensor(6.)",
        "transforms differentiate what setup_context computes; PyTorch takes it for a constant",
    ),
    (
        f"{CUBE}    setup_context = staticmethod(lambda ctx, i, o: ctx.save_for_forward(*i))\n"
        "    jvp = staticmethod(lambda ctx, t: 3 * t * ctx.saved_tensors[0]**2)\n"
        "jvp = torch.func.jvp; x = torch.tensor(1.0)\n"
        "jvp(lambda x: jvp(lambda x: F.apply(x)**2, (x,), (x * 0 + 1,))[1], (x,), (x,))[1]",
        "tensor(18.)",
        "tensor(30.)",
        "the second derivative of x**6; PyTorch's forward mode over itself loses a term",
    ),
    (
        f"{FUNCTION}    forward = staticmethod(lambda x: x)\n"
        "    setup_context = staticmethod(lambda ctx, i, o: None)\n"
        "    vmap = staticmethod(lambda info, dims, x: (seen.append(dims), (x * 1, dims[0]))[1])\n"
        "seen = []; torch.func.vmap(F.apply, 1)(torch.ones(2, 3))\nseen",
        "[(1,)]",
        "[(0,)]",
        "the examples that a rule is given are always counted by the first dimension",
    ),
    (
        f"{NAMED}x = torch.ones(2, requires_grad=True).as_subclass(S) * 2\nx.grad_fn.name()",
        "'AliasBackward0'",
        "'MulBackward0'",
        "a result is made of its class, where PyTorch takes a view of it",
    ),
    (
        f"{NAMED}kinds = []\ntorch.func.vmap(lambda x: (kinds.append(type(x).__name__), x * 2)[1])"
        "(torch.ones(2).as_subclass(S))\nkinds",
        "['Tensor']",
        "['S']",
        "inside vmap an argument keeps its class, and so does what vmap returns",
    ),
]


def deliberate() -> list[Any]:
    return [pytest.param(*entry, id=entry[3]) for entry in DELIBERATE]


@pytest.mark.parametrize(("snippet", "theirs", "mine", "reason"), deliberate())
def test_a_value_is_different_on_purpose(snippet: str, theirs: str, mine: str, reason: str) -> None:
    assert shown(snippet, gpugrad) == mine, reason


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("snippet", "theirs", "mine", "reason"), deliberate())
def test_pytorchs_value_is_another(snippet: str, theirs: str, mine: str, reason: str) -> None:
    assert shown(snippet, pytorch()) == theirs


def listed() -> str:
    """Return the list of all differences, as it stands in ARCHITECTURE.md."""
    rows = (*test_errors.DELIBERATE, *DELIBERATE)
    return "".join(
        f"- `{row[0]}`: {row[3]}\n".replace("\n", " ⏎ ", row[0].count("\n")) for row in rows
    )


@pytest.mark.sources
def test_the_differences_are_listed() -> None:
    """Run ``python -c "import test_semantics; print(test_semantics.listed())"`` in tests/."""
    page = Path(__file__).parents[1] / "ARCHITECTURE.md"
    assert listed() in page.read_text(encoding="utf-8")


# --------------------------------------------------------------------------- better on purpose

STALE = "one of the variables needed for gradient computation has been modified by an inplace"


def test_a_write_through_data_is_noticed(device: str) -> None:
    """PyTorch returns the wrong gradient, 4, without a word."""
    x = gpugrad.ones(1, device=device, requires_grad=True)
    y = x * 2
    z = y * y
    y.data.add_(1)

    with pytest.raises(RuntimeError, match=STALE):
        z.sum().backward()


def test_a_write_through_detach_is_noticed(device: str) -> None:
    x = gpugrad.ones(1, device=device, requires_grad=True)
    y = x * 2
    z = y * y
    y.detach().add_(1)

    with pytest.raises(RuntimeError, match=STALE):
        z.sum().backward()


def test_a_write_through_a_view_is_noticed(device: str) -> None:
    c = gpugrad.ones(4, device=device)
    x = gpugrad.ones(4, device=device, requires_grad=True)
    z = x * c
    c[1:3].mul_(2)

    with pytest.raises(RuntimeError, match=STALE):
        z.sum().backward()


def test_new_data_makes_saved_values_stale(device: str) -> None:
    x = gpugrad.ones(2, device=device, requires_grad=True)
    y = x * x
    x.data = gpugrad.zeros(2, device=device)

    with pytest.raises(RuntimeError, match=STALE):
        y.sum().backward()


def test_a_tensor_times_itself_in_place(device: str) -> None:
    """PyTorch raises in the backward."""
    x = gpugrad.ones(2, device=device, requires_grad=True)
    y = x * 2
    y.mul_(y)
    y.sum().backward()

    assert x.grad is not None
    assert x.grad.tolist() == [8.0, 8.0]


def test_a_grad_mode_can_be_entered_twice() -> None:
    """PyTorch leaves gradients off for good."""
    mode = gpugrad.no_grad()
    with mode, mode:
        assert not gpugrad.is_grad_enabled()

    assert gpugrad.is_grad_enabled()


def test_a_leaf_never_shares_the_memory_of_a_given_gradient(device: str) -> None:
    """PyTorch's does where the gradient came through a view."""
    x = gpugrad.ones(2, device=device, requires_grad=True)
    g = gpugrad.ones(2, device=device)
    x.view(2).backward(g)
    g.mul_(5)

    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 1.0]


# --------------------------------------------------------------------------- warnings


def test_grad_of_what_was_computed_warns(device: str) -> None:
    y = gpugrad.ones(1, device=device, requires_grad=True) * 2
    with pytest.warns(UserWarning, match=r"The \.grad attribute of a Tensor that is not a leaf"):
        assert y.grad is None
    y.retain_grad()
    assert y.grad is None


def test_a_uint8_index_is_a_mask_and_warns(device: str) -> None:
    mask = gpugrad.tensor([1, 0, 1], dtype=gpugrad.uint8, device=device)
    x = gpugrad.arange(3, device=device)
    with pytest.warns(UserWarning, match="indexing with dtype gpugrad.uint8 is now deprecated"):
        assert x[mask].tolist() == [0, 2]


# --------------------------------------------------------------------------- memory


def test_a_graph_is_freed_without_the_garbage_collector(device: str) -> None:
    gc.collect()
    gc.disable()
    try:
        x = gpugrad.ones(3, device=device, requires_grad=True)
        y = (x.exp() * x).sqrt()
        y.retain_grad()
        z = y.sum()
        z.backward(create_graph=True)
        references = [weakref.ref(t) for t in (y, z)] + [weakref.ref(z.grad_fn)]
        x.grad = None
        del y, z

        assert [r() for r in references] == [None, None, None]
    finally:
        gc.enable()


# --------------------------------------------------------------------------- arrays


def test_from_numpy_shares_memory_and_tensor_copies() -> None:
    array = np.zeros(3)
    shared, copied, seen = (
        gpugrad.from_numpy(array),
        gpugrad.tensor(array),
        gpugrad.as_tensor(array),
    )
    array[0] = 1
    shared[1] = 2

    assert array.tolist() == [1, 2, 0]
    assert shared.tolist() == seen.tolist() == [1, 2, 0]
    assert copied.tolist() == [0, 0, 0]
    assert shared.numpy().ctypes.data == array.ctypes.data
    assert shared.array is array


def test_as_tensor_returns_a_tensor_as_it_is(device: str) -> None:
    x = gpugrad.ones(2, device=device, requires_grad=True)

    assert gpugrad.as_tensor(x) is x
    assert gpugrad.as_tensor(x, dtype=gpugrad.float64).grad_fn is not None


def test_array_of_a_cuda_tensor_is_cupys_own(device: str) -> None:
    x = gpugrad.arange(3, device=device)
    again = gpugrad.as_tensor(x.array)
    again.add_(1)

    assert x.tolist() == [1, 2, 3]
    assert again.device == x.device


def test_negative_strides_and_fortran_order_compute() -> None:
    x = gpugrad.from_numpy(np.arange(6.0).reshape(2, 3)[::-1, ::-1]).requires_grad_()
    (x * gpugrad.arange(6, dtype=gpugrad.float64).view(2, 3)).sum().backward()

    assert x.tolist() == [[5, 4, 3], [2, 1, 0]]
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_numpy_on_the_left_gives_a_tensor_with_gradient() -> None:
    x = gpugrad.ones(2, dtype=gpugrad.float64, requires_grad=True)
    y: Any = np.array([2.0, 3.0]) * x + np.float64(1)

    assert isinstance(y, gpugrad.Tensor)
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 3]


def test_numpy_of_a_cuda_tensor_says_how() -> None:
    assert gpugrad.ones(2, requires_grad=True).numpy(force=True).tolist() == [1, 1]


@pytest.mark.cuda
def test_devices_do_not_mix_but_scalars_do() -> None:
    x, y = gpugrad.ones(2, device="cuda"), gpugrad.ones(2)
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        x + y
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        x.numpy()
    leaf = gpugrad.tensor(3.0, requires_grad=True)
    (x * leaf).sum().backward()
    assert leaf.grad is not None
    assert (leaf.grad.item(), leaf.grad.device.type) == (2.0, "cpu")
    assert x.cpu().cuda().tolist() == [1, 1]


# --------------------------------------------------------------------------- the default type


@pytest.fixture
def float64_by_default() -> Iterator[None]:
    gpugrad.set_default_dtype(gpugrad.float64)
    yield
    gpugrad.set_default_dtype(gpugrad.float32)


@pytest.mark.usefixtures("float64_by_default")
def test_the_default_type_is_that_of_literals_and_is_not_printed() -> None:
    assert gpugrad.get_default_dtype() is gpugrad.float64
    assert repr(gpugrad.tensor([1.5])) == "tensor([1.5000])"
    assert repr(gpugrad.ones(1, dtype=gpugrad.float32)) == "tensor([1.], dtype=gpugrad.float32)"
    assert gpugrad.tensor(1j).dtype is gpugrad.complex128
    assert gpugrad.zeros(1).dtype is gpugrad.rand(1).dtype is gpugrad.float64
    assert (gpugrad.tensor([1]) / 2).dtype is gpugrad.float64
    assert (gpugrad.tensor([1]) * 1.5).dtype is gpugrad.float64
    assert gpugrad.Tensor([1]).dtype is gpugrad.float64


# --------------------------------------------------------------------------- random numbers


def test_a_seed_gives_the_same_numbers_again(device: str) -> None:
    gpugrad.manual_seed(7)
    first = [gpugrad.rand(3, device=device).tolist(), gpugrad.randn(3, device=device).tolist()]
    gpugrad.manual_seed(7)
    second = [gpugrad.rand(3, device=device).tolist(), gpugrad.randn(3, device=device).tolist()]
    third = [gpugrad.rand(3, device=device).tolist(), gpugrad.randn(3, device=device).tolist()]

    assert first == second != third
    assert gpugrad.initial_seed() == 7


def test_a_generator_has_a_state_of_its_own(device: str) -> None:
    g = gpugrad.Generator(device=device).manual_seed(3)
    first = gpugrad.rand(2, 2, generator=g, device=device)
    gpugrad.rand(5, device=device)
    g.manual_seed(3)

    assert gpugrad.rand(2, 2, generator=g, device=device).tolist() == first.tolist()
    assert g.initial_seed() == 3
    assert g.device.type == device


def test_random_tensors_have_the_shape_type_and_range_asked_for(device: str) -> None:
    u = gpugrad.rand(100, 5, dtype=gpugrad.float64, device=device, requires_grad=True)
    n = gpugrad.randn(4000, device=device)
    k = gpugrad.randint(2, 5, (300,), device=device)

    assert (u.shape, u.dtype, u.device.type) == ((100, 5), gpugrad.float64, device)
    assert u.is_leaf
    assert u.requires_grad
    assert u.min().item() >= 0
    assert u.max().item() < 1
    assert abs(n.mean().item()) < 0.1
    assert abs(n.std().item() - 1) < 0.1
    assert k.dtype is gpugrad.int64
    assert sorted(set(k.tolist())) == [2, 3, 4]
    assert gpugrad.randint(3, size=(2,), device=device).max().item() < 3
    assert gpugrad.randint_like(u, 5).dtype is gpugrad.float64
    assert gpugrad.rand_like(k, dtype=gpugrad.float32).shape == (300,)
    assert gpugrad.randn_like(n.half()).dtype is gpugrad.float16
    assert gpugrad.randn(2, dtype=gpugrad.complex64, device=device).is_complex()
    assert (
        gpugrad.rand((), device=device).shape == gpugrad.randn(size=(), device=device).shape == ()
    )


# --------------------------------------------------------------------------- SGD

OPTIONS: list[dict[str, Any]] = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.5},
    {"momentum": 0.9, "nesterov": True},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "momentum": 0.5, "nesterov": True},
    {"maximize": True},
    {"maximize": True, "momentum": 0.9, "weight_decay": 0.01},
]


def descend(library: Any, options: dict[str, Any], device: str, steps: int = 5) -> list[Any]:
    """Return two parameters after some steps, the second of which has a rate of its own."""
    kind = library.float64
    x = library.tensor([1.0, -2.0], dtype=kind, device=device, requires_grad=True)
    y = library.tensor([[0.5]], dtype=kind, device=device, requires_grad=True)
    unused = library.zeros(1, requires_grad=True, device=device)
    groups = [{"params": [x, unused]}, {"params": y, "lr": 0.01}]
    optimizer = library.optim.SGD(groups, lr=0.1, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        (x * x * x + y.sum() * x).sum().backward()
        optimizer.step()
    return [x.tolist(), y.tolist(), unused.tolist()]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_sgd_steps_as_pytorchs(options: dict[str, Any], device: str) -> None:
    torch = pytorch()
    expected = descend(torch, options, "cpu")

    for found, wanted in zip(descend(gpugrad, options, device), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_sgd_by_hand(device: str) -> None:
    x = gpugrad.tensor([1.0], device=device, requires_grad=True)
    optimizer = gpugrad.optim.SGD([x], lr=0.5, momentum=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        x.sum().backward()
        optimizer.step()

    np.testing.assert_allclose(x.tolist(), [1 - 0.5 * (1 + 1.5 + 1.75)])


def test_sgd_state_goes_round(device: str) -> None:
    def made() -> tuple[Any, Any]:
        x = gpugrad.tensor([1.0, 2.0], device=device, requires_grad=True)
        return x, gpugrad.optim.SGD([x], lr=0.1, momentum=0.9)

    def step(x: Any, optimizer: Any) -> None:
        optimizer.zero_grad()
        (x * x).sum().backward()
        optimizer.step()

    x, first = made()
    step(x, first)
    state = pickle.loads(pickle.dumps(first.state_dict()))
    assert state["param_groups"][0]["params"] == [0]
    y, second = made()
    with gpugrad.no_grad():
        y.copy_(x)
    second.load_state_dict(state)
    step(x, first)
    step(y, second)

    assert x.tolist() == y.tolist()
    assert math.isclose(second.param_groups[0]["momentum"], 0.9)


def test_zero_grad_forgets_or_fills(device: str) -> None:
    x: Any = gpugrad.ones(2, device=device, requires_grad=True)
    optimizer = gpugrad.optim.SGD([x], lr=0.1)
    x.sum().backward()
    g = x.grad
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0, 0]
    assert g.tolist() == [0, 0]
    optimizer.zero_grad()
    assert x.grad is None
    optimizer.step()
    assert x.tolist() == [1, 1]


def test_step_returns_the_loss_of_its_closure(device: str) -> None:
    x = gpugrad.ones(1, device=device, requires_grad=True)
    optimizer = gpugrad.optim.SGD([x], lr=0.25)

    def loss() -> Any:
        optimizer.zero_grad()
        value = (x * x).sum()
        value.backward()
        return value

    with gpugrad.no_grad():
        assert optimizer.step(loss).item() == 1.0
    assert x.tolist() == [0.5]


# --------------------------------------------------------------------------- copies


@pytest.mark.parametrize("how", ["copy.deepcopy(g)", "pickle.loads(pickle.dumps(g))"])
@pytest.mark.parametrize(
    "group",
    [
        "[a, a[:2]]", "[a[2:], a[:4]]", "[a[1:3]]", "[a.view(2, 3).t(), a.detach()]",
        "[a.view(2, 3)[:, 1], a.view(2, 3).t()[1:]]", "dict(x=a, y=(a[:1].expand(2, 3), a))",
        "[a.unfold(0, 2, 1), a]", "[torch.view_as_real(c), c, c.real, c.imag[1:]]",
        "[torch.arange(24.0).view(2, 3, 4).permute(2, 0, 1) * 2, a]", "[a[2], a, a[:0]]",
        "[a.half(), a.double()]",
        "[a.requires_grad_(), a.detach()[1:]]", "[a.data, a, a]", "[torch.tensor(2.0), a > 2]",
    ],
)  # fmt: skip
def test_copies_and_pickles_share_memory_as_what_they_are_of(
    group: str, how: str, device: str
) -> None:
    """So does PyTorch's deepcopy, and its torch.save; its pickles do not."""
    snippet = (
        f"a = torch.arange(6.0); c = torch.view_as_complex(a.view(3, 2) * 1); g = {group}\n"
        "h = {how}; h = [*h.values()] if isinstance(h, dict) else h\n"
        "h = [u for t in h for u in (t if isinstance(t, tuple) else [t])]\n"
        "before = [t.tolist() for t in h]\n"
        "with torch.no_grad(): h[0].reshape(-1)[:1].fill_(9.0)\n"
        "with torch.no_grad(): h[-1][..., -1:].fill_(8) if h[-1].dim() else 0\n"
        "before, [t.tolist() for t in h], a.tolist(), [t.stride() for t in h], "
        "[t.storage_offset() for t in h], [(t.requires_grad, t.is_leaf) for t in h]"
    )
    expected = run(snippet.format(how="copy.deepcopy(g)"), pytorch())
    assert plain(run(snippet.format(how=how), gpugrad, device)) == plain(expected)


def test_deepcopy_keeps_gradients_and_sharing(device: str) -> None:
    x = gpugrad.ones(2, device=device, requires_grad=True)
    (x * 2).sum().backward()
    a, b = copy.deepcopy((x, x))

    assert a is b is not x
    assert a.grad is not None
    assert a.grad is not x.grad
    assert a.grad.tolist() == [2, 2]
    assert a.device == x.device


def test_a_pickled_tensor_returns_to_its_device(device: str) -> None:
    x = gpugrad.arange(4.0, device=device).view(2, 2).requires_grad_()
    y = pickle.loads(pickle.dumps(x))

    assert (y.tolist(), y.device, y.requires_grad, y.dtype) == (x.tolist(), x.device, True, x.dtype)


def test_nothing_warns_about_arithmetic_on_infinities(device: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = gpugrad.tensor([0.0, math.inf, math.nan], device=device, requires_grad=True)
        y = (1 / x).log() + x.sqrt() * 0 + x**-2
        y.sum().backward()

    assert x.grad is not None


@pytest.mark.parametrize("made", ["x", "x[:1]"])
def test_what_has_no_history_to_forget_may_be_detached(made: str) -> None:
    program = f"with torch.inference_mode(): x = torch.ones(2); t = {made}\nt.detach_() is t"
    assert agree_on(program, "cpu") is True


def test_a_gradient_has_the_hidden_axes_of_its_tensor() -> None:
    def assign(row: Any) -> Any:
        gpugrad.ones(3, requires_grad=True).grad = row
        return row

    with pytest.raises(RuntimeError, match="inside vmap, one of the two is the same"):
        gpugrad.vmap(assign)(gpugrad.ones(2, 3))
