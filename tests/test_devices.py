"""CUDA tensors: moving to and from the CPU, mixing, sharing with CuPy, and what is missing."""

from __future__ import annotations

import copy
import itertools
import math
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import choice
import gpugrad as torch
from comparison import pytorch
from gpugrad._dtype import bool_
from gpugrad.op import OPS

cuda = pytest.mark.cuda
ROOT = Path(torch.__file__).parent.parent
Tensor = Any


def leaf(data: Any, device: str = "cuda", dtype: Any = torch.float32) -> Tensor:
    return torch.tensor(data, dtype=dtype, device=device, requires_grad=True)


def values(tensor: Tensor) -> np.ndarray[Any, Any]:
    return np.array(tensor.detach().cpu().numpy())


# --------------------------------------------------------------------------- device objects


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (torch.device("cpu"), "device(type='cpu')"),
        (torch.device("cuda"), "device(type='cuda')"),
        (torch.device("cuda:1"), "device(type='cuda', index=1)"),
        (torch.device("cuda", 1), "device(type='cuda', index=1)"),
        (torch.device(1), "device(type='cuda', index=1)"),
        (torch.device(torch.device("cuda:3")), "device(type='cuda', index=3)"),
    ],
)
def test_a_device_prints_as_pytorchs(made: torch.device, text: str) -> None:
    assert repr(made) == text
    assert eval(text, {"device": torch.device}) == made
    assert torch.device(str(made)) == made


def test_devices_are_values() -> None:
    assert torch.device("cuda:1") == torch.device("cuda", 1)
    assert torch.device("cuda") != torch.device("cuda:0")
    assert len({torch.device("cpu"), torch.device("cpu")}) == 1
    assert pickle.loads(pickle.dumps(torch.device("cuda:1"))) == torch.device("cuda:1")
    with pytest.raises(AttributeError, match="not writable"):
        torch.device("cpu").type = "cuda"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("gpu",), RuntimeError, "Expected one of cpu, cuda device type at start of device string"),
        (("cuda:x",), RuntimeError, "Invalid device string: 'cuda:x'"),
        (("cuda:01",), RuntimeError, "Invalid device string"),
        (("cuda:",), RuntimeError, "Invalid device string"),
        (("cuda:0", 1), RuntimeError, "must not include an index because index was passed"),
        ((1.5,), TypeError, "must be str, not float"),
    ],
)
def test_what_is_no_device_is_refused(
    arguments: tuple[Any, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        torch.device(*arguments)


# --------------------------------------------------------------------------- moving


@cuda
def test_a_tensor_knows_its_device() -> None:
    x = torch.ones(2, device="cuda")
    assert x.device == torch.device("cuda:0")
    assert x.is_cuda
    assert not x.cpu().is_cuda
    assert x.cpu().device == torch.device("cpu")
    assert torch.zeros_like(x).device == x.device
    assert (x + 1).device == x.device
    assert torch.cuda.is_available()
    assert torch.cuda.device_count() >= 1
    torch.cuda.synchronize()


@cuda
def test_a_tensor_that_is_there_already_is_returned_itself() -> None:
    x = torch.ones(2, device="cuda")
    assert x.cuda() is x
    assert x.to("cuda") is x
    assert x.to("cuda:0") is x
    assert x.to(torch.device("cuda", 0)) is x
    assert x.to(x) is x
    y = torch.ones(2)
    assert y.cpu() is y


@cuda
@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.int64, bool_])
def test_values_survive_the_way_to_the_gpu_and_back(dtype: Any) -> None:
    x = torch.tensor([[1, 0, 3], [4, 5, 0]], dtype=dtype)
    there = x.t().cuda()
    assert there.dtype == dtype
    assert there.cpu().tolist() == x.t().tolist()


