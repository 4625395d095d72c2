"""Whole models and weights in HDF5 as Keras 2 laid them out, which Keras 3 still reads and writes (``*.h5``).

The root's attributes hold the configurations as JSON, ``model_weights`` a group for each layer with its weights in the
order of ``weight_names``, trained ones first, and ``optimizer_weights`` the optimizer's state likewise.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import warnings
from typing import Any

import numpy as np

from .. import registry
from ..utils.config_text import read_config
from . import hdf5
from .model_config import guarded, make_model

#: HDF5 keeps an attribute in an object's header, which has room for 64 KiB.
_ROOM = 64_512


def model_bytes(model: Any, keras_version: str, include_optimizer: bool = True) -> bytes:
    """The contents of a ``*.h5`` file with architecture, weights, what it was compiled with, optimizer state (both only
    with ``include_optimizer``)."""
    buffer = io.BytesIO()
    with hdf5.open_file(buffer, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = keras_version, "numpy"
        entry = {
            "class_name": type(model).__name__,
            "config": registry.serialize_keras_object(model)["config"],
        }
        file.attrs["model_config"] = json.dumps(entry)
        _write_weights(model, file.create_group("model_weights"))
        compiled = model.get_compile_config() if include_optimizer and getattr(model, "compiled", False) else None
        if compiled:
            optimizer = compiled.pop("optimizer", None)
            if isinstance(optimizer, dict):
                optimizer = {k: optimizer[k] for k in ("class_name", "config")}
            file.attrs["training_config"] = json.dumps({**compiled, "optimizer_config": optimizer})
            if getattr(model.optimizer, "built", False):
                store: dict[str, Any] = {}
                model.optimizer.save_own_variables(store)
                group = file.create_group("optimizer_weights")
                names = [f"{model.optimizer.name}/{i}" for i in range(len(store))]
                for i, name in enumerate(names):
                    hdf5.write_dataset(group, name, np.asarray(store[str(i)]))
                _write_names(group, "weight_names", names)
    return buffer.getvalue()


def _weights_of(layer: Any) -> list[Any]:
    weights = layer.weights
    trained = [v for v in weights if v.born_trainable]
    return trained + [v for v in weights if not v.born_trainable]


def _write_weights(model: Any, group: Any) -> None:
    layers = list(model.layers)
    _write_names(group, "layer_names", [layer.name for layer in layers])
    for layer in layers:
        inner = group.create_group(layer.name)
        names: list[str] = []
        for v in _weights_of(layer):
            name = v.path
            while name in names:
                name += "_1"
            names.append(name)
            hdf5.write_dataset(inner, name, v.numpy())
        _write_names(inner, "weight_names", names)


def _write_names(group: Any, key: str, names: list[str]) -> None:
    data = np.array([name.encode() for name in names]) if names else np.zeros(0)
    if data.nbytes <= _ROOM:
        group.attrs[key] = data
        return
    for i, part in enumerate(np.array_split(data, data.nbytes // _ROOM + 1)):
        group.attrs[f"{key}{i}"] = part


def _read_names(group: Any, key: str) -> list[str]:
    found: list[Any] = []
    whole = hdf5.attribute(group, key)
    if whole is not None:
        found = _names_in(whole)
    else:
        parts = (hdf5.attribute(group, f"{key}{i}") for i in itertools.count())
        found = [name for part in itertools.takewhile(lambda x: x is not None, parts) for name in _names_in(part)]
    names = [name.decode("utf-8", "replace") if isinstance(name, bytes) else name for name in found]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"{group.file.filename}: the attribute {key} of {group.name} should hold names.")
    return names


def _names_in(values: Any) -> list[Any]:
    return list(values) if isinstance(values, np.ndarray) and values.ndim == 1 else [None]


def is_legacy(file: Any) -> bool:
    """Whether an open HDF5 file has this layout."""
    names = any(hdf5.attribute(file, key) is not None for key in ("layer_names", "layer_names0"))
    return names or hdf5.holds(file, "model_weights")


def _json(file: Any, key: str) -> Any:
    text = hdf5.attribute(file, key)
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    if not isinstance(text, str):
        raise ValueError(f"{file.filename}: the attribute {key} is no configuration.")
    return read_config(text, f"{file.filename}: {key}")


def load_model(path: str, custom_objects: Any, compile: bool, safe_mode: Any) -> Any:
    """The model in a file.

    Raises:
        ValueError: for a file that is malformed, holds weights only, or names unknown classes.
    """
    with hdf5.open_file(path) as file:
        if hdf5.attribute(file, "model_config") is None:
            raise ValueError(f"{path} holds no model, only weights: build the model and call load_weights.")
        size = os.path.getsize(path)
        model = make_model(_modern_layers(_json(file, "model_config")), custom_objects, safe_mode, path, size)
        if not getattr(model, "layers", None):
            raise ValueError(f"{path}: model_config describes no model with layers.")
        group = hdf5.child_group(file, "model_weights")
        if group is not None:
            _read_weights(model, group, path, False, False)
        if compile and hdf5.attribute(file, "training_config") is not None:
            with guarded(safe_mode, path, size):
                _compile(model, file, custom_objects, path)
        return model


def _compile(model: Any, file: Any, custom_objects: Any, path: str) -> None:
    from .. import losses, metrics, optimizers

    training = _json(file, "training_config")
    with registry.custom_object_scope(custom_objects or {}):
        optimizer = optimizers.deserialize(_modern(training.get("optimizer_config")))
        read = lambda value, module: _each(value, lambda v: _one(v, module))
        model.compile(optimizer=optimizer, loss=read(training.get("loss"), losses),
                      metrics=_alone(read(training.get("metrics"), metrics)),
                      weighted_metrics=_alone(read(training.get("weighted_metrics"), metrics)),
                      loss_weights=training.get("loss_weights"))  # fmt: skip
    group = hdf5.child_group(file, "optimizer_weights")
    if group is None or not model.trainable_variables:
        return
    names = _read_names(group, "weight_names")
    model.optimizer.build(model.trainable_variables)
    variables = list(model.optimizer.variables)
    if names and len(names) == len(variables) - 1:  # Keras 2 keeps the learning rate in the configuration
        del variables[1]
    shapes = [hdf5.shape_of(*_place(group, name)) for name in names]
    wanted = [tuple(v.shape) for v in variables]
    if shapes == wanted:
        for v, values in [(v, hdf5.read_dataset(*_place(group, name))) for v, name in zip(variables, names)]:
            v.assign(values)
    else:
        error = f"{shapes} in the file, {wanted} in the optimizer"
        warnings.warn(f"{path}: the optimizer's state doesn't fit and starts anew: {error}", stacklevel=4)


def _one(value: Any, module: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = value.get("config")
    if (
        value.get("class_name") == "MeanMetricWrapper"
        and isinstance(inner, dict)
        and isinstance(inner.get("fn"), str)
    ):
        found = module.get(inner["fn"])  # a name in Keras 2
        return (
            found
            if not callable(getattr(found, "update_state", None))
            else type(found)(name=inner.get("name"))
        )
    return module.deserialize(value)


def _alone(found: Any) -> Any:
    """The metrics of the only output, which Keras 2 has in a list of their own."""
    return found[0] if isinstance(found, list) and len(found) == 1 and isinstance(found[0], list) else found


def _modern(config: Any) -> Any:
    """An optimizer's configuration without what Keras 2 had more."""
    if isinstance(config, dict) and isinstance(config.get("config"), dict):
        gone = ("decay", "is_legacy_optimizer", "jit_compile")
        inner = {k: v for k, v in config["config"].items() if k not in gone}
        return {"class_name": str(config.get("class_name")).removeprefix("Custom>"), "config": inner}
    return config


