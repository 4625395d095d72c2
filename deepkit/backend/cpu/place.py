"""Where arrays are, and what the device does before the first step: of the processor, there is little to say."""

from __future__ import annotations

from typing import Any

from numpy import ndarray

__all__ = ["place_of", "warmup"]


def place_of(array: ndarray) -> str:
    """The device that an array is on, as :func:`deepkit.device` takes it."""
    return "cpu"


def warmup(progress: Any = None) -> int:
    """Nothing: the compiled kernels are built when deepkit is installed."""
    return 0
