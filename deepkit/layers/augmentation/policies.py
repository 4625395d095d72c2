"""Random choices and mixtures of other augmentations: RandAugment, AugMix, color jitter."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ...registry import export
from .affine import RandomRotation, RandomShear, RandomTranslation
from .base import ImageAugmentation
from .color import RandomBrightness, RandomColorDegeneration, RandomContrast, RandomHue, RandomSaturation
from .filters import RandomSharpness
from .histogram import Equalization
from .tone import AutoContrast, RandomPosterization, Solarization


@export("keras.layers.RandomColorJitter")
class RandomColorJitter(ImageAugmentation):
    """Changes brightness, contrast, saturation and hue at random, in this order.

    Args:
        value_range: Lowest and highest value of a pixel.
        brightness_factor: ``factor`` of :class:`RandomBrightness`; ``None`` leaves brightness alone.
        contrast_factor: That of :class:`RandomContrast`.
        saturation_factor: That of :class:`RandomSaturation`.
        hue_factor: That of :class:`RandomHue`.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if a factor is out of range.

    Example:
        >>> layer = RandomColorJitter((0, 1), brightness_factor=(0.5, 0.5))
        >>> layer(ops.full((1, 1, 1, 3), 0.25)).ravel().tolist()
        [0.75, 0.75, 0.75]
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        self._seeded(seed)

        def made(cls: Any, factor: Any) -> Any:
            if factor is None:
                return None
            return cls(factor, value_range, seed=seed, data_format=self.data_format, dtype=self.dtype_policy)

        self.random_brightness = made(RandomBrightness, brightness_factor)
        self.random_contrast = made(RandomContrast, contrast_factor)
        self.random_saturation = made(RandomSaturation, saturation_factor)
        self.random_hue = made(RandomHue, hue_factor)

    def _steps(self) -> list[ImageAugmentation]:
        every = [self.random_brightness, self.random_contrast, self.random_saturation, self.random_hue]
        return [layer for layer in every if layer is not None]

    def draw(self, shape: Any, seed: Any) -> Any:
        return [layer.draw(shape, seed) for layer in self._steps()]

    def augment_images(self, images: Any, transformation: Any) -> Any:
        for layer, drawn in zip(self._steps(), transformation):
            images = layer.augment_images(images, drawn)
        return images

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": self.value_range, "brightness_factor": self.brightness_factor,
                "contrast_factor": self.contrast_factor, "saturation_factor": self.saturation_factor,
                "hue_factor": self.hue_factor, "seed": self.seed}  # fmt: skip


_SHAPES = ("random_shear", "random_translation", "random_rotation")
_COLORS = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")
_TONES = ("random_posterization", "solarization", "auto_contrast", "equalization")


class _Policy(ImageAugmentation):
    """Those that choose among other layers, which they hold as attributes."""

    names: tuple[str, ...] = ()
    factor: Any
    value_range: Any
    interpolation: str

    def _make_layers(self) -> None:
        factor = self.factor
        both: dict[str, Any] = {
            "data_format": self.data_format,
            "dtype": self.dtype_policy,
            "bounding_box_format": self.bounding_box_format,
        }
        drawn = {**both, "seed": self.seed}
        moving = {**drawn, "interpolation": self.interpolation}
        colored = {**drawn, "value_range": self.value_range}
        made: dict[str, Any] = {
            "random_shear": lambda: RandomShear(factor, factor, **moving),
            "random_translation": lambda: RandomTranslation(factor, factor, **moving),
            "random_rotation": lambda: RandomRotation(factor, **moving),
            "random_brightness": lambda: RandomBrightness(factor, **colored),
            "random_color_degeneration": lambda: RandomColorDegeneration(factor, **colored),
            "random_contrast": lambda: RandomContrast(factor, **colored),
            "random_sharpness": lambda: RandomSharpness(factor, **colored),
            "random_posterization": lambda: RandomPosterization(max(1, int(8 * factor[1])), **colored),
            "solarization": lambda: Solarization(factor, factor, **colored),
            "auto_contrast": lambda: AutoContrast(self.value_range, **both),
            "equalization": lambda: Equalization(self.value_range, **both),
        }
        for name in self.names:
            setattr(self, name, made[name]())

    def _choices(self, count: int, choices: int, seed: Any) -> list[int]:
        return [int(i) for i in random.randint((count,), 0, choices, seed=seed).tolist()]


