"""Nodes as Python objects: their classes, what they know of the call, and calling them."""

from __future__ import annotations

import contextlib
import gc
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from test_dependence import leaves_of, tensors

import gpugrad
from comparison import Programs, agree, pytorch
from gpugrad.ops.extremum import _max_along
from gpugrad.ops.nn.classes import _entropy
from gpugrad.ops.nn.normalization import _of_rows
from samples import SAMPLES

PROGRAMS = Programs()


@PROGRAMS.add
def classes_bear_names(torch: Any, leaf: Any, note: Any) -> None:
    class Double(torch.autograd.Function):  # type: ignore[misc]
        forward = staticmethod(lambda ctx, x: x * 2)
        backward = staticmethod(lambda ctx, g: g * 2)

    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    met: list[Any] = []

    def visit(node: Any) -> None:  # as tools that draw graphs do
        met.append(node)
        for below, _ in node.next_functions:
            if below is not None:
                visit(below)

    visit((Double.apply(x).exp() * x.std(0)[1:].unbind()[0]).sum().grad_fn)
    note([type(node).__name__ for node in met], len({id(node) for node in met}))
    note([isinstance(node, torch.autograd.graph.Node) for node in met])
    note(type((x * 1).grad_fn) is type((x * 2).grad_fn), [node.requires_grad for node in met])
    y = x * 1
    y[0].mul_(2)
    note(type(y.grad_fn).__name__)
    type((x * 1).grad_fn)()


@PROGRAMS.add
def layers_bear_the_names_of_their_last_steps(torch: Any, leaf: Any, note: Any) -> None:
    f = torch.nn.functional

    def ones(*shape: int) -> Any:
        return torch.ones(shape, requires_grad=True)

    for shape in (3,), (4, 3), (5, 4, 3):
        note([f.linear(ones(*shape), ones(2, 3), *b).grad_fn.name() for b in ((), (ones(2),))])
    for n in 1, 2, 3:
        x = ones(1, 1, *[4] * n)
        for name in "max_pool{}d", "avg_pool{}d", "adaptive_max_pool{}d", "adaptive_avg_pool{}d":
            note(getattr(f, name.format(n))(x, 3).grad_fn.name())


