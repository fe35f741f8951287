"""What programs that were written for PyTorch say, and is easily left out: they run unchanged."""

from __future__ import annotations

import pytest

import gpugrad
from comparison import agree_on
from gpugrad import backend

FIRST = "import warnings, collections; x = torch.arange(3.0, requires_grad=True)"
NN = "nn, F = torch.nn, torch.nn.functional"
UTILS = "U = __import__(torch.nn.__name__ + '.modules.utils', fromlist=['x'])"
CONV = (
    "torch.manual_seed(0); n = {n}; x = torch.linspace(-1, 1, 56 * 7 ** (n - 1), dtype="
    "torch.float64).reshape(2, 4, *[7] * n).requires_grad_(); w = torch.linspace(-2, 1, 12 * "
    "3 ** n, dtype=torch.float64).reshape(6, 2, *[3] * n).requires_grad_(); options = "
    "(2, 1, 1, 2); o = getattr(F, f'conv{{n}}d')(x, w, None, *options); "
    "g = o.detach().cos().requires_grad_()"
)
PROGRAMS = {
    "grad takes only_inputs": f"{FIRST}\ntorch.autograd.grad(outputs=(x ** 2).sum(), inputs=x, "
    "create_graph=True, retain_graph=True, only_inputs=True)[0]",
    "grad, by position": f"{FIRST}\n"
    "torch.autograd.grad((x ** 2).sum(), [x, x * 1], None, None, False, True, True)",
    "only_inputs is warned of": f"{FIRST}\ntorch.autograd.grad(x.sum(), x, only_inputs=False)",
    "grad of a dictionary": f"{FIRST}\ntorch.autograd.grad((x ** 2).sum(), {{'a': x}})",
    "grad of batched gradients of a dictionary": f"{FIRST}\n"
    "torch.autograd.grad(x ** 2, {'a': x}, torch.eye(3), is_grads_batched=True)",
    "grad of another mapping": f"{FIRST}\n"
    "torch.autograd.grad(x.sum(), collections.OrderedDict(a=x))",
    "grad of nothing": f"{FIRST}\ntorch.autograd.grad(x.sum(), {{}})",
    "backward of a dictionary": f"{FIRST}\n"
    "torch.autograd.backward((x ** 2).sum(), inputs={'a': x}); x.grad",
    "backward with grad_variables": f"{FIRST}\n"
    "torch.autograd.backward(x * 3, grad_variables=torch.ones(3)); x.grad",
    "backward with both": f"{FIRST}\n"
    "torch.autograd.backward(x, torch.ones(3), grad_variables=torch.ones(3))",
    "what a tensor is not": "x = torch.ones(2)\n[getattr(x, f'is_{n}') for n in "
    "'sparse sparse_csr nested quantized mkldnn meta mps xpu xla ipu mtia maia vulkan'.split()]",
    "factory arguments": f"{NN}\n"
    "nn.factory_kwargs({'device': 'cpu', 'factory_kwargs': {'dtype': 1}}), nn.factory_kwargs(None)",
    "an unknown factory argument": f"{NN}\nnn.factory_kwargs({{'bob': 1}})",
    "a factory argument twice": f"{NN}\n"
    "nn.factory_kwargs({'dtype': 1, 'factory_kwargs': {'dtype': 2}})",
    "numbers for each dimension": f"{UTILS}\n"
    "U._pair(3), U._pair((1, 2)), U._triple(0), U._single(1), U._quadruple.__name__",
    "a prefix is taken from a state": f"{NN}; {UTILS}; m = nn.Sequential(nn.Linear(1, 1)); "
    "s = nn.ModuleDict({'module': m}).state_dict(); "
    "U.consume_prefix_in_state_dict_if_present(s, 'module.')\n"
    "list(s), s._metadata, str(m.load_state_dict(s))",
    "fans": f"{NN}\nnn.init._calculate_fan_in_and_fan_out(torch.ones(3, 4, 2)), "
    "nn.init._calculate_correct_fan(torch.ones(3, 4), 'fan_out')",
    "classes are asked for": f"{NN}; M = nn.modules\n"
    "isinstance(nn.BatchNorm2d(2), M.batchnorm._BatchNorm), "
    "isinstance(nn.InstanceNorm2d(2), M.instancenorm._InstanceNorm), "
    "isinstance(nn.Dropout(), M.dropout._DropoutNd), M.Linear is nn.Linear, "
    "isinstance(nn.BatchNorm1d(2), M.batchnorm._NormBase)",
    "bases are asked for": f"{NN}; M = nn.modules; c, p, q = M.conv, M.pooling, M.padding\n"
    "[isinstance(m, c._ConvNd) for m in (nn.Conv2d(1, 1, 1), nn.ConvTranspose1d(1, 1, 1))], "
    "isinstance(nn.ConvTranspose2d(1, 1, 1), c._ConvTransposeNd), "
    "isinstance(nn.MaxPool2d(2), p._MaxPoolNd), isinstance(nn.AvgPool1d(2), p._AvgPoolNd), "
    "isinstance(nn.MaxUnpool2d(2), p._MaxUnpoolNd), isinstance(nn.LPPool2d(2, 2), p._LPPoolNd), "
    "isinstance(nn.AdaptiveAvgPool2d(2), p._AdaptiveAvgPoolNd), "
    "isinstance(nn.AdaptiveMaxPool2d(2), p._AdaptiveMaxPoolNd), "
    "isinstance(nn.ReflectionPad1d(2), q._ReflectionPadNd), "
    "isinstance(nn.ReplicationPad2d(2), q._ReplicationPadNd), "
    "isinstance(nn.ZeroPad2d(2), q._ConstantPadNd), "
    "isinstance(nn.CircularPad2d(2), q._CircularPadNd), "
    "isinstance(nn.MSELoss(), M.loss._Loss), isinstance(nn.NLLLoss(), M.loss._WeightedLoss)",
    "classes are where they are declared": f"{NN}; M = nn.modules\n"
    "M.activation.MultiheadAttention is nn.MultiheadAttention, "
    "type(nn.MultiheadAttention(2, 1).out_proj) is M.linear.NonDynamicallyQuantizableLinear, "
    "isinstance(nn.ReLU().load_state_dict({}), M.module._IncompatibleKeys)",
    "an older loss": f"{NN}\nrepr(nn.NLLLoss2d())",
    "attention is chosen": "A, B = torch.nn.attention, torch.backends.cuda\n"
    "with A.sdpa_kernel(A.SDPBackend.MATH): b = B.math_sdp_enabled(), B.flash_sdp_enabled()\n"
    "b, B.flash_sdp_enabled(), repr(A.SDPBackend.MATH)",
    "attention is chosen wrongly": "torch.nn.attention.sdpa_kernel(3).__enter__()",
    "switches of libraries": "B = torch.backends\n"
    "with B.cudnn.flags(enabled=True, benchmark=True, deterministic=True):\n"
    "    a, b = B.cudnn.benchmark, B.cudnn.deterministic\n"
    "a, b, B.cudnn.deterministic, B.mps.is_available(), B.cuda.matmul.allow_tf32",
    **{
        f"a cell, {name}": f"{NN}; one = torch.ones\n{call}"
        for name, call in {
            "input": "nn.LSTMCell(2, 3)(one(2, 3))",
            "state": "nn.RNNCell(2, 3)(one(2, 2), one(2, 4))",
            "second state": "nn.LSTMCell(2, 3)(one(2, 2), (one(2, 3), one(2, 4)))",
            "rows": "nn.GRUCell(2, 3)(one(3, 2), one(2, 3))",
            "one tensor": "torch.lstm_cell(one(2, 2), one(2, 3), one(12, 2), one(12, 3))",
        }.items()
    },
    **{
        f"means of {kind}, {n}": f"{NN}\n"
        f"F.avg_pool{n}d(torch.ones(1, 1, *[4] * {n}, dtype=torch.{kind}), 2)"
        for kind in ("uint8", "int32", "int64", "bool")
        for n in (1, 2, 3)
    },
    "batch norms give up what they track": f"{NN}; torch.manual_seed(0); "
    "m = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2), nn.BatchNorm1d(2))\n"
    "torch.func.replace_all_batch_norm_modules_(m)\n"
    "v = torch.func.vmap(m[0])(torch.arange(12.0).view(2, 3, 2))\n"
    "repr(m), list(m.state_dict()), v.round(decimals=4) + 0",
    "GradScaler": "torch.GradScaler is torch.amp.GradScaler",
    **{
        f"gradients of conv{n}d": f"{NN}; G = nn.grad; {CONV.format(n=n)}\n"
        f"a = G.conv{n}d_input(x.shape, w, g, *options)\n"
        f"b = G.conv{n}d_weight(x, w.shape, g, stride=2, padding=1, groups=2)\n"
        "(a.square().sum() + (b ** 3).sum()).backward()\n"
        "[t.sum().round(decimals=6) for t in (a, b, w.grad, x.grad, g.grad)]"
        for n in (1, 2, 3)
    },
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_does_what_it_does_with_pytorch(name: str) -> None:
    agree_on(PROGRAMS[name], "cpu", warned=True)


def test_batch_norm_under_vmap_says_what_to_do() -> None:
    norm = gpugrad.nn.BatchNorm1d(2)
    with pytest.raises(RuntimeError, match=r"Batch norm got a batched tensor(.|\n)*replace_all_"):
        gpugrad.func.vmap(norm)(gpugrad.ones(2, 3, 2))
    assert norm.running_mean.tolist() == [0, 0]
    gpugrad.func.vmap(norm.eval())(gpugrad.ones(2, 3, 2))


def test_a_parameter_is_made_of_a_tensor() -> None:
    with pytest.raises(AttributeError, match=r"'list' object has no attribute 'detach'.*tensor"):
        gpugrad.nn.Parameter([1.0])  # type: ignore[arg-type]


def test_programs_ask_for_a_gpu_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "cuda_problem", lambda: "Found none.")
    cuda, accelerator = gpugrad.cuda, gpugrad.accelerator
    cuda.empty_cache()
    cuda.ipc_collect()
    cuda.reset_peak_memory_stats()
    assert [cuda.memory_allocated(), cuda.max_memory_allocated(), cuda.memory_reserved()] == [0] * 3
    assert not cuda.is_bf16_supported()
    assert not cuda.is_initialized()
    assert not accelerator.is_available()
    assert accelerator.current_accelerator() is None
    assert accelerator.device_count() == 0
    for ask in accelerator.synchronize, accelerator.current_device_index, accelerator.empty_cache:
        with pytest.raises(RuntimeError, match="Cannot access accelerator device when none is"):
            ask()
    cuda.manual_seed(0)
    with gpugrad.random.fork_rng():
        gpugrad.rand(2)


