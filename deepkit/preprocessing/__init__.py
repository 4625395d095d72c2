"""Data sets from files and arrays under the names of ``keras.preprocessing``; imported when first asked for."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "image": ".image",
    "sequence": ".sequence",
    "image_dataset_from_directory": "..utils.image_dataset",
    "text_dataset_from_directory": "..utils.text_dataset",
    "timeseries_dataset_from_array": "..utils.timeseries_dataset",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name], __name__)
    value = home if _HOMES[name] == f".{name}" else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
