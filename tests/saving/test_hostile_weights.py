"""Weights from strangers: HDF5 that points elsewhere or declares what it doesn't hold; the model stays as it was."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any, Callable

import h5py
import numpy as np
import pytest

import deepkit
from deepkit.saving import hdf5
from tests.saving.hostile import model, refused_within_limits, rewritten, saved, unzipped

pytestmark = pytest.mark.usefixtures("limits")

#: The kernel of the first layer.
KERNEL = "layers/dense/vars/0"

Change = Callable[[Any, str], Any]


def _virtual(file: Any, name: str, source: str = "/etc/hostname") -> None:
    layout = h5py.VirtualLayout((4, 3), "float32")
    layout[:] = h5py.VirtualSource(source, "x", (4, 3))
    file.create_virtual_dataset(name, layout)


def _packed(file: Any, name: str) -> None:
    file.create_dataset(name, (1 << 27,), "float32", chunks=(1 << 20,), compression="gzip")[: 1 << 20] = 0


def _attribute(file: Any, name: str) -> None:
    file.create_dataset(name, data=np.zeros((4, 3), "uint16")).attrs["dtype"] = "bfloat16"


CHANGES: dict[str, Change] = {
    "CVE-2026-1669 an external link": lambda f, n: f.__setitem__(n, h5py.ExternalLink("/etc/hostname", "/")),
    "CVE-2026-1669 external storage": lambda f, n: f.create_dataset(
        n, (4, 3), "float32", external=[("/etc/hostname", 0, 48)]
    ),
    "a soft link": lambda f, n: f.__setitem__(n, h5py.SoftLink("/layers/dense_1/vars/0")),
    "a soft link to itself": lambda f, n: f.__setitem__(n, h5py.SoftLink(f"/{n}")),
    "a virtual dataset": _virtual,
    "a virtual dataset of the file itself": lambda f, n: _virtual(f, n, "."),
    "CVE-2026-0897 petabytes that aren't there": lambda f, n: f.create_dataset(
        n, (1 << 25, 1 << 25), "float32", chunks=(1024, 1024)
    ),
    "CVE-2026-0897 petabytes of which some are there": _packed,
    "objects": lambda f, n: f.create_dataset(n, (4, 3), h5py.string_dtype()),
    "references": lambda f, n: f.create_dataset(n, (4, 3), h5py.ref_dtype),
    "records": lambda f, n: f.create_dataset(n, (4, 3), [("a", "f4"), ("b", "i8")]),
    "texts": lambda f, n: f.create_dataset(n, data=np.full((4, 3), b"x")),
    "no values": lambda f, n: f.create_dataset(n, data=h5py.Empty("float32")),
    "another shape": lambda f, n: f.create_dataset(n, data=np.zeros((3, 4), "float32")),
    "more dimensions": lambda f, n: f.create_dataset(n, data=np.zeros((4, 3, 1), "float32")),
    "a scalar": lambda f, n: f.create_dataset(n, data=np.float32(1)),
    "a group for a dataset": lambda f, n: f.create_group(n),
    "nothing": lambda f, n: None,
}


def changed(path: Path, kernel: str, change: Change) -> Path:
    with h5py.File(path, "r+") as file:
        del file[kernel]
        change(file, kernel)
    return path


def check_refused(mine: Any, *doors: Callable[[], Any]) -> None:
    before = mine.get_weights()
    for door in doors:
        with pytest.raises(ValueError, match=r"bad|folder"):
            door()
    for a, b in zip(mine.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", CHANGES)
def test_weights_through_every_door(case: str, tmp_path: Path) -> None:
    mine = model()
    mine.save_weights(tmp_path / "bad.weights.h5")
    bad = changed(tmp_path / "bad.weights.h5", KERNEL, CHANGES[case])
    archive = rewritten(
        saved(tmp_path), lambda members: members.update({"model.weights.h5": bad.read_bytes()})
    )
    folder = unzipped(archive)
    legacy = saved(tmp_path, "bad.h5")
    with h5py.File(legacy) as file:
        kernel = file["model_weights/first"].attrs["weight_names"][0].decode()
    changed(legacy, f"model_weights/first/{kernel}", CHANGES[case])
    shard = shutil.copy(bad, tmp_path / "bad_00000.weights.h5")
    index = {"weight_map": {f"/layers/{name}/vars": Path(shard).name for name in ("dense", "dense_1")}}
    (tmp_path / "bad.weights.json").write_text(json.dumps(index))
    check_refused(
        mine,
        lambda: mine.load_weights(bad),
        lambda: mine.load_weights(archive),
        lambda: mine.load_weights(legacy),
        lambda: mine.load_weights(legacy, by_name=True),
        lambda: mine.load_weights(tmp_path / "bad.weights.json"),
        lambda: deepkit.saving.load_model(archive),
        lambda: deepkit.saving.load_model(folder),
        lambda: deepkit.saving.load_model(legacy),
    )


GROUPS: dict[str, Change] = {
    "an external link": lambda f, n: f.__setitem__(n, h5py.ExternalLink("other.weights.h5", f"/{n}")),
    "a soft link": lambda f, n: f.__setitem__(n, h5py.SoftLink("/layers/dense_1")),
    "a soft link to a folder above": lambda f, n: f.__setitem__(n, h5py.SoftLink("..")),
    "a dataset": lambda f, n: f.create_dataset(n, data=1.0),
    "nothing": lambda f, n: None,
}


@pytest.mark.parametrize("case", GROUPS)
@pytest.mark.parametrize("group", ["layers", "layers/dense", "layers/dense/vars"])
def test_groups_that_are_something_else(group: str, case: str, tmp_path: Path) -> None:
    mine = model()
    mine.save_weights(tmp_path / "other.weights.h5")
    mine.save_weights(tmp_path / "bad.weights.h5")
    bad = changed(tmp_path / "bad.weights.h5", group, GROUPS[case])
    check_refused(mine, lambda: mine.load_weights(bad))


def test_a_group_in_itself(tmp_path: Path) -> None:
    mine = model()
    mine.save_weights(tmp_path / "bad.weights.h5")
    with h5py.File(tmp_path / "bad.weights.h5", "r+") as file:
        file["layers/dense/vars/0_"] = file["layers"]
        file["layers/dense/layers"] = file["/"]
    check_refused(mine, lambda: mine.load_weights(tmp_path / "bad.weights.h5"))


NAMES: dict[str, Any] = {
    "numbers": np.arange(3),
    "a number": 3,
    "a text": "first",
    "names that aren't there": np.array([b"a", b"b"]),
    "names that lead elsewhere": np.array([b"../first", b"/model_weights/first"]),
    "one name often": np.array([b"first"] * 2000),
    "no UTF-8": np.array([b"\xff\xfe"]),
    "empty names": np.array([b"", b"/"]),
}


@pytest.mark.parametrize("case", NAMES)
@pytest.mark.parametrize("where", ["layer_names", "weight_names"])
def test_names_in_the_layout_of_keras_2(case: str, where: str, tmp_path: Path) -> None:
    mine = model()
    bad = saved(tmp_path, "bad.h5")
    with h5py.File(bad, "r+") as file:
        group = file["model_weights" if where == "layer_names" else "model_weights/first"]
        del group.attrs[where]
        group.attrs[where] = NAMES[case]
    check_refused(mine, lambda: mine.load_weights(bad), lambda: deepkit.saving.load_model(bad))


@pytest.mark.parametrize("key", ["model_config", "training_config"])
@pytest.mark.parametrize(
    "value", [3, b"\xff", "[]", "{", np.arange(3), h5py.Empty("f"), '{"loss": {"a": [[3]]}}']
)
def test_attributes_of_odd_form(key: str, value: Any, tmp_path: Path) -> None:
    bad = saved(tmp_path, "bad.h5")
    with h5py.File(bad, "r+") as file:
        del file.attrs[key]
        file.attrs[key] = value
    with pytest.raises((ValueError, TypeError), match=r"bad\.h5"):
        deepkit.saving.load_model(bad)


@pytest.mark.parametrize("size", [0, 1 << 63, (1 << 64) - 16, (1 << 64) - 1, 10**6])
@pytest.mark.parametrize("index", [0, 1])
def test_texts_that_keep_the_library_busy_for_ever(index: int, size: int, tmp_path: Path) -> None:
    """A global heap whose objects don't lead on: HDF5 2.0 goes round and round in it."""
    bad = saved(tmp_path, "bad.h5")
    data = bytearray(bad.read_bytes())
    at = data.index(b"GCOL") + 16
    data[at : at + 16] = struct.pack("<HHIQ", index, 1, 0, size)
    bad.write_bytes(data)
    with pytest.raises(ValueError, match=r"bad\.h5"):
        deepkit.saving.load_model(bad)


