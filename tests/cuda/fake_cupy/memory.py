"""Memory of the simulated device: pools that count what arrays hold, limits, and what a graph may allocate."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import Any, Callable, Iterator

import numpy as np

from . import state

__all__ = ["DEFAULT_POOL", "PINNED_POOL", "MemoryPool", "OutOfMemoryError", "PinnedMemory", "account", "get_allocator",
           "set_allocator", "using_allocator"]  # fmt: skip

_BLOCK = 512


class OutOfMemoryError(MemoryError):
    """The device has no room."""

    def __init__(self, size: int, held: int, limit: int):
        text = f"Out of memory allocating {size:,} bytes (allocated so far: {held:,} bytes"
        super().__init__(text + (f", limit set to: {limit:,} bytes)." if limit else ")."))


class MemoryPool:
    """Counts the bytes of arrays made under it; what they leave is kept until :meth:`free_all_blocks`."""

    def __init__(self, allocator: Any = None):
        self._used = self._total = self._limit = 0

    def take(self, size: int) -> int:
        """Count ``size`` bytes, rounded up to blocks; the number that :meth:`give_back` wants."""
        size = -(-size // _BLOCK) * _BLOCK
        total = max(self._total, self._used + size)
        if self._limit and total > self._limit:
            raise OutOfMemoryError(size, self._total, self._limit)
        self._used, self._total = self._used + size, total
        return size

    def give_back(self, size: int) -> None:
        self._used -= size

    def malloc(self, size: int) -> Any:
        """What :func:`using_allocator` is given; arrays of the simulated device find their pool by it."""
        raise NotImplementedError("Arrays on the simulated device have their memory from NumPy.")

    def used_bytes(self) -> int:
        return self._used

    def free_bytes(self) -> int:
        return self._total - self._used

    def total_bytes(self) -> int:
        return self._total

    def n_free_blocks(self) -> int:
        return int(self._total > self._used)

    def get_limit(self) -> int:
        return self._limit

    def free_all_blocks(self, stream: Any = None) -> None:
        self._total = self._used

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        if (size is None) == (fraction is None) and size is not None:
            raise ValueError("size and fraction cannot be specified at one time")
        if fraction is not None and not 0 <= fraction <= 1:
            raise ValueError("memory limit fraction out of range")
        self._limit = int(80 << 30) if fraction == 1 else int((80 << 30) * fraction) if fraction else size or 0


class PinnedMemory(bytearray):
    """Memory of the host that the device can read: a buffer for ``numpy.frombuffer``."""

    @property
    def ptr(self) -> int:
        return np.frombuffer(self, np.uint8).ctypes.data


DEFAULT_POOL, PINNED_POOL = MemoryPool(), MemoryPool()
_allocators: list[Callable[[int], Any] | None] = [DEFAULT_POOL.malloc]
_live: dict[int, Any] = {}


def get_allocator() -> Callable[[int], Any] | None:
    return _allocators[-1]


def set_allocator(allocator: Any = None) -> None:
    """Take memory from ``allocator``; ``None`` is the driver, without a pool."""
    if len(_allocators) > 1:
        raise ValueError("Can't change the global allocator inside `using_allocator` context manager")
    _allocators[-1] = allocator


@contextmanager
def using_allocator(allocator: Any = None) -> Iterator[None]:
    _allocators.append(allocator)
    try:
        yield
    finally:
        _allocators.pop()


def account(a: np.ndarray) -> None:
    """Count the memory of an array, views of memory that is counted aside."""
    root = a
    while isinstance(root.base, np.ndarray):
        root = root.base
    key = id(root)
    if key in _live:
        return
    pool = getattr(_allocators[-1], "__self__", None)
    if state.recorder.operations is not None and pool in (None, DEFAULT_POOL):
        raise state.refused(
            "an allocation outside of a private pool, which asks the driver for memory when the pool has none left; "
            "use cupy.cuda.using_allocator(cupy.cuda.MemoryPool().malloc)"
        )
    size = pool.take(root.nbytes) if pool is not None else 0

    def gone(_: Any) -> None:
        _live.pop(key, None)
        if pool is not None:
            pool.give_back(size)

    _live[key] = weakref.ref(root, gone)