@cuda
@pytest.mark.parametrize(
    "move", [lambda t: t.cuda(), lambda t: t.to("cuda"), lambda t: t.to("cuda", torch.float32)]
)
def test_gradients_pass_from_the_gpu_to_a_leaf_on_the_cpu(move: Any) -> None:
    x = leaf([1.0, 2.0], "cpu")
    y = (move(x) ** 3).sum()
    assert y.is_cuda
    y.backward()
    assert x.grad.device == torch.device("cpu")
    assert x.grad.tolist() == [3, 12]


@cuda
def test_gradients_pass_from_the_cpu_to_a_leaf_on_the_gpu() -> None:
    x = leaf([1.0, 2.0])
    (x.cpu().double() ** 3).sum().backward()
    assert x.grad.device == x.device
    assert x.grad.dtype == torch.float32
    assert x.grad.tolist() == [3, 12]


@cuda
def test_second_derivatives_pass_from_device_to_device() -> None:
    x = leaf([1.0, 2.0], "cpu")
    (first,) = torch.autograd.grad((x.cuda() ** 3).sum().cpu(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.cuda().sum(), x)
    assert second.device == torch.device("cpu")
    assert second.tolist() == [6, 12]


@cuda
def test_a_cuda_tensor_prints_its_device() -> None:
    assert repr(torch.ones(2, device="cuda")) == "tensor([1., 1.], device='cuda:0')"
    assert repr(leaf([1.0])) == "tensor([1.], device='cuda:0', requires_grad=True)"
    assert repr(leaf([1.0]) * 2) == "tensor([2.], device='cuda:0', grad_fn=<MulBackward0>)"


@cuda
def test_a_copy_stays_on_its_device() -> None:
    x = leaf([1.0, 2.0])
    for other in copy.deepcopy(x), pickle.loads(pickle.dumps(x)):
        assert other.device == x.device
        assert other.requires_grad
        assert other.tolist() == [1, 2]


@cuda
@pytest.mark.parametrize("make", [lambda d: torch.ones(2, device=d), lambda d: torch.ones(2).to(d)])
def test_a_gpu_that_does_not_exist_is_refused(make: Any) -> None:
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        make("cuda:77")


# --------------------------------------------------------------------------- mixing

MIXED: dict[str, Any] = {
    "add": lambda x, y: x + y,
    "reflected": lambda x, y: y + x,
    "maximum": torch.maximum,
    "where": lambda x, y: torch.where(x > 1, x, y),
    "clamp": torch.clamp,
    "mm": lambda x, y: torch.mm(x[None], y[:, None]),
    "cat": lambda x, y: torch.cat([x, y]),
    "stack": lambda x, y: torch.stack([x, y]),
    "in place": lambda x, y: x.detach().add_(y),
    "mv": lambda x, y: torch.mv(x[None], y),
    "dot": torch.dot,
    "matmul": lambda x, y: x @ y,
}


@cuda
@pytest.mark.parametrize("name", MIXED)
def test_operands_of_two_devices_are_refused(name: str) -> None:
    x, y = leaf([1.0, 2.0]), torch.tensor([1.0, 2.0])
    with pytest.raises(
        RuntimeError,
        match=r"Expected all tensors to be on the same device, but found at least two devices, "
        r"(cuda:0 and cpu|cpu and cuda:0)!",
    ):
        MIXED[name](x, y)


@cuda
def test_a_gradient_of_another_device_is_refused() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match="on a different device"):
        x.grad = torch.ones(2)
    for root in x, x * 2:
        with pytest.raises(RuntimeError, match="cuda:0"):
            root.backward(torch.ones(2))
    assert x.grad is None


@cuda
def test_a_number_on_the_cpu_mixes_with_cuda_tensors() -> None:
    x, number = leaf([1.0, 2.0]), leaf(3.0, "cpu", torch.float64)
    for out in x * number, number * x:
        assert out.is_cuda
        assert out.dtype == torch.float32  # a 0-d operand does not promote
        assert out.tolist() == [3, 6]
    (x * number).sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert number.grad.item() == 3
    assert number.grad.device == torch.device("cpu")
    assert number.grad.dtype == torch.float64


