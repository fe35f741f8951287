"""What belongs to a transform: what its function may write, and what may not leave it."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
from snippets import raised, run

import gpugrad
from comparison import agree_on, pytorch
from gpugrad import func
from gpugrad.graph import inferring
from gpugrad.testing import flat
from samples import SAMPLES

CAPTURED = (
    "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call "
    "in-place operation"
)
TRANSFORMS = {
    "grad": "func.grad(f)(x)",
    "grad and value": "func.grad_and_value(f)(x)",
    "vjp": "func.vjp(f, x)[0]",
    "jvp": "func.jvp(f, (x,), (x,))",
    "jacrev": "func.jacrev(f)(x)",
    "jacfwd": "func.jacfwd(f)(x)",
    "hessian": "func.hessian(f)(x)",
    "of each": "func.vmap(func.grad(f))(torch.stack([x, x]))",
    "around vmap": "func.grad(lambda x: func.vmap(f)(torch.stack([x, x])).sum())(x)",
    "inner": "func.grad(lambda y: func.grad(f)(y).sum())(x)",
}
WRITES = {
    "a number": "w.add_(1)",
    "what is differentiated": "w.add_(x)",
    "a view": "w[0].mul_(2)",
    "a view of a view": "w.view(1, 2)[0].mul_(x)",
    "an element": "w[0] = x[0]",
    "at indices": "w[torch.tensor([0])] = 1.0",
    "zero": "w.zero_()",
    "fill": "w.fill_(2)",
    "copy": "w.copy_(x)",
    "masked": "w.masked_fill_(w == 0, 1.0)",
    "function": "w.exp_()",
    "detached": "w.detach().add_(1)",
    "same": "w.to(torch.float64).add_(x)",
    "its shape": "w.unsqueeze_(0)",
    "transposed": "w.t_()",
    "history": "w.detach_()",
    "unrecorded": "with torch.no_grad(): w.add_(x)",
}


def program(call: str, *lines: str, w: str = "torch.zeros(2).double()") -> str:
    body = "\n    ".join(lines)
    return f"""
func = torch.func
x = torch.tensor([1.0, 2.0]).double(); w = {w}
def f(x):
    {body}
    return (w * x).sum()
try:
    found = {call}
except RuntimeError as error:
    found = str(error).split(" (aten")[0].split(" that would")[0]
