"""The random kernels: the bits are those of NumPy's Philox."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend.cpu import random

from .launching import DTYPES, ORDERS_HERE, blank, close, elements, module, needs_emulator, run

pytestmark = needs_emulator

KEY, DRAW = 2**63 + 12345, 7
STREAMS = [(KEY, DRAW), (0, 0), (1, 2**32 + 5)]


def signed(number):
    """The 64-bit integer with these bits."""
    return int(np.uint64(number).astype(np.int64))


def launch(name, n, *args, order="forward"):
    whole = lambda a: np.int64(a) if type(a) is int else a
    module("random", order).launch(name, *elements(n), [whole(a) for a in args])


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("key, draw", STREAMS)
@pytest.mark.parametrize("n", [0, 1, 4, 999])
def test_words(key, draw, n, order):
    out = blank(n, np.uint64)
    launch("random_words", n, out, n, signed(key), signed(draw), None, order=order)
    np.testing.assert_array_equal(out, random.random_words(key, draw, n))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("n", [1, 7, 8, 501])
def test_uniform(dtype, n):
    out = blank(n, dtype)
    run("random", "random_uniform", elements(n), out, n, signed(KEY), DRAW, None)
    np.testing.assert_array_equal(out, random.random_uniform(KEY, DRAW, (n,), dtype))


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("n", [1, 2, 13, 800])
def test_normal(dtype, n, order):
    out = blank(n, dtype)
    run("random", "random_normal", elements(n), out, n, signed(KEY), DRAW, None, order=order)
    close(out, random.random_normal(KEY, DRAW, (n,), dtype), 3)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("n", [1, 6, 1000])
def test_truncated_normal(dtype, n):
    out = blank(n, dtype)
    run("random", "random_truncated_normal", elements(n), out, n, signed(KEY), DRAW, None)
    close(out, random.random_truncated_normal(KEY, DRAW, (n,), dtype), 3)


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.99, 1.0])
def test_keep(rate):
    out = blank(1003, bool)
    launch("random_keep", 1003, out, 1003, threshold(rate), signed(KEY), DRAW, None)
    np.testing.assert_array_equal(out, random.random_keep(KEY, DRAW, (1003,), rate))


def test_the_threshold_itself_is_kept():
    bits = random.random_words(1, 0, 4).view(np.uint16)
    out = blank(16, bool)
    launch("random_keep", 16, out, 16, int(bits[5]), 1, 0, None)
    np.testing.assert_array_equal(out, bits >= bits[5])


def threshold(rate):
    return min(round(rate * 65536), 65535)


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("start, n", [(0, 333), (1, 160), (0, 15), (0, 0)])
def test_dropout(dtype, order, start, n):
    x = (np.random.default_rng(0).standard_normal(n + start)).astype(dtype)
    y, keep = blank(x.shape, x.dtype), random.random_keep(KEY, DRAW, (n,), 0.4)
    run("random", "dropout", elements(n), x[start:], y[start:], n, threshold(0.4), 1 / 0.6, signed(KEY), DRAW, None,
        order=order)  # fmt: skip
    expected = np.where(keep, x[start:].astype(np.float64) / 0.6, 0)
    close(y[start:], expected)
    np.testing.assert_array_equal(y[start:] != 0, keep)


def test_a_state_on_the_device():
    state, out = np.array([99, 5], np.uint32), blank(10, np.uint64)
    launch("random_words", 10, out, 10, 1, 2, state)
    np.testing.assert_array_equal(out, random.random_words(99, 7, 10))


def test_dropout_does_not_spread_nan():
    x, y = np.full(64, np.nan, np.float32), blank(64, np.float32)
    run("random", "dropout", elements(64), x, y, 64, threshold(0.5), 2.0, 1, 0, None)
    np.testing.assert_array_equal(np.isnan(y), random.random_keep(1, 0, (64,), 0.5))
