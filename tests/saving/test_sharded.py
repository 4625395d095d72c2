"""Weights in several files with an index: those of Keras, malformed ones, and saves that stop half-way."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any, Callable

import h5py
import numpy as np
import pytest

import deepkit
from deepkit.saving import sharded
from tests.golden import weight_file_cases as cases

GOLDEN = Path(__file__).parents[1] / "golden" / "weight_files.zip"


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extractall(tmp_path / "golden")
    return tmp_path / "golden"


def assert_state(model: Any, wanted: Any) -> None:
    for name, values in cases.state(model).items():
        np.testing.assert_array_equal(values, wanted[name])


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_files_of_keras(golden: Path) -> None:
    model = cases.model(deepkit)
    model.load_weights(golden / "k.weights.json")
    assert_state(model, np.load(golden / "state.npz"))
    assert_state(deepkit.saving.load_model(golden / "k"), np.load(golden / "state.npz"))


def test_bfloat16_of_keras(golden: Path) -> None:
    pytest.importorskip("ml_dtypes")
    model = cases.model(deepkit, dtype="bfloat16")
    model.load_weights(golden / "bf.weights.h5")
    with h5py.File(golden / "bf.weights.h5") as file:
        bits = file["layers/dense/vars/0"][()].view("uint16")
    np.testing.assert_array_equal(model.layers[1].kernel.numpy().view("uint16"), bits)


def test_the_same_files_as_keras(golden: Path, tmp_path: Path) -> None:
    model = cases.model(deepkit)
    limit = {"objects_to_skip": [model.layers[3].seed_generator]}  # which Keras doesn't save
    deepkit.saving.save_weights(model, tmp_path / "k.weights.json", max_shard_size=cases.SHARD, **limit)
    ours, theirs = (json.loads((f / "k.weights.json").read_text()) for f in (tmp_path, golden))
    assert ours == theirs
    for name in {n for v in theirs["weight_map"].values() for n in ([v] if isinstance(v, str) else v)}:
        inside = []
        for folder in (tmp_path, golden):
            found: dict[str, Any] = {}
            with h5py.File(folder / name) as file:
                file.visititems(lambda key, o, found=found: found.update({key: (getattr(o, "shape", 0), *o.attrs)}))
            inside.append(found)
        assert inside[0] == inside[1]


def test_too_large_a_variable(tmp_path: Path) -> None:
    model = cases.model(deepkit)
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=1)
    before = names(tmp_path)
    wanted = cases.state(model)
    with pytest.raises(ValueError, match="vars/0 has 48 bytes.*max_shard_size"):
        model.save_weights(tmp_path / "m.weights.json", max_shard_size=40 / 1024**3)
    assert names(tmp_path) == before
    other = cases.model(deepkit, 1)
    other.load_weights(tmp_path / "m.weights.json")
    assert_state(other, wanted)


def test_fewer_files_than_before(tmp_path: Path) -> None:
    model = cases.model(deepkit)
    (tmp_path / "m_00777.weights.h5").touch()  # not of this set
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=cases.SHARD)
    assert len(names(tmp_path)) > 3
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=1)
    assert names(tmp_path) == ["m.weights.json", "m_00000.weights.h5", "m_00777.weights.h5"]


def test_only_own_files_are_removed(tmp_path: Path) -> None:
    """An index may come from anywhere: what it names isn't all ours."""
    model = cases.model(deepkit)
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=1)
    for name in ("precious.h5", "x_00001.weights.h5"):
        shutil.copy(tmp_path / "m_00000.weights.h5", tmp_path / name)
    weight_map = {"/vars": ["precious.h5", "x_00001.weights.h5", "m_00000.weights.h5"]}
    (tmp_path / "m.weights.json").write_text(json.dumps({"weight_map": weight_map}))
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=1)
    assert names(tmp_path) == ["m.weights.json", "m_00000.weights.h5", "precious.h5", "x_00001.weights.h5"]


class Stop(BaseException):
    """What a kill would be, at a place that is chosen."""


#: What changes the folder, in the order in which a save does.
STEPS = ["atomic_write", "_write_index", "_give_name", "_remove"]