found, w.tolist(), w.requires_grad, (w + 1).sum()
""".strip()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_what_is_captured_is_not_written(transform: str) -> None:
    found = agree_on(program(TRANSFORMS[transform], "w.add_(x)"), "cpu")
    assert found[0] == CAPTURED
    with pytest.raises(RuntimeError, match="mutate a captured Tensor"):
        func.linearize(lambda x: (x * KEPT.add_(x)).sum(), gpugrad.ones(2))


KEPT = gpugrad.zeros(2)


@pytest.mark.parametrize("transform", ["grad", "jvp"])
@pytest.mark.parametrize("write", WRITES)
def test_nor_by_any_write(write: str, transform: str) -> None:
    found = agree_on(program(TRANSFORMS[transform], WRITES[write]), "cpu")
    assert found[:2] == [CAPTURED, [0.0, 0.0]]


# What a function makes, from what is captured or not, and gives to the transform.
OWN = [
    "torch.zeros(2).double()",
    "torch.zeros(4).double()[:2]",
    "torch.zeros_like(x)",
    "torch.tensor([0.0, 0.0]).double()",
    "torch.from_numpy(np.zeros(2))",
    "torch.as_tensor(np.zeros(2))",
    "w.clone()",
    "w * 2",
    "w.to(torch.float32)",
    "torch.stack([w[0], w[1]])",
    "x.detach().clone()",
    "x * 2",
    "(x * 2).detach()",
    "(x.exp() * 2)[:]",
    "x.exp().detach()",
    "torch.arange(2.0).double()",
    "sum(torch.zeros(2, 2).double().unbind(0))",
    "func.grad(lambda y: (torch.zeros(2).add_(y) * y).sum())(x)",
    "func.vmap(lambda y: y.add_(1))(torch.zeros(2, 2).double())[0]",
]


@pytest.mark.parametrize("transform", ["jvp", "hessian", "of each"])
@pytest.mark.parametrize("own", OWN)
def test_what_a_function_made_it_writes(own: str, transform: str) -> None:
    if transform == "of each":  # what is written differs by example, and is a number here
        own = own.replace("add_(y)", "add_(1)")
    value = "x" if transform != "of each" else "1"
    call = TRANSFORMS[transform].replace("(f)", "(g)").replace("(f,", "(g,")
    agree_on(
        program(
            f"({call})",
            f"return (({own}).add_({value}).to(x.dtype) ** 2).sum() + (x ** 3).sum()",
        ).replace("try:", "g = f\ntry:"),
        "cpu",
    )


ARGUMENTS = {
    "of grad": "func.grad(lambda x, w: (w.add_(x) * x).sum())(x, w)",
    "of jacfwd": "func.jacfwd(lambda x, w: w.add_(x) * x)(x, w)",
    "of hessian": "func.hessian(lambda x, w: (w.add_(x) ** 2).sum())(x, w)",
    "by name": "func.grad(lambda x, *, w: (w.add_(x) * x).sum())(x, w=w)",
    "in a list": "func.grad(lambda x, l: (l[0].add_(x) * x).sum())(x, [w])",
    "a view": "func.grad(lambda x, w: (w[:1].add_(x[:1]) * x).sum())(x, w)",
    "that moves": "func.jvp(lambda w: w.add_(1) * 2, (w,), (x,))",
    "and its tangent": "func.jvp(lambda w: w.mul_(2) * w, (w,), (x,)), x",
    "of each": "func.vmap(func.grad(lambda x, w: (w.add_(x) ** 2).sum()))(x[None], w[None])",
    "of what is inside": (
        "func.grad(lambda y: (func.grad(lambda y, v: (v.add_(y) * y).sum())(y, w * 1)).sum())(x)"
    ),
    "by which it is differentiated": "func.grad(lambda x: x.add_(1).sum())(x)",
    "which moves, captured": "func.jvp(lambda y: (x.mul_(2) * y).sum(), (x,), (x * 1,))",
    "captured": "func.grad(lambda y: (x.add_(1) * y).sum())(x)",
    "of what is around": (
        "func.vmap(lambda x: func.grad(lambda y: (x.add_(1) * y).sum())(x))(torch.stack([x, x]))"
    ),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_is_written_where_it_is_the_functions(name: str) -> None:
    agree_on(program(ARGUMENTS[name], "0") + ", x", "cpu")


def test_whatever_an_operation_makes_in_a_derivative_is_its_own(device: str) -> None:
    """A result that was not marked where it was made would be taken for one from outside."""
    one = gpugrad.ones((), device=device)
    refused = []
    for op, samples in SAMPLES.items():
        sample = samples[0]
        inputs = [t.detach() for t in sample.tensors(device=device)]

        def function(x: Any, sample: Any = sample, inputs: Any = inputs, op: str = op) -> Any:
            made = [t * x.to(t.dtype) if t.is_floating_point() else t.clone() for t in inputs]
            for t in flat(sample.function(gpugrad, *made)):
                try:
                    t.zero_()
                except RuntimeError as error:
                    if "captured" in str(error):
                        refused.append(op)
            return x * 1

        for transform in func.grad, lambda f: lambda x: func.jvp(f, (x,), (x,)):
            transform(function)(one)
    assert not refused


def test_a_scope_leaves_nothing_behind() -> None:
    made: list[Any] = []

    def function(x: Any) -> Any:
        tensor = gpugrad.zeros(2)
        made.append(weakref.ref(tensor))
        raise KeyError

    for transform in (
        lambda: func.grad(function)(gpugrad.ones(2)),
        lambda: func.jvp(function, (gpugrad.ones(2),), (gpugrad.ones(2),)),
    ):
        with pytest.raises(KeyError):
            transform()
    assert [ref() for ref in made] == [None, None]
    assert not inferring
    KEPT.add_(1)


# --------------------------------------------------------------------------- out of vmap

USES = [
    "t + 1", "t.sum()", "t.view(-1)", "t[None]", "t.clone()", "t.detach()", "t.exp_()", "t.add_(1)",
    "t.reshape(1, 1) @ t.reshape(1, 1)", "torch.where(t > 0, t, t)", "torch.ones(2) + t",
    "t.to(torch.float64)", "t.argmax()", "t[None].dot(t[None])",
    "t.__setitem__(..., 1)", "t.requires_grad_().sum().backward()",
]  # fmt: skip


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("made", ["x", "x * 1"])
def test_what_escaped_from_vmap_is_refused(made: str, use: str) -> None:
    kept = f"""
