"""Does CuPy compute on the CPU what NumPy does, and are wrong kernels caught?

These tests are of the emulation in hostcuda/, not of gpugrad.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))

import hostcuda
from hostcuda import nvrtc
from hostcuda.compiler import build_library
from hostcuda.settings import stats

cp = hostcuda.install()

pytestmark = pytest.mark.emulated

REAL = ["float16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]
INTEGERS = ["bool", "int8", "int32", "int64"]
UFUNCS = [
    *("abs", "arctan", "cbrt", "ceil", "cos", "exp", "expm1", "floor", "log", "log1p"),
    *("reciprocal", "sign", "sin", "sqrt", "square", "tanh"),
]
RTOL = {"float16": 1e-2, "float32": 1e-5, "complex64": 1e-4}

POW_BACKWARD = ("T g, T x, T p", "T gx, T gp")


def samples(dtype: str, *shape: int, low: float = 0.5, high: float = 1.5) -> Any:
    rng = np.random.default_rng(list(shape))
    values = rng.uniform(low, high, shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.uniform(low, high, shape)
    return values.astype(dtype)


def assert_same(actual: Any, expected: Any, dtype: str | None = None) -> None:
    expected = np.asarray(expected)
    tolerance = RTOL.get(dtype or expected.dtype.name, 1e-12)
    assert type(actual) is cp.ndarray
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual.get(), expected, rtol=tolerance, atol=tolerance)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` after a fresh install(), and return what became of it."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOSTCUDA_") or name == "HOSTCUDA_CACHE"
    }
    prologue = f"""
        import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
        import hostcuda; cp = hostcuda.install()
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(prologue) + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=inherited | environment,
    )


class TestKernels:
    @pytest.mark.parametrize("dtype", REAL)
    def test_fused_kernel_with_two_outputs(self, dtype: str) -> None:
        operation = """
            gx = g * p * pow(x, p - T(1));
            gp = x > T(0) ? T(g * pow(x, p) * log(x)) : T(0)
        """
        kernel = cp.ElementwiseKernel(*POW_BACKWARD, operation, "host_pow_backward")
        g, x, p = samples(dtype, 3, 4), samples(dtype, 3, 4), samples(dtype, 1, 4)

        gx, gp = kernel(cp.asarray(g), cp.asarray(x), cp.asarray(p))

        g64, x64, p64 = (a.astype(np.float64) for a in (g, x, p))
        assert_same(gx, (g64 * p64 * x64 ** (p64 - 1)).astype(dtype))
        assert_same(gp, (g64 * x64**p64 * np.log(x64)).astype(dtype))

    @pytest.mark.parametrize("dtype", COMPLEX)
    def test_fused_complex_kernel(self, dtype: str) -> None:
        operation = "gx = g * conj(p * pow(x, p - T(1))); gp = g * conj(pow(x, p) * log(x))"
        kernel = cp.ElementwiseKernel(*POW_BACKWARD, operation, "host_pow_backward_complex")
        g, x, p = samples(dtype, 3, 4), samples(dtype, 4), samples(dtype, 3, 1)

        gx, gp = kernel(cp.asarray(g), cp.asarray(x), cp.asarray(p))

        assert_same(gx, g * np.conj(p * x ** (p - 1)))
        assert_same(gp, g * np.conj(x**p * np.log(x)))

    @pytest.mark.parametrize("axis", [0, 1, None])
    @pytest.mark.parametrize("dtype", REAL)
    def test_reduction_kernel(self, dtype: str, axis: int | None) -> None:
        norm = cp.ReductionKernel("T x", "T y", "x * x", "a + b", "y = sqrt(a)", "0", "host_norm")
        x = samples(dtype, 5, 700)

        result = norm(cp.asarray(x), axis=axis)

        assert_same(result, np.sqrt((x.astype("d") ** 2).sum(axis)).astype(dtype))

    def test_raw_kernel_with_warp_shuffles(self) -> None:
        kernel = cp.RawKernel(
            """extern "C" __global__ void warp_sum(const float *x, float *y, int n) {
                 float sum = 0;
                 for (int i = threadIdx.x; i < n; i += blockDim.x) sum += x[i];
                 for (int o = 16; o; o >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, o);
                 if (threadIdx.x == 0) *y = sum;
               }""",
            "warp_sum",
        )
        x, y = cp.arange(100, dtype="f"), cp.zeros(1, "f")

        kernel((1,), (32,), (x, y, np.int32(100)))

        assert float(y[0]) == 4950

    def test_raw_kernel_with_dynamic_shared_memory_in_two_dimensions(self) -> None:
        kernel = cp.RawKernel(
            """extern "C" __global__ void __launch_bounds__(64) transpose(const int *x, int *y) {
                 extern __shared__ int tile[];
                 int here = threadIdx.y * 8 + threadIdx.x, there = threadIdx.x * 8 + threadIdx.y;
                 tile[here] = x[blockIdx.x * 64 + here];
                 __syncthreads();
                 y[blockIdx.x * 64 + here] = tile[there];
               }""",
            "transpose",
        )
        x = cp.arange(3 * 64, dtype=cp.int32).reshape(3, 8, 8)
        y = cp.empty_like(x)

        kernel((3,), (8, 8), (x, y), shared_mem=256)

        assert_same(y, np.swapaxes(x.get(), 1, 2))

    def test_raw_kernel_with_vector_loads(self) -> None:
        kernel = cp.RawKernel(
            """extern "C" __global__ void twice(const float4 *x, float4 *y) {
                 float4 v = x[threadIdx.x];
                 y[threadIdx.x] = make_float4(2 * v.x, 2 * v.y, 2 * v.z, 2 * v.w);
               }""",
            "twice",
        )
        x = cp.arange(32, dtype="f")
        y = cp.empty_like(x)

        kernel((1,), (8,), (x, y))

        assert_same(y, 2 * np.arange(32, dtype="f"))

    def test_kernel_template(self) -> None:
        module = cp.RawModule(
            code="""template <class T, int N> __global__ void scale(T *x) {
                      x[threadIdx.x] *= N;
                    }""",
            name_expressions=["scale<float, 2>", "scale<double, 3>"],
        )
        x = cp.ones(4, "d")

        module.get_function("scale<double, 3>")((1,), (4,), (x,))

        assert_same(x, np.full(4, 3.0))


