"""Accuracies."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..autograd.op import to_tensor
from ..losses.loss import same_rank
from ..registry import export
from .reduction import MeanMetricWrapper


def _float(hits: Any) -> Any:
    return ops.cast(hits, "float32")


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the prediction equals the target, else 0."""
    y_true, y_pred = same_rank(to_tensor(y_true), to_tensor(y_pred))
    return _float(ops.equal(y_true, y_pred))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where the prediction is above ``threshold`` just if the target is 1.

    Example:
        >>> binary_accuracy([[1], [0]], [[0.9], [0.6]])
        Tensor([[1.],
                [0.]], dtype=float32)
    """
    y_pred = to_tensor(y_pred)
    y_true, y_pred = same_rank(ops.cast(y_true, y_pred.dtype), y_pred)
    return _float(ops.equal(y_true, ops.cast(y_pred > threshold, y_true.dtype)))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the largest target.

    Example:
        >>> categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]])
        Tensor([1., 0.], dtype=float32)
    """
    return _float(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the integer target.

    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.3, 0.7]])
        Tensor([1., 0.], dtype=float32)
    """
    y_true, y_pred = to_tensor(y_true), to_tensor(y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    return _float(ops.equal(ops.cast(y_true, "int32"), ops.argmax(y_pred, axis=-1)))


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where the integer target is among the ``k`` largest predictions.

    Args:
        y_true: Labels.
        y_pred: Scores, or with ``from_sorted_ids`` class ids, best first.
        k: How many count.
        from_sorted_ids: Whether predictions are ids.

    Example:
        >>> sparse_top_k_categorical_accuracy([2, 1], [[0.1, 0.9, 0.8], [0.1, 0.2, 0.7]], k=1)
        Tensor([0., 0.], dtype=float32)
    """
    y_pred = to_tensor(y_pred)
    y_true = ops.cast(y_true, "int32")
    shape = y_true.shape
    y_pred, labels = ops.reshape(y_pred, (-1, y_pred.shape[-1])), ops.reshape(y_true, (-1,))
    if from_sorted_ids:
        hits = ops.any(ops.equal(ops.cast(y_pred[:, :k], "int32"), ops.expand_dims(labels, 1)), axis=1)
    else:
        # In the top k if fewer than k classes score higher.
        classes = ops.expand_dims(ops.arange(y_pred.shape[-1]), 0)
        mine = ops.sum(ops.where(ops.equal(classes, ops.expand_dims(labels, 1)), y_pred, 0.0), axis=1, keepdims=True)
        hits = ops.sum(ops.cast(y_pred > mine, "int32"), axis=1) < k
        hits = ops.logical_and(hits, ops.all(ops.isfinite(mine), axis=1))
    return ops.reshape(_float(hits), shape)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the largest target is among the ``k`` largest predictions.

    Example:
        >>> top_k_categorical_accuracy([[0, 0, 1]], [[0.1, 0.9, 0.8]], k=2)
        Tensor([1.], dtype=float32)
    """
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred, k)


@export("keras.metrics.Accuracy")
class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets."""

    def __init__(self, name: str = "accuracy", dtype: Any = None):
        super().__init__(accuracy, name, dtype)


@export("keras.metrics.BinaryAccuracy")
class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions on the right side of a threshold match binary targets.

    Args:
        name: Name.
        dtype: Dtype of the state.
        threshold: The threshold.

    Raises:
        ValueError: if ``threshold`` isn't in (0, 1).
    """

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5):
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f"BinaryAccuracy: `threshold` should be in [0, 1]. Received: threshold={threshold}")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


@export("keras.metrics.CategoricalAccuracy")
class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is at the largest (one-hot) target."""

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None):
        super().__init__(categorical_accuracy, name, dtype)


@export("keras.metrics.SparseCategoricalAccuracy")
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is at the integer target."""

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


@export("keras.metrics.TopKCategoricalAccuracy")
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the (one-hot) target is among the ``k`` largest predictions.

    Args:
        k: How many count.
        name: Name.
        dtype: Dtype of the state.
    """

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


@export("keras.metrics.SparseTopKCategoricalAccuracy")
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the integer target is among the ``k`` largest predictions.

    Args:
        k: How many count.
        name: Name.
        dtype: Dtype of the state.
        from_sorted_ids: Whether predictions are class ids, best first.
    """

    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy", dtype: Any = None,
                 from_sorted_ids: bool = False):  # fmt: skip
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k, self.from_sorted_ids = k, from_sorted_ids
