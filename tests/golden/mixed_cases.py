"""Models in mixed precision for real Keras (make_mixed.py) and the tests."""

from __future__ import annotations

from typing import Any

POLICIES = ["mixed_float16", "mixed_bfloat16"]
STEPS = 4


def dense(k: Any) -> Any:
    last = k.layers.Dense(2, dtype="float32")
    return k.Sequential([k.layers.Input((6,)), k.layers.Dense(8, "relu"), k.layers.Dense(5, "tanh"), last])


def images(k: Any) -> Any:
    layers = [
        k.layers.Input((8, 8, 2)), k.layers.Conv2D(4, 3, padding="same"), k.layers.BatchNormalization(),
        k.layers.Activation("relu"), k.layers.MaxPooling2D(), k.layers.DepthwiseConv2D(3),
        k.layers.GroupNormalization(2), k.layers.GlobalAveragePooling2D(), k.layers.Dense(2),
    ]  # fmt: skip
    return k.Sequential(layers)


def sequence(k: Any) -> Any:
    x = k.layers.Input((5,), dtype="int32")
    y = k.layers.Embedding(7, 4)(x)
    y = k.layers.LayerNormalization()(y)
    y = k.layers.Add()([y, k.layers.Dense(4)(y)])
    return k.Model(x, k.layers.Dense(2, activation="sigmoid")(k.layers.Flatten()(y)))


def recurrent(k: Any) -> Any:
    return k.Sequential([k.layers.Input((4, 3)), k.layers.LSTM(4, return_sequences=True), k.layers.GRU(4),
                         k.layers.Dense(2)])  # fmt: skip


MODELS = {"dense": dense, "images": images, "sequence": sequence, "recurrent": recurrent}
