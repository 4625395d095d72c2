"""The base of the augmentation layers: one transformation drawn per image, applied to all that belongs to it."""

from __future__ import annotations

from numbers import Real
from typing import Any

from ... import ops, random
from ...autograd.spec import Spec
from ...config import standardize_data_format
from ...utils.nest import map_nest
from ..layer import Layer

_KEYS = ("images", "labels", "bounding_boxes", "segmentation_masks")


def pair(value: Any, bounds: tuple[float, float], argument: str, layer: str) -> tuple[float, float] | None:
    """``value`` as (lower, upper) within ``bounds``, or ``None`` for a single number within them."""
    given = value if isinstance(value, (list, tuple)) else (value,)
    if len(given) not in (1, 2) or any(
        isinstance(v, bool) or not isinstance(v, Real) or not bounds[0] <= v <= bounds[1] for v in given
    ):
        raise ValueError(f"{layer}: The `{argument}` argument should be a number (or a list of two numbers) in the "
                         f"range [{bounds[0]}, {bounds[1]}]. Received: {argument}={value!r}")  # fmt: skip
    if not isinstance(value, (list, tuple)):
        return None
    if len(value) == 1:
        raise ValueError(f"{layer}: The `{argument}` argument has one entry where two are needed, a lower and an "
                         f"upper bound. Received: {argument}={value!r}")  # fmt: skip
    lower, upper = sorted(given)
    return lower, upper


def factor_range(value: Any, bounds: tuple[float, float], argument: str, layer: str) -> tuple[float, float]:
    """The range a factor is drawn from: two numbers as they are, one number f as [-f, f] within the bounds."""
    given = pair(value, bounds, argument, layer)
    return given or (max(-abs(value), bounds[0]), abs(value))


def value_range_of(value: Any, layer: str) -> list[float]:
    """The range of pixel values, checked and sorted."""
    if not isinstance(value, (list, tuple)) or len(value) != 2 or value[0] == value[1]:
        raise ValueError(f"{layer}: The `value_range` argument should be a list of two numbers that differ. "
                         f"Received: value_range={value!r}")  # fmt: skip
    return sorted(value)


def one_of(value: Any, choices: tuple[str, ...], argument: str, layer: str) -> str:
    """``value`` if it is among the choices."""
    if value not in choices:
        raise ValueError(f"{layer}: unknown `{argument}` {value!r}. Expected one of {choices}.")
    return value


def per_image(x: Any, rank: int = 4) -> Any:
    """A value per image (batch,), or with trailing ones already, so that it broadcasts against rank ``rank``."""
    x = ops.convert_to_tensor(x)
    return ops.reshape(x, (-1, *[1] * (rank - 1)))


def rescale(images: Any, source: Any, target: Any) -> Any:
    """Pixel values of the range ``source`` in the range ``target``."""
    if tuple(source) == tuple(target):
        return images
    scale = (target[1] - target[0]) / (source[1] - source[0])
    return (images - source[0]) * scale + target[0]


