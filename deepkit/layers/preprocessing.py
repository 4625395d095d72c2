"""Scaling of inputs: by constants, or by the statistics of data."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..registry import export
from ..utils.allowance import charge_array
from .layer import Layer


@export("keras.layers.Rescaling")
class Rescaling(Layer):
    """x · scale + offset.

    Args:
        scale: Factor, as 1/255 for images.
        offset: What is added.
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> Rescaling(1 / 255)(np.array([255], "uint8"))
        Tensor([1.], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        scale, offset = (
            v if isinstance(v, (int, float)) else ops.cast(v, self.compute_dtype)
            for v in (self.scale, self.offset)
        )
        return x * scale + offset

    def get_config(self) -> dict[str, Any]:
        from ..registry import serialize_keras_object

        return {**super().get_config(), "scale": serialize_keras_object(self.scale),
                "offset": serialize_keras_object(self.offset)}  # fmt: skip


@export("keras.layers.Normalization")
class Normalization(Layer):
    """(x - mean) / √variance, with mean and variance given or taken from data by :meth:`adapt`.

    Args:
        axis: Axis, or axes, that keep statistics of their own; ``None`` for one mean over all.
        mean: Mean, together with ``variance``.
        variance: Variance.
        invert: Undo the normalization instead: x · √variance + mean.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if only one of ``mean`` and ``variance`` is given.

    Example:
        >>> layer = Normalization()
        >>> layer.adapt(np.array([[1.0], [3.0]]))
        >>> layer(np.array([[1.0], [3.0]])).ravel().tolist()
        [-1.0, 1.0]
    """

    def __init__(self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = () if axis is None else tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
        if (mean is None) != (variance is None):
            raise ValueError("Normalization takes both `mean` and `variance`, or neither. Received: "
                             f"mean={mean!r}, variance={variance!r}")  # fmt: skip
        self.input_mean, self.input_variance, self.invert = mean, variance, invert
        self.supports_masking = True
        self._adapted = False
        self.mean: Any = None
        self.variance: Any = None

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        for a in self.axis:
            if not -rank <= a < rank:
                raise ValueError(f"Normalization {self.name!r}: axis {a} is out of range for input {input_shape}.")
        self._keep = sorted(a % rank for a in self.axis)
        for a in self._keep:
            if input_shape[a] is None:
                raise ValueError(
                    f"Normalization {self.name!r}: the size along axis {a} must be known. Received: {input_shape}"
                )
        shape = tuple(input_shape[a] for a in self._keep)
        self._shape = tuple(input_shape[i] if i in self._keep else 1 for i in range(rank))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(shape, "zeros", name="mean", trainable=False)
            self.adapt_variance = self.add_weight(shape, "ones", name="variance", trainable=False)
            self.count = self.add_weight((), "zeros", "int32", name="count", trainable=False)
            self._finish(self.adapt_mean.numpy(), self.adapt_variance.numpy())
        else:
            charge_array(shape, "float64", f"the mean and variance of {self.name}")
            self._finish(
                *(
                    np.broadcast_to(np.asarray(v, "float32"), shape)
                    for v in (self.input_mean, self.input_variance)
                )
            )

    def _finish(self, mean: Any, variance: Any) -> None:
        self.mean = ops.reshape(ops.cast(mean, self.compute_dtype), self._shape)
        self.variance = ops.reshape(ops.cast(variance, self.compute_dtype), self._shape)

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data: an array, or a loader or generator of batches.

        Raises:
            ValueError: if mean and variance were given, or the data is empty.
        """
        if self.input_mean is not None:
            raise ValueError(
                f"Normalization {self.name!r} was given its mean and variance; adapt() would overwrite them."
            )
        batches = [data] if hasattr(data, "__array__") or hasattr(data, "shape") or isinstance(data, list) else data
        n, mean, moment = 0, np.zeros(()), np.zeros(())
        for batch in batches:
            x = np.asarray(batch[0] if isinstance(batch, tuple) else batch, dtype="float64")
            x = x[:, None] if x.ndim == 1 and self.axis == (-1,) else x
            if not self.built:
                self.build((None, *x.shape[1:]))
                self.built = True
            axes = tuple(i for i in range(x.ndim) if i not in self._keep)
            m = int(np.prod([x.shape[i] for i in axes]))
            if not m:
                continue
            # Chan, Golub & LeVeque (1979): merging means and sums of squared deviations.
            batch_mean = x.mean(axis=axes)
            batch_moment = ((x - x.mean(axis=axes, keepdims=True)) ** 2).sum(axis=axes)
            delta = batch_mean - mean
            moment = moment + batch_moment + delta**2 * (n * m / (n + m))
            mean = mean + delta * (m / (n + m))
            n += m
        if not n:
            raise ValueError(f"Normalization {self.name!r}: adapt() needs data, but it is empty.")
        self.adapt_mean.assign(mean.astype("float32"))
        self.adapt_variance.assign((moment / n).astype("float32"))
        self.count.assign(np.asarray(min(n, 2**31 - 1), "int32"))
        self._finish(self.adapt_mean.numpy(), self.adapt_variance.numpy())

    def finalize_state(self) -> None:
        """Take the statistics over from the weights, after these were loaded."""
        if self.input_mean is None and self.built:
            self._finish(self.adapt_mean.numpy(), self.adapt_variance.numpy())

    def load_own_variables(self, store: Any) -> None:
        super().load_own_variables(store)
        self.finalize_state()

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        spread = ops.maximum(ops.sqrt(self.variance), 1e-7)
        return x * spread + self.mean if self.invert else (x - self.mean) / spread

    def get_config(self) -> dict[str, Any]:
        def listed(value: Any) -> Any:
            return value if value is None or isinstance(value, (int, float)) else np.asarray(value).tolist()

        return {**super().get_config(), "axis": list(self.axis), "invert": self.invert,
                "mean": listed(self.input_mean), "variance": listed(self.input_variance)}  # fmt: skip
