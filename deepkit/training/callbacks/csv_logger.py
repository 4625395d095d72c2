"""``CSVLogger``: a line an epoch in a file."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .callback import Callback


class CSVLogger(Callback):
    """Writes the logs of each epoch to a CSV file: the epoch, then the entries by name; ``NA`` where one is missing.

    Args:
        filename: The file.
        separator: What stands between values.
        append: Go on with an existing file, without a second heading.

    Example:
        >>> logger = CSVLogger("training.csv", append=True)
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self.append_header = True
        self.csv_file: Any = None
        self.writer: Any = None
        self._start = 0  # length of the file before this training
        self._lines: list[str] = []  # what this training has written

    def on_train_begin(self, logs: Any = None) -> None:
        self._close()
        self.keys = None
        self.append_header = not (
            self.append and os.path.exists(self.filename) and os.path.getsize(self.filename)
        )
        self._start = os.path.getsize(self.filename) if self.append and os.path.exists(self.filename) else 0
        self._lines = []
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self.writer is None:
            self.keys = sorted(logs)
            # Without a validation in the first epoch, there may be one in a later epoch: its columns are kept free.
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            self.writer = self._make_writer()
            if self.append_header:
                self.writer.writerow(["epoch", *self.keys])
        self.writer.writerow([epoch, *(_text(logs.get(key, "NA")) for key in self.keys or ())])
        self.csv_file.flush()

    def write(self, line: str) -> None:
        """Write a line and keep it for a backup."""
        self._lines.append(line)
        self.csv_file.write(line)

    def resume_state(self) -> dict[str, Any]:
        return {"start": self._start, "lines": list(self._lines), "keys": self.keys}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Give the file the lines that it had; those of the time after the backup are written again."""
        self._start, self._lines, self.keys = state["start"], list(state["lines"]), state["keys"]
        self.csv_file.truncate(self._start)
        self.csv_file.seek(self._start)
        self.csv_file.write("".join(self._lines))
        self.csv_file.flush()
        self.writer = None
        if self.keys is not None:
            self.writer = self._make_writer()

    def _make_writer(self) -> Any:
        import csv  # here, to keep `import deepkit` light

        # Python's "excel" dialect ends lines with \r\n; other tools expect the system's own ending.
        return csv.writer(self, delimiter=self.sep, lineterminator=os.linesep)

    def on_train_end(self, logs: Any = None) -> None:
        self._close()

    def _close(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = self.writer = None


def _text(value: Any) -> Any:
    if isinstance(value, str) or not hasattr(value, "__iter__") or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(map(str, value))}]"'