class ImageAugmentation(Layer):
    """Base of the augmentation layers.

    A layer is called with images, batched (batch, height, width, channels) or one alone, or with a dictionary of
    ``"images"`` and any of ``"labels"``, ``"bounding_boxes"`` (a dictionary of ``"boxes"`` (batch, n, 4) and
    ``"labels"`` (batch, n)) and ``"segmentation_masks"``, which are transformed along. Images come out in the compute
    dtype. Values are drawn from ``generator``, whose state is saved with the layer.

    A subclass draws in :meth:`draw` and applies in the ``augment_*`` methods, all for a whole batch at once.

    Args:
        bounding_box_format: Format of the boxes, as in ``utils.bounding_boxes.convert_format``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: Those of :class:`Layer`.
    """

    #: Whether the images come out in the dtype they came in.
    keeps_dtype = False
    #: Whether there is something to draw.
    draws = True
    #: Whether it is applied in inference too.
    always = False
    #: Whether boxes can't be transformed without knowing their format.
    needs_box_format = True
    #: Which of the keys are blended, and so come out in the compute dtype.
    blends: tuple[str, ...] = ()

    def __init__(self, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format
        self.data_format = standardize_data_format(data_format)
        last = self.data_format == "channels_last"
        self.height_axis, self.width_axis, self.channel_axis = (-3, -2, -1) if last else (-2, -1, -3)
        self.built = True

    def _seeded(self, seed: int | None) -> None:
        """Take ``seed`` as the layer's, and make its generator."""
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def _factor(self, value: Any, bounds: tuple[float, float], argument: str = "factor") -> tuple[float, float]:
        return factor_range(value, bounds, argument, type(self).__name__)

    def _over_pixels(self, reduce: Any, images: Any) -> Any:
        """``reduce`` over height, then width: so the first, larger step runs along long rows."""
        return reduce(reduce(images, axis=self.height_axis, keepdims=True), axis=self.width_axis, keepdims=True)

    # -- to be overridden ----------------------------------------------------------------------------------------------
    def draw(self, shape: Any, seed: Any) -> Any:
        """A random transformation for images of ``shape`` (of rank 4)."""
        return {}

    def augment_images(self, images: Any, transformation: Any) -> Any:
        """The images (batch, height, width, channels), in the compute dtype, after the transformation."""
        return images

    def augment_labels(self, labels: Any, transformation: Any) -> Any:
        """The labels that belong to the transformed images."""
        return labels

    def augment_bounding_boxes(self, bounding_boxes: dict[str, Any], transformation: Any) -> dict[str, Any]:
        """The bounding boxes that belong to the transformed images."""
        return bounding_boxes

    def augment_segmentation_masks(self, masks: Any, transformation: Any) -> Any:
        """The masks that belong to the transformed images."""
        return masks

    def augmented_shape(self, shape: Any) -> tuple[int | None, ...]:
        """Shape of the images that come out."""
        return tuple(shape)

    # -- the protocol --------------------------------------------------------------------------------------------------
    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draw a transformation for ``data``; ``None`` in inference.

        Args:
            data: Images, or a dictionary with ``"images"``.
            training: Whether to draw at all.
            seed: Integer or :class:`SeedGenerator` in place of the layer's own.
        """
        if not training:
            return None
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        if isinstance(seed, int):
            seed = random.SeedGenerator(seed)
        return self.draw(shape if len(shape) == 4 else (1, *shape), seed or getattr(self, "generator", None))

    def _applies(self, transformation: Any, training: bool) -> bool:
        return self.always or bool(training) and (transformation is not None or not self.draws)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """A batch of images, or one, after ``transformation``."""
        images = ops.convert_to_tensor(images)
        dtype = images.dtype if self.keeps_dtype else self.compute_dtype
        if self._applies(transformation, training):
            single = len(images.shape) == 3
            images = ops.cast(ops.expand_dims(images, 0) if single else images, self.compute_dtype)
            images = self.augment_images(images, transformation)
            images = ops.squeeze(images, 0) if single else images
        return ops.cast(images, dtype)

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        """The labels of a batch of images after ``transformation``."""
        applies = self._applies(transformation, training)
        return self.augment_labels(ops.convert_to_tensor(labels), transformation) if applies else labels

    def transform_bounding_boxes(
        self, bounding_boxes: dict[str, Any], transformation: Any = None, training: bool = True
    ) -> dict[str, Any]:
        """The bounding boxes of a batch of images after ``transformation``."""
        applies = self._applies(transformation, training)
        return self.augment_bounding_boxes(bounding_boxes, transformation) if applies else bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """The segmentation masks of a batch of images after ``transformation``."""
        if not self._applies(transformation, training):
            return segmentation_masks
        return self.augment_segmentation_masks(ops.convert_to_tensor(segmentation_masks), transformation)

    # -- calling -------------------------------------------------------------------------------------------------------
    def call(self, data: Any, training: bool | None = True) -> Any:
        training = training is None or bool(training)
        whole = data if isinstance(data, dict) else {"images": data}
        if "images" not in whole:
            raise ValueError(f"{type(self).__name__} {self.name!r}: a dictionary needs the key 'images' (and may have "
                             f"{_KEYS[1:]}). Received the keys {sorted(whole)}.")  # fmt: skip
        whole = {**whole, "images": ops.convert_to_tensor(whole["images"])}
        rank = len(whole["images"].shape)
        if rank not in (3, 4):
            raise ValueError(f"{type(self).__name__} {self.name!r}: Expected the input image to be rank 3 or 4. "
                             f"Received shape {tuple(whole['images'].shape)}.")  # fmt: skip
        if "bounding_boxes" in whole:
            whole["bounding_boxes"] = self._boxes_as_tensors(whole["bounding_boxes"])
        if rank == 3:
            whole = self._each_key(whole, lambda x: ops.expand_dims(ops.convert_to_tensor(x), 0))
        transformation = self.get_random_transformation(whole, training=training)
        for key in _KEYS:
            if key in whole:
                whole[key] = getattr(self, f"transform_{key}")(whole[key], transformation, training=training)
        if rank == 3:
            whole = self._each_key(whole, lambda x: ops.squeeze(x, 0))
        return whole if isinstance(data, dict) else whole["images"]

    @staticmethod
    def _each_key(whole: dict[str, Any], fn: Any) -> dict[str, Any]:
        return {key: map_nest(fn, value) if key in _KEYS else value for key, value in whole.items()}

    def _boxes_as_tensors(self, bounding_boxes: Any) -> dict[str, Any]:
        name = type(self).__name__
        if not isinstance(bounding_boxes, dict) or not {"boxes", "labels"} <= set(bounding_boxes):
            raise ValueError(f"{name} {self.name!r}: `bounding_boxes` should be a dictionary with the keys 'boxes' and "
                             f"'labels'. Received: {bounding_boxes!r}")  # fmt: skip
        if self.needs_box_format:
            self._box_format()
        return {**bounding_boxes, "boxes": ops.cast(bounding_boxes["boxes"], "float32"),
                "labels": ops.convert_to_tensor(bounding_boxes["labels"])}  # fmt: skip

    def _box_format(self) -> str:
        if not self.bounding_box_format:
            name = type(self).__name__
            raise ValueError(f"{name} {self.name!r} was called with bounding boxes, but has no format for them: pass "
                             f"{name}(..., bounding_box_format='xyxy').")  # fmt: skip
        return self.bounding_box_format

    def compute_output_spec(self, data: Any, training: Any = None) -> Any:
        """Shapes and dtypes alone: nothing is drawn for symbolic images, whose batch is unknown."""
        whole = dict(data) if isinstance(data, dict) else {"images": data}
        images = whole["images"]
        dtype = images.dtype if self.keeps_dtype else self.compute_dtype
        whole["images"] = Spec(self.augmented_shape(images.shape), dtype)
        if "segmentation_masks" in whole:
            masks = whole["segmentation_masks"]
            whole["segmentation_masks"] = Spec(self.augmented_shape(masks.shape), masks.dtype)
        for key in self.blends:
            if key in whole:
                whole[key] = Spec(whole[key].shape, self.compute_dtype)
        return whole if isinstance(data, dict) else whole["images"]

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "data_format": self.data_format}
        if self.bounding_box_format is not None:
            config["bounding_box_format"] = self.bounding_box_format
        return config
