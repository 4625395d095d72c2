"""The optimizer kernels against the rules for NumPy, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend.cpu.optimizer import OPTIMIZER_RULES

from .launching import DTYPES, ORDERS_HERE, blank, close, elements, needs_emulator, rows, run

pytestmark = needs_emulator

LR, STEPS = 0.05, 3
MORE = {"adadelta", "adamax", "nadam", "lion", "ftrl", "schedule_free"}

# kernel, rule, slots, numbers of the rule
RULES = [
    ("momentum", "momentum", 1, (LR, 0.9, False)),
    ("momentum", "momentum", 1, (LR, 0.9, True)),
    ("rmsprop", "rmsprop", 1, (LR, 0.9, 0, 1e-3, False)),
    ("rmsprop_momentum", "rmsprop", 2, (LR, 0.9, 0.5, 1e-3, False)),
    ("rmsprop_centered", "rmsprop", 2, (LR, 0.9, 0, 1e-3, True)),
    ("rmsprop_centered_momentum", "rmsprop", 3, (LR, 0.9, 0.5, 1e-3, True)),
    ("adagrad", "adagrad", 1, (LR, 1e-3)),
    ("sgd", "sgd", 0, (LR,)),
    ("adam", "adam", 2, (LR, 0.9, 0.999, 1e-3)),
    ("amsgrad", "amsgrad", 3, (LR, 0.9, 0.99, 1e-3)),
    ("adadelta", "adadelta", 2, (LR, 0.9, 1e-3)),
    ("adamax", "adamax", 2, (LR, 0.9, 0.99, 1e-3)),
    ("nadam", "nadam", 2, (LR, 0.9, 0.99, 1e-3, 0.8, 0.3, 1.5)),
    ("lion", "lion", 1, (LR, 0.9, 0.99)),
    ("ftrl", "ftrl", 2, (LR, -0.5, 0.01, 0.1, 0.02)),
    ("ftrl", "ftrl", 2, (LR, -0.3, 0.0, 0.0, 0.0)),
    ("schedule_free", "schedule_free", 2, (LR, 0.9, 0.99, 1e-3, 0.7, 0.25)),
]


def arrays(count, n, dtype):
    rng = np.random.default_rng(0)
    w, *slots = (rng.standard_normal((count + 1, n)) / 2).astype(dtype)
    return w, [np.abs(s) * 4 + dtype.type(1) for s in slots]


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kernel, rule, slots, numbers", RULES)
def test_steps(kernel, rule, slots, numbers, dtype, order):
    n = 211
    w, held = arrays(slots, n, dtype)
    if "centered" in kernel:
        held[-1] /= dtype.type(16)  # below the root of the mean square, as it is in truth
    if kernel in ("momentum", "lion", "nadam", "adam", "amsgrad", "adamax"):
        held[0][::2] *= dtype.type(-1)  # means of gradients have signs
    wide, wide_held = w.astype(np.float64), [s.astype(np.float64) for s in held]
    for t in range(1, STEPS + 1):
        g = np.random.default_rng(t).standard_normal(n).astype(dtype)
        now = np.array(numbers, np.float64) * [1 / t, *[1] * (len(numbers) - 1)]  # a rate that falls
        run("optimizer_more" if kernel in MORE else "optimizer", kernel, elements(n), w, g, *held, n, now, order=order)
        scratch = np.empty((2, n))
        OPTIMIZER_RULES[rule](wide, g.astype(np.float64), *wide_held, *scratch, numbers[0] / t, *numbers[1:])
    for found, expected in zip([w, *held], [wide, *wide_held]):
        close(found, expected, 3)


ADAM = np.array([LR, 0.9, 0.999, 1e-7])


@pytest.mark.parametrize("start, n", [(0, 64), (1, 60), (3, 0), (0, 3)])
def test_alignment(start, n):
    w, (m, v) = arrays(2, n + start, np.dtype(np.float32))
    g, before = np.ones(n + start, np.float32), w.copy()
    views = [a[start:] for a in (w, g, m, v)]
    run("optimizer", "adam", elements(n), *views, n, ADAM)
    np.testing.assert_array_equal(w[:start], before[:start])
    assert (w[start:] != before[start:]).all()


def test_one_array_may_be_out_of_line():
    w, (m, v) = arrays(2, 65, np.dtype(np.float32))
    before, g = w[:64].copy(), np.ones(64, np.float32)
    run("optimizer", "adam", elements(64), w[:64], g, m[:64], v[1:], 64, ADAM)
    assert (w[:64] != before).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("n, limit", [(300, 2.0), (300, 1e3), (0, 1.0)])
def test_clipping(dtype, n, limit):
    g = np.random.default_rng(0).standard_normal(n).astype(dtype)
    sums = np.dtype(np.float64 if dtype == np.float64 else np.float32)
    wide, partial, squared = g.astype(np.float64), blank(3, sums), blank(1, sums)
    run("optimizer_more", "squared_norm", ((3,), (64,)), g, partial, n)
    run("reduce", "row_sum", rows(1, 3), partial, squared, 1, 3, 1.0)
    close(squared, np.array([wide @ wide]))
    run("optimizer_more", "clip_by_norm", elements(n), g, n, squared, limit)
    close(g, wide * min(1, limit / max(np.linalg.norm(wide), 1e-9)))
    g[:2] = np.nan
    expected = np.clip(g, -dtype.type(0.5), dtype.type(0.5))
    run("optimizer_more", "clip", elements(n), g, n, 0.5)
    np.testing.assert_array_equal(g.astype(np.float32), expected.astype(np.float32))
