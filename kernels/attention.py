"""Attention and its gradients by one ``cupy.RawKernel`` each, without the matrix of all scores.

A block of threads takes a tile of queries and goes along the keys, a tile of these at a time: each
query keeps its largest score so far, its sum of exponentials and its sum of values relative to
that.  The logarithms of the sums are kept for the gradients, for which scores are computed again.
Backward, some blocks take a tile of keys and go along the queries, for the gradients of keys and
values, and others a tile of queries, for theirs: all of one launch.  Every sum has one order, so
the same call gives the same bits.

Results of more columns than a block has are computed by several, each of which computes the scores.
The plain definition is :func:`gpugrad.ops.nn.attention.plain`.

Sources: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al.,
"FlashAttention: fast and memory-efficient exact attention", 2022.
"""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any, NamedTuple

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.kernels import launches, layout, philox
from gpugrad.kernels.source import HEADER, DType, c_type, file

Array = Any
Shape = tuple[int, ...]

THREADS = 256
SIDE = 16  # of these threads, a square
_WIDEST = 128  # columns of a block

_FORWARD = """
extern "C" __global__ void gpugrad_attention(const Element *query, const Place of_query,
    const Element *key, const Place of_key, const Element *value, const Place of_value,
    const Mask *mask, const Place of_mask, Element *out, const Place of_out, Value *logs,
    const Sizes sizes, const long long tiles) {
  __shared__ Memory memory;
  const int x = threadIdx.x % 16, y = threadIdx.x / 16, column = blockIdx.y * WIDTH;
  const long long stack = blockIdx.x / tiles, first = blockIdx.x % tiles * TILE;
  const long long shared = stack / sizes.group, sharing = sizes.heads / sizes.group;
  mask += stack / sizes.heads * of_mask.outer + stack % sizes.heads * of_mask.head;
  const Matrix<const Element> q(query, of_query, stack, sizes.heads, first, sizes.queries,
                                sizes.features);
  Value most[EACH], sum[EACH], sums[EACH][WIDE];
  for (int i = 0; i < EACH; ++i) {
    most[i] = -Value(CUDART_INF);
    sum[i] = Value(0);
    for (int j = 0; j < WIDE; ++j) sums[i][j] = Value(0);
  }
  const long long end = sizes.causal && first + TILE < sizes.keys ? first + TILE : sizes.keys;
  for (long long start = 0; start < end; start += TILE) {
    const Matrix<const Element> k(key, of_key, shared, sharing, start, sizes.keys, sizes.features);
    const Matrix<const Element> v(value, of_value, shared, sharing, start, sizes.keys,
                                  sizes.results);
    Value scores[EACH][EACH];
    products(scores, q, k, memory, x, y);
    for (int i = 0; i < EACH; ++i) {
      const long long row = first + y + 16 * i;
      Value found = -Value(CUDART_INF);
      for (int j = 0; j < EACH; ++j) {
        const Value s = seen(scores[i][j], mask, of_mask, row, start + x + 16 * j, sizes);
        scores[i][j] = s;
        found = s > found ? s : found;
      }
      found = largest(found);
      found = found > most[i] ? found : most[i];
      const Value base = found == -Value(CUDART_INF) ? Value(0) : found;
      const Value less = exp(most[i] - base);
      most[i] = found;
      Value own = Value(0);
      for (int j = 0; j < EACH; ++j) {
        const Value weight = exp(scores[i][j] - base);
        own += weight;
        memory.weights[y + 16 * i][x + 16 * j] =
            weight * kept(stack, row, start + x + 16 * j, sizes);
      }
      sum[i] = sum[i] * less + total(own);
      for (int j = 0; j < WIDE; ++j) sums[i][j] *= less;
    }
    add_rows(sums, v, column, memory, x, y);
  }
  for (int i = 0; i < EACH; ++i) {
    const long long row = first + y + 16 * i;
    const bool none = NONE;  // a mask hides all keys
    const Value by = none ? Value(0) : Value(1) / sum[i];
    for (int j = 0; j < WIDE; ++j) sums[i][j] *= by;
    if (column == 0 && x == 0 && row < sizes.queries)
      logs[stack * sizes.queries + row] = none ? Value(CUDART_INF) : most[i] + log(sum[i]);
  }
  const Matrix<Element> o(out, of_out, stack, sizes.heads, first, sizes.queries, sizes.results);
  write(o, sums, column, x, y);
}
"""

