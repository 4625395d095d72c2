"""Figures that courses work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import activations, ops


def test_activations(device):
    assert float(activations.sigmoid(0.415)) == pytest.approx(0.6023, abs=1e-4)
    assert float(activations.sigmoid(-0.7)) == pytest.approx(0.332, abs=1e-3)
    assert float(activations.tanh(-0.7)) == pytest.approx(-0.604, abs=1e-3)
    # The course prints 0.51, 0.18, 0.31 for these logits; their exponentials 4.953, 1.733, 2.664 give this.
    np.testing.assert_allclose(activations.softmax([1.6, 0.55, 0.98]).numpy(), [0.5297, 0.1854, 0.2849], atol=1e-4)


def test_neuron(device):
    z = 0.5 * 0.55 - 0.35 * 0.45 + 0.15
    x = ops.convert_to_tensor([[0.5, -0.35]])
    layer = deepkit.layers.Dense(1, activation="sigmoid", weights=[np.array([[0.55], [0.45]]), np.array([0.15])])
    assert float(layer(x)[0, 0]) == pytest.approx(1 / (1 + np.exp(-z)), abs=1e-6)


def test_backpropagation_through_two_neurons(device):
    """x -> z1 = w1 x + b1 -> a1 = σ(z1) -> z2 = w2 a1 + b2 -> a2 = σ(z2), E = (T - a2)² / 2, by the chain rule."""
    x, target, rate = 0.1, 0.25, 0.4
    w1, b1, w2, b2 = 0.15, 0.4, 0.45, 0.65
    a1 = 1 / (1 + np.exp(-(w1 * x + b1)))
    a2 = 1 / (1 + np.exp(-(w2 * a1 + b2)))
    d2 = -(target - a2) * a2 * (1 - a2)
    d1 = d2 * w2 * a1 * (1 - a1)
    expected = [w1 - rate * d1 * x, b1 - rate * d1, w2 - rate * d2 * a1, b2 - rate * d2]
    np.testing.assert_allclose(expected[2:], [0.427, 0.612], atol=1e-3)

    variables = [deepkit.Variable(v, dtype="float64") for v in (w1, b1, w2, b2)]
    with deepkit.GradientTape() as tape:
        hidden = ops.sigmoid(variables[0] * x + variables[1])
        output = ops.sigmoid(variables[2] * hidden + variables[3])
        error = ops.square(target - output) / 2
    optimizer = deepkit.optimizers.SGD(learning_rate=rate)
    optimizer.apply_gradients(zip(tape.gradient(error, variables), variables))
    np.testing.assert_allclose([float(v) for v in variables], expected, rtol=1e-6)
