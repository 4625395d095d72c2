"""Resampling by separable kernels: a matrix of weights along the height and one along the width."""

from __future__ import annotations

import functools
from math import pi
from typing import Any, Callable, Sequence

import numpy as np

from ...autograd.dtypes import is_float, np_dtype
from ...autograd.spec import Spec
from ...autograd.tape import paused
from .. import elementwise as e
from ..creation import arange, cast, convert_to_tensor
from ..index import take, where
from ..math import saturate_cast
from ..padding import pad
from ..reduce import sum as _sum
from .layout import along, axes_of, choice, symbolic


def _triangle(x: Any) -> Any:
    return e.maximum(1 - x, 0.0)


def _cubic(x: Any) -> Any:
    """The kernel of Keys (1981) with a = -1/2."""
    near = ((1.5 * x - 2.5) * x) * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return where(x >= 2.0, 0.0, where(x >= 1.0, far, near))


def _lanczos(radius: float, x: Any) -> Any:
    """sinc(x) sinc(x / radius) within the radius."""
    safe = where(x > 1e-3, x, 1.0)
    y = radius * e.sin(pi * safe) * e.sin(pi / radius * safe) / (pi * pi * safe * safe)
    return where(x > radius, 0.0, where(x > 1e-3, y, 1.0))


def _mitchell(x: Any) -> Any:
    near = (7.0 * x - 12.0) * x * x + 16.0 / 3.0
    far = ((-7.0 / 3.0 * x + 12.0) * x - 20.0) * x + 32.0 / 3.0
    return where(x >= 2.0, 0.0, where(x >= 1.0, far, near)) / 6.0


def _gaussian(x: Any) -> Any:
    return where(x >= 1.5, 0.0, e.exp(-2.0 * x * x))


_KERNELS: dict[str, Callable[[Any], Any]] = {
    "bilinear": _triangle, "bicubic": _cubic,
    "lanczos3": functools.partial(_lanczos, 3.0), "lanczos5": functools.partial(_lanczos, 5.0),
}  # fmt: skip
#: Further ones, which data sets of images offer: Mitchell & Netravali (1988) with b = c = 1/3, and exp(-2x²).
_FURTHER: dict[str, Callable[[Any], Any]] = {"mitchellcubic": _mitchell, "gaussian": _gaussian}
_METHODS = {"linear": "bilinear", "trilinear": "bilinear", "cubic": "bicubic", "tricubic": "bicubic"}
_METHODS |= {name: name for name in _KERNELS}


def _weights(m: int, n: int, scale: Any, shift: Any, method: str, antialias: bool) -> Any:
    """(m, n): the share of each of m old pixels in each of n new ones, in the dtype of ``scale``.

    Pixel i is at i + ½. The new pixel at u takes from (u - shift) / scale; with ``antialias`` the kernel is
    stretched when it shrinks, so that all old pixels have a share. Each column sums to one, or is zero where the
    new pixel lies outside the old image.
    """
    dtype = scale.dtype
    step = 1.0 / scale
    at = (arange(n, dtype=dtype) + 0.5) * step - shift * step - 0.5
    distance = e.abs(at[None, :] - arange(m, dtype=dtype)[:, None])
    w = (_KERNELS | _FURTHER)[method](distance / e.maximum(step, 1.0) if antialias else distance)
    total = _sum(w, axis=0, keepdims=True)
    kept = (e.abs(total) > 1000 * float(np.finfo("float32").eps)) & ((at >= -0.5) & (at <= m - 0.5))[None, :]
    return where(kept, w / where(kept, total, 1.0), 0.0)


@functools.lru_cache(maxsize=64)
def _resize_weights(m: int, n: int, method: str, antialias: bool) -> np.ndarray:
    if method == "area":  # the share of each old pixel in the area of each new one
        old, new = np.arange(m)[:, None], np.arange(n)[None, :] * (m / n)
        return np.maximum(np.minimum(new + m / n, old + 1) - np.maximum(new, old), 0) * (n / m)
    with paused():
        w = _weights(m, n, convert_to_tensor(n / m, "float64"), 0.0, method, antialias).numpy()
    w.setflags(write=False)
    return w


