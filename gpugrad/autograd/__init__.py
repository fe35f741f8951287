"""``torch.autograd``'s names: backward, grad, and the grad modes."""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

from gpugrad.autograd import forward_ad as forward_ad
from gpugrad.autograd import function as function
from gpugrad.autograd import graph as graph
from gpugrad.autograd.anomaly_mode import detect_anomaly as detect_anomaly
from gpugrad.autograd.anomaly_mode import set_detect_anomaly as set_detect_anomaly
from gpugrad.autograd.engine import backward as backward
from gpugrad.autograd.engine import grad as grad
from gpugrad.autograd.function import Function as Function
from gpugrad.autograd.grad_mode import enable_grad as enable_grad
from gpugrad.autograd.grad_mode import enforce_grad_layout_policy as enforce_grad_layout_policy
from gpugrad.autograd.grad_mode import inference_mode as inference_mode
from gpugrad.autograd.grad_mode import is_grad_enabled as is_grad_enabled
from gpugrad.autograd.grad_mode import is_multithreading_enabled as is_multithreading_enabled
from gpugrad.autograd.grad_mode import no_grad as no_grad
from gpugrad.autograd.grad_mode import set_grad_enabled as set_grad_enabled
from gpugrad.autograd.grad_mode import set_multithreading_enabled as set_multithreading_enabled
from gpugrad.autograd.gradcheck import GradcheckError as GradcheckError
from gpugrad.autograd.gradcheck import gradcheck as gradcheck
from gpugrad.autograd.gradcheck import gradgradcheck as gradgradcheck
from gpugrad.autograd.variable import Variable as Variable

if _typing.TYPE_CHECKING:
    from gpugrad.autograd import functional as functional


def __getattr__(name: str) -> _typing.Any:
    if name != "functional":  # which few programs ask for
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _import_module("gpugrad.autograd.functional")


def __dir__() -> list[str]:
    return sorted({*globals(), "functional"})
