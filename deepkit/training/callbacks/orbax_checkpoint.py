"""``OrbaxCheckpoint``: a name of Keras's that deepkit points to its own for."""

from __future__ import annotations

from typing import Any

from .callback import Callback


class OrbaxCheckpoint(Callback):
    """Checkpoints in the format of the Orbax library, which holds the arrays of JAX and is not for deepkit.

    Raises:
        ImportError: always; it names the callbacks to use.

    Example:
        >>> OrbaxCheckpoint("checkpoints")
        Traceback (most recent call last):
        ...
        ImportError: OrbaxCheckpoint writes the arrays of JAX, which deepkit has not. Use ModelCheckpoint(...) for ...
    """

    def __init__(
        self,
        directory: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ):
        raise ImportError(
            "OrbaxCheckpoint writes the arrays of JAX, which deepkit has not. Use ModelCheckpoint(...) for models and "
            "weights, or BackupAndRestore(...) to go on with an interrupted training."
        )


__all__ = ["OrbaxCheckpoint"]
