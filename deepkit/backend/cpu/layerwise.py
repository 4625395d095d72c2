"""Optimizer updates that look at a whole variable: at its norm, its rows and columns, its singular values.

They take a variable's weights ``w``, its gradient ``g`` and its slots, in its shape, and Python numbers, and work in
place on all but ``g``.
"""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np
from numpy import ndarray

__all__ = ["LAYERWISE_RULES", "all_finite", "unwarned"]


def unwarned() -> Any:
    """Context in which overflow, and what comes of it, raises no warnings."""
    return np.errstate(over="ignore", invalid="ignore")


def all_finite(g: ndarray) -> bool:
    """Whether no element is infinite or NaN; the extremes tell, as NaN is passed on by both."""
    return not g.size or (math.isfinite(g.min()) and math.isfinite(g.max()))


def _norm(a: ndarray) -> float:
    flat = a.reshape(-1)
    return math.sqrt(float(np.dot(flat, flat)))


def _rms(a: ndarray) -> float:
    return _norm(a) / math.sqrt(max(a.size, 1))


def _moments(g: ndarray, m: ndarray, v: ndarray, b1: float, b2: float) -> None:
    m += (g - m) * (1 - b1)
    v += (g * g - v) * (1 - b2)


def lamb(
    w: ndarray, g: ndarray, m: ndarray, v: ndarray, lr: float, b1: float, b2: float, epsilon: float, t: int
) -> None:
    """w -= lr · ‖w‖ / ‖u‖ · u with Adam's direction u (You et al. 2020)."""
    _moments(g, m, v, b1, b2)
    u = m / (1 - b1**t)
    u /= np.sqrt(v / (1 - b2**t)) + epsilon
    size, step = _norm(w), _norm(u)
    u *= lr * size / step if size > 0 and step > 0 else lr
    w -= u


def adafactor(
    w: ndarray, g: ndarray, r: ndarray, c: ndarray, v: ndarray, rho: float, epsilon: float, least: float, limit: float,
    b2: float,
) -> None:  # fmt: skip
    """w -= α u, u = g / √v cut to RMS ``limit``, α = ρ max(``least``, RMS(w)) (Shazeer & Stern 2018).

    For matrices v comes from the means r and c of g² + ε along rows and columns.
    """
    square = g * g + epsilon
    if w.ndim >= 2:
        for mean, axis in ((r, -1), (c, -2)):
            mean *= b2
            mean += (1 - b2) * square.mean(axis=axis)
        np.multiply((r / r.mean(axis=-1, keepdims=True))[..., None], c[..., None, :], out=v)
    else:
        v *= b2
        v += (1 - b2) * square
    u = g / np.sqrt(v)
    u *= rho * max(least, _rms(w)) / max(1.0, _rms(u) / limit)
    w -= u


def muon(
    w: ndarray, g: ndarray, m: ndarray, lr: float, mu: float, nesterov: bool, steps: int, coefficients: tuple
) -> None:
    """w -= lr · orthogonalized momentum (Jordan et al. 2024)."""
    m *= mu
    m += g
    u = orthogonalized(g + mu * m if nesterov else m, steps, *coefficients)
    w -= lr * u


def orthogonalized(x: ndarray, steps: int, a: float, b: float, c: float) -> ndarray:
    """A matrix with the singular vectors of ``x`` and singular values near 1.

    Newton-Schulz iteration of the odd polynomial a x + b x³ + c x⁵ on the singular values.
    """
    wide = x.shape[0] <= x.shape[1]
    x = x if wide else x.T  # the smaller Gram matrix
    x = x / (_norm(x) + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
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