class TestOperations:
    @pytest.mark.parametrize("dtype", INTEGERS + REAL + COMPLEX)
    def test_reductions(self, dtype: str) -> None:
        x = samples(dtype, 4, 5, 6, high=9)

        assert_same(cp.asarray(x).sum(axis=(0, 2)), x.sum(axis=(0, 2)), dtype)
        assert_same(cp.asarray(x).mean(), x.mean(), dtype)
        if np.dtype(dtype).kind != "c":
            assert_same(cp.asarray(x).max(1), x.max(1))
            assert_same(cp.asarray(x).argmax(1), x.argmax(1))

    @pytest.mark.parametrize("dtype", REAL + COMPLEX)
    def test_products_of_matrices(self, dtype: str) -> None:
        a, b = samples(dtype, 3, 4), samples(dtype, 4, 5)
        x, y = cp.asarray(a), cp.asarray(b)

        assert_same(x @ y, a @ b)
        assert_same(cp.asfortranarray(x) @ y, a @ b)
        assert_same(y.T @ x.T, b.T @ a.T)
        assert_same(cp.dot(x[0], x[1]), np.dot(a[0], a[1]))
        assert_same(cp.einsum("ij,jk->ik", x, y), a @ b)

    @pytest.mark.parametrize("dtype", REAL + COMPLEX)
    def test_products_of_batches(self, dtype: str) -> None:
        a, b = samples(dtype, 2, 3, 4), samples(dtype, 2, 4, 5)
        x, y = cp.asarray(a), cp.asarray(b)

        assert_same(x @ y, a @ b)
        assert_same(x @ y[0], a @ b[0])
        assert_same(cp.tensordot(x, y, ((2,), (1,))), np.tensordot(a, b, ((2,), (1,))))

    @pytest.mark.parametrize("dtype", REAL)
    @pytest.mark.parametrize("name", UFUNCS)
    def test_ufunc(self, name: str, dtype: str) -> None:
        x = samples(dtype, 4, 5)

        assert_same(getattr(cp, name)(cp.asarray(x)), getattr(np, name)(x))

    def test_where_maximum_clip(self) -> None:
        a = samples("float32", 4, 5)
        x = cp.asarray(a)

        assert_same(cp.where(x > 1, x, 0), np.where(a > 1, a, np.float32(0)))
        assert_same(cp.maximum(x, 1.0), np.maximum(a, np.float32(1)))
        assert_same(x.clip(0.8, 1.2), a.clip(0.8, 1.2))

    def test_indexing(self) -> None:
        a = samples("float32", 4, 5)
        x = cp.asarray(a)

        assert_same(x[1:3, ::2], a[1:3, ::2])
        assert_same(x[cp.asarray([0, 2])], a[[0, 2]])
        assert_same(x[x > 1], a[a > 1])
        assert_same(cp.take(x, cp.asarray([1, 1]), axis=1), np.take(a, [1, 1], axis=1))
        assert_same(cp.concatenate([x, x[:, ::-1]]), np.concatenate([a, a[:, ::-1]]))

    @pytest.mark.parametrize("dtype", REAL)
    def test_scattered_addition(self, dtype: str) -> None:
        out = cp.zeros(4, dtype)

        cp.add.at(out, cp.asarray([0, 0, 3]), cp.asarray([1, 2, 3], dtype))

        assert_same(out, np.array([3, 0, 0, 3], dtype))

    def test_scans_and_sorts(self) -> None:
        a = samples("float32", 4, 5)
        x = cp.asarray(a)

        assert_same(cp.cumsum(x, axis=1), np.cumsum(a, axis=1))
        assert_same(cp.sort(x, axis=0), np.sort(a, axis=0))
        assert_same(cp.argsort(x, axis=1), np.argsort(a, axis=1))

    def test_random_numbers_are_distributed_as_asked(self) -> None:
        cp.random.seed(0)

        normal, uniform = cp.random.randn(10_000), cp.random.rand(10_000)

        assert abs(float(normal.mean())) < 0.05
        assert abs(float(normal.std()) - 1) < 0.05
        assert abs(float(uniform.mean()) - 0.5) < 0.05

    def test_errors_are_those_of_cupy(self) -> None:
        x, a = cp.ones(3), np.ones(3)

        with pytest.raises(TypeError, match=r"Unsupported type <class 'numpy\.ndarray'>"):
            x + a
        with pytest.raises(TypeError, match="Implicit conversion to a NumPy array"):
            np.asarray(x)
        with pytest.raises(ValueError, match="truth value"):
            bool(x)

    def test_what_needs_a_device_is_refused(self) -> None:
        with pytest.raises(NotImplementedError, match="needs a device"):
            cp.random.default_rng()


