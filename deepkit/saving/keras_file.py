"""``.keras`` files: the configuration and the weights of a model in one archive."""

from __future__ import annotations

import datetime
import io
import json
import os
import zipfile
from typing import Any

from .. import registry
from ..utils.atomic import atomic_write
from . import hdf5, legacy_h5
from .archive import MAX_CONFIG, Archive
from .assets import collect_assets, restore_assets
from .weights import load_weights as _load
from .weights import save_weights as _save

#: The version of Keras whose format is written.
KERAS_VERSION = "3.15.1"
_HDF5 = (".h5", ".hdf5")


def _suffix(path: Any) -> str:
    name = os.fspath(path)
    return ".weights.h5" if name.endswith(".weights.h5") else os.path.splitext(name)[1]


def _check_target(path: Any, overwrite: bool) -> None:
    if os.path.isdir(path):
        raise IsADirectoryError(f"{os.fspath(path)!r} is a directory; a file can't be written in its place.")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{os.fspath(path)!r} exists; pass overwrite=True to replace it.")


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights of a model, and its optimizer's state, to ``*.weights.h5``, atomically.

    Raises:
        ValueError: for another ending, or a model without weights yet.
        FileExistsError: if the file exists and ``overwrite`` is false.
    """
    if _suffix(filepath) != ".weights.h5":
        raise ValueError(f"The name of a weights file ends in '.weights.h5'. Received: {os.fspath(filepath)!r}")
    if not model.built:
        raise ValueError(f"Model {model.name!r} has no weights yet: build it, or call it on data, before saving them.")
    _check_target(filepath, overwrite)
    buffer = _weights_bytes(model)
    with atomic_write(filepath, "wb") as file:
        file.write(buffer)


def _weights_bytes(model: Any) -> bytes:
    buffer = io.BytesIO()
    with hdf5.open_file(buffer, "w") as file:
        _save(model, file)
    return buffer.getvalue()


def load_weights(
    model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False, **kwargs: Any
) -> None:
    """Read weights from ``*.weights.h5``, a ``.keras`` file or a ``*.h5`` file of Keras 2 into a built model.

    Args:
        model: The model.
        filepath: The file.
        skip_mismatch: Pass over what doesn't fit, with a warning.
        by_name: Match layers by their names, in ``*.h5`` files of Keras 2's layout only.

    Raises:
        ValueError: if they don't fit; the model is then as it was.
    """
    if kwargs:
        raise TypeError(f"load_weights() got an unexpected keyword argument {next(iter(kwargs))!r}.")
    if not os.path.exists(filepath):
        raise FileNotFoundError(f"There is no file {os.fspath(filepath)!r}.")
    source: Any = os.fspath(filepath)
    if _suffix(filepath) == ".keras":
        with Archive(filepath) as archive:
            source = io.BytesIO(archive.read("model.weights.h5"))
    elif not source.endswith((".h5", ".hdf5")):
        raise ValueError(f"Weights are read from '.weights.h5' and '.keras' files. Received: {source!r}")
    with hdf5.open_file(source) as file:
        if legacy_h5.is_legacy(file):
            legacy_h5.load_weights(model, file, os.fspath(filepath), skip_mismatch, by_name)
        elif by_name:
            raise ValueError(f"{os.fspath(filepath)!r} names no layers: by_name is for *.h5 files of Keras 2's layout.")
        else:
            _load(model, file, skip_mismatch, os.fspath(filepath))


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Write a model to a ``.keras`` (or ``.h5``) file: architecture, weights, compilation, optimizer state.

    The file appears whole or not at all.

    Args:
        model: The model.
        filepath: Name ending in ``.keras``, or in ``.h5`` or ``.hdf5`` for the layout of Keras 2.
        overwrite: Replace an existing file.
        zipped: Accepted for compatibility.

    Raises:
        ValueError: for another ending.
        FileExistsError: if the file exists and ``overwrite`` is false.
    """
    if kwargs:
        raise TypeError(f"save_model() got an unexpected keyword argument {next(iter(kwargs))!r}.")
    if _suffix(filepath) not in (".keras", *_HDF5):
        raise ValueError(f"The name of a saved model ends in '.keras' or '.h5'. Received: {os.fspath(filepath)!r}")
    _check_target(filepath, overwrite)
    if _suffix(filepath) in _HDF5:
        data = legacy_h5.model_bytes(model, KERAS_VERSION)
        with atomic_write(filepath, "wb") as file:
            file.write(data)
        return
    config = json.dumps(registry.serialize_keras_object(model))
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    weights = _weights_bytes(model)
    assets = collect_assets(model)
    with atomic_write(filepath, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": KERAS_VERSION, "date_saved": now}))
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", weights)
            for name, data in assets.items():
                archive.writestr(name, data)


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model in a ``.keras`` file, or in a ``*.h5`` file of Keras 2 or 3.

    Only classes that deepkit has or the program registered are made; code in the file is never run.

    Args:
        filepath: The file.
        custom_objects: Further classes and functions by name.
        compile: Compile it as it was when it was saved.
        safe_mode: Refuse configurations that name further files, such as vocabularies; ``False`` reads those.

    Raises:
        ValueError: for a file that is malformed or names unknown classes.
    """
    if not os.path.exists(filepath):
        raise FileNotFoundError(f"There is no file {os.fspath(filepath)!r}.")
    if _suffix(filepath) in _HDF5:
        return legacy_h5.load_model(os.fspath(filepath), custom_objects, compile, safe_mode)
    with Archive(filepath) as archive:
        text = archive.read("config.json", MAX_CONFIG)
        weights = archive.read("model.weights.h5")
        try:
            config = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{filepath}: config.json is malformed: {error}") from error
        if not isinstance(config, dict):
            raise ValueError(f"{filepath}: config.json should hold a dictionary.")
        if not compile:
            config["compile_config"] = None
        model = registry.deserialize_keras_object(config, custom_objects, safe_mode)
        with hdf5.open_file(io.BytesIO(weights)) as file:
            _load(model, file, where=str(filepath))
        restore_assets(model, archive)
    return model
