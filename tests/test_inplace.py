"""In-place forms that are generated: what they write, and what they leave to the general way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad.backend import cpu
from gpugrad.op import OPS
from gpugrad.op.generated import inplace

FORMS = [op for op in OPS.values() if op.specializes]


def general(*operands: Any, **keywords: Any) -> Any:
    return "the general way"


def copy(self: Any, src: Any, non_blocking: bool = False) -> Any:
    return "the general way"


def form(op: Any) -> Callable[..., Any]:
    return inplace.inplace(op, f"{op.function}_", general)


def numbers(dtype: str, *shape: int) -> Any:
    return np.random.default_rng(7).uniform(0.25, 0.75, shape).astype(dtype)


@pytest.mark.parametrize("size", [3, cpu.LARGE])
@pytest.mark.parametrize("op", FORMS, ids=lambda op: op.formula.name)
def test_every_form_writes_what_the_function_returns(op: Any, size: int) -> None:
    kinds = [("float32", "tensor"), ("float64", "tensor")]
    if not op.numbered:
        kinds.append(("float32", "number"))
    for dtype, kind in kinds:
        shapes = [(2, size), (size,), (1,), *[()] * len(op.parameters)]
        arrays = [numbers(dtype, *shape) for shape in shapes]
        operands: list[Any] = [gpugrad.from_numpy(a.copy()) for a in arrays[: len(op.parameters)]]
        if kind == "number":
            operands[1:] = ([0.5, 2, 0.25, 3] * 2)[: len(operands) - 1]
        expected = op(*operands).numpy()
        before = operands[0].numpy()

        assert form(op)(*operands) is operands[0]

        assert operands[0].numpy() is before
        np.testing.assert_array_equal(before, expected)
        assert operands[0]._version == 1


def with_base_that_became_a_leaf() -> tuple[Any, Any]:
    base = gpugrad.ones(3)
    view = base[:2]
    base.requires_grad_()
    return view, 2.0


def leaf(*shape: int) -> Any:
    return gpugrad.ones(*shape, requires_grad=True)


def made_in_inference_mode() -> Any:
    with gpugrad.inference_mode():
        return gpugrad.ones(3)


ELSEWHERE: dict[str, Callable[[], tuple[Any, Any]]] = {
    "leaf": lambda: (leaf(3), 2.0),
    "computed": lambda: (leaf(3) * 1, 2.0),
    "view of what is recorded": lambda: ((leaf(3) * 1)[:2], 2.0),
    "view of what became a leaf": with_base_that_became_a_leaf,
    "operand that requires grad": lambda: (gpugrad.ones(3), leaf(3)),
    "inference tensor": lambda: (made_in_inference_mode(), 2.0),
    "elements on each other": lambda: (gpugrad.ones(1).expand(3), 2.0),
    "steps": lambda: (gpugrad.ones(6)[::2], 2.0),
    "operand in the same memory": lambda: ((b := gpugrad.ones(3))[1:], b[:2]),
    "operand in the memory of the base": lambda: ((b := gpugrad.ones(3)), b[:1]),
    "another type": lambda: (gpugrad.ones(3), gpugrad.ones(3, dtype=gpugrad.float64)),
    "integers of 32 bits": lambda: (gpugrad.ones(3, dtype=gpugrad.int32), 2),
    "integers and a fraction": lambda: (gpugrad.ones(3, dtype=gpugrad.int64), 2.5),
    "integers and a whole fraction": lambda: (gpugrad.ones(3, dtype=gpugrad.int64), 2.0),
    "integer out of range": lambda: (gpugrad.ones(3, dtype=gpugrad.int64), 2**63),
    "bool": lambda: (gpugrad.ones(3), True),
    "array": lambda: (gpugrad.ones(3), np.ones(3, np.float32)),
    "larger operand": lambda: (gpugrad.ones(3), gpugrad.ones(2, 3)),
    "number out of range": lambda: (gpugrad.ones(3), 10**400),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_whatever_is_not_plain_is_left_unwritten_to_the_general_way(name: str) -> None:
    tensor, operand = ELSEWHERE[name]()
    before = tensor.detach().clone()

    assert form(OPS["mul"])(tensor, operand) == "the general way"

    assert np.array_equal(tensor.detach().numpy(), before.numpy())


@pytest.mark.parametrize("name", ["plus", "minus", "mul"])
def test_integers_are_written_at_once_and_wrap_around(name: str) -> None:
    largest = 2**63 - 1
    for other in (3, -(2**62), gpugrad.tensor([2, largest, -1])):
        x = gpugrad.tensor([0, largest, -5])
        expected = OPS[name](x, other)
        assert form(OPS[name])(x, other) is x
        assert x.tolist() == expected.tolist()
        assert x._version == 1


def test_integers_are_written_by_no_other_formula() -> None:
    for op in FORMS:
        operands = [gpugrad.ones(3, dtype=gpugrad.int64) for _ in op.parameters]
        if op not in (OPS["plus"], OPS["minus"], OPS["mul"], OPS["minus_reflected"]):
            assert form(op)(*operands) == "the general way"


def test_plain_tensors_are_copied_at_once_and_others_the_general_way() -> None:
    copied = inplace.copying(copy)
    for shape in (3,), (2, 3):
        target, source = gpugrad.zeros(shape), gpugrad.ones(shape)
        assert copied(target, source, False) is target
        assert (target == source).all()
        assert target._version == 1
    others = [
        *(ELSEWHERE[name]() for name in ELSEWHERE if "number" not in name),
        (gpugrad.ones(3), 2.0),
        (gpugrad.ones(3), gpugrad.ones(1, 3)),
        (gpugrad.ones(3), gpugrad.ones(1)),
    ]
    for target, source in others:
        before = target.detach().clone()
        assert copied(target, source, False) == "the general way"
        assert np.array_equal(target.detach().numpy(), before.numpy())


def test_numbers_keep_their_sign_and_value_and_the_latest_only_are_kept() -> None:
    x = gpugrad.ones(1)
    for number in (0.0, -0.0, 0, float("nan"), 1, 1.0, 3, 3.5, float("inf"), 1e300):
        written = gpugrad.ones(1).mul_(number).numpy()
        with np.errstate(over="ignore"):
            expected = np.float32(number) * np.ones(1, np.float32)
        np.testing.assert_array_equal(written, expected)
        assert np.signbit(written) == np.signbit(expected)

    for k in range(3000):
        x.add_(k + 0.5).sub_(1, alpha=k + 0.25)
    assert all(len(known) <= 1000 for known in cpu.NUMBERS.values())


def test_an_error_names_the_write_that_came_after_the_value_was_saved() -> None:
    w, x = gpugrad.ones(3), leaf(3)
    w.mul_(2)
    y = x * w
    w.mul_(3)  # this one
    w.add_(1)

    with pytest.raises(RuntimeError) as error:
        y.sum().backward()

    assert "w.mul_(3)  # this one" in error.value.__notes__[0]


def test_a_gradient_that_is_added_to_is_not_only_written_in_the_part_written_before() -> None:
    x, w = leaf(4), leaf(2)
    x.sum().backward()
    part, other = x.grad[:2], x.grad[2:]
    part.mul_(2)
    y = w * other
    part.mul_(2)
    x.sum().backward()
    part.mul_(2)

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_view_of_what_moves_is_not_written_without_its_tangent() -> None:
    forward_ad = gpugrad.autograd.forward_ad
    with forward_ad.dual_level():
        x = gpugrad.ones(3)
        view = x[:2]
        x.copy_(forward_ad.make_dual(gpugrad.ones(3), gpugrad.ones(3)))
        view.mul_(2)
        tangent: Any = forward_ad.unpack_dual(x).tangent

    assert tangent.tolist() == [2, 2, 1]


def test_what_follows_another_tensor_is_read_as_that_is_now() -> None:
    values = gpugrad.complex(gpugrad.ones(2), gpugrad.ones(2))
    follower = values.conj().imag
    values.mul_(2)
    x, y = gpugrad.ones(2), gpugrad.ones(2)
    z = leaf(2) * 1
    x.add_(follower)
    y[1] = follower[1]
    z[:1].add_(follower[:1])

    assert (x.tolist(), y.tolist(), z.tolist()) == ([-1, -1], [1, -2], [-1, 1])


# Each is a write into a part of y, which is computed from x; w requires grad, too.
WRITES = {
    "number": "y[1:3].mul_(3)",
    "the value that was there is needed": "y[1:3].mul_(w)",
    "alone": "y[1:3].pow_(2)",
    "its result is needed": "y[1:3].exp_()",
    "assigned": "y[1:3] = w * 2",
    "assigned number": "y[1] = 5.0",
    "added": "y[2] += w[0]",
    "read twice": "v = y[1:3]; v.mul_(v.clone())",
    "from another part": "y[1:3].mul_(y[:1].clone())",
    "views of before": "a, b = y[1:3], y[2:]; a.mul_(w); b.mul_(a[1].clone())",
    "column": "y = torch.stack([y, y * 2]); y[:, 1].mul_(w)",
    "only what is written requires grad": "y = y.detach(); y[1:3] = w; y[2:].mul_(w[0])",
    "written, then detached": "v = y[1:3]; v.mul_(w); y.detach_(); y = v",
    "written, then used": "v = y[1:3]; v.mul_(w); y = v * y.sum()",
    "loop": "for k in range(4): y[k] = y[k - 1].clone() * w[0]",
    "hook of the value before": "v = y[1:3]; v.register_hook(lambda g: g * 2); v.mul_(w)",
    "retained": "y.retain_grad(); y[1:3].mul_(w); y[0] = 1.0",
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_into_a_part_has_pytorchs_derivatives_of_both_orders(name: str) -> None:
    found = []
    for torch in (gpugrad, pytorch()):
        x = torch.tensor([0.5, -1.0, 2.0, 1.5], dtype=torch.float64, requires_grad=True)
        w = torch.tensor([1.5, -0.5], dtype=torch.float64, requires_grad=True)
        y = x * x
        given = {"torch": torch, "x": x, "w": w, "y": y}
        exec(WRITES[name], given)
        out = (given["y"] ** 2).sum()
        options = {"allow_unused": True, "materialize_grads": True}
        first = torch.autograd.grad(out, (x, w), create_graph=True, **options)
        total = sum((g * g).sum() for g in first) + out * 0
        second = torch.autograd.grad(total, (x, w), **options)
        retained = [y.grad] if name == "retained" else []
        found.append([g.detach().numpy() for g in (out, *first, *second, *retained)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_write_into_a_part_is_linearized_and_needs_only_what_is_asked() -> None:
    x, w = leaf(4), gpugrad.tensor([2.0, 3.0], requires_grad=True)

    def f(x: Any) -> Any:
        y = x * x
        y[1:3].mul_(w)
        y[:1].pow_(3)
        return y

    _, moved = gpugrad.func.linearize(f, x.detach())
    assert moved(gpugrad.ones(4)).tolist() == [6, 4, 6, 2]
    y = f(x)
    (only,) = gpugrad.autograd.grad(y.sum(), w, retain_graph=True)
    assert only.tolist() == [1, 1]
    y.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


def test_zero_grad_fills_the_gradient_itself() -> None:
    p = gpugrad.ones(2, requires_grad=True)
    optimizer = gpugrad.optim.SGD([p], lr=0.1)
    (p * p).sum().backward()
    mine = p.grad
    assert mine is not None
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is mine
    assert mine.tolist() == [0, 0]
    (p * p).sum().backward(create_graph=True)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is not None
    assert p.grad.tolist() == [0, 0]
    assert not p.grad.requires_grad


def added_to(torch: Any, y: Any) -> Any:
    y[1] += 1
    y[0, 1] *= y[1, 1]
    y[1:] += 1
    return y


def added_to_part(torch: Any, y: Any) -> Any:
    part = y[1]
    part[1] += 1
    part[:2] *= 3
    return y


def written_with_itself(torch: Any, y: Any) -> Any:
    y[1] = y[1]
    return y


def written_with_itself_detached(torch: Any, y: Any) -> Any:
    y[1] = y[1].detach()
    return y


def written_with_what_it_was(torch: Any, y: Any) -> Any:
    row = y[1]
    y[1] = 7
    y[1] = row
    return y


def written_with_a_hooked_part(torch: Any, y: Any) -> Any:
    row = y[1]
    row += 1
    row.register_hook(lambda g: 5 * g)
    y[1] = row
    return y


def saved_before(torch: Any, y: Any) -> Any:
    row = y[1]
    row += 1
    saved = y * y
    y[1] = row
    return saved


@pytest.mark.parametrize("program", [
    added_to, added_to_part, written_with_itself, written_with_itself_detached,
    written_with_what_it_was, written_with_a_hooked_part, saved_before,
], ids=lambda program: program.__name__)  # fmt: skip
def test_a_part_that_is_written_with_itself(program: Any) -> None:
    """Python ends ``x[i] += 1`` with ``x[i] = x[i]``."""
    torch = pytorch()

    def told(torch: Any) -> Any:
        x = torch.arange(6.0).reshape(2, 3).requires_grad_()
        y = x * x
        out = program(torch, y)
        found = [out.detach().tolist(), out._version, type(out.grad_fn).__name__]
        try:
            (g,) = torch.autograd.grad((out**2).sum(), x, create_graph=True)
            (second,) = torch.autograd.grad(g.sum(), x)
            return [*found, g.tolist(), second.tolist()]
        except RuntimeError:
            return [*found, "refused"]

    assert told(gpugrad) == told(torch)


class Reflecting:
    """An object whose class knows what it is added to, multiplied by and so on."""


SIGNS = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod",
         "**": "pow", "&": "and", "|": "or", "^": "xor", "<<": "lshift", ">>": "rshift",
         "@": "matmul"}  # fmt: skip
for _sign, _name in SIGNS.items():
    setattr(Reflecting, f"__r{_name}__", lambda self, other, sign=_sign: sign)


def test_operators_leave_what_is_no_operand_to_its_class() -> None:
    for sign, name in SIGNS.items():
        for other in (Reflecting(), "a", None, [1]):
            found = []
            for lib in (gpugrad, pytorch()):
                names = {"x": lib.ones(2, dtype=lib.int64), "other": other}
                try:
                    exec(f"x {sign}= other", names)
                    found.append(names["x"])
                except TypeError as error:
                    found.append(str(error))
            assert found[0] == found[1], (sign, other)
        operator = getattr(gpugrad.Tensor, f"__i{name}__", None)
        assert operator is None or operator.__name__ == f"__i{name}__"