_BACKWARD = """
namespace {
// the weights of a tile, and by how much the loss moves with its scores
__device__ inline void slopes(Value (&weights)[EACH][EACH], Value (&found)[EACH][EACH],
    long long first_query, long long first_key, long long stack, bool across, const Mask *mask,
    const Place &of_mask, const Memory &memory, int x, int y, const Sizes &sizes) {
  for (int i = 0; i < EACH; ++i)
    for (int j = 0; j < EACH; ++j) {
      const int r = across ? x + 16 * j : y + 16 * i, c = across ? y + 16 * i : x + 16 * j;
      const long long row = first_query + r, place = first_key + c;
      const Value score = seen(weights[i][j], mask, of_mask, row, place, sizes);
      const Value weight = exp(score - memory.logs[r]);
      const Value part = kept(stack, row, place, sizes);
      weights[i][j] = weight * part;
      found[i][j] = weight * (found[i][j] * part - memory.along[r]);
    }
}

__device__ inline void keep(Memory &memory, const Value (&weights)[EACH][EACH], Value factor,
                            int x, int y) {
  __syncthreads();  // what was there has been read
  for (int i = 0; i < EACH; ++i)
    for (int j = 0; j < EACH; ++j)
      memory.weights[y + 16 * i][x + 16 * j] = weights[i][j] * factor;
}

// of a tile of queries: logarithms of their sums, and the products of results and their gradients
__device__ inline void prepare(Memory &memory, const Matrix<const Element> &g,
    const Matrix<const Element> &o, const Value *logs, int x, int y) {
  __syncthreads();
  for (int i = 0; i < EACH; ++i) {
    const long long r = y + 16 * i;
    Value own = Value(0);
    for (long long c = x; c < g.columns; c += 16) own += g.read(r, c) * o.read(r, c);
    own = total(own);
    if (x == 0) {
      memory.along[r] = own;
      memory.logs[r] = r < g.rows ? logs[r] : Value(CUDART_INF);
    }
  }
}
}

extern "C" __global__ void gpugrad_attention_gradient(const Element *given, const Place of_given,
    const Element *query, const Place of_query, const Element *key, const Place of_key,
    const Element *value, const Place of_value, const Mask *mask, const Place of_mask,
    const Element *out, const Place of_out, const Value *logs, Element *g_query,
    const Place of_g_query, Element *g_key, const Place of_g_key, Element *g_value,
    const Place of_g_value, Value *g_mask, const Sizes sizes, const long long query_tiles,
    const long long key_tiles, const long long key_blocks) {
  __shared__ Memory memory;
  const int x = threadIdx.x % 16, y = threadIdx.x / 16, column = blockIdx.y * WIDTH;
  const long long sharing = sizes.heads / sizes.group;
  Value weights[EACH][EACH], moved[EACH][EACH], sums[EACH][WIDE];
  for (int i = 0; i < EACH; ++i)
    for (int j = 0; j < WIDE; ++j) sums[i][j] = Value(0);
  if (blockIdx.x < key_blocks) {
    Value others[EACH][WIDE];
    for (int i = 0; i < EACH; ++i)
      for (int j = 0; j < WIDE; ++j) others[i][j] = Value(0);
    const long long shared = blockIdx.x / key_tiles, start = blockIdx.x % key_tiles * TILE;
    const Matrix<const Element> k(key, of_key, shared, sharing, start, sizes.keys, sizes.features);
    const Matrix<const Element> v(value, of_value, shared, sharing, start, sizes.keys,
                                  sizes.results);
    for (long long stack = shared * sizes.group; stack < (shared + 1) * sizes.group; ++stack)
      for (long long first = sizes.causal ? start : 0; first < sizes.queries; first += TILE) {
        const Matrix<const Element> q(query, of_query, stack, sizes.heads, first, sizes.queries,
                                      sizes.features);
        const Matrix<const Element> g(given, of_given, stack, sizes.heads, first, sizes.queries,
                                      sizes.results);
        const Matrix<const Element> o(out, of_out, stack, sizes.heads, first, sizes.queries,
                                      sizes.results);
        prepare(memory, g, o, logs + stack * sizes.queries + first, x, y);
        products(weights, k, q, memory, x, y);
        products(moved, v, g, memory, x, y);
        slopes(weights, moved, first, start, stack, true,
               mask + stack / sizes.heads * of_mask.outer + stack % sizes.heads * of_mask.head,
               of_mask, memory, x, y, sizes);
        keep(memory, weights, Value(1), x, y);
        add_rows(others, g, column, memory, x, y);
        keep(memory, moved, Value(sizes.scale), x, y);
        add_rows(sums, q, column, memory, x, y);
      }
    const Matrix<Element> of_k(g_key, of_g_key, shared, sharing, start, sizes.keys,
                               sizes.features);
    const Matrix<Element> of_v(g_value, of_g_value, shared, sharing, start, sizes.keys,
                               sizes.results);
    write(of_k, sums, column, x, y);
    write(of_v, others, column, x, y);
    return;
  }
  const long long block = blockIdx.x - key_blocks;
  const long long stack = block / query_tiles, first = block % query_tiles * TILE;
  const long long shared = stack / sizes.group;
  mask += stack / sizes.heads * of_mask.outer + stack % sizes.heads * of_mask.head;
  const Matrix<const Element> q(query, of_query, stack, sizes.heads, first, sizes.queries,
                                sizes.features);
  const Matrix<const Element> g(given, of_given, stack, sizes.heads, first, sizes.queries,
                                sizes.results);
  const Matrix<const Element> o(out, of_out, stack, sizes.heads, first, sizes.queries,
                                sizes.results);
  prepare(memory, g, o, logs + stack * sizes.queries + first, x, y);
  const bool causal = sizes.causal && g_mask == nullptr;  // whose gradient has all elements
  const long long end = causal && first + TILE < sizes.keys ? first + TILE : sizes.keys;
  for (long long start = 0; start < end; start += TILE) {
    const Matrix<const Element> k(key, of_key, shared, sharing, start, sizes.keys, sizes.features);
    const Matrix<const Element> v(value, of_value, shared, sharing, start, sizes.keys,
                                  sizes.results);
    products(weights, q, k, memory, x, y);
    products(moved, g, v, memory, x, y);
    slopes(weights, moved, first, start, stack, false, mask, of_mask, memory, x, y, sizes);
    if (g_mask != nullptr && column == 0)
      for (int i = 0; i < EACH; ++i)
        for (int j = 0; j < EACH; ++j) {
          const long long row = first + y + 16 * i, place = start + x + 16 * j;
          if (row < sizes.queries && place < sizes.keys)
            g_mask[(stack * sizes.queries + row) * sizes.keys + place] = moved[i][j];
        }
    keep(memory, moved, Value(sizes.scale), x, y);
    add_rows(sums, k, column, memory, x, y);
  }
  const Matrix<Element> of_q(g_query, of_g_query, stack, sizes.heads, first, sizes.queries,
                             sizes.features);
  write(of_q, sums, column, x, y);
}
"""
_MASKED = {
    "none": "score",
    "bool": "mask[query * place.row + key * place.column] ? score : -Value(CUDART_INF)",
    "number": "score + Value(mask[query * place.row + key * place.column])",
}
_KEPT = """gpugrad_happens(sizes.seed_of(), sizes.first() + (unsigned long long)(
      (stack * sizes.queries + query) * sizes.keys + key), sizes.chance)
      ? Value(sizes.kept) : Value(0)"""


