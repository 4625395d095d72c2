"""Metrics."""

from __future__ import annotations

from typing import Any

from .. import losses as _losses
from ..losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)  # fmt: skip
from ..registry import deserialize_keras_object, serialize_keras_object
from ..utils.naming import to_snake_case
from .accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)  # fmt: skip
from .confusion import AUC, FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives
from .correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)  # fmt: skip
from .f_score import F1Score, FBetaScore
from .iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from .metric import Metric
from .operating_point import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)  # fmt: skip
from .reduction import Mean, MeanMetricWrapper, Sum
from .regression import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    R2Score,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)  # fmt: skip

_CLASSES = {n: v for n, v in list(globals().items()) if isinstance(v, type) and issubclass(v, Metric)}
ALL: dict[str, Any] = {**_losses.ALL, **{to_snake_case(n): v for n, v in _CLASSES.items()}, **_CLASSES}
ALL.update(
    mse=MeanSquaredError, MSE=MeanSquaredError, mae=MeanAbsoluteError, MAE=MeanAbsoluteError,
    mape=MeanAbsolutePercentageError, MAPE=MeanAbsolutePercentageError, msle=MeanSquaredLogarithmicError,
    MSLE=MeanSquaredLogarithmicError, rmse=RootMeanSquaredError, RMSE=RootMeanSquaredError, bce=BinaryCrossentropy,
    BCE=BinaryCrossentropy, logcosh=LogCoshError, auc=AUC, f1_score=F1Score, fbeta_score=FBetaScore,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """A metric from its name, itself, a class, a configuration, a function or ``None``.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> get("mean_squared_error").name
        'mean_squared_error'
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return deserialize_keras_object(identifier, module_objects=ALL, printable_module_name="metric")
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"A metric is a name, a Metric or a function. Received: {identifier!r}")


def serialize(metric: Any) -> Any:
    """The configuration of a metric, for :func:`deserialize`."""
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric that a configuration or name describes."""
    return deserialize_keras_object(config, custom_objects, module_objects=ALL, printable_module_name="metric")