class TestObservation:
    def test_launches_are_counted_and_named(self) -> None:
        x = cp.ones(3)
        before = hostcuda.launches()

        with hostcuda.trace() as names:
            cp.exp(x)
            with hostcuda.trace() as inner:
                x + x
        cp.exp(x)

        assert names == ["cupy_exp__float64_float64", "cupy_add__float64_float64_float64"]
        assert inner == names[1:]
        assert hostcuda.launches() == before + 3

    def test_launches_may_run_nothing(self) -> None:
        code = "x = cp.zeros(3); x.fill(1); print(x.get().sum(), hostcuda.launches())"

        assert run_python(code).stdout == "3.0 1\n"
        assert run_python(code, HOSTCUDA_IDLE="1").stdout == "0.0 1\n"

    def test_several_devices_may_be_pretended(self) -> None:
        code = """
            with cp.cuda.Device(1):
                x = cp.ones(3)
            print(cp.cuda.runtime.getDeviceCount(), x.device.id, cp.ones(3).device.id)
            cp.cuda.Device(2).use()
        """
        result = run_python(code, HOSTCUDA_DEVICES="2")

        assert result.stdout == "2 1 0\n"
        assert "invalid device ordinal" in result.stderr

    def test_install_again_does_nothing(self) -> None:
        assert hostcuda.install() is cp

    def test_install_after_cupy_is_refused(self) -> None:
        result = subprocess.run(
            [
                sys.executable,
                "-c",
                f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
                "import cupy, hostcuda; hostcuda.install()",
            ],
            capture_output=True,
            text=True,
        )

        assert "must come before the first `import cupy`" in result.stderr


