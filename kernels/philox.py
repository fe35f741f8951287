"""Random numbers on a GPU: of a seed and a count, by one kernel, without a state on the device.

The kernels of a graph that is captured read both on the device, where each replay writes them
before it begins, so that they draw what would have been drawn without a graph.

The stream is Philox 4x32 with 10 rounds, of which each element takes numbers of its own.

Sources: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; W. Hörmann, "The
transformed rejection method for generating Poisson random variables", Insurance: Mathematics and
Economics, 1993, and "The generation of binomial random variates", Journal of Statistical
Computation and Simulation, 1993.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.kernels import capture, launches

Array = Any
Shape = tuple[int, ...]

PREAMBLE = """
struct gpugrad_draw {
  unsigned int key0, key1, c0, c1, round;
  unsigned int x[4];

  __device__ gpugrad_draw(unsigned long long seed, unsigned long long count)
      : key0((unsigned int)seed), key1((unsigned int)(seed >> 32)), c0((unsigned int)count),
        c1((unsigned int)(count >> 32)), round(0) { next(); }

  __device__ void next() {
    unsigned int k0 = key0, k1 = key1;
    x[0] = c0; x[1] = c1; x[2] = round++; x[3] = 0;
    for (int k = 0; k < 10; ++k) {
      const unsigned long long a = 0xD2511F53ull * x[0], b = 0xCD9E8D57ull * x[2];
      const unsigned int high_a = (unsigned int)(a >> 32), high_b = (unsigned int)(b >> 32);
      const unsigned int y0 = high_b ^ x[1] ^ k0, y2 = high_a ^ x[3] ^ k1;
      x[1] = (unsigned int)b; x[3] = (unsigned int)a; x[0] = y0; x[2] = y2;
      k0 += 0x9E3779B9u; k1 += 0xBB67AE85u;
    }
  }

  // 64 bits; there are two of them
  __device__ unsigned long long bits(int k) const {
    return ((unsigned long long)x[2 * k] << 32) | x[2 * k + 1];
  }
  // of [0, 1)
  __device__ double uniform(int k) const { return double(bits(k) >> 11) * 1.1102230246251565e-16; }
  // of (0, 1]
  __device__ double positive(int k) const {
    return (double(bits(k) >> 11) + 1.0) * 1.1102230246251565e-16;
  }
};

// whether something happens; a chance of 2^-16 or more is rounded to 32 bits
__device__ inline bool gpugrad_happens(unsigned long long seed, unsigned long long count,
                                       double chance) {
  const gpugrad_draw draw(seed, count);
  if (chance < 1.52587890625e-05) return draw.uniform(0) < chance;
  return float(draw.x[0] >> 8) * 5.9604645e-08f < float(chance);
}

// how often something happens in a time in which it does so lam times on average
__device__ double gpugrad_poisson(gpugrad_draw draw, double lam) {
  if (!(lam > 0.0)) return 0.0;
  if (lam < 10.0) {
    const double end = exp(-lam);
    double product = 1.0, count = -1.0;
    do {
      product *= draw.positive(0);
      count += 1.0;
      draw.next();
    } while (product > end);
    return count;
  }
  const double b = 0.931 + 2.53 * sqrt(lam), a = -0.059 + 0.02483 * b;
  const double scale = log(1.1239 + 1.1328 / (b - 3.4)), logarithm = log(lam);
  for (;; draw.next()) {
    const double u = draw.uniform(0) - 0.5, v = draw.positive(1), us = 0.5 - fabs(u);
    const double k = floor((2.0 * a / us + b) * u + lam + 0.43);
    if (us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2.0)) return k;
    if (k < 0.0 || (us < 0.013 && v > us)) continue;
    if (log(v) + scale - log(a / (us * us) + b) <= k * logarithm - lam - lgamma(k + 1.0)) return k;
  }
}

