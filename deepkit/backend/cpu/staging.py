"""Bringing training data to the device: on the processor it is there."""

from __future__ import annotations

from typing import Any

__all__ = ["data_room", "stage"]


def data_room() -> int | None:
    """How many bytes of data may stay on the device; ``None`` where data needn't be brought to it."""
    return None


def stage() -> Any:
    """What brings batches to the device: nothing."""
    return None
