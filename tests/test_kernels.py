"""The kernels of the CUDA backend, called by themselves: emulated or on a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import backend
from gpugrad._device import device
from gpugrad.formulas import COMPLEX, REAL, Formula, variable
from gpugrad.testing import assert_agree, count_kernels

pytestmark = pytest.mark.cuda

FLOATING = ["float16", "float32", "float64", "complex64", "complex128"]


@pytest.fixture
def door() -> Any:
    """Return CUDA's backend."""
    return backend.cuda_backend()


def numbers(dtype: str, *shape: int, seed: int = 0) -> Any:
    """Return numbers whose sums and products are exact in every floating point type."""
    random = np.random.default_rng((seed, *shape))
    values = random.integers(-4, 5, shape) / 2
    if np.dtype(dtype).kind == "c":
        values = values + 1j * random.integers(-4, 5, shape)
    return values.astype(dtype)


def products(dtype: str) -> Formula:
    """Return the formula of x * y and x - y."""
    kind = COMPLEX if np.dtype(dtype).kind == "c" else REAL
    x, y = variable("x", kind), variable("y", kind)
    return Formula("products", [x, y], [x * y, x - y])


class TestAddAll:
    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize("count", [2, 3, 8])
    @pytest.mark.parametrize("into_first", [False, True])
    def test_adds_arrays_by_one_kernel(
        self, door: Any, dtype: str, count: int, into_first: bool
    ) -> None:
        found = [numbers(dtype, 5, 7, seed=k) for k in range(count)]
        arrays = [door.from_numpy(a, device("cuda")) for a in found]

        with count_kernels() as launched:
            total = door.add_all(arrays, into_first)

        assert launched.total == 1
        assert (total is arrays[0]) == into_first
        assert_agree(total, np.sum(found, axis=0, dtype=dtype))
        for array, before in zip(arrays[into_first:], found[into_first:], strict=True):
            assert_agree(array, before)

    def test_expanded_gradients_are_added_without_being_filled(self, door: Any) -> None:
        one = door.from_numpy(np.float32(2), device("cuda"))
        x = door.from_numpy(numbers("float32", 5, 7), device("cuda"))

        with count_kernels() as launched:
            total = door.add_all([door.broadcast_to(one, (5, 7)), x, x.T.copy().T], False)

        assert launched.total == 1
        assert_agree(total, 2 + 2 * numbers("float32", 5, 7))

    def test_gradients_that_meet_are_added_eight_by_one_kernel(self) -> None:
        x = gpugrad.ones(6, 7, device="cuda", requires_grad=True)
        total = gpugrad.stack([x.exp() for _ in range(8)]).sum(0)
        g = gpugrad.ones(6, 7, device="cuda")

        with count_kernels() as launched:
            (grad,) = gpugrad.autograd.grad(total, x, g)

        assert launched.total == 8 + 1
        assert_agree(grad, np.full((6, 7), 8 * np.e, np.float32))


