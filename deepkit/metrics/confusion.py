"""Metrics made of true and false positives and negatives at thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend, config, ops
from ..autograd.op import to_tensor
from ..autograd.tensor import Tensor
from ..registry import export
from ..utils.allowance import OBJECT, charge
from .metric import Metric


def _thresholds(given: Any, default: float, name: str) -> list[float]:
    values = [default] if given is None else list(given) if isinstance(given, (list, tuple, np.ndarray)) else [given]
    for t in values:
        if t is None or not 0 <= t <= 1:
            raise ValueError(f"{name}: thresholds should be in [0, 1]. Received: thresholds={given!r}")
    return [float(t) for t in values]


def _flat(y_true: Any, y_pred: Any, sample_weight: Any, dtype: str) -> tuple[Any, Any, Any]:
    """Predictions, targets and weights as tensors (samples, labels)."""
    p = to_tensor(y_pred, dtype)
    t = to_tensor(y_true, dtype)
    if t.shape != p.shape:
        if t.size != p.size:
            raise ValueError(f"Targets of shape {t.shape} and predictions of shape {p.shape} don't fit.")
        t = ops.reshape(t, p.shape)
    labels = p.shape[-1] if p.ndim > 1 else 1
    if sample_weight is None:
        w = ops.ones_like(p)
    else:
        w = to_tensor(sample_weight, dtype)
        if w.ndim and w.ndim < p.ndim:
            w = ops.reshape(w, (*w.shape, *[1] * (p.ndim - w.ndim)))
        w = ops.broadcast_to(w, p.shape)
    checked = backend.kernels_of(p.data).checked_weights(w.data, p.data, 0, 1)
    if checked is None:
        raise ValueError("Predictions should be in [0, 1]; for logits use from_logits=True or a sigmoid.")
    return ops.reshape(p, (-1, labels)), ops.reshape(t, (-1, labels)), ops.reshape(Tensor(checked), (-1, labels))


def counts(thresholds: Any, p: Any, t: Any, w: Any) -> tuple[Any, Any, Any, Any]:
    """True and false positives, true and false negatives at each threshold, each (thresholds,)."""
    k = backend.kernels_of(p.data)
    flat_p, flat_t, flat_w = (x.data.reshape(-1) for x in (p, t, w))
    positive = flat_w * (flat_t != 0)
    order = np.argsort(thresholds, kind="stable")
    increasing = k.asarray(np.asarray(thresholds, "float64")[order])
    above = k.threshold_counts(increasing, flat_p.astype("float64"), k.stack([positive, flat_w], axis=1))
    if (order[1:] < order[:-1]).any():
        above = k.take(above, k.asarray(np.argsort(order)), axis=0)
    true_positives, predicted = above[:, 0], above[:, 1]
    all_positives, everything = positive.sum(dtype="float64"), flat_w.sum(dtype="float64")
    false_positives = predicted - true_positives
    return (
        true_positives,
        false_positives,
        everything - all_positives - false_positives,
        all_positives - true_positives,
    )


class _Confusion(Metric):
    """One of the four counts, at one or more thresholds."""

    which = 0

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = _thresholds(thresholds, 0.5, type(self).__name__)
        self.accumulator = self.add_variable((len(self.thresholds),), name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        p, t, w = _flat(y_true, y_pred, sample_weight, self._dtype)
        self.accumulator.accumulate(counts(self.thresholds, p, t, w)[self.which].astype(self._dtype))

    def result(self) -> Any:
        value = self.accumulator.value
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


@export("keras.metrics.TruePositives")
class TruePositives(_Confusion):
    """Number of samples that are and are said to be positive.

    Args:
        thresholds: Number or numbers in [0, 1] above which a prediction is positive; 0.5 by default.
        name: Name.
        dtype: Dtype of the state.

    Example:
        >>> m = TruePositives()
        >>> m.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> float(m.result())
        2.0
    """


@export("keras.metrics.FalsePositives")
class FalsePositives(_Confusion):
    """Number of samples that are said to be positive and aren't; arguments as for :class:`TruePositives`."""

    which = 1


