"""Layers in a row, as one layer."""

from __future__ import annotations

from typing import Any

from ...registry import deserialize_keras_object, export, serialize_keras_object
from ..layer import Layer


@export("keras.layers.Pipeline")
class Pipeline(Layer):
    """Applies layers one after the other; unlike a Sequential model it is a plain layer, for preprocessing.

    Args:
        layers: The layers.
        name: Name.

    Example:
        >>> from deepkit import layers
        >>> pipeline = Pipeline([layers.AutoContrast(), layers.Rescaling(1 / 255)])
        >>> pipeline([[[[10.0], [20.0], [30.0]]]]).ravel().tolist()
        [0.0, 0.5, 1.0]
    """

    def __init__(self, layers: Any, name: str | None = None):
        super().__init__(name=name)
        self._pipeline_layers = list(layers)
        self.supports_masking = True

    @property
    def layers(self) -> list[Layer]:
        return self._pipeline_layers

    def call(self, inputs: Any, training: bool | None = True, mask: Any = None) -> Any:
        training = training is None or bool(training)
        for layer in self._pipeline_layers:
            kwargs: dict[str, Any] = {"training": training} if layer._signature.training else {}
            if mask is not None and "mask" in layer._signature.masks:
                kwargs["mask"] = mask
            inputs = layer(inputs, **kwargs)
            mask = getattr(inputs, "_keras_mask", None)
        return inputs

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        """The pipeline that a configuration describes.

        Raises:
            ValueError: if it has no list of layers.
        """
        if not isinstance(config.get("layers"), (list, tuple)):
            raise ValueError(f"A configuration of Pipeline needs a list `layers`. Received: {config!r}")
        return cls(**{**config, "layers": [deserialize_keras_object(c) for c in config["layers"]]})

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "layers": serialize_keras_object(self._pipeline_layers)}
