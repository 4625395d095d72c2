"""A check of HDF5's global heaps, where texts of attributes are, before the library reads them.

A heap ("GCOL") is a row of objects, each with its size before it. The library, 2.0 included, goes from one to the next
by that size without asking whether it gets anywhere: a free object of size 0, or a size that wraps around, keeps it
busy for ever, where no signal ends it.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import Any

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAGIC = b"GCOL\x01"
#: Heaps are this large at least.
_SMALLEST = 4096


def check_global_heaps(source: Any) -> None:
    """Look through a whole file.

    Args:
        source: The file's name, or a buffer.

    Raises:
        ValueError: for a heap that the library might not come back from.
    """
    if hasattr(source, "getvalue"):
        _check(source.getvalue())
        return
    with open(source, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            _check(mapped)


def _check(data: Any) -> None:
    if data[:8] != _SIGNATURE or len(data) < 16 or data[14 if data[8] < 2 else 10] != 8:
        raise ValueError("texts are read only from files that begin with HDF5's signature and have sizes of 8 bytes")
    at = data.find(_MAGIC)
    while at >= 0:
        _check_heap(data, at)
        at = data.find(_MAGIC, at + 1)


def _check_heap(data: Any, at: int) -> None:
    header = bytes(data[at + 8 : at + 16])
    size = int.from_bytes(header, "little")
    if not _SMALLEST <= size <= len(data) - at:
        return  # the library refuses it, or it is something else
    end, at = at + size, at + 16
    while at + 16 <= end:
        index, length = struct.unpack("<H6xQ", data[at : at + 16])
        step = 16 + (length + 7) // 8 * 8 if index else length
        if step < 16 or at + step > end:
            raise ValueError(f"the texts of attributes are damaged: an object at byte {at} has {length} bytes")
        at += step
