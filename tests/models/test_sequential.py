"""Sequential models."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers


def test_is_built_on_the_first_call(device):
    model = deepkit.Sequential([layers.Dense(3, activation="relu"), layers.Dense(1)])
    assert not model.built and model.weights == []
    assert model(np.ones((2, 5))).shape == (2, 1)
    assert [v.path for v in model.weights] == [f"{model.name}/{layer.name}/{n}" for layer in model.layers
                                               for n in ("kernel", "bias")]  # fmt: skip
    assert model.input_shape == (None, 5)


def test_add_and_pop(device):
    model = deepkit.Sequential()
    model.add(layers.Dense(4, input_shape=(3,)))
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)
    assert model.pop().units == 2
    assert model.output_shape == (None, 4) and len(model.layers) == 1


@pytest.mark.parametrize("kwargs", [{"input_shape": (3,)}, {"input_dim": 3}, {"batch_input_shape": (None, 3)},
                                    {"input_shape": [np.int64(3)]}])  # fmt: skip
def test_old_spellings_of_the_input_shape(kwargs):
    model = deepkit.Sequential([layers.Dense(np.int64(2), **kwargs)])
    assert model.built and model.input_shape == (None, 3)


def test_sharing_weights_with_the_layers(device):
    dense = layers.Dense(1)
    model = deepkit.Sequential([deepkit.Input((2,)), dense])
    dense.set_weights([np.array([[1.0], [2.0]]), np.array([3.0])])
    assert float(model(np.array([[1.0, 1.0]]))[0, 0]) == 6.0
    with pytest.raises(ValueError, match=r"\(2, 1\)"):
        dense.set_weights([np.zeros((3, 1)), np.zeros(1)])
    np.testing.assert_array_equal(dense.kernel.numpy(), [[1.0], [2.0]])


def test_trainable_reaches_sublayers_and_back(device):
    model = deepkit.Sequential([deepkit.Input((2,)), layers.Dense(2), layers.BatchNormalization(), layers.Dense(1)])
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (6, 2)
    model.trainable = False
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (0, 8)
    model.trainable = True
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (6, 2)
    model.layers[0].trainable = False
    assert len(model.trainable_weights) == 4


def test_configuration_round_trip(device):
    model = deepkit.Sequential(
        [deepkit.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dropout(0.2)], name="net"
    )
    clone = deepkit.Sequential.from_config(model.get_config())
    assert clone.get_config() == model.get_config()
    assert clone.built and clone.name == "net"
    lazy = deepkit.Sequential([layers.Dense(2)])
    assert not deepkit.Sequential.from_config(lazy.get_config()).built


@pytest.mark.parametrize("wrong", [3, layers.Dense, "dense", None])
def test_what_is_no_layer_is_refused(wrong):
    with pytest.raises(ValueError, match="Sequential holds layers"):
        deepkit.Sequential([wrong])


def test_custom_layer_without_more(device):
    class Twice(layers.Layer):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="w")

        def call(self, x, training=False, mask=None):
            if training:
                self.add_loss(x.sum() * 0.5)
            return x * self.w * self.factor

    model = deepkit.Sequential([deepkit.Input((3,)), Twice(3.0)])
    np.testing.assert_array_equal(model(np.ones((1, 3))).numpy(), [[3, 3, 3]])
    assert model.losses == []
    model(np.ones((1, 3)), training=True)
    assert [float(v) for v in model.losses] == [1.5]
    assert model.layers[0].get_config()["factor"] == 3.0
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.zeros((4, 3)), epochs=2, verbose=0)
    assert not np.allclose(model.layers[0].w.numpy(), 1)
