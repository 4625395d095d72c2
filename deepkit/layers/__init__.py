"""Layers."""

from ..registry import deserialize_keras_object as _deserialize
from ..registry import serialize_keras_object as serialize
from .conv import *
from .conv_transpose import *
from .core import Activation, Dense, Embedding, Identity, Lambda, Masking
from .depthwise import *
from .global_pool import *
from .input_layer import Input, InputLayer
from .layer import InputSpec, Layer
from .pool import *


def deserialize(config, custom_objects=None):
    """The layer that a configuration describes.

    Raises:
        ValueError: if it describes something else.
    """
    layer = _deserialize(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(f"The configuration describes no layer: {config!r}")
    return layer
