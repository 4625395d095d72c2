"""Everything that writes files: after a failure what was there is untouched, nothing is left, the error says where."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.saving import KerasFileEditor


def model() -> Any:
    found = deepkit.Sequential([deepkit.Input((3,)), layers.Dense(2)])
    found.compile("sgd", "mse")
    return found


def trained(*callbacks: Any, epochs: int = 1) -> None:
    model().fit(np.ones((2, 3)), np.ones((2, 2)), epochs=epochs, verbose=0, callbacks=callbacks)


def checkpoint(path: Path) -> None:
    trained(deepkit.callbacks.ModelCheckpoint(path))


def backup(path: Path) -> None:
    done = len(list(path.parent.glob("*.npz")))
    trained(deepkit.callbacks.BackupAndRestore(path.parent, delete_checkpoint=False), epochs=done + 1)


def edited(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        original = os.path.join(folder, "m.weights.h5")
        model().save_weights(original)
        KerasFileEditor(original).save(path)


def image(path: Path) -> None:
    pytest.importorskip("PIL")
    deepkit.utils.save_img(path, np.zeros((4, 5, 1)))


def downloaded(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.write_text("downloaded" * 10)
        where = {"cache_dir": str(path.parent), "cache_subdir": ""}
        deepkit.utils.get_file(path.name, source.as_uri(), force_download=True, **where)


def vocabulary(path: Path) -> None:
    lookup = layers.StringLookup()
    lookup.adapt(["a long word that is no word", "another"])
    lookup.save_assets(str(path.parent))


WRITERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "weights": ("m.weights.h5", lambda path: model().save_weights(path)),
    "safetensors": ("m.safetensors", lambda path: model().save_weights(path)),
    "shards": ("m.weights.json", lambda path: model().save_weights(path, max_shard_size=30 / 1024**3)),
    "keras": ("m.keras", lambda path: model().save(path)),
    "h5": ("m.h5", lambda path: model().save(path)),
    "folder": ("folder", lambda path: model().save(path, zipped=False)),
    "onnx": ("m.onnx", lambda path: model().export(path)),
    "picture": ("m.svg", lambda path: deepkit.utils.plot_model(model(), path)),
    "image": ("m.png", image),
    "editor": ("m.weights.h5", edited),
    "checkpoint": ("m.keras", checkpoint),
    "backup": ("training_metadata.json", backup),
    "download": ("data.bin", downloaded),
    "vocabulary": ("vocabulary.txt", vocabulary),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class FullDisk:
    """A file on a disk with room for so many bytes."""

    def __init__(self, file: Any, room: int):
        self._file, self._room = file, room

    def write(self, data: Any) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)

    def __enter__(self) -> Any:
        self._file.__enter__()
        return self

    def __exit__(self, *exc: Any) -> Any:
        return self._file.__exit__(*exc)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def no_room(patch: pytest.MonkeyPatch, room: int) -> None:
    fdopen = os.fdopen
    patch.setattr(os, "fdopen", lambda *args, **kwargs: FullDisk(fdopen(*args, **kwargs), room))


def no_flush(patch: pytest.MonkeyPatch) -> None:
    def fsync(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    patch.setattr(os, "fsync", fsync)


def no_rename(patch: pytest.MonkeyPatch) -> None:
    def replace(a: Any, b: Any) -> None:
        raise OSError(errno.EIO, "Input/output error", os.fspath(a))

    patch.setattr(os, "replace", replace)
    patch.setattr(os, "rename", replace)


def read_only(patch: pytest.MonkeyPatch) -> None:
    """Simulated: whoever runs the tests may be root, who may write anywhere."""

    def refuse(*args: Any, dir: Any = None, **kwargs: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", os.path.join(str(dir), "temporary"))

    patch.setattr(tempfile, "mkstemp", refuse)


FAILURES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "full disk": lambda patch: no_room(patch, 0),
    "full disk half-way": lambda patch: no_room(patch, 20),
    "full disk at last": no_flush,
    "no rename": no_rename,
    "read-only": read_only,
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("writer", WRITERS)
def test_failure(writer: str, failure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, write = WRITERS[writer]
    folder = tmp_path / "target"
    folder.mkdir()
    path = folder / name
    for existing in (False, True):
        if existing:
            write(path)
        before = contents(folder)
        assert bool(before) == existing
        with monkeypatch.context() as patch:
            # What a test makes beside its target, such as a model to edit, is made as ever.
            _only_in(patch, folder, FAILURES[failure])
            with pytest.raises((OSError, ValueError), match=re.escape(str(folder))):
                write(path)
        assert contents(folder) == before and not [p for p in folder.rglob("*") if ".part" in p.name]
        assert existing or not path.exists()


def _only_in(patch: pytest.MonkeyPatch, folder: Path, fail: Callable[[pytest.MonkeyPatch], None]) -> None:
    """Let things fail from the first temporary file in a folder on."""
    mkstemp, mkdtemp = tempfile.mkstemp, tempfile.mkdtemp
    armed: list[bool] = []

    def arm(make: Any) -> Any:
        def making(*args: Any, **kwargs: Any) -> Any:
            if not armed and str(kwargs.get("dir") or "").startswith(str(folder)):
                armed.append(True)
                made = None if fail is read_only and make is mkstemp else make(*args, **kwargs)
                fail(patch)
                return tempfile.mkstemp(*args, **kwargs) if made is None else made
            return make(*args, **kwargs)

        return making

    patch.setattr(tempfile, "mkstemp", arm(mkstemp))
    patch.setattr(tempfile, "mkdtemp", arm(mkdtemp))


@pytest.mark.parametrize("writer", [w for w in WRITERS if w not in ("folder", "backup")])
def test_directory_in_the_way(writer: str, tmp_path: Path) -> None:
    name, write = WRITERS[writer]
    (tmp_path / name / "inner").mkdir(parents=True)
    with pytest.raises((OSError, ValueError), match=rf"{re.escape(str(tmp_path))}.*directory"):
        write(tmp_path / name)
    assert os.listdir(tmp_path) == [name] and os.listdir(tmp_path / name) == ["inner"]


@pytest.mark.parametrize("writer", [w for w in WRITERS if w not in ("folder", "backup", "checkpoint", "download")])
def test_no_folder(writer: str, tmp_path: Path) -> None:
    name, write = WRITERS[writer]
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "nowhere"))):
        write(tmp_path / "nowhere" / name)
    assert not os.listdir(tmp_path)


def test_every_writer_is_here() -> None:
    """Few places open files for writing: what is new goes through ``atomic_write``, and into the table above."""
    known = {
        "saving/assets.py",  # unpacks into a temporary folder
        "training/callbacks/csv_logger.py",  # a log that grows by lines
        "training/callbacks/tensorboard.py",  # event files grow, too
        "utils/event_file.py",
        "utils/atomic.py",
        "utils/archives.py",  # unpacks into a folder of its own that is renamed
    }
    root = Path(deepkit.__file__).parent
    writing = re.compile(r"""\bopen\([^)]*["'][wax]b?\+?["']|fdopen\(|\.write_(text|bytes)\(|np\.save(txt|z)?\(""")
    code = lambda text: "\n".join(line for line in text.splitlines() if ">>>" not in line and "..." not in line)
    found = {str(p.relative_to(root)) for p in root.rglob("*.py") if writing.search(code(p.read_text()))}
    assert found - known <= {"training/callbacks/backup_files.py"}  # np.savez into a file of atomic_write's
