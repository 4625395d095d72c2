"""Configurations of functional models: their layers, and the calls between them by layer name and call number."""

from __future__ import annotations

from collections import deque
from typing import Any, Iterator

from ..autograd.spec import Spec
from ..layers.input_layer import InputLayer
from ..layers.layer import Layer
from ..registry import MAX_DEPTH, MAX_LAYERS, deserialize_keras_object, serialize_keras_object
from ..utils.nest import flatten
from .op_nodes import is_operation, operation_name, read_operation, write_operation

#: A call of a layer: the layer's name, and which call of it.
Place = tuple[str, int]


def _calls(model: Any) -> dict[str, list[Any]]:
    """The calls of each layer that belong to the model, by layer name; each call of an op has a name of its own."""
    calls: dict[str, list[Any]] = {}
    for x in model._inputs:
        if x.node is not None:
            calls.setdefault(x.node.operation.name, []).append(x.node)
    names: dict[int, str] = vars(model).setdefault("_op_names", {})  # the same in every configuration
    for node in model._nodes:
        if isinstance(node.operation, Layer):
            name = node.operation.name
        else:
            name = names.get(id(node)) or operation_name(node)
            while name in calls:
                name = operation_name(node)
            names[id(node)] = name
        calls.setdefault(name, []).append(node)
    return calls


def functional_config(model: Any) -> dict[str, Any]:
    """The configuration of a functional model.

    Raises:
        NotImplementedError: if it calls an op outside of layers that Keras has no operation for.
    """
    calls = _calls(model)
    places = {id(node): (name, i) for name, nodes in calls.items() for i, node in enumerate(nodes)}

    def reference(x: Spec) -> list[Any]:
        return [*places[id(x.node)], x.output_index]

    def write(value: Any) -> Any:
        if isinstance(value, Spec):
            return {
                "class_name": "__keras_tensor__",
                "config": {"shape": list(value.shape), "dtype": value.dtype, "keras_history": reference(value)},
            }
        if isinstance(value, tuple):
            return [write(v) for v in value]
        if isinstance(value, list):
            return [write(v) for v in value]
        if isinstance(value, dict):
            return {k: write(v) for k, v in value.items()}
        return serialize_keras_object(value)

    layers = []
    for name, (node, *_) in calls.items():
        if isinstance(node.operation, Layer):
            continue
        path, config, args, kwargs = write_operation(node)
        module, _, class_name = path.rpartition(".")
        entry = {
            "module": module,
            "class_name": class_name,
            "config": {"name": name, **{k: write(v) for k, v in config.items()}},
            "registered_name": class_name,
            "name": name,
            "inbound_nodes": [{"args": [write(a) for a in args], "kwargs": {k: write(v) for k, v in kwargs.items()}}],
        }
        layers.append(entry)
    for layer in model.layers:
        entry = serialize_keras_object(layer)
        entry["name"] = layer.name
        entry["inbound_nodes"] = [
            {"args": [write(a) for a in node.args], "kwargs": {k: write(v) for k, v in node.kwargs.items()}}
            for node in calls[layer.name]
            if not isinstance(layer, InputLayer)
        ]
        layers.append(entry)

    def ends(tree: Any) -> Any:
        if isinstance(tree, Spec):
            return reference(tree)
        if isinstance(tree, dict):
            return {k: ends(v) for k, v in tree.items()}
        return [ends(v) for v in tree]

    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": ends(model._inputs_struct),
        "output_layers": ends(model._outputs_struct),
    }


def functional_from_config(cls: type, config: dict[str, Any], custom_objects: dict[str, Any] | None) -> Any:
    """The functional model of a configuration.

    Raises:
        ValueError: for a malformed one: unknown layers, duplicate names, references that never resolve.
    """
    missing = {"layers", "input_layers", "output_layers"} - config.keys()
    if missing:
        raise ValueError(f"The configuration of a functional model has no {sorted(missing)[0]!r}.")
    entries = config["layers"]
    if not isinstance(entries, list) or len(entries) > MAX_LAYERS:
        raise ValueError(f"A model configuration holds a list of at most {MAX_LAYERS} layers.")
    layers: dict[str, Any] = {}
    tensors: dict[tuple[str, int], list[Any]] = {}
    calls: list[tuple[str, int, dict]] = []
    for entry in entries:
        inner = entry.get("config") if isinstance(entry, dict) else None
        name = (entry.get("name") or inner.get("name")) if isinstance(inner, dict) else None
        if not isinstance(name, str):
            raise ValueError("Each layer of a model configuration is a dictionary with a name and a configuration.")
        if name in layers:
            raise ValueError(f"Two layers of the configuration are named {name!r}.")
        layer: Any
        if is_operation(entry):
            layer = read_operation(entry)
        else:
            layer = deserialize_keras_object(
                {k: v for k, v in entry.items() if k not in ("inbound_nodes", "name")}, custom_objects
            )
            if not isinstance(layer, Layer):
                raise ValueError(f"{name!r} in the configuration is no layer.")
        layers[name] = layer
        if isinstance(layer, InputLayer):
            tensors[name, 0] = [layer.output]
        for i, call in enumerate(_inbound(entry.get("inbound_nodes", []))):
            calls.append((name, i, call))
    _make_calls(calls, layers, tensors)
    inputs, outputs = (_ends(config[key], tensors) for key in ("input_layers", "output_layers"))
    model = cls(inputs, outputs, name=config.get("name"))
    vars(model)["_op_names"] = {
        id(x.node): name
        for (name, _), made in tensors.items()
        for x in made
        if not isinstance(layers[name], Layer) and isinstance(x, Spec) and x.node is not None
    }
    if not config.get("trainable", True):
        model.trainable = False
    return model


