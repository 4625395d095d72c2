"""What moves pixels moves boxes and masks along: the base of the geometric layers, flips and crops."""

from __future__ import annotations

from typing import Any

from ... import ops, random
from ...registry import export
from .base import ImageAugmentation, one_of, per_image

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")


class Geometric(ImageAugmentation):
    """Base of the layers that move pixels.

    A subclass moves images in :meth:`move` and the corners of boxes in :meth:`move_boxes`; its transformations have
    the key ``"input_shape"``.
    """

    interpolation = "bilinear"

    def _sampling(self, interpolation: str, fill_mode: str, fill_value: float) -> None:
        """Take the arguments that say how pixels are read between and beyond the given ones."""
        name = type(self).__name__
        self.interpolation = one_of(interpolation, INTERPOLATIONS, "interpolation", name)
        self.fill_mode = one_of(fill_mode, FILL_MODES, "fill_mode", name)
        self.fill_value = fill_value

    def move(self, images: Any, transformation: Any, interpolation: str) -> Any:
        """Images (batch, height, width, channels) of any floating dtype, moved."""
        raise NotImplementedError

    def move_boxes(self, boxes: Any, transformation: Any) -> Any:
        """Boxes (batch, n, 4) as left, top, right, bottom in pixels, moved."""
        raise NotImplementedError

    def size(self, transformation: Any) -> tuple[int, int]:
        """Height and width of the images that went in."""
        shape = transformation["input_shape"]
        return shape[self.height_axis], shape[self.width_axis]

    def moved_size(self, transformation: Any) -> tuple[int, int]:
        """Height and width of those that come out."""
        return self.size(transformation)

    def augment_images(self, images: Any, transformation: Any) -> Any:
        return self.move(images, transformation, self.interpolation)

    def augment_segmentation_masks(self, masks: Any, transformation: Any) -> Any:
        flat = len(masks.shape) == 3
        moved = ops.expand_dims(masks, self.channel_axis) if flat else masks
        moved = ops.cast(self.move(ops.cast(moved, "float32"), transformation, "nearest"), masks.dtype)
        return ops.squeeze(moved, self.channel_axis) if flat else moved

    def augment_bounding_boxes(self, bounding_boxes: dict[str, Any], transformation: Any) -> dict[str, Any]:
        from ...utils.bounding_boxes import clip_to_image_size, convert_format

        given = self._box_format()
        if len(bounding_boxes["boxes"].shape) == 2:  # those of one image
            batch = {k: ops.expand_dims(ops.convert_to_tensor(v), 0) for k, v in bounding_boxes.items()}
            moved = self.augment_bounding_boxes(batch, transformation)
            return {k: ops.squeeze(v, 0) for k, v in moved.items()}
        height, width = self.size(transformation)
        boxes = convert_format(bounding_boxes["boxes"], given, "xyxy", height, width)
        moved = {**bounding_boxes, "boxes": self.move_boxes(boxes, transformation)}
        height, width = self.moved_size(transformation)
        moved = clip_to_image_size(moved, height, width, "xyxy")
        return {**moved, "boxes": convert_format(moved["boxes"], "xyxy", given, height, width)}


def corners(boxes: Any) -> tuple[Any, Any]:
    """x and y (batch, n, 4) of the four corners of boxes."""
    left, top, right, bottom = ops.split(boxes, 4, axis=-1)
    return ops.concatenate([left, right, right, left], -1), ops.concatenate([top, top, bottom, bottom], -1)


def around(x: Any, y: Any) -> Any:
    """The smallest boxes (batch, n, 4) around points (batch, n, 4) by x and y."""
    return ops.stack([ops.min(x, -1), ops.min(y, -1), ops.max(x, -1), ops.max(y, -1)], axis=-1)


