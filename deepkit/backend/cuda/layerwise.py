"""Of the optimizers that look at a whole variable, what need not wait for the device."""

from __future__ import annotations

import cupy
from cupy import ndarray

__all__ = ["all_finite"]


def all_finite(g: ndarray) -> ndarray:
    """Whether no element is infinite or NaN, as an array without dimensions; both extremes pass NaN on."""
    return cupy.isfinite(g.max()) & cupy.isfinite(g.min()) if g.size else cupy.ones((), bool)
