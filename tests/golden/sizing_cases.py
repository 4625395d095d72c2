"""Resizing and CenterCrop with boxes and masks, whose outputs are compared with real Keras: ``(name, arguments)``."""

from __future__ import annotations

from typing import Any

import numpy as np

_rng = np.random.default_rng(0)
IMAGES = (_rng.uniform(size=(2, 6, 9, 3)) * 255).astype("float32")
MASKS = _rng.integers(0, 4, (2, 6, 9, 1)).astype("int32")
BOXES = np.array([[[0, 0, 4, 3], [1.5, 2, 8, 6]], [[5, 1, 9, 4], [-1, -1, -1, -1]]], "float32")
LABELS = np.array([[1, 2], [3, -1]], "float32")


def data(channels_first: bool = False) -> dict[str, Any]:
    """A batch of images with all that belongs to it."""
    images, masks = IMAGES, MASKS
    if channels_first:
        images, masks = (np.ascontiguousarray(x.transpose(0, 3, 1, 2)) for x in (images, masks))
    boxes = {"boxes": BOXES.copy(), "labels": LABELS.copy()}
    return {"images": images, "segmentation_masks": masks, "bounding_boxes": boxes, "labels": np.array([1, 2])}


CASES: dict[str, tuple[str, dict[str, Any]]] = {}
for height, width in ((4, 5), (8, 8), (3, 12), (6, 9)):
    size = {"height": height, "width": width, "bounding_box_format": "xyxy"}
    label = f"{height}x{width}"
    CASES[f"resizing_{label}"] = ("Resizing", size)
    CASES[f"resizing_crop_{label}"] = ("Resizing", {**size, "crop_to_aspect_ratio": True})
    CASES[f"resizing_pad_{label}"] = ("Resizing", {**size, "pad_to_aspect_ratio": True, "fill_value": 3.0})
    CASES[f"center_crop_{label}"] = ("CenterCrop", size)
    CASES[f"center_crop_first_{label}"] = ("CenterCrop", {**size, "data_format": "channels_first"})
CASES["resizing_lanczos"] = ("Resizing", {"height": 3, "width": 4, "interpolation": "lanczos3", "antialias": True,
                                          "bounding_box_format": "rel_xywh"})  # fmt: skip
CASES["resizing_first"] = ("Resizing", {"height": 3, "width": 4, "data_format": "channels_first",
                                        "bounding_box_format": "center_xywh"})  # fmt: skip
