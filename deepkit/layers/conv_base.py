"""What all convolution layers share: their arguments, weights, activation and configuration."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, ops, regularizers
from ..config import standardize_data_format
from ..ops.spatial import channels_first, channels_last, check_padding, check_steps
from ..utils.windows import output_sizes, size_tuple
from .layer import InputSpec, Layer


class BaseConv(Layer):
    """Base of the convolution layers.

    Attributes:
        rank: Number of spatial dimensions; 0 takes it from ``kernel_size``.
        prefixes: Names of the kernels, which their initializer, regularizer and constraint arguments begin with.
        paddings: Values that ``padding`` may have.
    """

    rank = 0
    prefixes: tuple[str, ...] = ("kernel",)
    paddings: tuple[str, ...] = ("valid", "same")

    def configure(
        self,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        **parts: Any,
    ) -> None:
        """Check and keep the common arguments; ``parts`` are the initializers, regularizers and constraints."""
        kind = type(self).__name__
        self.kernel_size = size_tuple(kernel_size, self.rank, "kernel_size", kind)
        self.strides = size_tuple(strides, self.rank, "strides", kind)
        self.dilation_rate = size_tuple(dilation_rate, self.rank, "dilation_rate", kind)
        check_steps(kind, self.strides, self.dilation_rate)
        self.padding = check_padding(kind, padding, self.paddings)
        self.data_format = standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        modules = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}
        for key, value in parts.items():
            setattr(self, key, modules[key.rpartition("_")[2]].get(value))
        self.channel_axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._channels_first = self.channel_axis == 1
        fused = activations.fusible_name(self.activation)
        # A fused softmax runs over the channels, which are not the last axis in the other layout.
        self._fused = None if fused == "softmax" and self._channels_first else fused
        linear = self._fused is not None or self.activation is activations.linear
        self._separate = None if linear else self.activation

    def channels_of(self, input_shape: Any) -> int:
        """Number of input channels; from now on the input must have as many.

        Raises:
            ValueError: if it isn't known.
        """
        channels = input_shape[self.channel_axis]
        if channels is None:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: the number of channels, axis {self.channel_axis} of the input "
                f"with data_format={self.data_format!r}, must be known. Received an input of shape "
                f"{tuple(input_shape)}; give it in Input(shape=...)."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: channels})
        return channels

    def check_windows(self, input_shape: Any) -> None:
        """Refuse inputs, as far as their size is known, that no window fits into.

        Raises:
            ValueError: naming the layer and the shapes.
        """
        spatial = tuple(input_shape[2:] if self._channels_first else input_shape[1:-1])
        owner = f"{type(self).__name__} {self.name!r}"
        output_sizes(spatial, self.kernel_size, self.strides, self.dilation_rate, self.padding, owner)

    def add_kernel(self, shape: Any, prefix: str = "kernel", name: str | None = None) -> Any:
        """A kernel, with the initializer, regularizer and constraint that begin with ``prefix``."""
        return self.add_weight(
            shape,
            getattr(self, f"{prefix}_initializer"),
            name=name or prefix,
            regularizer=getattr(self, f"{prefix}_regularizer"),
            constraint=getattr(self, f"{prefix}_constraint"),
        )

    def add_bias(self, channels: int) -> Any:
        """The bias, or ``None`` without one."""
        return self.add_kernel((channels,), "bias") if self.use_bias else None

    def apply(self, op: Any, x: Any, w: Any, b: Any, **how: Any) -> Any:
        """The fused op ``op(x, w, b)``, in either layout, and the activation."""
        if self._channels_first:
            y = channels_first(op(channels_last(x), w, b, act=self._fused, **how))
        else:
            y = op(x, w, b, act=self._fused, **how)
        return y if self._separate is None else self._separate(y)

    def computable(self, x: Any) -> Any:
        """``x`` in the compute dtype; images often come as integers."""
        return x if x.dtype == self.compute_dtype else ops.cast(x, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }
        for prefix in (*self.prefixes, "bias"):
            config[f"{prefix}_initializer"] = initializers.serialize(getattr(self, f"{prefix}_initializer"))
            config[f"{prefix}_regularizer"] = regularizers.serialize(getattr(self, f"{prefix}_regularizer"))
            config[f"{prefix}_constraint"] = constraints.serialize(getattr(self, f"{prefix}_constraint"))
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config
