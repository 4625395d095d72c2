"""Losses as functions of targets and predictions: one value for each sample."""

from __future__ import annotations

import math
from typing import Any

from .. import config, ops
from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from ..ops.loss import squared_error
from .loss import same_rank


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both as tensors of the dtype of the predictions and of one rank."""
    if type(y_true) is type(y_pred) is Tensor and y_true.data.dtype is y_pred.data.dtype:
        if y_true.ndim == y_pred.ndim and y_pred.data.dtype.kind == "f":
            return y_true, y_pred  # what the training step passes
    y_pred = y_pred if isinstance(y_pred, Spec) else to_tensor(y_pred)
    if str(y_pred.dtype).startswith(("int", "uint", "bool")):
        y_pred = ops.cast(y_pred, config.floatx())
    y_true = ops.cast(y_true, y_pred.dtype)
    return same_rank(y_true, y_pred)


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of (y_true - y_pred)² over the last axis.

    Example:
        >>> mean_squared_error([[0.0, 0.0]], [[1.0, 3.0]])
        Tensor([5.], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    if y_true.shape == y_pred.shape and len(y_pred.shape):
        return squared_error(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of \\|y_true - y_pred\\| over the last axis.

    Example:
        >>> mean_absolute_error([[0.0, 0.0]], [[1.0, -3.0]])
        Tensor([2.], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 times the mean of \\|y_true - y_pred\\| / max(\\|y_true\\|, ε) over the last axis.

    Example:
        >>> mean_absolute_percentage_error([[2.0]], [[1.0]])
        Tensor([50.], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), config.epsilon())), axis=-1) * 100.0


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of (log(1 + y_true) - log(1 + y_pred))² over the last axis, values below ε counting as ε.

    Example:
        >>> mean_squared_logarithmic_error([[1.0]], [[1.0]])
        Tensor([0.], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    first, second = (ops.log(ops.maximum(y, config.epsilon()) + 1) for y in (y_pred, y_true))
    return ops.mean(ops.square(first - second), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean over the last axis of e²/2 where \\|e\\| ≤ delta, else delta · (\\|e\\| - delta/2) (Huber 1964).

    Example:
        >>> huber([[0.0, 0.0]], [[1.0, 3.0]])
        Tensor([1.5], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    size = ops.abs(y_true - y_pred)
    return ops.mean(ops.where(size <= delta, ops.square(size) * 0.5, size * delta - 0.5 * delta**2), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean of log(cosh(y_pred - y_true)) over the last axis.

    Example:
        >>> log_cosh([[0.0]], [[0.0]])
        Tensor([0.], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    d = y_pred - y_true
    return ops.mean(ops.logaddexp(d, -d) - math.log(2), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Cosine between targets and predictions (as a loss it is taken negative).

    Example:
        >>> cosine_similarity([[1.0, 0.0]], [[1.0, 0.0]])
        Tensor([1.], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


def _unit(x: Any, axis: int) -> Any:
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))


def _plus_minus(y_true: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; others stay."""
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(binary, y_true * 2 - 1, y_true)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of max(1 - y_true · y_pred, 0) over the last axis; labels -1 and 1 (0 and 1 are converted).

    Example:
        >>> hinge([[1.0, -1.0]], [[0.5, -2.0]])
        Tensor([0.25], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - _plus_minus(y_true) * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of max(1 - y_true · y_pred, 0)² over the last axis.

    Example:
        >>> squared_hinge([[1.0, -1.0]], [[0.5, -2.0]])
        Tensor([0.125], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - _plus_minus(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(1 + the largest wrong score - the right score, 0).

    Example:
        >>> categorical_hinge([[0.0, 1.0]], [[0.2, 0.5]])
        Tensor([0.7], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Σ y_true · log(y_true / y_pred) over the last axis, both clipped to [ε, 1].

    Example:
        >>> kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])
        Tensor([0.], dtype=float32)
    """
    y_true, y_pred = (ops.minimum(ops.maximum(y, config.epsilon()), 1.0) for y in _pair(y_true, y_pred))
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean of y_pred - y_true · log(y_pred + ε) over the last axis.

    Example:
        >>> poisson([[1.0]], [[1.0]])
        Tensor([0.9999999], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + config.epsilon()), axis=-1)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """-Σ y_true · log(y_pred) along ``axis``; see :func:`deepkit.ops.categorical_crossentropy`.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        Tensor([0.6931472], dtype=float32)
    """
    if label_smoothing:
        y_true = ops.cast(y_true, y_pred.dtype if hasattr(y_pred, "dtype") else config.floatx())
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """-log(y_pred[label]) along ``axis``; samples of ``ignore_class`` count 0 and are masked.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        Tensor([0.6931472], dtype=float32)
    """
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    y_true = ops.cast(y_true, "int32")
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    valid = ops.not_equal(y_true, ignore_class)
    labels = ops.where(valid, y_true, ops.zeros_like(y_true))
    values = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis)
    out = ops.where(valid, values, ops.zeros_like(values))
    out._keras_mask = valid
    return out


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Mean of -y log p - (1 - y) log(1 - p) along ``axis``.

    Example:
        >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])
        Tensor([0.6931472], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross entropy weighted by (1 - p_t)^gamma, which turns the attention to hard samples (Lin et al. 2017).

    Example:
        >>> binary_focal_crossentropy([[1.0]], [[0.5]], gamma=0.0)
        Tensor([0.6931472], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    values = ops.binary_crossentropy(y_true, y_pred)
    right = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    values = values * (1.0 - right) ** gamma
    if apply_class_balancing:
        values = values * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Categorical cross entropy weighted by alpha · (1 - p)^gamma (Lin et al. 2017).

    Example:
        >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]], alpha=1.0, gamma=0.0)
        Tensor([0.6931472], dtype=float32)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    p = ops.minimum(ops.maximum(p, config.epsilon()), 1.0 - config.epsilon())
    return ops.sum((1.0 - p) ** gamma * alpha * (-y_true * ops.log(p)), axis=axis)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """(1 - p^q) / q with p the probability of the true class: robust to noisy labels (Zhang & Sabuncu 2018).

    Args:
        y_true: Integer labels.
        y_pred: Probabilities.
        q: In (0, 1).

    Example:
        >>> categorical_generalized_cross_entropy([1], [[0.0, 1.0]], 0.5)
        Tensor([0.], dtype=float32)
    """
    y_pred = y_pred if isinstance(y_pred, Spec) else to_tensor(y_pred)
    y_true = ops.cast(y_true, "int32")
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    p = ops.sum(ops.one_hot(y_true, y_pred.shape[-1], dtype=str(y_pred.dtype)) * y_pred, axis=-1)
    return (1 - p**q) / q


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """1 - 2 Σ y_true y_pred / (Σ y_true + Σ y_pred), over ``axis`` (Milletari et al. 2016).

    Example:
        >>> round(float(dice([[1.0, 0.0]], [[1.0, 0.0]])), 4)
        0.0
    """
    y_true, y_pred = _pair(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    return 1 - (both * 2.0 + config.epsilon()) / (
        ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis) + config.epsilon()
    )


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """1 - TP / (TP + alpha FN + beta FP), over ``axis`` (Salehi et al. 2017, with the factors where Keras puts them).

    Example:
        >>> round(float(tversky([[1.0, 0.0]], [[1.0, 0.0]])), 4)
        0.0
    """
    y_true, y_pred = _pair(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    false_positive = ops.sum((1 - y_true) * y_pred, axis=axis)
    false_negative = ops.sum(y_true * (1 - y_pred), axis=axis)
    return 1 - (both + config.epsilon()) / (both + false_negative * alpha + false_positive * beta + config.epsilon())


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Circle loss of embeddings with integer labels: pulls equal labels together, pushes others apart (Sun et
    al. 2020).

    Args:
        y_true: Labels (n,) or (n, 1).
        y_pred: Unit embeddings (n, d).
        ref_labels: Labels to compare with, ``y_true`` by default.
        ref_embeddings: Embeddings to compare with, ``y_pred`` by default.
        remove_diagonal: Leave a sample's pair with itself out.
        gamma: Scale.
        margin: Relaxation of the targets.

    Example:
        >>> circle([0, 1], [[1.0, 0.0], [0.0, 1.0]]).shape
        (2,)
    """
    y_pred = ops.convert_to_tensor(y_pred)
    labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
    references = labels if ref_labels is None else ops.reshape(ops.cast(ref_labels, "int32"), (-1,))
    embeddings = y_pred if ref_embeddings is None else ops.cast(ref_embeddings, y_pred.dtype)
    positive = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(references, 0))
    negative = ops.logical_not(positive)
    if remove_diagonal:
        rows, columns = positive.shape
        positive = ops.logical_and(positive, ops.logical_not(ops.eye(rows, columns, dtype="bool")))
    distances = 1 - ops.matmul(y_pred, ops.transpose(embeddings))
    delta_positive, delta_negative = margin, 1 - margin
    weight_positive = ops.stop_gradient(ops.maximum(distances + margin, 0.0))
    weight_negative = ops.stop_gradient(ops.maximum(1 + margin - distances, 0.0))
    floor = ops.full_like(distances, -3.0e38)
    p = ops.where(positive, weight_positive * (distances - delta_positive) * gamma, floor)
    n = ops.where(negative, weight_negative * (delta_negative - distances) * gamma, floor)
    out = ops.softplus(ops.logsumexp(p, axis=1) + ops.logsumexp(n, axis=1))
    # A sample with nothing to be close to, or nothing to be far from, says nothing.
    out._keras_mask = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    return out


def ctc(y_true: Any, y_pred: Any) -> Any:
    """Connectionist temporal classification (Graves et al. 2006): -log of the probability of all alignments.

    Args:
        y_true: Labels (batch, length); 0 is the blank and padding.
        y_pred: Logits (batch, time, classes).

    Raises:
        ValueError: for other ranks.

    Example:
        >>> ctc([[1, 2]], [[[0.0, 0.0, 0.0]] * 4]).shape
        (1,)
    """
    y_true, y_pred = ops.cast(y_true, "int32"), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        raise ValueError(f"ctc takes labels (batch, length) and logits (batch, time, classes). Received shapes "
                         f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}")  # fmt: skip
    lengths = ops.sum(ops.cast(y_true != 0, "int32"), axis=1)
    return ops.ctc_loss(y_true, y_pred, lengths, ops.full_like(lengths, y_pred.shape[1]))
