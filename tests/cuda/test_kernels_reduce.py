"""The kernels over rows and columns against NumPy and deepkit's kernels for the CPU."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend.cpu import elementwise, loss

from .emulator import EmulatorError
from .launching import blank, close, columns, needs_emulator, rows, run

pytestmark = needs_emulator

SHAPES = [(7, 33), (3, 300), (1, 1), (5, 64), (0, 4), (20, 2)]


def matrix(shape, dtype, seed=0):
    x = np.random.default_rng(seed).standard_normal(shape) * 2
    return x.astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_rows(shape, dtype, order):
    x, (m, n) = matrix(shape, dtype), shape
    y, places, wide = blank(m, dtype), blank(m, np.int64), x.astype(np.float64)
    run("reduce", "row_sum", rows(m, n), x, y, m, n, 1.0, order=order)
    close(y, wide.sum(1), 5)
    run("reduce", "row_sum", rows(m, n), x, y, m, n, 1.0 / n, order=order)
    close(y, wide.mean(1), 5)
    run("reduce", "row_max", rows(m, n), x, y, m, n, order=order)
    np.testing.assert_array_equal(y, wide.max(1).astype(dtype))
    run("reduce", "row_argmax", rows(m, n), x, places, m, n, order=order)
    np.testing.assert_array_equal(places, wide.argmax(1))


@pytest.mark.parametrize("n", [40, 200])
def test_ties_and_nan(n, order):
    x = np.zeros((4, n), np.float32)
    x[0, 7] = x[0, 21] = 1
    x[1] = -np.inf
    x[2, 9] = np.nan
    x[2, 30] = np.inf
    places, top = blank(4, np.int64), blank(4, np.float32)
    run("reduce", "row_argmax", rows(4, n), x, places, 4, n, order=order)
    np.testing.assert_array_equal(places, x.argmax(1))
    run("reduce", "row_max", rows(4, n), x, top, 4, n, order=order)
    np.testing.assert_array_equal(top, x.max(1))


@pytest.mark.parametrize("shape, parts", [((70, 33), 3), ((3, 65), 1), ((2, 5), 4), ((0, 4), 1), ((9, 1), 2)])
def test_columns(shape, parts, dtype, order):
    x, (m, n) = matrix(shape, dtype), shape
    partial, y = blank((parts, n), np.float64 if dtype == np.float64 else np.float32), blank(n, dtype)
    run("reduce", "column_sum", columns(n, parts), x, partial, m, n, order=order)
    run("reduce", "column_sum_last", columns(n), partial, y, parts, n, 0.5, order=order, dtype=dtype)
    close(y, x.astype(np.float64).sum(0) / 2, 5)
    run("reduce", "column_max", columns(n, parts), x, partial, m, n, order=order)
    run("reduce", "column_max_last", columns(n), partial, y, parts, n, order=order, dtype=dtype)
    np.testing.assert_array_equal(y, x.astype(np.float64).max(0, initial=-np.inf).astype(dtype))


@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_whole_numbers(kind, order):
    x = np.random.default_rng(0).integers(-1000, 1000, (6, 100)).astype(kind)
    y, places, partial, total = blank(6, kind), blank(6, np.int64), blank((2, 100), kind), blank(100, kind)
    run("reduce", "row_sum", rows(6, 100), x, y, 6, 100, 1.0, order=order)
    np.testing.assert_array_equal(y, x.sum(1))
    run("reduce", "row_argmax", rows(6, 100), x, places, 6, 100, order=order, dtype=kind)
    np.testing.assert_array_equal(places, x.argmax(1))
    run("reduce", "row_max", rows(6, 100), x, y, 6, 100, order=order)
    np.testing.assert_array_equal(y, x.max(1))
    run("reduce", "column_max", columns(100, 2), x, partial, 6, 100, order=order)
    run("reduce", "column_max_last", columns(100), partial, total, 2, 100, order=order)
    np.testing.assert_array_equal(total, x.max(0))
    run("reduce", "column_sum", columns(100, 2), x, partial, 6, 100, order=order)
    run("reduce", "column_sum_last", columns(100), partial, total, 2, 100, 1.0, order=order)
    np.testing.assert_array_equal(total, x.sum(0))


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax(shape, dtype, order):
    x, g, (m, n) = matrix(shape, dtype), matrix(shape, dtype, 1), shape
    wide, wide_g = x.astype(np.float64), g.astype(np.float64)
    y, gx = blank(x.shape, x.dtype), blank(x.shape, x.dtype)
    for name in ("softmax", "log_softmax"):
        run("softmax", name, rows(m, n), x, y, m, n, order=order)
        close(y, getattr(elementwise, name)(wide))
        run("softmax", f"{name}_grad", rows(m, n), g, y, gx, m, n, order=order)
        close(gx, getattr(elementwise, f"{name}_grad")(wide_g, y.astype(np.float64)), 5)


def test_softmax_of_infinities(order):
    inf = np.inf
    x = np.full((4, 40), -1000, np.float32)
    x[0, 3] = -inf
    x[1] = -inf
    x[1, 38] = 5
    x[2, 2] = np.nan
    x[3] = 1e30
    y = blank(x.shape, x.dtype)
    run("softmax", "softmax", rows(4, 40), x, y, 4, 40, order=order)
    np.testing.assert_allclose(y, elementwise.softmax(x), rtol=1e-6)


@pytest.mark.parametrize("shape", [s for s in SHAPES if s[0]])
def test_cross_entropy(shape, dtype, order):
    x, g, (m, n) = matrix(shape, dtype), matrix(shape[0], dtype, 1), shape
    wide, wide_g = x.astype(np.float64), g.astype(np.float64)
    labels = np.random.default_rng(2).integers(0, n, m)
    losses, p, gx = blank(m, dtype), blank(x.shape, x.dtype), blank(x.shape, x.dtype)

    expected, saved = loss.cross_entropy(labels, wide, True, True, 1e-7)
    run("softmax", "cross_entropy_sparse", rows(m, n), x, labels.astype(np.int32), losses, p, m, n, order=order)
    close(losses, expected)
    close(p, saved)
    run("softmax", "cross_entropy_sparse_grad", rows(m, n), p, labels.astype(np.int32), g, gx, m, n, order=order)
    close(gx, loss.cross_entropy_grad(labels, saved.copy(), wide_g, True, True, 1e-7), 3)

    targets = np.abs(matrix(shape, dtype, 3))
    expected, saved = loss.cross_entropy(targets.astype(np.float64), wide, True, False, 1e-7)
    run("softmax", "cross_entropy_dense", rows(m, n), x, targets, losses, p, m, n, order=order)
    close(losses, expected, 3)
    run("softmax", "cross_entropy_dense_grad", rows(m, n), p, targets, g, gx, m, n, order=order)
    expected = loss.cross_entropy_grad(targets.astype(np.float64), saved, wide_g, True, False, 1e-7)
    close(gx / n, expected / n, 10)


def test_a_label_out_of_range_gives_nan():
    x, labels = np.zeros((3, 4), np.float32), np.array([0, 4, -1], np.int32)
    losses, p = blank(3, np.float32), blank(x.shape, x.dtype)
    run("softmax", "cross_entropy_sparse", rows(3, 4), x, labels, losses, p, 3, 4)
    np.testing.assert_array_equal(np.isnan(losses), [False, True, True])


@pytest.mark.parametrize("name, shape", [
    ("row_sum", ((1,), (64, 2))), ("row_sum", ((1,), (48,))), ("row_sum", ((1, 2), (32, 4))),
    ("column_sum", ((1, 1), (64, 8))), ("column_sum", ((1, 1), (32, 4))),
])  # fmt: skip
def test_a_launch_of_another_shape_is_an_error(name, shape):
    x, y = np.zeros((2, 4), np.float32), np.zeros(8, np.float32)
    numbers = (2, 4, 1.0) if name == "row_sum" else (2, 4)
    with pytest.raises(EmulatorError, match="assertion failed: .*blockDim"):
        run("reduce", name, shape, x, y, *numbers)
