"""``TerminateOnNaN``: end a training that has gone wrong."""

from __future__ import annotations

import math
from typing import Any

from ...utils.progbar import print_message
from .callback import Callback


class TerminateOnNaN(Callback):
    """Ends the training when the loss is NaN or infinite. It reads the loss after every step.

    Args:
        raise_error: Raise an error instead of ending quietly; then no callback is told that the training ended.

    Raises:
        RuntimeError: after such a step, with ``raise_error``.

    Example:
        >>> careful = TerminateOnNaN(raise_error=True)
        >>> careful.on_batch_end(7, {"loss": float("nan")})
        Traceback (most recent call last):
        RuntimeError: The loss is nan after batch 7, so training ends.
    """

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss is {loss} after batch {batch}, so training ends.")
        print_message(f"Batch {batch}: the loss is {loss}, so training ends.")
        self.model.stop_training = True
