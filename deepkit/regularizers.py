"""Regularizers: losses of weights or activities."""

from __future__ import annotations

from typing import Any

from . import ops
from .registry import deserialize_keras_object, export, serialize_keras_object
from .utils.naming import close_matches


@export("keras.regularizers.Regularizer", "keras.Regularizer")
class Regularizer:
    """Base of regularizers: a function of a tensor that gives a scalar loss. Subclass it with ``__call__``."""

    def __call__(self, x: Any) -> Any:
        return 0.0

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _factor(value: Any, name: str) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) and not hasattr(value, "item"):
        raise ValueError(f"A regularizer's `{name}` should be a non-negative number. Received: {name}={value!r}")
    value = float(value)
    if not value >= 0 or value == float("inf"):
        raise ValueError(f"A regularizer's `{name}` should be a non-negative number. Received: {name}={value!r}")
    return value


@export("keras.regularizers.L1L2")
class L1L2(Regularizer):
    """l1 · Σ|x| + l2 · Σx².

    Args:
        l1: Factor of the absolute values.
        l2: Factor of the squares.

    Example:
        >>> float(L1L2(l1=0.5, l2=2.0)([1.0, -2.0]))
        11.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1, self.l2 = _factor(l1, "l1"), _factor(l2, "l2")

    def __call__(self, x: Any) -> Any:
        total: Any = None
        if self.l1:
            total = ops.sum(ops.abs(x)) * self.l1
        if self.l2:
            squares = ops.sum(ops.square(x)) * self.l2
            total = squares if total is None else total + squares
        return ops.sum(x) * 0 if total is None else total

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


@export("keras.regularizers.L1")
class L1(L1L2):
    """l1 · Σ|x|.

    Args:
        l1: The factor.

    Example:
        >>> float(L1(0.5)([1.0, -2.0]))
        1.5
    """

    def __init__(self, l1: float = 0.01):
        super().__init__(l1=l1)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


@export("keras.regularizers.L2")
class L2(L1L2):
    """l2 · Σx².

    Args:
        l2: The factor.

    Example:
        >>> float(L2(0.5)([1.0, -2.0]))
        2.5
    """

    def __init__(self, l2: float = 0.01):
        super().__init__(l2=l2)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


@export("keras.regularizers.OrthogonalRegularizer")
class OrthogonalRegularizer(Regularizer):
    """factor · Σ|cosines between different rows (or columns)| / 2 / number of pairs.

    Args:
        factor: The factor.
        mode: ``"rows"`` or ``"columns"``.

    Raises:
        ValueError: for another mode.

    Example:
        >>> round(float(OrthogonalRegularizer(1.0)([[1.0, 0.0], [1.0, 0.0]])), 5)
        1.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer: `mode` should be 'rows' or 'columns'. Received: mode={mode!r}")
        self.factor, self.mode = _factor(factor, "factor"), mode

    def __call__(self, x: Any) -> Any:
        x = x if hasattr(x, "shape") else ops.convert_to_tensor(x)
        if len(x.shape) != 2:
            raise ValueError(f"OrthogonalRegularizer takes matrices. Received shape {tuple(x.shape)}")
        axis = 1 if self.mode == "rows" else 0
        x = x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))
        product = ops.matmul(x, ops.transpose(x)) if axis else ops.matmul(ops.transpose(x), x)
        n = x.shape[1 - axis]
        off = product * (1.0 - ops.eye(n, dtype=str(x.dtype)))
        return ops.sum(ops.abs(off)) * (self.factor * 0.5 / max(n * (n - 1) / 2, 1))

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

ALL: dict[str, Any] = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "OrthogonalRegularizer": OrthogonalRegularizer, "l1": L1, "l2": L2,
    "l1_l2": L1L2, "orthogonal_regularizer": OrthogonalRegularizer,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """A regularizer from its name, itself, a class, a configuration or ``None``.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> get("l2").get_config()
        {'l2': 0.01}
    """
    if identifier is None:
        return None
    if isinstance(identifier, (dict, str)):
        if isinstance(identifier, str) and identifier not in ALL:
            raise ValueError(f"Unknown regularizer: {identifier!r}.{close_matches(identifier, ALL)}")
        found = deserialize(identifier)
        return found() if identifier == "l1_l2" and isinstance(found, type) else found
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"A regularizer is a name, an object or a function. Received: {identifier!r}")


def serialize(regularizer: Any) -> Any:
    """The configuration of a regularizer."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer that a configuration describes."""
    return deserialize_keras_object(config, custom_objects, module_objects=ALL, printable_module_name="regularizer")
