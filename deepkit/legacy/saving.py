"""Configurations in the form of Keras 2; see :mod:`deepkit.utils.legacy`."""

from ..utils.legacy import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
