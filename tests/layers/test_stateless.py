"""Layers and metrics as functions of their variables."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers, metrics, ops


def test_layer():
    model = deepkit.Sequential([deepkit.Input((3,)), layers.Dense(2), layers.BatchNormalization(), layers.Dropout(0.5)])
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    before = [v.numpy() for v in model.variables]
    other = [ops.convert_to_tensor(v) * 2.0 for v in model.trainable_variables]
    outputs, state = model.stateless_call(other, model.non_trainable_variables, x, training=True)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.variables))
    for v, value in zip(model.trainable_variables, other):
        v.assign(value)
    np.testing.assert_array_equal(model(x, training=True), outputs)
    for v, value in zip(model.non_trainable_variables, state):
        np.testing.assert_array_equal(v, value)


def test_gradients_and_losses():
    dense = layers.Dense(1, use_bias=False, kernel_regularizer="l2")
    dense.build((None, 2))
    kernel = ops.convert_to_tensor([[1.0], [2.0]])
    with deepkit.GradientTape() as tape:
        tape.watch(kernel)
        y, state, losses = dense.stateless_call([kernel], [], np.array([[3.0, 4.0]], "float32"), return_losses=True)
    assert y.tolist() == [[11.0]] and state == [] and abs(float(losses[0]) - 0.05) < 1e-6
    assert tape.gradient(y, kernel).tolist() == [[3.0], [4.0]]


def test_layer_errors():
    dense = layers.Dense(1)
    with pytest.raises(ValueError, match="not built"):
        dense.stateless_call([], [], np.ones((1, 2)))
    dense.build((None, 2))
    with pytest.raises(ValueError, match="2 trainable_variables; received 1"):
        dense.stateless_call([np.ones((2, 1))], [], np.ones((1, 2)))


@pytest.mark.parametrize("make", [
    metrics.Mean, metrics.Sum, metrics.MeanSquaredError, metrics.BinaryAccuracy, metrics.Precision, metrics.AUC,
    metrics.TruePositives, lambda: metrics.PrecisionAtRecall(0.5),
])  # fmt: skip
def test_metrics(make):
    metric, plain = make(), make()
    args = ([0.0, 1.0, 1.0], [0.2, 0.7, 0.4])[: 1 if type(metric) in (metrics.Mean, metrics.Sum) else 2]
    state = metric.stateless_reset_state()
    for _ in range(2):
        state = metric.stateless_update_state(state, *args)
        plain.update_state(*args)
    assert all(not np.any(v.numpy()) for v in metric.variables)
    np.testing.assert_allclose(metric.stateless_result(state), plain.result(), rtol=1e-6)
    with pytest.raises(ValueError, match="received 9 values"):
        metric.stateless_result([0.0] * 9)
