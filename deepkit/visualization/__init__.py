"""Images drawn with what is known of them, under the names of ``keras.visualization``; imported when asked for."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "draw_bounding_boxes": ".drawing",
    "draw_segmentation_masks": ".drawing",
    "plot_bounding_box_gallery": ".galleries",
    "plot_image_gallery": ".galleries",
    "plot_segmentation_mask_gallery": ".galleries",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
