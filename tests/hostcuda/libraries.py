"""Stand-ins for cuBLAS, cuRAND and Thrust, written with NumPy.

They have the signatures of CuPy's bindings, for as much of them as cupy.ndarray's operations use.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import driver

Array = np.ndarray[Any, np.dtype[Any]]

# cudaDataType
_REAL_32, _REAL_64, _REAL_16, _COMPLEX_32, _COMPLEX_64 = 0, 1, 2, 4, 5
_DTYPES: dict[int, type] = {
    _REAL_16: np.float16,
    _REAL_32: np.float32,
    _REAL_64: np.float64,
    _COMPLEX_32: np.complex64,
    _COMPLEX_64: np.complex128,
}
with contextlib.suppress(ImportError):
    from ml_dtypes import bfloat16

    _DTYPES[14] = bfloat16
_BY_LETTER = {"s": np.float32, "d": np.float64, "c": np.complex64, "z": np.complex128}

_CUBLAS_CONSTANTS = {
    "CUBLAS_OP_N": 0,
    "CUBLAS_OP_T": 1,
    "CUBLAS_OP_C": 2,
    "CUBLAS_COMPUTE_16F": 64,
    "CUBLAS_COMPUTE_32F": 68,
    "CUBLAS_COMPUTE_32F_PEDANTIC": 69,
    "CUBLAS_COMPUTE_32F_FAST_TF32": 77,
    "CUBLAS_COMPUTE_64F": 70,
    "CUBLAS_COMPUTE_64F_PEDANTIC": 71,
    "CUBLAS_GEMM_DEFAULT": -1,
    "CUBLAS_GEMM_DEFAULT_TENSOR_OP": 99,
    "CUBLAS_DEFAULT_MATH": 0,
    "CUBLAS_TENSOR_OP_MATH": 1,
    "CUBLAS_POINTER_MODE_HOST": 0,
    "CUBLAS_POINTER_MODE_DEVICE": 1,
}
_DOUBLE_PRECISION = (70, 71)  # of cublasComputeType
_FIRST_COMPUTE_TYPE = 64  # smaller numbers are of cudaDataType

_CURAND_GENERATORS = ("DEFAULT", "XORWOW", "MRG32K3A", "MTGP32", "MT19937", "PHILOX4_32_10")


def replace_modules() -> None:
    """Put the stand-ins where CuPy will import cuBLAS and cuRAND from."""
    import cupy_backends.cuda.libs as libs

    for name, module in (("cublas", _cublas()), ("curand", _curand())):
        sys.modules[module.__name__] = module
        setattr(libs, name, module)
    driver.provide_libraries(("cublas", "cudart"), _product)


def refuse_capture(library: str) -> None:
    """Raise where CuPy does: its calls of a library set the library's stream.

    Raises:
        NotImplementedError: The current stream is captured.
    """
    if driver.is_captured():
        raise NotImplementedError(
            f"calling {library} API during stream capture is currently unsupported"
        )


def replace_thrust(thrust: Any) -> None:
    """Replace the sorts in cupy.cuda.thrust, which are compiled for devices."""

    def sort(dtype: Any, data: int, keys: int, shape: Sequence[int]) -> None:
        _memory(data, dtype, shape).sort(axis=-1)

    def argsort(dtype: Any, indices: int, data: int, keys: int, shape: Sequence[int]) -> None:
        values = _memory(data, dtype, shape)
        order = np.argsort(values, axis=-1, kind="stable")
        _memory(indices, np.intp, shape)[...] = order
        values[...] = np.take_along_axis(values, order, axis=-1)

    def lexsort(dtype: Any, indices: int, keys: int, count: int, length: int) -> None:
        _memory(indices, np.intp, (length,))[...] = np.lexsort(
            _memory(keys, dtype, (count, length))
        )

    sorts: dict[str, Callable[..., None]] = {"sort": sort, "argsort": argsort, "lexsort": lexsort}
    for name, function in sorts.items():
        setattr(thrust, name, driver.queued(function))


# ---------------------------------------------------------------- memory


def _memory(pointer: int, dtype: Any, shape: Sequence[int]) -> Array:
    """Return the array that begins at ``pointer``; writing to it writes there."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(pointer), dtype).reshape(tuple(shape))


def _scalar(pointer: int, dtype: Any) -> Any:
    return _memory(pointer, dtype, (1,))[0]


def _matrix(pointer: int, dtype: Any, rows: int, columns: int, leading: int) -> Array:
    """Return the column-major matrix at ``pointer``, its columns ``leading`` elements apart."""
    flat = _memory(pointer, dtype, (leading * (columns - 1) + rows,))
    itemsize = np.dtype(dtype).itemsize
    return np.lib.stride_tricks.as_strided(flat, (rows, columns), (itemsize, leading * itemsize))


