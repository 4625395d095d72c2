"""The one gate to HDF5 files: every group and dataset that is read is opened here.

HDF5 can point elsewhere (external and soft links, external storage, virtual datasets) and can declare sizes that it
doesn't store. A weights file needs none of that, so all of it is refused before anything is read.
"""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from typing import Any, Iterator

import numpy as np

from ..utils.allowance import charge
from .global_heaps import check_global_heaps

#: A dataset may be larger than this only if it stores at least a hundredth of what it declares.
ROOM = 16 << 20
MAX_RATIO = 100
#: More entries in one group, or values in one attribute, are refused.
MAX_ENTRIES = 1_000_000


#: Open files by the library's name for them, and those whose heaps have been looked at.
_sources: dict[Any, Any] = {}
_checked: set[Any] = set()


@contextmanager
def open_file(path: Any, mode: str = "r") -> Iterator[Any]:
    """An HDF5 file, or one inside a bytes buffer.

    Raises:
        ValueError: if it isn't an HDF5 file.
    """
    import h5py

    try:
        file = h5py.File(path, mode)
    except OSError as error:
        if mode == "r" and not isinstance(error, FileNotFoundError):
            raise ValueError(f"{_name(path)} is no readable HDF5 file: {error}") from error
        raise
    with file:
        name = file.filename
        _sources[name] = path
        _checked.discard(name)
        try:
            yield file
        finally:
            _sources.pop(name, None)
            _checked.discard(name)


def _name(path: Any) -> str:
    if isinstance(path, bytes):  # h5py calls a buffer by its repr
        path = path.decode("utf-8", "replace")
    return os.fspath(path) if isinstance(path, (str, os.PathLike)) and "object at 0x" not in str(path) else "The file"


@contextmanager
def _reading(group: Any, name: str) -> Iterator[str]:
    """What the library finds damaged, and how it says so varies, becomes a ValueError."""
    where = f"{_name(group.file.filename)}: {(group.name or '').rstrip('/')}/{name}"
    try:
        yield where
    except (OSError, RuntimeError, LookupError, TypeError, MemoryError, UnicodeError, OverflowError) as error:
        raise ValueError(f"{where} can't be read: {error}") from error


