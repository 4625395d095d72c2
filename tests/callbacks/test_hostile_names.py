"""Names from model files in the names of files: logs and checkpoints stay in their folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepkit
from deepkit import layers

pytestmark = pytest.mark.usefixtures("limits")

NAMES = [
    "..",
    "a\\..\\..\\b",
    "c:x",
    "{logs.__class__}",
    "{epoch.__init__.__globals__}",
    'x"\n}\nembeddings {',
    "~",
    "$HOME",
]


def model(name: str) -> Any:
    made = deepkit.Sequential(
        [
            layers.Input((1,), dtype="int32"),
            layers.Embedding(3, 2, name=name),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name=name,
    )
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize("name", NAMES)
def test_logs_and_checkpoints(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    monkeypatch.chdir(inside)
    callbacks = [
        deepkit.callbacks.TensorBoard("logs", histogram_freq=1, embeddings_freq=1, write_images=True),
        deepkit.callbacks.ModelCheckpoint("m-{epoch}.keras"),
        deepkit.callbacks.CSVLogger("log.csv"),
        deepkit.callbacks.BackupAndRestore("backup", delete_checkpoint=False),
    ]
    data = np.zeros((2, 1), "int32"), np.zeros((2, 1), "float32")
    model(name).fit(*data, epochs=1, callbacks=callbacks, verbose=0)
    assert os.listdir(tmp_path) == ["in"]
    assert sorted(os.listdir(inside)) == ["backup", "log.csv", "logs", "m-1.keras"]
    assert all("\\" not in p.name and ":" not in p.name for p in (inside / "logs").rglob("*"))
    config = (inside / "logs/train/projector_config.pbtxt").read_text()
    assert config.count("\nembeddings {") + config.startswith("embeddings {") == 1


@pytest.mark.parametrize(
    "template",
    [
        "{logs.__class__}.keras",
        "{loss.__class__}.keras",
        "{epoch.__init__}.keras",
        "{0}.keras",
        "{a[0]}.keras",
    ],
)
def test_templates_reach_no_attributes(
    template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="ModelCheckpoint"):
        deepkit.callbacks.ModelCheckpoint(template)
    assert not os.listdir(tmp_path)
