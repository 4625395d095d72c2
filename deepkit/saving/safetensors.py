"""``.safetensors``: named arrays behind a JSON header, with no code and no pointers in it.

A file is the header's length (8 bytes, little-endian), the header, and the arrays' bytes one after another::

    {"layers/dense/vars/0": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}, "__metadata__": {...}}

The format is that of Hugging Face's package of the same name, which reads what is written here, and the other way
round. Only the header is read at once; arrays are read one by one.
"""

from __future__ import annotations

import json
import math
import os
from reprlib import repr
from typing import IO, TYPE_CHECKING, Any, Iterable

import numpy as np

if TYPE_CHECKING:
    from typing import TypeGuard

#: A longer header is refused, as the format demands.
MAX_HEADER = 100_000_000
#: More tensors in one file are refused.
MAX_TENSORS = 1_000_000
_METADATA = "__metadata__"
_BY_NAME = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16", "F16": "float16",
    "BF16": "bfloat16", "I32": "int32", "U32": "uint32", "F32": "float32", "C64": "complex64", "F64": "float64",
    "I64": "int64", "U64": "uint64",
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _BY_NAME.items()}
_SIZE = {name: 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize for name, dtype in _BY_NAME.items()}
#: Wide dtypes go first, so that every array lies at a multiple of its item's size; the order is the one of the format's
#: own package, so that equal arrays make equal files.
_RANK = {dtype: i for i, dtype in enumerate(_NAMES)}


