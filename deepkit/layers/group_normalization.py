"""Normalization over groups of channels."""

from __future__ import annotations

from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..registry import export
from .layer import InputSpec, Layer
from .normalization import statistics_dtype


@export("keras.layers.GroupNormalization")
class GroupNormalization(Layer):
    """gamma (x - mean) / √(var + ε) + beta, with statistics of each sample and group of channels (Wu & He 2018).

    One group is layer normalization over all axes but the batch's, a group a channel instance normalization.

    Args:
        groups: Number of groups, a divisor of the number of channels; -1 for one a channel.
        axis: The channels' axis.
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
        ValueError: if ``groups`` is neither positive nor -1 or doesn't divide the channels, or if the axis is out of
            range, the batch's, or of unknown size.

    Example:
        >>> y = GroupNormalization(groups=2)(ops.convert_to_tensor([[1.0, 3.0, 10.0, 30.0]]))
        >>> [round(v, 2) for v in y.ravel().tolist()]
        [-1.0, 1.0, -1.0, 1.0]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        super().__init__(**kwargs)
        if isinstance(groups, bool) or not hasattr(groups, "__index__") or (groups < 1 and groups != -1):
            raise ValueError(
                f"GroupNormalization: `groups` should be a positive int, or -1 for one a channel. "
                f"Received: groups={groups!r}"
            )
        self.groups, self.axis = int(groups), int(axis)
        self.epsilon, self.center, self.scale = epsilon, center, scale
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
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError(
                f"GroupNormalization {self.name!r}: axis {self.axis} is out of range, or the batch's, for input "
                f"{input_shape}."
            )
        n = input_shape[self.axis]
        if n is None:
            raise ValueError(
                f"GroupNormalization {self.name!r}: the size along axis {self.axis} must be known. Received: "
                f"{input_shape}"
            )
        self.groups = n if self.groups == -1 else self.groups
        if n % self.groups:
            raise ValueError(
                f"GroupNormalization {self.name!r}: {n} channels can't be divided into {self.groups} groups. "
                f"Received input {input_shape}."
            )
        if self.scale:
            self.gamma = self.add_weight((n,), self.gamma_initializer, name="gamma", regularizer=self.gamma_regularizer,
                                         constraint=self.gamma_constraint, autocast=False)  # fmt: skip
        if self.center:
            self.beta = self.add_weight((n,), self.beta_initializer, name="beta", regularizer=self.beta_regularizer,
                                        constraint=self.beta_constraint, autocast=False)  # fmt: skip
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: n})
        self._channel = self.axis % rank
        self._channels = n
        self._wide = statistics_dtype(self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self._wide)
        centred = x - self._group_mean(x)
        inverse = ops.rsqrt(self._group_mean(ops.square(centred)) + self.epsilon)
        along = [self._channels if i == self._channel else 1 for i in range(len(inputs.shape))]
        y = centred * (inverse if self.gamma is None else inverse * ops.reshape(self.gamma, along))
        y = y if self.beta is None else y + ops.reshape(self.beta, along)
        return ops.cast(y, self.compute_dtype)

    def _group_mean(self, x: Any) -> Any:
        """The mean of each sample and group, at every channel of the group; other axes have size 1.

        All channels have equally many elements, so that it is the mean of the channels' means, and the input itself
        needs no other shape.
        """
        rank, size = len(x.shape), self._channels // self.groups
        others = tuple(i for i in range(1, rank) if i != self._channel)
        means = ops.mean(x, axis=others, keepdims=True) if others else x
        pooled = ops.mean(ops.reshape(means, (-1, self.groups, size)), axis=-1)
        along = [self._channels if i == self._channel else 1 for i in range(1, rank)]
        return ops.reshape(ops.repeat(pooled, size, axis=-1), (-1, *along))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }
