"""Reading xz streams that may be hostile: their header says how much memory unpacking takes, up to 4 GiB."""

from __future__ import annotations

import io
import lzma
from typing import Any, BinaryIO

#: What unpacking may take: ``xz -9`` needs 65 MiB.
MEMORY = 128 << 20
_CHUNK = 1 << 16


class XzFile(io.RawIOBase):
    """An xz or lzma file that is read with a bound on memory.

    Args:
        file: The packed file.

    Raises:
        lzma.LZMAError: on reading, for damaged data and for data that needs more memory.
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        self._rewind()

    def _rewind(self) -> None:
        self._file.seek(0)
        self._decompressor = lzma.LZMADecompressor(memlimit=MEMORY)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            while self.read(_CHUNK):
                pass
        target = offset + (0 if whence == io.SEEK_SET else self._at)
        if target < self._at:
            self._rewind()
        while self._at < target and self.read(min(_CHUNK, target - self._at)):
            pass
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data and len(buffer):
            packed = b""
            if self._decompressor.eof:  # another stream may follow, or zeros
                packed = (self._decompressor.unused_data or self._file.read(_CHUNK)).lstrip(b"\0")
                if not packed:
                    break
                self._decompressor = lzma.LZMADecompressor(memlimit=MEMORY)
            elif self._decompressor.needs_input:
                packed = self._file.read(_CHUNK)
                if not packed:
                    raise EOFError("the xz stream ends early")
            data = self._decompressor.decompress(packed, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