@export("keras.metrics.TrueNegatives")
class TrueNegatives(_Confusion):
    """Number of samples that are and are said to be negative; arguments as for :class:`TruePositives`."""

    which = 2


@export("keras.metrics.FalseNegatives")
class FalseNegatives(_Confusion):
    """Number of samples that are said to be negative and aren't; arguments as for :class:`TruePositives`."""

    which = 3


class _Ratio(Metric):
    """True positives over themselves and one kind of error."""

    error = 1
    error_name = "false_positives"

    def __init__(self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        default = 0.5 if top_k is None else 0.0
        self.thresholds = _thresholds(thresholds, default, type(self).__name__)
        n = len(self.thresholds)
        self.true_positives = self.add_variable((n,), name="true_positives")
        self.errors = self.add_variable((n,), name=self.error_name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        p, t, w = _flat(y_true, y_pred, sample_weight, self._dtype)
        thresholds = self.thresholds
        if self.top_k is not None:
            # What isn't among the top k counts as a prediction below every threshold.
            kth = Tensor(backend.kernels_of(p.data).kth_largest(p.data, self.top_k))
            p = ops.where(p >= kth, p, ops.full_like(p, -1.0))
            thresholds = [x if x > 0 else -0.5 for x in thresholds]
        if self.class_id is not None:
            pick = slice(self.class_id, self.class_id + 1)
            p, t, w = p[:, pick], t[:, pick], w[:, pick]
        found = counts(thresholds, p, t, w)
        self.true_positives.accumulate(found[0].astype(self._dtype))
        self.errors.accumulate(found[self.error].astype(self._dtype))

    def result(self) -> Any:
        total = self.true_positives + self.errors
        value = ops.where(total == 0, ops.zeros_like(total), self.true_positives / ops.maximum(total, 1e-30))
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


@export("keras.metrics.Precision")
class Precision(_Ratio):
    """Share of the positive predictions that are right.

    Args:
        thresholds: Number or numbers in [0, 1]; 0.5 by default.
        top_k: Count only the k largest predictions of a sample.
        class_id: Look at one class only.
        name: Name.
        dtype: Dtype of the state.

    Example:
        >>> m = Precision()
        >>> m.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> round(float(m.result()), 4)
        0.6667
    """


@export("keras.metrics.Recall")
class Recall(_Ratio):
    """Share of the positives that are found; arguments as for :class:`Precision`.

    Example:
        >>> m = Recall()
        >>> m.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> round(float(m.result()), 4)
        0.6667
    """

    error = 3
    error_name = "false_negatives"


def spread_thresholds(n: int) -> list[float]:
    """``n`` thresholds over [0, 1], the outer two a little outside."""
    charge(n * OBJECT, "thresholds")
    inner = [(i + 1) / (n - 1) for i in range(n - 2)]
    return [-config.epsilon(), *inner, 1 + config.epsilon()]


@export("keras.metrics.AUC")
class AUC(Metric):
    """Area under the ROC or precision-recall curve, from counts at thresholds.

    Args:
        num_thresholds: Number of thresholds.
        curve: ``"ROC"`` or ``"PR"``.
        summation_method: ``"interpolation"``, ``"minoring"`` or ``"majoring"``.
        name: Name.
        dtype: Dtype of the state.
        thresholds: Thresholds, instead of evenly spread ones.
        multi_label: Compute each label's area and average them.
        num_labels: Number of labels, where ``multi_label``.
        label_weights: Weights of the labels' areas.
        from_logits: Whether predictions are logits.

    Raises:
        ValueError: for other values.

    Example:
        >>> m = AUC(num_thresholds=3)
        >>> m.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        >>> round(float(m.result()), 4)
        0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ):
        super().__init__(name=name, dtype=dtype)
        if curve not in ("ROC", "PR"):
            raise ValueError(f"AUC: `curve` should be 'ROC' or 'PR'. Received: curve={curve!r}")
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError("AUC: `summation_method` should be 'interpolation', 'minoring' or 'majoring'. Received: "
                             f"{summation_method!r}")  # fmt: skip
        self._given_thresholds = thresholds
        if thresholds is not None:
            inner = sorted(_thresholds(thresholds, 0.5, "AUC"))
            self.thresholds = [-config.epsilon(), *inner, 1 + config.epsilon()]
            self.num_thresholds = len(self.thresholds)
        else:
            if num_thresholds <= 1:
                raise ValueError(f"AUC: `num_thresholds` should be above 1. Received: {num_thresholds}")
            self.num_thresholds = num_thresholds
            self.thresholds = spread_thresholds(num_thresholds)
        self.curve, self.summation_method, self.from_logits = curve, summation_method, from_logits
        self.multi_label, self.num_labels, self.label_weights = multi_label, num_labels, label_weights
        self._state: Any = None
        if not multi_label:
            self._build(None)
        elif num_labels:
            self._build(num_labels)

    def _build(self, labels: int | None) -> None:
        shape = (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        names = ("true_positives", "false_positives", "true_negatives", "false_negatives")
        self._state = [self.add_variable(shape, name=n) for n in names]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        p, t, w = _flat(y_true, y_pred, sample_weight, self._dtype)
        if self._state is None:
            self._build(p.shape[1])
        if not self.multi_label:
            parts = counts(self.thresholds, p, t, w)
        else:
            columns = [
                counts(self.thresholds, p[:, i : i + 1], t[:, i : i + 1], w[:, i : i + 1])
                for i in range(p.shape[1])
            ]
            k = backend.kernels_of(p.data)
            parts = tuple(k.stack([c[i] for c in columns], axis=1) for i in range(4))
        for v, part in zip(self._state, parts):
            v.accumulate(part.astype(self._dtype))

    def result(self) -> Any:
        if self._state is None:
            return ops.zeros(())
        tp, fp, tn, fn = (v.numpy().astype("float64") for v in self._state)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.curve == "PR" and self.summation_method == "interpolation":
                return ops.convert_to_tensor(self._weighted(self._pr_interpolated(tp, fp, fn)), dtype=self._dtype)
            recall = np.nan_to_num(tp / (tp + fn))
            if self.curve == "ROC":
                x, y = np.nan_to_num(fp / (fp + tn)), recall
            else:
                x, y = recall, np.nan_to_num(tp / (tp + fp))
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        elif self.summation_method == "minoring":
            heights = np.minimum(y[:-1], y[1:])
        else:
            heights = np.maximum(y[:-1], y[1:])
        return ops.convert_to_tensor(self._weighted(((x[:-1] - x[1:]) * heights).sum(axis=0)), dtype=self._dtype)

    @staticmethod
    def _pr_interpolated(tp: Any, fp: Any, fn: Any) -> Any:
        """Davis & Goadrich (2006): between thresholds, true positives interpolate linearly in the positives."""
        delta_tp = tp[:-1] - tp[1:]
        positives = tp + fp
        delta_p = positives[:-1] - positives[1:]
        slope = np.nan_to_num(delta_tp / np.maximum(delta_p, 0), posinf=0, neginf=0)
        intercept = tp[1:] - slope * positives[1:]
        ratio = np.where((positives[:-1] > 0) & (positives[1:] > 0),
                         np.nan_to_num(positives[:-1] / np.maximum(positives[1:], 0), posinf=1, neginf=1), 1.0)
        area = np.nan_to_num(slope * (delta_tp + intercept * np.log(ratio)) / np.maximum(tp[1:] + fn[1:], 0),
                             posinf=0, neginf=0)  # fmt: skip
        return area.sum(axis=0)

    def _weighted(self, areas: Any) -> Any:
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return areas.mean()
        weights = np.asarray(self.label_weights, "float64")
        return (areas * weights).sum() / weights.sum()

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            **super().get_config(), "num_thresholds": self.num_thresholds, "curve": self.curve,
            "summation_method": self.summation_method, "multi_label": self.multi_label, "num_labels": self.num_labels,
            "label_weights": self.label_weights, "from_logits": self.from_logits,
        }  # fmt: skip
        if self._given_thresholds is not None:
            config["thresholds"] = self.thresholds[1:-1]
        return config
