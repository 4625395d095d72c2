"""Images brought to a size, with the boxes and masks that belong to them."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..registry import export
from .augmentation.base import one_of
from .augmentation.geometry import Windowed

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def _check_size(layer: Any, height: Any, width: Any) -> None:
    for argument, value in (("height", height), ("width", width)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{type(layer).__name__}: `{argument}` should be a positive integer. Received: "
                             f"{argument}={value!r}")  # fmt: skip


@export("keras.layers.Resizing")
class Resizing(Windowed):
    """Images at another size, by :func:`deepkit.ops.image.resize`; masks by their nearest pixels.

    Args:
        height: Height of the images that come out.
        width: Their width.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        crop_to_aspect_ratio: Cut the middle of the new aspect ratio instead of distorting.
        pad_to_aspect_ratio: Pad to the new aspect ratio instead of distorting.
        fill_mode: ``"constant"``.
        fill_value: Value of the padding.
        antialias: Widen the kernel when the images shrink.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: for sizes that aren't positive integers, an unknown interpolation or fill mode, or both ways to
            keep the aspect ratio.

    Example:
        >>> Resizing(2, 3)(ops.ones((4, 8, 8, 3))).shape
        (4, 2, 3, 3)
    """

    random = False
    always = True
    keeps_dtype = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        _check_size(self, height, width)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError("Resizing: only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True.")
        self.height, self.width = height, width
        self.interpolation = one_of(interpolation, _INTERPOLATIONS, "interpolation", "Resizing")
        self.fill_mode = one_of(fill_mode, ("constant",), "fill_mode", "Resizing")
        self.fill_value = fill_value
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.antialias = bool(antialias)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The shape of the images that come in; nothing is random."""
        return {"input_shape": tuple((data["images"] if isinstance(data, dict) else data).shape)}

    def move(self, images: Any, transformation: Any, interpolation: str) -> Any:
        return ops.image.resize(
            images, (self.height, self.width), interpolation=interpolation, antialias=self.antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio, pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode, fill_value=self.fill_value, data_format=self.data_format,
        )  # fmt: skip

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """The images at the new size, in their own dtype: integers are rounded."""
        return self.move(ops.convert_to_tensor(images), transformation, self.interpolation)

    def augment_bounding_boxes(self, bounding_boxes: dict[str, Any], transformation: Any) -> dict[str, Any]:
        boxes = bounding_boxes["boxes"]
        none = ops.logical_or(ops.all(boxes == -1, axis=-1), ops.all(boxes == 0, axis=-1))
        moved = super().augment_bounding_boxes(bounding_boxes, transformation)
        return {**moved, "boxes": ops.where(ops.expand_dims(none, -1), 0.0, moved["boxes"])}

    def move_boxes(self, boxes: Any, transformation: Any) -> Any:
        height, width = self.size(transformation)
        y, x = self.height / height, self.width / width
        top = left = 0.0
        if self.pad_to_aspect_ratio or self.crop_to_aspect_ratio:
            x = y = min(x, y) if self.pad_to_aspect_ratio else max(x, y)
            top, left = (self.height - height * y) // 2, (self.width - width * x) // 2
            if self.crop_to_aspect_ratio:
                top, left = -((height * y - self.height) // 2), -((width * x - self.width) // 2)
        scale, offset = (ops.convert_to_tensor(v, boxes.dtype) for v in ([x, y, x, y], [left, top, left, top]))
        return boxes * scale + offset

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width,
                "interpolation": self.interpolation, "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
                "pad_to_aspect_ratio": self.pad_to_aspect_ratio, "fill_mode": self.fill_mode,
                "fill_value": self.fill_value, "antialias": self.antialias}  # fmt: skip


@export("keras.layers.CenterCrop")
class CenterCrop(Windowed):
    """The middle of images; of images smaller than the size, the middle of its aspect ratio, resized.

    Args:
        height: Height of the images that come out.
        width: Their width.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: for sizes that aren't positive integers.

    Example:
        >>> CenterCrop(1, 2)(ops.reshape(ops.arange(4.0), (1, 1, 4, 1))).ravel()
        Tensor([1., 2.], dtype=float32)
    """

    random = False
    always = True

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        _check_size(self, height, width)
        self.height, self.width = height, width

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The window in the middle; nothing is random."""
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        height, width = shape[self.height_axis], shape[self.width_axis]
        if height < self.height or width < self.width:
            return self._centered(height, width)
        return {"top": (height - self.height) // 2, "left": (width - self.width) // 2, "height": self.height,
                "width": self.width, "input_shape": shape}  # fmt: skip

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """The middle of a batch of images, or of one."""
        return super().transform_images(images, transformation or self.get_random_transformation(images), training)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width}


__all__ = ["CenterCrop", "Resizing"]
