"""Functional models: graphs of all shapes, nesting, sharing, names, configuration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops


def diamond():
    x = deepkit.Input((4,), name="x")
    a = layers.Dense(3, activation="relu", name="a")(x)
    b = layers.Dense(3, name="b")(x)
    return deepkit.Model(x, layers.Dense(1, name="out")(layers.Add(name="add")([a, b])), name="diamond")


def test_diamond_equals_the_calls_by_hand(device):
    model = diamond()
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    a, b, out = (model.get_layer(n) for n in ("a", "b", "out"))
    np.testing.assert_allclose(model(x).numpy(), out(a(x) + b(x)).numpy(), rtol=1e-6)
    assert [layer.name for layer in model.layers] == ["x", "a", "b", "add", "out"]
    assert model.input_shape == (None, 4) and model.output_shape == (None, 1)
    assert model.count_params() == 15 + 15 + 4


def test_several_inputs_and_outputs_as_lists_and_dicts(device):
    p, q = deepkit.Input((2,), name="p"), deepkit.Input((3,), name="q")
    joined = layers.Concatenate()([p, q])
    first, second = layers.Dense(1, name="first")(joined), layers.Dense(2, name="second")(joined)
    model = deepkit.Model([p, q], {"one": first, "two": second})
    data = {"p": np.ones((4, 2)), "q": np.ones((4, 3))}
    by_name = model(data)
    by_position = model([data["p"], data["q"]])
    assert set(by_name) == {"one", "two"} and by_name["two"].shape == (4, 2)
    np.testing.assert_array_equal(by_name["one"].numpy(), by_position["one"].numpy())
    with pytest.raises(ValueError, match="no data for input 'q'"):
        model({"p": data["p"]})
    with pytest.raises(ValueError, match="2 input"):
        model([data["p"]])


def test_ops_in_the_graph_and_shared_layers(device):
    shared = layers.Dense(3, name="shared")
    x, y = deepkit.Input((3,)), deepkit.Input((3,))
    distance = ops.sqrt(ops.sum(ops.square(shared(x) - shared(y)), axis=1, keepdims=True) + 1e-6)
    model = deepkit.Model([x, y], 1 / (1 + distance))
    assert len(model.trainable_weights) == 2
    a, b = np.random.default_rng(1).normal(size=(2, 6, 3)).astype("float32")
    expected = 1 / (1 + np.sqrt(((a - b) @ shared.kernel.numpy()) ** 2 @ np.ones((3, 1)) + 1e-6))
    np.testing.assert_allclose(model([a, b]).numpy(), expected, rtol=1e-4)


def test_nested_models(device):
    inner = deepkit.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)], name="inner")
    x = deepkit.Input((3,))
    outer = deepkit.Model(x, layers.Dense(1)(inner(x)))
    whole = deepkit.Sequential([outer, layers.Activation("sigmoid")])
    z = np.ones((2, 3), "float32")
    np.testing.assert_allclose(whole(z).numpy(), 1 / (1 + np.exp(-outer(z).numpy())), rtol=1e-6)
    assert len(whole.trainable_weights) == 6
    assert inner.get_layer(index=0).built


def test_feature_extraction_from_a_sequential_model(device):
    model = deepkit.Sequential([deepkit.Input((4,)), layers.Dense(3, name="features"), layers.Dense(1)])
    features = deepkit.Model(model.inputs, model.get_layer("features").output)
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(features(x).numpy(), model.layers[0](x).numpy())


def test_subclass_with_symbolic_inputs(device):
    class Wrapped(deepkit.Model):
        def __init__(self):
            x = deepkit.Input((3,))
            super().__init__(inputs=x, outputs=layers.Dense(2)(x))
            self.extra = "kept"

    model = Wrapped()
    assert isinstance(model, Wrapped) and model.extra == "kept"
    assert model(np.ones((1, 3))).shape == (1, 2)


def test_configuration_round_trip(device):
    model = diamond()
    clone = deepkit.Model.from_config(model.get_config())
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    clone.set_weights(model.get_weights())
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(clone(x).numpy(), model(x).numpy())
    again = deepkit.models.model_from_json(model.to_json())
    assert again.get_config() == model.get_config()
    other = deepkit.models.clone_model(model, clone_function=lambda layer: type(layer).from_config(layer.get_config()))
    assert other.count_params() == model.count_params() and other.layers[1] is not model.layers[1]


def test_disconnected_graph(device):
    x, y = deepkit.Input((2,)), deepkit.Input((2,))
    with pytest.raises(ValueError, match="disconnected"):
        deepkit.Model(x, layers.Add()([x, y]))


def test_two_layers_with_one_name():
    x = deepkit.Input((2,))
    with pytest.raises(ValueError, match="named 'same'"):
        deepkit.Model(x, layers.Dense(1, name="same")(layers.Dense(2, name="same")(x)))
    with pytest.raises(ValueError, match="named 'same'"):
        deepkit.Sequential([layers.Dense(1, name="same"), layers.Dense(1, name="same")])


def test_deep_chain_does_not_recurse():
    x = y = deepkit.Input((1,))
    for _ in range(1500):
        y = layers.Activation("linear")(y)
    assert deepkit.Model(x, y)(np.ones((1, 1))).shape == (1, 1)


def test_input_of_another_shape_or_rank(device):
    model = deepkit.Model(*(lambda x: (x, layers.Dense(1)(x)))(deepkit.Input((4,), name="features")))
    with pytest.raises(ValueError, match=r"'features' should have shape \(None, 4\).*\(2, 5\)"):
        model(np.ones((2, 5)))
    column = deepkit.Model(*(lambda x: (x, layers.Dense(1)(x)))(deepkit.Input((1,))))
    assert column(np.ones(3)).shape == (3, 1)


def test_summary(capsys):
    diamond().summary()
    text = capsys.readouterr().out
    assert "diamond" in text and "add (Add)" in text and "a[0][0]" in text
    assert "Total params: 34" in text
    model = deepkit.Sequential([deepkit.Input((4,)), layers.Dense(2)])
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert "(None, 2)" in lines[0] and "10" in lines[0]


@pytest.mark.parametrize("given", [{}, {"training": True}, {"training": False}, {"training": None}])
def test_training_reaches_layers(given: dict[str, Any]) -> None:
    """What the model is told counts for all of its layers, and only without that what a layer was called with."""
    x = np.ones((2, 8), "float32")
    inputs = deepkit.Input((8,))
    model = deepkit.Model(inputs, layers.Dropout(0.5, seed=1)(inputs, **given))
    inner = deepkit.Input((8,))
    nested = deepkit.Model(inner, model(inner))
    for found in (model, nested, deepkit.Model.from_config(model.get_config())):
        dropped = [bool((found(x, training=t).numpy() != 1).any()) for t in (True, False, None)]
        assert dropped == [True, False, given.get("training") is True]
        assert (found.predict(x, verbose=0) == 1).all()


def test_random_layers_are_on_in_fit() -> None:
    x = np.ones((2, 8), "float32")
    inputs = deepkit.Input((8,))
    drop = layers.Dropout(0.5, seed=1)
    model = deepkit.Model(inputs, drop(layers.Dense(8)(inputs)))
    before = drop.seed_generator.state.numpy().tolist()
    model.compile("sgd", "mse")
    model.fit(x, x, verbose=0)
    assert drop.seed_generator.state.numpy().tolist() != before
