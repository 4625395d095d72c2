"""Sequences of recurrent networks in one launch against deepkit's networks for the CPU, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend.cpu import recurrent

from .launching import DTYPES, ORDERS_HERE, blank, close, needs_emulator, run

pytestmark = needs_emulator

GATES = {"simple": 1, "lstm": 4, "gru": 3}
BATCH, STEPS = 3, 4


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("dtype", [t for t in DTYPES if t != np.float64], ids=str)
@pytest.mark.parametrize("how", ["plain", "masked", "reversed"])
@pytest.mark.parametrize("n", [5, 32, 40])
@pytest.mark.parametrize("name", GATES)
def test_networks(name, n, how, dtype, order):
    gates, width, rng = GATES[name], 32 if n <= 32 else 64, np.random.default_rng(0)
    some = lambda *shape: (rng.standard_normal(shape) * 0.5).astype(dtype)
    empty = lambda *shape: blank(shape, dtype)
    sums = np.dtype(np.float32)
    reverse, valid = how == "reversed", rng.random((BATCH, STEPS)) < 0.6 if how == "masked" else None
    z, u, h = some(BATCH, STEPS, gates * n), some(n, gates * n) / dtype.type(n**0.5), empty(STEPS + 1, BATCH, n)
    h[0] = some(BATCH, n)
    bias, kept, inner = some(3 * n), empty(STEPS, BATCH, gates * n), empty(STEPS, BATCH, n)
    c, hs = empty(*h.shape), empty(BATCH, STEPS, n)
    c[0] = some(BATCH, n)
    wide = lambda *arrays: [a.astype(np.float64) for a in arrays]

    def launch(kernel, *args):
        shape = (2,), (gates * width,)  # two blocks for three sequences
        run("recurrent_whole", f"{kernel}_{width}", shape, BATCH, STEPS, n, np.bool_(reverse), u, *args, order=order,
            dtype=dtype)  # fmt: skip

    if name == "simple":
        launch("simple", z, valid, h, kept, hs)
        expected, last, saved = recurrent.simple_rnn(*wide(z, u, h[0]), valid, None, "tanh", reverse)
    elif name == "lstm":
        launch("lstm", z, valid, h, c, kept, hs)
        expected, last, last_c, saved = recurrent.lstm(
            *wide(z, u, h[0], c[0]), valid, None, "tanh", "sigmoid", reverse
        )
        close(c[-1], last_c, 8)
    else:
        launch("gru", bias, z, valid, h, kept, inner, hs)
        expected, last, saved = recurrent.gru(
            *wide(z, u, bias, h[0]), valid, None, "tanh", "sigmoid", True, reverse
        )
    close(hs, expected, 8)
    close(h[-1], last, 8)

    g_hs, past, dc = some(BATCH, STEPS, n), some(BATCH, n).astype(sums), some(BATCH, n).astype(sums)
    d, dz, first = empty(STEPS, BATCH, gates * n), empty(*z.shape), empty(BATCH, n)
    g = wide(g_hs, past)
    if name == "simple":
        launch("simple_grad", past, g_hs, valid, kept, d, dz, first)
        dz_, du, dh = recurrent.simple_rnn_grad(saved, *g, (True, True))
    elif name == "lstm":
        g_c = dc.astype(np.float64)
        launch("lstm_grad", past, dc, g_hs, valid, kept, c, d, dz, first)
        dz_, du, dh, dc_ = recurrent.lstm_grad(saved, *g, g_c, (True, True))
        close(dc, dc_, 20 if dtype.itemsize > 2 else 2000)
    else:
        launch("gru_grad", past, g_hs, valid, kept, inner, h, d, dz, first)
        dz_, du, db, dh = recurrent.gru_grad(saved, *g, (True, True, True))
        close(d.astype(np.float64).sum(axis=(0, 1)).astype(sums), db, 20 if dtype.itemsize > 2 else 2000)
    close(dz, dz_, 20)
    close(first, dh, 20)
    product = np.einsum("sbi,sbj->ij", h[:-1].astype(np.float64), d.astype(np.float64)).astype(sums)
    close(product, du, 20 if dtype.itemsize > 2 else 2000)
