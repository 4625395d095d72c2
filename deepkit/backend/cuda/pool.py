"""Pooling on the device, in one and two dimensions; volumes are derived."""

from __future__ import annotations

from typing import Any

import cupy
from cupy import ndarray

from ..cpu.window import Pairs, Sizes, window_shape
from .derived import derived
from .loader import function, is_float, launch_over
from .window import geometry

__all__ = ["avg_pool", "avg_pool_grad", "max_pool", "max_pool_grad"]


def _out(spatial: Sizes, pool: Sizes, strides: Sizes, padding: Pairs) -> Sizes:
    return window_shape(spatial, pool, strides, padding, (1,) * len(pool))


def max_pool(x: ndarray, pool: Sizes, strides: Sizes, padding: Pairs) -> ndarray:
    """Largest element of each window; arguments as in ``backend.cpu``."""
    if len(pool) > 2 or not is_float(x):
        return derived("pool").max_pool(x, pool, strides, padding)
    x = cupy.ascontiguousarray(x)
    out = _out(x.shape[1:-1], pool, strides, padding)
    y = cupy.empty((x.shape[0], *out, x.shape[-1]), x.dtype)
    how = geometry(x.shape, out, pool, strides, None, padding)
    launch_over(function("pool", "max_pool", x.dtype), y.size, x, y, None, len(x), *how)
    return y


def max_pool_grad(
    x: ndarray, y: ndarray, gy: ndarray, pool: Sizes, strides: Sizes, padding: Pairs, need: Any = True
) -> ndarray:
    """Gradient of :func:`max_pool`: each window's goes to its largest element, the first of several equal ones."""
    if len(pool) > 2 or not is_float(x, y, gy):
        return derived("pool").max_pool_grad(x, y, gy, pool, strides, padding, need)
    x, y, gy = (cupy.ascontiguousarray(a) for a in (x, y, gy))
    gx = cupy.empty(x.shape, x.dtype)
    how = geometry(x.shape, y.shape[1:-1], pool, strides, None, padding)
    launch_over(function("pool", "max_pool_grad", x.dtype), gx.size, x, y, gy, gx, len(x), *how)
    return placed(gx, need)


def avg_pool(x: ndarray, pool: Sizes, strides: Sizes, padding: Pairs) -> ndarray:
    """Mean of the elements of each window, padding not counted."""
    if len(pool) > 2 or not is_float(x):
        return derived("pool").avg_pool(x, pool, strides, padding)
    x = cupy.ascontiguousarray(x)
    out = _out(x.shape[1:-1], pool, strides, padding)
    y = cupy.empty((x.shape[0], *out, x.shape[-1]), x.dtype)
    how = geometry(x.shape, out, pool, strides, None, padding)
    launch_over(function("pool", "avg_pool", x.dtype), y.size, x, y, len(x), *how)
    return y


def avg_pool_grad(
    gy: ndarray, spatial: Sizes, pool: Sizes, strides: Sizes, padding: Pairs, need: Any = True
) -> ndarray:
    """Gradient of :func:`avg_pool`: each window's is shared out evenly."""
    if len(pool) > 2 or not is_float(gy):
        return derived("pool").avg_pool_grad(gy, spatial, pool, strides, padding, need)
    gy = cupy.ascontiguousarray(gy)
    gx = cupy.empty((gy.shape[0], *spatial, gy.shape[-1]), gy.dtype)
    how = geometry(gx.shape, gy.shape[1:-1], pool, strides, None, padding)
    launch_over(function("pool", "avg_pool_grad", gy.dtype), gx.size, gy, gx, len(gx), *how)
    return placed(gx, need)


def placed(g: Any, need: Any) -> Any:
    """``g`` in the array that ``need`` is, if it is one."""
    if not isinstance(need, ndarray):
        return g
    need[...] = g
    return need
