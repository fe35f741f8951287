"""What a ``.grad`` is: memory in the layout of its leaf, and of the type that was chosen for it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from snippets import ours, raised, run

import choice
import gpugrad
from comparison import plain, pytorch
from gpugrad.testing import count_kernels

LEAVES: dict[str, Callable[[Any], Any]] = {
    "plain": lambda lib: lib.ones(2, 3),
    "transposed": lambda lib: lib.ones(3, 2).t(),
    "every second row": lambda lib: lib.ones(4, 3)[::2],
    "every second column": lambda lib: lib.ones(2, 6)[:, ::2],
    "some columns": lambda lib: lib.ones(2, 5)[:, 1:4],
    "some rows, transposed": lambda lib: lib.ones(5, 2)[1:4].t(),
    "some columns, transposed": lambda lib: lib.ones(3, 4)[:, :2].t(),
    "expanded": lambda lib: lib.ones(3).expand(2, 3),
}
BACKWARDS: dict[str, Callable[[Any, Any], Any]] = {
    "product": lambda lib, x: (x * 2).sum().backward(),
    "expanded": lambda lib, x: x.sum().backward(),
    "given": lambda lib, x: x.backward(lib.ones(2, 3)),
    "given, transposed": lambda lib, x: x.backward(lib.ones(3, 2).t()),
    "given, expanded": lambda lib, x: x.backward(lib.ones(3).expand(2, 3)),
    "passed on": lambda lib, x: (x + 0).backward(lib.ones(3, 2).t()),
    "through a transposition": lambda lib, x: (x.t() * lib.ones(3, 2)).sum().backward(),
    "product of matrices": lambda lib, x: (x @ lib.ones(3, 4)).sum().backward(),
    "twice": lambda lib, x: [(x.t() * lib.ones(3, 2)).sum().backward(), x.sum().backward()],
    "recorded": lambda lib, x: (x**3).sum().backward(create_graph=True),
    "recorded, expanded": lambda lib, x: x.sum().backward(create_graph=True),
    "recorded, through a transposition":
        lambda lib, x: (x.t() ** 3).sum().backward(create_graph=True),
    "recorded twice": lambda lib, x: [
        (x.t() * lib.ones(3, 2)).sum().backward(create_graph=True),
        (x * 2).sum().backward(create_graph=True),
    ],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.parametrize("backward", BACKWARDS.values(), ids=BACKWARDS)
@pytest.mark.parametrize("leaf", LEAVES.values(), ids=LEAVES)
def test_a_gradient_has_the_strides_that_it_has_in_pytorch(leaf: Any, backward: Any) -> None:
    torch = pytorch()
    found = []
    for library in (gpugrad, torch):
        x = leaf(library).detach().requires_grad_()
        backward(library, x)
        found.append((x.grad.stride(), x.grad.tolist()))
    assert found[0] == found[1]


@pytest.mark.filterwarnings("ignore:Using backward")
def test_a_gradient_that_was_laid_out_can_be_differentiated(device: str) -> None:
    x = gpugrad.arange(6.0, device=device).view(3, 2).t().detach().requires_grad_()
    (x.t().contiguous() ** 3).sum().backward(create_graph=True)
    grad = x.grad
    assert grad is not None
    assert grad.stride() == x.stride()
    assert grad._base is None
    (second,) = gpugrad.autograd.grad(grad.sum(), x)
    assert second.tolist() == (6 * x).tolist()


# --------------------------------------------------------------------------- grad_dtype

X = "x = torch.ones(2, requires_grad=True)\n"
DOUBLE = X + "x.grad_dtype = torch.float64\n"
SHOWN = {
    "by default": X + "str(x.grad_dtype)[-7:], str(torch.ones(2).grad_dtype)[-7:]",
    "chosen": DOUBLE + "(x * 2).sum().backward(); (x * x).sum().backward()\n"
    "str(x.grad.dtype)[-7:], x.grad.tolist()",
    "chosen before it requires grad":
        "x = torch.ones(2); x.grad_dtype = torch.float64; x.requires_grad_()\n"
    "x.sum().backward(); str(x.grad.dtype)[-7:], x.grad.tolist()",
    "chosen after it was used": X + "y = x * 2; x.grad_dtype = torch.float16; y.sum().backward()\n"
    "str(x.grad.dtype)[-7:], x.grad.tolist()",
    "assigned": DOUBLE + "x.grad = torch.ones(2, dtype=torch.float64); (x * 2).sum().backward()\n"
    "str(x.grad.dtype)[-7:], x.grad.tolist()",
    "any": X + "x.grad_dtype = None; x.grad = torch.ones(2, dtype=torch.float16)\n"
    "(x * 2).sum().backward(); x.grad_dtype, str(x.grad.dtype)[-7:], x.grad.tolist()",
    "any, without a gradient": X + "x.grad_dtype = None; (x * 2).sum().backward()\n"
    "str(x.grad.dtype)[-7:]",
    "complex": X + "x.grad_dtype = torch.complex64; (x * 2).sum().backward()\nx.grad.tolist()",
    "of a complex leaf": "x = torch.ones(2, dtype=torch.complex64, requires_grad=True)\n"
    "x.grad_dtype = torch.float32; (x * 1j).sum().imag.backward()\nx.grad.tolist()",
    "grad": DOUBLE + "g, = torch.autograd.grad((x * x).sum(), x, create_graph=True)\n"
    "str(g.dtype)[-7:], g.requires_grad, g.tolist()",
    "inputs": DOUBLE + "(x * x).sum().backward(inputs=[x])\nstr(x.grad.dtype)[-7:]",
    "hooks": DOUBLE + "r = []; x.register_hook(lambda g: r.append(str(g.dtype)[-7:]))\n"
    "x.register_post_accumulate_grad_hook(lambda t: r.append(str(t.grad.dtype)[-7:]))\n"
    "(x * x).sum().backward(); r",
    "a walk that is recorded": DOUBLE + "(x**3).sum().backward(create_graph=True)\n"
    "str(x.grad.dtype)[-7:], x.grad.tolist(), torch.autograd.grad(x.grad.sum(), x)[0].tolist()",
    "detached": DOUBLE + "str(x.detach().grad_dtype)[-7:]",
    "other data": DOUBLE + "x.data = x.data.double(); str(x.grad_dtype)[-7:]",
    "another layout": "x = torch.ones(3, 2).t().requires_grad_(); x.grad_dtype = torch.float64\n"
    "x.sum().backward(); x.grad.stride(), str(x.grad.dtype)[-7:]",
    "any, beside one of less precision": X + "x.grad_dtype = None\n"
    "x.grad = torch.ones(2, dtype=torch.float16); g = x.grad\n"
    "(x * torch.ones(2, dtype=torch.float64)).sum().backward()\n"
    "str(g.dtype)[-7:], g.tolist(), g is x.grad, g._version",
    "any, beside one of less precision, recorded": X + "x.grad_dtype = None\n"
    "x.grad = torch.ones(2, dtype=torch.float16)\n"
    "(x * torch.ones(2, dtype=torch.float64)).sum().backward(create_graph=True)\n"
    "str(x.grad.dtype)[-7:], x.grad.tolist()",
    "any, of a complex product": X + "x.grad_dtype = None\n"
    "(x * torch.ones(2, dtype=torch.complex128)).sum().real.backward()\n"
    "str(x.grad.dtype)[-7:], x.grad.tolist()",
    "any, of complex leaves": "x = torch.ones(2, dtype=torch.complex64, requires_grad=True)\n"
    "x.grad_dtype = None; (x * torch.ones(2, dtype=torch.complex128)).sum().real.backward()\n"
    "str(x.grad.dtype)[-10:], x.grad.tolist()",
    "any, copied": X + "x.grad_dtype = None\nstr(copy.copy(x).grad_dtype)[-7:]",
    "any, in no history": X + "x.grad_dtype = None\n"
    "with torch.no_grad(): x.mul_(2)\nx.grad_dtype",
    "through one node": X + "w = torch.ones(2, dtype=torch.float64)\n"
    "r = x.sum(dtype=w.dtype), x.mean(0, dtype=w.dtype), x.prod(dtype=w.dtype), torch.cat([x, w])\n"
    "[t.grad_fn.next_functions[0][0].name() for t in r]",
    "half precision": "x = torch.ones(2, dtype=torch.float16, requires_grad=True)\n"
    "x.grad_dtype = torch.float32\n"
    "for k in range(3): (x * 1000).sum().backward(); (x * 0.0625).sum().backward()\n"
    "x.grad.tolist()",
}  # fmt: skip
# What arrives at x, which is [1, 2], in another type than its own.
F64 = "torch.tensor([3.0, 4.0], dtype=torch.float64)"
FUNCTION = """class To(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dtype): ctx.dtype = dtype; return x.clone()
    @staticmethod
    def backward(ctx, g): return g.to(ctx.dtype), None