@PROGRAMS.add
def the_end_of_a_leaf_is_one_object(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    end = (x * 2).grad_fn.next_functions[0][0]
    note(end is x.exp().grad_fn.next_functions[0][0], end is (leaf(1.0) * 1).grad_fn)
    note(end is torch.autograd.graph.get_gradient_edge(x).node, end.variable is x)
    y = x * 2
    y.grad_fn.next_functions[0][0].metadata["mine"] = 3
    note(y.grad_fn.next_functions[0][0].metadata, end.metadata, end._sequence_nr() > 10)
    x.register_hook(lambda g: note("never"))
    x.register_post_accumulate_grad_hook(lambda t: note("accumulated", t.grad))
    note(end(torch.ones_like(x)), x.grad, end(None), end(x.detach()), x.grad)
    end(torch.ones_like(x), None)


@PROGRAMS.add
def distances_and_integrals_have_pytorchs_nodes(torch: Any, leaf: Any, note: Any) -> None:
    def names(node: Any) -> Any:
        return node and (node.name(), [names(below) for below, _ in node.next_functions])

    x, y = leaf([1.0, 2.0, 3.0]), leaf([2.0, 0.5, 4.0])
    for out in (
        torch.dist(x, y), torch.dist(x, y, 1), torch.dist(x, y[:1]), torch.trapezoid(x),
        torch.trapezoid(x, dx=2), torch.trapezoid(x, y), torch.trapezoid(x.detach(), y),
        torch.cumulative_trapezoid(x), torch.cumulative_trapezoid(x, y),
    ):  # fmt: skip
        note(names(out.grad_fn))
    note(torch.trapezoid(x, y).grad_fn._saved_other, torch.trapezoid(x, dx=2).grad_fn._saved_other)


@PROGRAMS.add
def what_a_node_knows(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), leaf([3.0, 0.5, 1.0])
    rows = torch.tensor([1, 0], device=x.device)
    for out in (
        x.sum(), x.sum(1), x.mean(), x.mean(0, True), x.max(1)[0], x.amax(1), x.std(0), x[0],
        x.view(6), x.t(), x.transpose(0, 1), x.unsqueeze(1), x.flip(0), x.unfold(1, 2, 1), x[rows],
        x.expand(4, 2, 3), x.diagonal(), x.permute(1, 0), x.split(1)[0], x.clamp(0, 1), x.clamp(2),
        x * w, x**2, x**w, x.exp(), torch.cat([x, x]), x + 1, x.logsumexp(1),
    ):  # fmt: skip
        node = out.grad_fn
        if node.name() in RENAMED:
            continue
        for name in dir(node):
            value = getattr(node, name) if name.startswith("_saved_") else None
            if value is not None and name not in UNKNOWN:
                note(node.name(), name, value)
    at, mask, pair = torch.tensor([2, 0], device=x.device), x > 2, x.detach()[:, :2]
    functional = torch.nn.functional
    for out, names in (
        (x.index_select(1, at), "dim index"), (x.index_add(1, at, pair), "dim"),
        (x.index_copy(1, at, pair), "dim index"), (x.take(at), "index"),
        (x.put(at, w[:2].detach()), "index accumulate"), (x.masked_select(mask), "mask"),
        (x.select_scatter(w[:2], 1, 2), "dim index"), (x[:, 1:], "dim start end step"),
        (x.slice_scatter(pair, 1, 0, 2), "dim start end step"), (x.norm(3, 1), "dim keepdim p"),
        (x.narrow(1, 1, 2), "dim start end step"), (functional.embedding(rows, x), "indices"),
        (functional.conv1d(x[None], x[None, :, :2]), "input weight stride dilation"),
        (functional.layer_norm(x, (3,)), "input"), (functional.batch_norm(x, None, None,
        training=True), "input"),
        (functional.unfold(x[None, None], 2, dilation=1), "kernel_size stride dilation"),
        (torch.linalg.svd(x, full_matrices=False)[1], "full_matrices"),
    ):  # fmt: skip
        node = out.grad_fn
        for name in names.split():
            note(node.name(), name, getattr(node, f"_saved_{name}"))
    limited = x.clamp(max=2.5).grad_fn
    note(limited._saved_min, limited._saved_max, "_saved_min" in dir(limited))
    note([n for n in dir((x * w).grad_fn) if "saved" in n])
    note("hooks" in dir((x * w).grad_fn), [len(f(x).grad_fn.next_functions) for f in NUMBERS])


RENAMED = {"SplitBackward0"}
UNKNOWN = {"_saved_correction", "_saved_pivots"}
NUMBERS: list[Callable[[Any], Any]] = [
    lambda x: 2**x, lambda x: 1 - x, lambda x: x.clamp(0, 1), lambda x: x.masked_fill(x > 0, 0.1),
    lambda x: x.add(x, alpha=3), lambda x: x * 2, lambda x: (x * 1).clamp_(0, 1),
    lambda x: x.where(x > 0, 0.5),
]  # fmt: skip


@PROGRAMS.add
def hooks_see_pytorchs_edges(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    for k, f in enumerate(NUMBERS):
        y = f(x)
        y.grad_fn.register_hook(lambda left, came, k=k: note(k, left, came))
        y.sum().backward()
    y = 1 - x
    y.grad_fn.register_hook(lambda left, came: (left[0] * 10,))
    x.grad = None
    y.sum().backward()
    note(x.grad)


@PROGRAMS.add
def a_node_is_called(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 0.5])
    g = torch.ones_like(x)
    y = x * w
    y.register_hook(lambda g: note("never"))
    note(
        (x * 2).grad_fn(g),
        y.grad_fn(g),
        x.exp().grad_fn(g),
        (2**x).grad_fn(g),
        x.sum().grad_fn(g[0]),
    )
    note(x.exp().grad_fn(None), x.split(1)[0].grad_fn(g[:1], None))
    (derived,) = torch.autograd.grad(x.exp().grad_fn(g).sum(), x)
    note(derived, y.grad_fn(g)[0].requires_grad)
    with torch.no_grad():
        note(y.grad_fn(g)[0].requires_grad)
    wrongs: list[tuple[Any, ...]] = [(), (g, g), (3,), ([g],)]
    for wrong in wrongs:
        try:
            y.grad_fn(*wrong)
        except TypeError as error:
            note(str(error))
    y.sum().backward()
    y.grad_fn(g)


@PROGRAMS.add
def one_saved_tensor_has_hooks(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 0.5])
    y = x**2
    y.grad_fn._raw_saved_self.register_hooks(lambda t: t * 1, lambda t: t * 2)
    y.sum().backward()
    note(x.grad)
    y = x * 1 * w
    raw = y.grad_fn._raw_saved_self
    note(raw.unpack_hook, raw.data)
    raw.register_hooks(lambda t: (t * 3, 1), lambda t: t[0])
    note(raw.unpack_hook is not None, raw.data, y.grad_fn._saved_self, y.grad_fn._saved_other)
    (g,) = torch.autograd.grad(y.sum(), w, create_graph=True)
    note(g, torch.autograd.grad(g.sum(), x))
    y = x.exp()
    y.grad_fn._raw_saved_result.register_hooks(
        lambda t: (note(t.grad_fn is None, t), t)[1], lambda t: t * 2
    )
    note(torch.autograd.grad(y.sum(), x))
    y = x * 2
    y.grad_fn._raw_saved_other.register_hooks(lambda t: t + 1, lambda t: t)
    note(torch.autograd.grad(y.sum(), x))
    y = w.view(2, 1).mm(x.view(1, 2))
    y.grad_fn._raw_saved_self.register_hooks(lambda t: t.cpu(), lambda t: (t * 2).to(x.device))
    note(torch.autograd.grad(y.sum(), x))

    class Product(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any) -> Any:
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, w = ctx.saved_tensors
            return g * w, g * x

    y = Product.apply(x, w)
    _, second = y.grad_fn._raw_saved_tensors
    second.register_hooks(lambda t: t, lambda t: t * 5)
    note(torch.autograd.grad(y.sum(), x), "_raw_saved_tensors" in dir(y.grad_fn))
    twice, inside = x * w, x * w
    raw, written = twice.grad_fn._raw_saved_self, inside.grad_fn._raw_saved_self
    y = x * w
    spent = y.grad_fn._raw_saved_self
    y.sum().backward()
    refused: list[Callable[[], object]] = [
        lambda: spent.register_hooks(abs, abs),
        lambda: (raw.register_hooks(abs, abs), raw.register_hooks(abs, abs)),
        lambda: (x * 2).grad_fn._raw_saved_self.register_hooks(abs, abs),
        lambda: written.register_hooks(lambda t: t.detach().mul_(2), abs),
    ]
    for hooks in refused:
        try:
            hooks()
        except RuntimeError as error:
            note(str(error))
    a, b = x * 1, w.exp()
    y, z = a * b, (x * 1).exp()
    y.grad_fn._raw_saved_self.register_hooks(lambda t: t.clone(), lambda t: t)
    z.grad_fn._raw_saved_result.register_hooks(lambda t: t.clone(), lambda t: t)
    with torch.no_grad():
        a.mul_(5)
        z.mul_(5)
    note(torch.autograd.grad(y.sum() + z.sum(), [w, x]))
    y, z = a * b, a * b
    y.grad_fn._raw_saved_self.register_hooks(lambda t: 3, lambda t: t)
    z.grad_fn._raw_saved_self.register_hooks(lambda t: t, lambda t: t)
    with torch.no_grad():
        b.mul_(5)
    for out in y, z:
        try:
            out.sum().backward()
        except (TypeError, RuntimeError) as error:
            note(type(error).__name__, str(error).split("Hint")[0].partition("[")[0])


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_node_is_to_the_user_what_pytorchs_is(program: Any, device: str) -> None:
    agree(program, device)