#: Arguments that layers of Keras 2 had and that have one value today, by the end of the class name.
_SEPARABLE = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")
_GONE = {"DepthwiseConv1D": ("groups",), "DepthwiseConv2D": ("groups",), "Transpose": ("groups",),
         "SeparableConv1D": _SEPARABLE, "SeparableConv2D": _SEPARABLE}  # fmt: skip


def _modern_layers(config: Any, depth: int = 0) -> Any:
    """A model's configuration of Keras 2 with the arguments of today."""
    if depth > registry.MAX_DEPTH:
        raise ValueError(f"The configuration is nested more than {registry.MAX_DEPTH} levels deep.")
    if isinstance(config, list):
        return [_modern_layers(v, depth + 1) for v in config]
    if not isinstance(config, dict):
        return config
    config = {k: _modern_layers(v, depth + 1) for k, v in config.items()}
    name, inner = config.get("class_name"), config.get("config")
    if isinstance(name, str) and isinstance(inner, dict):
        gone = next((keys for end, keys in _GONE.items() if name.endswith(end)), ())
        for key in (*gone, "time_major", "implementation"):
            inner.pop(key, None)
        if name in ("Functional", "Model"):
            _modern_links(inner)
        axis = inner.get("axis")
        if name == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
            inner["axis"] = axis[0]
    return config


