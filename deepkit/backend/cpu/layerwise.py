"""Optimizer updates that look at a whole variable: at its norm, its rows and columns, its singular values.

They take a variable's weights ``w``, its gradient ``g`` and its slots, in its shape, the numbers that change from step
to step, then those that don't, and work in place on all but ``g``. Numbers that change may be arrays without
dimensions, and norms are, in float64, so that on a GPU nobody waits for one.
"""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np
from numpy import ndarray

from .linear import matmul

__all__ = ["LAYERWISE_RULES", "all_finite", "norm_of", "unwarned"]


def unwarned() -> Any:
    """Context in which overflow, and what comes of it, raises no warnings."""
    return np.errstate(over="ignore", invalid="ignore")


def all_finite(g: ndarray) -> bool:
    """Whether no element is infinite or NaN; the extremes tell, as NaN is passed on by both."""
    return not g.size or (math.isfinite(g.min()) and math.isfinite(g.max()))


def norm_of(a: ndarray) -> ndarray:
    """The Euclidean norm of all elements, in float64."""
    flat = a.reshape(-1)
    return np.sqrt(np.asarray(np.dot(flat, flat), np.float64))


def _rms(a: ndarray) -> ndarray:
    return norm_of(a) / math.sqrt(max(a.size, 1))


def _moments(g: ndarray, m: ndarray, v: ndarray, b1: float, b2: float) -> None:
    m += (g - m) * (1 - b1)
    v += (g * g - v) * (1 - b2)


def lamb(
    w: ndarray, g: ndarray, m: ndarray, v: ndarray, lr: float, rest_1: float, rest_2: float, b1: float, b2: float,
    epsilon: float,
) -> None:  # fmt: skip
    """w -= lr · ‖w‖ / ‖u‖ · u with Adam's direction u (You et al. 2020); the rests are 1 - βᵗ."""
    _moments(g, m, v, b1, b2)
    u = m / rest_1
    u /= np.sqrt(v / rest_2) + epsilon
    size, step = norm_of(w), norm_of(u)
    rate = np.where((size > 0) & (step > 0), lr * size / np.where(step > 0, step, 1), lr)
    u *= rate.astype(u.dtype)
    w -= u


def adafactor(
    w: ndarray, g: ndarray, r: ndarray, c: ndarray, v: ndarray, rho: float, b2: float, rest: float, epsilon: float,
    least: float, limit: float,
) -> None:  # fmt: skip
    """w -= α u, u = g / √v cut to RMS ``limit``, α = ρ max(``least``, RMS(w)) (Shazeer & Stern 2018).

    For matrices v comes from the means r and c of g² + ε along rows and columns; ``rest`` is 1 - β₂.
    """
    square = g * g + epsilon
    if w.ndim >= 2:
        for mean, axis in ((r, -1), (c, -2)):
            mean *= b2
            mean += rest * square.mean(axis=axis)
        np.multiply((r / r.mean(axis=-1, keepdims=True))[..., None], c[..., None, :], out=v)
    else:
        v *= b2
        v += rest * square
    u = g / np.sqrt(v)
    rate = rho * np.maximum(least, _rms(w)) / np.maximum(1.0, _rms(u) / limit)
    u *= rate.astype(u.dtype)
    w -= u


def muon(
    w: ndarray, g: ndarray, m: ndarray, lr: float, size: float, mu: float, nesterov: bool, steps: int,
    coefficients: tuple,
) -> None:  # fmt: skip
    """w -= lr · size · orthogonalized momentum (Jordan et al. 2024)."""
    m *= mu
    m += g
    u = orthogonalized(g + mu * m if nesterov else m, steps, *coefficients)
    w -= lr * size * u


def orthogonalized(x: ndarray, steps: int, a: float, b: float, c: float) -> ndarray:
    """A matrix with the singular vectors of ``x`` and singular values near 1.

    Newton-Schulz iteration of the odd polynomial a x + b x³ + c x⁵ on the singular values.
    """
    wide = x.shape[0] <= x.shape[1]
    x = x if wide else x.T  # the smaller Gram matrix
    x = x / (norm_of(x) + 1e-7).astype(x.dtype)
    for _ in range(steps):
        gram = matmul(x, x.T)
        x = a * x + matmul(b * gram + c * matmul(gram, gram), x)
    return x if wide else x.T


def adam_of_one(
    w: ndarray, g: ndarray, m: ndarray, v: ndarray, alpha: float, b1: float, b2: float, epsilon: float
) -> None:
    """Adam's update of one variable; the α of ``optimizer.adam``."""
    _moments(g, m, v, b1, b2)
    w -= alpha * m / (np.sqrt(v) + epsilon)


LAYERWISE_RULES: dict[str, Callable[..., None]] = {
    rule.__name__: rule for rule in (lamb, adafactor, muon, adam_of_one)
}