def test_what_stands_for_a_leaf_keeps_nothing_alive() -> None:
    gc.disable()
    try:
        x = gpugrad.ones(2, requires_grad=True)
        node: Any = (x * 2).grad_fn
        node.next_functions[0][0].metadata["mine"] = 1
        del node
        gone = weakref.ref(x)
        del x
        assert gone() is None
    finally:
        gc.enable()


# Nodes and functions whose values differ, and why.  A dimension that PyTorch has as it was given
# counts from the front here, and all dimensions are those that there are.
OTHERWISE = {
    "AddrBackward0": "the vector is a column",
    "AsStridedBackward0": "an offset that was not given is that of the input",
    "FftC2RBackward0": "all dimensions at once",
    "IndexCopyBackward0": "a 0-d index is a vector",
    "IndexBackward0": "indices of all dimensions, of what was indexed",
    "LdexpBackward0": "the result is not needed for integers",
    "LinalgCrossBackward0": "broadcast",
    "LogsumexpBackward0": "no dimension of a 0-d tensor",
    "MaskedFillBackward0": "broadcast",
    "MaskedSelectBackward0": "broadcast",
    "MulBackward1": "the number is of the type of the tensor",
    "PreluKernelBackward0": "broadcast",
    "Rot90Backward0": "the number of turns, from 0 to 3",
    "SelectBackward0": "one node for all indices of x[...]",
    "SliceBackward0": "one node for all indices of x[...]",
    "SqueezeBackward1": "no dimension where it is not squeezed",
    "einsum": "dimensions in another order",
    "istft": "broadcast by the division",
}
# What the operations of networks save is what their formulas name, in the shapes that it has there;
# PyTorch's nodes name the arguments of the calls.
OF_NETWORKS = frozenset(vars(gpugrad)["_networks"])
# Names of PyTorch's for what is not kept here, as `alpha` of `celu`, or in another form.
NOT_SAVED = 145


