"""Losses on the device: the cross-entropy of logits and its gradient are one kernel each."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from .derived import derived
from .loader import function, is_float, launch_rows

__all__ = ["cross_entropy", "cross_entropy_grad"]


def cross_entropy(t: ndarray, p: ndarray, from_logits: bool, sparse: bool, epsilon: float) -> tuple[ndarray, Any]:
    """-Σ t log q over the last axis, with q = softmax(p) or p normalised and clipped; and what the gradient needs.

    A label out of range gives NaN: nobody on the device can raise an error.
    """
    if not from_logits or not is_float(p) or not (sparse or t.dtype == p.dtype) or not p.size:
        return derived("loss").cross_entropy(t, p, from_logits, sparse, epsilon)
    p, n = cupy.ascontiguousarray(p), p.shape[-1]
    t = cupy.ascontiguousarray(t, np.int32 if sparse else p.dtype)
    loss, q = cupy.empty(p.shape[:-1], p.dtype), cupy.empty(p.shape, p.dtype)
    kernel = function("softmax", f"cross_entropy_{'sparse' if sparse else 'dense'}", p.dtype)
    launch_rows(kernel, loss.size, n, p, t, loss, q, loss.size, n)
    return loss, (q, t)


def cross_entropy_grad(t: ndarray, saved: Any, g: ndarray, from_logits: bool, sparse: bool, epsilon: float) -> ndarray:
    """Gradient with respect to p."""
    if not from_logits or not isinstance(saved, tuple):
        return derived("loss").cross_entropy_grad(t, saved, g, from_logits, sparse, epsilon)
    q, labels = saved
    gx, n = cupy.empty(q.shape, q.dtype), q.shape[-1]
    g = cupy.ascontiguousarray(cupy.broadcast_to(g, q.shape[:-1]), q.dtype)
    kernel = function("softmax", f"cross_entropy_{'sparse' if sparse else 'dense'}_grad", q.dtype)
    launch_rows(kernel, g.size, n, q, labels, g, gx, g.size, n)
    return gx
