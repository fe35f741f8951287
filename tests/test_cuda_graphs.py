"""CUDA graphs: what is captured, what a replay does, what is refused, and whose memory it is."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import gpugrad as torch
from gpugrad import backend, nn, testing

pytestmark = pytest.mark.cuda

Tensor = Any


def values(tensor: Tensor) -> np.ndarray[Any, Any]:
    return np.array(tensor.detach().cpu().numpy())


def captured(function: Callable[[], Any], **options: Any) -> tuple[Any, Any]:
    """Return the graph of a function that has run before, and what it returned."""
    with torch.cuda.stream(torch.cuda.Stream()):
        function()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, **options):
        found = function()
    return graph, found


def filled(*shape: int, **options: Any) -> Tensor:
    return torch.arange(float(np.prod(shape)), device="cuda", **options).reshape(shape) / 7


# --------------------------------------------------------------------------- replays


def test_a_replay_computes_with_what_lies_in_the_inputs_then() -> None:
    x = torch.zeros(4, device="cuda")
    graph, out = captured(lambda: (x * 2 + 1).exp().sum())

    for k in range(3):
        x.fill_(k)
        graph.replay()
        assert out.item() == pytest.approx(4 * np.exp(2 * k + 1), rel=1e-6)


def test_nothing_runs_while_a_graph_is_captured() -> None:
    x = torch.ones(3, device="cuda")
    graph = torch.cuda.CUDAGraph()
    assert not torch.cuda.is_current_stream_capturing()
    with torch.cuda.graph(graph):
        assert torch.cuda.is_current_stream_capturing()
        x.add_(1)
    assert not torch.cuda.is_current_stream_capturing()
    assert values(x).tolist() == [1, 1, 1]
    graph.replay()
    graph.replay()
    assert values(x).tolist() == [3, 3, 3]


OPERATIONS: dict[str, Callable[[Tensor], Any]] = {
    "matmul": lambda x: x @ x.mT,
    "matmul of a transpose": lambda x: x.mT @ x,
    "matmul of vectors": lambda x: x[0] @ (x.mT @ x) @ x[1],
    "matmul of stacks": lambda x: x.expand(2, 3, 4) @ x.mT,
    "matmul of strided stacks": lambda x: x.reshape(3, 2, 2).transpose(0, 1) @ x.new_ones(2, 1),
    "matmul of complex numbers": lambda x: (x + 1j) @ (x.mT - 2j),
    "matmul of halves": lambda x: (x.half() @ x.mT.half()).float(),
    "matmul of integers": lambda x: x.int() @ x.int().mT,
    "matmul without terms": lambda x: x[:, :0] @ x[:0],
    "sort": lambda x: torch.sort(-x, dim=1).values,
    "cat of many": lambda x: torch.cat([x[:, :1]] * 12, dim=1),
    "indices": lambda x: x[torch.arange(2, device="cuda")],
    "a number at indices": lambda x: x.clone().index_fill_(0, torch.arange(2, device="cuda"), 3.0),
    "scan": lambda x: x.cumsum(1),
    "softmax": lambda x: x.softmax(1),
    "layer norm": lambda x: nn.functional.layer_norm(x, (4,)),
    "interpolation": lambda x: nn.functional.interpolate(x[None, None], size=(5, 7)),
    "pooling": lambda x: nn.functional.max_pool2d(x[None], 2),
    "transform": lambda x: torch.fft.fft(x).abs(),
    "new numbers": lambda x: x + torch.full((4,), 2.0, device="cuda"),
    "one hot": lambda x: nn.functional.one_hot(x.abs().long(), 9),
    "masked scatter": lambda x: x.masked_scatter(x > 0.5, x.flip(0)),
    "nonzero, static": lambda x: torch.nonzero_static(x > 0.5, size=7),
    "margins": lambda x: nn.functional.multilabel_margin_loss(x, x.sign().long().clamp(-1, 1)),
    "where": lambda x: torch.where(x > 1, x, -x),
}


@pytest.mark.parametrize("function", OPERATIONS.values(), ids=OPERATIONS)
def test_a_replay_gives_what_a_call_gives(function: Callable[[Tensor], Any]) -> None:
    x = filled(3, 4)
    graph, out = captured(lambda: function(x))
    x.mul_(-0.5).add_(1)
    garbage = [torch.full((n,), 1e9, device="cuda") for n in (4, 12, 64)]  # in freed memory

    graph.replay()

    expected = values(function(x))
    tolerance = 1e-3 if expected.dtype == np.float16 else 1e-6  # cuBLAS may choose another way
    np.testing.assert_allclose(values(out), expected, rtol=tolerance, atol=tolerance)
    del garbage


def test_gradients_are_replayed() -> None:
    x, weight = filled(3, 4), filled(4, 2).requires_grad_()

    def step() -> Tensor:
        weight.grad = None
        loss = ((x @ weight).sigmoid() ** 2).mean()
        loss.backward()
        return loss

    graph, loss = captured(step)
    grad = weight.grad
    for k in (0.5, -1.0):
        x.mul_(k)
        graph.replay()
        found, of_weight = loss.item(), values(grad)
        assert step().item() == pytest.approx(found, rel=1e-6)
        np.testing.assert_allclose(of_weight, values(weight.grad), rtol=1e-6)
        weight.grad = grad


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    **{
        name: partial(getattr(torch.optim, name), lr=0.1, capturable=True)
        for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adadelta", "RMSprop")
    },
    "ASGD": lambda p: torch.optim.ASGD(p, lr=0.1, capturable=True),
    "Rprop": lambda p: torch.optim.Rprop(p, lr=0.1, capturable=True),
    "Adam, amsgrad": lambda p: torch.optim.Adam(p, amsgrad=True, capturable=True),
}


def network() -> tuple[Any, Tensor, Tensor]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)).to("cuda")
    return net, filled(6, 4) - 1, filled(6, 1) - 0.5


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_whole_training_step_is_replayed(make: Callable[[Any], Any]) -> None:
    def trained(replays: bool) -> list[np.ndarray[Any, Any]]:
        net, x, target = network()
        optimizer = make(net.parameters())

        def step() -> None:
            optimizer.zero_grad(set_to_none=True)
            nn.functional.mse_loss(net(x), target).backward()
            optimizer.step()

        with torch.cuda.stream(torch.cuda.Stream()):
            step()
        run = step
        if replays:
            graph = torch.cuda.CUDAGraph()
            optimizer.zero_grad(set_to_none=True)
            with torch.cuda.graph(graph):
                step()
            run = graph.replay
        for _ in range(4):
            run()
        return [values(p) for p in net.parameters()]

    for found, expected in zip(trained(True), trained(False), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "kernels"),
    [
        ("Adam", {}, 14), ("NAdam", {}, 32), ("RAdam", {}, 30), ("Adadelta", {}, 7),
        ("ASGD", {"lambd": 0.5, "t0": 2.0}, 24),
    ],
)  # fmt: skip
def test_steps_that_are_counted_on_the_gpu_are_those_of_the_host(
    name: str, options: dict[str, Any], kernels: int
) -> None:
    def stepped(capturable: bool) -> tuple[list[np.ndarray[Any, Any]], int]:
        params = [(filled(k + 1, 3) - 0.5).requires_grad_() for k in range(3)]
        make = getattr(torch.optim, name)
        optimizer = make(params, lr=0.1, capturable=capturable, **options)
        for step in range(6):
            for k, p in enumerate(params):
                p.grad = (p.detach() + step).cos() if (step, k) != (1, 2) else None
            with testing.count_kernels() as launched:
                optimizer.step()
        return [values(p) for p in params], launched.total

    (found, count), (expected, _) = stepped(True), stepped(False)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)  # counts are of single precision
    assert count <= kernels  # numbers are computed for all parameters at once


def test_optimizers_that_count_on_the_host_are_not_captured() -> None:
    net, x, _ = network()
    for make, words in (
        (lambda: torch.optim.Adam(net.parameters()), "but param_groups' capturable is False"),
        (lambda: torch.optim.Adagrad(net.parameters()), "counts steps on the host"),
        (lambda: torch.optim.Adam(net.parameters(), capturable=True), "Call step.. once before"),
        (lambda: torch.optim.SGD(net.parameters(), momentum=0.5), "Call step.. once before"),
    ):
        optimizer = make()
        net(x).sum().backward()
        with (
            pytest.raises(RuntimeError, match=words),
            torch.cuda.graph(torch.cuda.CUDAGraph()),
        ):
            optimizer.step()


# --------------------------------------------------------------------------- random numbers


def drawn(x: Tensor) -> Tensor:
    noise = torch.randn_like(x) + torch.rand(x.shape, device="cuda")
    return nn.functional.dropout(x, 0.5) + noise + torch.randint(9, x.shape, device="cuda")


def test_replays_draw_what_calls_would_draw() -> None:
    x = torch.ones(50, device="cuda")
    graph, out = captured(lambda: drawn(x))

    def sequence(run: Callable[[], Any]) -> list[Any]:
        torch.manual_seed(7)
        found = []
        for _ in range(3):
            found.append(values(run()))
            found.append(values(torch.rand(3, device="cuda")))  # between the replays
        return found

    def replayed() -> Tensor:
        graph.replay()
        return out

    found, expected = sequence(replayed), sequence(lambda: drawn(x))
    assert not np.array_equal(found[0], found[2])
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_attention_drops_other_weights_at_each_replay() -> None:
    q = filled(1, 4, 8).cos().requires_grad_()

    def step() -> Tensor:
        q.grad = None
        out = nn.functional.scaled_dot_product_attention(q, q, q, dropout_p=0.5)
        out.sum().backward()
        return out

    graph, out = captured(step)
    grad, found = q.grad, []
    torch.manual_seed(4)
    for _ in range(2):
        graph.replay()
        found.append((values(out), values(grad)))
    torch.manual_seed(4)
    for a, b in found:
        np.testing.assert_allclose(values(step()), a, rtol=1e-6)
        np.testing.assert_allclose(values(q.grad), b, rtol=1e-6, atol=1e-7)
    assert not np.array_equal(found[0][0], found[1][0])


def test_a_capture_draws_nothing() -> None:
    torch.manual_seed(7)
    before = torch.cuda.get_rng_state()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        torch.rand(5, device="cuda")
    assert values(torch.cuda.get_rng_state()).tolist() == values(before).tolist()
    graph.replay()
    assert values(torch.cuda.get_rng_state()).tolist() != values(before).tolist()


def test_generators_of_ones_own_go_on_as_well() -> None:
    generator = torch.Generator("cuda").manual_seed(3)
    graph, out = captured(lambda: torch.rand(4, device="cuda", generator=generator))
    generator.manual_seed(5)
    graph.replay()
    found = values(out)
    generator.manual_seed(5)
    np.testing.assert_array_equal(found, values(torch.rand(4, device="cuda", generator=generator)))


def test_a_checkpoint_draws_the_same_again_in_a_graph() -> None:
    x = torch.ones(40, device="cuda", requires_grad=True)

    def step() -> Tensor:
        x.grad = None
        out = torch.utils.checkpoint.checkpoint(
            lambda t: nn.functional.dropout(t, 0.5), x, use_reentrant=False
        )
        out.sum().backward()
        return out

    graph, out = captured(step)
    grad = x.grad
    for _ in range(2):
        graph.replay()
        np.testing.assert_array_equal(values(out), values(grad))
    assert 0 < values(out).sum() < 80


def test_a_graph_in_a_graph_draws_on() -> None:
    inner, out = captured(lambda: torch.rand(3, device="cuda"))
    outer = torch.cuda.CUDAGraph()
    with torch.cuda.graph(outer):
        inner.replay()
        first = out + 0
        inner.replay()
        second = out + 0
    del inner
    gc.collect()
    torch.manual_seed(1)
    outer.replay()
    found = values(first), values(second)
    torch.manual_seed(1)
    for a in found:
        np.testing.assert_array_equal(a, values(torch.rand(3, device="cuda")))


# --------------------------------------------------------------------------- what is refused


REFUSED: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "item": (lambda x: x.sum().item(), "operation not permitted when stream is capturing"),
    "a branch": (lambda x: bool(x.sum() > 0), "operation not permitted when stream is capturing"),
    "cpu": (lambda x: x.cpu(), "operation not permitted when stream is capturing"),
    "printing": (repr, "operation not permitted when stream is capturing"),
    "synchronize": (lambda x: torch.cuda.synchronize(), "not permitted when stream is capturing"),
    "a mask": (lambda x: x[x > 0], "operation not permitted when stream is capturing"),
    "numbers of the host's": (lambda x: torch.ones(3).cuda(), "Please use tensor.pin_memory"),
    "svd": (lambda x: torch.linalg.svd(x[None]), "not permitted when stream is capturing"),
    "a seed": (lambda x: torch.manual_seed(3), "Cannot call Generator.manual_seed during CUDA"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_captured_is_refused(name: str) -> None:
    function, words = REFUSED[name]
    x = torch.ones(3, device="cuda")
    graph = torch.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match=words) as raised, torch.cuda.graph(graph):
        function(x)
    assert "before the" in str(raised.value) or "pin_memory" in str(raised.value)  # the way out
    assert not torch.cuda.is_current_stream_capturing()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        graph.replay()
    graph, out = captured(lambda: x + 1)  # all is as before
    graph.replay()
    assert values(out).tolist() == [2, 2, 2]


def test_pinned_memory_is_read_by_each_replay() -> None:
    source = torch.ones(3).pin_memory()
    x = torch.zeros(3, device="cuda")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        x.add_(source.to("cuda", non_blocking=True))
    for _ in range(2):
        source.mul_(10)
        graph.replay()
    assert values(x).tolist() == [110, 110, 110]


def test_an_index_out_of_bounds_is_reported_after_the_replay() -> None:
    x, index = filled(4), torch.zeros(2, dtype=torch.int64, device="cuda")
    graph, _ = captured(lambda: x[index])
    index.fill_(9)
    graph.replay()
    with pytest.raises(IndexError, match="index 9 is out of bounds"):
        torch.cuda.synchronize()


def test_probabilities_are_checked_when_a_replay_is_waited_for() -> None:
    chances = torch.full((3,), 0.5, device="cuda")
    graph, _ = captured(lambda: torch.bernoulli(chances))
    graph.replay()
    torch.cuda.synchronize()
    chances.fill_(2)
    graph.replay()
    with pytest.raises(RuntimeError, match="Expected p_in >= 0 && p_in <= 1 to be true"):
        torch.cuda.synchronize()


def test_threads_of_a_walk_take_memory_of_the_graph() -> None:
    graph, found = torch.cuda.CUDAGraph(), []
    x = torch.ones(1000, device="cuda")

    def compute(enter: Callable[[], None]) -> None:
        enter()
        found.append((x + 1) * 2)

    with torch.cuda.graph(graph):
        thread = threading.Thread(target=compute, args=(backend.place(),))
        thread.start()
        thread.join()
        assert backend.capturing()
        assert graph._graph is not None
        assert graph._graph.pool.memory.used_bytes() >= found[0].nbytes
    graph.replay()
    assert values(found[0])[0] == 4


def test_a_capture_that_fails_in_the_middle_leaves_the_generators() -> None:
    torch.manual_seed(2)
    before = values(torch.cuda.get_rng_state()).tolist()

    def interrupted() -> None:
        torch.rand(3, device="cuda")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), torch.cuda.graph(torch.cuda.CUDAGraph()):
        interrupted()
    assert values(torch.cuda.get_rng_state()).tolist() == before


def test_misuse_is_refused_in_pytorchs_words() -> None:
    graph, any_ = torch.cuda.CUDAGraph(), cast("Any", 3)
    with pytest.raises(RuntimeError, match="must be captured on a non-default stream"):
        graph.capture_begin()
    for call in (graph.replay, graph.pool):
        with pytest.raises(RuntimeError, match="without a preceding successful capture"):
            call()
    with torch.cuda.stream(torch.cuda.Stream()):
        with pytest.raises(RuntimeError, match="Unknown capture error mode"):
            graph.capture_begin(capture_error_mode="some")
        with pytest.raises(TypeError, match="graph_pool_handle"):
            graph.capture_begin(pool=any_)
    with torch.cuda.graph(graph), torch.cuda.stream(torch.cuda.Stream()):
        with pytest.raises(RuntimeError, match="must end on the same stream it began on"):
            graph.capture_end()
        with pytest.raises(RuntimeError, match="only one capture may be underway"):
            torch.cuda.CUDAGraph().capture_begin()
    with (
        pytest.raises(RuntimeError, match="already owns a captured graph"),
        torch.cuda.graph(graph),
    ):
        pass
    with pytest.raises(RuntimeError, match="only when keep_graph=true"):
        graph.instantiate()
    with pytest.raises(RuntimeError, match="cannot access the raw cudaGraph_t instance unless"):
        graph.raw_cuda_graph()


# --------------------------------------------------------------------------- memory


def test_arrays_of_a_capture_keep_their_memory() -> None:
    x = torch.ones(1000, device="cuda")
    graph, out = captured(lambda: ((x + 1) * 2, (x + 3).sum())[1])
    others = [torch.full((1000,), 5.0, device="cuda") for _ in range(8)]
    graph.replay()
    assert out.item() == 4000
    assert all(values(o)[0] == 5 for o in others)  # none of which a replay writes to


def test_memory_goes_back_when_the_graph_goes() -> None:
    x = torch.ones(1 << 18, device="cuda")
    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved()
    graph, out = captured(lambda: x + 1)
    torch.cuda.empty_cache()
    assert torch.cuda.memory_reserved() >= before + x.nbytes
    assert torch.cuda.memory_allocated() >= before + out.nbytes
    graph.reset()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        graph.replay()
    del graph, out
    torch.cuda.empty_cache()
    assert torch.cuda.memory_reserved() == before


def test_graphs_may_share_memory() -> None:
    x = torch.ones(1 << 16, device="cuda")
    first, out = captured(lambda: (x + 1).sum())
    size = torch.cuda.memory_reserved()
    second, other = captured(lambda: (x + 2).sum(), pool=first.pool())
    assert torch.cuda.memory_reserved() < size + x.nbytes
    first.replay()
    assert out.item() == 2 << 16
    second.replay()
    assert other.item() == 3 << 16
    assert second.pool() is first.pool()


def test_other_threads_compute_as_ever_meanwhile() -> None:
    x = torch.ones(3, device="cuda")
    found: list[float] = []

    def elsewhere() -> None:
        with torch.cuda.stream(torch.cuda.Stream()):
            found.append((x * 5).sum().item())

    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        out = x + 1
    assert found == [15]
    graph.replay()
    assert values(out).tolist() == [2, 2, 2]


def test_a_side_stream_belongs_to_the_capture_that_it_waits_for() -> None:
    x, side = torch.ones(3, device="cuda"), torch.cuda.Stream()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            y = x * 3
        torch.cuda.current_stream().wait_stream(side)
        out = y + 1
    x.fill_(2)
    graph.replay()
    assert values(out).tolist() == [7, 7, 7]


def test_a_graph_can_be_kept_and_drawn(tmp_path: Path) -> None:
    x = torch.ones(3, device="cuda")
    graph = torch.cuda.CUDAGraph(keep_graph=True)
    with torch.cuda.graph(graph):
        x.add_(1)
    assert graph.raw_cuda_graph()
    with pytest.raises(RuntimeError, match="until instantiate"):
        graph.raw_cuda_graph_exec()
    graph.instantiate()
    assert graph.raw_cuda_graph_exec()
    graph.replay()
    assert values(x).tolist() == [2, 2, 2]
    graph.debug_dump(str(tmp_path / "graph.dot"))
    assert "digraph" in (tmp_path / "graph.dot").read_text()


# --------------------------------------------------------------------------- parts of networks


def test_graphed_callables_train_as_the_originals() -> None:
    def trained(graphed: bool) -> list[np.ndarray[Any, Any]]:
        net, x, target = network()
        first, second = net[0], nn.Sequential(net[1], net[2])
        if graphed:
            inner = filled(6, 5).requires_grad_()
            first, second = torch.cuda.make_graphed_callables(
                (first, second), ((x.clone(),), (inner,))
            )
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for k in range(3):
            optimizer.zero_grad()
            nn.functional.mse_loss(second(first(x + k)), target).backward()
            optimizer.step()
        return [values(p) for p in net.parameters()]

    for found, expected in zip(trained(True), trained(False), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_graphed_function_takes_and_returns_nested_tensors() -> None:
    x, y = filled(3).requires_grad_(), filled(3)
    graphed = torch.cuda.make_graphed_callables(
        lambda pair, z: {"sum": pair[0] * z + pair[1], "z": z.detach() * 2},
        ((x, y), x.detach().clone()),
    )
    a = torch.tensor([1.0, 2.0, 3.0], device="cuda", requires_grad=True)
    found = graphed((a, y), y + 1)
    (found["sum"] * a.detach()).sum().backward()
    np.testing.assert_allclose(values(found["sum"]), values(a * (y + 1) + y), rtol=1e-6)
    np.testing.assert_allclose(values(found["z"]), values((y + 1) * 2), rtol=1e-6)
    np.testing.assert_allclose(values(a.grad), values((y + 1) * a), rtol=1e-6)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        torch.autograd.grad(
            torch.autograd.grad((graphed((a, y), y)["sum"] ** 2).sum(), a, create_graph=True)[
                0
            ].sum(),
            a,
        )


def test_a_graphed_module_that_no_longer_trains_runs_as_it_was_written() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).to("cuda")
    x = filled(2, 3)
    graphed = torch.cuda.make_graphed_callables(net, (x,))
    assert graphed is net
    torch.manual_seed(3)
    dropped = values(net(x))
    assert (dropped == 0).any()
    net.eval()
    np.testing.assert_allclose(values(net(x)), values(net[0](x)), rtol=1e-6)


def test_what_cannot_be_graphed_is_refused() -> None:
    net, x = nn.Linear(3, 3).to("cuda"), filled(2, 3)
    with pytest.raises(AssertionError, match="must contain only Tensors"):
        torch.cuda.make_graphed_callables(net, (x, 3))
    with (
        torch.autocast("cuda"),
        pytest.raises(RuntimeError, match="does not support the autocast caching"),
    ):
        torch.cuda.make_graphed_callables(net, (x,))
    net.register_forward_hook(lambda *a: None)
    with pytest.raises(AssertionError, match="must not have hooks registered"):
        torch.cuda.make_graphed_callables(net, (x,))
    with pytest.raises(RuntimeError, match="allow_unused=True"):
        torch.cuda.make_graphed_callables(
            lambda a, b: a * 2, (filled(2).requires_grad_(), filled(2).requires_grad_())
        )
