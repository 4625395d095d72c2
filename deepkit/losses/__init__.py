"""Losses, as classes and as functions."""

from __future__ import annotations

from typing import Any

from ..registry import deserialize_keras_object, serialize_keras_object
from . import classes, functions
from .classes import (
    CTC,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
)  # fmt: skip
from .functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    circle,
    cosine_similarity,
    ctc,
    dice,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)  # fmt: skip
from .loss import Loss, LossFunctionWrapper

_SHORT = {
    "mse": "mean_squared_error", "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error", "kld": "kl_divergence", "logcosh": "log_cosh", "bce":
    "binary_crossentropy",
    "bfce": "binary_focal_crossentropy",
}  # fmt: skip
_CLASSES = {
    n: c
    for n, c in vars(classes).items()
    if isinstance(c, type) and issubclass(c, Loss) and not n.startswith("_")
}
_FUNCTIONS = {n: v for n, v in vars(functions).items() if callable(v) and getattr(v, "__module__", "") ==
functions.__name__
              and not n.startswith("_")}  # fmt: skip
ALL: dict[str, Any] = {**_CLASSES, **_FUNCTIONS}
ALL.pop("LossFunctionWrapper", None)
for _short, _name in _SHORT.items():
    ALL[_short] = ALL[_short.upper()] = _FUNCTIONS[_name]
_CLASS_OF = {  # the class that checks targets for a loss given by a function's name
    fn: _CLASSES[n] for n in _CLASSES
    for fn in (functions.__dict__.get("".join("_" + c.lower() if c.isupper() else c for c in n).lstrip("_")),)
    if fn is not None
}  # fmt: skip


def get(identifier: Any) -> Any:
    """A loss from its name, itself, a class, a configuration, a function or ``None``.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> get("mse") is mean_squared_error
        True
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        found = deserialize_keras_object(identifier, module_objects=ALL, printable_module_name="loss")
        return found
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"A loss is a name, a Loss or a function. Received: {identifier!r}")




def checked(loss: Any) -> Any:
    """A loss object for anything :func:`get` gives; functions of deepkit's own become the class that checks targets."""
    if isinstance(loss, Loss) or loss is None:
        return loss
    if loss in _CLASS_OF:
        return _CLASS_OF[loss]()
    return LossFunctionWrapper(loss, name=getattr(loss, "__name__", None))


def serialize(loss: Any) -> Any:
    """The configuration of a loss; the name of a function of deepkit's own."""
    name = getattr(loss, "__name__", None)
    if name and ALL.get(name) is loss and not isinstance(loss, type):
        return name
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that a configuration or name describes."""
    return deserialize_keras_object(name, custom_objects, module_objects=ALL, printable_module_name="loss")