@cuda
def test_a_number_on_the_gpu_does_not_mix_with_cpu_tensors() -> None:
    number, x = torch.tensor(3.0, device="cuda"), torch.ones(2)
    with pytest.raises(RuntimeError, match="same device"):
        x * number


@cuda
def test_python_and_numpy_numbers_mix_with_both(device: str) -> None:
    x = leaf([1.0, 2.0], device)
    for out in x * 2, 2 * x, x * np.float64(2), np.float32(2) * x, x * np.int64(2):
        assert out.dtype == torch.float32
        assert out.tolist() == [2, 4]


@cuda
def test_copying_from_device_to_device_is_asked_for_by_name() -> None:
    x, y = torch.zeros(2, device="cuda"), torch.tensor([1.0, 2.0])
    x.copy_(y)
    assert x.tolist() == [1, 2]
    y.copy_(x * 2)
    assert y.tolist() == [2, 4]
    assert y.device == torch.device("cpu")


@cuda
def test_an_index_may_live_on_the_cpu() -> None:
    x = leaf([1.0, 2.0, 3.0])
    x[torch.tensor([0, 2, 2])].sum().backward()
    assert x.grad.tolist() == [1, 0, 2]


# --------------------------------------------------------------------------- NumPy and CuPy


@cuda
def test_a_cuda_tensor_does_not_become_a_numpy_array_unasked() -> None:
    x = torch.ones(2, device="cuda")
    for convert in torch.Tensor.numpy, np.asarray, np.array:
        with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
            convert(x)
    assert x.numpy(force=True).tolist() == [1, 1]
    assert x.tolist() == [1, 1]
    assert float(x[0]) == 1.0
    with pytest.raises(RuntimeError, match="Can't call numpy"):
        leaf([1.0]).numpy()


@cuda
def test_a_tensor_shares_the_memory_of_a_cupy_array() -> None:
    import cupy

    a = cupy.array([1.0, 2.0], "f")
    x = torch.as_tensor(a)
    assert x.array is a
    assert x.device == torch.device("cuda:0")
    a[0] = 7
    assert x.tolist() == [7, 2]
    x.mul_(2)
    assert a.tolist() == [14, 4]
    assert torch.tensor(a).array is not a
    assert torch.as_tensor(a, device="cpu").tolist() == [14, 4]


@cuda
def test_cupy_arrays_are_operands_from_both_sides() -> None:
    import cupy

    a, x = cupy.array([3.0, 4.0], "f"), leaf([1.0, 2.0])
    for out in a * x, x * a, a + x - a + (a - 1) * x:
        assert isinstance(out, torch.Tensor)
        assert out.is_cuda
        assert out.requires_grad
    assert (a**x).tolist() == [3, 16]
    assert (a / x).tolist() == [3, 2]
    assert (a > x).tolist() == [True, True]
    with pytest.raises(TypeError, match="out= is a plain array"):
        a += x


@cuda
def test_cupy_reads_a_cuda_tensor_without_a_copy() -> None:
    import cupy

    x = torch.tensor([1.0, 2.0], device="cuda")
    for a in cupy.asarray(x), cupy.from_dlpack(x):
        a += 1
    assert x.tolist() == [3, 4]
    interface = x.__cuda_array_interface__
    assert interface["data"][0] == x.data_ptr()
    assert interface["shape"] == (2,)
    assert interface["typestr"] == "<f4"
    assert x.__dlpack_device__() == (2, 0)
    assert torch.as_tensor(cupy.from_dlpack(x)).tolist() == [3, 4]


def operand(lib: Any, device: str, chosen: random.Random, full: list[int]) -> Any:
    """Return a tensor that broadcasts to a shape, some dimensions exchanged, some with steps."""
    rank = chosen.choice([len(full), len(full), chosen.randint(0, len(full))])
    shape = [n if chosen.random() < 0.8 else 1 for n in full[len(full) - rank :]]
    order = chosen.sample(range(rank), rank)
    steps = [chosen.choice([1, 1, 2]) for _ in shape]
    memory = [shape[k] * steps[k] for k in order]
    whole = lib.arange(1.0, math.prod(memory) + 1, device=device).reshape(memory)
    whole = whole.permute([order.index(k) for k in range(rank)])
    return whole[tuple(slice(None, None, step) for step in steps)]


@cuda
@pytest.mark.parametrize("seed", range(100))
def test_results_lie_in_memory_as_pytorchs(seed: int) -> None:
    reference = pytorch()

    def strides_and_values(lib: Any, device: str) -> Any:
        chosen = random.Random(seed)
        full = [chosen.choice([1, 2, 3, 4]) for _ in range(chosen.randint(1, 4))]
        count = chosen.choice([1, 2, 3])
        operands = [operand(lib, device, chosen, full) for _ in range(count)]
        functions: list[Any] = [
            lambda x: x * 0.5, lambda x, y: x - y, lambda x, y, z: lib.where(x > 2, y, z),
        ]  # fmt: skip
        out = functions[count - 1](*operands)
        lies = [stride for stride, n in zip(out.stride(), out.shape, strict=True) if n > 1]
        return lies, out.tolist()

    assert strides_and_values(torch, "cuda") == strides_and_values(reference, "cpu")


@cuda
def test_what_requires_grad_is_not_read_silently() -> None:
    import cupy

    x = leaf([1.0, 2.0])
    assert not hasattr(x, "__cuda_array_interface__")
    with pytest.raises(RuntimeError, match="requires grad"):
        cupy.asarray(x)
    with pytest.raises(BufferError, match="Can't export tensors that require gradient"):
        cupy.from_dlpack(x)


def test_a_cpu_tensor_has_no_cuda_array_interface() -> None:
    x = torch.ones(2)
    assert not hasattr(x, "__cuda_array_interface__")
    assert x.__dlpack_device__()[0] == 1
    array = np.from_dlpack(x)
    assert np.shares_memory(array, x.numpy())


# --------------------------------------------------------------------------- arithmetic


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda x: x.sum(), 10000),
        (lambda x: x.sum(0), [5000, 5000]),
        (lambda x: x.t().sum(1), [5000, 5000]),
        (lambda x: x.mean(0) * 2, [2, 2]),
        (lambda x: x[:, 0].dot(x[:, 1]), 5000),
        (lambda x: (x.t() @ x)[0], [5000, 5000]),
        (lambda x: x.norm(dim=0) ** 2, [5000, 5000]),
    ],
    ids=["all", "columns", "rows", "mean", "dot", "matmul", "norm"],
)
def test_float16_is_added_in_float32(result: Any, expected: Any, device: str) -> None:
    found = result(torch.ones(5000, 2, dtype=torch.float16, device=device))
    assert found.dtype == torch.float16
    np.testing.assert_allclose(values(found).astype(float), expected, rtol=2e-3)


def test_the_gradient_of_a_broadcast_float16_operand_is_added_in_float32(device: str) -> None:
    x = torch.ones(5000, 2, dtype=torch.float16, device=device)
    row = leaf([1.0, 1.0], device, torch.float16)
    (x * row).backward(torch.ones_like(x))
    assert values(row.grad).tolist() == [5000, 5000]


def test_the_mean_of_many_float16_does_not_overflow(device: str) -> None:
    x = torch.full((70000,), 2.0, dtype=torch.float16, device=device)
    assert x.mean().item() == 2


WHOLE = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]

# What is never computed of integers, by the names of formulas.
NOT_OF_INTEGERS = {
    "they choose or take apart": ("imaginary_part", "along", "along_or_flat", "binade"),
    "distances and addcdiv refuse integers": (
        "distance", "along_difference", "with_quotient", "with_scaled_quotient",
    ),
    "polynomials are asked for with a last operand of 0 or more; of others SciPy gives nan": (
        "gegenbauer", "laguerre",
    ),
}  # fmt: skip
DIVISIONS = {
    "quotient", "cut_quotient", "floor_divide", "remainder", "fmod", "modulo",
    "over",  # by a number, within other functions
}  # fmt: skip


