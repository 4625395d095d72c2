"""Intersection over union of classes, for segmentation, from a confusion matrix."""

from __future__ import annotations

from typing import Any, Sequence

from .. import backend, ops
from ..autograd.op import to_tensor
from ..autograd.tensor import Tensor
from ..registry import export
from .metric import Metric


class _ConfusionMatrix(Metric):
    """Counts ``matrix[target, prediction]``; the dtype is int32 unless given, which cuts weights to integers."""

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
                 sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1):  # fmt: skip
        super().__init__(name=name, dtype=dtype or "int32")
        if num_classes < 2:
            raise ValueError(
                f"{type(self).__name__}: `num_classes` should be 2 or more. Received: num_classes={num_classes}"
            )
        self.num_classes, self.ignore_class, self.axis = num_classes, ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.matrix = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")

    def _labels(self, y: Any, sparse: bool) -> Any:
        y = to_tensor(y)
        return ops.reshape(ops.cast(y if sparse else ops.argmax(y, axis=self.axis), "int32"), (-1,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Classes, or scores along ``axis`` where not ``sparse_y_true``.
            y_pred: Classes, or scores along ``axis`` where not ``sparse_y_pred``.
            sample_weight: A weight for each element.

        Raises:
            ValueError: if the sizes differ, or for a class out of range.
        """
        t, p = self._labels(y_true, self.sparse_y_true), self._labels(y_pred, self.sparse_y_pred)
        if t.shape != p.shape:
            raise ValueError(
                f"{type(self).__name__}: targets and predictions should hold the same number of classes. Received "
                f"{t.size} targets and {p.size} predictions; see `sparse_y_true` and `sparse_y_pred`."
            )
        w = ops.ones(t.shape, self._dtype)
        if sample_weight is not None:
            w = ops.reshape(to_tensor(sample_weight, self._dtype), (-1,))
            if w.shape != t.shape:
                raise ValueError(
                    f"{type(self).__name__}: `sample_weight` should hold a weight for each of the {t.size} elements. "
                    f"Received: {w.size} weights"
                )
        if self.ignore_class is not None:
            valid = ops.not_equal(t, int(self.ignore_class))
            w = w * ops.cast(valid, self._dtype)
            t, p = (ops.where(valid, x, ops.zeros_like(x)) for x in (t, p))
        n = self.num_classes
        k = backend.kernels_of(t.data)
        for what, classes in (("target", t), ("prediction", p)):
            checked = k.checked_weights(w.data, classes.data, 0, n - 1)
            if checked is None:
                raise ValueError(
                    f"{type(self).__name__}: a {what} is out of range for num_classes={n}: classes should lie in "
                    f"0..{n - 1}."
                )
            w = Tensor(checked)
        t, p = ops.clip(t, 0, n - 1), ops.clip(p, 0, n - 1)  # where the weight is NaN
        counted = k.class_counts((t * n + p).data, w.data, n * n)
        self.matrix.accumulate(counted.reshape(n, n).astype(self._dtype))

    def _mean_over(self, classes: Sequence[int] | None) -> Any:
        """Mean of intersection / union over those of the classes that occurred."""
        matrix = ops.cast(self.matrix, "float32")
        intersection = ops.diagonal(matrix)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - intersection
        if classes is not None:
            picked = ops.convert_to_tensor(list(classes), dtype="int32")
            intersection, union = ops.take(intersection, picked), ops.take(union, picked)
        occurred = ops.cast(union > 0, "float32")
        share = intersection / ops.where(union > 0, union, ops.ones_like(union))
        return ops.sum(share) / ops.maximum(ops.sum(occurred), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "num_classes": self.num_classes, "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true, "sparse_y_pred": self.sparse_y_pred, "axis": self.axis,
        }  # fmt: skip


@export("keras.metrics.IoU")
class IoU(_ConfusionMatrix):
    """Mean over some classes of intersection / union = TP / (TP + FP + FN).

    Args:
        num_classes: Number of classes, 2 or more.
        target_class_ids: The classes that count.
        name: Name.
        dtype: Dtype of the confusion matrix, ``"int32"`` by default; a floating one for fractional weights.
        ignore_class: Elements with this target don't count.
        sparse_y_true: Whether targets are classes; else they hold scores along ``axis``.
        sparse_y_pred: Whether predictions are classes; else they hold scores along ``axis``.
        axis: Axis of the scores.

    Raises:
        ValueError: for fewer than 2 classes, or a target class that isn't one of them.

    Example:
        >>> m = IoU(num_classes=2, target_class_ids=[0])
        >>> m.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        >>> round(float(m.result()), 4)
        0.3333
    """

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
                 ignore_class: int | None = None, sparse_y_true: bool = True, sparse_y_pred: bool = True,
                 axis: int = -1):  # fmt: skip
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        self.target_class_ids = [int(i) for i in target_class_ids]
        if any(not 0 <= i < num_classes for i in self.target_class_ids):
            raise ValueError(
                f"{type(self).__name__}: `target_class_ids` should lie in 0..{num_classes - 1}. "
                f"Received: target_class_ids={target_class_ids}"
            )

    def result(self) -> Any:
        return self._mean_over(self.target_class_ids)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_class_ids": self.target_class_ids}


@export("keras.metrics.BinaryIoU")
class BinaryIoU(IoU):
    """:class:`IoU` of probabilities that are cut at a threshold into classes 0 and 1.

    Args:
        target_class_ids: The classes that count, (0,), (1,) or (0, 1).
        threshold: From it on a prediction is of class 1; ``None`` where predictions are classes.
        name: Name.
        dtype: See :class:`IoU`.

    Example:
        >>> m = BinaryIoU(threshold=0.3)
        >>> m.update_state([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
        >>> round(float(m.result()), 4)
        0.3333
    """

    def __init__(self, target_class_ids: Sequence[int] = (0, 1), threshold: float | None = 0.5,
                 name: str | None = None, dtype: Any = None):  # fmt: skip
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = to_tensor(y_pred)
        if self.threshold is not None:
            y_pred = ops.cast(y_pred >= self.threshold, "int32")
        super().update_state(y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {
            **Metric.get_config(self),
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
        }


@export("keras.metrics.MeanIoU")
class MeanIoU(_ConfusionMatrix):
    """Mean of intersection / union over all classes that occurred; arguments as for :class:`IoU`.

    Example:
        >>> m = MeanIoU(num_classes=2)
        >>> m.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        >>> round(float(m.result()), 4)
        0.3333
    """

    def result(self) -> Any:
        return self._mean_over(None)


@export("keras.metrics.OneHotIoU")
class OneHotIoU(IoU):
    """:class:`IoU` of one-hot targets, and of scores unless ``sparse_y_pred``.

    Example:
        >>> m = OneHotIoU(num_classes=2, target_class_ids=[1])
        >>> m.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]])
        >>> float(m.result())
        1.0
    """

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
                 ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1):  # fmt: skip
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config


@export("keras.metrics.OneHotMeanIoU")
class OneHotMeanIoU(MeanIoU):
    """:class:`MeanIoU` of one-hot targets, and of scores unless ``sparse_y_pred``.

    Example:
        >>> m = OneHotMeanIoU(num_classes=2)
        >>> m.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]])
        >>> float(m.result())
        1.0
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
                 sparse_y_pred: bool = False, axis: int = -1):  # fmt: skip
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config
