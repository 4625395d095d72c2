"""Loading holds no second copy of the weights, and where it has to be undone, it can be."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deepkit
from deepkit.saving import direct, sharded
from deepkit.saving import weights as weights_module
from tests.golden import weight_file_cases as cases
from tests.saving.test_weight_files import FORMATS, assert_same, save, state, trained


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each loading was planned as a whole."""
    found: list[bool] = []
    assignments = direct.assignments

    def noted(*args: Any) -> Any:
        planned = assignments(*args)
        found.append(planned is not None)
        return planned

    monkeypatch.setattr(direct, "assignments", noted)
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_memory(name: str, tmp_path: Path) -> None:
    model = deepkit.Sequential([deepkit.Input((300,)), *(deepkit.layers.Dense(300) for _ in range(10))])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    one = 300 * 300 * 4
    size = 3 * one / 1024**3 if name.endswith("json") else None
    model.save_weights(tmp_path / name, max_shard_size=size)
    model.load_weights(tmp_path / name)  # what is imported and kept for the first time isn't counted
    tracemalloc.start()
    try:
        model.load_weights(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 3 * one
        if not name.endswith(".h5"):
            tracemalloc.reset_peak()
            model.save_weights(tmp_path / name, max_shard_size=size)
            assert tracemalloc.get_traced_memory()[1] < (3 if size is None else 8) * one
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_planned(name: str, tmp_path: Path, plans: list[bool]) -> None:
    model, other = trained(), trained(1)
    save(model, tmp_path / name)
    other.load_weights(tmp_path / name)
    assert plans == [True]
    assert_same(state(other), state(model))
    with pytest.raises(ValueError, match="fit"):
        trained(width=5).load_weights(tmp_path / name)
    unused = deepkit.Sequential([deepkit.Input((3,)), deepkit.layers.Dense(4)])
    with pytest.raises(ValueError, match="nothing for it"):
        deepkit.Sequential([unused, deepkit.layers.LayerNormalization()]).load_weights(tmp_path / name)
    assert plans == [True, False, False]


def test_own_ways_to_load(tmp_path: Path, plans: list[bool]) -> None:
    class Half(deepkit.layers.Dense):
        def load_own_variables(self, store: Any) -> None:
            super().load_own_variables({key: store[key] / 2 for key in store.keys()})

    models = [deepkit.Sequential([deepkit.Input((3,)), Half(2)]) for _ in range(2)]
    models[0].save_weights(tmp_path / "m.weights.h5")
    models[1].load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(models[1].weights[0].numpy(), models[0].weights[0].numpy() / 2)
    assert plans == [False]


def test_packed_values_that_are_damaged(tmp_path: Path, plans: list[bool]) -> None:
    """Only reading them tells: by then, others have been assigned."""
    path = tmp_path / "m.weights.h5"
    model = cases.model(deepkit)
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        group = file["layers/dense_1/vars"]
        values = group["0"][()]
        del group["0"]
        packed = group.create_dataset("0", data=values, compression="gzip", fletcher32=True)
        place = packed.id.get_chunk_info(0).byte_offset
    other = cases.model(deepkit, 1)
    other.load_weights(path)
    assert plans == [False]
    for name, expected in cases.state(model).items():
        np.testing.assert_array_equal(cases.state(other)[name], expected)
    data = bytearray(path.read_bytes())
    data[place + 5] ^= 255
    path.write_bytes(data)
    other = cases.model(deepkit, 1)
    before = cases.state(other)
    with pytest.raises(ValueError, match="dense_1/vars/0 can't be read"):
        other.load_weights(path)
    for name, values in cases.state(other).items():
        np.testing.assert_array_equal(values, before[name])


def test_many_shards(tmp_path: Path, plans: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    model, other = trained(), trained(1)
    save(model, tmp_path / "m.weights.json")
    monkeypatch.setattr(sharded, "MAX_OPEN", 2)
    other.load_weights(tmp_path / "m.weights.json")
    assert plans == [False]
    assert_same(state(other), state(model))


def test_a_new_model_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained()
    model.save(tmp_path / "m.keras")
    seen: list[dict[str, Any]] = []
    load = weights_module.load_weights
    monkeypatch.setattr("deepkit.saving.keras_file._load", lambda *a, **k: (seen.append(k), load(*a, **k)))
    assert_same(state(deepkit.saving.load_model(tmp_path / "m.keras")), state(model))
    assert seen[0]["new"] is True
