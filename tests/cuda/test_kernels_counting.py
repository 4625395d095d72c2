"""Sums of weights above thresholds, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from .launching import DTYPES, ORDERS_HERE, blank, needs_emulator, run

pytestmark = needs_emulator


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("n, parts, threads", [(1, 1, 32), (333, 1, 128), (1000, 3, 64), (2, 4, 32)])
def test_above(n, parts, threads, dtype, order):
    rng = np.random.default_rng(0)
    p, weights = rng.random(n), rng.random((n, 2)).astype(dtype)
    thresholds = np.array([-1.0, 0.1, p[0], 0.7, 2.0])
    if n > 2:
        p[1] = np.nan
    partial = blank((parts, 5, 2), np.float64)
    shape = (5, parts, 2), (threads,)
    run("counting", "above", shape, p, thresholds, weights, partial, n, 2, order=order, dtype=dtype)
    expected = [weights[p > t].astype(np.float64).sum(axis=0) for t in thresholds]
    np.testing.assert_allclose(partial.sum(axis=0), expected, rtol=1e-12)
