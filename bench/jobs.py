"""The models that are timed, once for Keras's API (which deepkit shares) and once for PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np


class Job:
    """A model and random data of the right shapes.

    Args:
        name: Name.
        shape: Shape of one sample.
        outputs: Number of outputs; 1 is a regression, as many as inputs an autoencoder, else a classification with
            integer labels.
        batch: Batch size.
        batches: Number of batches timed at once.
        keras: ``(keras module) -> list of layers``, or a whole model.
        torch: ``(torch module) -> module``; its input is channels-first where there are channels.
        optimizer: ``"adam"`` or ``"sgd"``.
    """

    def __init__(
        self,
        name: str,
        shape: tuple,
        outputs: int,
        batch: int,
        batches: int,
        keras: Any,
        torch: Any,
        optimizer: str = "adam",
    ):
        self.name, self.shape, self.outputs, self.batch = name, shape, outputs, batch
        self.batches = batches
        self.keras, self.torch, self.optimizer = keras, torch, optimizer

    @property
    def classifies(self) -> bool:
        """Whether the targets are integer labels."""
        return self.outputs > 1 and self.shape != (self.outputs,)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        n = self.batch * self.batches
        x = rng.random((n, *self.shape), dtype=np.float32)
        if self.outputs == 1:
            return x, rng.random((n, 1), dtype=np.float32)
        if not self.classifies:
            return x, x
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


def _recurrent(name: str) -> Any:
    return lambda keras: [getattr(keras.layers, name)(128), keras.layers.Dense(10)]


def _resnet20(keras: Any) -> Any:
    """He et al. 2015, table 6 with n = 3; shortcuts with a convolution where the shape changes."""
    layers = keras.layers

    def unit(x: Any, filters: int, stride: int = 1, size: int = 3) -> Any:
        x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(unit(inputs, 16))
    for filters in (16, 32, 64):
        for block in range(3):
            stride = 2 if filters > 16 and block == 0 else 1
            y = unit(layers.ReLU()(unit(x, filters, stride)), filters)
            x = layers.ReLU()(layers.add([unit(x, filters, stride, 1) if stride == 2 else x, y]))
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def _transformer(keras: Any) -> Any:
    """One encoder block behind given vectors, and a classifier of their mean."""
    layers = keras.layers
    x = inputs = keras.Input((128, 64))
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 16)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(64)(layers.Dense(256, activation="relu")(x)))
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling1D()(x)))


def _autoencoder(keras: Any) -> list:
    dense = keras.layers.Dense
    return [dense(128, activation="relu"), dense(32, activation="relu"), dense(128, activation="relu"),
            dense(784, activation="sigmoid")]  # fmt: skip


def _course_cnn(keras: Any) -> list:
    layers = keras.layers
    return [layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2), layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2), layers.Conv2D(64, 3, activation="relu"), layers.Flatten(),
            layers.Dense(64, activation="relu"), layers.Dense(10)]  # fmt: skip


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


def _torch_recurrent(name: str) -> Any:
    def make(nn: Any) -> Any:
        class Last(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.rnn, self.head = getattr(nn, name)(32, 128, batch_first=True), nn.Linear(128, 10)

            def forward(self, x: Any) -> Any:
                return self.head(self.rnn(x)[0][:, -1])

        return Last()

    return make


def _torch_resnet20(nn: Any) -> Any:
    def unit(n_in: int, n_out: int, stride: int = 1, size: int = 3) -> Any:
        return nn.Sequential(nn.Conv2d(n_in, n_out, size, stride, size // 2, bias=False), nn.BatchNorm2d(n_out))

    class Block(nn.Module):
        def __init__(self, n_in: int, n_out: int) -> None:
            super().__init__()
            stride = 1 if n_in == n_out else 2
            self.first, self.second = unit(n_in, n_out, stride), unit(n_out, n_out)
            self.shortcut = nn.Identity() if stride == 1 else unit(n_in, n_out, 2, 1)

        def forward(self, x: Any) -> Any:
            y = self.second(nn.functional.relu(self.first(x)))
            return nn.functional.relu(self.shortcut(x) + y)

    widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    blocks = [Block(a, b) for a, b in zip(widths, widths[1:])]
    return nn.Sequential(unit(3, 16), nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def _torch_transformer(nn: Any) -> Any:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
            self.first, self.second = nn.LayerNorm(64), nn.LayerNorm(64)
            self.inner, self.head = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64)), nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            x = self.first(x + self.attention(x, x, x, need_weights=False)[0])
            return self.head(self.second(x + self.inner(x)).mean(1))

    return Block()


def _torch_autoencoder(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 128), nn.ReLU(),
                         nn.Linear(128, 784), nn.Sigmoid())  # fmt: skip


def _torch_course_cnn(nn: Any) -> Any:
    return nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 64), nn.ReLU(),
                         nn.Linear(64, 10))  # fmt: skip


def _deep(depth: int) -> Any:
    return lambda keras: [*(keras.layers.Dense(64, activation="relu") for _ in range(depth)), keras.layers.Dense(10)]


def _torch_deep(depth: int) -> Any:
    def build(nn: Any) -> Any:
        layers = [part for i in range(depth) for part in (nn.Linear(64, 64), nn.ReLU())]
        return nn.Sequential(*layers, nn.Linear(64, 10))

    return build


JOBS = {
    job.name: job
    for job in (
        Job("regression 8-5-5-1, batch 32", (8,), 1, 32, 200, _regression, _torch_regression),
        Job("quickstart MLP, batch 32", (28, 28), 10, 32, 100, _quickstart, _torch_quickstart),
        Job("MLP 784-512-512-10, batch 128", (784,), 10, 128, 30, _mlp, _torch_mlp),
        Job("MNIST convnet, batch 128", (28, 28, 1), 10, 128, 8, _mnist_convnet, _torch_convnet),
        Job("autoencoder 784-128-32-128-784, batch 256", (784,), 784, 256, 20, _autoencoder, _torch_autoencoder),
        Job("course CNN 32x32x3, batch 64", (32, 32, 3), 10, 64, 5, _course_cnn, _torch_course_cnn),
        Job("ResNet-20 32x32x3, batch 64", (32, 32, 3), 10, 64, 3, _resnet20, _torch_resnet20),
        Job("Transformer block, 128 tokens of 64, batch 32", (128, 64), 10, 32, 8, _transformer, _torch_transformer),
        Job("LSTM(128), 64 steps of 32, batch 64", (64, 32), 10, 64, 10, _recurrent("LSTM"), _torch_recurrent("LSTM")),
        Job("GRU(128), 64 steps of 32, batch 64", (64, 32), 10, 64, 10, _recurrent("GRU"), _torch_recurrent("GRU")),
    )
}

#: How the step's time grows with the batch and with the number of layers.
GROWTH = {
    job.name: job
    for job in (
        *(
            Job(f"MLP 784-512-512-10, batch {n}", (784,), 10, n, max(8, 256 // n), _mlp, _torch_mlp)
            for n in (1, 4, 16, 64, 256, 1024)
        ),
        *(
            Job(f"{n} layers of 64, batch 32", (64,), 10, 32, max(10, 400 // n), _deep(n), _torch_deep(n))
            for n in (2, 8, 32, 100, 200)
        ),
    )
}
