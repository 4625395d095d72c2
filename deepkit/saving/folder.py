"""The contents of a ``.keras`` archive as files in a folder."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from typing import Any, Iterable

from ..utils.atomic import atomic_write, sync_folder, written_as_one
from .archive import MAX_MEMBERS, Archive


class Folder(Archive):
    """A folder that is read like an archive: members by exact name, regular files only.

    Args:
        path: The folder.

    Raises:
        ValueError: if it holds no model, links (which may lead anywhere), or too many files.
    """

    def __init__(self, path: str):
        self.name = path
        if not os.path.isfile(os.path.join(path, "config.json")):
            raise ValueError(f"The folder {path!r} holds no model: it has no config.json.")
        self._sizes: dict[str, int] = {}
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            if os.path.lexists(os.path.join(path, name)):
                self._add(name)
        for root, folders, files in os.walk(os.path.join(path, "assets")):
            for file in [*files, *(f for f in folders if os.path.islink(os.path.join(root, f)))]:
                self._add(os.path.relpath(os.path.join(root, file), path).replace(os.sep, "/"))

    def _add(self, name: str) -> None:
        found = os.lstat(os.path.join(self.name, name))
        if not stat.S_ISREG(found.st_mode):
            kind = "a link (copy the folder with 'cp -rL')" if stat.S_ISLNK(found.st_mode) else "no regular file"
            raise ValueError(f"{self.name}: {name} is {kind}, which is refused.")
        self._sizes[name] = found.st_size
        if len(self._sizes) > MAX_MEMBERS:
            raise ValueError(f"{self.name} has more than {MAX_MEMBERS} files, which is refused.")

    def __exit__(self, *exc: Any) -> None:
        pass

    @property
    def stored(self) -> int:  # type: ignore[override]
        """The bytes of all files together."""
        return sum(self._sizes.values())

    def names(self) -> list[str]:
        return list(self._sizes)

    def size(self, name: str) -> int:
        return self._sizes[name]

    def read(self, name: str, limit: int | None = None) -> bytes:
        """A file's bytes.

        Raises:
            ValueError: if it is missing, or larger than ``limit``.
        """
        if name not in self._sizes:
            raise ValueError(f"{self.name} has no {name}.")
        with open(os.path.join(self.name, name), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(size if limit is None else min(size, limit) + 1)
        if limit is not None and len(data) > limit:
            raise ValueError(f"{self.name}: {name} has more than the {limit} bytes that are read.")
        return data


def write_folder(path: str, members: dict[str, Any]) -> None:
    """Write files into a folder. A new folder appears with all of them; in one that exists they are replaced, one after
    the other, once all of them have been written.

    Raises:
        OSError: if writing fails; nothing has appeared or been replaced then.
    """
    exists = os.path.isdir(path)
    parent = path if exists else os.path.dirname(os.path.abspath(path))
    os.makedirs(parent, exist_ok=True)
    name = os.path.basename(path.rstrip(os.sep))[:64]
    with written_as_one(path):
        temporary = tempfile.mkdtemp(prefix=f".{name}.", suffix=".part", dir=parent)
        try:
            for member, content in members.items():
                with atomic_write(_place(temporary, member), "wb") as file:
                    file.write(content)
            if exists:
                _move(temporary, path, members)
            else:
                os.chmod(temporary, 0o777 & ~_umask())
                os.rename(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(parent)


def _place(folder: str, member: str) -> str:
    place = os.path.join(folder, *member.split("/"))
    os.makedirs(os.path.dirname(place), exist_ok=True)
    return place


def _move(source: str, path: str, members: Iterable[str]) -> None:
    places = {name: _place(path, name) for name in members}
    for place in places.values():
        if os.path.isdir(place):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), place)
    for name, place in places.items():
        if os.path.exists(place):
            shutil.copymode(place, os.path.join(source, name))
        os.replace(os.path.join(source, name), place)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
