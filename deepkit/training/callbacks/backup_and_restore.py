"""``BackupAndRestore``: go on with an interrupted training."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .backup_files import BackupFiles
from .callback import Callback, lazy_logs


class BackupAndRestore(Callback):
    """Backs the state of the training up, so that the same program, started again, goes on where it was interrupted.

    Saved are the weights, the optimizer's state, the random generators, the epoch, and the place in the training data
    with the seed of its order. A run that is resumed after an epoch, or in the midst of one, gives the very weights of
    one that was never interrupted. The metrics of an epoch that is resumed in its midst count from there.

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

    def set_loader(self, loader: Any) -> None:
        """Take note of the loader whose place is saved and restored."""
        self._loader = loader

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = 0
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
        if state.get("random") is not None:
            from ...random import global_seed_generator

            global_seed_generator().state.assign(np.asarray(state["random"], "uint32"))
        if self._loader is not None and state.get("loader") is not None:
            self._loader.set_state(state["loader"])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

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
            self._save(within_epoch=True)

    def _save(self, within_epoch: bool) -> None:
        from ...random import global_seed_generator

        place = None if self._loader is None else self._loader.state()
        epoch = self._epoch
        if place is not None:
            if within_epoch and place.pop("epoch_done", False):
                epoch += 1
            if not within_epoch:
                place["step"] = 0
        random = [int(v) for v in global_seed_generator().state.numpy()]
        self._files.save(self.model, {"epoch": epoch, "loader": place, "random": random})

    def on_train_end(self, logs: Any = None) -> None:
        self._loader = None
        if self.delete_checkpoint:
            self._files.delete()
