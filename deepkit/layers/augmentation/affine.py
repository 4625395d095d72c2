"""Affine maps of the plane: rotation, translation, zoom and shear."""

from __future__ import annotations

from math import pi
from typing import Any

from ... import ops, random
from ...registry import export
from .base import factor_range, pair
from .geometry import Geometric, around, corners


class _Affine(Geometric):
    """Reads pixel (x, y) of each image at (a₀x + a₁y + a₂, b₀x + b₁y + b₂), and moves boxes by the inverse of it."""

    def matrix(self, transformation: Any) -> Any:
        """a₀, a₁, a₂, b₀, b₁, b₂, 0, 0 for each image, (batch, 8)."""
        raise NotImplementedError

    def move(self, images: Any, transformation: Any, interpolation: str) -> Any:
        moved = ops.image.affine_transform(
            images, self.matrix(transformation), interpolation=interpolation, fill_mode=self.fill_mode,
            fill_value=self.fill_value, data_format=self.data_format,
        )  # fmt: skip
        return moved

    def move_boxes(self, boxes: Any, transformation: Any) -> Any:
        matrix = ops.cast(self.matrix(transformation), boxes.dtype)
        a0, a1, a2, b0, b1, b2 = (matrix[:, i, None, None] for i in range(6))
        x, y = corners(boxes)
        x, y = x - a2, y - b2
        determinant = a0 * b1 - a1 * b0
        determinant = ops.where(determinant == 0, 1e-7, determinant)  # a shear that leaves but a line of the image
        return around((b1 * x - a1 * y) / determinant, (a0 * y - b0 * x) / determinant)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fill_mode": self.fill_mode, "fill_value": self.fill_value,
                "interpolation": self.interpolation, "seed": self.seed}  # fmt: skip


def _matrix(a0: Any, a1: Any, a2: Any, b0: Any, b1: Any, b2: Any) -> Any:
    zero = ops.zeros_like(a0)
    return ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)


@export("keras.layers.RandomRotation")
class RandomRotation(_Affine):
    """Turns each image around its center by a random angle.

    Args:
        factor: Range of the angle in full turns within [-1, 1], or one number for [-factor, factor]; positive angles
            turn counterclockwise.
        fill_mode: What lies beyond the image: ``"reflect"`` (dcba|abcd|dcba), ``"wrap"`` (abcd|abcd|abcd),
            ``"nearest"`` (aaaa|abcd|dddd) or ``"constant"`` (``fill_value``).
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: Integer for repeatable draws.
        fill_value: Value beyond the image with ``fill_mode="constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> images = ops.reshape(ops.arange(4.0), (1, 2, 2, 1))
        >>> RandomRotation((0.5, 0.5), interpolation="nearest")(images).ravel().tolist()
        [3.0, 2.0, 1.0, 0.0]
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = self._factor(factor, (-1, 1))
        self._sampling(interpolation, fill_mode, fill_value)
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        lower, upper = self.factor
        angle = random.uniform((shape[0],), lower * 360, upper * 360, seed=seed)
        height, width = shape[self.height_axis], shape[self.width_axis]
        x, y = (width - 1) / 2, (height - 1) / 2
        cos, sin = ops.cos(angle * (pi / 180)), ops.sin(angle * (pi / 180))
        matrix = _matrix(cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos)
        return {"angle": angle, "rotation_matrix": matrix, "image_height": height, "image_width": width,
                "batch_size": shape[0], "input_shape": shape}  # fmt: skip

    def matrix(self, transformation: Any) -> Any:
        return transformation["rotation_matrix"]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


@export("keras.layers.RandomTranslation")
class RandomTranslation(_Affine):
    """Shifts each image by a random distance.

    Args:
        height_factor: Range of the shift down as shares of the height within [-1, 1], or one number for
            [-factor, factor].
        width_factor: Range of the shift to the right as shares of the width, likewise.
        fill_mode: What lies beyond the image, as for :class:`RandomRotation`.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: Integer for repeatable draws.
        fill_value: Value beyond the image with ``fill_mode="constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> layer = RandomTranslation(0.0, (0.5, 0.5), fill_mode="constant")
        >>> layer(ops.reshape([1.0, 2.0], (1, 1, 2, 1))).ravel().tolist()
        [0.0, 1.0]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = self._symmetric(height_factor, "height_factor")
        self.width_lower, self.width_upper = self._symmetric(width_factor, "width_factor")
        self._sampling(interpolation, fill_mode, fill_value)
        self._seeded(seed)

    def _symmetric(self, value: Any, argument: str) -> tuple[float, float]:
        return factor_range(value, (-1, 1), argument, type(self).__name__)

    def draw(self, shape: Any, seed: Any) -> Any:
        down = random.uniform((shape[0], 1), self.height_lower, self.height_upper, seed=seed)
        right = random.uniform((shape[0], 1), self.width_lower, self.width_upper, seed=seed)
        translations = ops.concatenate([right * shape[self.width_axis], down * shape[self.height_axis]], axis=1)
        return {"translations": translations, "input_shape": shape}

    def matrix(self, transformation: Any) -> Any:
        right, down = (transformation["translations"][:, i] for i in (0, 1))
        one, zero = ops.ones_like(right), ops.zeros_like(right)
        return _matrix(one, zero, -right, zero, one, -down)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