class Kind(NamedTuple):
    """What the text of a kernel depends on."""

    element: DType
    mask: DType | None
    each: int
    width: int
    dropout: bool


@cache
def raw(kind: Kind, gradient: bool) -> cupy.RawKernel:
    """Return the kernel of attention, or of its gradients."""
    masked = "none" if kind.mask is None else "bool" if kind.mask.kind == "b" else "number"
    value = accumulation(kind.element)
    words = {
        "EACH": str(kind.each),
        "WIDTH": str(kind.width),
        "MASKED": _MASKED[masked],
        "KEPT": _KEPT if kind.dropout else "Value(1)",
        "NONE": "false" if kind.mask is None else "sum[i] == Value(0)",
    }
    text = file("attention.cuh") + (_BACKWARD if gradient else _FORWARD)
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    types = {"Element": kind.element, "Value": value, "Mask": kind.mask or kind.element}
    lines = "".join(f"using {name} = {c_type(d)};\n" for name, d in types.items())
    name = f"gpugrad_attention{'_gradient' * gradient}"
    draws = philox.PREAMBLE if kind.dropout else ""
    return cupy.RawKernel(f"{HEADER}{draws}{lines}{text}", name)


_PLACE = np.dtype([(name, np.int64) for name in ("outer", "head", "row", "column")])
_SIZES = np.dtype(
    [(name, np.int64) for name in ("heads", "group", "queries", "keys", "features", "results")]
    + [("scale", np.float64), ("causal", np.int64), ("kept", np.float64), ("chance", np.float64)]
    + [(name, np.uint64) for name in ("seed", "count", "there")]
)


