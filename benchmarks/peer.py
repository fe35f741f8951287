"""Those who are compared: what each library is given, and how it is waited for."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import gpugrad
from benchmarks.work import Array, Results, Work
from gpugrad import backend

REFERENCE = "PyTorch"
NAMES = {
    "torch": REFERENCE,
    "compile": "PyTorch compiled",
    "jax": "JAX",
    "autograd": "HIPS autograd",
    "mygrad": "MyGrad",
    "hand": "by hand",  # with NumPy or CuPy
}
MODULES = {"torch": "torch", "jax": "jax", "autograd": "autograd", "mygrad": "mygrad"}


class Peer:
    """One of those who do the work."""

    def __init__(
        self,
        name: str,
        run: Callable[[], Results],
        wait: Callable[[Results], object] = lambda results: None,
        prepare: Callable[[], object] = lambda: None,
    ):
        self.name = name
        self.run = run
        self.wait = wait  # until the device has computed what run returned
        self.prepare = prepare  # untimed, before each round
        self.repeats = 1
        self.seconds: list[float] = []

    def round(self) -> None:
        """Do the work as often as a round asks for."""
        for _ in range(self.repeats):
            results = self.run()
        self.wait(results)


def peers(
    work: Work, n: int, dtype: str, device: str, only: Sequence[str] = tuple(NAMES)
) -> list[Peer]:
    """Return those who can do the work on the device, gpugrad first, each with inputs of its own.

    ``only`` are keys of ``NAMES``: whom to compare gpugrad with, if installed.
    """
    inputs = work.arrays(n, dtype)
    makers = {
        "torch": _torch, "compile": _compiled, "jax": _jax, "autograd": _autograd,
        "mygrad": _mygrad, "hand": _by_hand,
    }  # fmt: skip
    if work.by_hand is None:
        del makers["hand"]
    found = [makers[key](work, inputs, device) for key in makers if key in only]
    return [_gpugrad(work, inputs, device), *(peer for peer in found if peer is not None)]


def judge(work: Work, inputs: Sequence[Array]) -> Peer:
    """Return who says on the CPU what is right: PyTorch, if it is installed."""
    return _torch(work, inputs, "cpu") or _gpugrad(work, inputs, "cpu")


@functools.cache
def library(name: str) -> Any:
    """Return a module, or None if it is not installed, or does not work with what is."""
    return None if problem(name) is not None else importlib.import_module(name)


@functools.cache
def problem(name: str) -> str | None:
    """Return why a module cannot be imported."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        return "not installed" if error.name == name else str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


# --------------------------------------------------------------------------- one after the other


def _waiting(lib: Any, device: str) -> Callable[[Results], object]:
    """Return what waits until the device has computed what it was asked for."""
    return lambda results: lib.cuda.synchronize() if device == "cuda" else None


def _gpugrad(work: Work, inputs: Sequence[Array], device: str) -> Peer:
    found = _imperative("gpugrad", gpugrad, work, inputs, device)
    if work.whole:
        found.run = gpugrad.compile(found.run)
        if work.prepared:  # once: a program is of certain tensors
            found.prepare = functools.cache(found.prepare)
    return found


def _torch(work: Work, inputs: Sequence[Array], device: str) -> Peer | None:
    torch = library("torch")
    if torch is None or (device == "cuda" and not torch.cuda.is_available()):
        return None
    return _imperative(REFERENCE, torch, work, inputs, device)


def _compiled(work: Work, inputs: Sequence[Array], device: str) -> Peer | None:
    eager = _torch(work, inputs, device)
    if eager is None or not work.compiled:
        return None
    library("torch")._dynamo.reset()
    return Peer(NAMES["compile"], library("torch").compile(eager.run), eager.wait)


def _imperative(name: str, lib: Any, work: Work, inputs: Sequence[Array], device: str) -> Peer:
    tensors = [lib.tensor(a, device=device) for a in inputs]
    leaves = [t.requires_grad_() for t in tensors[: work.leaves]]
    emptied = [] if work.keeps_grad else leaves
    way, prepared = work.ways["torch"], work.prepared.get("torch")
    operands = tensors

    def prepare() -> None:
        nonlocal operands
        if prepared is not None:
            operands = [prepared(lib, *tensors)]

    def run() -> Results:
        for leaf in emptied:
            leaf.grad = None
        return way(lib, *operands)

    return Peer(name, run, _waiting(lib, device), prepare)


def _jax(work: Work, inputs: Sequence[Array], device: str) -> Peer | None:
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # leave memory to the others
    jax = library("jax")
    if jax is None or "jax" not in work.ways:
        return None
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")  # a GPU's default has 10 bits
    try:
        place = jax.devices(device)[0]
    except RuntimeError:  # this JAX knows no such device
        return None
    lib = SimpleNamespace(numpy=jax.numpy, grad=jax.grad, hessian=jax.hessian, vjp=jax.vjp)
    arrays = [jax.device_put(a, place) for a in inputs]
    way = jax.jit(functools.partial(work.ways["jax"], lib))
    return Peer(NAMES["jax"], lambda: way(*arrays), jax.block_until_ready)


def _autograd(work: Work, inputs: Sequence[Array], device: str) -> Peer | None:
    autograd = library("autograd")
    if autograd is None or "autograd" not in work.ways or device != "cpu":
        return None

    def vjp(function: Callable[..., Any], *arrays: Array) -> tuple[Any, Callable[[Any], Any]]:
        pull, out = autograd.make_vjp(function, tuple(range(len(arrays))))(*arrays)
        return out, pull

    numpy = importlib.import_module("autograd.numpy")
    lib = SimpleNamespace(numpy=numpy, grad=autograd.grad, hessian=autograd.hessian, vjp=vjp)
    way, prepared = work.ways["autograd"], work.prepared.get("autograd")
    operands = inputs

    def prepare() -> None:
        nonlocal operands
        if prepared is not None:
            operands = [prepared(lib, *inputs)]

    return Peer(NAMES["autograd"], lambda: way(lib, *operands), prepare=prepare)


def _mygrad(work: Work, inputs: Sequence[Array], device: str) -> Peer | None:
    mygrad = library("mygrad")
    if mygrad is None or "mygrad" not in work.ways or device != "cpu":
        return None
    way = work.ways["mygrad"]
    tensors = [mygrad.tensor(a, constant=k >= work.leaves) for k, a in enumerate(inputs)]
    return Peer(NAMES["mygrad"], lambda: way(mygrad, *tensors))


def _by_hand(work: Work, inputs: Sequence[Array], device: str) -> Peer:
    door = backend.of_device(gpugrad.device(device))
    arrays = [door.from_numpy(a, gpugrad.device(device)) for a in inputs]
    name = {"cpu": "NumPy", "cuda": "CuPy"}[device]
    assert work.by_hand is not None
    run = functools.partial(work.by_hand, door.xp, *arrays)
    return Peer(f"{name} {NAMES['hand']}", run, _waiting(gpugrad, device))
