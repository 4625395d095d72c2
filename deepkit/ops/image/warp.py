"""Images read at other places: affine and perspective maps, smooth random fields, any coordinates."""

from __future__ import annotations

from functools import reduce
from itertools import product
from operator import add, mul
from typing import Any, Callable, Sequence

import numpy as np

from ...autograd.dtypes import is_float
from ...autograd.spec import Spec
from .. import elementwise as e
from ..creation import arange, cast, convert_to_tensor, ones_like, zeros_like
from ..index import take
from ..linalg import solve
from ..shape import concatenate, expand_dims, moveaxis, reshape, stack
from .filters import gaussian_blur
from .layout import channels_last, choice, same, symbolic

_ORDERS = {"nearest": 0, "bilinear": 1}


def _mirror(i: Any, n: int) -> Any:
    """abcd -> ..cb abcd cb..: the last pixel isn't repeated."""
    return e.abs(e.mod(i + (n - 1), max(2 * (n - 1), 1)) - (n - 1))


#: What an index outside of 0..n-1 stands for.
_BEYOND: dict[str, Callable[[Any, int], Any]] = {
    "constant": lambda i, n: e.minimum(e.maximum(i, 0), n - 1),
    "nearest": lambda i, n: e.minimum(e.maximum(i, 0), n - 1),
    "wrap": lambda i, n: e.mod(i, n),
    "mirror": _mirror,
    "reflect": lambda i, n: e.floor_divide(_mirror(2 * i + 1, 2 * n + 1) - 1, 2),
}


def _round(x: Any) -> Any:
    """To the nearest integer, halves away from zero."""
    return e.sign(x) * e.floor(e.abs(x) + 0.5)


def _neighbors(at: Any, n: int, order: int, fill_mode: str) -> list[tuple[Any, Any]]:
    """The pixels along one axis that a coordinate takes from: their index and weight, 0 where there are none."""
    if order == 0:
        found = [(cast(_round(at), "int32"), None)]
    else:
        low = e.floor(at)
        index, share = cast(low, "int32"), at - low
        found = [(index, 1 - share), (index + 1, share)]
    if fill_mode == "constant":
        inside = [cast((i >= 0) & (i < n), at.dtype) for i, _ in found]
        found = [(i, v if w is None else w * v) for (i, w), v in zip(found, inside)]
    return [(_BEYOND[fill_mode](i, n), w) for i, w in found]


def _sample(planes: Any, base: Any, sizes: Sequence[int], at: Sequence[Any], order: int, mode: str, fill: Any) -> Any:
    """Interpolated columns of planes (channels, n): a grid of ``sizes`` starts at column ``base``.

    ``at`` has the coordinates in that grid, an axis each; the result is (channels, *at[0].shape).
    """
    dtype = planes.dtype
    if not is_float(dtype):
        planes, fill = cast(planes, "float32"), int(fill)  # the value as the dtype would hold it
    strides = [int(np.prod(sizes[i + 1 :])) for i in range(len(sizes))]
    parts, shares = [], []
    for corner in product(*(_neighbors(x, n, order, mode) for x, n in zip(at, sizes))):
        index = reduce(add, (i if s == 1 else i * s for (i, _), s in zip(corner, strides)), base)
        value = take(planes, index, axis=1)
        weights = [w for _, w in corner if w is not None]
        if weights:
            shares.append(reduce(mul, weights))
            value = value * cast(shares[-1], planes.dtype)
        parts.append(value)
    out = reduce(add, parts)
    if mode == "constant" and fill != 0:
        out = out + fill * cast(1 - reduce(add, shares), planes.dtype)
    return out if is_float(dtype) else cast(_round(out), dtype)


def _read(images: Any, x: Any, y: Any, interpolation: str, mode: str, fill: Any) -> Any:
    """(batch, height, width, channels) images at the columns x and rows y, each (batch or 1, ...)."""
    batch, height, width, channels = images.shape
    base = reshape(arange(batch, dtype="int32") * (height * width), (batch,) + (1,) * (len(x.shape) - 1))
    # Stacked rather than transposed, so that each plane is contiguous.
    planes = stack([reshape(images[..., i], (batch * height * width,)) for i in range(channels)])
    return moveaxis(_sample(planes, base, (height, width), (y, x), _ORDERS[interpolation], mode, fill), 0, -1)


