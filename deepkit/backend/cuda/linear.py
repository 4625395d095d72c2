"""The dense layer on the device: cuBLAS's product, with bias and activation in one pass behind it."""

from __future__ import annotations

from typing import Any

import cupy
from cupy import ndarray

from .derived import complete
from .gemm import matmul, product
from .loader import function, is_float, launch_columns, row_parts, sum_type

__all__ = ["column_sum", "dense", "dense_grad", "matmul"]

#: Activations that the kernels have; their derivatives come from the result. Softmax is a reduction of its own.
ACTIVATIONS = {None: "linear", "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "elu": "elu",
               "exponential": "exponential"}  # fmt: skip


def bias_act(y: ndarray, b: ndarray | None, act: str | None) -> ndarray:
    """act(y + b) in place of ``y`` (..., n), or as a new array for softmax."""
    n, known = y.shape[-1], act in ACTIVATIONS
    if y.size and (b is not None or (known and act)):
        name = ACTIVATIONS[act] if known else "linear"
        rows = y.size // n
        parts = row_parts(rows, n)
        launch_columns(function("bias_act", f"bias_{name}", y.dtype), n, parts, y, b, y, rows, n, 1.0)
    return y if known else complete("elementwise").activate(y, act)


def bias_act_grad(gy: ndarray, y: ndarray | None, act: str | None, out: Any) -> tuple[ndarray, ndarray | None]:
    """The gradient before bias and activation, and the bias's, into ``out`` if that is an array; ``False`` for none."""
    if act not in ACTIVATIONS:
        gy = complete("elementwise").activate_grad(gy, y, act)
        act = None
    gy = cupy.ascontiguousarray(gy)
    n = gy.shape[-1]
    rows = gy.size // max(n, 1)
    if act is None:
        return gy, None if out is False else column_sum(gy, None if out is True else out)
    gx = cupy.empty(gy.shape, gy.dtype)
    parts = row_parts(rows, n)
    partial = None if out is False else cupy.empty((parts, n), sum_type(gy.dtype))
    kernel = function("bias_act", f"bias_{ACTIVATIONS[act]}_grad", gy.dtype)
    launch_columns(kernel, n, parts, gy, y, None, gx, partial, rows, n, 1.0)
    return gx, None if partial is None else sum_of_parts(partial, gy.dtype, None if out is True else out)


def sum_of_parts(partial: ndarray, dtype: Any, out: ndarray | None = None) -> ndarray:
    """The sums (n,) of partial ones (parts, n)."""
    parts, n = partial.shape
    target = out if out is not None and out.flags.c_contiguous else cupy.empty(n, dtype)
    launch_columns(function("reduce", "column_sum_last", dtype), n, 1, partial, target, parts, n, 1.0)
    if out is not None and target is not out:
        out[...] = target
        return out
    return target


def column_sum(g: ndarray, out: ndarray | None = None) -> ndarray:
    """Sum over every axis but the last; g (..., n) to (n,)."""
    g = cupy.ascontiguousarray(g)
    n = g.shape[-1]
    rows = g.size // max(n, 1)
    parts = row_parts(rows, n)
    partial = cupy.empty((parts, n), sum_type(g.dtype))
    launch_columns(function("reduce", "column_sum", g.dtype), n, parts, g, partial, rows, n)
    return sum_of_parts(partial, g.dtype, out)


def dense(x: ndarray, w: ndarray, b: ndarray | None, act: str | None) -> ndarray:
    """act(x @ w + b); x (..., n_in), w (n_in, n_out), b (n_out,)."""
    if act in (None, "relu") and is_float(x, w, b) and x.dtype.itemsize < 8:  # the library's own pass behind a product
        return product(x, w, cupy.empty((*x.shape[:-1], w.shape[-1]), x.dtype), b, act)
    y = matmul(x.reshape(-1, x.shape[-1]), w).reshape(*x.shape[:-1], w.shape[-1])
    if not is_float(y, b):
        y = y if b is None else y + b
        return complete("elementwise").activate(y, act)
    return bias_act(cupy.ascontiguousarray(y), b, act)


def dense_grad(
    x: ndarray, w: ndarray, b: ndarray | None, y: ndarray, act: str | None, gy: ndarray, needs: tuple[Any, ...]
) -> tuple[ndarray | None, ndarray | None, ndarray | None]:
    """Gradients of :func:`dense`; an array in ``needs`` is the destination of that gradient."""
    need_x, need_w, need_b = needs
    g, gb = bias_act_grad(gy, y, act, need_b)
    flat = g.reshape(-1, g.shape[-1])
    gx = matmul(flat, w.T).reshape(x.shape) if need_x is not False else None
    gw = None
    if need_w is not False:
        gw = matmul(x.reshape(-1, x.shape[-1]).T, flat, out=None if need_w is True else need_w)
    return gx, gw, gb
