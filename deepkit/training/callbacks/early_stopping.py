"""``EarlyStopping``: end the training when nothing gets better."""

from __future__ import annotations

import warnings
from typing import Any

from ...utils.progbar import print_message
from .monitor import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Stops the training when a quantity has not improved for ``patience`` epochs.

    Args:
        monitor: Entry of the logs to follow.
        min_delta: Smallest change that counts as an improvement.
        patience: Epochs without improvement before the training stops.
        verbose: 1 to say so.
        mode: ``"min"``, ``"max"``, or ``"auto"``, by the name.
        baseline: Value that has to be bettered for the epochs to count.
        restore_best_weights: Give the model the weights of its best epoch at the end.
        start_from_epoch: Epochs at the start that aren't judged.

    Example:
        >>> stop = EarlyStopping("loss", patience=3, restore_best_weights=True)
        >>> stop.patience
        3
    """

    resumed = ("wait", "stopped_epoch", "best", "best_weights", "best_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights: Any = None
        self.best_epoch = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.improved(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improved(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print_message(f"Restoring the weights of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Any) -> Any:
        """The followed entry of the logs; warns and gives ``None`` where it is missing."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"EarlyStopping follows {self.monitor!r}, which isn't available. Available: {', '.join(logs or {})}",
                stacklevel=2,
            )
        return value