def of_call(value: Any, tensor: Any) -> Any:
    """Return what a node says of its call, as something to be compared."""
    if isinstance(value, tensor):
        return tuple(value.shape)
    if isinstance(value, tuple | list):
        return [of_call(v, tensor) for v in value]
    return round(value, 9) if isinstance(value, float) else value


def unsaid(value: Any) -> bool:
    """Tell whether PyTorch has a dimension that was counted from behind, or none of all."""
    values = value if isinstance(value, list) else [value]
    return not values or any(v is None or (isinstance(v, int) and v >= 2**62) for v in values)


def test_nodes_tell_of_their_calls_what_pytorchs_do() -> None:
    torch = pytorch()
    different: set[Any] = set()
    missing: set[Any] = set()
    for op in SAMPLES:
        if op.startswith("nn.") or op in OF_NETWORKS:
            continue
        for sample in SAMPLES[op]:
            nodes = []
            for lib in (torch, gpugrad) if sample.differentiable else ():
                with contextlib.suppress(Exception), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    leaves, _ = leaves_of(lib, sample)
                    out = tensors(sample.function(lib, *leaves))[0]
                    nodes.append(out.grad_fn)
            if len(nodes) < 2 or None in nodes or nodes[0].name() != nodes[1].name():
                continue
            theirs, ours = nodes
            for name in (n for n in dir(theirs) if n.startswith("_saved_")):
                expected = of_call(getattr(theirs, name), torch.Tensor)
                if not hasattr(ours, name):
                    missing.add((theirs.name(), name))
                elif not unsaid(expected) and OTHERWISE.keys().isdisjoint({op, theirs.name()}):
                    found = of_call(getattr(ours, name), gpugrad.Tensor)
                    if found != expected:
                        different.add((op, sample.name, name, str(found), str(expected)))
    assert not different
    assert len(missing) <= NOT_SAVED, sorted(missing)


SEVERAL: dict[str, Any] = {
    "an integer among them": lambda x: (_max_along, (x,), {"axis": 0, "keepdims": False}),
    "two that are saved": lambda x: (
        _entropy,
        (x, gpugrad.tensor([0, 2])),
        {"axis": 1, "reduction": "mean", "ignored": -100},
    ),
    "one rule for all inputs": lambda x: (
        _of_rows[True, True],
        (x, gpugrad.ones(3), gpugrad.zeros(3, requires_grad=True)),
        {"whole": (2, 3), "affine": (3,), "axes": (1,), "eps": 1e-5, "centered": True},
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_a_generated_call_with_several_results_records_what_the_general_way_does(name: str) -> None:
    x = gpugrad.tensor([[1.0, 5.0, 2.0], [3.0, 0.0, 4.0]], requires_grad=True)
    function, operands, params = SEVERAL[name](x)
    found = function(*operands, **params)
    expected = function.op.general(*operands, **params)
    for ours, general in zip(found, expected, strict=True):
        assert ours.tolist() == general.tolist()
        assert (ours._edge is None) == (general._edge is None)
        if ours._edge is not None:
            assert ours._edge.index == general._edge.index
    node, general_node = found[0]._edge.node, expected[0]._edge.node
    assert node.rule is general_node.rule
    assert node.params == general_node.params
    assert [type(s) for s in node.saved] == [type(s) for s in general_node.saved]
    leaves = [t for t in operands if t.requires_grad]
    ours = gpugrad.autograd.grad(found[0].sum(), leaves)
    twice = gpugrad.autograd.grad(expected[0].sum(), leaves, create_graph=True)
    for a, b in zip(ours, twice, strict=True):
        assert gpugrad.allclose(a, b)
