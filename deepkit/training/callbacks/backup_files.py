"""The files of a backup: weights, and a small JSON file that says which weights are the valid ones."""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from typing import Any

from ...utils.atomic import atomic_write

_WEIGHTS = re.compile(r"state-(\d{1,18})\.weights\.h5")
_METADATA = "training_metadata.json"
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

    def save(self, model: Any, state: dict[str, Any]) -> None:
        """Write the model's weights and ``state``, plain data, as the newest backup."""
        os.makedirs(self.folder, exist_ok=True)
        numbers = self._numbers()
        number = max(numbers, default=0) + 1
        weights = f"state-{number}.weights.h5"
        model.save_weights(self._path(weights), overwrite=True)
        entries = [{**state, "weights": weights}, *self._entries()][: self.keep]
        with atomic_write(self._path(_METADATA), "w") as file:
            json.dump({"backups": entries}, file)
        valid = {entry["weights"] for entry in entries}
        for old in numbers:
            if f"state-{old}.weights.h5" not in valid:
                self._remove(f"state-{old}.weights.h5")

    def load(self, model: Any) -> dict[str, Any] | None:
        """Give the model the weights of the newest backup that can be read, and return its state; ``None`` if there is
        no backup.

        Raises:
            ValueError: if none can be read, or the weights don't fit the model.
        """
        entries = self._entries()
        for i, entry in enumerate(entries):
            try:
                model.load_weights(self._path(entry["weights"]))
                return entry
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
        for number in self._numbers():
            self._remove(f"state-{number}.weights.h5")
        self._remove(_METADATA)
        with contextlib.suppress(OSError):
            os.rmdir(self.folder)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(name))

    def _numbers(self) -> list[int]:
        try:
            found = [_WEIGHTS.fullmatch(name) for name in os.listdir(self.folder)]
        except FileNotFoundError:
            return []
        return [int(match.group(1)) for match in found if match]

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
