"""Configurations of models with edits that bytes choose: nearly all get past the parser, and far into the loader."""

from __future__ import annotations

import copy
import functools
import json
from typing import Any

import deepkit
from deepkit import layers

#: Values that are put in the place of others.
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 255, 65536, 2**31, 2**63, 10**12, 10**30, 0.5, -0.5, 1e308,
    float("nan"), float("inf"),
    "", "x", "relu", "same", "valid", "float16", "int8", "string", "channels_first", "../x", "/etc/passwd",
    "http://127.0.0.1/x",
    [], {}, [[]], [None], [1], [-1], [0, 0], [2, 2], [None, 3], [None, None, 3], [1, 2, 3, 4, 5], [10**6,
    10**6], ["a", "b"],
    {"a": 1}, {"class_name": "Dense", "config": {"units": 3}}, {"class_name": "Zeros", "config": {}},
    {"class_name": "__lambda__", "config": {"code": "4wAA"}}, {"class_name": "__tuple__", "config": [1, 2]},
    {"class_name": "__slice__", "config": {"start": 0, "stop": 1, "step": 1}},
    {"class_name": "__ellipsis__", "config": {}},
    {"class_name": "__numpy__", "config": {"value": [1.0, 2.0], "dtype": "float32"}},
    {"class_name": "__bytes__", "config": {"value": "x"}},
    {"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "dtype": "float32",
    "keras_history": ["input", 0, 0]}},
]  # fmt: skip


def _vision() -> Any:
    return deepkit.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Rescaling(0.5),
            layers.RandomFlip(),
            layers.Conv2D(2, 3, padding="same", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(2),
            layers.Conv2DTranspose(2, 2, strides=2),
            layers.MaxPooling2D(),
            layers.UpSampling2D(),
            layers.ZeroPadding2D(1),
            layers.Cropping2D(1),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(2, "softmax"),
        ]
    )


def _sequence() -> Any:
    return deepkit.Sequential(
        [
            layers.Input((4,), dtype="int32"),
            layers.Embedding(5, 3, mask_zero=True),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.GRU(2, return_sequences=True),
            layers.RNN(layers.SimpleRNNCell(2), return_sequences=True),
            layers.TimeDistributed(layers.Dense(3)),
            layers.Conv1D(2, 2, padding="causal"),
            layers.LayerNormalization(),
            layers.Reshape((2, 4)),
            layers.Permute((2, 1)),
            layers.Flatten(),
            layers.PReLU(),
        ]
    )


def _graph() -> Any:
    a, b = layers.Input((4, 4), name="input"), layers.Input((4, 4), name="other")
    shared = layers.Dense(4, name="shared")
    x = layers.MultiHeadAttention(2, 2, name="attention")(shared(a), shared(b))
    x = layers.Add(name="add")([x, a]) * 2.0 + deepkit.ops.reshape(b, (-1, 4, 4))
    x = layers.Concatenate(name="concatenate")([x, b])
    inner = deepkit.Sequential(
        [layers.Input((4, 8)), layers.EinsumDense("abc,cd->abd", (None, 3))], name="inner"
    )
    return deepkit.Model(
        [a, b], {"y": inner(x), "z": layers.GroupNormalization(2, name="group")(x)}, name="graph"
    )


def _text() -> Any:
    return deepkit.Sequential(
        [
            layers.Input((1,), dtype="string"),
            layers.TextVectorization(vocabulary=["one", "two"], output_sequence_length=3),
            layers.CategoryEncoding(5),
            layers.Discretization([0.0, 1.0]),
            layers.Normalization(mean=0.0, variance=1.0),
        ]
    )


def _pictures() -> Any:
    return deepkit.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Resizing(6, 6),
            layers.RandomCrop(4, 4),
            layers.RandomRotation(0.1),
            layers.RandomContrast(0.5),
            layers.RandAugment(num_ops=1),
            layers.SeparableConv2D(2, 2),
            layers.ConvLSTM1D(2, 2, return_sequences=True),
            layers.GaussianDropout(0.1),
            layers.UnitNormalization(),
            layers.AdaptiveAveragePooling2D((2, 1)),
            layers.Flatten(),
        ]
    )


def _more() -> Any:
    x = inputs = layers.Input((5, 4), name="input")
    x = layers.Conv1D(4, 2, padding="causal", kernel_constraint="max_norm")(x)
    x = layers.SpectralNormalization(layers.Dense(4))(x)
    x = layers.GroupQueryAttention(2, 2, 1)(x, x)
    x = layers.Attention()([x, x])
    x = deepkit.ops.concatenate([x[:, :2], deepkit.ops.repeat(x, 2, axis=1)[:, :3]], axis=1)
    x = layers.RNN(layers.StackedRNNCells([layers.LSTMCell(2), layers.GRUCell(3)]))(x)
    x = layers.Dot(1)([x, layers.RepeatVector(1)(x)[:, 0]])
    return deepkit.Model(inputs, x, name="more")


@functools.cache
def bases() -> list[Any]:
    """Configurations as they are saved."""
    models = [_vision(), _sequence(), _graph(), _text(), _pictures(), _more()]
    models[0].compile(
        deepkit.optimizers.Adam(deepkit.optimizers.schedules.CosineDecay(0.1, 9)), "mse", ["accuracy"]
    )
    models[1].compile("rmsprop", deepkit.losses.Huber(2.0), metrics=[deepkit.metrics.AUC(num_thresholds=5)])
    return [json.loads(m.to_json()) if m.built else deepkit.saving.serialize_keras_object(m) for m in models]


def _places(tree: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        found.append((tree, key))
        if isinstance(tree[key], (dict, list)):
            _places(tree[key], found)
    return found


class _Bytes:
    def __init__(self, data: bytes):
        self._data, self._at = data, 0

    def below(self, end: int) -> int:
        """A number that the next two bytes choose."""
        chosen = self._data[self._at : self._at + 2]
        self._at += 2
        return int.from_bytes(chosen, "little") % max(1, end)

    def more(self) -> bool:
        return self._at < len(self._data)


def edited(data: bytes) -> Any:
    """A configuration with the edits that the bytes describe."""
    source = _Bytes(data)
    config = copy.deepcopy(bases()[source.below(len(bases()))])
    for _ in range(8):
        if not source.more():
            break
        places = _places(config, [])
        if not places:
            break
        holder, key = places[source.below(len(places))]
        kind = source.below(8)
        if kind <= 3:
            holder[key] = copy.deepcopy(ODD[source.below(len(ODD))])
        elif kind == 4:
            other, inner = places[source.below(len(places))]
            holder[key] = copy.deepcopy(other[inner])
        elif kind == 5:
            del holder[key]
        elif kind == 6 and isinstance(holder[key], list) and len(holder[key]) < 100:
            holder[key] = holder[key] * source.below(20)
        elif kind == 7 and isinstance(holder, dict):
            holder[str(ODD[source.below(len(ODD))])] = holder.pop(key)
    return config
