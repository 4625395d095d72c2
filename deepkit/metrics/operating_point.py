"""The best of one rate among the thresholds at which another is good enough."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..registry import export
from ..utils.allowance import OBJECT, charge
from .confusion import _flat, counts
from .metric import Metric


def _share(part: Any, rest: Any) -> Any:
    """part / (part + rest), 0 where both are."""
    total = part + rest
    return ops.where(total == 0, ops.zeros_like(total), part / ops.maximum(total, 1e-30))


class _OperatingPoint(Metric):
    """Counts at evenly spread thresholds; subclasses say which rate is bounded and which is sought."""

    bound_name = ""

    def __init__(self, bound: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
                 dtype: Any = None):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        if not 0 <= bound <= 1:
            raise ValueError(
                f"{type(self).__name__}: `{self.bound_name}` should be in [0, 1]. Received: {self.bound_name}={bound}"
            )
        if num_thresholds <= 0:
            raise ValueError(
                f"{type(self).__name__}: `num_thresholds` should be positive. Received: "
                f"num_thresholds={num_thresholds}"
            )
        setattr(self, self.bound_name, bound)
        self.bound, self.num_thresholds, self.class_id = bound, num_thresholds, class_id
        charge(num_thresholds * OBJECT, f"the thresholds of {self.name}")
        self.thresholds = [i / (num_thresholds - 1) for i in range(num_thresholds)] if num_thresholds > 1 else [0.5]
        names = ("true_positives", "false_positives", "true_negatives", "false_negatives")
        self._state = [self.add_variable((num_thresholds,), name=n) for n in names]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        p, t, w = _flat(y_true, y_pred, sample_weight, self._dtype)
        if self.class_id is not None:
            pick = slice(self.class_id, self.class_id + 1)
            p, t, w = p[:, pick], t[:, pick], w[:, pick]
        for v, part in zip(self._state, counts(self.thresholds, p, t, w)):
            v.accumulate(part.astype(self._dtype))

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        """The bounded and the sought rate at each threshold."""
        raise NotImplementedError

    def result(self) -> Any:
        bounded, sought = self._rates(*(v.value for v in self._state))
        # Rates are never negative, so that 0 stands for "no threshold is good enough".
        return ops.max(ops.where(bounded >= self.bound, sought, ops.zeros_like(sought)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_thresholds": self.num_thresholds, "class_id": self.class_id,
                self.bound_name: self.bound}  # fmt: skip


@export("keras.metrics.SensitivityAtSpecificity")
class SensitivityAtSpecificity(_OperatingPoint):
    """Largest sensitivity TP / (TP + FN) where the specificity TN / (TN + FP) is at least a bound.

    Args:
        specificity: The bound, in [0, 1].
        num_thresholds: Number of thresholds tried.
        class_id: Look at one class only.
        name: Name.
        dtype: Dtype of the state.

    Raises:
        ValueError: for a bound outside [0, 1] or no thresholds.

    Example:
        >>> m = SensitivityAtSpecificity(0.5)
        >>> m.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        >>> float(m.result())
        0.5
    """

    bound_name = "specificity"

    def __init__(self, specificity: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None):  # fmt: skip
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        return _share(tn, fp), _share(tp, fn)


@export("keras.metrics.SpecificityAtSensitivity")
class SpecificityAtSensitivity(_OperatingPoint):
    """Largest specificity TN / (TN + FP) where the sensitivity TP / (TP + FN) is at least a bound.

    Args:
        sensitivity: The bound, in [0, 1].
        num_thresholds: Number of thresholds tried.
        class_id: Look at one class only.
        name: Name.
        dtype: Dtype of the state.

    Raises:
        ValueError: for a bound outside [0, 1] or no thresholds.

    Example:
        >>> m = SpecificityAtSensitivity(0.5)
        >>> m.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        >>> round(float(m.result()), 4)
        0.6667
    """

    bound_name = "sensitivity"

    def __init__(self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None):  # fmt: skip
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        return _share(tp, fn), _share(tn, fp)


@export("keras.metrics.PrecisionAtRecall")
class PrecisionAtRecall(_OperatingPoint):
    """Largest precision TP / (TP + FP) where the recall TP / (TP + FN) is at least a bound.

    Args:
        recall: The bound, in [0, 1].
        num_thresholds: Number of thresholds tried.
        class_id: Look at one class only.
        name: Name.
        dtype: Dtype of the state.

    Raises:
        ValueError: for a bound outside [0, 1] or no thresholds.

    Example:
        >>> m = PrecisionAtRecall(0.5)
        >>> m.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
        >>> float(m.result())
        0.5
    """

    bound_name = "recall"

    def __init__(self, recall: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
                 dtype: Any = None):  # fmt: skip
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        return _share(tp, fn), _share(tp, fp)


@export("keras.metrics.RecallAtPrecision")
class RecallAtPrecision(_OperatingPoint):
    """Largest recall TP / (TP + FN) where the precision TP / (TP + FP) is at least a bound.

    Args:
        precision: The bound, in [0, 1].
        num_thresholds: Number of thresholds tried.
        class_id: Look at one class only.
        name: Name.
        dtype: Dtype of the state.

    Raises:
        ValueError: for a bound outside [0, 1] or no thresholds.

    Example:
        >>> m = RecallAtPrecision(0.8)
        >>> m.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        >>> float(m.result())
        0.5
    """

    bound_name = "precision"

    def __init__(self, precision: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None):  # fmt: skip
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def _rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        return _share(tp, fp), _share(tp, fn)
