"""Mixed precision beside PyTorch's: which type each function computes in, and scaled gradients."""

from __future__ import annotations

import gc
import pickle
import re
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch

pytestmark = pytest.mark.needs("ml_dtypes")

Call = Callable[[Any, Any, Any], Any]  # of the module, a 4 x 4 matrix and another one

# One function of each kind of the lists, and others that stand in none of them.
CALLS: dict[str, Call] = {
    "matmul": lambda t, x, y: t.matmul(x, y),
    "@": lambda t, x, y: x @ y,
    "method": lambda t, x, y: x.mm(y),
    "bmm": lambda t, x, y: t.bmm(x[None], y[None]),
    "addmm": lambda t, x, y: t.addmm(x, x, y),
    "baddbmm": lambda t, x, y: t.baddbmm(x[None], x[None], y[None]),
    "linear": lambda t, x, y: t.nn.functional.linear(x, y, x[0]),
    "einsum": lambda t, x, y: t.einsum("ij,jk->ik", x, y),
    "vecdot": lambda t, x, y: t.linalg.vecdot(x, y),
    "mv": lambda t, x, y: t.mv(x, y[0]),
    "dot": lambda t, x, y: t.dot(x[0], y[0]),
    "cat": lambda t, x, y: t.cat([x, y]),
    "stack": lambda t, x, y: t.stack((x, y)),
    "index_copy": lambda t, x, y: t.index_copy(x, 0, t.tensor([1], device=x.device), y[:1]),
    "prod": lambda t, x, y: t.prod(x, 0),
    "trace": lambda t, x, y: x.trace(),
    "quantile": lambda t, x, y: t.quantile(x, 0.5),
    "cdist": lambda t, x, y: t.cdist(x, y),
    "polar": lambda t, x, y: t.polar(x, y),
    "fft": lambda t, x, y: t.fft.fft(x),
    "inverse": lambda t, x, y: t.linalg.inv(x + 4 * t.eye(4, device=x.device)),
    "svdvals": lambda t, x, y: t.linalg.svdvals(x),
    "mse_loss": lambda t, x, y: t.nn.functional.mse_loss(x, y),
    "l1_loss": lambda t, x, y: t.nn.functional.l1_loss(x, y),
    "huber_loss": lambda t, x, y: t.nn.functional.huber_loss(x, y),
    "kl_div": lambda t, x, y: t.nn.functional.kl_div(x, y.abs(), reduction="sum"),
    "cross_entropy": lambda t, x, y: t.nn.functional.cross_entropy(
        x, t.tensor([0, 1, 2, 3], device=x.device)
    ),
    "conv2d": lambda t, x, y: t.nn.functional.conv2d(x[None, None], y[None, None]),
    "conv_transpose1d": lambda t, x, y: t.nn.functional.conv_transpose1d(x[None], y[:, None]),
    "attention": lambda t, x, y: t.nn.functional.scaled_dot_product_attention(
        x[None, None], y[None, None], x[None, None]
    ),
    "bilinear": lambda t, x, y: t.nn.functional.bilinear(x, y, y[None]),
    "interpolate": lambda t, x, y: t.nn.functional.interpolate(x[None], scale_factor=2),
    "normalize": lambda t, x, y: t.nn.functional.normalize(x),
    "grid_sample": lambda t, x, y: t.nn.functional.grid_sample(
        x[None, None], y.reshape(1, 4, 2, 2), align_corners=False
    ),
    "pad": lambda t, x, y: t.nn.functional.pad(x[None], (1, 1), mode="reflect"),
    "pad2d": lambda t, x, y: t.nn.functional.pad(x[None], (1, 1, 0, 1), mode="replicate"),
    "pad3d": lambda t, x, y: t.nn.functional.pad(x[None, None], (1,) * 6, mode="replicate"),
    "pad around": lambda t, x, y: t.nn.functional.pad(x[None], (1, 1), mode="circular"),
    "pad with 0": lambda t, x, y: t.nn.functional.pad(x, (1, 1)),
    "prelu": lambda t, x, y: t.nn.functional.prelu(x, y[0, :1]),
    "relu": lambda t, x, y: t.nn.functional.relu(x),
    "nll_loss": lambda t, x, y: t.nn.functional.nll_loss(
        x, t.tensor([0, 1, 2, 3], device=x.device)
    ),
    "with logits": lambda t, x, y: t.nn.functional.binary_cross_entropy_with_logits(
        x, y.sigmoid()
    ),
    "add": lambda t, x, y: x + y,
    "exp": lambda t, x, y: t.exp(x),
    "pow": lambda t, x, y: x.abs() ** 1.5,
    "sum": lambda t, x, y: x.sum(),
    "softmax": lambda t, x, y: t.softmax(x, 0),
    "layer_norm": lambda t, x, y: t.nn.functional.layer_norm(x, (4,)),
    "norm": lambda t, x, y: t.linalg.vector_norm(x),
    "tanh": lambda t, x, y: t.tanh(x @ y),
    "written": lambda t, x, y: t.zeros(4, 4, device=x.device).addmm_(x.float(), y.float()),
    "out": lambda t, x, y: t.mm(x.float(), y.float(), out=t.zeros(4, 4, device=x.device)),
}  # fmt: skip
TYPES = [
    ("float32", "float32"), ("bfloat16", "bfloat16"), ("bfloat16", "float32"),
    ("float64", "float64"), ("float16", "float16"),
]  # fmt: skip


