"""Layers for categories against golden values of real Keras on TensorFlow; kinds of input; wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.autograd.spec import Spec
from tests.golden.categorical_cases import HASHES, LOOKUPS, WORDS

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "categorical.npz")


def adapted(make, data):
    layer = make(deepkit)
    if data is not None:
        layer.adapt((b for b in data) if isinstance(data, list) and not isinstance(data[0], str) else data)
    return layer


def values(y):
    """Outputs as NumPy arrays."""
    return y.numpy() if hasattr(y, "numpy") else np.asarray(y)


def specs(x):
    """Symbolic stand-ins of inputs, with an unknown batch."""
    if isinstance(x, list) and isinstance(x[0], np.ndarray):
        return [specs(part) for part in x]
    x = np.asarray(x)
    return Spec((None, *x.shape[1:]), "string" if x.dtype.kind in "OUS" else x.dtype.name)


def rounded(config):
    """Boundaries to six digits, tuples as lists."""
    if config.get("bin_boundaries"):
        config["bin_boundaries"] = [float(f"{b:.6g}") for b in config["bin_boundaries"]]
    if isinstance(config.get("ngrams"), dict):
        config["ngrams"] = config["ngrams"]["config"]
    return config


def carries_vocabulary(layer):
    """Whether the configuration holds an adapted vocabulary: where Keras's file of lines would garble it."""
    tokens = layer.get_vocabulary() if hasattr(layer, "get_vocabulary") else []
    if not tokens or layer.input_vocabulary is not None:
        return False
    return tokens[-1] == "" or any(t.splitlines() != [t] for t in tokens if t and isinstance(t, str))


def check(name, make, data, inputs):
    """A layer gives Keras's values, configuration and symbolic shape; so does its copy."""
    layer = adapted(make, data)
    y = layer(inputs)
    if values(y).dtype.kind in "OU":
        np.testing.assert_array_equal(values(y).astype(str), GOLDEN[f"{name}/y"])
    else:
        np.testing.assert_allclose(values(y), GOLDEN[f"{name}/y"], rtol=1e-6)
    symbolic = layer(specs(inputs))
    assert len(symbolic.shape) == values(y).ndim
    assert all(n in (None, m) for n, m in zip(symbolic.shape, values(y).shape))
    assert symbolic.dtype == (y.dtype if hasattr(y, "numpy") else "string")
    config = layer.get_config()
    wanted = json.loads(str(GOLDEN[f"{name}/config"]))
    mine = {k: v for k, v in config.items() if k not in ("name", "dtype")}
    for key in ("vocabulary", "idf_weights") if carries_vocabulary(layer) else ():
        assert wanted.pop(key) is None
        mine.pop(key)
    assert rounded(json.loads(json.dumps(deepkit.saving.serialize_keras_object(mine)))) == rounded(wanted)
    return layer, y


@pytest.mark.parametrize("name", HASHES)
def test_values(name, device):
    make, data, inputs = HASHES[name]
    layer, y = check(name, make, data, inputs)
    assert y.dtype == GOLDEN[f"{name}/y"].dtype.name
    if f"{name}/bins" in GOLDEN:
        np.testing.assert_allclose(layer.bin_boundaries, GOLDEN[f"{name}/bins"], rtol=1e-6)
    copy = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(copy(inputs).numpy(), y.numpy())


@pytest.mark.parametrize("name", LOOKUPS)
def test_lookups(name, device, tmp_path):
    make, data, inputs = LOOKUPS[name]
    layer, y = check(name, make, data, inputs)
    assert layer.get_vocabulary() == GOLDEN[f"{name}/vocabulary"].tolist()
    assert layer.get_vocabulary(include_special_tokens=False) == GOLDEN[f"{name}/plain"].tolist()
    assert layer.vocabulary_size() == len(layer.get_vocabulary())
    copy, store = type(layer).from_config(layer.get_config()), {}
    layer.save_own_variables(store)
    copy.load_own_variables(store)
    layer.save_assets(tmp_path)
    copy.load_assets(tmp_path)
    np.testing.assert_array_equal(values(copy(inputs)), values(y))


def test_lists_arrays_bytes_and_tensors_give_the_same(device):
    hashing = layers.Hashing(7)
    want = hashing(WORDS).numpy()
    for x in (WORDS.tolist(), WORDS.astype(object), np.char.encode(WORDS, "utf-8"),
              np.array([[w.encode() for w in row] for row in WORDS], object)):  # fmt: skip
        np.testing.assert_array_equal(hashing(x).numpy(), want)
    ids = np.array([[1, 2], [3, 4]])
    want = hashing(ids).numpy()
    for x in (ids.tolist(), ids.astype("int32"), deepkit.ops.convert_to_tensor(ids), ids.astype("float32")):
        np.testing.assert_array_equal(hashing(x).numpy(), want)
    np.testing.assert_array_equal(layers.CategoryEncoding(5)(ids.astype("float32")).numpy(),
                                  layers.CategoryEncoding(5)(ids).numpy())  # fmt: skip