def _grid(height: int, width: int, dtype: Any) -> tuple[Any, Any]:
    """The columns (1, 1, width) and rows (1, height, 1) of the pixels."""
    return reshape(arange(width, dtype=dtype), (1, 1, width)), reshape(arange(height, dtype=dtype), (1, height, 1))


def _floating(x: Any) -> Any:
    x = convert_to_tensor(x)
    return x if is_float(x.dtype) and x.dtype not in ("float16", "bfloat16") else cast(x, "float32")


@symbolic(lambda inputs, coordinates, *args, **kwargs: Spec(coordinates.shape[1:], inputs.dtype))
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: Any = 0
) -> Any:
    """A tensor read at any places, between its elements too.

    Differentiable in the inputs and, for ``order=1``, in the coordinates.

    Args:
        inputs: Tensor with d axes.
        coordinates: (d, ...): where to read, a row for each axis.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: What lies beyond the ends: ``"constant"`` (``fill_value``), ``"nearest"`` (aaaa|abcd|dddd),
            ``"wrap"`` (abcd|abcd|abcd), ``"mirror"`` (dcb|abcd|cba) or ``"reflect"`` (dcba|abcd|dcba).
        fill_value: Value beyond the ends with ``fill_mode="constant"``.

    Returns:
        Tensor of shape ``coordinates.shape[1:]`` and the inputs' dtype.

    Raises:
        ValueError: for another order or fill mode, or coordinates of another shape.

    Example:
        >>> map_coordinates([0.0, 10.0, 20.0], [[0.5, 1.25]], order=1)
        Tensor([ 5. , 12.5], dtype=float32)
    """
    inputs, coordinates = convert_to_tensor(inputs), _floating(coordinates)
    choice("order", order, (0, 1))
    choice("fill_mode", fill_mode, _BEYOND)
    if len(coordinates.shape) < 2 or coordinates.shape[0] != len(inputs.shape):
        raise ValueError(
            f"Argument 'coordinates' must be of rank 2 or more, with a row for each of the {len(inputs.shape)} axes "
            f"of the inputs; received shape {tuple(coordinates.shape)}."
        )
    at = [coordinates[i] for i in range(len(inputs.shape))]
    return _sample(reshape(inputs, (1, -1)), 0, tuple(inputs.shape), at, order, fill_mode, fill_value)[0]


@symbolic(same)
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Any:
    """Images whose pixel (x, y) is read at (a₀x + a₁y + a₂, b₀x + b₁y + b₂).

    Differentiable in the images and the transform.

    Args:
        images: Image or batch of images.
        transform: (8,) or (batch, 8): a₀, a₁, a₂, b₀, b₁, b₂ and two zeros.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: What lies beyond the image, as in :func:`map_coordinates`.
        fill_value: Value beyond the image with ``fill_mode="constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ValueError: for a wrong rank or shape, an unknown interpolation or fill mode.

    Example:
        >>> affine_transform([[[1.0], [2.0], [3.0]]], [1, 0, 1, 0, 1, 0, 0, 0])[0, :, 0]  # one to the left
        Tensor([2., 3., 0.], dtype=float32)
    """
    images, transform = convert_to_tensor(images), _floating(transform)
    choice("interpolation", interpolation, _ORDERS)
    choice("fill_mode", fill_mode, _BEYOND)
    if len(transform.shape) not in (1, 2) or transform.shape[-1] != 8:
        raise ValueError(f"Argument 'transform' must be (8,) or (batch, 8); received {tuple(transform.shape)}.")
    images, back = channels_last(images, data_format)
    transform = reshape(transform, (-1, 8))
    a0, a1, a2, b0, b1, b2 = (reshape(transform[:, i], (-1, 1, 1)) for i in range(6))
    x, y = _grid(images.shape[1], images.shape[2], transform.dtype)
    moved = _read(images, a0 * x + a1 * y + a2, b0 * x + b1 * y + b2, interpolation, fill_mode, fill_value)
    return back(moved)


def homography(start: Any, end: Any) -> Any:
    """h (batch, 8) of the map (x, y) -> (h₀x + h₁y + h₂, h₃x + h₄y + h₅) / (h₆x + h₇y + 1) from end to start."""
    u, v = start[..., 0], start[..., 1]
    x, y = end[..., 0], end[..., 1]
    zero, one = zeros_like(x), ones_like(x)
    for_u = stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=-1)
    for_v = stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=-1)
    return solve(concatenate([for_u, for_v], axis=1), expand_dims(concatenate([u, v], axis=-1), -1))[..., 0]


