"""F scores."""

from __future__ import annotations

from typing import Any

from .. import config, ops
from ..autograd.op import to_tensor
from ..registry import export
from .metric import Metric


@export("keras.metrics.FBetaScore")
class FBetaScore(Metric):
    """(1 + β²) · precision · recall / (β² · precision + recall), for each class.

    Args:
        average: ``None`` for a value a class, ``"micro"``, ``"macro"`` or ``"weighted"``.
        beta: β, the weight of recall.
        threshold: Above it a class is predicted; ``None`` predicts the largest.
        name: Name.
        dtype: Dtype of the state.

    Raises:
        ValueError: for other values.

    Example:
        >>> m = FBetaScore(beta=2.0, threshold=0.5)
        >>> m.update_state([[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
        >>> [round(x, 4) for x in m.result().tolist()]
        [0.3846, 0.9091, 0.8333]
    """

    def __init__(self, average: str | None = None, beta: float = 1.0, threshold: float | None = None,
                 name: str = "fbeta_score", dtype: Any = None):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                f"FBetaScore: `average` should be None, 'micro', 'macro' or 'weighted'. Received: {average!r}"
            )
        if not isinstance(beta, (int, float)) or beta <= 0:
            raise ValueError(f"FBetaScore: `beta` should be a positive number. Received: beta={beta!r}")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"FBetaScore: `threshold` should be in (0, 1]. Received: threshold={threshold!r}")
        self.average, self.beta, self.threshold = average, float(beta), threshold
        self._state: Any = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        t, p = to_tensor(y_true, self._dtype), to_tensor(y_pred, self._dtype)
        if t.ndim != 2 or t.shape != p.shape:
            raise ValueError(f"FBetaScore takes one-hot targets and predictions (batch, classes). Received "
                             f"shapes {t.shape} "
                             f"and {p.shape}")  # fmt: skip
        if self._state is None:
            shape = () if self.average == "micro" else (t.shape[1],)
            names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
            self._state = [self.add_variable(shape, name=n) for n in names]
        if self.threshold is None:
            largest = ops.max(p, axis=-1, keepdims=True)
            p = ops.logical_and(p >= largest, ops.abs(p) > 1e-9)
        else:
            p = ops.greater(p, self.threshold)
        p = ops.cast(p, self._dtype)
        axis = None if self.average == "micro" else 0
        w = None if sample_weight is None else ops.reshape(to_tensor(sample_weight, self._dtype), (-1, 1))
        for v, value in zip(self._state, (p * t, p * (1 - t), (1 - p) * t, t)):
            v.accumulate(ops.sum(value if w is None else value * w, axis=axis).data)

    def result(self) -> Any:
        if self._state is None:
            return ops.zeros(())
        tp, fp, fn, weights = self._state
        epsilon = config.epsilon()
        precision, recall = tp / (tp + fp + epsilon), tp / (tp + fn + epsilon)
        b2 = self.beta**2
        f = precision * recall * (1 + b2) / (precision * b2 + recall + epsilon)
        if self.average == "weighted":
            return ops.sum(f * weights / (ops.sum(weights) + epsilon))
        return f if self.average is None else ops.mean(f)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta, "average": self.average, "threshold": self.threshold}


@export("keras.metrics.F1Score")
class F1Score(FBetaScore):
    """2 · precision · recall / (precision + recall), for each class.

    Args:
        average: ``None`` for a value a class, ``"micro"``, ``"macro"`` or ``"weighted"``.
        threshold: Above it a class is predicted; ``None`` predicts the largest.
        name: Name.
        dtype: Dtype of the state.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config
