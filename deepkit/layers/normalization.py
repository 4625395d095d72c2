"""Batch, layer, group, root-mean-square and unit normalization."""

from __future__ import annotations

import math
from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..ops.norm import batch_norm, fixed_norm, layer_norm
from ..registry import export
from .layer import InputSpec, Layer


def _to_last(x: Any, axis: int) -> Any:
    return x if axis == len(x.shape) - 1 else ops.moveaxis(x, axis, -1)


def _from_last(x: Any, axis: int) -> Any:
    return x if axis == len(x.shape) - 1 else ops.moveaxis(x, -1, axis)


def statistics_dtype(dtype: str) -> str:
    """Sums of squares overflow in half precision; they are taken in float32."""
    return "float64" if dtype == "float64" else "float32"


def check_clipping(limits: dict[str, Any]) -> dict[str, Any]:
    """The limits of batch renormalization, if they are in order."""
    unknown = sorted(set(limits) - {"rmax", "rmin", "dmax"})
    if unknown:
        raise ValueError(f"BatchNormalization: `renorm_clipping` holds 'rmax', 'rmin' and 'dmax'. Received: {unknown}")
    rmin, rmax, dmax = (limits.get(key) for key in ("rmin", "rmax", "dmax"))
    if (rmin is not None and rmax is not None and rmin > rmax) or (dmax is not None and dmax < 0):
        raise ValueError(f"BatchNormalization: `renorm_clipping` needs rmin <= rmax and dmax >= 0. Received: {limits}")
    return limits


