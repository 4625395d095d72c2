"""How much memory a file may make the program take while it is read.

A configuration of a hundred bytes can ask for a layer with a trillion weights. While a model is made from a file, what
is made is charged here *before* the memory is taken, against an allowance that grows with the size of the file.
"""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import Any, Iterator, Sequence

#: What any file may ask for, however small it is.
ROOM = 16 << 20
#: How many times its own size a file may ask for: weights, the optimizer's state, and some for compressed files.
TIMES = 20
#: What a number in a list takes, roughly.
OBJECT = 64

_state = threading.local()


@contextmanager
def allowance(file_size: int, name: str, advice: str = "") -> Iterator[None]:
    """Inside the block, :func:`charge` adds up to what a file of this size may ask for.

    Args:
        file_size: The file's bytes.
        name: What messages call the file.
        advice: What messages end with.

    Example:
        >>> with allowance(1000, "small.keras"):
        ...     charge(10**12, "a kernel")
        Traceback (most recent call last):
            ...
        ValueError: small.keras (1,000 bytes) asks for 1,000,000,000,000 bytes for a kernel, more than a file of its \
size may.
    """
    before = getattr(_state, "left", None)
    _state.left = [ROOM + TIMES * file_size, file_size, name, advice]
    try:
        yield
    finally:
        _state.left = before


def charge(size: int, what: str) -> None:
    """Count ``size`` bytes that are about to be taken; without an allowance this does nothing.

    Raises:
        ValueError: if the file that is being read may not ask for that much.
    """
    left = getattr(_state, "left", None)
    if left is None:
        return
    left[0] -= size
    if left[0] < 0:
        raise ValueError(f"{left[2]} ({left[1]:,} bytes) asks for {size:,} bytes for {what}, more than a file of its "
                         f"size may.{left[3]}")  # fmt: skip


def charge_array(shape: Sequence[Any], dtype: str, name: str) -> None:
    """:func:`charge` for an array that is about to be made."""
    if getattr(_state, "left", None) is not None and all(isinstance(n, int) for n in shape):
        bits = int("".join(filter(str.isdigit, dtype)) or 8)
        charge(max(0, math.prod(shape)) * max(1, bits // 8), f"{name} of shape {tuple(shape)}")