@functools.lru_cache(maxsize=64)
def _taps(m: int, n: int, method: str, antialias: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """The columns of the weights as positions and values: the first that isn't zero of each column, the next, ..."""
    w = _resize_weights(m, n, method, antialias)
    count = int((w != 0).sum(axis=0).max(initial=1))
    first = np.minimum((w != 0).argmax(axis=0), max(m - count, 0))
    return [((first + i).astype("int32"), w[first + i, np.arange(n)]) for i in range(min(count, m))]


def _resize_axis(x: Any, n: int, axis: int, method: str, antialias: bool) -> Any:
    m = x.shape[axis]
    if m == n:
        return x
    if method == "nearest":
        at = (np.arange(n, dtype="float32") + np.float32(0.5)) * np.float32(m) / np.float32(n)
        return take(x, np.floor(at).astype("int32"), axis=axis)
    taps = _taps(m, n, method, antialias)
    few = len(taps) <= 2 or (len(taps) <= 6 and n < m)
    w = convert_to_tensor(_resize_weights(m, n, method, antialias), x.dtype)
    return along(x, w, axis=axis, taps=taps if few else None)


def _check_resize(images: Any, size: Any, interpolation: str, crop: bool, pad_: bool, fill_mode: str) -> None:
    if len(size) != 2 or min(size) <= 0:
        raise ValueError(f"Argument 'size' must be (height, width), both positive; received {size!r}.")
    choice("interpolation", interpolation, ("nearest", *_KERNELS))
    if fill_mode != "constant":
        raise ValueError(f"Argument 'fill_mode' must be 'constant'; received {fill_mode!r}.")
    if crop and pad_:
        raise ValueError("Only one of 'crop_to_aspect_ratio' and 'pad_to_aspect_ratio' can be True.")


def _resize_infer(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: str | None = None,
) -> Spec:  # fmt: skip
    _check_resize(images, size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    height, width, _ = axes_of(images, data_format)
    shape = list(images.shape)
    shape[height], shape[width] = size
    return Spec(shape, images.dtype)


@symbolic(_resize_infer)
def resize(
    images: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images at another size: Wₕᵀ X W_w, a matrix of weights for each side.

    Pixel centers are at half-integers, so corners are aligned with corners. Integer images are rounded and
    clipped to their dtype.

    Args:
        images: Image or batch of images.
        size: (height, width) of the result.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"`` (Keys 1981, a = -1/2), ``"lanczos3"`` or
            ``"lanczos5"``.
        antialias: Widen the kernel when the image shrinks, so that every pixel counts.
        crop_to_aspect_ratio: First cut the middle of the image that has the new aspect ratio.
        pad_to_aspect_ratio: First pad the image evenly to the new aspect ratio.
        fill_mode: ``"constant"``.
        fill_value: Value of the padding.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        Tensor of the images' dtype.

    Raises:
        ValueError: for a wrong rank, a size that isn't two positive numbers, an unknown interpolation, or both
            ways to keep the aspect ratio.

    Example:
        >>> resize([[[1.0], [3.0]]], (1, 4))[0, :, 0]
        Tensor([1. , 1.5, 2.5, 3. ], dtype=float32)
    """
    _check_resize(images, size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    return resampled(images, size, interpolation, antialias, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_value,
                     data_format)  # fmt: skip


def resampled(
    images: Any, size: Sequence[int], interpolation: str, antialias: bool = False, crop: bool = False,
    pad_: bool = False, fill_value: float = 0.0, data_format: str | None = None,
) -> Any:  # fmt: skip
    """:func:`resize` with checked arguments; ``interpolation`` may also be ``"area"``, ``"gaussian"`` or
    ``"mitchellcubic"``."""
    images = convert_to_tensor(images)
    row, column, _ = axes_of(images, data_format)
    height, width = images.shape[row], images.shape[column]
    target_height, target_width = (int(n) for n in size)
    wide, high = width * target_height / target_width, height * target_width / target_height
    if crop:
        keep_height, keep_width = max(min(height, int(wide)), 1), max(min(width, int(high)), 1)
        top, left = (height - keep_height) // 2, (width - keep_width) // 2
        index = [slice(None)] * len(images.shape)
        index[row], index[column] = slice(top, top + keep_height), slice(left, left + keep_width)
        images = images[tuple(index)]
    elif pad_:
        margins = [(0, 0)] * len(images.shape)
        margins[row] = (max(int(wide) - height, 0) // 2,) * 2
        if margins[row] == (0, 0):
            margins[column] = (max(int(high) - width, 0) // 2,) * 2
        images = pad(images, margins, constant_values=fill_value)
    if interpolation == "nearest":
        moved = images
    else:
        moved = images if is_float(images.dtype) else cast(images, "float32")
    # The axis that shrinks most goes first: the other product then has less to do.
    order = [(target_height / max(height, 1), target_height, row), (target_width / max(width, 1), target_width, column)]
    for _, n, axis in sorted(order):
        moved = _resize_axis(moved, n, axis, interpolation, antialias)
    if moved.dtype == images.dtype:
        return moved
    return saturate_cast(e.round(moved), images.dtype)


def _scale_infer(images: Any, output_shape: Any, *args: Any, **kwargs: Any) -> Spec:
    return Spec(tuple(output_shape), images.dtype if is_float(np_dtype(images.dtype)) else "float32")


@symbolic(_scale_infer)
def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Any:
    """Images scaled, then moved: what was at x is at scale · x + translation, with pixel i at i + ½.

    Differentiable in the images, the scale and the translation. New pixels from outside of the image are zero.

    Args:
        images: Tensor of any rank.
        output_shape: Shape of the result, of the same rank.
        scale: Factor of each of ``spatial_dims``, (d,).
        translation: Way of each of ``spatial_dims`` in new pixels, (d,).
        spatial_dims: The axes to scale.
        method: ``"linear"``, ``"cubic"``, ``"lanczos3"`` or ``"lanczos5"``; also with ``bi`` or ``tri`` before it.
        antialias: Widen the kernel where the image shrinks.

    Raises:
        ValueError: for an unknown method, or shapes that don't fit.

    Example:
        >>> scale_and_translate([1.0, 2.0, 3.0], (3,), [1.0], [1.0], [0], "linear")
        Tensor([0., 1., 2.], dtype=float32)
    """
    choice("method", method, _METHODS)
    images = convert_to_tensor(images)
    images = images if is_float(images.dtype) else cast(images, "float32")
    scale, translation = convert_to_tensor(scale), convert_to_tensor(translation)
    if len(output_shape) != len(images.shape):
        raise ValueError(f"Argument 'output_shape' must have {len(images.shape)} sizes; received {output_shape!r}.")
    for name, value in (("scale", scale), ("translation", translation)):
        if tuple(value.shape) != (len(spatial_dims),):
            raise ValueError(f"Argument {name!r} must have one number for each of {len(spatial_dims)} spatial_dims; "
                             f"received shape {tuple(value.shape)}.")  # fmt: skip
    scale, translation = (v if is_float(v.dtype) else cast(v, "float32") for v in (scale, translation))
    for i, axis in enumerate(spatial_dims):
        w = _weights(images.shape[axis], int(output_shape[axis]), scale[i], translation[i], _METHODS[method], antialias)
        images = along(images, cast(w, images.dtype), axis=axis)
    return images


__all__ = ["resampled", "resize", "scale_and_translate"]
