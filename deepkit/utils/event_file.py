"""Event files, which TensorBoard reads: scalars, histograms and images by tag and step.

A file is a sequence of records (length, checksum, data, checksum), and each record an ``Event`` in the encoding of
protocol buffers, of which the few fields that are needed are written by hand.
"""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
from itertools import count
from typing import Any

import numpy as np

_files = count()


def _crc_table() -> list[int]:
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """The checksum CRC-32C (Castagnoli).

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    """The checksum in the form that records have it, rotated and shifted so as not to be a checksum's own."""
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(n: int) -> bytes:
    out = bytearray()
    n &= (1 << 64) - 1
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def _field(number: int, value: Any) -> bytes:
    """A field of a message: a double for a float, a length and bytes for bytes or text, else an integer."""
    if isinstance(value, float):
        return _varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, (bytes, str)):
        data = value.encode() if isinstance(value, str) else value
        return _varint(number << 3 | 2) + _varint(len(data)) + data
    return _varint(number << 3) + _varint(value)


def _histogram(values: np.ndarray, bins: int) -> bytes:
    flat = values.reshape(-1).astype(np.float64)
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        flat = np.zeros(1)
    counts, edges = np.histogram(flat, bins=bins)
    numbers = (flat.min(), flat.max(), flat.size, flat.sum(), (flat * flat).sum())
    message = b"".join(_field(i, float(number)) for i, number in enumerate(numbers, 1))
    return message + _field(6, edges[1:].astype("<f8").tobytes()) + _field(7, counts.astype("<f8").tobytes())


def encode_png(pixels: np.ndarray) -> bytes:
    """A PNG of uint8 pixels, (height, width, channels) with 1, 3 or 4 channels."""
    height, width, channels = pixels.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(pixels, np.uint8))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


class EventFile:
    """A new event file in a directory.

    Args:
        directory: The directory; made if it isn't there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     events = EventFile(folder)
        ...     events.scalar("loss", 0.5, step=1)
        ...     events.close()
    """

    def __init__(self, directory: str):
        os.makedirs(directory, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_files)}"
        self.path = os.path.join(directory, name)
        self._file = open(self.path, "ab")
        self._event(_field(3, "brain.Event:2"), 0)

    def _event(self, content: bytes, step: int) -> None:
        data = _field(1, time.time()) + _field(2, step) + content
        length = struct.pack("<Q", len(data))
        self._file.write(length + _masked(length) + data + _masked(data))

    def _value(self, tag: str, content: bytes, step: int) -> None:
        self._event(_field(5, _field(1, _field(1, tag) + content)), step)

    def scalar(self, tag: str, value: Any, step: int) -> None:
        """Write a number."""
        self._value(tag, _varint(2 << 3 | 5) + struct.pack("<f", float(value)), step)

    def histogram(self, tag: str, values: Any, step: int, bins: int = 30) -> None:
        """Write the distribution of an array's finite values."""
        self._value(tag, _field(5, _histogram(np.asarray(values), bins)), step)

    def image(self, tag: str, pixels: np.ndarray, step: int) -> None:
        """Write a picture: uint8 (height, width, channels)."""
        height, width, channels = pixels.shape
        message = _field(1, height) + _field(2, width) + _field(3, channels) + _field(4, encode_png(pixels))
        self._value(tag, _field(4, message), step)

    def flush(self) -> None:
        """Bring what was written into the file."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


__all__ = ["EventFile", "crc32c", "encode_png"]
