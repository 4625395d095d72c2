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

    def on_train_begin(self, logs: Any = None) -> None:
        self._close()
        self.keys = None
        self.append_header = not (
            self.append and os.path.exists(self.filename) and os.path.getsize(self.filename)
        )
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self.writer is None:
            self.keys = sorted(logs)
            # Without a validation in the first epoch, there may be one in a later epoch: its columns are kept free.
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            # Python's "excel" dialect ends lines with \r\n; other tools expect the system's own ending.
            import csv  # here, to keep `import deepkit` light

            self.writer = csv.writer(self.csv_file, delimiter=self.sep, lineterminator=os.linesep)
            if self.append_header:
                self.writer.writerow(["epoch", *self.keys])
        self.writer.writerow([epoch, *(_text(logs.get(key, "NA")) for key in self.keys or ())])
        self.csv_file.flush()

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
