"""The base of losses: conversion, weights, masks and reduction."""

from __future__ import annotations

from typing import Any

from .. import config, ops
from ..autograd.dtypes import standardize_dtype
from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from ..registry import export, serialize_keras_object
from ..utils.naming import auto_name
from ..utils.nest import flatten, map_nest

REDUCTIONS = ("sum", "sum_over_batch_size", "mean", "mean_with_sample_weight", "none", None)


def same_rank(a: Any, b: Any) -> tuple[Any, Any]:
    """Add or drop a last axis of size 1, so that two tensors whose ranks differ by one have the same."""
    rank_a, rank_b = len(a.shape), len(b.shape)
    if rank_a == rank_b + 1 and a.shape[-1] == 1:
        return (a, ops.expand_dims(b, -1)) if rank_b == 1 else (ops.squeeze(a, -1), b)
    if rank_b == rank_a + 1 and b.shape[-1] == 1:
        return (ops.expand_dims(a, -1), b) if rank_a == 1 else (a, ops.squeeze(b, -1))
    return a, b


def masked_weight(sample_weight: Any, mask: Any, dtype: Any, reduction: Any) -> Any:
    """Sample weights with a mask taken into account; scaled so that a mean runs over the unmasked elements only."""
    if mask is None:
        return sample_weight
    weight = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        weight = weight * (weight.size / (ops.sum(weight) + config.epsilon()))
    if sample_weight is None:
        return weight
    sample_weight, weight = same_rank(ops.cast(sample_weight, dtype), weight)
    return sample_weight * weight


def reduce_values(values: Any, sample_weight: Any, reduction: str | None) -> Any:
    """The reduction of per-sample losses to a scalar."""
    if reduction in (None, "none") or not len(values.shape) or values.shape == (0,):
        return values
    if reduction in ("sum_over_batch_size", "mean"):
        return ops.mean(values)
    total = ops.sum(values)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        weights = ops.sum(ops.cast(sample_weight, values.dtype))
        return ops.where(
            weights == 0,
            ops.zeros_like(total),
            total / ops.where(weights == 0, ops.ones_like(weights), weights),
        )
    return ops.mean(values) if reduction == "mean_with_sample_weight" else total


@export("keras.losses.Loss", "keras.Loss")
class Loss:
    """Base of losses; subclass it with ``call(y_true, y_pred)``, which gives a loss for each sample.

    Args:
        name: Name.
        reduction: ``"sum_over_batch_size"`` (the mean), ``"sum"``, ``"mean"``, ``"mean_with_sample_weight"``
            or ``None``.
        dtype: Dtype in which targets and predictions are compared.

    Raises:
        ValueError: for another reduction.

    Example:
        >>> from deepkit import ops
        >>> class Cubic(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(abs(y_pred - y_true) ** 3, axis=-1)
        >>> float(Cubic()([[0.0, 0.0]], [[2.0, 0.0]]))
        4.0
    """

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: `reduction` should be one of {REDUCTIONS}. Received: reduction={reduction!r}"
            )
        self.name = name or auto_name(type(self).__name__)
        self.reduction = reduction
        self._dtype = dtype

    @property
    def dtype(self) -> str:
        return standardize_dtype(getattr(self._dtype, "compute_dtype", self._dtype))

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if sample_weight is None and type(y_pred) is type(y_true) is Tensor and y_pred._keras_mask is None:
            value = self._batch_mean(y_true, y_pred)
            if value is not None:
                return value
        mask = y_pred._keras_mask if isinstance(y_pred, (Tensor, Spec)) else None
        dtype = self.dtype
        y_pred = y_pred if _is(y_pred, dtype) else _each(lambda x: _cast(x, dtype), y_pred)
        y_true = y_true if _is(y_true, dtype) else _each(lambda x: self._target(x, dtype), y_true)
        values = self.call(y_true, y_pred)
        mask = getattr(values, "_keras_mask", None) if mask is None else mask
        if sample_weight is None and mask is None:
            return reduce_values(values, None, self.reduction)
        sample_weight = masked_weight(sample_weight, mask, dtype, self.reduction)
        values, sample_weight = same_rank(values, ops.cast(sample_weight, dtype))
        return reduce_values(values * sample_weight, sample_weight, self.reduction)

    def _batch_mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        """The loss in one op, where there is one for it and the arguments are as training steps have them."""
        return None

    def _target(self, y_true: Any, dtype: str) -> Any:
        return _cast(y_true, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a call(y_true, y_pred) method.")

    def check_targets(self, y_true: Any, pred_shape: tuple[Any, ...]) -> None:
        """Look at a whole array of targets once, before training.

        Raises:
            ValueError: if they don't fit predictions of ``pred_shape``.
        """

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._dtype is not None:
            config["dtype"] = serialize_keras_object(self._dtype)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _is(x: Any, dtype: str) -> bool:
    return type(x) is Tensor and x.data.dtype == dtype


def _each(fn: Any, tree: Any) -> Any:
    """``fn`` of each array of a nest; a list of numbers is one array."""
    if isinstance(tree, (list, tuple)) and not any(hasattr(x, "shape") for x in flatten(tree)):
        return fn(tree)
    return map_nest(fn, tree)


def _cast(x: Any, dtype: str) -> Any:
    return x if isinstance(x, Spec) else to_tensor(x, dtype)


class LossFunctionWrapper(Loss):
    """A loss made of a function ``(y_true, y_pred, **kwargs)``.

    Args:
        fn: The function; it gives a loss for each sample.
        reduction: See :class:`Loss`.
        name: Name.
        dtype: See :class:`Loss`.
        **kwargs: Further arguments of the function.
    """

    def __init__(
        self,
        fn: Any,
        reduction: Any = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def _plain(self, y_pred: Tensor) -> bool:
        """Whether the mean over float32 predictions of several samples is asked for, in nobody's own way."""
        data = y_pred.data
        return (self.reduction == "sum_over_batch_size" and type(self).call is LossFunctionWrapper.call
                and data.dtype.char == "f" and data.ndim > 1 and data.size > 0 and self.dtype == "float32")  # fmt: skip

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        if type(self) is LossFunctionWrapper:
            return {**super().get_config(), "fn": serialize_keras_object(self.fn),
                    **{k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()}}  # fmt: skip
        return {**super().get_config(), **self._fn_kwargs}
