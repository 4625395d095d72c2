"""Functional models that call ops outside of layers: saved, cloned, and read from real Keras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from tests.golden.op_node_cases import CASES

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = np.load(FOLDER / "op_nodes.npz")
KERAS = json.loads((FOLDER / "op_nodes.json").read_text())["models"]
X = GOLDEN["x"]


@pytest.mark.parametrize("name", CASES)
def test_round_trip_and_models_of_keras(name: str, tmp_path: Path) -> None:
    inputs = layers.Input((4, 3))
    model = deepkit.Model(inputs, CASES[name](ops, inputs))
    wanted = model(X).numpy()
    np.testing.assert_allclose(wanted, GOLDEN[name], rtol=1e-4, atol=1e-5)
    again = deepkit.models.model_from_json(model.to_json())
    np.testing.assert_array_equal(again(X).numpy(), wanted)
    np.testing.assert_array_equal(deepkit.models.model_from_json(again.to_json())(X).numpy(), wanted)
    np.testing.assert_array_equal(deepkit.models.clone_model(model)(X).numpy(), wanted)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(deepkit.saving.load_model(tmp_path / "m.keras")(X).numpy(), wanted)
    theirs = deepkit.models.model_from_json(json.dumps(KERAS[name]))
    np.testing.assert_allclose(theirs(X).numpy(), GOLDEN[name], rtol=1e-4, atol=1e-5)


def test_between_layers_and_trained() -> None:
    inputs = layers.Input((4, 3))
    h = layers.Dense(5)(inputs)
    h = ops.relu(h)[:, :2] * 0.5 + ops.mean(h, axis=1, keepdims=True)
    model = deepkit.Model(inputs, layers.Dense(1)(ops.reshape(h, (-1, 10))))
    again = deepkit.Model.from_config(model.get_config())
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    again.set_weights(model.get_weights())
    for m in (model, again):
        m.compile("sgd", "mse")
    fit = {"epochs": 3, "shuffle": False, "verbose": 0}  # the order of the samples decides the last bits
    losses = [m.fit(X, np.ones((2, 1)), **fit).history["loss"] for m in (model, again)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"module": "keras.src.ops.core", "class_name": "WhileLoop", "config": {"name": "w"}}, "Unknown operation"),
        ({"module": "keras.src.ops.numpy", "class_name": "__import__", "config": {"name": "w"}}, "Unknown operation"),
        ({"module": "keras.src.ops.os", "class_name": "System", "config": {"name": "w"}}, "Unknown operation"),
        ({"module": "keras.src.ops.numpy", "class_name": "Mean", "config": ["name"]}, "dictionary"),
    ],
)
def test_unknown_operations(entry: dict[str, Any], words: str) -> None:
    inputs = layers.Input((4, 3))
    config = deepkit.Model(inputs, inputs * 2).get_config()
    place = next(i for i, e in enumerate(config["layers"]) if "ops" in e["module"])
    config["layers"][place] = {**config["layers"][place], **entry}
    with pytest.raises(ValueError, match=words):
        deepkit.Model.from_config(config)


def test_ops_that_keras_has_no_operation_for() -> None:
    from deepkit.ops.recurrent import lstm

    inputs = layers.Input((4, 8))
    model = deepkit.Model(inputs, lstm(inputs, np.ones((2, 8), "float32"), None, None, None, None)[0])
    with pytest.raises(NotImplementedError, match="'LSTM' outside of a layer.*Layer of your own"):
        model.get_config()
