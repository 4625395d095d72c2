"""Reading ``.npz`` and gzipped idx files whose headers are not believed until their bytes are there."""

from __future__ import annotations

import math
import os
import tokenize
from typing import IO, cast

import numpy as np

__all__ = ["load_idx", "load_npz"]

#: Largest array that a data set may hold, in bytes (CIFAR's are 150 MB).
MAX_BYTES = 1 << 30


def load_npz(path: str | os.PathLike[str], *names: str, ragged: bool = False) -> list[np.ndarray]:
    """Arrays of an ``.npz`` file, in the order of ``names``.

    Args:
        path: the file.
        *names: the arrays wanted.
        ragged: admit arrays of lists of numbers, which NumPy stores as a pickle stream; it is read as plain data
            (see :func:`~deepkit.datasets.plain_pickle.load_plain`).

    Returns:
        The arrays.

    Raises:
        ValueError: if the file is damaged, lacks an array, or an array is larger than its bytes or than 1 GiB.
    """
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(path) as archive:
            present = archive.namelist()
            arrays = []
            for name in names:
                if present.count(f"{name}.npy") != 1:
                    raise ValueError(f"it must hold one array {name!r}; it holds {', '.join(present[:10])}")
                if archive.getinfo(f"{name}.npy").compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError(f"array {name!r} is packed in another way than deflate")
                with archive.open(f"{name}.npy") as file:
                    arrays.append(_read_npy(file, name, ragged))
            return arrays
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} can't be read: {error}") from error


def _read_npy(file: IO[bytes], name: str, ragged: bool) -> np.ndarray:
    version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"array {name!r} has the .npy version {version}, which is not known")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, fortran, dtype = read(file)  # type: ignore[no-untyped-call]
    except (tokenize.TokenError, SyntaxError, RecursionError, MemoryError, TypeError, LookupError) as error:
        raise ValueError(f"array {name!r} has a malformed header: {error}") from error  # NumPy parses it as Python
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES or any(n < 0 for n in shape):
        raise ValueError(f"array {name!r} has the shape {shape}, which can't be")
    if dtype.hasobject:
        if not ragged:
            raise ValueError(f"array {name!r} holds Python objects, which are not read")
        return _read_ragged(file, name, shape)
    return (
        _read_exactly(file, size, f"array {name!r} of shape {shape}")
        .view(dtype)
        .reshape(shape, order="F" if fortran else "C")
    )


def _read_ragged(file: IO[bytes], name: str, shape: tuple[int, ...]) -> np.ndarray:
    import io

    from .plain_pickle import load_plain

    stream = io.BytesIO()
    while chunk := file.read(1 << 20):  # at once, zipfile would take as much as the file declares
        if stream.tell() > MAX_BYTES:
            raise ValueError(f"array {name!r} is too large")
        stream.write(chunk)
    stream.seek(0)
    array = load_plain(stream)
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError(f"array {name!r} is not the array of shape {shape} that its header promises")
    for row in array:
        if type(row) is not list or not all(type(n) is int for n in row):
            raise ValueError(f"array {name!r} must hold lists of integers")
    return array


def load_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array of bytes in a gzipped idx file (the format of the original MNIST).

    Four bytes 0, 0, 8 (unsigned bytes) and the number of dimensions; each dimension as a big-endian 32-bit integer;
    the values.

    Raises:
        ValueError: if the file is damaged, or not as large as its header says.
    """
    import gzip
    import zlib

    try:
        with cast(IO[bytes], gzip.open(path)) as file:
            magic = file.read(4)
            if len(magic) != 4 or magic[:3] != b"\0\0\x08" or magic[3] > 4:
                raise ValueError("it is no idx file of bytes")
            shape = tuple(int(n) for n in _read_exactly(file, 4 * magic[3], "the header").view(">u4"))
            size = math.prod(shape)
            if size > MAX_BYTES:
                raise ValueError(f"its shape {shape} is too large")
            return _read_exactly(file, size, f"the array of shape {shape}").reshape(shape)
    except (gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} can't be read: {error}") from error


def _read_exactly(file: IO[bytes], size: int, what: str) -> np.ndarray:
    """``size`` bytes as an array; it grows with what is really there, so a header alone takes no memory."""
    data = bytearray()
    while len(data) < size:
        chunk = file.read(min(size - len(data), 1 << 24))
        if not chunk:
            raise ValueError(f"{what} ends after {len(data):,} of {size:,} bytes")
        data += chunk
    return np.frombuffer(data, np.uint8)
