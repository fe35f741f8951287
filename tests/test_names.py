"""The public names of PyTorch's autograd: ours are the same but for a list with reasons."""

from __future__ import annotations

import importlib
import operator
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import gpugrad
from comparison import Programs, agree, pytorch
from gpugrad import autograd

MODULES = (
    "autograd", "autograd.anomaly_mode", "autograd.forward_ad", "autograd.function",
    "autograd.functional", "autograd.grad_mode", "autograd.gradcheck", "autograd.graph",
    "autograd.variable", "func", "utils.checkpoint",
)  # fmt: skip

_PROFILER = "there is no profiler"
_META = "a metaclass: Function and Variable need none here"
_OLD = "deprecated in PyTorch"
ABSENT = {
    "autograd": {
        "DeviceType": _PROFILER, "ProfilerActivity": _PROFILER, "ProfilerConfig": _PROFILER,
        "ProfilerEvent": _PROFILER, "ProfilerState": _PROFILER, "kineto_available": _PROFILER,
        "NestedIOFunction": _OLD,
        "SavedTensor": "hooks of one saved value: saved_tensors_hooks has those of all",
        "has_torch_function": "there are no overrides",
        "is_view_replay_enabled": "a view is replayed in one way only",
    },
    "autograd.function": {
        "BackwardCFunction": "a class of the C++ engine", "FunctionMeta": _META,
        "InplaceFunction": _OLD, "NestedIOFunction": _OLD,
    },
    "autograd.gradcheck": {
        "get_analytical_jacobian": _OLD, "get_numerical_jacobian": _OLD,
        "get_numerical_jacobian_wrt_specific_input": _OLD,
    },
    "autograd.graph": {
        "Variable": "an import of PyTorch's",
        "region_activation_memory_budget": "there is no compiler",
        "set_override_stale_capture_stream": "a walk has the stream of its caller",
        "set_warn_on_accumulate_grad_stream_mismatch": "likewise",
    },
    "autograd.variable": {"ImperativeEngine": "the C++ engine", "VariableMeta": _META},
    "func": {
        "functionalize": "there is no tracer that writes in place would disturb",
        "rearrange": "a notation for reshape, permute and expand",
    },
    "utils.checkpoint": {
        "DefaultDeviceType": "there is one type besides the CPU",
        "SAC_IGNORED_OPS": "a policy is asked of no such operation",
        "SavedTensor": "an import of PyTorch's",
    },
}  # fmt: skip
# Of all tensors, what concerns their gradients, history and memory.
TENSOR = {
    "as_strided", "as_strided_", "backward", "data", "detach", "detach_", "grad", "grad_dtype",
    "grad_fn", "is_inference", "is_leaf", "output_nr", "register_hook",
    "register_post_accumulate_grad_hook", "requires_grad", "requires_grad_", "retain_grad",
    "retains_grad", "storage_offset", "stride", "_base", "_is_view", "_version",
}  # fmt: skip
# PyTorch's page "Tensor Views"; the last line may be views.  Indices and values are sparse.
VIEWS = {
    "adjoint", "as_strided", "detach", "diagonal", "expand", "expand_as", "movedim", "narrow",
    "permute", "select", "squeeze", "transpose", "t", "T", "H", "mT", "mH", "real", "imag",
    "unflatten", "unfold", "unsqueeze", "view", "view_as", "unbind", "split", "hsplit", "vsplit",
    "dsplit", "tensor_split", "split_with_sizes", "swapaxes", "swapdims", "chunk",
    "reshape", "reshape_as", "flatten", "ravel", "contiguous",
}  # fmt: skip


def public(module: ModuleType) -> set[str]:
    """Return what PyTorch lists of a module, and what else is defined in PyTorch's autograd."""
    own = ("torch.autograd", "torch._functorch", "torch.func", "torch.utils.checkpoint", "torch._C")
    found = {
        name for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
        and str(getattr(value, "__module__", "")).startswith(own)
    }  # fmt: skip
    return found | set(getattr(module, "__all__", ()))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_pytorchs_names(name: str) -> None:
    pytorch()
    theirs = importlib.import_module(f"torch.{name}")
    ours = importlib.import_module(f"gpugrad.{name}")
    assert public(theirs) - set(dir(ours)) == set(ABSENT.get(name, {}))


@pytest.mark.parametrize("name", sorted(TENSOR | VIEWS))
def test_tensors_have_pytorchs_names(name: str) -> None:
    torch = pytorch()
    assert hasattr(torch.Tensor, name)
    assert hasattr(gpugrad.Tensor, name)


def test_modules_are_there_when_they_are_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LATER], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