def test_scalars_and_empty_batches(device):
    assert layers.Hashing(7)("word").shape == ()
    assert layers.Hashing(7)(np.empty((0, 3), object)).shape == (0, 3)
    assert layers.CategoryEncoding(4)(3).numpy().tolist() == [0, 0, 0, 1]
    assert layers.CategoryEncoding(4)(np.empty((0, 3), "int64")).shape == (0, 4)
    assert layers.Discretization([0.0])(np.empty((0, 2))).shape == (0, 2)
    assert layers.HashedCrossing(3)(("a", "b")).shape == ()


def test_count_weights(device):
    layer = layers.CategoryEncoding(4, output_mode="count")
    y = layer([[0, 1], [0, 0], [1, 2]], count_weights=np.array([[0.1, 0.2], [0.1, 0.1], [0.2, 0.3]]))
    np.testing.assert_allclose(y.numpy(), [[0.1, 0.2, 0, 0], [0.2, 0, 0, 0], [0, 0.2, 0.3, 0]], rtol=1e-6)


def test_adapt_reads_some_batches_only():
    layer = layers.Discretization(num_bins=2)
    layer.adapt((np.full(4, float(i)) for i in range(5)), steps=2)
    assert layer.bin_boundaries == [0.0]


def test_inside_models(device):
    words = deepkit.Input((1,), dtype="string")
    ids = deepkit.Input((1,), dtype="int32")
    crossed = layers.HashedCrossing(5, output_mode="one_hot")([words, ids])
    hashed = layers.Hashing(4, output_mode="one_hot")(words)
    model = deepkit.Model([words, ids], layers.Concatenate()([crossed, hashed]))
    x = [np.array([["a"], ["b"], ["a"]]), np.array([[1], [2], [3]])]
    assert model.predict(x, verbose=0).sum(axis=1).tolist() == [2, 2, 2]