@cuda
@pytest.mark.parametrize(
    ("name", "dtype"),
    choice.pairs(
        [n for n in OPS if n not in itertools.chain(*NOT_OF_INTEGERS.values())],
        [*WHOLE, bool_],
        2,
    ),
    ids=str,
)
def test_integers_and_bools_give_the_same_on_both_devices(name: str, dtype: Any) -> None:
    """A kernel that overflows, divides or compares integers in another way than NumPy."""
    op = OPS[name]
    if dtype == bool_ and op.promotion == "default" and not name.startswith("bitwise"):
        return  # arithmetic on bools is refused or promoted before it gets here
    random = np.random.default_rng(3)
    low = 0 if dtype in (torch.uint8, bool_) else -3
    arrays = [random.integers(low, 4, 20).astype(dtype.numpy) for _ in op.formula.inputs]
    arrays = [
        a > 0 if v.kind == "bool" else a for a, v in zip(arrays, op.formula.inputs, strict=True)
    ]
    if name in DIVISIONS:  # by 0 they are an error on the CPU, and on a GPU any number
        arrays[1][arrays[1] == 0] = 1
    try:
        here = op(*map(torch.tensor, arrays))
    except NotImplementedError:
        with pytest.raises(
            NotImplementedError, match=r'(_cuda|_cuda_out|_check|"pow|Impl)" not implemented for'
        ):
            op(*(torch.tensor(a, device="cuda") for a in arrays))
        return
    there = op(*(torch.tensor(a, device="cuda") for a in arrays))
    assert here.dtype == there.dtype
    np.testing.assert_allclose(values(here), values(there), rtol=1e-5, atol=1e-6)


@cuda
def test_nan_infinity_and_signed_zero_are_the_same_on_both_devices() -> None:
    data = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0])
    x, y = (a.ravel() for a in np.meshgrid(data, data))
    integers = {name for name in OPS if name.startswith("bitwise_")} | {"gcd", "lcm"}
    for name, op in OPS.items():
        if name in integers or name == "imaginary_part" or len(op.formula.inputs) > 2:
            continue
        operands = (x, y)[: len(op.formula.inputs)]
        if "polynomial" in name:  # no degree is infinite
            kept = np.isfinite(y)
            operands = x[kept], y[kept]
        here = op(*map(torch.tensor, operands))
        there = op(*(torch.tensor(a, device="cuda") for a in operands))
        np.testing.assert_allclose(values(here), values(there), rtol=1e-12, err_msg=name)


# --------------------------------------------------------------------------- random numbers


FIRST = "torch.tensor([0], device=x.device)"


@pytest.mark.parametrize(
    "snippet",
    [
        "x = torch.tensor(-0.0, device=x.device)",
        "x = torch.full((3,), -0.0, device=x.device)",
        "x.fill_(-0.0)",
        "x[0] = -0.0",
        "x[:2] = -0.0",
        "x[x > 0] = -0.0",
        f"x[{FIRST}] = -0.0",
        "x.masked_fill_(x > 0, -0.0)",
        f"x.index_fill_(0, {FIRST}, -0.0)",
        "x.copy_(torch.tensor(-0.0))",
        "x = torch.tensor(complex(0.0, -0.0), device=x.device).imag",
        "x = torch.full((2,), complex(-0.0, 0.0), device=x.device).real",
    ],
)
def test_a_zero_keeps_its_sign(snippet: str, device: str) -> None:
    names: dict[str, Any] = {"torch": torch, "x": torch.ones(3, device=device)}

    exec(snippet, names)

    assert names["x"].cpu().flatten()[0].reciprocal().item() == -float("inf")