def test_a_file_editor_takes_no_more_than_the_file_has(tmp_path: Path) -> None:
    model().save_weights(tmp_path / "bad.weights.h5")
    with h5py.File(tmp_path / "bad.weights.h5", "r+") as file:
        for i in range(200):
            file.create_dataset(f"layers/dense/vars/x{i}", (1 << 22,), "float32", chunks=(1 << 20,))
    refused_within_limits("deepkit.saving.KerasFileEditor(path)", tmp_path / "bad.weights.h5")


def test_damaged_files_of_every_kind(tmp_path: Path) -> None:
    mine = model()
    before = mine.get_weights()
    for name in ("bad.weights.h5", "bad.h5", "bad.safetensors", "bad.keras"):
        (mine.save if name in ("bad.h5", "bad.keras") else mine.save_weights)(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        for end in range(0, len(data), max(1, len(data) // 25)):
            (tmp_path / name).write_bytes(data[:end])
            with pytest.raises(ValueError, match=name):
                mine.load_weights(tmp_path / name)
    for a, b in zip(mine.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_many_large_datasets_for_a_small_model(tmp_path: Path) -> None:
    """Each is within its bounds; together they would be gigabytes. What isn't of the right shape isn't read."""
    model().save_weights(tmp_path / "bad.weights.h5")
    with h5py.File(tmp_path / "bad.weights.h5", "r+") as file:
        for i in range(200):
            file.create_dataset(f"layers/dense/vars/x{i}", (1 << 22,), "float32", chunks=(1 << 20,))
    shutil.copy(tmp_path / "bad.weights.h5", tmp_path / "bad.h5")
    setup = "import deepkit, h5py; from tests.saving.hostile import model; mine = model()"
    refused_within_limits(
        "mine.load_weights(path)", tmp_path / "bad.weights.h5", tmp_path / "bad.h5", setup=setup
    )


@pytest.mark.parametrize(
    "header",
    [
        {"layers/dense/vars/0": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}},
        {"layers/dense/vars/0": {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 0]}},
        {"layers/dense/vars/0": {"dtype": "O", "shape": [0], "data_offsets": [0, 0]}},
        {"layers/dense/vars/0": {"dtype": "F32", "shape": [0] * 60, "data_offsets": [0, 0]}},
        {"../../x": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}},
        {},
    ],
)
def test_safetensors_that_lie(header: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(header).encode()
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(struct.pack("<Q", len(text)) + text)
    mine = model()
    check_refused(mine, lambda: mine.load_weights(bad))


ODD_VALUES = {
    "rows of varying length": (np.fromiter([np.zeros(2, "uint8")], object, 1), h5py.vlen_dtype("uint8")),
    "references": (h5py.Reference(), h5py.ref_dtype),
    "records": (np.zeros((), [("a", "f4")]), None),
    "bytes of no type": (np.void(b"abcd"), None),
}


@pytest.mark.parametrize("case", ODD_VALUES)
def test_attributes_of_odd_dtypes(case: str, tmp_path: Path) -> None:
    value, dtype = ODD_VALUES[case]
    bad = saved(tmp_path, "bad.h5")
    with h5py.File(bad, "r+") as file:
        del file.attrs["model_config"]
        file.attrs.create("model_config", value, None, dtype)
    with pytest.raises(ValueError, match=r"bad\.h5"):
        deepkit.saving.load_model(bad)


def test_names_that_are_paths_are_not_followed(tmp_path: Path) -> None:
    """A link named ``ext/x``, which only a forged file has, would lead through the external link ``ext``."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file.create_dataset("vars/x", data=np.arange(3.0))
    bad = tmp_path / "bad.weights.h5"
    with h5py.File(bad, "w") as file:
        file["ext"] = h5py.ExternalLink("secret.h5", "/vars")
        file.create_dataset("vars/ext_x", data=np.zeros(3))
        file["vars/ext"] = h5py.ExternalLink("secret.h5", "/vars")
    bad.write_bytes(bad.read_bytes().replace(b"ext_x", b"ext/x"))
    with pytest.raises(ValueError, match=r"bad\.weights\.h5"):
        deepkit.saving.KerasFileEditor(bad)
    with hdf5.open_file(bad) as file:
        for name in ("ext/x", "/vars/ext/x", "", "."):
            with pytest.raises(ValueError, match="no name|missing|refused"):
                hdf5.read_dataset(file["vars"], name)
