"""Finding the variables and sublayers of a layer by looking at its attributes."""

from __future__ import annotations

from typing import Any, Iterator

from ..autograd.variable import Variable

# Attributes of the base class that hold no state of the layer's own.
_SKIP = frozenset({
    "_predicted",
    "_losses", "_loss_fns", "_inbound_nodes", "_own_weights", "_functional", "_parents", "input_spec",
    "activity_regularizer", "_optimizer", "optimizer", "_auto_args", "_compiled", "_states", "_dropout_mask",
    "_recurrent_dropout_mask", "input_vocabulary", "input_idf_weights",
})  # fmt: skip

_PLAIN = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = (list, tuple, set, dict)


def _leaves(value: Any) -> Iterator[Any]:
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, _CONTAINERS):
            yield from _leaves(item)
        else:
            yield item


def attributes(obj: Any) -> Iterator[Any]:
    """The values of an object's attributes, containers opened."""
    for name, value in list(vars(obj).items()):
        if type(value) in _PLAIN or name in _SKIP:
            continue
        if isinstance(value, _CONTAINERS):
            yield from _leaves(value)
        else:
            yield value


def own_variables(layer: Any) -> list[Variable]:
    """Variables that belong to the layer itself, each once, those made trainable first.

    Within each of the two, those that it added come before those that it only holds in attributes.
    """
    found = {id(v): v for v in layer._own_weights}
    for value in attributes(layer):
        if isinstance(value, Variable):
            found.setdefault(id(value), value)
    return sorted(found.values(), key=lambda v: not v.born_trainable)


def sublayers(layer: Any, kind: type) -> list[Any]:
    """Objects of ``kind`` among the layer's attributes, each once."""
    found: dict[int, Any] = {}
    for name, value in list(vars(layer).items()):  # in one loop: deep models are searched for each epoch
        cls = type(value)
        if cls in _PLAIN:
            continue
        if isinstance(value, kind):
            if value is not layer and name not in _SKIP:
                found.setdefault(id(value), value)
        elif issubclass(cls, _CONTAINERS) and value and name not in _SKIP:
            for item in _leaves(value):
                if isinstance(item, kind) and item is not layer:
                    found.setdefault(id(item), item)
    return list(found.values())
