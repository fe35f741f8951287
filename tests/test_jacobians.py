"""Jacobians by ``func``, and gradients of several vectors at once, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest

import gpugrad
from comparison import agree_on
from gpugrad import func
from gpugrad.autograd import grad
from gpugrad.testing import assert_agree, flat

START = """
func, autograd, fa = torch.func, torch.autograd, torch.autograd.forward_ad
vmap, grad, jvp, vjp = func.vmap, func.grad, func.jvp, func.vjp
jacrev, jacfwd, hessian = func.jacrev, func.jacfwd, func.hessian
x = torch.tensor([1.0, 2.0, -0.5], dtype=torch.double)
y = torch.tensor([[0.25, 0.5, 0.75], [1.5, -1.0, 2.0]])
X = torch.tensor([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]], dtype=torch.double)
V = torch.tensor([[1.0, 0, 0], [0, 1.0, 2.0]], dtype=torch.double)
f = lambda x: (x**2).sum() * x.sin()
s = lambda x: (x**3).sum() * x[0]
""".lstrip()

# J is either mode
JACOBIANS = [
    "J(f)(x)",
    "J(J(f))(x)",
    "J(J(J(f)))(x)",
    "jacrev(jacfwd(J(s)))(x)",
    "hessian(J(f))(x)",
    "vmap(J(f))(X)",
    "vmap(hessian(s))(X)",
    "vmap(J(J(f)))(X)",
    "vmap(J(f), 1, -1)(X)",
    "J(vmap(f))(X).shape",
    "J(vmap(J(f)))(X)",
    "J(lambda a, b: (a * b.sum(), b.double() @ a), argnums=(0, 1))(x, y)",
    "J(lambda a, b: (a * b.sum(), b.double() @ a), argnums=1)(x, y)",
    "J(lambda a, b: (a * b.sum(), b.double() @ a), argnums=(1, 0))(x, y)",
    "J(lambda d: {'u': d['a'] * 2, 'v': [d['b'] * d['a'].sum()]})({'a': x, 'b': x[0]})",
    "J(lambda x: x.sum())(x[0])",
    "J(lambda x: x * 2)(x[0])",
    "J(lambda x: x * 2)(x[:0])",
    "J(lambda x: x.sum())(x[:0])",
    "J(lambda x: x[:0])(x)",
    "J(lambda x: (x[:0], x))(x)",
    "J(lambda x: (x * 2, x.sum()), has_aux=True)(x)",
    "vmap(J(lambda x: (x * 2, x.sum()), has_aux=True))(X)",
    "J(J(lambda x: (x**2, x.sum()), has_aux=True), has_aux=True)(x)",
    "J(lambda x: torch.ones(2))(x)",
    "J(lambda x: (x, torch.ones(2)))(x)",
    "J(lambda x: x.to(torch.float32))(x)",
    "J(lambda x: (x > 0).double())(x)",
    "J(lambda x: 3)(x)",
    "J(lambda x: (x, 3))(x)",
    "J(lambda x: x)(torch.ones(2, dtype=torch.int64))",
    "J(f, argnums=1)(x)",
    "J(f, argnums=())(x)",
    "J(f, argnums=(0, 0))(x)",
    "J(f, argnums='a')(x)",
    "J(lambda x: x * 1j)(x)",
    "J(lambda x: x)(x * 1j)",
    "J(lambda x: x.item() * x)(x[0])",
    "J(lambda x: x * torch.rand(3, dtype=torch.double).shape[0])(x)",
    ("x.requires_grad_()\nj = J(f)(x)\nj.sum().backward()\nj.detach(), x.grad"),
    (
        "w = x.detach().requires_grad_()\n"
        "j = J(lambda x: x * w)(x)\n"
        "j.sum().backward()\n"
        "j.detach(), w.grad"
    ),
    ("with torch.no_grad():\n    j = J(f)(x)\nj, j.requires_grad"),
    "grad(lambda x: J(f)(x).sin().sum())(x)",
    "jvp(J(f), (x,), (x,))",
    "vjp(J(f), x)[1](torch.eye(3, dtype=torch.double))",
    "J(lambda x: x.view(3))(x)",
    "J(lambda x: x.clone().mul_(x))(x)",
    "J(lambda x: x.prod())(x)",
    "J(lambda x: x.max())(x)",
    "J(lambda x: x.norm())(x)",
    "J(lambda x: torch.where(x > 0, x, x.exp()))(x)",
    "J(lambda x: torch.stack([x, x * 2]).t())(x)",
    "J(lambda m: m @ m.t())(X)",
    "J(lambda x: x[torch.tensor([2, 0])])(x)",
    "J(lambda x: x.var())(x)",
]

# what PyTorch's forward mode does otherwise: it has no chunk_size, and loses argnums=-1
BY_ROWS = [
    "J(f, chunk_size=1)(x)",
    "J(f, chunk_size=2)(x)",
    "J(f, chunk_size=100)(x)",
    "J(lambda a, b: a * b.sum(), argnums=-1)(x, y)",
    "J(lambda x: x[:0], chunk_size=2)(x)",
    "J(lambda x: x * 2, chunk_size=2)(x[:0])",
    "J(lambda x: (x * 2, x.sum()), has_aux=True, chunk_size=1)(x)",
    "J(lambda x: x)(3.0)",
    "J(f, chunk_size=0)(x)",
    "J(f, chunk_size=-1)(x)",
    ("x.requires_grad_()\nj = J(f, chunk_size=2)(x)\nj.sum().backward()\nj.detach(), x.grad"),
    ("with fa.dual_level():\n    d = J(f)(fa.make_dual(x, x))\n    r = fa.unpack_dual(d)\nlist(r)"),
]

OTHERS = [
    "jacfwd(lambda x: x * torch.rand(3, dtype=torch.double))(x)",
    ("jacfwd(lambda x: x * torch.rand(3, dtype=torch.double), randomness='same')(x).shape"),
    ("jacfwd(lambda x: x * torch.rand(3, dtype=torch.double), randomness='different')(x).shape"),
    (
        "torch.manual_seed(0)\n"
        "j = jacfwd(lambda x: x.sum() * torch.rand(3, dtype=torch.double), "
        "randomness='same')(x)\n"
        "bool((j[:, 0] == j[:, 1]).all())"
    ),
    "jacrev(lambda x: x * torch.rand(3, dtype=torch.double))(x).shape",
    "hessian(s, argnums=(0,))(x)",
    "hessian(lambda a, b: (a.sum() * b.sum())**2, argnums=(0, 1))(x, y.double())",
    "hessian(f)(x)",
    "hessian(s)(x[:0])",
    "hessian(lambda x: x**3)(x[0])",
    "vmap(vmap(hessian(lambda x: x**3)))(X)",
    "hessian(lambda z: z.abs())(x * 1j)",
    "jacfwd(f, randomness=3)(x)",
    (
        "vmap(jacfwd(lambda x: x * torch.rand(3, dtype=torch.double)), "
        "randomness='different')(X).shape"
    ),
]

# is_grads_batched
BATCHED = [
    ("x.requires_grad_()\nautograd.grad(x * 2, x, torch.ones(2, 2), is_grads_batched=True)"),
    ("x.requires_grad_()\nautograd.grad(x**2, x, V, is_grads_batched=True)"),
    (
        "x.requires_grad_()\n"
        "autograd.grad((x**2, x.sum()), x, (V, torch.ones(2, dtype=torch.double)), "
        "is_grads_batched=True)"
    ),
    (
        "x.requires_grad_()\n"
        "autograd.grad((x**2, x.sum()), x, (V, torch.ones(3, dtype=torch.double)), "
        "is_grads_batched=True)"
    ),
    ("x.requires_grad_()\nautograd.grad((x**2, x.sum()), x, (V,), is_grads_batched=True)"),
    (
        "x.requires_grad_()\n"
        "autograd.grad(x.sum(), x, torch.ones((), dtype=torch.double), "
        "is_grads_batched=True)"
    ),
    (
        "x.requires_grad_()\n"
        "autograd.grad(x.sum(), x, torch.ones(4, dtype=torch.double), "
        "is_grads_batched=True)"
    ),
    (
        "x.requires_grad_()\n"
        "g, = autograd.grad(x**3, x, V, is_grads_batched=True, create_graph=True)\n"
        "[g.requires_grad, g.detach(), autograd.grad(g.sum(), x)]"
    ),
    (
        "x.requires_grad_()\n"
        "g, = autograd.grad(x**3, x, V.requires_grad_(), is_grads_batched=True, "
        "create_graph=True)\n"
        "[g.requires_grad, g.detach(), autograd.grad((g * g).sum(), (x, V))]"
    ),
    (
        "x.requires_grad_()\n"
        "g, = autograd.grad(x**3, x, V, is_grads_batched=True, create_graph=True)\n"
        "autograd.grad(g, x, torch.ones(2, 2, 3, dtype=torch.double), "
        "is_grads_batched=True)"
    ),
    (
        "x.requires_grad_()\n"
        "X.requires_grad_()\n"
        "autograd.grad(x**3, (x, X), V, is_grads_batched=True)"
    ),
    (
        "x.requires_grad_()\n"
        "X.requires_grad_()\n"
        "autograd.grad(x**3, (x, X), V, is_grads_batched=True, allow_unused=True)"
    ),
    ("x.requires_grad_()\nh = x * 2\nautograd.grad(h.exp(), (h, x), V, is_grads_batched=True)"),
    (
        "x.requires_grad_()\n"
        "h = x * 2; r = []\n"
        "h.register_hook(lambda g: r.append(tuple(g.shape)) or g * 10)\n"
        "autograd.grad(h.exp(), x, V, is_grads_batched=True), r"
    ),
    (
        "x.requires_grad_()\n"
        "r = []\n"
        "x.register_hook(lambda g: r.append(tuple(g.shape)))\n"
        "autograd.grad(x.exp(), x, V, is_grads_batched=True), r"
    ),
    (
        "x.requires_grad_()\n"
        "h = x * 2; r = []\n"
        "h.grad_fn.register_hook(lambda gi, go: r.append(tuple(go[0].shape)))\n"
        "autograd.grad(h.exp(), x, V, is_grads_batched=True), r"
    ),
    (
        "x.requires_grad_()\n"
        "h = x * 2\n"
        "e = autograd.graph.get_gradient_edge(h)\n"
        "autograd.grad(h.exp(), e, V, is_grads_batched=True)"
    ),
    (
        "x.requires_grad_()\n"
        "h = x * 2\n"
        "e = autograd.graph.get_gradient_edge(h)\n"
        "autograd.grad(e, x, V, is_grads_batched=True)"
    ),
    ("x.requires_grad_()\nautograd.grad(x.exp(), x, V.float(), is_grads_batched=True)"),
    ("x.requires_grad_()\nautograd.grad(x.exp(), x, V + 0j, is_grads_batched=True)"),
    ("x.requires_grad_()\nautograd.grad(x.exp(), x, 3, is_grads_batched=True)"),
    ("x.requires_grad_()\nautograd.grad(x.exp(), x, [[1.0]], is_grads_batched=True)"),
    "autograd.grad(x.exp(), x, V, is_grads_batched=True)",
    ("x.requires_grad_()\nautograd.grad(x[x > 0], x, V[:, :2], is_grads_batched=True)"),
    ("x.requires_grad_()\nautograd.grad(x[torch.tensor([0, 0, 1])], x, V, is_grads_batched=True)"),
    (
        "x.requires_grad_()\n"
        "y = x.exp()\n"
        "autograd.grad(y, x, V, is_grads_batched=True)\n"
        "autograd.grad(y, x, V, is_grads_batched=True)"
    ),
    (
        "x.requires_grad_()\n"
        "y = x.exp()\n"
        "autograd.grad(y, x, V, is_grads_batched=True, retain_graph=True)\n"
        "autograd.grad(y, x, V, is_grads_batched=True)"
    ),
    (
        "x.requires_grad_()\n"
        "with fa.dual_level():\n"
        "    d = fa.make_dual(x, x.detach())\n"
        "    g, = autograd.grad(d**3, d, V, is_grads_batched=True)\n"
        "    r = list(fa.unpack_dual(g))\n"
        "[t.detach() for t in r]"
    ),
    ("x.requires_grad_()\nvmap(lambda v: autograd.grad(x**2, x, v)[0])(V)"),
    (
        "x.requires_grad_()\n"
        "y = x**2\n"
        "vmap(lambda v: autograd.grad(y, x, v, retain_graph=True)[0])(V)"
    ),
    (
        "x.requires_grad_()\n"
        "y = x**2\n"
        "vmap(lambda v: autograd.grad(y, x, v.expand(2, 3), is_grads_batched=True)[0])(V)"
    ),
    (
        "(x * 1).requires_grad_()\n"
        "z = (x * 1j).requires_grad_()\n"
        "autograd.grad(z * z, z, V + 1j, is_grads_batched=True)"
    ),
]

VMAP_ERRORS = [
    "vmap(lambda x: x.item())(torch.ones(2))",
    "vmap(lambda x: x if x>0 else -x)(torch.ones(2))",
    "vmap(lambda x,y: x)(torch.ones(2),torch.ones(3))",
    "vmap(lambda x: torch.randn(1)+x)(torch.ones(2))",
    "vmap(lambda x: x)(torch.ones(()))",
    "grad(lambda x: x.sum())(torch.ones(2,dtype=torch.int64))",
]


@pytest.mark.parametrize("mode", ["jacrev", "jacfwd"])
@pytest.mark.parametrize("program", JACOBIANS)
def test_jacobian(program: str, mode: str, device: str) -> None:
    agree_on(f"{START}J = {mode}\n{program}", device)


@pytest.mark.parametrize("program", BY_ROWS)
def test_jacobian_by_rows(program: str, device: str) -> None:
    agree_on(f"{START}J = jacrev\n{program}", device)


@pytest.mark.parametrize("program", [*OTHERS, *BATCHED, *VMAP_ERRORS])
def test_what_is_computed_at_once(program: str, device: str) -> None:
    agree_on(START + program, device)


def test_columns_in_chunks(device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0, -0.5], dtype=gpugrad.float64, device=device)
    calls = []

    def f(x: Any) -> Any:
        calls.append(x)
        return (x**2).sum() * x.sin()

    for chunk_size, count in ((None, 1), (1, 3), (2, 2), (100, 1)):
        calls.clear()
        assert_agree(func.jacfwd(f, chunk_size=chunk_size)(x), func.jacrev(f)(x))
        assert len(calls) == count + 1
    for chunk_size in (0, -1):
        with pytest.raises(ValueError, match="`chunk_size` should be greater than 0"):
            func.jacfwd(f, chunk_size=chunk_size)
    assert func.jacfwd(lambda x: x[:0], chunk_size=2)(x).shape == (0, 3)
    assert func.jacfwd(lambda x: x * 2, chunk_size=2)(x[:0]).shape == (0, 0)


def test_the_last_argument_is_an_argument_in_forward_mode_too() -> None:
    # PyTorch 2.13 gives zeros
    x, y = gpugrad.tensor([1.0, 2.0]), gpugrad.tensor([3.0, 4.0])
    assert func.jacfwd(lambda a, b: a * b, argnums=-1)(x, y).tolist() == [[1.0, 0.0], [0.0, 2.0]]


def test_vectors_where_pytorch_has_none_of_them_or_fails(device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0, 3.0], device=device, requires_grad=True)
    other = gpugrad.ones(2, device=device, requires_grad=True)
    v = gpugrad.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], device=device)

    (found,) = grad((x**2, x.sum()), x, (v, None), is_grads_batched=True)
    assert found.tolist() == [[3.0, 1.0, 1.0], [1.0, 5.0, 1.0]]
    (found,) = grad(x**2, x, v[:0], is_grads_batched=True)
    assert found.shape == (0, 3)
    _, found = grad(x**2, (x, other), v, is_grads_batched=True, materialize_grads=True)
    assert found.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    with pytest.raises(ValueError, match="Expected at least one Tensor to vmap over"):
        grad(x.sum(), x, is_grads_batched=True)


CALLS: dict[str, Any] = {
    "jvp": lambda f, x: gpugrad.autograd.functional.jvp(f, x, x),
    "vjp": lambda f, x: gpugrad.autograd.functional.vjp(f, x, v=x),
    "jacobian": lambda f, x: gpugrad.autograd.functional.jacobian(f, (x,)),
    "hessian": lambda f, x: gpugrad.autograd.functional.hessian(lambda x: f(x).sum(), x),
    "vhp": lambda f, x: gpugrad.autograd.functional.vhp(lambda x: f(x).sum(), x, x),
    "hvp": lambda f, x: gpugrad.autograd.functional.hvp(lambda x: f(x).sum(), x, v=x),
    "strict": lambda f, x: gpugrad.autograd.functional.jvp(f, x, x, strict=True),
}


@pytest.mark.parametrize("name", CALLS)
def test_functional_is_right_in_inference_mode_where_pytorch_gives_zeros(
    name: str, device: str
) -> None:
    def made() -> Any:
        return gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64, device=device)

    expected = CALLS[name](lambda x: x.sin() * x, made())
    with gpugrad.inference_mode():
        found = CALLS[name](lambda x: x.sin() * x, made())
        other = made()
        if name != "hessian":
            with pytest.raises(RuntimeError, match="Inference tensors cannot be saved"):
                CALLS[name](lambda x: x.sin() * other, made())
        assert gpugrad.is_inference_mode_enabled()
    for a, b in zip(flat(found), flat(expected), strict=True):
        assert_agree(a, b, 0, 0)
