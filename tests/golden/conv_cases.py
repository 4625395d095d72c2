"""Convolution and pooling calls that are compared with real Keras: layer, arguments, input shape."""

from __future__ import annotations

from typing import Any

Case = tuple[str, dict[str, Any], tuple[int, ...]]

CONV: list[Case] = [
    ("Conv1D", dict(filters=4, kernel_size=3), (2, 7, 3)),
    (
        "Conv1D",
        dict(filters=4, kernel_size=3, padding="causal", dilation_rate=2, activation="tanh"),
        (2, 7, 3),
    ),
    ("Conv1D", dict(filters=4, kernel_size=4, padding="same", strides=2, use_bias=False), (2, 7, 3)),
    ("Conv1D", dict(filters=4, kernel_size=3, padding="causal", strides=2), (2, 8, 3)),
    (
        "Conv1D",
        dict(filters=4, kernel_size=3, groups=2, data_format="channels_first", activation="relu"),
        (2, 4, 7),
    ),
    ("Conv2D", dict(filters=5, kernel_size=3, activation="relu"), (2, 6, 7, 3)),
    ("Conv2D", dict(filters=5, kernel_size=(2, 3), padding="same", activation="sigmoid"), (2, 6, 7, 3)),
    (
        "Conv2D",
        dict(filters=5, kernel_size=3, padding="same", strides=(2, 1), activation="elu"),
        (2, 6, 7, 1),
    ),
    ("Conv2D", dict(filters=5, kernel_size=3, dilation_rate=(2, 1), padding="same"), (2, 6, 7, 3)),
    ("Conv2D", dict(filters=6, kernel_size=3, groups=3, activation="softmax"), (2, 6, 7, 6)),
    ("Conv2D", dict(filters=5, kernel_size=1, activation="softplus"), (2, 6, 7, 3)),
    ("Conv2D", dict(filters=5, kernel_size=1, strides=2), (2, 6, 7, 3)),
    (
        "Conv2D",
        dict(filters=5, kernel_size=3, data_format="channels_first", activation="softmax"),
        (2, 3, 6, 7),
    ),
    (
        "Conv2D",
        dict(filters=5, kernel_size=3, padding="same", strides=3, data_format="channels_first"),
        (2, 3, 6, 7),
    ),
    ("Conv2D", dict(filters=4, kernel_size=3, padding="same"), (1, 5, 5, 32)),
    ("Conv3D", dict(filters=3, kernel_size=2, activation="relu"), (2, 4, 5, 3, 2)),
    ("Conv3D", dict(filters=3, kernel_size=(1, 3, 2), padding="same", strides=2), (2, 4, 5, 3, 2)),
    ("Conv3D", dict(filters=4, kernel_size=2, dilation_rate=2, groups=2), (1, 4, 5, 3, 2)),
    ("Conv1DTranspose", dict(filters=3, kernel_size=3), (2, 5, 2)),
    ("Conv1DTranspose", dict(filters=3, kernel_size=2, strides=3, activation="relu"), (2, 5, 2)),
    (
        "Conv2DTranspose",
        dict(filters=3, kernel_size=3, strides=2, padding="same", activation="tanh"),
        (2, 4, 5, 2),
    ),
    ("Conv2DTranspose", dict(filters=3, kernel_size=(3, 4), strides=2), (2, 4, 5, 2)),
    (
        "Conv2DTranspose",
        dict(filters=3, kernel_size=3, strides=2, padding="same", output_padding=1),
        (2, 4, 5, 2),
    ),
    ("Conv2DTranspose", dict(filters=3, kernel_size=3, strides=3, output_padding=(0, 2)), (2, 4, 5, 2)),
    (
        "Conv2DTranspose",
        dict(filters=3, kernel_size=3, strides=2, data_format="channels_first"),
        (2, 2, 4, 5),
    ),
    ("Conv2DTranspose", dict(filters=3, kernel_size=3, dilation_rate=2, padding="same"), (2, 5, 6, 2)),
    ("Conv3DTranspose", dict(filters=2, kernel_size=2, strides=2), (1, 2, 3, 2, 2)),
    ("DepthwiseConv1D", dict(kernel_size=3, depth_multiplier=2), (2, 7, 3)),
    ("DepthwiseConv2D", dict(kernel_size=3, padding="same", activation="relu"), (2, 6, 7, 4)),
    ("DepthwiseConv2D", dict(kernel_size=3, strides=2, depth_multiplier=3), (2, 6, 7, 2)),
    ("DepthwiseConv2D", dict(kernel_size=3, data_format="channels_first"), (2, 3, 6, 7)),
    ("SeparableConv1D", dict(filters=4, kernel_size=3, padding="same"), (2, 7, 3)),
    ("SeparableConv2D", dict(filters=4, kernel_size=3, depth_multiplier=2, activation="relu"), (2, 6, 7, 3)),
    (
        "SeparableConv2D",
        dict(filters=4, kernel_size=3, strides=2, data_format="channels_first"),
        (2, 3, 6, 7),
    ),
]

