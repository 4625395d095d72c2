"""Callbacks that set the learning rate."""

from __future__ import annotations

import inspect
import numbers
import warnings
from typing import Any, Callable

from ...utils.progbar import print_message
from .callback import Callback
from .monitor import MonitorCallback


def learning_rate_of(optimizer: Any) -> float:
    """The learning rate now, as a Python number."""
    rate = optimizer.learning_rate
    return float(rate.numpy() if hasattr(rate, "numpy") else rate)


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch to ``schedule(epoch, learning_rate)``.

    Args:
        schedule: Function from the epoch (from 0) and the present learning rate, or the epoch alone, to the new one.
        verbose: 1 to say so.

    Raises:
        ValueError: at the start of an epoch, if it gives something that isn't a number.

    Example:
        >>> halve = LearningRateScheduler(lambda epoch, rate: rate * 0.5 if epoch else rate)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def _scheduled(self, epoch: int, rate: float) -> Any:
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except TypeError:
            return self.schedule(epoch)
        except ValueError:  # a function without a signature
            pass
        return self.schedule(epoch, rate)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError(f"LearningRateScheduler: {type(optimizer).__name__} has no learning rate.")
        rate = self._scheduled(epoch, learning_rate_of(optimizer))
        if hasattr(rate, "numpy"):
            rate = rate.numpy().item()
        if not isinstance(rate, numbers.Real) or isinstance(rate, bool):
            raise ValueError(
                f"LearningRateScheduler: `schedule` should give a number. It gave {rate!r} for epoch {epoch}."
            )
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            print_message(
                f"\nEpoch {epoch + 1}: LearningRateScheduler sets the learning rate to {float(rate)}."
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = learning_rate_of(self.model.optimizer)


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by ``factor`` when a quantity has not improved for ``patience`` epochs.

    Args:
        monitor: Entry of the logs to follow.
        factor: Factor, below 1.
        patience: Epochs without improvement.
        verbose: 1 to say so.
        mode: ``"min"``, ``"max"``, or ``"auto"``, by the name.
        min_delta: Smallest change that counts as an improvement.
        cooldown: Epochs to wait after a reduction before watching again.
        min_lr: Smallest learning rate.

    Raises:
        ValueError: for a factor of 1 or more.

    Example:
        >>> ReduceLROnPlateau("val_loss", factor=0.2, patience=5).factor
        0.2
    """

    resumed = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: `factor` should be below 1. Received: factor={factor}")
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.on_train_begin()

    def on_train_begin(self, logs: Any = None) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Whether a reduction was made not long ago."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = {} if logs is None else logs
        logs["learning_rate"] = learning_rate_of(self.model.optimizer)
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"ReduceLROnPlateau follows {self.monitor!r}, which isn't available. Available: {', '.join(logs)}",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _reduce(self, epoch: int) -> bool:
        optimizer = self.model.optimizer
        old = learning_rate_of(optimizer)
        # The optimizer's rate is a float32: a rate that has reached min_lr may lie a rounding above it.
        if old <= self.min_lr * (1 + 1e-6):
            return False
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reduces the learning rate to {new}.")
        return True
