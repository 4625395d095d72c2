"""Errors, divergences and hinges as metrics: means of the loss functions, and a few that are no means."""

from __future__ import annotations

from typing import Any

from .. import losses, ops
from ..autograd.op import to_tensor
from ..losses.loss import same_rank
from ..registry import export
from .metric import Metric
from .reduction import Mean, MeanMetricWrapper


def _metric(class_name: str, fn: Any, name: str, *parameters: tuple[str, Any]) -> type:
    """The metric that is the mean of a loss function, with further arguments behind ``name`` and ``dtype``."""
    import inspect

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature(
        [inspect.Parameter("self", kind), inspect.Parameter("name", kind, default=name),
         inspect.Parameter("dtype", kind, default=None),
         *[inspect.Parameter(p, kind, default=d) for p, d in parameters]]
    )  # fmt: skip

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        values = dict(list(bound.arguments.items())[1:])
        MeanMetricWrapper.__init__(self, fn, values.pop("name"), values.pop("dtype"), **values)
        for key, value in values.items():
            setattr(self, key, value)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    doc = (inspect.cleandoc(fn.__doc__).splitlines()[0] if fn.__doc__ else class_name) + " As a mean over all samples."
    return export(f"keras.metrics.{class_name}")(
        type(class_name, (MeanMetricWrapper,), {"__init__": __init__, "__module__": __name__, "__doc__": doc})
    )


MeanSquaredError = _metric("MeanSquaredError", losses.mean_squared_error, "mean_squared_error")
MeanAbsoluteError = _metric("MeanAbsoluteError", losses.mean_absolute_error, "mean_absolute_error")
MeanAbsolutePercentageError = _metric("MeanAbsolutePercentageError", losses.mean_absolute_percentage_error,
                                      "mean_absolute_percentage_error")  # fmt: skip
MeanSquaredLogarithmicError = _metric("MeanSquaredLogarithmicError", losses.mean_squared_logarithmic_error,
                                      "mean_squared_logarithmic_error")  # fmt: skip
CosineSimilarity = _metric("CosineSimilarity", losses.cosine_similarity, "cosine_similarity", ("axis", -1))
LogCoshError = _metric("LogCoshError", losses.log_cosh, "logcosh")
KLDivergence = _metric("KLDivergence", losses.kl_divergence, "kl_divergence")
Poisson = _metric("Poisson", losses.poisson, "poisson")
Hinge = _metric("Hinge", losses.hinge, "hinge")
SquaredHinge = _metric("SquaredHinge", losses.squared_hinge, "squared_hinge")
CategoricalHinge = _metric("CategoricalHinge", losses.categorical_hinge, "categorical_hinge")
BinaryCrossentropy = _metric("BinaryCrossentropy", losses.binary_crossentropy, "binary_crossentropy",
                             ("from_logits", False), ("label_smoothing", 0))  # fmt: skip
CategoricalCrossentropy = _metric("CategoricalCrossentropy", losses.categorical_crossentropy,
    "categorical_crossentropy",
                                  ("from_logits", False), ("label_smoothing", 0), ("axis", -1))  # fmt: skip
SparseCategoricalCrossentropy = _metric("SparseCategoricalCrossentropy", losses.sparse_categorical_crossentropy,
                                        "sparse_categorical_crossentropy", ("from_logits", False),
                                            ("ignore_class", None),
                                        ("axis", -1))  # fmt: skip


@export("keras.metrics.RootMeanSquaredError")
class RootMeanSquaredError(Mean):
    """Square root of the mean squared error over all samples.

    Example:
        >>> m = RootMeanSquaredError()
        >>> m.update_state([[0.0], [0.0]], [[3.0], [4.0]])
        >>> round(float(m.result()), 4)
        3.5355
    """

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = to_tensor(y_pred, self._dtype)
        y_true, y_pred = same_rank(to_tensor(y_true, self._dtype), y_pred)
        super().update_state(ops.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        return ops.sqrt(super().result())


@export("keras.metrics.R2Score")
class R2Score(Metric):
    """Coefficient of determination: 1 - Σ (y - ŷ)² / Σ (y - mean y)².

    Args:
        class_aggregation: ``"uniform_average"``, ``"variance_weighted_average"`` or ``None`` over several outputs.
        num_regressors: Number of independent variables, for the adjusted score; 0 for the plain one.
        name: Name.
        dtype: Dtype of the state.

    Raises:
        ValueError: for other values.

    Example:
        >>> m = R2Score()
        >>> m.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
        >>> round(float(m.result()), 4)
        0.5714
    """

    def __init__(self, class_aggregation: str | None = "uniform_average", num_regressors: int = 0,
        name: str = "r2_score",
                 dtype: Any = None):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError("R2Score: `class_aggregation` should be 'uniform_average', "
                            f"'variance_weighted_average' or None. "
                             f"Received: {class_aggregation!r}")  # fmt: skip
        if num_regressors < 0:
            raise ValueError(f"R2Score: `num_regressors` should not be negative. Received: {num_regressors}")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.samples = self.add_variable((), dtype="int32", name="num_samples")
        self._sums: Any = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = to_tensor(y_true, self._dtype), to_tensor(y_pred, self._dtype)
        y_true, y_pred = same_rank(y_true, y_pred)
        if y_true.ndim == 1:
            y_true, y_pred = ops.expand_dims(y_true, 1), ops.expand_dims(y_pred, 1)
        if self._sums is None:
            self._sums = [
                self.add_variable((y_true.shape[1],), name=n)
                for n in ("squared_sum", "sum", "residual", "count")
            ]
        weight = ops.ones_like(y_true[:, :1]) if sample_weight is None else to_tensor(sample_weight, self._dtype)
        weight = ops.expand_dims(weight, 1) if weight.ndim == 1 else weight
        weighted = y_true * weight
        for v, value in zip(self._sums, (y_true * weighted, weighted, ops.square(y_true - y_pred) * weight,
                                         ops.broadcast_to(weight, y_true.shape))):  # fmt: skip
            v.accumulate(ops.sum(value, axis=0).data)
        self.samples.accumulate(y_true.size)  # Keras counts every output of a sample

    def result(self) -> Any:
        if self._sums is None:
            return ops.zeros(())
        squares, sums, residual, count = self._sums
        total = squares - ops.square(sums) / count
        scores = 1 - residual / total
        scores = ops.where(ops.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(scores)
        elif self.class_aggregation is None:
            score = scores
        else:
            score = ops.sum(scores * total / ops.sum(total))
        if self.num_regressors:
            n, p = int(self.samples.data), self.num_regressors
            if n - p - 1 > 0:
                score = 1 - (1 - score) * ((n - 1) / (n - p - 1))
        return score

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