POOL: list[Case] = [
    ("MaxPooling1D", dict(pool_size=2), (2, 7, 3)),
    ("MaxPooling1D", dict(pool_size=3, strides=2, padding="same", data_format="channels_first"), (2, 3, 7)),
    ("MaxPooling2D", dict(pool_size=2), (2, 6, 6, 3)),
    ("MaxPooling2D", dict(pool_size=(2, 3)), (2, 7, 8, 3)),
    ("MaxPooling2D", dict(pool_size=3, strides=1, padding="same"), (2, 6, 7, 3)),
    ("MaxPooling2D", dict(pool_size=2, strides=(3, 2), padding="same"), (2, 7, 7, 3)),
    ("MaxPooling2D", dict(pool_size=2, data_format="channels_first"), (2, 3, 6, 7)),
    ("MaxPooling3D", dict(pool_size=2), (2, 4, 5, 4, 2)),
    ("MaxPooling3D", dict(pool_size=(1, 2, 3), strides=2, padding="same"), (2, 4, 5, 4, 2)),
    ("AveragePooling1D", dict(pool_size=2), (2, 7, 3)),
    ("AveragePooling1D", dict(pool_size=3, strides=1, padding="same"), (2, 7, 3)),
    ("AveragePooling2D", dict(pool_size=2), (2, 6, 6, 3)),
    ("AveragePooling2D", dict(pool_size=(2, 3), strides=2, padding="same"), (2, 6, 7, 3)),
    (
        "AveragePooling2D",
        dict(pool_size=3, strides=2, data_format="channels_first", padding="same"),
        (2, 3, 6, 7),
    ),
    ("AveragePooling3D", dict(pool_size=2, strides=1, padding="same"), (2, 4, 5, 3, 2)),
    ("GlobalAveragePooling1D", dict(), (2, 7, 3)),
    ("GlobalAveragePooling2D", dict(keepdims=True), (2, 4, 5, 3)),
    ("GlobalAveragePooling2D", dict(data_format="channels_first"), (2, 4, 5, 3)),
    ("GlobalAveragePooling3D", dict(), (2, 4, 5, 3, 2)),
    ("GlobalMaxPooling1D", dict(keepdims=True), (2, 7, 3)),
    ("GlobalMaxPooling2D", dict(), (2, 4, 5, 3)),
    ("GlobalMaxPooling3D", dict(data_format="channels_first"), (2, 4, 5, 3, 2)),
]


def name_of(case: Case) -> str:
    """``"Conv1D-3"``: the layer and what tells the cases apart, as a test id and as a key of the file."""
    kind, arguments, shape = case
    return (
        "-".join([kind, *(f"{k}={v}" for k, v in arguments.items()), str(shape)])
        .replace(" ", "")
        .replace("/", "")
    )
