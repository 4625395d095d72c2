"""Bounding boxes under the names of ``keras.utils.bounding_boxes``; imported when first asked for."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "..ops.image.boxes": (
        "affine_transform", "clip_to_image_size", "compute_ciou", "compute_iou", "convert_format", "crop", "pad",
    ),
    "..ops.image.box_deltas": ("decode_deltas_to_boxes", "encode_box_to_deltas"),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name], __package__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