@pytest.mark.parametrize("links", [True, False])
def test_stops_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    """Wherever a save stops, the set is one of both, and the next save puts all in order."""
    index = tmp_path / "m.weights.json"
    old, new, probe = (cases.model(deepkit, seed) for seed in (0, 1, 2))
    versions = [cases.state(old), cases.state(new)]
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # slow, and no matter here
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    seen = []
    for stop in range(100):
        for name in names(tmp_path):
            os.unlink(tmp_path / name)
        old.save_weights(index, max_shard_size=2 * cases.SHARD)
        tidy = names(tmp_path)
        with monkeypatch.context() as patched:
            done = iter(range(stop))
            for step in STEPS:
                patched.setattr(sharded, step, _stopping(getattr(sharded, step), done))
            try:
                new.save_weights(index, max_shard_size=2 * cases.SHARD)
                stopped = False
            except Stop:
                stopped = True
        for _ in range(2):  # as it was left, and after a save that is stopped, too
            probe.load_weights(index)
            seen.append(next(i for i, v in enumerate(versions) if all(map(np.array_equal, v.values(), _all(probe)))))
            with monkeypatch.context() as patched:
                patched.setattr(sharded, "_give_name", _stopping(None, iter(())))
                with pytest.raises(Stop):
                    new.save_weights(index, max_shard_size=2 * cases.SHARD)
        old.save_weights(index, max_shard_size=2 * cases.SHARD)
        probe.load_weights(index)
        assert_state(probe, versions[0])
        assert names(tmp_path) == tidy
        if not stopped:
            break
    assert stop > 6 and seen[0] == 0 and seen[-1] == 1 and seen[::2] == sorted(seen[::2])


def _all(model: Any) -> Any:
    return cases.state(model).values()


def _no_links(*args: Any) -> None:
    raise OSError("no links here")


def _stopping(step: Any, done: Any) -> Callable[..., Any]:
    def stopping(*args: Any, **kwargs: Any) -> Any:
        if next(done, None) is None:
            raise Stop
        return step(*args, **kwargs)

    return stopping


def test_index_that_is_replaced_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "m.weights.json"
    first, second = cases.model(deepkit), cases.model(deepkit, 1)
    first.save_weights(index, max_shard_size=cases.SHARD)
    get, calls = sharded.ShardedSource.get, []

    def interrupted(self: Any, path: str) -> Any:
        calls.append(path)
        if len(calls) == 4:
            second.save_weights(index, max_shard_size=cases.SHARD)
        return get(self, path)

    model = cases.model(deepkit, 2)
    before = cases.state(model)
    monkeypatch.setattr(sharded.ShardedSource, "get", interrupted)
    with pytest.raises(ValueError, match="rewritten while it was read"):
        model.load_weights(index)
    assert_state(model, before)


SHARD = "m_00000.weights.h5"
BAD = {
    "no JSON": (b"{", "malformed"),
    "deep": (b"[" * 100_000, "deep"),
    "a list": (b"[]", "dictionary"),
    "no map": (b"{}", "weight_map"),
    "map of numbers": ({"/vars": 1}, "/vars"),
    "map of lists of numbers": ({"/vars": [SHARD, 1]}, "/vars"),
    "empty list": ({"/vars": []}, "/vars"),
    "elsewhere": ({"/vars": "../x.h5"}, "beside the index"),
    "absolute": ({"/vars": "/etc/x.h5"}, "beside the index"),
    "backslashes": ({"/vars": "..\\x.h5"}, "beside the index"),
    "a drive": ({"/vars": "c:x.h5"}, "beside the index"),
    "zero byte": ({"/vars": "x\0.h5"}, "beside the index"),
    "another file": ({"/vars": "notes.txt"}, "beside the index"),
    "missing file": ({"/layers/dense/vars": "x.h5"}, "x.h5, which is missing"),
    "folder": ({"/layers/dense/vars": "folder.h5"}, "folder.h5, which is missing"),
    "no HDF5": ({"/layers/dense/vars": "text.h5"}, "no readable HDF5"),
    "missing group": ({"/layers/dense/vars": "none.h5"}, "has no layers/dense/vars"),
    "in two files": ({"/layers/dense/vars": [SHARD, "copy.h5"]}, "in two of the files"),
    "too many": ({str(i): f"{i}.h5" for i in range(10_001)}, "more than"),
}


@pytest.mark.parametrize("name", BAD)
def test_malformed(name: str, tmp_path: Path) -> None:
    content, reason = BAD[name]
    model = cases.model(deepkit)
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=1)
    data = content if isinstance(content, bytes) else json.dumps({"weight_map": content}).encode()
    (tmp_path / "m.weights.json").write_bytes(data)
    shutil.copy(tmp_path / SHARD, tmp_path / "copy.h5")
    (tmp_path / "text.h5").write_text("text")
    (tmp_path / "folder.h5").mkdir()
    h5py.File(tmp_path / "none.h5", "w").close()
    before = cases.state(model)
    with pytest.raises(ValueError, match=reason):
        model.load_weights(tmp_path / "m.weights.json")
    assert_state(model, before)
