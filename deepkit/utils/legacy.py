"""Configurations in the form of Keras 2: ``{"class_name", "config"}``, with functions by their names."""

from __future__ import annotations

import inspect
from typing import Any

from .. import registry
from .nest import is_nest


def serialize_keras_object(instance: Any) -> Any:
    """An object's configuration in the form of Keras 2; the name of a function.

    Args:
        instance: Object with ``get_config``, function or ``None``.

    Raises:
        ValueError: for something else.

    Example:
        >>> import deepkit
        >>> serialize_keras_object(deepkit.regularizers.L1(0.5))["class_name"]
        'L1'
    """
    if instance is None:
        return None
    instance = inspect.unwrap(instance)
    if hasattr(instance, "get_config") and not isinstance(instance, type):
        config = {key: _value(item) for key, item in instance.get_config().items()}
        return {"class_name": registry.get_registered_name(type(instance)), "config": config}
    if hasattr(instance, "__name__"):
        return registry.get_registered_name(instance)
    raise ValueError(f"{instance!r} has neither a get_config() method nor a name.")


def _value(item: Any) -> Any:
    if isinstance(item, (str, int, float, bool, type(None))) or is_nest(item):
        return item
    try:
        return serialize_keras_object(item)
    except ValueError:
        return item


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that a configuration in the form of Keras 2, or a name, describes.

    Args:
        identifier: What :func:`serialize_keras_object` gave.
        module_objects: Classes and functions by the names that may be meant.
        custom_objects: Further ones.
        printable_module_name: What to call the kind of object in messages.

    Raises:
        ValueError: for an unknown name, or something malformed.

    Example:
        >>> import deepkit
        >>> data = serialize_keras_object(deepkit.regularizers.L1(0.5))
        >>> float(deserialize_keras_object(data).l1)
        0.5
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict) and not {"class_name", "config"} <= set(identifier):
        raise ValueError(f"A configuration has a 'class_name' and a 'config'. Received: {identifier!r}")
    if isinstance(identifier, (str, dict)):
        return registry.deserialize_keras_object(
            identifier, custom_objects, module_objects=module_objects or {},
            printable_module_name=printable_module_name,
        )  # fmt: skip
    if callable(identifier):
        return identifier
    raise ValueError(f"A {printable_module_name} is a name or a configuration. Received: {identifier!r}")


__all__ = ["deserialize_keras_object", "serialize_keras_object"]
