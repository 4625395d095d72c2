"""The kernels between attention's products, against the same sums in float64."""

from __future__ import annotations

import numpy as np
import pytest

from .launching import blank, close, needs_emulator, rows, run

pytestmark = needs_emulator

ITEMS, HEADS, QUERIES = 2, 3, 5
SCALE = 0.7


def weights_of(x, bias, mask, causal):
    """The weights in float64, and where scores are hidden."""
    s = x.astype(np.float64) * SCALE + (0 if bias is None else bias.astype(np.float64))
    hidden = np.zeros(s.shape, bool) if mask is None else ~np.broadcast_to(mask, s.shape)
    if causal:
        hidden |= np.arange(s.shape[-1]) > np.arange(QUERIES)[:, None]
    s = np.where(hidden, -1e30, s)
    top = s.max(-1, keepdims=True)
    e = np.exp(s - top)
    return e / e.sum(-1, keepdims=True), hidden


def steps_of(shape):
    """The distance of elements along four axes, 0 where there is one."""
    strides = np.cumprod((1, *shape[:0:-1]))[::-1]
    return [0 if n == 1 else int(step) for n, step in zip(shape, strides)]


def piece_of(a, start, heads, first, count):
    """The queries of some heads in a row."""
    return np.ascontiguousarray(a.reshape(ITEMS * HEADS, QUERIES, -1)[start : start + heads, first : first + count])


@pytest.mark.parametrize("keys", [1, 6, 70])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("bias, mask", [(None, None), ((1, HEADS, 1, -1), (ITEMS, 1, 1, -1)),
                                        ((ITEMS, HEADS, QUERIES, -1), (1, 1, QUERIES, -1))], ids=str)  # fmt: skip
def test_weights_there_and_back(bias, mask, causal, keys, dtype, order):
    rng, sums = np.random.default_rng(0), np.dtype(np.float64 if dtype == np.float64 else np.float32)
    full = (ITEMS, HEADS, QUERIES, keys)
    x, dp = rng.standard_normal((2, *full)).astype(sums)
    bias = None if bias is None else rng.standard_normal((*bias[:3], keys)).astype(dtype)
    mask = None if mask is None else rng.random((*mask[:3], keys)) < 0.7
    steps = [step for a in (bias, mask) for step in ([0] * 4 if a is None else steps_of(a.shape))]
    weights, hidden = weights_of(x, bias, mask, causal)
    slopes = np.where(hidden, 0, weights * (dp - (weights * dp).sum(-1, keepdims=True)))
    shape = (ITEMS * HEADS, QUERIES)
    top, total, ds_bias = blank(shape, sums), blank(shape, sums), blank((*shape, keys), sums)
    pieces = [(0, 4, 0, QUERIES), (4, 1, 0, 3), (4, 1, 3, 2), (5, 1, 0, QUERIES)]
    for i, (start, heads, first, count) in enumerate(pieces):
        part, part_dp = (piece_of(a, start, heads, first, count) for a in (x, dp))
        wide, aliased = part.copy(), i == 0 and dtype == sums
        where = (heads * count, keys, HEADS, QUERIES, start, first, count, *steps, SCALE, int(causal))
        p = part if aliased else blank(part.shape, dtype)
        run("attention", "attention_weights", rows(heads * count, keys), part, bias, mask, p, top, total, *where,
            order=order, dtype=dtype)  # fmt: skip
        close(p, piece_of(weights, start, heads, first, count), 5)
        ds = part_dp if aliased else blank(part.shape, dtype)
        run("attention", "attention_weights_grad", rows(heads * count, keys), wide, part_dp, bias, mask, top, total, p,
            ds, ds_bias, *where, order=order, dtype=dtype)  # fmt: skip
        close(p, piece_of(weights, start, heads, first, count), 5)
        close(ds, piece_of(slopes, start, heads, first, count) * SCALE, 10)
    close(ds_bias, slopes.reshape(ds_bias.shape), 10)
