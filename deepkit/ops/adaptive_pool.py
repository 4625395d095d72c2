"""Pooling to a given size, whatever that of the input."""

from __future__ import annotations

import operator
from typing import Any

from ..autograd.op import Basic, Op, to_tensor
from ..autograd.spec import Spec
from ..config import standardize_data_format
from .arrange import take_along_axis
from .reduce import _floating
from .sorting import Plain


def _resized(x: Spec, axis: int, size: int) -> Spec:
    return Spec((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)


_average = Basic(
    "adaptive_average",
    _resized,
    lambda k, g, y, x, axis, size: k.adaptive_average_grad(g, axis, x.shape[axis]),
)
_average_grad = Basic(
    "adaptive_average_grad",
    _resized,
    lambda k, g, y, x, axis, size: k.adaptive_average(g, axis, x.shape[axis]),
)
_positions = Plain(
    "adaptive_positions",
    lambda x, axis, size: Spec(_resized(x, axis, size).shape, "int32"),
    lambda k, x, axis, size: k.adaptive_positions(x, axis, size),
)


def adaptive_average(x: Any, axis: int, size: int) -> Any:
    """Means of ``size`` windows along one axis."""
    return _average(x, axis=axis, size=size)


def adaptive_average_grad(g: Any, axis: int, size: int) -> Any:
    """The gradient of :func:`adaptive_average` over ``size`` elements, itself differentiable."""
    return _average_grad(g, axis=axis, size=size)


class AdaptiveMax(Op):
    """Largest elements of windows along one axis."""

    def infer(self, x: Spec, axis: int, size: int) -> Spec:
        return _resized(x, axis, size)

    def forward(self, k: Any, x: Any, axis: int, size: int) -> tuple[Any, Any]:
        y = k.adaptive_max(x, axis, size)
        return y, (x, y, axis)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        x, y, axis = saved
        return (k.adaptive_max_grad(x, y, g, axis),)

    def reference(self, x: Any, axis: int, size: int) -> Any:
        return take_along_axis(x, _positions(x, axis=axis, size=size), axis)


_max = AdaptiveMax()


def _largest(x: Any, axis: int, size: int) -> Any:
    return _max(x, axis=axis, size=size)


def _pool(name: str, along: Any, x: Any, output_size: Any, data_format: Any) -> Any:
    x = x if isinstance(x, Spec) else to_tensor(x)
    rank = len(x.shape) - 2
    if rank not in (1, 2, 3):
        raise ValueError(f"{name} takes a tensor of rank 3, 4 or 5, not shape {tuple(x.shape)}.")
    sizes = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * rank
    if len(sizes) != rank or any(operator.index(n) < 1 for n in sizes):
        raise ValueError(f"{name}: output_size must be a positive int or {rank} of them, not {output_size!r}.")
    first = 1 if standardize_data_format(data_format) == "channels_last" else 2
    for axis, size in enumerate(sizes, first):
        if x.shape[axis] == 0:
            raise ValueError(f"{name}: axis {axis} of shape {tuple(x.shape)} has no elements.")
        x = along(x, axis, operator.index(size))
    return x


def adaptive_average_pool(inputs: Any, output_size: Any, data_format: Any = None) -> Any:
    """Means over windows that are laid evenly, so that there are as many as asked for.

    Along an axis of n elements, window i of m goes from ⌊i n / m⌋ up to ⌈(i + 1) n / m⌉.

    Args:
        inputs: Tensor (batch, *spatial, channels) with 1 to 3 spatial axes, or (batch, channels, *spatial).
        output_size: Windows along each spatial axis: an int for all, or one each.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        A tensor (batch, *output_size, channels), or with the channels first.

    Raises:
        ValueError: for another rank, or sizes that aren't positive.

    Example:
        >>> adaptive_average_pool([[[1.0], [2.0], [3.0], [4.0], [5.0]]], 3)[0, :, 0]
        Tensor([1.5, 3. , 4.5], dtype=float32)
    """
    return _pool("adaptive_average_pool", adaptive_average, _floating(inputs), output_size, data_format)


def adaptive_max_pool(inputs: Any, output_size: Any, data_format: Any = None) -> Any:
    """Maxima over windows that are laid evenly; the gradient goes to the first largest element of each.

    Args:
        inputs: Tensor (batch, *spatial, channels) with 1 to 3 spatial axes, or (batch, channels, *spatial).
        output_size: Windows along each spatial axis: an int for all, or one each.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        A tensor (batch, *output_size, channels), or with the channels first.

    Raises:
        ValueError: for another rank, or sizes that aren't positive.

    Example:
        >>> adaptive_max_pool([[[1.0], [2.0], [3.0], [4.0], [5.0]]], 3)[0, :, 0]
        Tensor([2., 4., 5.], dtype=float32)
    """
    return _pool("adaptive_max_pool", _largest, inputs, output_size, data_format)


__all__ = ["adaptive_average", "adaptive_average_grad", "adaptive_average_pool", "adaptive_max_pool"]
