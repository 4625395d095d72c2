"""TextVectorization against golden values of real Keras on TensorFlow; functions of users; models on text; files."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers
from tests.golden.categorical_cases import DOCUMENTS, TEXTS
from tests.layers.test_categorical import GOLDEN, check, values


@pytest.mark.parametrize("name", TEXTS)
def test_values(name, device, tmp_path):
    make, data, inputs = TEXTS[name]
    layer, y = check(name, make, data, inputs)
    assert layer.get_vocabulary() == GOLDEN[f"{name}/vocabulary"].tolist()
    assert layer.get_vocabulary(include_special_tokens=False) == GOLDEN[f"{name}/plain"].tolist()
    copy, store = type(layer).from_config(layer.get_config()), {}
    layer.save_own_variables(store)
    copy.load_own_variables(store)
    layer.save_assets(tmp_path)
    copy.load_assets(tmp_path)
    np.testing.assert_array_equal(values(copy(inputs)), values(y))


def test_kinds_of_input(device):
    layer = layers.TextVectorization()
    layer.adapt(DOCUMENTS)
    want = layer(DOCUMENTS).numpy()
    coded = [t.encode() for t in DOCUMENTS.tolist()]
    for x in (DOCUMENTS.tolist(), DOCUMENTS.astype(object), DOCUMENTS[:, None], coded, np.array(coded, object)):
        np.testing.assert_array_equal(layer(x).numpy(), want)
    assert layer("the quick fox").numpy().tolist() == layer(["the quick fox"]).numpy()[0].tolist()
    assert layer(np.empty((0,), object)).shape == (0, 0)
    assert layer([""]).shape == (1, 0)


def test_functions_of_users(device):
    layer = layers.TextVectorization(
        standardize=lambda texts: np.char.replace(np.char.lower(texts), "<br>", " "),
        split=lambda texts: [t.split("-") for t in texts],
    )
    layer.adapt(["A-b<br>c", "b"])
    assert layer.get_vocabulary() == ["", "[UNK]", "b c", "b", "a"]
    assert layer(["B-A"]).numpy().tolist() == [[3, 4]]


@deepkit.saving.register_keras_serializable("tests")
def _shout(texts):
    return np.char.upper(texts)


def test_a_registered_function_survives_its_configuration(device):
    layer = layers.TextVectorization(standardize=_shout, vocabulary=["A", "B"], ngrams=(1, 2))
    config = deepkit.saving.serialize_keras_object(layer)
    copy = deepkit.saving.deserialize_keras_object(config)
    assert copy(["a b"]).numpy().tolist() == layer(["a b"]).numpy().tolist() == [[2, 3, 1]]


@pytest.mark.parametrize("make, match", [
    (lambda: layers.TextVectorization(standardize="upper"), "'upper'"),
    (lambda: layers.TextVectorization(split="words"), "'words'"),
    (lambda: layers.TextVectorization(ngrams="2"), "ngrams"),
    (lambda: layers.TextVectorization(ngrams=True), "ngrams"),
    (lambda: layers.TextVectorization(ragged=True), "ragged"),
    (lambda: layers.TextVectorization(sparse=True, output_mode="count"), "sparse"),
    (lambda: layers.TextVectorization(output_mode="bag"), "'bag'"),
    (lambda: layers.TextVectorization(output_sequence_length=3, output_mode="count"), "output_sequence_length=3"),
    (lambda: layers.TextVectorization(output_sequence_length="3"), "'3'"),
    (lambda: layers.TextVectorization(vocabulary=["a", "a"]), "more than once"),
    (lambda: layers.TextVectorization(vocabulary=["a"])([["a", "b"]]), "batch, 1"),
    (lambda: layers.TextVectorization(vocabulary=["a"])([1, 2]), "IntegerLookup"),
    (lambda: layers.TextVectorization(vocabulary=["a"]).adapt(["b"]), "adapted"),
    (lambda: layers.TextVectorization.from_config({"vocabulary": "/etc/hostname"}), "safe_mode"),
])  # fmt: skip
def test_wrong_use_is_explained(make, match):
    with pytest.raises(ValueError, match=match):
        make()
