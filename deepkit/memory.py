"""What memory the device's arrays take, giving back what waits, and the error for when there is not enough.

Arrays that die leave their memory to the next ones of their size, on both devices: asking the driver or the operating
system for it anew would cost more than most kernels. So more is *held* than is *used*.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Any

from . import backend

__all__ = ["OutOfMemoryError", "Stats", "release", "stats"]


@dataclass(frozen=True)
class Stats:
    """What :func:`stats` tells, in bytes; ``None`` for what isn't known.

    Attributes:
        device: ``"cpu"`` or ``"gpu:N"``.
        used: What arrays hold. On the CPU large arrays made by kernels alone: NumPy doesn't count the others.
        held: ``used``, and what waits to be used again. On a GPU it only grows until :func:`release`, so that it is
            the most that was needed at a time, gaps between arrays included.
        graphs: On a GPU, what recorded steps keep for themselves; it isn't part of ``held``.
        pinned: On a GPU, memory of the host that copies to the device go through.
        peak: On the CPU, the most that the process has had in memory, by the operating system.
        limit: The most that ``held`` may be, if there is a limit (CuPy reads it from ``CUPY_GPU_MEMORY_LIMIT``).
        free: What the device has left for everybody.
        total: What the device has.
    """

    device: str
    used: int
    held: int
    graphs: int = 0
    pinned: int = 0
    peak: int | None = None
    limit: int | None = None
    free: int | None = None
    total: int | None = None

    @property
    def available(self) -> int | None:
        """What new arrays may take: what waits, and what the device has left as far as the limit goes."""
        if self.free is None:
            return None
        more = self.free if self.limit is None else min(self.free, self.limit - self.held)
        return max(more, 0) + self.held - self.used

    def __str__(self) -> str:
        parts = [f"{self.device}: {readable(self.used)} used, {readable(self.held)} held"]
        for name in ("graphs", "pinned", "peak", "limit", "free", "total"):
            value = getattr(self, name)
            if value:
                parts.append(f"{name} {readable(value)}")
        return ", ".join(parts)


def stats() -> Stats:
    """The memory of the device that new tensors are made on.

    Example:
        >>> import deepkit
        >>> with deepkit.device("cpu"):
        ...     found = stats()
        >>> found.device, found.held >= found.used
        ('cpu', True)
    """
    return Stats(**backend.active().memory_stats())


def release() -> int:
    """Give the memory that no array uses back, to the driver or the operating system, so that others can have it.

    Arrays, models and recorded steps keep theirs. The next steps ask for memory anew, which takes them longer.

    Returns:
        The bytes given back.

    Example:
        >>> release() >= 0
        True
    """
    gc.collect()  # models hold themselves in circles
    before = stats()
    backend.active().free_memory()
    after = stats()
    return max(before.held + before.pinned - after.held - after.pinned, 0)


class OutOfMemoryError(MemoryError):
    """A step of a model needs more memory than there is. The model is as it was before the step.

    Attributes:
        layer: Path of the layer whose call failed, or of the last one with weights before the gradient that failed;
            ``None`` if it was in none.
        requested: Bytes of the array that couldn't be had, ``None`` if unknown.
        stats: The :class:`Stats` when it failed.
        batch_size: Samples of the batch.
        suggested_batch_size: An estimate of how many would fit, ``None`` if not even one does or nothing is known.
    """

    def __init__(self, message: str, layer: str | None = None, requested: int | None = None, stats: Any = None,
                 batch_size: int | None = None, suggested_batch_size: int | None = None):  # fmt: skip
        super().__init__(message)
        self.layer, self.requested, self.stats = layer, requested, stats
        self.batch_size, self.suggested_batch_size = batch_size, suggested_batch_size


def readable(size: float) -> str:
    """A number of bytes in the unit that suits it.

    Example:
        >>> readable(512), readable(3 << 20)
        ('512 B', '3.0 MiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024 or unit == "GiB":
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError
