"""Optimizers and learning-rate schedules."""

from __future__ import annotations

from typing import Any

from ..registry import deserialize_keras_object, get_registered_object, serialize_keras_object
from ..utils.naming import close_matches
from . import legacy, schedules
from .adam import Adam, Adamax, AdamW, Nadam, ScheduleFreeAdamW
from .layerwise import Adafactor, Lamb, Muon
from .loss_scale import LossScaleOptimizer
from .multi import MultiOptimizer, OptimizerMap
from .optimizer import Optimizer
from .rules import SGD, Adadelta, Adagrad, Ftrl, Lion, RMSprop

_CLASSES = (SGD, RMSprop, Adam, AdamW, Adagrad, Adadelta, Adamax, Nadam, Ftrl, Lion,
            Adafactor, Lamb, Muon, ScheduleFreeAdamW, LossScaleOptimizer, MultiOptimizer)
ALL: dict[str, type[Optimizer]] = {name: cls for cls in _CLASSES for name in (cls.__name__, cls.__name__.lower())}


def get(identifier: Any) -> Any:
    """An optimizer from its name, itself, a class, or a configuration.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> type(get("adam")).__name__
        'Adam'
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        found = get_registered_object(identifier) or ALL.get(identifier) or ALL.get(identifier.lower())
        if found is None:
            raise ValueError(f"Unknown optimizer: {identifier!r}.{close_matches(identifier.lower(), ALL)}")
        return found()  # type: ignore[call-arg]
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()  # type: ignore[call-arg]
    raise ValueError(f"An optimizer is a name or an Optimizer. Received: {identifier!r}")


def serialize(optimizer: Any) -> Any:
    """The configuration of an optimizer, for :func:`deserialize`."""
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer that a configuration describes."""
    if isinstance(config, dict) and isinstance(config.get("class_name"), str) and "module" not in config:
        config = {**config, "class_name": ALL.get(config["class_name"].lower(), Optimizer).__name__}
    return deserialize_keras_object(config, custom_objects, module_objects=ALL, printable_module_name="optimizer")


__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "LossScaleOptimizer",
    "MultiOptimizer", "Muon", "Nadam", "Optimizer", "OptimizerMap", "RMSprop", "ScheduleFreeAdamW", "deserialize",
    "get", "legacy", "schedules", "serialize",
]  # fmt: skip
