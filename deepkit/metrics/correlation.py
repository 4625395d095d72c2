"""Correlations between targets and predictions."""

from __future__ import annotations

from typing import Any

from .. import config, ops
from ..autograd.op import to_tensor
from ..losses.loss import same_rank
from ..registry import export
from .reduction import MeanMetricWrapper


def _centred(y_true: Any, y_pred: Any, axis: Any) -> tuple[Any, Any, Any]:
    """Targets and predictions about their means, and the difference of the means."""
    y_pred = to_tensor(y_pred, config.floatx())
    y_true, y_pred = same_rank(to_tensor(y_true, y_pred.dtype), y_pred)
    mean_true = ops.mean(y_true, axis=axis, keepdims=True)
    mean_pred = ops.mean(y_pred, axis=axis, keepdims=True)
    return y_true - mean_true, y_pred - mean_pred, ops.squeeze(mean_true - mean_pred, axis)


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """cov(y_true, y_pred) / (σ_true · σ_pred) along ``axis``; ``nan`` where one of the two is constant.

    Example:
        >>> pearson_correlation([[1.0, -1.0, 1.0, -1.0]], [[2.0, -2.0, 2.0, -2.0]])
        Tensor([1.], dtype=float32)
    """
    t, p, _ = _centred(y_true, y_pred, axis)
    t = t / ops.sqrt(ops.mean(ops.square(t), axis=axis, keepdims=True))
    p = p / ops.sqrt(ops.mean(ops.square(p), axis=axis, keepdims=True))
    return ops.mean(t * p, axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """2 cov(y_true, y_pred) / (σ²_true + σ²_pred + (mean_true - mean_pred)² + ε) along ``axis`` (Lin 1989).

    Example:
        >>> concordance_correlation([[1.0, -1.0]], [[2.0, -2.0]])
        Tensor([0.8], dtype=float32)
    """
    t, p, shift = _centred(y_true, y_pred, axis)
    covariance = ops.mean(t * p, axis=axis)
    spread = ops.mean(ops.square(t), axis=axis) + ops.mean(ops.square(p), axis=axis) + ops.square(shift)
    return covariance * 2.0 / (spread + config.epsilon())


@export("keras.metrics.PearsonCorrelation")
class PearsonCorrelation(MeanMetricWrapper):
    """Mean Pearson correlation of the samples; see :func:`pearson_correlation`.

    Args:
        name: Name.
        dtype: Dtype of the state.
        axis: Axis along which values are correlated.

    Example:
        >>> m = PearsonCorrelation(axis=-1)
        >>> m.update_state([[0, 1, 0.5], [1, 1, 0.2]], [[0.1, 0.9, 0.5], [1, 0.9, 0.2]])
        >>> round(float(m.result()), 4)
        0.9967
    """

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


@export("keras.metrics.ConcordanceCorrelation")
class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean concordance correlation of the samples; see :func:`concordance_correlation`.

    Args:
        name: Name.
        dtype: Dtype of the state.
        axis: Axis along which values are correlated.

    Example:
        >>> m = ConcordanceCorrelation()
        >>> m.update_state([[1.0, -1.0]], [[1.0, -1.0]])
        >>> round(float(m.result()), 4)
        1.0
    """

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
