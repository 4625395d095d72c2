"""Helpers under the names of ``keras.utils``; each is imported when it is first asked for."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "..registry": (
        "CustomObjectScope", "custom_object_scope", "deserialize_keras_object", "get_custom_objects",
        "get_registered_name", "get_registered_object", "register_keras_serializable", "serialize_keras_object",
    ),
    "..autograd.dtypes": ("standardize_dtype",),
    "..autograd.spec": ("is_keras_tensor",),
    "..config": ("disable_interactive_logging", "enable_interactive_logging", "is_interactive_logging_enabled"),
    "..layers.feature_space": ("FeatureSpace",),
    "..models.symbolic": ("get_source_inputs",),
    ".audio_dataset": ("audio_dataset_from_directory",),
    ".config": ("Config",),
    ".file_utils": ("get_file",),
    ".image_dataset": ("image_dataset_from_directory",),
    ".image_utils": ("array_to_img", "img_to_array", "load_img", "save_img"),
    ".numerical": ("normalize", "to_categorical"),
    ".model_visualization": ("model_to_dot", "plot_model"),
    ".progbar": ("Progbar",),
    ".py_dataset": ("PyDataset", "Sequence"),
    ".random_seed": ("set_random_seed",),
    ".sample_weight": ("pack_x_y_sample_weight", "unpack_x_y_sample_weight"),
    ".sequence_utils": ("pad_sequences",),
    ".dataset_splits": ("split_dataset",),
    ".text_dataset": ("text_dataset_from_directory",),
    ".timeseries_dataset": ("timeseries_dataset_from_array",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF]


def __getattr__(name: str) -> Any:
    if name == "bounding_boxes":
        return importlib.import_module(".bounding_boxes", __name__)
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