class TestWrongKernels:
    def test_error_of_the_compiler_is_raised(self) -> None:
        kernel = cp.ElementwiseKernel("T x", "T y", "y = nonsense(x)", "host_nonsense")

        with pytest.raises(cp.cuda.compiler.CompileException, match="nonsense"):
            kernel(cp.ones(3))

    def test_unknown_kernel_is_an_error(self) -> None:
        module = cp.RawModule(code='extern "C" __global__ void one() {}')

        with pytest.raises(RuntimeError, match=r"CUDA_ERROR_NOT_FOUND.*two"):
            module.get_function("two")

    def test_launch_of_too_many_threads_is_an_error(self) -> None:
        kernel = cp.RawKernel('extern "C" __global__ void idle() {}', "idle")

        with pytest.raises(RuntimeError, match=r"CUDA_ERROR_INVALID_VALUE.*idle.*\(2048, 1, 1\)"):
            kernel((1,), (2048,), ())

    def test_fresh_memory_is_not_zero(self) -> None:
        code = "print(cp.empty(1 << 20, 'uint8').get().min())"

        assert run_python(code, HOSTCUDA_NOPOOL="1").stdout == "203\n"

    def test_divergent_barriers_abort(self) -> None:
        result = run_python(
            '''
            source = """extern "C" __global__ void divergent(int *x) {
                if (threadIdx.x < 16) __syncthreads();
                else x[threadIdx.x] = __shfl_sync(0xffffffffu, x[threadIdx.x], 0);
            }"""
            cp.RawKernel(source, "divergent")((1,), (32,), (cp.zeros(32, "i"),))
            '''
        )

        assert result.returncode < 0
        assert "kernel divergent, block (0, 0, 0)" in result.stderr

    def test_order_of_threads_can_be_reversed(self) -> None:
        code = '''
            source = """extern "C" __global__ void last(int *x) {
                *x = blockIdx.x * 4 + threadIdx.x;
            }"""
            x = cp.zeros(1, "i")
            cp.RawKernel(source, "last")((2,), (4,), (x,))
            print(int(x[0]))
        '''

        assert run_python(code).stdout == "7\n"
        assert run_python(code, HOSTCUDA_CXXFLAGS="-DHOSTCUDA_REVERSE").stdout == "0\n"

    def test_portable_fibers_work_too(self) -> None:
        code = "print(float(cp.arange(1000.0).sum()))"

        assert run_python(code, HOSTCUDA_CXXFLAGS="-DHOSTCUDA_UCONTEXT").stdout == "499500.0\n"

    @pytest.mark.slow
    def test_address_sanitizer_finds_writing_out_of_bounds(self) -> None:
        library = subprocess.run(
            ["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
        ).stdout.strip()
        if not Path(library).is_absolute():
            pytest.skip("g++ has no address sanitizer")

        result = run_python(
            """
            kernel = cp.ElementwiseKernel("T x", "raw T y", "y[i + 1] = x", "off_by_one")
            kernel(cp.ones(128, "f"), cp.empty(128, "f"))
            """,
            LD_PRELOAD=library,
            ASAN_OPTIONS="detect_leaks=0",
            HOSTCUDA_NOPOOL="1",
            HOSTCUDA_CXXFLAGS="-fsanitize=address -g",
        )

        assert "heap-buffer-overflow" in result.stderr
        assert "WRITE of size 4" in result.stderr
        assert "off_by_one" in result.stderr


@pytest.mark.nvrtc
class TestNvrtc:
    def test_source_is_what_cupy_compiles(self, monkeypatch: pytest.MonkeyPatch) -> None:
        scale = cp.ElementwiseKernel("T x, float64 s", "T y", "y = x * s", "host_scale")
        dot = cp.ReductionKernel("T x, T y", "T z", "x * y", "a + b", "z = a", "0", "host_dot")
        x, column = cp.ones((4, 6), "f"), cp.ones((4, 1))
        seen = []
        original = cp.cuda.compiler._compile_module_with_cache

        def observed(source: str, *args: Any, **kwargs: Any) -> Any:
            seen.append(source)
            return original(source, *args, **kwargs)

        monkeypatch.setattr(cp.cuda.compiler, "_compile_module_with_cache", observed)

        scale(x, np.float64(2))
        scale(x[:, ::2], column)
        dot(x, x)
        dot(x[:, ::2], x[:, ::2], axis=1)

        assert seen == [
            nvrtc.elementwise_source(scale, 1, ["f", "d", "f"], [True, None, True]),
            nvrtc.elementwise_source(scale, 2, ["f", "d", "f"], [False, False, True]),
            nvrtc.reduction_source(dot, 1, ["f", "f", "f"], out_ndim=0),
            nvrtc.reduction_source(dot, 2, ["f", "f", "f"], [False, False, True]),
        ]

    @pytest.mark.parametrize("arch", [75, 80, 90])
    def test_kernels_compile_together(self, arch: int) -> None:
        kernels = {
            # Same names, macros and helper functions: the bundle must keep them apart.
            f"{operator}{dtype}": cp.ElementwiseKernel(
                "T x",
                "T y",
                f"y = x {operator} helper(TWO)",
                "same_name",
                preamble=f"#define TWO 2\n__device__ {ctype} helper({ctype} x) {{ return x; }}",
            )
            for operator in "+*"
            for dtype, ctype in (("f", "float"), ("d", "double"))
        }
        norm = cp.ReductionKernel("T x", "T y", "x * x", "a + b", "y = sqrt(a)", "0", "host_norm")
        sources = {
            name: nvrtc.elementwise_source(kernel, 2, [name[1]] * 2, False)
            for name, kernel in kernels.items()
        } | {f"norm {dtype}": nvrtc.reduction_source(norm, 1, [dtype] * 2) for dtype in "efdFD"}

        assert nvrtc.compile_source(nvrtc.bundle(sources.values()), arch)[:4] == b"\x7fELF"
        nvrtc.compile_many(sources, arch)

    def test_kernel_at_fault_is_named(self) -> None:
        good = cp.ElementwiseKernel("T x", "T y", "y = x", "host_good")
        bad = cp.ElementwiseKernel("T x", "T y", "y = nonsense(x)", "host_bad")
        sources = {k.name: nvrtc.elementwise_source(k, 1, ["f", "f"]) for k in (good, bad)}

        with pytest.raises(nvrtc.KernelError, match=r"(?s)'host_bad'.* sm_80.*nonsense"):
            nvrtc.compile_many(sources, 80, threads=1)

    def test_neither_device_nor_install_is_needed(self) -> None:
        code = f"""
            import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
            import cupy
            from hostcuda import nvrtc
            kernel = cupy.ElementwiseKernel("T x", "T y", "y = x", "host_good")
            nvrtc.compile_many({{"a": nvrtc.elementwise_source(kernel, 1, "ff")}}, 90)
            print(cupy.cuda.is_available())
        """
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
        )

        assert result.stdout == "False\n", result.stderr

    def test_launched_kernels_are_compiled_too(self, tmp_path: Path) -> None:
        code = "cp.ones(3) + 1; print(hostcuda.stats.nvrtc)"
        environment = {"HOSTCUDA_NVRTC": "75,90", "HOSTCUDA_CACHE": str(tmp_path)}

        first = run_python(code, **environment)
        assert first.stdout == "4\n", first.stderr  # fill and add, for two architectures
        assert run_python(code, **environment).stdout == "0\n"  # kept in the cache


