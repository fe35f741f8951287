"""Formulas as C++ for the CPU: a loop for each, which ``frames.cpp`` gives blocks of elements.

The text of a formula is that for CUDA, and so are the functions it calls, of ``preamble.cuh``.
What CUDA's headers have is here: the C library's mathematics, in vectors where that has them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Sequence

from gpugrad._dtype import is_half
from gpugrad.formulas import (
    COMPLEX,
    FUNCTIONS,
    INTEGER,
    REAL,
    Expression,
    Formula,
    lowered,
    ordered,
)  # fmt: skip
from gpugrad.kernels.source import PREAMBLE, DType, c_type, c_types, file, kind_dtype

(
    FRAMES, ROWS, ATTENTION, CHANNELS, CONVOLUTION, POOLING, POOL, RECURRENT, SCANS, PLACES,
    _EXPONENTIAL, _DOMAINS, _HALVES,
) = (
    file(f"{name}.cpp")
    for name in (
        "frames", "rows", "attention", "channels", "convolution", "pooling", "pool", "recurrent",
        "scans", "places", "exponential", "domains", "halves",
    )
)  # fmt: skip

WIDTH = 64  # a loop takes a multiple of so many elements, as frames.cpp says
OPERANDS = 16  # a formula has so many inputs and outputs at most

# The C library's functions of one argument and of two, some of which are there for vectors, too.
_UNARY = (
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp",
    "exp2", "expm1", "log", "log10", "log1p", "log2", "sin", "sinh", "tan", "tanh",
)  # fmt: skip
_BINARY = ("atan2", "hypot", "pow")
MATHEMATICS = (*_UNARY, *_BINARY)

# What a formula's text may call here: what is no loop of its own, and means what it means to NumPy.
_CALLED = frozenset(
    {
        *MATHEMATICS, "sqrt", "rsqrt", "copysign", "nextafter", "real",
        *(
            f"gpugrad::{name}" for name in (
                "truth", "absolute", "sign", "maximum", "minimum", "isnan", "isinf", "isfinite",
                "ceil", "floor", "trunc", "rint", "fmax", "fmin", "power",
            )
        ),
    }
)  # fmt: skip
# What is no loop of vectors, but faster than what NumPy or SciPy have, by the letters of the types
# where it is: in the others, vectors of NumPy's take fewer steps.
_SINGLY = {
    "airy_ai": "d", "airy_ai_slope": "d", "angle": "fd", "bessel_j1": "fd", "bessel_y1": "fd",
    "chebyshev_t": "d", "gammainc": "d", "gammaincc": "d", "gegenbauer": "d", "hermite_h": "d",
    "hermite_he": "d", "k0": "f", "k0e": "f", "k1": "f", "k1e": "f", "laguerre": "d",
    "fmod": "f", "lgamma": "fd", "modulo": "f", "remainder": "f", "trunc_divide": "fd",
    "zeta": "fd",
}  # fmt: skip
_BITS = frozenset({"bitand", "bitor", "bitxor"})  # of integers
# One step of NumPy's, whose loops leave nothing to gain.
_QUICK = frozenset(
    {
        "add", "sub", "mul", "div", "neg", "eq", "ne", "lt", "le", "gt", "ge", "abs", "sqrt",
        "maximum", "minimum", "ceil", "floor", "trunc", "rint", "isnan", "isinf", "isfinite",
    }
)  # fmt: skip
_CALL = re.compile(r"([\w:]+)\(")


def printable(formula: Formula, compute: DType) -> bool:
    """Tell whether a formula can be a loop: of real numbers, in single or double precision."""
    return compute.char in "fd" and _printable(formula, compute.char)


@functools.cache
def _printable(formula: Formula, letter: str) -> bool:
    parts = ordered(lowered(formula.outputs))
    return (
        len(formula.inputs) + len(formula.outputs) <= OPERANDS
        and not any(e.kind in (INTEGER, COMPLEX) for e in (*parts, *formula.inputs))
        and all(_known(e.function, letter) for e in parts if e.args)
    )


def _known(function: str, letter: str) -> bool:
    called = _CALL.findall(FUNCTIONS[function].cuda)
    return function not in _BITS and all(
        name in _CALLED or letter in _SINGLY.get(name.removeprefix("gpugrad::"), "")
        for name in called
    )


@functools.cache
def gains(formula: Formula) -> bool:
    """Tell whether a formula's loop may be faster than NumPy's, where nothing is summed."""
    steps = [e for e in ordered(lowered(formula.outputs)) if e.args]
    quick = all(_quick(e) and set(e.args) <= {*formula.inputs} for e in steps)
    return not quick and any(_printable(formula, letter) for letter in "fd")


def _quick(step: Expression) -> bool:
    """Tell whether a step of variables and constants is one that NumPy has a fast loop for."""
    bounded = step.function in ("maximum", "minimum") and step.args[1].function == "constant"
    return step.function in _QUICK and not bounded


@functools.cache
def exponents(formula: Formula) -> tuple[tuple[int, ...], ...]:
    """Return, for each power in a formula, the indices of the inputs that its exponent is of."""
    numbers = {v: k for k, v in enumerate(formula.inputs)}
    return tuple(
        tuple(numbers[v] for v in ordered((e.args[1],)) if v in numbers)
        for e in ordered(lowered(formula.outputs))
        if e.function == "pow"
    )


def arguments(name: str) -> int:
    """Return how many arguments a function of the C library has."""
    return 1 + (name in _BINARY)


# --------------------------------------------------------------------------- text


def header(vectors: Collection[str]) -> str:
    """Return what stands above loops; ``vectors`` names what the C library has for vectors."""
    lines = [
        "#define __device__",
        '#define CUDART_NAN __builtin_nan("")',
        "#define CUDART_INF __builtin_inf()",
        "template <typename T> struct complex;",
    ]
    for name in MATHEMATICS:
        kind = '__attribute__((simd("notinbranch"))) ' if name in vectors else ""
        lines += _declared(name, arguments(name), kind)
    for name in ("ceil", "fabs", "floor", "rint", "sqrt", "trunc", "j0", "j1", "y0", "y1"):
        lines += _declared(name, 1)
    lines += _declared("copysign", 2)
    for kind, end in (("double", ""), ("float", "f")):
        lines += [
            f'extern "C" {kind} lgamma{end}_r({kind}, int *);',
            f"inline {kind} lgamma({kind} x) {{ int sign; return lgamma{end}_r(x, &sign); }}",
            f'extern "C" {kind} ldexp{end}({kind}, int);',
            f'extern "C" {kind} frexp{end}({kind}, int *);',
            f'extern "C" int ilogb{end}({kind});',
            f"inline {kind} abs({kind} x) {{ return __builtin_fabs{end}(x); }}",
            f"inline {kind} rsqrt({kind} x) {{ return {kind}(1) / sqrt(x); }}",
        ]
    lines.append(_REMAINDER)
    lines.append("inline int max(int x, int y) { return x > y ? x : y; }")
    return "\n".join(lines) + f"\n{PREAMBLE}\n{_EXPONENTIAL}\n{_DOMAINS}\n"


# Of a quotient of few bits neither the product nor the difference is rounded in double precision.
_REMAINDER = """
extern "C" double fmod(double, double);
extern "C" float fmodf(float, float);
inline float fmod(float x, float y) {
  const double quotient = double(x) / double(y);
  if (!(fabs(quotient) < 268435456.0 && fabs(y) < float(CUDART_INF))) return fmodf(x, y);
  return copysign(float(double(x) - trunc(quotient) * double(y)), x);
}
#define fmodf(x, y) ::fmod(x, y)
"""


def _declared(name: str, arguments: int, kind: str = "") -> list[str]:
    """Return the declarations of a function of the C library for both precisions."""
    form = f"{kind}__attribute__((const, nothrow))"
    double, single = (", ".join([t] * arguments) for t in ("double", "float"))
    names = ("x", "y")[:arguments]
    return [
        f'extern "C" {form} double {name}({double});',
        f'extern "C" {form} float {name}f({single});',
        f"inline float {name}({', '.join(f'float {n}' for n in names)})"
        f" {{ return {name}f({', '.join(names)}); }}",
    ]


def needed(formulas: Iterable[Formula], compute: DType) -> str:
    """Return the functions that loops call besides those of the header."""
    names = dict.fromkeys(name for f in formulas for name in f.headers())
    texts = [file(f"{name}.cuh") for name in names]
    return "".join([_HALVES, *texts] if is_half(compute) else texts)


def loop(
    name: str,
    formula: Formula,
    compute: DType,
    inputs: Sequence[DType] = (),
    outputs: Sequence[DType] = (),
) -> str:
    """Return the function ``name`` of a number of elements and of the memory of all operands.

    ``inputs`` and ``outputs`` are the types that it reads and writes, if not :func:`dtypes`.
    """
    if not inputs:
        inputs, outputs = dtypes(formula, compute)
    types = c_types(compute)
    names = [f"x{k}" for k in range(len(inputs))]
    statements, texts = formula.cuda(types, names, apart=True)
    lines, before, body, after = [], [], [], []
    for k, (dtype, variable) in enumerate(zip(inputs, formula.inputs, strict=True)):
        # a bool may be of any value but 0 and 1, too
        stored = "unsigned char" if dtype.kind == "b" else _stored(dtype)
        lines.append(f"const {stored} *in{k} = reinterpret_cast<const {stored} *>(memory[{k}]);")
        kind = types[variable.kind]
        read = f"{kind}(in{k}[i])"
        if dtype.char == "e":  # float16
            before += [
                f"float wide{k}[{WIDTH}];",
                f"gpugrad::widen<{WIDTH}>(in{k} + from, wide{k});",
            ]
            read = f"wide{k}[i - from]"
        elif is_half(dtype):
            read = f"gpugrad::read(in{k}[i])"
        body.append(f"const {kind} x{k} = {read};")
    body += statements
    for k, (dtype, text) in enumerate(zip(outputs, texts, strict=True), len(inputs)):
        stored = _stored(dtype)
        lines.append(f"{stored} *out{k} = reinterpret_cast<{stored} *>(memory[{k}]);")
        written = f"out{k}[i] = {text};"
        if dtype.char == "e":  # float16
            before.append(f"float wide{k}[{WIDTH}];")
            after.append(f"gpugrad::narrow<{WIDTH}>(wide{k}, out{k} + from);")
            written = f"wide{k}[i - from] = {text};"
        elif is_half(dtype):
            written = f"gpugrad::write(out{k}[i], {text});"
        body.append(written)
    if before:
        return f"""extern "C" void {name}(long count, char *const *memory) {{
  {_lines(lines, 2)}
  for (long from = 0; from < count; from += {WIDTH}) {{
    {_lines(before, 4)}
    #pragma omp simd
    for (long i = from; i < from + {WIDTH}; i++) {{
      {_lines(body, 6)}
    }}
    {_lines(after, 4)}
  }}
}}
"""
    return f"""extern "C" void {name}(long count, char *const *memory) {{
  {_lines(lines, 2)}
  count &= -{WIDTH};
  #pragma omp simd
  for (long i = 0; i < count; i++) {{
    {_lines(body, 4)}
  }}
}}
"""


def _stored(dtype: DType) -> str:
    return f"gpugrad::{c_type(dtype)}" if is_half(dtype) else c_type(dtype)


_ROWS = """
// NumPy's arrays, as they lie in memory.
struct Array {
  char head[HEAD - sizeof(void *)];
  void *type;
  char *data;
  int ndim;
  const long *shape, *strides;
  void *base, *dtype;
  int flags;
};
const int IN_C = 1, IN_F = 2, ALIGNED = 0x100, WRITEABLE = 0x400;

