"""The models that are timed, once for Keras's API (which deepkit shares) and once for PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np


class Job:
    """A model and random data of the right shapes.

    Args:
        name: Name.
        shape: Shape of one sample.
        outputs: Number of outputs; 1 is a regression, more a classification with integer labels.
        batch: Batch size.
        keras: ``(keras module) -> list of layers``.
        torch: ``(torch module) -> module``; its input is channels-first where there are channels.
        optimizer: ``"adam"`` or ``"sgd"``.
    """

    def __init__(
        self,
        name: str,
        shape: tuple,
        outputs: int,
        batch: int,
        keras: Any,
        torch: Any,
        optimizer: str = "adam",
    ):
        self.name, self.shape, self.outputs, self.batch = name, shape, outputs, batch
        self.keras, self.torch, self.optimizer = keras, torch, optimizer

    def data(self, batches: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        n = self.batch * batches
        x = rng.random((n, *self.shape), dtype=np.float32)
        if self.outputs == 1:
            return x, rng.random((n, 1), dtype=np.float32)
        return x, rng.integers(0, self.outputs, n).astype("int32")


def _regression(keras: Any) -> list:
    return [keras.layers.Dense(5, activation="relu"), keras.layers.Dense(5, activation="relu"), keras.layers.Dense(1)]


def _quickstart(keras: Any) -> list:
    return [keras.layers.Flatten(), keras.layers.Dense(128, activation="relu"), keras.layers.Dropout(0.2),
            keras.layers.Dense(10)]  # fmt: skip


def _mlp(keras: Any) -> list:
    return [
        keras.layers.Dense(512, activation="relu"),
        keras.layers.Dense(512, activation="relu"),
        keras.layers.Dense(10),
    ]


def _mnist_convnet(keras: Any) -> list:
    layers = keras.layers
    return [layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2), layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2), layers.Flatten(), layers.Dropout(0.5), layers.Dense(10)]  # fmt: skip


def _torch_regression(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 1))


def _torch_quickstart(nn: Any) -> Any:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))


def _torch_mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def _torch_convnet(nn: Any) -> Any:
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
    nn.MaxPool2d(2),
                         nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10))  # fmt: skip


JOBS = {
    job.name: job
    for job in (
        Job("regression 8-5-5-1, batch 32", (8,), 1, 32, _regression, _torch_regression),
        Job("quickstart MLP, batch 32", (28, 28), 10, 32, _quickstart, _torch_quickstart),
        Job("MLP 784-512-512-10, batch 128", (784,), 10, 128, _mlp, _torch_mlp),
        Job("MNIST convnet, batch 128", (28, 28, 1), 10, 128, _mnist_convnet, _torch_convnet),
    )
}
