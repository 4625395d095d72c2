"""Dropout, noise, and activity regularization."""

from __future__ import annotations

from typing import Any

from .. import ops, random, regularizers
from ..autograd.spec import Spec
from ..registry import export
from .layer import InputSpec, Layer

#: selu(-∞): minus its scale times its alpha.
_SELU_LIMIT = -1.0507009873554805 * 1.6732632423543772


def _rate(value: Any, layer: str) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        and not hasattr(value, "item")
        or not 0 <= value <= 1
    ):
        raise ValueError(f"{layer}: `rate` should be a number in [0, 1]. Received: rate={value!r}")
    return float(value)


@export("keras.layers.Dropout")
class Dropout(Layer):
    """In training, sets a share ``rate`` of the inputs to 0 and scales the others by 1 / (1 - rate).

    Args:
        rate: The share, in [0, 1].
        noise_shape: Shape of the mask, ``None`` entries as in the input; 1 shares the mask along an axis.
        seed: Integer for repeatable masks.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``rate`` is out of range.

    Example:
        >>> import deepkit
        >>> deepkit.layers.Dropout(0.5)([1.0, 2.0])  # inference
        Tensor([1., 2.], dtype=float32)
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = _rate(rate, type(self).__name__)
        if noise_shape is not None and (
            not isinstance(noise_shape, (list, tuple)) or any(n is not None and n < 1 for n in noise_shape)
        ):
            raise ValueError(
                f"Dropout: `noise_shape` should be a list of positive ints or None. Received: {noise_shape!r}"
            )
        self.noise_shape, self.seed = noise_shape, seed
        if self.rate:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def _noise_shape(self, inputs: Any) -> Any:
        return self.noise_shape

    def call(self, inputs: Any, training: Any = False) -> Any:
        if not training or not self.rate or isinstance(inputs, Spec):
            return inputs
        if self.rate == 1:
            return ops.zeros_like(inputs)
        return random.dropout(inputs, self.rate, self._noise_shape(inputs), self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}


class _SpatialDropout(Dropout):
    """Dropout of whole feature maps (Tompson et al. 2015)."""

    rank = 0

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise_shape(self, inputs: Any) -> Any:
        if getattr(self, "data_format", "channels_last") == "channels_first":
            return (inputs.shape[0], inputs.shape[1], *[1] * self.rank)
        return (inputs.shape[0], *[1] * self.rank, inputs.shape[-1])

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["noise_shape"], config["trainable"]
        if hasattr(self, "data_format"):
            config["data_format"] = self.data_format
        return config


@export("keras.layers.SpatialDropout1D")
class SpatialDropout1D(_SpatialDropout):
    """Drops whole channels of (batch, time, channels) in training.

    Args:
        rate: Share of the channels.
        seed: Integer for repeatable masks.
        **kwargs: Those of :class:`Layer`.
    """

    rank = 1


class _SpatialDropoutND(_SpatialDropout):
    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, name: str | None = None,
                 dtype: Any = None, **kwargs: Any):  # fmt: skip
        from ..config import standardize_data_format

        super().__init__(rate, seed, name, dtype, **kwargs)
        self.data_format = standardize_data_format(data_format)


@export("keras.layers.SpatialDropout2D")
class SpatialDropout2D(_SpatialDropoutND):
    """Drops whole channels of images in training.

    Args:
        rate: Share of the channels.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: Integer for repeatable masks.
        **kwargs: Those of :class:`Layer`.
    """

    rank = 2


@export("keras.layers.SpatialDropout3D")
class SpatialDropout3D(_SpatialDropoutND):
    """Drops whole channels of volumes in training; arguments as for :class:`SpatialDropout2D`."""

    rank = 3


@export("keras.layers.GaussianNoise")
class GaussianNoise(Layer):
    """Adds normal noise in training.

    Args:
        stddev: Its standard deviation, in [0, 1].
        seed: Integer for repeatable noise.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``stddev`` is out of range.

    Example:
        >>> import deepkit
        >>> deepkit.layers.GaussianNoise(0.1)([1.0])  # inference
        Tensor([1.], dtype=float32)
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0 <= stddev <= 1:
            raise ValueError(f"GaussianNoise: `stddev` should be in [0, 1]. Received: stddev={stddev}")
        self.stddev, self.seed = stddev, seed
        if stddev:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: Any = False) -> Any:
        if not training or not self.stddev or isinstance(inputs, Spec):
            return inputs
        return inputs + random.normal(inputs.shape, 0.0, self.stddev, str(inputs.dtype), self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@export("keras.layers.GaussianDropout")
class GaussianDropout(Layer):
    """Multiplies by normal noise of mean 1 and standard deviation √(rate / (1 - rate)) in training.

    Args:
        rate: In [0, 1], as the rate of :class:`Dropout`.
        seed: Integer for repeatable noise.
        **kwargs: Those of :class:`Layer`.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate, self.seed = _rate(rate, "GaussianDropout"), seed
        if self.rate:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: Any = False) -> Any:
        if not training or not self.rate or isinstance(inputs, Spec):
            return inputs
        stddev = (self.rate / (1 - self.rate)) ** 0.5
        return inputs * random.normal(inputs.shape, 1.0, stddev, str(inputs.dtype), self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@export("keras.layers.AlphaDropout")
class AlphaDropout(Layer):
    """Dropout for ``selu`` networks: keeps mean and variance of standardized inputs (Klambauer et al. 2017).

    In training a share ``rate`` of the inputs is set to selu's lower limit, -1.7581, then all are scaled and shifted.

    Args:
        rate: The share, in [0, 1).
        noise_shape: Shape of the mask, ``None`` entries as in the input; 1 shares the mask along an axis.
        seed: Integer for repeatable masks.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``rate`` is out of range; with 1 no variance is left to keep.

    Example:
        >>> import deepkit
        >>> deepkit.layers.AlphaDropout(0.5)([1.0, 2.0])  # inference
        Tensor([1., 2.], dtype=float32)
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = _rate(rate, "AlphaDropout")
        if self.rate == 1:
            raise ValueError("AlphaDropout: `rate` should be less than 1. Received: rate=1")
        self.noise_shape, self.seed = noise_shape, seed
        if self.rate:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: Any = False) -> Any:
        if not training or not self.rate or isinstance(inputs, Spec):
            return inputs
        noise = inputs.shape if self.noise_shape is None else self.noise_shape
        shape = tuple(n if m is None else m for m, n in zip(noise, inputs.shape))
        keep = ops.greater_equal(random.uniform(shape, seed=self.seed_generator), self.rate)
        factor = ((1 - self.rate) * (1 + self.rate * _SELU_LIMIT**2)) ** -0.5
        return ops.where(keep, inputs, _SELU_LIMIT) * factor - factor * _SELU_LIMIT * self.rate

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}


@export("keras.layers.ActivityRegularization")
class ActivityRegularization(Layer):
    """Adds an L1 and L2 loss of its inputs.

    Args:
        l1: Factor of the absolute values.
        l2: Factor of the squares.
        **kwargs: Those of :class:`Layer`.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
