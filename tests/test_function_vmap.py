"""A user's ``Function`` inside ``vmap``, alone and with derivatives around it and within it."""

from __future__ import annotations

from typing import Any

import pytest
from snippets import run

import gpugrad
from comparison import agree_on
from gpugrad import func
from gpugrad.autograd import Function
from gpugrad.testing import assert_agree

START = """
func = torch.func; vmap, grad, jvp = func.vmap, func.grad, func.jvp
autograd = torch.autograd; Function = autograd.Function
x = torch.tensor([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]], dtype=torch.double)
v = torch.tensor([[0.1, 0.2, 0.3], [1.5, -1.0, 2.0]], dtype=torch.double)
w = torch.tensor([0.1, 0.2, 0.3], dtype=torch.double)

def numpy(t):
    return t.numpy(force=True)

def tensor(array, like):
    return torch.tensor(array, device=like.device)
""".lstrip()

# a rule that is made from methods written with tensors
GENERATED = """
class F(Function):
    generate_vmap_rule = True
    @staticmethod
    def forward(x, w):
        return x.sin() * w
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)
        ctx.shape = inputs[0].shape
    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        assert ctx.shape == x.shape == g.shape
        return g * w * x.cos(), g * x.sin()
    @staticmethod
    def jvp(ctx, s, t):
        x, w = ctx.saved_tensors
        return s * w * x.cos() + t * x.sin()
f = F.apply
scalar = lambda x, w: (f(x, w)**2 * f(x, x)).sum()
"""

OF_GENERATED = [
    "vmap(f)(x, v)",
    "vmap(f, (0, None))(x, w)",
    "vmap(f, (None, 0))(w, x)",
    "vmap(f, (1, None), 1)(x, v[:, 0])",
    "vmap(vmap(f))(x, v)",
    "vmap(vmap(f, (None, 0)), (0, 0))(x[:, 0], v)",
    "vmap(grad(scalar), (0, None))(x, w)",
    "vmap(grad(scalar, argnums=(0, 1)), (0, None))(x, w)",
    "vmap(func.hessian(scalar, argnums=(0, 1)), (0, None))(x, w)",
    "grad(lambda w: vmap(f, (0, None))(x, w).exp().sum())(w)",
    "jvp(lambda w: vmap(f, (0, None))(x, w), (w,), (w + 1,))",
    "vmap(lambda x, t: jvp(lambda x: f(x, w), (x,), (t,)))(x, v)",
    "func.jacrev(vmap(f, (0, None)), argnums=1)(x, w)",
    "func.jacfwd(vmap(f, (0, None)), argnums=1)(x, w)",
    "x.requires_grad_(); w.requires_grad_()\nvmap(f, (0, None))(x, w).sum().backward()\n"
    "w.grad, x.grad",
    "x.requires_grad_(); w.requires_grad_()\n"
    "g, = autograd.grad((vmap(f, (0, None), 1)(x, w) * v.t()).sum(), w, create_graph=True)\n"
    "g.detach(), autograd.grad((g * g).sum(), (x, w), allow_unused=True)",
]

# a rule of its own, for methods that compute with NumPy: PyTorch's example of a sort
OWN = """
class Take(Function):
    @staticmethod
    def forward(x, places, back, dim):
        return tensor(np.take_along_axis(numpy(x), numpy(places), dim), x)
    @staticmethod
    def setup_context(ctx, inputs, output):
        _, places, back, ctx.dim = inputs
        ctx.save_for_backward(places, back)
        ctx.save_for_forward(places, back)
    @staticmethod
    def backward(ctx, g):
        places, back = ctx.saved_tensors
        return Take.apply(g, back, places, ctx.dim), None, None, None
    @staticmethod
    def jvp(ctx, t, *_):
        return Take.apply(t, *ctx.saved_tensors, ctx.dim)
    @staticmethod
    def vmap(info, in_dims, x, places, back, dim):
        dim = dim % (x.dim() - (in_dims[0] is not None))
        def first(t, k):
            return t.expand(info.batch_size, *t.shape) if k is None else t.movedim(k, 0)
        return Take.apply(*map(first, (x, places, back), in_dims), dim + 1), 0

class Sort(Function):
    @staticmethod
    def forward(x, dim):
        places = np.argsort(numpy(x), dim)
        found = np.take_along_axis(numpy(x), places, dim)
        return tuple(tensor(a, x) for a in (found, places, np.argsort(places, dim)))
    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.dim = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*output[1:])
        ctx.save_for_forward(*output[1:])
    @staticmethod
    def backward(ctx, g, *_):
        places, back = ctx.saved_tensors
        return Take.apply(g, back, places, ctx.dim), None
    @staticmethod
    def jvp(ctx, t, _):
        return Take.apply(t, *ctx.saved_tensors, ctx.dim), None, None
    @staticmethod
    def vmap(info, in_dims, x, dim):
        assert info.batch_size == x.shape[in_dims[0]] and info.randomness == "error"
        return Sort.apply(x.movedim(in_dims[0], 0), dim % (x.dim() - 1) + 1), (0, 0, 0)
f = lambda x: Sort.apply(x, -1)[0]
scalar = lambda x: (f(x)**3 * w).sum()
"""

