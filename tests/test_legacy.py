"""Names of older Kerases."""

from __future__ import annotations

import pytest

import deepkit
from deepkit import activations, layers, regularizers
from deepkit.legacy.saving import deserialize_keras_object, serialize_keras_object


@deepkit.saving.register_keras_serializable("pkg")
class Own:
    def __init__(self, inner=None, function=None, sizes=(1, 2)):
        self.inner, self.function, self.sizes = inner, function, sizes

    def get_config(self):
        return {"inner": self.inner, "function": self.function, "sizes": self.sizes}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def test_there_and_back():
    data = serialize_keras_object(Own(regularizers.L2(0.5), activations.relu))
    inner = {"class_name": "L2", "config": {"l2": 0.5}}
    assert data == {"class_name": "pkg>Own", "config": {"inner": inner, "function": "relu", "sizes": (1, 2)}}
    assert deserialize_keras_object(data).sizes == (1, 2)


def test_layers():
    dense = layers.Dense(3, "relu", name="d")
    again = deserialize_keras_object(serialize_keras_object(dense), {"Dense": layers.Dense})
    assert again.units == 3 and again.name == "d" and again.activation is activations.relu


def test_names():
    table = {"relu": activations.relu, "L2": regularizers.L2}
    assert deserialize_keras_object("relu", table) is activations.relu
    assert isinstance(deserialize_keras_object("L2", table), regularizers.L2)
    assert deserialize_keras_object("own", table, {"own": len}) is len
    assert deserialize_keras_object(len) is len and deserialize_keras_object(None) is None
    assert serialize_keras_object(None) is None and serialize_keras_object(activations.relu) == "relu"


@pytest.mark.parametrize("call, message", [
    (lambda: serialize_keras_object(3), "get_config"), (lambda: deserialize_keras_object(3), "name or a configuration"),
    (lambda: deserialize_keras_object({"config": {}}), "class_name"),
    (lambda: deserialize_keras_object("nothing", {}, printable_module_name="thing"), "Unknown thing"),
    (lambda: deserialize_keras_object({"class_name": "Nothing", "config": {}}), "Unknown class"),
])  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_other_homes():
    assert deepkit.utils.legacy.serialize_keras_object is serialize_keras_object
    assert deepkit.legacy.saving.serialize_keras_object is serialize_keras_object


@pytest.mark.parametrize("name", ["Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop", "SGD"])
def test_optimizers(name):
    with pytest.raises(ImportError, match=rf"Use keras\.optimizers\.{name}\."):
        getattr(deepkit.optimizers.legacy, name)(0.1)
