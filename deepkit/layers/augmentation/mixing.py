"""Mixtures of the images of a batch, and patches erased: MixUp, CutMix, random erasing."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ...registry import export
from .base import ImageAugmentation, per_image


@export("keras.layers.MixUp")
class MixUp(ImageAugmentation):
    """Blends each image with another of the batch, w · x + (1 - w) · x', and their labels likewise (Zhang et al. 2018).

    The labels are to be one-hot. Of bounding boxes, those of both images are kept.

    Args:
        alpha: w is drawn from the Beta(alpha, alpha) distribution: the smaller, the nearer to one of the two images.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable draws.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Example:
        >>> out = MixUp(seed=1)({"images": ops.ones((4, 2, 2, 3)), "labels": ops.eye(4)})
        >>> bool((abs(out["labels"].sum(axis=1) - 1) < 1e-6).all())
        True
    """

    blends = ("labels", "segmentation_masks")

    def __init__(self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        if not alpha > 0:
            raise ValueError(f"MixUp: `alpha` should be positive. Received: alpha={alpha!r}")
        self.alpha = alpha
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        return {
            "permutation_order": random.shuffle(ops.arange(shape[0], dtype="int64"), seed=seed),
            "mix_weight": random.beta((shape[0],), self.alpha, self.alpha, seed=seed),
        }

    def augment_images(self, images: Any, transformation: Any) -> Any:
        return _blend(images, transformation, self.compute_dtype)

    def augment_labels(self, labels: Any, transformation: Any) -> Any:
        return _blend(labels, transformation, self.compute_dtype)

    def augment_segmentation_masks(self, masks: Any, transformation: Any) -> Any:
        return _blend(masks, transformation, self.compute_dtype)

    def augment_bounding_boxes(self, bounding_boxes: dict[str, Any], transformation: Any) -> dict[str, Any]:
        order = transformation["permutation_order"]
        return {
            key: ops.concatenate([value, ops.take(value, order, axis=0)], axis=min(1, len(value.shape) - 1))
            for key, value in bounding_boxes.items()
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha, "seed": self.seed}


def _blend(x: Any, transformation: Any, dtype: str) -> Any:
    x = ops.cast(x, dtype)
    weight = ops.cast(per_image(transformation["mix_weight"], len(x.shape)), dtype)
    return weight * x + (1 - weight) * ops.take(x, transformation["permutation_order"], axis=0)


class _Patches(ImageAugmentation):
    """Those that replace a random rectangle of each image."""

    def _span(self, size: int, share: Any, seed: Any) -> tuple[Any, Any]:
        """Start and end of a random interval in [0, size) with a length of ``share`` of it."""
        length = share * size
        start = random.uniform(share.shape, seed=seed) * (size - length)
        return start, start + length

    def _rectangles(self, shape: Any, width_share: Any, height_share: Any, seed: Any) -> tuple[Any, Any]:
        """Masks of random rectangles, as boolean images, and their share of the image's area."""
        height, width, channels = (shape[a] for a in (self.height_axis, self.width_axis, self.channel_axis))
        inside: Any = True
        area: Any = 1.0
        for size, share, axis in (
            (width, width_share, self.width_axis),
            (height, height_share, self.height_axis),
        ):
            start, end = (per_image(v) for v in self._span(size, share, seed))
            along = [1, 1, 1, 1]
            along[axis] = size
            at = ops.reshape(ops.arange(size, dtype="float32"), along)
            inside = ops.logical_and(inside, ops.logical_and(at >= start, at < end))
            area = area * (end - start) / size
        return ops.repeat(inside, channels, axis=self.channel_axis), area


