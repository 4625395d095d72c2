"""``*.h5`` files of Keras 2 and 3: models, optimizer state, weights by order and by name; files that don't fit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deepkit
from deepkit import layers

FOLDER = Path(__file__).parents[1] / "golden" / "legacy"
FILES = sorted(path.stem for path in FOLDER.glob("*.h5"))


def data(name: str) -> tuple[Any, Any]:
    golden = np.load(FOLDER / f"{name}.npz")
    xs = [golden[key] for key in sorted(golden.files) if key.startswith("x")]
    return golden, xs if len(xs) > 1 else xs[0]


@pytest.mark.parametrize("name", FILES)
def test_models_of_keras(name: str, tmp_path: Path) -> None:
    """Predictions as they were, training goes on as it did; and the same from a file written here."""
    golden, x = data(name)
    for file in (FOLDER / f"{name}.h5", tmp_path / "again.h5"):
        model = deepkit.models.load_model(file)
        np.testing.assert_allclose(model.predict(x, verbose=0), golden["predictions"], atol=1e-5, rtol=1e-5)
        model.save(tmp_path / "again.h5")
        losses = model.fit(x, golden["y"], epochs=3, shuffle=False, verbose=0).history["loss"]
        np.testing.assert_allclose(losses, golden["losses"], rtol=1e-4)


def small(units: int = 3, names: tuple[str, str] = ("first", "second")) -> Any:
    return deepkit.Sequential(
        [layers.Input((4,)), layers.Dense(units, name=names[0]), layers.Dense(2, name=names[1])]
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    small().save(tmp_path / "m.h5")
    return tmp_path / "m.h5"


def test_weights_by_order_and_by_name(file: Path) -> None:
    source = deepkit.models.load_model(file)
    model = small(names=("other", "second"))
    first = model.layers[0].get_weights()
    model.load_weights(file, by_name=True)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], source.layers[1].get_weights()[0])
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], first[0])
    model.load_weights(file)
    for a, b in zip(model.get_weights(), source.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_what_does_not_fit_changes_nothing(file: Path) -> None:
    model = small(units=5)
    before = model.get_weights()
    with pytest.raises(ValueError, match="'first' don't fit"):
        model.load_weights(file)
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="2 layers were skipped"):
        model.load_weights(file, skip_mismatch=True)
    one = deepkit.Sequential([layers.Input((4,)), layers.Dense(3)])
    with pytest.raises(ValueError, match="weights for 2 layers.*by_name=True"):
        one.load_weights(file)
    one.save_weights(file.with_name("w.weights.h5"))
    with pytest.raises(ValueError, match="by_name"):
        one.load_weights(file.with_name("w.weights.h5"), by_name=True)


def broken(file: Path, change: Any) -> Path:
    target = file.with_name("broken.h5")
    shutil.copy(file, target)
    with h5py.File(target, "r+") as f:
        change(f)
    return target


def _external(f: Any) -> None:
    del f["model_weights/first"]
    f["model_weights/first"] = h5py.ExternalLink("/etc/hostname", "/")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.attrs.__delitem__("model_config"), "holds no model"),
        (lambda f: f.attrs.__setitem__("model_config", "{"), "malformed"),
        (lambda f: f.attrs.__setitem__("model_config", "[1]"), "dictionary"),
        (
            lambda f: f.attrs.__setitem__("model_config", '{"class_name": "os.system", "config": {}}'),
            "Unknown class",
        ),
        (
            lambda f: f.attrs.__setitem__("model_config", '{"class_name": "Dense", "config": {"units": 1}}'),
            "no model",
        ),
        (lambda f: f["model_weights/first"].attrs.__setitem__("weight_names", [b"gone", b"away"]), "missing"),
        (lambda f: f["model_weights"].attrs.__setitem__("layer_names", [1.0, 2.0]), "names"),
        (_external, "ExternalLink"),
    ],
)
def test_malformed_files(file: Path, change: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        deepkit.models.load_model(broken(file, change))


def test_bytecode_is_refused(file: Path) -> None:
    config = '{"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "Lambda", "config": ' \
             '{"name": "l", "function": ["4wAAAA==", null, null], "function_type": "lambda"}}]}}'  # fmt: skip
    for safe_mode in (True, False):
        with pytest.raises((ValueError, TypeError)):
            deepkit.models.load_model(broken(file, lambda f: f.attrs.__setitem__("model_config", config)),
                                      safe_mode=safe_mode)  # fmt: skip


def test_many_layers_need_several_attributes(tmp_path: Path) -> None:
    name = "a_rather_long_name_for_a_layer_" * 6
    stack = [layers.Dense(1, name=f"{name}{i}") for i in range(360)]
    model = deepkit.Sequential([layers.Input((1,)), *stack])
    model.save(tmp_path / "deep.h5")
    with h5py.File(tmp_path / "deep.h5") as f:
        assert "layer_names1" in f["model_weights"].attrs
    again = deepkit.models.load_model(tmp_path / "deep.h5")
    np.testing.assert_array_equal(again.get_weights()[-2], model.get_weights()[-2])