@export("keras.layers.RandomFlip")
class RandomFlip(Geometric):
    """Flips each image with probability 1/2.

    Args:
        mode: ``"horizontal"`` (left to right), ``"vertical"`` (top to bottom) or ``"horizontal_and_vertical"``, which
            turns the image by 180 degrees.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: for an unknown mode.

    Example:
        >>> images = ops.reshape(ops.arange(2.0), (1, 1, 2, 1))
        >>> sorted({tuple(RandomFlip("horizontal", seed=s)(images).ravel().tolist()) for s in range(20)})
        [(0.0, 1.0), (1.0, 0.0)]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.mode = one_of(mode, ("horizontal", "vertical", "horizontal_and_vertical"), "mode", "RandomFlip")
        self._seeded(seed)

    def draw(self, shape: Any, seed: Any) -> Any:
        return {"flips": random.uniform((shape[0], 1, 1, 1), seed=seed) <= 0.5, "input_shape": shape}

    def move(self, images: Any, transformation: Any, interpolation: str) -> Any:
        axes = [a for a, way in ((self.width_axis, "horizontal"), (self.height_axis, "vertical")) if way in self.mode]
        return ops.where(per_image(transformation["flips"]), ops.flip(images, axis=tuple(axes)), images)

    def move_boxes(self, boxes: Any, transformation: Any) -> Any:
        height, width = self.size(transformation)
        left, top, right, bottom = ops.split(boxes, 4, axis=-1)
        if "horizontal" in self.mode:
            left, right = width - right, width - left
        if "vertical" in self.mode:
            top, bottom = height - bottom, height - top
        flipped = ops.concatenate([left, top, right, bottom], axis=-1)
        return ops.where(per_image(transformation["flips"], 3), flipped, boxes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed, "mode": self.mode}


class Windowed(Geometric):
    """Base of the layers that cut out a window and bring it to ``height`` and ``width``.

    Their transformations have the keys ``"top"``, ``"left"``, ``"height"``, ``"width"`` and ``"input_shape"``.
    """

    height: int
    width: int

    def augmented_shape(self, shape: Any) -> tuple[int | None, ...]:
        out = list(shape)
        out[self.height_axis], out[self.width_axis] = self.height, self.width
        return tuple(out)

    def _centered(self, height: int, width: int) -> Any:
        rows = max(min(height, int(width * self.height / self.width)), 1)
        columns = max(min(width, int(height * self.width / self.height)), 1)
        shape = (height, width, 1) if self.data_format == "channels_last" else (1, height, width)
        return {"top": (height - rows) // 2, "left": (width - columns) // 2, "height": rows, "width": columns,
                "input_shape": shape}  # fmt: skip

    def moved_size(self, transformation: Any) -> tuple[int, int]:
        return self.height, self.width

    def move(self, images: Any, transformation: Any, interpolation: str) -> Any:
        window: list[Any] = [slice(None)] * 4
        for axis, start, size in (
            (self.height_axis, transformation["top"], transformation["height"]),
            (self.width_axis, transformation["left"], transformation["width"]),
        ):
            window[axis] = slice(start, start + size)
        images = images[tuple(window)]
        if (images.shape[self.height_axis], images.shape[self.width_axis]) == (self.height, self.width):
            return images
        size = (self.height, self.width)
        return ops.image.resize(images, size, interpolation=interpolation, data_format=self.data_format)

    def move_boxes(self, boxes: Any, transformation: Any) -> Any:
        left, top = transformation["left"], transformation["top"]
        x, y = self.width / transformation["width"], self.height / transformation["height"]
        offset, scale = (ops.cast(v, boxes.dtype) for v in ([left, top, left, top], [x, y, x, y]))
        return (boxes - offset) * scale


@export("keras.layers.RandomCrop")
class RandomCrop(Windowed):
    """Crops images to a size, at one random place for the whole batch.

    In inference, and for images smaller than that size, the largest centered window of its aspect ratio is cropped and
    resized.

    Args:
        height: Height of the images that come out.
        width: Their width.
        seed: Integer for repeatable draws.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        name: Name.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``height`` or ``width`` is not positive.

    Example:
        >>> RandomCrop(2, 3)(ops.ones((4, 8, 8, 3))).shape
        (4, 2, 3, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, name=name, **kwargs)
        if not (height > 0 and width > 0):
            raise ValueError(f"RandomCrop: `height` and `width` should be positive. Received: height={height}, "
                             f"width={width}")  # fmt: skip
        self.height, self.width = height, width
        self._seeded(random.make_default_seed() if seed is None else seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Top and left of the window; in inference, of the centered one."""
        transformation = super().get_random_transformation(data, training, seed)
        if transformation is None:
            shape = (data["images"] if isinstance(data, dict) else data).shape
            return self._centered(shape[self.height_axis], shape[self.width_axis])
        return transformation

    def _applies(self, transformation: Any, training: bool) -> bool:
        return transformation is not None

    def draw(self, shape: Any, seed: Any) -> Any:
        height, width = shape[self.height_axis], shape[self.width_axis]
        if height < self.height or width < self.width:
            return self._centered(height, width)
        top, left = (
            int(random.randint((), 0, size - target + 1, seed=seed))
            for size, target in ((height, self.height), (width, self.width))
        )
        return {"top": top, "left": left, "height": self.height, "width": self.width, "input_shape": shape}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width, "seed": self.seed}
