"""Norms and looks at whole variables on the device, which nobody waits for."""

from __future__ import annotations

import cupy
import numpy as np
from cupy import ndarray

from .loader import function, is_float, launch_rows, sum_type

__all__ = ["all_finite", "norm_of"]

#: Blocks of a sum of squares; they make as many partial sums.
_BLOCKS = 1024


def norm_of(a: ndarray) -> ndarray:
    """The Euclidean norm of all elements, in float64."""
    if not is_float(a) or not a.size:
        return cupy.sqrt(cupy.sum(a.astype(np.float64) ** 2))
    a, kind, blocks = cupy.ascontiguousarray(a), sum_type(a.dtype), min(-(-a.size // 256), _BLOCKS)
    partial, squared = cupy.empty(blocks, kind), cupy.empty((), kind)
    function("optimizer_more", "squared_norm", a.dtype)((blocks,), (256,), (a, partial, np.int64(a.size)))
    launch_rows(function("reduce", "row_sum", kind), 1, blocks, partial, squared, 1, blocks, 1.0)
    return cupy.sqrt(squared.astype(np.float64))


def all_finite(g: ndarray) -> ndarray:
    """Whether no element is infinite or NaN, as an array without dimensions; both extremes pass NaN on."""
    return cupy.isfinite(g.max()) & cupy.isfinite(g.min()) if g.size else cupy.ones((), bool)
