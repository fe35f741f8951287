"""Normalization and the gradient of what is normalized, by one ``cupy.RawKernel`` each.

The plain definition of both is in ``gpugrad.ops.nn.normalization``.

What has one mean is called a row here, wherever it lies: the element ``k`` of row ``r`` is at
``r * base + k / inner * step + k % inner``, and its weight at
``r % groups * each + k / span % each``.  Several threads take a row together, and add up what each
has found in a fixed order; the mean is known before the variance is computed from it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.formulas import REAL, Formula, parse, variable
from gpugrad.kernels.source import HEADER, DType, c_type

THREADS = 256
EACH = 4  # elements that are worth a thread

Shape = tuple[int, ...]

_TEXT = """
namespace {
// the sum of what the threads of a row have; all threads of a block take part
__device__ inline Value total(Value *memory, Value own, int lane, int lanes, int step, int first) {
  memory[threadIdx.x] = own;
  for (int half = lanes / 2; half > 0; half /= 2) {
    __syncthreads();
    if (lane < half) memory[threadIdx.x] += memory[threadIdx.x + half * step];
  }
  __syncthreads();
  const Value found = memory[first];
  __syncthreads();
  return found;
}
}

extern "C" __global__ void NAME(PARAMETERS, const long long length, const long long inner,
    const long long step, const long long base, const long long rows, const long long groups,
    const long long each, const long long span, const double eps, const int lanes,
    const int along) {
  __shared__ Value memory[THREADS];
  const int across = THREADS / lanes;
  // neighbouring threads read what lies side by side
  const int lane = along ? threadIdx.x % lanes : threadIdx.x / across;
  const int own = along ? threadIdx.x / lanes : threadIdx.x % across;
  const int stride = along ? 1 : across;
  const int first = along ? threadIdx.x - lane : own;
  const long long row = (long long)(blockIdx.x) * across + own;
  const bool there = row < rows;
  const long long start = row * base;
  const long long group = row % groups * each;
  BODY
}
"""
_LOOP = """if (there)
    for (long long k = lane; k < length; k += lanes) {{
      const long long at = start + k / inner * step + k % inner;
      {each}
    }}"""
_SUM = "total(memory, {own}, lane, lanes, stride, first)"

_FORWARD = f"""Value own_sum = Value(0), own_square = Value(0);
  MEAN
  {_LOOP.format(each="const Value x = Value(source[at]) - mean; own_square += x * x;")}
  const Value var = {_SUM.format(own="own_square")} / Value(length);
  const Value scale = Value(1) / sqrt(var + Value(eps));
  if (there && lane == 0) {{ means[row] = mean; vars[row] = var; }}
  {
    _LOOP.format(
        each='''const long long w = group + k / span % each;
      Value x = (Value(source[at]) - mean) * scale;
      AFFINE
      result[at] = Element(x);'''
    )
}"""
_MEAN = f"""{_LOOP.format(each="own_sum += Value(source[at]);")}
  const Value mean = {_SUM.format(own="own_sum")} / Value(length);"""

_BACKWARD = f"""const Value mean = there ? means[row] : Value(0);
  const Value scale = there ? Value(1) / sqrt(vars[row] + Value(eps)) : Value(0);
  Value own_sum = Value(0), own_product = Value(0);
  {
    _LOOP.format(
        each='''const Value g = Value(given[at]) * WEIGHT;
      own_sum += g;
      own_product += g * (Value(source[at]) - mean) * scale;'''
    )
}
  const Value sum = {_SUM.format(own="own_sum")};
  const Value product = {_SUM.format(own="own_product")};
  SUMS
  {
    _LOOP.format(
        each='''const Value x = (Value(source[at]) - mean) * scale;
      const Value g = Value(given[at]) * FACTOR;
      result[at] = Element(scale * (g - (CENTER + x * product_) / Value(length)));'''
    )
}"""
_WEIGHT = "Value(weight[group + k / span % each])"


class Rows(NamedTuple):
    """Where the elements of rows lie, and the weights of each; see the module's text."""

    length: int
    inner: int
    step: int
    base: int
    rows: int
    groups: int
    each: int
    span: int

    @property
    def own(self) -> bool:
        """Whether each row has one weight of its own."""
        return self.each == 1 and self.groups == self.rows


