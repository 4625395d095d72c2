"""Weights in several HDF5 files with an index, ``x.weights.json``, as Keras 3 lays them out.

The index maps the group of every object to the one or more files with its variables::

    {"metadata": {"total_size": 448.0}, "weight_map": {"/layers/dense/vars": ["x_00000.weights.h5"], ...}}

At every moment the index and the files that it names are of one save: a later save first writes its files under other
names, then an index that names those, and gives them their final names only after that.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import shutil
from typing import Any, Iterable, Iterator

from ..utils.atomic import atomic_write, written_as_one
from ..utils.config_text import MAX_TEXT, read_config
from . import hdf5
from .archive import MAX_MEMBERS
from .weights import Arrays, Source, join, states

_GB = 1024**3
#: So many files of an index stay open while it is read.
MAX_OPEN = 64


class _ShardWriter:
    """Fills files up to a size, one at a time in memory."""

    def __init__(self, folder: str, names: Iterator[str], limit: float):
        self.names: list[str] = []
        self.weight_map: dict[str, str | list[str]] = {}
        self.total = 0.0
        self._folder, self._next, self._limit = folder, names, limit
        self._open()

    def _open(self) -> None:
        self.names.append(next(self._next))
        self._size = 0.0
        self._buffer = io.BytesIO()
        self._stack = contextlib.ExitStack()
        self._file = self._stack.enter_context(hdf5.open_file(self._buffer, "w"))

    def close(self) -> None:
        """Put the current file on disk."""
        self._stack.close()
        with atomic_write(os.path.join(self._folder, self.names[-1])) as file:
            file.write(self._buffer.getbuffer())

    def put(self, path: str, name: str, arrays: Arrays) -> None:
        """Add the variables of one object, to the current file as long as it has room."""
        inner = join(path, "vars")
        group = self._file.require_group(inner)
        group.attrs["name"] = name
        for key, values in arrays.items():
            if values.nbytes > self._limit:
                raise ValueError(
                    f"{inner}/{key} has {values.nbytes} bytes, more than the {self._limit:.0f} of a file. Raise "
                    f"`max_shard_size` to {values.nbytes / _GB:.3g} (GB) at least."
                )
            if self._size + values.nbytes > self._limit:
                self.close()
                self._open()
                group = self._file.require_group(inner)
            self._size += values.nbytes
            self.total += values.nbytes
            hdf5.write_dataset(group, key, values)
            self._note("/" + inner, self.names[-1])

    def _note(self, group: str, name: str) -> None:
        # A string for one variable, a list for more: that is what Keras writes.
        known = self.weight_map.get(group)
        if known is None:
            self.weight_map[group] = name
            return
        names = self.weight_map[group] = [known] if isinstance(known, str) else known
        if name not in names:
            names.append(name)


def save_sharded(model: Any, index: str, max_shard_size: float, skip: Iterable[Any] = ()) -> None:
    """Write the weights of a model into files of at most ``max_shard_size`` GB (of 1024**3 bytes) and an index.

    Raises:
        ValueError: if a variable is larger than that.
        OSError: if writing fails; the files that were there are as they were then.
    """
    if not max_shard_size > 0:
        raise ValueError(f"`max_shard_size` must be a positive number of GB. Received: {max_shard_size!r}")
    folder = os.path.dirname(index)
    base = os.path.splitext(os.path.basename(index))[0].replace(".weights", "")
    before = _shard_names_in(index) if os.path.exists(index) else set()
    generation = int(any(".new0." in name for name in before))  # 1 after a save that was killed before the last step
    working = (f".{base}_{i:05}.new{generation}.weights.h5" for i in itertools.count())
    writer = None
    try:
        with written_as_one(index):
            writer = _ShardWriter(folder, working, float(max_shard_size) * _GB)
            for path, name, arrays in states(model, skip):
                writer.put(path, name, arrays)
            writer.close()
            if os.path.exists(index):
                _write_index(index, writer.weight_map, writer.total)
    except BaseException:
        _remove(folder, writer.names if writer else [])
        raise
    final = {name: f"{base}_{i:05}.weights.h5" for i, name in enumerate(writer.names)}
    for name, last in final.items():
        _give_name(os.path.join(folder, name), os.path.join(folder, last))
    rename = lambda names: final[names] if isinstance(names, str) else [final[n] for n in names]
    _write_index(index, {group: rename(names) for group, names in writer.weight_map.items()}, writer.total)
    # Of the files that were there, only those with names of ours go: an index may come from anywhere.
    own = re.compile(rf"{re.escape(base)}_\d{{5,}}\.weights\.h5").fullmatch
    left = re.compile(rf"\.{re.escape(base)}_\d{{5,}}\.new\d\.weights\.h5(\.part)?").fullmatch
    _remove(folder, {name for name in before if own(name)} - set(final.values()))
    _remove(folder, filter(left, os.listdir(folder or ".")))


def _write_index(index: str, weight_map: dict[str, Any], total: float) -> None:
    with atomic_write(index, "w") as file:
        json.dump({"metadata": {"total_size": total}, "weight_map": weight_map}, file, indent=4)


def _give_name(path: str, name: str) -> None:
    """A second name for a file, in place of what has it; a copy where the file system has no links."""
    part = f"{path}.part"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part)
    try:
        try:
            os.link(path, part)
            os.replace(part, name)
        except OSError:
            with open(path, "rb") as source, atomic_write(name) as target:
                shutil.copyfileobj(source, target)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(part)


def _remove(folder: str, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, name))


def _shard_names_in(index: str) -> set[str]:
    """The files of an index that is about to be replaced, none if it can't be read."""
    try:
        return {name for names in read_index(index).values() for name in names}
    except (OSError, ValueError):
        return set()


