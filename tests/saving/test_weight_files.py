"""``save_weights`` and ``load_weights``: formats, names, folders, what is asked before something is replaced."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deepkit
from deepkit import layers

FORMATS = ["m.weights.h5", "m.safetensors", "m.weights.json"]


def trained(seed: int = 0, width: int = 4, **kwargs: Any) -> Any:
    """A small model that has trained a step, so that its optimizer has a state."""
    deepkit.utils.set_random_seed(seed)
    model = deepkit.Sequential(
        [
            deepkit.Input((3,)),
            layers.Dense(width, **kwargs),
            layers.BatchNormalization(),
            layers.Dropout(0.5, seed=seed),
            layers.Dense(2),
        ]
    )
    model.compile("adam", "mse")
    model.fit(np.ones((4, 3), "float32"), np.ones((4, 2), "float32"), verbose=0)
    return model


def state(model: Any) -> list[np.ndarray]:
    # Not the generators of random numbers, which the layout of Keras 2 has no place for.
    return [v.numpy() for v in [*model.weights, *model.optimizer.variables]]


def assert_same(a: list[np.ndarray], b: list[np.ndarray]) -> None:
    assert len(a) == len(b)
    for x, y in zip(a, b):
        np.testing.assert_array_equal(x, y)


def save(model: Any, path: Path, **kwargs: Any) -> None:
    model.save_weights(path, max_shard_size=120 / 1024**3 if path.suffix == ".json" else None, **kwargs)


@pytest.mark.parametrize("name", FORMATS)
def test_round_trip(name: str, tmp_path: Path) -> None:
    model, other = trained(), trained(1)
    save(model, tmp_path / name)
    other.load_weights(tmp_path / name)
    assert_same(state(other), state(model))
    assert_same([v.numpy() for v in other.variables], [v.numpy() for v in model.variables])


@pytest.mark.parametrize("name", FORMATS)
def test_bfloat16(name: str, tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    model, other = trained(dtype="bfloat16"), trained(1, dtype="bfloat16")
    save(model, tmp_path / name)
    other.load_weights(tmp_path / name)
    assert_same(state(other), state(model))


@pytest.mark.parametrize("marked", [True, False])
def test_bfloat16_in_the_layout_of_keras_2(tmp_path: Path, marked: bool) -> None:
    """Keras writes it without a mark (and can't read it)."""
    pytest.importorskip("ml_dtypes")
    model = trained(dtype="bfloat16")
    model.save(tmp_path / "m.h5")
    if not marked:
        with h5py.File(tmp_path / "m.h5", "r+") as file:
            file["model_weights"].visititems(lambda name, o: o.attrs.pop("dtype", None) and None)
    assert_same(state(deepkit.saving.load_model(tmp_path / "m.h5")), state(model))


def test_bfloat16_is_kept_as_keras_keeps_it(tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    trained(dtype="bfloat16").save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        kernel = file["layers/dense/vars/0"]
        assert (kernel.dtype, kernel.attrs["dtype"]) == (np.dtype("V2"), "bfloat16")


@pytest.mark.parametrize("name", FORMATS)
def test_what_does_not_fit(name: str, tmp_path: Path) -> None:
    model, other = trained(width=4), trained(1, width=5)
    save(model, tmp_path / name)
    before = state(other)
    with pytest.raises(ValueError, match=rf"{name}.*fit model"):
        other.load_weights(tmp_path / name)
    assert_same(state(other), before)
    with pytest.warns(UserWarning, match="were skipped"):
        other.load_weights(tmp_path / name, skip_mismatch=True)
    np.testing.assert_array_equal(other.layers[-1].bias.numpy(), model.layers[-1].bias.numpy())
    assert other.layers[0].kernel.shape == (3, 5)


@pytest.mark.parametrize("name", FORMATS)
def test_objects_to_skip(name: str, tmp_path: Path) -> None:
    model, other = trained(), trained(1)
    save_weights = deepkit.saving.save_weights
    size = 1.0 if name.endswith("json") else None
    save_weights(model, tmp_path / name, max_shard_size=size, objects_to_skip=[model.optimizer])
    before = state(other)
    other.load_weights(tmp_path / name, objects_to_skip=[other.layers[0]])
    np.testing.assert_array_equal(other.layers[0].kernel.numpy(), before[0])
    np.testing.assert_array_equal(other.layers[-1].kernel.numpy(), model.layers[-1].kernel.numpy())
    assert_same([v.numpy() for v in other.optimizer.variables], before[len(other.weights) :])
    with pytest.raises(ValueError, match="nothing for it"):
        save_weights(model, tmp_path / name, max_shard_size=size, objects_to_skip=[model.layers[0]])
        other.load_weights(tmp_path / name)


@pytest.mark.parametrize("name", ["m.h5", "m", "m.keras", "m.weights.json", "mweights.h5", "m.hdf5"])
def test_refused_names(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="weights.h5"):
        trained().save_weights(tmp_path / name)
    assert not os.listdir(tmp_path)


def test_names_with_shards(tmp_path: Path) -> None:
    model = trained()
    for name in ("m.h5", "m.json", "m.safetensors"):
        with pytest.raises(ValueError, match="weights.json"):
            model.save_weights(tmp_path / name, max_shard_size=1)
    for size in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="positive"):
            model.save_weights(tmp_path / "m.weights.json", max_shard_size=size)
    with pytest.warns(UserWarning, match="m.weights.json"):
        model.save_weights(tmp_path / "m.weights.h5", max_shard_size=1)
    assert sorted(os.listdir(tmp_path)) == ["m.weights.json", "m_00000.weights.h5"]


@pytest.mark.parametrize("name", [*FORMATS, "m.keras", "m.h5", "folder"])
def test_question_before_overwriting(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = trained(), trained(1)
    path = tmp_path / name

    def write(model: Any, **kwargs: Any) -> None:
        if name in FORMATS:
            save(model, path, **kwargs)
        else:
            model.save(path, zipped=False if name == "folder" else None, **kwargs)

    def stored() -> list[np.ndarray]:
        if name in FORMATS:
            model = trained(2)
            model.load_weights(path)
            return state(model)
        return state(deepkit.saving.load_model(path))

    write(first)
    asked: list[str] = []
    answers = iter(["what", "N", " y "])
    monkeypatch.setattr("builtins.input", lambda text: (asked.append(text), next(answers))[1])
    write(second, overwrite=False)
    assert_same(stored(), state(first))
    write(second, overwrite=False)
    assert_same(stored(), state(second))
    assert len(asked) == 3 and str(path) in asked[0]

    def nobody(text: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write(first, overwrite=False)
    assert_same(stored(), state(second))


def test_folder(tmp_path: Path) -> None:
    words = layers.StringLookup()
    words.adapt(["a", "b", "c"])
    model = deepkit.Sequential([deepkit.Input((1,), dtype="string"), words, layers.Embedding(5, 2)])
    model.save(tmp_path / "new" / "folder", zipped=False)
    folder = tmp_path / "new" / "folder"
    assert os.listdir(tmp_path / "new") == ["folder"]
    assert {"metadata.json", "config.json", "model.weights.h5"} <= set(os.listdir(folder))
    loaded = deepkit.saving.load_model(folder)
    x = np.array([["b"], ["z"]])
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    os.chmod(folder / "config.json", 0o640)
    (folder / "mine.txt").touch()
    model.save(folder, zipped=False)
    assert (folder / "config.json").stat().st_mode & 0o777 == 0o640 and (folder / "mine.txt").exists()
    assert not [name for name in os.listdir(folder) if name.endswith(".part")]


def test_refused_folders(tmp_path: Path) -> None:
    model = trained()
    with pytest.raises(ValueError, match="zipped=False"):
        model.save(tmp_path / "m.keras", zipped=False)
    with pytest.raises(ValueError, match="config.json"):
        deepkit.saving.load_model(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file"):
        model.save(tmp_path / "file", zipped=False)
    with pytest.raises(IsADirectoryError, match="directory"):
        (tmp_path / "d.keras").mkdir()
        model.save(tmp_path / "d.keras")
    model.save(tmp_path / "folder", zipped=False)
    os.rename(tmp_path / "folder" / "config.json", tmp_path / "kept")
    (tmp_path / "folder" / "config.json").mkdir()
    with pytest.raises(IsADirectoryError, match="directory.*folder"):
        model.save(tmp_path / "folder", zipped=False)
    (tmp_path / "folder" / "config.json").rmdir()
    os.rename(tmp_path / "kept", tmp_path / "folder" / "config.json")
    os.rename(tmp_path / "folder" / "model.weights.h5", tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="no model.weights.h5"):
        deepkit.saving.load_model(tmp_path / "folder")
    os.symlink(tmp_path / "elsewhere", tmp_path / "folder" / "model.weights.h5")
    with pytest.raises(ValueError, match="model.weights.h5 is a link"):
        deepkit.saving.load_model(tmp_path / "folder")


def test_open_files(tmp_path: Path) -> None:
    model = trained()
    for write in (model.save, model.save_weights, model.load_weights, deepkit.saving.load_model):
        with pytest.raises(TypeError, match="name of a file.*TemporaryDirectory"):
            write(io.BytesIO())
    with open(tmp_path / "m.keras", "wb") as file, pytest.raises(TypeError, match="name of a file"):
        model.save(file)
    with pytest.raises(TypeError, match="name of a file"):
        model.save(b"m.keras")


def test_arguments(tmp_path: Path) -> None:
    model = trained()
    with pytest.raises(ValueError, match="foo"):
        model.save(tmp_path / "m.keras", foo=1)
    with pytest.raises(ValueError, match="foo"):
        deepkit.saving.save_weights(model, tmp_path / "m.weights.h5", foo=1)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        model.save_weights(tmp_path / "nowhere" / "m.weights.h5")
    save(model, tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="foo"):
        model.load_weights(tmp_path / "m.weights.h5", foo=1)
    for name in FORMATS:
        save(model, tmp_path / name)
        with pytest.raises(ValueError, match="by_name"):
            model.load_weights(tmp_path / name, by_name=True)
    with pytest.warns(UserWarning, match="save_format"):
        model.save(tmp_path / "m.keras", save_format="keras")
    model.save(tmp_path / "m.h5", include_optimizer=False)
    assert not deepkit.saving.load_model(tmp_path / "m.h5").compiled
    with h5py.File(tmp_path / "m.h5") as file:
        assert "training_config" not in file.attrs and json.loads(file.attrs["model_config"])


class Nested(deepkit.Model):
    """Layers in lists of lists and in dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        dense = layers.Dense
        self.blocks = [[dense(2), dense(3)], [dense(2)], ["no", ["layer"]]]
        self.named = {"a": [dense(4)], "b": dense(5), "c": (dense(1), {"z": [dense(6)]})}
        self.deep = [[[dense(7)]]]

    def call(self, x: Any) -> Any:
        chain = [*self.blocks[0], *self.blocks[1], *self.named["a"], self.named["b"], self.named["c"][0]]
        for layer in [*chain, *self.named["c"][1]["z"], *self.deep[0][0]]:
            x = layer(x)
        return x


def test_layers_in_lists_of_lists(tmp_path: Path) -> None:
    models = Nested(), Nested()
    for model in models:
        model(np.ones((1, 2), "float32"))
    models[0].save_weights(tmp_path / "m.weights.h5")
    found: list[str] = []
    with h5py.File(tmp_path / "m.weights.h5") as file:
        file.visititems(lambda name, o: found.append(name[: -len("/vars/0")]) if name.endswith("/0") else None)
    assert found == [  # as Keras 3.15 names them
        "blocks/container/dense",
        "blocks/container/dense_1",
        "blocks/container_1/dense",
        "deep/container/container/dense",
        "named/container/dense",
        "named/container_1/container/container/dense",
        "named/container_1/dense",
        "named/dense",
    ]
    models[1].load_weights(tmp_path / "m.weights.h5")
    assert_same([v.numpy() for v in models[1].weights], [v.numpy() for v in models[0].weights])
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        del file["blocks"], file["deep"]  # what Keras wrote before 3.15
    with pytest.warns(UserWarning, match="blocks/container/dense: .* has nothing for it"):
        models[1].load_weights(tmp_path / "m.weights.h5")
    assert_same([v.numpy() for v in models[1].weights], [v.numpy() for v in models[0].weights])


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "folder"])
def test_model_without_weights_yet(name: str, tmp_path: Path) -> None:
    model = deepkit.Sequential([layers.Dense(2), layers.Dropout(0.5)])
    with pytest.warns(UserWarning, match="no weights yet"):
        model.save(tmp_path / name, zipped=False if name == "folder" else None)
    loaded = deepkit.saving.load_model(tmp_path / name)
    assert not loaded.built and loaded.predict(np.ones((1, 3)), verbose=0).shape == (1, 2)
    trained().save_weights(tmp_path / "other.weights.h5")
    for call in (model.save_weights, model.load_weights):
        with pytest.raises(ValueError, match="no weights yet: build it"):
            call(tmp_path / "other.weights.h5")