@export("keras.layers.CutMix")
class CutMix(_Patches):
    """Puts a rectangle of another image of the batch into each image, and mixes the labels by area (Yun et al. 2019).

    Args:
        factor: Range of α within [0, 1], or one number for [0, factor]; the share of an image that is kept is drawn
            from the Beta(α, α) distribution.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` is out of range.
        NotImplementedError: for bounding boxes, which a patch may cut.

    Example:
        >>> out = CutMix(seed=1)({"images": ops.ones((4, 8, 8, 3)), "labels": ops.eye(4)})
        >>> bool((abs(out["labels"].sum(axis=1) - 1) < 1e-6).all())
        True
    """

    blends = ("labels",)

    def __init__(self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = self._factor(factor, (0, 1))
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        alpha = float(random.uniform((), *self.factor, seed=seed)) + 1e-6
        side = ops.sqrt(1.0 - random.beta((shape[0],), alpha, alpha, dtype="float32", seed=seed))
        masks, area = self._rectangles(shape, side, side, seed)
        order = random.shuffle(ops.arange(shape[0], dtype="int32"), seed=seed)
        return {"permutation_order": order, "batch_masks": masks, "mix_weight": 1.0 - area}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        other = ops.take(images, transformation["permutation_order"], axis=0)
        return ops.where(transformation["batch_masks"], other, images)

    def augment_labels(self, labels: Any, transformation: Any) -> Any:
        return _blend(labels, transformation, self.compute_dtype)

    def augment_segmentation_masks(self, masks: Any, transformation: Any) -> Any:
        other = ops.take(masks, transformation["permutation_order"], axis=0)
        inside = ops.any(transformation["batch_masks"], axis=self.channel_axis, keepdims=True)
        return ops.where(inside if len(masks.shape) == 4 else ops.squeeze(inside, self.channel_axis), other, masks)

    def augment_bounding_boxes(self, bounding_boxes: dict[str, Any], transformation: Any) -> dict[str, Any]:
        raise NotImplementedError("CutMix does not transform bounding boxes: leave 'bounding_boxes' out of its input.")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "seed": self.seed}


@export("keras.layers.RandomErasing")
class RandomErasing(_Patches):
    """Fills a random rectangle of each image with a constant or with noise (Zhong et al. 2020).

    Args:
        factor: Range that the probability of erasing is drawn from, within [0, 1], or one number for [0, factor].
        scale: Range within [0, 1], of which one number is drawn for each side of the rectangle; their square roots are
            the shares of width and height it spans.
        fill_value: A number, or one per channel; ``None`` for normal noise.
        value_range: Lowest and highest value of a pixel; what is filled in is clipped to it.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor``, ``scale`` or ``fill_value`` is out of range.

    Example:
        >>> layer = RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0)
        >>> float(layer(ops.ones((1, 8, 8, 1))).sum())  # a square of 4 x 4 is gone
        48.0
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = self._factor(factor, (0, 1))
        self.scale = self._factor(scale, (0, 1), "scale")
        if fill_value is not None and not isinstance(fill_value, (int, float)):
            if not isinstance(fill_value, (list, tuple)) or len(fill_value) != 3:
                raise ValueError("RandomErasing: `fill_value` should be a number, a list of three numbers, or None. "
                                 f"Received: fill_value={fill_value!r}")  # fmt: skip
        self.fill_value, self.value_range = fill_value, value_range
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        share = ops.sqrt(random.uniform((shape[0], 2), *self.scale, seed=seed))
        masks, _ = self._rectangles(shape, share[:, 0], share[:, 1], seed)
        probability = random.uniform((shape[0],), *self.factor, seed=seed)
        return {
            "apply_erasing": random.uniform((shape[0],), seed=seed) < probability,
            "batch_masks": masks,
            "fill_value": ops.clip(self._filling(shape, seed), *self.value_range),
        }

    def _filling(self, shape: Any, seed: Any) -> Any:
        if self.fill_value is None:
            return random.normal(shape, seed=seed) * self.value_range[1]
        along = [1, 1, 1, 1]
        along[self.channel_axis] = -1
        return ops.broadcast_to(ops.reshape(ops.convert_to_tensor(self.fill_value, dtype="float32"), along), shape)

    def augment_images(self, images: Any, transformation: Any) -> Any:
        erased = ops.logical_and(per_image(transformation["apply_erasing"]), transformation["batch_masks"])
        return ops.where(erased, ops.cast(transformation["fill_value"], images.dtype), images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "scale": self.scale, "fill_value": self.fill_value,
                "value_range": self.value_range, "seed": self.seed}  # fmt: skip
