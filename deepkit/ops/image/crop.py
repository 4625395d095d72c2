"""Margins of images: cutting and padding."""

from __future__ import annotations

from typing import Any

from ...autograd.spec import Spec
from ..creation import convert_to_tensor
from ..padding import pad
from .layout import axes_of, symbolic


def _margins(kind: str, sides: tuple[str, str, str], before: Any, after: Any, target: Any, size: Any) -> Any:
    """The margins before and after along one side, two of (before, after, target) being given."""
    given = dict(zip(sides, (before, after, target)))
    if list(given.values()).count(None) != 1:
        raise ValueError(f"Give exactly two of {', '.join(sides)}; received {given}.")
    for name, value in given.items():
        if value is not None and value < 0:
            raise ValueError(f"Argument {name!r} must be at least 0; received {value}.")
    if size is None:
        return before, after
    if target is not None:
        rest = target - size if kind == "padding" else size - target
        before = rest - after if before is None else before
        after = rest - before if after is None else after
    fits = min(before, after) >= 0 and (kind == "padding" or before + after <= size)
    if not fits:
        raise ValueError(f"The {kind} doesn't fit a side of {size} pixels: received {given}, which leaves "
                         f"{sides[0]}={before}, {sides[1]}={after}.")  # fmt: skip
    return before, after


def _both(images: Any, kind: str, top: Any, left: Any, bottom: Any, right: Any, height: Any, width: Any,
          data_format: str | None) -> tuple[tuple[int, tuple[Any, Any], Any], ...]:  # fmt: skip
    """For height and width: its axis, its margins and its target."""
    row, column, _ = axes_of(images, data_format)
    names = (f"top_{kind}", f"bottom_{kind}", "target_height"), (f"left_{kind}", f"right_{kind}", "target_width")
    return (
        (row, _margins(kind, names[0], top, bottom, height, images.shape[row]), height),
        (column, _margins(kind, names[1], left, right, width, images.shape[column]), width),
    )


def _grow(kind: str) -> Any:
    """The Spec of padded or cropped images."""

    def infer(images: Any, top: Any = None, left: Any = None, bottom: Any = None, right: Any = None,
              height: Any = None, width: Any = None, data_format: str | None = None, **named: Any) -> Spec:  # fmt: skip
        top, left, bottom, right = (named.get(f"{side}_{kind}", value) for side, value in
                                    zip(("top", "left", "bottom", "right"), (top, left, bottom, right)))  # fmt: skip
        height, width = named.get("target_height", height), named.get("target_width", width)
        shape = list(images.shape)
        for axis, margins, target in _both(images, kind, top, left, bottom, right, height, width, data_format):
            if target is None and shape[axis] is not None:
                target = shape[axis] + sum(margins) * (1 if kind == "padding" else -1)
            shape[axis] = target
        return Spec(shape, images.dtype)

    return infer


@symbolic(_grow("padding"))
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images with margins of zeros; two of top, bottom and target height are given, and likewise for the width.

    Args:
        images: Image or batch of images.
        top_padding: Rows before.
        left_padding: Columns before.
        bottom_padding: Rows after.
        right_padding: Columns after.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ValueError: for a wrong rank, unless exactly two of each three are given, or if one is negative.

    Example:
        >>> pad_images([[[1.0]]], top_padding=0, left_padding=1, target_height=1, target_width=3)[0, :, 0]
        Tensor([0., 1., 0.], dtype=float32)
    """
    images = convert_to_tensor(images)
    width = [(0, 0)] * len(images.shape)
    for axis, margins, _ in _both(images, "padding", top_padding, left_padding, bottom_padding, right_padding,
                                  target_height, target_width, data_format):  # fmt: skip
        width[axis] = margins
    return pad(images, width)


@symbolic(_grow("cropping"))
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images without their margins; two of top, bottom and target height are given, and likewise for the width.

    Args:
        images: Image or batch of images.
        top_cropping: Rows to drop before.
        left_cropping: Columns to drop before.
        bottom_cropping: Rows to drop after.
        right_cropping: Columns to drop after.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ValueError: for a wrong rank, unless exactly two of each three are given, or if the image is too small.

    Example:
        >>> crop_images([[[1.0], [2.0], [3.0]]], top_cropping=0, left_cropping=1, target_height=1, target_width=1)
        Tensor([[[2.]]], dtype=float32)
    """
    images = convert_to_tensor(images)
    index = [slice(None)] * len(images.shape)
    for axis, (before, after), _ in _both(images, "cropping", top_cropping, left_cropping, bottom_cropping,
                                          right_cropping, target_height, target_width, data_format):  # fmt: skip
        index[axis] = slice(before, images.shape[axis] - after)
    return images[tuple(index)]


__all__ = ["crop_images", "pad_images"]
