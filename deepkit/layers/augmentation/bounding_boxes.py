"""A fixed number of bounding boxes per image."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...autograd.spec import Spec
from ...registry import export
from .base import ImageAugmentation


@export("keras.layers.MaxNumBoundingBoxes")
class MaxNumBoundingBoxes(ImageAugmentation):
    """Cuts or fills the boxes and labels of each image to one number; images and labels stay as they are.

    Args:
        max_number: That number.
        fill_value: Value of the coordinates and labels that are filled in.
        **kwargs: ``data_format``, ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``max_number`` is negative.

    Example:
        >>> boxes = {"boxes": [[[0.0, 0.0, 1.0, 1.0]]], "labels": [[7]]}
        >>> layer = MaxNumBoundingBoxes(3)
        >>> layer({"images": ops.ones((1, 2, 2, 3)), "bounding_boxes": boxes})["bounding_boxes"]["labels"].tolist()
        [[7, -1, -1]]
    """

    draws = False
    always = True
    keeps_dtype = True
    needs_box_format = False

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.max_number, self.fill_value = int(max_number), int(fill_value)
        if self.max_number < 0:
            raise ValueError(f"MaxNumBoundingBoxes: `max_number` should not be negative. Received: {max_number!r}")

    def augment_images(self, images: Any, transformation: Any) -> Any:
        return images

    def augment_bounding_boxes(self, bounding_boxes: dict[str, Any], transformation: Any) -> dict[str, Any]:
        return {key: self._filled(value) for key, value in bounding_boxes.items()}

    def _filled(self, x: Any) -> Any:
        x = x[:, : self.max_number]
        missing = self.max_number - x.shape[1]
        padding = [(0, 0), (0, missing), *[(0, 0)] * (len(x.shape) - 2)]
        return ops.pad(x, padding, constant_values=self.fill_value)

    def compute_output_spec(self, data: Any, training: Any = None) -> Any:
        out = super().compute_output_spec(data, training)
        if not isinstance(data, dict) or "bounding_boxes" not in data:
            return out
        axis = len(data["images"].shape) - 3
        boxes = {}
        for key, spec in data["bounding_boxes"].items():
            boxes[key] = Spec((*spec.shape[:axis], self.max_number, *spec.shape[axis + 1 :]), spec.dtype)
        return {**out, "bounding_boxes": boxes}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_number": self.max_number, "fill_value": self.fill_value}