def _entry(group: Any, name: str) -> Any:
    import h5py

    with _reading(group, name) as where:
        if "/" in name or name in ("", "."):  # a path, which would be followed through links
            raise ValueError(f"{where} has no name that anything in a group can have.")
        link = group.get(name, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{where} is a {type(link).__name__}, which is refused.")
        return group[name]


def names(group: Any) -> list[str]:
    """The names of what a group holds.

    Raises:
        ValueError: if it can't be read, or holds too much.
    """
    with _reading(group, "") as where:
        if len(group) > MAX_ENTRIES:
            raise ValueError(f"{where} has {len(group)} entries, more than the {MAX_ENTRIES} that are read.")
        return list(group)


def attribute(group: Any, name: str) -> Any:
    """The value of an attribute, ``None`` if there is none.

    Raises:
        ValueError: if it can't be read, or declares more than any attribute has.
    """
    import h5py

    with _reading(group, f"@{name}") as where:
        if name not in group.attrs:
            return None
        found = group.attrs.get_id(name)
        kind = found.get_type().get_class()
        if kind not in (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT) or found.shape is None:
            # With damaged rows of varying length the library takes the whole process down.
            raise ValueError(f"{where} holds no text and no number.")
        if math.prod(found.shape) > MAX_ENTRIES:
            raise ValueError(f"{where} has shape {found.shape}, more than is read.")
        if found.dtype.hasobject:  # the values are in a heap of the file
            key = group.file.filename
            try:
                if key not in _checked:
                    check_global_heaps(_sources.get(key, key))
            except ValueError as error:
                raise ValueError(f"{where}: {error}.") from error
            _checked.add(key)
        return group.attrs[name]


def holds(group: Any, name: str) -> bool:
    """Whether a group holds something of one name.

    Raises:
        ValueError: if it is a link, or can't be read.
    """
    return _entry(group, name) is not None


def child_group(group: Any, name: str) -> Any:
    """A subgroup by one name, ``None`` if there is none.

    Raises:
        ValueError: if it is a link or a dataset.
    """
    import h5py

    found = _entry(group, name)
    if found is not None and not isinstance(found, h5py.Group):
        raise ValueError(f"{group.file.filename}: {group.name}/{name} should be a group.")
    return found


def is_dataset(group: Any, name: str) -> bool:
    """Whether something of a group is a dataset.

    Raises:
        ValueError: if it is a link.
    """
    import h5py

    return isinstance(_entry(group, name), h5py.Dataset)


def identity(group: Any) -> Any:
    """What tells groups of a file apart: groups may be reached on several ways, and lie in themselves."""
    import h5py

    with _reading(group, ""):
        info = h5py.h5g.get_objinfo(group.id, b".")  # h5o.get_info goes through trees that may have no end
    return info.fileno, info.objno


def find_group(file: Any, path: str) -> Any:
    """A group by its path from the root, ``None`` if there is none."""
    group = file
    for name in filter(None, path.split("/")):
        group = child_group(group, name)
        if group is None:
            return None
    return group


def _dataset(group: Any, name: str) -> Any:
    import h5py

    dataset = _entry(group, name)
    with _reading(group, name) as where:
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError(f"{where} is missing or is no dataset.")
        if dataset.is_virtual or dataset.external:
            raise ValueError(f"{where} keeps its values in another file, which is refused.")
        bfloat16 = dataset.dtype.kind == "V" and dataset.dtype.names is None and dataset.dtype.itemsize == 2
        if not (dataset.dtype.kind in "biufc" or bfloat16) or dataset.shape is None:
            raise ValueError(f"{where} has dtype {dataset.dtype}, which is no number, or no values.")
        declared, stored = math.prod(dataset.shape) * dataset.dtype.itemsize, dataset.id.get_storage_size()
        # Compression makes files smaller, but not by orders of magnitude for weights.
        if declared > ROOM + MAX_RATIO * stored:
            raise ValueError(f"{where} declares {declared} bytes and stores {stored}, which is refused.")
        return dataset


def shape_of(group: Any, name: str) -> tuple[int, ...]:
    """The shape of a dataset, of which no value is read.

    Raises:
        ValueError: as :func:`read_dataset` does.
    """
    return tuple(_dataset(group, name).shape)


def sound_shape(group: Any, name: str) -> tuple[int, ...] | None:
    """The shape of a dataset that lies in the file in one piece, so that reading it can't fail, else ``None``.

    Raises:
        ValueError: as :func:`read_dataset` does.
    """
    import h5py

    dataset = _dataset(group, name)
    with _reading(group, name):
        if str(attribute(dataset, "dtype")) == "bfloat16" and dataset.dtype.itemsize != 2:
            return None
        nbytes, layout = dataset.size * dataset.dtype.itemsize, dataset.id.get_create_plist().get_layout()
        if layout == h5py.h5d.CONTIGUOUS:
            offset = dataset.id.get_offset()
            whole = offset is not None and offset + nbytes <= group.file.id.get_filesize()
            return tuple(dataset.shape) if whole or not nbytes else None
        return tuple(dataset.shape) if layout == h5py.h5d.COMPACT else None


def read_dataset(group: Any, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """The values of a dataset, which must have ``shape`` if that is given.

    Raises:
        ValueError: if it is missing, points outside the file, has another shape, or stores less than it declares.
    """
    dataset = _dataset(group, name)
    with _reading(group, name) as where:
        if shape is not None and tuple(dataset.shape) != tuple(shape):
            raise ValueError(f"{where} has shape {tuple(dataset.shape)}; {tuple(shape)} was expected.")
        charge(math.prod(dataset.shape) * dataset.dtype.itemsize, f"{group.name}/{name}")
        values = np.asarray(dataset[()])
        # Keras marks bfloat16 in its own layout, but not in that of Keras 2.
        if values.dtype == "V2" or str(attribute(dataset, "dtype")) == "bfloat16":
            from ..autograd.dtypes import np_dtype

            values = values.view(np_dtype("bfloat16"))
        return values


def write_dataset(group: Any, name: str, values: np.ndarray) -> None:
    """Add a dataset. HDF5 has no bfloat16: its bytes are kept, as Keras keeps them, with an attribute that tells."""
    if values.dtype.name == "bfloat16":
        group.create_dataset(name, data=values.view("V2")).attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(name, data=values)
