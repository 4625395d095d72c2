"""The base of layers that hold another layer."""

from __future__ import annotations

from typing import Any

from ..registry import export, serialize_keras_object
from .layer import Layer


@export("keras.layers.Wrapper")
class Wrapper(Layer):
    """A layer around another one, which it builds and saves with itself.

    Args:
        layer: The layer inside.
        **kwargs: Those of :class:`Layer`.

    Raises:
        TypeError: if ``layer`` is no layer.

    Example:
        >>> import deepkit
        >>> class Twice(deepkit.layers.Wrapper):
        ...     def call(self, x):
        ...         return self.layer(self.layer(x))
        >>> Twice(deepkit.layers.Rescaling(3.0))([1.0])
        Tensor([9.], dtype=float32)
    """

    def __init__(self, layer: Any, **kwargs: Any):
        if not isinstance(layer, Layer):
            raise TypeError(f"{type(self).__name__}: `layer` should be a Layer. Received: {layer!r}")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}
