"""Filters of images: each is a band of weights along the height and one along the width."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from ...autograd.dtypes import is_float
from ...autograd.spec import Spec
from .. import elementwise as e
from ..creation import arange, cast, convert_to_tensor
from ..index import take
from ..padding import pad
from ..reduce import mean as _mean
from ..reduce import sum as _sum
from ..shape import stack
from .layout import along, axes_of, channels_last, check_rank, same, symbolic


def _band(taps: Any, m: int, same_size: bool = True) -> Any:
    """(m, n): column j has the taps around row j, zeros beyond the ends; of ``n = m - len(taps) + 1`` full ones."""
    size = taps.shape[0]
    n = m if same_size else m - size + 1
    shift = (size - 1) // 2 if same_size else 0
    place = np.arange(m)[:, None] - np.arange(n)[None, :] + shift
    place = np.where((place >= 0) & (place < size), place, size).astype("int32")
    return take(pad(taps, [(0, 1)]), place, axis=0)


def _filter(x: Any, rows: tuple[int, Any], columns: tuple[int, Any], same_size: bool = True) -> Any:
    """Correlation of images with the outer product of two rows of taps, each with its axis."""
    for axis, taps in (rows, columns):
        x = along(x, cast(_band(taps, x.shape[axis], same_size), x.dtype), axis=axis)
    return x


def _gaussian(size: int, sigma: Any, dtype: Any) -> Any:
    x = (arange(size, dtype=dtype) - (size - 1) / 2) / sigma
    taps = e.exp(-0.5 * x * x)
    return taps / _sum(taps)


@symbolic(same)
def gaussian_blur(
    images: Any, kernel_size: Sequence[int] = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Any:
    """Images blurred by a Gaussian, exp(-(x/σ)²/2) over a few pixels with sum one; zeros lie beyond the edges.

    Differentiable in the images and in ``sigma``.

    Args:
        images: Image or batch of images.
        kernel_size: Pixels of the kernel along the width and along the height.
        sigma: Standard deviations in pixels along the width and along the height.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ValueError: for a wrong rank, or sizes that aren't two.

    Example:
        >>> gaussian_blur([[[0.0], [1.0], [0.0]]], (3, 1))[0, :, 0]
        Tensor([0.27406862, 0.45186275, 0.27406862], dtype=float32)
    """
    images, sigma = convert_to_tensor(images), convert_to_tensor(sigma)
    height, width, _ = axes_of(images, data_format)
    if len(kernel_size) != 2 or tuple(sigma.shape) != (2,):
        raise ValueError(f"Arguments 'kernel_size' and 'sigma' must be two numbers each; received {kernel_size!r} "
                         f"and sigma of shape {tuple(sigma.shape)}.")  # fmt: skip
    x = images if is_float(images.dtype) else cast(images, "float32")
    sigma = cast(sigma, x.dtype)
    across, down = (_gaussian(int(kernel_size[i]), sigma[i], x.dtype) for i in range(2))
    return cast(_filter(x, (height, down), (width, across)), images.dtype)


def _sobel_infer(images: Any, data_format: str | None = None) -> Spec:
    check_rank(images)
    return Spec((*images.shape, 2), images.dtype)


@symbolic(_sobel_infer)
def sobel_edges(images: Any, data_format: str | None = None) -> Any:
    """The slopes of images down and across, by the Sobel filter (1 2 1)ᵀ (-1 0 1) and its transpose.

    Args:
        images: Image or batch of images; zeros lie beyond their edges.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        Tensor of the images' shape and a last axis of size 2: dy and dx.

    Raises:
        ValueError: for another rank.

    Example:
        >>> sobel_edges([[[1.0], [2.0], [4.0]]])[0, 1, 0]
        Tensor([0., 6.], dtype=float32)
    """
    images = convert_to_tensor(images)
    height, width, _ = axes_of(images, data_format)
    slope, smooth = (convert_to_tensor(taps, images.dtype) for taps in ([-1, 0, 1], [1, 2, 1]))
    dy = _filter(images, (height, slope), (width, smooth))
    dx = _filter(images, (height, smooth), (width, slope))
    return stack([dy, dx], axis=-1)


@symbolic(lambda image1, *args, **kwargs: Spec(image1.shape[:-3], image1.dtype))
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Any:
    """Structural similarity of two images, 1 for equal ones (Wang et al. 2004).

    With means μ, variances σ² and covariance σ₁₂ within a Gaussian window at each place,
    (2μ₁μ₂ + c₁)(2σ₁₂ + c₂) / ((μ₁² + μ₂² + c₁)(σ₁² + σ₂² + c₂)), cᵢ = (kᵢ max_val)², is averaged over the places
    and channels.

    Args:
        image1: Image or batch of images.
        image2: Likewise, of the same shape.
        max_val: Largest possible value, such as 1 or 255.
        filter_size: Pixels of the window along each side.
        filter_sigma: Its standard deviation.
        k1: Constant that steadies the means.
        k2: Constant that steadies the variances.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        Tensor (batch,), or a scalar for one image.

    Raises:
        ValueError: for wrong ranks, shapes that differ, or images smaller than the window.

    Example:
        >>> image = arange(121.0)
        >>> ssim(image.reshape(11, 11, 1), image.reshape(11, 11, 1), max_val=121.0)
        Tensor(1., dtype=float32)
    """
    image1, image2 = convert_to_tensor(image1), convert_to_tensor(image2)
    for name, image in (("image1", image1), ("image2", image2)):
        check_rank(image, name)
    if tuple(image1.shape) != tuple(image2.shape):
        raise ValueError(f"Images must have one shape; received {tuple(image1.shape)} and {tuple(image2.shape)}.")
    dtype, batched = image1.dtype, len(image1.shape) == 4
    (x, _), (y, _) = (channels_last(image, data_format) for image in (image1, image2))
    x, y = (v if is_float(v.dtype) else cast(v, "float32") for v in (x, y))
    if min(x.shape[1:3]) < filter_size:
        raise ValueError(f"Images of {x.shape[1]}x{x.shape[2]} pixels are smaller than filter_size={filter_size}.")
    taps = _gaussian(filter_size, filter_sigma, x.dtype)

    def local(v: Any) -> Any:
        return _filter(v, (1, taps), (2, taps), same_size=False)

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean_x, mean_y = local(x), local(y)
    xx, yy, xy = mean_x * mean_x, mean_y * mean_y, mean_x * mean_y
    spread = local(x * x) - xx + local(y * y) - yy
    shared = local(x * y) - xy
    quality = (2.0 * xy + c1) * (2.0 * shared + c2) / ((xx + yy + c1) * (spread + c2))
    result = cast(_mean(quality, axis=(1, 2, 3)), dtype)
    return result if batched else result[0]


__all__ = ["gaussian_blur", "sobel_edges", "ssim"]
