"""Layers that only move elements: flattening, reshaping, permuting, repeating."""

from __future__ import annotations

import math
import operator
from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..registry import export
from .layer import InputSpec, Layer


@export("keras.layers.Flatten")
class Flatten(Layer):
    """All axes but the batch's in one.

    Args:
        data_format: ``"channels_first"`` moves the channels to the end first.
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> Flatten()(ops.ones((2, 3, 4))).shape
        (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        rest = inputs.shape[1:]
        batch = -1 if inputs.shape[0] is None else inputs.shape[0]
        return ops.reshape(inputs, (batch, -1 if None in rest else math.prod(rest)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


@export("keras.layers.Reshape")
class Reshape(Layer):
    """Each sample in another shape.

    Args:
        target_shape: Sizes without the batch; one may be -1.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if the sizes don't fit.

    Example:
        >>> Reshape((3, -1))(ops.ones((2, 12))).shape
        (2, 3, 4)
    """

    def __init__(self, target_shape: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.target_shape = tuple(operator.index(n) for n in target_shape)
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"Reshape: at most one size can be -1. Received: target_shape={self.target_shape}")
        self.built = True

    def call(self, inputs: Any) -> Any:
        shape = self.target_shape
        rest = inputs.shape[1:]
        if None not in rest:
            size, known = math.prod(rest), math.prod(n for n in shape if n != -1)
            if (size != known) if -1 not in shape else (known == 0 or size % known):
                raise ValueError(f"Reshape {self.name!r}: samples of shape {tuple(rest)} can't be reshaped to {shape}.")
            if -1 in shape:
                shape = tuple(size // known if n == -1 else n for n in shape)
        return ops.reshape(inputs, (-1 if inputs.shape[0] is None else inputs.shape[0], *shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}


@export("keras.layers.Permute")
class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: The axes, counted from 1.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``dims`` is no permutation of 1..n.

    Example:
        >>> Permute((2, 1))(ops.ones((5, 3, 4))).shape
        (5, 4, 3)
    """

    def __init__(self, dims: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Permute: `dims` should be a permutation of 1..{len(self.dims)}. Received: dims={dims}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}


@export("keras.layers.RepeatVector")
class RepeatVector(Layer):
    """(batch, features) repeated to (batch, n, features).

    Args:
        n: Number of repetitions.
        **kwargs: Those of :class:`Layer`.

    Raises:
        TypeError: if ``n`` is no integer.
        ValueError: if ``n`` is not positive.

    Example:
        >>> RepeatVector(3)(ops.ones((2, 4))).shape
        (2, 3, 4)
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        try:
            self.n = operator.index(n)
        except TypeError:
            raise TypeError(f"RepeatVector: `n` should be an integer. Received: n={n!r}") from None
        if self.n < 1:
            raise ValueError(f"RepeatVector: `n` should be positive. Received: n={n!r}")
        self.input_spec = InputSpec(ndim=2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.broadcast_to(ops.expand_dims(inputs, 1), (inputs.shape[0], self.n, inputs.shape[1]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}
