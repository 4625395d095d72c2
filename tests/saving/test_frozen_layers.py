"""A frozen layer stays frozen: built later, or read from a file."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

import deepkit
from deepkit import layers


def test_weights_built_in_a_frozen_layer_are_not_trained() -> None:
    model = deepkit.Sequential([layers.Input((5,)), layers.Dense(6, trainable=False), layers.Dense(2)])
    assert [v.trainable for v in model.variables] == [False, False, True, True]
    assert len(model.trainable_variables) == 2
    model.layers[0].trainable = True
    assert len(model.trainable_variables) == 4


def test_frozen_layer_in_a_file(tmp_path: Path) -> None:
    x, y = np.ones((2, 5), "float32"), np.ones((2, 2), "float32")
    model = deepkit.Sequential([layers.Input((5,)), layers.Dense(6), layers.Dense(2)])
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    model.train_on_batch(x, y)
    model.save(tmp_path / "m.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an optimizer of another number of variables would be passed over
        again = deepkit.saving.load_model(tmp_path / "m.keras")
    before = again.layers[0].kernel.numpy()
    np.testing.assert_allclose(again.train_on_batch(x, y), model.train_on_batch(x, y), rtol=1e-6)
    np.testing.assert_array_equal(again.layers[0].kernel.numpy(), before)
