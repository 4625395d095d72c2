"""What callbacks that watch one quantity share: which way is better, and whether it got better."""

from __future__ import annotations

import operator
import warnings
from typing import Any, Callable

from .callback import Callback

#: Parts of names of metrics of which more is better.
_UP = ("acc", "auc", "precision", "recall", "f1", "fbeta", "iou", "true_positives", "true_negatives", "r2",
       "specificity", "sensitivity", "correlation", "cosine_similarity", "dice_score")  # fmt: skip
#: Parts of names of metrics of which less is better.
_DOWN = ("loss", "error", "mse", "mae", "rmse", "mape", "msle", "crossentropy", "divergence", "kld", "hinge", "logcosh",
         "log_cosh", "poisson", "false_positives", "false_negatives", "perplexity", "huber")  # fmt: skip


class MonitorCallback(Callback):
    """Base of callbacks that follow one entry of the logs.

    Args:
        monitor: Its name.
        mode: ``"min"``, ``"max"``, or ``"auto"`` for the direction that belongs to the name.
        baseline: Value to be better than from the start.
        min_delta: Smallest change that counts.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__}: mode={mode!r} is unknown, 'auto' is taken.", stacklevel=3)
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], bool] | None = None

    def _direction(self) -> Callable[[Any, Any], bool]:
        if self.mode != "auto":
            return operator.lt if self.mode == "min" else operator.gt
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return operator.lt
        metrics = list(getattr(self.model, "metrics", None) or [])
        own = [m for m in metrics if name == m.name] or [m for m in metrics if name.endswith(f"_{m.name}")]
        for metric in own:
            declared = getattr(metric, "_direction", None)
            if declared is not None:
                return operator.gt if declared == "up" else operator.lt
        names = [type(m).__name__.lower() for m in own] + [name.lower()]
        for part in names:
            if any(sign in part for sign in _DOWN):
                return operator.lt
            if any(sign in part for sign in _UP):
                return operator.gt
        raise ValueError(
            f"{type(self).__name__}: whether monitor={self.monitor!r} should grow or shrink can't be told from its "
            "name. Pass mode='max' or mode='min'."
        )

    def improved(self, value: Any, reference: Any) -> bool:
        """Whether ``value`` is better than ``reference`` by more than ``min_delta``; anything is better than nothing.

        Raises:
            ValueError: if the direction can't be told.
        """
        if self.monitor_op is None:
            self.monitor_op = self._direction()
        if reference is None or reference != reference:
            return True
        delta = self.min_delta if self.monitor_op is operator.gt else -self.min_delta
        return bool(self.monitor_op(value - delta, reference))
