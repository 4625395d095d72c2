"""The one gate to HDF5 files: every group and dataset that is read is opened here.

HDF5 can point elsewhere (external and soft links, external storage, virtual datasets) and can declare sizes that it
doesn't store. A weights file needs none of that, so all of it is refused before anything is read.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator

import numpy as np


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
        yield file


def _name(path: Any) -> str:
    return str(path) if isinstance(path, str) or hasattr(path, "__fspath__") else "The file"


def _entry(group: Any, name: str) -> Any:
    import h5py

    link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise ValueError(f"{group.file.filename}: {group.name}/{name} is a {type(link).__name__}, which is refused.")
    return group[name]


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


def find_group(file: Any, path: str) -> Any:
    """A group by its path from the root, ``None`` if there is none."""
    group = file
    for name in filter(None, path.split("/")):
        group = child_group(group, name)
        if group is None:
            return None
    return group


def read_dataset(group: Any, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """The values of a dataset, which must have ``shape`` if that is given.

    Raises:
        ValueError: if it is missing, points outside the file, has another shape, or stores less than it declares.
    """
    import h5py

    dataset = _entry(group, name)
    where = f"{group.file.filename}: {group.name}/{name}"
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{where} is missing or is no dataset.")
    if dataset.is_virtual or dataset.external:
        raise ValueError(f"{where} keeps its values in another file, which is refused.")
    if dataset.dtype.hasobject or dataset.dtype.kind not in "biufcV":
        raise ValueError(f"{where} has dtype {dataset.dtype}, which is no number.")
    if shape is not None and tuple(dataset.shape) != tuple(shape):
        raise ValueError(f"{where} has shape {tuple(dataset.shape)}; {tuple(shape)} was expected.")
    declared = int(np.prod(dataset.shape, dtype=object)) * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    # Compression makes files smaller, but not by orders of magnitude for weights.
    if declared > (1 << 20) and stored * 1000 < declared:
        raise ValueError(f"{where} declares {declared} bytes and stores {stored}, which is refused.")
    values = dataset[()]
    if str(dataset.attrs.get("dtype", "")) == "bfloat16":
        from ..autograd.dtypes import np_dtype

        values = np.asarray(values).view(np_dtype("bfloat16"))
    return np.asarray(values)


def write_dataset(group: Any, name: str, values: np.ndarray) -> None:
    """Add a dataset. HDF5 has no bfloat16: its bytes are kept, as Keras keeps them, with an attribute that tells."""
    if values.dtype.name == "bfloat16":
        group.create_dataset(name, data=values.view("V2")).attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(name, data=values)
