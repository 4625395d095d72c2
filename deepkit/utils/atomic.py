"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import IO, Any, Iterator


@contextlib.contextmanager
def atomic_write(
    filepath: str | os.PathLike[str], mode: str = "wb", encoding: str | None = None
) -> Iterator[IO[Any]]:
    """Open a file for writing that takes its name only once it is complete and on disk.

    What is written goes to a temporary file in the same folder. At the end of the ``with`` block that file is flushed
    to disk and renamed over the target, and the folder's entry is flushed too. After an exception, a crash or a power
    cut the target holds either all of the old contents or all of the new ones.

    Args:
        filepath: The target. A symbolic link is followed.
        mode: ``"wb"`` or ``"w"``.
        encoding: Encoding of text, UTF-8 by default.

    Raises:
        ValueError: for another mode.
        IsADirectoryError: if the target is a folder.
        FileNotFoundError: if the target's folder doesn't exist.
        OSError: if the folder can't be written to or the disk is full. The old file is untouched then.

    Example:
        >>> import shutil, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> path = os.path.join(folder, "note.txt")
        >>> with atomic_write(path, "w") as file:
        ...     _ = file.write("whole")
        >>> open(path).read(), os.listdir(folder)
        ('whole', ['note.txt'])
        >>> shutil.rmtree(folder)
    """
    if mode not in ("wb", "w"):
        raise ValueError(f"atomic_write: `mode` must be 'wb' or 'w'. Received: mode={mode!r}")
    target = os.path.realpath(os.fspath(filepath))
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        raise IsADirectoryError(
            f"{os.fspath(filepath)!r} is a directory; a file can't be written in its place."
        )
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"The folder {folder!r} doesn't exist; make it before writing {os.fspath(filepath)!r}."
        )
    temporary: str | None = None
    try:
        import tempfile  # here, to keep `import deepkit` light

        handle, temporary = tempfile.mkstemp(
            prefix=f".{os.path.basename(target)[:64]}.", suffix=".part", dir=folder
        )
        with os.fdopen(handle, mode, encoding=None if mode == "wb" else encoding or "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _permissions(target))
        os.replace(temporary, target)
        temporary = None
        sync_folder(folder)
    except OSError as error:
        other = error.filename is not None and os.path.dirname(os.fsdecode(error.filename)) != folder
        if other or error.errno is None or error.strerror is None:
            raise  # raised by what the block did elsewhere
        raise _about(error, os.fspath(filepath)) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


_UNTOUCHED = "writing failed and what was there under that name is untouched"


def _about(error: OSError, path: str | os.PathLike[str]) -> OSError:
    reason = str(error.strerror).removesuffix(f"; {_UNTOUCHED}")
    return type(error)(error.errno, f"{reason}; {_UNTOUCHED}", os.fspath(path))


@contextlib.contextmanager
def written_as_one(path: str | os.PathLike[str]) -> Iterator[None]:
    """Errors in the block, which writes the parts of ``path`` under other names, speak of ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.strerror is None:
            raise
        raise _about(error, path) from error


def _permissions(target: str) -> int:
    """Those of the file that is replaced, or those of a new file: temporary files are private."""
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def sync_folder(folder: str) -> None:
    """Put the rename on disk too; where folders can't be opened (Windows) the system does it in its own time."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


__all__ = ["atomic_write", "sync_folder", "written_as_one"]
