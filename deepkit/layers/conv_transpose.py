"""Transposed convolution layers in 1, 2 and 3 dimensions."""

from __future__ import annotations

from typing import Any

from ..ops.conv_transpose import transposed_convolution
from ..registry import export
from ..utils.signatures import with_defaults
from ..utils.windows import size_tuple
from .conv_base import BaseConv
from .core import positive_int


class ConvTranspose(BaseConv):
    """Transposed convolution: the gradient of a convolution used as a layer, which enlarges by its strides.

    The kernel is (*kernel_size, filters, c_in), the bias (filters,). With channels last, the input is
    (n, *spatial, c_in) and the output (n, *out, filters), where along each dimension out is size · strides for padding
    "same", and that + max(span - strides, 0) with span = (kernel_size - 1) dilation_rate + 1 for "valid"
    (Zeiler et al. 2010, "Deconvolutional networks").

    Args:
        filters: Number of output channels.
        kernel_size: Window size, one integer or one a dimension.
        strides: Factor by which each dimension grows.
        padding: ``"valid"`` or ``"same"``.
        output_padding: Elements by which the output exceeds (size - 1) strides + span (less 2 ⌊span / 2⌋ with padding
            "same"), each less than the stride; one integer or one a dimension.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        dilation_rate: Step between the elements of a window.
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
        ValueError: if an argument is out of range, or the input has another rank or unknown channels.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self.output_padding = None
        if output_padding is not None:
            extra = size_tuple(output_padding, self.rank, "output_padding", kind, least=0)
            if any(e >= s for e, s in zip(extra, self.strides)):
                raise ValueError(
                    f"{kind}: `output_padding` must be less than the stride along each dimension. "
                    f"Received: output_padding={extra}, strides={self.strides}"
                )
            self.output_padding = extra

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, self.filters, channels))
        self.bias = self.add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        return self.apply(
            transposed_convolution,
            self.computable(inputs),
            self.kernel,
            self.bias,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            output_padding=self.output_padding or (None,) * self.rank,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "output_padding": self.output_padding}


@export("keras.layers.Conv1DTranspose", "keras.layers.Convolution1DTranspose")
class Conv1DTranspose(ConvTranspose):
    """Transposed convolution over a sequence; arguments as :class:`ConvTranspose`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.Conv1DTranspose(4, 3, strides=2, padding="same")(deepkit.ops.ones((2, 5, 3))).shape
        (2, 10, 4)
    """

    rank = 1


@export("keras.layers.Conv2DTranspose", "keras.layers.Convolution2DTranspose")
@with_defaults(strides=(1, 1), dilation_rate=(1, 1))
class Conv2DTranspose(ConvTranspose):
    """Transposed convolution over images; arguments as :class:`ConvTranspose`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.Conv2DTranspose(4, 3, strides=2)(deepkit.ops.ones((2, 5, 5, 3))).shape
        (2, 11, 11, 4)
    """

    rank = 2


@export("keras.layers.Conv3DTranspose", "keras.layers.Convolution3DTranspose")
@with_defaults("data_format", "output_padding", strides=(1, 1, 1), dilation_rate=(1, 1, 1))
class Conv3DTranspose(ConvTranspose):
    """Transposed convolution over volumes; arguments as :class:`ConvTranspose`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.Conv3DTranspose(4, 2, strides=2)(deepkit.ops.ones((2, 3, 3, 3, 1))).shape
        (2, 6, 6, 6, 4)
    """

    rank = 3


Convolution1DTranspose, Convolution2DTranspose, Convolution3DTranspose = (
    Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
)  # fmt: skip

__all__ = [
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Convolution1DTranspose", "Convolution2DTranspose",
    "Convolution3DTranspose",
]  # fmt: skip
