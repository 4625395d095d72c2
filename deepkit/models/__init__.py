"""Models."""

from .cloning import clone_model
from .functional import Functional
from .model import Model
from .sequential import Sequential


def model_from_json(json_string, custom_objects=None):
    """The model whose architecture ``Model.to_json`` wrote; its weights are new."""
    from ..registry import deserialize_keras_object
    from ..utils.config_text import read_config

    return deserialize_keras_object(read_config(json_string, "json_string"), custom_objects=custom_objects)


def model_from_config(config, custom_objects=None):
    """The model that a serialized configuration describes."""
    from ..registry import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects=custom_objects)


def __getattr__(name):
    # Saving is above models in the order of imports, and reads files with packages that few programs need.
    if name in ("load_model", "save_model"):
        from .. import saving

        return getattr(saving, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
