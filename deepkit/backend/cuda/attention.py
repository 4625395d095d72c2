"""Scaled dot-product attention on the device: batched matrix products, and one kernel between them.

The scores of as many heads and queries as fit :data:`PIECE` are made at once, so that memory stays linear in the
lengths; each query's largest score and normalizer are kept, with which the way back makes the weights again (Dao et al.
2022, FlashAttention, arXiv:2205.14135). Of 16-bit arrays the scores are float32 and the weights 16-bit; products sum in
float32. Arrays are (batch, length, heads, size); inside, heads come before lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

import cupy
from cupy import ndarray

from .derived import derived
from .gemm import product
from .loader import function, is_float, launch_rows, sum_type

__all__ = ["attention", "attention_grad"]

#: Scores made at once: 32 Mi numbers are 128 MiB of float32.
PIECE = 1 << 25


def _heads_first(x: ndarray) -> ndarray:
    """(batch, length, heads, size) to contiguous (batch · heads, length, size)."""
    b, t, h, d = x.shape
    return cupy.ascontiguousarray(x.transpose(0, 2, 1, 3)).reshape(b * h, t, d)


def _heads_last(x: ndarray, heads: int, dtype: Any) -> ndarray:
    n, t, d = x.shape
    x = cupy.ascontiguousarray(x.reshape(n // heads, heads, t, d).transpose(0, 2, 1, 3))
    return x.astype(dtype, copy=False)


def _pieces(n: int, queries: int, keys: int) -> Iterator[tuple[slice, slice]]:
    """Heads and queries that are done together: several heads, or some queries of one."""
    rows = max(1, min(queries, PIECE // keys))
    together = max(1, PIECE // (rows * keys)) if rows == queries else 1
    for start in range(0, n, together):
        for first in range(0, queries, rows):
            yield slice(start, min(start + together, n)), slice(first, min(first + rows, queries))


def _steps(a: ndarray | None) -> tuple[ndarray | None, tuple[int, ...]]:
    """An array that is broadcast to four axes, without repetitions in memory, and its elements' distance along each."""
    if a is None:
        return None, (0, 0, 0, 0)
    once = tuple(slice(0, 1) if step == 0 else slice(None) for step in a.strides)
    a = cupy.ascontiguousarray(a[once])
    steps = [0 if n == 1 else step // a.itemsize for n, step in zip(a.shape, a.strides)]
    return a, (*(0,) * (4 - a.ndim), *steps)


@dataclass
class _Scores:
    """Queries and keys, heads first, and what makes scores of their products."""

    q: ndarray
    k: ndarray
    bias: ndarray | None
    mask: ndarray | None
    steps: tuple[int, ...]
    scale: float
    causal: bool
    heads: int

    @property
    def sums(self) -> Any:
        """The dtype of scores."""
        return sum_type(self.q.dtype)

    def keys(self, rows: slice) -> slice:
        """Keys that some of these queries see; all of them where a query may see none, which then weighs all alike."""
        keys, part = self.k.shape[1], rows.stop - rows.start < self.q.shape[1]
        return slice(0, min(rows.stop, keys) if part and self.causal and self.mask is None else keys)

    def products(self, group: slice, rows: slice, keys: slice) -> ndarray:
        """q kᵀ of a piece."""
        q, k = self.q[group, rows], self.k[group, keys]
        return product(q, k.transpose(0, 2, 1), cupy.empty((*q.shape[:2], k.shape[1]), self.sums))

    def launch(self, name: str, group: slice, rows: slice, x: ndarray, *arrays: Any) -> None:
        """Run a kernel over the rows of a piece."""
        (some, count, keys), queries = x.shape, self.q.shape[1]
        launch_rows(function("attention", name, self.q.dtype), some * count, keys, x, *arrays, some * count, keys,
                    self.heads, queries, group.start, rows.start, count, *self.steps, float(self.scale),
                    int(self.causal))  # fmt: skip

    def for_products(self, x: ndarray) -> ndarray:
        """An array like ``x`` in the dtype of products: of the wide dtypes, ``x`` itself."""
        return x if x.dtype == self.q.dtype else cupy.empty(x.shape, self.q.dtype)


@dataclass
class _Saved:
    scores: _Scores
    v: ndarray
    top: ndarray
    total: ndarray
    bias_shape: tuple[int, ...] | None


def attention(
    q: ndarray, k: ndarray, v: ndarray, bias: ndarray | None, mask: ndarray | None, scale: float, causal: bool
) -> tuple[ndarray, Any]:
    """softmax(scale · q kᵀ + bias) v, only where ``mask`` holds and, if ``causal``, not looking ahead.

    Args:
        q: Queries (batch, T, heads, size).
        k: Keys (batch, S, heads, size).
        v: Values (batch, S, heads, value size).
        bias: Broadcast to (batch, heads, T, S), or ``None``.
        mask: Boolean, likewise.
        scale: Factor of the products.
        causal: Whether position t sees only positions up to t.

    Returns:
        (batch, T, heads, value size), and what the gradient needs.
    """
    if not is_float(q, k, v, bias) or not (q.size and k.size and v.size):
        return derived("attention").attention(q, k, v, bias, mask, scale, causal)
    (bias_once, bias_steps), (mask_once, mask_steps) = _steps(bias), _steps(mask)
    heads, vs, steps = q.shape[2], _heads_first(v), bias_steps + mask_steps
    scores = _Scores(_heads_first(q), _heads_first(k), bias_once, mask_once, steps, scale, causal, heads)
    n, queries, keys = scores.q.shape[0], scores.q.shape[1], vs.shape[1]
    out = cupy.empty((n, queries, vs.shape[2]), q.dtype)
    top, total = cupy.empty((n, queries), scores.sums), cupy.empty((n, queries), scores.sums)
    for group, rows in _pieces(n, queries, keys):
        seen = scores.keys(rows)
        x = scores.products(group, rows, seen)
        p = scores.for_products(x)
        scores.launch("attention_weights", group, rows, x, scores.bias, scores.mask, p, top, total)
        product(p, vs[group, seen], out[group, rows])
    return _heads_last(out, heads, q.dtype), _Saved(scores, vs, top, total, None if bias is None else bias.shape)


def attention_grad(saved: Any, g: ndarray, needs: Any) -> tuple[Any, Any, Any, Any]:
    """Gradients of :func:`attention` for q, k, v and the bias; the scores are made again."""
    if not isinstance(saved, _Saved):
        return derived("attention").attention_grad(saved, g, needs)
    scores, v = saved.scores, saved.v
    q, k, dtype = scores.q, scores.k, scores.q.dtype
    gs = _heads_first(g.astype(dtype, copy=False))
    n, queries, keys = q.shape[0], q.shape[1], k.shape[1]
    bias_grad = None
    if saved.bias_shape is not None and needs[3] is not False:
        bias_grad = cupy.empty((n, queries, keys), scores.sums)
    gq, gk, gv = cupy.empty(q.shape, dtype), None, None
    for group, rows in _pieces(n, queries, keys):
        seen = scores.keys(rows) if bias_grad is None else slice(0, keys)
        x, part = scores.products(group, rows, seen), gs[group, rows]
        dp = product(part, v[group, seen].transpose(0, 2, 1), cupy.empty(x.shape, x.dtype))
        p, ds = scores.for_products(x), scores.for_products(dp)
        scores.launch("attention_weights_grad", group, rows, x, dp, scores.bias, scores.mask, saved.top, saved.total, p,
                      ds, bias_grad)  # fmt: skip
        product(ds, k[group, seen], gq[group, rows])
        gv = _collect(gv, p, part, v, group, rows, queries)
        gk = _collect(gk, ds, q[group, rows], k, group, rows, queries)
    g_bias = None
    if bias_grad is not None:
        full = bias_grad.reshape(n // scores.heads, scores.heads, queries, keys)
        g_bias = derived("attention")._unbroadcast(full, saved.bias_shape).astype(dtype, copy=False)
    return *(_heads_last(x, scores.heads, dtype) for x in (gq, gk, gv)), g_bias


def _collect(
    sums: ndarray | None, weights: ndarray, x: ndarray, like: ndarray, group: slice, rows: slice, queries: int
) -> ndarray:
    """``weights``ᵀ x of a piece into the gradient of keys or values; sums over pieces are wide."""
    turned, whole = weights.transpose(0, 2, 1), rows.stop - rows.start == queries
    if sums is None:
        sums = cupy.empty(like.shape, like.dtype) if whole else cupy.zeros(like.shape, sum_type(like.dtype))
    if whole:
        product(turned, x, sums[group])
    else:
        keys = turned.shape[1]
        sums[group, :keys] += product(turned, x, cupy.empty((1, keys, like.shape[2]), sums.dtype))
    return sums
