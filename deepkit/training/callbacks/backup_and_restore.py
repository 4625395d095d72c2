"""``BackupAndRestore``: go on with an interrupted training."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from .backup_files import BackupFiles
from .callback import Callback, lazy_logs


class BackupAndRestore(Callback):
    """Backs the state of the training up, so that the same program, started again, goes on where it was interrupted.

    The run that goes on, after an epoch or in the midst of one, gives the same weights, optimizer state and history to
    the bit as one that was never interrupted, on the same machine. Saved are

    - the weights, the optimizer's state with the learning rate, the random generators of layers and the global one;
    - the epoch, the place in the training data with the seed of its order, and the metrics of the epoch so far;
    - what callbacks remember: ``History``, ``EarlyStopping`` with its best weights, ``ReduceLROnPlateau``,
      ``ModelCheckpoint``, ``SwapEMAWeights``, the lines of ``CSVLogger``, and for a callback of your own the
      attributes that its ``resumed`` names.

    Not saved are the state of generators and of a ``PyDataset`` (batches of a generator that were used are taken again
    and dropped), the random states of Python and NumPy, and the program itself: model, data and callbacks have to be
    the same, in the same order. The callback is called after all others, so that it saves what they have become.

    Args:
        backup_dir: Folder for the backup, of this training alone.
        save_freq: ``"epoch"``, or a number of batches. ``False`` saves nothing.
        double_checkpoint: Keep the backup before the last too, for when the last can't be read.
        delete_checkpoint: Delete the backup after the training.

    Raises:
        ValueError: for no folder, or another ``save_freq``.

    Example:
        >>> safe = BackupAndRestore("backup", save_freq=100)
    """

    runs_last = True

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: `backup_dir` is empty. Name a folder.")
        if save_freq != "epoch" and not isinstance(save_freq, (bool, int, np.integer)):
            raise ValueError(
                f"BackupAndRestore: `save_freq` should be 'epoch' or a number of batches. Received: {save_freq!r}"
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._files = BackupFiles(self.backup_dir, keep=2 if double_checkpoint else 1)
        self._loader: Any = None
        self._batches = 0  # since the last save
        self._epoch = 0
        self._listeners: list[Any] = []
        self._midway: dict[str, Any] | None = None  # state of the epoch that is resumed in its midst

    def set_loader(self, loader: Any) -> None:
        """Take note of the loader whose place is saved and restored."""
        self._loader = loader

    def set_listeners(self, callbacks: list[Any]) -> None:
        """Take note of the callbacks whose state is saved and restored."""
        self._listeners = [c for c in callbacks if hasattr(c, "resume_state") and c.resume_state()]

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = 0
        self._midway = None
        if not self.model.built:
            raise ValueError(
                f"BackupAndRestore needs a model with weights; {self.model.name!r} has none yet. Build it, or call it "
                "on data, before fit()."
            )
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        state = self._files.load(self.model)
        if state is None:
            return
        self._epoch = self.model._resume_epoch = int(state["epoch"])
        if state["rest"]["within_epoch"]:
            self._midway = state["rest"]
        self._restore(state["rest"])

    def _restore(self, rest: dict[str, Any], began: bool = False) -> None:
        from ...random import global_seed_generator

        global_seed_generator().state.assign(rest["random"])
        if self._loader is not None and rest["loader"] is not None:
            self._loader.set_state(rest["loader"])
        self.model.stop_training = rest["stop_training"] and (self._midway is None or began)
        saved = [(kind, state) for kind, state in rest["callbacks"]]
        for callback in self._listeners:  # the first of a class gets the state of the first of that class
            found = next((i for i, (kind, _) in enumerate(saved) if kind == type(callback).__name__), None)
            if found is not None:
                callback.restore_state(saved.pop(found)[1])
            else:
                warnings.warn(f"The backup in {self.backup_dir!r} has no state for {type(callback).__name__}.")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        if self._midway is None:
            return
        # This epoch has begun before: what was done to begin it once more, such as a new learning rate, is undone.
        rest, self._midway = self._midway, None
        self._files.load(self.model)
        self._restore(rest, began=True)
        for metric, values in zip(self.model.metrics, rest["metrics"]):
            for variable, value in zip(metric.variables, values):
                variable.assign(value)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch + 1
        if self.save_freq == "epoch":
            self._save(within_epoch=False)

    @lazy_logs
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch" or not self.save_freq:
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(within_epoch=True, batch=batch)

    def _save(self, within_epoch: bool, batch: int = 0) -> None:
        from ...random import global_seed_generator

        place = None if self._loader is None else self._loader.state()
        if place is not None:
            # After the last batch the end of the epoch, with its validation, is still to come.
            if within_epoch:
                place["step"] = batch + 1
            else:
                place["step"] = 0
        rest = {
            "within_epoch": within_epoch,
            "loader": place,
            "random": global_seed_generator().state.numpy(),
            "stop_training": bool(self.model.stop_training),
            "metrics": [[v.numpy() for v in m.variables] for m in self.model.metrics] if within_epoch else [],
            "callbacks": [[type(c).__name__, c.resume_state()] for c in self._listeners],
        }
        self._files.save(self.model, {"epoch": self._epoch, "batch": batch + 1 if within_epoch else 0}, rest)

    def on_train_end(self, logs: Any = None) -> None:
        self._loader = None
        self._listeners = []
        if self.delete_checkpoint:
            self._files.delete()
