"""Pooling layers whose output has a given size, whatever that of the input."""

from __future__ import annotations

from typing import Any, Callable

from .. import ops
from ..config import standardize_data_format
from ..registry import export
from .layer import InputSpec, Layer


class AdaptivePooling(Layer):
    """Base of the adaptive pooling layers.

    With channels last, the input is (n, *spatial, c) and the output (n, *output_size, c). Along an axis of n elements,
    window i of m goes from ⌊i n / m⌋ up to ⌈(i + 1) n / m⌉.

    Args:
        output_size: Windows along each spatial axis, one integer or one an axis.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        **kwargs: Those of :class:`Layer`.

    Raises:
        TypeError: if ``output_size`` isn't an integer or a tuple of them.
        ValueError: if it has another length or isn't positive, or the input has another rank.
    """

    rank = 0
    pool: Callable[..., Any] = staticmethod(ops.adaptive_average_pool)

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        sizes = (output_size,) * self.rank if isinstance(output_size, int) else output_size
        owner = f"{type(self).__name__} {self.name!r}"
        if not isinstance(sizes, (tuple, list)) or not all(isinstance(n, int) for n in sizes):
            raise TypeError(f"{owner}: `output_size` should be an integer or {self.rank} of them, in a tuple. "
                            f"Received: output_size={output_size!r}")  # fmt: skip
        if len(sizes) != self.rank or min(sizes) < 1:
            raise ValueError(f"{owner}: `output_size` should be a positive integer or {self.rank} of them. "
                             f"Received: output_size={output_size!r}")  # fmt: skip
        self.output_size = tuple(sizes)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        return self.pool(inputs, self.output_size, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_size": self.output_size, "data_format": self.data_format}


@export("keras.layers.AdaptiveAveragePooling1D")
class AdaptiveAveragePooling1D(AdaptivePooling):
    """Means over evenly laid windows of a sequence (n, steps, c); arguments as :class:`AdaptivePooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AdaptiveAveragePooling1D(4)(deepkit.ops.ones((2, 10, 3))).shape
        (2, 4, 3)
    """

    rank = 1


@export("keras.layers.AdaptiveAveragePooling2D")
class AdaptiveAveragePooling2D(AdaptivePooling):
    """Means over evenly laid windows of images (n, height, width, c); arguments as :class:`AdaptivePooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AdaptiveAveragePooling2D((4, 2))(deepkit.ops.ones((2, 9, 9, 3))).shape
        (2, 4, 2, 3)
    """

    rank = 2


@export("keras.layers.AdaptiveAveragePooling3D")
class AdaptiveAveragePooling3D(AdaptivePooling):
    """Means over evenly laid windows of volumes (n, depth, height, width, c); arguments as :class:`AdaptivePooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AdaptiveAveragePooling3D(2)(deepkit.ops.ones((2, 5, 4, 4, 3))).shape
        (2, 2, 2, 2, 3)
    """

    rank = 3


@export("keras.layers.AdaptiveMaxPooling1D")
class AdaptiveMaxPooling1D(AdaptivePooling):
    """Maxima over evenly laid windows of a sequence (n, steps, c); arguments as :class:`AdaptivePooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AdaptiveMaxPooling1D(4)(deepkit.ops.ones((2, 10, 3))).shape
        (2, 4, 3)
    """

    rank = 1
    pool = staticmethod(ops.adaptive_max_pool)


@export("keras.layers.AdaptiveMaxPooling2D")
class AdaptiveMaxPooling2D(AdaptivePooling):
    """Maxima over evenly laid windows of images (n, height, width, c); arguments as :class:`AdaptivePooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AdaptiveMaxPooling2D((4, 2))(deepkit.ops.ones((2, 9, 9, 3))).shape
        (2, 4, 2, 3)
    """

    rank = 2
    pool = staticmethod(ops.adaptive_max_pool)


@export("keras.layers.AdaptiveMaxPooling3D")
class AdaptiveMaxPooling3D(AdaptivePooling):
    """Maxima over evenly laid windows of volumes (n, depth, height, width, c); arguments as :class:`AdaptivePooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AdaptiveMaxPooling3D(2)(deepkit.ops.ones((2, 5, 4, 4, 3))).shape
        (2, 2, 2, 2, 3)
    """

    rank = 3
    pool = staticmethod(ops.adaptive_max_pool)


__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
]  # fmt: skip
