"""Training steps on CUDA, real or emulated, take no more launches than PyTorch's.

PyTorch's launches cannot be seen without a GPU, but have a bound: each operation that it dispatches
for the same step and that computes, no view and no new memory, is one kernel at least.  A call of
cuBLAS is one, of either library.  A convolution and its backward are one operation each, of which
PyTorch makes, by its sources: with cuDNN a call for the result and one for each gradient, and a
kernel to add and one to sum a bias, for the convolutional net here 39 in all; without cuDNN, in
place of each call, windows and a product for each example of the batch, 74 in all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad.testing import count_kernels

pytestmark = pytest.mark.cuda

Step = Callable[[], Any]


def mlp(lib: Any) -> tuple[Any, tuple[int, ...]]:
    nn = lib.nn
    hidden = [nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(12, 10)), (8, 16)


def transformer(lib: Any, dropout: float = 0.0) -> tuple[Any, tuple[int, ...]]:
    options = {"dropout": dropout, "activation": "gelu", "batch_first": True, "norm_first": True}
    return lib.nn.TransformerEncoderLayer(16, 2, 32, **options), (2, 6, 16)


def convnet(lib: Any) -> tuple[Any, tuple[int, ...]]:
    nn = lib.nn
    first = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()]
    last = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)]
    return nn.Sequential(*first, *second, *last), (4, 1, 8, 8)


def recurrent(lib: Any) -> tuple[Any, tuple[int, ...]]:
    class Net(lib.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.last = lib.nn.LSTM(5, 6, batch_first=True), lib.nn.Linear(6, 10)

        def forward(self, x: Any) -> Any:
            return self.last(self.lstm(x)[0][:, -1])

    return Net(), (3, TIMES, 5)


TIMES = 5


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "Adam": {"lr": 1e-3},
    "SGD": {"lr": 1e-3},
    "SGD with momentum": {"lr": 1e-3, "momentum": 0.9},
}


def step(
    lib: Any,
    net: Any,
    shape: tuple[int, ...],
    device: str,
    clipped: bool = False,
    optimizing: str = "Adam",
) -> Step:
    """Return a step of training by an optimizer, as on a GPU: of many tensors at once."""
    rng = np.random.default_rng(0)
    x = lib.tensor(rng.normal(size=shape).astype(np.float32)).to(device)
    net.to(device)
    kind = getattr(lib.optim, optimizing.split()[0])
    optimizer = kind(net.parameters(), **OPTIMIZERS[optimizing], foreach=True)
    functional, shape = lib.nn.functional, tuple(net(x).shape)
    if len(shape) == 2:
        loss, target = functional.cross_entropy, rng.integers(0, 10, shape[0])
    else:
        loss, target = functional.mse_loss, rng.normal(size=shape).astype(np.float32)
    y = lib.tensor(target).to(device)

    def run() -> None:
        optimizer.zero_grad()
        loss(net(x), y).backward()
        if clipped:
            lib.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()

    for _ in range(2):  # the first makes states
        run()
    return run


# New memory, of which zeros are set by the driver, and what the host reads.
NO_KERNELS = {"_unsafe_view", "empty", "zeros", "zeros_like", "new_zeros", "_local_scalar_dense"}


def operations(run: Step) -> list[str]:
    """Return the names of the operations of PyTorch's that a step computes."""
    from torch.utils._python_dispatch import TorchDispatchMode

    found: list[str] = []

    class Listing(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, op: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            name = op._schema.name.removeprefix("aten::")
            infos = [r.alias_info for r in op._schema.returns]
            view = any(i is not None and not i.is_write for i in infos)
            # the counts of steps are on the host
            counts = isinstance(args[0] if args else None, list) and not any(
                getattr(t, "ndim", 1) for t in args[0]
            )
            if op.namespace == "aten" and not (view or counts or name in NO_KERNELS):
                found.append(name)
            return op(*args, **(kwargs or {}))

    with Listing():
        run()
    return found


def launched(run: Step) -> int:
    with count_kernels() as counted:
        run()
    return int(counted.total)


STEPS: dict[str, tuple[Callable[[Any], Any], bool, str]] = {
    "perceptron": (mlp, False, "Adam"),
    "clipped perceptron": (mlp, True, "Adam"),
    "perceptron by SGD": (mlp, False, "SGD"),
    "perceptron by SGD with momentum": (mlp, False, "SGD with momentum"),
    "convolutional net": (convnet, False, "Adam"),
    "transformer": (transformer, False, "Adam"),
    "transformer with dropout": (lambda lib: transformer(lib, 0.1), False, "Adam"),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_takes_no_more_launches_than_pytorchs(name: str) -> None:
    make, clipped, optimizing = STEPS[name]
    (net, shape), (other, _) = make(gpugrad), make(pytorch())
    theirs = operations(step(pytorch(), other, shape, "cpu", clipped, optimizing))
    assert launched(step(gpugrad, net, shape, "cuda", clipped, optimizing)) <= len(theirs)


@pytest.mark.emulated
def test_a_step_takes_no_more_launches_where_cudnn_convolves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call of cuDNN counts as one; PyTorch adds biases by kernels of their own, which do not."""
    from gpugrad.backend.cuda import cudnn
    from hostcuda.convolutions import FrontEnd

    front = FrontEnd()
    monkeypatch.setattr(cudnn, "front_end", lambda: front)
    monkeypatch.setattr(cudnn, "_kept", cudnn._Kept())
    theirs = operations(step(pytorch(), *convnet(pytorch()), "cpu"))
    run = step(gpugrad, *convnet(gpugrad), "cuda")
    before = front.executed
    assert launched(run) <= len(theirs)
    assert front.executed == before + 5


def test_a_step_of_a_recurrent_net_takes_no_more_than_products_and_cells() -> None:
    """PyTorch's layer is one call of cuDNN, of which no launches can be seen.

    It is compared with what it does cell by cell without that: the products of the states, and a
    kernel for each cell, forward and back; inputs are multiplied at once, as ours are.
    """
    theirs = operations(step(pytorch(), *recurrent(pytorch()), "cpu"))
    layers = [name for name in theirs if "rnn" in name]
    assert len(layers) == 2
    forward, backward = 1 + 2 * TIMES, 2 * TIMES + 4  # and of inputs: product; weights, biases
    bound = len(theirs) - len(layers) + forward + backward
    assert launched(step(gpugrad, *recurrent(gpugrad), "cuda")) <= bound
