"""Attention on the device against deepkit's for the CPU in float64: whole, in pieces, masked, and in a graph."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend import cpu

TOLERANCE = {"float64": 1e-12, "float32": 2e-5, "float16": 6e-3, "bfloat16": 5e-2}
BATCH, HEADS = 2, 3
FULL = (BATCH, HEADS, 7, 9)


@pytest.fixture
def cp(gpu):
    import cupy

    return cupy


def dtype_of(name):
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def case(dtype, bias=None, mask=None, size=5, value=4):
    rng = np.random.default_rng(0)
    shapes = [(BATCH, 7, HEADS, size), (BATCH, 9, HEADS, size), (BATCH, 9, HEADS, value), (BATCH, 7, HEADS, value)]
    q, k, v, g = (rng.standard_normal(s).astype(dtype) for s in shapes)
    bias = None if bias is None else rng.standard_normal(bias).astype(dtype)
    mask = None if mask is None else rng.random(mask) < 0.6
    return q, k, v, bias, mask, g


def check(cp, dtype, case, causal=False, scale=0.4):
    from deepkit.backend.cuda.attention import attention, attention_grad

    *arrays, mask, g = case
    wide = [None if a is None else a.astype("float64") for a in arrays]
    expected, saved = cpu.attention(*wide, mask, scale, causal)
    gradients = cpu.attention_grad(saved, g.astype("float64"), (True,) * 5)
    there = [None if a is None else cp.asarray(a) for a in arrays]
    found, saved = attention(*there, None if mask is None else cp.asarray(mask), scale, causal)
    back = attention_grad(saved, cp.asarray(g), (True,) * 5)
    for ours, theirs in zip([found, *back], [expected, *gradients]):
        if theirs is None:
            assert ours is None
            continue
        assert ours.dtype == dtype and ours.shape == theirs.shape
        tolerance = TOLERANCE[dtype.name]
        np.testing.assert_allclose(ours.get().astype("float64"), theirs, rtol=tolerance, atol=4 * tolerance)


@pytest.mark.parametrize("name", TOLERANCE)
@pytest.mark.parametrize("piece", [1 << 25, 63, 20, 1], ids=["whole", "by head", "by query", "one query"])
def test_pieces(cp, monkeypatch, piece, name):
    from deepkit.backend.cuda import attention

    monkeypatch.setattr(attention, "PIECE", piece)
    dtype = dtype_of(name)
    check(cp, dtype, case(dtype, FULL, FULL), causal=True)
    check(cp, dtype, case(dtype, FULL), causal=True)
    check(cp, dtype, case(dtype), causal=True)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("bias", [None, FULL, (7, 9), (1, HEADS, 1, 9), (BATCH, 1, 7, 1), ()], ids=str)
@pytest.mark.parametrize("mask", [None, (9,), (BATCH, 1, 1, 9), (7, 1)], ids=str)
def test_what_is_broadcast(cp, mask, bias, causal):
    dtype = np.dtype("float32")
    check(cp, dtype, case(dtype, bias, mask), causal)


def test_queries_without_a_key_weigh_all_alike_and_pass_no_gradient_on(cp):
    dtype = np.dtype("float32")
    *arrays, _, g = case(dtype, FULL)
    mask = np.ones(FULL, bool)
    mask[:, 1, 2:4] = False
    check(cp, dtype, (*arrays, mask, g))


def test_keys_ahead_of_a_piece_are_left_out(cp, monkeypatch):
    from deepkit.backend.cuda import attention

    sizes = []
    original = attention.product
    monkeypatch.setattr(attention, "product", lambda a, b, out: sizes.append(out.shape) or original(a, b, out))
    monkeypatch.setattr(attention, "PIECE", 18)  # two queries
    q, k, v, *_ = (None if a is None else cp.asarray(a[:1, :, :1]) for a in case(np.dtype("float32")))
    attention.attention(q, k, v, None, None, 1.0, True)
    assert sizes[::2] == [(1, 2, 2), (1, 2, 4), (1, 2, 6), (1, 1, 7)]
    sizes.clear()
    attention.attention(q, k, v, None, cp.ones((7, 9), bool), 1.0, True)
    assert sizes[::2] == [(1, 2, 9)] * 3 + [(1, 1, 9)]


def test_a_repeated_mask_is_not_spread_out(cp):
    from deepkit.backend.cuda.attention import _steps

    row = cp.asarray(np.arange(BATCH * 9).reshape(BATCH, 1, 1, 9) % 4 > 0)
    spread = cp.broadcast_to(row, FULL)
    assert _steps(spread)[0].shape == (BATCH, 1, 1, 9) and _steps(spread)[1] == (9, 0, 0, 1)


@pytest.mark.parametrize("shape", [(0, 7, 9), (2, 0, 9), (2, 7, 0)], ids=str)
def test_nothing_to_attend_to(cp, shape):
    from deepkit.backend.cuda.attention import attention, attention_grad

    batch, queries, keys = shape
    q, k = cp.ones((batch, queries, 2, 3), "float32"), cp.ones((batch, keys, 2, 3), "float32")
    out, saved = attention(q, k, k, None, None, 1.0, False)
    assert out.shape == q.shape
    assert [g.shape for g in attention_grad(saved, out, (True,) * 5)[:3]] == [q.shape, k.shape, k.shape]


@pytest.mark.parametrize("name", ["float32", "float16"])
def test_a_graph_holds_it(cp, name):
    from deepkit.backend.cuda.attention import attention, attention_grad

    *arrays, g = case(np.dtype(name), FULL, FULL)
    there, g = [cp.asarray(a) for a in arrays], cp.asarray(g)

    def step():
        out, saved = attention(*there, 0.5, True)
        return [out, *attention_grad(saved, g, (True,) * 5)]

    eager = [a.get() for a in step()]
    stream, pool = cp.cuda.Stream(non_blocking=True), cp.cuda.MemoryPool()
    with cp.cuda.using_allocator(pool.malloc), stream:
        step()
        stream.begin_capture()
        captured = step()
        graph = stream.end_capture()
        graph.launch(stream)
        stream.synchronize()
    for found, expected in zip(captured, eager):
        np.testing.assert_array_equal(found.get(), expected)