// Whether arrays are of one type, and those of each row lie alike; written ones are known by bits.
static bool plain(long rows, int columns, unsigned written, Array *const *arrays) {
  for (long row = 0; row < rows; row++) {
    const Array &first = *arrays[row];
    int flags = IN_C | IN_F | ALIGNED;
    for (int k = 0; k < columns; k++) {
      const Array &a = *arrays[k * rows + row];
      if (a.type != arrays[0]->type || a.dtype != arrays[0]->dtype || a.ndim != first.ndim)
        return false;
      for (int d = 0; d < a.ndim; d++)
        if (a.shape[d] != first.shape[d]) return false;
      if ((written >> k & 1) && !(a.flags & WRITEABLE)) return false;
      flags &= a.flags;
    }
    if (!(flags & ALIGNED) || !(flags & (IN_C | IN_F))) return false;
  }
  return true;
}
"""


def rows(name: str, formula: Formula, targets: Sequence[int], arrays: int, compute: DType) -> str:
    """Return the function ``name`` that writes a formula into some of the arrays that it is of.

    It takes the number of rows, the arrays' objects, one column after the other, and the numbers
    that are the formula's last inputs; it returns 0, and has written nothing, where arrays are not
    plain.
    """
    types = c_types(compute)
    real = types[REAL]
    count = len(formula.inputs)
    names = [f"x{k}" for k in range(count)]
    statements, texts = formula.cuda(types, names, apart=True)
    written = sum(1 << k for k in targets)
    memory = [
        f"{real} *in{k} = reinterpret_cast<{real} *>(arrays[{k} * rows + row]->data);"
        for k in range(arrays)
    ]
    body = [f"const {real} x{k} = in{k}[i];" for k in range(arrays)]
    body += statements
    body += [f"const {real} out{j} = {t};" for j, t in enumerate(texts)]
    body += [f"in{k}[i] = out{j};" for j, k in enumerate(targets)]
    given = [f"const {real} x{k} = {real}(numbers[{k - arrays}]);" for k in range(arrays, count)]
    return f"""#define HEAD {object.__basicsize__}
{_ROWS}
extern "C" int {name}(long rows, Array *const *arrays, const double *numbers) {{
  if (!plain(rows, {arrays}, {written}u, arrays)) return 0;
  {_lines(given, 2)}
  for (long row = 0; row < rows; row++) {{
    long size = 1;
    for (int d = 0; d < arrays[row]->ndim; d++) size *= arrays[row]->shape[d];
    {_lines(memory, 4)}
    #pragma omp simd
    for (long i = 0; i < size; i++) {{
      {_lines(body, 6)}
    }}
  }}
  return 1;
}}
"""


def _lines(lines: Iterable[str], indent: int) -> str:
    return ("\n" + " " * indent).join(lines)


def dtypes(formula: Formula, compute: DType) -> tuple[tuple[DType, ...], tuple[DType, ...]]:
    """Return the types of the elements that a formula's loop reads and writes."""

    def stored(e: Expression) -> DType:
        return compute if e.kind == REAL else kind_dtype(e.kind, compute)

    return tuple(map(stored, formula.inputs)), tuple(map(stored, formula.outputs))
