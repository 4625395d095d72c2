"""``save_weights`` and ``load_weights``: which file is read and written how."""

from __future__ import annotations

import io
import os
import warnings
from typing import Any, Iterable

from ..utils.atomic import atomic_write
from . import hdf5, legacy_h5
from .archive import Archive
from .safetensors import TensorFile, write_tensors
from .sharded import ShardedSource, save_sharded
from .targets import may_write, target_name
from .weights import Arrays, H5Source, Source, join, states
from .weights import load_weights as _load
from .weights import save_weights as _save


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Write the weights of a model and its optimizer's state.

    The ending of the name tells the format: ``.weights.h5`` (Keras's own), ``.safetensors``, or, with
    ``max_shard_size``, ``.weights.json``: an index beside files ``<name>_00000.weights.h5``, ``<name>_00001...`` and so
    on. The arrays of a ``.safetensors`` file have the names of the datasets in a ``.weights.h5`` file:
    ``layers/dense/vars/0`` is the first variable of the first dense layer, ``optimizer/vars/0`` the first of the
    optimizer.

    Files appear whole or not at all, and the files of a sharded save only together.

    Args:
        model: A built model.
        filepath: The file.
        overwrite: Replace an existing file without asking.
        max_shard_size: Size of a file in GB (of 1024**3 bytes), for ``.weights.json``.
        **kwargs: ``objects_to_skip``, layers (and what they hold) that are left out.

    Raises:
        ValueError: for another ending, a model without weights yet, or a variable larger than ``max_shard_size``.
        FileExistsError: if the file exists, ``overwrite`` is false and there is no terminal to ask at.
        OSError: if the file can't be written; what was there before is untouched.

    Example:
        >>> import deepkit, os, tempfile
        >>> model = deepkit.Sequential([deepkit.Input((3,)), deepkit.layers.Dense(2)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     model.save_weights(path)
        ...     model.load_weights(path)
    """
    skip = _skipped(kwargs, "save_weights")
    name = target_name(filepath, "save_weights")
    if max_shard_size is not None:
        name = _index_name(name)
    elif not name.endswith((".weights.h5", ".safetensors")):
        raise ValueError(
            "The name of a weights file ends in '.weights.h5' or '.safetensors', or with `max_shard_size` in "
            "'.weights.json'. "
            f"Received: {name!r}"
        )
    if not model.built:
        raise ValueError(f"Model {model.name!r} has no weights yet: build it, or call it on data, before saving them.")
    if not may_write(name, overwrite):
        return
    if max_shard_size is not None:
        save_sharded(model, name, max_shard_size, skip)
    elif name.endswith(".safetensors"):
        _save_tensors(model, name, skip)
    else:
        data = weights_buffer(model, skip)
        with atomic_write(name, "wb") as file:
            file.write(data)


def _index_name(name: str) -> str:
    if not name.endswith(("weights.h5", "weights.json")):
        raise ValueError(f"With `max_shard_size` the name of the file ends in '.weights.json'. Received: {name!r}")
    if name.endswith(".h5"):
        index = name[: -len(".h5")] + ".json"
        warnings.warn(f"With `max_shard_size` the file is named {index!r} instead of {name!r}.", stacklevel=4)
        return index
    return name


def _skipped(kwargs: dict[str, Any], what: str) -> list[Any]:
    skip = kwargs.pop("objects_to_skip", None)
    if kwargs:
        raise ValueError(f"{what}() got an unexpected keyword argument {next(iter(kwargs))!r}.")
    return list(skip or ())


def weights_buffer(model: Any, skip: Iterable[Any] = ()) -> memoryview:
    """The contents of a ``.weights.h5`` file."""
    buffer = io.BytesIO()
    with hdf5.open_file(buffer, "w") as file:
        _save(model, file, skip)
    return buffer.getbuffer()


def _save_tensors(model: Any, name: str, skip: list[Any]) -> None:
    """Twice through the model: the header comes first and has everything's shape, and nothing is kept in memory."""
    arrays = lambda: (
        (join(path, "vars", key), values)
        for path, _, store in states(model, skip)
        for key, values in store.items()
    )
    specs = {key: (values.dtype.name, values.shape) for key, values in arrays()}
    with atomic_write(name, "wb") as file:
        write_tensors(file, specs, arrays(), {"format": "np"})


class _TensorSource(Source):
    """A ``.safetensors`` file."""

    def __init__(self, file: TensorFile):
        self._file = file
        self._names: dict[str, list[str]] = {}
        for name in file.names():
            path, _, key = name.rpartition("/")
            self._names.setdefault(path, []).append(key)

    def get(self, path: str) -> Arrays | None:
        inner = join(path, "vars")
        keys = self._names.get(inner)
        if keys is None:
            return None
        return Arrays(
            lambda key: self._file.read(f"{inner}/{key}"), keys, lambda key: self._file.spec(f"{inner}/{key}")[1]
        )


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read weights into a built model.

    Read are ``*.weights.h5``, ``*.weights.json`` with the files it names, ``*.safetensors``, the weights in a
    ``*.keras`` file, and ``*.h5`` and ``*.hdf5`` files of Keras 2.

    Args:
        model: The model.
        filepath: The file.
        skip_mismatch: Pass over what doesn't fit, with a warning.
        **kwargs: ``objects_to_skip``, layers (and what they hold) that keep their weights, for files of Keras 3's
            layout; ``by_name``, to match layers by their names, for ``*.h5`` files of Keras 2's layout.

    Raises:
        ValueError: for a malformed file, and weights that don't fit; the model is then as it was.
        FileNotFoundError: if there is no such file.
    """
    by_name = kwargs.pop("by_name", None)
    skip = _skipped(kwargs, "load_weights")
    name = target_name(filepath, "load_weights")
    if not os.path.exists(name):
        raise FileNotFoundError(f"There is no file {name!r}.")
    if not model.built:
        raise ValueError(f"Model {model.name!r} has no weights yet: build it, or call it on data, before loading them.")
    modern = name.endswith((".keras", ".safetensors", "weights.json"))
    if by_name and modern:
        raise ValueError(f"{name!r} names no layers: by_name is for *.h5 files of Keras 2's layout.")
    if name.endswith("weights.json"):
        with ShardedSource(name) as source:
            _load(model, source, skip_mismatch, name, skip)
    elif name.endswith(".safetensors"):
        with TensorFile(name) as tensors:
            _load(model, _TensorSource(tensors), skip_mismatch, name, skip)
    elif name.endswith((".keras", ".h5", ".hdf5")):
        _load_hdf5(model, name, skip_mismatch, skip, bool(by_name))
    else:
        raise ValueError(
            "Weights are read from '.weights.h5', '.weights.json', '.safetensors', '.keras' and '.h5' files. "
            f"Received: {name!r}"
        )


def _load_hdf5(model: Any, name: str, skip_mismatch: bool, skip: list[Any], by_name: bool) -> None:
    opened: Any = name
    if name.endswith(".keras"):
        with Archive(name) as archive:
            opened = io.BytesIO(archive.read("model.weights.h5"))
    with hdf5.open_file(opened) as file:
        if not name.endswith(".keras") and legacy_h5.is_legacy(file):
            if skip:
                raise ValueError(f"{name!r} has the layout of Keras 2, for which there is no objects_to_skip.")
            legacy_h5.load_weights(model, file, name, skip_mismatch, by_name)
        elif by_name:
            raise ValueError(f"{name!r} names no layers: by_name is for *.h5 files of Keras 2's layout.")
        else:
            _load(model, H5Source(file), skip_mismatch, name, skip)
