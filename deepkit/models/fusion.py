"""Layers that run as one op where nothing else asks for what is between them: batch normalization and relu."""

from __future__ import annotations

from typing import Any, Sequence

from .. import activations
from ..autograd.context import came_through, context
from ..autograd.tensor import Tensor
from ..layers.activation import ReLU
from ..layers.core import Activation
from ..layers.normalization import BatchNormalization

__all__ = ["NormRelu", "fused"]


def _is_relu(layer: Any) -> bool:
    if type(layer) is Activation:
        return layer.activation is activations.relu
    return type(layer) is ReLU and layer.max_value is None and not layer.negative_slope and not layer.threshold


class NormRelu:
    """A batch normalization and the relu behind it.

    Args:
        norm: The one layer.
        relu: The other.
    """

    def __init__(self, norm: BatchNormalization, relu: Any):
        self.norm, self.relu = norm, relu

    @staticmethod
    def fits(norm: Any, relu: Any) -> bool:
        """Whether the two are such a pair."""
        return (
            type(norm) is BatchNormalization
            and _is_relu(relu)
            and not norm.renorm
            and norm.activity_regularizer is relu.activity_regularizer is None
            and norm.compute_dtype == relu.compute_dtype
        )

    def __call__(self, x: Any, **kwargs: Any) -> Any:
        norm = self.norm
        if norm._ready and self.relu._ready and not kwargs and context.depth and type(x) is Tensor:
            if x.data.dtype is norm._compute and x._keras_mask is None:
                try:
                    return norm.activated(x, "relu", context.training)
                except MemoryError as error:
                    came_through(error, norm.name)
                    raise
        return self.relu(norm(x, **kwargs))


def fused(layers: Sequence[Any]) -> list[Any]:
    """A chain of layers with its pairs put together."""
    out: list[Any] = []
    for layer in layers:
        if out and NormRelu.fits(out[-1], layer):
            out[-1] = NormRelu(out[-1], layer)
        else:
            out.append(layer)
    return out
