"""Fused losses and what metrics count, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .elementwise import sigmoid

__all__ = [
    "squared_error", "squared_error_grad", "cross_entropy", "cross_entropy_grad", "cross_entropy_target_grad",
    "binary_cross_entropy", "binary_cross_entropy_grad", "binary_cross_entropy_target_grad", "checked_weights",
    "class_counts", "kth_largest", "threshold_counts",
]  # fmt: skip


def squared_error(t: ndarray, p: ndarray) -> tuple[ndarray, ndarray]:
    """Mean of (p - t)² over the last axis, and p - t."""
    d = p - t
    return np.einsum("...i,...i->...", d, d) / d.dtype.type(max(d.shape[-1], 1)), d


def squared_error_grad(d: ndarray, g: ndarray) -> ndarray:
    """Gradient with respect to p."""
    return d * (g * d.dtype.type(2 / max(d.shape[-1], 1)))[..., None]


def _picked(values: ndarray, labels: ndarray) -> ndarray:
    return np.take_along_axis(values, labels[..., None], axis=-1)[..., 0]


def cross_entropy(t: ndarray, p: ndarray, from_logits: bool, sparse: bool, epsilon: float) -> tuple[ndarray, Any]:
    """-Σ t log q over the last axis, with q = softmax(p) or p normalised and clipped; and what the gradient needs.

    ``t`` holds integer labels where ``sparse``, else a distribution.
    """
    if from_logits:
        shifted = p - np.maximum.reduce(p, axis=-1, keepdims=True, initial=-np.inf)
        e = np.exp(shifted)
        total = np.add.reduce(e, axis=-1, keepdims=True)
        log_total = np.log(total)
        e /= total
        if sparse:
            return log_total[..., 0] - _picked(shifted, t), e
        shifted -= log_total
        return -np.einsum("...i,...i->...", t, shifted), e
    total = np.add.reduce(p, axis=-1, keepdims=True)
    q = p / total
    if sparse:
        picked = _picked(q, t)
        return -np.log(np.clip(picked, epsilon, 1 - epsilon)), (q, total)
    return -np.einsum("...i,...i->...", t, np.log(np.clip(q, epsilon, 1 - epsilon))), (q, total)


def cross_entropy_grad(t: ndarray, saved: Any, g: ndarray, from_logits: bool, sparse: bool, epsilon: float) -> ndarray:
    """Gradient with respect to p."""
    g = g[..., None]
    if from_logits:
        if sparse:
            out = saved * g
            flat, rows = out.reshape(-1, out.shape[-1]), np.arange(t.size)
            flat[rows, t.reshape(-1)] -= g.reshape(-1)
            return out
        return (saved * np.add.reduce(t, axis=-1, keepdims=True) - t) * g
    q, total = saved
    if sparse:
        picked = _picked(q, t)
        inside = (picked >= epsilon) & (picked <= 1 - epsilon)
        d = np.zeros_like(q)
        slope = np.where(inside, -1 / np.where(inside, picked, 1), 0).astype(q.dtype)
        np.put_along_axis(d, t[..., None], slope[..., None], axis=-1)
    else:
        inside = (q >= epsilon) & (q <= 1 - epsilon)
        d = np.where(inside, -t / np.where(inside, q, 1), 0).astype(q.dtype)
    d -= np.add.reduce(d * q, axis=-1, keepdims=True)
    d /= total
    d *= g
    return d


def cross_entropy_target_grad(p: ndarray, g: ndarray, from_logits: bool, epsilon: float) -> ndarray:
    """Gradient with respect to a target distribution: -log q."""
    if from_logits:
        out = np.maximum.reduce(p, axis=-1, keepdims=True, initial=-np.inf) - p
        out += np.log(np.add.reduce(np.exp(-out), axis=-1, keepdims=True))
    else:
        out = -np.log(np.clip(p / np.add.reduce(p, axis=-1, keepdims=True), epsilon, 1 - epsilon))
    out *= g[..., None]
    return out


def binary_cross_entropy(t: ndarray, p: ndarray, from_logits: bool, epsilon: float) -> ndarray:
    """-t log q - (1 - t) log(1 - q), elementwise, with q = sigmoid(p) or p clipped."""
    if from_logits:
        # max(p, 0) - p t + log(1 + e^-|p|) is the same without overflow.
        out = np.abs(p)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.log1p(out, out=out)
        out += np.maximum(p, 0)
        out -= p * t
        return out
    q = np.clip(p, epsilon, 1 - epsilon)
    return -(t * np.log(q) + (1 - t) * np.log1p(-q))


def binary_cross_entropy_grad(t: ndarray, p: ndarray, g: ndarray, from_logits: bool, epsilon: float) -> ndarray:
    """Gradient with respect to p."""
    if from_logits:
        return (sigmoid(p) - t) * g
    q = np.clip(p, epsilon, 1 - epsilon)
    return np.where((p >= epsilon) & (p <= 1 - epsilon), (q - t) / (q * (1 - q)), 0).astype(p.dtype) * g


def binary_cross_entropy_target_grad(p: ndarray, g: ndarray, from_logits: bool, epsilon: float) -> ndarray:
    """Gradient with respect to the targets: log(1 - q) - log q, which for logits is -p."""
    if from_logits:
        return -p * g
    q = np.clip(p, epsilon, 1 - epsilon)
    return (np.log1p(-q) - np.log(q)) * g


def threshold_counts(thresholds: ndarray, p: ndarray, weights: ndarray) -> ndarray:
    """For each threshold the sum of the weights of elements with p above it; thresholds increase.

    ``p`` (n,), ``weights`` (n, m) to (thresholds, m). Counting elements between neighbouring thresholds and summing
    from the top costs n log T rather than n T.
    """
    place = np.searchsorted(thresholds, p, side="left")
    n = len(thresholds)
    columns = [np.bincount(place, weights=w, minlength=n + 1) for w in weights.T]
    return np.stack([c[::-1].cumsum()[::-1][1:] for c in columns], axis=1)




def class_counts(index: ndarray, weights: ndarray, count: int) -> ndarray:
    """The sum of the weights (n,) of the elements of each class below ``count``, in float64."""
    return np.bincount(index, weights=weights, minlength=count)


def checked_weights(weights: ndarray, x: ndarray, low: float, high: float) -> ndarray | None:
    """The weights if all of x are from ``low`` to ``high``, else ``None``."""
    return None if x.size and (x.min() < low or x.max() > high) else weights


def kth_largest(x: ndarray, k: int) -> ndarray:
    """The k-th largest element of each row (..., n), as (..., 1)."""
    return np.partition(x, -k, axis=-1)[..., -k, None]
