"""How many kernels a gradient costs on CUDA, real or emulated, and that the counter is right."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import choice
import gpugrad as torch
from gpugrad.graph import Node, Output
from gpugrad.op import Elementwise
from gpugrad.op.forms import PUBLIC
from gpugrad.testing import count_kernels, flat
from samples import Sample

pytestmark = pytest.mark.cuda

Tensor = Any
Function = Callable[..., Tensor]
Shape = tuple[int, ...]


def leaf(shape: Shape, seed: int, dtype: str = "float32") -> Tensor:
    data = np.random.default_rng((seed, *shape)).uniform(0.5, 1.5, shape).astype(dtype)
    return torch.tensor(data, device="cuda", requires_grad=True)


# --------------------------------------------------------------------------- nodes of a walk


class Spy:
    """A rule whose backward counts the kernels that it launches."""

    def __init__(self, rule: Any, counts: list[tuple[str, int, int]]):
        self.rule = rule
        self.counts = counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rule, name)

    def narrowed(self, needs: Any) -> Spy:
        return Spy(self.rule.narrowed(needs), self.counts)

    def backward(self, node: Any, g: Any) -> Any:
        with count_kernels() as launched:
            results = self.rule.backward(node, g)
        broadcast = 0
        if isinstance(node.op, Elementwise):
            shapes = (
                getattr(node.params, "shapes", node.params) or ()
            )  # plain calls note these only
            broadcast = sum(s != np.broadcast_shapes(*shapes) for s in shapes)
        self.counts.append((node.op.name, launched.total, broadcast))
        return results


def nodes_below(tensor: Tensor) -> list[Node]:
    found: dict[int, Node] = {}
    stack: list[Any] = [tensor.grad_fn]
    while stack:
        edge = stack.pop()
        node = edge.node if isinstance(edge, Output) else edge
        if isinstance(node, Node) and id(node) not in found:
            found[id(node)] = node
            stack.extend(node.inputs)
    return list(found.values())


@contextmanager
def spied(*tensors: Tensor) -> Iterator[list[tuple[str, int, int]]]:
    """Count the kernels of each node below the tensors, and how many operands were broadcast."""
    counts: list[tuple[str, int, int]] = []
    nodes = {id(n): n for t in tensors for n in nodes_below(t)}.values()
    genuine: list[tuple[Any, Any]] = [(n, n.rule) for n in nodes]
    for node, rule in genuine:
        node.rule = Spy(rule, counts)
    yield counts
    for node, rule in genuine:
        node.rule = rule


def counts_by_order(
    function: Function, shapes: Sequence[Shape], dtype: str = "float32"
) -> list[list[tuple[str, int, int]]]:
    """Return, for orders 1 to 3, name, kernels and broadcast operands of each backward node."""
    inputs = [leaf(s, k, dtype) for k, s in enumerate(shapes)]
    return counts_below([function(*inputs)], inputs, 3)


def counts_below(
    outs: Sequence[Tensor], inputs: Sequence[Tensor], last: int
) -> list[list[tuple[str, int, int]]]:
    """Return the same for given results, up to an order."""
    orders = []
    for order in range(1, last + 1):
        if not outs:
            break
        given = [torch.ones_like(o) for o in outs]
        with spied(*outs) as counts:
            found = torch.autograd.grad(
                outs, inputs, given, create_graph=order < last, allow_unused=True
            )
        orders.append(counts)
        outs = [g for g in found if g is not None and g.requires_grad]
    return orders


FUNCTIONS: dict[str, tuple[Function, int]] = {
    "pow": (lambda x, y: x**y, 2),
    "mul": (lambda x, y: x * y, 2),
    "add": (lambda x, y: x + y, 2),
    "sub": (lambda x, y: x - y, 2),
    "div": (lambda x, y: x / y, 2),
    "where": (lambda x, y: torch.where(x > 1, x, y), 2),
    "maximum": (torch.maximum, 2),
    "tanh": (torch.tanh, 1),
    "sigmoid": (torch.sigmoid, 1),
    "gelu": (torch.gelu, 1),
    "exp": (torch.exp, 1),
    "silu": (torch.silu, 1),
    "softplus": (torch.softplus, 1),
    "square": (lambda x: x**2, 1),
    "cube root": (lambda x: x ** (1 / 3), 1),
    "clamp": (lambda x: x.clamp(0.7, 1.2), 1),
}
SHAPES: dict[int, dict[str, list[Shape]]] = {
    1: {"matrix": [(8, 9)], "0-d": [()]},
    2: {
        "equal": [(8, 9), (8, 9)],
        "row": [(8, 9), (9,)],
        "column": [(8, 1), (8, 9)],
        "both": [(8, 1), (9,)],
        "0-d": [(8, 9), ()],
    },
}
CASES = [
    pytest.param(function, shapes, id=f"{name} {kind}")
    for name, (function, arity) in FUNCTIONS.items()
    for kind, shapes in SHAPES[arity].items()
]


@pytest.mark.parametrize(("function", "shapes"), CASES)
def test_a_backward_node_launches_one_kernel_and_one_more_for_each_broadcast_operand(
    function: Function, shapes: list[Shape]
) -> None:
    for order, counts in enumerate(counts_by_order(function, shapes), 1):
        for name, kernels, broadcast in counts:
            assert kernels <= 1 + broadcast, (order, name, counts)


ELEMENTWISE = [
    (op, s) for op, s in choice.EVERY
    if PUBLIC[op].home.startswith("gpugrad.ops.pointwise.") and f"{op} {s}" != "where indices"
]  # fmt: skip
REACHED = choice.by_rule([(op, s) for op, s in ELEMENTWISE if s.differentiable])


@choice.over([*REACHED, *choice.of_each(choice.without(ELEMENTWISE, REACHED))])
def test_every_elementwise_operation_is_one_kernel_and_so_is_its_backward(
    op: str, sample: Sample
) -> None:
    """PyTorch records two nodes of ``2 / x``, and three of ``float_power``: one kernel each."""
    inputs = sample.tensors(np.float32, "cuda")
    with count_kernels() as launched:
        result = sample.function(torch, *inputs)
    outs = [t for t in flat(result) if t.requires_grad]
    orders = counts_below(outs, [t for t in inputs if t.requires_grad], 2)
    recorded = len(orders[0]) if orders else 1
    assert launched.total <= recorded

    for order, counts in enumerate(orders, 1):
        for name, kernels, broadcast in counts:
            assert kernels <= 1 + broadcast, (order, name, counts)


@pytest.mark.parametrize(
    "context",
    [
        lambda: torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t),
        lambda: torch.conventions("math"),
        torch.autograd.forward_ad.dual_level,
        torch.no_grad,
    ],
)
def test_a_call_launches_one_kernel_whatever_there_is_to_record(context: Any) -> None:
    x = leaf((8, 9), 0)
    with context(), count_kernels() as launched:
        x.exp()

    assert launched.total == 1


@pytest.mark.parametrize("name", ["pow", "mul", "div", "tanh", "sigmoid", "gelu", "exp", "silu"])
def test_operands_of_equal_shape_take_exactly_one_kernel_at_order_one(name: str) -> None:
    function, arity = FUNCTIONS[name]
    ((_, kernels, _),) = counts_by_order(function, [(8, 9)] * arity)[0]
    assert kernels == 1


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", ["pow", "mul", "div", "tanh", "gelu"])
def test_the_count_does_not_depend_on_the_type(name: str, dtype: str) -> None:
    function, arity = FUNCTIONS[name]
    shapes = SHAPES[arity]["row" if arity == 2 else "matrix"]
    assert counts_by_order(function, shapes, dtype) == counts_by_order(function, shapes)


@pytest.mark.parametrize(
    ("name", "shapes", "kernels"),
    [
        ("add", [(8, 9), (8, 9)], 0),  # the gradient is handed on
        ("add", [(8, 9), (9,)], 1),
        ("add", [(8, 1), (9,)], 2),
        ("sub", [(8, 9), (8, 9)], 1),  # the negative of it
        ("mul", [(8, 9), (9,)], 1),  # one in full size and one sum, in one pass
        ("mul", [(8, 1), (9,)], 2),  # two sums, nothing in full size
        ("pow", [(8, 9), (9,)], 1),
        ("pow", [(8, 1), (9,)], 2),
        ("div", [(8, 1), (8, 9)], 1),
    ],
)
def test_the_kernels_of_a_binary_node_at_order_one(
    name: str, shapes: list[Shape], kernels: int
) -> None:
    ((_, found, _),) = counts_by_order(FUNCTIONS[name][0], shapes)[0]
    assert found == kernels


@pytest.mark.parametrize(
    ("function", "kernels"),
    [
        (lambda x: x.sum(), 0),
        (lambda x: x.sum(1), 0),
        (lambda x: x.sum(0, keepdim=True), 0),
        (lambda x: x.mean(), 1),  # of the small gradient
        (lambda x: x.mean(1), 1),
        (lambda x: x.reshape(-1), 0),
        (lambda x: x.t(), 0),
        (lambda x: x.unsqueeze(0), 0),
        (lambda x: x.clone(), 0),
        (lambda x: x.expand(3, 8, 9), 1),
    ],
    ids=["sum", "sum 1", "sum 0", "mean", "mean 1", "reshape", "t", "unsqueeze", "clone", "expand"],
)
def test_the_kernels_of_a_linear_node(function: Function, kernels: int) -> None:
    orders = counts_by_order(function, [(8, 9)])
    assert [k for _, k, _ in orders[0]] == [kernels] * len(orders[0])
    assert len(orders) == 1  # its gradient depends on nothing


@pytest.mark.parametrize("length", [1, 7, 1000])
def test_dot_computes_both_gradients_by_one_kernel(length: int) -> None:
    orders = counts_by_order(torch.dot, [(length,), (length,)])
    ((name, kernels, _),) = orders[0]
    assert (name, kernels) == ("DotBackward0", 1)
    for counts in orders[1:]:
        for _, kernels, broadcast in counts:
            assert kernels <= 1 + broadcast


def test_only_the_gradients_that_are_needed_are_computed() -> None:
    x, y = leaf((8, 9), 0), leaf((9,), 1)
    out = x**y
    with count_kernels() as launched:
        torch.autograd.grad(out, x, torch.ones_like(out))
    assert launched.total == 2  # the ones, and the one kernel for x
    constant = y.detach()
    out = x**constant
    with count_kernels() as launched:
        out.backward(torch.ones_like(out))
    assert launched.total == 2


# --------------------------------------------------------------------------- forward, and programs


@pytest.mark.parametrize(
    ("function", "shapes", "kernels"),
    [
        (lambda x, y: x**y, [(8, 9), (9,)], 1),
        (lambda x, y: x * y, [(8, 1), (9,)], 1),
        (lambda x, y: x + y, [(8, 9), (8, 9)], 1),
        (lambda x, y: x + 2 * y, [(8, 9), (8, 9)], 2),
        (torch.dot, [(100,), (100,)], 1),
        (lambda x: x.sum(), [(8, 9)], 1),
        (lambda x: x.mean(0), [(8, 9)], 1),
        (lambda x: torch.gelu(x), [(8, 9)], 1),
        (lambda x: torch.softplus(x), [(8, 9)], 1),
        (lambda x: x.reshape(72).unsqueeze(0), [(8, 9)], 0),
        (lambda x: x * 2.5, [(8, 9)], 1),
        (lambda x, y: x @ y, [(8, 9), (9, 8)], 1),
        (lambda x, y: x * y, [(0, 3), (3,)], 0),
    ],
)
def test_the_kernels_of_a_forward(function: Function, shapes: list[Shape], kernels: int) -> None:
    inputs = [leaf(s, k) for k, s in enumerate(shapes)]
    with count_kernels() as launched:
        function(*inputs)
    assert launched.total == kernels


def test_the_kernels_of_a_whole_backward() -> None:
    x, y = leaf((8, 9), 0), leaf((8, 9), 1)
    out = (x**y).sum()
    with count_kernels() as launched:
        out.backward()
    assert launched.total == 1  # both gradients, whose memory becomes .grad


def test_accumulating_into_an_existing_gradient_takes_one_kernel() -> None:
    x = leaf((8, 9), 0)
    x.tanh().sum().backward()
    out = x.tanh().sum()
    with count_kernels() as launched:
        out.backward()
    assert launched.total == 2


def test_the_kernels_of_a_training_step() -> None:
    w1, w2 = leaf((10, 20), 0), leaf((20, 5), 1)
    x, y = leaf((6, 10), 2).detach(), leaf((6, 5), 3).detach()
    with count_kernels() as forward:
        loss = ((x @ w1).clamp(min=0) @ w2 - y).pow(2).sum()
    assert forward.total == 6  # two products, clamp, difference, square, sum
    with count_kernels() as backward:
        loss.backward()
    # square, clamp; the difference hands on; the products: w2, hidden, w1
    assert backward.total == 5


def test_nothing_is_counted_on_the_cpu() -> None:
    x = torch.ones(3, requires_grad=True)
    with count_kernels() as launched:
        (x**x).sum().backward()
    assert launched.total == 0


def test_counters_may_be_nested() -> None:
    x = leaf((3,), 0)
    with count_kernels() as outer:
        x.exp()
        with count_kernels() as inner:
            x.exp()
        x.exp()
    x.exp()
    assert (outer.total, inner.total) == (3, 1)


# --------------------------------------------------------------------------- the counter is right

# What the counter does not know, by the beginnings of the samples' names.
UNKNOWN = {
    "CuPy finds positions by kernels whose number depends on the size": (
        "where indices", "nonzero", "getitem mask", "getitem empty mask", "masked_select",
        "masked_scatter", "unique", "argwhere", "embedding_renorm_",
    ),
    "CuPy adds up from the left by several kernels": ("cumsum",),
    "CuPy looks at what may be wrong": ("nn.functional.gaussian_nll_loss",),
    "the quotients of places are CuPy's, of whole arrays": ("unravel_index",),
    "CuPy spreads one value over several indices by a kernel of its own": (
        "scatter number", "nn.functional.one_hot", "nn.functional.multilabel_margin_loss",
    ),
    "CuPy moves arrays to the host and back by kernels that depend on their layout": ("det",),
    "a window's positions are counted by kernels of their own": tuple(
        f"{home}{name}{dims}d"
        for home in ("", "nn.functional.")
        for name in ("max_pool", "adaptive_max_pool")
        for dims in (1, 2, 3)
    ) + tuple(f"nn.functional.lp_pool{dims}d largest" for dims in (1, 2, 3)),
    "the positions along other dimensions are counted by a kernel of their own": tuple(
        f"{name} {case}"
        for name in ("max", "min")
        for case in ("dim", "first of three", "negative dim", "middle dim", "transposed",
                     "sliced", "method")
    ),
}  # fmt: skip
KNOWN = [
    (op, s)
    for op, s in [
        *choice.by_rule(choice.DIFFERENTIABLE),
        *choice.of_each([(op, s) for op, s in choice.EVERY if not s.differentiable]),
    ]
    if not f"{op} {s}".startswith(tuple(itertools.chain(*UNKNOWN.values())))
]


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return by how much the emulator counts too much or too little of what libraries do.

    Of these a call counts as said where it is counted; the emulated libraries launch nothing, but
    CuPy may copy operands.
    """
    import hostcuda
    from gpugrad.backend import cuda
    from gpugrad.backend.cuda import indexing, sorting
    from gpugrad.backend.cuda import products as others
    from gpugrad.kernels import launches

    correction = [0]

    def corrected(genuine: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            true, counted, known = hostcuda.launches(), launches.total, correction[0]
            result = genuine(*arguments, **options)
            true, counted = hostcuda.launches() - true, launches.total - counted
            correction[0] = known + counted - true
            return result

        return called

    callers = {
        "matmul": (cuda, others), "matrices": (cuda,),
        "by_cufft": (others,), "argsort": (indexing, sorting),
    }  # fmt: skip
    for name, modules in callers.items():
        function = corrected(getattr(modules[0], name))
        for module in modules:
            monkeypatch.setattr(module, name, function)
    return lambda: correction[0]


@pytest.mark.emulated  # only the emulator knows the true number of launches
@choice.over(KNOWN)
def test_the_counter_counts_what_the_emulator_launches(
    op: str, sample: Sample, products: Callable[[], int]
) -> None:
    """A kernel that is launched past the counter, by CuPy or by ours."""
    import hostcuda

    tensors = sample.tensors(np.float32, "cuda")

    def launched(function: Callable[[], Any]) -> tuple[Any, int, int]:
        before, corrected = hostcuda.launches(), products()
        with count_kernels() as counted:
            result = function()
        true = hostcuda.launches() - before + products() - corrected
        return result, counted.total, true

    result, counted, true = launched(lambda: sample.function(torch, *tensors))
    assert counted == true, "forward"
    outs = [o for o in flat(result) if o.requires_grad] if sample.differentiable else []
    inputs = [t for t in tensors if t.requires_grad]
    if not outs:
        return
    found, counted, true = launched(
        lambda: torch.autograd.grad(
            outs, inputs, [torch.ones_like(o) for o in outs], create_graph=True, allow_unused=True
        )
    )
    assert counted == true, "backward"
    outs = [o for o in found if o is not None and o.requires_grad]
    if not outs:
        return
    _, counted, true = launched(
        lambda: torch.autograd.backward(outs, [torch.ones_like(o) for o in outs])
    )
    assert counted == true, "second backward"