def told(library: Any, call: Call, types: tuple[str, str], dtype: str | None) -> Any:
    """Return the type and the values of what a call gives in a region, or how it fails."""
    random = np.random.default_rng(0)
    x, y = (
        library.tensor(random.uniform(0.2, 1, (4, 4)).tolist(), dtype=getattr(library, kind))
        for kind in types
    )
    kind = None if dtype is None else getattr(library, dtype)
    try:
        with library.autocast("cpu", kind):
            found = call(library, x, y)
    except RuntimeError:
        return "refused", None
    return str(found.dtype).split(".")[-1], found.to(library.complex128).tolist()


@pytest.mark.parametrize("dtype", [None, "float16"])
@pytest.mark.parametrize("types", TYPES, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_types_are_pytorchs(name: str, types: tuple[str, str], dtype: str | None) -> None:
    expected = told(pytorch(), CALLS[name], types, dtype)

    found = told(gpugrad, CALLS[name], types, dtype)

    if expected[0] == "refused":  # 16 bits, and types that differ, of more functions
        return
    assert found[0] == expected[0]
    exact = found[0] in ("float64", "complex128") and "16" not in "".join(types)
    # products of 16 bits round once for each of our kernels, and PyTorch's for each of theirs
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-6 if exact else 3e-2, atol=1e-2)


LAYERS: dict[str, Call] = {  # of a module, sequences, and one step of them
    "LSTM": lambda t, x, step: t.nn.LSTM(4, 5)(x)[0],
    "GRU": lambda t, x, step: t.nn.GRU(4, 5)(x)[0],
    "RNN": lambda t, x, step: t.nn.RNN(4, 5)(x)[0],
    "LSTMCell": lambda t, x, step: t.nn.LSTMCell(4, 5)(step)[0],
    "GRUCell": lambda t, x, step: t.nn.GRUCell(4, 5)(step),
    "attention": lambda t, x, step: t.nn.MultiheadAttention(4, 2)(x, x, x)[0],
    "a transformer's layer": lambda t, x, step: t.nn.TransformerEncoderLayer(4, 2, 8)(x),
    "normalized": lambda t, x, step: t.nn.BatchNorm1d(2)(x),
    "several": lambda t, x, step: t.nn.Sequential(
        t.nn.Linear(4, 4), t.nn.GELU(), t.nn.LayerNorm(4), t.nn.Linear(4, 2)
    )(x),
    "a loss": lambda t, x, step: t.nn.CrossEntropyLoss()(step, t.tensor([0, 1])),
}


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_give_the_types_of_pytorchs(name: str, kind: str) -> None:
    found = []
    for library in gpugrad, pytorch():
        x = library.ones(3, 2, 4, dtype=getattr(library, kind))
        try:
            with library.autocast("cpu"):
                found.append(str(LAYERS[name](library, x, x[0]).dtype).split(".")[-1])
        except RuntimeError as error:
            if library is gpugrad or "could not create a primitive" not in str(error):
                raise
            pytest.skip("PyTorch computes this layer in bfloat16 on newer processors only")

    assert found[0] == found[1]


