"""What the simulated device is doing: counted launches and synchronizations, and the graph that is being recorded."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator

import numpy as np

__all__ = ["CaptureError", "counters", "current_device", "devices", "no_synchronization", "recorder", "refused", "run",
           "synchronize"]  # fmt: skip


class CaptureError(RuntimeError):
    """What a stream refuses while it records a graph."""


class Counters:
    """How often what happened; :meth:`reset` starts anew."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.launches = self.graph_launches = self.synchronizations = 0
        self.to_device = self.to_host = 0


class Recorder:
    """The operations of the graph under way; ``None`` while there is none."""

    def __init__(self) -> None:
        self.recorded: list[Callable[[], None]] | None = None
        self.here = False  # whether the current stream is the one that records; others do their work at once
        self.memory: list[np.ndarray] = []  # of arrays made meanwhile: launches know some by their addresses alone
        self.broken: str | None = None  # what the stream refused: the whole graph is void

    @property
    def operations(self) -> list[Callable[[], None]] | None:
        return self.recorded if self.here else None


counters = Counters()
recorder = Recorder()
_forbidden = [False]
device, device_count = [0], [1]


def current_device() -> int:
    """The number of the device that arrays are made on."""
    return device[0]


@contextmanager
def devices(count: int) -> Iterator[None]:
    """Inside the block there are so many devices."""
    before, device_count[0] = device_count[0], count
    try:
        yield
    finally:
        device_count[0], device[0] = before, 0


def refused(what: str) -> CaptureError:
    """The error for what a stream refuses while it records; the graph is void from then on, as CUDA has it."""
    recorder.broken = what
    return CaptureError(f"cudaErrorStreamCaptureUnsupported: {what}, while a graph is recorded.")


def synchronize(what: str) -> None:
    """The host waits for the device."""
    if recorder.operations is not None:
        raise refused(f"{what} waits for the device")
    if _forbidden[0]:
        raise AssertionError(f"{what} waits for the device.")
    counters.synchronizations += 1


def copied_to_device(what: str) -> None:
    """The host's memory is copied. In a graph it would be read again at each replay, whatever is there by then."""
    if recorder.operations is not None:
        raise refused(f"{what} copies from memory of the host")
    counters.to_device += 1


@contextmanager
def no_synchronization() -> Iterator[None]:
    """Inside the block nothing may wait for the device."""
    before, _forbidden[0] = _forbidden[0], True
    try:
        yield
    finally:
        _forbidden[0] = before


def poison(a: np.ndarray) -> np.ndarray:
    """Fill memory whose contents nobody may use; as a graph is recorded whole numbers stay good for an index."""
    if a.size:
        whole = 0 if recorder.operations is not None or a.dtype.kind not in "iu" else np.iinfo(a.dtype).max // 2
        a[...] = np.nan if a.dtype.kind in "fcV" else (True if a.dtype.kind == "b" else whole)
    return a


def run(operation: Callable[[], Any]) -> None:
    """Run an operation that writes into arrays, or record it."""
    counters.launches += 1
    if recorder.operations is None:
        operation()
    else:
        recorder.operations.append(operation)