# another: a loop over the examples
LOOP = """
class F(Function):
    @staticmethod
    def forward(x):
        return tensor(np.exp(numpy(x)), x)
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)
    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]
    @staticmethod
    def jvp(ctx, t):
        return t * ctx.saved_tensors[0]
    @staticmethod
    def vmap(info, in_dims, x):
        return torch.stack([F.apply(x.select(*in_dims, k)) for k in range(info.batch_size)]), 0
f = F.apply
scalar = lambda x: (f(x)**3 * w).sum()
"""

OF_OWN = [
    "vmap(f)(x)",
    "vmap(f, 1, 1)(x)",
    "vmap(vmap(f))(torch.arange(16.0, dtype=torch.double).reshape(2, 2, 2, 2).sin())",
    "vmap(lambda x: f(w) * x)(x)",
    "vmap(grad(scalar))(x)",
    "vmap(func.hessian(scalar))(x)",
    "vmap(func.jacrev(func.jacrev(scalar)))(x)",
    "vmap(lambda x, t: jvp(f, (x,), (t,)))(x, v)",
    "grad(lambda x: (vmap(f)(x)**2 * v).sum())(x)",
    "jvp(vmap(f), (x,), (v,))",
    "func.jacrev(f)(w), func.jacfwd(f)(w), func.jacrev(f)(x)",
    "func.hessian(lambda x: (vmap(f)(x)**2 * v).sum())(x)",
    "grad(lambda x: vmap(grad(scalar))(x).sin().sum())(x)",
    "grad(lambda x: vmap(lambda a: grad(lambda b: (b * f(a)).sum())(a).sum())(x).sum())(x)",
    "vmap(lambda a: grad(lambda b: vmap(lambda c: (f(b) * c).sum())(a).sum())(a))(x)",
    "x.requires_grad_()\n(vmap(f)(x) * v).sum().backward()\nx.grad",
    "autograd.gradcheck(lambda x: f(x).sum(), w.requires_grad_())",
]

# a class with the parts that are named
CLASS = """
class F(Function):
    generate_vmap_rule = {generated}
    @staticmethod
    def forward({ctx}x):
        return x * 1, x + 1
{setup}{rule}
"""
SETUP = """
    @staticmethod
    def setup_context(ctx, inputs, output):
        pass
"""
RULE = """
    @staticmethod
    def vmap(info, in_dims, x):
        return {}
"""
NO_SETUP = [
    "vmap(F.apply)(x)",
    "vmap(lambda x: F.apply(w))(x)",
    "grad(lambda x: F.apply(x)[0].sum())(x)",
    "func.vjp(F.apply, x)",
    "jvp(F.apply, (x,), (x,))",
]
NO_RULE = [
    "vmap(F.apply)(x)",
    "vmap(lambda x: F.apply(w))(x)",
    "vmap(grad(lambda x: F.apply(x)[0].sum()))(x)",
    "grad(lambda x: vmap(F.apply)(x)[0].sum())(x)",
]
RETURNS = [
    "x, 0, 0",
    "[x, 0]",
    "x * 1, (0, 0)",
    "(x * 1, x + 1), (0,)",
    "(x * 1, x + 1), [0, 0]",
    "(x * 1, x + 1), (0, 1)",
    "(x * 1, x + 1), 0",
    "[x * 1, x + 1], -1",
    "(x * 1, x[0] + 1), (-1, None)",
    "(x * 1, 'text'), (0, None)",
    "(x * 1, 'text'), 0",
]


def declared(ctx: str = "", setup: str = SETUP, rule: str = "", generated: bool = False) -> str:
    return START + CLASS.format(ctx=ctx, setup=setup, rule=rule, generated=generated)