def test_threads_that_need_one_kernel_build_it_once() -> None:
    source = f'extern "C" __global__ void new_{uuid.uuid4().hex}() {{}}'  # in no cache
    start, before = threading.Barrier(8), stats.built

    def work() -> None:
        start.wait()
        build_library(source)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert stats.built == before + 1


# --------------------------------------------------------------------------- graphs


class TestGraphs:
    """What CUDA says of streams that are captured, and what a graph of them does."""

    runtime = cp.cuda.runtime

    def captured(self, function: Any, mode: int | None = None) -> Any:
        stream = cp.cuda.Stream(non_blocking=True)
        with stream:
            function()  # kernels are compiled
            stream.begin_capture(mode)
            try:
                function()
            finally:
                graph = stream.end_capture()
        return graph

    def refusal(self, function: Any, mode: int | None = None) -> str:
        stream = cp.cuda.Stream(non_blocking=True)
        with stream:
            stream.begin_capture(mode)
            with pytest.raises(self.runtime.CUDARuntimeError) as raised:
                function()
            with pytest.raises(self.runtime.CUDARuntimeError, match="CaptureInvalidated"):
                stream.end_capture()
        return str(raised.value)

    def test_kernels_run_when_the_graph_is_launched_and_with_the_arguments_of_then(self) -> None:
        x, scale = cp.ones(3), cp.ElementwiseKernel("T x, T by", "T y", "y = x * by", "scale_by")

        def step() -> None:
            for by in (2.0, 5.0):  # whose memory is another one's when the graph runs
                scale(x, by, x)

        graph = self.captured(step)
        before = hostcuda.driver.launches()
        x[:] = 1
        with hostcuda.trace() as names:
            graph.launch()
            graph.launch()
        assert names == ["scale_by"] * 4
        assert hostcuda.driver.launches() >= before + 4
        assert x.get().tolist() == [100] * 3

    def test_copies_and_what_libraries_compute_run_then_as_well(self) -> None:
        x, y, z = cp.zeros(3), cp.arange(3.0), cp.ones(3)

        def step() -> None:
            cp.copyto(y, x)
            y.sort()
            z.fill(0)

        graph = self.captured(step)
        x[:] = cp.array([3.0, 1.0, 2.0])
        z.fill(1)
        graph.launch()
        assert y.get().tolist() == [1, 2, 3]
        assert z.get().tolist() == [0, 0, 0]

    def test_what_waits_for_the_device_is_refused_and_ends_the_capture(self) -> None:
        for wait in (
            self.runtime.deviceSynchronize,
            lambda: cp.cuda.get_current_stream().synchronize(),
            lambda: cp.cuda.get_current_stream().done,
        ):
            assert "operation not permitted when stream is capturing" in self.refusal(wait)

        def look() -> None:
            cp.cuda.get_current_stream().record().synchronize()

        assert "event last recorded in a capturing stream" in self.refusal(look)

    def test_memory_may_be_asked_for_by_those_whom_the_mode_lets(self) -> None:
        def ask() -> None:
            self.runtime.free(self.runtime.malloc(10))

        modes = [self.runtime.streamCaptureModeGlobal, self.runtime.streamCaptureModeThreadLocal]
        for mode in modes:
            assert "not permitted" in self.refusal(ask, mode)
        self.captured(ask, self.runtime.streamCaptureModeRelaxed)

        def ask_elsewhere() -> None:
            raised: list[Exception] = []

            def run() -> None:
                try:
                    ask()
                except self.runtime.CUDARuntimeError as error:
                    raised.append(error)

            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
            if raised:
                raise raised[0]

        assert "not permitted" in self.refusal(ask_elsewhere, modes[0])
        self.captured(ask_elsewhere, modes[1])

    def test_streams_that_wait_for_the_capture_belong_to_it(self) -> None:
        x, side = cp.ones(3), cp.cuda.Stream(non_blocking=True)

        def step() -> None:
            main = cp.cuda.get_current_stream()
            side.wait_event(main.record())
            with side:
                cp.multiply(x, 3, out=x)
            main.wait_event(side.record())
            cp.add(x, 1, out=x)

        graph = self.captured(step)
        x[:] = 1
        graph.launch()
        assert x.get().tolist() == [4] * 3

        def forked() -> None:
            side.wait_event(cp.cuda.get_current_stream().record())
            with side:
                cp.multiply(x, 3, out=x)

        with pytest.raises(self.runtime.CUDARuntimeError, match="unjoined work"):
            self.captured(forked)

    def test_cupys_calls_of_libraries_are_refused_as_cupy_does(self) -> None:
        x = cp.ones((2, 2))
        for call in (lambda: x @ x, lambda: cp.linalg.qr(x), lambda: cp.random.rand(3)):
            with pytest.raises(NotImplementedError, match="during stream capture is currently uns"):
                self.captured(_second(call))

    def test_a_capture_ends_on_the_stream_and_thread_it_began_on(self) -> None:
        stream = cp.cuda.Stream(non_blocking=True)
        with pytest.raises(self.runtime.CUDARuntimeError):
            stream.end_capture()
        stream.begin_capture(self.runtime.streamCaptureModeGlobal)
        with pytest.raises(self.runtime.CUDARuntimeError, match="not permitted"):
            self.runtime.streamBeginCapture(stream.ptr)
        stream.end_capture()


def _second(function: Any) -> Any:
    """Return a function that does nothing when it is first called."""
    calls = iter((lambda: None, function))
    return lambda: next(calls)()