@export("keras.layers.RandomZoom")
class RandomZoom(_Affine):
    """Zooms each image around its center.

    Args:
        height_factor: Range of the height that is seen, less 1, within (-1, 1], or one number for [-factor, factor]:
            (0.2, 0.3) zooms out to 120 to 130 percent, (-0.3, -0.2) zooms in to 70 to 80 percent.
        width_factor: That of the width; ``None`` keeps the aspect ratio.
        fill_mode: What lies beyond the image, as for :class:`RandomRotation`.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: Integer for repeatable draws.
        fill_value: Value beyond the image with ``fill_mode="constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> images = ops.reshape(ops.arange(3.0), (1, 1, 3, 1))
        >>> RandomZoom((-0.5, -0.5))(images).ravel().tolist()
        [0.5, 1.0, 1.5]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = self._zoom(height_factor, "height_factor")
        if width_factor is not None:
            self.width_lower, self.width_upper = self._zoom(width_factor, "width_factor")
        self._sampling(interpolation, fill_mode, fill_value)
        self._seeded(seed)

    def _zoom(self, value: Any, argument: str) -> tuple[float, float]:
        lower, upper = factor_range(value, (-1, 1), argument, "RandomZoom")
        if -1 in (value if isinstance(value, (list, tuple)) else (value,)):
            raise ValueError(f"RandomZoom: the `{argument}` argument should be above -1, with which nothing would be "
                             f"seen. Received: {argument}={value!r}")  # fmt: skip
        return lower, upper

    def draw(self, shape: Any, seed: Any) -> Any:
        height = random.uniform((shape[0], 1), 1 + self.height_lower, 1 + self.height_upper, seed=seed)
        width = height
        if self.width_factor is not None:
            width = random.uniform((shape[0], 1), 1 + self.width_lower, 1 + self.width_upper, seed=seed)
        return {"height_zoom": height, "width_zoom": width, "input_shape": shape}

    def matrix(self, transformation: Any) -> Any:
        height, width = self.size(transformation)
        x, y = transformation["width_zoom"][:, 0], transformation["height_zoom"][:, 0]
        zero = ops.zeros_like(x)
        return _matrix(x, zero, (width - 1) / 2 * (1 - x), zero, y, (height - 1) / 2 * (1 - y))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


@export("keras.layers.RandomShear")
class RandomShear(_Affine):
    """Shears each image: pixel (x, y) is read at (x + f·y, g·x + y), with f and g of one random sign.

    Args:
        x_factor: Range of |f| in [0, 1], or one number for [0, factor].
        y_factor: Range of |g|, likewise.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: What lies beyond the image, as for :class:`RandomRotation`.
        fill_value: Value beyond the image with ``fill_mode="constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable draws.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> RandomShear(0.3, seed=1)(ops.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.x_factor, self.y_factor = self._positive(x_factor, "x_factor"), self._positive(y_factor, "y_factor")
        self._sampling(interpolation, fill_mode, fill_value)
        self._seeded(seed)

    def _positive(self, value: Any, argument: str) -> tuple[float, float]:
        # Keras writes a single number f into files as (-f, f), which is the same with a random sign.
        if isinstance(value, (list, tuple)) and len(value) == 2 and value[0] == -value[1]:
            value = max(value)
        return pair(value, (0, 1), argument, "RandomShear") or (0, value)

    def draw(self, shape: Any, seed: Any) -> Any:
        sign = ops.where(random.uniform((shape[0], 1), seed=seed) > 0.5, -1.0, 1.0)
        y, x = (random.uniform((shape[0], 1), a, b, seed=seed) for a, b in (self.y_factor, self.x_factor))
        return {"shear_factor": ops.concatenate([x, y], axis=1) * sign, "input_shape": shape}

    def matrix(self, transformation: Any) -> Any:
        x, y = (transformation["shear_factor"][:, i] for i in (0, 1))
        one, zero = ops.ones_like(x), ops.zeros_like(x)
        return _matrix(one, x, zero, y, one, zero)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "x_factor": self.x_factor, "y_factor": self.y_factor}
