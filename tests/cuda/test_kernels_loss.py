"""The loss kernels against deepkit's kernels for the CPU, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend.cpu import loss

from .launching import blank, close, elements, needs_emulator, rows, run

pytestmark = needs_emulator

EPSILON = 2.0**-5  # large enough that clipping happens in every dtype
SHAPES = [(7, 33), (3, 300), (1, 1), (0, 4), (20, 2)]


def numbers(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def probabilities(shape, dtype, seed=0):
    """Positive, with some far larger than others, and not quite summing to 1."""
    return (np.random.default_rng(seed).random(shape) ** 8 * 1.5 + 2.0**-9).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_squared_error(shape, dtype, order):
    m, n = shape
    t, p, g = numbers(shape, dtype), numbers(shape, dtype, 1), numbers(m, dtype, 2)
    losses, d, gx = blank(m, dtype), blank(shape, dtype), blank(shape, dtype)
    run("loss", "squared_error", rows(m, n), t, p, losses, d, m, n, order=order)
    expected, difference = loss.squared_error(t.astype(np.float64), p.astype(np.float64))
    close(losses, expected)
    close(d, difference)
    run("loss", "squared_error_grad", rows(m, n), d, g, gx, m, n, order=order)
    close(gx, loss.squared_error_grad(difference, g.astype(np.float64)), 3)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("shape", [s for s in SHAPES if s[0]])
def test_cross_entropy_of_probabilities(shape, sparse, dtype, order):
    m, n = shape
    p, g, t = probabilities(shape, dtype), numbers(m, dtype, 1), probabilities(shape, dtype, 2)
    wide, wide_g, targets = p.astype(np.float64), g.astype(np.float64), t.astype(np.float64)
    if sparse:
        t = np.random.default_rng(3).integers(0, n, m).astype(np.int32)
        targets = t.astype(np.int64)
    name = "cross_entropy_probability_" + ("sparse" if sparse else "dense")
    losses, gx = blank(m, dtype), blank(shape, dtype)
    total = blank(m, np.float64 if dtype == np.float64 else np.float32)
    run("loss", name, rows(m, n), p, t, losses, total, m, n, EPSILON, order=order)
    expected, saved = loss.cross_entropy(targets, wide, False, sparse, EPSILON)
    close(losses, expected, 3)
    run("loss", f"{name}_grad", rows(m, n), p, t, total, g, gx, m, n, EPSILON, order=order)
    expected = loss.cross_entropy_grad(targets, saved, wide_g, False, sparse, EPSILON)
    scale = max(np.abs(expected).max(), 1)
    close(gx / dtype.type(scale), expected / scale, 3)


def test_a_label_out_of_range():
    p, labels = np.full((3, 4), 0.25, np.float32), np.array([0, 4, -1], np.int32)
    losses, total, gx = blank(3, np.float32), blank(3, np.float32), blank((3, 4), np.float32)
    run("loss", "cross_entropy_probability_sparse", rows(3, 4), p, labels, losses, total, 3, 4, 1e-7)
    np.testing.assert_array_equal(np.isnan(losses), [False, True, True])
    g = np.ones(3, np.float32)
    run("loss", "cross_entropy_probability_sparse_grad", rows(3, 4), p, labels, total, g, gx, 3, 4, 1e-7)
    np.testing.assert_array_equal(gx[1:], 0)


@pytest.mark.parametrize("logit", [True, False])
@pytest.mark.parametrize("n", [0, 1, 333])
def test_binary_cross_entropy(n, logit, dtype, order):
    t, g = (numbers(n, dtype) > 0).astype(dtype), numbers(n, dtype, 1)
    x = numbers(n, dtype, 2) * dtype.type(4) if logit else np.minimum(probabilities(n, dtype, 2), dtype.type(1))
    name = "binary_cross_entropy_" + ("logit" if logit else "probability")
    last = () if logit else (EPSILON,)
    y, gx = blank(n, dtype), blank(n, dtype)
    wide, targets = x.astype(np.float64), t.astype(np.float64)
    run("loss", name, elements(n), t, x, y, n, *last, order=order)
    close(y, loss.binary_cross_entropy(targets, wide, logit, EPSILON))
    run("loss", f"{name}_grad", elements(n), t, x, g, gx, n, *last, order=order)
    expected = loss.binary_cross_entropy_grad(targets, wide, g.astype(np.float64), logit, EPSILON)
    close(gx / dtype.type(16), expected / 16)


def test_extreme_logits():
    x, t = np.float32([1e4, -1e4, 1e30, np.nan]), np.float32([1, 0, 0, 1])
    y = blank(4, np.float32)
    run("loss", "binary_cross_entropy_logit", elements(4), t, x, y, 4)
    np.testing.assert_array_equal(y, np.float32([0, 0, 1e30, np.nan]))
