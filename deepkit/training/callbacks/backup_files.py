"""The files of a backup: weights, the rest of the state, and a small JSON file that says which of them are valid."""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from typing import Any

import numpy as np

from ...utils.atomic import atomic_write

_WEIGHTS = re.compile(r"state-(\d{1,18})\.weights\.h5")
_FILE = re.compile(r"state-(\d{1,18})\.(?:weights\.h5|npz)")
_METADATA = "training_metadata.json"
_LATEST = "latest.weights.h5"  # the name that Keras gives the weights, for whoever looks for them there
_MAX_METADATA = 1 << 20


class BackupFiles:
    """Backups in a folder. A new one is written beside the old and becomes valid all at once, with one rename.

    Args:
        folder: The folder; made when needed.
        keep: Number of backups to keep, 1 or 2.
    """

    def __init__(self, folder: str, keep: int = 1):
        self.folder = folder
        self.keep = keep

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def save(self, model: Any, state: dict[str, Any], rest: Any) -> None:
        """Write the model's weights, ``state``, a few numbers, and ``rest``, a nest of plain data and arrays, as the
        newest backup."""
        os.makedirs(self.folder, exist_ok=True)
        numbers = self._numbers()
        number = max(numbers, default=0) + 1
        weights = f"state-{number}.weights.h5"
        model.save_weights(self._path(weights), overwrite=True)
        with atomic_write(self._path(f"state-{number}.npz")) as file:
            write_nest(file, rest)
        entries = [{**state, "weights": weights}, *self._entries()][: self.keep]
        with atomic_write(self._path(_METADATA), "w") as file:
            json.dump({"epoch": state["epoch"], "batch": state["batch"], "backups": entries}, file)
        self._link_latest(weights)
        valid = {entry["weights"] for entry in entries}
        for old in numbers:
            if f"state-{old}.weights.h5" not in valid:
                self._remove_number(old)

    def load(self, model: Any) -> dict[str, Any] | None:
        """Give the model the weights of the newest backup that can be read, and return its state, the
        nest that was saved under ``"rest"``; ``None`` if there is no backup.

        Raises:
            ValueError: if none can be read, or the weights don't fit the model.
        """
        entries = self._entries()
        for i, entry in enumerate(entries):
            try:
                rest = read_nest(self._path(entry["weights"].replace(".weights.h5", ".npz")))
                model.load_weights(self._path(entry["weights"]))
                return {**entry, "rest": rest}
            except (OSError, ValueError) as error:
                if i + 1 == len(entries):
                    raise ValueError(
                        f"The backup in {self.folder!r} can't be restored: {error} Delete the folder to start anew."
                    ) from error
                warnings.warn(
                    f"The last backup in {self.folder!r} can't be restored ({error}); the one before is taken."
                )
        return None

    def delete(self) -> None:
        """Delete the backups, and the folder if nothing else is in it."""
        self._remove(_METADATA)  # first: it must never name files that are gone
        self._remove(_LATEST)
        self._remove(f".{_LATEST}.part")
        for number in self._numbers():
            self._remove_number(number)
        with contextlib.suppress(OSError):
            os.rmdir(self.folder)

    def _link_latest(self, weights: str) -> None:
        """Give the newest weights their second name, where the file system has links; nothing here reads it."""
        part = self._path(f".{_LATEST}.part")
        with contextlib.suppress(OSError):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
            os.link(self._path(weights), part)
            os.replace(part, self._path(_LATEST))

    def _remove_number(self, number: int) -> None:
        self._remove(f"state-{number}.weights.h5")
        self._remove(f"state-{number}.npz")

    def _remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(name))

    def _numbers(self) -> list[int]:
        try:
            found = [_FILE.fullmatch(name) for name in os.listdir(self.folder)]
        except FileNotFoundError:
            return []
        return sorted({int(match.group(1)) for match in found if match})

    def _entries(self) -> list[dict[str, Any]]:
        """The backups that the metadata lists, the newest first.

        Raises:
            ValueError: if it is malformed; names that lead out of the folder are.
        """
        try:
            with open(self._path(_METADATA), encoding="utf-8") as file:
                text = file.read(_MAX_METADATA)
        except FileNotFoundError:
            return []
        try:
            entries = json.loads(text)["backups"]
            for entry in entries:
                if not _WEIGHTS.fullmatch(entry["weights"]) or int(entry["epoch"]) < 0:
                    raise ValueError(f"odd entry {entry!r}")
            return list(entries)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(
                f"The backup's {self._path(_METADATA)!r} is malformed ({error}). Delete the folder to start anew."
            ) from error


def write_nest(file: Any, nest: Any) -> None:
    """Write a nest of plain data and arrays into an open file: the arrays, and JSON for the rest."""
    arrays: dict[str, np.ndarray] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            name = f"a{len(arrays)}"
            kind = value.dtype.name  # dtypes that NumPy doesn't know itself are kept as bytes
            foreign = value.dtype.kind == "V"
            arrays[name] = value.view(f"u{value.dtype.itemsize}") if foreign else value
            return {"array": name, "dtype": kind}
        if isinstance(value, np.generic):
            return plain(np.asarray(value))
        if isinstance(value, dict):
            return {"items": [[str(key), plain(item)] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return value

    text = json.dumps(plain(nest))
    np.savez(file, nest=np.frombuffer(text.encode(), np.uint8), **arrays)  # type: ignore[arg-type]


def read_nest(path: str) -> Any:
    """The nest that :func:`write_nest` wrote.

    Raises:
        OSError: if there is no such file.
        ValueError: if it is malformed.
    """
    import zipfile

    from ...autograd.dtypes import np_dtype

    def nested(value: Any) -> Any:
        if isinstance(value, list):
            return [nested(item) for item in value]
        if isinstance(value, dict):
            if "items" in value:
                return {key: nested(item) for key, item in value["items"]}
            array = file[value["array"]]
            return array if array.dtype.name == value["dtype"] else array.view(np_dtype(value["dtype"]))
        return value

    try:
        with np.load(path, allow_pickle=False) as file:
            return nested(json.loads(file["nest"].tobytes()))
    except (KeyError, TypeError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path!r} is malformed ({error}).") from error
