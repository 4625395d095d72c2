"""Pooling layers: against real Keras, shapes, masks, configuration and errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from tests.golden.conv_cases import POOL, name_of
from tests.layers.test_conv import compare_with_keras

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "pool.npz", allow_pickle=False)


@pytest.mark.parametrize("case", POOL, ids=name_of)
def test_values_and_gradients_are_those_of_keras(device, case):
    layer, x, y = compare_with_keras(GOLDEN, case)
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *y.shape[1:])
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    np.testing.assert_allclose(layer(x[:1]).numpy(), y.numpy()[:1], rtol=1e-6)
    if "Max" not in case[0] or "Global" not in case[0]:
        assert layer(x[:0]).shape == (0, *y.shape[1:])


def test_configuration_has_the_keys_of_keras():
    config = layers.MaxPooling2D((2, 3), padding="same").get_config()
    assert {k: config[k] for k in ("pool_size", "strides", "padding", "data_format")} == {
        "pool_size": (2, 3), "strides": (2, 3), "padding": "same", "data_format": "channels_last",
    }  # fmt: skip
    assert set(config) == {"name", "trainable", "dtype", "pool_size", "strides", "padding", "data_format"}
    config = layers.GlobalMaxPooling1D(keepdims=True).get_config()
    assert set(config) == {"name", "trainable", "dtype", "data_format", "keepdims"}


def test_short_names_are_the_same_layers():
    for kind in ("Max", "Average"):
        short = kind.replace("Average", "Avg")
        for rank in "123":
            assert getattr(layers, f"{short}Pool{rank}D") is getattr(layers, f"{kind}Pooling{rank}D")
            assert getattr(layers, f"Global{short}Pool{rank}D") is getattr(
                layers, f"Global{kind}Pooling{rank}D"
            )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_masked_steps_do_not_count(device, data_format, keepdims):
    layer = layers.GlobalAveragePooling1D(data_format, keepdims)
    x = np.arange(12, dtype="float32").reshape(2, 3, 2)
    mask = np.array([[True, True, False], [False, False, True]])
    last = data_format == "channels_last"
    y = layer(x if last else x.transpose(0, 2, 1), mask=ops.convert_to_tensor(mask)).numpy()
    assert y.shape == ((2, 2) if not keepdims else (2, 1, 2) if last else (2, 2, 1))
    np.testing.assert_allclose(y.reshape(2, 2), [[1, 2], [10, 11]])
    assert layer.compute_mask(x, mask) is None


def test_mask_comes_from_the_layer_before(device):
    x = np.array([[[1.0], [3.0], [0.0]]], "float32")
    y = layers.GlobalAveragePooling1D()(layers.Masking()(x))
    np.testing.assert_allclose(y.numpy(), [[2.0]])


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: layers.MaxPooling2D(0), ["MaxPooling2D", "pool_size=0"]),
        (lambda: layers.MaxPooling2D((2, 2, 2)), ["MaxPooling2D", "pool_size=(2, 2, 2)"]),
        (lambda: layers.AveragePooling1D(2, padding="causal"), ["AveragePooling1D", "padding='causal'"]),
        (
            lambda: layers.MaxPooling2D(5, name="wide")(deepkit.KerasTensor((None, 4, 4, 1))),
            ["'wide'", "(5, 5)", "(4, 4)"],
        ),
        (
            lambda: layers.MaxPooling2D(name="flat")(deepkit.KerasTensor((None, 4, 4))),
            ["flat", "ndim=4", "ndim=3"],
        ),
        (lambda: layers.GlobalMaxPooling2D(name="top")(deepkit.KerasTensor((None, 4))), ["top", "ndim=4"]),
    ],
)
def test_errors(make, words):
    with pytest.raises(ValueError) as error:
        make()
    for word in words:
        assert word in str(error.value)