"""
ARRIVING = {
    "a product": f"(x * {F64}).sum().backward()",
    "a quotient": f"(x / {F64}).sum().backward()",
    "a power": f"({F64} ** x).sum().backward()",
    "a gradient that is handed on": f"(x + {F64}).sum().backward()",
    "a broadcast product": "(x * torch.ones(3, 2, dtype=torch.float64)).sum().backward()",
    "a choice":
        f"torch.where(torch.tensor([1.0, 0.0]) == 1, x, {F64}).sum().backward()",
    "a sum": "x.sum(dtype=torch.float64).backward()",
    "a mean along a dimension": "x.mean(0, dtype=torch.float64).backward()",
    "a product of all": "x.prod(dtype=torch.float64).backward()",
    "joined": f"torch.cat([x, {F64}]).sum().backward()",
    "stacked": f"torch.stack([x, {F64}]).sum().backward()",
    "converted": "x.double().sum().backward()",
    "of a view": f"(x[:1] * {F64}).sum().backward()",
    "of a result": f"((x * 1) * {F64}).sum().backward()",
    "written in place": "y = torch.zeros(2, dtype=torch.float64); y.add_(x); y.sum().backward()",
    "copied in place": "y = torch.zeros(2, dtype=torch.float64); y[:] = x; y.sum().backward()",
    "a function's": FUNCTION + "To.apply(x, torch.float64).sum().backward()",
    "a function's, of less precision":
        FUNCTION + "To.apply(x, torch.float16).sum().backward()",
    "given": "x.backward(torch.ones(2, dtype=torch.float64))",
    "given at an edge": "e = torch.autograd.graph.get_gradient_edge(x)\n"
    "torch.autograd.backward(e, torch.ones(2, dtype=torch.float64))",
    "given, and computed": "torch.autograd.backward([x, (x * 2).sum()],"
    " [torch.ones(2, dtype=torch.float64), None])",
    "twice": f"(x * {F64}).sum().backward(); (x * 2).sum().backward()",
    "two types, the wide one first": f"((x * 2).sum() + (x * {F64}).sum()).backward()",
    "two types, the narrow one first": f"((x * {F64}).sum() + (x * 2).sum()).backward()",
    "two types, the first one shared": f"((x * {F64}).sum() + x.sum()).backward()",
    "two types of numbers": "x = x.sum().detach().requires_grad_(); x.grad_dtype = None\n"
    "((x * torch.tensor(3.0, dtype=torch.float64)) + (x * 2)).backward()",
    "three types": FUNCTION
    + f"torch.autograd.backward([(x * 2).sum() + (x * {F64}).sum(), To.apply(x, torch.float16)], "
    "[None, torch.ones(2, dtype=torch.float16)])",
    "ten of them": f"sum((x * {F64}).sum() for _ in range(10)).backward()",
    "recorded": f"(x * x * {F64}).sum().backward(create_graph=True)",
    "recorded, of two types": f"((x * 2).sum() + (x * {F64}).sum()).backward(create_graph=True)",
    "grad": f"seen = torch.autograd.grad((x * {F64}).sum(), x)",
    "grad of a root": "seen = torch.autograd.grad(x, x, torch.ones(2, dtype=torch.float64))",
    "grad, recorded":
        f"seen = torch.autograd.grad((x * x * {F64}).sum(), x, create_graph=True)",
    "grad at an edge": "e = torch.autograd.graph.get_gradient_edge(x)\n"
    f"seen = torch.autograd.grad((x * {F64}).sum(), e)",
    "grad of a batch": f"seen = torch.autograd.grad(x * {F64}, x,"
    " torch.eye(2, dtype=torch.float64), is_grads_batched=True)",
    "inputs": f"(x * {F64}).sum().backward(inputs=[x])",
    "a hook on the leaf":
        f"x.register_hook(lambda g: [seen.append(g), g * 2][1]); (x * {F64}).sum().backward()",
    "a hook on its node": "e = torch.autograd.graph.get_gradient_edge(x)\n"
    f"e.node.register_prehook(lambda g: seen.append(g[0])); (x * {F64}).sum().backward()",
    "a hook on the node before": f"y = x * {F64}\n"
    "y.grad_fn.register_hook(lambda i, o: seen.append(i[0])); y.sum().backward()",
    "a hook on the node before, of one type": "y = x * torch.ones_like(x)\n"
    "y.grad_fn.register_hook(lambda i, o: seen.append(i[0])); y.sum().backward()",
    "a hook on the .grad": "x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad))\n"
    f"(x * {F64}).sum().backward()",
    "anomaly mode": "with torch.autograd.set_detect_anomaly(True):\n"
    f"    (x * {F64}).sum().backward()",
    "chosen after it was used":
        f"y = x * {F64}; x.grad_dtype = torch.float16; x.grad_dtype = None; y.sum().backward()",
    "after a write in place": f"y = x.clone(); y[:1].mul_(2); (y * {F64}).sum().backward()",
}  # fmt: skip
REFUSED = {
    "a gradient of another type": DOUBLE + "x.grad = torch.ones(2)",
    "a gradient of integers": X + "x.grad = torch.ones(2, dtype=torch.int64)",
    "a complex gradient": X + "x.grad = torch.ones(2, dtype=torch.complex64)",
    "a hook that narrows what any type allows": X + "x.grad_dtype = None\n"
    "x.register_hook(lambda g: g.float())\n"
    "(x * torch.ones(2, dtype=torch.float64)).sum().backward()",
    "a gradient made in inference mode": X + "with torch.inference_mode(): g = torch.ones(2)\n"
    "x.grad = g; x.sum().backward()",
    "a saved gradient that was added to": X + "w = torch.ones(2, requires_grad=True)\n"
    "(x * 2).sum().backward(); y = (x.grad * w).sum()\n"
    "(x * 2).sum().backward(); y.backward()",
    "a saved number that was added to": "x = torch.tensor(1.0, requires_grad=True)\n"
    "w = torch.tensor(1.0, requires_grad=True)\n"
    "(x * 2).backward(); y = x.grad * w; (x * 2).backward(); y.backward()",
    "beside a gradient": X + "x.grad = torch.ones(2); x.grad_dtype = torch.float64",
    "what is no type": X + "x.grad_dtype = 'float64'",
    "setting of a result": X + "y = x * 2; y.grad_dtype = torch.float64",
    "of a result": X + "y = x * 2; y.grad_dtype",
    "a hook that changes it": DOUBLE + "x.register_hook(lambda g: g.float()); x.sum().backward()",
}


@pytest.mark.filterwarnings("ignore:Using backward", "ignore:Casting complex values to real")
@pytest.mark.parametrize("snippet", SHOWN.values(), ids=SHOWN)
def test_the_type_of_gradients_is_pytorchs(snippet: str, device: str) -> None:
    torch = pytorch()

    assert run(snippet, gpugrad, device) == run(snippet, torch)


KEPT = """
def described(t):
    return None if t is None else (str(t.dtype)[-7:], t.tolist(), t.requires_grad)
