"""Norms and looks at whole variables on the device, which nobody waits for."""

from __future__ import annotations

from typing import Sequence

import cupy
import numpy as np
from cupy import ndarray

from .loader import function, is_float, launch_rows, sum_type

__all__ = ["all_finite", "norm_of"]

#: Blocks of a sum of squares; they make as many partial sums.
_BLOCKS = 1024


def sum_of_squares(arrays: Sequence[ndarray]) -> ndarray:
    """Over all elements of contiguous arrays of one dtype, as an array without dimensions in what sums are kept in."""
    dtype, kind = arrays[0].dtype, sum_type(arrays[0].dtype)
    counts = [min(max(1, -(-a.size // 256)), _BLOCKS) for a in arrays]
    partial, squared, start = cupy.empty(sum(counts), kind), cupy.empty((), kind), 0
    for a, blocks in zip(arrays, counts):
        part = partial[start : start + blocks]
        function("optimizer_more", "squared_norm", dtype)((blocks,), (256,), (a, part, np.int64(a.size)))
        start += blocks
    launch_rows(function("reduce", "row_sum", kind), 1, start, partial, squared, 1, start, 1.0)
    return squared


def norm_of(a: ndarray) -> ndarray:
    """The Euclidean norm of all elements, in float64."""
    if not is_float(a) or not a.size:
        return cupy.sqrt(cupy.sum(a.astype(np.float64) ** 2))
    return cupy.sqrt(sum_of_squares([cupy.ascontiguousarray(a)]).astype(np.float64))


def all_finite(g: ndarray) -> ndarray:
    """Whether no element is infinite or NaN, as an array without dimensions; both extremes pass NaN on."""
    return cupy.isfinite(g.max()) & cupy.isfinite(g.min()) if g.size else cupy.ones((), bool)