kept = []
torch.func.vmap(lambda x: kept.append({made}) or x)(torch.tensor([1.0, 2.0]))
t = kept[0]
""".lstrip()
    kind, message = raised(kept + use, gpugrad)
    assert (kind, message.split("`")[0]) == (RuntimeError, ESCAPED)
    kind, message = raised(kept + use, pytorch())
    assert (kind, message.split("`")[0]) == (RuntimeError, ESCAPED)


ESCAPED = (
    "Either your tensor may have escaped from inside a function being vmapped and this is a user "
    "error (see https://pytorch.org/functorch/stable/ux_limitations.html), or there is an internal "
    "functorch error in "
)


@pytest.mark.parametrize(
    "use",
    [
        "func.vmap(lambda y: y + t)(x)",
        "func.vmap(lambda y: y + t)(torch.ones(3))",
        "func.grad(lambda y: y * 2)(t)",
        "func.grad(lambda y: y * t)(x[0])",
        "func.jvp(lambda y: y * 2, (t,), (t,))",
        "func.vmap(lambda y: func.vmap(lambda z: z * t)(x))(x)",
    ],
)
def test_nor_does_it_enter_another_transform(use: str) -> None:
    """PyTorch fails by an assertion, or takes the tensor for one of the new level."""
    start = """
func = torch.func; kept = []; x = torch.tensor([1.0, 2.0])
func.vmap(lambda x: kept.append(x * 1) or x)(x)
t = kept[0]
""".lstrip()
    kind, message = raised(start + use, gpugrad)
    assert (kind, message.split("`")[0]) == (RuntimeError, ESCAPED)


def test_what_was_recorded_in_vmap_is_walked_when_it_has_ended(device: str) -> None:
    start = """
func = torch.func
x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
y = func.vmap(lambda x: (x * x).exp())(x)
g, = torch.autograd.grad(y.sum(), x, create_graph=True)
""".lstrip()
    agree_on(start + "g.detach(), torch.autograd.grad(g.sum(), x)", device)
    push = "func.linearize(func.vmap(lambda x: (x * x).exp()), x.detach())[1](torch.ones(2))"
    pushed: Any = run(start + push.replace("(2)", "(2, dtype=x.dtype)"), gpugrad, device)
    pulled: Any = run(start + "g", gpugrad, device)
    assert pushed.tolist() == pulled.tolist()


def test_a_view_of_an_argument_that_was_lifted_is_as_it_was(device: str) -> None:
    w = gpugrad.zeros(2, device=device)
    view = w[:1]
    x = gpugrad.tensor([1.0, 2.0], device=device)
    func.hessian(lambda x, w: (w.add_(x**2) * view).sum())(x, w)
    assert (view + 1).tolist() == [2]
    assert (w + 1).tolist() == [2, 5]


# --------------------------------------------------------------------------- inference mode

INFERENCE = """
func = torch.func; V = func.vmap
energy = lambda x: (x**3).sum()
with torch.inference_mode():
    weight = torch.tensor([1.0, 2.0])
plain = torch.tensor([1.0, 2.0]); one = torch.tensor(1.0)
class Cube(torch.autograd.Function):
    forward = staticmethod(lambda x: x**3)
    setup_context = staticmethod(lambda ctx, i, o: ctx.save_for_backward(*i))
    backward = staticmethod(lambda ctx, g: 3 * g * ctx.saved_tensors[0] ** 2)
def inside(f):
    with torch.inference_mode():
        return f()
