"""Finding the variables and sublayers of a layer by looking at its attributes."""

from __future__ import annotations

from typing import Any, Iterator

from ..autograd.variable import Variable

# Attributes of the base class that hold no state of the layer's own.
_SKIP = frozenset({
    "_losses", "_loss_fns", "_inbound_nodes", "_own_weights", "_functional", "_parents", "input_spec",
    "activity_regularizer", "_optimizer", "optimizer", "_auto_args", "_compiled", "_states", "_dropout_mask",
    "_recurrent_dropout_mask", "input_vocabulary", "input_idf_weights",
})  # fmt: skip


def _leaves(value: Any, depth: int = 0) -> Iterator[Any]:
    if isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _leaves(item, depth + 1)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item, depth + 1)
    else:
        yield value


def attributes(obj: Any) -> Iterator[Any]:
    """The values of an object's attributes, containers opened."""
    for name, value in list(vars(obj).items()):
        if name not in _SKIP and not isinstance(value, (str, int, float)) and value is not None:
            yield from _leaves(value)


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
    for value in attributes(layer):
        if isinstance(value, kind) and value is not layer:
            found.setdefault(id(value), value)
    return list(found.values())
