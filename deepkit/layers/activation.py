"""Activations as layers."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, ops, regularizers
from ..registry import export
from .layer import InputSpec, Layer


def _number(value: Any, argument: str, layer: str) -> float:
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)) and not hasattr(value, "item"):
        raise ValueError(f"{layer}: `{argument}` should be a number. Received: {argument}={value!r}")
    return float(value)


class _Elementwise(Layer):
    """Base of activations without weights."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True


@export("keras.layers.ReLU")
class ReLU(_Elementwise):
    """max(x, 0), or the general ramp.

    Args:
        max_value: Upper bound of the result.
        negative_slope: Slope below the threshold.
        threshold: Where the ramp starts.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: for a negative value.

    Example:
        >>> ReLU()([-1.0, 2.0])
        Tensor([0., 2.], dtype=float32)
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ):
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(f"ReLU: `max_value` should not be negative. Received: max_value={max_value}")
        for argument, value in (("negative_slope", negative_slope), ("threshold", threshold)):
            if _number(value, argument, "ReLU") < 0:
                raise ValueError(f"ReLU: `{argument}` should not be negative. Received: {argument}={value}")
        self.max_value, self.negative_slope, self.threshold = max_value, float(negative_slope), float(threshold)

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_value": self.max_value, "negative_slope": self.negative_slope,
                "threshold": self.threshold}  # fmt: skip


@export("keras.layers.LeakyReLU")
class LeakyReLU(_Elementwise):
    """x where positive, else negative_slope · x (Maas et al. 2013).

    Args:
        negative_slope: The slope; ``alpha`` is its old name.
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> LeakyReLU(0.5)([-1.0, 2.0])
        Tensor([-0.5,  2. ], dtype=float32)
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        if _number(negative_slope, "negative_slope", "LeakyReLU") < 0:
            raise ValueError(f"LeakyReLU: `negative_slope` should not be negative. Received: {negative_slope}")
        self.negative_slope = float(negative_slope)

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


@export("keras.layers.ELU")
class ELU(_Elementwise):
    """x where positive, else alpha (e^x - 1) (Clevert et al. 2016).

    Args:
        alpha: The factor.
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> ELU()([1.0, 0.0])
        Tensor([1., 0.], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


@export("keras.layers.Softmax")
class Softmax(_Elementwise):
    """e^x / Σ e^x along an axis; masked elements get 0.

    Args:
        axis: Axis or axes.
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> Softmax()([[0.0, 0.0]])
        Tensor([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is not None:
            inputs = inputs + (1.0 - ops.cast(mask, inputs.dtype)) * (-3e4 if str(inputs.dtype) == "float16" else -1e9)
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        y = ops.softmax(inputs, axis=axis)
        return y if mask is None else y * ops.cast(mask, y.dtype)  # 0 also where everything is masked

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


@export("keras.layers.PReLU")
class PReLU(Layer):
    """x where positive, else alpha · x with a trained alpha for each element (He et al. 2015).

    Args:
        alpha_initializer: Initializer of alpha.
        alpha_regularizer: Regularizer of alpha.
        alpha_constraint: Constraint on alpha.
        shared_axes: Axes along which alpha is shared.
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> PReLU(alpha_initializer="ones")([[-1.0, 2.0]])
        Tensor([[-1.,  2.]], dtype=float32)
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = None if shared_axes is None else (
            list(shared_axes) if isinstance(shared_axes, (list, tuple)) else [shared_axes]
        )  # fmt: skip
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError(
                f"PReLU {self.name!r}: sizes of the input must be known, or shared. Received: {input_shape}"
            )
        self.alpha = self.add_weight(shape, self.alpha_initializer, name="alpha", regularizer=self.alpha_regularizer,
                                     constraint=self.alpha_constraint)  # fmt: skip
        self.input_spec = InputSpec(ndim=len(input_shape), axes={i + 1: n for i, n in enumerate(shape) if n != 1})

    def call(self, inputs: Any) -> Any:
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
