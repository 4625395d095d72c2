"""Unpacking tar and zip archives that may be hostile.

Only plain files and folders are unpacked, into a new folder that takes its final name when all is well. A member that
points elsewhere (an absolute path, ``..``, a link, a device), that comes twice, or an archive that grows out of all
proportion is refused as a whole: nothing of it stays on the disk.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, NamedTuple, Sequence, cast

from .xz import XzFile

__all__ = ["extract_archive"]

#: An archive may unpack to this many times its size (deflate reaches 1,032 on zeros; data sets stay below 30) ...
MAX_RATIO = 200
#: ... or to this many bytes, whichever is more ...
MAX_SMALL = 256 << 20
#: ... and hold this many members.
MAX_MEMBERS = 1_000_000

_CHUNK = 1 << 20
_MAX_HEADER = 1 << 20
_DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError, NotImplementedError,
)  # fmt: skip


class _Member(NamedTuple):
    name: str
    stream: BinaryIO | None  #: ``None`` for a folder


def extract_archive(
    file_path: str | os.PathLike[str],
    path: str | os.PathLike[str] = ".",
    archive_format: str | list[str] | tuple[str, ...] | None = "auto",
) -> bool:
    """Unpack a tar (also gz, bz2, xz) or zip archive into the folder ``path``.

    Args:
        file_path: the archive.
        path: the folder; it is made if needed, and files of the same name in it are replaced.
        archive_format: ``"tar"``, ``"zip"``, a list of those to try, ``"auto"`` for both, or ``None`` for none.

    Returns:
        Whether the file was an archive of such a format.

    Raises:
        ValueError: if a member's path leaves the folder, is a link or a device, comes twice, or if the contents are
            too large for the archive's size. Nothing is unpacked then.
    """
    formats: Sequence[str]
    if archive_format is None or archive_format == "auto":
        formats = ("tar", "zip") if archive_format else ()
    else:
        formats = (archive_format,) if isinstance(archive_format, str) else archive_format
    for kind in formats:
        if kind not in ("tar", "zip"):
            raise ValueError(f"archive_format must be 'tar', 'zip' or 'auto'. Received: {archive_format!r}")
        if _is_archive(file_path, kind):
            _unpack(Path(file_path), Path(path), _tar_members if kind == "tar" else _zip_members)
            return True
    return False


class _TarInfo(tarfile.TarInfo):
    """A tar header whose extended part, which tarfile reads into memory, must be small."""

    def _proc_member(self, tar):  # type: ignore[no-untyped-def]  # tarfile's hook for each kind of header
        if not self.isreg() and self.size > _MAX_HEADER:
            raise tarfile.HeaderError("a header is too large")
        return super()._proc_member(tar)  # type: ignore[misc]


class _TarFile(tarfile.TarFile):
    """A tar file whose xz decompressor may take little memory."""

    @classmethod
    def xzopen(cls, name: Any, mode: Any = "r", fileobj: Any = None, preset: Any = None, **kwargs: Any) -> Any:
        file = io.BufferedReader(XzFile(open(name, "rb")))
        try:
            return cls.taropen(name, mode, file, **kwargs)
        except (lzma.LZMAError, EOFError) as error:
            file.close()
            raise tarfile.ReadError(f"not an xz file: {error}") from error
        except BaseException:
            file.close()
            raise


def _is_archive(file_path: str | os.PathLike[str], kind: str) -> bool:
    if kind == "zip":
        return zipfile.is_zipfile(file_path)
    try:
        _TarFile.open(file_path, tarinfo=_TarInfo).close()
    except _DAMAGED:
        return False
    return True


def _refuse(archive: Path, name: str, reason: str) -> ValueError:
    return ValueError(f"{archive} is not unpacked: its member {name!r} {reason}.")


def _tar_members(archive: Path) -> Iterator[_Member]:
    with _TarFile.open(archive, tarinfo=_TarInfo) as tar:
        for info in tar:
            if info.isdir():
                yield _Member(info.name, None)
            elif info.isreg():
                yield _Member(info.name, cast(BinaryIO, tar.extractfile(info)))
            else:
                kind = (
                    "a link" if info.issym() or info.islnk() else "a device, a pipe or another special file"
                )
                raise _refuse(archive, info.name, f"is {kind}")


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as zip_file:
        for info in zip_file.infolist():
            if not info.filename:
                raise _refuse(archive, "", "has no name")
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refuse(archive, info.filename, "is a link or a special file")
            if info.compress_type == zipfile.ZIP_LZMA:  # the memory that it takes is up to the file
                raise _refuse(archive, info.filename, "is packed with LZMA")
            if info.flag_bits & 1:
                raise _refuse(archive, info.filename, "is encrypted")
            if info.is_dir():
                yield _Member(info.filename, None)
            else:
                with zip_file.open(info) as stream:
                    yield _Member(info.filename, cast(BinaryIO, stream))


def _unpack(archive: Path, path: Path, members: Callable[[Path], Iterator[_Member]]) -> None:
    """Write all members to a new folder beside ``path``, then move them over."""
    final = path.resolve()
    final.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".unpack-", dir=final.parent)).resolve()
    try:
        _write_members(archive, staging, members(archive))
        if final.is_dir():
            _merge(staging, final)
        else:
            staging.chmod(0o755)
            staging.replace(final)
    except _DAMAGED as error:
        raise ValueError(f"{archive} is not unpacked: it is damaged ({error}).") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_members(archive: Path, folder: Path, members: Iterator[_Member]) -> None:
    budget = max(MAX_SMALL, MAX_RATIO * archive.stat().st_size)
    written: set[str] = set()
    for count, (name, stream) in enumerate(members, 1):
        if count > MAX_MEMBERS:
            raise _refuse(archive, name, f"is one too many: more than {MAX_MEMBERS:,}")
        target = _target(archive, folder, name)
        if stream is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        key = str(target).casefold()  # some file systems see A and a as one
        if key in written or target.exists():
            raise _refuse(archive, name, "comes twice")
        written.add(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as sink:
            while chunk := stream.read(_CHUNK):  # what the headers say about sizes is not trusted
                budget -= len(chunk)
                if budget < 0:
                    raise _refuse(archive, name, "makes it grow out of all proportion to its size")
                sink.write(chunk)


def _target(archive: Path, folder: Path, name: str) -> Path:
    """Where a member goes; its real path is inside ``folder`` for certain."""
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or "\0" in name or ":" in parts[0]:
        raise _refuse(archive, name, "has an absolute path")
    if ".." in parts:
        raise _refuse(archive, name, "leaves the folder with '..'")
    target = Path(os.path.realpath(folder / name))
    if target != folder and folder not in target.parents:
        raise _refuse(archive, name, "leaves the folder")
    return target


def _merge(source: Path, destination: Path) -> None:
    """Move the files of ``source`` into ``destination``, replacing those of the same name but following no link."""
    for entry in source.iterdir():
        target = destination / entry.name
        if entry.is_dir() and target.is_dir() and not target.is_symlink():
            _merge(entry, target)
            continue
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        elif target.is_symlink() and entry.is_dir():
            target.unlink()
        entry.replace(target)