def _make_calls(calls: list[tuple[str, int, dict]], layers: dict[str, Any], tensors: dict[Place, list[Any]]) -> None:
    """Each call as soon as the outputs it takes are there, in time that grows with their number only."""
    waiting: dict[Place, list[int]] = {}
    lacking = []
    for n, (name, _, call) in enumerate(calls):
        places = set(_places(call))
        if not places and not isinstance(layers[name], Layer):
            raise ValueError(f"The operation {name!r} of the configuration takes no tensor.")
        needed = {place for place in places if place not in tensors}
        lacking.append(len(needed))
        for place in needed:
            waiting.setdefault(place, []).append(n)
    ready = deque(n for n, count in enumerate(lacking) if not count)
    while ready:
        name, i, call = calls[n := ready.popleft()]
        lacking[n] = -1
        args, kwargs = _read(call["args"], tensors), _read(call["kwargs"], tensors)
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ValueError(f"A call of layer {name!r} in the configuration has no list of arguments.")
        tensors[name, i] = flatten(layers[name](*args, **kwargs))
        for other in waiting.pop((name, i), ()):
            lacking[other] -= 1
            if not lacking[other]:
                ready.append(other)
    for n, count in enumerate(lacking):
        if count > 0:
            raise ValueError(f"The calls of layer {calls[n][0]!r} refer to outputs that never come: a cycle, or a "
                             "layer that is missing.")  # fmt: skip


def _places(value: Any, depth: int = 0) -> Iterator[Place]:
    """The outputs that a call takes, by layer name and call number."""
    if depth > MAX_DEPTH:
        raise ValueError(f"The configuration is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield _history(value)[:2]
        elif "class_name" not in value:
            value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _places(inner, depth + 1)


def _history(value: dict) -> tuple[str, int, int]:
    inside = value.get("config")
    found = inside.get("keras_history") if isinstance(inside, dict) else None
    if isinstance(found, list) and len(found) == 3 and isinstance(found[0], str):
        if type(found[1]) is int and type(found[2]) is int:
            return found[0], found[1], found[2]
    raise ValueError(f"A tensor of the configuration has keras_history {found!r:.99}, not [layer, call, output].")


def _inbound(nodes: Any) -> list[dict]:
    """The calls of a layer in today's form, or in that of Keras 2: ``[[["name", 0, 0, {}], ...]]``."""
    out = []
    if not isinstance(nodes, list):
        raise ValueError(f"inbound_nodes in the configuration should be a list, not {nodes!r:.100}.")
    for node in nodes:
        if isinstance(node, dict):
            out.append({"args": node.get("args", []), "kwargs": node.get("kwargs", {})})
            continue
        if not isinstance(node, list) or not all(isinstance(x, (list, str, int, dict)) for x in node):
            raise ValueError(f"inbound_nodes in the configuration holds {node!r:.100}.")
        links = [node] if node and isinstance(node[0], str) else node
        if not all(isinstance(x, list) for x in links):
            raise ValueError(f"inbound_nodes in the configuration holds {node!r:.100}.")
        tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": list(x[:3])}} for x in links]
        kwargs = links[0][3] if links and len(links[0]) > 3 else {}
        out.append({"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": kwargs or {}})
    return out


def _read(value: Any, tensors: dict[tuple[str, int], list[Any]], depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(f"The configuration is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            name, node, index = _history(value)
            if not 0 <= index < len(tensors[name, node]):
                raise ValueError(f"The configuration names output {index} of layer {name!r}, which it doesn't have.")
            return tensors[name, node][index]
        if "class_name" in value:
            return deserialize_keras_object(value)
        return {k: _read(v, tensors, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_read(v, tensors, depth + 1) for v in value]
    return value


def _ends(tree: Any, tensors: dict[tuple[str, int], list[Any]], depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(f"The configuration is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(tree, (list, tuple)) and len(tree) == 3 and isinstance(tree[0], str) and isinstance(tree[1], int):
        try:
            return tensors[tree[0], tree[1]][tree[2]]
        except (LookupError, TypeError):
            raise ValueError(
                f"The configuration names {tuple(tree)} as an input or output, which isn't there."
            ) from None
    if isinstance(tree, dict):
        return {k: _ends(v, tensors, depth + 1) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [_ends(v, tensors, depth + 1) for v in tree]
        # Keras 2 writes a single output as a list of one.
        return parts
    raise ValueError(f"The configuration names {tree!r} as an input or output.")
