"""Modified Bessel functions of the first kind in NumPy."""

from __future__ import annotations

import math

import numpy as np
from numpy import ndarray

__all__ = ["i0", "i1"]

#: Beyond this the asymptotic series is exact to double precision with the terms below.
_LARGE = 30.0
_TERMS = 30


def i0(x: ndarray) -> ndarray:
    """I₀(x), in the dtype of ``x``."""
    with np.errstate(over="ignore"):
        return np.i0(x.astype("float64")).astype(x.dtype)


def i1(x: ndarray) -> ndarray:
    """I₁(x), the derivative of I₀, in the dtype of ``x``.

    The power series (x / 2) Σ (x² / 4)^k / (k! (k + 1)!) has positive terms alone and loses nothing, but takes ever
    more of them; large x take e^x / √(2πx) (1 - 3 / (8x) - 15 / (2! (8x)²) - ...) (Abramowitz & Stegun 9.7.1).
    """
    z = np.abs(x.astype("float64"))
    large = z > _LARGE
    small = np.where(large, 0.0, z)
    term = small / 2
    total = term.copy()
    for k in range(1, 3 * _TERMS):
        term = term * small * small / (4 * k * (k + 1))
        total += term
    if large.any():
        far = np.where(large, z, _LARGE)
        term = np.ones_like(far)
        series = term.copy()
        for k in range(1, _TERMS):
            term = term * (((2 * k - 1) ** 2 - 4) / (8 * k)) / far
            series += term
        with np.errstate(over="ignore"):
            total = np.where(large, np.exp(far) / np.sqrt(2 * math.pi * far) * series, total)
    with np.errstate(over="ignore"):  # infinite in the dtype of x
        return np.copysign(total, x).astype(x.dtype)
