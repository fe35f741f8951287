"""What surrounds a step of an optimizer: hooks, groups, states, records, memory, and launches."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad.backend import compiled
from gpugrad.testing import count_kernels

Ask = Callable[[Any], Any]


def module(library: Any) -> Any:
    """Return the module of what all optimizers have."""
    return import_module(f"{library.__name__}.optim.optimizer")


def leaf(library: Any, *shape: int, dtype: str = "float64", device: str = "cpu") -> Any:
    """Return a parameter that has a gradient."""
    random = np.random.default_rng(sum(shape))
    kind = getattr(library, dtype)
    p = library.tensor(random.standard_normal(shape), dtype=kind, device=device)
    p.grad = library.tensor(random.standard_normal(shape), dtype=kind, device=device)
    return p.requires_grad_()


# --------------------------------------------------------------------------- errors


def tensor_rates(t: Any) -> Any:
    return t.optim.Adam([leaf(t, 2)], lr=t.tensor([0.1, 0.2]))


def named(t: Any) -> Any:
    return t.optim.SGD([("w", leaf(t, 2)), ("b", leaf(t, 3))], lr=0.1)


def other_loaded(t: Any, count: int) -> Any:
    first = t.optim.Adam([leaf(t, 2)])
    first.load_state_dict(t.optim.Adam([leaf(t, 2) for _ in range(count)]).state_dict())


OUT_OF_RANGE: dict[str, dict[str, Any]] = {
    "Adam": {"lr": -1, "betas": (1.0, 0.5), "eps": -1, "weight_decay": -1},
    "AdamW": {"betas": (0.5, -0.1)},
    "Adamax": {"lr": -1.0, "betas": (0.5, 1.0), "eps": -1, "weight_decay": -1},
    "NAdam": {"momentum_decay": -1, "betas": (2, 0.1)},
    "RAdam": {"lr": -1, "eps": -1},
    "RMSprop": {"alpha": -1, "momentum": -1, "weight_decay": -1},
    "Adagrad": {"lr_decay": -1, "initial_accumulator_value": -1, "eps": -1},
    "Adadelta": {"rho": 2, "eps": -1},
    "ASGD": {"lr": -1, "weight_decay": -1},
    "Rprop": {"etas": (1.5, 1.2), "lr": -1},
    "LBFGS": {"lr": -1},
    "Adafactor": {"lr": -1, "beta2_decay": 1, "eps": (-1, 1), "d": 0.5, "weight_decay": -1},
    "Muon": {"lr": -1, "momentum": -1, "weight_decay": -1, "adjust_lr_fn": "x"},
}
REFUSED: dict[str, Ask] = {
    "a set": lambda t: t.optim.SGD([{"params": {leaf(t, 2)}}]),
    "some names": lambda t: t.optim.SGD([("w", leaf(t, 2)), leaf(t, 3)]),
    "names in one group": lambda t: named(t).add_param_group({"params": [leaf(t, 4)]}),
    "no names in one group": lambda t: t.optim.SGD([leaf(t, 2)]).add_param_group(
        {"params": [("w", leaf(t, 4))]}
    ),
    "one twice": lambda t: t.optim.SGD([leaf(t, 2)] * 2),
    "an array": lambda t: t.optim.SGD([np.ones(2)]),
    "rates": tensor_rates,
    "another number of parameters": lambda t: other_loaded(t, 2),
    "no step": lambda t: t.optim.Optimizer([leaf(t, 2)], {}).step(),
    "no closure": lambda t: t.optim.LBFGS([leaf(t, 2)]).step(),
    "groups": lambda t: t.optim.LBFGS([{"params": leaf(t, 2)}, {"params": leaf(t, 3)}]),
    "an unknown search": lambda t: t.optim.LBFGS(
        [leaf(t, 2)], line_search_fn="wolfe"
    ).step(lambda: t.tensor(1.0)),
    "required": lambda t: t.optim.Optimizer(
        [leaf(t, 2)], {"lr": module(t).required}
    ),
    "betas": lambda t: t.optim.Adam([leaf(t, 2)], betas=(0.1, t.tensor(0.2))),
    "a matrix": lambda t: t.optim.Muon([leaf(t, 2)]),
    "steps": lambda t: t.optim.Muon([leaf(t, 2, 2)], ns_steps=100).step(),
    "complex": lambda t: t.optim.Adafactor([leaf(t, 2, dtype="complex128")]).step(),
    "complex and fused": lambda t: t.optim.SGD(
        [leaf(t, 2, dtype="complex128")], fused=True
    ).step(),
    "a hook": lambda t: hooked(t, lambda *_: 3),
    **{
        f"{name} {option}={value}": lambda t, n=name, o=option, v=value: getattr(t.optim, n)(  # type: ignore[misc]
            [leaf(t, 2, 2)], **{o: v}
        )
        for name, options in OUT_OF_RANGE.items()
        for option, value in options.items()
    },
    **{
        f"{name} {more}": lambda t, n=name, m=more: getattr(t.optim, n)([leaf(t, 2)], **m)  # type: ignore[misc]
        for name in ("SGD", "Adam", "Adagrad")
        for more in ({"fused": True, "foreach": True}, {"fused": True, "differentiable": True})
    },
    **{
        f"{name} on the CPU": lambda t, n=name: getattr(t.optim, n)(  # type: ignore[misc]
            [leaf(t, 2)], capturable=True, foreach=False
        ).step()
        for name in ("Adam", "NAdam", "RAdam", "Adamax", "RMSprop", "Rprop", "ASGD")
    },
}  # fmt: skip


def hooked(t: Any, hook: Any) -> None:
    optimizer = t.optim.SGD([leaf(t, 2)])
    optimizer.register_step_pre_hook(hook)
    optimizer.step()


def ended(library: Any, ask: Ask) -> Any:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            ask(library)
            error: Any = None
        except Exception as e:
            text = str(e).replace("torch.", "gpugrad.")
            error = type(e).__name__, re.sub("0x[0-9a-f]+", "0x", text)
    return error, [(w.category.__name__, str(w.message)) for w in warned]


@pytest.mark.parametrize("name", REFUSED)
def test_errors_and_warnings_are_pytorchs(name: str) -> None:
    expected = ended(pytorch(), REFUSED[name])
    assert expected != (None, [])

    assert ended(gpugrad, REFUSED[name]) == expected


def test_sparse_gradients_are_refused_in_words() -> None:
    with pytest.raises(NotImplementedError, match="Use Adam"):
        gpugrad.optim.SparseAdam([gpugrad.ones(2)])


# --------------------------------------------------------------------------- hooks and states


def calls(t: Any) -> list[Any]:
    """Return the order in which hooks are called, and what they change."""
    seen: list[Any] = []
    optimizer = t.optim.SGD([leaf(t, 2)], lr=0.1)
    handles = [
        module(t).register_optimizer_step_pre_hook(lambda o, a, k: seen.append("all")),
        optimizer.register_step_pre_hook(lambda o, a, k: seen.append((a == (o,), k))),
        optimizer.register_step_pre_hook(lambda o, a, k: ((*a[:1], lambda: seen.append(1)), {})),
        optimizer.register_step_post_hook(lambda o, a, k: seen.append(o is optimizer)),
        module(t).register_optimizer_step_post_hook(lambda o, a, k: seen.append("end")),
        optimizer.register_state_dict_pre_hook(lambda o: seen.append("before")),
        optimizer.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True),
        optimizer.register_state_dict_post_hook(lambda o, s: {**s, "more": 3}),
        optimizer.register_load_state_dict_pre_hook(lambda o, s: seen.append(sorted(s))),
        optimizer.register_load_state_dict_post_hook(lambda o: seen.append("loaded")),
    ]
    optimizer.step(closure=None)
    state = optimizer.state_dict()
    optimizer.load_state_dict(state)
    for handle in handles:
        handle.remove()
    optimizer.step()
    optimizer.state_dict()
    return seen


def test_hooks_are_called_as_pytorchs() -> None:
    found, expected = calls(gpugrad), calls(pytorch())

    assert found == expected


def test_names_and_own_options_are_stored() -> None:
    found = []
    for library in gpugrad, pytorch():
        optimizer = named(library)
        optimizer.add_param_group({"params": [("c", leaf(library, 4))], "lr": 0.5, "mine": "x"})
        other = library.optim.SGD(
            [{"params": [("x", leaf(library, 2)), ("y", leaf(library, 3))]},
             {"params": [("z", leaf(library, 4))]}], lr=1.0,
        )  # fmt: skip
        other.load_state_dict(optimizer.state_dict())
        found.append([optimizer.state_dict(), repr(optimizer), other.state_dict(), repr(other)])

    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["Adam", "ASGD", "Adagrad", "NAdam", "Rprop", "SGD"])
def test_states_go_to_pytorch_and_back(name: str) -> None:
    torch = pytorch()
    options = {"momentum": 0.9} if name == "SGD" else {}
    ours, theirs = (
        getattr(t.optim, name)([leaf(t, 2, 3), leaf(t, 4)], **options) for t in (gpugrad, torch)
    )
    for optimizer in ours, theirs:
        optimizer.step()

    def moved(value: Any, library: Any) -> Any:
        if isinstance(value, dict):
            return {k: moved(v, library) for k, v in value.items()}
        return library.tensor(value.numpy()) if hasattr(value, "numpy") else value

    for source, target, library in [(ours, theirs, torch), (theirs, ours, gpugrad)]:
        state = source.state_dict()
        target.load_state_dict(
            {"state": moved(state["state"], library), "param_groups": state["param_groups"]}
        )
        for optimizer in ours, theirs:
            optimizer.step()

    params = [o.param_groups[0]["params"] for o in (ours, theirs)]
    for found, expected in zip(*params, strict=True):
        np.testing.assert_allclose(found.tolist(), expected.tolist(), rtol=1e-10)


def test_an_optimizer_is_pickled_with_its_parameters(device: str) -> None:
    p = leaf(gpugrad, 3, device=device)
    optimizer = gpugrad.optim.AdamW([p], lr=0.1)
    optimizer.step()
    other, q = pickle.loads(pickle.dumps((optimizer, p)))
    again = copy.deepcopy(optimizer)

    for o, x in (optimizer, p), (other, q):
        x.grad = gpugrad.ones(3, dtype=gpugrad.float64, device=device)
        o.step()
    again.param_groups[0]["params"][0].grad = p.grad
    again.step()

    assert q.tolist() == p.tolist() == again.param_groups[0]["params"][0].tolist()
    assert other.state[q]["step"].item() == 2


def test_a_state_is_moved_to_the_type_of_its_parameter(device: str) -> None:
    first = gpugrad.optim.Adam([leaf(gpugrad, 3)])
    first.step()
    p = leaf(gpugrad, 3, dtype="float32", device=device)
    second = gpugrad.optim.Adam([p])
    second.load_state_dict(first.state_dict())
    second.step()

    assert second.state[p]["exp_avg"].dtype is gpugrad.float32
    assert second.state[p]["exp_avg"].device == p.device
    assert second.state[p]["step"].device.type == "cpu"
    assert second.state[p]["step"].item() == 2


# --------------------------------------------------------------------------- recorded steps


RECORDED: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.1}, "Adam": {"weight_decay": 0.1}, "AdamW": {},
    "RAdam": {}, "Adagrad": {"lr_decay": 0.1}, "Adadelta": {}, "ASGD": {},
    # PyTorch cannot walk through several steps of these: they write what they have saved
    "Adamax": {}, "NAdam": {"decoupled_weight_decay": True, "weight_decay": 0.1},
    "RMSprop": {"centered": True, "momentum": 0.5}, "Rprop": {},
}  # fmt: skip


def after_steps(library: Any, name: str, start: Any, scale: Any) -> Any:
    """Return a number made of a parameter after four steps, whose gradients have a scale."""
    p = start.clone()
    optimizer = getattr(library.optim, name)([p], lr=0.1, differentiable=True, **RECORDED[name])
    if name == "SGD":  # PyTorch cuts its first velocity off the graph
        optimizer.state[p]["momentum_buffer"] = library.zeros_like(start)
    for _ in range(4):
        p.grad = scale * p.detach() ** 2 + 0.1
        optimizer.step()
    return (p * p).sum()


def start_and_scale(library: Any, device: str) -> tuple[Any, Any]:
    kind = library.float64
    start = library.tensor([0.5, -1.5, 2.0], dtype=kind, device=device, requires_grad=True)
    return start, library.tensor(0.7, dtype=kind, device=device, requires_grad=True)


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # of a parameter that was computed
@pytest.mark.parametrize("name", list(RECORDED)[:7])
def test_gradients_through_steps_are_pytorchs(name: str, device: str) -> None:
    found = []
    for library, where in (pytorch(), "cpu"), (gpugrad, device):
        start, scale = start_and_scale(library, where)
        out = after_steps(library, name, start, scale)
        found.append([g.tolist() for g in library.autograd.grad(out, [start, scale])])

    for expected, wanted in zip(*found, strict=True):
        # PyTorch computes 1 - 0.999 in float32 where it records
        np.testing.assert_allclose(wanted, expected, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("name", RECORDED)
def test_gradients_through_steps_are_right(name: str, device: str) -> None:
    def loss(start: Any, scale: Any) -> Any:
        p = start.clone()
        optimizer = getattr(gpugrad.optim, name)([p], lr=0.1, differentiable=True, **RECORDED[name])
        for k in range(4):
            p.grad = scale * gpugrad.tensor([0.3, k - 1.7, 0.4], device=device).double()
            optimizer.step()
        return (p * p).sum()

    assert gpugrad.autograd.gradcheck(loss, start_and_scale(gpugrad, device))


@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_gradients_of_rates(device: str) -> None:
    kind = gpugrad.float64
    for make in (
        lambda p, lr: gpugrad.optim.SGD([p], lr=lr, differentiable=True, weight_decay=lr),
        lambda p, lr: gpugrad.optim.Adam(
            [p], lr=lr, differentiable=True, betas=(lr, 2 * lr), weight_decay=0.1
        ),
    ):

        def after(lr: Any, make: Any = make) -> Any:
            p = gpugrad.tensor([0.5, -1.5], dtype=kind, device=device).clone()
            optimizer = make(p, lr)
            for k in range(3):
                p.grad = gpugrad.tensor([0.3, 0.2 * k + 0.1], dtype=kind, device=device)
                optimizer.step()
            return (p * p).sum()

        lr = gpugrad.tensor(0.2, dtype=kind, device=device, requires_grad=True)
        assert gpugrad.autograd.gradcheck(after, lr)


# --------------------------------------------------------------------------- kinds of parameters


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_rates_that_are_tensors_are_numbers(name: str, device: str) -> None:
    found = []
    for lr in 0.1, gpugrad.tensor(0.1, dtype=gpugrad.float64), gpugrad.tensor([0.1], device=device):
        p = leaf(gpugrad, 3, device=device)
        getattr(gpugrad.optim, name)([p], lr=lr).step()
        found.append(p.tolist())

    assert found[0] == found[1]
    np.testing.assert_allclose(found[0], found[2], rtol=1e-6)  # of float32


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda a: a,
    "transposed": lambda a: a.t(),
    "large": lambda a: a.repeat(40, 900),
    "large and transposed": lambda a: a.repeat(40, 900).t(),
    "with gaps": lambda a: a.repeat(2, 2)[::2, ::2],
    "large with gaps": lambda a: a.repeat(80, 1800)[::2, ::2],
    "one number": lambda a: a[0, 0],
    "nothing": lambda a: a[:0],
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "float16", "bfloat16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_parameters_lie_in_any_way(layout: str, dtype: str, device: str) -> None:
    torch = pytorch()
    found = []
    for library, where in (gpugrad, device), (torch, "cpu"):
        kind = getattr(library, dtype)
        values = [
            LAYOUTS[layout](library.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, 3.0]], device=where))
            for _ in range(2)
        ]
        p, g = (v.to(kind) if dtype != "float32" else v for v in values)
        p.grad = g * 2 if layout != "with gaps" else (g * 2).contiguous()
        optimizer = library.optim.Adam([p], lr=0.125, weight_decay=0.5)
        for _ in range(3):
            optimizer.step()
        found.append(p.to(library.complex64).tolist())

    rough = {"float16": 4e-3, "bfloat16": 4e-2}.get(dtype, 1e-5)  # PyTorch rounds in each step
    np.testing.assert_allclose(found[0], found[1], rtol=rough, atol=rough)


def test_parameters_that_share_memory_are_written_one_after_the_other(device: str) -> None:
    base = gpugrad.ones(4, device=device)
    a, b = base[:3], base[1:]
    for p in a, b, base:
        p.grad = gpugrad.full(p.shape, 2.0, device=device)
    gpugrad.optim.SGD([a, b, base], lr=0.25, weight_decay=1.0).step()

    # each step is p - 0.25 * (2 + p)
    once, twice, thrice = 0.25, -0.3125, -0.734375
    assert base.tolist() == [twice, thrice, thrice, twice]
    assert once == 1 - 0.25 * 3


def test_parameters_that_are_one_memory_are_written_one_after_the_other(device: str) -> None:
    p = gpugrad.ones(4, device=device)
    q = p.detach()
    for t in p, q:
        t.grad = gpugrad.full((4,), 2.0, device=device)
    gpugrad.optim.SGD([p, q], lr=0.25, weight_decay=1.0).step()

    assert p.tolist() == q.tolist() == [-0.3125] * 4


def test_steps_that_were_stored_as_numbers_go_on() -> None:
    for name in "Adam", "NAdam", "ASGD":
        p, q = leaf(gpugrad, 3), leaf(gpugrad, 3)
        first, second = (getattr(gpugrad.optim, name)([x]) for x in (p, q))
        first.step()
        state = copy.deepcopy(first.state_dict())  # what is loaded is not copied, as in PyTorch
        numbers = {k: v.item() if not v.ndim else v for k, v in state["state"][0].items()}
        with gpugrad.no_grad():
            q.copy_(p)
        second.load_state_dict({**state, "state": {0: numbers}})
        first.step(), second.step()

        assert q.tolist() == p.tolist()
        assert second.state[q]["step"].item() == 2


def test_one_parameter_twice_is_written_twice() -> None:
    found = []
    for library in gpugrad, pytorch():
        p = leaf(library, 3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer = library.optim.SGD([p, p], lr=0.1, weight_decay=0.5)
        optimizer.step()
        found.append(p.tolist())

    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


def test_a_step_is_a_write_that_a_backward_notices(device: str) -> None:
    for name in "SGD", "Adam":
        p = leaf(gpugrad, 3, device=device)
        loss = (p * p).sum()
        grad, version = p.grad, p._version
        getattr(gpugrad.optim, name)([p]).step()

        assert p.grad is grad
        assert p._version == version + 1
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_a_state_that_a_graph_has_saved_is_a_write_too() -> None:
    p = leaf(gpugrad, 3)
    optimizer = gpugrad.optim.Adam([p])
    optimizer.step()
    loss = (p * optimizer.state[p]["exp_avg"]).sum()
    optimizer.step()

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_steps_in_inference_mode_and_of_its_tensors(device: str) -> None:
    p = leaf(gpugrad, 3, device=device)
    with gpugrad.inference_mode():
        gpugrad.optim.SGD([p], lr=1.0).step()
        q = gpugrad.ones(3, device=device)
        q.grad = gpugrad.ones(3, device=device)
        optimizer = gpugrad.optim.SGD([q], lr=1.0)
        optimizer.step()
    assert q.tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        optimizer.step()


def test_parameters_without_a_gradient_are_left_alone() -> None:
    p, q = leaf(gpugrad, 3), gpugrad.ones(2, requires_grad=True)
    optimizer = gpugrad.optim.Adam([p, q])
    optimizer.step()

    assert q.tolist() == [1, 1]
    assert len(optimizer.state) == 1


def test_a_closure_is_recorded_and_its_loss_returned() -> None:
    p = leaf(gpugrad, 3)
    optimizer = gpugrad.optim.RMSprop([p])

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with gpugrad.no_grad():
        first, second = optimizer.step(closure), optimizer.step(closure)

    assert second < first


# --------------------------------------------------------------------------- launches


@pytest.mark.cuda
@pytest.mark.parametrize("name", ["SGD", "Adam", "Adadelta", "NAdam", "Rprop", "RAdam"])
def test_a_step_of_a_group_is_one_kernel(name: str) -> None:
    params = [leaf(gpugrad, n, 7, device="cuda", dtype="float32") for n in range(1, 30)]
    options: dict[str, Any] = {"momentum": 0.9} if name == "SGD" else {}
    optimizer = getattr(gpugrad.optim, name)(params, **options)
    optimizer.step()
    with count_kernels() as launched:
        optimizer.step()

    assert launched.total == 1


@pytest.mark.cuda
@pytest.mark.parametrize(
    "name", ["Adam", "NAdam", "RAdam", "Adamax", "RMSprop", "ASGD", "Adadelta"]
)
def test_steps_that_never_wait_for_the_host_are_the_same(name: str) -> None:
    found = []
    for capturable in False, True:
        p = leaf(gpugrad, 5, device="cuda")
        options = {"weight_decay": 0.1, "capturable": capturable}
        optimizer = getattr(gpugrad.optim, name)([p], lr=0.05, **options)
        for _ in range(8):
            optimizer.step()
        if capturable:
            assert optimizer.state[p]["step"].is_cuda
        found.append(p.tolist())

    # what is counted in float32 has lost four digits in 1 - 0.999
    np.testing.assert_allclose(found[1], found[0], atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [n for n in RECORDED if n != "Rprop"] + ["Rprop"])
def test_many_parameters_are_written_as_each_alone(name: str, dtype: str) -> None:
    # together they take a compiled loop where there is a compiler, alone they are NumPy's
    shapes = [(k % 70 + 1, k % 50 + 1) for k in range(60)]
    found = []
    for together in True, False:
        params = [leaf(gpugrad, *shape, dtype=dtype) for shape in shapes]
        groups = [params] if together else [[p] for p in params]
        optimizers = [getattr(gpugrad.optim, name)(some, **RECORDED[name]) for some in groups]
        for _ in range(3):
            for optimizer in optimizers:
                optimizer.step()
        found.append([p.tolist() for p in params])
    assert sum(a * b for a, b in shapes) > compiled.LEAST

    for some, other in zip(*found, strict=True):
        np.testing.assert_allclose(some, other, rtol=1e-4 if dtype == "float32" else 1e-12)


def test_a_group_may_hold_several_types(device: str) -> None:
    found = []
    for library, where in (gpugrad, device), (pytorch(), "cpu"):
        kinds = "float64", "float32", "complex128", "float64", "float32"
        params = [leaf(library, 2, dtype=kind, device=where) for kind in kinds]
        optimizer = library.optim.Adam(params, lr=0.1)
        for _ in range(3):
            optimizer.step()
        found.append([p.tolist() for p in params])

    for some, other in zip(*found, strict=True):
        np.testing.assert_allclose(some, other, rtol=1e-6)


def test_a_search_goes_on_after_it_was_pickled() -> None:
    def step(optimizer: Any, p: Any) -> None:
        def closure() -> Any:
            optimizer.zero_grad()
            loss = (p**4).sum()
            loss.backward()
            return loss

        optimizer.step(closure)

    p = leaf(gpugrad, 3)
    optimizer = gpugrad.optim.LBFGS([p], max_iter=3)
    step(optimizer, p)
    other, q = pickle.loads(pickle.dumps((optimizer, p)))
    step(optimizer, p)
    step(other, q)

    assert q.tolist() == p.tolist()
