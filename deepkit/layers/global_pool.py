"""Pooling over all positions: one number for each channel."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..registry import export
from .layer import InputSpec, Layer, makes_no_mask


class GlobalPooling(Layer):
    """Base of the global pooling layers.

    With channels last, the input is (n, *spatial, c) and the output (n, c), or (n, 1, ..., 1, c) with ``keepdims``.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        keepdims: Keep the spatial axes, with size 1.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if the input has another rank.
    """

    rank = 0

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = bool(keepdims)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        first = 1 if self.data_format == "channels_last" else 2
        self._axes = tuple(range(first, first + self.rank))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalAveragePooling(GlobalPooling):
    """Mean over all positions (Lin et al. 2014, arXiv:1312.4400)."""

    def call(self, inputs: Any) -> Any:
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling(GlobalPooling):
    """Maximum over all positions."""

    def call(self, inputs: Any) -> Any:
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


@export("keras.layers.GlobalAveragePooling1D", "keras.layers.GlobalAvgPool1D")
class GlobalAveragePooling1D(GlobalAveragePooling):
    """Mean over the steps of a sequence (n, steps, c), those that aren't masked; arguments as :class:`GlobalPooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.GlobalAveragePooling1D()([[[1.0], [3.0]]])
        Tensor([[2.]], dtype=float32)
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        steps = self._axes[0]
        # (n, steps) to (n, steps, 1), or (n, 1, steps) with the channels first
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), 3 - steps)
        total = ops.sum(inputs * weights, axis=steps, keepdims=self.keepdims)
        return total / ops.sum(weights, axis=steps, keepdims=self.keepdims)

    @makes_no_mask
    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None


@export("keras.layers.GlobalAveragePooling2D", "keras.layers.GlobalAvgPool2D")
class GlobalAveragePooling2D(GlobalAveragePooling):
    """Mean over the pixels of images (n, height, width, c); arguments as :class:`GlobalPooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.GlobalAveragePooling2D()(deepkit.ops.ones((2, 4, 4, 3))).shape
        (2, 3)
    """

    rank = 2


@export("keras.layers.GlobalAveragePooling3D", "keras.layers.GlobalAvgPool3D")
class GlobalAveragePooling3D(GlobalAveragePooling):
    """Mean over the voxels of volumes (n, depth, height, width, c); arguments as :class:`GlobalPooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.GlobalAveragePooling3D(keepdims=True)(deepkit.ops.ones((2, 4, 4, 4, 3))).shape
        (2, 1, 1, 1, 3)
    """

    rank = 3


@export("keras.layers.GlobalMaxPooling1D", "keras.layers.GlobalMaxPool1D")
class GlobalMaxPooling1D(GlobalMaxPooling):
    """Maximum over the steps of a sequence (n, steps, c); arguments as :class:`GlobalPooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.GlobalMaxPooling1D()([[[1.0], [3.0]]])
        Tensor([[3.]], dtype=float32)
    """

    rank = 1


@export("keras.layers.GlobalMaxPooling2D", "keras.layers.GlobalMaxPool2D")
class GlobalMaxPooling2D(GlobalMaxPooling):
    """Maximum over the pixels of images (n, height, width, c); arguments as :class:`GlobalPooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.GlobalMaxPooling2D()(deepkit.ops.ones((2, 4, 4, 3))).shape
        (2, 3)
    """

    rank = 2


@export("keras.layers.GlobalMaxPooling3D", "keras.layers.GlobalMaxPool3D")
class GlobalMaxPooling3D(GlobalMaxPooling):
    """Maximum over the voxels of volumes (n, depth, height, width, c); arguments as :class:`GlobalPooling`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.GlobalMaxPooling3D()(deepkit.ops.ones((2, 4, 4, 4, 3))).shape
        (2, 3)
    """

    rank = 3


GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D
)  # fmt: skip
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D

__all__ = [
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D", "GlobalAvgPool2D",
    "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D",
]  # fmt: skip
