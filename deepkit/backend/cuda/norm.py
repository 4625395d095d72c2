"""Batch and layer normalization on the device."""

from __future__ import annotations

from typing import Any

import cupy
from cupy import ndarray

from .derived import complete, derived
from .linear import sum_of_parts
from .loader import function, is_float, launch_columns, launch_over, launch_rows, row_parts, sum_type

__all__ = ["BATCH_NORM_ACTIVATIONS", "batch_norm", "batch_norm_grad", "layer_norm", "layer_norm_grad"]

#: Activations that :func:`batch_norm` applies in the same pass; their derivatives come from the result.
BATCH_NORM_ACTIVATIONS = ("relu",)


def batch_norm(
    x: ndarray, gamma: ndarray | None, beta: ndarray | None, epsilon: float, act: str = "linear"
) -> tuple[ndarray, ndarray, ndarray, Any]:
    """Normalize every column of x (..., c) and put gamma, beta and ``act`` behind; also its mean and variance."""
    if not is_float(x, gamma, beta) or not x.size:
        y, mean, variance, saved = derived("norm").batch_norm(x, gamma, beta, epsilon)
        y = y if act == "linear" else complete("elementwise").activate(y, act)
        return y, mean, variance, (saved, y, act)
    x, n = cupy.ascontiguousarray(x), x.shape[-1]
    rows = x.size // n
    parts, kind = row_parts(rows, n), sum_type(x.dtype)
    means, squares = cupy.empty((parts, n), kind), cupy.empty((parts, n), kind)
    launch_columns(function("norm", "batch_norm_moments", x.dtype), n, parts, x, means, squares, rows, n)
    mean, variance, inverse = (cupy.empty(n, kind) for _ in range(3))
    kernel = function("norm", "batch_norm_moments_last", x.dtype)
    launch_over(kernel, n, means, squares, mean, variance, inverse, rows, n, parts, float(epsilon))
    y = cupy.empty(x.shape, x.dtype)
    kernel = function("norm", f"batch_norm_{act}", x.dtype)
    launch_columns(kernel, n, parts, x, mean, inverse, gamma, beta, y, rows, n)
    return y, mean.astype(x.dtype, copy=False), variance.astype(x.dtype, copy=False), (x, y, mean, inverse, gamma, act)


def batch_norm_grad(saved: Any, g: ndarray, needs: Any) -> tuple[ndarray | None, ndarray | None, ndarray | None]:
    """Gradients of :func:`batch_norm` for x, gamma and beta (Ioffe & Szegedy 2015)."""
    if len(saved) == 3:
        saved, y, act = saved
        g = g if act == "linear" else complete("elementwise").activate_grad(g, y, act)
        return derived("norm").batch_norm_grad(saved, g, needs)
    x, y, mean, inverse, gamma, act = saved
    g, n = cupy.ascontiguousarray(g, x.dtype), x.shape[-1]
    rows = x.size // n
    parts = row_parts(rows, n)
    sums = _sums(f"batch_norm_{act}_sums", g, y, x, mean, inverse, rows, n)
    gx = None
    if needs[0] is not False:
        gx = cupy.empty(x.shape, x.dtype)
        kernel = function("norm", f"batch_norm_{act}_grad", x.dtype)
        launch_columns(kernel, n, parts, g, y, x, mean, inverse, gamma, *sums, gx, rows, n)
    return gx, *(a.astype(x.dtype, copy=False) for a in sums)


def _sums(name: str, g: ndarray, y: ndarray, x: ndarray, mean: ndarray, inverse: ndarray, rows: int, n: int) -> Any:
    """The gradients of gamma and beta, in what sums are kept in."""
    parts, kind = row_parts(rows, n), sum_type(x.dtype)
    partial = cupy.empty((parts, n), kind), cupy.empty((parts, n), kind)
    launch_columns(function("norm", name, x.dtype), n, parts, g, y, x, mean, inverse, *partial, rows, n)
    return [sum_of_parts(part, kind) for part in partial]


def layer_norm(
    x: ndarray, gamma: ndarray | None, beta: ndarray | None, epsilon: float, centre: bool
) -> tuple[ndarray, Any]:
    """gamma (x - mean) / √(var + ε) + beta over the last axis; without ``centre`` the mean is taken as 0 (RMS)."""
    if not is_float(x, gamma, beta) or not x.size:
        return derived("norm").layer_norm(x, gamma, beta, epsilon, centre)
    x, n = cupy.ascontiguousarray(x), x.shape[-1]
    rows, kind = x.size // n, sum_type(x.dtype)
    y, mean, inverse = cupy.empty(x.shape, x.dtype), cupy.empty(rows, kind), cupy.empty(rows, kind)
    kernel = function("norm", "layer_norm_linear", x.dtype)
    launch_rows(kernel, rows, n, x, gamma, beta, y, mean, inverse, rows, n, float(epsilon), int(centre))
    return y, (x, y, mean, inverse, gamma, centre)


def layer_norm_grad(saved: Any, g: ndarray, needs: Any) -> tuple[ndarray | None, ndarray | None, ndarray | None]:
    """Gradients of :func:`layer_norm` for x, gamma and beta (Ba et al. 2016)."""
    if len(saved) == 4:
        return derived("norm").layer_norm_grad(saved, g, needs)
    x, y, mean, inverse, gamma, centre = saved
    g, n = cupy.ascontiguousarray(g, x.dtype), x.shape[-1]
    rows = x.size // n
    gx = g_gamma = g_beta = None
    if needs[1] is not False or needs[2] is not False:
        sums = _sums("layer_norm_linear_sums", g, y, x, mean, inverse, rows, n)
        g_gamma, g_beta = (a.astype(x.dtype, copy=False) for a in sums)
    if needs[0] is not False:
        gx = cupy.empty(x.shape, x.dtype)
        kernel = function("norm", "layer_norm_linear_grad", x.dtype)
        launch_rows(kernel, rows, n, g, y, x, mean, inverse, gamma, gx, rows, n, int(centre))
    return gx, g_gamma, g_beta
