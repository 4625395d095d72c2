"""TextVectorization against golden values of real Keras on TensorFlow; functions of users; models on text; files."""

from __future__ import annotations

import zipfile
from pathlib import Path

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
    for x in (DOCUMENTS.tolist(), DOCUMENTS.astype(object), DOCUMENTS[:, None], coded, np.array(coded, object),
              DOCUMENTS.astype(np.dtypes.StringDType())):  # fmt: skip
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
    (lambda: layers.TextVectorization().adapt(iter([(DOCUMENTS, np.zeros(8))])), "x for x, y in data"),
    (lambda: layers.TextVectorization.from_config({"vocabulary": "/etc/hostname"}), "safe_mode"),
])  # fmt: skip
def test_wrong_use_is_explained(make, match):
    with pytest.raises(ValueError, match=match):
        make()


LABELS = np.array([0.0, 1.0] * 4, "float32")


def text_model(*first):
    vectorize = layers.TextVectorization(output_sequence_length=6, max_tokens=20)
    vectorize.adapt(DOCUMENTS)
    return deepkit.Sequential([*first, vectorize, layers.Embedding(20, 3),
                               layers.GlobalAveragePooling1D(), layers.Dense(1)])  # fmt: skip


@pytest.mark.parametrize("first", [[], [(1,)], [()]], ids=["nothing", "column", "scalars"])
def test_models_on_text(first, device):
    deepkit.utils.set_random_seed(0)
    model = text_model(*(deepkit.Input(shape, dtype="string") for shape in first))
    model.compile("adam", "mse")
    history = model.fit(DOCUMENTS, LABELS, epochs=3, batch_size=3, verbose=0, validation_data=(DOCUMENTS, LABELS))
    assert history.history["loss"][-1] < history.history["loss"][0]
    want = model.predict(DOCUMENTS, verbose=0)
    assert want.shape == (8, 1)
    np.testing.assert_allclose(model.predict(DOCUMENTS.tolist(), batch_size=5, verbose=0), want, rtol=1e-5, atol=1e-6)
    again = model.predict(DOCUMENTS.astype(np.dtypes.StringDType()), verbose=0)
    np.testing.assert_allclose(again, want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(DOCUMENTS), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(DOCUMENTS[:, None]).numpy(), want, rtol=1e-5, atol=1e-6)
    model.train_on_batch(DOCUMENTS[:2], LABELS[:2])
    assert model.evaluate(DOCUMENTS, LABELS, verbose=0) > 0


def test_text_beside_numbers(device):
    text, number = deepkit.Input((1,), dtype="string", name="text"), deepkit.Input((2,), name="number")
    counts = layers.TextVectorization(output_mode="tf_idf")
    counts.adapt(DOCUMENTS)
    model = deepkit.Model([text, number], layers.Dense(1)(layers.Concatenate()([counts(text), number])))
    model.compile("sgd", "mse")
    x = {"text": DOCUMENTS, "number": np.ones((8, 2), "float32")}
    model.fit(x, LABELS, verbose=0)
    assert model.predict(x, verbose=0).shape == (8, 1)
    with pytest.raises(ValueError, match="takes dtype string"):
        model.predict({**x, "text": np.ones(8)}, verbose=0)
    with pytest.raises(ValueError, match="takes dtype float32"):
        model.predict({"text": DOCUMENTS, "number": DOCUMENTS}, verbose=0)


def test_a_file_of_keras(device, tmp_path):
    path = Path(__file__).parents[1] / "golden" / "text_model.keras"
    model = deepkit.saving.load_model(path)
    np.testing.assert_allclose(model.predict(GOLDEN["model/x"], verbose=0), GOLDEN["model/y"], rtol=1e-6)
    model.save(tmp_path / "again.keras")
    with zipfile.ZipFile(path) as theirs, zipfile.ZipFile(tmp_path / "again.keras") as mine:
        assert set(theirs.namelist()) == set(mine.namelist())
        for name in theirs.namelist():
            assert not name.startswith("assets/") or theirs.read(name) == mine.read(name)
    copy = deepkit.saving.load_model(tmp_path / "again.keras")
    np.testing.assert_allclose(copy.predict(GOLDEN["model/x"], verbose=0), GOLDEN["model/y"], rtol=1e-6)


def test_training_goes_on_after_loading(device, tmp_path):
    model = text_model()
    model.compile("adam", "mse")
    model.fit(DOCUMENTS, LABELS, verbose=0)
    model.save(tmp_path / "text.keras")
    copy = deepkit.saving.load_model(tmp_path / "text.keras")
    np.testing.assert_array_equal(copy.predict(DOCUMENTS, verbose=0), model.predict(DOCUMENTS, verbose=0))
    for m in (model, copy):
        m.fit(DOCUMENTS, LABELS, verbose=0, shuffle=False)
    np.testing.assert_allclose(copy.predict(DOCUMENTS, verbose=0), model.predict(DOCUMENTS, verbose=0), rtol=1e-6)


@pytest.mark.parametrize("name", ["assets/../../evil.txt", "assets//evil", "assets/layers/..\\evil", "assets/c:evil"])
def test_assets_stay_in_their_directory(name, tmp_path):
    model = text_model(deepkit.Input((1,), dtype="string"))
    model.save(tmp_path / "text.keras")
    with zipfile.ZipFile(tmp_path / "text.keras", "a") as archive:
        archive.writestr(name, "evil")
    with pytest.raises(ValueError, match="refused"):
        deepkit.saving.load_model(tmp_path / "text.keras")


def test_a_layer_of_ones_own_keeps_files(tmp_path):
    @deepkit.saving.register_keras_serializable("tests")
    class Motto(layers.Layer):
        motto = ""

        def call(self, x):
            return x

        def save_assets(self, directory):
            (Path(directory) / "deep").mkdir()
            (Path(directory) / "deep" / "motto.txt").write_text(self.motto)

        def load_assets(self, directory):
            self.motto = (Path(directory) / "deep" / "motto.txt").read_text()

    layer = Motto()
    layer.motto = "per aspera"
    deepkit.Sequential([deepkit.Input((2,)), layer]).save(tmp_path / "m.keras")
    assert deepkit.saving.load_model(tmp_path / "m.keras").layers[0].motto == "per aspera"
