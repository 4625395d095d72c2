"""The trainings whose losses are compared with real Keras: models and optimizers, for either module."""

from __future__ import annotations

from typing import Any


def _dense(k: Any) -> list:
    return [k.Input((6,)), k.layers.Dense(8, activation="relu"), k.layers.Dense(3, activation="softmax")]


def _conv(k: Any) -> list:
    return [k.Input((8, 8, 2)), k.layers.Conv2D(4, 3, activation="relu"), k.layers.MaxPooling2D(), k.layers.Flatten(),
            k.layers.Dense(3, activation="softmax")]  # fmt: skip


def _batch_norm(k: Any) -> list:
    return [k.Input((6,)), k.layers.Dense(8), k.layers.BatchNormalization(), k.layers.Activation("relu"),
            k.layers.Dense(3, activation="softmax")]  # fmt: skip


MODELS = {"dense": _dense, "conv": _conv, "batch_norm": _batch_norm}
OPTIMIZERS = {
    "sgd": lambda k: k.optimizers.SGD(0.05, momentum=0.9),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.01),
    "adam": lambda k: k.optimizers.Adam(0.01),
}
STEPS, BATCH = 20, 16