def _modern_links(config: dict[str, Any]) -> None:
    """The calls in a functional model of Keras 2: a lone input or output is in a list, and the calls of a model inside
    are counted from 1, after the one that it was made by."""
    layers = config.get("layers")
    if not isinstance(layers, list) or any(not isinstance(x, dict) or "module" in x for x in layers):
        return
    inside = {x.get("name") for x in layers if x.get("class_name") in ("Functional", "Model", "Sequential")}

    def renumber(links: Any) -> None:
        if (
            isinstance(links, list)
            and len(links) >= 3
            and isinstance(links[0], str)
            and isinstance(links[1], int)
        ):
            if links[0] in inside and links[1] > 0:
                links[1] -= 1
        elif isinstance(links, list):
            for link in links:
                renumber(link)

    for layer in layers:
        renumber(layer.get("inbound_nodes"))
    for key in ("input_layers", "output_layers"):
        renumber(config.get(key))
        ends = config.get(key)
        if isinstance(ends, list) and len(ends) == 1 and isinstance(ends[0], list):
            config[key] = ends[0]


def _each(value: Any, read: Any) -> Any:
    """``read`` over the entries of losses or metrics, which may lie in lists and dictionaries by output."""
    if isinstance(value, list):
        return [_each(v, read) for v in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {k: _each(v, read) for k, v in value.items()}
    return read(value)


def load_weights(
    model: Any, file: Any, path: str, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Read weights from an open file of this layout, by the layers' order or ``by_name``.

    Raises:
        ValueError: if they don't fit; the model is then as it was.
    """
    group = hdf5.child_group(file, "model_weights") if hdf5.holds(file, "model_weights") else file
    _read_weights(model, group, path, skip_mismatch, by_name)


def _read_weights(model: Any, group: Any, path: str, skip_mismatch: bool, by_name: bool) -> None:
    inside = {}
    for name in _read_names(group, "layer_names"):
        found = hdf5.find_group(group, name)
        names = [] if found is None else _read_names(found, "weight_names")
        if names:
            inside[name] = (found, names)
    layers = [layer for layer in model.layers if layer.weights]
    if by_name:
        pairs = [(layer, inside[layer.name]) for layer in layers if layer.name in inside]
    else:
        if len(layers) != len(inside):
            raise ValueError(f"{path} has weights for {len(inside)} layers, model {model.name!r} has {len(layers)} "
                             "with weights. Load by_name=True to take those that have the same name.")  # fmt: skip
        pairs = list(zip(layers, inside.values()))
    planned: list[tuple[Any, Any]] = []
    skipped: list[str] = []
    for layer, (found, names) in pairs:
        variables = _weights_of(layer)
        stored = [hdf5.shape_of(*_place(found, name)) for name in names]
        if stored != [v.shape for v in variables]:
            shapes = f"{stored} in the file, {[v.shape for v in variables]} in the model"
            if not skip_mismatch:
                raise ValueError(f"{path}: the weights of layer {layer.name!r} don't fit: {shapes}.")
            skipped.append(f"{layer.name} ({shapes})")
            continue
        planned += [(v, hdf5.read_dataset(*_place(found, name))) for v, name in zip(variables, names)]
    for v, values in planned:
        v.assign(values)
    if skipped:
        warnings.warn(f"{path}: {len(skipped)} layers were skipped: {'; '.join(skipped[:5])}", stacklevel=4)


def _place(group: Any, name: str) -> tuple[Any, str]:
    """Group and name of a dataset by a name with slashes, which HDF5 keeps as groups."""
    group_name = f"{group.file.filename}: {group.name}"
    *folders, last = [part for part in name.split("/") if part] or [""]
    for folder in folders:
        group = hdf5.child_group(group, folder)
        if group is None:
            raise ValueError(f"{group_name}: a weight named {name!r} is missing.")
    return group, last
