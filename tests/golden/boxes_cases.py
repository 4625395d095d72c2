"""Functions of bounding boxes whose values are compared with real Keras."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")
_rng = np.random.default_rng(0)
_corner = _rng.uniform(-3, 12, (2, 4, 2))
BOXES = np.concatenate([_corner, _corner + _rng.uniform(0.5, 9, (2, 4, 2))], -1).astype("float32")
OTHER = (BOXES[:, ::-1] + _rng.uniform(-1, 1, BOXES.shape)).astype("float32")[:, :3]
EMPTY = np.where(np.arange(4)[None, :, None] == 2, np.float32(-1), BOXES)
RATES = [_rng.uniform(-s, s, 2).astype("float32") for s in (40, 0.3, 0.3, 20, 20)]
VARIANCE = [0.1, 0.1, 0.2, 0.2]
SHAPE = (11, 13, 3)

CASES: dict[str, Callable[[Any], Any]] = {
    f"convert_{a}_{b}": (lambda u, a=a, b=b: u.convert_format(BOXES, a, b, 11, 13)) for a in FORMATS for b in FORMATS
}
CASES |= {
    "clip": lambda u: u.clip_to_image_size({"boxes": BOXES, "labels": np.zeros((2, 4), "float32")}, 11, 13)["boxes"],
    "clip_labels": lambda u: u.clip_to_image_size({"boxes": BOXES * 3 - 20, "labels": np.ones((2, 4), "float32")}, 11,
                                                  13)["labels"],
    "clip_relative": lambda u: u.clip_to_image_size({"boxes": BOXES / 10}, bounding_box_format="rel_xyxy")["boxes"],
    "crop": lambda u: u.crop(BOXES, 2, 3, 6, 5),
    "pad": lambda u: u.pad(BOXES, 2, 3),
    "affine": lambda u: u.affine_transform(BOXES, *RATES[:3], 1 + RATES[1], RATES[3], RATES[4], 11, 13),
    "affine_center": lambda u: u.affine_transform(BOXES, RATES[0], RATES[1], RATES[2], 1 + RATES[1], RATES[3], RATES[4],
                                                  11, 13, 0.2, 0.7),
    "iou": lambda u: u.compute_iou(BOXES, OTHER, "xyxy"),
    "iou_one": lambda u: u.compute_iou(BOXES[0], OTHER[0], "yxyx"),
    "iou_relative": lambda u: u.compute_iou(BOXES / 10, OTHER / 10, "rel_xywh", image_shape=SHAPE),
    "iou_mask": lambda u: u.compute_iou(EMPTY, OTHER, "xyxy", use_masking=True, mask_val=-2),
    "ciou": lambda u: u.compute_ciou(BOXES[:, :3], OTHER, "xyxy"),
    "ciou_center": lambda u: u.compute_ciou(np.abs(BOXES[:, :3]), np.abs(OTHER), "center_xywh"),
    "encode": lambda u: u.encode_box_to_deltas(BOXES[:, :3], OTHER, "xyxy", "xyxy"),
    "encode_variance": lambda u: u.encode_box_to_deltas(BOXES[:, :3], OTHER, "yxyx", "xyxy", "center_xywh", VARIANCE),
    "encode_relative": lambda u: u.encode_box_to_deltas(BOXES[:, :3] / 10, OTHER, "rel_xyxy", "xyxy",
                                                        image_shape=SHAPE),
    "decode": lambda u: u.decode_deltas_to_boxes(BOXES[:, :3], OTHER / 9, "xyxy", "xyxy"),
    "decode_variance": lambda u: u.decode_deltas_to_boxes(BOXES[:, :3], OTHER / 9, "xyxy", "rel_xyxy", "center_xywh",
                                                          VARIANCE, SHAPE),
}  # fmt: skip
