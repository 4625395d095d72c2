"""Configurations from strangers: each attack through each door is refused and runs nothing.

The cases are the published ones of Keras and its relatives; the number beside a case is its CVE.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any, Callable

import pytest

import deepkit
from deepkit import layers
from tests.saving.hostile import as_h5, entry, model, rewritten, saved, unzipped, with_config, with_layer

pytestmark = pytest.mark.usefixtures("limits")

CANARY = "open('canary', 'w').write('run')"
BYTECODE = {
    "class_name": "__lambda__",
    "config": {"code": "4wAAAA==", "defaults": None, "closure": None},
}
TENSOR = {"class_name": "__tensor__", "config": {"value": [[["x"]]], "dtype": "object"}}
ENTRIES = {
    "CVE-2025-1550 a function of any module": entry("os", "system", "touch canary"),
    "CVE-2025-1550 a class of any module": entry("subprocess", "Popen", {"args": ["touch", "canary"]}),
    "CVE-2025-1550 builtins": entry("builtins", "exec", CANARY),
    "CVE-2025-1550 a function by name": entry("builtins", "function", "eval", "function"),
    "CVE-2025-1550 an argument": entry(
        "keras.layers", "Dense", {"units": 3, "activation": entry("os", "function", "system")}
    ),
    "CVE-2025-8747 a public function as gadget": entry(
        "keras.utils", "get_file", {"fname": "x", "origin": "http://127.0.0.1/"}
    ),
    "CVE-2025-9906 switching safe mode off": entry("keras.config", "enable_unsafe_deserialization"),
    "CVE-2024-3660 bytecode": entry("keras.layers", "Lambda", {"name": "l", "function": BYTECODE}),
    "CVE-2024-3660 bytecode as Keras 2 wrote it": entry(
        "keras.layers", "Lambda", {"name": "l", "function_type": "lambda", "function": ["4wAA", None, None]}
    ),
    "CVE-2026-12481 bytecode and no safe mode": entry(
        "keras.layers", "Lambda", {"name": "l", "safe_mode": None, "function": BYTECODE}
    ),
    "CVE-2025-49655 a wrapper of pickles": entry(
        "keras.layers", "TorchModuleWrapper", {"module": "gASVAAAA"}
    ),
    "CVE-2026-1462 a layer that loads a model": entry(
        "keras.layers", "TFSMLayer", {"filepath": "/tmp/other"}
    ),
    "CVE-2025-12058 a vocabulary from a file": entry(
        "keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}
    ),
    "CVE-2025-12058 a vocabulary from the net": entry(
        "keras.layers", "StringLookup", {"vocabulary": "http://127.0.0.1/v"}
    ),
    "CVE-2025-12058 a vocabulary of a text layer": entry(
        "keras.layers", "TextVectorization", {"vocabulary": "/etc/passwd"}
    ),
    "a registered name that isn't": entry("builtins", "Thing", {}, "builtins>eval"),
    "a registered name of another class": entry("keras.layers", "NoSuchLayer", {}, "Dense"),
    "a function where a layer belongs": entry("keras.activations", "relu", {}),
    "an initializer where a layer belongs": entry("keras.initializers", "Zeros", {}),
    "an optimizer where a layer belongs": entry("keras.optimizers", "Adam", {}),
    "a layer where an initializer belongs": entry(
        "keras.layers", "Dense", {"units": 3, "kernel_initializer": entry("keras.layers", "ReLU", {})}
    ),
    "a configuration that is no dictionary": entry("keras.layers", "Dense", ["units", 3]),
    "sizes below nothing": entry("keras.layers", "Dense", {"units": -3}),
    "sizes that are no numbers": entry("keras.layers", "Dense", {"units": float("nan")}),
    "sizes without end": entry("keras.layers", "Dense", {"units": float("inf")}),
    "sizes of text": entry("keras.layers", "Dense", {"units": "3"}),
    "a shape below nothing": entry("keras.layers", "Reshape", {"target_shape": [-2, -2]}),
    "arrays of objects": entry("keras.layers", "Dense", {"units": TENSOR}),
    "an unknown argument": entry("keras.layers", "Dense", {"units": 3, "__class__": "x"}),
    "an unknown tag": entry("keras.layers", "Dense", {"units": {"class_name": "__typespec__", "config": {}}}),
    "a class name that is no text": entry("keras.layers", ["Dense"], {"units": 3}),  # type: ignore[arg-type]
    "a shape to build for that is none": {
        **entry("keras.layers", "Dense", {"units": 3}),
        "build_config": {"input_shape": "x"},
    },
}


#: What a layer on its own isn't: only a model builds it.
SEEN_BY_MODELS = (
    "where a layer belongs",
    "where an initializer belongs",
    "to build for",
    "a shape below nothing",
)


@pytest.mark.parametrize("case", ENTRIES)
def test_layers_through_every_door(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    layer = ENTRIES[case]
    bad = with_config(saved(tmp_path), with_layer(layer))
    folder = unzipped(bad)
    config = json.loads((folder / "config.json").read_text())
    files = {"keras": bad, "folder": folder, "h5": as_h5(tmp_path, config)}
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for path in files.values():
        for options in ({}, {"safe_mode": None}, {"compile": False}):
            with pytest.raises((ValueError, TypeError)) as caught:
                deepkit.saving.load_model(path, **options)
            assert path.name in str(caught.value)
    doors: list[Callable[[], Any]] = [
        lambda: deepkit.models.model_from_json(json.dumps(config)),
        lambda: deepkit.models.model_from_config(copy.deepcopy(config)),
        lambda: deepkit.Sequential.from_config(copy.deepcopy(config["config"])),
        lambda: deepkit.saving.deserialize_keras_object(copy.deepcopy(config)),
        lambda: layers.deserialize(copy.deepcopy(config)),
    ]
    if not any(words in case for words in SEEN_BY_MODELS):
        doors.append(lambda: layers.deserialize(copy.deepcopy(layer)))
    for door in doors:
        with pytest.raises((ValueError, TypeError)):
            door()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_code_is_refused_even_without_safe_mode(tmp_path: Path) -> None:
    bad = with_config(saved(tmp_path), with_layer(ENTRIES["CVE-2024-3660 bytecode"]))
    with pytest.raises(ValueError, match="bytecode"):
        deepkit.saving.load_model(bad, safe_mode=False)


COMPILED = {
    "optimizer": entry("builtins", "exec", CANARY),
    "loss": entry("os", "function", "system", "system"),
    "metrics": [entry("subprocess", "Popen", {"args": ["touch", "canary"]})],
}


@pytest.mark.parametrize("key", COMPILED)
def test_what_a_model_was_compiled_with(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def change(config: dict[str, Any]) -> dict[str, Any]:
        config["compile_config"][key] = COMPILED[key]
        return config

    with pytest.raises((ValueError, TypeError)):
        deepkit.saving.load_model(with_config(saved(tmp_path), change))
    assert not Path("canary").exists()


def _tensor(name: Any, node: Any = 0, index: Any = 0) -> dict[str, Any]:
    inner = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, node, index]}
    return {"class_name": "__keras_tensor__", "config": inner}


def _dense(name: str, *sources: Any) -> dict[str, Any]:
    nodes = [{"args": [source], "kwargs": {}} for source in sources]
    return {
        **entry("keras.layers", "Dense", {"units": 4, "name": name}),
        "name": name,
        "inbound_nodes": nodes,
    }


INPUT = {
    **entry("keras.layers", "InputLayer", {"batch_shape": [None, 4], "name": "i"}),
    "name": "i",
    "inbound_nodes": [],
}


def _functional(*entries: Any, **ends: Any) -> dict[str, Any]:
    inner = {
        "name": "f",
        "layers": [INPUT, *entries],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["a", 0, 0]],
    }
    return entry("keras.src.models.functional", "Functional", {**inner, **ends})


GRAPHS = {
    "a cycle": _functional(_dense("a", _tensor("b")), _dense("b", _tensor("a"))),
    "a layer that takes its own output": _functional(_dense("a", _tensor("a"))),
    "a layer that isn't there": _functional(_dense("a", _tensor("nowhere"))),
    "an output that isn't there": _functional(_dense("a", _tensor("i", 0, 5))),
    "an output counted from the end": _functional(_dense("a", _tensor("i", 0, -1))),
    "a call that isn't there": _functional(_dense("a", _tensor("i", 10**30))),
    "no history": _functional(_dense("a", {"class_name": "__keras_tensor__", "config": {}})),
    "a history of odd types": _functional(_dense("a", _tensor(["i"]))),
    "calls that are no list": _functional({**_dense("a"), "inbound_nodes": {"a": 3}}),
    "calls that are numbers": _functional({**_dense("a"), "inbound_nodes": [3, [4], [[]]]}),
    "arguments that are no list": _functional({**_dense("a"), "inbound_nodes": [{"args": 3, "kwargs": [1]}]}),
    "two layers of one name": _functional(_dense("a", _tensor("i")), _dense("a", _tensor("i"))),
    "a layer that is no dictionary": _functional(["a"]),
    "no layers": _functional(layers=None),
    "layers by name": _functional(layers={"a": INPUT}),
    "an end that isn't there": _functional(_dense("a", _tensor("i")), output_layers=[["z", 0, 0]]),
    "an end of odd type": _functional(_dense("a", _tensor("i")), output_layers=[["a", 0, "x"]]),
    "no ends": _functional(_dense("a", _tensor("i")), output_layers=None),
    "a shape below nothing": _functional(
        {**INPUT, "name": "a", "config": {"batch_shape": [None, -4], "name": "a"}}
    ),
    "a shape that is no number": _functional(
        {**INPUT, "name": "a", "config": {"batch_shape": [None, float("nan")], "name": "a"}}
    ),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_graphs_of_odd_form(case: str, tmp_path: Path) -> None:
    config = GRAPHS[case]
    bad = with_config(saved(tmp_path), lambda _: config)
    for path in (bad, unzipped(bad), as_h5(tmp_path, config)):
        with pytest.raises(ValueError, match=path.name):
            deepkit.saving.load_model(path)
    with pytest.raises(ValueError):
        deepkit.Model.from_config(copy.deepcopy(config["config"]))


@pytest.mark.parametrize("value", [{}, {"name": "f"}, {"layers": 3}, {"layers": [None]}, {"layers": "abc"}])
@pytest.mark.parametrize("cls", ["Sequential", "Functional"])
def test_from_config_of_odd_form(cls: str, value: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        getattr(deepkit.models, cls).from_config(value)


@pytest.mark.parametrize("depth", [300, 900, 5000, 100_000])
def test_configurations_nested_deep(depth: int, tmp_path: Path) -> None:
    for opened, closed in (("[", "]"), ('{"a":', "}"), ('{"class_name": "Dense", "config":', "}")):
        text = '{"class_name": "Sequential", "config": {"name": "s", "layers": ['
        text += opened * depth + "1" + closed * depth + "]}}"
        bad = rewritten(saved(tmp_path), lambda m, text=text: m.update({"config.json": text.encode()}))
        for path in (bad, as_h5(tmp_path, text)) if depth < 10_000 else (bad,):  # attributes end at 64 KiB
            with pytest.raises(ValueError, match=path.name):
                deepkit.saving.load_model(path)
        with pytest.raises(ValueError):
            deepkit.models.model_from_json(text)
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    with pytest.raises((ValueError, TypeError)):
        layers.deserialize({"class_name": "Dense", "config": {"units": deep}})
    with pytest.raises((ValueError, TypeError)):
        layers.Dense.from_config({"units": deep})
    while isinstance(deep, list):  # taken apart by hand: the interpreter's own way is recursive
        deep = deep.pop()


TEXTS = [
    b"",
    b"{",
    b"null",
    b"3",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b'"Sequential"',
    b'{"class_name": "Sequential"}',
    b'{"class_name": "Sequential", "config": null}',
    b'{"class_name": "Dense", "config": {"units": 3}}',
    b'{"class_name": "Adam", "config": {}}',
    b'{"class_name": "__bytes__", "config": {"value": "x"}}',
    b'{"class_name": "__numpy__", "config": {"value": [1], "dtype": "O"}}',
    b'{"class_name": "__tensor__", "config": 3}',
    b'{"config": 3}',
    b'{"layers": []}',
    b"[" * 200_000,
    b'{"class_name": ' * 200_000,
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_that_describe_no_model(text: bytes, tmp_path: Path) -> None:
    bad = rewritten(saved(tmp_path), lambda members: members.update({"config.json": text}))
    for path in (bad, unzipped(bad)):
        with pytest.raises(ValueError, match=path.name):
            deepkit.saving.load_model(path)


@pytest.mark.parametrize("shared", [-1, 10**30, "second", None, [1], {"class_name": "Dense", "config": {}}])
def test_shared_object_ids_mean_nothing(shared: Any, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> dict[str, Any]:
        first, second = config["config"]["layers"][1:]
        first["shared_object_id"] = second["shared_object_id"] = shared
        first["config"]["kernel_initializer"]["shared_object_id"] = shared
        return config

    loaded = deepkit.saving.load_model(with_config(saved(tmp_path), change))
    assert [type(layer).__name__ for layer in loaded.layers] == ["Dense", "Dense"]
    assert loaded.layers[0] is not loaded.layers[1]


NAMES = ["../../x", "/etc/x", "..", "a/b", "a\\b", "x\0y", "{logs.__class__}", "\u202ex", "x" * 5000]


@pytest.mark.parametrize("name", NAMES)
def test_layer_names_lead_nowhere(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    monkeypatch.chdir(inside)

    def change(config: dict[str, Any]) -> dict[str, Any]:
        config["config"]["name"] = config["config"]["layers"][1]["config"]["name"] = name
        return config

    try:
        loaded = deepkit.saving.load_model(with_config(saved(inside), change))
    except ValueError:
        return
    for target in ("again.keras", "again.weights.h5", "again.h5"):
        try:
            (loaded.save_weights if "weights" in target else loaded.save)(target)
        except ValueError:
            continue
    known = {"good.keras", "bad.keras", "again.keras", "again.weights.h5", "again.h5"}
    assert {p.name for p in inside.iterdir()} <= known
    assert os.listdir(tmp_path) == ["in"]


def test_clones_are_of_the_same_closed_list(tmp_path: Path) -> None:
    class Odd(layers.Dense):
        def get_config(self) -> dict[str, Any]:
            return {"units": entry("os", "system", "touch canary")}

    made = deepkit.Sequential([layers.Input((4,)), Odd(3)])
    with pytest.raises((ValueError, TypeError)):
        deepkit.models.clone_model(made)
    assert deepkit.models.clone_model(model()).count_params() == model().count_params()
