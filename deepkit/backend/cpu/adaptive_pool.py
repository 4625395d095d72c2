"""Pooling to a given number of windows along one axis in NumPy.

Window i of m over n elements goes from ⌊i n / m⌋ to ⌈(i + 1) n / m⌉. Neighbours may share an element, and their sizes
differ by one at most. A window is a slice, so that each is one reduction of a contiguous part of every row.
"""

from __future__ import annotations

from typing import Iterator

import numpy as np
from numpy import ndarray

__all__ = ["adaptive_average", "adaptive_average_grad", "adaptive_max", "adaptive_max_grad", "adaptive_positions"]


def _windows(n: int, m: int, axis: int) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Indices of each window's elements and of its result."""
    lead = (slice(None),) * axis
    for i in range(m):
        yield (*lead, slice(i * n // m, -(-(i + 1) * n // m))), (*lead, slice(i, i + 1))


def adaptive_average(x: ndarray, axis: int, size: int) -> ndarray:
    """Mean of each of ``size`` windows along ``axis``."""
    out = np.empty((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)
    for elements, result in _windows(x.shape[axis], size, axis):
        out[result] = x[elements].mean(axis=axis, keepdims=True)
    return out


def adaptive_average_grad(g: ndarray, axis: int, size: int) -> ndarray:
    """Gradient of :func:`adaptive_average` over ``size`` elements: each window's is shared out evenly."""
    out = np.zeros((*g.shape[:axis], size, *g.shape[axis + 1 :]), g.dtype)
    for elements, result in _windows(size, g.shape[axis], axis):
        out[elements] += g[result] / (elements[axis].stop - elements[axis].start)
    return out


def adaptive_max(x: ndarray, axis: int, size: int) -> ndarray:
    """Largest element of each of ``size`` windows along ``axis``."""
    out = np.empty((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)
    for elements, result in _windows(x.shape[axis], size, axis):
        x[elements].max(axis=axis, keepdims=True, out=out[result])
    return out


def adaptive_max_grad(x: ndarray, y: ndarray, g: ndarray, axis: int) -> ndarray:
    """Gradient of :func:`adaptive_max`: each window's goes to its largest element, the first of several equal ones."""
    out = np.zeros(x.shape, g.dtype)
    for elements, result in _windows(x.shape[axis], y.shape[axis], axis):
        unclaimed = np.ones(y[result].shape, bool)
        for i in range(elements[axis].start, elements[axis].stop):
            at = (*elements[:axis], slice(i, i + 1))
            here = x[at] == y[result]
            here &= unclaimed
            unclaimed ^= here
            out[at] += g[result] * here
    return out


def adaptive_positions(x: ndarray, axis: int, size: int) -> ndarray:
    """Position along ``axis`` of the first largest element of each of ``size`` windows, int32."""
    out = np.empty((*x.shape[:axis], size, *x.shape[axis + 1 :]), "int32")
    for elements, result in _windows(x.shape[axis], size, axis):
        out[result] = x[elements].argmax(axis=axis, keepdims=True) + elements[axis].start
    return out
