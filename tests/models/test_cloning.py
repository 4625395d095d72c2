"""``clone_model``."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.models import clone_model


def functional():
    x = deepkit.Input((3,), name="x")
    h = layers.Dense(4, "relu", name="a")(x) * 2.0
    return deepkit.Model(x, layers.Add(name="sum")([h, layers.Dense(4, name="b")(x)]), name="m")


def sequential():
    return deepkit.Sequential([deepkit.Input((3,)), layers.Dense(4, name="a"), layers.Dense(2, name="b")], name="m")


@pytest.mark.parametrize("make", [functional, sequential])
def test_same_architecture_other_weights(make):
    model = make()
    clone = clone_model(model)
    assert type(clone) is type(model) and clone.name == "m"
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    assert not {id(v) for v in clone.weights} & {id(v) for v in model.weights}
    clone.set_weights(model.get_weights())
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(clone(x), model(x))


@pytest.mark.parametrize("make", [functional, sequential])
def test_compiled_like_the_model(make):
    model = make()
    assert not clone_model(model).compiled
    model.compile(deepkit.optimizers.Adam(0.25), "mse", metrics=["mae"])
    clone = clone_model(model)
    assert clone.compiled and float(clone.optimizer.learning_rate) == 0.25 and clone.optimizer is not model.optimizer
    clone.fit(np.ones((2, 3)), np.ones((2, model.output_shape[-1])), verbose=0)


def test_a_loss_that_has_no_configuration():
    model = sequential()
    model.compile("sgd", lambda y, p: y - p)
    with pytest.warns(UserWarning, match="not compiled"):
        assert not clone_model(model).compiled


@pytest.mark.parametrize("make", [functional, sequential])
def test_clone_function_and_inputs(make):
    seen = []

    def wider(layer):
        seen.append(layer.name)
        config = layer.get_config()
        return type(layer).from_config({**config, "activation": "tanh"} if "units" in config else config)

    new = deepkit.Input((3,), name="new")
    clone = clone_model(make(), input_tensors=new, clone_function=wider)
    assert clone.get_layer("a").activation is deepkit.activations.tanh and "a" in seen and "x" not in seen
    assert clone.input_shape == (None, 3)


def test_call_function():
    calls = []

    def call(layer, *args, **kwargs):
        calls.append(layer.name)
        return layer(*args, **kwargs)

    clone = clone_model(functional(), call_function=call)
    assert sorted(calls) == ["a", "b", "multiply", "sum"] and clone.output_shape == (None, 4)
    with pytest.raises(ValueError, match="call_function"):
        clone_model(sequential(), call_function=call)


def test_recursive():
    x = deepkit.Input((3,))
    inner = sequential()
    outer = deepkit.Model(x, layers.Dense(1, name="last")(inner(x)))
    names = []
    count = lambda layer: names.append(layer.name) or type(layer).from_config(layer.get_config())
    clone_model(outer, clone_function=count)
    assert sorted(names) == ["last", "m"]
    names.clear()
    clone = clone_model(outer, clone_function=count, recursive=True)
    assert sorted(names) == ["a", "b", "last"] and clone.get_layer("m").get_layer("a") is not inner.get_layer("a")


def test_shared_layers_stay_shared():
    x = deepkit.Input((3,))
    dense = layers.Dense(3)
    clone = clone_model(deepkit.Model(x, dense(dense(x))))
    assert len(clone.weights) == 2


class Own(deepkit.Model):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {"units": self.units, "name": self.name}


def test_subclassed():
    assert clone_model(Own(5)).units == 5
    with pytest.raises(ValueError, match="clone_function"):
        clone_model(Own(5), clone_function=lambda layer: layer)


@pytest.mark.parametrize("call, message", [
    (lambda: clone_model(5), "takes a model"), (lambda: clone_model(sequential(), other=1), "unknown arguments"),
    (lambda: clone_model(functional(), input_tensors=np.ones((2, 3))), "symbolic"),
    (lambda: clone_model(functional(), input_tensors=[deepkit.Input((3,))] * 2), "1 inputs"),
    (lambda: clone_model(sequential(), input_tensors=[deepkit.Input((3,))] * 2), "one input"),
])  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