# What is cast on a GPU, by PyTorch's lists: the types of results of float16, and of float32.
ON_CUDA = {
    "matmul": ("float16", "float16"), "@": ("float16", "float16"), "bmm": ("float16", "float16"),
    "linear": ("float16", "float16"), "mv": ("float16", "float16"),
    "einsum": ("float16", "float16"), "exp": ("float32", "float32"),
    "pow": ("float32", "float32"), "sum": ("float32", "float32"), "softmax": ("float32", "float32"),
    "layer_norm": ("float32", "float32"), "norm": ("float32", "float32"),
    "prod": ("float32", "float32"), "mse_loss": ("float32", "float32"),
    "cdist": ("float32", "float32"), "dot": ("float16", "float32"), "cat": ("float16", "float32"),
    "add": ("float16", "float32"), "tanh": ("float16", "float16"), "trace": ("float16", "float32"),
}  # fmt: skip


@pytest.mark.cuda
@pytest.mark.parametrize("name", ON_CUDA)
def test_types_on_a_gpu_are_those_of_the_lists(name: str) -> None:
    random = np.random.default_rng(0)
    arrays = [random.uniform(0.2, 1, (4, 4)) for _ in range(2)]
    found = []
    for kind in gpugrad.float16, gpugrad.float32:
        x, y = (gpugrad.tensor(a, dtype=kind, device="cuda") for a in arrays)
        plain = CALLS[name](gpugrad, x.float(), y.float())
        with gpugrad.autocast("cuda"):
            result = CALLS[name](gpugrad, x, y)
        found.append(str(result.dtype).split(".")[-1])
        np.testing.assert_allclose(result.tolist(), plain.tolist(), rtol=1e-2)
        with gpugrad.autocast("cpu"):
            assert CALLS[name](gpugrad, y.float(), x.float()).dtype is gpugrad.float32

    assert tuple(found) == ON_CUDA[name]


@pytest.mark.cuda
def test_what_is_unsafe_on_a_gpu_is_refused() -> None:
    x = gpugrad.full((2,), 0.5, device="cuda")
    with gpugrad.autocast("cuda"), pytest.raises(RuntimeError, match="unsafe to autocast"):
        gpugrad.nn.functional.binary_cross_entropy(x, x)


# --------------------------------------------------------------------------- regions


def test_regions_lie_in_each_other_and_end(device: str) -> None:
    x = gpugrad.ones(2, 2, device=device)
    half = gpugrad.get_autocast_dtype(device)

    with gpugrad.autocast(device):
        assert gpugrad.is_autocast_enabled(device)
        with gpugrad.autocast(device, enabled=False):
            assert not gpugrad.is_autocast_enabled(device)
            assert (x @ x).dtype is gpugrad.float32
        with gpugrad.autocast(device, dtype=gpugrad.bfloat16):
            assert (x @ x).dtype is gpugrad.bfloat16
        assert (x @ x).dtype is half
        with pytest.raises(ZeroDivisionError), gpugrad.autocast(device, enabled=False):
            raise ZeroDivisionError
        assert (x @ x).dtype is half
    assert (x @ x).dtype is gpugrad.float32
    assert not gpugrad.is_autocast_enabled(device)


def test_other_threads_are_outside(device: str) -> None:
    x = gpugrad.ones(2, 2, device=device)
    found = []
    with gpugrad.autocast(device):
        thread = threading.Thread(target=lambda: found.append((x @ x).dtype))
        thread.start()
        thread.join()

    assert found == [gpugrad.float32]


def test_a_region_decorates_and_may_be_entered_again(device: str) -> None:
    x = gpugrad.ones(2, 2, device=device)
    region = gpugrad.autocast(device, dtype=gpugrad.bfloat16)

    @region
    def product() -> Any:
        with region:
            return x @ x

    assert product().dtype is product().dtype is gpugrad.bfloat16
    assert (x @ x).dtype is gpugrad.float32