def read_index(index: str) -> dict[str, list[str]]:
    """The files with the variables of every group.

    Raises:
        ValueError: if the index is malformed, or names files elsewhere than beside it.
    """
    with open(index, "rb") as file:
        size = min(os.fstat(file.fileno()).st_size, MAX_TEXT)  # read() takes memory for all that it may return
        weight_map = read_config(file.read(size + 1), index).get("weight_map")
    if not isinstance(weight_map, dict):
        raise ValueError(f"{index} is no index of weights: it has no dictionary 'weight_map'.")
    files: dict[str, list[str]] = {}
    for group, names in weight_map.items():
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list) or not names or not all(map(_is_plain, names)):
            raise ValueError(f"{index}: {group!r} names {names!r:.100}; files beside the index are expected.")
        files[group] = names
    if len({name for names in files.values() for name in names}) > MAX_MEMBERS:
        raise ValueError(f"{index} names more than {MAX_MEMBERS} files, which is refused.")
    return files


def _is_plain(name: Any) -> bool:
    return isinstance(name, str) and name.endswith(".h5") and not any(c in name for c in '/\\:\0')


class ShardedSource(Source):
    """The files of an index. Up to :data:`MAX_OPEN` stay open and can't be replaced any more; of more, one is open.

    Args:
        index: The ``*.weights.json`` file.

    Raises:
        ValueError: if it is malformed.
    """

    def __init__(self, index: str):
        self._index = index
        self._stamp = self._stat()
        self._files = read_index(index)
        self._folder = os.path.dirname(index)
        self._stack = contextlib.ExitStack()
        self._opened: dict[str, Any] = {}
        self._stay = len({name for names in self._files.values() for name in names}) <= MAX_OPEN

    def __enter__(self) -> ShardedSource:
        return self

    def __exit__(self, *exc: Any) -> None:
        self._stack.close()

    def _stat(self) -> tuple[int, int]:
        found = os.stat(self._index)
        return found.st_ino, found.st_mtime_ns

    def get(self, path: str) -> Arrays | None:
        """The variables of one object.

        Raises:
            ValueError: if a file or the group in it is missing, or two files have a variable of one name.
        """
        inner = join(path, "vars")
        names = self._files.get("/" + inner)
        if names is None:
            return None
        places: dict[str, str] = {}
        group_of = lambda key: hdf5.find_group(self._open(places[key]), inner)
        for name in dict.fromkeys(names):
            group = hdf5.find_group(self._open(name), inner)
            if group is None:
                raise ValueError(f"{name} has no {inner}, which {self._index} says it has.")
            for key in hdf5.names(group):
                if places.setdefault(key, name) != name:
                    raise ValueError(f"{self._index}: {inner}/{key} is in two of the files {', '.join(names)}.")
        sound_shape = lambda key: hdf5.sound_shape(group_of(key), key) if self._stay else None
        return Arrays(lambda key: hdf5.read_dataset(group_of(key), key), places, sound_shape)

    def _open(self, name: str) -> Any:
        if name not in self._opened:
            if not self._stay:
                self._stack.close()
                self._opened.clear()
            full = os.path.join(self._folder, name)
            if not os.path.isfile(full):
                raise ValueError(f"{self._index} names {name}, which is missing beside it.")
            self._opened[name] = self._stack.enter_context(hdf5.open_file(full))
        return self._opened[name]

    def check(self) -> None:
        """Whether all was of one save.

        Raises:
            ValueError: if the index was replaced since it was read: a save moves its files only after that.
        """
        if self._stat() != self._stamp:
            raise ValueError(f"{self._index} was rewritten while it was read. Load it again.")