@pytest.mark.parametrize("make, match", [
    (lambda: layers.Discretization(), "num_bins"),
    (lambda: layers.Discretization([0.0], num_bins=2), "num_bins=2"),
    (lambda: layers.Discretization([1.0, 0.0]), "ascend"),
    (lambda: layers.Discretization([0.0], output_mode="multihot"), "'multihot'"),
    (lambda: layers.Discretization([0.0], output_mode="one_hot", sparse=True), "sparse"),
    (lambda: layers.Discretization(num_bins=3)([1.0]), "adapt"),
    (lambda: layers.Discretization([0.0]).adapt([1.0]), "num_bins"),
    (lambda: layers.Discretization([0.0])(["a"]), "strings"),
    (lambda: layers.Discretization(num_bins=3).adapt(np.empty(0)), "empty"),
    (lambda: layers.CategoryEncoding(), "num_tokens"),
    (lambda: layers.CategoryEncoding(0), "num_tokens=0"),
    (lambda: layers.CategoryEncoding(3, output_mode="int"), "'int'"),
    (lambda: layers.CategoryEncoding(3)([3]), "to 3"),
    (lambda: layers.CategoryEncoding(3)([-1]), "from -1"),
    (lambda: layers.CategoryEncoding(3)([0.5]), "fractions"),
    (lambda: layers.CategoryEncoding(3)(["a"]), "StringLookup"),
    (lambda: layers.CategoryEncoding(3)([1], count_weights=[1.0]), "count_weights"),
    (lambda: layers.Hashing(0), "num_bins=0"),
    (lambda: layers.Hashing(3, salt="x"), "'x'"),
    (lambda: layers.Hashing(3, dtype="float32"), "int32"),
    (lambda: layers.Hashing(3)([["a"], ["b", "c"]]), "differ in length"),
    (lambda: layers.HashedCrossing(3, output_mode="count"), "'count'"),
    (lambda: layers.HashedCrossing(3)([["a"]]), "two inputs"),
    (lambda: layers.HashedCrossing(3)((["a"], ["a", "b"])), "shape"),
    (lambda: layers.HashedCrossing(3)(([["a", "b"]], [["a", "b"]])), "batch, 1"),
    (lambda: layers.HashedCrossing(3)((["a"], [1.5])), "float64"),
    (lambda: layers.StringLookup(max_tokens=1), "max_tokens=1"),
    (lambda: layers.StringLookup(num_oov_indices=-1), "num_oov_indices=-1"),
    (lambda: layers.StringLookup(pad_to_max_tokens=True), "max_tokens=None"),
    (lambda: layers.StringLookup(output_mode="idf"), "'idf'"),
    (lambda: layers.StringLookup(output_mode="count", invert=True), "invert=True"),
    (lambda: layers.StringLookup(sparse=True, output_mode="count"), "sparse"),
    (lambda: layers.StringLookup(idf_weights=[1.0]), "tf_idf"),
    (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"), "idf_weights"),
    (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=[1.0, 2.0]), "as long as"),
    (lambda: layers.StringLookup(vocabulary=["a", "b", "a"]), "more than once"),
    (lambda: layers.StringLookup(vocabulary=[]), "empty"),
    (lambda: layers.StringLookup(vocabulary=["a", 1]), "strings"),
    (lambda: layers.StringLookup(vocabulary=["a", ""], mask_token=""), "out of place"),
    (lambda: layers.StringLookup(vocabulary=["a", "[UNK]"], invert=True), "out of place"),
    (lambda: layers.StringLookup(vocabulary=["a", "b"], max_tokens=2), "max_tokens=2"),
    (lambda: layers.StringLookup(vocabulary="no/such/file.txt"), "no/such/file.txt"),
    (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), "num_oov_indices=0"),
    (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]), "adapted"),
    (lambda: layers.StringLookup(vocabulary=["a"], invert=True)(["a"]), "integers"),
    (lambda: layers.StringLookup(vocabulary=["a"], colour="red"), "colour"),
    (lambda: layers.StringLookup(salt="x"), "salt"),
    (lambda: layers.IntegerLookup(vocabulary=["a"]), "integers"),
    (lambda: layers.IntegerLookup(vocabulary_dtype="int32"), "int64"),
    (lambda: layers.IntegerLookup(salt=3), "farmhash"),
    (lambda: layers.IntegerLookup(oov_method="mod"), "'mod'"),
    (lambda: layers.IntegerLookup(vocabulary=[1])([0.5]), "StringLookup"),
    (lambda: layers.IntegerLookup(vocabulary=[1])(["a"]), "StringLookup"),
    (lambda: layers.StringLookup.from_config({"vocabulary": "/etc/hostname"}), "safe_mode"),
])  # fmt: skip
def test_wrong_use_is_explained(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_a_vocabulary_of_another_type_is_a_type_error():
    for vocabulary in (3, {"a": 1}):
        with pytest.raises(TypeError, match="list, a tuple"):
            layers.StringLookup(vocabulary=vocabulary)


def test_a_vocabulary_must_be_there_and_keep_its_size():
    layer = layers.StringLookup(output_mode="count")
    with pytest.raises(RuntimeError, match="adapt"):
        layer(["a"])
    layer.adapt(["a", "b"])
    with pytest.raises(RuntimeError, match="can't change from 3 to 2"):
        layer.set_vocabulary(["a"])
    for layer in (layers.StringLookup(), layers.StringLookup(invert=True), layers.TextVectorization(),
                  layers.StringLookup(output_mode="count", max_tokens=5, pad_to_max_tokens=True)):  # fmt: skip
        with pytest.raises(RuntimeError, match="no vocabulary yet"):
            layer(["a"])


def test_vocabulary_files(tmp_path):
    (tmp_path / "words.txt").write_text("a\n\nb c\n", encoding="utf-8")
    layer = layers.StringLookup(vocabulary=str(tmp_path / "words.txt"))
    assert layer.get_vocabulary() == ["[UNK]", "a", "", "b c"]
    assert layer.get_config()["vocabulary"] is None
    (tmp_path / "ids.txt").write_text("7\n-3", encoding="utf-8")
    assert layers.IntegerLookup(vocabulary=tmp_path / "ids.txt")([-3, 7]).numpy().tolist() == [2, 1]
    with pytest.raises(ValueError, match="hold integers"):
        layers.IntegerLookup(vocabulary=str(tmp_path / "words.txt"))


def test_tokens_with_line_breaks_stay_whole(tmp_path):
    layer = layers.StringLookup()
    layer.adapt(["a\nb", "a", "\r", "a"])
    copy = layers.StringLookup.from_config(layer.get_config())
    layer.save_assets(tmp_path)
    copy.load_assets(tmp_path)
    assert copy.get_vocabulary() == layer.get_vocabulary() == ["[UNK]", "a", "a\nb", "\r"]


def test_there_and_back(device):
    there = layers.StringLookup(vocabulary=["x", "y"], mask_token="", num_oov_indices=2)
    back = layers.StringLookup(vocabulary=there.get_vocabulary(), mask_token="", num_oov_indices=2, invert=True)
    assert back(there([["x", "?", "", "y"]])).tolist() == [["x", "[UNK]", "", "y"]]
