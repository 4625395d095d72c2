"""The CTC kernels against deepkit's for the CPU."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend.cpu import ctc

from .launching import ORDERS_HERE, blank, close, needs_emulator, rows, run

pytestmark = needs_emulator

#: Labels, their lengths, the lengths of the logits, classes and blank.
CASES = {
    "repeats": ([[1, 1, 2, 1], [3, 2, 3, 0]], [4, 3], [9, 7], 5, 0),
    "blank last": ([[0, 1, 0], [2, 2, 2]], [3, 2], [8, 5], 4, 3),
    "too short, empty, none": ([[1, 1], [2, 1], [1, 2]], [2, 0, 2], [2, 3, 0], 3, 0),
    "a label that is the blank": ([[0, 1, 0]], [3], [9], 3, 0),
    "no labels": ([[], []], [0, 0], [4, 2], 3, 0),
    "long": ([[i % 7 + 1 for i in range(40)]], [37], [60], 40, 0),
}


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_ctc(name, dtype, order):
    labels, label_lengths, lengths, classes, blank_class = CASES[name]
    labels, label_lengths, lengths = (np.array(a, np.int32) for a in (labels, label_lengths, lengths))
    labels = labels.reshape(len(lengths), -1)
    (n, length), steps = labels.shape, max(int(lengths.max()), 4) + 1
    rng, states = np.random.default_rng(0), 2 * length + 1
    x, g = (rng.standard_normal((n, steps, classes)) * 2).astype(dtype), rng.standard_normal(n).astype(dtype)
    wide = lambda *shape: blank(shape, np.float64)
    normalizer, alpha, total, beta = wide(n, steps), wide(n, steps, states), wide(n), wide(n, 2, states)
    losses, gx = blank(n, dtype), blank(x.shape, dtype)

    run("ctc", "ctc_normalizers", rows(n * steps, classes), x, normalizer, n * steps, classes, order=order)
    np.testing.assert_allclose(normalizer, np.log(np.exp(x.astype(np.float64)).sum(axis=-1)), rtol=1e-12)
    given = x, normalizer, labels, label_lengths, lengths, n, steps, length, classes, blank_class
    run("ctc", "ctc_alpha", ((2,), (32,)), *given, alpha, losses, total, order=order)
    expected, saved = ctc.ctc_loss(labels, x, label_lengths, lengths, blank_class)
    close(losses, expected)
    run("ctc", "ctc_posterior", ((2,), (32,)), *given, alpha, beta, total, order=order)
    run("ctc", "ctc_grad", ((2,), (32, 4)), *given, alpha, total, g, gx, order=order)
    close(gx, ctc.ctc_grad(saved, g), 4)


def test_a_label_that_is_no_class():
    x, labels = np.zeros((1, 4, 3), np.float32), np.array([[1, 7]], np.int32)
    lengths = np.array([2], np.int32), np.array([4], np.int32)
    normalizer, alpha, total = np.full((1, 4), np.log(3)), blank((1, 4, 5), np.float64), blank(1, np.float64)
    losses = blank(1, np.float32)
    given = x, normalizer, labels, *lengths, 1, 4, 2, 3, 0
    run("ctc", "ctc_alpha", ((1,), (32,)), *given, alpha, losses, total)
    assert np.isnan(losses[0])