// how many of n attempts succeed, of which each does so with probability p
__device__ double gpugrad_binomial(gpugrad_draw draw, double n, double p) {
  if (!(n > 0.0) || !(p > 0.0)) return 0.0;
  if (p >= 1.0) return n;
  const bool fails = p > 0.5;  // then it is counted how many of them do
  if (fails) p = 1.0 - p;
  if (n * p < 10.0) {  // by the attempts up to each success
    const double failure = log1p(-p);
    double attempts = 0.0, count = -1.0;
    do {
      attempts += fmax(ceil(log(draw.positive(0)) / failure), 1.0);
      count += 1.0;
      draw.next();
    } while (attempts <= n);
    return fails ? n - count : count;
  }
  const double q = 1.0 - p, width = sqrt(n * p * q);
  const double b = 1.15 + 2.53 * width, a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double alpha = (2.83 + 5.1 / b) * width, m = floor((n + 1.0) * p), odds = log(p / q);
  const double most = lgamma(m + 1.0) + lgamma(n - m + 1.0);
  for (;; draw.next()) {
    const double u = draw.uniform(0) - 0.5, v = draw.positive(1), us = 0.5 - fabs(u);
    const double k = floor((2.0 * a / us + b) * u + n * p + 0.5);
    if (k < 0.0 || k > n) continue;
    if ((us >= 0.07 && v <= 0.92 - 4.2 / b) ||
        log(v * alpha / (a / (us * us) + b)) <=
            most - lgamma(k + 1.0) - lgamma(n - k + 1.0) + (k - m) * odds)
      return fails ? n - k : k;
  }
}
"""

_NORMAL = "sqrt(-2.0 * log(draw.positive(0))) * cos(6.283185307179586 * draw.uniform(1))"
_HALF_NORMAL = (
    "sqrtf(-2.0f * logf((float(draw.x[0] >> 8) + 1.0f) * 5.9604645e-08f)) * "
    "cosf(6.2831853f * (float(draw.x[1] >> 8) * 5.9604645e-08f))"
)
_KEPT = """(chance < 1.52587890625e-05 ? draw.uniform(0) < chance
    : float(draw.x[0] >> 8) * 5.9604645e-08f < float(chance)) ? factor : 0.0"""
# what is computed of a drawn number; further inputs, and the type
KERNELS = {
    "uniform32": ("", "float32", "float(draw.x[0] >> 8) * 5.9604645e-08f"),
    "uniform64": ("", "float64", "draw.uniform(0)"),
    "normal32": ("", "float32", _HALF_NORMAL),
    "normal64": ("", "float64", _NORMAL),
    "integers": (
        "uint64 span, int64 low", "int64",
        "(long long)((span ? draw.bits(0) % span : draw.bits(0)) + (unsigned long long)low)",
    ),
    "poisson": ("float64 rate", "float64", "gpugrad_poisson(draw, rate)"),
    **{
        f"kept{dtype[-2:]}": ("float64 chance, float64 factor", dtype, _KEPT)
        for dtype in ("float16", "float32", "float64")
    },
    "binomial": (
        "float64 attempts, float64 chance", "float64", "gpugrad_binomial(draw, attempts, chance)",
    ),
}  # fmt: skip


_PLAIN = "uint64 seed, uint64 count", "seed, count"
_CAPTURED = "raw uint64 start, uint64 count", "start[0], start[1] + count"


@cache
def kernel(name: str, captured: bool = False) -> cupy.ElementwiseKernel:
    """Return the kernel that draws numbers of a kind, perhaps for a graph."""
    inputs, dtype, text = KERNELS[name]
    given, begun = _CAPTURED if captured else _PLAIN
    seed, count = begun.split(", ")
    return cupy.ElementwiseKernel(
        f"{given}{', ' * bool(inputs)}{inputs}",
        f"{dtype} out",
        f"gpugrad_draw draw({seed}, {count} + i); out = {text};",
        f"gpugrad_draw_{name}{'_captured' * captured}",
        preamble=PREAMBLE,
    )


@cache
def announcement(captured: bool) -> cupy.ElementwiseKernel:
    """Return the kernel that writes a seed and a count to where a graph reads them."""
    given, begun = _CAPTURED if captured else _PLAIN
    seed, count = begun.split(", ")
    return cupy.ElementwiseKernel(
        given,
        "uint64 out",
        f"out = i ? (unsigned long long)({count}) : (unsigned long long)({seed});",
        f"gpugrad_announce{'_captured' * captured}",
    )


class Drawn(NamedTuple):
    """Where numbers begin: at a count of the stream of a seed.

    In a CUDA graph the count is from where the graph's begin, and the seed and that are read from
    ``there``, the address of both, when the numbers are drawn.
    """

    seed: int
    first: int
    there: int = 0


class Source:
    """A stream of random numbers on one GPU that a seed begins.

    Its ``state`` is the seed, and how many elements were drawn, as bytes.
    """

    SIZE = 16

    def __init__(self, seed: int, where: Any):
        """Begin a stream; ``where`` returns a context in which its GPU is CuPy's current one."""
        self._where = where
        self.begin(seed)

    def begin(self, seed: int) -> None:
        """Begin the stream of another seed, or the same again."""
        self._seed, self.offset = seed, 0

    def taken(self, count: int) -> Drawn:
        """Return where numbers begin that a kernel draws itself: one for each count.

        They are those that :meth:`uniform` would have returned.
        """
        with self._where():
            graph = capture.current()
            found = Drawn(self._seed, self.offset)
            if graph is not None:
                there, begun = graph.place(self)
                found = Drawn(self._seed, begun, there.data.ptr)
        self.offset = (self.offset + count) % 2**64
        return found

    @property
    def state(self) -> bytes:
        """Where the stream stands; what was read before may be set again."""
        return b"".join(n.to_bytes(8, "little") for n in (self._seed, self.offset))

    @state.setter
    def state(self, state: bytes) -> None:
        seed, offset = (int.from_bytes(s, "little") for s in (state[:8], state[8:]))
        if seed != self._seed and capture.current() is not None:
            raise RuntimeError(
                "Cannot set the state of a generator to that of another seed during CUDA graph "
                "capture: a replay goes on where the generator stands then."
            )
        self._seed, self.offset = seed, offset

    def announce(self, there: Array) -> None:
        """Write the seed and the count to where a graph reads them, when the stream gets there."""
        with self._where():
            captured, begun = self._begun()
            announcement(captured)(*begun, there)

    def _begun(self) -> tuple[bool, tuple[Any, Any]]:
        """Return whether a graph is captured, and what a kernel is told of the seed and count."""
        graph = capture.current()
        if graph is None:
            return False, (np.uint64(self._seed), np.uint64(self.offset))
        there, count = graph.place(self)
        return True, (there, np.uint64(count))

    def _drawn(self, name: str, shape: Shape, *inputs: Any) -> Array:
        with self._where():
            out = cupy.empty(shape, KERNELS[name][1])
            captured, begun = self._begun()
            kernel(name, captured)(*begun, *inputs, out)
        launches.add(out.size > 0)
        self.offset = (self.offset + math.prod(shape)) % 2**64
        return out

    def uniform(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return numbers of [0, 1), of 32 or 64 bits."""
        return self._drawn(f"uniform{8 * dtype.itemsize}", shape)

    def kept(self, shape: Shape, dtype: np.dtype[Any], chance: float) -> Array:
        """Return ``1 / chance`` with that probability, by the numbers of :meth:`uniform`, or 0."""
        wide = accumulation(dtype).type
        factor = np.float64(wide(1) / wide(chance))
        return self._drawn(f"kept{8 * dtype.itemsize}", shape, np.float64(chance), factor)

    def normal(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return numbers of the standard normal distribution, of 32 or 64 bits."""
        return self._drawn(f"normal{8 * dtype.itemsize}", shape)

    def integers(self, low: int, high: int, shape: Shape) -> Array:
        """Return integers of [low, high), as int64."""
        return self._drawn("integers", shape, np.uint64((high - low) % 2**64), np.int64(low))

    def permutation(self, shape: Shape) -> Array:
        """Return the indices along the last axis in orders that are drawn, as int64."""
        with self._where():
            return cupy.argsort(self.integers(-(2**63), 2**63, shape), axis=-1)

    def poisson(self, rates: Array) -> Array:
        """Return how often something happens that does so at a rate, as float64."""
        return self._drawn("poisson", rates.shape, rates)

    def binomial(self, counts: Array, chances: Array) -> Array:
        """Return how many of some attempts succeed, as float64."""
        return self._drawn("binomial", counts.shape, counts, chances)
