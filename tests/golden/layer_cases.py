"""Layers whose outputs are compared with real Keras: ``(make(keras), input shapes, training)``."""

from __future__ import annotations

from typing import Any, Callable

Case = tuple[Callable[[Any], Any], list[tuple[int, ...]], bool]


def _dense(activation: str) -> Callable[[Any], Any]:
    return lambda k: k.layers.Dense(4, activation=activation)


def _plain(name: str) -> Callable[[Any], Any]:
    return lambda k: getattr(k.layers, name)()


CASES: dict[str, Case] = {
    "dense": (lambda k: k.layers.Dense(4), [(3, 5)], False),
    "dense_relu_3d": (lambda k: k.layers.Dense(4, activation="relu"), [(2, 3, 5)], False),
    "dense_no_bias": (lambda k: k.layers.Dense(4, use_bias=False, activation="tanh"), [(3, 5)], False),
    **{
        f"dense_{a}": (_dense(a), [(3, 5)], False)
        for a in (
            "sigmoid",
            "softmax",
            "elu",
            "gelu",
            "selu",
            "silu",
            "softplus",
            "exponential",
            "hard_sigmoid",
            "mish",
        )
    },
    "activation": (lambda k: k.layers.Activation("tanh"), [(3, 5)], False),
    "flatten": (lambda k: k.layers.Flatten(), [(2, 3, 4)], False),
    "flatten_first": (lambda k: k.layers.Flatten(data_format="channels_first"), [(2, 3, 4)], False),
    "reshape": (lambda k: k.layers.Reshape((4, -1)), [(2, 3, 4)], False),
    "permute": (lambda k: k.layers.Permute((2, 1)), [(2, 3, 4)], False),
    "repeat_vector": (lambda k: k.layers.RepeatVector(3), [(2, 4)], False),
    "batch_norm_train": (lambda k: k.layers.BatchNormalization(), [(6, 4)], True),
    "batch_norm_test": (
        lambda k: k.layers.BatchNormalization(moving_mean_initializer="ones"),
        [(6, 4)],
        False,
    ),
    "batch_norm_axis": (lambda k: k.layers.BatchNormalization(axis=1, epsilon=0.1), [(2, 3, 4, 5)], True),
    "batch_norm_bare": (lambda k: k.layers.BatchNormalization(center=False, scale=False), [(2, 3, 4)], True),
    "layer_norm": (lambda k: k.layers.LayerNormalization(), [(3, 5)], False),
    "layer_norm_axes": (lambda k: k.layers.LayerNormalization(axis=[1, 2]), [(2, 3, 4)], False),
    "layer_norm_first": (lambda k: k.layers.LayerNormalization(axis=1, center=False), [(2, 3, 4)], False),
    "unit_norm": (lambda k: k.layers.UnitNormalization(), [(3, 5)], False),
    "group_norm": (lambda k: k.layers.GroupNormalization(2), [(2, 3, 4, 6)], False),
    "group_norm_first": (lambda k: k.layers.GroupNormalization(2, axis=1, epsilon=0.1), [(2, 4, 3, 5)], False),
    "group_norm_instance": (lambda k: k.layers.GroupNormalization(-1, scale=False), [(2, 3, 4)], False),
    "group_norm_2d": (lambda k: k.layers.GroupNormalization(2, center=False), [(3, 6)], False),
    "rms_norm": (lambda k: k.layers.RMSNormalization(), [(3, 5)], False),
    "rms_norm_axes": (lambda k: k.layers.RMSNormalization(axis=[1, 2], epsilon=0.1), [(2, 3, 4)], False),
    "alpha_dropout": (lambda k: k.layers.AlphaDropout(0.5), [(3, 5)], False),
    "dropout": (lambda k: k.layers.Dropout(0.5), [(3, 5)], False),
    "gaussian_noise": (lambda k: k.layers.GaussianNoise(0.5), [(3, 5)], False),
    "relu": (lambda k: k.layers.ReLU(), [(3, 5)], False),
    "relu_all": (lambda k: k.layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), [(3, 5)], False),
    "leaky_relu": (lambda k: k.layers.LeakyReLU(0.2), [(3, 5)], False),
    "elu": (lambda k: k.layers.ELU(0.7), [(3, 5)], False),
    "prelu": (lambda k: k.layers.PReLU(alpha_initializer="ones"), [(3, 5)], False),
    "prelu_shared": (lambda k: k.layers.PReLU("ones", shared_axes=[1, 2]), [(2, 3, 4, 5)], False),
    "softmax": (lambda k: k.layers.Softmax(), [(3, 5)], False),
    "softmax_axis": (lambda k: k.layers.Softmax(axis=1), [(2, 3, 4)], False),
    **{
        name: (_plain(name), [(2, 3), (2, 3)], False)
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    },
    "add_broadcast": (lambda k: k.layers.Add(), [(2, 3, 4), (2, 1, 4), (2, 4)], False),
    "concatenate_axis": (lambda k: k.layers.Concatenate(axis=1), [(2, 3, 4), (2, 1, 4)], False),
    "dot": (lambda k: k.layers.Dot(axes=1), [(2, 3), (2, 3)], False),
    "dot_cosine": (lambda k: k.layers.Dot(axes=1, normalize=True), [(2, 3), (2, 3)], False),
    "dot_axes": (lambda k: k.layers.Dot(axes=(2, 1)), [(2, 3, 4), (2, 4, 5)], False),
    "dot_same": (lambda k: k.layers.Dot(axes=2), [(2, 3, 4), (2, 5, 4)], False),
    "zero_padding1d": (lambda k: k.layers.ZeroPadding1D((1, 2)), [(2, 3, 4)], False),
    "zero_padding2d": (lambda k: k.layers.ZeroPadding2D(((1, 2), (0, 3))), [(2, 3, 4, 2)], False),
    "zero_padding2d_first": (
        lambda k: k.layers.ZeroPadding2D(1, data_format="channels_first"),
        [(2, 3, 4, 2)],
        False,
    ),
    "zero_padding3d": (lambda k: k.layers.ZeroPadding3D(1), [(1, 2, 3, 4, 2)], False),
    "cropping1d": (lambda k: k.layers.Cropping1D((1, 0)), [(2, 3, 4)], False),
    "cropping2d": (lambda k: k.layers.Cropping2D(((1, 1), (0, 2))), [(2, 5, 4, 2)], False),
    "cropping3d": (lambda k: k.layers.Cropping3D(1), [(1, 4, 3, 5, 2)], False),
    "upsampling1d": (lambda k: k.layers.UpSampling1D(3), [(2, 3, 4)], False),
    "upsampling2d": (lambda k: k.layers.UpSampling2D((2, 3)), [(2, 3, 4, 2)], False),
    "upsampling2d_bilinear": (
        lambda k: k.layers.UpSampling2D(2, interpolation="bilinear"),
        [(2, 3, 4, 2)],
        False,
    ),
    "upsampling2d_first": (
        lambda k: k.layers.UpSampling2D(2, data_format="channels_first"),
        [(2, 3, 4, 2)],
        False,
    ),
    "upsampling3d": (lambda k: k.layers.UpSampling3D(2), [(1, 2, 3, 2, 2)], False),
    "rescaling": (lambda k: k.layers.Rescaling(0.5, offset=-1.0), [(3, 5)], False),
    "normalization": (
        lambda k: k.layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 9.0]),
        [(3, 2)],
        False,
    ),
    "normalization_inverse": (
        lambda k: k.layers.Normalization(mean=1.0, variance=4.0, axis=None, invert=True),
        [(3, 2)],
        False,
    ),
    "masking": (lambda k: k.layers.Masking(0.5), [(2, 3, 4)], False),
    "spatial_dropout1d": (lambda k: k.layers.SpatialDropout1D(0.5), [(2, 3, 4)], False),
}
