"""Boxes and masks drawn into images."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from .. import ops
from ..config import standardize_data_format
from ..utils.bounding_boxes import convert_format
from ..utils.image_utils import pillow


def batch_of_images(images: Any, data_format: str | None) -> np.ndarray:
    """A batch of images as a NumPy array with the channels last.

    Raises:
        ValueError: unless it is of rank 4.
    """
    x = ops.convert_to_numpy(images)
    if x.ndim != 4:
        raise ValueError(f"`images` should be a batch of rank 4. Received: images.shape={x.shape}")
    return x.transpose(0, 2, 3, 1) if standardize_data_format(data_format) == "channels_first" else x


def _as_bytes(images: np.ndarray) -> np.ndarray:
    """Values as uint8; floating ones up to 1 are fractions."""
    if images.dtype.kind == "f" and images.size:
        images = np.clip(images, 0, 1) * 255 if images.max() <= 1 else np.clip(images, 0, 255)
    return images.astype("uint8")


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: dict[str, Any],
    bounding_box_format: str,
    class_mapping: dict[int, str] | None = None,
    color: Sequence[int] = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with boxes drawn into them, and the names of their classes.

    Floating images with values up to 1 are scaled by 255.

    Args:
        images: Batch of images with 1, 3 or 4 channels.
        bounding_boxes: Dictionary of ``"boxes"`` (batch, n, 4), ``"labels"`` (batch, n), where -1 stands for no box,
            and perhaps ``"confidences"`` (batch, n).
        bounding_box_format: Format of the boxes, as in :func:`deepkit.utils.bounding_boxes.convert_format`.
        class_mapping: Names of the labels; those without one are drawn without text.
        color: Red, green and blue, from 0 to 255.
        line_thickness: Pixels.
        text_thickness: Pixels of the letters' strokes.
        font_scale: Size of the letters; 1 is 24 pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        uint8 array (batch, height, width, channels).

    Raises:
        ImportError: if Pillow isn't installed.
        ValueError: for images of another rank, or boxes without their keys.
        TypeError: if the boxes aren't a dictionary.

    Example:
        >>> boxes = {"boxes": np.array([[[1, 1, 3, 3]]]), "labels": np.array([[0]])}
        >>> draw_bounding_boxes(np.zeros((1, 5, 5, 3)), boxes, "xyxy").shape  # doctest: +SKIP
        (1, 5, 5, 3)
    """
    Image = pillow()
    x = batch_of_images(images, data_format)
    if not isinstance(bounding_boxes, dict):
        raise TypeError(f"`bounding_boxes` should be a dictionary. Received: {bounding_boxes!r}")
    if not {"boxes", "labels"} <= set(bounding_boxes):
        raise ValueError(f"`bounding_boxes` should have the keys 'boxes' and 'labels'. Received: "
                         f"{sorted(bounding_boxes)}")  # fmt: skip
    x = _as_bytes(x)
    boxes = ops.convert_to_numpy(
        convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", x.shape[1], x.shape[2])
    )
    labels = ops.convert_to_numpy(bounding_boxes["labels"]).astype(int)
    confidences = bounding_boxes.get("confidences")
    confidences = None if confidences is None else ops.convert_to_numpy(confidences)
    names = class_mapping or {}
    drawn = []
    for i, pixels in enumerate(x):
        image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels))
        for j, (box, label) in enumerate(zip(boxes[i], labels[i])):
            if label == -1 or not np.isfinite(box).all():
                continue
            text = names.get(int(label))
            if text is not None and confidences is not None:
                text = f"{text} | {confidences[i][j]:.2f}"
            _draw_box(image, [int(v) for v in box], text, tuple(color), line_thickness, text_thickness, font_scale)
        drawn.append(np.asarray(image).reshape(pixels.shape))
    return np.stack(drawn) if drawn else x


def _draw_box(
    image: Any, box: list[int], text: str | None, color: tuple[int, ...], line: int, stroke: int, scale: float
) -> None:
    from PIL import ImageDraw, ImageFont

    fill: Any = {"L": round(sum(color) / len(color)), "RGBA": (*color, 255)}.get(image.mode, color)
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])
    half = line // 2  # half of the line lies outside of the box
    draw.rectangle((left - half, top - half, right + half, bottom + half), outline=fill, width=line)
    if text is None:
        return
    height = max(24 * scale, 1)
    above = top - half - height > 0
    place = (left, top - half - height) if above else (left + line + 1, top + line)
    try:
        font = ImageFont.load_default(size=height)
    except (OSError, ImportError):  # a Pillow without FreeType has letters of one size only
        font = ImageFont.load_default()
    draw.text(place, text, fill=fill, font=font, stroke_width=max((stroke or line) - 1, 0))


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Any = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with each pixel colored by its class.

    Args:
        images: Batch of images with 3 channels, values from 0 to 255.
        segmentation_masks: Integers (batch, height, width, 1); with ``"channels_first"``, (batch, 1, height, width).
        num_classes: Number of classes; the largest class, plus one, by default.
        color_mapping: Red, green and blue of each class: a dictionary or a list; a palette by default.
        alpha: Weight of the color; 1 - alpha is that of the image.
        blend: Whether to blend; if not, the colors replace the pixels.
        ignore_index: Class that is left as it is.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        Array (batch, height, width, 3): uint8 if blended, else float32.

    Raises:
        ValueError: for images of another rank, or masks that don't fit them.
        TypeError: for masks that aren't integers.

    Example:
        >>> mask = np.array([[[[0], [1]]]])
        >>> draw_segmentation_masks(np.zeros((1, 1, 2, 3)), mask, 2, [(0, 0, 0), (100, 200, 50)])[0, 0]
        array([[  0,   0,   0],
               [ 80, 160,  40]], dtype=uint8)
    """
    x = batch_of_images(images, data_format).astype("float32")
    masks = ops.convert_to_numpy(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise TypeError(f"`segmentation_masks` should be integers. Received: dtype={masks.dtype}")
    if standardize_data_format(data_format) == "channels_first":
        masks = masks.transpose(0, 2, 3, 1)
    if masks.shape != (*x.shape[:3], 1):
        raise ValueError(f"`segmentation_masks` should be of shape {(*x.shape[:3], 1)}. Received: {masks.shape}")
    masks = masks[..., 0].astype(int)
    if num_classes is None:
        num_classes = int(masks.max(initial=-1)) + 1
    palette = [color_mapping[i] for i in range(num_classes)] if color_mapping is not None else _palette(num_classes)
    known = (masks >= 0) & (masks < num_classes)
    colored = x.copy()
    if num_classes:
        colored[known] = np.asarray(palette, "float32")[masks[known]]
    if not blend:
        return colored
    blended = np.where((masks != ignore_index)[..., None], x * (1 - alpha) + colored * alpha, x)
    return blended.astype("uint8")


def _palette(n: int) -> list[list[int]]:
    """n colors that differ: multiples of three large odd numbers."""
    return [[i * step % 255 for step in (2**25 - 1, 2**15 - 1, 2**21 - 1)] for i in range(n)]


__all__ = ["batch_of_images", "draw_bounding_boxes", "draw_segmentation_masks"]
