"""Boxes relative to anchors, as detectors predict them."""

from __future__ import annotations

from typing import Any

from ...config import epsilon
from .. import elementwise as e
from ..creation import convert_to_tensor
from ..shape import concatenate
from .boxes import convert_format


def _checked(encoding: str, variance: Any, argument: str) -> Any:
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ValueError(f"Argument {argument!r} must be 'center_xywh' or 'center_yxhw'; received {encoding!r}.")
    if variance is None:
        return None
    variance = convert_to_tensor(variance, "float32")
    if variance.shape[-1:] != (4,):
        raise ValueError(f"Argument 'variance' must be four numbers; received shape {tuple(variance.shape)}.")
    return variance


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Boxes as offsets from anchors: (center - anchor's center) / anchor's size and log(size / anchor's size).

    Args:
        anchors: Tensor (..., 4).
        boxes: Tensor (..., 4).
        anchor_format: Format of the anchors.
        box_format: Format of the boxes.
        encoding_format: Order of the offsets, ``"center_xywh"`` or ``"center_yxhw"``.
        variance: Four numbers by which the offsets are divided.
        image_shape: (height, width, channels), for formats with ``rel_``.

    Raises:
        ValueError: for another encoding, or a variance that isn't four numbers.

    Example:
        >>> encode_box_to_deltas([[0, 0, 2, 2]], [[1, 0, 3, 2]], "xyxy", "xyxy", "center_xywh")
        Tensor([[0.5, 0. , 0. , 0. ]], dtype=float32)
    """
    variance = _checked(encoding_format, variance, "encoding_format")
    height, width = (None, None) if image_shape is None else image_shape[:2]
    anchors = convert_format(anchors, anchor_format, encoding_format, height, width)
    boxes = convert_format(boxes, box_format, encoding_format, height, width)
    size, anchor_size = (e.maximum(b[..., 2:], epsilon()) for b in (boxes, anchors))
    deltas = concatenate([(boxes[..., :2] - anchors[..., :2]) / anchor_size, e.log(size / anchor_size)], axis=-1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Boxes from their offsets from anchors: the inverse of :func:`encode_box_to_deltas`.

    Args:
        anchors: Tensor (..., 4), or a dictionary of them, one for each level of a pyramid.
        boxes_delta: Offsets of the same structure.
        anchor_format: Format of the anchors.
        box_format: Format of the boxes.
        encoded_format: Order of the offsets, ``"center_xywh"`` or ``"center_yxhw"``.
        variance: Four numbers by which the offsets are multiplied.
        image_shape: (height, width, channels), for formats with ``rel_``.

    Raises:
        ValueError: for another encoding, or a variance that isn't four numbers.

    Example:
        >>> decode_deltas_to_boxes([[0, 0, 2, 2]], [[0.5, 0.0, 0.0, 0.0]], "xyxy", "xyxy", "center_xywh")
        Tensor([[1., 0., 3., 2.]], dtype=float32)
    """
    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        return {
            level: decode_deltas_to_boxes(
                anchor, boxes_delta[level], anchor_format, box_format, encoded_format, variance, image_shape
            )
            for level, anchor in anchors.items()
        }
    variance = _checked(encoded_format, variance, "encoded_format")
    height, width = (None, None) if image_shape is None else image_shape[:2]
    anchors = convert_format(anchors, anchor_format, encoded_format, height, width)
    deltas = convert_to_tensor(boxes_delta) if variance is None else boxes_delta * variance
    center = deltas[..., :2] * anchors[..., 2:] + anchors[..., :2]
    boxes = concatenate([center, e.exp(deltas[..., 2:]) * anchors[..., 2:]], axis=-1)
    return convert_format(boxes, encoded_format, box_format, height, width)


__all__ = ["decode_deltas_to_boxes", "encode_box_to_deltas"]