@pytest.mark.parametrize("call", OF_GENERATED)
def test_methods_written_with_tensors(call: str, device: str) -> None:
    found = agree_on(START + GENERATED + call, device)
    assert "Error" not in str(found)


@pytest.mark.parametrize("call", OF_OWN)
@pytest.mark.parametrize("rule", [OWN, LOOP], ids=["sort", "loop"])
def test_methods_written_with_numpy(rule: str, call: str, device: str) -> None:
    found = agree_on(START + rule + call, device)
    assert "Error" not in str(found)


@pytest.mark.parametrize("call", NO_SETUP)
def test_transforms_need_setup_context(call: str) -> None:
    _, text = agree_on(declared("ctx, ", "", generated=True) + call, "cpu")
    assert text.startswith("In order to use an autograd.Function with functorch transforms")


@pytest.mark.parametrize("call", NO_RULE)
def test_vmap_needs_a_rule(call: str) -> None:
    _, text = agree_on(declared() + call, "cpu")
    assert text.startswith("You tried to vmap over F, but it does not have vmap support.")


def test_one_rule_is_enough() -> None:
    program = declared(rule=RULE.format("x, 0"), generated=True)
    _, text = agree_on(program + "vmap(F.apply)(x)", "cpu")
    assert text.startswith("You tried to vmap over F, but it has both generate_vmap_rule=True and")


@pytest.mark.parametrize("returned", RETURNS)
def test_what_a_rule_returns_is_taken_or_refused_as_by_pytorch(returned: str) -> None:
    program = declared(rule=RULE.format(returned))
    agree_on(
        program + "def kept(x):\n    return [t for t in F.apply(x) if not isinstance(t, str)]\n"
        "vmap(kept)(x[:, :2])", "cpu",
    )  # fmt: skip


def test_a_rule_that_does_not_say_where_the_examples_are_is_refused() -> None:
    class One(Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return x * 1

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            pass

        @staticmethod
        def vmap(info: Any, in_dims: Any, x: Any) -> Any:
            return x if info.batch_size == 2 else (x, 5 - info.batch_size)

    with pytest.raises(RuntimeError, match=r"to have two returns, .* Got a <class .*Tensor'> inst"):
        func.vmap(One.apply)(gpugrad.ones(2, 3))
    # PyTorch 2.13 believes the rule, and gives results of other shapes
    with pytest.raises(RuntimeError, match="has no dimension 2, where out_dims says"):
        func.vmap(One.apply)(gpugrad.ones(3, 2))
    with pytest.raises(RuntimeError, match="has 2 examples instead of 4 in dimension 1, where out"):
        func.vmap(One.apply)(gpugrad.ones(4, 2))


def test_a_class_says_what_it_can_do() -> None:
    agree_on("torch.autograd.Function.generate_vmap_rule", "cpu")
    agree_on("torch.autograd.Function.vmap(None, None)", "cpu")


def test_arguments_by_name_are_arguments_like_others() -> None:
    program = declared(rule=RULE.format("(x * y, x), 0").replace("in_dims, x", "in_dims, x, y"))
    program = program.replace("forward(x)", "forward(x, y=3)")
    for call in ("vmap(F.apply)(x)", "vmap(lambda x: F.apply(x, y=4))(x)", "F.apply(y=2, x=x)"):
        agree_on(f"{program}{call}", "cpu")


def test_several_outputs_and_inputs_that_are_the_same_for_all(device: str) -> None:
    # PyTorch 2.13 fails: "flat_bdims must not be None"
    class F(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x: Any, w: Any) -> Any:
            return x * w, x.exp()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs, output[1])

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            x, w, out = ctx.saved_tensors
            return g * w + h * out, g * x

    x = gpugrad.arange(6.0, device=device).reshape(2, 3).requires_grad_()
    w = gpugrad.tensor([1.0, -1.0, 2.0], device=device, requires_grad=True)

    y, z = func.vmap(F.apply, (0, None))(x, w)
    (y + z).sum().backward()

    assert_agree(x.grad, w.expand(2, 3) + x.exp())
    assert_agree(w.grad, x.sum(0))


def test_a_rule_is_not_seen_by_gradients_of_one_example() -> None:
    # what a derivative within vmap needs is backward of one example, whatever the rule does
    class Exp(Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return x.exp()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0]

        @staticmethod
        def vmap(info: Any, in_dims: Any, x: Any) -> Any:
            return gpugrad.tensor(x.numpy(force=True)).exp(), in_dims[0]

    x = gpugrad.tensor([[0.0, 1.0], [2.0, 3.0]])
    found = func.vmap(func.grad(lambda x: Exp.apply(x).sum()))(x)
    assert found.tolist() == x.exp().tolist()