def _places(array: Array) -> list[Any]:
    """Return an array, and by how much each index of its element steps, for a kernel.

    It is copied where the dimensions before the heads' are not one.
    """
    lead = [(n, s) for n, s in zip(array.shape[:-3], array.strides, strict=False) if n != 1]
    if any(s != n * t for (_, s), (n, t) in itertools.pairwise(lead)):
        launches.add(1)
        array = cupy.ascontiguousarray(array)
        lead = [(1, array.strides[-4])]
    steps = (lead[-1][1] if lead else 0, *(0,) * (3 - array.ndim), *array.strides[-3:])
    return [array, np.array(tuple([s // array.itemsize for s in steps]), _PLACE)]


def _like(array: Array) -> Array:
    """Return a new array of the same shape that lies in memory likewise."""
    return layout.empty(array.shape, array.dtype, layout.order(layout.signatures([array])))


class _Call:
    """What both kernels need to know of their operands."""

    def __init__(
        self,
        query: Array,
        key: Array,
        value: Array,
        mask: Array | None,
        scale: float,
        causal: bool,
        dropout: float,
        drawn: tuple[int, int, int],
    ):
        heads, shared = (math.prod(a.shape[-3:-2]) for a in (query, key))
        queries, features = query.shape[-2:]
        keys, results = value.shape[-2:]
        self.stacks, self.shared = (math.prod(a.shape[:-2]) for a in (query, key))
        kept = 1 - dropout
        chance = kept if kept < 2**-16 else float(np.float32(kept))
        self.sizes = np.array(
            (heads, heads // shared, queries, keys, features, results, scale, causal,
             1 / kept, chance, *drawn), _SIZES,
        )  # fmt: skip
        most = 4 if accumulation(query.dtype).itemsize < 8 else 2
        each = 1
        while each < most and SIDE * each < max(queries, keys):
            each *= 2
        self.columns = max(features, results)
        width = SIDE
        while width < min(self.columns, _WIDEST):
            width *= 2
        tile = SIDE * each
        self.query_tiles, self.key_tiles = -(-queries // tile), -(-keys // tile)
        kind = None if mask is None else mask.dtype
        self.kind = Kind(query.dtype, kind, each, width, dropout > 0)
        self.operands = [*_places(query), *_places(key), *_places(value)]
        if mask is None:
            self.mask = [np.uint64(0), np.array((0, 0, 0, 0), _PLACE)]
        else:
            self.mask = _places(cupy.broadcast_to(mask, (*query.shape[:-1], keys)))

    def launch(self, gradient: bool, blocks: int, columns: int, arguments: list[Any]) -> None:
        """Launch a kernel whose blocks have so many columns together."""
        launches.add(1)
        grid = (blocks, -(-columns // self.kind.width))
        raw(self.kind, gradient)(grid, (THREADS,), tuple(arguments))


def attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    scale: float,
    causal: bool,
    dropout: float = 0.0,
    drawn: tuple[int, int, int] = (0, 0, 0),
) -> tuple[Array, Array]:
    """Return the values, each query's own means of them, and logarithms of sums of weights.

    The operands have the same dimensions before their last two, but that several neighbouring
    heads of queries may share one of keys and values.  ``drawn`` is where the random numbers of
    weights begin (:class:`gpugrad.kernels.philox.Drawn`).  Results lie in memory as queries do.
    """
    call = _Call(query, key, value, mask, scale, causal, dropout, drawn)
    order = layout.order(layout.signatures([query]))
    out = layout.empty((*query.shape[:-1], value.shape[-1]), query.dtype, order)
    logs = cupy.empty(query.shape[:-1], accumulation(query.dtype))
    arguments = [*call.operands, *call.mask, *_places(out), logs, call.sizes]
    blocks = call.stacks * call.query_tiles
    call.launch(False, blocks, out.shape[-1], [*arguments, np.int64(call.query_tiles)])
    return out, logs


def attention_gradient(
    g: Array,
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    out: Array,
    logs: Array,
    scale: float,
    causal: bool,
    of_mask: bool,
    dropout: float = 0.0,
    drawn: tuple[int, int, int] = (0, 0, 0),
) -> tuple[Array, Array, Array, Array | None]:
    """Return the gradients of queries, keys and values, and those of all scores or ``None``."""
    call = _Call(query, key, value, mask, scale, causal, dropout, drawn)
    found = [_like(a) for a in (query, key, value)]
    scores = cupy.empty((*logs.shape, key.shape[-2]), logs.dtype) if of_mask else None
    arguments = [*_places(g), *call.operands, *call.mask, *_places(out), logs]
    for array in found:
        arguments += _places(array)
    key_blocks = call.shared * call.key_tiles
    arguments += [np.uint64(0) if scores is None else scores, call.sizes]
    arguments += map(np.int64, (call.query_tiles, call.key_tiles, key_blocks))
    blocks = key_blocks + call.stacks * call.query_tiles
    call.launch(True, blocks, call.columns, arguments)
    return found[0], found[1], found[2], scores
