"""Convolution layers in 1, 2 and 3 dimensions."""

from __future__ import annotations

from typing import Any

from ..ops.conv import convolution
from ..registry import export
from ..utils.signatures import with_defaults
from .conv_base import BaseConv
from .core import positive_int


class Conv(BaseConv):
    """Convolution layer: activation(x * kernel + bias), where ``*`` is a cross-correlation.

    The kernel is (*kernel_size, c_in / groups, filters), the bias (filters,). With channels last, the input is
    (n, *spatial, c_in) and the output (n, *out, filters), where along each dimension out is
    ⌊(size - (kernel_size - 1) dilation_rate - 1) / strides⌋ + 1 for padding "valid" and ⌈size / strides⌉ for "same".
    Products, bias and the common activations are one fused op.

    Args:
        filters: Number of output channels.
        kernel_size: Window size, one integer or one a dimension.
        strides: Step between windows.
        padding: ``"valid"`` (none) or ``"same"``; :class:`Conv1D` also takes ``"causal"``, zeros before the sequence
            only, so that no output looks ahead.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        dilation_rate: Step between the elements of a window (Yu & Koltun 2016, arXiv:1511.07122).
        groups: Number of groups into which channels and filters are cut, each convolved on its own.
        activation: Activation; linear by default.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if a size isn't a positive integer, ``strides`` and ``dilation_rate`` are both above 1, the groups
            don't divide filters or channels, the input has another rank or unknown channels, or no window fits into it.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        self.filters = positive_int(filters, "filters", kind)
        self.groups = positive_int(groups, "groups", kind)
        if self.filters % self.groups:
            raise ValueError(
                f"{kind}: the number of filters must be a multiple of the groups. "
                f"Received: filters={self.filters}, groups={self.groups}"
            )
        self.configure(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: the number of input channels must be a multiple of the groups. "
                f"Received: input shape {tuple(input_shape)} with {channels} channels, groups={self.groups}"
            )
        self.check_windows(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self.add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        return self.apply(
            convolution,
            self.computable(inputs),
            self.kernel,
            self.bias,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}


@export("keras.layers.Conv1D", "keras.layers.Convolution1D")
class Conv1D(Conv):
    """Convolution over a sequence (n, steps, c_in). Arguments, shapes and errors as :class:`Conv`.

    Example:
        >>> import deepkit
        >>> x = deepkit.ops.ones((2, 10, 3))
        >>> deepkit.layers.Conv1D(4, 3, padding="causal", dilation_rate=2)(x).shape
        (2, 10, 4)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


@export("keras.layers.Conv2D", "keras.layers.Convolution2D")
@with_defaults(strides=(1, 1), dilation_rate=(1, 1))
class Conv2D(Conv):
    """Convolution over images (n, height, width, c_in). Arguments, shapes and errors as :class:`Conv`.

    Example:
        >>> import deepkit
        >>> x = deepkit.ops.ones((2, 28, 28, 1))
        >>> deepkit.layers.Conv2D(32, (3, 3), activation="relu")(x).shape
        (2, 26, 26, 32)
    """

    rank = 2


@export("keras.layers.Conv3D", "keras.layers.Convolution3D")
@with_defaults(strides=(1, 1, 1), dilation_rate=(1, 1, 1))
class Conv3D(Conv):
    """Convolution over volumes (n, depth, height, width, c_in). Arguments, shapes and errors as :class:`Conv`.

    Example:
        >>> import deepkit
        >>> x = deepkit.ops.ones((2, 8, 8, 8, 1))
        >>> deepkit.layers.Conv3D(4, 3, strides=2, padding="same")(x).shape
        (2, 4, 4, 4, 4)
    """

    rank = 3


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D

__all__ = ["Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D"]
