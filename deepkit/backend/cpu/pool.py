"""Max and average pooling in 1, 2 and 3 dimensions in NumPy, and their gradients.

Arrays are channels-last: x (n, *spatial, c), y (n, *out, c). The elements at one position of all windows are a strided
slice of x, so a pool of p elements is p whole-array operations, done in pieces of the batch that stay in the cache.
Padding takes no part: the maximum skips it, the average counts only what is there.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from .memory import empty_reused
from .window import Pairs, Sizes, pieces, taps, window_shape

__all__ = ["avg_pool", "avg_pool_grad", "max_pool", "max_pool_grad"]

# Bytes of input a piece: less than for a product, as there is no BLAS call to keep busy.
_BYTES = 2**20


def _cuts(x_like: ndarray, images: int, out: Sizes, strides: Sizes) -> Any:
    return pieces(images, out, prod(strides) * x_like.shape[-1] * x_like.itemsize, _BYTES)


def _lowest(dtype: np.dtype) -> Any:
    if dtype.kind in "iu":
        return np.iinfo(dtype).min
    return False if dtype.kind == "b" else -np.inf


def _is_padded(padding: Pairs) -> bool:
    return any(lo or hi for lo, hi in padding)


def _reduce(
    x: ndarray, pool: Sizes, strides: Sizes, padding: Pairs, combine: np.ufunc, start: Any
) -> ndarray:
    """Combine the elements of each window with a binary ufunc whose neutral element is ``start``."""
    spatial, ones = x.shape[1:-1], (1,) * len(pool)
    out = window_shape(spatial, pool, strides, padding, ones)
    y = empty_reused((x.shape[0], *out, x.shape[-1]), x.dtype)
    padded = _is_padded(padding)
    for part, row in _cuts(x, x.shape[0], out, strides):
        piece = y[part, row]
        under = [
            (piece[windows], x[part][elements])
            for _, windows, elements in taps(spatial, pool, strides, padding, ones, row, out)
        ]
        if padded:
            piece[...] = start
        elif len(under) > 1:  # without padding every window has every element
            combine(under[0][1], under[1][1], out=piece)
            del under[:2]
        else:
            piece[...] = under.pop()[1]
        for target, elements in under:
            combine(target, elements, out=target)
    return y


def max_pool(x: ndarray, pool: Sizes, strides: Sizes, padding: Pairs) -> ndarray:
    """Largest element of each window.

    Args:
        x: Input (n, *spatial, c).
        pool: Window size.
        strides: Steps between windows.
        padding: Elements of padding before and after each spatial dimension.
    """
    return _reduce(x, pool, strides, padding, np.maximum, _lowest(x.dtype))


def max_pool_grad(
    x: ndarray, y: ndarray, gy: ndarray, pool: Sizes, strides: Sizes, padding: Pairs, need: Any = True
) -> ndarray:
    """Gradient of :func:`max_pool`: each window's goes to its largest element, the first of several equal ones.

    Args:
        x: Input.
        y: Result.
        gy: Gradient of the result.
        pool: As in :func:`max_pool`, like the following.
        strides: Steps between windows.
        padding: Padding before and after.
        need: ``True``, or the array to write the gradient into.
    """
    spatial, out, ones = x.shape[1:-1], y.shape[1:-1], (1,) * len(pool)
    gx, disjoint = _gradient_array(x.shape, gy.dtype, out, pool, strides, padding, need)
    for part, row in _cuts(x, x.shape[0], out, strides):
        g, top = gy[part, row], y[part, row]
        unclaimed = np.ones(top.shape, bool)
        for _, windows, elements in taps(spatial, pool, strides, padding, ones, row, out):
            free, into = unclaimed[windows], gx[part][elements]
            here = x[part][elements] == top[windows]
            here &= free
            free ^= here
            if disjoint:
                np.multiply(g[windows], here, out=into)
            else:
                into += g[windows] * here
    return gx


def avg_pool(x: ndarray, pool: Sizes, strides: Sizes, padding: Pairs) -> ndarray:
    """Mean of the elements of each window, padding not counted; arguments as in :func:`max_pool`."""
    y = _reduce(x, pool, strides, padding, np.add, 0)
    y *= _weights(x.shape[1:-1], y.shape[1:-1], pool, strides, padding, y.dtype)
    return y


def avg_pool_grad(
    gy: ndarray, spatial: Sizes, pool: Sizes, strides: Sizes, padding: Pairs, need: Any = True
) -> ndarray:
    """Gradient of :func:`avg_pool`: each window's is shared out evenly.

    Args:
        gy: Gradient of the result.
        spatial: Spatial shape of the input.
        pool: As in :func:`max_pool`, like the following.
        strides: Steps between windows.
        padding: Padding before and after.
        need: ``True``, or the array to write the gradient into.
    """
    out, ones = gy.shape[1:-1], (1,) * len(pool)
    share = gy * _weights(spatial, out, pool, strides, padding, gy.dtype)
    gx, disjoint = _gradient_array(
        (gy.shape[0], *spatial, gy.shape[-1]), gy.dtype, out, pool, strides, padding, need
    )
    for part, row in _cuts(gx, gx.shape[0], out, strides):
        g = share[part, row]
        for _, windows, elements in taps(spatial, pool, strides, padding, ones, row, out):
            into = gx[part][elements]
            if disjoint:
                into[...] = g[windows]
            else:
                into += g[windows]
    return gx


def _weights(
    spatial: Sizes, out: Sizes, pool: Sizes, strides: Sizes, padding: Pairs, dtype: np.dtype
) -> ndarray:
    """1 / (elements that aren't padding) of each window, (*out, 1), or one number if they are all alike."""
    if not _is_padded(padding):
        return np.asarray(1 / prod(pool), dtype)
    counts = np.ones(1)
    for n, m, k, s, (lo, _) in zip(spatial, out, pool, strides, padding):
        start = np.arange(m) * s - lo
        counts = np.multiply.outer(counts, np.minimum(start + k, n) - np.maximum(start, 0))
    return (1 / counts).astype(dtype).reshape(*out, 1)


def _gradient_array(
    shape: Sizes, dtype: np.dtype, out: Sizes, pool: Sizes, strides: Sizes, padding: Pairs, need: Any
) -> tuple[ndarray, bool]:
    """The array for the gradient, zeroed unless every element will be stored; and whether no windows overlap."""
    gx = empty_reused(shape, dtype) if need is True else need
    disjoint = all(k <= s for k, s in zip(pool, strides))
    covered = pool == strides and all(
        m * k == n + lo + hi for n, m, k, (lo, hi) in zip(shape[1:-1], out, pool, padding)
    )
    if not (disjoint and covered):
        gx[...] = 0
    return gx, disjoint
