"""Sums and means over all samples seen, and the metrics made of functions by them."""

from __future__ import annotations

from typing import Any, Callable

from .. import ops
from ..autograd.op import to_tensor
from ..autograd.tensor import Tensor
from ..losses.loss import masked_weight, same_rank
from ..registry import export, serialize_keras_object
from .metric import Metric


def samplewise(
    values: Any, sample_weight: Any, dtype: str, reduce: Callable[..., Any] = ops.mean
) -> tuple[Any, Any]:
    """Values reduced to one a sample and multiplied by their weights, and the weights in that shape.

    As in Keras, it is the mask of predictions that counts, never one of the values themselves.
    """
    values = to_tensor(values, dtype)
    if sample_weight is not None:
        values, weight = same_rank(values, to_tensor(sample_weight, dtype))
        rank = len(weight.shape)
        if len(values.shape) > rank:
            values = reduce(values, axis=tuple(range(rank, len(values.shape))))
        if weight.shape != values.shape:
            weight = ops.broadcast_to(weight, values.shape)
        values = values * weight
        sample_weight = reduce(weight, axis=tuple(range(1, rank))) if rank > 1 else weight
    if len(values.shape) > 1:
        values = reduce(values, axis=tuple(range(1, len(values.shape))))
    return values, sample_weight


@export("keras.metrics.Sum")
class Sum(Metric):
    """Weighted sum of all values seen.

    Args:
        name: Name.
        dtype: Dtype of the state.

    Example:
        >>> m = Sum()
        >>> m.update_state([1, 3, 5])
        >>> float(m.result())
        9.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, _ = samplewise(values, sample_weight, self._dtype, ops.sum)
        self.total.accumulate(ops.sum(values).data)

    def result(self) -> Any:
        return self.total.value


@export("keras.metrics.Mean")
class Mean(Metric):
    """Weighted mean of all values seen: Σ value · weight / Σ weight.

    Args:
        name: Name.
        dtype: Dtype of the state.

    Example:
        >>> m = Mean()
        >>> m.update_state([1.0, 3.0], sample_weight=[1.0, 0.0])
        >>> m.update_state([5.0])
        >>> float(m.result())
        3.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        if type(values) is Tensor:
            # The two cases of each training step: a batch's loss with its size, and a value a sample.
            data = values.data
            if not data.ndim and type(sample_weight) is int:
                self.total.accumulate(data * sample_weight)
                self.count.accumulate(sample_weight)
                return
            if data.ndim == 1 and sample_weight is None and data.dtype.kind == "f":
                self.total.accumulate(data.sum())
                self.count.accumulate(data.shape[0])
                return
        values, weight = samplewise(values, sample_weight, self._dtype)
        self.total.accumulate(ops.sum(values).data)
        if weight is not None:
            self.count.accumulate(ops.sum(weight).data)
        else:
            self.count.accumulate(values.shape[0] if values.shape else 1)

    def result(self) -> Any:
        count = self.count.value
        return ops.where(count == 0, ops.zeros_like(count), self.total / ops.maximum(count, 1e-30))


@export("keras.metrics.MeanMetricWrapper")
class MeanMetricWrapper(Mean):
    """Mean of a function ``(y_true, y_pred, **kwargs)``.

    Args:
        fn: The function; it gives a value for each sample.
        name: Name.
        dtype: Dtype of the state.
        **kwargs: Further arguments of the function.
    """

    def __init__(self, fn: Any, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(name=name or getattr(fn, "__name__", None) or "mean", dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        mask = getattr(y_pred, "_keras_mask", None)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if mask is not None:
            sample_weight = masked_weight(sample_weight, mask, self._dtype, "sum")
        if not isinstance(values, Tensor):
            values = to_tensor(values)
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        base = Metric.get_config(self)
        if type(self) is MeanMetricWrapper:
            return {**base, "fn": serialize_keras_object(self._fn),
                    **{k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()}}  # fmt: skip
        return {**base, **self._fn_kwargs}