def test_a_seed_gives_the_same_numbers_again(device: str) -> None:
    def draw() -> list[Any]:
        torch.manual_seed(7)
        found = [
            torch.rand(3, device=device),
            torch.randn(2, 2, device=device),
            torch.randint(10, (5,), device=device),
            torch.randn_like(torch.ones(2, device=device)),
        ]
        assert all(t.device.type == device for t in found)
        return [t.tolist() for t in found]

    assert draw() == draw()
    generator = torch.Generator(device)
    first = torch.rand(3, device=device, generator=generator.manual_seed(1)).tolist()
    second = torch.rand(3, device=device, generator=generator).tolist()
    assert first == torch.rand(3, device=device, generator=generator.manual_seed(1)).tolist()
    assert first != second


def test_random_numbers_are_distributed_as_they_should_be(device: str) -> None:
    torch.manual_seed(0)
    uniform = torch.rand(20000, device=device, dtype=torch.float64)
    assert uniform.min().item() >= 0
    assert uniform.max().item() < 1
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.01)
    normal = torch.randn(20000, device=device)
    assert normal.dtype == torch.float32
    assert normal.mean().item() == pytest.approx(0, abs=0.03)
    assert normal.std().item() == pytest.approx(1, abs=0.03)
    whole = torch.randint(2, 5, (1000,), device=device)
    assert whole.dtype == torch.int64
    assert set(whole.tolist()) == {2, 3, 4}


@cuda
def test_a_generator_draws_on_its_own_device_only() -> None:
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator"):
        torch.rand(2, generator=torch.Generator("cuda"))
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator"):
        torch.rand(2, generator=torch.Generator(), device="cuda")


# --------------------------------------------------------------------------- what is missing


def python(code: str) -> str:
    """Return what a program prints in a new process that knows no emulated device."""
    environment = {k: v for k, v in os.environ.items() if k != "GPUGRAD_HOSTCUDA"}
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", start + code],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ASK = """
import gpugrad as torch
assert not torch.cuda.is_available() and torch.cuda.device_count() == 0
for ask in (
    lambda: torch.ones(2, device="cuda"), lambda: torch.ones(2).cuda(),
    lambda: torch.ones(2).to("cuda:0"), lambda: torch.tensor([1.0], device="cuda"),
    lambda: torch.rand(2, device="cuda"), lambda: torch.cuda.synchronize(),
):
    try:
        ask()
    except Exception as error:
        print(type(error).__name__, error)
print((torch.ones(2, requires_grad=True) * 2).sum().item())
"""


def test_without_cupy_a_sentence_says_what_to_install() -> None:
    *refusals, last = python("sys.modules['cupy'] = None" + ASK).splitlines()
    assert set(refusals) == {
        "AssertionError gpugrad not compiled with CUDA enabled: CuPy is not installed; get it "
        "with pip install 'gpugrad[cuda12]' or 'gpugrad[cuda13]', by your driver's CUDA version."
    }
    assert len(refusals) == 6
    assert last == "4.0"


def test_a_cupy_that_does_not_load_is_told_from_one_that_is_not_there() -> None:
    code = """
import types
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "cupy":
            raise ImportError("libcublas.so.13: cannot open shared object file")
sys.meta_path.insert(0, Broken())
"""
    *refusals, _ = python(code + ASK).splitlines()
    assert set(refusals) == {
        "AssertionError gpugrad not compiled with CUDA enabled: CuPy is installed but fails to "
        "load: libcublas.so.13: cannot open shared object file"
    }


@pytest.mark.needs("cupy")
def test_with_cupy_but_without_a_gpu_a_sentence_says_so() -> None:
    if python("import cupy; print(cupy.cuda.is_available())") == "True":
        pytest.skip("this machine has a GPU")
    *refusals, last = python(ASK).splitlines()
    assert set(refusals) == {
        "RuntimeError Found no NVIDIA driver on your system: please check that you have an NVIDIA "
        "GPU and installed a driver from http://www.nvidia.com/Download/index.aspx"
    }
    assert len(refusals) == 6
    assert last == "4.0"
