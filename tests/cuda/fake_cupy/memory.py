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


class Pool:
    """What a pool holds of one device."""

    used = total = limit = 0


class MemoryPool:
    """Counts the bytes of arrays made under it; what they leave is kept until :meth:`free_all_blocks`.

    It has a part for each device, and answers for that of the current one.
    """

    def __init__(self, allocator: Any = None):
        self._parts: dict[int, Pool] = {}

    @property
    def _here(self) -> Pool:
        return self._parts.setdefault(state.current_device(), Pool())

    def take(self, size: int) -> Callable[[], None]:
        """Count ``size`` bytes, rounded up to blocks; what is returned gives them back."""
        part, size = self._here, -(-size // _BLOCK) * _BLOCK
        total = max(part.total, part.used + size)
        if part.limit and total > part.limit:
            raise OutOfMemoryError(size, part.total, part.limit)
        part.used, part.total = part.used + size, total

        def give_back() -> None:
            part.used -= size

        return give_back

    def malloc(self, size: int) -> Any:
        """What :func:`using_allocator` is given; arrays of the simulated device find their pool by it."""
        raise NotImplementedError("Arrays on the simulated device have their memory from NumPy.")

    def used_bytes(self) -> int:
        return self._here.used

    def free_bytes(self) -> int:
        return self._here.total - self._here.used

    def total_bytes(self) -> int:
        return self._here.total

    def n_free_blocks(self) -> int:
        return int(self._here.total > self._here.used)

    def get_limit(self) -> int:
        return self._here.limit

    def free_all_blocks(self, stream: Any = None) -> None:
        self._here.total = self._here.used

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        if (size is None) == (fraction is None) and size is not None:
            raise ValueError("size and fraction cannot be specified at one time")
        if fraction is not None and not 0 <= fraction <= 1:
            raise ValueError("memory limit fraction out of range")
        self._here.limit = int(80 << 30) if fraction == 1 else int((80 << 30) * fraction) if fraction else size or 0


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
    if state.recorder.operations is not None:
        state.recorder.memory.append(root)
    give_back = pool.take(root.nbytes) if pool is not None else None

    def gone(_: Any) -> None:
        _live.pop(key, None)
        if give_back is not None:
            give_back()

    _live[key] = weakref.ref(root, gone)