def write_tensors(
    file: IO[bytes],
    specs: dict[str, tuple[str, tuple[int, ...]]],
    tensors: Iterable[tuple[str, np.ndarray]],
    metadata: dict[str, str] | None = None,
) -> None:
    """Write arrays, one at a time.

    Args:
        file: A seekable file that is open for writing.
        specs: Dtype and shape of every array by its name.
        tensors: The arrays with their names, in any order.
        metadata: Strings by name.

    Raises:
        ValueError: for a dtype that the format has no name for, and arrays that aren't as declared.
    """
    for name, (dtype, _) in specs.items():
        if dtype not in _RANK:
            raise ValueError(f"{name} has dtype {dtype}, which .safetensors files can't hold.")
        if name == _METADATA:
            raise ValueError(f"No array of a .safetensors file can be named {name!r}.")
    header: dict[str, Any] = {_METADATA: metadata} if metadata else {}
    offsets, end = {}, 0
    for name in sorted(specs, key=lambda n: (-_RANK[specs[n][0]], n)):
        dtype, shape = specs[name]
        offsets[name], end = end, end + math.prod(shape) * _SIZE[_NAMES[dtype]]
        header[name] = {"dtype": _NAMES[dtype], "shape": list(shape), "data_offsets": [offsets[name], end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise ValueError(f"The header would have {len(text)} bytes; .safetensors files have {MAX_HEADER} at most.")
    file.write(len(text).to_bytes(8, "little") + text)
    start = file.tell()
    missing = dict(specs)
    for name, values in tensors:
        if missing.pop(name, None) != (values.dtype.name, values.shape):
            raise ValueError(f"{name} isn't the {values.dtype.name} array of shape {values.shape} that was declared.")
        file.seek(start + offsets[name])
        little = values.astype(values.dtype.newbyteorder("<"), copy=False) if values.dtype.kind in "iufc" else values
        file.write(np.ascontiguousarray(little).reshape(-1).view(np.uint8).data)
    if missing:
        raise ValueError(f"{next(iter(missing))} was declared, but not given.")
    file.seek(0, os.SEEK_END)


class TensorFile:
    """A ``.safetensors`` file that is open for reading.

    Args:
        path: The file.

    Raises:
        ValueError: if anything in the header isn't as the format demands; no array has been read then.
        OSError: if the file can't be read.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.name = os.fspath(path)
        self._file = open(path, "rb")
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            self._start, header = self._read_header()
            #: Strings by name, as the file has them.
            self.metadata = self._read_metadata(header.pop(_METADATA, {}))
            self._tensors = {name: self._read_entry(name, entry) for name, entry in header.items()}
            self._check_offsets()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> TensorFile:
        return self

    def __exit__(self, *exc: Any) -> None:
        self._file.close()

    def names(self) -> list[str]:
        """The names of all arrays."""
        return list(self._tensors)

    def spec(self, name: str) -> tuple[str, tuple[int, ...]]:
        """Dtype and shape of an array."""
        dtype, shape, _, _ = self._tensors[name]
        return _BY_NAME[dtype], shape

    def read(self, name: str) -> np.ndarray:
        """An array's values.

        Raises:
            KeyError: for an unknown name.
            ValueError: if the file has become shorter.
        """
        dtype, shape, begin, end = self._tensors[name]
        data = np.empty(end - begin, np.uint8)
        self._file.seek(self._start + begin)
        if self._file.readinto(data.data) != end - begin:  # type: ignore[attr-defined]
            raise self._wrong(f"the file ends within {name!r}")
        if dtype == "BOOL":
            return (data != 0).reshape(shape)
        if dtype == "BF16":
            from ..autograd.dtypes import np_dtype

            return data.view("<u2").astype(np.uint16, copy=False).view(np_dtype("bfloat16")).reshape(shape)
        wanted = np.dtype(_BY_NAME[dtype])
        return data.view(wanted.newbyteorder("<")).astype(wanted, copy=False).reshape(shape)

    def _wrong(self, reason: str) -> ValueError:
        return ValueError(f"{self.name} is no readable .safetensors file: {reason}.")

    def _read_header(self) -> tuple[int, dict[str, Any]]:
        length = int.from_bytes(self._file.read(8), "little")
        if self._size < 8:
            raise self._wrong(f"it has {self._size} bytes, fewer than the 8 of the header's length")
        if length > MAX_HEADER:
            raise self._wrong(f"its header has {length} bytes, more than the {MAX_HEADER} that are allowed")
        if length > self._size - 8:
            raise self._wrong(f"its header has {length} bytes, of which {self._size - 8} are there")
        data = self._file.read(length)
        if not data.startswith(b"{"):
            raise self._wrong("its header doesn't begin with '{'")
        if data.count(b"{") > MAX_TENSORS + 2:
            raise self._wrong(f"it has more than {MAX_TENSORS} tensors")
        try:
            header = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise self._wrong(f"its header is malformed: {error}") from error
        return 8 + length, header

    def _read_metadata(self, found: Any) -> dict[str, str]:
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise self._wrong(f"{_METADATA} holds something else than strings")
        return found

    def _read_entry(self, name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
        if not isinstance(entry, dict):
            raise self._wrong(f"the entry of {name!r} is no dictionary")
        dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
        if not isinstance(dtype, str) or dtype not in _SIZE:
            raise self._wrong(f"{name!r} has dtype {repr(dtype)}; {', '.join(_SIZE)} are known")
        if not _are_counts(shape) or len(shape) > 64:
            raise self._wrong(f"{name!r} has shape {repr(shape)}")
        if not _are_counts(offsets) or len(offsets) != 2:
            raise self._wrong(f"{name!r} has data_offsets {repr(offsets)}")
        if math.prod(filter(None, shape)) * _SIZE[dtype] >= 1 << 63:
            raise self._wrong(f"{name!r} has shape {shape}, which is too large for any array")
        nbytes = math.prod(shape) * _SIZE[dtype]
        if offsets[1] - offsets[0] != nbytes:
            raise self._wrong(f"{name!r} needs {nbytes} bytes and has data_offsets {offsets}")
        return dtype, tuple(shape), offsets[0], offsets[1]

    def _check_offsets(self) -> None:
        end = 0
        for name, (_, _, begin, stop) in sorted(self._tensors.items(), key=lambda item: item[1][2:]):
            if begin != end:
                kind = "overlaps what is before it" if begin < end else "leaves a hole before it"
                raise self._wrong(f"{name!r} {kind}: it begins at {begin}, what is before it ends at {end}")
            end = stop
        if end != self._size - self._start:
            room = self._size - self._start
            raise self._wrong(f"its tensors have {end} bytes together, the file has {room} for them")


def _are_counts(found: Any) -> TypeGuard[list[int]]:
    return isinstance(found, list) and all(type(n) is int and 0 <= n < 1 << 63 for n in found)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"{repr(twice)} is in it twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
