"""The one gate to archives: members by exact name, bounded in number and size, never unpacked to disk."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from typing import Any

#: Members of a ``.keras`` file beside assets; more is refused.
MAX_MEMBERS = 10_000
#: All members together may be larger than this only if the archive has at least a hundredth of what they declare.
ROOM = 64 << 20
MAX_RATIO = 100


def _size(file: Any) -> int:
    place = file.tell()
    size: int = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size


class Archive:
    """A ``.keras`` archive that is open for reading.

    Args:
        path: File, or file object.

    Raises:
        ValueError: if it is no zip archive, holds two members of one name, too many, or out of all proportion.
    """

    stored: int

    def __init__(self, path: Any):
        self.name = str(getattr(path, "name", path))
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, UnicodeError, struct.error) as error:
            raise ValueError(f"{self.name} is no .keras archive: {error}") from error
        infos = self._zip.infolist()
        names = [info.filename for info in infos]
        if len(names) > MAX_MEMBERS:
            raise ValueError(f"{self.name} has {len(names)} members, which is refused.")
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
            raise ValueError(f"{self.name} is packed in another way than deflate, which is refused.")
        #: The bytes of the archive itself, packed as it is.
        self.stored = _size(self._zip.fp)
        declared = sum(info.file_size for info in infos)
        if declared > ROOM + MAX_RATIO * self.stored:
            raise ValueError(f"{self.name} unpacks to {declared} bytes from {self.stored}, which is refused.")
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name} has two members of one name, which is refused.")
        self._infos = dict(zip(names, infos))

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exc: Any) -> None:
        self._zip.close()

    def names(self) -> list[str]:
        """The names of all members."""
        return list(self._infos)

    def size(self, name: str) -> int:
        """The bytes that a member declares to have."""
        return self._infos[name].file_size

    def read(self, name: str, limit: int | None = None) -> bytes:
        """A member's bytes.

        Raises:
            ValueError: if it is missing, damaged, larger than ``limit``, or not as large as it declares.
        """
        info = self._infos.get(name)
        if info is None:
            raise ValueError(f"{self.name} has no member {name!r}.")
        if limit is not None and info.file_size > limit:
            raise ValueError(f"{self.name}: {name} has {info.file_size} bytes, more than the {limit} that are read.")
        try:
            with self._zip.open(info) as member:
                data = member.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
            raise ValueError(f"{self.name}: {name} can't be read: {error}") from error
        if len(data) != info.file_size:
            raise ValueError(f"{self.name}: {name} isn't as large as it declares.")
        return data
