"""Pooling and im2col against deepkit's kernels for the CPU."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepkit.backend.cpu import pool

from .launching import DTYPES, ORDERS_HERE, blank, close, elements, needs_emulator, run

pytestmark = needs_emulator

# size, window, strides, padding
CASES = [
    ((6, 8), (2, 2), (2, 2), ((0, 0), (0, 0))),
    ((7, 5), (3, 2), (2, 1), ((1, 1), (0, 1))),
    ((5, 6), (2, 3), (3, 4), ((0, 0), (0, 0))),
    ((4, 4), (3, 3), (1, 1), ((1, 1), (1, 1))),
    ((1, 9), (1, 4), (1, 2), ((0, 0), (2, 1))),
]


def image(shape, dtype, seed=0):
    """Few different values, so that windows have several largest elements."""
    return np.random.default_rng(seed).integers(-5, 5, shape).astype(dtype)


def geometry(size, window, strides, padding, c, dilation=(1, 1)):
    out = [(n + lo + hi - (k - 1) * d - 1) // s + 1
           for n, k, s, (lo, hi), d in zip(size, window, strides, padding, dilation)]  # fmt: skip
    return tuple(out), (*size, c, *out, *window, *strides)


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("images, c", [(2, 3), (1, 4), (0, 2)])
@pytest.mark.parametrize("size, window, strides, padding", CASES)
def test_pooling(size, window, strides, padding, images, c, dtype, order):
    out, numbers = geometry(size, window, strides, padding, c)
    numbers = (images, *numbers, padding[0][0], padding[1][0])
    x, gy = image((images, *size, c), dtype), image((images, *out, c), dtype, 1)
    y, gx, index = blank(gy.shape, gy.dtype), blank(x.shape, x.dtype), blank(gy.shape, np.int32)
    wide, wide_g = x.astype(np.float64), gy.astype(np.float64)

    run("pool", "max_pool", elements(y.size), x, y, index, *numbers, order=order)
    top = pool.max_pool(wide, window, strides, padding)
    np.testing.assert_array_equal(y, top.astype(dtype))
    expected = pool.max_pool_grad(wide, top, wide_g, window, strides, padding)
    run("pool", "max_pool_grad", elements(gx.size), x, y, gy, gx, *numbers, order=order)
    np.testing.assert_array_equal(gx.astype(np.float64), expected)
    gx[...] = 99
    run("pool", "max_pool_grad_index", elements(gx.size), gy, index, gx, *numbers, order=order)
    np.testing.assert_array_equal(gx.astype(np.float64), expected)

    run("pool", "avg_pool", elements(y.size), x, y, *numbers, order=order)
    close(y, pool.avg_pool(wide, window, strides, padding))
    run("pool", "avg_pool_grad", elements(gx.size), gy, gx, *numbers, order=order)
    close(gx, pool.avg_pool_grad(wide_g, size, window, strides, padding), 5)


def test_max_of_nan_and_infinity():
    x = np.zeros((1, 2, 4, 1), np.float32)
    x[0, 1, 0], x[0, :, 2:] = np.nan, -np.inf
    y, index = blank((1, 1, 2, 1), np.float32), blank((1, 1, 2, 1), np.int32)
    run("pool", "max_pool", elements(2), x, y, index, 1, 2, 4, 1, 1, 2, 2, 2, 2, 2, 0, 0)
    np.testing.assert_array_equal(y.ravel(), [np.nan, -np.inf])
    np.testing.assert_array_equal(index.ravel(), [4, 2])
    run("pool", "max_pool", elements(2), x, y, None, 1, 2, 4, 1, 1, 2, 2, 2, 2, 2, 0, 0)


def columns_of(x, out, window, strides, dilation, padding):
    """im2col as the definition has it, on a padded copy."""
    padded = np.pad(x, [(0, 0), *padding, (0, 0)])
    places = []
    for i, j in product(range(window[0]), range(window[1])):
        top, left = i * dilation[0], j * dilation[1]
        part = padded[:, top : top + (out[0] - 1) * strides[0] + 1 : strides[0],
                      left : left + (out[1] - 1) * strides[1] + 1 : strides[1]]  # fmt: skip
        places.append(part)
    return np.stack(places, axis=3).reshape(len(x) * out[0] * out[1], -1)


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("images, c", [(2, 3), (1, 8)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
@pytest.mark.parametrize("size, window, strides, padding", [c for c in CASES if c[0] != (4, 4)])
def test_im2col(size, window, strides, padding, dilation, images, c, dtype, order):
    out, numbers = geometry(size, window, strides, padding, c, dilation)
    numbers = (images, *numbers, *dilation, padding[0][0], padding[1][0])
    x = image((images, *size, c), dtype)
    found = blank((images * out[0] * out[1], window[0] * window[1] * c), dtype)
    run("im2col", "im2col", elements(found.size), x, found, *numbers, order=order)
    np.testing.assert_array_equal(found, columns_of(x, out, window, strides, dilation, padding))

    # The transposed map: <im2col(x), g> = <x, col2im(g)> for every x, here for those with a single one.
    g, gx = image(found.shape, dtype, 1), blank(x.shape, x.dtype)
    run("im2col", "col2im", elements(gx.size), g, gx, *numbers, order=order)
    places = np.arange(1, x.size + 1).reshape(x.shape)
    where = columns_of(places, out, window, strides, dilation, padding)
    expected = np.bincount(where.ravel(), g.ravel().astype(np.float64), x.size + 1)[1:]
    np.testing.assert_array_equal(gx.ravel().astype(np.float64), expected)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_geometry(data):
    """Windows of every size, stride and padding: forward, and gradients by their definition."""
    draw = lambda low, high: data.draw(st.integers(low, high))
    size, window, strides = ((draw(1, 6), draw(1, 6)) for _ in range(3))
    padding = tuple((draw(0, k - 1), draw(0, k - 1)) for k in window)
    images, c = draw(1, 2), draw(1, 5)
    if any(n + lo + hi < k for n, (lo, hi), k in zip(size, padding, window)):
        return
    out, numbers = geometry(size, window, strides, padding, c)
    x, gy = image((images, *size, c), np.float64), image((images, *out, c), np.float64, 1)
    shape, low = (images, *numbers), (padding[0][0], padding[1][0])
    empty = pool.avg_pool(np.ones_like(x), window, strides, padding)  # NaN for a window in the padding
    if not np.isfinite(empty).all():
        return
    y, gx = blank(gy.shape, gy.dtype), blank(x.shape, x.dtype)
    run("pool", "max_pool", elements(y.size), x, y, None, *shape, *low)
    np.testing.assert_array_equal(y, pool.max_pool(x, window, strides, padding))
    run("pool", "max_pool_grad", elements(gx.size), x, y, gy, gx, *shape, *low)
    np.testing.assert_allclose(gx, pool.max_pool_grad(x, y, gy, window, strides, padding), atol=1e-12)
    run("pool", "avg_pool", elements(y.size), x, y, *shape, *low)
    np.testing.assert_allclose(y, pool.avg_pool(x, window, strides, padding), atol=1e-12)
    run("pool", "avg_pool_grad", elements(gx.size), gy, gx, *shape, *low)
    np.testing.assert_allclose(gx, pool.avg_pool_grad(gy, size, window, strides, padding), atol=1e-12)
    found = blank((images * out[0] * out[1], window[0] * window[1] * c), x.dtype)
    run("im2col", "im2col", elements(found.size), x, found, *shape, 1, 1, *low)
    np.testing.assert_array_equal(found, columns_of(x, out, window, strides, (1, 1), padding))


def test_im2col_of_an_unaligned_array():
    x = np.arange(1 + 2 * 3 * 4, dtype=np.float32)[1:].reshape(1, 2, 3, 4)
    found = blank((6, 4), np.float32)
    run("im2col", "im2col", elements(24), x, found, 1, 2, 3, 4, 2, 3, 1, 1, 1, 1, 1, 1, 0, 0)
    np.testing.assert_array_equal(found, x.reshape(6, 4))
