"""``History``: what ``fit`` returns."""

from __future__ import annotations

from typing import Any

from .callback import Callback


class History(Callback):
    """Records the logs of each epoch.

    Attributes:
        history: List of values an epoch, by name.
        epoch: Numbers of the epochs.

    Example:
        >>> recorded = History()
        >>> recorded.on_train_begin()
        >>> recorded.on_epoch_end(0, {"loss": 0.5})
        >>> recorded.history
        {'loss': [0.5]}
    """

    resumed = ("history", "epoch")

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
