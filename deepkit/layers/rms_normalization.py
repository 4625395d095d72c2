"""Normalization by the root mean square."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops.norm import layer_norm
from ..registry import export
from .layer import Layer
from .normalization import statistics_dtype


@export("keras.layers.RMSNormalization")
class RMSNormalization(Layer):
    """scale · x / √(mean(x²) + ε) over the features of each sample (Zhang & Sennrich 2019, arXiv:1910.07467).

    Args:
        axis: Axis, or axes, that are normalized together.
        epsilon: ε.
        **kwargs: Those of :class:`Layer`.

    Raises:
        TypeError: if ``axis`` is no int or list of ints.
        ValueError: if a size along ``axis`` is unknown, or the axis out of range.

    Example:
        >>> y = RMSNormalization()(ops.convert_to_tensor([[3.0, 3.0]]))
        >>> [round(v, 2) for v in y.ravel().tolist()]
        [1.0, 1.0]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        if not all(hasattr(a, "__index__") for a in (axis if isinstance(axis, (list, tuple)) else [axis])):
            raise TypeError(f"RMSNormalization: `axis` should be an int or a list of ints. Received: axis={axis!r}")
        self.axis = [int(a) for a in axis] if isinstance(axis, (list, tuple)) else int(axis)
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        self.axis = [self.axis] if isinstance(self.axis, int) else self.axis
        if any(not -rank <= a < rank for a in self.axis):
            raise ValueError(f"RMSNormalization {self.name!r}: axis {self.axis} is out of range for {input_shape}.")
        self._axes = tuple(sorted({a % rank for a in self.axis}))
        shape = tuple(input_shape[a] for a in self._axes)
        if None in shape:
            raise ValueError(
                f"RMSNormalization {self.name!r}: sizes along axis {self.axis} must be known. Received: {input_shape}"
            )
        self.scale = self.add_weight(shape, "ones", name="scale")
        self._wide = statistics_dtype(self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self._wide)
        if self._axes == (len(inputs.shape) - 1,):
            y = layer_norm(x, self.scale, None, epsilon=self.epsilon, centre=False)
        else:
            y = ops.rms_normalization(x, self.scale, axis=self._axes, epsilon=self.epsilon)
        return ops.cast(y, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