def rows_of(shape: Shape, axes: Shape) -> Rows:
    """Return the rows of a whole array with means along axes: the last ones, or all but channels.

    Weights are for each element of a row, for each channel of a group, or for each channel.
    """
    if axes == (0, 2):
        n, channels, length = shape
        step = channels * length
        return Rows(n * length, max(length, 1), step, length, channels, channels, 1, 1)
    if len(shape) == 2:
        rows, length = shape
        return Rows(length, max(length, 1), 0, length, rows, 1, max(length, 1), 1)
    n, groups, each, length = shape
    whole = each * length
    return Rows(whole, max(whole, 1), 0, whole, n * groups, groups, max(each, 1), max(length, 1))


@cache
def raw(
    dtype: DType,
    weight: DType | None,
    bias: DType | None,
    centered: bool,
    gradient: bool,
    own: bool,
) -> cupy.RawKernel:
    """Return the kernel for element types; a gradient has no bias.

    ``own`` says that rows have a weight each, whose gradients and those of biases the kernel finds.
    """
    name = f"gpugrad_normalize{'_gradient' * gradient}"
    value = accumulation(dtype)
    parameters = "const Element *source, const Weight *weight, "
    if gradient:
        parameters = "const Element *given, " + parameters
        parameters += "const Value *means, const Value *vars, Element *result"
        parameters += ", Value *of_weight, Value *of_bias" * own
        if own:
            factor = _WEIGHT.replace("k / span % each", "0") if weight is not None else "Value(1)"
            sums = """if (there && lane == 0) { of_weight[row] = product; of_bias[row] = sum; }
  const Value factor = there ? FACTOR : Value(0);
  const Value sum_ = sum * factor, product_ = product * factor;""".replace("FACTOR", factor)
            words = {"WEIGHT": "Value(1)", "FACTOR": "factor", "SUMS": sums}
        else:
            every = _WEIGHT if weight is not None else "Value(1)"
            sums = "const Value sum_ = sum, product_ = product;"
            words = {"WEIGHT": every, "FACTOR": every, "SUMS": sums}
        body = _BACKWARD.replace("CENTER", "sum_" if centered else "Value(0)")
    else:
        parameters += "const Bias *bias, Element *result, Value *means, Value *vars"
        affine = "x *= Value(weight[w]);" * (weight is not None)
        affine += "x += Value(bias[w]);" * (bias is not None)
        mean = _MEAN if centered else "const Value mean = Value(0);"
        body, words = _FORWARD, {"MEAN": mean, "AFFINE": affine}
    for word, meaning in words.items():
        body = body.replace(word, meaning)
    text = _TEXT.replace("BODY", body).replace("PARAMETERS", parameters)
    text = text.replace("THREADS", str(THREADS)).replace("NAME", name)
    types = {
        "Element": dtype, "Value": value, "Weight": weight or dtype, "Bias": bias or dtype,
    }  # fmt: skip
    lines = "".join(f"using {name} = {c_type(d)};\n" for name, d in types.items())
    return cupy.RawKernel(f"{HEADER}{lines}{text}", name)


def run(kernel: cupy.RawKernel, arrays: list[Any], rows: Rows, eps: float) -> None:
    """Launch a kernel over arrays in plain order."""
    lanes = min(THREADS, 1 << (max(-(-rows.length // EACH), 1) - 1).bit_length())
    along = rows.inner > 1 or rows.rows == 1
    if not along:
        lanes = min(lanes, THREADS // min(32, 1 << (rows.rows - 1).bit_length()))
    blocks = -(-rows.rows // (THREADS // lanes))
    numbers = (*map(np.int64, rows), np.float64(eps), np.int32(lanes), np.int32(along))
    kernel((blocks,), (THREADS,), (*arrays, *numbers))


@cache
def weight_formula() -> Formula:
    """Return what is summed for the gradient of a weight that several rows have."""
    names, built = parse("g * ((x - mean) * rsqrt(var + eps))")
    inputs = [variable(n, REAL) for n in names]
    return Formula("normalize_weight", inputs, [built(*inputs)])


def sizes(shape: Shape, axes: Shape) -> Shape:
    """Return the shape of means."""
    return tuple([1 if k in axes else n for k, n in enumerate(shape)])
