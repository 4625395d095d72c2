"""Convolution: the fused op, and the functions built on it.

The ops are channels-last; ``channels_first`` input is transposed around them. What deep learning calls convolution is a
cross-correlation: y[i, o] = Σ_{t, c} x[i s + t d - lo, c] w[t, c, o] along each spatial dimension, with stride s,
dilation d and ``lo`` zeros of padding in front.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from ..autograd.op import Op, to_tensor
from ..autograd.spec import Spec
from ..config import standardize_data_format
from ..utils.windows import output_sizes, resolve_padding, size_tuple
from .linear import apply_activation, matmul
from .shape import concatenate, reshape
from .spatial import channels_first, channels_last, check_padding, padded, promoted, spatial_rank, under


class Conv(Op):
    """act(x * w + b); x (n, *spatial, c_in), w (*kernel, c_in / groups, c_out), b (c_out,) or None.

    Params: ``strides`` and ``dilation`` tuples, ``padding`` "valid", "same", "causal" or (lo, hi) pairs, ``act``
    the name of a fusible activation. The number of groups follows from the shapes.
    """

    def infer(
        self, x: Spec, w: Spec, b: Spec | None, strides: Any = None, padding: Any = "valid", dilation: Any = None,
        act: str | None = None,
    ) -> Spec:  # fmt: skip
        kernel = w.shape[:-2]
        _groups(x.shape, w.shape)
        ones = (1,) * len(kernel)
        out = output_sizes(x.shape[1:-1], kernel, strides or ones, dilation or ones, padding, "conv")  # type: ignore[arg-type]
        return Spec((x.shape[0], *out, w.shape[-1]), x.dtype)

    def forward(
        self, k: Any, x: Any, w: Any, b: Any, strides: Any = None, padding: Any = "valid", dilation: Any = None,
        act: str | None = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        kernel = w.shape[:-2]
        ones = (1,) * len(kernel)
        strides, dilation = strides or ones, dilation or ones
        groups = _groups(x.shape, w.shape)
        pads = resolve_padding(x.shape[1:-1], kernel, strides, dilation, padding, "conv")
        y = k.conv(x, w, b, strides, pads, dilation, groups, act)
        return y, (x, w, None if act is None else y, strides, pads, dilation, groups, act)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        x, w, y, strides, pads, dilation, groups, act = saved
        return k.conv_grad(x, w, y, g, strides, pads, dilation, groups, act, needs)

    def reference(
        self, x: Any, w: Any, b: Any, strides: Any = None, padding: Any = "valid", dilation: Any = None,
        act: str | None = None,
    ) -> Any:  # fmt: skip
        kernel, (inputs, outputs) = w.shape[:-2], w.shape[-2:]
        ones = (1,) * len(kernel)
        strides, dilation = strides or ones, dilation or ones
        pads = resolve_padding(x.shape[1:-1], kernel, strides, dilation, padding, "conv")
        out = output_sizes(x.shape[1:-1], kernel, strides, dilation, pads, "conv")
        x = padded(x, pads)
        groups = x.shape[-1] // inputs
        each = outputs // groups
        parts = []
        for group in range(groups):
            columns, rows = (
                slice(group * each, (group + 1) * each),
                slice(group * inputs, (group + 1) * inputs),
            )
            y = 0
            for tap in product(*map(range, kernel)):
                elements = x[under(tap, out, strides, dilation)]
                y = y + matmul(elements[..., rows], w[tap][:, columns])
            parts.append(y)
        y = parts[0] if groups == 1 else concatenate(parts, axis=-1)
        return apply_activation(y if b is None else y + b, act)


def _groups(shape: Any, kernel_shape: Any) -> int:
    """Number of groups of a convolution of an input and a kernel of these shapes, if they fit."""
    if len(shape) != len(kernel_shape):
        raise ValueError(
            f"conv: a kernel of shape {tuple(kernel_shape)} takes inputs of {len(kernel_shape)} axes (batch, "
            f"{len(kernel_shape) - 2} spatial, channels). Received an input of shape {tuple(shape)}."
        )
    channels, (inputs, outputs) = shape[-1], kernel_shape[-2:]
    if channels is None:
        raise ValueError("conv: the number of input channels must be known.")
    groups = channels // inputs if inputs else 0
    if not groups or channels % inputs or outputs % groups:
        raise ValueError(
            f"conv: a kernel of shape {tuple(kernel_shape)} (*kernel_size, input channels / groups, output channels) "
            f"doesn't fit an input of {channels} channels: both numbers of channels must be multiples of the groups."
        )
    return groups


convolution = Conv()


def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolution in 1, 2 or 3 dimensions; grouped if the kernel has fewer input channels than the input.

    Args:
        inputs: Tensor (n, *spatial, c_in), or (n, c_in, *spatial) if channels come first.
        kernel: Tensor (*kernel_size, c_in / groups, c_out).
        strides: Step between windows, one integer or one a dimension.
        padding: ``"valid"`` (none) or ``"same"`` (zeros, so that the output has ceil(size / stride) windows).
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        dilation_rate: Step between the elements of a window.

    Returns:
        Tensor (n, *out, c_out), or (n, c_out, *out).

    Raises:
        ValueError: if ranks or channels don't fit, or the window is larger than the input.

    Example:
        >>> from deepkit import ops
        >>> ops.conv(ops.ones((1, 4, 1)), ops.ones((2, 1, 1)))[0, :, 0]
        Tensor([2., 2., 2.], dtype=float32)
    """
    first = standardize_data_format(data_format) == "channels_first"
    x, w = promoted(inputs, kernel)
    rank = spatial_rank("conv", x)
    strides = size_tuple(strides, rank, "strides", "conv")
    dilation = size_tuple(dilation_rate, rank, "dilation_rate", "conv")
    padding = check_padding("conv", padding, ("valid", "same", "causal"))
    y = convolution(
        channels_last(x) if first else x, w, None, strides=strides, padding=padding, dilation=dilation
    )
    return channels_first(y) if first else y


