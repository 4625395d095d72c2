"""The dense layer's product with bias and activation, and its gradients, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .elementwise import activate, activate_grad
from .memory import empty_reused

__all__ = ["dense", "dense_grad", "column_sum", "matmul"]

_SINGLE = np.dtype(np.float32)


def matmul(a: ndarray, b: ndarray, out: ndarray | None = None) -> ndarray:
    """Matrix product; in half precision by way of float32, for which there is BLAS."""
    if a.dtype.itemsize != 2 or a.dtype.kind in "iu":
        return np.matmul(a, b, out=out)
    with np.errstate(over="ignore", invalid="ignore"):  # loss scaling looks for infinities
        product = np.matmul(a.astype(np.float32), b.astype(np.float32))
        if out is None:
            return product.astype(a.dtype)
        out[...] = product
    return out


def _product(x: ndarray, w: ndarray) -> ndarray:
    """x (..., n) @ w (n, m) as one product: NumPy would make one for each leading index."""
    if x.ndim == 2 and x.dtype is _SINGLE:
        return np.matmul(x, w)
    shape = (*x.shape[:-1], w.shape[-1])
    out = empty_reused(shape, x.dtype) if x.dtype == w.dtype else None
    if out is None or x.ndim < 2:
        return matmul(x, w)
    matmul(x.reshape(-1, x.shape[-1]), w, out=out.reshape(-1, w.shape[-1]))
    return out


def dense(x: ndarray, w: ndarray, b: ndarray | None, act: str | None) -> ndarray:
    """act(x @ w + b); x (..., n_in), w (n_in, n_out), b (n_out,)."""
    y = _product(x, w)
    if b is not None:
        y += b
    return y if act is None else activate(y, act)


def column_sum(g: ndarray, out: ndarray | None = None) -> ndarray:
    """Sum over every axis but the last; g (..., n) to (n,)."""
    return np.add.reduce(g if g.ndim == 2 else g.reshape(-1, g.shape[-1]), axis=0, out=out)


def dense_grad(
    x: ndarray, w: ndarray, b: ndarray | None, y: ndarray, act: str | None, gy: ndarray, needs: tuple[Any, ...]
) -> tuple[ndarray | None, ndarray | None, ndarray | None]:
    """Gradients of :func:`dense`; an array in ``needs`` is the destination of that gradient."""
    if act is not None:
        gy = activate_grad(gy, y, act)
    gx = gw = gb = None
    need_x, need_w, need_b = needs
    product = np.matmul if x.dtype is _SINGLE else matmul
    if need_x is not False:
        gx = _product(gy, w.T)
    if need_w is not False:
        if x.ndim > 2:
            x, flat = x.reshape(-1, x.shape[-1]), gy.reshape(-1, gy.shape[-1])
        else:
            flat = gy
        gw = product(x.T, flat, out=None if need_w is True else need_w)
    if need_b is not False:
        gb = column_sum(gy, None if need_b is True else need_b)
    return gx, gw, gb
