"""Bounding boxes: their formats, their overlap, and what moving an image does to them."""

from __future__ import annotations

from math import pi
from typing import Any

from ...autograd.spec import Spec
from ...config import epsilon
from .. import elementwise as e
from ..arrange import split
from ..creation import cast, convert_to_tensor, ones_like
from ..index import where
from ..math import clip
from ..reduce import max as _max
from ..reduce import min as _min
from ..shape import concatenate, expand_dims, squeeze, stack, swapaxes

FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Spec) else convert_to_tensor(x)


def _to_corners(boxes: Any, kind: str) -> tuple[Any, Any, Any, Any]:
    """Left, top, right and bottom, each (..., 1)."""
    a, b, c, d = split(boxes, 4, axis=-1)
    if kind.endswith(("yxyx", "yxhw")):
        a, b, c, d = b, a, d, c
    if kind.startswith("center"):
        a, b = a - c / 2, b - d / 2
    return (a, b, c, d) if kind.endswith(("xyxy", "yxyx")) else (a, b, a + c, b + d)


def _from_corners(left: Any, top: Any, right: Any, bottom: Any, kind: str) -> Any:
    if not kind.endswith(("xyxy", "yxyx")):
        right, bottom = right - left, bottom - top
        if kind.startswith("center"):
            left, top = left + right / 2, top + bottom / 2
    if kind.endswith(("yxyx", "yxhw")):
        left, top, right, bottom = top, left, bottom, right
    return concatenate([left, top, right, bottom], axis=-1)


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: str = "float32"
) -> Any:
    """Boxes in another format.

    A format names the four numbers of a box: ``"xyxy"`` and ``"yxyx"`` two opposite corners, ``"xywh"`` the left top
    corner and the size, ``"center_xywh"`` and ``"center_yxhw"`` the center and the size; with ``rel_`` before it
    they are fractions of the image (``"rel_xyxy"``, ``"rel_yxyx"``, ``"rel_xywh"``, ``"rel_center_xywh"``).

    Args:
        boxes: Tensor (..., 4), or a dictionary with such ``"boxes"``, of which a copy is returned.
        source: Their format.
        target: The wanted one.
        height: Height of the image, for formats with ``rel_``.
        width: Its width.
        dtype: Dtype of the result.

    Raises:
        ValueError: for an unknown format, boxes that aren't four numbers, or a missing height or width.

    Example:
        >>> convert_format([[1, 2, 5, 4]], "xyxy", "center_xywh")
        Tensor([[3., 3., 4., 2.]], dtype=float32)
    """
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    boxes = _tensor(boxes)
    if boxes.shape[-1] != 4:
        raise ValueError(f"Boxes must be four numbers each; received shape {tuple(boxes.shape)}.")
    source, target = source.lower(), target.lower()
    for name, value in (("source", source), ("target", target)):
        if value not in FORMATS:
            raise ValueError(f"Argument {name!r} must be one of {FORMATS}; received {value!r}.")
    relative = source.startswith("rel_"), target.startswith("rel_")
    if any(relative) and (height is None or width is None):
        raise ValueError(f"Converting from {source!r} to {target!r} needs the image's size; received "
                         f"height={height}, width={width}.")  # fmt: skip
    boxes = cast(boxes, dtype)
    if source == target:
        return boxes
    left, top, right, bottom = _to_corners(boxes, source.removeprefix("rel_"))
    if relative[0] != relative[1]:
        height, width = (cast(v, dtype) for v in (height, width))
        if relative[0]:
            left, top, right, bottom = left * width, top * height, right * width, bottom * height
        else:
            left, top, right, bottom = left / width, top / height, right / width, bottom / height
    return _from_corners(left, top, right, bottom, target.removeprefix("rel_"))


def _xyxy_only(bounding_box_format: str, function: str) -> None:
    if bounding_box_format != "xyxy":
        raise ValueError(f"{function} takes boxes in the format 'xyxy'; convert those in {bounding_box_format!r} "
                         "with convert_format.")  # fmt: skip


def _clipped(left: Any, top: Any, right: Any, bottom: Any, height: Any, width: Any) -> Any:
    return concatenate(
        [clip(left, 0, width), clip(top, 0, height), clip(right, 0, width), clip(bottom, 0, height)], axis=-1
    )


