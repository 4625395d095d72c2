"""Losses on the device: one kernel forward and one back; and what metrics count, without a wait for the host."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from .counting import checked_weights, class_counts, kth_largest, threshold_counts
from .derived import derived
from .loader import function, is_float, launch_over, launch_rows, sum_type

__all__ = ["binary_cross_entropy", "binary_cross_entropy_grad", "checked_weights", "class_counts", "cross_entropy",
           "cross_entropy_grad", "kth_largest", "squared_error", "squared_error_grad", "threshold_counts"]  # fmt: skip


def _alike(t: ndarray, p: ndarray) -> bool:
    """Whether a kernel can have targets and predictions as they are."""
    return is_float(t, p) and t.shape == p.shape and bool(p.size) and p.ndim > 0


def _of_rows(g: ndarray, like: ndarray) -> ndarray:
    """A gradient of losses by row as kernels take it."""
    return cupy.ascontiguousarray(cupy.broadcast_to(g, like.shape[:-1]), like.dtype)


def squared_error(t: ndarray, p: ndarray) -> tuple[ndarray, ndarray]:
    """Mean of (p - t)² over the last axis, and p - t."""
    if not _alike(t, p):
        return derived("loss").squared_error(t, p)
    t, p, n = cupy.ascontiguousarray(t), cupy.ascontiguousarray(p), p.shape[-1]
    loss, d = cupy.empty(p.shape[:-1], p.dtype), cupy.empty(p.shape, p.dtype)
    launch_rows(function("loss", "squared_error", p.dtype), loss.size, n, t, p, loss, d, loss.size, n)
    return loss, d


def squared_error_grad(d: ndarray, g: ndarray) -> ndarray:
    """Gradient with respect to p."""
    if not is_float(d) or not d.size or not d.flags.c_contiguous:
        return derived("loss").squared_error_grad(d, g)
    g, gx, n = _of_rows(g, d), cupy.empty(d.shape, d.dtype), d.shape[-1]
    launch_rows(function("loss", "squared_error_grad", d.dtype), g.size, n, d, g, gx, g.size, n)
    return gx


def cross_entropy(t: ndarray, p: ndarray, from_logits: bool, sparse: bool, epsilon: float) -> tuple[ndarray, Any]:
    """-Σ t log q over the last axis, with q = softmax(p) or p normalised and clipped; and what the gradient needs.

    A label out of range gives NaN: nobody on the device can raise an error.
    """
    if not (is_float(p) and p.size and p.ndim if sparse else _alike(t, p)):
        return derived("loss").cross_entropy(t, p, from_logits, sparse, epsilon)
    p, n, kind = cupy.ascontiguousarray(p), p.shape[-1], "sparse" if sparse else "dense"
    t = cupy.ascontiguousarray(t, np.int32 if sparse else p.dtype)
    loss = cupy.empty(p.shape[:-1], p.dtype)
    if from_logits:
        q = cupy.empty(p.shape, p.dtype)
        launch_rows(function("softmax", f"cross_entropy_{kind}", p.dtype), loss.size, n, p, t, loss, q, loss.size, n)
        return loss, (t, q, None)
    total = cupy.empty(loss.shape, sum_type(p.dtype))
    kernel = function("loss", f"cross_entropy_probability_{kind}", p.dtype)
    launch_rows(kernel, loss.size, n, p, t, loss, total, loss.size, n, float(epsilon))
    return loss, (t, p, total)


def cross_entropy_grad(t: ndarray, saved: Any, g: ndarray, from_logits: bool, sparse: bool, epsilon: float) -> ndarray:
    """Gradient with respect to p."""
    if not isinstance(saved, tuple) or len(saved) != 3:
        return derived("loss").cross_entropy_grad(t, saved, g, from_logits, sparse, epsilon)
    t, q, total = saved
    g, gx, n, kind = _of_rows(g, q), cupy.empty(q.shape, q.dtype), q.shape[-1], "sparse" if sparse else "dense"
    if from_logits:
        kernel = function("softmax", f"cross_entropy_{kind}_grad", q.dtype)
        launch_rows(kernel, g.size, n, q, t, g, gx, g.size, n)
    else:
        kernel = function("loss", f"cross_entropy_probability_{kind}_grad", q.dtype)
        launch_rows(kernel, g.size, n, q, t, total, g, gx, g.size, n, float(epsilon))
    return gx


def _binary(name: str, from_logits: bool, epsilon: float, *arrays: ndarray) -> ndarray:
    inputs, out = [cupy.ascontiguousarray(a) for a in arrays], cupy.empty(arrays[0].shape, arrays[0].dtype)
    kernel = function("loss", name.format("logit" if from_logits else "probability"), out.dtype)
    launch_over(kernel, out.size, *inputs, out, out.size, *(() if from_logits else (float(epsilon),)))
    return out


def binary_cross_entropy(t: ndarray, p: ndarray, from_logits: bool, epsilon: float) -> ndarray:
    """-t log q - (1 - t) log(1 - q), elementwise, with q = sigmoid(p) or p clipped."""
    if not _alike(t, p):
        return derived("loss").binary_cross_entropy(t, p, from_logits, epsilon)
    return _binary("binary_cross_entropy_{}", from_logits, epsilon, t, p)


def binary_cross_entropy_grad(t: ndarray, p: ndarray, g: ndarray, from_logits: bool, epsilon: float) -> ndarray:
    """Gradient with respect to p."""
    if not _alike(t, p):
        return derived("loss").binary_cross_entropy_grad(t, p, g, from_logits, epsilon)
    g = cupy.broadcast_to(g, p.shape).astype(p.dtype, copy=False)
    return _binary("binary_cross_entropy_{}_grad", from_logits, epsilon, t, p, g)