# ---------------------------------------------------------------- cuBLAS


def _cublas() -> types.ModuleType:
    module = types.ModuleType("cupy_backends.cuda.libs.cublas")
    vars(module).update(_CUBLAS_CONSTANTS)
    functions: dict[str, Callable[..., Any]] = {
        "create": lambda: 1,
        "destroy": _nothing,
        "gemmEx": _gemm_ex,
        "gemmStridedBatchedEx": _gemm_strided_batched_ex,
        "getMathMode": lambda handle: 0,
        "getPointerMode": lambda handle: 0,
        "getVersion": lambda handle: 130000,
        "setMathMode": _nothing,
        "setPointerMode": _nothing,
        "setStream": _nothing,
    }
    for letter, dtype in _BY_LETTER.items():
        functions[f"{letter}geam"] = _geam(dtype)
        functions[f"{letter}gemmBatched"] = _gemm_batched(dtype)
    for name in [name for name in functions if "gem" in name or "geam" in name]:
        functions[name] = _refusing("cuBLAS", functions[name])
    vars(module).update(functions)
    return module


def _refusing(library: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*arguments: Any) -> Any:
        refuse_capture(library)
        return function(*arguments)

    return called


def _nothing(*args: Any) -> None:
    pass


def _operand(
    operation: int, pointer: int, dtype: Any, rows: int, columns: int, leading: int
) -> Array:
    """Return op(A), of ``rows`` x ``columns``: A itself, its transpose or its adjoint."""
    if operation == 0:
        return _matrix(pointer, dtype, rows, columns, leading)
    transpose = _matrix(pointer, dtype, columns, rows, leading).T
    return transpose if operation == 1 else transpose.conj()


def _gemm(
    op_a: int, op_b: int, m: int, n: int, k: int, alpha: Any,
    a: int, a_type: Any, lda: int, b: int, b_type: Any, ldb: int, beta: Any,
    c: int, c_type: Any, ldc: int, compute: Any,
) -> None:  # fmt: skip
    """C = alpha op(A) op(B) + beta C, computed in the type ``compute``."""
    left = _operand(op_a, a, a_type, m, k, lda).astype(compute)
    right = _operand(op_b, b, b_type, k, n, ldb).astype(compute)
    out = _matrix(c, c_type, m, n, ldc)
    product = alpha * (left @ right)
    out[...] = product if beta == 0 else product + beta * out  # beta = 0: C may be uninitialised


def _compute_dtype(out_dtype: Any, compute_type: int) -> Any:
    """Return the type that cuBLAS computes in."""
    if compute_type < _FIRST_COMPUTE_TYPE:
        return np.float32 if compute_type == _REAL_16 else _DTYPES[compute_type]
    is_complex = np.dtype(out_dtype).kind == "c"
    if compute_type in _DOUBLE_PRECISION:
        return np.complex128 if is_complex else np.float64
    return np.complex64 if is_complex else np.float32


def _product(
    stream: int, op_a: int, op_b: int, m: int, n: int, k: int, alpha: int,
    a: int, a_type: int, lda: int, stride_a: int,
    b: int, b_type: int, ldb: int, stride_b: int, beta: int,
    c: int, c_type: int, ldc: int, stride_c: int, batch: int, compute_type: int,
) -> None:  # fmt: skip
    """Compute what is asked for without CuPy, or have the replays of a graph do so."""
    kind = _compute_dtype(_DTYPES[c_type], compute_type)
    factors = np.array([_scalar(alpha, kind), _scalar(beta, kind)], kind)  # are read at once
    first = factors.ctypes.data

    def compute() -> None:
        _gemm_strided_batched_ex(
            0, op_a, op_b, m, n, k, first, a, a_type, lda, stride_a, b, b_type, ldb, stride_b,
            first + factors.itemsize, c, c_type, ldc, stride_c, batch, compute_type, 0,
        )  # fmt: skip
        factors  # noqa: B018  whose memory must live

    driver.submit(stream, compute)


def _gemm_strided_batched_ex(
    handle: int, op_a: int, op_b: int, m: int, n: int, k: int, alpha: int,
    a: int, a_type: int, lda: int, stride_a: int,
    b: int, b_type: int, ldb: int, stride_b: int, beta: int,
    c: int, c_type: int, ldc: int, stride_c: int, batch: int, compute_type: int, algorithm: int,
) -> None:  # fmt: skip
    compute = _compute_dtype(_DTYPES[c_type], compute_type)
    types_ = [np.dtype(_DTYPES[t]) for t in (a_type, b_type, c_type)]
    steps = [s * t.itemsize for s, t in zip((stride_a, stride_b, stride_c), types_, strict=True)]
    for i in range(batch):
        _gemm(
            op_a, op_b, m, n, k, _scalar(alpha, compute),
            a + i * steps[0], types_[0], lda, b + i * steps[1], types_[1], ldb,
            _scalar(beta, compute), c + i * steps[2], types_[2], ldc, compute,
        )  # fmt: skip


