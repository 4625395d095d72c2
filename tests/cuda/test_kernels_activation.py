"""The activation kernels, with and without a bias, against deepkit's own functions in float64."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit import activations, ops

from .launching import DTYPES, ORDERS_HERE, blank, close, columns, elements, needs_emulator, run

pytestmark = needs_emulator

FUNCTIONS = {
    "linear": lambda x: x, "relu": ops.relu, "relu6": ops.relu6, "leaky_relu": lambda x: ops.leaky_relu(x, 0.3),
    "elu": lambda x: ops.elu(x, 0.3), "selu": ops.selu, "sigmoid": ops.sigmoid, "tanh": ops.tanh,
    "exponential": activations.exponential, "softplus": ops.softplus, "softsign": ops.softsign,
    "hard_sigmoid": ops.hard_sigmoid, "hard_silu": ops.hard_silu, "silu": ops.silu,
    "gelu": lambda x: ops.gelu(x, approximate=False), "gelu_tanh": ops.gelu, "mish": activations.mish,
}  # fmt: skip
FROM_INPUT = {"hard_silu", "silu", "gelu", "gelu_tanh", "mish"}
ALPHA = 0.3


def value(name, x):
    return ops.convert_to_numpy(FUNCTIONS[name](ops.convert_to_tensor(x.astype(np.float64))))


def slope(name, x):
    """By central differences; no x is within a step of a corner."""
    step, x = 1e-6, x.astype(np.float64)
    return (value(name, x + step) - value(name, x - step)) / (2 * step)


def inputs(n, dtype, seed=0):
    """Normal numbers, none near a corner: there the slope depends on how y is rounded."""
    x = np.random.default_rng(seed).standard_normal(n) * 3
    for corner in (-3, 0, 3, 6):
        x[np.abs(x - corner) < 0.1] = 1
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_and_slope(name, dtype):
    x = inputs(203, dtype)
    y, gx, g = blank(x.shape, x.dtype), blank(x.shape, x.dtype), inputs(203, dtype, 1)
    run("activation", name, elements(x.size), x, y, x.size, ALPHA)
    close(y, value(name, x))
    kept = x if name in FROM_INPUT else y
    run("activation", f"{name}_grad", elements(x.size), g, kept, gx, x.size, ALPHA)
    # Where the slope comes from a rounded y its error is that of y, times g.
    close(gx, g.astype(np.float64) * slope(name, x), scale=1e5 if dtype == np.float64 else 10)


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("start, n", [(0, 256), (1, 250), (0, 3), (2, 0)])
def test_alignment_and_in_place(order, start, n):
    x = inputs(n + start, np.float32)
    expected, tail = value("tanh", x[start:]), x[:start].copy()
    run("activation", "tanh", elements(n), x[start:], x[start:], n, 0.0, order=order)
    close(x[start:], expected)
    np.testing.assert_array_equal(x[:start], tail)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_edges(name):
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 100, -100, 1e-30], np.float32)
    y = blank(x.shape, x.dtype)
    run("activation", name, elements(8), x, y, 8, ALPHA)
    with np.errstate(all="ignore"):
        expected = value(name, x)
    assert np.isnan(y[0])
    if name not in ("softsign", "mish", "silu", "hard_silu", "gelu", "gelu_tanh"):  # inf times 0, as everywhere
        np.testing.assert_allclose(y[1:3], expected[1:3])
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(y[3:], expected[3:].astype(np.float32), rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ["relu", "gelu"])
@pytest.mark.parametrize("shape, parts", [((37, 45), 3), ((1, 1), 1), ((0, 7), 1)])
def test_with_bias(name, dtype, order, shape, parts):
    check_with_bias(name, dtype, order, shape, parts)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_one_with_bias(name, dtype):
    check_with_bias(name, dtype, "forward", (9, 34), 2)


def check_with_bias(name, dtype, order, shape, parts):
    m, n = shape
    b, g = inputs(n, dtype, 1), inputs(shape, dtype, 2)
    x = (inputs(shape, np.float64) - b.astype(np.float64)).astype(dtype)
    z = x.astype(np.float64) + b.astype(np.float64)
    y, kept = x.copy(), x
    run("bias_act", f"bias_{name}", columns(n, parts), y, b, y, m, n, ALPHA, order=order)
    close(y, value(name, z))
    sums = np.float64 if dtype == np.float64 else np.float32
    partial, gb, gx = np.full((parts, n), np.nan, sums), blank(n, dtype), blank(x.shape, x.dtype)
    if name not in FROM_INPUT:
        kept = y
    run("bias_act", f"bias_{name}_grad", columns(n, parts), g, kept, b, gx, partial, m, n, ALPHA, order=order)
    run("reduce", "column_sum_last", columns(n), partial, gb, parts, n, 1.0, order=order, dtype=dtype)
    expected = g.astype(np.float64) * slope(name, z)
    scale = 1e5 if dtype == np.float64 else 10
    close(gx, expected, scale)
    close(gb, expected.sum(0), scale * 10)


def test_without_bias_or_its_gradient():
    x, g = inputs((9, 40), np.float32), inputs((9, 40), np.float32, 1)
    y, gx = blank(x.shape, x.dtype), blank(x.shape, x.dtype)
    run("bias_act", "bias_silu", columns(40, 2), x, None, y, 9, 40, 0.0)
    close(y, value("silu", x))
    run("bias_act", "bias_silu_grad", columns(40, 2), g, x, None, gx, None, 9, 40, 0.0)
    close(gx, g * slope("silu", x), 10)