class TestMemory:
    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 64, 65, 1023, 4099])
    @pytest.mark.parametrize("start", [0, 1])
    def test_begins_and_ends_anywhere(self, door: Any, dtype: str, size: int, start: int) -> None:
        x, y = numbers(dtype, size + 1), numbers(dtype, size + 1, seed=1)
        arrays = [door.from_numpy(a, device("cuda"))[start : start + size] for a in (x, y)]
        whole = door.from_numpy(numbers(dtype, size + 2, seed=2), device("cuda"))

        results = door.evaluate(products(dtype), arrays, x.dtype, (x.dtype, x.dtype))
        difference, _ = products(dtype).part((1,))
        door.evaluate(difference, arrays, x.dtype, (x.dtype,), out=whole[1 : size + 1])

        x, y = x[start : start + size], y[start : start + size]
        assert_agree(results[0], x * y)
        assert_agree(results[1], x - y)
        expected = numbers(dtype, size + 2, seed=2)
        expected[1 : size + 1] = x - y
        assert_agree(whole, expected)  # and nothing beside it was written

    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize(
        ("left", "right"),
        [
            ((6, 8), (8,)),
            ((6, 7), (7,)),
            ((6, 8), (6, 1)),
            ((6, 8), ()),
            ((6, 1), (8,)),
            ((2, 3, 8), (3, 1)),
            ((2, 3, 10), (3, 1)),
            ((2, 3, 8), (2, 1, 8)),
            ((2, 1, 1), (2, 3, 4)),
            ((0, 8), (8,)),
        ],
    )
    def test_operands_are_broadcast(
        self, door: Any, dtype: str, left: tuple[int, ...], right: tuple[int, ...]
    ) -> None:
        x, y = numbers(dtype, *left), numbers(dtype, *right, seed=1)
        arrays = [door.from_numpy(np.asarray(a), device("cuda")) for a in (x, y)]

        for one, other in ((x, y), (y, x)):
            results = door.evaluate(products(dtype), arrays, x.dtype, (x.dtype, x.dtype))
            assert_agree(results[0], np.asarray(one * other))
            assert_agree(results[1], np.asarray(one - other))
            arrays.reverse()

    @pytest.mark.parametrize("dtype", FLOATING)
    def test_numbers_are_passed_by_value(self, door: Any, dtype: str) -> None:
        x, y = numbers(dtype, 5, 8), np.dtype(dtype).type(-1.5)
        array = door.from_numpy(x, device("cuda"))

        product, difference = door.evaluate(
            products(dtype), (array, y), x.dtype, (x.dtype, x.dtype)
        )

        assert_agree(product, x * y)
        assert_agree(difference, x - y)

    def test_arrays_with_other_strides_are_read_as_they_are(self, door: Any) -> None:
        x = numbers("float32", 6, 8)
        array = door.from_numpy(x, device("cuda"))
        dtype = x.dtype

        for view, value in (
            (array.T, x.T),
            (array[::2], x[::2]),
            (array[:, ::-1], x[:, ::-1]),
            (array[:, 2:6], x[:, 2:6]),
        ):
            arrays = (view, door.xp.ones(view.shape, dtype))
            product, _ = door.evaluate(products("float32"), arrays, dtype, (dtype, dtype))
            assert_agree(product, value)
            assert_agree(door.sum(view, (0,), False, dtype), value.sum(0))

    @pytest.mark.parametrize(
        ("target", "other"),
        [
            (np.s_[1:], np.s_[:-1]),  # what one thread writes another one reads
            (np.s_[:, 1:], np.s_[:, :-1]),
            (np.s_[:], np.s_[3]),
            (np.s_[:], np.s_[:]),
            (np.s_[::2], np.s_[::2]),
        ],
        ids=["rows", "columns", "a row", "all", "strided"],
    )
    def test_what_is_written_is_not_read_afterwards(
        self, door: Any, target: Any, other: Any
    ) -> None:
        x = np.arange(4096, dtype=np.float32).reshape(512, 8)
        dtype = x.dtype
        array = door.from_numpy(x, device("cuda"))
        a, b = variable("a"), variable("b")
        out = array[target]
        expected = x.copy()
        expected[target] = x[target] + x[other]

        door.evaluate(
            Formula("add", [a, b], [a + b]), (out, array[other]), dtype, (dtype,), out=out
        )

        assert_agree(array, expected)

    def test_elements_may_be_counted_in_64_bits(self, door: Any) -> None:
        from gpugrad.kernels import dense, layout, summation

        x = numbers("float32", 6, 8)
        array, row = (door.from_numpy(a, device("cuda")) for a in (x, x[0]))
        dtype, shape = x.dtype, x.shape
        operands = layout.operands(layout.signatures((array, row)), shape)
        assert operands is not None
        ways = layout.ways(operands)

        outs = [door.xp.empty(shape, dtype) for _ in range(2)]
        kernel = dense.raw(products("float32"), ways, dtype, (dtype, dtype), 4, True)
        kernel((1,), (256,), (array, row, *outs, 8, x.size))
        total = door.xp.empty(8, dtype)
        summing = summation.raw(
            products("float32"), ways, dtype, (dtype, dtype), 1, "columns", 4, True
        )
        summing((1,), (256,), (array, row, outs[0], total, 8, 1, 6, 8, 2, 1, 6, 1))

        assert_agree(outs[0], x * x[0])
        assert_agree(outs[1], x - x[0])
        assert_agree(total, (x - x[0]).sum(0))

    def test_the_current_stream_is_used(self, door: Any) -> None:
        x = door.from_numpy(numbers("float32", 100, 100), device("cuda"))
        stream = door.xp.cuda.Stream(non_blocking=True)
        with stream:
            total = door.sum(door.add_all([x, x], False), (0, 1), False, x.dtype)
        stream.synchronize()

        assert_agree(total, 2 * numbers("float32", 100, 100).sum())


