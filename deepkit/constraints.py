"""Constraints: projections applied to weights after each update."""

from __future__ import annotations

from typing import Any

from . import ops
from .config import epsilon
from .registry import deserialize_keras_object, export, serialize_keras_object
from .utils.naming import close_matches


@export("keras.constraints.Constraint", "keras.Constraint")
class Constraint:
    """Base of constraints: a function of a weight that gives the projected weight. Subclass it with ``__call__``."""

    def __call__(self, w: Any) -> Any:
        raise NotImplementedError("A constraint needs a __call__ method.")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _norm(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


@export("keras.constraints.MaxNorm")
class MaxNorm(Constraint):
    """Scales vectors along ``axis`` down to a norm of at most ``max_value``.

    Args:
        max_value: The largest norm.
        axis: Axis, or axes, of the vectors; 0 makes them the inputs of a dense kernel's units.

    Example:
        >>> MaxNorm(1.0)([[3.0], [4.0]])
        Tensor([[0.6],
                [0.8]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Any = 0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        norms = _norm(w, self.axis)
        return w * (ops.minimum(norms, self.max_value) / (norms + epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


@export("keras.constraints.NonNeg")
class NonNeg(Constraint):
    """Sets negative weights to 0.

    Example:
        >>> NonNeg()([-1.0, 2.0])
        Tensor([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        return ops.relu(w)


@export("keras.constraints.UnitNorm")
class UnitNorm(Constraint):
    """Scales vectors along ``axis`` to norm 1.

    Args:
        axis: Axis, or axes, of the vectors.

    Example:
        >>> UnitNorm()([[3.0], [4.0]])
        Tensor([[0.6],
                [0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = 0):
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return w / (_norm(w, self.axis) + epsilon())

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


@export("keras.constraints.MinMaxNorm")
class MinMaxNorm(Constraint):
    """Brings the norm of vectors along ``axis`` between two bounds.

    Args:
        min_value: The smallest norm.
        max_value: The largest norm.
        rate: Share of the way that is gone in one update.
        axis: Axis, or axes, of the vectors.

    Example:
        >>> MinMaxNorm(0.0, 1.0)([[3.0], [4.0]]).shape
        (2, 1)
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        norms = _norm(w, self.axis)
        bounded = ops.minimum(ops.maximum(norms, self.min_value), self.max_value)
        desired = bounded * self.rate + norms * (1 - self.rate)
        return w * (desired / (norms + epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

ALL: dict[str, Any] = {
    "MaxNorm": MaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm, "MinMaxNorm": MinMaxNorm, "max_norm": MaxNorm,
    "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """A constraint from its name, itself, a class, a configuration or ``None``.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> get("max_norm").max_value
        2
    """
    if identifier is None:
        return None
    if isinstance(identifier, (dict, str)):
        if isinstance(identifier, str) and identifier not in ALL:
            raise ValueError(f"Unknown constraint: {identifier!r}.{close_matches(identifier, ALL)}")
        return deserialize(identifier)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"A constraint is a name, an object or a function. Received: {identifier!r}")


def serialize(constraint: Any) -> Any:
    """The configuration of a constraint."""
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint that a configuration describes."""
    return deserialize_keras_object(config, custom_objects, module_objects=ALL, printable_module_name="constraint")
