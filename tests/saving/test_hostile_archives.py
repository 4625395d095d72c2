"""``.keras`` files and folders from strangers: bombs, members of odd names, damaged archives."""

from __future__ import annotations

import json
import os
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

import deepkit
from deepkit import layers
from tests.saving.hostile import (
    as_h5,
    entry,
    model,
    refused_within_limits,
    rewritten,
    saved,
    unzipped,
    with_config,
    with_layer,
)

LOAD = "deepkit.saving.load_model(path)"


def _repeated(size: int) -> bytes:
    """Bytes that pack well, but not to the utmost."""
    return (os.urandom(64) + b"\0" * 4000) * (size // 4064 + 1)


PACKED = {
    "a configuration of blanks": ("config.json", b" " * (300 << 20)),
    "a configuration of much": ("config.json", b"[" + b'"aaaaaaaaaaaaaaaa",' * (16 << 20) + b"1]"),
    "weights of zeros": ("model.weights.h5", b"\0" * (300 << 20)),
    "weights that pack well": ("model.weights.h5", _repeated(300 << 20)),
    "an asset": ("assets/layers/dense/x", b"\0" * (300 << 20)),
}


@pytest.mark.parametrize("case", PACKED)
def test_archives_that_unpack_to_much(case: str, tmp_path: Path) -> None:
    bad = rewritten(saved(tmp_path), lambda members: members.update([PACKED[case]]), zipfile.ZIP_DEFLATED)
    refused_within_limits(LOAD, bad)
    if case == "weights of zeros":
        code = "deepkit.Sequential([deepkit.Input((4,)), deepkit.layers.Dense(3)]).load_weights(path)"
        refused_within_limits(code, bad)


def test_a_member_larger_than_it_declares(tmp_path: Path) -> None:
    bad = rewritten(
        saved(tmp_path), lambda m: m.update({"config.json": b" " * (300 << 20)}), zipfile.ZIP_DEFLATED
    )
    data = bad.read_bytes()
    bad.write_bytes(data.replace(struct.pack("<I", 300 << 20), struct.pack("<I", 1000)))
    refused_within_limits(LOAD, bad)


def test_members_that_overlap(tmp_path: Path) -> None:
    """Many members that are all the same bytes of the archive."""
    bad = rewritten(
        saved(tmp_path), lambda m: m.update({"assets/a": b"\0" * (1 << 20)}), zipfile.ZIP_DEFLATED
    )
    with zipfile.ZipFile(bad, "a") as archive:
        first = archive.getinfo("assets/a")
        for i in range(5000):
            again = zipfile.ZipInfo(f"assets/a{i}")
            for name in ("compress_type", "CRC", "compress_size", "file_size", "header_offset", "flag_bits"):
                setattr(again, name, getattr(first, name))
            archive.filelist.append(again)
            archive.NameToInfo[again.filename] = again
        archive._didModify = True  # type: ignore[attr-defined]
    assert "unpacks to" in refused_within_limits(LOAD, bad)


BOMBS = {
    "a kernel": entry("keras.layers", "Dense", {"units": 10**9}),
    "a kernel of more bytes than there are": entry("keras.layers", "Dense", {"units": 10**12}),
    "a kernel of no number of bytes": entry("keras.layers", "Dense", {"units": 10**30}),
    "many small ones": entry("keras.layers", "Dense", {"units": 10**6}),
    "a table": entry("keras.layers", "Embedding", {"input_dim": 10**9, "output_dim": 10**3}),
    "a kernel of large windows": entry("keras.layers", "Conv1D", {"filters": 10**5, "kernel_size": 10**5}),
    "a recurrent kernel": entry("keras.layers", "LSTM", {"units": 10**6}),
}


@pytest.mark.parametrize("case", BOMBS)
def test_layers_with_more_weights_than_the_file(case: str, tmp_path: Path) -> None:
    wide = [None, 10**6, 4] if case.startswith(("a kernel of large", "a recurrent")) else [None, 4]

    def change(config: dict[str, Any]) -> dict[str, Any]:
        found = config["config"]["layers"]
        found[0]["config"]["batch_shape"] = config["config"]["build_input_shape"] = wide
        found[1] = BOMBS[case]
        if case.startswith("many"):
            found[1:] = [{**BOMBS[case], "config": {"units": 10**6, "name": f"d{i}"}} for i in range(100)]
        return config

    bad = with_config(saved(tmp_path), change)
    config = json.loads((unzipped(bad) / "config.json").read_text())
    messages = refused_within_limits(LOAD, bad, tmp_path / "folder", as_h5(tmp_path, config))
    assert messages.count("asks for") == 3


def test_the_allowance_is_for_strangers_only(tmp_path: Path) -> None:
    bad = with_config(saved(tmp_path), with_layer(entry("keras.layers", "Dense", {"units": 2_000_000})))
    with pytest.raises(ValueError, match="safe_mode=False"):
        deepkit.saving.load_model(bad)
    with pytest.raises(ValueError, match="shape"):  # it is made, and doesn't fit the weights
        deepkit.saving.load_model(bad, safe_mode=False)
    assert layers.Dense.from_config({"units": 2_000_000}).units == 2_000_000


@pytest.mark.parametrize("count", [20_000, 1_000_000])
def test_a_configuration_of_many_layers(count: int, tmp_path: Path) -> None:
    relu = '{"class_name": "ReLU", "config": {}},'
    text = '{"class_name": "Sequential", "config": {"name": "s", "layers": [' + relu * count
    bad = rewritten(saved(tmp_path), lambda m: m.update({"config.json": (text.rstrip(",") + "]}}").encode()}))
    assert "10000" in (message := refused_within_limits(LOAD, bad)) or "500,000" in message


def test_layers_in_the_worst_order(tmp_path: Path) -> None:
    """Ten thousand calls, each before the one whose output it takes; the last takes one that isn't there."""

    def layer(i: int) -> dict[str, Any]:
        source = {"class_name": "__keras_tensor__", "config": {"keras_history": [f"l{i + 1}", 0, 0]}}
        inner = entry("keras.layers", "ReLU", {"name": f"l{i}"})
        return {**inner, "name": f"l{i}", "inbound_nodes": [{"args": [source], "kwargs": {}}]}

    inner = {
        "name": "f",
        "layers": [layer(i) for i in range(10_000)],
        "input_layers": [],
        "output_layers": [["l0", 0, 0]],
    }
    config = entry("keras", "Functional", inner)
    assert "never come" in refused_within_limits(LOAD, with_config(saved(tmp_path), lambda _: config))


def test_archives_cut_short_and_changed(tmp_path: Path) -> None:
    good = saved(tmp_path)
    data = good.read_bytes()
    cut = tmp_path / "cut.keras"
    for end in range(0, len(data), max(1, len(data) // 40)):
        cut.write_bytes(data[:end])
        with pytest.raises(ValueError, match=r"cut\.keras"):
            deepkit.saving.load_model(cut)
    for name in ("config.json", "model.weights.h5"):
        bad = rewritten(good, lambda members, name=name: members.pop(name))
        with pytest.raises(ValueError, match=name):
            deepkit.saving.load_model(bad)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["config.json", "model.weights.h5", "assets/x"])
def test_two_members_of_one_name(name: str, tmp_path: Path) -> None:
    good = saved(tmp_path)
    with zipfile.ZipFile(good, "a") as archive:
        archive.writestr(name, b"{}")
        archive.writestr(name, b"{}")
    for call in (deepkit.saving.load_model, model().load_weights):
        with pytest.raises(ValueError, match="two members"):
            call(good)


ODD_NAMES = ["assets/../../x", "assets//x", "assets/./x", "assets/a\\..\\x", "assets/c:x"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_assets_stay_inside(name: str, tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    vocabulary = layers.StringLookup(vocabulary=["a", "b"])
    deepkit.Sequential([layers.Input((1,), dtype="string"), vocabulary]).save(inside / "good.keras")
    bad = rewritten(inside / "good.keras", lambda members: members.update({name: b"x"}))
    with pytest.raises(ValueError, match=r"bad\.keras has an asset named"):
        deepkit.saving.load_model(bad)
    assert os.listdir(tmp_path) == ["in"]


def test_links_in_archives_and_folders(tmp_path: Path) -> None:
    good = saved(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("{}")
    link = zipfile.ZipInfo("config.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "bad.keras", "w") as archive:
        archive.writestr(link, str(secret))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(ValueError, match="config.json"):  # what it points to is text, and no JSON
        deepkit.saving.load_model(tmp_path / "bad.keras")
    folder = unzipped(good)
    for name in ("config.json", "model.weights.h5"):
        data = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / name).symlink_to(secret)
        with pytest.raises(ValueError, match="link"):
            deepkit.saving.load_model(folder)
        (folder / name).unlink()
        (folder / name).write_bytes(data)
    deepkit.saving.load_model(folder)