# Shape, the axes that are summed, and how many kernels that takes.
SUMS = {
    "all": ((7, 9), (0, 1), 1),
    "all, in parts": ((100, 170), (0, 1), 2),
    "all, no multiple of the width": ((10001,), (0,), 2),
    "rows": ((33, 5), (1,), 1),
    "short rows": ((500, 2), (1,), 1),
    "long rows": ((6, 3000), (1,), 1),
    "rows in parts": ((3, 12000), (1,), 2),
    "columns": ((33, 12), (0,), 1),
    "narrow columns": ((33, 3), (0,), 1),
    "columns in parts": ((3000, 16), (0,), 2),
    "middle": ((4, 33, 8), (1,), 1),
    "middle in parts": ((2, 3000, 24), (1,), 2),
    "wide middle": ((2, 3, 600), (1,), 1),
    "channels": ((6, 3, 40), (0, 2), 1),
    "channels in parts": ((40, 2, 500), (0, 2), 2),
    "nothing": ((5, 1, 6), (1,), 1),
    "scattered": ((3, 4, 5, 6), (0, 2), 1),
}


def left(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


class TestSums:
    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize(("shape", "axes", "kernels"), SUMS.values(), ids=SUMS)
    def test_agrees_with_numpy(
        self, door: Any, dtype: str, shape: tuple[int, ...], axes: tuple[int, ...], kernels: int
    ) -> None:
        a = numbers(dtype, *shape)
        array = door.from_numpy(a, device("cuda"))
        wide = np.result_type(dtype, np.float64)

        with count_kernels() as launched:
            total = door.sum(array, axes, False, a.dtype)
        mean = door.mean(array, axes, True, a.dtype)

        assert launched.total == kernels
        assert_agree(total, a.sum(axes, wide).astype(dtype))
        assert_agree(mean, a.mean(axes, wide, keepdims=True).astype(dtype))

    @pytest.mark.parametrize(("axes", "kernels"), [((0, 1), 2), ((0,), 2), ((1,), 1)])
    def test_of_a_transposed_matrix_follows_its_memory(
        self, door: Any, axes: tuple[int, ...], kernels: int
    ) -> None:
        a = numbers("float32", 2, 9000)
        array = door.from_numpy(a, device("cuda")).T

        with count_kernels() as launched:
            total = door.sum(array, axes, False, a.dtype)

        assert launched.total == kernels
        assert_agree(total, a.T.sum(axes))
        assert_agree(door.mean(array, axes, True, a.dtype), a.T.mean(axes, keepdims=True))

    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize("name", SUMS)
    def test_of_a_formula(self, door: Any, dtype: str, name: str) -> None:
        shape, axes, kernels = SUMS[name]
        kind = COMPLEX if np.dtype(dtype).kind == "c" else REAL
        x, y = variable("x", kind), variable("y", kind)
        a, b = numbers(dtype, *shape), numbers(dtype, shape[-1], seed=1)
        arrays = [door.from_numpy(value, device("cuda")) for value in (a, b)]

        with count_kernels() as launched:
            (total,) = door.evaluate(
                Formula("product", [x, y], [x * y]), arrays, a.dtype, (a.dtype,),
                sum_to=left(shape, axes),
            )  # fmt: skip

        assert launched.total == kernels
        wide = np.result_type(dtype, np.float64)
        expected = (a.astype(wide) * b).sum(axes, keepdims=True)
        assert_agree(total, expected.astype(dtype))

    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize("name", SUMS)
    def test_with_another_output_in_full(self, door: Any, dtype: str, name: str) -> None:
        shape, axes, kernels = SUMS[name]
        kernels += name == "scattered"  # which is summed by a kernel of its own
        a, b = numbers(dtype, *shape), numbers(dtype, shape[-1], seed=1)
        wide = np.result_type(dtype, np.float64)
        expected = [a * b, (a.astype(wide) - b).sum(axes, keepdims=True).astype(dtype)]
        arrays = [door.from_numpy(value, device("cuda")) for value in (a, b)]

        with count_kernels() as launched:
            results = door.evaluate(
                products(dtype), arrays, a.dtype, (a.dtype, a.dtype),
                sum_to=left(shape, axes), summed=1,
            )  # fmt: skip

        assert launched.total == kernels
        for result, value in zip(results, expected, strict=True):
            assert_agree(result, value)

    @pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64"])
    def test_of_integers(self, door: Any, dtype: str) -> None:
        a = np.random.default_rng(0).integers(0, 2, (300, 70)).astype(dtype)
        array = door.from_numpy(a, device("cuda"))

        for axes in (0,), (1,), (0, 1):
            assert_agree(door.sum(array, axes, False, np.dtype(np.int64)), a.sum(axes, np.int64))


class Counted:
    """A kernel that counts the bytes of the arrays that it is launched with."""

    def __init__(self, kernel: Any, launched: list[int]):
        self.kernel = kernel
        self.launched = launched

    def __call__(self, blocks: Any, threads: Any, arguments: tuple[Any, ...]) -> None:
        arrays = [a for a in arguments if hasattr(a, "strides") and hasattr(a, "data")]
        self.launched.append(sum(_memory(a) for a in arrays if not isinstance(a, np.generic)))
        self.kernel(blocks, threads, arguments)


def _memory(array: Any) -> int:
    """Return an array's bytes, each once where it repeats."""
    sizes = [n for n, s in zip(array.shape, array.strides, strict=True) if s != 0]
    return int(np.prod(sizes, dtype=int)) * int(array.dtype.itemsize)


@pytest.fixture
def bytes_launched(door: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Return what each raw kernel reads and writes, in order."""
    from gpugrad.kernels import dense, summation

    launched: list[int] = []
    for module in dense, summation:
        genuine = module.raw

        def counted(*key: Any, genuine: Any = genuine) -> Any:
            return Counted(genuine(*key), launched)

        monkeypatch.setattr(module, "raw", counted)
        module.plan.cache_clear()
    yield launched
    for module in dense, summation:
        module.plan.cache_clear()


class TestTraffic:
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    @pytest.mark.parametrize(
        ("name", "arrays", "rows"),
        [
            ("pow", 6, 0),  # g, x, y, the result; two gradients
            ("mul", 5, 0),
            ("mul, row", 3, 2),  # g, x; one gradient in full, and the row and its gradient
            ("tanh", 3, 0),
            ("gelu", 3, 0),
        ],
    )
    def test_a_gradient_reads_and_writes_each_array_once(
        self, bytes_launched: list[int], name: str, arrays: int, rows: int, dtype: str
    ) -> None:
        functions: dict[str, Any] = {
            "pow": lambda x, y: x**y,
            "mul": lambda x, y: x * y,
            "tanh": lambda x, y: x.tanh(),
            "gelu": lambda x, y: gpugrad.gelu(x),
        }
        x, y = (
            gpugrad.tensor(np.full((16, 32), 0.5, dtype), device="cuda", requires_grad=True)
            for _ in range(2)
        )
        y = y[0] if "row" in name else y
        out = functions[name.removesuffix(", row")](x, y)
        g = gpugrad.ones_like(out)
        operands = [t for t in (x, y) if t is x or name in ("pow", "mul", "mul, row")]
        bytes_launched.clear()

        gpugrad.autograd.grad(out, operands, g)

        size = np.dtype(dtype).itemsize
        assert bytes_launched == [(arrays * 16 * 32 + rows * 32) * size]

    def test_a_large_sum_reads_its_operands_once_and_a_few_parts(
        self, door: Any, bytes_launched: list[int]
    ) -> None:
        x = door.from_numpy(numbers("float32", 2**20), device("cuda"))

        assert_agree(door.dot(x, x), (numbers("float32", 2**20) ** 2).sum())

        first, second = bytes_launched
        assert first == 2 * x.nbytes + 256 * 4
        assert second == 256 * 4 + 4


def run_with_two_gpus(code: str) -> str:
    """Return what a program prints on a machine with two emulated GPUs."""
    begin = f"""
        import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
        import hostcuda; cupy = hostcuda.install()
        import gpugrad
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(begin) + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=os.environ | {"HOSTCUDA_DEVICES": "2"},
    )
    assert not result.returncode, result.stderr
    return result.stdout


@pytest.mark.emulated
def test_kernels_run_on_the_device_of_their_operands() -> None:
    code = """
        x = gpugrad.ones(3, 5, device="cuda:1", requires_grad=True)
        row = gpugrad.ones(5, device="cuda:1", requires_grad=True)
        out = (x * row).tanh().mean() + x.t().exp().sum()
        out.backward()
        x.detach().add_(1)
        column = gpugrad.ones(3, 5, device="cuda:1", requires_grad=True)
        column.t().exp().sum().backward()  # its gradient's memory is laid out anew
        grads = x.grad, row.grad, column.grad
        for t in (out, *grads, x @ row, gpugrad.cat([x, x]), x.max(), x.clone()):
            print(t.device, end=" ")
        print(cupy.cuda.Device().id, gpugrad.ones(2, device="cuda").exp().device)
    """
    assert run_with_two_gpus(code) == "cuda:1 " * 8 + "0 cuda:0\n"


@pytest.mark.emulated
def test_what_cupys_own_operators_compute_is_on_the_device_of_their_arrays() -> None:
    """CuPy refuses arrays of another GPU than its current one."""
    code = """
        from gpugrad.nn import functional as F
        p = gpugrad.full((3, 4), 0.5, device="cuda:1")
        places = gpugrad.tensor([0, 2, 1], device="cuda:1")
        q = p.reshape(1, 1, 3, 4)
        there = {"device": "cuda:1"}
        calls = {
            "randn": lambda: gpugrad.randn(2, dtype=gpugrad.complex64, **there),
            "rand": lambda: gpugrad.rand(2, dtype=gpugrad.float16, **there),
            "randint": lambda: gpugrad.randint_like(p, 5),
            "normal": lambda: gpugrad.normal(p, p),
            "bernoulli": lambda: p.bernoulli(),
            "bernoulli with p": lambda: p.bernoulli(0.5),
            "poisson": lambda: p.poisson(),
            "binomial": lambda: gpugrad.binomial(p * 4, p),
            "multinomial": lambda: p.multinomial(2),
            "multinomial of all": lambda: p.multinomial(5, replacement=True),
            "dropout": lambda: F.dropout(p, 0.5),
            "alpha_dropout": lambda: F.alpha_dropout(p, 0.5, training=True),
            "gumbel_softmax": lambda: F.gumbel_softmax(p),
            "attention": lambda: F.scaled_dot_product_attention(q, q, q, dropout_p=0.5),
            "nonzero": lambda: p.nonzero(),
            "masked_scatter": lambda: p.masked_scatter(p > 0, p * 2),
            "unique": lambda: p.unique(return_inverse=True)[1],
            "one_hot": lambda: F.one_hot(places),
            "gaussian_nll_loss": lambda: F.gaussian_nll_loss(p, p, p),
            "multilabel_margin_loss": lambda: F.multilabel_margin_loss(p[:, :3], p.long()[:, :3]),
        }
        fills = dict(bernoulli_=(0.5,), uniform_=(1, 2), normal_=(1, 2), exponential_=(),
                     cauchy_=(), geometric_=(0.5,), log_normal_=())
        for name, arguments in fills.items():
            calls[name] = lambda name=name, given=arguments: getattr(p.clone(), name)(*given)
        for name, call in calls.items():
            try:
                found = str(call().device)
            except ValueError as error:
                found = str(error)
            if found != "cuda:1":
                print(name, found)
    """
    assert run_with_two_gpus(code) == ""
