"""``.keras`` files: the configuration and the weights of a model in one archive."""

from __future__ import annotations

import datetime
import io
import json
import os
import warnings
import zipfile
from typing import Any

from .. import registry
from ..utils.atomic import atomic_write
from ..utils.config_text import MAX_TEXT, read_config
from . import hdf5, legacy_h5
from .archive import Archive
from .assets import collect_assets, restore_assets
from .folder import Folder, write_folder
from .model_config import make_model
from .targets import may_write, target_name
from .weight_files import weights_buffer
from .weights import H5Source
from .weights import load_weights as _load

#: The version of Keras whose format is written.
KERAS_VERSION = "3.15.1"
_HDF5 = (".h5", ".hdf5")


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Write a model: architecture, weights, compilation, optimizer state.

    A file appears whole or not at all, and so does a folder that wasn't there. In a folder that was, the files are
    replaced one after the other.

    Args:
        model: The model.
        filepath: Name ending in ``.keras``, or in ``.h5`` or ``.hdf5`` for the layout of Keras 2; a folder with
            ``zipped=False``.
        overwrite: Replace what exists without asking.
        zipped: ``False`` writes the contents of a ``.keras`` file as files in a folder.
        **kwargs: ``include_optimizer=False`` leaves what the model was compiled with out of an ``.h5`` file.

    Raises:
        TypeError: if ``filepath`` is no name, but an open file for instance.
        ValueError: for another ending.
        FileExistsError: if the file exists, ``overwrite`` is false and there is no terminal to ask at.
        OSError: if the file can't be written; what was there before is untouched.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    name = target_name(filepath, "save_model")
    if kwargs.pop("save_format", None):
        warnings.warn("save_model: the ending of the name tells the format, `save_format` is ignored.", stacklevel=3)
    if kwargs:
        raise ValueError(f"save_model() got an unexpected keyword argument {next(iter(kwargs))!r}.")
    folder = zipped is not None and not zipped
    if folder and name.endswith(".keras"):
        raise ValueError(f"With zipped=False a folder is written: its name can't end in '.keras'. Received: {name!r}")
    if not folder and not name.endswith((".keras", *_HDF5)):
        raise ValueError(f"The name of a saved model ends in '.keras' or '.h5'. Received: {name!r}")
    if not model.built:
        warnings.warn(
            f"Model {model.name!r} has no weights yet: build it, or call it on data, to save them, too.", stacklevel=3
        )
    if not may_write(name, overwrite, folder):
        return
    if not folder and name.endswith(_HDF5):
        data = legacy_h5.model_bytes(model, KERAS_VERSION, include_optimizer)
        with atomic_write(name, "wb") as file:
            file.write(data)
        return
    members = _members(model)
    if folder:
        write_folder(name, members)
        return
    with atomic_write(name, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)


def _members(model: Any) -> dict[str, Any]:
    config = json.dumps(registry.serialize_keras_object(model)).encode()
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = json.dumps({"keras_version": KERAS_VERSION, "date_saved": now}).encode()
    members = {"metadata.json": metadata, "config.json": config, "model.weights.h5": weights_buffer(model)}
    return {**members, **collect_assets(model)}


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model in a ``.keras`` file, in a folder with the contents of one, or in a ``*.h5`` file of Keras 2 or 3.

    Only classes that deepkit has or the program registered are made; code in the file is never run.

    Args:
        filepath: The file or folder.
        custom_objects: Further classes and functions by name.
        compile: Compile it as it was when it was saved.
        safe_mode: Refuse configurations that name further files, such as vocabularies; ``False`` reads those.

    Raises:
        TypeError: if ``filepath`` is no name, but an open file for instance.
        ValueError: for a file that is malformed or names unknown classes.
    """
    filepath = target_name(filepath, "load_model")
    if not os.path.exists(filepath):
        raise FileNotFoundError(f"There is no file {filepath!r}.")
    is_folder = os.path.isdir(filepath)
    if filepath.endswith(_HDF5) and not is_folder:
        return legacy_h5.load_model(filepath, custom_objects, compile, safe_mode)
    with Folder(filepath) if is_folder else Archive(filepath) as archive:
        text = archive.read("config.json", MAX_TEXT)
        weights = archive.read("model.weights.h5")
        config = read_config(text, f"{filepath}: config.json")
        if not compile:
            config["compile_config"] = None
        model = make_model(config, custom_objects, safe_mode, filepath, archive.stored)
        with hdf5.open_file(io.BytesIO(weights)) as file:
            _load(model, H5Source(file), where=filepath, new=True)
        restore_assets(model, archive)
    return model
