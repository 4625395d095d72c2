"""What metrics count, on the device and without a wait for the host."""

from __future__ import annotations

import cupy
import numpy as np
from cupy import ndarray

from .embedding import sum_rows
from .linear import sum_of_parts
from .loader import function, is_float, numbers

__all__ = ["checked_weights", "class_counts", "kth_largest", "threshold_counts"]


def threshold_counts(thresholds: ndarray, p: ndarray, weights: ndarray) -> ndarray:
    """For each threshold the sum of the weights of elements with p above it; thresholds increase."""
    (n, m), count = weights.shape, thresholds.size
    if not n:
        return cupy.zeros((count, m), np.float64)
    parts = max(1, min(n // 4096, 4096 // count))
    partial = cupy.empty((parts, count * m), np.float64)
    weights = cupy.ascontiguousarray(weights, weights.dtype if is_float(weights) else np.float64)
    p, thresholds = (cupy.ascontiguousarray(a, np.float64) for a in (p, thresholds))
    kernel = function("counting", "above", weights.dtype)
    kernel((count, parts, m), (256,), numbers((p, thresholds, weights, partial, n, m)))
    return sum_of_parts(partial, np.float64).reshape(count, m)


def class_counts(index: ndarray, weights: ndarray, count: int) -> ndarray:
    """The sum of the weights (n,) of the elements of each class below ``count``, in float64."""
    out = cupy.zeros((count, 1), np.float64)
    sum_rows(out, index, weights.reshape(-1, 1))
    return out.reshape(-1)


def checked_weights(weights: ndarray, x: ndarray, low: float, high: float) -> ndarray | None:
    """The weights, NaN where x isn't from ``low`` to ``high``: nobody on the device can raise an error.

    Weights of an integer dtype, which has no NaN, are 0 there.
    """
    missing = weights.dtype.type(0 if weights.dtype.kind in "iub" else np.nan)
    return cupy.where((x < low) | (x > high), missing, weights)


def kth_largest(x: ndarray, k: int) -> ndarray:
    """The k-th largest element of each row (..., n), as (..., 1)."""
    largest = cupy.max(x, axis=-1, keepdims=True)
    for _ in range(k - 1):
        enough = cupy.sum(x >= largest, axis=-1, keepdims=True) >= k
        largest = cupy.where(enough, largest, cupy.max(cupy.where(x < largest, x, -np.inf), axis=-1, keepdims=True))
    return largest.astype(x.dtype, copy=False)