def test_gradients_have_the_types_of_what_they_are_of(device: str) -> None:
    w: Any = gpugrad.full((3, 3), 0.5, device=device, requires_grad=True)
    x = gpugrad.ones(2, 3, device=device)
    with gpugrad.autocast(device, dtype=gpugrad.bfloat16):
        loss = gpugrad.nn.functional.mse_loss(x @ w @ w, x)
    loss.backward()

    assert loss.dtype is w.grad.dtype is gpugrad.float32
    plain: Any = w.detach().requires_grad_()
    ((x @ plain @ plain - x) ** 2).mean().backward()
    np.testing.assert_allclose(w.grad.tolist(), plain.grad.tolist(), rtol=1e-2)


def test_parameters_are_cast_once_until_they_are_written() -> None:
    w = gpugrad.ones(2, 2, requires_grad=True)
    x = gpugrad.ones(2, 2)

    def casts(y: Any) -> Any:
        """Return the nodes that made the operands."""
        return [node for node, _ in y.grad_fn.next_functions]

    with gpugrad.autocast("cpu"):
        first, second = casts(x @ w), casts(x @ w)
        assert first[1] is second[1]
        with gpugrad.no_grad():
            w.mul_(3)
            assert (x @ w).tolist() == [[6, 6], [6, 6]]
        assert (x @ w).tolist() == [[6, 6], [6, 6]]
    with gpugrad.autocast("cpu", cache_enabled=False):
        assert casts(x @ w)[1] is not casts(x @ w)[1]
    with gpugrad.autocast("cpu"):
        with gpugrad.no_grad():
            x @ w
        assert (x @ w).requires_grad
    assert not gpugrad.op.autocast.state.casts


def test_a_checkpoint_is_computed_again_in_its_types() -> None:
    from gpugrad.utils.checkpoint import checkpoint

    kinds = []

    def product(x: Any) -> Any:
        y = x @ x
        kinds.append(y.dtype)
        return y.sum()

    for reentrant in False, True:
        x: Any = gpugrad.ones(2, 2, requires_grad=True)
        with gpugrad.autocast("cpu"):
            loss = checkpoint(product, x, use_reentrant=reentrant)
        loss.backward()
        assert x.grad.dtype is gpugrad.float32

    assert kinds == [gpugrad.bfloat16] * 3  # one stops when all is there that was saved


class Product(gpugrad.autograd.Function):
    @staticmethod
    @gpugrad.amp.custom_fwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return x @ y

    @staticmethod
    @gpugrad.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved_tensors
        ctx.seen = (g.float() @ y.float().t()).dtype
        SEEN.append(ctx.seen)
        return g.to(y.dtype) @ y.t(), x.t() @ g.to(x.dtype)


class Full(gpugrad.autograd.Function):
    @staticmethod
    @gpugrad.amp.custom_fwd(device_type="cpu", cast_inputs=gpugrad.float32)  # type: ignore[untyped-decorator]
    def forward(ctx: Any, x: Any) -> Any:
        SEEN.append(x.dtype)
        return x @ x

    @staticmethod
    @gpugrad.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, g: Any) -> Any:
        SEEN.append((g @ g).dtype)
        return g


SEEN: list[Any] = []


def test_functions_of_users_know_their_region() -> None:
    x = gpugrad.ones(2, 2, requires_grad=True)
    SEEN.clear()
    with gpugrad.autocast("cpu"):
        y = Product.apply(x, x)
        z = Full.apply(x.bfloat16())
    assert y.dtype is gpugrad.bfloat16
    assert z.dtype is gpugrad.float32
    y.sum().backward()
    z.sum().backward()
    Product.apply(x, x).sum().backward()

    assert [gpugrad.float32, gpugrad.bfloat16, gpugrad.float32, gpugrad.float32] == SEEN


def test_the_cache_keeps_nothing_alive() -> None:
    with gpugrad.autocast("cpu"):
        w = gpugrad.ones(2, 2, requires_grad=True)
        w @ w
        del w
        gc.collect()
        other = gpugrad.zeros(2, 2, requires_grad=True)
        assert (other @ other).tolist() == [[0, 0], [0, 0]]


