"""FeatureSpace against golden values of real Keras; adapting, models, files, wrong use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.utils import FeatureSpace
from tests.golden.categorical_cases import SPACES, TABLE

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = np.load(FOLDER / "categorical.npz")


def made(name):
    space = SPACES[name](deepkit)
    table = {key: TABLE[key] for key in space.features}
    space.adapt(table)
    return space, table, {key: values[:9] for key, values in table.items()}


def parts(y):
    return y.items() if isinstance(y, dict) else [("y", y)]


@pytest.mark.parametrize("name", SPACES)
def test_values(name, device, tmp_path):
    space, _, head = made(name)
    y = space(head)
    symbolic = dict(parts(space.get_encoded_features()))
    for key, value in parts(y):
        np.testing.assert_allclose(value.numpy(), GOLDEN[f"{name}/{key}"], rtol=1e-5, atol=1e-6)
        assert symbolic[key].shape[1:] == value.shape[1:] and symbolic[key].dtype == value.dtype
    one = space({key: values[0] for key, values in head.items()})
    for key, value in parts(one):
        np.testing.assert_allclose(value.numpy(), GOLDEN[f"{name}/{key}"][0], rtol=1e-5, atol=1e-6)
    space.save(tmp_path / "space.keras")
    copy = deepkit.saving.load_model(tmp_path / "space.keras")
    for key, value in parts(copy(head)):
        np.testing.assert_array_equal(value.numpy(), dict(parts(y))[key].numpy())


def test_a_file_of_keras(device):
    space = deepkit.saving.load_model(FOLDER / "feature_space.keras")
    y = space({key: TABLE[key][:9] for key in space.features})
    np.testing.assert_allclose(y.numpy(), GOLDEN["space_concat/y"], rtol=1e-5, atol=1e-6)


def test_batches_and_samples_adapt_alike(device):
    want, table, head = made("space_concat")
    for cut in (
        [{k: np.array(v[i : i + 30]) for k, v in table.items()} for i in range(0, 100, 30)],
        [{k: v[i] for k, v in table.items()} for i in range(100)],
    ):
        space = SPACES["space_concat"](deepkit)
        space.adapt(batch for batch in cut)
        np.testing.assert_allclose(space(head).numpy(), want(head).numpy(), rtol=1e-5, atol=1e-6)


def test_models_on_tables(device):
    deepkit.utils.set_random_seed(0)
    space, table, head = made("space_concat")
    model = deepkit.Model(space.get_inputs(), layers.Dense(1)(space.get_encoded_features()))
    model.compile("adam", "mse")
    x = {key: np.array(values) for key, values in table.items()}
    model.fit(x, np.ones(100), epochs=2, verbose=0)
    want = model.predict({key: values[:9] for key, values in x.items()}, verbose=0)
    np.testing.assert_allclose(model.layers[-1](space(head)).numpy(), want, rtol=1e-4, atol=1e-5)


def test_boundaries_given(device):
    space = FeatureSpace({"a": FeatureSpace.float_discretized(None, bin_boundaries=[0.0, 1.0])})
    assert space({"a": [-1.0, 0.5, 2.0]}).numpy().argmax(axis=1).tolist() == [0, 1, 2]


def test_layers_are_at_hand():
    space, _, _ = made("space_concat")
    assert space.preprocessors["b"].get_vocabulary() == ["[UNK]", "x", "z", "y"]
    assert isinstance(space.crossers["b_X_c"], layers.HashedCrossing)
    assert FeatureSpace.cross(("a", "b"), 8).name == "a_X_b"


@pytest.mark.parametrize("make, match", [
    (lambda: FeatureSpace({}), "empty"),
    (lambda: FeatureSpace({"a": "float64"}), "float64"),
    (lambda: FeatureSpace({"a": "float"}, output_mode="list"), "'list'"),
    (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "z")]), "'z'"),
    (lambda: FeatureSpace({"a": "float", "b": "float"}, crosses=[("a", "b")], crossing_dim=0), "crossing_dim"),
    (lambda: FeatureSpace({"a": "float_normalized"})({"a": [1.0]}), "adapt"),
    (lambda: FeatureSpace({"a": "float_normalized"}).adapt([1.0]), "dictionary"),
    (lambda: FeatureSpace({"a": "float_normalized"}).adapt({"b": [1.0]}), "lacks feature 'a'"),
    (lambda: FeatureSpace({"a": "float"})([1.0]), "dictionary"),
    (lambda: FeatureSpace({"a": "float"})({"b": [1.0]}), "lacks feature 'a'"),
    (lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, "int")})({"a": [1]}), "int64"),
    (lambda: FeatureSpace({"a": FeatureSpace.feature("float32", layers.Rescaling(2.0), "one_hot")})({"a": [1]}),
     "output_mode='one_hot'"),
    (lambda: FeatureSpace.feature("float32", layers.Rescaling(2.0), "two_hot"), "'two_hot'"),
    (lambda: FeatureSpace.cross(("a", "b"), 3, output_mode="count"), "'count'"),
])  # fmt: skip
def test_wrong_use_is_explained(make, match):
    with pytest.raises(ValueError, match=match):
        make()
