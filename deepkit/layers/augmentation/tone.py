"""Maps of the pixels' values: contrast stretching, posterization, solarization."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ...registry import export
from .base import ImageAugmentation, pair, per_image, rescale, value_range_of
from .color import _ColorWithFormat


@export("keras.layers.AutoContrast")
class AutoContrast(ImageAugmentation):
    """Stretches each channel of each image over the whole value range, in training and inference.

    Channels of one value only stay as they are.

    Args:
        value_range: Lowest and highest value of a pixel.
        **kwargs: ``data_format``, ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``value_range`` is no two numbers.

    Example:
        >>> AutoContrast()(ops.reshape([10.0, 20.0, 30.0], (1, 3, 1, 1))).ravel().tolist()
        [0.0, 127.5, 255.0]
    """

    draws = False
    always = True

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any):
        super().__init__(**kwargs)
        self.value_range = value_range_of(value_range, "AutoContrast")

    def augment_images(self, images: Any, transformation: Any) -> Any:
        bottom, top = self.value_range
        low, high = self._over_pixels(ops.min, images), self._over_pixels(ops.max, images)
        flat = high == low
        stretched = (images - low) * ((top - bottom) / ops.where(flat, 1.0, high - low)) + bottom
        return ops.where(flat, images, ops.clip(stretched, bottom, top))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": self.value_range}


@export("keras.layers.RandomPosterization")
class RandomPosterization(_ColorWithFormat):
    """Keeps only the highest bits of the pixels, whose value range counts as 8 bits.

    Args:
        factor: Range [a, b) that the number of bits is drawn from, or one number for [1, factor). Two equal numbers,
            or 1, fix it.
        value_range: Lowest and highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable draws.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` is not within [1, 8], or ``value_range`` no two numbers.

    Example:
        >>> RandomPosterization((1, 1))(ops.reshape([100.0, 127.0, 128.0], (1, 3, 1, 1))).ravel().tolist()
        [0.0, 0.0, 128.0]
    """

    bounds = (1, 8)

    def draw(self, shape: Any, seed: Any) -> Any:
        lower, upper = (int(v) for v in self.factor)
        bits = (
            random.randint((shape[0],), lower, upper, seed=seed)
            if lower != upper
            else ops.full((shape[0],), lower, dtype="int32")
        )
        return {"shift_factor": 8 - bits}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        step = ops.power(2.0, ops.cast(per_image(transformation["shift_factor"]), images.dtype))
        pixels = ops.floor(rescale(images, self.value_range, (0, 255)))
        return rescale(ops.floor(pixels / step) * step, (0, 255), self.value_range)


@export("keras.layers.Solarization")
class Solarization(ImageAugmentation):
    """Adds a random amount to the pixels and inverts those that are then above a random threshold.

    Args:
        addition_factor: Range of the amount as shares of the value range within [0, 1], or one number for
            [0, factor].
        threshold_factor: Range of the threshold, likewise.
        value_range: Lowest and highest value of a pixel.
        seed: Integer for repeatable draws.
        **kwargs: ``data_format``, ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if a factor or ``value_range`` is out of range.

    Example:
        >>> layer = Solarization(threshold_factor=(0.5, 0.5))
        >>> layer(ops.reshape([0.0, 100.0, 200.0], (1, 3, 1, 1))).ravel().tolist()
        [0.0, 100.0, 55.0]
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.addition_factor = pair(addition_factor, (0, 1), "addition_factor", "Solarization") or (0, addition_factor)
        self.threshold_factor = pair(threshold_factor, (0, 1), "threshold_factor", "Solarization") or (
            0,
            threshold_factor,
        )
        self.value_range = value_range_of(value_range, "Solarization")
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        ranges = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {k: 255 * random.uniform((shape[0], 1, 1, 1), a, b, seed=seed) for k, (a, b) in ranges.items()}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        additions, thresholds = (
            ops.cast(per_image(transformation[k]), images.dtype) for k in ("additions", "thresholds")
        )
        images = ops.clip(rescale(images, self.value_range, (0, 255)) + additions, 0, 255)
        return rescale(ops.where(images < thresholds, images, 255 - images), (0, 255), self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": self.value_range, "addition_factor": self.addition_factor,
                "threshold_factor": self.threshold_factor, "seed": self.seed}  # fmt: skip
