"""Batch and layer normalization in NumPy: statistics, affine map and gradients, each over a matrix of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

__all__ = ["BATCH_NORM_ACTIVATIONS", "batch_norm", "batch_norm_grad", "fixed_norm", "fixed_norm_grad", "layer_norm",
           "layer_norm_grad"]  # fmt: skip

#: Activations that :func:`batch_norm` applies itself if it is given one: none here.
BATCH_NORM_ACTIVATIONS: tuple[str, ...] = ()


def batch_norm(
    x: ndarray, gamma: ndarray | None, beta: ndarray | None, epsilon: float
) -> tuple[ndarray, ndarray, ndarray, Any]:
    """gamma (x - mean) / √(var + ε) + beta over every axis but the last.

    Returns:
        The result, mean (c,), variance (c,), and what the gradient needs.
    """
    rows = x.reshape(-1, x.shape[-1])
    n = x.dtype.type(max(rows.shape[0], 1))
    mean = np.add.reduce(rows, axis=0) / n
    centred = rows - mean
    variance = np.einsum("ij,ij->j", centred, centred) / n
    inverse = 1 / np.sqrt(variance + x.dtype.type(epsilon))
    y = centred * (inverse if gamma is None else inverse * gamma)
    if beta is not None:
        y += beta
    return y.reshape(x.shape), mean, variance, (centred, inverse, gamma)


def batch_norm_grad(saved: Any, g: ndarray, needs: Any) -> tuple[ndarray | None, ndarray | None, ndarray | None]:
    """Gradients of :func:`batch_norm` for x, gamma and beta (Ioffe & Szegedy 2015)."""
    centred, inverse, gamma = saved
    rows = g.reshape(centred.shape)
    n = rows.dtype.type(max(rows.shape[0], 1))
    g_beta = np.add.reduce(rows, axis=0)
    g_gamma = np.einsum("ij,ij->j", rows, centred) * inverse
    gx = None
    if needs[0] is not False:
        scale = inverse if gamma is None else inverse * gamma
        gx = centred * (g_gamma * inverse / -n)
        gx += rows
        gx -= g_beta / n
        gx *= scale
        gx = gx.reshape(g.shape)
    return gx, g_gamma, g_beta


def fixed_scale(
    mean: ndarray, variance: ndarray, gamma: ndarray | None, beta: ndarray | None, epsilon: float
) -> tuple[ndarray, ndarray, ndarray]:
    """1 / √(var + ε), and the scale and shift of x that :func:`fixed_norm` is."""
    inverse = 1 / np.sqrt(variance + variance.dtype.type(epsilon))
    scale = inverse if gamma is None else inverse * gamma
    shift = mean * scale
    return inverse, scale, np.negative(shift, out=shift) if beta is None else np.subtract(beta, shift, out=shift)


def fixed_norm(
    x: ndarray, mean: ndarray, variance: ndarray, gamma: ndarray | None, beta: ndarray | None, epsilon: float
) -> tuple[ndarray, Any]:
    """gamma (x - mean) / √(var + ε) + beta with given statistics (c,); the result and what the gradient needs."""
    inverse, scale, shift = fixed_scale(mean, variance, gamma, beta, epsilon)
    y = x * scale
    y += shift
    return y, (x, mean, inverse, scale)


def fixed_norm_grad(saved: Any, g: ndarray, needs: Any) -> tuple[ndarray | None, ...]:
    """Gradients of :func:`fixed_norm` for x, mean, variance, gamma and beta."""
    x, mean, inverse, scale = saved
    need_x, need_mean, need_variance, need_gamma, need_beta = (need is not False for need in needs)
    gx = g * scale if need_x else None
    axes = tuple(range(g.ndim - 1))
    g_beta = np.add.reduce(g, axis=axes) if need_beta or need_mean else None
    slope = np.add.reduce(g * (x - mean), axis=axes) if need_gamma or need_variance else None
    return (
        gx,
        -scale * g_beta if need_mean else None,
        -0.5 * scale * inverse * inverse * slope if need_variance else None,
        slope * inverse if need_gamma else None,
        g_beta if need_beta else None,
    )


def layer_norm(
    x: ndarray, gamma: ndarray | None, beta: ndarray | None, epsilon: float, centre: bool
) -> tuple[ndarray, Any]:
    """gamma (x - mean) / √(var + ε) + beta over the last axis; without ``centre`` the mean is taken as 0 (RMS)."""
    n = x.dtype.type(max(x.shape[-1], 1))
    hat = x - np.add.reduce(x, axis=-1, keepdims=True) / n if centre else x.copy()
    inverse = 1 / np.sqrt(np.einsum("...i,...i->...", hat, hat)[..., None] / n + x.dtype.type(epsilon))
    hat *= inverse
    y = hat if gamma is None else hat * gamma
    if beta is not None:
        y = y + beta if y is hat else np.add(y, beta, out=y)
    return y, (hat, inverse, gamma, centre)


def layer_norm_grad(saved: Any, g: ndarray, needs: Any) -> tuple[ndarray | None, ndarray | None, ndarray | None]:
    """Gradients of :func:`layer_norm` for x, gamma and beta (Ba et al. 2016)."""
    hat, inverse, gamma, centre = saved
    n = hat.dtype.type(max(hat.shape[-1], 1))
    g_gamma = g_beta = gx = None
    flat = g.reshape(-1, g.shape[-1])
    if needs[1] is not False:
        g_gamma = np.einsum("ij,ij->j", flat, hat.reshape(flat.shape))
    if needs[2] is not False:
        g_beta = np.add.reduce(flat, axis=0)
    if needs[0] is not False:
        inner = g if gamma is None else g * gamma
        gx = inner - hat * (np.einsum("...i,...i->...", inner, hat)[..., None] / n)
        if centre:
            gx -= np.add.reduce(inner, axis=-1, keepdims=True) / n
        gx *= inverse
    return gx, g_gamma, g_beta
