"""``ModelCheckpoint``: save the model as it is trained."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from ...utils.progbar import print_message
from .callback import lazy_logs, resolve
from .monitor import MonitorCallback


def check_template(filepath: str) -> None:
    """Let only plain fields, such as ``{epoch:02d}`` and ``{val_loss:.2f}``, into a file name.

    Attributes and items of the values could otherwise bring anything at all into the name.

    Raises:
        ValueError: for another field.
    """
    try:
        import string  # here, to keep `import deepkit` light

        fields = list(string.Formatter().parse(filepath))
    except ValueError as error:
        raise ValueError(f"ModelCheckpoint: filepath={filepath!r} has a malformed field: {error}.") from None
    for _, name, spec, conversion in fields:
        if name is None:
            continue
        if not name or name.isdigit() or "." in name or "[" in name or conversion or "{" in (spec or ""):
            raise ValueError(
                f"ModelCheckpoint: the field {{{name}}} in filepath={filepath!r} isn't allowed. Fields are the name of "
                "a metric, epoch or batch, with a format: '{epoch:02d}-{val_loss:.2f}.keras'."
            )


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after each epoch or each so many batches.

    A file is complete or not there: it is written beside its place and renamed once it is on disk.

    A ``.keras`` file holds the architecture, the weights, the optimizer's state and the layers' random generators:
    ``load_model`` and ``fit(initial_epoch=k)`` go on to the bit where epoch k ended, if the data isn't shuffled. It
    doesn't hold the order of shuffled data, the global generator, the state of callbacks or the history;
    :class:`BackupAndRestore` saves those too.

    Args:
        filepath: Name, with fields for ``epoch`` (from 1), ``batch`` and the logs, as in ``"{epoch:02d}.keras"``. It
            ends in ``.keras``, or ``.weights.h5`` for weights.
        monitor: Entry of the logs to follow.
        verbose: 1 to say when something is saved.
        save_best_only: Save only when the followed entry is better than ever before.
        save_weights_only: Save the weights and the optimizer's state instead of the whole model.
        mode: ``"min"``, ``"max"``, or ``"auto"``, by the name.
        save_freq: ``"epoch"``, or a number of batches.
        initial_value_threshold: Value that the followed entry has to better.

    Raises:
        ValueError: for a name of another ending or with other fields, or another ``save_freq``.

    Example:
        >>> best = ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True)
        >>> ModelCheckpoint("{logs.__class__}.keras")
        Traceback (most recent call last):
        ValueError: ModelCheckpoint: the field {logs.__class__} in filepath='{logs.__class__}.keras' isn't allowed. ...
    """

    resumed = ("best", "_batches", "_current_epoch")

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._batches = 0  # since the last save
        self._current_epoch = 0
        check_template(self.filepath)
        if save_freq != "epoch" and (not isinstance(save_freq, (int, np.integer)) or save_freq < 1):
            raise ValueError(
                f"ModelCheckpoint: `save_freq` should be 'epoch' or a number of batches. Received: {save_freq!r}"
            )
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            what = "With save_weights_only=True `filepath`" if save_weights_only else "`filepath`"
            raise ValueError(
                f"ModelCheckpoint: {what} should end in {endings[0]!r}. Received: filepath={self.filepath!r}"
            )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._current_epoch = epoch

    @lazy_logs
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._current_epoch, batch, resolve(logs))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        if not self._should_save(epoch, logs, path):
            return
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        values = {"epoch": epoch + 1, **logs}
        if batch is not None:
            values.setdefault("batch", batch + 1)
        try:
            return self.filepath.format(**values)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath={self.filepath!r} has the field {error}, but there are only "
                f"{', '.join(values)}."
            ) from None

    def _should_save(self, epoch: int, logs: dict[str, Any], path: str) -> bool:
        heading = f"\nEpoch {epoch + 1}: "
        if not self.save_best_only:
            if self.verbose > 0:
                print_message(f"{heading}saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"ModelCheckpoint: {self.monitor!r} isn't available, so the model is saved whether it is better or not."
                f" Available: {', '.join(logs)}",
                stacklevel=2,
            )
            return True
        if np.ndim(current) > 0:
            warnings.warn(
                f"ModelCheckpoint: {self.monitor!r} isn't a single number, so the model is saved whether it is better "
                "or not.",
                stacklevel=2,
            )
            return True
        before = "None" if self.best is None else f"{self.best:.5f}"
        better = self.improved(current, self.best)
        if self.verbose > 0:
            change = f"improved from {before} to {current:.5f}, saving model to {path}"
            print_message(f"{heading}{self.monitor} {change if better else f'did not improve from {before}'}")
        if better:
            self.best = current
        return better
