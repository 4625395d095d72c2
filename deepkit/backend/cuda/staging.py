"""Bringing training data to the device, a batch ahead of the step that needs it.

A copy runs beside the kernels only if it is on a stream of its own and from pinned memory. So a batch is first copied
into pinned memory, of which there are two pieces that take turns, and from there by the copy stream:

- A piece is written to again when its last copy is done. That was two batches ago, so that the host hardly ever waits.
- The array on the device is allocated on the compute stream, and what was in its memory before may still be read
  there. So the copy stream waits for the point at which it was allocated: the copy runs beside the step of the batch
  before, and not beside earlier ones.
- The compute stream waits for the copy before it reads the batch. Both streams wait by events, the host by none.
"""

from __future__ import annotations

from typing import Any, Sequence

import cupy
import numpy as np
from cupy import ndarray

from .memory import OWNERS, memory_stats

__all__ = ["data_room", "stage"]

#: Of the memory that is to be had, the share that data may take to stay on the device; the rest is for the steps.
SHARE = 0.25


def data_room() -> int:
    """How many bytes of data may stay on the device."""
    found = memory_stats()
    free = found["free"] if found["limit"] is None else min(found["free"], found["limit"] - found["held"])
    return int(SHARE * (max(free, 0) + found["held"] - found["used"]))


class Slot:
    """Pinned memory for one batch, an array a piece, and the events around its copy."""

    def __init__(self) -> None:
        self.pieces: list[np.ndarray] = []
        self.allocated = cupy.cuda.Event(disable_timing=True)
        self.copied: Any = None

    def wait(self) -> None:
        """Until what was last copied from here is on the device."""
        if self.copied is None:
            self.copied = cupy.cuda.Event(disable_timing=True)
        elif not self.copied.done:
            self.copied.synchronize()

    def filled(self, i: int, array: np.ndarray) -> np.ndarray:
        """``array`` in piece number ``i``."""
        while len(self.pieces) <= i:
            self.pieces.append(np.empty(0, np.uint8))
        if self.pieces[i].size < array.nbytes:
            self.pieces[i] = np.frombuffer(cupy.cuda.alloc_pinned_memory(array.nbytes), np.uint8, array.nbytes)
        there = self.pieces[i][: array.nbytes].view(array.dtype).reshape(array.shape)
        there[...] = array
        return there


class Stage:
    """Brings batches to the device on a stream of its own: :meth:`put` begins, :meth:`take` is when it is needed."""

    pools: tuple[Any, ...] = ()  # those who count memory ask for them

    def __init__(self) -> None:
        self.stream = cupy.cuda.Stream(non_blocking=True)
        self.slots = [Slot(), Slot()]
        self.turn = 0
        OWNERS.add(self)

    @property
    def pinned_bytes(self) -> int:
        return sum(piece.nbytes for slot in self.slots for piece in slot.pieces)

    def put(self, arrays: Sequence[np.ndarray]) -> tuple[list[ndarray], Any]:
        """Begin to copy arrays; what is returned is for :meth:`take`, which has to come."""
        slot = self.slots[self.turn]
        self.turn = (self.turn + 1) % len(self.slots)
        slot.wait()
        there = [cupy.empty(a.shape, a.dtype) for a in arrays]
        self.stream.wait_event(cupy.cuda.get_current_stream().record(slot.allocated))
        for i, (target, array) in enumerate(zip(there, arrays)):
            if array.size:
                target.set(slot.filled(i, array), stream=self.stream)
        self.stream.record(slot.copied)
        return there, slot.copied

    def take(self, put: tuple[list[ndarray], Any]) -> list[ndarray]:
        """The arrays on the device, for the current stream to read from now on."""
        there, copied = put
        cupy.cuda.get_current_stream().wait_event(copied)
        return there


def stage() -> Stage:
    """What brings batches to the device."""
    return Stage()