def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolution of each channel with filters of its own.

    Args:
        inputs: Tensor (n, *spatial, c), or (n, c, *spatial) if channels come first.
        kernel: Tensor (*kernel_size, c, multiplier); output channel c * multiplier + j is filter j of channel c.
        strides: As in :func:`conv`, like the following.
        padding: ``"valid"`` or ``"same"``.
        data_format: Layout.
        dilation_rate: Step between the elements of a window.

    Raises:
        ValueError: as :func:`conv`.

    Example:
        >>> from deepkit import ops
        >>> ops.depthwise_conv(ops.ones((1, 4, 4, 3)), ops.ones((2, 2, 3, 2))).shape
        (1, 3, 3, 6)
    """
    w = kernel if isinstance(kernel, Spec) else to_tensor(kernel)
    shape: Any = w.shape
    flat = reshape(w, (*shape[:-2], 1, shape[-2] * shape[-1]))
    return conv(inputs, flat, strides, padding, data_format, dilation_rate)


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """A depthwise convolution, then one of window size 1 that mixes the channels (Chollet 2017, arXiv:1610.02357).

    Args:
        inputs: Tensor (n, *spatial, c), or (n, c, *spatial) if channels come first.
        depthwise_kernel: Tensor (*kernel_size, c, multiplier).
        pointwise_kernel: Tensor (1, ..., 1, c * multiplier, c_out).
        strides: As in :func:`conv`, like the following.
        padding: ``"valid"`` or ``"same"``.
        data_format: Layout.
        dilation_rate: Step between the elements of a window.

    Example:
        >>> from deepkit import ops
        >>> ops.separable_conv(ops.ones((1, 4, 3)), ops.ones((2, 3, 2)), ops.ones((1, 6, 5))).shape
        (1, 3, 5)
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format, 1)


__all__ = ["conv", "depthwise_conv", "separable_conv"]
