"""``KerasFileEditor``: looks into weights files and changes them, without the model."""

from __future__ import annotations

import io
import os
from typing import Any, Iterator

import numpy as np

from ..random import SeedGenerator
from ..registry import export
from ..utils.allowance import allowance
from ..utils.atomic import atomic_write
from ..utils.config_text import MAX_TEXT, read_config
from . import hdf5
from .archive import Archive
from .targets import target_name
from .weights import join, own_state, walk

_MAX_DEPTH = 100


@export("keras.saving.KerasFileEditor")
class KerasFileEditor:
    """Looks into a weights file, changes it, and saves it anew, after changes to an architecture for instance.

    An object (a layer, the optimizer) is a dictionary of its weights, named ``"0"``, ``"1"`` and so on, and of the
    objects inside of it. It is named by its path, ``"layers/dense_1"``, or by the last part of that where no other
    object has the same.

    Args:
        filepath: A ``.keras`` or ``.weights.h5`` file.

    Attributes:
        weights_dict: The objects, nested.
        object_metadata: What the file has of each object beside weights: its name.
        metadata: The version of Keras and the date, for ``.keras`` files.
        config: The model's configuration, for ``.keras`` files.

    Raises:
        ValueError: for a file of another ending, or a malformed one.

    Example:
        >>> import deepkit, os, tempfile
        >>> here = os.getcwd()
        >>> model = deepkit.Sequential([deepkit.Input((3,)), deepkit.layers.Dense(2, name="first")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     os.chdir(folder)
        ...     model.save_weights("old.weights.h5")
        ...     editor = KerasFileEditor("old.weights.h5")
        ...     editor.summary()
        ...     editor.add_object("layers/dense_1", {"0": np.zeros((2, 1)), "1": np.zeros(1)})
        ...     editor.save("new.weights.h5")
        ...     os.chdir(here)
        Keras model file 'old.weights.h5'
        Weights structure
          layers
            dense ('first')
              0: shape=(3, 2), dtype=float32
              1: shape=(2,), dtype=float32
    """

    def __init__(self, filepath: Any):
        self.filepath = target_name(filepath, "KerasFileEditor")
        self.metadata: dict[str, Any] | None = None
        self.config: dict[str, Any] | None = None
        self.weights_dict: dict[str, Any] = {}
        self.object_metadata: dict[str, dict[str, Any]] = {}
        source: Any = self.filepath
        if self.filepath.endswith(".keras"):
            with Archive(self.filepath) as archive:
                source = io.BytesIO(archive.read("model.weights.h5"))
                self.config, self.metadata = (
                    read_config(archive.read(name, MAX_TEXT), f"{archive.name}: {name}")
                    for name in ("config.json", "metadata.json")
                )
        elif not self.filepath.endswith(".weights.h5"):
            raise ValueError(f"A '.keras' or '.weights.h5' file can be edited. Received: {self.filepath!r}")
        with hdf5.open_file(source) as file, allowance(os.path.getsize(self.filepath), self.filepath):
            self._extract(file, "", self.weights_dict, set(), 0)
        print(f"Keras model file '{self.filepath}'")
        if self.metadata is not None:
            version, date = (self.metadata.get(key) for key in ("keras_version", "date_saved"))
            print(f"Saved with Keras {version} - date: {date}")

    def _extract(self, group: Any, path: str, target: dict[str, Any], seen: set[Any], depth: int) -> None:
        """Objects of a group. Groups may be linked in circles: each is taken once."""
        if hdf5.identity(group) in seen or depth > _MAX_DEPTH:
            raise ValueError(f"{self.filepath}: {path} is linked twice or nested too deeply, which is refused.")
        seen.add(hdf5.identity(group))
        for name in hdf5.names(group):
            if hdf5.is_dataset(group, name):
                continue
            inner = hdf5.child_group(group, name)
            if inner is None:
                raise ValueError(f"{self.filepath}: {join(path, name)} is listed, but isn't there.")
            if name == "vars":
                target.update((key, hdf5.read_dataset(inner, key)) for key in hdf5.names(inner))
                name = hdf5.attribute(inner, "name")
                if name is not None:
                    self.object_metadata[path] = {"name": name}
                continue
            found: dict[str, Any] = {}
            self._extract(inner, join(path, name), found, seen, depth + 1)
            if found:
                target[name] = found
            else:
                self.object_metadata.pop(join(path, name), None)

    # -- looking -------------------------------------------------------------------------------------------------------
    def summary(self) -> None:
        """Print the objects and their weights, with names, shapes and dtypes."""
        print("Weights structure")
        self._print(self.weights_dict, "", "  ")

    def _print(self, found: dict[str, Any], path: str, indent: str) -> None:
        for key, value in sorted(found.items(), key=_as_shown):
            if isinstance(value, dict):
                inner = join(path, key)
                name = self.object_metadata.get(inner, {}).get("name")
                print(f"{indent}{key}" + (f" ('{name}')" if name is not None else ""))
                self._print(value, inner, indent + "  ")
            else:
                print(f"{indent}{key}: shape={value.shape}, dtype={value.dtype}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print where the file and a model differ.

        Args:
            reference_model: A built model.

        Returns:
            ``status``, ``"success"`` or ``"error"``; ``error_count``, the number of objects and weights that one side
            lacks and of weights whose shapes differ; ``match_count``, the number of weights of one shape.
        """
        print("Running comparison")
        wanted: dict[str, dict[str, tuple[int, ...]]] = {}
        optional = set()  # Keras doesn't save generators of random numbers
        for path, obj in walk(reference_model):
            shapes = {str(i): tuple(v.shape) for i, v in enumerate(own_state(obj))}
            if hasattr(obj, "save_own_variables"):
                store: dict[str, Any] = {}
                obj.save_own_variables(store)
                shapes = {str(key): np.shape(values) for key, values in store.items()}
            if shapes:
                wanted[path] = shapes
            if isinstance(obj, SeedGenerator):
                optional.add(path)
        inside = {
            path: {key: tuple(np.shape(v)) for key, v in found.items() if not isinstance(v, dict)}
            for path, found in _objects(self.weights_dict)
        }
        inside = {path: weights for path, weights in inside.items() if weights}
        errors = matches = 0
        for path in dict.fromkeys((*wanted, *inside)):
            a, b = wanted.get(path, {}), inside.get(path, {})
            if not (a and b):
                if path in optional:
                    continue
                errors += 1
                has, lacks = ("reference model", "saved file") if a else ("saved file", "reference model")
                print(f"...Object /{path} present in {has}, missing from {lacks}")
                print(f"    In {has}, /{path} contains the following keys: {sorted(a or b, key=_by_number)}")
                continue
            for key in sorted({*a, *b}, key=_by_number):
                if a.get(key) == b.get(key):
                    matches += 1
                    continue
                errors += 1
                if key in a and key in b:
                    print(f"...Weight shape mismatch for /{path}/{key}")
                    print(f"    In reference model: shape={a[key]}\n    In saved file: shape={b[key]}")
                else:
                    has, lacks = ("reference model", "saved file") if key in a else ("saved file", "reference model")
                    print(f"...Weight /{path}/{key} present in {has}, missing from {lacks}")
        print("-" * 21)
        if errors:
            print(f"Found {errors} error{'s' * (errors != 1)}: saved file is not compatible with the reference model")
        else:
            print("Comparison successful: saved file is compatible with the reference model")
            print(f"    Found {matches} matching weight{'s' * (matches != 1)}")
        return {"status": "error" if errors else "success", "error_count": errors, "match_count": matches}

    # -- changing ------------------------------------------------------------------------------------------------------
    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object another name. An object that has it is replaced.

        Args:
            object_name: Path, or name if no other object has it.
            new_name: The new last part of the path.

        Raises:
            ValueError: if there is no such object, or several, or the new name is a path.
        """
        if "/" in new_name:
            raise ValueError(f"The new name is the last part of a path and has no '/'. Received: {new_name!r}")
        parent, path, key = self._find(object_name)
        before, after = join(path, key), join(path, new_name)
        if before == after:
            return
        parent[new_name] = parent.pop(key)
        metadata = {p: m for p, m in self.object_metadata.items() if not _is_within(p, after)}
        self.object_metadata = {
            after + p[len(before) :] if _is_within(p, before) else p: m for p, m in metadata.items()
        }

    def delete_object(self, object_name: str) -> None:
        """Remove an object and what is inside of it.

        Args:
            object_name: Path, or name if no other object has it.

        Raises:
            ValueError: if there is no such object, or several.
        """
        parent, path, key = self._find(object_name)
        del parent[key]
        gone = join(path, key)
        self.object_metadata = {p: m for p, m in self.object_metadata.items() if not _is_within(p, gone)}

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Add an object. One of the same path is replaced.

        Args:
            object_path: Its path, ``"layers/dense_2"``.
            weights: Arrays by the weights' names, ``{"0": kernel, "1": bias}``.

        Raises:
            ValueError: if there is no object that it could lie in, or ``weights`` is no dictionary.
        """
        found = self.weights_dict
        *parents, name = object_path.split("/")
        for part in parents:
            if not isinstance(found.get(part), dict):
                raise ValueError(f"Path '{'/'.join(parents)}' not found in model.")
            found = found[part]
        found[name] = _arrays(weights)
        self.object_metadata = {p: m for p, m in self.object_metadata.items() if not _is_within(p, object_path)}

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove a weight of an object.

        Args:
            object_name: Path, or name if no other object has it.
            weight_name: The weight's name, ``"0"`` for instance.

        Raises:
            ValueError: if there is no such object or weight.
        """
        found = self._object(object_name)
        if weight_name not in found:
            raise ValueError(
                f"Weight {weight_name} not found in object {object_name}. Weights found: {list(found)}"
            )
        del found[weight_name]

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Add weights to an object. Those of the same name are replaced.

        Args:
            object_name: Path, or name if no other object has it.
            weights: Arrays by the weights' names, ``{"0": kernel, "1": bias}``.

        Raises:
            ValueError: if there is no such object, or ``weights`` is no dictionary.
        """
        added = _arrays(weights)
        self._object(object_name).update(added)

    def _find(self, name: str) -> tuple[dict[str, Any], str, str]:
        """The dictionary that an object or weight lies in, that one's path, and the key in it."""
        if "/" in name:
            *parents, last = name.split("/")
            found: Any = self.weights_dict
            for part in parents:
                found = found.get(part) if isinstance(found, dict) else None
            if not isinstance(found, dict) or last not in found:
                raise ValueError(f"Path '{name}' not found in model.")
            return found, join(*parents), last
        places = [(found, path) for path, found in _objects(self.weights_dict) if name in found]
        if len(places) != 1:
            if places:
                paths = ", ".join(join(path, name) for _, path in places[:5])
                raise ValueError(f"Name '{name}' occurs more than once in the model; pass a complete path: {paths}.")
            raise ValueError(f"Name '{name}' does not appear in the model. Use summary() to list all objects.")
        return places[0][0], places[0][1], name

    def _object(self, name: str) -> dict[str, Any]:
        parent, _, key = self._find(name)
        if not isinstance(parent[key], dict):
            raise ValueError(f"'{name}' is a weight; the name of an object, such as a layer, is expected.")
        return parent[key]

    # -- saving --------------------------------------------------------------------------------------------------------
    def save(self, filepath: Any) -> None:
        """Write the weights as they are now; the file appears whole or not at all.

        Args:
            filepath: A name that ends in ``.weights.h5``.

        Raises:
            ValueError: for another ending.
        """
        name = target_name(filepath, "KerasFileEditor.save")
        if not name.endswith(".weights.h5"):
            raise ValueError(f"The name of a weights file ends in '.weights.h5'. Received: {name!r}")
        buffer = io.BytesIO()
        with hdf5.open_file(buffer, "w") as file:
            for path, found in _objects(self.weights_dict):
                weights = {key: np.asarray(v) for key, v in found.items() if not isinstance(v, dict)}
                if not weights and path not in self.object_metadata:
                    continue
                group = file.create_group(join(path, "vars"))
                for key, value in self.object_metadata.get(path, {}).items():
                    group.attrs[key] = value
                for key, values in weights.items():
                    hdf5.write_dataset(group, key, values)
        with atomic_write(name) as file:
            file.write(buffer.getbuffer())

    def resave_weights(self, filepath: Any) -> None:
        """The same as :meth:`save`."""
        self.save(filepath)


def _objects(found: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, found
    for key, value in found.items():
        if isinstance(value, dict):
            yield from _objects(value, join(path, key))


def _arrays(weights: Any) -> dict[str, Any]:
    if not isinstance(weights, dict):
        raise ValueError(
            "Argument `weights` should be a dictionary of arrays by the weights' names, {'0': kernel, '1': bias}. "
            f"Received: {type(weights).__name__}"
        )
    return {str(k): _arrays(v) if isinstance(v, dict) else np.asarray(v) for k, v in weights.items()}


def _is_within(path: str, outer: str) -> bool:
    return path == outer or path.startswith(outer + "/")


def _by_number(key: str) -> tuple[bool, int, str]:
    return (not key.isdecimal(), int(key) if key.isdecimal() and len(key) < 20 else 0, key)


def _as_shown(item: tuple[str, Any]) -> tuple[bool, tuple[bool, int, str]]:
    """Weights before objects."""
    return isinstance(item[1], dict), _by_number(item[0])
