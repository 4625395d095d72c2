"""Device memory: CuPy's pool keeps what dead arrays leave behind, so large temporaries need no care of their own."""

from __future__ import annotations

import re
import weakref
from typing import Any

import cupy
from cupy import ndarray

__all__ = ["RUNS_OUT", "asked_for", "empty_reused", "free_memory", "memory_stats", "total"]

#: Whether a step can fail for want of memory and the program go on.
RUNS_OUT = True

#: Whoever has memory pools of its own (``pools``, a list of them) puts itself in here to be counted.
OWNERS: Any = weakref.WeakSet()


def empty_reused(shape: tuple[int, ...], dtype: Any) -> ndarray:
    """An array whose contents are arbitrary."""
    return cupy.empty(shape, dtype)


def total(a: ndarray, b: ndarray) -> ndarray:
    """a + b, as gradients that meet are added."""
    return a + b


def free_memory() -> None:
    """Give the memory that no array uses back to the driver."""
    cupy.get_default_memory_pool().free_all_blocks()
    cupy.get_default_pinned_memory_pool().free_all_blocks()


def memory_stats() -> dict[str, Any]:
    """What is known of the memory of the current device; see :class:`deepkit.memory.Stats`.

    CuPy's pool counts what it has given out and what it holds; it keeps no record of the most that was given out. Its
    pool of pinned memory counts blocks only, so that of ours is told by those who have it (``pinned_bytes``).
    """
    pool = cupy.get_default_memory_pool()
    free, everything = cupy.cuda.runtime.memGetInfo()
    return {
        "device": f"gpu:{cupy.cuda.runtime.getDevice()}", "used": pool.used_bytes(), "held": pool.total_bytes(),
        "graphs": sum(own.total_bytes() for owner in list(OWNERS) for own in getattr(owner, "pools", ())),
        "pinned": sum(getattr(owner, "pinned_bytes", 0) for owner in list(OWNERS)),
        "limit": pool.get_limit() or None, "free": free, "total": everything,
    }  # fmt: skip


_SIZE = re.compile(r"allocating ([\d,]+) bytes")


def asked_for(error: MemoryError) -> int | None:
    """How many bytes an allocation wanted that failed with ``error``."""
    found = _SIZE.search(str(error))
    return int(found.group(1).replace(",", "")) if found else None