ROOT = Path(gpugrad.__file__).parents[1]
LATER = """
import gpugrad as torch
torch.testing.assert_close(torch.ones(2), torch.ones(2))
assert torch.nn.modules.utils._pair(3) == (3, 3)
handle = torch.ones(1, requires_grad=True).register_hook(print)
assert isinstance(handle, torch.utils.hooks.RemovableHandle)
assert torch.version.__version__ == torch.__version__
assert (torch.version.cuda is not None) == torch.cuda.is_available()
"""


@pytest.mark.parametrize("path", ["sin", "nn.functional.relu", "linalg.det", "fft.fft"])
def test_functions_are_named_by_their_last_part_and_pickled_by_their_path(path: str) -> None:
    function = operator.attrgetter(path)(gpugrad)
    assert function.__name__ == path.split(".")[-1]
    assert pickle.loads(pickle.dumps(function)) is function


CLASSES = [
    "Tensor", "Size", "device", "dtype", "layout", "memory_format", "finfo", "iinfo",
    "nn.Parameter", "nn.Linear", "optim.SGD", "optim.lr_scheduler.StepLR",
    "optim.lr_scheduler.ChainedScheduler", "no_grad", "autograd.Function",
    "utils.data.DataLoader", "cuda.Stream",
]  # fmt: skip


@pytest.mark.parametrize("path", CLASSES)
def test_classes_print_as_pytorchs(path: str) -> None:
    texts = [str(operator.attrgetter(path)(lib)) for lib in (pytorch(), gpugrad)]
    assert texts[0] == texts[1].replace("gpugrad", "torch")


@pytest.mark.skipif(gpugrad.cuda.is_available(), reason="there is a GPU")
def test_cuda_is_not_begun_without_a_gpu() -> None:
    with pytest.raises((AssertionError, RuntimeError), match=r"CUDA|NVIDIA"):
        gpugrad.cuda.init()


@pytest.mark.cuda
def test_cuda_begins_and_has_a_version() -> None:
    gpugrad.cuda.init()
    assert re.fullmatch(r"1\d\.\d", str(gpugrad.version.cuda))


# --------------------------------------------------------------------------- settings of a thread

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def several_threads(torch: Any, leaf: Any, note: Any) -> None:
    enabled, choose = (
        torch.autograd.is_multithreading_enabled, torch.autograd.set_multithreading_enabled,
    )  # fmt: skip
    note(enabled())
    with choose(False):
        note(enabled())
        with choose(True):
            note(enabled())
        note(enabled())
        other = threading.Thread(target=lambda: note(enabled()))
        other.start()
        other.join()
    chosen = choose(False)
    note(enabled(), chosen.mode, chosen.prev)
    with chosen.clone():
        note(enabled())
    with chosen:
        note(enabled())
    note(enabled(), choose(True).clone().prev)


@program
def a_setting_is_a_bool(torch: Any, leaf: Any, note: Any) -> None:
    note("begins")
    torch.autograd.set_multithreading_enabled(3)


def laid_out(enforced: bool | None) -> Any:
    @contextmanager
    def chosen(torch: Any) -> Iterator[None]:
        if enforced is None:
            yield
            return
        with torch.autograd.enforce_grad_layout_policy(enforced):
            yield

    def run(torch: Any, leaf: Any, note: Any) -> None:
        x = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).detach().t().requires_grad_()
        w = leaf([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).detach()
        with chosen(torch):
            (x * w).sum().backward()
        note(x.grad, list(x.grad.stride()))

    return run


PROGRAMS["layout_of_the_leaf"] = laid_out(None)
PROGRAMS["layout_enforced"] = laid_out(True)
PROGRAMS["layout_not_enforced"] = laid_out(False)


@program
def anomaly_mode_of_the_library(torch: Any, leaf: Any, note: Any) -> None:
    try:
        for args in [(True, False), (False,), (True,)]:
            torch.set_anomaly_enabled(*args)
            note(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
    finally:
        torch.set_anomaly_enabled(False)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_does_what_it_does_with_pytorch(name: str, device: str) -> None:
    agree(PROGRAMS[name], device)


def test_a_decorator_leaves_the_setting_outside_as_it_was() -> None:
    @autograd.set_multithreading_enabled(False)
    def inside() -> bool:
        return autograd.is_multithreading_enabled()

    assert autograd.is_multithreading_enabled()
    assert not inside()
    assert autograd.is_multithreading_enabled()


@pytest.mark.parametrize("enabled", [True, False])
def test_a_walk_runs_in_the_thread_that_starts_it(enabled: bool, device: str) -> None:
    threads = []
    x = gpugrad.ones(2, device=device, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: threads.append(threading.current_thread()))
    with autograd.set_multithreading_enabled(enabled):
        y.sum().backward()
    assert threads == [threading.current_thread()]