def clip_to_image_size(
    bounding_boxes: dict[str, Any], height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Boxes cut off at the edges of the image; those of which nothing is left get the label -1.

    Args:
        bounding_boxes: Dictionary of ``"boxes"`` (..., 4) and, if there are any, ``"labels"``.
        height: Height of the image, for ``"xyxy"``.
        width: Its width.
        bounding_box_format: ``"xyxy"`` or ``"rel_xyxy"``.

    Returns:
        A new dictionary.

    Raises:
        ValueError: for another format, or a missing height or width.

    Example:
        >>> clip_to_image_size({"boxes": [[-1.0, 0.0, 3.0, 9.0]], "labels": [7]}, 4, 4)["boxes"]
        Tensor([[0., 0., 3., 4.]], dtype=float32)
    """
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise ValueError(f"clip_to_image_size takes boxes in the formats 'xyxy' and 'rel_xyxy'; received "
                         f"{bounding_box_format!r}.")  # fmt: skip
    if bounding_box_format == "rel_xyxy":
        height = width = 1
    if height is None or width is None:
        raise ValueError(f"clip_to_image_size needs the image's size; received height={height}, width={width}.")
    boxes = _tensor(bounding_boxes["boxes"])
    if not isinstance(boxes, Spec):
        height, width = (cast(v, boxes.dtype) for v in (height, width))
    boxes = _clipped(*split(boxes, 4, axis=-1), height, width)
    result = {**bounding_boxes, "boxes": boxes}
    if bounding_boxes.get("labels") is not None:
        labels = _tensor(bounding_boxes["labels"])
        area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
        result["labels"] = where(area > 0, labels, cast(-1, labels.dtype))
    return result


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Any:
    """Boxes of an image that is cropped to a window.

    Args:
        boxes: Tensor (..., 4).
        top: First row of the window.
        left: First column of the window.
        height: Height of the window.
        width: Width of the window.
        bounding_box_format: ``"xyxy"``.

    Example:
        >>> crop([[1.0, 1.0, 9.0, 3.0]], top=1, left=2, height=4, width=5)
        Tensor([[0., 0., 5., 2.]], dtype=float32)
    """
    _xyxy_only(bounding_box_format, "crop")
    x1, y1, x2, y2 = split(_tensor(boxes), 4, axis=-1)
    return _clipped(x1 - left, y1 - top, x2 - left, y2 - top, height, width)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes of an image that is padded.

    Args:
        boxes: Tensor (..., 4).
        top: Rows of padding before the image.
        left: Columns of padding before the image.
        height: Not used.
        width: Not used.
        bounding_box_format: ``"xyxy"``.

    Example:
        >>> pad([[1.0, 1.0, 9.0, 3.0]], top=1, left=2)
        Tensor([[ 3.,  2., 11.,  4.]], dtype=float32)
    """
    _xyxy_only(bounding_box_format, "pad")
    x1, y1, x2, y2 = split(_tensor(boxes), 4, axis=-1)
    return concatenate([x1 + left, y1 + top, x2 + left, y2 + top], axis=-1)


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """The smallest upright boxes around boxes that are turned, moved, scaled and sheared with their image.

    Args:
        boxes: Tensor (batch, n, 4).
        angle: Degrees for each image, (batch,).
        translate_x: Way to the right as a fraction of the width, (batch,).
        translate_y: Way down as a fraction of the height, (batch,).
        scale: Factor, (batch,).
        shear_x: Degrees, (batch,).
        shear_y: Degrees, (batch,).
        height: Height of the images.
        width: Width of the images.
        center_x: Center as a fraction of the width; the middle by default.
        center_y: Center as a fraction of the height.
        bounding_box_format: ``"xyxy"``.

    Example:
        >>> one, zero = convert_to_tensor([1.0]), convert_to_tensor([0.0])
        >>> affine_transform([[[0.0, 0.0, 2.0, 1.0]]], 180 * one, zero, zero, one, zero, zero, 5, 5).numpy().round(3)
        array([[[2., 3., 4., 4.]]], dtype=float32)
    """
    _xyxy_only(bounding_box_format, "affine_transform")
    angle, translate_x, translate_y, scale, shear_x, shear_y = (
        expand_dims(cast(v, "float32"), (-2, -1)) if len(_tensor(v).shape) == 0 else cast(v, "float32")[:, None, None]
        for v in (angle, translate_x, translate_y, scale, shear_x, shear_y)
    )
    degree = -pi / 180
    turn, shear_x, shear_y = angle * degree, shear_x * degree, shear_y * degree
    cx, cy = ((0.5 if c is None else c) * (n - 1) for c, n in ((center_x, width), (center_y, height)))
    x0, y0 = cx - translate_x * (width - 1), cy - translate_y * (height - 1)
    # The inverse of rotation · shear · scale, about the center.
    a, c = e.cos(turn - shear_y) / e.cos(shear_y), -e.sin(turn - shear_y) / e.cos(shear_y)
    b, d = a * e.tan(shear_x) + e.sin(turn), e.cos(turn) - c * e.tan(shear_x)
    x1, y1, x2, y2 = split(cast(_tensor(boxes), "float32"), 4, axis=-1)
    x, y = concatenate([x1, x2, x2, x1], axis=-1) - x0, concatenate([y1, y1, y2, y2], axis=-1) - y0
    x, y = cx + scale * (d * x - b * y), cy + scale * (a * y - c * x)
    return stack([_min(x, axis=-1), _min(y, axis=-1), _max(x, axis=-1), _max(y, axis=-1)], axis=-1)


def _size_of(image_shape: Any) -> tuple[Any, Any]:
    return (None, None) if image_shape is None else (image_shape[0], image_shape[1])


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Any:
    """Intersection over union of each of m boxes with each of n.

    Args:
        boxes1: Tensor (m, 4) or (batch, m, 4).
        boxes2: Tensor (n, 4) or (batch, n, 4).
        bounding_box_format: Format of both, as in :func:`convert_format`.
        use_masking: Give ``mask_val`` for boxes of negative numbers, which stand for no box.
        mask_val: Value for these.
        image_shape: (height, width, channels), for formats with ``rel_``.

    Returns:
        Tensor (m, n) or (batch, m, n).

    Raises:
        ValueError: for another rank, or a missing ``image_shape``.

    Example:
        >>> compute_iou([[0, 0, 2, 2]], [[0, 0, 2, 2], [1, 0, 3, 2]], "xyxy").numpy().round(4)
        array([[1.    , 0.3333]], dtype=float32)
    """
    boxes1, boxes2 = _tensor(boxes1), _tensor(boxes2)
    for name, boxes in (("boxes1", boxes1), ("boxes2", boxes2)):
        if len(boxes.shape) not in (2, 3):
            raise ValueError(f"Argument {name!r} must be (n, 4) or (batch, n, 4); received {tuple(boxes.shape)}.")
    height, width = _size_of(image_shape)
    boxes1, boxes2 = (convert_format(b, bounding_box_format, "xyxy", height, width) for b in (boxes1, boxes2))
    left1, top1, right1, bottom1 = split(boxes1, 4, axis=-1)  # (..., m, 1)
    left2, top2, right2, bottom2 = (swapaxes(v, -1, -2) for v in split(boxes2, 4, axis=-1))  # (..., 1, n)
    shared_width = e.maximum(e.minimum(right1, right2) - e.maximum(left1, left2), 0.0)
    shared_height = e.maximum(e.minimum(bottom1, bottom2) - e.maximum(top1, top2), 0.0)
    shared = shared_width * shared_height
    area1, area2 = (right1 - left1) * (bottom1 - top1), (right2 - left2) * (bottom2 - top2)
    iou = shared / (area1 + area2 - shared + epsilon())
    if not use_masking:
        return iou
    none1 = _max(boxes1, axis=-1, keepdims=True) < 0.0
    none2 = swapaxes(_max(boxes2, axis=-1, keepdims=True) < 0.0, -1, -2)
    return where(e.logical_or(none1, none2), mask_val * ones_like(iou), iou)


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None) -> Any:
    """Complete intersection over union of boxes in pairs (Zheng et al. 2020): IoU - d²/c² - αv.

    d is the distance of the centers, c the diagonal of the box around both, v the difference of their aspect ratios
    (4/π²)(arctan(w₂/h₂) - arctan(w₁/h₁))² and α = v / (1 - IoU + v).

    Args:
        boxes1: Tensor (..., 4).
        boxes2: Tensor of the same shape.
        bounding_box_format: Format of both, as in :func:`convert_format`.
        image_shape: (height, width, channels), for formats with ``rel_``.

    Returns:
        Tensor (...).

    Example:
        >>> compute_ciou([[0, 0, 2, 2]], [[1, 0, 3, 2]], "xyxy").numpy().round(4)
        array([0.2564], dtype=float32)
    """
    height, width = _size_of(image_shape)
    boxes1, boxes2 = (convert_format(b, bounding_box_format, "xyxy", height, width) for b in (boxes1, boxes2))
    tiny = epsilon()
    left1, top1, right1, bottom1 = (squeeze(v, -1) for v in split(boxes1, 4, axis=-1))
    left2, top2, right2, bottom2 = (squeeze(v, -1) for v in split(boxes2, 4, axis=-1))
    width1, height1 = right1 - left1, bottom1 - top1 + tiny
    width2, height2 = right2 - left2, bottom2 - top2 + tiny
    shared_width = e.maximum(e.minimum(right1, right2) - e.maximum(left1, left2), 0.0)
    shared = shared_width * e.maximum(e.minimum(bottom1, bottom2) - e.maximum(top1, top2), 0.0)
    iou = shared / (width1 * height1 + width2 * height2 - shared + 2 * tiny)
    around_width = e.maximum(right1, right2) - e.minimum(left1, left2)
    around_height = e.maximum(bottom1, bottom2) - e.minimum(top1, top2)
    diagonal = e.square(around_width) + e.square(around_height) + tiny
    distance = (e.square(left1 + right1 - left2 - right2) + e.square(top1 + bottom1 - top2 - bottom2)) / 4
    v = 4 / pi**2 * e.square(e.arctan(width2 / height2) - e.arctan(width1 / height1))
    return iou - distance / diagonal - v * v / (v - iou + (1 + tiny))


__all__ = [
    "FORMATS", "affine_transform", "clip_to_image_size", "compute_ciou", "compute_iou", "convert_format", "crop", "pad",
]  # fmt: skip
