"""Random changes of brightness, contrast and color."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ...config import epsilon
from ...registry import export
from .base import ImageAugmentation, pair, per_image, rescale, value_range_of


class _Color(ImageAugmentation):
    """A change of the pixels' values with one random factor per image."""

    bounds: tuple[float, float] = (-1, 1)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.factor = self._factor(factor, self.bounds)
        self.value_range: Any = value_range_of(value_range, type(self).__name__)
        self._seeded(seed)

    def _uniform(self, shape: Any, seed: Any) -> Any:
        return random.uniform(shape, *self.factor, seed=seed)

    def _clip(self, images: Any) -> Any:
        return ops.clip(images, *self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range, "seed": self.seed}


@export("keras.layers.RandomBrightness")
class RandomBrightness(_Color):
    """Adds a random share of the value range to the pixels: clip(x + f · (high - low)).

    Args:
        factor: Range of f within [-1, 1], or one number for [-factor, factor]; -1 makes images black, 1 white.
        value_range: Lowest and highest value of a pixel.
        seed: Integer for repeatable draws.
        **kwargs: ``data_format``, ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` or ``value_range`` is out of range.

    Example:
        >>> layer = RandomBrightness((0.5, 0.5), value_range=(0, 1))
        >>> layer(ops.full((1, 1, 1, 3), 0.25)).ravel().tolist()
        [0.75, 0.75, 0.75]
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any):
        super().__init__(factor, value_range, seed, **kwargs)

    def draw(self, shape: Any, seed: Any) -> Any:
        low, high = self.value_range
        return {"rgb_delta": self._uniform((shape[0], 1, 1, 1), seed) * (high - low)}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        return self._clip(images + ops.cast(per_image(transformation["rgb_delta"]), images.dtype))


@export("keras.layers.RandomContrast")
class RandomContrast(_Color):
    """Scales the distance of each channel from its mean: clip((x - mean) · f + mean).

    Args:
        factor: Two numbers a, b in [0, 1], for f in [1 - a, 1 + b]. One number b means a = 0: contrast only grows.
        value_range: Lowest and highest value of a pixel.
        seed: Integer for repeatable draws.
        **kwargs: ``data_format``, ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` or ``value_range`` is out of range.

    Example:
        >>> layer = RandomContrast((0.2, 0.2), seed=1)
        >>> layer(ops.ones((1, 4, 4, 3))).shape  # flat images have no contrast to change
        (1, 4, 4, 3)
    """

    bounds = (0, 1)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any):
        super().__init__(factor, value_range, seed, **kwargs)
        self.value_range = tuple(self.value_range)

    def draw(self, shape: Any, seed: Any) -> Any:
        lower, upper = self.factor
        return {"contrast_factor": random.uniform((shape[0], 1, 1, 1), 1.0 - lower, 1.0 + upper, seed=seed)}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        factor = ops.cast(per_image(transformation["contrast_factor"]), images.dtype)
        mean = self._over_pixels(ops.mean, images)
        return self._clip((images - mean) * factor + mean)


class _ColorWithFormat(_Color):
    """Those whose ``data_format`` comes before ``seed``."""

    bounds = (0, 1)

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)


@export("keras.layers.RandomColorDegeneration")
class RandomColorDegeneration(_ColorWithFormat):
    """Moves images towards gray: x + f · (gray(x) - x).

    Args:
        factor: Range of f in [-1, 1], or one number for [-factor, factor]; 0 changes nothing, 1 leaves only gray.
        value_range: Lowest and highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable draws.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` or ``value_range`` is out of range.
    """

    bounds = (-1, 1)

    def draw(self, shape: Any, seed: Any) -> Any:
        return {"factor": self._uniform((shape[0], 1, 1, 1), seed)}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        factor = ops.cast(per_image(transformation["factor"]), images.dtype)
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return self._clip(images + factor * (gray - images))


@export("keras.layers.RandomSaturation")
class RandomSaturation(_ColorWithFormat):
    """Multiplies the saturation (of hue, saturation, value) by f / (1 - f).

    As in Keras, it is clipped to ``value_range``, though saturations lie in [0, 1] for all images: with the range
    [0, 255], factors above 0.5 can lead to colors beyond it.

    Args:
        factor: Range of f, or one number for [-factor, factor]; 0 and less makes images gray, 0.5 changes nothing,
            1 makes them fully saturated.
        value_range: Lowest and highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable draws.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` or ``value_range`` is out of range.
    """

    bounds = (-1, 1)

    def draw(self, shape: Any, seed: Any) -> Any:
        factor = self._uniform((shape[0],), seed)
        return {"factor": factor / (1 - factor + epsilon())}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        factor = ops.cast(per_image(transformation["factor"]), images.dtype)
        hue, saturation, value = _hsv(images, self)
        return _rgb(hue, self._clip(saturation * factor), value, self)


@export("keras.layers.RandomHue")
class RandomHue(_ColorWithFormat):
    """Turns the hue (of hue, saturation, value), a circle of length 1, by ±f / 2.

    Args:
        factor: Range of f in [0, 1], or one number for [0, factor]; 0 changes nothing.
        value_range: Lowest and highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable draws.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` or ``value_range`` is out of range.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(factor, value_range, data_format, seed, **kwargs)
        self.value_range = tuple(self.value_range)

    def draw(self, shape: Any, seed: Any) -> Any:
        sign = ops.where(random.uniform((shape[0],), seed=seed) > 0.5, -1.0, 1.0)
        return {"factor": sign * self._uniform((shape[0],), seed) * 0.5}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        factor = ops.cast(per_image(transformation["factor"]), images.dtype)
        hue, saturation, value = _hsv(rescale(images, self.value_range, (0, 1)), self)
        hue = hue + factor
        images = _rgb(hue - ops.floor(hue), saturation, value, self)
        return rescale(ops.clip(images, 0, 1), (0, 1), self.value_range)