def _gemm_ex(
    handle: int, op_a: int, op_b: int, m: int, n: int, k: int, alpha: int,
    a: int, a_type: int, lda: int, b: int, b_type: int, ldb: int, beta: int,
    c: int, c_type: int, ldc: int, compute_type: int, algorithm: int,
) -> None:  # fmt: skip
    _gemm_strided_batched_ex(
        handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, 0, b, b_type, ldb, 0, beta,
        c, c_type, ldc, 0, 1, compute_type, algorithm,
    )  # fmt: skip


def _gemm_batched(dtype: Any) -> Callable[..., None]:
    def gemm_batched(
        handle: int, op_a: int, op_b: int, m: int, n: int, k: int, alpha: int,
        a: int, lda: int, b: int, ldb: int, beta: int, c: int, ldc: int, batch: int,
    ) -> None:  # fmt: skip
        pointers = (_memory(p, np.uintp, (batch,)).tolist() for p in (a, b, c))
        for a_i, b_i, c_i in zip(*pointers, strict=True):
            _gemm(
                op_a, op_b, m, n, k, _scalar(alpha, dtype), a_i, dtype, lda, b_i, dtype, ldb,
                _scalar(beta, dtype), c_i, dtype, ldc, dtype,
            )  # fmt: skip

    return gemm_batched


def _geam(dtype: Any) -> Callable[..., None]:
    def geam(
        handle: int, op_a: int, op_b: int, m: int, n: int, alpha: int, a: int, lda: int,
        beta: int, b: int, ldb: int, c: int, ldc: int,
    ) -> None:  # fmt: skip
        """C = alpha op(A) + beta op(B)."""
        total = _scalar(alpha, dtype) * _operand(op_a, a, dtype, m, n, lda)
        if _scalar(beta, dtype) != 0:
            total = total + _scalar(beta, dtype) * _operand(op_b, b, dtype, m, n, ldb)
        _matrix(c, dtype, m, n, ldc)[...] = total

    return geam


# ---------------------------------------------------------------- cuRAND


def _curand() -> types.ModuleType:
    """Return generators with cuRAND's distributions; their numbers are NumPy's."""
    module = types.ModuleType("cupy_backends.cuda.libs.curand")
    generators: dict[int, np.random.Generator] = {}
    handles = itertools.count(1)

    def create(kind: int) -> int:
        handle = next(handles)
        generators[handle] = np.random.default_rng(0)
        return handle

    def seed(handle: int, value: int) -> None:
        generators[handle] = np.random.default_rng(value)

    def uniform(dtype: Any) -> Callable[[int, int, int], None]:
        def generate(handle: int, out: int, size: int) -> None:
            # cuRAND draws from (0, 1], NumPy from [0, 1).
            _memory(out, dtype, (size,))[:] = 1 - generators[handle].random(size, dtype)

        return generate

    def normal(dtype: Any, transform: Any = None) -> Callable[..., None]:
        def generate(handle: int, out: int, size: int, mean: float, deviation: float) -> None:
            values = mean + deviation * generators[handle].standard_normal(size)
            _memory(out, dtype, (size,))[:] = transform(values) if transform else values

        return generate

    def bits(handle: int, out: int, size: int) -> None:
        draw = generators[handle].integers(0, 2**32, size, np.uint32)
        _memory(out, np.uint32, (size,))[:] = draw

    functions: dict[str, Callable[..., Any]] = {
        "createGenerator": create,
        "destroyGenerator": lambda handle: generators.pop(handle, None),
        "generate": bits,
        "generateLogNormal": normal(np.float32, np.exp),
        "generateLogNormalDouble": normal(np.float64, np.exp),
        "generateNormal": normal(np.float32),
        "generateNormalDouble": normal(np.float64),
        "generateUniform": uniform(np.float32),
        "generateUniformDouble": uniform(np.float64),
        "setGeneratorOffset": _nothing,
        "setGeneratorOrdering": _nothing,
        "setPseudoRandomGeneratorSeed": seed,
        "setStream": _nothing,
    }
    for name in [name for name in functions if name.startswith("generate")]:
        functions[name] = _refusing("cuRAND", functions[name])
    vars(module).update(functions)
    for number, name in enumerate(_CURAND_GENERATORS, start=100):
        setattr(module, f"CURAND_RNG_PSEUDO_{name}", number)
    return module
