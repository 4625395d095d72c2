"""Color spaces of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.dtypes import is_float
from ...autograd.spec import Spec
from .. import elementwise as e
from ..arrange import split
from ..creation import cast, convert_to_tensor
from ..index import where
from ..reduce import sum as _sum
from ..shape import concatenate
from .layout import axes_of, same, symbolic


def _gray_infer(images: Any, data_format: str | None = None) -> Spec:
    shape = list(images.shape)
    shape[_check_channels(images, data_format)] = 1
    return Spec(shape, images.dtype)


def _check_channels(images: Any, data_format: str | None) -> int:
    axis = axes_of(images, data_format)[2]
    if images.shape[axis] not in (1, 3):
        raise ValueError(f"Images must have 3 channels (RGB) or 1 (gray); received shape {tuple(images.shape)}.")
    return axis


@symbolic(_gray_infer)
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """The luma 0.2989 R + 0.5870 G + 0.1140 B of images (ITU-R BT.601); gray images stay as they are.

    Args:
        images: Image or batch of images with 3 channels, or 1.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        Tensor of the same dtype with one channel.

    Raises:
        ValueError: for another rank or number of channels.

    Example:
        >>> rgb_to_grayscale([[[1.0, 0.0, 0.0]]])
        Tensor([[[0.2989]]], dtype=float32)
    """
    images = convert_to_tensor(images)
    axis = _check_channels(images, data_format)
    if images.shape[axis] == 1:
        return images
    values = images if is_float(images.dtype) else cast(images, "float32")
    weights = np.array([0.2989, 0.5870, 0.1140]).reshape((3,) + (1,) * (-1 - axis))
    return cast(_sum(values * convert_to_tensor(weights, values.dtype), axis=axis, keepdims=True), images.dtype)


#: The distance of 1 from the next number.
_EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def _planes(images: Any, data_format: str | None) -> tuple[Any, Any, Any, int]:
    """The three channels of floating images, each with its axis, and that axis."""
    images = convert_to_tensor(images)
    axis = axes_of(images, data_format)[2]
    if not is_float(images.dtype):
        raise ValueError(f"Images must be of a floating dtype, with values from 0 to 1; received {images.dtype}.")
    if images.shape[axis] != 3:
        raise ValueError(f"Images must have 3 channels; received shape {tuple(images.shape)}.")
    return (*split(images, 3, axis=axis), axis)


@symbolic(same)
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """Hue, saturation and value, each from 0 to 1, of images in RGB (Smith 1978).

    The value is the largest channel, the saturation the range of the channels relative to it, and the hue the
    place on the color circle, red being 0, green 1/3 and blue 2/3.

    Args:
        images: Floating image or batch of images, with values from 0 to 1.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ValueError: for another rank, dtype or number of channels.

    Example:
        >>> rgb_to_hsv([[[0.0, 0.5, 0.0]]])[0, 0]
        Tensor([0.33333334, 1.        , 0.5       ], dtype=float32)
    """
    *planes, axis = _planes(images, data_format)
    tiny = _EPSILON[planes[0].dtype.name]
    r, g, b = (where(e.abs(x) < tiny, 0.0, x) for x in planes)
    value = e.maximum(e.maximum(r, g), b)
    spread = value - e.minimum(e.minimum(r, g), b)
    saturation = where(value > 0, spread / where(value > 0, value, 1.0), 0.0)
    sixth = 1.0 / (6.0 * where(spread > 0, spread, 1.0))
    hue = where(value == g, sixth * (b - r) + 2.0 / 6.0, sixth * (r - g) + 4.0 / 6.0)
    hue = where(value == r, sixth * (g - b), hue)
    hue = where(spread > 0, hue, 0.0) + cast(hue < 0.0, hue.dtype)
    return concatenate([hue, saturation, value], axis=axis)


@symbolic(same)
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """Images in RGB from hue, saturation and value: the inverse of :func:`rgb_to_hsv`.

    Args:
        images: Floating image or batch of images, with values from 0 to 1.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ValueError: for another rank, dtype or number of channels.

    Example:
        >>> hsv_to_rgb([[[0.0, 1.0, 0.5]]])[0, 0]
        Tensor([0.5, 0. , 0. ], dtype=float32)
    """
    hue, saturation, value, axis = _planes(images, data_format)
    place = e.mod(hue, 1.0) * 6.0
    shares = [e.abs(place - 3.0) - 1.0, 2.0 - e.abs(place - 2.0), 2.0 - e.abs(place - 4.0)]
    clipped = [e.minimum(e.maximum(x, 0.0), 1.0) for x in shares]
    return concatenate([value * (1.0 - saturation + saturation * x) for x in clipped], axis=axis)


__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]