def _hsv(images: Any, layer: ImageAugmentation) -> Any:
    return ops.split(ops.image.rgb_to_hsv(images, data_format=layer.data_format), 3, axis=layer.channel_axis)


def _rgb(hue: Any, saturation: Any, value: Any, layer: ImageAugmentation) -> Any:
    hsv = ops.concatenate([hue, saturation, value], axis=layer.channel_axis)
    return ops.image.hsv_to_rgb(hsv, data_format=layer.data_format)


@export("keras.layers.RandomGrayscale")
class RandomGrayscale(ImageAugmentation):
    """Makes images gray with a probability; they keep their channels and their dtype.

    Args:
        factor: Probability in [0, 1].
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable draws.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` is out of range.
    """

    keeps_dtype = True

    def __init__(self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        if pair(factor, (0, 1), "factor", "RandomGrayscale"):
            raise ValueError(f"RandomGrayscale: `factor` should be one number in [0, 1]. Received: factor={factor!r}")
        self.factor = factor
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        return random.uniform((shape[0], 1, 1, 1), seed=seed) < self.factor

    def augment_images(self, images: Any, transformation: Any) -> Any:
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return ops.where(per_image(transformation), gray, images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "seed": self.seed}


@export("keras.layers.RandomInvert")
class RandomInvert(_Color):
    """Inverts colors, x ↦ high - x, of each image with a random probability.

    Args:
        factor: Range that the probability is drawn from, within [0, 1], or one number for [0, factor].
        value_range: Lowest and highest value of a pixel.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` or ``value_range`` is out of range.

    Example:
        >>> RandomInvert((1.0, 1.0), value_range=(0, 1))(ops.full((1, 1, 1, 3), 0.25)).ravel().tolist()
        [0.75, 0.75, 0.75]
    """

    bounds = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)
        self.value_range = tuple(self.value_range)

    def draw(self, shape: Any, seed: Any) -> Any:
        probability = self._uniform((shape[0],), seed)
        return {"apply_inversion": random.uniform((shape[0],), seed=seed) < probability}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        return ops.where(per_image(transformation["apply_inversion"]), self.value_range[1] - images, images)