ASKED: list[Callable[[Any], Any]] = [
    lambda t: t.autocast(3),
    lambda t: t.autocast("cpu", t.float64),
    lambda t: t.autocast("cpu")(3),
    lambda t: [t.is_autocast_enabled("cpu"), t.is_autocast_cpu_enabled(), t.is_autocast_enabled()],
    lambda t: [t.get_autocast_dtype("cpu"), t.get_autocast_cpu_dtype(), t.get_autocast_gpu_dtype()],
    lambda t: t.amp.is_autocast_available("cpu"),
    lambda t: [t.set_autocast_cpu_dtype(t.float16), t.set_autocast_cpu_dtype(t.bfloat16)],
    lambda t: t.set_autocast_cpu_enabled(False),
    lambda t: t.set_autocast_gpu_dtype(t.float16),
    lambda t: t.is_autocast_cache_enabled(),
    lambda t: t.amp.custom_fwd(lambda: 3, device_type=3),
    lambda t: t.amp.custom_bwd(lambda: 3, device_type=3),
    lambda t: t.amp.GradScaler("cpu", growth_factor=1.0),
    lambda t: t.amp.GradScaler("cpu", backoff_factor=1.0),
    lambda t: t.amp.GradScaler("cpu").scale(3),
    lambda t: t.amp.GradScaler("cpu").update(),
    lambda t: t.amp.GradScaler("cpu").step(t.optim.SGD([t.ones(1)])),
    lambda t: t.amp.GradScaler("cpu").unscale_(t.optim.SGD([t.ones(1)])),
    lambda t: t.amp.GradScaler("cpu").load_state_dict({}),
    lambda t: t.amp.GradScaler("cpu", enabled=False).state_dict(),
    lambda t: t.amp.GradScaler("cpu").state_dict(),
    lambda t: scaled(t).unscale_(SGD[-1]),
    lambda t: [scaled(t).unscale_(SGD[-1]), SCALERS[-1].unscale_(SGD[-1])],
    lambda t: [scaled(t).step(SGD[-1]), SCALERS[-1].step(SGD[-1])],
    lambda t: [scaled(t).step(SGD[-1]), SCALERS[-1].unscale_(SGD[-1])],
    lambda t: scaled(t).step(SGD[-1], closure=lambda: 3),
    lambda t: scaled(t).step(t.optim.SGD([t.ones(1)])),
    lambda t: scaled(t).update(t.ones(2)),
    lambda t: [scaled(t).unscale_(SGD[-1]), pickle.dumps(SCALERS[-1])],
    lambda t: scaled(t, "float16").step(SGD[-1]),
]
SCALERS: list[Any] = []
SGD: list[Any] = []


def scaled(library: Any, kind: str = "float32") -> Any:
    """Return a scaler after a backward of a loss that it has scaled."""
    p = library.ones(2, dtype=getattr(library, kind), requires_grad=True)
    SGD.append(library.optim.SGD([p], lr=0.1))
    SCALERS.append(library.amp.GradScaler("cpu", init_scale=8.0))
    SCALERS[-1].scale((p * p).sum()).backward()
    return SCALERS[-1]


@pytest.mark.parametrize("place", range(len(ASKED)))
def test_answers_and_errors_are_pytorchs(place: int) -> None:
    found = []
    for library in gpugrad, pytorch():
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                answer: Any = str(ASKED[place](library)) if place > 1 else None
                if place <= 1:
                    ASKED[place](library)
            except Exception as error:
                answer = type(error).__name__, str(error)
        said = answer, [(w.category.__name__, str(w.message)) for w in warned]
        text = re.sub(r" \(Triggered internally at [^)]*\)", "", str(said))
        found.append(text.replace("torch.", "gpugrad."))

    assert found[0] == found[1]


# --------------------------------------------------------------------------- scaled gradients