@symbolic(same)
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Any:
    """Images seen from elsewhere: the four start points come to lie at the four end points.

    Args:
        images: Image or batch of images.
        start_points: (4, 2) or (batch, 4, 2): x and y of four points.
        end_points: Where they go, of the same shape.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_value: Value beyond the image.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ValueError: for wrong ranks or shapes, or an unknown interpolation.

    Example:
        >>> corners = [[0, 0], [1, 0], [0, 1], [1, 1]]
        >>> turned = [[0, 1], [0, 0], [1, 1], [1, 0]]
        >>> image = [[[1.0], [2.0]], [[3.0], [4.0]]]
        >>> perspective_transform(image, corners, turned, interpolation="nearest")[..., 0]
        Tensor([[2., 4.],
               [1., 3.]], dtype=float32)
    """
    images = convert_to_tensor(images)
    start, end = _floating(start_points), _floating(end_points)
    choice("interpolation", interpolation, _ORDERS)
    for name, points in (("start_points", start), ("end_points", end)):
        if len(points.shape) not in (2, 3) or tuple(points.shape[-2:]) != (4, 2):
            raise ValueError(f"Argument {name!r} must be (4, 2) or (batch, 4, 2); received {tuple(points.shape)}.")
    if tuple(start.shape) != tuple(end.shape):
        raise ValueError(f"Arguments 'start_points' and 'end_points' must have one shape; received "
                         f"{tuple(start.shape)} and {tuple(end.shape)}.")  # fmt: skip
    images, back = channels_last(images, data_format)
    h = homography(reshape(start, (-1, 4, 2)), reshape(end, (-1, 4, 2)))
    h0, h1, h2, h3, h4, h5, h6, h7 = (reshape(h[:, i], (-1, 1, 1)) for i in range(8))
    x, y = _grid(images.shape[1], images.shape[2], h.dtype)
    depth = h6 * x + h7 * y + 1.0
    x, y = (h0 * x + h1 * y + h2) / depth, (h3 * x + h4 * y + h5) / depth
    return back(_read(images, x, y, interpolation, "constant", fill_value))


@symbolic(same)
def elastic_transform(
    images: Any,
    alpha: Any = 20.0,
    sigma: Any = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: Any = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Any:
    """Images pulled about by a smooth random field (Simard, Steinkraus & Platt 2003).

    Each pixel is read at its place plus α times noise of standard deviation σ that is blurred by a Gaussian of
    standard deviation σ; the two directions have noise of their own.

    Args:
        images: Image or batch of images; each image has its own field.
        alpha: Strength α.
        sigma: Smoothness σ in pixels.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: What lies beyond the image, as in :func:`map_coordinates`.
        fill_value: Value beyond the image with ``fill_mode="constant"``.
        seed: Integer or :class:`deepkit.random.SeedGenerator` for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ValueError: for a wrong rank, an unknown interpolation or fill mode, or σ that isn't positive.

    Example:
        >>> elastic_transform([[[1.0], [2.0]]], alpha=0.0, seed=1)[0, :, 0]
        Tensor([1., 2.], dtype=float32)
    """
    from ... import random

    images = convert_to_tensor(images)
    choice("interpolation", interpolation, _ORDERS)
    choice("fill_mode", fill_mode, _BEYOND)
    alpha, sigma = float(alpha), float(sigma)
    if not sigma > 0:
        raise ValueError(f"Argument 'sigma' must be positive; received {sigma}.")
    images, back = channels_last(images, data_format)
    batch, height, width, _ = images.shape
    noise = random.normal((batch, height, width, 2), stddev=sigma, dtype="float32", seed=seed)
    taps = int(6 * sigma) | 1
    field = gaussian_blur(noise, (taps, taps), (sigma, sigma), data_format="channels_last") * alpha
    x, y = _grid(height, width, "float32")
    return back(_read(images, x + field[..., 0], y + field[..., 1], interpolation, fill_mode, fill_value))


__all__ = ["affine_transform", "elastic_transform", "homography", "map_coordinates", "perspective_transform"]