@export("keras.layers.BatchNormalization")
class BatchNormalization(Layer):
    """gamma (x - mean) / √(var + ε) + beta, with the batch's mean and variance in training (Ioffe & Szegedy 2015).

    In inference, and when frozen (``trainable=False``), moving averages take their place.

    Args:
        axis: The axis that keeps its own statistics, normally the features'.
        momentum: Weight of the past in the moving averages.
        epsilon: ε.
        center: Add beta.
        scale: Multiply by gamma.
        beta_initializer: Initializer of beta.
        gamma_initializer: Initializer of gamma.
        moving_mean_initializer: Initializer of the moving mean.
        moving_variance_initializer: Initializer of the moving variance.
        beta_regularizer: Regularizer of beta.
        gamma_regularizer: Regularizer of gamma.
        beta_constraint: Constraint on beta.
        gamma_constraint: Constraint on gamma.
        renorm: Batch renormalization (Ioffe 2017): in training, too, what comes out is scaled as by moving statistics,
            y = x̂ r + d with r = σ / σ_renorm and d = (mean - mean_renorm) / σ_renorm taken for constants.
        renorm_clipping: Dictionary of the limits ``"rmin"`` and ``"rmax"`` of r, and ``"dmax"`` of abs(d).
        renorm_momentum: Weight of the past in the averages mean_renorm and σ_renorm.
        synchronized: Accepted for compatibility; there is one device.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if the axis is out of range, or its size unknown, or for wrong limits.

    Example:
        >>> import deepkit
        >>> y = deepkit.layers.BatchNormalization()([[1.0], [3.0]], training=True)
        >>> [round(v, 2) for v in y.ravel().tolist()]
        [-1.0, 1.0]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if renorm:
            renorm_clipping = check_clipping(renorm_clipping or {})
        self.axis = int(axis)
        self.momentum, self.epsilon, self.center, self.scale = momentum, epsilon, center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.synchronized = synchronized
        self.renorm, self.renorm_clipping, self.renorm_momentum = renorm, renorm_clipping, renorm_momentum
        self.supports_masking = True
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"BatchNormalization {self.name!r}: axis {self.axis} is out of range for input {input_shape}."
            )
        n = input_shape[self.axis]
        if n is None:
            raise ValueError(f"BatchNormalization {self.name!r}: the size along axis {self.axis} must be known. "
                             f"Received: "
                             f"{input_shape}")  # fmt: skip
        if self.scale:
            self.gamma = self.add_weight((n,), self.gamma_initializer, name="gamma", regularizer=self.gamma_regularizer,
                                         constraint=self.gamma_constraint, autocast=False)  # fmt: skip
        if self.center:
            self.beta = self.add_weight((n,), self.beta_initializer, name="beta", regularizer=self.beta_regularizer,
                                        constraint=self.beta_constraint, autocast=False)  # fmt: skip
        self.moving_mean = self.add_weight((n,), self.moving_mean_initializer, name="moving_mean", trainable=False,
                                           autocast=False)
        self.moving_variance = self.add_weight((n,), self.moving_variance_initializer, name="moving_variance",
                                               trainable=False, autocast=False)  # fmt: skip
        if self.renorm:
            self._add_renorm(n)
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: n})
        self._axis = self.axis % rank
        self._wide = statistics_dtype(self.compute_dtype)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        return self.activated(inputs, None, training, mask)

    def activated(self, inputs: Any, act: str | None, training: Any, mask: Any = None) -> Any:
        """:meth:`call` with an activation in the same op; not for batch renormalization, nor with a mask."""
        x = _to_last(ops.cast(inputs, self._wide), self._axis)
        if not (training and self.trainable):
            statistics = self.moving_mean, self.moving_variance
            y = fixed_norm(x, *statistics, self.gamma, self.beta, epsilon=self.epsilon, act=act)
            return ops.cast(_from_last(y, self._axis), self.compute_dtype)
        gamma, beta = (None, None) if self.renorm else (self.gamma, self.beta)
        if mask is None:
            y, mean, variance = batch_norm(x, gamma, beta, epsilon=self.epsilon, act=act)
        else:
            y, mean, variance = self._masked(x, gamma, beta, mask)
        if self.renorm:
            y = self._renormalized(y, mean, variance)
        elif hasattr(mean, "data"):
            for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving.data * self.momentum + batch.data * (1 - self.momentum))
        return ops.cast(_from_last(y, self._axis), self.compute_dtype)

    def _masked(self, x: Any, gamma: Any, beta: Any, mask: Any) -> Any:
        """Statistics over the unmasked steps only; the mask has the leading axes of ``x``."""
        weight = ops.cast(ops.reshape(mask, (*mask.shape, *[1] * (len(x.shape) - len(mask.shape)))), x.dtype)
        axes = tuple(range(len(x.shape) - 1))
        weight = ops.broadcast_to(weight, (*x.shape[:-1], 1))
        total = ops.sum(weight) + 1e-7
        mean = ops.sum(x * weight, axis=axes) / total
        variance = ops.sum(ops.square(x - mean) * weight, axis=axes) / total
        y = (x - mean) * ops.rsqrt(variance + self.epsilon)
        y = y if gamma is None else y * gamma
        return (y if beta is None else y + beta), mean, variance

    def _add_renorm(self, n: int) -> None:
        """Moving statistics of batch renormalization; standard deviations start at the root of the variance."""
        variance = self.moving_variance_initializer
        fixed: dict[str, Any] = {"trainable": False, "autocast": False}

        def root(shape: Any, dtype: Any = None) -> Any:
            return ops.sqrt(variance(shape, dtype=dtype))

        self.moving_stddev = self.add_weight((n,), root, name="moving_stddev", **fixed)
        self.renorm_mean = self.add_weight((n,), self.moving_mean_initializer, name="renorm_mean", **fixed)
        self.renorm_stddev = self.add_weight((n,), root, name="renorm_stddev", **fixed)

    def _renormalized(self, y: Any, mean: Any, variance: Any) -> Any:
        """gamma (y r + d) + beta for the normalized batch ``y``; the moving statistics take the batch in afterwards."""
        mean, stddev = ops.stop_gradient(mean), ops.stop_gradient(ops.sqrt(variance + self.epsilon))
        past = ops.maximum(self.renorm_stddev, math.sqrt(self.epsilon))
        r, d = stddev / past, (mean - self.renorm_mean) / past
        limits = self.renorm_clipping
        r = r if limits.get("rmin") is None else ops.maximum(r, limits["rmin"])
        r = r if limits.get("rmax") is None else ops.minimum(r, limits["rmax"])
        d = d if limits.get("dmax") is None else ops.clip(d, -limits["dmax"], limits["dmax"])
        y = y * r + d
        y = y if self.gamma is None else y * self.gamma
        if hasattr(mean, "data"):
            for moving, value, momentum in (
                (self.renorm_mean, mean, self.renorm_momentum), (self.renorm_stddev, stddev, self.renorm_momentum),
                (self.moving_mean, mean, self.momentum), (self.moving_stddev, stddev, self.momentum),
            ):  # fmt: skip
                moving.assign(moving.data * momentum + value.data * (1 - momentum))
            self.moving_variance.assign(ops.relu(ops.square(self.moving_stddev) - self.epsilon))
        return y if self.beta is None else y + self.beta

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            "synchronized": self.synchronized,
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }


@export("keras.layers.LayerNormalization")
class LayerNormalization(Layer):
    """gamma (x - mean) / √(var + ε) + beta over the features of each sample (Ba et al. 2016).

    Args:
        axis: Axis, or axes, that are normalized together.
        epsilon: ε.
        center: Add beta.
        scale: Multiply by gamma.
        beta_initializer: Initializer of beta.
        gamma_initializer: Initializer of gamma.
        beta_regularizer: Regularizer of beta.
        gamma_regularizer: Regularizer of gamma.
        beta_constraint: Constraint on beta.
        gamma_constraint: Constraint on gamma.
        **kwargs: Those of :class:`Layer`.

    Raises:
        TypeError: if ``axis`` is no int or list of ints.

    Example:
        >>> import deepkit
        >>> y = deepkit.layers.LayerNormalization()([[1.0, 3.0]])
        >>> [round(v, 2) for v in y.ravel().tolist()]
        [-1.0, 1.0]
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        rms_scaling = kwargs.pop("rms_scaling", False)  # what Keras had before RMSNormalization
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"LayerNormalization: `axis` should be an int or a list of ints. Received: axis={axis!r}")
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon, self.center, self.scale, self.rms_scaling = epsilon, center, scale, rms_scaling
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        axes = sorted({a % rank for a in ([self.axis] if isinstance(self.axis, int) else self.axis)})
        shape = tuple(input_shape[a] for a in axes)
        if None in shape:
            raise ValueError(f"LayerNormalization {self.name!r}: sizes along axis {self.axis} must be known. Received: "
                             f"{input_shape}")  # fmt: skip
        self._axes = tuple(axes)
        self._wide = statistics_dtype(self.compute_dtype)
        self.axis = [self.axis] if isinstance(self.axis, int) else self.axis
        if self.scale:
            self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma",
                regularizer=self.gamma_regularizer,
                                         constraint=self.gamma_constraint, autocast=False)  # fmt: skip
        if self.center and not self.rms_scaling:
            self.beta = self.add_weight(shape, self.beta_initializer, name="beta", regularizer=self.beta_regularizer,
                                        constraint=self.beta_constraint, autocast=False)  # fmt: skip

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        inputs = ops.cast(inputs, self._wide)
        if self._axes == (rank - 1,) and not self.rms_scaling:
            return ops.cast(layer_norm(inputs, self.gamma, self.beta, epsilon=self.epsilon), self.compute_dtype)
        mean = ops.mean(inputs, axis=self._axes, keepdims=True)
        centred = inputs - mean
        variance = ops.mean(ops.square(centred), axis=self._axes, keepdims=True)
        y = (inputs if self.rms_scaling else centred) * ops.rsqrt(variance + self.epsilon)
        shape = [inputs.shape[a] if a in self._axes else 1 for a in range(rank)]
        y = y if self.gamma is None else y * ops.reshape(self.gamma, shape)
        y = y if self.beta is None else y + ops.reshape(self.beta, shape)
        return ops.cast(y, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "rms_scaling": self.rms_scaling,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


@export("keras.layers.UnitNormalization")
class UnitNormalization(Layer):
    """Scales the input to Euclidean norm 1 over ``axis``.

    Args:
        axis: Axis or axes.
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.UnitNormalization()([[3.0, 4.0]])
        Tensor([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return inputs / ops.sqrt(ops.maximum(ops.sum(ops.square(inputs), axis=axes, keepdims=True), 1e-12))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
