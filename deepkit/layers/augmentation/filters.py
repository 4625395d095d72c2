"""Blurring and sharpening."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ...registry import export
from .base import ImageAugmentation, per_image
from .color import _ColorWithFormat


@export("keras.layers.RandomGaussianBlur")
class RandomGaussianBlur(ImageAugmentation):
    """Blurs each image by a Gaussian kernel, with a random probability.

    Args:
        factor: Range that the probability is drawn from, within [0, 1], or one number for [0, factor].
        kernel_size: Size of the kernel, odd; two for height and width.
        sigma: Range within [0, 1] of the kernel's standard deviations, or one number for [0, sigma]. Those of height
            and width are drawn once for the batch.
        value_range: Lowest and highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable draws.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> RandomGaussianBlur(seed=1)(ops.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        sizes = tuple(kernel_size) if isinstance(kernel_size, (list, tuple)) else (kernel_size, kernel_size)
        if len(sizes) != 2 or any(not isinstance(n, (int, float)) or n % 2 != 1 or n < 1 for n in sizes):
            raise ValueError("RandomGaussianBlur: `kernel_size` should be an odd number, or two of them. "
                             f"Received: kernel_size={kernel_size!r}")  # fmt: skip
        self.factor, self.kernel_size = self._factor(factor, (0, 1)), sizes
        self.sigma = self._factor(sigma, (0, 1), "sigma")
        self.value_range = value_range
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        probability = random.uniform((shape[0],), *self.factor, seed=seed)
        return {
            "should_apply_blur": random.uniform((shape[0],), seed=seed) < probability,
            "blur_factor": random.uniform((2,), *self.sigma, seed=seed) + 1e-6,
        }

    def augment_images(self, images: Any, transformation: Any) -> Any:
        blurred = ops.image.gaussian_blur(
            images, self.kernel_size, transformation["blur_factor"], data_format=self.data_format
        )
        images = ops.where(per_image(transformation["should_apply_blur"]), blurred, images)
        return ops.clip(images, *self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "kernel_size": self.kernel_size, "sigma": self.sigma,
                "value_range": self.value_range, "seed": self.seed}  # fmt: skip


@export("keras.layers.RandomSharpness")
class RandomSharpness(_ColorWithFormat):
    """Moves images away from, or towards, their blur by the kernel (1 1 1; 1 5 1; 1 1 1) / 13: b + 2f · (x - b).

    Args:
        factor: Range of f within [0, 1], or one number for [0, factor]; 0 blurs, 0.5 changes nothing, 1 sharpens.
        value_range: Lowest and highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable draws.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``factor`` or ``value_range`` is out of range.

    Example:
        >>> dot = ops.reshape([0.0, 0.0, 0.0, 0.0, 13.0, 0.0, 0.0, 0.0, 0.0], (1, 3, 3, 1))
        >>> ops.round(RandomSharpness((0.0, 0.0))(dot)).ravel().tolist()
        [1.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0]
    """

    def draw(self, shape: Any, seed: Any) -> Any:
        return {"factor": self._uniform((shape[0],), seed)}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        keep = 2 * ops.cast(per_image(transformation["factor"]), images.dtype)
        kernel = ops.reshape(ops.cast([1, 1, 1, 1, 5, 1, 1, 1, 1], images.dtype) / 13, (3, 3, 1, 1))
        kernel = ops.repeat(kernel, images.shape[self.channel_axis], axis=2)
        blurred = ops.depthwise_conv(images, kernel, padding="same", data_format=self.data_format)
        return self._clip(images + (1 - keep) * (blurred - images))
