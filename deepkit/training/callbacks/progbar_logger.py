"""``ProgbarLogger``: the progress that ``fit``, ``evaluate`` and ``predict`` show."""

from __future__ import annotations

from typing import Any

from ...config import is_interactive_logging_enabled
from ...utils.progbar import Progbar, print_message
from .callback import Callback, lazy_logs, resolve


class ProgbarLogger(Callback):
    """Shows a progress bar, or a line an epoch, with the metrics. A validation within ``fit`` is silent.

    The metrics are read only when the bar is drawn, at most 20 times a second, so that showing them doesn't slow the
    training down.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self.progbar: Progbar | None = None
        self._in_fit = False

    def set_params(self, params: Any) -> None:
        self.params = params
        automatic = 1 if is_interactive_logging_enabled() else 2
        self.verbose = automatic if params["verbose"] == "auto" else params["verbose"]
        self.epochs = params["epochs"]
        self.target = params["steps"]

    def on_train_begin(self, logs: Any = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Any = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._start()
        if self.verbose and self.epochs > 1:
            print_message(f"Epoch {epoch + 1}/{self.epochs}")

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._start()

    def on_predict_begin(self, logs: Any = None) -> None:
        self._start()

    @lazy_logs
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._update(batch, logs)

    @lazy_logs
    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._in_fit:
            self._update(batch, logs)

    @lazy_logs
    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._update(batch, None)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._finish(logs)

    def on_test_end(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._finish(logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._finish(None)

    def _start(self) -> None:
        self.seen = 0
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())

    def _update(self, batch: int, logs: Any) -> None:
        self.seen = batch + 1
        bar = self.progbar
        if bar is not None and bar.due():
            bar.update(self.seen, list(resolve(logs).items()), finalize=False)

    def _finish(self, logs: Any) -> None:
        bar = self.progbar
        if bar is None:
            return
        if self.target is None:
            self.target = bar.target = self.seen
        bar.update(self.target, list(resolve(logs).items()), finalize=True)