IN_JVP = {
    "ctx.save_for_forward(x, y)": [1.0, 2.0],
    "ctx.save_for_backward(y, x); ctx.save_for_forward(x, y)": [1.0, 2.0],
    "ctx.save_for_backward(x, y); ctx.save_for_forward(y)": [2.0],
    "ctx.save_for_forward(y, output)": [2.0, 2.0],
}


@pytest.mark.parametrize("saves", IN_JVP)
@pytest.mark.parametrize(
    "call",
    [
        "torch.func.jvp(F.apply, (x, y), (x, y))",
        "with forward_ad.dual_level():\n    F.apply(*[forward_ad.make_dual(t, t) for t in (x, y)])",
    ],
)
def test_in_jvp_the_saved_tensors_are_those_for_forward(saves: str, call: str) -> None:
    program = f"""
F = type("F", (torch.autograd.Function,), dict(
    forward=staticmethod(lambda x, y: x * y),
    setup_context=staticmethod(lambda ctx, inputs, output: save(ctx, *inputs, output)),
    jvp=staticmethod(lambda ctx, s, t: seen.append(ctx.saved_tensors) or s + t),
))
def save(ctx, x, y, output):
    {saves}
seen = []
x, y = torch.tensor(1.0), torch.tensor(2.0)
forward_ad = torch.autograd.forward_ad
{call}
[t.item() for t in seen[0]]
""".strip()
    assert agree_on(program, "cpu") == IN_JVP[saves]


# --------------------------------------------------------------------------- nested arguments

NESTED = """
class F(Function):
    forward = staticmethod(lambda *args: total(args))
    setup_context = staticmethod(lambda ctx, inputs, output: None)
    backward = staticmethod(lambda ctx, g: (g * 2, None))
    @staticmethod
    def vmap(info, in_dims, *args):
        seen.append(in_dims)
        return total(args), 0

def total(tree):
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    return sum(map(total, tree)) if isinstance(tree, (list, tuple)) else 0 if tree is None else tree

seen, y = [], x * 2
found = {call}
found, seen
"""


@pytest.mark.parametrize(
    "call",
    [
        "vmap(F.apply)(x, [y])",
        "vmap(F.apply)(x, (y, y))",
        "vmap(F.apply, (0, (0, None)))(x, (y, w))",
        "vmap(F.apply, (None, 0))(w, [y])",
        "vmap(F.apply)({'a': [x, y], 'b': x})",
        "vmap(lambda a, b: F.apply(a, {'a': (1, b), 'b': None}))(x, y)",
        "vmap(vmap(F.apply))(x, [y])",
        "vmap(vmap(F.apply), (0, None))(x, [y[0]])",
        "vmap(lambda a: F.apply(w, [a, w]))(x)",
        "grad(lambda x: vmap(F.apply)(x, [y]).sum())(x)",
        "vmap(grad(lambda a, b: F.apply(a, [b]).sum()))(x, y)",
        "vmap(lambda a: F.apply(a, 2 * [w]))(x)",
    ],
)
def test_a_rule_sees_the_examples_of_nested_arguments(call: str, device: str) -> None:
    found = agree_on(START + NESTED.format(call=call).strip(), device)
    assert isinstance(found, list), found


def nested(call: str, *changes: tuple[str, str]) -> str:
    program = START + NESTED.format(call=call).strip()
    for before, after in changes:
        program = program.replace(before, after)
    return program


def test_outputs_of_a_rule_may_be_nested() -> None:
    rule = "return total(args), 0"
    call = "vmap(lambda a, b: F.apply(a, [b])['s'])(x, y)"
    agree_on(nested(call, (rule, "return {'s': total(args).mT}, {'s': 1}")), "cpu")
    kind, _ = agree_on(nested("vmap(F.apply)(x, [y])", (rule, "return [args[0]], (0, 1)")), "cpu")
    assert kind == "RuntimeError"


def test_a_rule_takes_no_tensors_by_keyword() -> None:
    program = nested("vmap(lambda a: F.apply(a, y=a))(x)", ("*args", "x, *, y"), ("args", "x"))
    with pytest.raises(NotImplementedError, match="with kwarg-only Tensor args"):
        run(program, gpugrad)
