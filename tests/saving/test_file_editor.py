"""``KerasFileEditor``: looking into files, comparing them with models, changing and saving them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.saving import KerasFileEditor
from tests.golden import weight_file_cases as cases

GOLDEN = Path(__file__).parents[1] / "golden" / "weight_files.zip"


def model(units: int = 2, name: str | None = None) -> Any:
    return deepkit.Sequential(
        [deepkit.Input((3, 2)), layers.LSTM(3), layers.Dense(4, name=name), layers.Dense(units)]
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    model(name="first").save_weights(tmp_path / "m.weights.h5")
    return tmp_path / "m.weights.h5"


def test_summary(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    KerasFileEditor(path).summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [f"Keras model file '{path}'", "Weights structure", "  layers", "    dense ('first')"]
    assert "      0: shape=(3, 4), dtype=float32" in lines
    at = next(i for i, line in enumerate(lines) if "lstm" in line)
    assert lines[at + 1].startswith("      cell (")
    assert [line.split(":")[0].strip() for line in lines[at + 2 : at + 5]] == ["0", "1", "2"]


def test_many_weights_are_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases.model(deepkit).save(tmp_path / "m.keras")
    editor = KerasFileEditor(str(tmp_path / "m.keras"))
    editor.summary()
    out = capsys.readouterr().out
    assert "Saved with Keras 3." in out and editor.metadata["keras_version"] in out
    assert editor.config["class_name"] == "Functional"
    optimizer = out[out.index("optimizer") :].splitlines()[1:]
    assert [line.split(":")[0].strip() for line in optimizer] == [str(i) for i in range(14)]


def test_compare(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    editor = KerasFileEditor(path)
    assert editor.compare(model()) == {"status": "success", "error_count": 0, "match_count": 8}
    out = capsys.readouterr().out
    assert "Comparison successful" in out and "Found 8 matching weights" in out
    other = deepkit.Sequential([deepkit.Input((3, 2)), *model(units=5).layers, layers.Dense(1)])
    assert editor.compare(other) == {"status": "error", "error_count": 3, "match_count": 6}
    out = capsys.readouterr().out
    assert "shape mismatch for /layers/dense_1/0\n    In reference model: shape=(4, 5)\n    In saved" in out
    assert "Object /layers/dense_2 present in reference model, missing from saved file" in out
    assert "Found 3 errors" in out
    editor.delete_weight("layers/dense", "1")
    editor.add_weights("dense", {"7": np.zeros(1)})
    editor.add_object("layers/more", {"0": np.zeros(1)})
    assert editor.compare(model()) == {"status": "error", "error_count": 3, "match_count": 7}
    out = capsys.readouterr().out
    assert "Weight /layers/dense/1 present in reference model" in out
    assert "Weight /layers/dense/7 present in saved file" in out
    assert "Object /layers/more present in saved file" in out


def test_compare_with_a_file_of_keras(tmp_path: Path) -> None:
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extract("k/model.weights.h5", tmp_path)
    editor = KerasFileEditor(str(tmp_path / "k" / "model.weights.h5"))
    assert editor.compare(cases.model(deepkit)) == {"status": "success", "error_count": 0, "match_count": 22}


def test_nothing_is_lost(tmp_path: Path) -> None:
    """What is saved unchanged loads as before: layers in layers, names, bfloat16, weights of the model itself."""

    class Scaled(deepkit.Model):
        def __init__(self, **kwargs: Any):
            super().__init__(**kwargs)
            self.inner = layers.LSTM(3)
            self.scale = self.add_weight(shape=(3,), initializer="random_normal", name="scale")

        def call(self, x: Any) -> Any:
            return self.inner(x) * self.scale

    first, second = Scaled(), Scaled()
    for m in (first, second):
        m(np.zeros((1, 2, 2), "float32"))
    first.save_weights(tmp_path / "a.weights.h5")
    KerasFileEditor(tmp_path / "a.weights.h5").save(tmp_path / "b.weights.h5")
    second.load_weights(tmp_path / "b.weights.h5")
    for a, b in zip(first.weights, second.weights):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    with h5py.File(tmp_path / "b.weights.h5") as file:
        assert file["inner/vars"].attrs["name"] == first.inner.name


def test_bfloat16(tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    first, second = (cases.model(deepkit, seed, dtype="bfloat16") for seed in (0, 1))
    first.save_weights(tmp_path / "a.weights.h5")
    KerasFileEditor(tmp_path / "a.weights.h5").resave_weights(tmp_path / "a.weights.h5")
    second.load_weights(tmp_path / "a.weights.h5")
    for name, values in cases.state(second).items():
        np.testing.assert_array_equal(values, cases.state(first)[name])


def test_a_layer_is_added(path: Path) -> None:
    """The use that it is for: an old file for a new architecture."""
    editor = KerasFileEditor(path)
    editor.rename_object("dense_1", "dense_2")
    kernel, bias = np.ones((4, 4), "float32"), np.zeros(4)
    editor.add_object("layers/dense_1", {"0": kernel})
    editor.add_weights("layers/dense_1", {"1": bias})
    editor.save(path)
    found = deepkit.Sequential(
        [deepkit.Input((3, 2)), layers.LSTM(3), layers.Dense(4), layers.Dense(4), layers.Dense(2)]
    )
    found.load_weights(path)
    np.testing.assert_array_equal(found.layers[2].kernel.numpy(), kernel)
    editor = KerasFileEditor(path)
    assert editor.object_metadata["layers/dense"] == {"name": "first"}
    assert "layers/dense_1" not in editor.object_metadata and "layers/dense_2" in editor.object_metadata
    editor.delete_object("lstm")
    assert "lstm" not in editor.weights_dict["layers"]
    assert not any("lstm" in key for key in editor.object_metadata)
    editor.add_object("top", {"0": 1.5})
    assert editor.weights_dict["top"]["0"].shape == ()


def test_errors(path: Path, tmp_path: Path) -> None:
    editor = KerasFileEditor(path)
    for name, reason in [
        ("nope", "'nope' does not appear"),
        ("layers/nope", "'layers/nope' not found"),
        ("layers/dense/0/0", "not found"),
        ("0", "more than once.*layers/dense/0"),
    ]:
        for call in (
            lambda: editor.rename_object(name, "x"),  # noqa: B023
            lambda: editor.delete_object(name),  # noqa: B023
            lambda: editor.delete_weight(name, "0"),  # noqa: B023
            lambda: editor.add_weights(name, {}),  # noqa: B023
        ):
            with pytest.raises(ValueError, match=reason):
                call()
    with pytest.raises(ValueError, match="last part"):
        editor.rename_object("dense", "a/b")
    with pytest.raises(ValueError, match="'nope' not found"):
        editor.add_object("nope/x", {})
    with pytest.raises(ValueError, match="dictionary of arrays"):
        editor.add_object("x", 3)
    with pytest.raises(ValueError, match="dictionary of arrays"):
        editor.add_weights("dense", [1])
    with pytest.raises(ValueError, match="is a weight"):
        editor.add_weights("layers/dense/0", {})
    with pytest.raises(ValueError, match=r"Weight 7 not found.*\['0', '1'\]"):
        editor.delete_weight("dense", "7")
    with pytest.raises(ValueError, match="weights.h5"):
        editor.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="weights.h5"):
        KerasFileEditor(tmp_path / "m.h5")
    with pytest.raises(TypeError, match="name of a file"):
        KerasFileEditor(3)


def test_groups_in_circles(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["layers/round"] = file["layers"]
    with pytest.raises(ValueError, match="linked twice"):
        KerasFileEditor(path)


def test_groups_in_groups(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_group("x" + "/x" * 200)
    with pytest.raises(ValueError, match="too deeply"):
        KerasFileEditor(path)


def test_links(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["layers/dense/vars/2"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(ValueError, match="ExternalLink"):
        KerasFileEditor(path)