def trained(library: Any, device: str, options: dict[str, Any], fused: bool) -> list[Any]:
    """Return what some iterations make of a parameter and of the scale; some losses overflow."""
    p = library.tensor([1.0, -2.0], device=device, requires_grad=True)
    q = library.tensor([0.5], device=device, requires_grad=True)
    first = library.optim.Adam([p], lr=0.1, fused=fused)
    second = library.optim.SGD([q], lr=0.1)
    scaler = library.amp.GradScaler(device, **options)
    found = []
    for k in range(12):
        first.zero_grad()
        second.zero_grad()
        big = 1e38 if k in (3, 7) else 1.0
        losses = scaler.scale([(p * p).sum() * big, (q * q * q).sum()])
        for loss in losses:
            loss.backward()
        if k % 2:
            scaler.unscale_(first)
        scaler.step(first)
        scaler.step(second)
        scaler.update(7.0 if k == 9 else None)
        if k == 5:
            other = library.amp.GradScaler(device)
            other.load_state_dict(scaler.state_dict())
            scaler = other if device == "cpu" else pickle.loads(pickle.dumps(scaler))
        found.append([p.tolist(), q.tolist(), scaler.state_dict(), p.grad.tolist()])
    return found


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    "options",
    [{}, {"init_scale": 16.0, "growth_interval": 2, "growth_factor": 4.0, "backoff_factor": 0.25}],
    ids=str,
)
def test_scaled_steps_are_pytorchs(options: dict[str, Any], fused: bool, device: str) -> None:
    expected = trained(pytorch(), "cpu", options, fused)

    for found, wanted in zip(trained(gpugrad, device, options, fused), expected, strict=True):
        assert found[2] == wanted[2]
        for some, other in zip(found[:2], wanted[:2], strict=True):
            np.testing.assert_allclose(some, other, rtol=1e-5)


# --------------------------------------------------------------------------- steps of training


def _perceptron(lib: Any) -> tuple[Any, tuple[int, ...]]:
    nn = lib.nn
    return nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 10)), (8, 16)


def _encoder(lib: Any) -> tuple[Any, tuple[int, ...]]:
    return lib.nn.TransformerEncoderLayer(16, 2, 32, dropout=0, activation="gelu"), (6, 2, 16)


def _convnet(lib: Any) -> tuple[Any, tuple[int, ...]]:
    nn = lib.nn
    first = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)]
    last = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)]
    return nn.Sequential(*first, nn.Conv2d(4, 4, 3, stride=2), *last), (4, 1, 8, 8)


def _trained(library: Any, make: Any, device: str, dtype: str, state: Any) -> tuple[Any, ...]:
    """Return the parameters at first, types of layers' results, losses, and last gradients."""
    net, shape = make(library)
    if state is not None:
        net.load_state_dict({k: library.tensor(v) for k, v in state.items()})
    state = {k: v.detach().numpy().copy() for k, v in net.state_dict().items()}
    net.to(device)
    x = library.tensor(np.random.default_rng(0).normal(size=shape).astype(np.float32)).to(device)
    y = library.tensor(np.arange(shape[0]) % 10).to(device)
    optimizer = library.optim.SGD(net.parameters(), lr=0.1)
    scaler = library.amp.GradScaler(device, enabled=dtype == "float16", init_scale=256.0)
    kinds: list[str] = []
    for layer in net.modules():
        layer.register_forward_hook(
            lambda layer, given, out: kinds.append(
                str((out if hasattr(out, "dtype") else out[0]).dtype).split(".")[1]
            )
        )
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        with library.autocast(device, dtype=getattr(library, dtype)):
            out = net(x)
            functional = library.nn.functional
            loss = functional.cross_entropy(out, y) if out.ndim == 2 else out.sin().mean()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        grads = [p.grad for p in net.parameters()]
        kinds += [str(g.dtype).split(".")[1] for g in (*grads, loss)]
        grads = [g.detach().float().cpu().numpy().copy() for g in grads]
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return state, kinds, losses, grads


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("make", [_perceptron, _encoder, _convnet])
def test_steps_of_networks_are_those_of_pytorch_on_the_cpu(
    make: Any, dtype: str, device: str
) -> None:
    """The types of each layer's results and of gradients are the same; few bits differ."""
    state, kinds, losses, grads = _trained(pytorch(), make, "cpu", dtype, None)
    _, own_kinds, own_losses, own_grads = _trained(gpugrad, make, device, dtype, state)
    assert own_kinds == kinds
    near = 0.04 if dtype == "bfloat16" else 0.005  # some roundings to 8 and 11 bits
    np.testing.assert_allclose(own_losses, losses, near, near)
    most = max(abs(g).max() for g in grads)  # that of a bias before a normalization is rounding
    for own, other in zip(own_grads, grads, strict=True):
        np.testing.assert_allclose(own, other, 0, near * most)
