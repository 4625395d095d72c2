"""Memory for large arrays that is used again, instead of going back to the operating system.

A training step makes and drops the same few large arrays over and over. The C library returns such memory to the
operating system at once and asks for it again, and each new page costs a fault and is cleared: measured on a small
convolutional network, half of the step. Here the memory of an array that has died waits for the next one of its size.

Only memory waits, never an array: what :func:`empty` returns is a plain ``ndarray``, and its memory comes back when the
last view of it is gone.
"""

from __future__ import annotations

import os
import sys
import weakref
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

__all__ = ["RUNS_OUT", "asked_for", "empty_reused", "free_memory", "memory_stats", "total"]

#: Whether a step can fail for want of memory and the program go on: here the system ends it, in most cases.
RUNS_OUT = False

#: Arrays below this come from NumPy as usual: the C library keeps memory of such sizes.
SMALLEST = 2**18

#: Bytes that may wait. Beyond that the memory that has waited longest goes back to the system.
MOST_WAITING = 2**29

# Sizes in the order of their last return, each with the blocks of that size that wait.
_waiting: dict[int, list[bytearray]] = {}


class _Loan(weakref.ref):
    """A weak reference to an array that was handed out, and its memory.

    Views keep that array alive: its base is a bytearray, and behind what is no array NumPy looks for no owner.
    """

    __slots__ = ("block",)
    block: bytearray


_loans: dict[int, _Loan] = {}


def empty_reused(shape: tuple[int, ...], dtype: Any) -> ndarray:
    """Like ``np.empty``, in memory that a dead array of the same size left behind if there is any.

    Args:
        shape: Shape.
        dtype: Dtype.
    """
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size < SMALLEST or dtype.hasobject:
        return np.empty(shape, dtype)
    try:
        block = _waiting[size].pop()
    except (KeyError, IndexError):
        block = bytearray(size)
    array = ndarray(shape, dtype, block)
    loan = _Loan(array, _take_back)
    loan.block = block
    _loans[id(loan)] = loan
    return array


def _take_back(loan: Any, loans: Any = _loans, waiting: Any = _waiting) -> None:
    # This runs whenever an array dies: in any thread, in the middle of anything, even of itself. The worst that comes
    # of it is that a block goes back to the system at once.
    del loans[id(loan)]
    size = len(loan.block)
    blocks = waiting.pop(size, [])
    blocks.append(loan.block)
    waiting[size] = blocks
    total = sum(n * len(found) for n, found in list(waiting.items()))
    while total > MOST_WAITING and waiting:
        oldest = next(iter(waiting))
        total -= oldest * len(waiting.pop(oldest, ()))


def total(a: ndarray, b: ndarray) -> ndarray:
    """a + b, as gradients that meet are added."""
    if a.nbytes < SMALLEST or a.shape != b.shape or a.dtype != b.dtype:
        return a + b
    return np.add(a, b, out=empty_reused(a.shape, a.dtype))


def free_memory() -> None:
    """Give the memory that waits back to the system."""
    _waiting.clear()


def memory_stats() -> dict[str, Any]:
    """What is known of the memory here; see :class:`deepkit.memory.Stats`."""
    used = sum(len(loan.block) for loan in list(_loans.values()))
    waiting = sum(size * len(blocks) for size, blocks in list(_waiting.items()))
    return {"device": "cpu", "used": used, "held": used + waiting, "peak": _peak(), "free": _pages("SC_AVPHYS_PAGES"),
            "total": _pages("SC_PHYS_PAGES")}  # fmt: skip


def _pages(name: str) -> int | None:
    try:
        return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # the name is unknown, or there is no sysconf at all
        return None


def _peak() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def asked_for(error: MemoryError) -> int | None:
    """How many bytes an allocation wanted that failed with ``error``."""
    shape, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)
    return None if shape is None or dtype is None else prod(shape) * np.dtype(dtype).itemsize
