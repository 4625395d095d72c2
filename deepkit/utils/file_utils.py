"""Files from the web, kept in a cache: :func:`get_file` downloads, verifies, and unpacks."""

from __future__ import annotations

import os
import sys
from typing import IO, Any, BinaryIO
from urllib.parse import urlsplit

from .atomic import atomic_write

__all__ = ["get_file", "hash_file", "keras_home", "validate_file"]

_CHUNK = 1 << 20
_SCHEMES = ("http", "https", "ftp", "file")


def keras_home() -> str:
    """The folder for data, models and settings: ``$KERAS_HOME``, else ``~/.keras``.

    Example:
        >>> bool(keras_home())
        True
    """
    return os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | tuple[str, ...] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Path of a file from the web, downloaded unless the cache has it.

    The download goes to a temporary file, which takes its final name only when it is complete and its hash is the
    expected one: an interrupted or forged download is never used, and two processes may ask for one file at a time.

    Args:
        fname: name in the cache; by default the last part of the URL. A plain name, not a path.
        origin: the URL (http, https, ftp or file).
        untar: old spelling of ``extract=True, archive_format="tar"``.
        md5_hash: old spelling of ``file_hash`` with ``hash_algorithm="md5"``.
        file_hash: expected hash, in hexadecimal.
        cache_subdir: folder inside the cache; an absolute path replaces the cache.
        hash_algorithm: ``"sha256"``, ``"md5"``, or ``"auto"`` (told by the length of ``file_hash``).
        extract: unpack the archive and return the folder.
        archive_format: ``"tar"``, ``"zip"``, a list of them, or ``"auto"`` for both.
        cache_dir: the cache; by default :func:`keras_home`.
        force_download: download even if the cache has the file.

    Returns:
        Path of the file, or with ``extract`` of the folder with the archive's contents.

    Raises:
        ValueError: for a missing or odd ``origin``, a ``fname`` that is no plain name, a wrong hash, or an archive with
            a member that must not be unpacked (see :func:`~deepkit.utils.archives.extract_archive`).
        OSError: if the download fails; the message says where to put the file by hand.
    """
    if not origin:
        raise ValueError("get_file: `origin` is missing. Pass the URL of the file to download.")
    scheme = urlsplit(str(origin)).scheme.lower()
    if scheme not in _SCHEMES:
        raise ValueError(
            f"get_file: `origin` must be one of {', '.join(_SCHEMES)}. Received: origin={origin!r}"
        )
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    name = _plain_name(fname, str(origin))
    folder = os.path.join(os.path.expanduser(os.fspath(cache_dir or keras_home())), cache_subdir)
    _make_folder(folder)

    extract = extract or untar
    target, unpacked = os.path.join(folder, name), ""
    if extract:  # the archive and the folder it is unpacked to need a name each
        if fname and "." in name:
            unpacked = os.path.join(folder, f"{name[: name.find('.')]}_extracted")
        else:
            unpacked, target = target, f"{target}_archive"

    fresh = force_download or not _is_cached(target, file_hash, hash_algorithm)
    if fresh:
        _download(str(origin), target, file_hash, hash_algorithm)
    if not extract:
        return target
    if fresh or not os.path.isdir(unpacked):
        from .archives import extract_archive

        if not extract_archive(target, unpacked, "tar" if untar else archive_format):
            raise ValueError(f"get_file: {target} is no archive of the format {archive_format!r}.")
    return unpacked


def hash_file(fpath: str | os.PathLike[str], algorithm: str = "sha256", chunk_size: int = _CHUNK) -> str:
    """Hash of a file in hexadecimal.

    Args:
        fpath: the file.
        algorithm: ``"sha256"`` or ``"md5"`` (``"auto"`` means md5, as there is no hash to tell it by).
        chunk_size: bytes read at a time.

    Example:
        >>> import os
        >>> hash_file(os.devnull)[:16]
        'e3b0c44298fc1c14'
    """
    hasher = _hasher(algorithm, None)
    with open(fpath, "rb") as file:
        while chunk := file.read(chunk_size):
            hasher.update(chunk)
    return str(hasher.hexdigest())


def validate_file(
    fpath: str | os.PathLike[str], file_hash: str, algorithm: str = "auto", chunk_size: int = _CHUNK
) -> bool:
    """Whether a file has the expected hash.

    Args:
        fpath: the file.
        file_hash: expected hash in hexadecimal.
        algorithm: ``"sha256"``, ``"md5"``, or ``"auto"`` (told by the length of ``file_hash``).
        chunk_size: bytes read at a time.
    """
    return hash_file(fpath, _resolve_algorithm(algorithm, file_hash), chunk_size) == str(file_hash).lower()


# --------------------------------------------------------------------------------------------------- parts


def _resolve_algorithm(algorithm: str, file_hash: str | None) -> str:
    if algorithm == "auto":
        return "sha256" if file_hash is not None and len(file_hash) == 64 else "md5"
    if algorithm not in ("sha256", "md5"):
        raise ValueError(f"hash_algorithm must be 'sha256', 'md5' or 'auto'. Received: {algorithm!r}")
    return algorithm


def _hasher(algorithm: str, file_hash: str | None) -> Any:
    import hashlib

    return hashlib.new(_resolve_algorithm(algorithm, file_hash), usedforsecurity=algorithm != "md5")


def _plain_name(fname: str | os.PathLike[str] | None, origin: str) -> str:
    """A name that stays in its folder, whatever the URL ends in."""
    name = os.fspath(fname) if fname else urlsplit(origin).path.rsplit("/", 1)[-1]
    odd = name in ("", ".", "..") or any(sign in name for sign in "/\\:\0") or name != os.path.basename(name)
    if odd and fname:
        raise ValueError(
            f"get_file: `fname` must be a plain file name; name the folder with `cache_dir` and `cache_subdir`. "
            f"Received: fname={name!r}"
        )
    if odd:
        raise ValueError(f"get_file: no file name can be taken from origin={origin!r}. Pass `fname`.")
    return name


def _make_folder(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"The cache folder {folder} can't be made ({error.strerror}). "
            "Set KERAS_HOME, or pass cache_dir=, to a folder you may write to."
        ) from error


def _is_cached(target: str, file_hash: str | None, algorithm: str) -> bool:
    if not os.path.isfile(target):
        return False
    if file_hash is None or validate_file(target, file_hash, algorithm):
        return True
    print(
        f"{target} is incomplete or outdated: its hash is not {file_hash}. Downloading it again.",
        file=sys.stderr,
    )
    return False


def _download(origin: str, target: str, file_hash: str | None, algorithm: str) -> None:
    """Fetch and check a file, which takes its name after that."""
    from http.client import HTTPException
    from urllib.request import urlopen

    print(f"Downloading data from {origin}", file=sys.stderr)
    hasher = _hasher(algorithm, file_hash)
    try:
        with urlopen(origin, timeout=60) as source, atomic_write(target) as sink:
            expected = source.headers.get("Content-Length")
            received = _copy(source, sink, hasher)
            if expected is not None and received != int(expected):
                raise OSError(f"the connection ended after {received:,} of {int(expected):,} bytes")
            if file_hash is not None and hasher.hexdigest() != str(file_hash).lower():
                raise ValueError(
                    f"The file at {origin} is corrupted or not the one expected: its {hasher.name} is "
                    f"{hasher.hexdigest()}, not {file_hash}. It was not kept."
                )
    except (OSError, HTTPException) as error:
        raise OSError(
            f"Fetching {origin} failed: {getattr(error, 'reason', None) or error}. Without a network, download it "
            f"elsewhere and put it here: {target}"
            + (f" ({_resolve_algorithm(algorithm, file_hash)} {file_hash})" if file_hash else "")
        ) from error


def _copy(source: BinaryIO, sink: IO[bytes], hasher: Any) -> int:
    received = 0
    while chunk := source.read(_CHUNK):
        sink.write(chunk)
        hasher.update(chunk)
        received += len(chunk)
    return received