""".lstrip()


@pytest.mark.parametrize(
    "call",
    [
        "func.grad(energy)({0})",
        "func.grad(lambda x: (x * weight).sum())({0})",
        "func.vjp(energy, {0})[1](one)",
        "func.jvp(energy, ({0},), ({0},))",
        "func.hessian(energy)({0})",
        "func.jacfwd(lambda x: x**2)({0})",
        "func.jacrev(lambda x: x**2)({0})",
        "V(func.grad(energy))({0}.reshape(1, 2))",
        "func.grad(lambda x: func.grad(energy)(x).sum())({0})",
        "func.grad(lambda x: (torch.zeros(2).add_(x) ** 2).sum())({0})",
        "func.grad(lambda x: x @ x)({0})",
        "func.grad(lambda x: Cube.apply(x).sum())({0})",
        "func.grad(energy)({0}).is_inference()",
        "func.grad(lambda x, w: (w.add_(x) ** 2).sum())(torch.ones(2), {0})",
    ],
)
@pytest.mark.parametrize("tensor", ["weight", "plain"])
@pytest.mark.parametrize("where", ["{}", "inside(lambda: {})"])
def test_derivatives_in_inference_mode_and_of_what_was_made_there(
    where: str, tensor: str, call: str, device: str
) -> None:
    agree_on(INFERENCE + where.format(call.format(tensor)), device)


def test_what_was_made_in_inference_mode_is_saved_for_derivatives_only(device: str) -> None:
    kind, message = agree_on(INFERENCE + "(plain.requires_grad_() * weight).sum()", device)
    assert (kind, message[:17]) == ("RuntimeError", "Inference tensors")
    pull = (
        "_, pull = func.vjp(lambda x: (x**2 * weight).sum(), plain)\n"
        "with torch.inference_mode(): weight.add_(1)\n"
    )
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        run(INFERENCE + pull + "pull(one)", gpugrad, device)
    late = "inside(lambda: func.grad(lambda x, w: ((x * w).sum(), w.add_(1))[0])(plain, weight))"
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        run(INFERENCE + late, gpugrad, device)


@pytest.mark.parametrize("transform", ["grad", "jvp", "jacfwd", "hessian"])
def test_what_is_kept_of_a_derivative_is_used_afterwards(transform: str, device: str) -> None:
    """Inside of it there may be hidden axes, which say no more than that examples are equal."""
    start = """
func = torch.func; kept = []; x = torch.tensor([1.0, 2.0])
def f(x):
    kept.extend([x, x * 2, torch.ones(2)])
    return (x * x).sum()
""".lstrip()
    end = "\nkept = [t.detach() for t in kept]\nkept, [(t + 1) * 3 for t in kept]"
    agree_on(start + TRANSFORMS[transform] + end, device)
    shown = run(start + TRANSFORMS[transform] + "\nrepr(kept[0].detach())", gpugrad, "cpu")
    assert shown == "tensor([1., 2.])"


WRITES_TO_WHAT_IS_KEPT = [
    "t.mul_(3)", "t.exp_()", "t.fill_(3.0)", "t.zero_()", "t[0] = 5.0", "t[1:].mul_(2)",
    "t.copy_(plain)", "t.masked_fill_(t > 3, 0.0)", "t.index_add_(0, plain.long(), plain)",
    "torch.mul(plain, 2, out=t)", "t.unsqueeze_(0)", "t.requires_grad_().sum().backward()",
    "plain.copy_(t)", "plain.grad = t", "plain.data = t", "copy.deepcopy(t)",
    "torch.equal(t, plain)", "torch.allclose(t, plain)",
]  # fmt: skip


@pytest.mark.parametrize("how", WRITES_TO_WHAT_IS_KEPT)
def test_what_is_kept_of_a_derivative_is_written_afterwards(how: str, device: str) -> None:
    """A write looks at the memory before anything else asks what a tensor is by now."""
    start = """
import copy; func = torch.func; kept = []; x = torch.tensor([1.0, 2.0])
plain = torch.tensor([1.0, 0.0])
f = lambda x: kept.append((x * 2).detach()) or (x * x * x).sum()
""".lstrip()
    end = f"\nt = kept[0]\n{how}\nrepr([t, plain, t.grad, plain.grad])"
    ordinary = run(start + "f(x)" + end, gpugrad, device)
    assert run(start + "func.hessian(f)(x)" + end, gpugrad, device) == ordinary


def test_the_data_of_a_tensor_is_not_replaced_by_that_of_examples(device: str) -> None:
    agree_on("x = torch.ones(2)\ntorch.vmap(lambda a: setattr(x, 'data', a) or a)(x * 2)", device)
