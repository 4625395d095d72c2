"""Layer and batch normalization against deepkit's kernels for the CPU, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend.cpu import norm

from .launching import blank, close, columns, elements, needs_emulator, rows, run

pytestmark = needs_emulator

EPSILON = 1e-3
NEEDS = (True, True, True)


def arrays(shape, dtype, affine):
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal((2, *shape)) * 2 + 1).astype(dtype)
    gamma, beta = (rng.standard_normal((2, shape[1])) + 1.5).astype(dtype) if affine else (None, None)
    return x, g, gamma, beta


def wide(*values):
    return [None if v is None else v.astype(np.float64) for v in values]


def sums_of(dtype):
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def before(name, g, y):
    return g * (y > 0) if name == "relu" else g


def total(partial, dtype, order):
    out = blank(partial.shape[1], dtype)
    run("reduce", "column_sum_last", columns(out.size), partial, out, *partial.shape, 1.0, order=order, dtype=dtype)
    return out


@pytest.mark.parametrize("name", ["linear", "relu"])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("shape", [(7, 33), (3, 200), (1, 1)])
def test_layer_norm(shape, centre, affine, name, dtype, order):
    (m, n), s = shape, sums_of(dtype)
    x, g, gamma, beta = arrays(shape, dtype, affine)
    y, gx, mean, inverse = blank(x.shape, x.dtype), blank(x.shape, x.dtype), blank(m, s), blank(m, s)
    run("norm", f"layer_norm_{name}", rows(m, n), x, gamma, beta, y, mean, inverse, m, n, EPSILON, int(centre),
        order=order)  # fmt: skip
    x_, g_, gamma_, beta_ = wide(x, g, gamma, beta)
    expected, saved = norm.layer_norm(x_, gamma_, beta_, EPSILON, centre)
    close(y, np.maximum(expected, 0) if name == "relu" else expected, 5)

    run("norm", f"layer_norm_{name}_grad", rows(m, n), g, y, x, mean, inverse, gamma, gx, m, n, int(centre),
        order=order)  # fmt: skip
    partial = blank((2, 2, n), s)
    run("norm", f"layer_norm_{name}_sums", columns(n, 2), g, y, x, mean, inverse, *partial, m, n, order=order)
    results = norm.layer_norm_grad(saved, before(name, g_, y.astype(np.float64)), NEEDS)
    for found, expected in zip([gx, *(total(p, dtype, order) for p in partial)], results):
        close(found, expected, 20)


@pytest.mark.parametrize("name", ["linear", "relu"])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape, parts", [((70, 33), 3), ((5, 2), 4), ((9, 64), 1)])
def test_batch_norm(shape, parts, affine, name, dtype, order):
    (m, n), s = shape, sums_of(dtype)
    x, g, gamma, beta = arrays(shape, dtype, affine)
    partial, (mean, variance, inverse) = blank((2, parts, n), s), blank((3, n), s)
    run("norm", "batch_norm_moments", columns(n, parts), x, *partial, m, n, order=order)
    run("norm", "batch_norm_moments_last", elements(n), *partial, mean, variance, inverse, m, n, parts, EPSILON,
        order=order, dtype=dtype)  # fmt: skip
    y, gx = blank(x.shape, x.dtype), blank(x.shape, x.dtype)
    run("norm", f"batch_norm_{name}", columns(n, parts), x, mean, inverse, gamma, beta, y, m, n, order=order)
    x_, g_, gamma_, beta_ = wide(x, g, gamma, beta)
    expected, expected_mean, expected_variance, saved = norm.batch_norm(x_, gamma_, beta_, EPSILON)
    close(mean, expected_mean)
    close(variance, expected_variance)
    close(y, np.maximum(expected, 0) if name == "relu" else expected, 5)

    run("norm", f"batch_norm_{name}_sums", columns(n, parts), g, y, x, mean, inverse, *partial, m, n, order=order)
    g_gamma, g_beta = (total(p, s, order) for p in partial)
    run("norm", f"batch_norm_{name}_grad", columns(n, parts), g, y, x, mean, inverse, gamma, g_gamma, g_beta, gx, m, n,
        order=order)  # fmt: skip
    results = norm.batch_norm_grad(saved, before(name, g_, y.astype(np.float64)), NEEDS)
    for found, expected in zip([gx, g_gamma, g_beta], results):
        close(found, expected, 20)


def test_moments_of_large_numbers_keep_their_digits(order):
    x = (np.random.default_rng(0).standard_normal((500, 4)) + 3000).astype(np.float32)
    partial, (mean, variance, inverse) = blank((2, 3, 4), np.float32), blank((3, 4), np.float32)
    run("norm", "batch_norm_moments", columns(4, 3), x, *partial, 500, 4, order=order)
    run("norm", "batch_norm_moments_last", elements(4), *partial, mean, variance, inverse, 500, 4, 3, 0.0, order=order)
    np.testing.assert_allclose(mean, x.astype(np.float64).mean(0), rtol=1e-6)
    np.testing.assert_allclose(variance, x.astype(np.float64).var(0), rtol=1e-4)
    np.testing.assert_allclose(inverse, x.astype(np.float64).std(0) ** -1, rtol=1e-4)
