"""Maps of the plane that are not affine: changes of perspective, and elastic deformation."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ...registry import export
from .base import one_of, pair, per_image
from .geometry import FILL_MODES, INTERPOLATIONS, Geometric, around, corners


class _Sometimes(Geometric):
    """Those that apply to an image with a random probability."""

    def _whether(self, shape: Any, seed: Any) -> Any:
        lower, upper = self.factor
        probability = random.uniform((shape[0],), lower, upper, seed=seed)
        return random.uniform((shape[0],), seed=seed) < probability

    factor: tuple[float, float]


@export("keras.layers.RandomPerspective")
class RandomPerspective(_Sometimes):
    """Shifts the corners of images at random, and the rest along, with a random probability.

    A corner moves by up to scale / 2 times its distance from the top left one, which stays.

    Args:
        factor: Range that the probability is drawn from, within [0, 1], or one number for [0, factor].
        scale: Amount in [0, 1].
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_value: Value beyond the image.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> RandomPerspective(scale=0.5, seed=1)(ops.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = self._factor(factor, (0, 1))
        if pair(scale, (0, 1), "scale", "RandomPerspective"):
            raise ValueError(f"RandomPerspective: `scale` should be one number in [0, 1]. Received: scale={scale!r}")
        self.scale, self.fill_value = scale, fill_value
        self.interpolation = one_of(interpolation, INTERPOLATIONS, "interpolation", "RandomPerspective")
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        right, bottom = shape[self.width_axis] - 1.0, shape[self.height_axis] - 1.0
        points = ops.convert_to_tensor([[[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]]])
        apply = self._whether(shape, seed)
        shift = random.uniform((shape[0], 4, 2), -0.5 * self.scale, 0.5 * self.scale, seed=seed)
        start = ops.broadcast_to(points, shift.shape)
        return {"apply_perspective": apply, "start_points": start, "end_points": start + start * shift,
                "input_shape": shape}  # fmt: skip

    def move(self, images: Any, transformation: Any, interpolation: str) -> Any:
        moved = ops.image.perspective_transform(
            images, transformation["start_points"], transformation["end_points"], interpolation=interpolation,
            fill_value=self.fill_value, data_format=self.data_format,
        )  # fmt: skip
        return ops.where(per_image(transformation["apply_perspective"]), moved, images)

    def move_boxes(self, boxes: Any, transformation: Any) -> Any:
        from ...ops.image.warp import homography

        start, end = (ops.cast(transformation[k], boxes.dtype) for k in ("start_points", "end_points"))
        h = homography(end, start)  # it maps its second argument to its first
        h0, h1, h2, h3, h4, h5, h6, h7 = (h[:, i, None, None] for i in range(8))
        x, y = corners(boxes)
        depth = h6 * x + h7 * y + 1
        moved = around((h0 * x + h1 * y + h2) / depth, (h3 * x + h4 * y + h5) / depth)
        return ops.where(per_image(transformation["apply_perspective"], 3), moved, boxes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "scale": self.scale,
                "interpolation": self.interpolation, "fill_value": self.fill_value, "seed": self.seed}  # fmt: skip


@export("keras.layers.RandomElasticTransform")
class RandomElasticTransform(_Sometimes):
    """Shifts the pixels of images by a smooth random field, with a random probability (Simard et al. 2003).

    It is that of :func:`ops.image.elastic_transform` with alpha = 0.1 · s · max(height, width) and sigma = 0.05 · s ·
    min(height, width), with s drawn once for the batch. Boxes stay as they are; masks move along.

    Args:
        factor: Range that the probability is drawn from, within [0, 1], or one number for [0, factor].
        scale: Range that s is drawn from, within [0, 1], or one number for [0, scale].
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: What lies beyond the image, as for :class:`RandomRotation`; also ``"mirror"`` (dcb|abcd|cba).
        fill_value: Value beyond the image with ``fill_mode="constant"``.
        value_range: Lowest and highest value of a pixel.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> RandomElasticTransform(seed=1)(ops.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        name = "RandomElasticTransform"
        self.factor, self.scale = self._factor(factor, (0, 1)), self._factor(scale, (0, 1), "scale")
        self.interpolation = one_of(interpolation, INTERPOLATIONS, "interpolation", name)
        self.fill_mode = one_of(fill_mode, (*FILL_MODES, "mirror"), "fill_mode", name)
        self.fill_value, self.value_range = fill_value, value_range
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        if self.factor[1] == 0 or self.scale[1] == 0:
            return None
        return {
            "apply_transform": self._whether(shape, seed),
            "distortion_factor": random.uniform((), *self.scale, seed=seed),
            # A number, so that images and masks see the same field.
            "seed": int(random.randint((), 0, 2**31 - 1, seed=seed)),
        }

    def move(self, images: Any, transformation: Any, interpolation: str) -> Any:
        size = images.shape[self.height_axis], images.shape[self.width_axis]
        amount = float(transformation["distortion_factor"])
        moved = ops.image.elastic_transform(
            images, alpha=0.1 * amount * max(size), sigma=max(0.05 * amount * min(size), 1e-6),
            interpolation=interpolation, fill_mode=self.fill_mode, fill_value=self.fill_value,
            seed=transformation["seed"], data_format=self.data_format,
        )  # fmt: skip
        return ops.where(per_image(transformation["apply_transform"]), moved, images)

    def augment_images(self, images: Any, transformation: Any) -> Any:
        return ops.clip(super().augment_images(images, transformation), *self.value_range)

    def augment_bounding_boxes(self, bounding_boxes: dict[str, Any], transformation: Any) -> dict[str, Any]:
        return bounding_boxes

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "scale": self.scale,
                "interpolation": self.interpolation, "fill_mode": self.fill_mode, "fill_value": self.fill_value,
                "value_range": self.value_range, "seed": self.seed}  # fmt: skip