@export("keras.layers.RandAugment")
class RandAugment(_Policy):
    """Applies a few random augmentations, the same to the whole batch, of one strength (Cubuk et al. 2020).

    They are chosen among shear, translation, rotation, brightness, color degeneration, contrast, sharpness,
    posterization, solarization, stretching of contrast and equalization.

    Args:
        value_range: Lowest and highest value of a pixel.
        num_ops: Number of augmentations, one after the other.
        factor: Their strength: a range within [0, 1], or one number for [0, factor].
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` is out of range.

    Example:
        >>> RandAugment(seed=1)(ops.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    names = (*_SHAPES, *_COLORS, *_TONES)

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range, self.num_ops = value_range, num_ops
        self.factor, self.interpolation = self._factor(factor, (0, 1)), interpolation
        self._seeded(seed)
        self._make_layers()

    def draw(self, shape: Any, seed: Any) -> Any:
        chosen = self._choices(self.num_ops, len(self.names), seed)
        drawn = {self.names[i]: getattr(self, self.names[i]).draw(shape, seed) for i in sorted(set(chosen))}
        return {"transforms": drawn, "layer_idxes": chosen}

    def _apply(self, method: str, x: Any, transformation: Any) -> Any:
        for i in transformation["layer_idxes"]:
            name = self.names[int(i)]
            x = getattr(getattr(self, name), method)(x, transformation["transforms"][name])
        return x

    def augment_images(self, images: Any, transformation: Any) -> Any:
        return self._apply("augment_images", images, transformation)

    def augment_bounding_boxes(self, bounding_boxes: dict[str, Any], transformation: Any) -> dict[str, Any]:
        return self._apply("augment_bounding_boxes", bounding_boxes, transformation)

    def augment_segmentation_masks(self, masks: Any, transformation: Any) -> Any:
        return self._apply("augment_segmentation_masks", masks, transformation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": self.value_range, "num_ops": self.num_ops,
                "factor": self.factor, "interpolation": self.interpolation, "seed": self.seed}  # fmt: skip


@export("keras.layers.AugMix")
class AugMix(_Policy):
    """Blends images with a mixture of random chains of augmentations (Hendrycks et al. 2020).

    v · x + (1 - v) · Σᵢ wᵢ · chainᵢ(x), with v drawn from the Beta(α, α) distribution and w from the Dirichlet(α) one,
    the same for the whole batch. Bounding boxes stay as they are.

    Args:
        value_range: Lowest and highest value of a pixel.
        num_chains: Number of chains.
        chain_depth: Largest number of augmentations in one.
        factor: Their strength: a range within [0, 1], or one number for [0, factor].
        alpha: α.
        all_ops: Whether to choose among brightness, color degeneration, contrast and sharpness too.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` is out of range.

    Example:
        >>> AugMix(seed=1)(ops.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    blends = ("segmentation_masks",)

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range, self.num_chains, self.chain_depth = value_range, num_chains, chain_depth
        self.factor, self.alpha, self.all_ops = self._factor(factor, (0, 1)), alpha, all_ops
        self.interpolation = interpolation
        self.names = (*_SHAPES, *_TONES, *(_COLORS if all_ops else ()))
        self._seeded(seed)
        self._make_layers()

    def draw(self, shape: Any, seed: Any) -> Any:
        weights = random.gamma((self.num_chains,), self.alpha, seed=seed)
        # One more choice than there are layers: none.
        chosen = self._choices(self.num_chains * self.chain_depth, len(self.names) + 1, seed)
        steps = [
            None
            if i == len(self.names)
            else {
                "layer_name": self.names[i],
                "transformation": getattr(self, self.names[i]).draw(shape, seed),
            }
            for i in chosen
        ]
        return {
            "chain_mixing_weights": weights / ops.sum(weights),
            "weight_sample": random.beta((), self.alpha, self.alpha, seed=seed),
            "chain_transforms": [
                [step for step in steps[i * self.chain_depth : (i + 1) * self.chain_depth] if step is not None]
                for i in range(self.num_chains)
            ],
        }

    def _blended(self, method: str, x: Any, transformation: Any) -> Any:
        x = ops.cast(x, self.compute_dtype)
        mixture = ops.zeros_like(x)
        for weight, chain in zip(
            ops.unstack(ops.cast(transformation["chain_mixing_weights"], x.dtype)),
            transformation["chain_transforms"],
        ):
            augmented = x
            for step in chain:
                augmented = getattr(getattr(self, step["layer_name"]), method)(augmented, step["transformation"])
            mixture = mixture + weight * augmented
        share = ops.cast(transformation["weight_sample"], x.dtype)
        return share * x + (1 - share) * mixture

    def augment_images(self, images: Any, transformation: Any) -> Any:
        return ops.clip(self._blended("augment_images", images, transformation), *self.value_range)

    def augment_segmentation_masks(self, masks: Any, transformation: Any) -> Any:
        return self._blended("augment_segmentation_masks", masks, transformation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": self.value_range, "num_chains": self.num_chains,
                "chain_depth": self.chain_depth, "factor": self.factor, "alpha": self.alpha,
                "all_ops": self.all_ops, "interpolation": self.interpolation, "seed": self.seed}  # fmt: skip
