"""Batch renormalization and spectral normalization beside real Keras."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from tests.golden.normalization_cases import CASES, STEPS

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "normalization.npz")


@pytest.mark.parametrize("label, make, shape", CASES, ids=[case[0] for case in CASES])
def test_training_beside_keras(label, make, shape, device):
    layer = make(layers)
    layer.build(shape)
    assert [v.name for v in layer.weights] == json.loads(str(GOLDEN[f"{label}/names"]))
    layer.set_weights([GOLDEN[f"{label}/weight{i}"] for i in range(len(layer.weights))])
    for s in range(STEPS):
        x = ops.convert_to_tensor(GOLDEN[f"{label}/x"][s])
        with deepkit.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = ops.sum(ops.sin(y))
        np.testing.assert_allclose(y.numpy(), GOLDEN[f"{label}/y{s}"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tape.gradient(loss, x), GOLDEN[f"{label}/gradient"], rtol=1e-3, atol=1e-4)
    for i, g in enumerate(tape.gradient(loss, layer.trainable_variables)):
        np.testing.assert_allclose(g.numpy(), GOLDEN[f"{label}/gradient{i}"], rtol=1e-3, atol=1e-4)
    for i, v in enumerate(layer.weights):
        np.testing.assert_allclose(v.numpy(), GOLDEN[f"{label}/after{i}"], rtol=1e-4, atol=1e-5)
    y = layer(GOLDEN[f"{label}/x"][0])
    np.testing.assert_allclose(y.numpy(), GOLDEN[f"{label}/inference"], rtol=1e-4, atol=1e-5)
    config = layer.get_config()
    expected = json.loads(str(GOLDEN[f"{label}/config"]))
    assert {key: config[key] for key in expected} == expected
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert again.get_config() == config
    assert again(deepkit.KerasTensor((None, *shape[1:]))).shape == (None, *y.shape[1:])


def test_saving_spectral_normalization(tmp_path, device):
    model = deepkit.Sequential([layers.Input((4,)), layers.SpectralNormalization(layers.Dense(3)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 4), "float32")
    model.fit(x, x[:, :1], verbose=0)
    model.save(tmp_path / "model.keras")
    again = deepkit.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


def test_masked_renormalization(device):
    x = np.random.default_rng(0).normal(size=(2, 3, 2)).astype("float32")
    mask = np.array([[True, True, False], [True, False, False]])
    full, masked = layers.BatchNormalization(renorm=True), layers.BatchNormalization(renorm=True)
    y = masked(x, training=True, mask=mask)
    expected = full(x[mask], training=True)
    np.testing.assert_allclose(y.numpy()[mask], expected.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(masked.moving_variance, full.moving_variance, rtol=1e-4)


def test_wrong_arguments(device):
    with pytest.raises(ValueError, match="power_iterations"):
        layers.SpectralNormalization(layers.Dense(1), power_iterations=0)
    with pytest.raises(ValueError, match="neither a kernel"):
        layers.SpectralNormalization(layers.ReLU())(np.ones((1, 2)))
    with pytest.raises(TypeError, match="`layer`"):
        layers.SpectralNormalization("dense")
    for clipping in ({"rmax": 1.0, "rmin": 2.0}, {"dmax": -1}, {"r": 1}):
        with pytest.raises(ValueError, match="renorm_clipping"):
            layers.BatchNormalization(renorm=True, renorm_clipping=clipping)
