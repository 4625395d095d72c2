"""Scaled dot-product attention in NumPy, in pieces, so that memory stays linear in the lengths.

The scores of a few heads and a block of queries are made, normalized and used while they are in cache; what is kept is
each query's largest score and normalizer, with which the way back makes the same weights again (Dao et al. 2022,
FlashAttention, arXiv:2205.14135). Arrays are (batch, length, heads, size); inside, heads come before lengths.
"""

from __future__ import annotations

from typing import Any, Iterator

import numpy as np
from numpy import ndarray

__all__ = ["attention", "attention_grad"]

#: Scores made at once: 256 Ki numbers are 1 MiB of float32.
PIECE = 1 << 18


def _heads_first(x: ndarray) -> ndarray:
    """(batch, length, heads, size) to contiguous (batch · heads, length, size), 16-bit numbers as float32."""
    b, t, h, d = x.shape
    return np.ascontiguousarray(x.transpose(0, 2, 1, 3), dtype=_wide(x.dtype)).reshape(b * h, t, d)


def _heads_last(x: ndarray, heads: int, dtype: Any) -> ndarray:
    n, t, d = x.shape
    return np.ascontiguousarray(x.reshape(n // heads, heads, t, d).transpose(0, 2, 1, 3), dtype=dtype)


def _wide(dtype: Any) -> Any:
    """BLAS has no 16-bit products, and sums over keys want more digits than bfloat16 has."""
    return np.dtype(np.float32) if dtype.itemsize < 4 else dtype


def _pieces(n: int, queries: int, keys: int) -> Iterator[tuple[slice, slice]]:
    """Heads and queries that are done together."""
    rows = max(1, min(queries, PIECE // max(keys, 1)))
    together = max(1, PIECE // max(rows * keys, 1)) if rows == queries else 1
    for start in range(0, n, together):
        for first in range(0, queries, rows):
            yield slice(start, min(start + together, n)), slice(first, min(first + rows, queries))


class _Scores:
    """The scores scale · q kᵀ + bias of a piece, very low where they are masked."""

    def __init__(self, q: ndarray, k: ndarray, bias: Any, mask: Any, scale: float, causal: bool, heads: int):
        self.q, self.turned = q, k.transpose(0, 2, 1)
        self.scale = q.dtype.type(scale)
        self.causal, self.heads = causal, heads
        self.low = q.dtype.type(np.finfo(q.dtype).min * 0.7)
        full = (q.shape[0] // heads, heads, q.shape[1], k.shape[1])
        self.bias = None if bias is None else np.broadcast_to(bias, full)
        self.mask = None if mask is None else np.broadcast_to(mask, full)

    def _part(self, a: ndarray, group: slice, rows: slice) -> ndarray:
        if group.stop - group.start == 1:
            return a[group.start // self.heads, group.start % self.heads, rows][None]
        picked = np.arange(group.start, group.stop)
        return a[picked // self.heads, picked % self.heads, rows]

    def __call__(self, group: slice, rows: slice) -> ndarray:
        s = np.matmul(self.q[group, rows], self.turned[group])
        s *= self.scale
        if self.bias is not None:
            s += self._part(self.bias, group, rows)
        if self.mask is not None:
            np.copyto(s, self.low, where=~self._part(self.mask, group, rows))
        if self.causal:
            late = np.arange(s.shape[-1]) > np.arange(rows.start, rows.stop)[:, None]
            np.copyto(s, self.low, where=late)
        return s


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
    heads = q.shape[2]
    qs, ks, vs = _heads_first(q), _heads_first(k), _heads_first(v)
    scores = _Scores(qs, ks, bias, mask, scale, causal, heads)
    out = np.empty((*qs.shape[:2], vs.shape[-1]), qs.dtype)
    tops, totals = np.empty((2, *qs.shape[:2], 1), qs.dtype)
    for group, rows in _pieces(qs.shape[0], qs.shape[1], ks.shape[1]):
        p = scores(group, rows)
        top = np.maximum.reduce(p, axis=-1, keepdims=True, initial=scores.low)
        p -= top
        np.exp(p, out=p)
        total = np.add.reduce(p, axis=-1, keepdims=True)
        part = np.matmul(p, vs[group], out=out[group, rows])
        part /= total
        tops[group, rows], totals[group, rows] = top, total
    return _heads_last(out, heads, q.dtype), (scores, ks, vs, out, tops, totals, bias)


def attention_grad(saved: Any, g: ndarray, needs: Any) -> tuple[Any, Any, Any, Any]:
    """Gradients of :func:`attention` for q, k, v and the bias; the scores are made again."""
    scores, ks, vs, out, tops, totals, bias = saved
    qs, heads, scale = scores.q, scores.heads, scores.scale
    gs = _heads_first(g)
    shared = np.einsum("ntd,ntd->nt", gs, out)[..., None]  # Σ p dp, by the result alone
    gq, gk, gv = np.empty_like(qs), np.zeros_like(ks), np.zeros_like(vs)
    full = (qs.shape[0], qs.shape[1], ks.shape[1])
    want_bias = bias is not None and needs[3] is not False
    g_bias = np.empty(full, qs.dtype) if want_bias else None
    for group, rows in _pieces(*full):
        p = scores(group, rows)
        p -= tops[group, rows]
        np.exp(p, out=p)
        p /= totals[group, rows]
        part = gs[group, rows]
        gv[group] += np.matmul(p.transpose(0, 2, 1), part)
        ds = np.matmul(part, vs[group].transpose(0, 2, 1))
        ds -= shared[group, rows]
        ds *= p
        ds *= tops[group, rows] > scores.low  # a query without a key: its scores were put there
        if g_bias is not None:
            g_bias[group, rows] = ds
        ds *= scale
        np.matmul(ds, ks[group], out=gq[group, rows])
        gk[group] += np.matmul(ds.transpose(0, 2, 1), qs[group, rows])
    if g_bias is not None:
        g_bias = _unbroadcast(g_bias.reshape(full[0] // heads, heads, *full[1:]), bias.shape)
        g_bias = g_bias.astype(bias.dtype, copy=False)
    back = [_heads_last(x, heads, g.dtype) for x in (gq, gk, gv)]
    return back[0], back[1], back[2], g_bias


def _unbroadcast(g: ndarray, shape: tuple[int, ...]) -> ndarray:
    """Sum over the axes along which a bias of ``shape`` was broadcast."""
    axes = tuple(range(g.ndim - len(shape)))
    axes += tuple(
        i + g.ndim - len(shape)
        for i, n in enumerate(shape)
        if n == 1 and g.shape[i + g.ndim - len(shape)] != 1
    )
    return g.sum(axis=axes).reshape(shape)