@pytest.mark.cuda
def test_the_accelerator_is_the_gpu() -> None:
    accelerator = gpugrad.accelerator
    where = accelerator.current_accelerator()
    assert where is not None
    x = gpugrad.ones(300, device=where)
    accelerator.synchronize()
    assert x.device.type == where.type == "cuda"
    assert accelerator.is_available()
    assert accelerator.device_count() == gpugrad.cuda.device_count()
    assert accelerator.current_device_index() == gpugrad.cuda.current_device()
    assert accelerator.memory_allocated() >= x.nbytes
    assert gpugrad.cuda.is_bf16_supported()


def test_the_cpu_answers_as_any_device() -> None:
    torch = pytest.importorskip("torch")
    for name in "is_available", "is_initialized", "device_count", "current_device":
        assert getattr(gpugrad.cpu, name)() == getattr(torch.cpu, name)(), name
    with gpugrad.cpu.stream(gpugrad.cpu.Stream()):
        x = gpugrad.ones(2) + 1
    gpugrad.cpu.current_stream().wait_stream(gpugrad.cpu.Stream())
    gpugrad.cpu.synchronize()
    assert x.tolist() == [2, 2]


def test_annotations_have_pytorchs_names() -> None:
    types = pytest.importorskip("torch").types
    names = (
        "Number", "Device", "FileLike", "Size", "Storage", "Tensor", "IntLikeType",
        "FloatLikeType", "BoolLikeType", "_int", "_float", "_bool", "_complex", "_size", "_dtype",
        "_device", "_layout", "_TensorOrTensors",
    )  # fmt: skip
    assert not [n for n in names if not (hasattr(types, n) and hasattr(gpugrad.types, n))]
    assert isinstance(2.0, gpugrad.types.Number)
    assert isinstance(gpugrad.ones(1).untyped_storage(), gpugrad.types.Storage)
    assert not isinstance("2", gpugrad.types.Number)
