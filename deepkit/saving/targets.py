"""Names of files to save to: endings, what is in the way, and the question before something is replaced."""

from __future__ import annotations

import os
from typing import Any


def target_name(filepath: Any, what: str) -> str:
    """The name as a string.

    Raises:
        TypeError: for anything but a ``str`` or path, such as an open file.
    """
    if isinstance(filepath, (str, os.PathLike)):
        name = os.fspath(filepath)
        if isinstance(name, str):
            return name
    raise TypeError(
        f"{what}: `filepath` must be the name of a file, as a str or pathlib.Path, whose ending tells the format. "
        f"Received: {filepath!r:.100} of type {type(filepath).__name__}. To go through memory, use a file in a "
        "tempfile.TemporaryDirectory()."
    )


def may_write(name: str, overwrite: bool, folder: bool = False) -> bool:
    """Whether to go on with writing: if something of that name exists and ``overwrite`` is false, the user is asked.

    Args:
        name: File or folder to write.
        overwrite: Don't ask.
        folder: A folder is to be written.

    Raises:
        IsADirectoryError: if a folder is where a file should be.
        NotADirectoryError: the other way round.
        FileExistsError: if something is there and nobody can be asked.
    """
    if os.path.isdir(name) and not folder:
        raise IsADirectoryError(f"{name!r} is a directory; a file can't be written in its place.")
    if folder and os.path.exists(name) and not os.path.isdir(name):
        raise NotADirectoryError(f"{name!r} is a file; zipped=False writes a folder and needs another name.")
    if overwrite or not os.path.exists(name):
        return True
    try:
        answer = input(f"[WARNING] {name} already exists - overwrite? [y/n]")
        while answer.strip().lower() not in ("y", "n"):
            answer = input('Enter "y" (overwrite) or "n" (cancel).')
    except (EOFError, OSError) as error:  # no terminal: a batch job
        raise FileExistsError(f"{name!r} exists; pass overwrite=True to replace it.") from error
    return answer.strip().lower() == "y"
