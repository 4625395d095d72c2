"""Max and average pooling layers in 1, 2 and 3 dimensions."""

from __future__ import annotations

from typing import Any, Callable

from .. import ops
from ..config import standardize_data_format
from ..ops.spatial import check_padding
from ..registry import export
from ..utils.signatures import REQUIRED, with_defaults
from ..utils.windows import output_sizes, size_tuple
from .layer import InputSpec, Layer


class Pooling(Layer):
    """Base of the pooling layers: one number for each window of each channel.

    With channels last, the input is (n, *spatial, c) and the output (n, *out, c), where along each dimension out is
    ⌊(size - pool_size) / strides⌋ + 1 for padding "valid" and ⌈size / strides⌉ for "same". Padding takes part neither
    in the maximum nor in the average.

    Args:
        pool_size: Window size, one integer or one a dimension.
        strides: Step between windows; ``pool_size`` by default.
        padding: ``"valid"`` (windows that don't fit are left out) or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        name: Name.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if a size isn't a positive integer, the input has another rank, or no window fits into it.
    """

    rank = 0
    pool: Callable[..., Any] = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        kind = type(self).__name__
        self.pool_size = size_tuple(pool_size, self.rank, "pool_size", kind)
        self.strides = self.pool_size if strides is None else size_tuple(strides, self.rank, "strides", kind)
        self.padding = check_padding(kind, padding)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        spatial = tuple(input_shape[1:-1] if self.data_format == "channels_last" else input_shape[2:])
        owner = f"{type(self).__name__} {self.name!r}"
        output_sizes(spatial, self.pool_size, self.strides, (1,) * self.rank, self.padding, owner)

    def call(self, inputs: Any) -> Any:
        return self.pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


@export("keras.layers.MaxPooling1D", "keras.layers.MaxPool1D")
class MaxPooling1D(Pooling):
    """Maximum over windows of a sequence (n, steps, c). Arguments as :class:`Pooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.MaxPooling1D(2)(deepkit.ops.ones((2, 10, 3))).shape
        (2, 5, 3)
    """

    rank = 1


@export("keras.layers.MaxPooling2D", "keras.layers.MaxPool2D")
@with_defaults(pool_size=(2, 2))
class MaxPooling2D(Pooling):
    """Maximum over windows of images (n, height, width, c). Arguments as :class:`Pooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.MaxPooling2D((2, 2))(deepkit.ops.ones((2, 26, 26, 32))).shape
        (2, 13, 13, 32)
    """

    rank = 2


@export("keras.layers.MaxPooling3D", "keras.layers.MaxPool3D")
@with_defaults(pool_size=(2, 2, 2))
class MaxPooling3D(Pooling):
    """Maximum over windows of volumes (n, depth, height, width, c). Arguments as :class:`Pooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.MaxPooling3D(2)(deepkit.ops.ones((2, 4, 4, 4, 3))).shape
        (2, 2, 2, 2, 3)
    """

    rank = 3


@export("keras.layers.AveragePooling1D", "keras.layers.AvgPool1D")
@with_defaults(pool_size=REQUIRED)
class AveragePooling1D(Pooling):
    """Mean over windows of a sequence (n, steps, c). Arguments as :class:`Pooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AveragePooling1D(2, strides=1, padding="same")(deepkit.ops.ones((2, 10, 3))).shape
        (2, 10, 3)
    """

    rank = 1
    pool = staticmethod(ops.average_pool)


@export("keras.layers.AveragePooling2D", "keras.layers.AvgPool2D")
@with_defaults(pool_size=REQUIRED)
class AveragePooling2D(Pooling):
    """Mean over windows of images (n, height, width, c). Arguments as :class:`Pooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AveragePooling2D(2)(deepkit.ops.ones((2, 8, 8, 3))).shape
        (2, 4, 4, 3)
    """

    rank = 2
    pool = staticmethod(ops.average_pool)


@export("keras.layers.AveragePooling3D", "keras.layers.AvgPool3D")
@with_defaults(pool_size=REQUIRED)
class AveragePooling3D(Pooling):
    """Mean over windows of volumes (n, depth, height, width, c). Arguments as :class:`Pooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AveragePooling3D(2)(deepkit.ops.ones((2, 4, 4, 4, 3))).shape
        (2, 2, 2, 2, 3)
    """

    rank = 3
    pool = staticmethod(ops.average_pool)


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D", "MaxPool1D",
    "MaxPool2D", "MaxPool3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip
