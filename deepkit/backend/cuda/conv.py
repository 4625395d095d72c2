"""Convolution on the device.

Lines and images go to kernels of our own (:mod:`.implicit`). Where there are none, as for half precision before Ampere,
windows are written as a matrix (im2col) for cuBLASLt. Groups and volumes are derived.
"""

from __future__ import annotations

from math import prod
from typing import Any, Iterator

import cupy
from cupy import ndarray

from ..cpu.window import Pairs, Sizes, window_shape
from . import implicit
from .derived import derived
from .linear import bias_act, bias_act_grad, matmul
from .loader import function, is_float, launch_over
from .pool import placed
from .window import geometry

__all__ = ["conv", "conv_grad"]

#: Bytes that the matrix of windows may take; beyond that the batch goes in pieces.
MATRIX_BYTES = 1 << 28


def _pieces(images: int, bytes_each: int) -> Iterator[slice]:
    step = max(1, MATRIX_BYTES // max(1, bytes_each))
    for start in range(0, images, step):
        yield slice(start, min(start + step, images))


def _columns(x: ndarray, rows: int, width: int, how: Sizes) -> ndarray:
    """The windows of images as the rows of a matrix."""
    out = cupy.empty((rows, width), x.dtype)
    launch_over(function("im2col", "im2col", x.dtype), out.size, x, out, len(x), *how)
    return out


def conv(
    x: ndarray, w: ndarray, b: ndarray | None, strides: Sizes, padding: Pairs, dilation: Sizes, groups: int,
    act: str | None,
) -> ndarray:  # fmt: skip
    """act(x * w + b); arguments as in ``backend.cpu``."""
    if groups != 1 or len(strides) > 2 or not is_float(x, w, b):
        return derived("conv").conv(x, w, b, strides, padding, dilation, groups, act)
    x, width = cupy.ascontiguousarray(x), prod(w.shape[:-1])
    out = window_shape(x.shape[1:-1], w.shape[:-2], strides, padding, dilation)
    y = cupy.empty((x.shape[0], *out, w.shape[-1]), x.dtype)
    plan = implicit.plan(x, w, out, strides, padding, dilation)
    if plan is not None:
        implicit.forward(plan, x, cupy.ascontiguousarray(w), b, y, act == "relu")
        return y if act in (None, "relu") else bias_act(y, None, act)
    how = geometry(x.shape, out, w.shape[:-2], strides, dilation, padding)
    matrix, places = w.reshape(width, -1), prod(out)
    for part in _pieces(x.shape[0], places * width * x.itemsize):
        piece = y[part]
        columns = _columns(x[part], piece.shape[0] * places, width, how)
        matmul(columns, matrix, out=piece.reshape(-1, w.shape[-1]))
    return bias_act(y, b, act)


def conv_grad(
    x: ndarray, w: ndarray, y: ndarray | None, gy: ndarray, strides: Sizes, padding: Pairs, dilation: Sizes,
    groups: int, act: str | None, needs: Any,
) -> tuple[ndarray | None, ndarray | None, ndarray | None]:  # fmt: skip
    """Gradients of :func:`conv` with respect to x, w and b."""
    if groups != 1 or len(strides) > 2 or not is_float(x, w, gy):
        return derived("conv").conv_grad(x, w, y, gy, strides, padding, dilation, groups, act, needs)
    g, gb = bias_act_grad(gy, y, act, needs[2])
    x, width = cupy.ascontiguousarray(x), prod(w.shape[:-1])
    plan = implicit.plan(x, w, gy.shape[1:-1], strides, padding, dilation)
    if plan is not None:
        gx = None
        if needs[0] is not False:
            gx = needs[0] if isinstance(needs[0], ndarray) and needs[0].flags.c_contiguous else cupy.empty_like(x)
            implicit.to_data(plan, g, cupy.ascontiguousarray(w), gx)
        gw = None if needs[1] is False else implicit.to_weights(plan, x, g, needs[1]).reshape(w.shape)
        return (gx if gx is needs[0] else placed(gx, needs[0])), gw, gb
    how = geometry(x.shape, gy.shape[1:-1], w.shape[:-2], strides, dilation, padding)
    gx = cupy.empty(x.shape, x.dtype) if needs[0] is not False else None
    gw = None
    matrix, places = w.reshape(width, -1), prod(gy.shape[1:-1])
    for part in _pieces(x.shape[0], places * width * x.itemsize):
        flat = g[part].reshape(-1, w.shape[-1])
        if needs[1] is not False:
            share = matmul(_columns(x[part], flat.shape[0], width, how).T, flat)
            gw = share if gw is None else gw + share
        if gx is not None:
            columns, into = matmul(flat, matrix.T), gx[part]
            launch_over(function("im2col", "col2im", x.dtype), into.size, columns, into, len(into), *how)
    if needs[1] is not False:
        gw = cupy.zeros(w.shape, w.dtype) if gw is None else gw.reshape(w.shape)
    return placed(gx, needs[0]), placed(gw, needs[1]), gb