described(x.grad), list(map(described, seen))"""


@pytest.mark.filterwarnings("ignore:Using backward", "ignore:Anomaly Detection")
@pytest.mark.parametrize(
    ("name", "types"),
    choice.pairs(
        ARRIVING,
        itertools.product(
            ["float32", "float16", "float64"],
            ["None", "torch.float64", "torch.float16", "x.dtype"],
        ),
        4,
    ),
    ids=str,
)
def test_a_gradient_arrives_in_the_type_that_it_has_in_pytorch(
    name: str, types: tuple[str, str], device: str
) -> None:
    """A gradient that is converted too early or too late, or added in another type."""
    torch = pytorch()
    snippet, (own, chosen) = ARRIVING[name], types
    snippet = (
        f"x = torch.tensor([1.0, 2.0], dtype=torch.{own}, requires_grad=True)\n"
        f"x.grad_dtype = {chosen}; seen = []\n{snippet}{KEPT}"
    )

    assert plain(run(snippet, gpugrad, device)) == plain(run(snippet, torch))


@pytest.mark.parametrize("snippet", REFUSED.values(), ids=REFUSED)
def test_it_is_refused_as_by_pytorch(snippet: str, device: str) -> None:
    torch = pytorch()

    error, text = raised(snippet, torch)
    found, message = raised(snippet, gpugrad, device)
    assert found is error
    assert message.replace("gpugrad.cuda.", "gpugrad.").split("\n")[0] == ours(text)


def test_a_type_without_gradients_is_refused() -> None:
    """PyTorch takes it, and fails in the backward."""
    x = gpugrad.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="must be a floating point or complex dtype"):
        x.grad_dtype = gpugrad.int64


def test_a_deep_copy_keeps_the_type() -> None:
    """PyTorch forgets it, and cannot copy a gradient of another type."""
    x = gpugrad.ones(2, requires_grad=True)
    x.grad_dtype = gpugrad.float64
    x.sum().backward()
    other = copy.deepcopy(x)
    other.sum().backward()

    assert other.grad_dtype is gpugrad.float64
    assert other.grad is not None
    assert other.grad.dtype is gpugrad.float64
    assert other.grad.tolist() == [2.0, 2.0]


# --------------------------------------------------------------------------- what is handed out


class _Handed(gpugrad.autograd.Function):
    """Hands its gradient out."""

    seen: Any = None

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 1

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        _Handed.seen = g
        return g


def _hooked(loss: Any, x: Any, register: Any) -> Any:
    seen: list[Any] = []
    y = x * 1
    handle = register(x, y, seen)
    loss(y).sum().backward()
    handle.remove()
    return seen[0]


def _by_function(loss: Any, x: Any) -> Any:
    loss(_Handed.apply(x)).sum().backward()
    return _Handed.seen


def _retained(loss: Any, x: Any, create_graph: bool = False) -> Any:
    y = x * 1
    y.retain_grad()
    loss(y).sum().backward(create_graph=create_graph)
    return y.grad


def _accumulated(loss: Any, x: Any, create_graph: bool = False) -> Any:
    loss(x).sum().backward(create_graph=create_graph)
    return x.grad


grad, func, functional = gpugrad.autograd.grad, gpugrad.func, gpugrad.autograd.functional
HANDED_OUT: dict[str, Any] = {
    "grad": lambda loss, x: grad(loss(x).sum(), x)[0],
    "recorded": lambda loss, x: grad(loss(x).sum(), x, create_graph=True)[0].detach(),
    "of a result": lambda loss, x: (lambda y: grad(loss(y).sum(), y)[0])(x * 1),
    ".grad": _accumulated,
    "recorded .grad": lambda loss, x: _accumulated(loss, x, True).detach(),
    "retained": _retained,
    "recorded and retained": lambda loss, x: _retained(loss, x, True).detach(),
    "hook": lambda loss, x: _hooked(loss, x, lambda x, y, seen: y.register_hook(seen.append)),
    "hook of a leaf": lambda loss, x: _hooked(
        lambda _: loss(x), x, lambda x, y, seen: x.register_hook(lambda g: seen.append(g))
    ),
    "hook before a node": lambda loss, x: _hooked(
        loss, x, lambda x, y, seen: y.grad_fn.register_prehook(lambda g: seen.extend(g))
    ),
    "function": _by_function,
    "func.grad": lambda loss, x: func.grad(lambda x: loss(x).sum())(x.detach()),
    "func.vjp": lambda loss, x: func.vjp(lambda x: loss(x).sum(), x.detach())[1](
        gpugrad.ones((), dtype=x.dtype, device=x.device)
    )[0],
    "vjp": lambda loss, x: functional.vjp(lambda x: loss(x).sum(), x)[1],
    "jacobian": lambda loss, x: functional.jacobian(lambda x: loss(x).sum(), x),
    "func.vmap": lambda loss, x: func.vmap(func.grad(lambda x: loss(x).sum()))(
        gpugrad.stack([x.detach(), x.detach()])
    ),
}


@pytest.mark.parametrize("way", HANDED_OUT)
@pytest.mark.parametrize(
    "loss",
    [
        lambda x: x.mean(),
        lambda x: x.mean(1),
        lambda x: x.t().mean(0, keepdim=True),
        lambda x: x.view(-1).mean(),
        lambda x: x.sum(),
        lambda x: x.sum(0),
        lambda x: x[None].expand(1, 2, 3).sum(),
    ],
)
def test_a_gradient_that_is_handed_out_may_be_written(loss: Any, way: str, device: str) -> None:
    x = gpugrad.ones(2, 3, dtype=gpugrad.float64, device=device, requires_grad=True)
    g = HANDED_OUT[way](loss, x)
    first, *others = g.reshape(-1).tolist()
    g.mul_(2)
    g[(0,) * g.dim()] = 7

    assert g.reshape(-1).tolist() == [7, *(2 * other for other in others)]
    assert first == others[0]


@pytest.mark.parametrize("way", HANDED_OUT)
@pytest.mark.parametrize(
    "loss", [lambda x: x + 0, lambda x: x.view(1), lambda x: x.sum(), lambda x: x[None, None]]
)
def test_what_is_written_to_a_gradient_is_not_in_the_next_walk(
    loss: Any, way: str, device: str
) -> None:
    """The 1 that walks on a GPU start with, which reaches a user."""
    for _ in range(2):
        x = gpugrad.ones((), device=device, requires_grad=True)
        g = HANDED_OUT[way](loss, x)
        assert g.unique().tolist() == [1]
        g.fill_(7)


@pytest.mark.cuda
def test_walks_on_a_gpu_start_with_the_same_number() -> None:
    x = gpugrad.ones(3, device="cuda", requires_grad=True)
    for _ in range(2):  # the first copies the number to the device
        loss = x.exp().sum()
        with count_kernels() as counted:
            loss.backward()
        x.grad = None
    assert counted.total == 1
