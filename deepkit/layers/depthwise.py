"""Depthwise and separable convolution layers in 1 and 2 dimensions."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops.conv import convolution
from ..registry import export
from ..utils.signatures import with_defaults
from .conv_base import BaseConv
from .core import positive_int


def grouped(kernel: Any) -> Any:
    """A depthwise kernel (*size, c, m) as that of a convolution in c groups, (*size, 1, c * m)."""
    *size, channels, multiplier = kernel.shape
    return ops.reshape(kernel, (*size, 1, channels * multiplier))


class DepthwiseConv(BaseConv):
    """Convolution of each channel with filters of its own: activation(x * kernel + bias).

    The kernel is (*kernel_size, c_in, depth_multiplier); output channel c · depth_multiplier + j is filter j of input
    channel c. With channels last, the input is (n, *spatial, c_in) and the output (n, *out, c_in · depth_multiplier).

    Args:
        kernel_size: Window size, one integer or one a dimension.
        strides: Step between windows.
        padding: ``"valid"`` or ``"same"``.
        depth_multiplier: Filters a channel.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        dilation_rate: Step between the elements of a window.
        activation: Activation; linear by default.
        use_bias: Whether to add a bias.
        depthwise_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        depthwise_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: as :class:`Conv`.
    """

    prefixes = ("depthwise",)

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = positive_int(depth_multiplier, "depth_multiplier", type(self).__name__)
        self.configure(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.check_windows(input_shape)
        self.kernel = self.add_kernel(
            (*self.kernel_size, channels, self.depth_multiplier), "depthwise", "kernel"
        )
        self.bias = self.add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        return self.apply(
            convolution,
            self.computable(inputs),
            grouped(self.kernel),
            self.bias,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


@export("keras.layers.DepthwiseConv1D")
class DepthwiseConv1D(DepthwiseConv):
    """Depthwise convolution over a sequence; arguments as :class:`DepthwiseConv`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.DepthwiseConv1D(3, depth_multiplier=2)(deepkit.ops.ones((2, 8, 3))).shape
        (2, 6, 6)
    """

    rank = 1


@export("keras.layers.DepthwiseConv2D")
@with_defaults(strides=(1, 1), dilation_rate=(1, 1))
class DepthwiseConv2D(DepthwiseConv):
    """Depthwise convolution over images; arguments as :class:`DepthwiseConv`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.DepthwiseConv2D(3, padding="same")(deepkit.ops.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    rank = 2


class SeparableConv(BaseConv):
    """A depthwise convolution, then one of window size 1 that mixes the channels (Chollet 2017, arXiv:1610.02357).

    activation(x *depthwise d * p + bias), with d (*kernel_size, c_in, depth_multiplier) and
    p (1, ..., 1, c_in · depth_multiplier, filters): far fewer weights and products than a full kernel.

    Args:
        filters: Number of output channels.
        kernel_size: Window size, one integer or one a dimension.
        strides: Step between windows.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        dilation_rate: Step between the elements of a window.
        depth_multiplier: Filters a channel in the depthwise part.
        activation: Activation; linear by default.
        use_bias: Whether to add a bias.
        depthwise_initializer: Initializer of the depthwise kernel.
        pointwise_initializer: Initializer of the pointwise kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel.
        pointwise_regularizer: Regularizer of the pointwise kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        depthwise_constraint: Constraint on the depthwise kernel.
        pointwise_constraint: Constraint on the pointwise kernel.
        bias_constraint: Constraint on the bias.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: as :class:`Conv`.
    """

    prefixes = ("depthwise", "pointwise")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int(filters, "filters", type(self).__name__)
        self.depth_multiplier = positive_int(depth_multiplier, "depth_multiplier", type(self).__name__)
        self.configure(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.check_windows(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self.add_kernel(shape, "depthwise", "depthwise_kernel")
        shape = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self.add_kernel(shape, "pointwise", "pointwise_kernel")
        self.bias = self.add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        return self.apply(self._both, self.computable(inputs), self.pointwise_kernel, self.bias)

    def _both(self, x: Any, pointwise: Any, bias: Any, act: str | None) -> Any:
        x = convolution(
            x,
            grouped(self.depthwise_kernel),
            None,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
        )
        return convolution(x, pointwise, bias, act=act)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "depth_multiplier": self.depth_multiplier}


@export("keras.layers.SeparableConv1D", "keras.layers.SeparableConvolution1D")
class SeparableConv1D(SeparableConv):
    """Separable convolution over a sequence; arguments as :class:`SeparableConv`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.SeparableConv1D(4, 3)(deepkit.ops.ones((2, 8, 3))).shape
        (2, 6, 4)
    """

    rank = 1


@export("keras.layers.SeparableConv2D", "keras.layers.SeparableConvolution2D")
@with_defaults(strides=(1, 1), dilation_rate=(1, 1))
class SeparableConv2D(SeparableConv):
    """Separable convolution over images; arguments as :class:`SeparableConv`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.SeparableConv2D(4, 3, strides=2)(deepkit.ops.ones((2, 9, 9, 3))).shape
        (2, 4, 4, 4)
    """

    rank = 2


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D

__all__ = [
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D",
    "SeparableConvolution2D",
]  # fmt: skip
