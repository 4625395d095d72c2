"""The one gate to archives: members by exact name, bounded in number and size, never unpacked to disk."""

from __future__ import annotations

import zipfile
from typing import Any

#: Members of a ``.keras`` file beside assets; more is refused.
MAX_MEMBERS = 10_000
#: A config of more bytes than this is refused.
MAX_CONFIG = 256 << 20


class Archive:
    """A ``.keras`` archive that is open for reading.

    Args:
        path: File, or file object.

    Raises:
        ValueError: if it is no zip archive, or holds two members of one name, or too many.
    """

    def __init__(self, path: Any):
        self.name = str(getattr(path, "name", path))
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise ValueError(f"{self.name} is no .keras archive: {error}") from error
        infos = self._zip.infolist()
        names = [info.filename for info in infos]
        if len(names) > MAX_MEMBERS:
            raise ValueError(f"{self.name} has {len(names)} members, which is refused.")
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
            ValueError: if it is missing, or larger than ``limit`` or than a thousand times what is stored.
        """
        info = self._infos.get(name)
        if info is None:
            raise ValueError(f"{self.name} has no member {name!r}.")
        if limit is not None and info.file_size > limit:
            raise ValueError(f"{self.name}: {name} has {info.file_size} bytes, more than the {limit} that are read.")
        if info.file_size > (1 << 20) and info.compress_size * 1000 < info.file_size:
            raise ValueError(
                f"{self.name}: {name} unpacks to {info.file_size} bytes from {info.compress_size}, which is refused."
            )
        with self._zip.open(info) as member:
            data = member.read(info.file_size + 1)
        if len(data) != info.file_size:
            raise ValueError(f"{self.name}: {name} isn't as large as it declares.")
        return data
