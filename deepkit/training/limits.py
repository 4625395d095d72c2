"""Limits on the length of runs, for tests and debugging, as :mod:`deepkit.config` has them."""

from __future__ import annotations

import warnings
from typing import Any

from .. import config


def limited_epochs(epochs: int) -> int:
    """Number of epochs to run; warns if it is not what was asked for."""
    limit = config.max_epochs()
    if limit is None or epochs <= limit:
        return epochs
    warnings.warn(f"Training stops after {limit} epochs: deepkit.config.max_epochs() is {limit}.", stacklevel=3)
    return limit


def limited(loader: Any) -> Any:
    """The loader with fewer batches an epoch, if there is a limit; warns then."""
    limit = config.max_steps_per_epoch()
    if limit is not None and (loader.num_batches is None or loader.num_batches > limit):
        warnings.warn(f"Epochs end after {limit} steps: deepkit.config.max_steps_per_epoch() is {limit}.", stacklevel=3)
        loader.steps = loader.num_batches = limit
    return loader


__all__ = ["limited", "limited_epochs"]
