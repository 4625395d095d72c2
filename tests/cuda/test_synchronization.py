"""No training step waits for the device: `fit` waits as often over four batches as over one."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers

from .fake_cupy import counters


def waits(model, x, y, batches: int) -> int:
    """How often `fit` waits over so many batches of the same data."""
    counters.reset()
    model.fit(np.concatenate([x] * batches), np.concatenate([y] * batches), batch_size=len(x), verbose=0)
    return counters.synchronizations


def dense():
    return deepkit.Sequential([layers.Dense(8, activation="relu"), layers.Dropout(0.5), layers.Dense(3)])


def convolution():
    parts = [layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D()]
    return deepkit.Sequential([*parts, layers.Flatten(), layers.Dense(3)])


def recurrent(layer):
    return deepkit.Sequential([layers.Embedding(10, 4, mask_zero=True), layer, layers.Dense(3)])


def attention():
    x = deepkit.Input((6, 8))
    y = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(x, x) + x)
    return deepkit.Model(x, layers.Dense(3)(layers.GlobalAveragePooling1D()(y)))


MODELS = {
    "dense": (dense, (5,)),
    "convolution": (convolution, (8, 8, 2)),
    "lstm": (lambda: recurrent(layers.LSTM(5)), None),
    "gru": (lambda: recurrent(layers.GRU(5)), None),
    "attention": (attention, (6, 8)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_step_does_not_wait(simulated, name):
    make, shape = MODELS[name]
    rng = np.random.default_rng(0)
    x = rng.integers(0, 10, (4, 6)) if shape is None else rng.standard_normal((4, *shape)).astype("float32")
    y = rng.standard_normal((4, 3)).astype("float32")
    model = make()
    model.compile("adam", "mse")
    waits(model, x, y, 1)  # builds
    assert waits(model, x, y, 4) == waits(model, x, y, 1) <= 1  # the logs of the epoch


@pytest.mark.parametrize(
    "optimizer", ["sgd", "rmsprop", "adamw", "lion", "adagrad", "adadelta", "adamax", "ftrl", "nadam", "lamb",
                  "adafactor", "muon"]
)
def test_optimizers_do_not_wait(simulated, optimizer):
    x, y = np.ones((4, 5), "float32"), np.ones((4, 3), "float32")
    model = deepkit.Sequential([layers.Dense(3)])
    model.compile(optimizer, "mse")
    waits(model, x, y, 1)
    assert waits(model, x, y, 4) == waits(model, x, y, 1) <= 1


def test_metrics_do_not_wait(simulated):
    x, y = np.ones((4, 5), "float32"), np.ones((4, 1), "float32")
    model = deepkit.Sequential([layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy", "auc", "precision", "recall", "mse"])
    waits(model, x, y, 1)
    once = waits(model, x, y, 1)
    assert waits(model, x, y, 4) == once
